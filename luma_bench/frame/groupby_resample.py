"""Spans of time inside groups: `groupby("shop").resample("D", on="time").sum()`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.groupby_measures import Scope, measured, present
from luma_bench.frame.groupby_plan import Column, Keys, fresh, one_row_each
from luma_bench.frame.resample import OF_NOTHING, Resampler
from luma_bench.plan.expressions import AggregateCall, Call, Case, ColumnRef, Expression, IsNull, all_of
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.nodes import (
    Aggregate,
    Asof,
    Explode,
    Filter,
    Join,
    JoinColumn,
    Node,
    Project,
    Sort,
    SortKey,
)
from luma_bench.plan.walk import kinds_of
from luma_bench.plan.window import Window

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame
    from luma_bench.frame.resample_rules import Rule


def resampled(frame: DataFrame, keys: Keys, rule: Rule, names: Sequence[str]) -> GroupResampler:
    """The spans of each group of a frame.

    Raises
    ------
    SchemaError
        A computed key is named like a column.
    UnsupportedError
        NULL is to be a group.
    """
    if not keys.dropna:
        raise UnsupportedError(
            "resample() of groups with dropna=False is not known: spans are joined by their keys.",
            hint="Fill the key first: frame.assign(key=frame.key.fillna(…)).",
        )
    for name, expression in keys.columns:
        if name in frame.plan.names and expression != ColumnRef(name):
            raise SchemaError(
                f"The key is computed, but named {name!r} like a column of the frame.",
                hint="Give it a name of its own: groupby(series.rename('name')).",
            )
    made = tuple((name, ColumnRef(name)) for name in frame.plan.names)
    computed = tuple(item for item in keys.columns if item[0] not in frame.plan.names)
    plan = Project(frame.plan, (*made, *computed)) if computed else frame.plan
    held = Filter(plan, all_of(present([ColumnRef(name) for name in keys.names])))
    return GroupResampler(frame.with_plan(held), rule, tuple(names), keys.names)


class GroupResampler(Resampler):
    """A row for each group and span of time, from the group's first row to its last: keys, then the labels, in front."""

    __slots__ = ("_by",)

    def __init__(self, frame: DataFrame, rule: Rule, names: tuple[str, ...], by: tuple[str, ...]) -> None:
        super().__init__(frame, rule, names)
        self._by = by

    def __getitem__(self, columns: str | Sequence[str]) -> GroupResampler:
        chosen = (columns,) if isinstance(columns, str) else tuple(columns)
        for name in chosen:
            self._frame.check_column(name)
        return GroupResampler(self._frame, self._rule, chosen, self._by)

    def asfreq(self, fill_value: object = None) -> DataFrame:
        """The rows that stand exactly at the labels, and NULL (or `fill_value`) at labels without one.

        Examples
        --------
        >>> t = lb.DataFrame({"k": ["a", "a"], "t": pd.to_datetime(["2024-01-01", "2024-01-03"]), "x": [1, 2]})
        >>> t.groupby("k").resample("D", on="t").asfreq().x.to_list()
        [1, None, 2]
        """
        at, rows = self._rule.on, self._rows()
        mark = fresh({name.casefold() for name in rows.names}, "_here")
        marked = Project(rows, (*((name, ColumnRef(name)) for name in rows.names), (mark, Constant(True))))
        columns = (
            *self._kept,
            JoinColumn(at, at, None),
            *(JoinColumn(name, None, name) for name in (*self._names, mark)),
        )
        joined = Join(self._labels(), marked, "left", (*self._pairs, (at, at)), columns)
        values: list[Column] = [(name, ColumnRef(name)) for name in self._names]
        if fill_value is not None:
            here = IsNull(ColumnRef(mark), negated=True)
            values = [(name, Case(((here, part),), Constant(fill_value))) for name, part in values]
        return self._sorted(Project(joined, (*self._shown, (at, ColumnRef(at)), *values)))

    def interpolate(self, method: str = "linear") -> DataFrame:
        """Refused: lines would go from one group to the next.

        Raises
        ------
        UnsupportedError
            Always, with what to write instead.

        Examples
        --------
        >>> flights.groupby("origin").resample("D", on="sched").interpolate()
        Traceback (most recent call last):
        ...
        luma_bench.errors.UnsupportedError: interpolate('linear') of resampled groups is not known. ...
        """
        raise UnsupportedError(
            f"interpolate({method!r}) of resampled groups is not known.", hint="Use ffill() or bfill()."
        )

    # How it is made

    @property
    def _shown(self) -> tuple[Column, ...]:
        return tuple((name, ColumnRef(name)) for name in self._by)

    @property
    def _kept(self) -> tuple[JoinColumn, ...]:
        return tuple(JoinColumn(name, name, None) for name in self._by)

    @property
    def _pairs(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, name) for name in self._by)

    def _scope_of(self, frame: DataFrame, *more: str) -> Scope:
        return Scope(frame, tuple(ColumnRef(name) for name in (*self._by, *more)))

    def _numbered(self) -> tuple[DataFrame, str]:
        rule, rows = self._rule, self._rows()
        name = fresh({name.casefold() for name in rows.names}, "_bin")
        place = rule.line.place
        keys = tuple(ColumnRef(key) for key in self._by)
        number = rule.number(place, Window("min", (place,), keys), Window("max", (place,), keys))
        own = tuple((column, ColumnRef(column)) for column in rows.names)
        return self._frame.with_plan(Project(rows, (*own, (name, number)))), name

    def _grouped(
        self, wanted: list[tuple[str, str, str, dict[str, Any]]]
    ) -> tuple[Node, Node, tuple[str, str, str]]:
        """A row for each span that has rows, all spans, and the names of number and first and last moment."""
        frame, bins = self._numbered()
        kinds = kinds_of(frame.plan)
        scope = self._scope_of(frame, bins)
        taken = {name.casefold() for name in (*frame.columns, *(shown for shown, *_ in wanted))}
        low, high = fresh(taken, "_low"), fresh(taken, "_high")
        place = self._rule.line.place
        measures: list[Column] = []
        for shown, name, function, options in wanted:
            if shown == self._rule.on:
                raise SchemaError(
                    f"The labels are called {shown!r}, too.",
                    hint="Give the column another name: agg(name=…).",
                )
            operand = ColumnRef(self._rule.on if function == "size" else name)
            measures.append((shown, measured(scope, function, name, operand, kinds[operand.name], **options)))
        measures += [(low, scope.window("min", place)), (high, scope.window("max", place))]
        keys = Keys((*self._shown, (bins, ColumnRef(bins))), dropna=False, sort=False)
        groups = one_row_each(frame.plan, keys, measures)
        return groups, self._spans(groups, bins, low, high), (bins, low, high)

    def _gathered(self, wanted: list[tuple[str, str, str, dict[str, Any]]]) -> DataFrame:
        groups, spans, (bins, low, high) = self._grouped(wanted)
        taken = {name.casefold() for name in (*groups.names, *self._frame.columns)}
        first, last = fresh(taken, "_first"), fresh(taken, "_last")
        columns = (
            *self._kept,
            JoinColumn(bins, bins, None),
            JoinColumn(first, low, None),
            JoinColumn(last, high, None),
            *(JoinColumn(shown, None, shown) for shown, *_ in wanted),
        )
        joined = Join(spans, groups, "left", (*self._pairs, (bins, bins)), columns)
        label = self._rule.edge(ColumnRef(bins), self._rule.label, ColumnRef(first), ColumnRef(last))
        values: list[Column] = []
        for shown, _, function, options in wanted:
            value: Expression = ColumnRef(shown)
            if function in OF_NOTHING and options.get("min_count", 0) <= 0:
                value = Call("coalesce", (value, Constant(OF_NOTHING[function])))
            values.append((shown, value))
        return self._sorted(Project(joined, (*self._front(label), *values)))

    def _front(self, label: Expression) -> tuple[Column, ...]:
        return (*self._shown, (self._rule.on, label))

    def _sorted(self, plan: Node) -> DataFrame:
        return self._frame.with_plan(Sort(plan, tuple(SortKey(name) for name in (*self._by, self._rule.on))))

    def _spans(self, groups: Node, bins: str, low: str, high: str) -> Node:
        end = fresh({name.casefold() for name in groups.names}, "_end")
        ends = Aggregate(
            groups,
            self._by,
            (
                (bins, AggregateCall("min", ColumnRef(bins))),
                (end, AggregateCall("max", ColumnRef(bins))),
                (low, AggregateCall("min", ColumnRef(low))),
                (high, AggregateCall("max", ColumnRef(high))),
            ),
        )
        run = Call("range", (ColumnRef(bins), Call("add", (ColumnRef(end), Constant(1)))))
        listed = Project(ends, (*self._shown, (bins, run), (low, ColumnRef(low)), (high, ColumnRef(high))))
        return Filter(Explode(listed, (bins,), (pa.int64(),)), IsNull(ColumnRef(bins), negated=True))

    def _labels(self) -> Node:
        rule = self._rule
        if rule.label != rule.closed:
            raise UnsupportedError(
                "Values at the labels are of spans whose label is the end that belongs to them.",
                hint="Give closed and label the same side, or neither.",
            )
        _, spans, (bins, low, high) = self._grouped([])
        return Project(
            spans, self._front(rule.edge(ColumnRef(bins), rule.label, ColumnRef(low), ColumnRef(high)))
        )

    def _at_labels(self, *, forward: bool) -> DataFrame:
        at = self._rule.on
        columns = (
            *self._kept,
            JoinColumn(at, at, None),
            *(JoinColumn(name, None, name) for name in self._names),
        )
        joined = Asof(self._labels(), self._rows(), (at, at), self._pairs, columns, forward, exact=True)
        return self._sorted(joined)
