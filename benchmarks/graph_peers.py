"""The libraries of graphs as contenders: what each makes of an edge list, and how each is asked. None but SciPy has to be there."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

SCIPY, IGRAPH, NETWORKIT, NETWORKX = "scipy", "igraph", "networkit", "networkx"
DAMPING, TOLERANCE, ITERATIONS = 0.85, 1e-8, 500

type Floats = np.ndarray[Any, np.dtype[np.float64]]
type Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Edges:
    """An edge list: dense ends, and weights."""

    vertices: int
    source: Ints
    destination: Ints
    weight: Floats


@dataclass(frozen=True, slots=True)
class Library:
    """How one library is asked; distances are infinite, and components any label, where it did not come.

    `bfs` and `sssp` take a source and give distances by vertex, `pagerank` gives ranks and `components` labels by vertex.
    """

    bfs: Callable[[int], Any]
    sssp: Callable[[int], Any]
    pagerank: Callable[[], Any]
    components: Callable[[], Any]
    within: Callable[[int, int], int] | None = None


def available(*names: str) -> list[str]:
    """Those of these libraries that are installed."""
    return [name for name in names if importlib.util.find_spec(name) is not None]


def library(name: str, edges: Edges, threads: int) -> Library:
    """Load an edge list into one of the libraries."""
    makers: Mapping[str, Callable[[Edges, int], Library]] = {
        SCIPY: _scipy, IGRAPH: _igraph, NETWORKIT: _networkit, NETWORKX: _networkx,
    }  # fmt: skip
    return makers[name](edges, threads)


def _scipy(edges: Edges, threads: int) -> Library:
    import scipy.sparse as sparse
    import scipy.sparse.csgraph as csgraph

    ends = (edges.source.astype(np.int32), edges.destination.astype(np.int32))
    shape = (edges.vertices, edges.vertices)
    matrix = sparse.csr_matrix((edges.weight, ends), shape=shape)
    matrix.sort_indices()
    transposed = sparse.csr_matrix((np.ones(len(edges.source)), ends[::-1]), shape=shape)
    leaving = np.diff(matrix.indptr)
    share = np.where(leaving > 0, 1.0 / np.maximum(leaving, 1), 0.0)

    def bfs(source: int) -> Any:
        return csgraph.breadth_first_order(matrix, source, return_predecessors=True)

    def pagerank() -> Floats:
        count = edges.vertices
        ranks = np.full(count, 1.0 / count)
        for _ in range(ITERATIONS):
            spread = DAMPING * ranks[leaving == 0].sum() / count + (1 - DAMPING) / count
            following = DAMPING * (transposed @ (ranks * share)) + spread
            change = np.abs(following - ranks).sum()
            ranks = following
            if change < TOLERANCE:
                break
        return ranks

    return Library(
        bfs,
        lambda source: csgraph.dijkstra(matrix, indices=source),
        pagerank,
        lambda: csgraph.connected_components(matrix, directed=True, connection="weak")[1],
    )


def depths(found: Any, vertices: int) -> Floats:
    """The distances of SciPy's breadth-first order and predecessors."""
    order, before = found
    distance = np.full(vertices, np.inf)
    distance[order[0]] = 0
    # Level by level: those whose predecessors are known.
    left = order[1:]
    while len(left):
        known = np.isfinite(distance[before[left]])
        now = left[known]
        distance[now] = distance[before[now]] + 1
        left = left[~known]
    return distance


def _igraph(edges: Edges, threads: int) -> Library:
    import igraph

    pairs = np.stack((edges.source, edges.destination), axis=1)
    graph = igraph.Graph(n=edges.vertices, edges=memoryview(pairs), directed=True)
    weights = edges.weight.tolist()
    return Library(
        lambda source: graph.distances(source, mode="out")[0],
        lambda source: graph.distances(source, weights=weights, mode="out")[0],
        lambda: graph.pagerank(damping=DAMPING),
        lambda: graph.connected_components("weak").membership,
        lambda source, hops: graph.neighborhood_size(source, order=hops, mode="out") - 1,
    )


def _networkit(edges: Edges, threads: int) -> Library:
    import networkit as nk

    nk.setNumberOfThreads(threads)
    ends = (edges.source.astype(np.uint64), edges.destination.astype(np.uint64))
    graph = nk.graph.GraphFromCoo((edges.weight, ends), n=edges.vertices, weighted=True, directed=True)
    plain = nk.graphtools.toUnweighted(graph)
    # What is incomplete or far is the largest float there.
    far = np.finfo(np.float64).max

    def distances(found: Any) -> Floats:
        found.run()
        values = np.asarray(found.getDistances(asarray=True))
        return np.where(values == far, np.inf, values)

    def pagerank() -> Any:
        held = nk.centrality.PageRank(
            plain,
            damp=DAMPING,
            tol=TOLERANCE,
            distributeSinks=nk.centrality.SinkHandling.DistributeSinks,
        )
        held.norm = nk.centrality.Norm.L1_NORM
        held.maxIterations = ITERATIONS
        return held.run().scores()

    def components() -> Ints:
        found = nk.components.WeaklyConnectedComponents(plain)
        found.run()
        labels = np.empty(edges.vertices, np.int64)
        for number, part in enumerate(found.getComponents()):
            labels[part] = number
        return labels

    return Library(
        lambda source: distances(nk.distance.BFS(plain, source, False)),
        lambda source: distances(nk.distance.Dijkstra(graph, source, False)),
        pagerank,
        components,
    )


def _networkx(edges: Edges, threads: int) -> Library:
    import networkx as nx

    graph: Any = nx.DiGraph()
    graph.add_nodes_from(range(edges.vertices))
    graph.add_weighted_edges_from(
        zip(edges.source.tolist(), edges.destination.tolist(), edges.weight.tolist(), strict=True)
    )

    def by_vertex(found: Mapping[int, float]) -> Floats:
        values = np.full(edges.vertices, np.inf)
        values[list(found)] = list(found.values())
        return values

    def components() -> Ints:
        labels = np.empty(edges.vertices, np.int64)
        for number, part in enumerate(nx.weakly_connected_components(graph)):
            labels[list(part)] = number
        return labels

    return Library(
        lambda source: by_vertex(nx.single_source_shortest_path_length(graph, source)),
        lambda source: by_vertex(nx.single_source_dijkstra_path_length(graph, source)),
        lambda: by_vertex(
            nx.pagerank(
                graph,
                DAMPING,
                tol=TOLERANCE / edges.vertices,
                max_iter=ITERATIONS,
                weight=None,
                backend="networkx",
            )
        ),
        components,
    )
