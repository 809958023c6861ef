"""The compiled engine: kernels that enumerate edge by edge, and NumPy and SciPy where those are as fast."""

from __future__ import annotations

import numpy as np

from luma_bench.models.graph.engine import Check, Expansion, Pair, Tree, unchecked
from luma_bench.models.graph.engines import (
    numba_expand,
    numba_search,
    numba_structure,
    numba_work,
    numpy_brandes,
    numpy_expand,
    numpy_louvain,
    numpy_structure,
)
from luma_bench.models.graph.engines.numba_heap import FIRST
from luma_bench.models.graph.engines.numba_work import (
    BUDGET,
    Workspace,
    arguments,
    empty_tree,
    flat,
    table,
)
from luma_bench.models.graph.engines.numpy_engine import NumpyEngine
from luma_bench.models.graph.engines.numpy_journeys import NEVER
from luma_bench.models.graph.topology import Adjacency, Bools, Csr, Floats, Ids, Ints


class NumbaEngine(NumpyEngine):
    """Compiled kernels; one object may serve many threads. See `GraphEngine` for what each gives."""

    name = "numba"
    compiled = True

    def __init__(self) -> None:
        super().__init__()
        self._work = Workspace()

    def expand(self, adjacency: Adjacency, frontier: Ids, allowed: Bools | None = None) -> Expansion:
        """The live edges of each vertex of a frontier."""
        if len(frontier) == 1:
            return numpy_expand.expand(adjacency, frontier, allowed)
        base, delta, dead, open_slots = arguments(adjacency, allowed)
        return Expansion(*numba_expand.expand(flat(frontier), *base, *delta, dead, open_slots))

    def degrees(
        self, adjacency: Adjacency, frontier: Ids | None = None, allowed: Bools | None = None
    ) -> Ints:
        """The number of live, allowed edges of each vertex."""
        if adjacency.dead is None and allowed is None:
            return numpy_expand.degrees(adjacency, frontier, allowed)
        if frontier is None:
            frontier = np.arange(numpy_expand.rows_of(adjacency), dtype=np.int32)
        found = np.zeros(len(frontier), np.int64)
        _, _, dead, open_slots = arguments(adjacency, allowed)
        for csr in numpy_expand.parts(adjacency):
            indptr, _, slots = table(csr)
            numba_expand.add_degrees(flat(frontier), indptr, slots, dead, open_slots, found)
        return found

    def weighted_sum(
        self, adjacency: Adjacency, values: Floats | Ints, allowed: Bools | None = None
    ) -> Floats | Ints:
        """Sums over neighbours."""
        _, _, dead, open_slots = arguments(adjacency, allowed)
        if np.issubdtype(values.dtype, np.floating):
            real = flat(values.astype(np.float64, copy=False))
            sums = np.zeros(len(values))
            for csr in numpy_expand.parts(adjacency):
                numba_expand.add_floats(*table(csr), real, dead, open_slots, sums)
            return sums
        whole = flat(values.astype(np.int64, copy=False))
        numpy_expand.refuse_overflow(adjacency, whole, allowed)
        found = np.zeros(len(values), np.int64)
        for csr in numpy_expand.parts(adjacency):
            numba_expand.add_ints(*table(csr), whole, dead, open_slots, found)
        return found

    def reach(
        self,
        adjacencies: tuple[tuple[Adjacency, Bools | None], ...],
        sources: Ids,
        least: int,
        most: int | None,
        *,
        check: Check = unchecked,
    ) -> Ids:
        """The ends of walks of bounded length."""
        return numba_work.reach(self._work, adjacencies, sources, least, most, check)

    def bfs(
        self,
        csr: Csr,
        source: int,
        *,
        limit: int | None = None,
        target: int = -1,
        tree: bool = True,
        check: Check = unchecked,
    ) -> Tree:
        """Breadth first from one source."""
        return numba_work.bfs(csr, source, limit, target, tree=tree, check=check)

    def sssp(self, csr: Csr, weights: Floats, source: int, *, check: Check = unchecked) -> Tree:
        """Cheapest paths from one source (Dijkstra)."""
        indptr, neighbours, _ = table(csr)
        found = empty_tree(csr, source)
        levels = np.zeros(csr.vertices, np.int32)
        heap = (np.zeros(FIRST), np.full(FIRST, source, np.int32), 1)
        pile, limit, plain = (np.empty(FIRST), np.empty(FIRST, np.int32), 0), np.inf, 1
        edges = (indptr, neighbours, flat(weights))
        labels = (found.distance, levels, found.parent, found.position)
        check()
        while heap[2] or pile[2]:
            held = numba_search.sssp(*edges, *labels, *heap, *pile, limit, plain, BUDGET // 4)
            heap, pile, limit, plain = held[:3], held[3:6], held[6], held[7]
            check()
        return found

    def pair(
        self,
        csr: Csr,
        weights: Floats,
        source: int,
        target: int,
        *,
        reverse: tuple[Csr, Floats] | None = None,
        coordinates: Floats | None = None,
        check: Check = unchecked,
    ) -> Pair:
        """The cheapest path between two vertices."""
        return numba_work.pair(self._work, csr, weights, source, target, reverse, coordinates, check)

    def weak_components(self, csr: Csr, *, check: Check = unchecked) -> Ids:
        """The smallest member of each vertex's weakly connected component (union-find)."""
        indptr, neighbours, _ = table(csr)
        root = np.arange(csr.vertices, dtype=np.int32)
        check()
        for span in numpy_expand.spans(csr, BUDGET):
            numba_expand.join(indptr, neighbours, root, span.low, span.high)
            check()
        return numpy_structure.rooted(root)

    def triangles(self, csr: Csr, *, check: Check = unchecked) -> Ints:
        """Triangles of each vertex."""
        check()
        return numba_work.triangles(csr, check)

    def core_numbers(self, csr: Csr, *, check: Check = unchecked) -> Ints:
        """Core numbers by peeling, vertex after vertex."""
        check()
        indptr, neighbours = numba_work.undirected(csr)
        check()
        degree = np.diff(indptr)
        order = np.argsort(degree, kind="stable").astype(np.int32)
        place = np.empty(csr.vertices, np.int32)
        place[order] = np.arange(csr.vertices, dtype=np.int32)
        first = np.concatenate(([0], np.cumsum(np.bincount(degree))))
        step = 0
        while step < csr.vertices:
            step = numba_structure.cores(indptr, neighbours, degree, place, order, first, step, BUDGET)
            check()
        return degree

    def communities(
        self,
        csr: Csr,
        weights: Floats | None,
        *,
        seed: int,
        resolution: float,
        check: Check = unchecked,
    ) -> Ids:
        """Communities by Louvain's method."""
        mover = numba_structure.move
        return numpy_louvain.communities(
            csr, weights, seed, resolution, self._narrow, check, mover, budget=BUDGET, plain=False
        )

    def betweenness(
        self, csr: Csr, sources: Ids, weights: Floats | None = None, *, check: Check = unchecked
    ) -> Floats:
        """Brandes' dependencies."""
        indptr, neighbours, _ = table(csr)
        score = np.zeros(csr.vertices)
        if weights is None:
            depth, queue = np.full(csr.vertices, -1, np.int32), np.empty(csr.vertices, np.int32)
            paths, delta = np.zeros(csr.vertices), np.zeros(csr.vertices)
            for source in sources.tolist():
                check()
                numba_structure.dependencies(indptr, neighbours, source, depth, paths, delta, queue, score)
            return score
        held: Floats = flat(weights)
        for source in sources.tolist():
            distance = self.sssp(csr, held, source, check=check).distance
            paths, delta = np.zeros(csr.vertices), np.zeros(csr.vertices)
            paths[source] = 1.0
            near = numpy_brandes.by_distance(distance)
            numba_structure.accumulate(indptr, neighbours, held, near, distance, paths, delta)
            delta[source] = 0.0
            score += delta
        return score

    def earliest_arrival(
        self,
        csr: Csr,
        depart: Ints,
        arrive: Ints,
        source: int,
        start: int,
        *,
        strict: bool,
        check: Check = unchecked,
    ) -> tuple[Ints, Ids, Ints]:
        """Earliest arrivals of journeys from one source."""
        indptr, neighbours, _ = table(csr)
        arrival = np.full(csr.vertices, NEVER, np.int64)
        arrival[source] = start
        tree = empty_tree(csr, source)
        levels = np.zeros(csr.vertices, np.int32)
        keys, values, size = np.full(FIRST, start, np.int64), np.full(FIRST, source, np.int32), 1
        times = flat(depart), flat(arrive)
        check()
        while size:
            keys, values, size = numba_search.journeys(
                indptr,
                neighbours,
                *times,
                source,
                int(strict),
                arrival,
                levels,
                tree.parent,
                tree.position,
                keys,
                values,
                size,
                BUDGET // 4,
            )
            check()
        return arrival, tree.parent, tree.position
