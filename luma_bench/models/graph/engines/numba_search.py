"""Searches from one source, compiled: breadth first and cheapest paths. Each call does a bounded piece of the work."""

from __future__ import annotations

from typing import Any

import numpy as np

from luma_bench.models.graph.engines.numba_bits import ascending, bit, listed
from luma_bench.models.graph.engines.numba_compile import (
    CSR,
    FLOAT,
    FLOATS,
    IDS,
    INT,
    INTS,
    READ_FLOATS,
    READ_INTS,
    WORDS,
    inner,
    kernel,
)
from luma_bench.models.graph.engines.numba_heap import pop, push, roomy

_LARGE = 4096
"""Entries from which a heap is one that has a pile beside it."""
_SMALL = 1024


@kernel(*CSR, WORDS, WORDS, WORDS, IDS, FLOATS, IDS, INTS, INTS, INT, INT, INT)
def bfs(
    indptr: Any,
    neighbours: Any,
    seen: Any,
    fresh: Any,
    summary: Any,
    queue: Any,
    distance: Any,
    parent: Any,
    position: Any,
    state: Any,
    limit: Any,
    target: Any,
    budget: Any,
) -> Any:
    """Breadth first over about so many edges; whether it is done. `state`: next, end of its level, end of queue, level."""
    while True:
        while state[0] < state[1]:
            vertex = queue[state[0]]
            state[0] += 1
            end = state[2]
            further = np.float64(state[3] + 1)
            for place in range(indptr[vertex], indptr[vertex + 1]):
                neighbour = neighbours[place]
                word = neighbour >> 6
                own = bit(neighbour)
                if seen[word] & own == 0:
                    seen[word] |= own
                    distance[neighbour] = further
                    parent[neighbour] = vertex
                    position[neighbour] = place
                    queue[end] = neighbour
                    end += 1
            state[2] = end
            budget -= 1 + indptr[vertex + 1] - indptr[vertex]
            if budget < 0:
                return False
        state[3] += 1
        if state[2] == state[1] or state[3] >= limit or (target >= 0 and distance[target] < np.inf):
            return True
        ascending(queue, state[1], state[2], fresh, summary)
        state[1] = state[2]


@kernel(*CSR, WORDS, WORDS, WORDS, IDS, FLOATS, INTS, INT, INT, INT)
def depths(
    indptr: Any,
    neighbours: Any,
    seen: Any,
    fresh: Any,
    summary: Any,
    queue: Any,
    distance: Any,
    state: Any,
    limit: Any,
    target: Any,
    budget: Any,
) -> Any:
    """`bfs` without the tree; a level is put in order only where that makes reading its rows faster."""
    while True:
        while state[0] < state[1]:
            vertex = queue[state[0]]
            state[0] += 1
            end = state[2]
            further = np.float64(state[3] + 1)
            for place in range(indptr[vertex], indptr[vertex + 1]):
                neighbour = neighbours[place]
                own = bit(neighbour)
                if seen[neighbour >> 6] & own == 0:
                    seen[neighbour >> 6] |= own
                    distance[neighbour] = further
                    queue[end] = neighbour
                    end += 1
            state[2] = end
            budget -= 1 + indptr[vertex + 1] - indptr[vertex]
            if budget < 0:
                return False
        state[3] += 1
        if state[2] == state[1] or state[3] >= limit or (target >= 0 and distance[target] < np.inf):
            return True
        if state[2] - state[1] > len(seen):
            listed(queue, state[1], state[2], fresh, summary)
        state[1] = state[2]


@inner
def levelled(further: Any, here: Any, level: Any) -> Any:
    """The number of edges of no length that a label ends in."""
    if further == here:
        return level + 1
    return 0


@inner
def quantile(keys: Any, count: Any) -> Any:
    """A key that about an eighth of the keys is not above."""
    sample = keys[: count : count // 64].copy()
    sample.sort()
    return sample[len(sample) // 8]


@inner
def nearest(far_keys: Any, far_values: Any, far_size: Any, distance: Any) -> Any:
    """Leave what still holds in the pile of far entries: its size, and a key that about an eighth of them is not above."""
    count = 0
    for place in range(far_size):
        if far_keys[place] == distance[far_values[place]]:
            far_keys[count] = far_keys[place]
            far_values[count] = far_values[place]
            count += 1
    if count <= _SMALL:
        return count, np.inf
    return count, quantile(far_keys, count)


@inner
def refilled(keys: Any, values: Any, far_keys: Any, far_values: Any, far_size: Any, distance: Any) -> Any:
    """A heap of the nearest entries of the pile: its arrays and size, the pile's size, and the limit between them."""
    count, limit = nearest(far_keys, far_values, far_size, distance)
    size = 0
    left = 0
    for place in range(count):
        if far_keys[place] <= limit:
            keys = roomy(keys, size)
            values = roomy(values, size)
            size = push(keys, values, size, far_keys[place], far_values[place])
        else:
            far_keys[left] = far_keys[place]
            far_values[left] = far_values[place]
            left += 1
    return keys, values, size, left, limit


@inner
def parted(keys: Any, values: Any, size: Any, far_keys: Any, far_values: Any, far_size: Any) -> Any:
    """Put the far entries of a heap on the pile: the heap's size, the pile's arrays and size, and the limit between them."""
    limit = quantile(keys, size)
    count = 0
    for place in range(size):
        # Entries move to the front only: what is read was not written over.
        key = keys[place]
        value = values[place]
        if key <= limit:
            count = push(keys, values, count, key, value)
        else:
            far_keys = roomy(far_keys, far_size)
            far_values = roomy(far_values, far_size)
            far_keys[far_size] = key
            far_values[far_size] = value
            far_size += 1
    return count, far_keys, far_values, far_size, limit


@kernel(*CSR, READ_FLOATS, FLOATS, IDS, IDS, INTS, FLOATS, IDS, INT, FLOATS, IDS, INT, FLOAT, INT, INT)
def sssp(
    indptr: Any,
    neighbours: Any,
    weights: Any,
    distance: Any,
    levels: Any,
    parent: Any,
    position: Any,
    keys: Any,
    values: Any,
    size: Any,
    far_keys: Any,
    far_values: Any,
    far_size: Any,
    limit: Any,
    plain: Any,
    budget: Any,
) -> Any:
    """Dijkstra's algorithm over about so many edges: heap, pile and limit; it is done when heap and pile are empty.

    `plain` is 1 until an edge has had no length, and comes back last: so long all `levels` are 0, and nobody looks.

    Entries above the limit lie in a pile until the heap is empty: the heap stays small, and most of them are outdated by then.
    """
    most = max(_LARGE, 2 * size)
    while budget > 0:
        if size == 0:
            if far_size == 0:
                break
            keys, values, size, far_size, limit = refilled(
                keys, values, far_keys, far_values, far_size, distance
            )
            budget -= far_size + size
            continue
        here = keys[0]
        vertex = values[0]
        size = pop(keys, values, size)
        if here > distance[vertex]:
            continue
        budget -= 1 + indptr[vertex + 1] - indptr[vertex]
        for place in range(indptr[vertex], indptr[vertex + 1]):
            neighbour = neighbours[place]
            further = here + weights[place]
            if further > distance[neighbour] or further == np.inf:
                continue
            steps = 0
            if further == here:
                plain = 0
                steps = levels[vertex] + 1
            nearer = further < distance[neighbour]
            if nearer or (plain == 0 and steps < levels[neighbour]):
                distance[neighbour] = further
                if plain == 0:
                    levels[neighbour] = steps
                parent[neighbour] = vertex
                position[neighbour] = place
                if further <= limit:
                    keys = roomy(keys, size)
                    values = roomy(values, size)
                    size = push(keys, values, size, further, neighbour)
                else:
                    far_keys = roomy(far_keys, far_size)
                    far_values = roomy(far_values, far_size)
                    far_keys[far_size] = further
                    far_values[far_size] = neighbour
                    far_size += 1
            elif (plain == 1 or steps == levels[neighbour]) and (
                vertex < parent[neighbour] or (vertex == parent[neighbour] and place < position[neighbour])
            ):
                parent[neighbour] = vertex
                position[neighbour] = place
        if size > most:
            size, far_keys, far_values, far_size, limit = parted(
                keys, values, size, far_keys, far_values, far_size
            )
            most = max(_LARGE, 2 * size)
    return keys, values, size, far_keys, far_values, far_size, limit, plain


@kernel(*CSR, READ_INTS, READ_INTS, INT, INT, INTS, IDS, IDS, INTS, INTS, IDS, INT, INT)
def journeys(
    indptr: Any,
    neighbours: Any,
    depart: Any,
    arrive: Any,
    source: Any,
    strict: Any,
    arrival: Any,
    levels: Any,
    parent: Any,
    position: Any,
    keys: Any,
    values: Any,
    size: Any,
    budget: Any,
) -> Any:
    """Earliest arrivals over about so many edges: the heap's arrays and size, which is 0 when it is done."""
    while size > 0 and budget > 0:
        here = keys[0]
        vertex = values[0]
        size = pop(keys, values, size)
        if here > arrival[vertex]:
            continue
        level = levels[vertex]
        ready = here
        if vertex != source:
            ready += strict
        budget -= 1 + indptr[vertex + 1] - indptr[vertex]
        for place in range(indptr[vertex], indptr[vertex + 1]):
            neighbour = neighbours[place]
            further = arrive[place]
            if depart[place] < ready or further > arrival[neighbour] or neighbour == source:
                continue
            steps = levelled(further, here, level)
            if further < arrival[neighbour] or steps < levels[neighbour]:
                arrival[neighbour] = further
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
    return keys, values, size
