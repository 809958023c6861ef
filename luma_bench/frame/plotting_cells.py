"""Heatmaps: one aggregate for each pair of categories or bins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.errors import UnsupportedError
from luma_bench.frame.plotting_bins import edges_for, given_edges, with_even_bins, with_given_bins
from luma_bench.frame.plotting_source import Place, Reach, Source, name_of, numbers_of, profile
from luma_bench.plan.expressions import (
    AggregateCall,
    Call,
    Case,
    ColumnRef,
    Expression,
    IsNull,
    Literal,
    all_of,
)
from luma_bench.plan.functions import AGGREGATES
from luma_bench.plan.nodes import Aggregate, Filter, Limit, Node, Sort, SortKey
from luma_bench.plot.picture import MARKS, Axis, Picture, PlotError, left_out
from luma_bench.plot.ticks import labels

Bins = int | Sequence[float]

_ALIASES = {"avg": "mean", "average": "mean", "len": "size", "amin": "min", "amax": "max"}
_ORDERED = frozenset(("first", "last", "nth", "cumsum"))


@dataclass(frozen=True, slots=True)
class _Side:
    """One axis of the matrix: categories by their values, or bins between edges."""

    axis: Axis
    edges: np.ndarray | None
    given: bool = False

    @property
    def cells(self) -> int | None:
        """How many cells stand along it, if that is known."""
        return None if self.edges is None else len(self.edges) - 1

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the bins: their values where each holds one whole number, else where they begin."""
        edges = self.edges if self.edges is not None else np.empty(0)
        return tuple(
            labels(self.axis, edges[:-1] + 0.5 if self.axis.whole and not self.given else edges[:-1])
        )

    @property
    def single(self) -> bool:
        """Whether each cell stands for one value."""
        return self.edges is None or (
            self.axis.whole and not self.given and self.edges[1] - self.edges[0] == 1
        )


@dataclass(frozen=True, slots=True)
class Cells:
    """What is drawn: two columns as axes, and what each cell shows."""

    source: Source
    x: str
    y: str
    value: str | None
    agg: str | None
    bins: Bins | tuple[Bins, Bins]

    def picture(self) -> Picture:
        """Run two statements: one for the ends of the axes, one for the cells.

        Raises
        ------
        PlotError
            More cells than can be drawn, or a value that is no number.
        """
        measure = self._measure()
        places = {"x": self.source.place(self.x), "y": self.source.place(self.y)}
        ends = self.source.columns({name: _stand_in(place) for name, place in places.items()})
        found = profile(self.source, ends, ["x", "y"], None)
        bins = cast("tuple[Bins, Bins]", self.bins if _is_pair(self.bins) else (self.bins, self.bins))
        sides = {
            name: _side(place, found.reach[name], many)
            for (name, place), many in zip(places.items(), bins, strict=True)
        }
        _check_cells([side.cells for side in sides.values()], self)
        columns = {name: place.at for name, place in places.items()}
        if self.value is not None:
            columns["v"] = self.source.number(self.value).at
        plan: Node = Filter(
            self.source.columns(columns), all_of([IsNull(ColumnRef(name), negated=True) for name in places])
        )
        for name, side in sides.items():
            if side.edges is not None:
                plan = (with_given_bins if side.given else with_even_bins)(plan, name, side.edges, f"b{name}")
        keys = tuple(name if side.edges is None else f"b{name}" for name, side in sides.items())
        valued = AggregateCall("size") if self.value is None else AggregateCall("count", ColumnRef("v"))
        plan = Aggregate(plan, keys, (("n", AggregateCall("size")), ("valued", valued), ("z", measure)))
        table = self.source.run(Limit(Sort(plan, tuple(SortKey(key) for key in keys)), MARKS + 1))
        if table.num_rows > MARKS:
            raise _too_many("more than " + f"{MARKS:,}")
        rows = int(numbers_of(table, "n").sum())
        for key in keys:  # a row outside the given bins is in none
            table = table.filter(pc.is_valid(table.column(key)))
        made = self._drawn(table, sides["x"], sides["y"], keys)
        placed, valued_rows = (int(numbers_of(table, name).sum()) for name in ("n", "valued"))
        notes: tuple[str, ...] = ()
        if placed and made.cells is not None and not all(side.single for side in sides.values()):
            notes = (f"{placed:,} rows as {made.cells.shape[1]:,} \u00d7 {made.cells.shape[0]:,} cells",)
        notes += left_out(found.rows - rows, f"{self.x} or {self.y}")
        notes += (f"{rows - placed:,} outside the bins",) if rows > placed else ()
        notes += left_out(placed - valued_rows, self.value or "")
        return replace(made, notes=notes if found.rows else ("no rows",))

    def _measure(self) -> AggregateCall:
        if self.value is None:
            if self.agg not in (None, "size", "count"):
                raise PlotError(
                    f"agg={self.agg!r} of what? Without value=, a heatmap counts rows.",
                    hint="Name the column that each cell shows: value=….",
                )
            return AggregateCall("size")
        return _aggregate(self.agg or "mean")

    def _drawn(self, table: pa.Table, x: _Side, y: _Side, keys: tuple[str, ...]) -> Picture:
        (at_x, names_x), (at_y, names_y) = _placed(table, keys[0], x), _placed(table, keys[1], y)
        _check_cells([len(names_x), len(names_y)], self)
        cells = np.full((len(names_y), len(names_x)), np.nan)
        cells[at_y, at_x] = numbers_of(table, "z")
        value = "rows" if self.value is None else f"{self.agg or 'mean'} of {self.value}"
        if x.edges is not None and y.edges is not None and not x.single and not y.single:
            known = cells[np.isfinite(cells)]
            log = self.value is None and bool(len(known)) and known.max() >= 100 * max(1.0, known.min())
            return Picture(
                "cells", "", x.axis, y.axis, cells=cells, value=value, edges=x.edges, y_edges=y.edges, log=log
            )
        if y.edges is not None:  # the first row is the top one, and numbers grow upwards
            cells, names_y = cells[::-1], names_y[::-1]
        axes = (
            replace(x.axis, scale="category", values=names_x),
            replace(y.axis, scale="category", values=names_y),
        )
        return Picture("heatmap", "", *axes, cells=cells, value=value, binned=not x.single)


def _is_pair(bins: object) -> bool:
    """Whether bins are given for x and y; edges of a single bin are written as a list."""
    return isinstance(bins, tuple) and len(cast("tuple[object, ...]", bins)) == 2


def _stand_in(place: Place) -> Expression:
    """The place, or for a category whether there is one: its ends need no look at its values."""
    if place.axis.scale != "category":
        return place.at
    return Case(((IsNull(place.at, negated=True), Literal(0.0)),), Literal(None))


def _side(place: Place, reach: Reach, bins: Bins) -> _Side:
    if place.axis.scale == "category":
        return _Side(place.axis, None)
    if not isinstance(bins, int):
        return _Side(place.axis, given_edges(bins), given=True)
    if bins < 1:
        raise PlotError(f"{bins} bins cannot be drawn.", hint="Give bins=40, or a pair (across, up).")
    return _Side(place.axis, edges_for(reach.low, reach.high, bins, whole=place.axis.whole))


def _placed(table: pa.Table, key: str, side: _Side) -> tuple[np.ndarray, tuple[str, ...]]:
    """Where each row of the answer stands along an axis, and the axis' names."""
    if side.edges is not None:
        return numbers_of(table, key).astype(int), side.names
    values = table.column(key).to_pylist()
    order = {value: place for place, value in enumerate(sorted(set(values)))}
    return np.array([order[value] for value in values], int), tuple(name_of(value) for value in order)


def _check_cells(sides: Sequence[int | None], cells: Cells) -> None:
    count = math.prod(side or 1 for side in sides)
    if count > MARKS:
        raise _too_many(f"{count:,}", f"{cells.x!r} and {cells.y!r}")


def _too_many(count: str, where: str = "") -> PlotError:
    return PlotError(
        f"A heatmap of {count} cells{f' of {where}' if where else ''} would show nothing; {MARKS:,} are drawn at most.",
        hint="Filter to the categories that matter (isin), or give fewer bins.",
    )


def _aggregate(function: object) -> AggregateCall:
    """The aggregate of the values of a cell that a name or a well-known callable (`sum`, `numpy.mean`) means.

    Raises
    ------
    UnsupportedError
        It is none, or one that depends on an order that a cell does not have.
    """
    name = function if isinstance(function, str) else getattr(function, "__name__", repr(function))
    name = _ALIASES.get(name, name)
    if name in _ORDERED:
        raise UnsupportedError(
            f"{name!r} depends on the order of rows inside a group, and a group has none.",
            hint="Use 'min' or 'max', or sort_values(…).drop_duplicates(keys).",
        )
    if name not in AGGREGATES:
        raise UnsupportedError(
            f"There is no aggregate {name!r}.", hint=f"The aggregates are: {', '.join(sorted(AGGREGATES))}."
        )
    if name == "size":
        return AggregateCall("size")
    value = ColumnRef("v")
    # A number is true unless it is 0.
    return AggregateCall(name, Call("ne", (value, Literal(0))) if name in ("any", "all") else value)
