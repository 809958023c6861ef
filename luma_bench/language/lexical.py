"""DuckDB's lexical regions (strings, quoted names, comments), read character by character on the slow path only.

Two things need it: masking what sqlglot's tokenizer would read differently, and saying which quote or comment was
never closed when a text cannot be tokenized at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import ascii_letters
from typing import NamedTuple

from luma_bench.errors import KadeQLSyntaxError

# A text without any of these is read alike by both tokenizers.
_HAZARD = re.compile(
    r"`|[\w$]\$|\$(?![\w$])|\d\w*[eE]'|\{[#%]|\{\{|[\u200b-\u200d\u2060\ufeff]|[-+*/<>=~!@#%^&|?:](?:--|/\*)"
)
_REGION = re.compile(
    r"""
      (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*(?P<escaped_end>')?)
    | (?P<string>'(?:[^']|'')*(?P<string_end>')?)
    | (?P<name>"(?:[^"]|"")*(?P<name_end>")?)
    | (?P<backquoted>`(?:[^`]|``)*(?P<backquoted_end>`)?)
    | (?P<line>--[^\n\r]*)
    | (?P<block>/\*)
    | (?P<dollar>\$(?P<tag>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>\d(?:_?\d)*(?:\.(?:\d(?:_?\d)*)?)?(?:[eE][+-]?\d(?:_?\d)*)?)
    """,
    re.VERBOSE | re.DOTALL,
)
_ADJOINING = re.compile(r"\$\w+[^\s$]+\$")
_NAMED = re.compile(r"\$\w+")
INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\ufeff")
"""Spaces of no width, which DuckDB reads as spaces and Python does not."""
_COMMENT_EDGE = re.compile(r"/\*|\*/")


class Region(NamedTuple):
    """A stretch of text with one lexical meaning; `closed` is False when the text ended inside it."""

    kind: str
    start: int
    end: int
    closed: bool


def regions(text: str, start: int = 0) -> Iterator[Region]:
    """The strings, quoted names, comments and words of a text, in order, as DuckDB reads them."""
    position = start
    while (match := _REGION.search(text, position)) is not None:
        kind = match.lastgroup or ""
        kind = kind.removesuffix("_end")
        begin, end, closed = match.start(), match.end(), True
        if match["block"] is not None:
            kind, (end, closed) = "block", _comment_end(text, begin)
        elif match["dollar"] is not None:
            kind = "dollar"
            found = text.find(match["dollar"], match.end())
            closed = found >= 0
            end = found + len(match["dollar"]) if closed else len(text)
        elif kind in ("escaped", "string", "name", "backquoted"):
            closed = match[f"{kind}_end"] is not None
        yield Region(kind, begin, end, closed)
        position = end


def masked(text: str) -> str:
    """The text at equal length, with what sqlglot would read differently from DuckDB made harmless.

    Raises
    ------
    KadeQLSyntaxError
        A string, quoted name or comment is never closed, or a `$` names nothing.
    """
    if _HAZARD.search(text) is None:
        return text
    chars = list(text)
    covered = 0
    for region in regions(text):
        if not region.closed:
            raise unreadable(text)
        _mask_symbols(text, chars, covered, region.start)
        covered = region.end
        inside = range(region.start + 1, region.end - 1)
        if region.kind == "word":
            for index in range(region.start, region.end):
                chars[index] = "_" if chars[index] == "$" else chars[index]
        elif region.kind in ("line", "block"):
            # Behind an operator sqlglot misses a comment: it reads //* as // and *.
            chars[region.start : region.end] = " " * (region.end - region.start)
        elif region.kind == "number" and chars[region.end : region.end + 1] in (["e"], ["E"]):
            # sqlglot reads 1E'' as the number 1E and a string without escapes.
            chars[region.start : region.end] = "0" * (region.end - region.start - 1) + " "
        elif region.kind == "dollar":
            tag = text[region.start + 1 : text.index("$", region.start + 1)]
            if tag and not tag.isidentifier():
                plain = _plain_tag(text, len(tag))
                chars[region.start + 1 : region.start + 1 + len(tag)] = plain
                chars[region.end - 1 - len(tag) : region.end - 1] = plain
        elif region.kind == "backquoted":
            chars[region.start] = chars[region.end - 1] = '"'
            for index in inside:
                chars[index] = "_" if chars[index] == '"' else chars[index]
    _mask_symbols(text, chars, covered, len(chars))
    return "".join(chars)


def _plain_tag(text: str, width: int) -> str:
    """A tag of this width that stands nowhere in the text: DuckDB's may hold any sign beyond ASCII, sqlglot's no other."""
    found = (letter * width for letter in ascii_letters if f"${letter * width}$" not in text)
    tag = next(found, None)
    if tag is None:
        raise unreadable(text)
    return tag


def parameter_cuts(text: str) -> list[int]:
    """Where to cut a text, behind a parameter's name, so that sqlglot does not read `$a,$` as the opening of a quote."""
    if _ADJOINING.search(text) is None:
        return []
    cuts: list[int] = []
    covered = 0
    for region in (*regions(text), Region("end", len(text), len(text), True)):
        for index in range(covered, region.start):
            named = _NAMED.match(text, index) if text[index] == "$" else None
            if named is not None and named.end() < len(text):
                cuts.append(named.end())
        covered = region.end
    return cuts


def _mask_symbols(text: str, chars: list[str], start: int, end: int) -> None:
    """Break the Jinja delimiters that sqlglot knows, and refuse a `$` that names nothing, which it takes for a quote."""
    for index in range(start, end):
        if chars[index] in INVISIBLE:
            chars[index] = " "
        elif chars[index] in "#%" and index > start and chars[index - 1] == "{":
            chars[index] = "\\"
        elif chars[index] == "$" and _NAMED.match(text, index) is None:
            raise _nameless(text, index)


def _nameless(text: str, index: int) -> KadeQLSyntaxError:
    return KadeQLSyntaxError(
        "This `$` has no parameter's name.",
        text=text,
        span=(index, index + 1),
        hint="Write a parameter as $name.",
    )


def unreadable(text: str, start: int = 0) -> KadeQLSyntaxError:
    """The error of a text that has no tokens: what was opened and never closed, with the caret on its opening."""
    for region in regions(text, start):
        if not region.closed:
            what, close = _OPENED[region.kind]
            if region.kind == "dollar":
                close = text[region.start : text.index("$", region.start + 1) + 1]
            width = 2 if region.kind in ("block", "escaped") else 1
            return KadeQLSyntaxError(
                f"This {what} is never closed.",
                text=text,
                span=(region.start, region.start + width),
                hint=f"Close it with {close} before the statement ends.",
            )
    return KadeQLSyntaxError(
        "This text cannot be read.",
        text=text,
        span=(start, start + 1),
        hint="Check its quotes, comments and special characters.",
    )


_OPENED = {
    "escaped": ("string", "a single quote '"),
    "string": ("string", "a single quote '"),
    "name": ("quoted name", 'a double quote "'),
    "backquoted": ("quoted name", "a backquote `"),
    "block": ("comment", "*/"),
    "dollar": ("dollar-quoted string", "$$"),
}


def _comment_end(text: str, start: int) -> tuple[int, bool]:
    """Where a block comment ends; comments nest."""
    depth = 0
    for match in _COMMENT_EDGE.finditer(text, start):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end(), True
    return len(text), False
