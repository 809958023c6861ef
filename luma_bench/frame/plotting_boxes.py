"""Box plots: quartiles, whiskers and outliers worked out in the engine, for each column or each group of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.frame.plotting_bins import even_edges, with_even_bins
from luma_bench.frame.plotting_source import Source, name_of, numbers_of
from luma_bench.plan.expressions import (
    AggregateCall,
    Call,
    Case,
    ColumnRef,
    Expression,
    IsNull,
    Literal,
)
from luma_bench.plan.joins import Join, JoinColumn
from luma_bench.plan.nodes import Aggregate, Filter, Limit, Node, Project, Relation, Sort, SortKey
from luma_bench.plot.picture import Axis, Box, Picture, PlotError, left_out

BOXES = 50
"""The most boxes of one picture."""

OUTLIERS = 150
"""Stretches of the value axis in which a box draws its least and its greatest outlier each."""


@dataclass(frozen=True, slots=True)
class Boxes:
    """What is drawn: columns beside each other, or one column by the values of another."""

    source: Source
    y: tuple[str, ...]
    by: str | None
    whis: float

    def picture(self) -> Picture:
        """Run two statements a column: one for the quartiles, one for the whiskers and what is beyond them.

        Raises
        ------
        PlotError
            More than 50 boxes, or a column that has no numbers.
        """
        if len(self.y) > BOXES or (self.by and len(self.y) > 1):
            raise PlotError(
                f"{len(self.y)} columns{' by groups' if self.by else ''} are too many for one box plot.",
                hint=f"Name one y with by=, or at most {BOXES} columns without.",
            )
        made: list[Box] = []
        notes: tuple[str, ...] = ()
        drawn = beyond = 0
        for name in self.y:
            boxes, more, outliers = self._column(name)
            made += boxes
            notes += more
            drawn += sum(len(box.outliers) for box in boxes)
            beyond += outliers
        if drawn < beyond:
            notes = (f"{beyond:,} outliers as {drawn:,} dots, the outermost among them", *notes)
        label = self.source.number(self.y[0]).axis.label if len(self.y) == 1 else "value"
        x = Axis(self.by or "", "category", tuple(box.name for box in made))
        return Picture("box", "", x, Axis(label, "number"), boxes=tuple(made), notes=notes)

    def _column(self, name: str) -> tuple[list[Box], tuple[str, ...], int]:
        """The boxes of a column, its notes, and how many rows are beyond the whiskers."""
        height = self.source.number(name)
        columns: dict[str, Expression] = {"y": height.at}
        if self.by:
            columns["g"] = ColumnRef(self.by)
        shaped = self.source.columns(columns)
        quartiles = self._quartiles(shaped)
        groups = quartiles.column("g").to_pylist() if self.by else [None]
        if self.by and len(groups) > BOXES + 1:
            raise PlotError(
                f"{self.by!r} has more than {BOXES} values, and a box each cannot be told apart.",
                hint="Filter to the ones that matter (isin), or group by something coarser.",
            )
        rows, known = numbers_of(quartiles, "rows"), numbers_of(quartiles, "known")
        if not rows.sum():
            return [], ("no rows",), 0
        placed = np.array(
            [
                bool(count) and not (self.by and group is None)
                for group, count in zip(groups, known, strict=True)
            ]
        )
        notes = left_out(int((rows - known).sum()), height.axis.label)
        nameless = sum(int(count) for group, count in zip(groups, known, strict=True) if group is None)
        notes += left_out(nameless, self.by) if self.by else ()
        if not placed.any():
            return [], notes, 0
        quartiles = quartiles.filter(pa.array(placed))
        edges = even_edges(
            float(numbers_of(quartiles, "least").min()), float(numbers_of(quartiles, "most").max()), OUTLIERS
        )
        found = self._beyond(shaped, quartiles, edges)
        boxes = _boxes(quartiles, found, None if self.by else name)
        return boxes, notes, int(numbers_of(found, "rows")[numbers_of(found, "side") != 0].sum())

    def _quartiles(self, shaped: Node) -> pa.Table:
        y = ColumnRef("y")
        measures = (
            ("rows", AggregateCall("size")),
            ("known", AggregateCall("count", y)),
            ("least", AggregateCall("min", y)),
            ("most", AggregateCall("max", y)),
            *((f"q{part}", AggregateCall("quantile", y, part / 4)) for part in (1, 2, 3)),
        )
        plan: Node = Aggregate(shaped, ("g",) if self.by else (), measures)
        if self.by:
            plan = Limit(Sort(plan, (SortKey("g"),)), BOXES + 2)
        return self.source.run(plan)

    def _beyond(self, shaped: Node, quartiles: pa.Table, edges: np.ndarray) -> pa.Table:
        """By group, side (-1 below the whiskers, 0 inside, 1 above) and stretch: rows, least and greatest value."""
        y, low, high = ColumnRef("y"), ColumnRef("low"), ColumnRef("high")
        q1, q3 = numbers_of(quartiles, "q1"), numbers_of(quartiles, "q3")
        lows, highs = q1 - self.whis * (q3 - q1), q3 + self.whis * (q3 - q1)
        known = Filter(shaped, IsNull(y, negated=True))
        fenced: Node
        if self.by:
            fences = Relation(
                pa.table({"g": quartiles.column("g"), "low": pa.array(lows), "high": pa.array(highs)})
            )
            names = (
                JoinColumn("y", "y", None),
                JoinColumn("g", "g", None),
                JoinColumn("low", None, "low"),
                JoinColumn("high", None, "high"),
            )
            fenced = Join(known, fences, "inner", (("g", "g"),), names)
        else:
            fixed: tuple[tuple[str, Expression], ...] = (
                ("y", y), ("low", Literal(float(lows[0]))), ("high", Literal(float(highs[0]))),
            )  # fmt: skip
            fenced = Project(known, fixed)
        side = Case(((Call("lt", (y, low)), Literal(-1)), (Call("gt", (y, high)), Literal(1))), Literal(0))
        keys = ("g", "side", "b") if self.by else ("side", "b")
        kept = tuple((name, ColumnRef(name)) for name in ("g", "y") if name in fenced.names)
        sided = with_even_bins(Project(fenced, (*kept, ("side", side))), "y", edges, "b")
        inside = Case(((Call("eq", (ColumnRef("side"), Literal(0))), Literal(-1)),), ColumnRef("b"))
        plan = Project(sided, (*kept, ("side", ColumnRef("side")), ("b", inside)))
        measures = (
            ("rows", AggregateCall("size")),
            ("least", AggregateCall("min", y)),
            ("most", AggregateCall("max", y)),
        )
        return self.source.run(Aggregate(plan, keys, measures))


def _boxes(quartiles: pa.Table, found: pa.Table, name: str | None) -> list[Box]:
    """One box for each row of the quartiles."""
    groups = quartiles.column("g").to_pylist() if name is None else [None]
    owners = found.column("g").to_pylist() if name is None else [None] * found.num_rows
    place = {_key(group): number for number, group in enumerate(groups)}
    owner = np.array([place[_key(group)] for group in owners], int)
    side, least, most = (numbers_of(found, part) for part in ("side", "least", "most"))
    made: list[Box] = []
    for number, group in enumerate(groups):
        q1, median, q3, rows = (
            float(numbers_of(quartiles, part)[number]) for part in ("q1", "q2", "q3", "known")
        )
        inside = (owner == number) & (side == 0)
        beyond = (owner == number) & (side != 0)
        # A whisker ends at a value, and never inside the box.
        low = min(float(least[inside].min()), q1) if inside.any() else q1
        high = max(float(most[inside].max()), q3) if inside.any() else q3
        outliers = np.unique(np.concatenate([least[beyond], most[beyond]]))
        made.append(Box(name or name_of(group), low, q1, median, q3, high, outliers, int(rows)))
    return made


def _key(group: object) -> object:
    return "NaN" if isinstance(group, float) and group != group else (type(group).__name__, group)
