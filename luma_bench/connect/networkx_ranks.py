"""PageRank, centralities and communities, as networkx's functions of the same names give them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from luma_bench.connect.networkx_graph import LumaGraph
from luma_bench.models.graph.topology import Csr, Floats, Ids


def pagerank(
    G: LumaGraph,  # noqa: N803
    alpha: float = 0.85,
    personalization: None = None,
    max_iter: int = 100,
    tol: float = 1.0e-6,
    nstart: None = None,
    weight: str | None = "weight",
    dangling: None = None,
) -> dict[Any, float]:
    """How often a random walk comes by each node; the ranks sum to 1."""
    import networkx as nx

    if not len(G):
        return {}
    (csr, order), (reverse, _) = G.out, G.into
    weights, _ = G.weighted(weight, order)
    least = len(G) * tol
    score = G.kernels.pagerank(
        csr, reverse, damping=alpha, tolerance=least, iterations=max(max_iter, 0), weights=weights
    )
    if max_iter < 1 or _change(csr, weights, score, alpha) >= least:
        raise nx.PowerIterationFailedConvergence(max_iter)
    return dict(zip(G.nodes, score.tolist(), strict=True))


def betweenness_centrality(
    G: LumaGraph,  # noqa: N803
    k: int | None = None,
    normalized: bool = True,
    weight: str | None = None,
    endpoints: bool = False,
    seed: Any = None,
) -> dict[Any, float]:
    """The share of shortest paths that lead over each node; from `k` nodes that `seed` draws, or from all."""
    count = len(G)
    k = None if k == count else k
    drawn = G.nodes if k is None else seed.sample(list(G.nodes), k)
    sources = np.array([G.number[node] for node in drawn], np.int32)
    if weight is None:
        found = G.kernels.betweenness(G.simple()[0], sources)
    else:
        values, _ = G.weighted(weight, np.arange(len(G.source)))
        if len(values) and not float(values.min()) > 0:
            raise NotImplementedError("weights of 0 are left to networkx")
        csr, smallest = G.simple(values)
        found = G.kernels.betweenness(csr, sources, smallest)
    scaled = _scaled(
        found, count, None if k is None else sources, normalized=normalized, directed=G.is_directed()
    )
    return dict(zip(G.nodes, scaled.tolist(), strict=True))


def degree_centrality(G: LumaGraph) -> dict[Any, float]:  # noqa: N803
    """The number of edges of each node, by how many other nodes there are; a self-loop counts twice."""
    if G.is_directed():
        degree = _counted(G, G.source) + _counted(G, G.target)
    else:
        degree = _counted(G, G.source) + _counted(G, G.source[G.source == G.target])
    return _shares(G, degree)


def in_degree_centrality(G: LumaGraph) -> dict[Any, float]:  # noqa: N803
    """The number of edges that lead to each node, by how many other nodes there are."""
    return _shares(G, _counted(G, G.target))


def out_degree_centrality(G: LumaGraph) -> dict[Any, float]:  # noqa: N803
    """The number of edges that lead from each node, by how many other nodes there are."""
    return _shares(G, _counted(G, G.source))


def louvain_communities(
    G: LumaGraph,  # noqa: N803
    weight: str | None = "weight",
    resolution: float = 1,
    threshold: float = 0.0000001,
    max_level: None = None,
    seed: Any = None,
) -> list[set[Any]]:
    """Sets of nodes that are more connected inside than to others, the largest first (Blondel and others 2008)."""
    if not len(G.source):
        return [{node} for node in G.nodes]
    csr, order = G.once
    weights, _ = G.weighted(weight, order)
    found = G.kernels.communities(csr, weights, seed=seed.randrange(2**31), resolution=resolution)
    sets: list[set[Any]] = [set() for _ in range(int(found.max()) + 1)]
    for node, community in zip(G.nodes, found.tolist(), strict=True):
        sets[community].add(node)
    return sets


def _change(csr: Csr, weights: Floats, score: Floats, alpha: float) -> float:
    """How much one more step of the walk changes the ranks, in sum."""
    count = len(score)
    source = np.repeat(np.arange(count), np.diff(csr.indptr))
    total = np.bincount(source, weights, count)
    share = np.divide(score, total, out=np.zeros(count), where=total > 0)
    led = np.bincount(csr.neighbours, share[source] * weights, count)
    lost = float(score[total == 0].sum())
    return float(np.abs(alpha * (led + lost / count) + (1 - alpha) / count - score).sum())


def _scaled(found: Floats, count: int, sources: Ids | None, *, normalized: bool, directed: bool) -> Floats:
    """Betweenness as networkx scales it: by pairs of other nodes; a sampled source has one source fewer."""
    others = count - 1
    if others < 2:
        return np.zeros(count) if sources is None else found
    once = 1 if directed else 2

    def scale(rounds: int) -> float:
        return 1 / (rounds * (others - 1)) if normalized else others / (rounds * once)

    if sources is None:
        return found * scale(others)
    by = np.full(count, scale(len(sources)))
    by[sources] = scale(len(sources) - 1) if len(sources) > 1 else math.nan
    return found * by


def _counted(graph: LumaGraph, ends: Ids) -> np.ndarray[Any, Any]:
    return np.bincount(ends, minlength=len(graph))


def _shares(graph: LumaGraph, degree: np.ndarray[Any, Any]) -> dict[Any, float]:
    if len(graph) <= 1:
        return dict.fromkeys(graph.nodes, 1)
    scale = 1.0 / (len(graph) - 1.0)
    return dict(zip(graph.nodes, (degree * scale).tolist(), strict=True))
