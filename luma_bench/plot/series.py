"""Downsampled series as lines: a line for each series, in the order of the keys."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.plot.figure import Chart
from luma_bench.plot.picture import MARKS, Axis, Picture, PlotError, Series, left_out
from luma_bench.plot.rows import _column, _number, _values, text_of
from luma_bench.plot.theme import PALETTE


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """What is to be drawn.

    Attributes
    ----------
    rows
        The points: a time, a number, and the keys of their series.
    notes
        What the reader has to know besides.
    """

    rows: pa.Table
    time: str
    value: str
    by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def series_chart(lines: Lines, *, title: str = "", width: int = 880, height: int = 440) -> Chart:
    """Points as a Chart of lines.

    Raises
    ------
    PlotError
        More than 20,000 points, more series than colours, or a value that is no number.
    """
    return Chart(picture_of(lines, title), width, height)


def picture_of(lines: Lines, title: str = "") -> Picture:
    """The picture of some lines; two points of one time are both drawn, in the order of the rows."""
    rows = lines.rows
    if rows.num_rows > MARKS:
        raise PlotError(
            f"{rows.num_rows:,} points are more than a picture draws: {MARKS:,}.",
            hint="Ask for fewer points, or for fewer series.",
        )
    place = _values(rows, lines.time)
    height = _number(rows, lines.value)
    known = np.isfinite(place.at)
    codes, names = _series(rows, lines.by)
    if len(names) > len(PALETTE):
        raise PlotError(
            f"{len(names):,} series are more than colours can be told apart: {len(PALETTE)}.",
            hint="Name the ones to draw.",
        )
    drawn: list[Series] = []
    for number, name in enumerate(names):
        chosen = np.flatnonzero(known & (codes == number))
        chosen = chosen[np.argsort(place.at[chosen], kind="stable")]
        drawn.append(Series(name, place.at[chosen], height[chosen]))
    notes = (*lines.notes, *left_out(int((~known).sum()), lines.time))
    if not rows.num_rows:
        notes = (*notes, "no rows")
    axis = Axis(lines.value, "number")
    return Picture("line", title, place.axis, axis, tuple(drawn), notes=notes)


def _series(rows: pa.Table, by: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The number of each row's series, and the names of the series in the order of their keys."""
    if not by or not rows.num_rows:
        return np.zeros(rows.num_rows, np.int64), ("",)
    keys = list(zip(*(_column(rows, name).to_pylist() for name in by), strict=True))
    order = sorted(set(keys), key=lambda key: [(item is None, item) for item in key])
    numbers = {key: number for number, key in enumerate(order)}
    names = tuple(", ".join("NULL" if item is None else text_of(item) for item in key) for key in order)
    return np.array([numbers[key] for key in keys], np.int64), names
