"""Tokens of a text that is being typed: whatever is unfinished, there are tokens, and brackets find an end.

The language's own tokenizer reads finished texts and refuses others. This one reads the same words, names, strings and comments (by
the same regions) into the same shape, so that what walks `Tokens` walks these too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from luma_bench.language.lexical import Region, regions
from luma_bench.language.tokens import NUMBER, QUOTED, STRING, Tokens

_MARK: Final = re.compile(r"::|=>|:=|<>|!=|==|<=>|<=|>=|\|\||->>|->|//|\*\*|\S")
_PART: Final = re.compile(
    r"""(?P<cut>;)|'(?:[^']|'')*(?:'|\Z)|"(?:[^"]|"")*(?:"|\Z)|--[^\n]*|/\*.*?(?:\*/|\Z)|\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)""",
    re.DOTALL,
)
_OPENS: Final = {"(": ")", "[": "]", "{": "}"}
_CLOSES: Final = frozenset(_OPENS.values())


@dataclass(frozen=True, slots=True)
class Scanned:
    """A text's tokens and comments.

    Attributes
    ----------
    tokens
        As the language's own, of any text.
    quiet
        The comments and the strings that nothing closes: where nothing may be offered but what the string may hold.
    match
        For each opening bracket the token that closes it, or the end of its statement; by token index.
    """

    tokens: Tokens
    quiet: tuple[Region, ...]
    match: dict[int, int]

    def before(self, offset: int) -> int:
        """The number of tokens that end at or before an offset: the index of the first that does not."""
        ends = self.tokens.ends
        low, high = 0, len(ends)
        while low < high:
            middle = (low + high) // 2
            if ends[middle] <= offset:
                low = middle + 1
            else:
                high = middle
        return low

    def statement(self, offset: int) -> tuple[int, int]:
        """The half-open token range of the statement that an offset is in."""
        words, first = self.tokens.words, 0
        for index, word in enumerate(words):
            if word != ";":
                continue
            if self.tokens.ends[index] > offset:
                return first, index
            first = index + 1
        return first, len(words)

    def statements(self) -> list[tuple[int, int]]:
        """The half-open token ranges between semicolons, empty ones left out."""
        return list(self.tokens.statements())


def scan(text: str) -> Scanned:
    """The tokens of a text, finished or not."""
    tokens = Tokens(text)
    quiet: list[Region] = []
    done = 0
    for region in regions(text):
        _marks(tokens, done, region.start)
        done = region.end
        if region.kind in ("line", "block"):
            quiet.append(region)
            continue
        raw = text[region.start : region.end]
        match region.kind:
            case "word":
                word, name = raw.upper(), raw
            case "number":
                word, name = NUMBER, ""
            case "name" | "backquoted":
                quote = raw[0]
                inner = raw[1:-1] if region.closed and len(raw) > 1 else raw[1:]
                word, name = QUOTED, inner.replace(quote * 2, quote)
            case _:
                word, name = STRING, _value(raw, region)
        tokens.words.append(word)
        tokens.names.append(name)
        tokens.starts.append(region.start)
        tokens.ends.append(region.end)
    _marks(tokens, done, len(text))
    return Scanned(tokens, tuple(quiet), _matches(tokens))


def statement_at(text: str, offset: int) -> tuple[int, int]:
    """Where the statement around an offset begins and ends, as half-open offsets, without reading all of a long text.

    In a text with escaped quotes or nested comments the cut may be wrong: then less is known of the statement, no more.
    """
    start = 0
    for found in _PART.finditer(text):
        if found["cut"] is None:
            continue
        if found.start() >= offset:
            return start, found.start()
        start = found.end()
    return start, len(text)


def _value(raw: str, region: Region) -> str:
    """What a string holds; escapes stay as they are written, since only plain names are looked up."""
    if region.kind == "dollar":
        tag = raw[: raw.index("$", 1) + 1]
        return raw[len(tag) : -len(tag)] if region.closed else raw[len(tag) :]
    start = 2 if region.kind == "escaped" else 1
    return (raw[start:-1] if region.closed else raw[start:]).replace("''", "'")


def _marks(tokens: Tokens, start: int, stop: int) -> None:
    """Add the operators and brackets of a stretch."""
    for found in _MARK.finditer(tokens.text, start, stop):
        tokens.words.append(found[0])
        tokens.names.append("")
        tokens.starts.append(found.start())
        tokens.ends.append(found.end())


def _matches(tokens: Tokens) -> dict[int, int]:
    """The end of every bracket: what closes it, else what closes one around it, else the statement's end."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for index, word in enumerate(tokens.words):
        if word in _OPENS:
            opened.append(index)
        elif word in _CLOSES:
            depth = next(
                (
                    place
                    for place in range(len(opened) - 1, -1, -1)
                    if _OPENS[tokens.words[opened[place]]] == word
                ),
                None,
            )
            if depth is not None:
                for left in opened[depth:]:
                    found[left] = index
                del opened[depth:]
        elif word == ";":
            for left in opened:
                found[left] = index
            opened.clear()
    for left in opened:
        found[left] = len(tokens.words)
    return found
