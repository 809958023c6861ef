"""The edges that one edge of a pattern stands for, from the node where a search comes from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from luma_bench.language.graph.pattern import Direction
from luma_bench.models.graph.engine import GraphEngine
from luma_bench.models.graph.topology import Adjacency, Bools, Floats, Ids, Ints, Topology
from luma_bench.plan.graph.bound import BoundEdge


class Arrivals(NamedTuple):
    """What a frontier leads to: the place in the frontier (int64), the vertex at the other end, the edge's global slot."""

    rows: Ints
    vertices: Ids
    slots: Ints


class Arcs:
    """The edges of one pattern edge, in the direction of a search.

    Parameters
    ----------
    edge
        With the direction as the search sees it.
    """

    __slots__ = ("_adjacencies", "_depart", "_engine", "_first", "_opposite", "arrive", "cost", "edge")

    def __init__(self, topology: Topology, edge: BoundEdge, engine: GraphEngine) -> None:
        self.edge = edge
        self._engine = engine
        self._first = {table: topology.edges[table].first for table in edge.tables}
        self._adjacencies: list[tuple[Adjacency, Bools | None, int, bool]] = []
        self._opposite: list[tuple[Adjacency, Bools | None]] = []
        for table in sorted(set(edge.tables)):
            rows = topology.edges[table]
            allowed = edge.allowed.get(table)
            if edge.direction is not Direction.LEFT:
                self._adjacencies.append((rows.out, allowed, rows.first, False))
                self._opposite.append((rows.into, allowed))
            if edge.direction is not Direction.RIGHT:
                # Of an undirected edge, a self-loop is met on its way out already.
                both = edge.direction is Direction.ANY
                self._adjacencies.append((rows.into, allowed, rows.first, both))
                self._opposite.append((rows.out, allowed))
        self.cost = None if edge.cost is None else BySlot(edge.cost, self._first)
        self._depart = None if edge.depart is None else BySlot(edge.depart, self._first)
        self.arrive = None if edge.arrive is None else BySlot(edge.arrive, self._first)

    @property
    def undirected(self) -> bool:
        """Whether edges are walked both ways."""
        return self.edge.direction is Direction.ANY

    @property
    def ascending(self) -> bool:
        """Whether `expand` gives each row's edges by neighbour and slot; else each adjacency's come for themselves."""
        return len(self._adjacencies) == 1

    @property
    def adjacencies(self) -> tuple[tuple[Adjacency, Bools | None], ...]:
        """What `GraphEngine.reach` takes."""
        return tuple((adjacency, allowed) for adjacency, allowed, _, _ in self._adjacencies)

    @property
    def opposite(self) -> tuple[tuple[Adjacency, Bools | None], ...]:
        """The same edges by their other ends."""
        return tuple(self._opposite)

    @property
    def total(self) -> int:
        """How many edges there are at most."""
        parts = [part for item in self._adjacencies for part in (item[0].base, item[0].delta)]
        return sum(len(csr.neighbours) for csr in parts if csr is not None)

    def at_most(self, vertices: Ids) -> Ints:
        """By vertex of a frontier, how many edges it has at most (dead and refused ones count)."""
        total = np.zeros(len(vertices), np.int64)
        for adjacency, _, _, _ in self._adjacencies:
            for csr in (adjacency.base, adjacency.delta):
                if csr is not None:
                    inside = np.minimum(vertices, csr.vertices - 1) if csr.vertices else vertices
                    if csr.vertices:
                        degrees = csr.indptr[inside + 1] - csr.indptr[inside]
                        total += np.where(vertices < csr.vertices, degrees, 0)
        return total

    def expand(self, vertices: Ids) -> Arrivals:
        """The live, allowed edges of each vertex of a frontier, row by row of it inside each edge table."""
        parts: list[Arrivals] = []
        for adjacency, allowed, first, other_way in self._adjacencies:
            rows, ends, slots = self._engine.expand(adjacency, vertices, allowed)
            if other_way:
                new = ends != vertices[rows]
                rows, ends, slots = rows[new], ends[new], slots[new]
            parts.append(Arrivals(rows, ends, slots.astype(np.int64) + first))
        if len(parts) == 1:
            return parts[0]
        return Arrivals(
            np.concatenate([part.rows for part in parts]) if parts else np.empty(0, np.int64),
            np.concatenate([part.vertices for part in parts]) if parts else np.empty(0, np.int32),
            np.concatenate([part.slots for part in parts]) if parts else np.empty(0, np.int64),
        )

    def costs(self, slots: Ints) -> Floats:
        """The cost of edges; 0 without COST."""
        return np.zeros(len(slots)) if self.cost is None else self.cost.of(slots)

    @property
    def timed(self) -> bool:
        """Whether TIME RESPECTING is about these edges."""
        return self._depart is not None

    def departures(self, slots: Ints) -> Ints:
        """When edges depart."""
        assert self._depart is not None
        return self._depart.of(slots)

    def arrivals(self, slots: Ints) -> Ints:
        """When edges arrive."""
        assert self.arrive is not None
        return self.arrive.of(slots)

    @property
    def forward_in_time(self) -> bool:
        """Whether no allowed edge arrives before it departs."""
        edge = self.edge
        if edge.depart is None or edge.arrive is None:
            return True
        for table in edge.tables:
            early = edge.arrive[table] < edge.depart[table]
            if table in edge.allowed:
                early &= edge.allowed[table]
            if early.any():
                return False
        return True


class BySlot:
    """Values of edges by global slot, out of one array for each edge table."""

    __slots__ = ("_parts",)

    def __init__(self, values: dict[int, np.ndarray[Any, Any]], first: dict[int, int]) -> None:
        # Tables in their order, so that of an empty table and the next one the latter comes last.
        self._parts = [(first[table], values[table]) for table in sorted(first)]

    def of(self, slots: Ints) -> np.ndarray[Any, Any]:
        """The values of some edges, all of these tables."""
        if len(self._parts) == 1:
            first, values = self._parts[0]
            return values[slots - first]
        starts = np.array([first for first, _ in self._parts])
        which = np.searchsorted(starts, slots, side="right") - 1
        found = np.empty(len(slots), self._parts[0][1].dtype)
        for place, (first, values) in enumerate(self._parts):
            here = which == place
            found[here] = values[slots[here] - first]
        return found

    @property
    def smallest(self) -> float:
        """The smallest value; infinity for none."""
        return min((float(values.min()) for _, values in self._parts if len(values)), default=np.inf)
