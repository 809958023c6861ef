"""VALUES of plain constants, read without an engine: what one row by hand costs is mostly the asking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from luma_bench.language.placed import Query
from luma_bench.language.tokens import NUMBER, STRING, Tokens, tokenize

_NUMBER = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant as it stands in a text.

    Attributes
    ----------
    kind
        `number` (digits, with a point or not), `text`, `truth`, `null`, a `date` or `timestamp` in words, a `parameter`,
        or the `double` that a parameter may be.
    text
        The number with its sign, the text without quotes, `TRUE` or `FALSE`, or the parameter's name.
    """

    kind: Literal["number", "text", "truth", "null", "date", "timestamp", "parameter", "double"]
    text: str = ""


NULL = Constant("null")


def constant_rows(query: Query) -> list[list[Constant]] | None:
    """The rows of a query that is `VALUES` of plain constants and `$names`, and nothing else; None where it is more.

    Only spellings are read that mean one thing: a number in another notation, an escaped text or an expression is the
    engine's.
    """
    tokens = tokenize(query.sql)
    words, count = tokens.words, len(tokens)
    if not count or words[0] != "VALUES":
        return None
    rows: list[list[Constant]] = []
    index = 1
    while True:
        if index >= count or words[index] != "(":
            return None
        row: list[Constant] = []
        while True:
            read = _constant(tokens, index + 1)
            if read is None:
                return None
            constant, index = read
            row.append(constant)
            if index >= count or words[index] not in (",", ")"):
                return None
            if words[index] == ")":
                break
        rows.append(row)
        index += 1
        if index == count:
            return rows
        if words[index] != ",":
            return None
        index += 1


def _constant(tokens: Tokens, index: int) -> tuple[Constant, int] | None:
    """The constant at a token, and the token behind it."""
    words = tokens.words
    # A constant is never the last token: a bracket closes it.
    if index + 1 >= len(words):
        return None
    word = words[index]
    if word == NUMBER:
        return _number(tokens, index, "")
    if word == "-" and words[index + 1] == NUMBER:
        return _number(tokens, index + 1, "-")
    if word == STRING:
        return _text(tokens, index, "text")
    if word == "NULL":
        return NULL, index + 1
    if word in ("TRUE", "FALSE"):
        return Constant("truth", word), index + 1
    if word == "$" and tokens.names[index + 1]:
        return Constant("parameter", tokens.names[index + 1]), index + 2
    if word == "DATE" and words[index + 1] == STRING:
        return _text(tokens, index + 1, "date")
    if word == "TIMESTAMP" and words[index + 1] == STRING:
        return _text(tokens, index + 1, "timestamp")
    return None


def _number(tokens: Tokens, index: int, sign: str) -> tuple[Constant, int] | None:
    raw = tokens.slice(index, index + 1)
    if len(raw) > _MAX_DIGITS or not _NUMBER.fullmatch(raw):
        return None
    return Constant("number", sign + raw), index + 1


def _text(
    tokens: Tokens, index: int, kind: Literal["text", "date", "timestamp"]
) -> tuple[Constant, int] | None:
    raw = tokens.slice(index, index + 1)
    if raw[0] != "'" or "\0" in raw:
        return None
    return Constant(kind, raw[1:-1].replace("''", "'")), index + 1
