"""Histograms and densities: rows counted in bins by the engine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from luma_bench.frame.plotting_bins import even_edges, given_edges, with_even_bins, with_given_bins
from luma_bench.frame.plotting_source import (
    Place,
    Profile,
    Source,
    check_series,
    colours_of,
    numbers_of,
    profile,
)
from luma_bench.plan.expressions import AggregateCall, ColumnRef, Expression, IsNull
from luma_bench.plan.nodes import Aggregate, Filter, Node
from luma_bench.plot.picture import MARKS, Axis, Picture, PlotError, Series, left_out

_FINE = 16_384
"""Bins that a density, or those of all colours, are worked out from."""

_POINTS = 1_000
"""Points of a density's line, as in pandas."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What is counted: columns on one axis, or one column by colour."""

    source: Source
    y: tuple[str, ...]
    color: str | None

    def histogram(self, bins: int | Sequence[float], *, stacked: bool) -> Picture:
        """Rows by bins that all columns share; as `numpy.histogram` counts them.

        Raises
        ------
        PlotError
            Too many bins or colours, or a column that has no numbers.
        """
        places, shaped, found = self._profiled()
        low, high = _range(found)
        if isinstance(bins, int):
            self._check(bins)
            edges = even_edges(low, high, bins)
        else:
            edges = given_edges(bins)
            self._check(len(edges) - 1)
        middle = (edges[:-1] + edges[1:]) / 2
        made: list[Series] = []
        outside = 0
        for number, name in enumerate(self.y):
            binned = self._binned(shaped, f"y{number}", edges, even=isinstance(bins, int))
            counts, names, beyond = self._counted(binned, len(edges) - 1)
            outside += beyond
            made += [
                Series(name if len(self.y) > 1 else colour, middle, row)
                for row, colour in zip(counts, names, strict=True)
            ]
        notes = self._missing(found)
        if outside:
            notes += (f"{outside:,} row{'s' if outside > 1 else ''} outside the bins",)
        axis = places[0].axis if len(places) == 1 else Axis("value", "number")
        return Picture(
            "hist", "", axis, Axis("rows", "number"), tuple(made), edges=edges, notes=notes, stacked=stacked
        )

    def density(self, bandwidth: str | float | None, points: int | Sequence[float] | None) -> Picture:
        """The Gaussian kernel density of each column or colour, worked out from a fine histogram.

        Rows count at the mean of theirs in each of thousands of bins; the line differs from that of all rows by less than
        its thickness.

        Raises
        ------
        PlotError
            The bandwidth is not known, or the values are all the same.
        """
        places, shaped, found = self._profiled()
        low, high = _range(found)
        axis = places[0].axis if len(places) == 1 else Axis("value", "number")
        at = self._at(points, low, high)
        edges = even_edges(low, high, _FINE // max(1, len(found.colours)))
        made: list[Series] = []
        for number, name in enumerate(self.y):
            binned = self._binned(shaped, f"y{number}", edges, even=True)
            keys = ("g", "b") if self.color else ("b",)
            y = ColumnRef(f"y{number}")
            measures = (("n", AggregateCall("count", y)), ("mean", AggregateCall("mean", y)))
            table = self.source.run(Aggregate(binned, keys, measures))
            colours, names = colours_of(table)
            counts, means = numbers_of(table, "n"), numbers_of(table, "mean")
            for place, colour in enumerate(names):
                rows = colours == place
                drawn = _smooth(means[rows], counts[rows], at, bandwidth)
                made.append(Series(name if len(self.y) > 1 else colour, at, drawn))
        notes = self._missing(found)
        kept = tuple(series for series in made if np.isfinite(series.y).any())
        if len(kept) < len(made):
            notes += (f"{len(made) - len(kept)} without a density: fewer than two different values",)
        return Picture("line", "", axis, Axis("density", "number"), kept, notes=notes)

    def _at(self, points: int | Sequence[float] | None, low: float, high: float) -> np.ndarray:
        if points is None or isinstance(points, int):
            count = _POINTS if points is None else points
            self._check(count)
            return np.linspace(low - (high - low) / 2, high + (high - low) / 2, count)
        self._check(len(points))
        return np.asarray(points, float)

    def _profiled(self) -> tuple[list[Place], Node, Profile]:
        check_series(len(self.y))
        if self.color and len(self.y) > 1:
            raise PlotError(
                "Several columns and a colour would be too many distributions in one picture.",
                hint="Give one y with by=, or several y without.",
            )
        one = len(self.y) == 1
        places = [self.source.place(name) if one else self.source.number(name) for name in self.y]
        if places[0].axis.scale == "category":
            name = places[0].axis.label
            raise PlotError(
                f"{name!r} is {self.source.types[name]}; a distribution needs numbers or times.",
                hint=f"Count it: frame.value_counts({name!r}).plot.bar().",
            )
        columns: dict[str, Expression] = {f"y{number}": place.at for number, place in enumerate(places)}
        if self.color:
            columns["g"] = ColumnRef(self.color)
        shaped = self.source.columns(columns)
        found = profile(self.source, shaped, [f"y{number}" for number in range(len(places))], self.color)
        return places, shaped, found

    def _binned(self, shaped: Node, name: str, edges: np.ndarray, *, even: bool) -> Node:
        known = Filter(shaped, IsNull(ColumnRef(name), negated=True))
        return (with_even_bins if even else with_given_bins)(known, name, edges, "b")

    def _counted(self, binned: Node, bins: int) -> tuple[np.ndarray, tuple[str, ...], int]:
        """Counts [colour, bin], the colours, and how many rows are in no bin."""
        keys = ("g", "b") if self.color else ("b",)
        table = self.source.run(Aggregate(binned, keys, (("n", AggregateCall("size")),)))
        colours, names = colours_of(table)
        place, rows = numbers_of(table, "b"), numbers_of(table, "n")
        inside = np.isfinite(place)
        counts = np.zeros((len(names), bins))
        np.add.at(counts, (colours[inside], place[inside].astype(int)), rows[inside])
        return counts, names, int(rows[~inside].sum())

    def _check(self, bins: int) -> None:
        if not 1 <= bins <= MARKS // (8 if self.color else len(self.y)):
            raise PlotError(
                f"{bins:,} bins cannot be drawn.", hint="Give bins=40, or a few hundred at the most."
            )

    def _missing(self, found: Profile) -> tuple[str, ...]:
        if not found.rows:
            return ("no rows",)
        notes: tuple[str, ...] = ()
        for number, name in enumerate(self.y):
            notes += left_out(found.rows - found.reach[f"y{number}"].known, name)
        return notes


def _range(found: Profile) -> tuple[float, float]:
    known = [reach for reach in found.reach.values() if reach.known]
    if not known:
        return 0.0, 1.0
    return min(reach.low for reach in known), max(reach.high for reach in known)


def _smooth(
    values: np.ndarray, counts: np.ndarray, at: np.ndarray, bandwidth: str | float | None
) -> np.ndarray:
    """The density at places, by Gaussians about values that stand for `counts` rows each.

    The factor of the standard deviation is Scott's by default (Scott, 1992), as in pandas.
    """
    rows = float(counts.sum())
    if rows < 2:
        return np.full(len(at), np.nan)
    mean = float((values * counts).sum()) / rows
    # Scaled before it is squared: the square of a large magnitude is no float.
    away = np.abs(values - mean)
    largest = float(away.max()) or 1.0
    deviation = largest * math.sqrt(float((counts * (away / largest) ** 2).sum()) / (rows - 1))
    width = deviation * _factor(bandwidth, rows)
    if not width > 0:
        return np.full(len(at), np.nan)
    drawn = np.zeros(len(at))
    for start in range(0, len(values), 1024):
        part = slice(start, start + 1024)
        gap = (at[:, None] - values[None, part]) / width
        drawn += np.exp(-0.5 * gap * gap) @ counts[part]
    return drawn / (rows * width * math.sqrt(2 * math.pi))


def _factor(bandwidth: str | float | None, rows: float) -> float:
    if bandwidth is None or bandwidth == "scott":
        return rows ** (-1 / 5)
    if bandwidth == "silverman":
        return (rows * 3 / 4) ** (-1 / 5)
    if isinstance(bandwidth, int | float) and bandwidth > 0:
        return float(bandwidth)
    raise PlotError(
        f"bw_method={bandwidth!r} is not known.", hint="It is 'scott', 'silverman' or a number above 0."
    )
