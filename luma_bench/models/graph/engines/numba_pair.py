"""The cheapest path between two vertices, compiled: Dijkstra, A*, and both ends towards each other.

Distances hold where `stamp` is of this search's epoch, so that a search costs what it touches. `side` of the arrays of two
rows is 0 for the way from the source and 1 for the way back from the target.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from luma_bench.models.graph.engines.numba_compile import (
    CSR,
    FLOATS,
    IDS,
    INT,
    INTS,
    READ_FLOATS,
    inner,
    kernel,
)
from luma_bench.models.graph.engines.numba_heap import pop, push, roomy
from luma_bench.models.graph.engines.numba_search import levelled

SLACK = 1e-9
"""How much longer than the best a path is still followed, as a part of it: more than sums of floats are off by."""


@inner
def straight(coordinates: Any, vertex: Any, target: Any) -> Any:
    """The straight-line distance to the target; 0 without coordinates, which are x and y in turn."""
    if len(coordinates) == 0:
        return 0.0
    x = coordinates[2 * vertex] - coordinates[2 * target]
    y = coordinates[2 * vertex + 1] - coordinates[2 * target + 1]
    return np.sqrt(x * x + y * y)


@kernel(*CSR, READ_FLOATS, READ_FLOATS, INT, FLOATS, IDS, IDS, INTS, IDS, INT, FLOATS, IDS, INT, INTS, INT)
def aimed(
    indptr: Any,
    neighbours: Any,
    weights: Any,
    coordinates: Any,
    target: Any,
    distance: Any,
    levels: Any,
    parent: Any,
    position: Any,
    stamp: Any,
    epoch: Any,
    keys: Any,
    values: Any,
    size: Any,
    settled: Any,
    budget: Any,
) -> Any:
    """Dijkstra's algorithm, or A* with coordinates, over about so many edges: the heap; its size is 0 when it is done."""
    slack = 1.0
    if len(coordinates):
        slack += SLACK
    while size > 0 and budget > 0:
        key = keys[0]
        vertex = values[0]
        size = pop(keys, values, size)
        here = distance[vertex]
        # Rounding may put a vertex of an equally short path a little behind the target.
        if stamp[target] == epoch and key > distance[target] * slack:
            size = 0
            break
        if key > here + straight(coordinates, vertex, target):
            continue
        settled[0] += 1
        level = levels[vertex]
        budget -= 1 + indptr[vertex + 1] - indptr[vertex]
        for place in range(indptr[vertex], indptr[vertex + 1]):
            neighbour = neighbours[place]
            further = here + weights[place]
            known = stamp[neighbour] == epoch
            if further == np.inf or (known and further > distance[neighbour]):
                continue
            steps = levelled(further, here, level)
            if not known or further < distance[neighbour] or steps < levels[neighbour]:
                stamp[neighbour] = epoch
                distance[neighbour] = further
                levels[neighbour] = steps
                parent[neighbour] = vertex
                position[neighbour] = place
                keys = roomy(keys, size)
                values = roomy(values, size)
                ahead = further + straight(coordinates, neighbour, target)
                size = push(keys, values, size, ahead, neighbour)
            elif steps == levels[neighbour] and (
                vertex < parent[neighbour] or (vertex == parent[neighbour] and place < position[neighbour])
            ):
                parent[neighbour] = vertex
                position[neighbour] = place
    return keys, values, size


@kernel(
    *CSR, READ_FLOATS, *CSR, READ_FLOATS, FLOATS, IDS, IDS, INTS, IDS, FLOATS, IDS, INT,
    FLOATS, IDS, INT, FLOATS, IDS, INT, FLOATS, INTS, INT,
)  # fmt: skip
def towards(
    indptr: Any,
    neighbours: Any,
    weights: Any,
    back_indptr: Any,
    back_neighbours: Any,
    back_weights: Any,
    distance: Any,
    levels: Any,
    parent: Any,
    position: Any,
    stamp: Any,
    back_distance: Any,
    back_stamp: Any,
    epoch: Any,
    keys: Any,
    values: Any,
    size: Any,
    back_keys: Any,
    back_values: Any,
    back_size: Any,
    best: Any,
    settled: Any,
    budget: Any,
) -> Any:
    """Both ends at once, until no shorter path can be left: the two heaps, and whether it is done.

    `back_stamp` is `epoch` where the way back is known and `epoch + 1` where it is final; `best` is the least sum so far.
    """
    while size > 0 and back_size > 0 and budget > 0:
        if keys[0] + back_keys[0] > best[0] * (1.0 + SLACK):
            return keys, values, size, back_keys, back_values, back_size, True
        if keys[0] <= back_keys[0]:
            here = keys[0]
            vertex = values[0]
            size = pop(keys, values, size)
            if here > distance[vertex]:
                continue
            settled[0] += 1
            level = levels[vertex]
            budget -= 1 + indptr[vertex + 1] - indptr[vertex]
            for place in range(indptr[vertex], indptr[vertex + 1]):
                neighbour = neighbours[place]
                further = here + weights[place]
                known = stamp[neighbour] == epoch
                if further == np.inf or (known and further > distance[neighbour]):
                    continue
                steps = levelled(further, here, level)
                if not known or further < distance[neighbour] or steps < levels[neighbour]:
                    stamp[neighbour] = epoch
                    distance[neighbour] = further
                    levels[neighbour] = steps
                    parent[neighbour] = vertex
                    position[neighbour] = place
                    keys = roomy(keys, size)
                    values = roomy(values, size)
                    size = push(keys, values, size, further, neighbour)
                    if back_stamp[neighbour] >= epoch:
                        best[0] = min(best[0], further + back_distance[neighbour])
                elif steps == levels[neighbour] and (
                    vertex < parent[neighbour]
                    or (vertex == parent[neighbour] and place < position[neighbour])
                ):
                    parent[neighbour] = vertex
                    position[neighbour] = place
        else:
            here = back_keys[0]
            vertex = back_values[0]
            back_size = pop(back_keys, back_values, back_size)
            if here > back_distance[vertex]:
                continue
            settled[0] += 1
            back_stamp[vertex] = epoch + 1
            budget -= 1 + back_indptr[vertex + 1] - back_indptr[vertex]
            for place in range(back_indptr[vertex], back_indptr[vertex + 1]):
                neighbour = back_neighbours[place]
                further = here + back_weights[place]
                if further < np.inf and (back_stamp[neighbour] < epoch or further < back_distance[neighbour]):
                    back_stamp[neighbour] = epoch
                    back_distance[neighbour] = further
                    back_keys = roomy(back_keys, back_size)
                    back_values = roomy(back_values, back_size)
                    back_size = push(back_keys, back_values, back_size, further, neighbour)
                    if stamp[neighbour] == epoch:
                        best[0] = min(best[0], further + distance[neighbour])
    return keys, values, size, back_keys, back_values, back_size, size == 0 or back_size == 0


@kernel(*CSR, READ_FLOATS, INT, FLOATS, IDS, IDS, INTS, IDS, FLOATS, IDS, INT, FLOATS, IDS, INT, FLOATS)
def along(
    indptr: Any,
    neighbours: Any,
    weights: Any,
    target: Any,
    distance: Any,
    levels: Any,
    parent: Any,
    position: Any,
    stamp: Any,
    back_distance: Any,
    back_stamp: Any,
    epoch: Any,
    keys: Any,
    values: Any,
    size: Any,
    best: Any,
) -> Any:
    """Finish the way from the source over vertices from which the way back is final and that lie on a best path."""
    bound = best[0] * (1.0 + SLACK)
    final = epoch + 1
    while size > 0:
        here = keys[0]
        vertex = values[0]
        size = pop(keys, values, size)
        if stamp[target] == epoch and here > distance[target]:
            return
        if here > distance[vertex] or back_stamp[vertex] != final or here + back_distance[vertex] > bound:
            continue
        level = levels[vertex]
        for place in range(indptr[vertex], indptr[vertex + 1]):
            neighbour = neighbours[place]
            further = here + weights[place]
            if back_stamp[neighbour] != final or further + back_distance[neighbour] > bound:
                continue
            known = stamp[neighbour] == epoch
            if known and further > distance[neighbour]:
                continue
            steps = levelled(further, here, level)
            if not known or further < distance[neighbour] or steps < levels[neighbour]:
                stamp[neighbour] = epoch
                distance[neighbour] = further
                levels[neighbour] = steps
                parent[neighbour] = vertex
                position[neighbour] = place
                keys = roomy(keys, size)
                values = roomy(values, size)
                size = push(keys, values, size, further, neighbour)
            elif steps == levels[neighbour] and (
                vertex < parent[neighbour] or (vertex == parent[neighbour] and place < position[neighbour])
            ):
                parent[neighbour] = vertex
                position[neighbour] = place
