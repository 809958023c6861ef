"""Communities by Louvain's method: local moves to greater modularity, then the same among the communities.

Blondel, Guillaume, Lambiotte and Lefebvre 2008; a vertex is looked at again when a neighbour moved (Traag, Waltman and
van Eck 2019). `move` is written so that it runs as it stands over memory views, and compiled over arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from luma_bench.models.graph.engine import Check
from luma_bench.models.graph.engines.numpy_sparse import Narrow
from luma_bench.models.graph.topology import Csr, Floats, Ids

Move = Callable[..., None]
"""`move`, or the same compiled."""


def communities(
    csr: Csr,
    weights: Floats | None,
    seed: int,
    resolution: float,
    narrow: Narrow,
    check: Check,
    mover: Move,
    *,
    budget: int,
    plain: bool,
) -> Ids:
    """See `GraphEngine.communities`; `plain` for a mover that is not compiled."""
    from scipy.sparse import csr_array

    one_way = narrow.matrix(csr, np.ones(len(csr.neighbours)) if weights is None else weights)
    graph = (one_way + one_way.T).tocsr()
    graph.sum_duplicates()
    label = np.arange(csr.vertices)
    random = np.random.default_rng(seed)
    while graph.shape[0]:
        strength = graph @ np.ones(graph.shape[0])
        total = float(strength.sum())
        if total == 0.0:
            break
        order = random.permutation(graph.shape[0]).astype(np.int32)
        moved = _moved(graph, strength, total, order, resolution, check, mover, budget=budget, plain=plain)
        names, place = np.unique(moved, return_inverse=True)
        if len(names) == graph.shape[0]:
            break
        label = place[label]
        shape = (graph.shape[0], len(names))
        member = csr_array((np.ones(len(place)), place, np.arange(len(place) + 1)), shape=shape)
        graph = (member.T.tocsr() @ graph @ member).tocsr()
        graph.sort_indices()
        check()
    return by_size(label)


def by_size(label: np.ndarray[Any, Any]) -> Ids:
    """Groups numbered from 0, by falling size, then by smallest member."""
    _, first, place, size = np.unique(label, return_index=True, return_inverse=True, return_counts=True)
    number = np.empty(len(first), np.int32)
    number[np.lexsort((first, -size))] = np.arange(len(first), dtype=np.int32)
    return number[place]


def move(
    indptr: Any,
    ends: Any,
    data: Any,
    strength: Any,
    total: float,
    resolution: float,
    community: Any,
    volume: Any,
    link: Any,
    touched: Any,
    queue: Any,
    queued: Any,
    state: Any,
    budget: int,
) -> None:
    """Move the vertices of a queue, at most so many edges of them, to the neighbouring community that gains most.

    `queue` is a ring; `state` holds its head and how many wait. `link` is -1 for every community between vertices.
    """
    vertices = len(strength)
    head = state[0]
    waiting = state[1]
    while waiting > 0 and budget > 0:
        vertex = queue[head]
        head += 1
        if head == vertices:
            head = 0
        waiting -= 1
        queued[vertex] = 0
        own = community[vertex]
        weight = strength[vertex]
        link[own] = 0.0
        touched[0] = own
        count = 1
        for place in range(indptr[vertex], indptr[vertex + 1]):
            end = ends[place]
            if end != vertex:
                other = community[end]
                if link[other] < 0.0:
                    link[other] = 0.0
                    touched[count] = other
                    count += 1
                link[other] += data[place]
        volume[own] -= weight
        best = own
        most = link[own] - resolution * weight * volume[own] / total + 1e-12 * total
        for place in range(1, count):
            other = touched[place]
            gain = link[other] - resolution * weight * volume[other] / total
            if gain > most:
                best = other
                most = gain
        for place in range(count):
            link[touched[place]] = -1.0
        volume[best] += weight
        budget -= 1 + indptr[vertex + 1] - indptr[vertex]
        if best != own:
            community[vertex] = best
            for place in range(indptr[vertex], indptr[vertex + 1]):
                end = ends[place]
                if queued[end] == 0 and community[end] != best:
                    queued[end] = 1
                    tail = head + waiting
                    if tail >= vertices:
                        tail -= vertices
                    queue[tail] = end
                    waiting += 1
    state[0] = head
    state[1] = waiting


def _moved(
    graph: Any,
    strength: Floats,
    total: float,
    order: Ids,
    resolution: float,
    check: Check,
    mover: Move,
    *,
    budget: int,
    plain: bool,
) -> Ids:
    """The community of each vertex of a graph after local moves, each named by one of its first members."""
    community = np.arange(len(strength), dtype=np.int32)
    state = np.array([0, len(strength)], np.int64)
    held: list[Any] = [
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32, copy=False).view(np.uint32),
        graph.data,
        strength,
        community,
        strength.copy(),
        np.full(len(strength), -1.0),
        np.empty(len(strength) + 1, np.int32),
        order,
        np.ones(len(strength), np.uint8),
        state,
    ]
    if plain:
        held = [memoryview(item) for item in held]
    while state[1]:
        mover(*held[:4], total, resolution, *held[4:], budget)
        check()
    return community
