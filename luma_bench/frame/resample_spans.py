"""The plan of a resampling: rows by the number of their span, one row a span, and the spans without rows between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from luma_bench.frame.groupby_measures import Scope
from luma_bench.frame.groupby_plan import Keys, fresh, one_row_each
from luma_bench.frame.resample_rules import Rule
from luma_bench.plan.expressions import AggregateCall, Call, ColumnRef, Expression, IsNull
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.nodes import Aggregate, Explode, Filter, Join, JoinColumn, Node, Project
from luma_bench.plan.window import Window

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame

Column = tuple[str, Expression]
_NULL = Constant(None)


@dataclass(frozen=True, slots=True)
class Spans:
    """The rows of a frame that have a moment, each with the number of its span in the column `number`."""

    frame: DataFrame
    rule: Rule
    number: str

    @classmethod
    def of(cls, frame: DataFrame, rule: Rule) -> Spans:
        """The spans of a frame's rows."""
        rows = with_moments(frame.plan, rule)
        name = fresh({name.casefold() for name in rows.names}, "_bin")
        place = rule.line.place
        number = rule.number(place, Window("min", (place,)), Window("max", (place,)))
        own = tuple((column, ColumnRef(column)) for column in rows.names)
        return cls(frame.with_plan(Project(rows, (*own, (name, number)))), rule, name)

    @property
    def scope(self) -> Scope:
        """What reductions are over."""
        return Scope(self.frame, (ColumnRef(self.number),))

    def gathered(self, measures: Sequence[Column], finished: Callable[[str, Expression], Expression]) -> Node:
        """A row for each span, its label first; `finished` is what a measure is beside spans without rows."""
        groups, low, high = self._groups(measures)
        names = [name for name, _ in measures]
        taken = {name.casefold() for name in (*groups.names, *names, self.rule.on)}
        first, last = (fresh(taken, "_from"), fresh(taken, "_to"))
        ends = [(new, old) for new, old in ((first, low), (last, high)) if old is not None]
        joined = Join(
            self._every(groups, low, high),
            groups,
            "left",
            ((self.number, self.number),),
            (
                JoinColumn(self.number, self.number, None),
                *(JoinColumn(new, old, None) for new, old in ends),
                *(JoinColumn(name, None, name) for name in names),
            ),
        )
        known = {old: ColumnRef(new) for new, old in ends}
        label = self._label(known.get(low or "", _NULL), known.get(high or "", _NULL))
        return Project(
            joined, ((self.rule.on, label), *((name, finished(name, ColumnRef(name))) for name in names))
        )

    def labels(self) -> Node:
        """The labels alone."""
        groups, low, high = self._groups([])
        label = self._label(
            _NULL if low is None else ColumnRef(low), _NULL if high is None else ColumnRef(high)
        )
        return Project(self._every(groups, low, high), ((self.rule.on, label),))

    def _label(self, low: Expression, high: Expression) -> Expression:
        return self.rule.edge(ColumnRef(self.number), self.rule.label, low, high)

    def _groups(self, measures: Sequence[Column]) -> tuple[Node, str | None, str | None]:
        """The spans that have rows; with the first and the last moment where the rule counts from them."""
        keys = Keys(((self.number, ColumnRef(self.number)),), sort=False)
        plan = self.frame.plan
        if not self.rule.relative:
            return one_row_each(plan, keys, measures), None, None
        taken = {name.casefold() for name in (*plan.names, *(name for name, _ in measures))}
        low, high = fresh(taken, "_low"), fresh(taken, "_high")
        place, scope = self.rule.line.place, self.scope
        ends = ((low, scope.window("min", place)), (high, scope.window("max", place)))
        return one_row_each(plan, keys, [*measures, *ends]), low, high

    def _every(self, groups: Node, low: str | None, high: str | None) -> Node:
        """Every span from the first to the last, those without rows too."""
        number = ColumnRef(self.number)
        kept = [(low, "min"), (high, "max")]
        ends = [
            (name, AggregateCall(function, ColumnRef(name))) for name, function in kept if name is not None
        ]
        outer = Aggregate(
            groups,
            (),
            ((self.number, AggregateCall("min", number)), ("_end", AggregateCall("max", number)), *ends),
        )
        run = Call("range", (number, Call("add", (ColumnRef("_end"), Constant(1)))))
        listed = Project(outer, ((self.number, run), *((name, ColumnRef(name)) for name, _ in ends)))
        spread = Explode(listed, (self.number,), (pa.int64(),))
        return Filter(spread, IsNull(number, negated=True))


def with_moments(plan: Node, rule: Rule) -> Node:
    """The rows that have a moment."""
    return Filter(plan, IsNull(ColumnRef(rule.on), negated=True))
