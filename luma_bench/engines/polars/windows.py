"""Window functions: those whose answer does not depend on the order of equal rows."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from luma_bench.engines.polars.constants import Duck
from luma_bench.engines.polars.frames import Rows, column, titles
from luma_bench.engines.polars.kinds import (
    FLOAT64,
    INT64,
    INT128,
    Kind,
    Range,
    Refused,
    combined,
    kind_of,
    multiplied,
)
from luma_bench.engines.polars.scalars import Scalars
from luma_bench.engines.polars.values import Value
from luma_bench.plan.relational.nodes import Window, WindowCall
from luma_bench.plan.relational.to_duck import window_sql

_RANKS = {"rank": "min", "dense_rank": "dense"}


def windowed(node: Window, rows: Rows, duck: Duck) -> Rows:
    """The input's columns, then one for each call.

    Raises
    ------
    Refused
        A call is not known here.
    """
    scalars = Scalars(duck, rows.columns)
    kinds = [
        kind_of(text) for text in scalars.types([window_sql(call, scalars.names) for call in node.calls])
    ]
    values = [_value(call, kind, scalars, rows.most) for call, kind in zip(node.calls, kinds, strict=True)]
    names = titles(len(values), len(rows.columns))
    made = [value.expr.alias(name) for value, name in zip(values, names, strict=True)]
    columns = [column(value, name) for value, name in zip(values, names, strict=True)]
    return replace(rows, frame=rows.frame.with_columns(made), columns=(*rows.columns, *columns), sample=None)


def _value(call: WindowCall, kind: Kind, scalars: Scalars, most: int) -> Value:
    if call.distinct or call.ignore_nulls or call.filter is not None or call.frame is not None:
        raise Refused(f"the window function {call.function} with a frame or a filter")
    parts = scalars.values(call.partition)
    over = [part.expr for part in parts]
    if call.order:
        return _ranked(call, kind, scalars, over, most)
    if len(call.args) > 1 or call.function not in ("sum", "avg", "min", "max", "count"):
        raise Refused(f"the window function {call.function}")
    span = Range(0, most)
    if not call.args:
        return Value(_over(pl.len(), over).cast(INT64), kind, INT64, span, False)
    (value,) = scalars.values(call.args)
    count = _over(value.expr.count(), over).cast(INT64)
    if call.function == "count":
        return Value(count, kind, INT64, span, False)
    if call.function in ("min", "max"):
        if value.kind != kind or value.kind.family not in ("integer", "decimal", "date", "timestamp"):
            raise Refused(f"{call.function} of {value.kind.text} in a window")
        made = value.expr.min() if call.function == "min" else value.expr.max()
        return Value(_over(made, over), kind, value.dtype, value.range, value.nullable)
    if not value.kind.is_whole:
        raise Refused(f"{call.function} of {value.kind.text} in a window")
    span = combined(multiplied, span, value.range)
    dtype = span.dtype()
    total = _over(value.expr.cast(dtype).sum(), over)
    if call.function == "avg":
        share = (count * 10**value.kind.scale).cast(FLOAT64)
        made = pl.when(count > 0).then(total.cast(FLOAT64) / share)
        return Value(made, kind, FLOAT64, kind.range, value.nullable)
    if not kind.is_whole or kind.scale != value.kind.scale or not span.fits(kind.low, kind.high):
        raise Refused("an overflow that cannot be excluded in sum")
    dtype = INT128 if kind.family == "integer" else dtype
    made = pl.when(count > 0).then(total.cast(dtype))
    return Value(made, kind, dtype, span, value.nullable)


def _over(expr: pl.Expr, partition: list[pl.Expr]) -> pl.Expr:
    return expr.over(partition) if partition else expr


def _ranked(call: WindowCall, kind: Kind, scalars: Scalars, over: list[pl.Expr], most: int) -> Value:
    """`rank` and `dense_rank` by one key without NULLs."""
    method = _RANKS.get(call.function)
    if method is None or len(call.order) != 1 or call.args:
        raise Refused(f"the window function {call.function} in an order")
    (key,) = scalars.values([call.order[0].expression])
    if key.kind.family not in ("integer", "decimal", "date") or key.nullable:
        raise Refused(f"{call.function} by {key.kind.text} that may be NULL")
    ranked = key.expr.rank("min" if method == "min" else "dense", descending=call.order[0].descending)
    return Value(_over(ranked, over).cast(INT64), kind, INT64, Range(1, most), False)
