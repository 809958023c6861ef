"""The engine that is always there: NumPy and SciPy."""

from __future__ import annotations

from luma_bench.models.graph.engine import Check, Expansion, Pair, Tree, unchecked
from luma_bench.models.graph.engines import (
    numpy_brandes,
    numpy_expand,
    numpy_journeys,
    numpy_louvain,
    numpy_reach,
    numpy_search,
    numpy_structure,
)
from luma_bench.models.graph.engines.numpy_sparse import Narrow
from luma_bench.models.graph.topology import Adjacency, Bools, Csr, Floats, Ids, Ints

_MOVES = 500_000
"""Edges that community moves look at between checks."""


class NumpyEngine:
    """Kernels in NumPy and SciPy; one object may serve many threads. See `GraphEngine` for what each gives."""

    name = "numpy"
    compiled = False

    def __init__(self) -> None:
        self._narrow = Narrow()

    def expand(self, adjacency: Adjacency, frontier: Ids, allowed: Bools | None = None) -> Expansion:
        """The live edges of each vertex of a frontier."""
        return numpy_expand.expand(adjacency, frontier, allowed)

    def degrees(
        self, adjacency: Adjacency, frontier: Ids | None = None, allowed: Bools | None = None
    ) -> Ints:
        """The number of live, allowed edges of each vertex."""
        return numpy_expand.degrees(adjacency, frontier, allowed)

    def weighted_sum(
        self, adjacency: Adjacency, values: Floats | Ints, allowed: Bools | None = None
    ) -> Floats | Ints:
        """Sums over neighbours."""
        return numpy_expand.weighted_sum(adjacency, values, allowed)

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
        return numpy_reach.Reach(adjacencies, sources, self._narrow).run(sources, least, most, check)

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
        if not tree:
            return numpy_search.depths(csr, source, limit, target, self._narrow, check)
        return numpy_search.bfs(csr, source, limit, target, self._narrow, check)

    def sssp(self, csr: Csr, weights: Floats, source: int, *, check: Check = unchecked) -> Tree:
        """Cheapest paths from one source (Dijkstra)."""
        return numpy_search.sssp(csr, weights, source, self._narrow, check)

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
        return numpy_search.pair(csr, weights, source, target, self._narrow, check)

    def weak_components(self, csr: Csr, *, check: Check = unchecked) -> Ids:
        """The smallest member of each vertex's weakly connected component."""
        check()
        return numpy_structure.components(csr, self._narrow, strong=False)

    def strong_components(self, csr: Csr, *, check: Check = unchecked) -> Ids:
        """The smallest member of each vertex's strongly connected component (Pearce, in SciPy)."""
        check()
        return numpy_structure.components(csr, self._narrow, strong=True)

    def pagerank(
        self,
        csr: Csr,
        reverse: Csr,
        *,
        damping: float,
        tolerance: float,
        iterations: int,
        weights: Floats | None = None,
        live: Bools | None = None,
        check: Check = unchecked,
    ) -> Floats:
        """Ranks by power iteration."""
        return numpy_structure.pagerank(
            csr,
            reverse,
            self._narrow,
            check,
            damping=damping,
            tolerance=tolerance,
            iterations=iterations,
            weights=weights,
            live=live,
        )

    def triangles(self, csr: Csr, *, check: Check = unchecked) -> Ints:
        """Triangles of each vertex."""
        return numpy_structure.triangles(csr, check)

    def core_numbers(self, csr: Csr, *, check: Check = unchecked) -> Ints:
        """Core numbers by peeling."""
        return numpy_structure.core_numbers(csr, check)

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
        return numpy_louvain.communities(
            csr, weights, seed, resolution, self._narrow, check, numpy_louvain.move, budget=_MOVES, plain=True
        )

    def betweenness(
        self, csr: Csr, sources: Ids, weights: Floats | None = None, *, check: Check = unchecked
    ) -> Floats:
        """Brandes' dependencies."""
        if weights is None:
            return numpy_brandes.betweenness(csr, sources, check)
        return numpy_brandes.weighted_betweenness(csr, weights, sources, self._narrow, check)

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
        return numpy_journeys.earliest_arrival(csr, depart, arrive, source, start, strict, check)
