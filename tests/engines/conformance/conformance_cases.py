"""What a case of the conformance suite is: an expression, an aggregate or a question, with the answer it must have.

The answer never comes from the engine under test. Of expressions and aggregates a Python function gives it, from the same
values by other means; of questions rows written by hand, or DuckDB itself over the same Arrow data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

EXACT = 0.0
SUMS = 1e-9
"""The relative difference that two sums of floats may have: the order of their addition is not defined."""
LIBM = 4.5e-16
"""Two units in the last place: how exactly the system's mathematical functions round is theirs to say."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Expression:
    """A scalar expression over every row of its family's table.

    Attributes
    ----------
    sql
        Its text, which is its name too.
    type
        The type of the answer.
    expect
        Its value for one row, by Python.
    tolerance
        The relative difference that floats may have.
    wrong
        Engines that are known to give another answer, and why.
    """

    sql: str
    type: pa.DataType
    expect: Callable[[Row], Any]
    tolerance: float = EXACT
    wrong: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Failure:
    """An expression that has no value for the row `id = where`: whoever asks gets an error, not a wrong value."""

    sql: str
    where: int
    says: str
    wrong: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregate function over the rows of a group.

    Attributes
    ----------
    sql
        The call without FILTER.
    expect
        Its value for the rows of a group, by Python; they come in the order of `id`.
    filtered
        Whether it can have a FILTER: it is one call.
    """

    sql: str
    type: pa.DataType
    expect: Callable[[Sequence[Row]], Any]
    tolerance: float = EXACT
    filtered: bool = True
    wrong: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Question:
    """A whole statement.

    Attributes
    ----------
    name
        What it is about, in a few words.
    text
        The statement.
    expect
        The rows and types that it must have; None for what DuckDB answers over the same data.
    ordered
        Whether the order of the rows is part of the answer.
    fails
        Words of the error that it must end with, for a statement without an answer.
    """

    name: str
    text: str
    expect: Answer | None = None
    ordered: bool = False
    params: Mapping[str, object] = field(default_factory=dict[str, object])
    fails: str = ""
    tolerance: float = EXACT
    wrong: Mapping[str, str] = field(default_factory=dict[str, str])
    identity: str = ""
    peer: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows, and the type of each column."""

    columns: Mapping[str, pa.DataType]
    rows: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Expressions:
    """A family of expressions over one table."""

    name: str
    table: str
    cases: Sequence[Expression]
    failures: Sequence[Failure] = ()


@dataclass(frozen=True, slots=True)
class Aggregates:
    """A family of aggregates: each is asked of everything, of groups, of no rows, of NULLs alone, with FILTER, and DISTINCT where `distinct` has it."""

    name: str
    table: str
    cases: Sequence[Aggregate]
    distinct: Sequence[Aggregate] = ()


@dataclass(frozen=True, slots=True)
class Questions:
    """A family of statements."""

    name: str
    cases: Sequence[Question]


Family = Expressions | Aggregates | Questions


def strict(function: Callable[..., Any], *columns: str) -> Callable[[Row], Any]:
    """A function of a row's values that is NULL where one of them is."""

    def value(row: Row) -> Any:
        given = [row[column] for column in columns]
        return None if any(item is None for item in given) else function(*given)

    return value


def of(function: Callable[..., Any], *columns: str) -> Callable[[Row], Any]:
    """A function of a row's values that is asked about NULL too."""
    return lambda row: function(*(row[column] for column in columns))
