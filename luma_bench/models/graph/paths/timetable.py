"""The edges of vertices in the order of their times, so that those that can still be caught are found by bisection."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.graph.paths.arcs import Arcs, Arrivals
from luma_bench.models.graph.topology import Ids, Ints


class Spans(NamedTuple):
    """Of each row of a frontier, the places `low` to `high` (half-open) of a timetable."""

    low: Ints
    high: Ints

    @property
    def counts(self) -> Ints:
        """How many edges each row has."""
        return np.maximum(self.high - self.low, 0)


class Timetable:
    """All edges of a pattern edge, by the vertex that they leave and then by departure (`turned`: by arrival).

    Parameters
    ----------
    vertices
        How many vertices the graph has.
    """

    __slots__ = ("_ends", "_indptr", "_moments", "_slots", "_turned")

    def __init__(self, arcs: Arcs, vertices: int, control: Control, *, turned: bool) -> None:
        control.fits(48.0 * arcs.total, "The timetable of all edges")
        rows, ends, slots = arcs.expand(np.arange(vertices, dtype=np.int32))
        moments = arcs.arrivals(slots) if turned else arcs.departures(slots)
        control.check()
        order = np.lexsort((moments, rows))
        self._ends, self._slots, self._moments = ends[order], slots[order], moments[order]
        self._indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=vertices)))).astype(
            np.int64
        )
        self._turned = turned

    def spans(self, vertices: Ids, earliest: Ints | None, latest: Ints | None) -> Spans:
        """The edges of each vertex whose time is not before `earliest` and not after `latest`; None for no bound."""
        low, high = self._indptr[vertices], self._indptr[vertices + 1]
        first = low if earliest is None else self._bisected(low, high, earliest, behind=False)
        last = high if latest is None else self._bisected(low, high, latest, behind=True)
        return Spans(first, last)

    def _bisected(self, low: Ints, high: Ints, moments: Ints, *, behind: bool) -> Ints:
        """Where each moment stands in its row: before what is equal to it, or `behind` it."""
        low, high = low.copy(), high.copy()
        going = np.flatnonzero(low < high)
        while len(going):
            middle = (low[going] + high[going]) // 2
            found = self._moments[middle]
            later = found <= moments[going] if behind else found < moments[going]
            low[going] = np.where(later, middle + 1, low[going])
            high[going] = np.where(later, high[going], middle)
            going = going[low[going] < high[going]]
        return low

    def taken(self, spans: Spans) -> Arrivals:
        """The edges of these spans, row by row."""
        counts = spans.counts
        rows = np.repeat(np.arange(len(counts)), counts)
        ends = np.cumsum(counts)
        places = np.arange(len(rows)) + np.repeat(spans.low - ends + counts, counts)
        return Arrivals(rows, self._ends[places], self._slots[places])
