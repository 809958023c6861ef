"""Reductions of columns that leave the engine: in few queries, and as the pandas objects that they end in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.groupby_measures import Scope, measured
from luma_bench.frame.groupby_plan import Column, Keys, one_row_each
from luma_bench.frame.rows import python_values
from luma_bench.plan.expressions import Call, Cast, ColumnRef, Expression, Literal
from luma_bench.plan.functions import SUMMED, Kind
from luma_bench.plan.kinds import kind_of
from luma_bench.plan.walk import kinds_of

if TYPE_CHECKING:
    import pandas as pd

    from luma_bench.frame.dataframe import DataFrame

Wanted = tuple[str, Expression, Mapping[str, Any]]
"""A reduction's name, what it reads, and its options."""

_AT_ONCE = 500
_DISTINCT_AT_ONCE = 50
"""DuckDB's distinct counts take time that grows with the square of their number in one query."""

_BETWEEN = ("linear", "lower", "higher", "nearest", "midpoint")


def measures[T: Hashable](frame: DataFrame, wanted: Mapping[T, Wanted]) -> dict[T, Any]:
    """Some reductions of a frame, each by its key, as Python values; one query for some hundreds of them.

    Raises
    ------
    SchemaError
        A reduction needs numbers, and its column has none.
    """
    scope = Scope(frame, ())
    kinds = kinds_of(frame.plan)
    places = _places(frame, wanted)
    found: dict[T, Any] = {}
    for keys in _blocks(wanted):
        made: list[Column] = []
        whole: dict[str, bool] = {}
        for place, key in enumerate(keys):
            name, operand, options = wanted[key]
            column = operand.name if isinstance(operand, ColumnRef) else "value"
            kind = kind_of(operand, kinds)
            whole[f"m{place}"] = kind in ("int", "bool")
            made.append((f"m{place}", _measure(scope, name, column, operand, kind, options, places)))
        row = frame.with_plan(one_row_each(frame.plan, Keys(()), made)).to_arrow()
        for key, column in zip(keys, row.columns, strict=True):
            found[key] = python_values(column)[0]
            if isinstance(found[key], pa.MonthDayNano):
                found[key] = _span(found[key])
    return found


def _blocks[T](wanted: Mapping[T, Wanted]) -> Iterator[list[T]]:
    block: list[T] = []
    room = 1.0
    for key, (name, _, _) in wanted.items():
        cost = 1 / (_DISTINCT_AT_ONCE if name == "nunique" else _AT_ONCE)
        if block and room < cost:
            yield block
            block, room = [], 1.0
        block.append(key)
        room -= cost
    if block:
        yield block


def _measure(
    scope: Scope,
    name: str,
    column: str,
    operand: Expression,
    kind: Kind,
    options: Mapping[str, Any],
    places: Mapping[Expression, int],
) -> Expression:
    try:
        if name == "quantile" and options.get("interpolation", "linear") != "linear":
            measured(scope, name, column, operand, kind)
            return _placed(scope, operand, options["q"], places[operand], options["interpolation"])
        return measured(scope, name, column, operand, kind, **options)
    except SchemaError as error:
        raise SchemaError(
            error.message, hint=f"Choose columns, frame[[…]].{name}(), or give numeric_only=True."
        ) from None


def _places(frame: DataFrame, wanted: Mapping[Any, Wanted]) -> dict[Expression, int]:
    """How many values the operands of quantiles have that lie at a row and not between two."""
    asked: dict[Expression, Wanted] = {}
    for name, operand, options in wanted.values():
        between = options.get("interpolation", "linear")
        if between not in _BETWEEN:
            raise UnsupportedError(
                f"quantile(interpolation={between!r}) is not known.",
                hint=f"It is one of {', '.join(_BETWEEN)}.",
            )
        if name == "quantile" and between != "linear":
            asked[operand] = ("count", operand, {})
    return measures(frame, asked) if asked else {}


def _placed(scope: Scope, operand: Expression, q: float, count: int, between: str) -> Expression:
    """The value that stands at the fraction `q` of the `count` values in their order, or at the place beside it."""
    if count == 0:
        return scope.window("max", operand)
    at = q * (count - 1)
    low, high = int(at), min(int(at) + (at > int(at)), count - 1)
    near = {"lower": (low,), "higher": (high,), "nearest": (round(at),), "midpoint": (low, high)}[between]

    def value(place: int) -> Expression:
        # The middle of the place's share of the fractions, so that rounding cannot meet the next one.
        return scope.window("quantile_disc", operand, Literal((place + 0.5) / count))

    if between != "midpoint":
        return value(near[0])
    return Call("div", (Call("add", (Cast(value(low), "DOUBLE"), Cast(value(high), "DOUBLE"))), Literal(2)))


def _span(span: pa.MonthDayNano) -> Any:
    """A timedelta where the span has no months."""
    months, days, nanoseconds = span
    if months:
        return span
    if nanoseconds % 1000:
        import pandas as pd

        return pd.Timedelta(days=days) + pd.Timedelta(nanoseconds, unit="ns")
    return dt.timedelta(days=days, microseconds=nanoseconds // 1000)


def finished(values: Mapping[Any, Any], kinds: Mapping[Any, Kind], name: object = None) -> pd.Series:
    """A pandas Series of reductions: whole numbers as int64, numbers with gaps as floats, all else as pandas finds it."""
    import pandas as pd

    index = pd.Index(list(values), dtype=None if values else object)
    shown = list(values.values())
    if shown and all(value is None for value in shown) and all(kinds.get(key) in SUMMED for key in values):
        return pd.Series(shown, index=index, dtype="float64", name=name)
    return pd.Series(shown, index=index, dtype=None if shown else object, name=name)


def chosen(frame: DataFrame, *, numeric_only: bool) -> list[str]:
    """The columns that a reduction is of."""
    kinds = kinds_of(frame.plan)
    return [name for name in frame.columns if not numeric_only or kinds[name] in SUMMED]


def fractions(q: float | Sequence[float]) -> list[float]:
    """The fractions of a quantile."""
    return [float(q)] if isinstance(q, int | float) else [float(one) for one in q]
