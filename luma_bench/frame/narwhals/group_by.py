"""Narwhals' groups of rows, and rows of aggregates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from narwhals._sql.group_by import SQLGroupBy
from narwhals._utils import check_column_names_are_unique

from luma_bench.frame.narwhals.terms import Measure, Term, replaced
from luma_bench.plan.expressions import AggregateCall, ColumnRef, Expression
from luma_bench.plan.nodes import Aggregate, Node, Project

if TYPE_CHECKING:
    from luma_bench.frame.narwhals.expr import LumaExpr
    from luma_bench.frame.narwhals.lazyframe import LumaLazyFrame


class LumaGroupBy(SQLGroupBy["LumaLazyFrame", "LumaExpr", Term]):
    """Groups of a frame."""

    def __init__(
        self, df: LumaLazyFrame, keys: Sequence[LumaExpr] | Sequence[str], /, *, drop_null_keys: bool
    ) -> None:
        frame, self._keys, self._output_key_names = self._parse_keys(df, keys=keys)
        self._compliant_frame = frame.drop_nulls(self._keys) if drop_null_keys else frame

    def agg(self, *exprs: LumaExpr) -> LumaLazyFrame:
        """One row for each group."""
        terms = [(term.name or "", term) for term in self._evaluate_exprs(exprs)]
        keys = list(zip(self._keys, self._output_key_names, strict=True))
        return self.compliant.with_plan(grouped(self.compliant.native.plan, keys, terms))


def grouped(plan: Node, keys: Sequence[tuple[str, str]], terms: Iterable[tuple[str, Term]]) -> Node:
    """The plan of a grouping by keys (and their names in the result), and of terms that hold measures."""
    calls: dict[AggregateCall, str] = {}
    taken = {name.casefold() for name in plan.names}

    def named(measure: Measure) -> Expression:
        call = measure.call()
        if call not in calls:
            number = len(calls) + 1
            while f"measure_{number}" in taken:
                number += 1
            taken.add(f"measure_{number}")
            calls[call] = f"measure_{number}"
        return ColumnRef(calls[call])

    columns: list[tuple[str, Expression]] = [(name, ColumnRef(key)) for key, name in keys]
    columns += [(name, replaced(term.expression, named)) for name, term in terms]
    check_column_names_are_unique([name for name, _ in columns])
    if not keys and not calls:
        # Constants alone: still one row.
        named(Measure("size"))
    measures = tuple((name, call) for call, name in calls.items())
    return Project(Aggregate(plan, tuple(key for key, _ in keys), measures), tuple(columns))
