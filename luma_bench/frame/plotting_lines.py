"""Lines and areas: all rows where they are few, else the first, least, greatest and last of each stretch of x."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.errors import UnsupportedError
from luma_bench.frame.order import order_for
from luma_bench.frame.plotting_bins import with_even_bins
from luma_bench.frame.plotting_source import (
    Place,
    Profile,
    Source,
    check_colours,
    check_series,
    colours_of,
    numbers_of,
    profile,
)
from luma_bench.plan.expressions import (
    AggregateCall,
    Call,
    Case,
    Cast,
    ColumnRef,
    Expression,
    IsNull,
    Literal,
)
from luma_bench.plan.nodes import Aggregate, Filter, Node
from luma_bench.plan.window import Window
from luma_bench.plot.picture import MARKS, Axis, Kind, Picture, PlotError, Series, left_out
from luma_bench.plot.ticks import widened

STRETCHES = 2_000
"""The most stretches of x that a long line is summed up in."""


@dataclass(frozen=True, slots=True)
class Lines:
    """What is drawn: the columns, the colour, and how."""

    source: Source
    x: str | None
    y: tuple[str, ...]
    color: str | None
    kind: Kind
    stacked: bool

    def picture(self) -> Picture:
        """Run the one to two statements that it takes.

        Raises
        ------
        PlotError
            More colours than can be told apart, text for y, or negative values in stacked areas.
        UnsupportedError
            There is no x, and the rows are in no known order.
        """
        check_series(len(self.y))
        across = self._across()
        heights = [self.source.number(name) for name in self.y]
        shaped = self._shaped(across, heights)
        rows, found = self.source.rows(), None
        if rows is None or rows * len(self.y) > MARKS:
            found = profile(self.source, shaped, ["x", *self._places()], self.color)
            rows = found.rows
        if across.axis.scale == "category":
            if rows > MARKS:
                raise PlotError(
                    f"{self.x!r} is text, and there are {rows:,} rows for one line.",
                    hint="Aggregate first: groupby(…), or give a number or a time as x.",
                )
            return self._raw(across, heights, self.source.run(shaped))
        if found is None or rows * len(self.y) <= MARKS:
            return self._raw(across, heights, self.source.run(shaped))
        check_series(len(self.y) * max(1, len(found.colours)))
        if self.stacked and len(self._names(found)) > 1:
            return self._means(across, heights, shaped, found)
        return self._reduced(across, heights, shaped, found)

    def _across(self) -> Place:
        """The x axis: a column, or the number of each row in the frame's order."""
        if self.x is not None:
            return self.source.place(self.x)
        try:
            order = order_for(self.source.frame, what="A line without x")
        except UnsupportedError as error:
            raise UnsupportedError(
                "A line without x goes by the order of rows, and these are in none.",
                hint="Name its column: plot.line(x=…, y=…), or sort first: sort_values(…).",
            ) from error
        number = Call("sub", (Window("row_number", order=order), Literal(1)))
        return Place(Axis("row", "number", whole=True), Cast(number, "DOUBLE"))

    def _shaped(self, across: Place, heights: Sequence[Place]) -> Node:
        columns: dict[str, Expression] = {"x": across.at}
        columns |= {name: height.at for name, height in zip(self._places(), heights, strict=True)}
        if self.color:
            columns["g"] = ColumnRef(self.color)
        return self.source.columns(columns)

    def _places(self) -> list[str]:
        return [f"y{number}" for number in range(len(self.y))]

    def _names(self, found: Profile) -> list[str]:
        return [name for name in self.y for _ in found.colours]

    # Few rows: each is a point

    def _raw(self, across: Place, heights: Sequence[Place], table: pa.Table) -> Picture:
        colours, names = colours_of(table)
        check_colours(self.color or "", len(names))
        check_series(len(names) * len(self.y))
        axis, places = across.axis, None
        if axis.scale == "category":
            encoded = pa.chunked_array(table.column("x")).combine_chunks().dictionary_encode()
            places = encoded.indices.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(float)
            shown = tuple("NULL" if value is None else str(value) for value in encoded.dictionary.to_pylist())
            axis = Axis(axis.label, "category", shown)
        at = numbers_of(table, "x") if places is None else places
        known = np.isfinite(at)
        notes = left_out(int((~known).sum()), axis.label)
        made: list[Series] = []
        shared = 0
        for column, height, name in zip(self._places(), heights, self.y, strict=True):
            values = numbers_of(table, column)
            notes += left_out(int((known & ~np.isfinite(values)).sum()), height.axis.label)
            for number, colour in enumerate(names):
                rows = np.flatnonzero(known & (colours == number))
                rows = rows[np.argsort(at[rows], kind="stable")]
                shared = max(shared, len(rows) - len(np.unique(at[rows])))
                made.append(Series(self._name(name, colour), at[rows], values[rows]))
        if shared:
            notes += (f"{shared:,} row{'s' if shared > 1 else ''} at an x that another row has",)
        if not table.num_rows:
            notes = ("no rows",)
        if self.stacked and len(made) > 1:
            made = on_common_places(made)
        return self._picture(axis, heights, made, notes)

    def _name(self, column: str, colour: str) -> str:
        if len(self.y) == 1:
            return colour
        return f"{colour}, {column}" if colour else column

    def _picture(
        self, axis: Axis, heights: Sequence[Place], made: Sequence[Series], notes: tuple[str, ...]
    ) -> Picture:
        label = heights[0].axis.label if len(heights) == 1 else "value"
        stacked = self.stacked and len(made) > 1
        y = Axis(label, "number")
        return Picture(self.kind, "", axis, y, tuple(made), notes=notes, stacked=stacked)

    # Many rows: stretches of x

    def _stretches(self, shaped: Node, found: Profile) -> tuple[Node, np.ndarray]:
        reach = found.reach["x"]
        lines = max(1, len(self.y) * len(found.colours))
        count = min(STRETCHES, MARKS // (4 * lines))
        low, high = (reach.low, reach.high) if reach.high > reach.low else widened(reach.low, reach.high)
        edges = np.linspace(low, high, count + 1)
        known = Filter(shaped, IsNull(ColumnRef("x"), negated=True))
        return with_even_bins(known, "x", edges, "b"), edges

    def _reduced(self, across: Place, heights: Sequence[Place], shaped: Node, found: Profile) -> Picture:
        """The four points of Jugel et al., "M4" (VLDB 2014): a line through them covers the same pixels."""
        binned, edges = self._stretches(shaped, found)
        measures: list[tuple[str, AggregateCall]] = [("x", AggregateCall("min", ColumnRef("x")))]
        for name in self._places():
            y = ColumnRef(name)
            x = Case(((IsNull(y, negated=True), ColumnRef("x")),), Literal(None))
            measures += [
                (f"{name}_x1", AggregateCall("min", x)),
                (f"{name}_y1", AggregateCall("arg_min", y, other=x)),
                (f"{name}_x2", AggregateCall("arg_min", x, other=y)),
                (f"{name}_y2", AggregateCall("min", y)),
                (f"{name}_x3", AggregateCall("arg_max", x, other=y)),
                (f"{name}_y3", AggregateCall("max", y)),
                (f"{name}_x4", AggregateCall("max", x)),
                (f"{name}_y4", AggregateCall("arg_max", y, other=x)),
            ]
        keys = ("g", "b") if self.color else ("b",)
        table = self.source.run(Aggregate(binned, keys, tuple(measures)))
        colours, names = colours_of(table)
        starts = numbers_of(table, "x")
        made: list[Series] = []
        for name, column in zip(self._places(), self.y, strict=True):
            xs = np.column_stack([numbers_of(table, f"{name}_x{place}") for place in range(1, 5)])
            ys = np.column_stack([numbers_of(table, f"{name}_y{place}") for place in range(1, 5)])
            for number, colour in enumerate(names):
                rows = colours == number
                made.append(Series(self._name(column, colour), *_path(xs[rows], ys[rows], starts[rows])))
        points = sum(len(series.x) for series in made)
        said = (
            f"{found.rows:,} rows as {points:,} points: the first, least, greatest and last "
            f"of each of {len(edges) - 1:,} stretches of {across.axis.label}"
        )
        return self._picture(across.axis, heights, made, (said, *self._missing(across, heights, found)))

    def _means(self, across: Place, heights: Sequence[Place], shaped: Node, found: Profile) -> Picture:
        """Means at the middle of each stretch: areas on one another need values at the same places."""
        binned, edges = self._stretches(shaped, found)
        measures = tuple((name, AggregateCall("mean", ColumnRef(name))) for name in self._places())
        keys = ("g", "b") if self.color else ("b",)
        table = self.source.run(Aggregate(binned, keys, measures))
        colours, names = colours_of(table)
        middles = ((edges[:-1] + edges[1:]) / 2)[numbers_of(table, "b").astype(int)]
        made: list[Series] = []
        for name, column in zip(self._places(), self.y, strict=True):
            values = numbers_of(table, name)
            for number, colour in enumerate(names):
                rows = np.flatnonzero(colours == number)
                rows = rows[np.argsort(middles[rows])]
                made.append(Series(self._name(column, colour), middles[rows], values[rows]))
        said = f"{found.rows:,} rows as the means of {len(edges) - 1:,} stretches of {across.axis.label}"
        notes = (said, *self._missing(across, heights, found))
        return self._picture(across.axis, heights, on_common_places(made), notes)

    def _missing(self, across: Place, heights: Sequence[Place], found: Profile) -> tuple[str, ...]:
        notes = left_out(found.rows - found.reach["x"].known, across.axis.label)
        for name, height in zip(self._places(), heights, strict=True):
            notes += left_out(found.rows - found.reach[name].known, height.axis.label)
        return notes


def _path(xs: np.ndarray, ys: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Four points a stretch as one path: each point once, and a break where a stretch has rows but no value."""
    order = np.argsort(starts, kind="stable")
    xs, ys, starts = xs[order], ys[order], starts[order]
    gap = ~np.isfinite(xs[:, 0])
    xs[gap, 0] = starts[gap]
    # The least and the greatest stand between the first and the last, in the order of x.
    swap = xs[:, 1] > xs[:, 2]
    xs[swap, 1:3], ys[swap, 1:3] = xs[swap, 2:0:-1], ys[swap, 2:0:-1]
    x, y = xs.ravel(), ys.ravel()
    kept = np.isfinite(x)
    x, y = x[kept], y[kept]
    fresh = np.ones(len(x), bool)
    fresh[1:] = (x[1:] != x[:-1]) | (y[1:] != y[:-1])
    return x[fresh], y[fresh]


def on_common_places(made: Sequence[Series]) -> list[Series]:
    """Series at the places of all of them, 0 where one has no value, so that they can stand on one another.

    Raises
    ------
    PlotError
        A value is negative.
    """
    if any((series.y < 0).any() for series in made):
        raise PlotError(
            "Areas on one another cannot show negative values.", hint="Use stacked=False, or plot.line."
        )
    places = np.unique(np.concatenate([series.x for series in made]))
    common: list[Series] = []
    for series in made:
        values = np.zeros(len(places))
        values[np.searchsorted(places, series.x)] = np.nan_to_num(series.y)
        common.append(Series(series.name, places, values))
    return common
