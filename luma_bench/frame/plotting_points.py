"""Scatter plots and maps: a dot a row where rows are few, else cells counted in the engine."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from luma_bench.frame.plotting_bins import edges_for, with_even_bins
from luma_bench.frame.plotting_source import (
    Place,
    Profile,
    Source,
    check_colours,
    colours_of,
    numbers_of,
    profile,
)
from luma_bench.plan.expressions import AggregateCall, Between, Case, ColumnRef, Expression, IsNull, Literal
from luma_bench.plan.nodes import Aggregate, Filter, Node, Project
from luma_bench.plot.picture import MARKS, Axis, Picture, PlotError, Series, left_out


@dataclass(frozen=True, slots=True)
class Points:
    """What is drawn: the columns, the colour, and whether they are degrees on the earth."""

    source: Source
    x: str
    y: str
    color: str | None
    earth: bool = False

    def picture(self) -> Picture:
        """Run the one to two statements that it takes.

        Raises
        ------
        PlotError
            More colours than can be told apart, or a column without a place on an axis.
        """
        across, up = self._axes()
        shaped = self._shaped(across, up)
        rows, found = self.source.rows(), None
        if rows is None or rows > MARKS:
            found = profile(self.source, shaped, ["x", "y"], self.color)
            rows = found.rows
        if found is None or rows <= MARKS:
            made = self._raw(across, up, self.source.run(shaped))
        elif self.color is None:
            made = self._cells(across, up, shaped, found)
        else:
            made = self._dots(across, up, shaped, found)
        return replace(made, aspect=_aspect(made)) if self.earth else made

    def _axes(self) -> tuple[Place, Place]:
        if not self.earth:
            across = self.source.place(self.x)
            if across.axis.scale == "category":
                raise PlotError(
                    f"{self.x!r} has no numbers or times for a scatter plot.",
                    hint=f"Use plot.box(y={self.y!r}, by={self.x!r}) or plot.heatmap, which have places for categories.",
                )
            return across, self.source.number(self.y)
        made: list[Place] = []
        for name, least, most in ((self.x, -180.0, 360.0), (self.y, -90.0, 90.0)):
            degrees = self.source.number(name).at
            inside = Between(degrees, Literal(least), Literal(most))
            at = Case(((inside, degrees),), Literal(None))
            made.append(Place(Axis(f"{name} (\u00b0)", "number"), at))
        return made[0], made[1]

    def _shaped(self, across: Place, up: Place) -> Node:
        """Columns x and y, NULL unless both are there, and g."""
        columns: dict[str, Expression] = {"x": across.at, "y": up.at}
        if self.color:
            columns["g"] = ColumnRef(self.color)
        placed = self.source.columns(columns)
        x, y = ColumnRef("x"), ColumnRef("y")
        both: dict[str, Expression] = {
            "x": Case(((IsNull(y, negated=True), x),), Literal(None)),
            "y": Case(((IsNull(x, negated=True), y),), Literal(None)),
        }
        if self.color:
            both["g"] = ColumnRef("g")
        return Project(placed, tuple(both.items()))

    def _raw(self, across: Place, up: Place, table: pa.Table) -> Picture:
        x, y = numbers_of(table, "x"), numbers_of(table, "y")
        colours, names = colours_of(table)
        check_colours(self.color or "", len(names))
        known = np.isfinite(x)
        series = tuple(
            Series(name, x[known & (colours == number)], y[known & (colours == number)])
            for number, name in enumerate(names)
        )
        notes = self._missing(int((~known).sum())) if table.num_rows else ("no rows",)
        return Picture("scatter", "", across.axis, up.axis, series, notes=notes)

    def _grid(self, across: Place, up: Place, found: Profile, most: int) -> tuple[np.ndarray, np.ndarray]:
        """Edges of at most `most` cells, twice as many columns as rows."""
        down = int(math.sqrt(most / 2))
        x, y = found.reach["x"], found.reach["y"]
        return (
            edges_for(x.low, x.high, 2 * down, whole=across.axis.whole),
            edges_for(y.low, y.high, down, whole=up.axis.whole),
        )

    def _binned(self, shaped: Node, edges: tuple[np.ndarray, np.ndarray]) -> Node:
        known = Filter(shaped, IsNull(ColumnRef("x"), negated=True))
        return with_even_bins(with_even_bins(known, "x", edges[0], "bx"), "y", edges[1], "by")

    def _cells(self, across: Place, up: Place, shaped: Node, found: Profile) -> Picture:
        edges = self._grid(across, up, found, MARKS)
        plan = Aggregate(self._binned(shaped, edges), ("bx", "by"), (("n", AggregateCall("size")),))
        table = self.source.run(plan)
        shape = (len(edges[1]) - 1, len(edges[0]) - 1)
        cells = np.full(shape, np.nan)
        counts = numbers_of(table, "n")
        cells[numbers_of(table, "by").astype(int), numbers_of(table, "bx").astype(int)] = counts
        said = f"{found.rows:,} rows as {shape[1]:,} \u00d7 {shape[0]:,} cells"
        notes = (said, *self._missing(found.rows - found.reach["x"].known))
        log = bool(len(counts)) and counts.max() >= 100 * max(1.0, counts.min())
        return Picture(
            "cells", "", across.axis, up.axis, cells=cells, value="rows",
            edges=edges[0], y_edges=edges[1], notes=notes, log=log,
        )  # fmt: skip

    def _dots(self, across: Place, up: Place, shaped: Node, found: Profile) -> Picture:
        """A dot for each colour in each cell: shades could not show colours too.

        It stands at the mean of y, and side by side with the cell's other colours, or the last would cover them all.
        """
        edges = self._grid(across, up, found, MARKS // max(1, len(found.colours)))
        measures = (
            ("n", AggregateCall("size")),
            ("y", AggregateCall("mean", ColumnRef("y"))),
        )
        table = self.source.run(Aggregate(self._binned(shaped, edges), ("g", "bx", "by"), measures))
        colours, names = colours_of(table)
        y, rows, column = (numbers_of(table, name) for name in ("y", "n", "bx"))
        x = edges[0][column.astype(int)] + np.diff(edges[0])[0] * (colours + 0.5) / max(1, len(names))
        series = tuple(
            Series(name, x[colours == number], y[colours == number], rows[colours == number])
            for number, name in enumerate(names)
        )
        size = f"{len(edges[0]) - 1:,} \u00d7 {len(edges[1]) - 1:,}"
        said = (
            f"{found.rows:,} rows as {table.num_rows:,} dots, one for each colour in each of {size} cells, side by side; "
            "larger dots stand for more rows"
        )
        notes = (said, *self._missing(found.rows - found.reach["x"].known))
        return Picture("scatter", "", across.axis, up.axis, series, notes=notes)

    def _missing(self, count: int) -> tuple[str, ...]:
        return left_out(count, f"{self.x} or {self.y}")


def _aspect(made: Picture) -> float:
    """How much longer a degree north is than one east, at the middle of the map."""
    if made.y_edges is not None:
        middle = float(made.y_edges[0] + made.y_edges[-1]) / 2
    else:
        values = np.concatenate([series.y for series in made.series]) if made.series else np.empty(0)
        middle = float(values.min() + values.max()) / 2 if len(values) else 0.0
    return 1 / max(math.cos(math.radians(middle)), 0.1)
