"""Recognising a key look-up: `SELECT columns FROM table WHERE key = value`, and nothing that is only nearly so."""

from __future__ import annotations

from dataclasses import dataclass

from luma_bench.errors import KadeQLError
from luma_bench.language.tokens import NUMBER, QUOTED, STRING, Tokens, tokenize

LONGEST = 2_000
"""A longer text is taken to be something else, unread."""

_VALUES = frozenset({
    "NULL", "TRUE", "FALSE", "DEFAULT", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP",
    "CURRENT_USER", "SESSION_USER", "USER", "CURRENT_ROLE", "CURRENT_CATALOG", "CURRENT_SCHEMA", "ROWID",
})  # fmt: skip
# After a name these do not begin an alias.
_CLAUSES = frozenset({"WHERE", "AS"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """A `$name` in place of a value."""

    name: str


@dataclass(frozen=True, slots=True)
class PointText:
    """A recognised text; names are as the user spelt them.

    Attributes
    ----------
    columns
        The selected columns; None for `*`.
    aliases
        The names that AS gives some of them.
    equal
        The columns that are compared, each with its value: an int, str, bool or `Parameter`.
    limit
        The LIMIT; None without one.
    listing
        The text up to, not with, WHERE: what it selects, for whoever knows the types.
    """

    table: str
    columns: tuple[str, ...] | None
    aliases: tuple[str, ...]
    equal: tuple[tuple[str, int | str | bool | Parameter], ...]
    limit: int | None
    listing: str


class _Other(Exception):
    """The text is not of this form."""


def recognised(text: str) -> PointText | None:
    """The text as a key look-up, or None for every other text."""
    if len(text) > LONGEST or "=" not in text or text.lstrip()[:6].casefold() != "select":
        return None
    try:
        return _Reader(tokenize(text)).read()
    except (_Other, KadeQLError):
        return None


class _Reader:
    """One pass over the tokens, left to right; whatever is not expected ends it."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._at = 0

    def read(self) -> PointText:
        self._expect("SELECT")
        qualifiers: set[str] = set()
        aliases: list[str] = []
        columns = None if self._took("*") else self._columns(qualifiers, aliases)
        self._expect("FROM")
        table = self._name()
        known = table
        if self._took("AS") or (self._word() not in _CLAUSES and self._is_name()):
            known = self._name()
        listing = self._tokens.text[: self._tokens.ends[self._at - 1]]
        self._expect("WHERE")
        equal = [self._equality(qualifiers)]
        while self._took("AND"):
            equal.append(self._equality(qualifiers))
        limit = self._number() if self._took("LIMIT") else None
        if self._took(";"):
            pass
        if self._at != len(self._tokens) or any(name != known.casefold() for name in qualifiers):
            raise _Other
        return PointText(table, columns, tuple(aliases), tuple(equal), limit, listing)

    def _columns(self, qualifiers: set[str], aliases: list[str]) -> tuple[str, ...]:
        found: list[str] = []
        while True:
            found.append(self._column(qualifiers))
            if self._took("AS"):
                aliases.append(self._name())
            if not self._took(","):
                return tuple(found)

    def _column(self, qualifiers: set[str]) -> str:
        name = self._name()
        if self._took("."):
            qualifiers.add(name.casefold())
            name = self._name()
        return name

    def _equality(self, qualifiers: set[str]) -> tuple[str, int | str | bool | Parameter]:
        if self._is_name():
            column = self._column(qualifiers)
            self._expect("=")
            return column, self._value()
        value = self._value()
        self._expect("=")
        return self._column(qualifiers), value

    def _value(self) -> int | str | bool | Parameter:
        tokens, at = self._tokens, self._at
        word = self._word()
        if word == "$":
            self._at += 1
            # Glued: a space after the `$` is another text.
            if self._at >= len(tokens) or tokens.starts[self._at] != tokens.ends[at]:
                raise _Other
            name = tokens.names[self._at]
            if not name or tokens.words[self._at] in (STRING, QUOTED):
                raise _Other
            self._at += 1
            return Parameter(name)
        if word == "-":
            self._at += 1
            return -self._number()
        if word == NUMBER:
            return self._number()
        if word in ("TRUE", "FALSE"):
            self._at += 1
            return word == "TRUE"
        if word == STRING:
            raw = tokens.slice(at, at + 1)
            if len(raw) < 2 or raw[0] != "'" or raw[-1] != "'":
                raise _Other
            self._at += 1
            return raw[1:-1].replace("''", "'")
        raise _Other

    def _number(self) -> int:
        raw = self._tokens.slice(self._at, self._at + 1) if self._at < len(self._tokens) else ""
        if not (raw.isascii() and raw.isdecimal()):
            raise _Other
        self._at += 1
        return int(raw)

    def _is_name(self) -> bool:
        if self._at >= len(self._tokens):
            return False
        return self._tokens.is_name(self._at) and self._word() not in _VALUES

    def _name(self) -> str:
        if not self._is_name():
            raise _Other
        self._at += 1
        return self._tokens.names[self._at - 1]

    def _word(self) -> str:
        return self._tokens.words[self._at] if self._at < len(self._tokens) else ""

    def _took(self, word: str) -> bool:
        if self._word() != word:
            return False
        self._at += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise _Other
