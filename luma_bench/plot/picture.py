"""What a picture is, before it is drawn: axes, series, cells and boxes, all of them numbers and plain text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from luma_bench.errors import LumaError

MARKS = 20_000
"""The most marks (points, bars, cells) that one picture draws."""

LARGEST = 1e300
"""The largest magnitude that has a place on an axis; beyond it the width of a range overflows."""

Kind = Literal["line", "area", "bar", "barh", "scatter", "hist", "box", "heatmap", "cells"]
"""How the numbers are drawn. `cells` is a heatmap between two axes of numbers or times."""

Scale = Literal["number", "time", "category"]


class PlotError(LumaError):
    """The rows cannot be drawn as asked; the hint says what to draw, or how to aggregate."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: its label, how its values are placed, and the zone that instants are shown in.

    `values` are the categories in order, for a category axis; `whole` says that a number axis holds whole numbers.
    """

    label: str
    scale: Scale
    values: tuple[str, ...] = ()
    zone: str | None = None
    whole: bool = False

    @property
    def named(self) -> str:
        """The label with the zone of its clock."""
        return f"{self.label} ({self.zone})" if self.scale == "time" and self.zone else self.label


@dataclass(frozen=True, slots=True)
class Series:
    """One colour: float64 positions; a category's position is its number, an instant's its microseconds (UTC).

    `rows` says how many rows each point stands for, where that is more than one.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    rows: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """One box of a box plot: quartiles, the ends of the whiskers, the values drawn beyond them, and the rows of all."""

    name: str
    low: float
    q1: float
    median: float
    q3: float
    high: float
    outliers: np.ndarray
    rows: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture before it is drawn.

    Attributes
    ----------
    cells
        A heatmap's matrix [y, x], NaN where there is no row; its first row is the top one in a `heatmap` and the
        lowest one in `cells`.
    value
        What the cells show.
    binned
        The x axis of a heatmap counts in bins, so that labels may be left out.
    edges, y_edges
        Of a histogram's bins, or of the columns and rows of `cells`.
    stacked
        Bars, bins or areas stand on one another.
    log
        Shades go by the logarithm of what a cell shows.
    aspect
        Of a map: how many times longer a unit of y is drawn than one of x.
    notes
        What the reader has to know: rows left out, rows summed up.
    """

    kind: Kind
    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...] = ()
    cells: np.ndarray | None = None
    value: str = ""
    binned: bool = False
    edges: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    y_edges: np.ndarray | None = None
    boxes: tuple[Box, ...] = ()
    stacked: bool = False
    log: bool = False
    aspect: float | None = None

    @property
    def marks(self) -> int:
        """How many points, bars, cells or boxes with their outliers are drawn."""
        points = sum(len(series.x) for series in self.series)
        boxes = sum(1 + len(box.outliers) for box in self.boxes)
        return points + boxes + (0 if self.cells is None else int(np.isfinite(self.cells).sum()))


def left_out(count: int, what: str) -> tuple[str, ...]:
    """The note of rows that have no place in the picture."""
    return (f"{count:,} row{'' if count == 1 else 's'} without {what} left out",) if count else ()
