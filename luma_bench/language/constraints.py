"""Constraints in CREATE TABLE and ALTER TABLE: CHECK, UNIQUE, PRIMARY KEY, FOREIGN KEY, with or without a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from luma_bench.language.cursor import Cursor
from luma_bench.language.expressions import ExpressionDef, in_brackets
from luma_bench.language.refusals import NOT_SERVED, Refusal
from luma_bench.types.inspector import SqlInspector

TABLE_LEVEL: Final = frozenset({"PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "CONSTRAINT"})
"""Words that begin a constraint of the table."""
COLUMN_LEVEL: Final = frozenset({"PRIMARY", "UNIQUE", "CHECK", "REFERENCES", "CONSTRAINT"})
"""Words that begin a constraint behind a column's type."""
SHAPE: Final = (
    "Write [CONSTRAINT name] CHECK (condition), UNIQUE (a, b), PRIMARY KEY (a, b) or "
    "FOREIGN KEY (a) REFERENCES t (b)."
)
_ACTION: Final = (
    "With NO ACTION or RESTRICT a statement that would leave such rows behind is refused: delete them first."
)
_ACTIONS: Final = {
    "CASCADE": Refusal("CASCADE of a foreign key", NOT_SERVED, _ACTION),
    "SET": Refusal("SET NULL or SET DEFAULT of a foreign key", NOT_SERVED, _ACTION),
}
_MATCH: Final = Refusal(
    "MATCH of a foreign key", NOT_SERVED, "Leave it out: a row with a NULL in the key passes."
)
_DEFERRED: Final = Refusal(
    "A deferred constraint",
    NOT_SERVED,
    "Constraints are checked at the end of each statement; order the statements.",
)


@dataclass(frozen=True, slots=True)
class CheckDef:
    """CHECK (condition)."""

    name: str | None
    expression: ExpressionDef
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class UniqueDef:
    """UNIQUE (columns)."""

    name: str | None
    columns: tuple[str, ...]
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class KeyDef:
    """PRIMARY KEY (columns)."""

    name: str | None
    columns: tuple[str, ...]
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class ForeignDef:
    """FOREIGN KEY (columns) REFERENCES table (referenced); `referenced` is empty for the table's primary key."""

    name: str | None
    columns: tuple[str, ...]
    table: str
    table_span: tuple[int, int]
    referenced: tuple[str, ...]
    span: tuple[int, int]


ConstraintDef = CheckDef | UniqueDef | KeyDef | ForeignDef


def table_constraint(cursor: Cursor, inspector: SqlInspector) -> ConstraintDef:
    """[CONSTRAINT name] and one constraint over any columns of the table; the cursor goes behind it.

    Raises
    ------
    KadeQLSyntaxError, KadeQLUnsupportedError
        It is none, or one that is refused.
    """
    tokens, begin = cursor.tokens, cursor.index
    name = cursor.name("the constraint's name") if cursor.accept("CONSTRAINT") else None
    if cursor.accept("CHECK"):
        expression = in_brackets(cursor, inspector, "a CHECK", SHAPE, steady=False)
        found: ConstraintDef = CheckDef(name, expression, tokens.span(begin, cursor.index))
    elif cursor.accept("UNIQUE"):
        columns = _columns(cursor)
        found = UniqueDef(name, columns, tokens.span(begin, cursor.index))
    elif cursor.accept("PRIMARY", "KEY"):
        columns = _columns(cursor, once=False)  # the table tells, with the whole key under the caret
        found = KeyDef(name, columns, tokens.span(begin, cursor.index))
    elif cursor.accept("FOREIGN", "KEY"):
        columns = _columns(cursor)
        found = _references(cursor, begin, name, columns)
    else:
        raise cursor.expected("CHECK, UNIQUE, PRIMARY KEY or FOREIGN KEY", SHAPE)
    _timing(cursor)
    return found


def column_constraint(cursor: Cursor, inspector: SqlInspector, column: str) -> ConstraintDef:
    """[CONSTRAINT name] and one constraint behind a column's type; the cursor goes behind it."""
    tokens, begin = cursor.tokens, cursor.index
    name = cursor.name("the constraint's name") if cursor.accept("CONSTRAINT") else None
    if cursor.accept("CHECK"):
        expression = in_brackets(cursor, inspector, "a CHECK", SHAPE, steady=False)
        found: ConstraintDef = CheckDef(name, expression, tokens.span(begin, cursor.index))
    elif cursor.accept("UNIQUE"):
        found = UniqueDef(name, (column,), tokens.span(begin, cursor.index))
    elif cursor.accept("PRIMARY", "KEY"):
        found = KeyDef(name, (column,), tokens.span(begin, cursor.index))
    elif cursor.word == "REFERENCES":
        found = _references(cursor, begin, name, (column,))
    else:
        raise cursor.expected("CHECK, UNIQUE, PRIMARY KEY or REFERENCES", SHAPE)
    _timing(cursor)
    return found


def _references(cursor: Cursor, begin: int, name: str | None, columns: tuple[str, ...]) -> ForeignDef:
    tokens = cursor.tokens
    cursor.expect("REFERENCES and the other table", "REFERENCES", hint=SHAPE)
    table, span = cursor.placed_table()
    referenced = _columns(cursor) if cursor.word == "(" else ()
    while cursor.word in ("ON", "MATCH"):
        if cursor.word == "MATCH":
            raise _MATCH.error(tokens.text, tokens.span(cursor.index))
        cursor.index += 1
        if not (cursor.accept("DELETE") or cursor.accept("UPDATE")):
            raise cursor.expected("DELETE or UPDATE after ON", SHAPE)
        if cursor.word in _ACTIONS:
            raise _ACTIONS[cursor.word].error(tokens.text, tokens.span(cursor.index))
        if not (cursor.accept("NO", "ACTION") or cursor.accept("RESTRICT")):
            raise cursor.expected("NO ACTION or RESTRICT", _ACTION)
    return ForeignDef(name, columns, table, span, referenced, tokens.span(begin, cursor.index))


def _timing(cursor: Cursor) -> None:
    """DEFERRABLE and the like; what says only that nothing is deferred is stepped over."""
    while cursor.word in ("DEFERRABLE", "INITIALLY", "NOT"):
        if cursor.accept("NOT", "DEFERRABLE") or cursor.accept("INITIALLY", "IMMEDIATE"):
            continue
        if cursor.word == "NOT":
            return  # NOT NULL, behind a column's constraint
        raise _DEFERRED.error(cursor.tokens.text, cursor.tokens.span(cursor.index))


def _columns(cursor: Cursor, *, once: bool = True) -> tuple[str, ...]:
    return cursor.columns(SHAPE, opening="( and the columns", once=once)[0]
