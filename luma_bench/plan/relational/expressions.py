"""Scalar expressions of the relational plan: few kinds, so that whoever moves relations need not know DuckDB's functions.

Columns are positions in the row that the node's input hands on (of a join: the left columns, then the right ones). What is
computed from them stands in DuckDB's own words (`Sql`): an engine that runs DuckDB gives them back as they are, one that does
not parses them again and refuses what it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Operator = Literal["=", "<>", "<", "<=", ">", ">=", "is distinct from", "is not distinct from"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the input, by its position."""

    index: int


@dataclass(frozen=True, slots=True)
class Sql:
    """A scalar expression in DuckDB's SQL with holes: `parts[0] args[0] parts[1] … parts[-1]`.

    A literal has no arguments: `Sql(("DATE '1995-03-15'",))`. It is deterministic: what is not is bound to a value before.
    """

    parts: tuple[str, ...]
    args: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    args: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them."""

    args: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; NULL stays NULL."""

    arg: Expression


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison by DuckDB's order: NaN equals itself and is the largest number, -0.0 equals 0.0."""

    operator: Operator
    left: Expression
    right: Expression


Expression = Column | Sql | And | Or | Not | Compare


def parts_of(expression: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside of one."""
    match expression:
        case Column():
            return ()
        case Not():
            return (expression.arg,)
        case Compare():
            return expression.left, expression.right
        case _:
            return expression.args


def columns_of(expression: Expression) -> frozenset[int]:
    """The positions of the input's columns that an expression reads."""
    return frozenset(part.index for part in walk(expression) if isinstance(part, Column))


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and everything inside of it."""
    yield expression
    for part in parts_of(expression):
        yield from walk(part)


def conjuncts(expression: Expression | None) -> tuple[Expression, ...]:
    """The conditions that all have to hold."""
    if expression is None:
        return ()
    if isinstance(expression, And):
        return tuple(found for part in expression.args for found in conjuncts(part))
    return (expression,)


def moved(expression: Expression, places: dict[int, int]) -> Expression:
    """The same expression over columns that stand elsewhere: `places` maps old positions to new ones."""
    match expression:
        case Column():
            return Column(places[expression.index])
        case Sql():
            return Sql(expression.parts, tuple(moved(part, places) for part in expression.args))
        case And():
            return And(tuple(moved(part, places) for part in expression.args))
        case Or():
            return Or(tuple(moved(part, places) for part in expression.args))
        case Not():
            return Not(moved(expression.arg, places))
        case Compare():
            return Compare(
                expression.operator, moved(expression.left, places), moved(expression.right, places)
            )
