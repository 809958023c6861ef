"""What runs a graph's kernels: NumPy and SciPy always, compiled kernels where numba is there; a GPU may join."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from luma_bench.models.graph.topology import Adjacency, Bools, Csr, Floats, Ids, Ints

Check = Callable[[], None]
"""Called between the parts of a long kernel; it raises when the work is to end, as `Control.check` does."""


def unchecked() -> None:
    """The `Check` of work that nobody ends."""


class Expansion(NamedTuple):
    """The edges of a frontier, row by row of it, neighbours ascending, parallel edges by slot.

    Attributes
    ----------
    rows
        int64: the place in the frontier.
    neighbours
        int32 dense ids at the other end.
    slots
        int32, slots inside of the edge table.
    """

    rows: Ints
    neighbours: Ids
    slots: Ids


class Tree(NamedTuple):
    """What a search from one source found: distances (infinity where it did not come) and the edge that led there.

    Attributes
    ----------
    distance
        float64 by vertex; edges of a BFS count one.
    parent
        int32 by vertex, -1 for the source and where it did not come.
    position
        int64 by vertex: the place in `Csr.neighbours` of the edge from the parent; -1 likewise.
    """

    distance: Floats
    parent: Ids
    position: Ints


class Pair(NamedTuple):
    """The cheapest path between two vertices: its cost (infinity for none), and its vertices and CSR positions in order."""

    distance: float
    vertices: Ids
    positions: Ints
    settled: int


class GraphEngine(Protocol):
    """Kernels over adjacency in dense ids. Capabilities are flags, and nobody asks an engine for its name to decide.

    Weights are float64 by position of the CSR (`weights[position]`), never negative and never NaN: callers check. Kernels
    that count or search take a clean `Csr` (see `merged.merged`); `expand` and `reach` take an `Adjacency` as it is.
    Where an undirected graph is meant, the CSR may hold each edge in one direction or in both. Ids outside of a frontier's
    adjacency (-1 too) have no edges. Ties among equal distances go to the smallest (parent, position); among vertices at one
    distance that edges of weight zero join, a parent is nearer to where that distance was first reached. All engines give
    the same answers, to the last bit where sums are of whole numbers.
    """

    @property
    def name(self) -> str:
        """The name that run records carry, such as `numpy`."""
        ...

    @property
    def compiled(self) -> bool:
        """Whether its kernels enumerate at machine speed, so that plans that walk edge by edge pay."""
        ...

    def expand(self, adjacency: Adjacency, frontier: Ids, allowed: Bools | None = None) -> Expansion:
        """The live edges of each vertex of a frontier; `allowed` is by slot of the edge table."""
        ...

    def degrees(
        self, adjacency: Adjacency, frontier: Ids | None = None, allowed: Bools | None = None
    ) -> Ints:
        """The number of live, allowed edges of each vertex of a frontier; of every vertex of the adjacency for None."""
        ...

    def weighted_sum(
        self, adjacency: Adjacency, values: Floats | Ints, allowed: Bools | None = None
    ) -> Floats | Ints:
        """By vertex, the sum of `values` over the neighbours of its live, allowed edges; exact for int64.

        `values` is by dense id, and so is the answer, of the same length.

        Raises
        ------
        ResourceError
            A sum does not fit into int64.
        """
        ...

    def reach(
        self,
        adjacencies: tuple[tuple[Adjacency, Bools | None], ...],
        sources: Ids,
        least: int,
        most: int | None,
        *,
        check: Check = unchecked,
    ) -> Ids:
        """The vertices at the end of a walk of `least` to `most` edges from any of the sources, each once, ascending.

        A walk may repeat anything, so a source comes back where a cycle leads to it within the bounds.
        """
        ...

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
        """Breadth first from one source; the parent is the smallest dense id of the level before, of parallel edges the first.

        It goes no further than `limit` edges, and no further than the level that holds `target`. Without `tree` only the
        distances are wanted: parent and position are empty arrays then.
        """
        ...

    def sssp(self, csr: Csr, weights: Floats, source: int, *, check: Check = unchecked) -> Tree:
        """Cheapest paths from one source to all (Dijkstra)."""
        ...

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
        """The cheapest path between two vertices.

        A* where `coordinates` (one row of two for each vertex, whose straight-line distance is never above the cost) are
        given, bidirectional where `reverse` (the transposed CSR and its weights) is, else Dijkstra that stops at the target.
        """
        ...

    def weak_components(self, csr: Csr, *, check: Check = unchecked) -> Ids:
        """By vertex, the smallest dense id of its weakly connected component."""
        ...

    def strong_components(self, csr: Csr, *, check: Check = unchecked) -> Ids:
        """By vertex, the smallest dense id of its strongly connected component."""
        ...

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
        """By vertex, its rank; they sum to 1, and what ends in a dangling vertex spreads evenly.

        It ends when the ranks changed by less than `tolerance` in sum, or after so many iterations. `weights` are by position
        of `csr`; edges that weigh nothing lead nowhere. Vertices that are not `live` have no edges and no rank.
        """
        ...

    def triangles(self, csr: Csr, *, check: Check = unchecked) -> Ints:
        """By vertex, the triangles that it is part of, in the undirected graph without parallel edges and self-loops."""
        ...

    def core_numbers(self, csr: Csr, *, check: Check = unchecked) -> Ints:
        """By vertex, the largest k such that it is in the k-core of the undirected simple graph."""
        ...

    def communities(
        self,
        csr: Csr,
        weights: Floats | None,
        *,
        seed: int,
        resolution: float,
        check: Check = unchecked,
    ) -> Ids:
        """By vertex, the number of its community, from 0, by falling size, then by smallest vertex (Louvain, undirected).

        The CSR holds each edge once; parallel edges' weights add up.
        """
        ...

    def betweenness(
        self, csr: Csr, sources: Ids, weights: Floats | None = None, *, check: Check = unchecked
    ) -> Floats:
        """By vertex, the sum over the sources of Brandes' dependencies, not normalised; weights are above zero.

        Parallel edges are paths of their own: callers who see them as one leave one.
        """
        ...

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
        """By vertex, the earliest arrival of a journey from `source` at or after `start`: int64 maximum for none.

        Behind it the vertex before, and the CSR position of the edge taken; `depart` and `arrive` are int64 by CSR position,
        and no edge arrives before it departs. The source has arrived at `start`, and its edges may depart then, `strict` or not.
        """
        ...
