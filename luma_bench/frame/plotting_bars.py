"""Bars: a row is a bar, as it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.frame.plotting_source import (
    Source,
    check_colours,
    check_series,
    colours_of,
    name_of,
    numbers_of,
)
from luma_bench.plan.expressions import ColumnRef, Expression
from luma_bench.plan.nodes import Limit
from luma_bench.plot.picture import Axis, Kind, Picture, PlotError, Series, left_out

BARS = 500
"""The most rows that are drawn as bars."""


@dataclass(frozen=True, slots=True)
class Bars:
    """What is drawn: the names of the bars, their heights, and a colour that tells apart bars of one name."""

    source: Source
    x: str | None
    y: tuple[str, ...]
    color: str | None
    kind: Kind
    stacked: bool

    def picture(self) -> Picture:
        """Run the one statement that it takes.

        Raises
        ------
        PlotError
            More rows than bars can be told apart, or two rows for one bar.
        """
        check_series(len(self.y))
        heights = [self.source.number(name) for name in self.y]
        columns: dict[str, Expression] = {f"y{number}": height.at for number, height in enumerate(heights)}
        if self.x is not None:
            self.source.place(self.x)
            columns["x"] = ColumnRef(self.x)
        if self.color:
            columns["g"] = ColumnRef(self.color)
        table = self.source.run(Limit(self.source.columns(columns), BARS + 1))
        if table.num_rows > BARS:
            raise PlotError(
                f"There are more than {BARS} rows, and each would be a bar.",
                hint=f"Aggregate first, as in groupby({self.x or '…'!r})[{self.y[0]!r}].mean(), or draw a hist.",
            )
        colours, names = colours_of(table)
        check_colours(self.color or "", len(names))
        places, shown = self._places(table, colours)
        made: list[Series] = []
        notes: tuple[str, ...] = () if table.num_rows else ("no rows",)
        for number, (name, height) in enumerate(zip(self.y, heights, strict=True)):
            values = numbers_of(table, f"y{number}")
            known = np.isfinite(values)
            notes += left_out(int((~known).sum()), height.axis.label)
            for place, colour in enumerate(names):
                rows = known & (colours == place)
                both = f"{colour}, {name}" if colour else name
                made.append(Series(both if len(self.y) > 1 else colour, places[rows], values[rows]))
        check_series(len(made))
        label = heights[0].axis.label if len(heights) == 1 else "value"
        axis = Axis(self.x or "row", "category", shown)
        stacked = self.stacked and len(made) > 1
        return Picture(self.kind, "", axis, Axis(label, "number"), tuple(made), notes=notes, stacked=stacked)

    def _places(self, table: pa.Table, colours: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
        """Where each row stands, and what is written there: a place a row, or a place a name with colours."""
        count = table.num_rows
        if self.x is None:
            return np.arange(count, dtype=float), tuple(str(number) for number in range(count))
        texts = [name_of(value) for value in table.column("x").to_pylist()]
        if self.color is None:
            return np.arange(count, dtype=float), tuple(texts)
        order = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        places = np.array([order[text] for text in texts], float)
        pairs = set(zip(places.tolist(), colours.tolist(), strict=True))
        if len(pairs) < count:
            raise PlotError(
                f"Several rows have a pair of {self.x!r} and {self.color!r} in common.",
                hint=f"Aggregate first: groupby([{self.x!r}, {self.color!r}]).",
            )
        return places, tuple(order)
