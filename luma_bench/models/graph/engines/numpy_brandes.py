"""Betweenness, in NumPy: shortest paths counted level by level, and their dependencies summed on the way back.

Brandes, A faster algorithm for betweenness centrality, 2001. `accumulate` is written so that it runs as it stands over
memory views, and compiled over arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from luma_bench.models.graph.engine import Check
from luma_bench.models.graph.engines.numpy_expand import bounds, spread
from luma_bench.models.graph.engines.numpy_reach import distinct
from luma_bench.models.graph.engines.numpy_sparse import Narrow
from luma_bench.models.graph.topology import Csr, Floats, Ids


def betweenness(csr: Csr, sources: Ids, check: Check) -> Floats:
    """See `GraphEngine.betweenness`, of edges that count one."""
    score = np.zeros(csr.vertices)
    for source in sources.tolist():
        score += _dependencies(csr, source, check)
    return score


def weighted_betweenness(csr: Csr, weights: Floats, sources: Ids, narrow: Narrow, check: Check) -> Floats:
    """See `GraphEngine.betweenness`."""
    from scipy.sparse.csgraph import dijkstra

    score = np.zeros(csr.vertices)
    edges = [memoryview(item) for item in (csr.indptr, csr.neighbours, weights)]
    for source in sources.tolist():
        check()
        distance: Floats = dijkstra(narrow.matrix(csr, weights), indices=source)
        delta = np.zeros(csr.vertices)
        paths = np.zeros(csr.vertices)
        paths[source] = 1.0
        held = [memoryview(item) for item in (by_distance(distance), distance, paths, delta)]
        accumulate(*edges, *held)
        delta[source] = 0.0
        score += delta
    return score


def by_distance(distance: Floats) -> Ids:
    """The vertices that were reached, near ones first."""
    order = np.argsort(distance, kind="stable").astype(np.int32)
    return order[: int(np.isfinite(distance).sum())]


def accumulate(
    indptr: Any, ends: Any, weights: Any, order: Any, distance: Any, paths: Any, delta: Any
) -> None:
    """Count the cheapest paths from the source, whose `paths` is 1, and sum their dependencies into `delta`."""
    for step in range(len(order)):
        vertex = order[step]
        here = distance[vertex]
        for place in range(indptr[vertex], indptr[vertex + 1]):
            there = distance[ends[place]]
            if here < there and here + weights[place] == there:
                paths[ends[place]] += paths[vertex]
    for step in range(len(order) - 1, -1, -1):
        vertex = order[step]
        here = distance[vertex]
        found = 0.0
        for place in range(indptr[vertex], indptr[vertex + 1]):
            there = distance[ends[place]]
            if here < there and here + weights[place] == there:
                found += paths[vertex] / paths[ends[place]] * (1.0 + delta[ends[place]])
        delta[vertex] = found


def _dependencies(csr: Csr, source: int, check: Check) -> Floats:
    depth = np.full(csr.vertices, -1, np.int32)
    depth[source] = 0
    paths = np.zeros(csr.vertices)
    paths[source] = 1.0
    frontier = np.array([source], np.int32)
    levels: list[tuple[Ids, Ids]] = []
    while len(frontier):
        check()
        starts, lengths = bounds(csr, frontier)
        before, after = np.repeat(frontier, lengths), csr.neighbours[spread(starts, lengths)]
        new = after[depth[after] < 0]
        depth[new] = len(levels) + 1
        tight = depth[after] == len(levels) + 1
        before, after = before[tight], after[tight]
        np.add.at(paths, after, paths[before])
        levels.append((before, after))
        frontier = distinct(new, csr.vertices)
    delta = np.zeros(csr.vertices)
    for before, after in reversed(levels):
        np.add.at(delta, before, paths[before] / paths[after] * (1.0 + delta[after]))
    delta[source] = 0.0
    return delta
