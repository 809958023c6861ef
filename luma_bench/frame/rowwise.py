"""Reductions across the columns of a row: `frame.sum(axis=1)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.plan.expressions import Call, Case, Cast, ColumnRef, Expression, IsNull
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.functions import SUMMED
from luma_bench.plan.walk import kinds_of

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame
    from luma_bench.frame.series import Series

_NUMERIC = frozenset(("sum", "mean", "median", "prod", "var", "std", "sem"))


def across(
    frame: DataFrame,
    name: str,
    *,
    numeric_only: bool = False,
    skipna: bool = True,
    ddof: int = 1,
    min_count: int = 0,
    dropna: bool = True,
) -> Series:
    """A Series of one reduction of each row's columns; NULLs are left out.

    Raises
    ------
    SchemaError
        A column holds no numbers.
    UnsupportedError
        There is no such reduction across columns.
    """
    kinds = kinds_of(frame.plan)
    names = [column for column in frame.columns if not numeric_only or kinds[column] in SUMMED]
    wrong = [column for column in names if kinds[column] not in SUMMED and name in _NUMERIC]
    if wrong or not names:
        column = wrong[0] if wrong else "the frame"
        raise SchemaError(
            f"{name} needs numbers, and {column!r} has none.", hint="Choose columns: frame[[…]]."
        )
    columns: list[Expression] = [
        Cast(ColumnRef(column), "INTEGER")
        if kinds[column] == "bool" and name in _NUMERIC
        else ColumnRef(column)
        for column in names
    ]
    made = _across(name, columns, ddof, dropna=dropna)
    if min_count > 0 and name in ("sum", "prod"):
        enough = Call("ge", (_across("count", columns), Constant(min_count)))
        made = Case(((enough, made),), Constant(None))
    if not skipna and name not in ("count", "nunique"):
        missing = [IsNull(column) for column in columns]
        made = Case(((_any(missing), Constant(None)),), made)
    from luma_bench.frame.series import Series

    return Series(frame, made, name)


def _across(name: str, columns: list[Expression], ddof: int = 1, *, dropna: bool = True) -> Expression:
    counted = _folded("add", [Cast(IsNull(column, negated=True), "INTEGER") for column in columns])
    match name:
        case "count":
            return counted
        case "sum" | "mean":
            total = _folded("add", [Call("coalesce", (column, Constant(0))) for column in columns])
            if name == "sum":
                return total
            return Case(
                ((Call("gt", (counted, Constant(0))), Call("div", (total, counted))),), Constant(None)
            )
        case "prod":
            return _folded("mul", [Call("coalesce", (column, Constant(1))) for column in columns])
        case "min" | "max":
            return Call("least" if name == "min" else "greatest", tuple(columns))
        case "any":
            return _any([Call("coalesce", (_true(column), Constant(value=False))) for column in columns])
        case "all":
            parts = tuple(Call("coalesce", (_true(column), Constant(value=True))) for column in columns)
            return Call("and", parts)
        case "median" | "var" | "std" | "sem":
            listed = Call("list", tuple(Cast(column, "DOUBLE") for column in columns))
            if name == "median":
                return Cast(Call("list_aggregate", (listed, Constant("median"))), "DOUBLE")
            spread = Cast(Call("list_aggregate", (listed, Constant("var_pop"))), "DOUBLE")
            free = Call("sub", (counted, Constant(ddof)))
            value: Expression = Call("div", (Call("mul", (spread, counted)), free))
            value = value if name == "var" else Call("sqrt", (value,))
            value = Call("div", (value, Call("sqrt", (counted,)))) if name == "sem" else value
            return Case(((Call("gt", (counted, Constant(ddof))), value),), Constant(None))
        case "nunique":
            found = Call("list_length", (Call("list_distinct", (Call("list", tuple(columns)),)),))
            lacks = Cast(_any([IsNull(column) for column in columns]), "INTEGER")
            return found if dropna else Call("add", (found, lacks))
        case _:
            raise UnsupportedError(
                f"{name}(axis=1) is not served.",
                hint="Across columns there are sum, mean, median, prod, min, max, std, var, sem, count, nunique, any, all.",
            )


def _true(column: Expression) -> Expression:
    return Cast(column, "BOOLEAN")


def _any(parts: list[Any]) -> Expression:
    return Call("or", tuple(parts))


def _folded(function: str, parts: list[Expression]) -> Expression:
    """The parts under one operator, as a balanced tree: a wide frame is no deep one."""
    while len(parts) > 1:
        pairs = [Call(function, (parts[at], parts[at + 1])) for at in range(0, len(parts) - 1, 2)]
        parts = [*pairs, *parts[len(parts) - len(parts) % 2 :]]
    return parts[0]
