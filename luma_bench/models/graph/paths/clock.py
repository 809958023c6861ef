"""TIME RESPECTING: which edge may follow which, and how long a journey may take."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.graph.paths.arcs import Arcs, Arrivals
from luma_bench.models.graph.paths.chunk import NEVER, Chunk
from luma_bench.models.graph.paths.timetable import Spans, Timetable
from luma_bench.models.graph.topology import Bools, Ids, Ints
from luma_bench.plan.graph.bound import Times

PAYS = 2
"""How often all edges have to be looked at before a timetable of them pays."""
LATEST = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class Clock:
    """The times that the edges of a path have to keep to.

    Attributes
    ----------
    times
        What the query says.
    turned
        The search goes from the last edge to the first: `departed` and `arrived` of a chunk are still the journey's.
    monotone
        No edge arrives before it departs, so a journey that takes too long does so whatever follows.
    vertices
        How many the graph has.
    asked, tables
        By the edges of a pattern edge, how many were looked at, and their timetable when that paid.
    """

    times: Times
    turned: bool
    monotone: bool
    vertices: int
    control: Control
    asked: dict[int, int] = field(default_factory=dict[int, int])
    tables: dict[int, Timetable] = field(default_factory=dict[int, Timetable])

    def moved(self, arcs: Arcs, departed: Ints, arrived: Ints, slots: Ints) -> tuple[Ints, Ints, Bools]:
        """Journeys with one more edge each: when they depart and arrive, and whether they are in time.

        Edges that no time is said of leave a journey as it is; one that has had no other edge has not departed (`NEVER`).
        """
        if not arcs.timed:
            return departed, arrived, np.ones(len(slots), np.bool_)
        times, depart, arrive = self.times, arcs.departures(slots), arcs.arrivals(slots)
        fresh = departed == NEVER
        if self.turned:
            kept = fresh | (departed > arrive if times.strict else departed >= arrive)
            departed, arrived = depart, np.where(fresh, arrive, arrived)
        else:
            kept = fresh | (depart > arrived if times.strict else depart >= arrived)
            departed, arrived = np.where(fresh, depart, departed), arrive
        if times.starting_at is not None and (not self.turned or self.monotone):
            kept &= departed >= times.starting_at
        if self.monotone:
            kept &= self.within(departed, arrived)
        return departed, arrived, kept

    def spans(
        self, arcs: Arcs, vertices: Ids, departed: Ints, arrived: Ints
    ) -> tuple[Timetable, Spans] | None:
        """Which edges of a frontier can be in time, by the timetable of all; None while looking at each is less work."""
        if not arcs.timed:
            return None
        asked = self.asked.get(id(arcs), 0) + int(arcs.at_most(vertices).sum())
        self.asked[id(arcs)] = asked
        if asked <= PAYS * arcs.total:
            return None
        table = self.tables.get(id(arcs))
        if table is None:
            table = self.tables[id(arcs)] = Timetable(arcs, self.vertices, self.control, turned=self.turned)
        fresh = departed == NEVER
        if self.turned:
            return table, table.spans(vertices, None, np.where(fresh, LATEST, departed))
        latest = None
        if self.monotone and self.times.within is not None:
            latest = np.where(fresh, LATEST, self._latest(departed, self.times.within))
        return table, table.spans(vertices, arrived, latest)

    def expand(self, arcs: Arcs, vertices: Ids, departed: Ints, arrived: Ints) -> Arrivals:
        """The edges of a frontier of journeys, without many that cannot be in time."""
        found = self.spans(arcs, vertices, departed, arrived)
        return arcs.expand(vertices) if found is None else found[0].taken(found[1])

    def within(self, departed: Ints, arrived: Ints) -> Bools:
        """Whether journeys are short enough."""
        limit = self.times.within
        if limit is None:
            return np.ones(len(departed), np.bool_)
        return arrived <= self._latest(departed, limit)

    @staticmethod
    def _latest(departed: Ints, limit: int) -> Ints:
        # Saturating: a departure near the end of time plus the limit is the end of time.
        near = np.minimum(departed, LATEST - limit) if limit >= 0 else np.maximum(departed, NEVER - limit)
        return near + limit

    def whole(self, chunk: Chunk) -> Bools:
        """Which of the whole journeys hold what is said about all of them."""
        assert chunk.departed is not None
        assert chunk.arrived is not None
        kept = self.within(chunk.departed, chunk.arrived)
        if self.times.starting_at is not None:
            kept &= chunk.departed >= self.times.starting_at
        return kept | (chunk.departed == NEVER)
