"""Rows gathered by spans of time, without gaps: `frame.resample("h", on="time").mean()`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.groupby_measures import fits, measured, named_measure
from luma_bench.frame.groupby_plan import fresh
from luma_bench.frame.missing import missing
from luma_bench.frame.resample_rules import Rule
from luma_bench.frame.resample_spans import Column, Spans, with_moments
from luma_bench.frame.unchanging import Named
from luma_bench.plan.expressions import Call, Case, ColumnRef, Expression, IsNull
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.nodes import Asof, Join, JoinColumn, Node, Project, Sort, SortKey
from luma_bench.plan.walk import kinds_of

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame

OF_NOTHING: Final[Mapping[str, float]] = {"sum": 0, "prod": 1.0, "count": 0, "size": 0, "nunique": 0}
"""What these are of a span without rows; all others are NULL."""


class Resampler(Named):
    """`frame.resample(rule, on=…)`: a row for each span of time from the first to the last row's, labels first.

    A span without rows has a row too: 0 in `sum`, `count`, `size` and `nunique`, 1 in `prod`, else NULL.
    """

    __slots__ = ("_frame", "_names", "_rule")

    def __init__(self, frame: DataFrame, rule: Rule, names: tuple[str, ...]) -> None:
        self._frame = frame
        self._rule = rule
        self._names = names

    def __getitem__(self, columns: str | Sequence[str]) -> Resampler:
        chosen = (columns,) if isinstance(columns, str) else tuple(columns)
        for name in chosen:
            self._frame.check_column(name)
        return Resampler(self._frame, self._rule, chosen)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in self._frame.plan.names:
            return self[name]
        raise missing(self, name, what="A resampled frame has no column or method", kind="Resampler")

    def sum(self, numeric_only: bool = False, min_count: int = 0) -> DataFrame:
        """The sum; NULL of fewer than `min_count` values.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "precip"]].resample("YS", on="time_hour").sum().columns
        ['time_hour', 'precip']
        """
        return self._each("sum", numeric_only, min_count=min_count)

    def prod(self, numeric_only: bool = False, min_count: int = 0) -> DataFrame:
        """The product, as a float; NULL of fewer than `min_count` values.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "precip"]].resample("YS", on="time_hour").prod().columns
        ['time_hour', 'precip']
        """
        return self._each("prod", numeric_only, min_count=min_count)

    def mean(self, numeric_only: bool = False) -> DataFrame:
        """The arithmetic mean.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "temp"]].resample("YS", on="time_hour").mean().columns
        ['time_hour', 'temp']
        """
        return self._each("mean", numeric_only)

    def median(self, numeric_only: bool = False) -> DataFrame:
        """The middle value.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "temp"]].resample("YS", on="time_hour").median().columns
        ['time_hour', 'temp']
        """
        return self._each("median", numeric_only)

    def min(self, numeric_only: bool = False) -> DataFrame:
        """The least value.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "temp"]].resample("YS", on="time_hour").min().columns
        ['time_hour', 'temp']
        """
        return self._each("min", numeric_only)

    def max(self, numeric_only: bool = False) -> DataFrame:
        """The greatest value.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "temp"]].resample("YS", on="time_hour").max().columns
        ['time_hour', 'temp']
        """
        return self._each("max", numeric_only)

    def std(self, ddof: int = 1, numeric_only: bool = False) -> DataFrame:
        """The standard deviation of a sample.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "temp"]].resample("YS", on="time_hour").std().columns
        ['time_hour', 'temp']
        """
        return self._each("std", numeric_only, ddof=ddof)

    def var(self, ddof: int = 1, numeric_only: bool = False) -> DataFrame:
        """The variance of a sample.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "temp"]].resample("YS", on="time_hour").var().columns
        ['time_hour', 'temp']
        """
        return self._each("var", numeric_only, ddof=ddof)

    def sem(self, ddof: int = 1, numeric_only: bool = False) -> DataFrame:
        """The standard error of the mean.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "temp"]].resample("YS", on="time_hour").sem().columns
        ['time_hour', 'temp']
        """
        return self._each("sem", numeric_only, ddof=ddof)

    def quantile(self, q: float = 0.5, *, numeric_only: bool = False) -> DataFrame:
        """The value below which a share `q` of the values lies.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "temp"]].resample("YS", on="time_hour").quantile(0.9).columns
        ['time_hour', 'temp']
        """
        return self._each("quantile", numeric_only, q=q)

    def count(self) -> DataFrame:
        """The number of values.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "temp"]].resample("YS", on="time_hour").count().columns
        ['time_hour', 'temp']
        """
        return self._each("count", numeric_only=False)

    def nunique(self) -> DataFrame:
        """The number of distinct values.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "temp"]].resample("YS", on="time_hour").nunique().columns
        ['time_hour', 'temp']
        """
        return self._each("nunique", numeric_only=False)

    def first(self, numeric_only: bool = False, skipna: bool = True) -> DataFrame:
        """The first value in the order of time that is not NULL.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "temp"]].resample("YS", on="time_hour").first().columns
        ['time_hour', 'temp']
        """
        return self._each("first", numeric_only, skipna=skipna, by=self._rule.on)

    def last(self, numeric_only: bool = False, skipna: bool = True) -> DataFrame:
        """The last value in the order of time that is not NULL.

        Examples
        --------
        >>> weather = bench.table("weather")
        >>> weather[["time_hour", "temp"]].resample("YS", on="time_hour").last().columns
        ['time_hour', 'temp']
        """
        return self._each("last", numeric_only, skipna=skipna, by=self._rule.on)

    def size(self) -> DataFrame:
        """The number of rows, in a column `size`.

        Examples
        --------
        >>> bench.table("weather").resample("YS", on="time_hour").size().columns
        ['time_hour', 'size']
        """
        return self._gathered([("size", "size", "size", {})])

    def ohlc(self) -> DataFrame:
        """The first, greatest, least and last value, as `open`, `high`, `low` and `close` (after the column's name, of several).

        Examples
        --------
        >>> bench.table("weather").resample("YS", on="time_hour")["temp"].ohlc().columns
        ['time_hour', 'open', 'high', 'low', 'close']
        """
        parts = {"open": "first", "high": "max", "low": "min", "close": "last"}
        several = len(self._names) > 1
        return self._gathered(
            [
                (
                    f"{name}_{shown}" if several else shown,
                    name,
                    function,
                    {"by": self._rule.on} if function in ("first", "last") else {},
                )
                for name in self._names
                for shown, function in parts.items()
            ]
        )

    def agg(self, func: Any = None, **named: tuple[str, Any]) -> DataFrame:
        """Reductions by name: `agg("mean")`, `agg({"x": ["min", "max"]})`, `agg(n=("x", "count"))`.

        Several of a column give `column_function`; of a single column, they are named by the function.

        Examples
        --------
        >>> bench.table("weather").resample("YS", on="time_hour").agg(hot=("temp", "max")).columns
        ['time_hour', 'hot']
        """
        wanted: list[tuple[str, str, Any]] = []
        if isinstance(func, Mapping):
            for name, functions in cast("Mapping[str, Any]", func).items():
                wanted += self._of(name, functions, alone=False)
        elif func is not None:
            for name in self._names:
                wanted += self._of(name, func, alone=len(self._names) == 1)
        for shown, pair in named.items():
            wanted.append((shown, pair[0], pair[1]))
        if not wanted:
            raise UnsupportedError("agg() got no reductions.", hint='Write agg(n=("id", "count")).')
        return self._gathered([(shown, name, *self._known(one)) for shown, name, one in wanted])

    aggregate = agg

    def apply(self, func: object, *args: object, **kwargs: object) -> DataFrame:
        """Refused: Python functions do not run in an engine.

        Raises
        ------
        UnsupportedError
            Always, with what to write instead.

        Examples
        --------
        >>> flights.resample("D", on="sched").apply(max)
        Traceback (most recent call last):
        ...
        luma_bench.errors.UnsupportedError: apply(max) would run Python for every span. ...
        """
        raise UnsupportedError(
            f"apply({getattr(func, '__name__', func)}) would run Python for every span.",
            hint="Use agg(…) with named functions, or map_batches on the sorted frame.",
        )

    # Values at the labels

    def ffill(self) -> DataFrame:
        """The rows as they were at the labels: the last one at or before each.

        Examples
        --------
        >>> t = lb.from_arrow(pa.table({"t": pd.to_datetime(["2024-01-01", "2024-01-03"]), "x": [1, 2]}))
        >>> t.resample("D", on="t").ffill().x.to_list()
        [1, 1, 2]
        """
        return self._at_labels(forward=False)

    def bfill(self) -> DataFrame:
        """The rows as they will be at the labels: the first one at or after each.

        Examples
        --------
        >>> t = lb.from_arrow(pa.table({"t": pd.to_datetime(["2024-01-01", "2024-01-03"]), "x": [1, 2]}))
        >>> t.resample("D", on="t").bfill().x.to_list()
        [1, 2, 2]
        """
        return self._at_labels(forward=True)

    def asfreq(self, fill_value: object = None) -> DataFrame:
        """The rows that stand exactly at the labels, and NULL (or `fill_value`) at labels without one.

        Examples
        --------
        >>> t = lb.from_arrow(pa.table({"t": pd.to_datetime(["2024-01-01", "2024-01-03"]), "x": [1, 2]}))
        >>> t.resample("D", on="t").asfreq().x.to_list()
        [1, None, 2]
        """
        labels, at, rows = self._labels(), self._rule.on, self._rows()
        mark = fresh({name.casefold() for name in rows.names}, "_here")
        marked = Project(rows, (*((name, ColumnRef(name)) for name in rows.names), (mark, Constant(True))))
        columns = (JoinColumn(at, at, None), *(JoinColumn(name, None, name) for name in (*self._names, mark)))
        joined = Join(labels, marked, "left", ((at, at),), columns)
        values: list[Column] = [(name, ColumnRef(name)) for name in self._names]
        if fill_value is not None:
            here = IsNull(ColumnRef(mark), negated=True)
            values = [(name, Case(((here, part),), Constant(fill_value))) for name, part in values]
        return self._sorted(Project(joined, ((at, ColumnRef(at)), *values)))

    # How it is made

    def _known(self, function: object) -> tuple[str, dict[str, Any]]:
        name = "first" if function == "first" else "last" if function == "last" else None
        if name is not None:
            return name, {"by": self._rule.on}
        known = named_measure(function)
        if known is None:
            raise UnsupportedError(
                "agg() takes names of reductions: Python functions do not run in an engine.",
                hint="Use map_batches on the sorted frame.",
            )
        return known.name, {**({"min_count": 0} if known.name in ("sum", "prod") else {}), **known.options}

    def _of(self, name: str, functions: Any, *, alone: bool) -> list[tuple[str, str, Any]]:
        self._frame.check_column(name)
        if isinstance(functions, str) or callable(functions):
            return [(name, name, functions)]
        shown = [one if isinstance(one, str) else getattr(one, "__name__", str(one)) for one in functions]
        return [
            (part if alone else f"{name}_{part}", name, one)
            for part, one in zip(shown, functions, strict=True)
        ]

    def _each(self, function: str, numeric_only: bool, **options: Any) -> DataFrame:
        kinds = kinds_of(self._frame.plan)
        names = [name for name in self._names if not numeric_only or fits("sum", kinds[name])]
        return self._gathered([(name, name, function, options) for name in names])

    def _gathered(self, wanted: list[tuple[str, str, str, dict[str, Any]]]) -> DataFrame:
        spans = Spans.of(self._frame, self._rule)
        kinds = kinds_of(spans.frame.plan)
        measures: list[Column] = []
        nothing: dict[str, float] = {}
        for shown, name, function, options in wanted:
            if shown == self._rule.on:
                raise SchemaError(
                    f"The labels are called {shown!r}, too.",
                    hint="Give the column another name: agg(name=…).",
                )
            operand = ColumnRef(self._rule.on if function == "size" else name)
            kind = kinds[operand.name]
            measures.append((shown, measured(spans.scope, function, name, operand, kind, **options)))
            if function in OF_NOTHING and options.get("min_count", 0) <= 0:
                nothing[shown] = OF_NOTHING[function]

        def finished(name: str, value: Expression) -> Expression:
            return Call("coalesce", (value, Constant(nothing[name]))) if name in nothing else value

        return self._sorted(spans.gathered(measures, finished))

    def _sorted(self, plan: Node) -> DataFrame:
        return self._frame.with_plan(Sort(plan, (SortKey(self._rule.on),)))

    def _rows(self) -> Node:
        return with_moments(self._frame.plan, self._rule)

    def _labels(self) -> Node:
        """The labels alone: the ends of the spans that are in them."""
        if self._rule.label != self._rule.closed:
            raise UnsupportedError(
                "Values at the labels are of spans whose label is the end that belongs to them.",
                hint="Give closed and label the same side, or neither.",
            )
        return Spans.of(self._frame, self._rule).labels()

    def _at_labels(self, *, forward: bool) -> DataFrame:
        at = self._rule.on
        columns = (JoinColumn(at, at, None), *(JoinColumn(name, None, name) for name in self._names))
        joined = Asof(self._labels(), self._rows(), (at, at), (), columns, forward, exact=True)
        return self._sorted(joined)
