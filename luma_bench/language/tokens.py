"""The token stream of a text: one pass of sqlglot's stock DuckDB tokenizer, brought to DuckDB's own reading.

sqlglot and DuckDB part ways in a few places, and each matters, because what one reads as a string the other might run:
a `$` inside a name (`a$$`), backquoted names, Jinja comments, `1E'…'`, a comment right behind an operator (`//*`), and a
byte order mark. A text that may hold one is
masked at equal length first, so that every offset stays the user's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlglot
from sqlglot import TokenType
from sqlglot.errors import TokenError

from luma_bench.language.graph.short_edges import masked_edges
from luma_bench.language.lexical import masked, parameter_cuts, regions, unreadable

STRING = "'"
"""What `Tokens.words` holds for a string constant of any spelling."""
QUOTED = '"'
"""What `Tokens.words` holds for a quoted name."""
NUMBER = "0"
"""What `Tokens.words` holds for a number."""

# After one of these at the start of a statement sqlglot gives the rest of the statement as a single string.
_SWALLOWING = frozenset({TokenType.COMMAND, TokenType.EXECUTE, TokenType.RENAME, TokenType.FETCH})
_BEFORE_SWALLOWING = frozenset({";", "BEGIN"})
_WORD = re.compile(r"\S+")


class Tokens:
    """A text as parallel lists, so that a walk compares plain strings.

    Attributes
    ----------
    text
        The user's whole text.
    words
        A keyword or bare name in upper case, punctuation as it stands, or `STRING`, `QUOTED`, `NUMBER`.
    names
        What the token names: the bare word as written, the unquoted name, the string's value; else the empty string.
    starts, ends
        Half-open offsets into `text`.
    """

    __slots__ = ("ends", "names", "starts", "text", "words")

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[str] = []
        self.names: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []

    def __len__(self) -> int:
        return len(self.words)

    def is_name(self, index: int) -> bool:
        """Whether the token can be an identifier: a quoted name or any bare word."""
        return self.words[index] == QUOTED or (self.words[index] != STRING and bool(self.names[index]))

    def slice(self, first: int, last: int) -> str:
        """The user's text from token `first` up to, not with, token `last`."""
        return self.text[self.starts[first] : self.ends[last - 1]] if last > first else ""

    def span(self, first: int, last: int | None = None) -> tuple[int, int]:
        """The offsets of token `first`, or of `first` up to, not with, `last`."""
        return self.starts[first], self.ends[first if last is None else last - 1]

    def follows(self, index: int, end: int, *words: str) -> bool:
        """Whether exactly these words stand from `index` on, before `end`."""
        return index + len(words) <= end and self.words[index : index + len(words)] == list(words)

    def closing(self, index: int, end: int) -> int:
        """The index of the bracket that closes the one at `index`; brackets are known to match."""
        depth = 0
        for position in range(index, end):
            word = self.words[position]
            if word in _CLOSED_BY:
                depth += 1
            elif word in _OPENED_BY:
                depth -= 1
                if depth == 0:
                    return position
        return end - 1

    def statements(self) -> Iterator[tuple[int, int]]:
        """The half-open token ranges between semicolons, empty ones left out."""
        first = 0
        for index, word in enumerate(self.words):
            if word == ";":
                if index > first:
                    yield first, index
                first = index + 1
        if len(self.words) > first:
            yield first, len(self.words)

    def unmatched(self, first: int, last: int) -> int | None:
        """The index of a bracket in the range that nothing matches, or None when all match."""
        open_ones: list[int] = []
        for index in range(first, last):
            word = self.words[index]
            if word in _CLOSED_BY:
                open_ones.append(index)
            elif word in _OPENED_BY:
                if not open_ones:
                    return index
                if self.words[open_ones.pop()] != _OPENED_BY[word]:
                    return index
        return open_ones[-1] if open_ones else None


_CLOSED_BY = {"(": ")", "[": "]", "{": "}"}
_OPENED_BY = {closing: opening for opening, closing in _CLOSED_BY.items()}


def tokenize(text: str) -> Tokens:
    """The tokens of a text.

    Raises
    ------
    KadeQLSyntaxError
        A string, quoted name or comment is never closed, or a character belongs to nothing.
    """
    tokens = Tokens(text)
    plain = masked_edges(text)
    readable = masked(plain)
    start = 0
    for cut in parameter_cuts(plain):
        _scan(tokens, readable[start:cut], start)
        start = cut
    _scan(tokens, readable[start:], start)
    return tokens


def listed(tokens: Tokens, first: int, last: int) -> list[tuple[int, int]]:
    """The half-open token ranges between the commas outside of brackets; a comma may stand at the end."""
    found: list[tuple[int, int]] = []
    start = index = first
    while index < last:
        word = tokens.words[index]
        if word in ("(", "[", "{"):
            index = tokens.closing(index, last)
        elif word == ",":
            found.append((start, index))
            start = index + 1
        index += 1
    return [*found, (start, last)] if start < last else found


def _scan(tokens: Tokens, part: str, base: int) -> None:
    """Add the tokens of `part`, which stands at `base` in the whole text."""
    try:
        found = sqlglot.tokenize(part, read="duckdb")
    except TokenError as error:
        raise unreadable(tokens.text, base) from error
    text, words, names, starts, ends = tokens.text, tokens.words, tokens.names, tokens.starts, tokens.ends
    leads = True
    swallowed_from: int | None = None
    for token in found:
        start, end = base + token.start, base + token.end + 1
        if swallowed_from is not None:
            rest, swallowed_from = swallowed_from, None
            if token.token_type is TokenType.STRING:
                _scan(tokens, part[rest - base : end - base], rest)
                continue
        if leads and token.token_type in _SWALLOWING:
            swallowed_from = end
        raw = text[start:end]
        first = raw[0]
        if first.isalpha() or first == "_" or not first.isascii():
            if raw[-1] == "'":
                word, name = STRING, token.text
            elif raw.isidentifier() or not ("/*" in raw or any(map(str.isspace, raw))):
                word, name = raw.upper(), raw
            else:
                _words(tokens, raw, start)
                leads = False
                continue
        elif first == "'" or (first == "$" and end - start > 1):
            word, name = STRING, token.text
        elif first in '"`':
            word, name = QUOTED, raw[1:-1].replace(first * 2, first)
        else:
            word, name = (NUMBER if first.isdecimal() else raw), ""
        leads = word in _BEFORE_SWALLOWING
        words.append(word)
        names.append(name)
        starts.append(start)
        ends.append(end)


def _words(tokens: Tokens, raw: str, start: int) -> None:
    """One token of several words, such as `GROUP BY`, as a token each; a comment between them is none."""
    bare = list(raw)
    for region in regions(raw):
        if region.kind in ("line", "block"):
            bare[region.start : region.end] = " " * (region.end - region.start)
    for match in _WORD.finditer("".join(bare)):
        tokens.words.append(match[0].upper())
        tokens.names.append(match[0])
        tokens.starts.append(start + match.start())
        tokens.ends.append(start + match.end())
