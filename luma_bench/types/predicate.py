"""Predicates that a scan source is offered: frozen trees over one column each, in SQL's three-valued logic.

A comparison has the column on the left and a constant of exactly the column's SQL type on the right. NaN is a
value above every number and equal to itself; NULL makes a comparison NULL, and a scan keeps a row only
where the whole predicate is TRUE. The constant is a plain Python value; a `TIMESTAMP WITH TIME ZONE` constant is an
int: microseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Operator = Literal["=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`column op value`; `type` is the SQL type of the constant as DuckDB names it, such as `DECIMAL(10,2)`."""

    column: str
    op: Operator
    value: object
    type: str


@dataclass(frozen=True, slots=True)
class In:
    """`column IN (values)`; no value is NULL."""

    column: str
    values: tuple[object, ...]
    type: str


@dataclass(frozen=True, slots=True)
class IsNull:
    """`column IS NULL`, or `IS NOT NULL` when negated."""

    column: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class And:
    """Both sides TRUE."""

    left: Predicate
    right: Predicate


@dataclass(frozen=True, slots=True)
class Or:
    """A side TRUE."""

    left: Predicate
    right: Predicate


@dataclass(frozen=True, slots=True)
class Not:
    """The operand FALSE (not NULL)."""

    operand: Predicate


Predicate = Comparison | In | IsNull | And | Or | Not


def columns_of(predicate: Predicate) -> frozenset[str]:
    """The names of every column the predicate reads."""
    names: set[str] = set()
    pending: list[Predicate] = [predicate]
    while pending:
        node = pending.pop()
        match node:
            case And() | Or():
                pending += [node.left, node.right]
            case Not():
                pending.append(node.operand)
            case _:
                names.add(node.column)
    return frozenset(names)
