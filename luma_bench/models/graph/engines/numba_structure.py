"""What a whole graph is made of, compiled: triangles, cores, communities and betweenness."""

from __future__ import annotations

from typing import Any

import numpy as np

from luma_bench.models.graph.engines import numpy_brandes, numpy_louvain
from luma_bench.models.graph.engines.numba_compile import (
    BYTES,
    CSR,
    FLOAT,
    FLOATS,
    IDS,
    INT,
    INTS,
    READ_ENDS,
    READ_FLOATS,
    READ_IDS,
    kernel,
)

move = kernel(*CSR, READ_FLOATS, READ_FLOATS, FLOAT, FLOAT, IDS, FLOATS, FLOATS, IDS, IDS, BYTES, INTS, INT)(
    numpy_louvain.move
)
accumulate = kernel(*CSR, READ_FLOATS, READ_IDS, READ_FLOATS, FLOATS, FLOATS)(numpy_brandes.accumulate)


@kernel(*CSR)
def transposed(indptr: Any, neighbours: Any) -> Any:
    """Row bounds and neighbours of the edges turned round, ascending."""
    bounds = np.zeros(len(indptr) + 1, np.int64)
    for end in neighbours:
        bounds[end + 2] += 1
    for vertex in range(2, len(bounds)):
        bounds[vertex] += bounds[vertex - 1]
    ends = np.empty(len(neighbours), np.uint32)
    for vertex in range(len(indptr) - 1):
        for place in range(indptr[vertex], indptr[vertex + 1]):
            end = neighbours[place]
            ends[bounds[end + 1]] = vertex
            bounds[end + 1] += 1
    return bounds[:-1], ends


@kernel(*CSR, *CSR)
def joined(indptr: Any, neighbours: Any, turned: Any, back: Any) -> Any:
    """Rows that hold the neighbours of two CSRs, each once, without the vertex itself."""
    bounds = np.zeros(len(indptr), np.int64)
    ends = np.empty(len(neighbours) + len(back), np.uint32)
    count = 0
    for vertex in range(len(indptr) - 1):
        one = indptr[vertex]
        stop = indptr[vertex + 1]
        other = turned[vertex]
        end = turned[vertex + 1]
        last = vertex
        while one < stop or other < end:
            if other == end or (one < stop and neighbours[one] <= back[other]):
                neighbour = np.int64(neighbours[one])
                one += 1
            else:
                neighbour = np.int64(back[other])
                other += 1
            if neighbour != last and neighbour != vertex:
                ends[count] = neighbour
                last = neighbour
                count += 1
        bounds[vertex + 1] = count
    return bounds, ends[:count].copy()


@kernel(*CSR, READ_IDS, READ_ENDS)
def upward(indptr: Any, neighbours: Any, order: Any, rank: Any) -> Any:
    """Vertices renamed by `rank`, whose inverse is `order`, and of each edge the direction to the greater name."""
    bounds = np.zeros(len(indptr), np.int64)
    ends = np.empty(len(neighbours) // 2, np.uint32)
    count = 0
    for name in range(len(order)):
        vertex = order[name]
        for place in range(indptr[vertex], indptr[vertex + 1]):
            other = rank[neighbours[place]]
            if other > name:
                ends[count] = other
                count += 1
        bounds[name + 1] = count
    return bounds, ends


@kernel(*CSR, INT, INT, IDS, INTS)
def triangles(indptr: Any, neighbours: Any, low: Any, high: Any, mark: Any, found: Any) -> None:
    """Count the triangles whose smallest vertex is in rows `low` to `high`; each row holds greater vertices only, in any order."""
    for vertex in range(low, high):
        stamp = vertex + 1
        for place in range(indptr[vertex], indptr[vertex + 1]):
            mark[neighbours[place]] = stamp
        total = 0
        for place in range(indptr[vertex], indptr[vertex + 1]):
            middle = neighbours[place]
            count = 0
            for further in range(indptr[middle], indptr[middle + 1]):
                last = neighbours[further]
                if mark[last] == stamp:
                    count += 1
                    found[last] += 1
            found[middle] += count
            total += count
        found[vertex] += total


@kernel(*CSR, INTS, IDS, IDS, INTS, INT, INT)
def cores(
    indptr: Any, neighbours: Any, degree: Any, place_of: Any, order: Any, first: Any, step: Any, budget: Any
) -> Any:
    """Core numbers into `degree` (Batagelj and Zaversnik 2003): `order` by degree, where each degree begins in `first`.

    It goes on from a step, over about so many edges; the step to go on from.
    """
    while step < len(order) and budget > 0:
        vertex = order[step]
        held = degree[vertex]
        step += 1
        budget -= 1 + indptr[vertex + 1] - indptr[vertex]
        for place in range(indptr[vertex], indptr[vertex + 1]):
            other = neighbours[place]
            if degree[other] > held:
                begin = first[degree[other]]
                head = order[begin]
                if head != other:
                    order[place_of[other]] = head
                    place_of[head] = place_of[other]
                    order[begin] = other
                    place_of[other] = begin
                first[degree[other]] += 1
                degree[other] -= 1
    return step


@kernel(*CSR, INT, IDS, FLOATS, FLOATS, IDS, FLOATS)
def dependencies(
    indptr: Any,
    neighbours: Any,
    source: Any,
    depth: Any,
    paths: Any,
    delta: Any,
    queue: Any,
    score: Any,
) -> None:
    """Add the dependencies on the paths from one source to `score`; the arrays are as fresh before and after."""
    depth[source] = 0
    paths[source] = 1.0
    queue[0] = source
    step = 0
    end = 1
    while step < end:
        vertex = queue[step]
        step += 1
        further = depth[vertex] + 1
        for place in range(indptr[vertex], indptr[vertex + 1]):
            neighbour = neighbours[place]
            if depth[neighbour] < 0:
                depth[neighbour] = further
                queue[end] = neighbour
                end += 1
            if depth[neighbour] == further:
                paths[neighbour] += paths[vertex]
    for step in range(end - 1, 0, -1):
        vertex = queue[step]
        further = depth[vertex] + 1
        found = 0.0
        for place in range(indptr[vertex], indptr[vertex + 1]):
            neighbour = neighbours[place]
            if depth[neighbour] == further:
                found += paths[vertex] / paths[neighbour] * (1.0 + delta[neighbour])
        delta[vertex] = found
        score[vertex] += found
    for step in range(end):
        vertex = queue[step]
        depth[vertex] = -1
        paths[vertex] = 0.0
        delta[vertex] = 0.0
