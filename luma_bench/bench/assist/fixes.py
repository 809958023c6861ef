"""Changes that mend what an error says: the nearest name, what closes a quote or bracket, a word that is missing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Final

from luma_bench.bench.assist.pieces import CLOSING, OPENING
from luma_bench.bench.assist.scan import Scanned
from luma_bench.bench.assist.scope import Scope
from luma_bench.bench.assist.spelling import spelled
from luma_bench.bench.assist.values import Fix
from luma_bench.errors import KadeQLError, nearest
from luma_bench.language.keywords import CLAUSES, split

MOST: Final = 3
"""Fixes that one problem offers at most."""

_MEANT: Final = re.compile(r"Did you mean (.+?)\?")
_QUOTED: Final = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_WORD: Final = re.compile(r"[A-Z][A-Z ]*")
_TWO_WORDS: Final = re.compile(r"Write (GROUP|ORDER|PARTITION) BY\.")
_NO_COLUMN: Final = re.compile(r"There is no column '(?P<column>[^']*)' in (?P<owner>.+)\.")
_ENDS: Final = frozenset(split("FROM WHERE GROUP ORDER HAVING LIMIT UNION QUALIFY ON JOIN")) | {";"}
_CLOSED: Final = {"string": "'", "quoted name": '"', "comment": " */"}
_BRACKETS: Final = {"(": ")", "[": "]", "{": "}"}


def fixes_of(error: KadeQLError, scanned: Scanned, scope: Scope | None) -> tuple[Fix, ...]:
    """What mends an error of a text, the likely first; nothing where only its author knows.

    Parameters
    ----------
    scope
        The names of the statement, for a column that is not in its relation.
    """
    if error.span is None:
        return ()
    return tuple(dict.fromkeys(_all(error, error.span, scanned, scope)))[:MOST]


def _all(error: KadeQLError, span: tuple[int, int], scanned: Scanned, scope: Scope | None) -> Iterator[Fix]:
    hint = error.hint or ""
    yield from _meant(hint, span, scanned)
    if scope is not None and (absent := _NO_COLUMN.fullmatch(error.plain)):
        yield from _absent(absent["column"], span, scanned, scope)
    if two := _TWO_WORDS.fullmatch(hint):
        yield Fix(f"Write {two[1]} BY", span[0], span[0], "BY ")
    if error.plain.endswith("is never closed.") or error.plain.endswith("closes nothing."):
        yield from _closed(error.plain, span, scanned)
    if "leave the comma out" in hint or error.plain.startswith("A comma"):
        yield from _comma(span, scanned)


def _meant(hint: str, span: tuple[int, int], scanned: Scanned) -> Iterator[Fix]:
    """The names or keywords that a hint offers, in place of what resembles them most."""
    found = _MEANT.search(hint)
    if found is None:
        return
    names = [single or double for single, double in _QUOTED.findall(found[1])]
    words = [] if names else [word for word in re.split(r" or |, ", found[1]) if _WORD.fullmatch(word)]
    for name in (*names, *words):
        if "." in name and "." in scanned.tokens.text[slice(*span)]:
            path = ".".join(spelled(part, label=True) for part in name.split("."))
            yield Fix(f"Change to {path}", *span, path)
            continue
        place = _likest(name, span, scanned)
        if place is None:
            continue
        start, stop, written = place
        kept = name in words or name.isupper() or written.startswith("--")
        text = name if kept else f"'{name}'" if written.startswith("'") else spelled(name)
        if words and written.islower():
            text = text.lower()
        yield Fix(f"Change to {text}", start, stop, text)


def _likest(name: str, span: tuple[int, int], scanned: Scanned) -> tuple[int, int, str] | None:
    """The token in a span that a name was probably written for."""
    tokens = scanned.tokens
    best: tuple[float, int] | None = None
    for index in range(len(tokens)):
        if not tokens.names[index] or tokens.starts[index] < span[0] or tokens.ends[index] > span[1]:
            continue
        score = difflib.SequenceMatcher(None, tokens.names[index].casefold(), name.casefold()).ratio()
        if best is None or score > best[0]:
            best = score, index
    if best is None:
        return None
    start, stop = tokens.span(best[1])
    return start, stop, tokens.text[start:stop]


def _absent(column: str, span: tuple[int, int], scanned: Scanned, scope: Scope) -> Iterator[Fix]:
    """The nearest columns of the relation that stands before the point."""
    tokens = scanned.tokens
    inside = [index for index in range(len(tokens)) if span[0] <= tokens.starts[index] < span[1]]
    named = [index for index in inside if tokens.names[index]]
    if len(named) < 2 or tokens.names[named[-1]].casefold() != column.casefold():
        return
    path = tuple(tokens.names[index] for index in named[:-1])
    query = scope.root.within(named[-1])
    known = scope.members(query, named[-1], path) or ()
    start, stop = tokens.span(named[-1])
    for name in nearest(column, [item.name for item in known]):
        yield Fix(f"Change to {spelled(name)}", start, stop, spelled(name))


def _closed(message: str, span: tuple[int, int], scanned: Scanned) -> Iterator[Fix]:
    """What closes a quote, a comment or a bracket, or takes away a bracket that closes nothing."""
    text = scanned.tokens.text
    if message.endswith("closes nothing."):
        yield Fix(f"Take {text[span[0] : span[1]]} out", *span, "")
        return
    what = message.removeprefix("This ").removesuffix(" is never closed.")
    if what in _CLOSED:
        line = text.find("\n", span[0])
        stop = len(text) if line < 0 or what == "comment" else line
        stop = span[0] + len(text[span[0] : stop].rstrip(" \t\r;"))
        yield Fix(f"Close it with {_CLOSED[what].strip()}", stop, stop, _CLOSED[what])
        return
    opening = next((index for index, start in enumerate(scanned.tokens.starts) if start == span[0]), None)
    if opening is None or what not in _BRACKETS:
        return
    stop = _bracket_end(scanned, opening)
    yield Fix(f"Close it with {_BRACKETS[what]}", stop, stop, _BRACKETS[what])


def _bracket_end(scanned: Scanned, opening: int) -> int:
    """Where a bracket that nothing closes should be: before the clause behind its content, else at the statement's end."""
    tokens = scanned.tokens
    subquery = opening + 1 < len(tokens) and tokens.words[opening + 1] in (
        "SELECT",
        "FROM",
        "WITH",
        "VALUES",
        "MATCH",
    )
    depth, end = 0, tokens.ends[opening]
    for index in range(opening + 1, len(tokens)):
        word = tokens.words[index]
        depth += word in OPENING
        depth -= word in CLOSING
        if word == ";" or depth < 0 or (depth == 0 and not subquery and word in _ENDS):
            break
        end = tokens.ends[index]
    return end


def _comma(span: tuple[int, int], scanned: Scanned) -> Iterator[Fix]:
    """A comma right before an error, or at it, that nothing follows."""
    tokens = scanned.tokens
    for index in range(len(tokens) - 1, -1, -1):
        if tokens.words[index] == "," and tokens.starts[index] <= span[0]:
            behind = tokens.words[index + 1] if index + 1 < len(tokens) else ";"
            if behind in CLOSING or behind in CLAUSES or behind == ";":
                yield Fix("Take the comma out", *tokens.span(index), "")
            return
