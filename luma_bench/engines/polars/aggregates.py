"""Aggregates: a few plain ones inside of Polars' groups, and DuckDB's answers put together from them afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from luma_bench.engines.polars.casts import cast
from luma_bench.engines.polars.constants import Duck
from luma_bench.engines.polars.frames import MOST_ROWS, Rows, column, selected, titles
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
from luma_bench.engines.polars.values import Value, as_text
from luma_bench.plan.relational.nodes import Aggregate, Measure
from luma_bench.plan.relational.to_duck import measure_sql

_KNOWN = frozenset(
    {"count", "count_star", "sum", "avg", "mean", "min", "max", "bool_and", "bool_or", "any_value"}
)


def aggregated(node: Aggregate, rows: Rows, duck: Duck) -> Rows:
    """The groups of a node over its input.

    Raises
    ------
    Refused
        An aggregate is not known here, or could overflow.
    """
    if node.sets is not None:
        return _sets(node, node.sets, rows, duck)
    if not node.keys and not node.measures:
        raise Refused("an aggregate of nothing")
    scalars = Scalars(duck, rows.columns)
    keys = scalars.values(node.keys)
    if not node.measures:
        made = selected(rows, keys)
        likely = _groups(rows, keys)
        return replace(made, frame=made.frame.unique(), likely=likely, whole=rows.expected, sample=None)
    for key in keys:
        if key.kind.family in ("struct", "null"):
            raise Refused(f"groups of {key.kind.text}")
    functions = [(measure.function, len(measure.args)) for measure in node.measures]
    if "any_value" in dict(functions) and (keys or functions != [("count", 0), ("any_value", 1)]):
        # Beside a count it is a scalar subquery's one value; elsewhere it may be another one in each engine.
        raise Refused("any_value")
    stage = _Stage(rows, scalars, keyed=bool(keys))
    kinds = [
        kind_of(text) for text in scalars.types([measure_sql(item, scalars.names) for item in node.measures])
    ]
    answers = [stage.answer(item, kind) for item, kind in zip(node.measures, kinds, strict=True)]
    return stage.grouped(keys, answers)


def _groups(rows: Rows, keys: Sequence[Value]) -> float:
    """About how many groups there are."""
    different = 1.0
    for key in keys:
        different *= rows.distinct(key)
    return min(rows.expected, different) if keys else 1.0


def _sets(node: Aggregate, sets: Sequence[tuple[int, ...]], rows: Rows, duck: Duck) -> Rows:
    """Each grouping set by itself, below each other; keys that a set does not have are NULL."""
    keys = Scalars(duck, rows.columns).values(node.keys)
    kind = kind_of("INTEGER")
    names = titles(node.width)
    frames: list[pl.LazyFrame] = []
    columns: list[Value] = []
    for number, places in enumerate(sets):
        if not places and not node.measures:
            raise Refused("grouping sets without an aggregate")
        part = replace(node, keys=tuple(node.keys[at] for at in places), sets=None)
        made = aggregated(part, rows, duck)
        found = {place: made.columns[at] for at, place in enumerate(places)}
        values = [found.get(at, key.over(pl.lit(None, dtype=key.dtype))) for at, key in enumerate(keys)]
        values += made.columns[len(places) :]
        last = pl.lit(number, dtype=kind.dtype).alias(names[-1])
        exprs = [value.expr.alias(name) for value, name in zip(values, names, strict=False)]
        frames.append(made.frame.select(*exprs, last))
        columns = [column(value, name, nullable=True) for value, name in zip(values, names, strict=False)]
    span = Range(0, len(sets))
    columns.append(Value(pl.col(names[-1]), kind, kind.dtype, span, False))
    return Rows(pl.concat(frames), tuple(columns), min(rows.most * len(sets) + len(sets), MOST_ROWS))


class _Stage:
    """Collects the arguments and the plain aggregates that the measures of one node need, each once."""

    def __init__(self, rows: Rows, scalars: Scalars, *, keyed: bool) -> None:
        self._rows = rows
        self._scalars = scalars
        self._keyed = keyed
        self._args: dict[tuple[object, ...], tuple[str, Value]] = {}
        self._plain: dict[tuple[str, str], tuple[str, pl.Expr]] = {}

    def answer(self, measure: Measure, kind: Kind) -> Value:
        """What a measure gives, over the plain aggregates."""
        function = measure.function
        if function not in _KNOWN or measure.order:
            raise Refused(f"the aggregate {function}{' in an order' if measure.order else ''}")
        if len(measure.args) > 1:
            raise Refused(f"{function} of several arguments")
        if function in ("count", "count_star"):
            return self._count(measure, kind)
        if measure.distinct and function not in ("min", "max", "bool_and", "bool_or"):
            raise Refused(f"{function} of distinct values")
        value, name = self._argument(measure)
        match function:
            case "sum":
                return self._sum(value, name, kind)
            case "any_value":
                made = self._once("any", name, pl.col(name).drop_nulls().first())
                return replace(value.over(made), nullable=True)
            case "avg" | "mean":
                return self._average(value, name, kind)
            case _:
                return self._extreme(function, value, name, kind)

    def grouped(self, keys: Sequence[Value], answers: Sequence[Value]) -> Rows:
        """The rows of the groups: keys, then answers."""
        names = titles(len(keys))
        before = [key.expr.alias(name) for key, name in zip(keys, names, strict=True)]
        before += [value.expr.alias(name) for name, value in self._args.values()]
        plain = [expr.alias(name) for name, expr in self._plain.values()]
        frame = self._rows.frame
        if before:
            # Without a column of the input the frame would lose its rows.
            frame = (
                frame.select(before)
                if any(
                    value.constant is None for value in (*keys, *(value for _, value in self._args.values()))
                )
                else frame.with_columns(before).select([expr.meta.output_name() for expr in before])
            )
        frame = frame.group_by(names).agg(plain) if keys else frame.select(plain)
        outs = titles(len(answers), len(keys))
        made = [value.expr.alias(name) for value, name in zip(answers, outs, strict=True)]
        columns = [column(key, name) for key, name in zip(keys, names, strict=True)]
        columns += [column(value, name) for value, name in zip(answers, outs, strict=True)]
        frame = frame.select([*(pl.col(name) for name in names), *made])
        rows = self._rows
        likely = _groups(rows, keys)
        return Rows(frame, tuple(columns), rows.most if keys else 1, likely, rows.expected if keys else 1.0)

    def _argument(self, measure: Measure) -> tuple[Value, str]:
        """The argument as a column before the groups; where the filter is not TRUE, NULL."""
        (value,) = self._scalars.values(measure.args)
        if measure.filter is not None:
            (condition,) = self._scalars.values([measure.filter])
            passed = cast(condition, kind_of("BOOLEAN"), self._scalars.duck)
            value = replace(value.over(pl.when(passed.expr).then(value.expr)), nullable=True)
        return value, self._named((measure.args, measure.filter), value)

    def _named(self, key: tuple[object, ...], value: Value) -> str:
        if key not in self._args:
            self._args[key] = (f"x{len(self._args)}", value)
        return self._args[key][0]

    def _once(self, function: str, name: str, expr: pl.Expr) -> pl.Expr:
        if (function, name) not in self._plain:
            self._plain[function, name] = (f"a{len(self._plain)}", expr)
        return pl.col(self._plain[function, name][0])

    def _rows_count(self) -> pl.Expr:
        return self._once("len", "", pl.len()).cast(INT64)

    def _valid(self, name: str) -> pl.Expr:
        return self._once("count", name, pl.col(name).count()).cast(INT64)

    def _count(self, measure: Measure, kind: Kind) -> Value:
        span = Range(0, self._rows.most)
        if not measure.args:
            if measure.filter is None:
                return Value(self._rows_count(), kind, INT64, span, False)
            (condition,) = self._scalars.values([measure.filter])
            passed = cast(condition, kind_of("BOOLEAN"), self._scalars.duck)
            one = passed.over(pl.when(passed.expr).then(pl.lit(value=True)))
            name = self._named(("rows", measure.filter), one)
            return Value(self._valid(name), kind, INT64, span, False)
        value, name = self._argument(measure)
        if not measure.distinct:
            expr = self._valid(name) if value.nullable else self._rows_count()
            return Value(expr, kind, INT64, span, False)
        expr = self._once("distinct", name, pl.col(name).n_unique()).cast(INT64)
        if value.nullable:
            expr = expr - (self._valid(name) < self._rows_count()).cast(INT64)
        return Value(expr, kind, INT64, span, False)

    def _sum(self, value: Value, name: str, kind: Kind) -> Value:
        if kind.text == "DOUBLE" and value.kind.family == "float":
            total = self._once("sum", name, pl.col(name).cast(FLOAT64).sum())
            return self._unless_empty(Value(total, kind, FLOAT64, kind.range, value.nullable), name)
        if value.kind.family == "boolean" and kind.text == "HUGEINT":
            total = self._once("sum", name, pl.col(name).cast(INT64).sum()).cast(INT128)
            span = Range(0, self._rows.most)
            return self._unless_empty(Value(total, kind, INT128, span, value.nullable), name)
        if not value.kind.is_whole or not kind.is_whole or value.kind.scale != kind.scale:
            raise Refused(f"sum of {value.kind.text} as {kind.text}")
        total, span = self._total(value, name)
        if not span.fits(kind.low, kind.high):
            raise Refused("an overflow that cannot be excluded in sum")
        dtype = INT128 if kind.family == "integer" else span.dtype()
        return self._unless_empty(Value(total.cast(dtype), kind, dtype, span, value.nullable), name)

    def _total(self, value: Value, name: str) -> tuple[pl.Expr, Range]:
        """The exact sum of whole numbers, wide enough for every row there can be."""
        span = combined(multiplied, Range(0, self._rows.most), value.range)
        dtype = span.dtype()
        return self._once("sum", name, pl.col(name).cast(dtype).sum()), span

    def _average(self, value: Value, name: str, kind: Kind) -> Value:
        if kind.text != "DOUBLE" or not value.kind.is_number:
            raise Refused(f"{value.kind.text} averaged")
        count = self._valid(name) if value.nullable or not self._keyed else self._rows_count()
        if value.kind.family == "float":
            total = self._once("sum", name, pl.col(name).cast(FLOAT64).sum())
        else:
            total = self._total(value, name)[0].cast(FLOAT64)
        share = count * (10**value.kind.scale) if value.kind.scale else count
        made = total / share.cast(FLOAT64)
        return self._unless_empty(Value(made, kind, FLOAT64, kind.range, value.nullable), name)

    def _extreme(self, function: str, value: Value, name: str, kind: Kind) -> Value:
        if value.kind != kind:
            raise Refused(f"{function} of {value.kind.text}")
        if function in ("bool_and", "bool_or") or kind.family == "boolean":
            if kind.family != "boolean":
                raise Refused(f"{function} of {value.kind.text}")
            function = {"bool_and": "min", "bool_or": "max"}.get(function, function)
        elif kind.family not in ("integer", "decimal", "float", "text", "date", "timestamp", "zoned"):
            raise Refused(f"{function} of {kind.text}")
        if value.is_enum:
            value = as_text(value)
            self._args = {
                key: (held, as_text(found) if held == name else found)
                for key, (held, found) in self._args.items()
            }
        column_ = pl.col(name)
        if function == "min":
            # It leaves out NaN where there are numbers, so that NaN is the greatest.
            plain = column_.min()
        else:
            plain = column_.nan_max() if kind.family == "float" else column_.max()
        made = self._once(function, name, plain)
        nullable = value.nullable or not self._keyed
        return Value(made, kind, value.dtype, value.range, nullable)

    def _unless_empty(self, value: Value, name: str) -> Value:
        """NULL where no value came: Polars' sum of nothing is 0."""
        if self._keyed and not value.nullable:
            return value
        return replace(value, expr=pl.when(self._valid(name) > 0).then(value.expr), nullable=True)
