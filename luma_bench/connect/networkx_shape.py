"""Components, triangles and cores, as networkx's functions of the same names give them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from luma_bench.connect.networkx_graph import LumaGraph
from luma_bench.models.graph.topology import Ids, Ints


def connected_components(G: LumaGraph) -> Iterator[set[Any]]:  # noqa: N803
    """The nodes of each component, in the order of their first nodes."""
    yield from _sets(G, G.kernels.weak_components(G.out[0]))


weakly_connected_components = connected_components


def strongly_connected_components(G: LumaGraph) -> Iterator[set[Any]]:  # noqa: N803
    """The nodes that lead to each other, in the order of their first nodes."""
    yield from _sets(G, G.kernels.strong_components(G.out[0]))


def number_connected_components(G: LumaGraph) -> int:  # noqa: N803
    """How many components there are."""
    return len(np.unique(G.kernels.weak_components(G.out[0])))


number_weakly_connected_components = number_connected_components


def number_strongly_connected_components(G: LumaGraph) -> int:  # noqa: N803
    """How many sets of nodes lead to each other."""
    return len(np.unique(G.kernels.strong_components(G.out[0])))


def is_connected(G: LumaGraph) -> bool:  # noqa: N803
    """Whether there is one component."""
    _some(G)
    return number_connected_components(G) == 1


is_weakly_connected = is_connected


def is_strongly_connected(G: LumaGraph) -> bool:  # noqa: N803
    """Whether all nodes lead to each other."""
    _some(G)
    return number_strongly_connected_components(G) == 1


def node_connected_component(G: LumaGraph, n: Any) -> set[Any]:  # noqa: N803
    """The nodes of a node's component."""
    # A KeyError for what is no node, as in networkx.
    mine = G.number[n]
    found = G.kernels.weak_components(G.out[0])
    return {G.nodes[place] for place in np.flatnonzero(found == found[mine]).tolist()}


def triangles(G: LumaGraph, nodes: Any = None) -> Any:  # noqa: N803
    """How many triangles a node is part of, or each of some."""
    return _chosen(G, nodes, G.kernels.triangles(G.out[0]).tolist())


def clustering(G: LumaGraph, nodes: Any = None, weight: str | None = None) -> Any:  # noqa: N803
    """The share of a node's pairs of neighbours that are neighbours."""
    found, pairs = _triples(G)
    share = np.divide(found, pairs, out=np.zeros(len(found)), where=found > 0)
    listed = [value or 0 for value in share.tolist()]
    return _chosen(G, nodes, listed)


def average_clustering(
    G: LumaGraph,  # noqa: N803
    nodes: Any = None,
    weight: str | None = None,
    count_zeros: bool = True,
) -> float:
    """The mean of the same."""
    values = list(clustering(G, nodes).values())
    if not count_zeros:
        values = [value for value in values if value > 0]
    return sum(values) / len(values)


def transitivity(G: LumaGraph) -> float:  # noqa: N803
    """The share of all paths of two edges that are part of a triangle."""
    found, pairs = _triples(G)
    closed = int(found.sum())
    return 0 if not closed else closed / int(pairs.sum())


def core_number(G: LumaGraph) -> dict[Any, int]:  # noqa: N803
    """The largest k for which a node is in the k-core."""
    import networkx as nx

    if (G.source == G.target).any():
        raise nx.NetworkXNotImplemented(
            "Input graph has self loops which is not permitted; "
            "Consider using G.remove_edges_from(nx.selfloop_edges(G))."
        )
    return dict(zip(G.nodes, G.kernels.core_numbers(G.out[0]).tolist(), strict=True))


def _triples(graph: LumaGraph) -> tuple[Ints, Ints]:
    """Twice the triangles of each node, and its ordered pairs of neighbours."""
    csr, _ = graph.simple()
    loops = np.bincount(graph.source[graph.source == graph.target], minlength=len(graph)) > 0
    degree = np.diff(csr.indptr) - loops
    return 2 * graph.kernels.triangles(csr), degree * (degree - 1)


def _sets(graph: LumaGraph, first: Ids) -> Iterator[set[Any]]:
    """The nodes of each component, given its smallest member."""
    order = np.argsort(first, kind="stable")
    if not len(order):
        return
    for part in np.split(order, np.flatnonzero(np.diff(first[order])) + 1):
        yield {graph.nodes[place] for place in part.tolist()}


def _chosen(graph: LumaGraph, nodes: Any, values: list[Any]) -> Any:
    """All values, that of one node, or those of some: what is no node is passed over, as networkx does."""
    import networkx as nx

    if nodes is None:
        return dict(zip(graph.nodes, values, strict=True))
    if nodes in graph:
        return values[graph.number[nodes]]
    try:
        listed = list(nodes)
    except TypeError as error:
        raise nx.NetworkXError(f"Node {nodes} is not in the graph.") from error
    return {node: values[graph.number[node]] for node in listed if node in graph}


def _some(graph: LumaGraph) -> None:
    import networkx as nx

    if not len(graph):
        raise nx.NetworkXPointlessConcept("Connectivity is undefined for the null graph.")
