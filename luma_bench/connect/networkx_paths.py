"""Distances, as networkx's functions of the same names give them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from luma_bench.connect.networkx_graph import LumaGraph
from luma_bench.models.graph.topology import Csr, Floats, Ints


def single_source_shortest_path_length(
    G: LumaGraph,  # noqa: N803
    source: Any,
    cutoff: float | None = None,
) -> dict[Any, int]:
    """The number of edges to each node that the source leads to, nearest first."""
    _known(G, source, "Source {} is not in G")
    return _levels(G, G.out[0], source, cutoff)


def single_target_shortest_path_length(
    G: LumaGraph,  # noqa: N803
    target: Any,
    cutoff: float | None = None,
) -> dict[Any, int]:
    """The number of edges from each node that leads to the target, nearest first."""
    _known(G, target, "Target {} is not in G")
    return _levels(G, G.into[0], target, cutoff)


def all_pairs_shortest_path_length(
    G: LumaGraph,  # noqa: N803
    cutoff: float | None = None,
) -> Iterator[tuple[Any, dict[Any, int]]]:
    """The same from every node, one after the other."""
    for node in G:
        yield node, _levels(G, G.out[0], node, cutoff)


def single_source_dijkstra_path_length(
    G: LumaGraph,  # noqa: N803
    source: Any,
    cutoff: float | None = None,
    weight: str | None = "weight",
) -> dict[Any, float]:
    """The sum of weights to each node that the source leads to, nearest first."""
    _known(G, source, "Node {} not found in graph")
    return _distances(G, G.out, source, cutoff, weight)


def all_pairs_dijkstra_path_length(
    G: LumaGraph,  # noqa: N803
    cutoff: float | None = None,
    weight: str | None = "weight",
) -> Iterator[tuple[Any, dict[Any, float]]]:
    """The same from every node, one after the other."""
    for node in G:
        yield node, _distances(G, G.out, node, cutoff, weight)


def dijkstra_path_length(G: LumaGraph, source: Any, target: Any, weight: str | None = "weight") -> float:  # noqa: N803
    """The smallest sum of weights between two nodes."""
    import networkx as nx

    _known(G, source, "Node {} not found in graph")
    if source == target:
        return 0
    found = np.inf
    csr, order = G.out
    weights, whole = G.weighted(weight, order)
    if target in G:
        found = G.kernels.pair(csr, weights, G.number[source], G.number[target]).distance
    if not np.isfinite(found):
        raise nx.NetworkXNoPath(f"Node {target} not reachable from {source}")
    return int(found) if whole else float(found)


def shortest_path_length(
    G: LumaGraph,  # noqa: N803
    source: Any = None,
    target: Any = None,
    weight: str | None = None,
    method: str = "dijkstra",
) -> Any:
    """Distances between two nodes, from one, to one, or of all pairs."""
    if source is None and target is None:
        if weight is None:
            return all_pairs_shortest_path_length(G)
        return all_pairs_dijkstra_path_length(G, weight=weight)
    if target is None:
        if weight is None:
            return single_source_shortest_path_length(G, source)
        return single_source_dijkstra_path_length(G, source, weight=weight)
    if source is None:
        # networkx searches from the target, and names it so where it is missing.
        _known(G, target, "Source {} is not in G" if weight is None else "Node {} not found in graph")
        if weight is None:
            return _levels(G, G.into[0], target, None)
        return _distances(G, G.into, target, None, weight)
    return dijkstra_path_length(G, source, target, weight) if weight is not None else _hops(G, source, target)


def has_path(G: LumaGraph, source: Any, target: Any) -> bool:  # noqa: N803
    """Whether one node leads to another."""
    import networkx as nx

    try:
        _hops(G, source, target)
    except nx.NetworkXNoPath:
        return False
    return True


def descendants(G: LumaGraph, source: Any) -> set[Any]:  # noqa: N803
    """The nodes that a node leads to, without itself."""
    return _reached(G, G.out[0], source)


def ancestors(G: LumaGraph, source: Any) -> set[Any]:  # noqa: N803
    """The nodes that lead to a node, without itself."""
    return _reached(G, G.into[0], source)


def _known(graph: LumaGraph, node: Any, message: str) -> None:
    import networkx as nx

    # An unhashable node is a TypeError, as in networkx.
    hash(node)
    if node not in graph:
        raise nx.NodeNotFound(message.format(node))


def _reached(graph: LumaGraph, csr: Csr, source: Any) -> set[Any]:
    import networkx as nx

    if source not in graph:
        raise nx.NetworkXError(f"The node {source} is not in the graph.")
    found = np.flatnonzero(np.isfinite(graph.kernels.bfs(csr, graph.number[source]).distance))
    return {graph.nodes[place] for place in found.tolist()} - {source}


def _hops(graph: LumaGraph, source: Any, target: Any) -> int:
    import networkx as nx

    _known(graph, source, "Source {} is not in G")
    _known(graph, target, "Target {} is not in G")
    stop = graph.number[target]
    found = graph.kernels.bfs(graph.out[0], graph.number[source], target=stop).distance[stop]
    if not np.isfinite(found):
        raise nx.NetworkXNoPath(f"No path between {source} and {target}.")
    return int(found)


def _levels(graph: LumaGraph, csr: Csr, source: Any, cutoff: float | None) -> dict[Any, int]:
    limit = None if cutoff is None or cutoff == float("inf") else max(int(cutoff), 0)
    tree = graph.kernels.bfs(csr, graph.number[source], limit=limit)
    return _nearest_first(graph, tree.distance, whole=True)


def _distances(
    graph: LumaGraph, rows: tuple[Csr, Ints], source: Any, cutoff: float | None, weight: str | None
) -> dict[Any, float]:
    weights, whole = graph.weighted(weight, rows[1])
    distance = graph.kernels.sssp(rows[0], weights, graph.number[source]).distance
    if cutoff is not None:
        distance = np.where(distance <= cutoff, distance, np.inf)
    return _nearest_first(graph, distance, whole=whole)


def _nearest_first(graph: LumaGraph, distance: Floats, *, whole: bool) -> dict[Any, Any]:
    found = np.flatnonzero(np.isfinite(distance))
    found = found[np.argsort(distance[found], kind="stable")]
    values = distance[found]
    listed = values.astype(np.int64).tolist() if whole else values.tolist()
    return {graph.nodes[place]: value for place, value in zip(found.tolist(), listed, strict=True)}
