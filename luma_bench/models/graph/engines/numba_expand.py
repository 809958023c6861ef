"""One step along edges, compiled. An empty array of `dead` or `allowed` stands for none."""

from __future__ import annotations

from typing import Any

import numpy as np

from luma_bench.models.graph.engines.numba_bits import bit, listed
from luma_bench.models.graph.engines.numba_compile import (
    CSR,
    FLOATS,
    IDS,
    INT,
    INTS,
    READ_BOOLS,
    READ_FLOATS,
    READ_IDS,
    READ_INTS,
    TABLE,
    WORDS,
    inner,
    kernel,
)


@inner
def stands(slot: Any, dead: Any, allowed: Any) -> Any:
    """Whether an edge lives and is allowed."""
    return (len(dead) == 0 or not dead[slot]) and (len(allowed) == 0 or allowed[slot])


@inner
def row(indptr: Any, vertex: Any) -> Any:
    """Where a vertex's row begins and ends; empty for one that the CSR does not have."""
    if vertex < 0 or vertex >= len(indptr) - 1:
        return 0, 0
    return indptr[vertex], indptr[vertex + 1]


@kernel(READ_IDS, *TABLE, *TABLE, READ_BOOLS, READ_BOOLS)
def expand(
    frontier: Any,
    indptr: Any,
    neighbours: Any,
    slots: Any,
    later_indptr: Any,
    later_neighbours: Any,
    later_slots: Any,
    dead: Any,
    allowed: Any,
) -> Any:
    """Rows, neighbours and slots of the live, allowed edges of a frontier."""
    count = 0
    for vertex in frontier:
        start, stop = row(indptr, vertex)
        later, end = row(later_indptr, vertex)
        if len(dead) or len(allowed):
            for place in range(start, stop):
                count += stands(slots[place], dead, allowed)
            for place in range(later, end):
                count += stands(later_slots[place], dead, allowed)
        else:
            count += stop - start + end - later
    rows = np.empty(count, np.int64)
    ends = np.empty(count, np.int32)
    edges = np.empty(count, np.int32)
    count = 0
    for number in range(len(frontier)):
        start, stop = row(indptr, frontier[number])
        later, end = row(later_indptr, frontier[number])
        while start < stop or later < end:
            if later == end or (start < stop and neighbours[start] <= later_neighbours[later]):
                neighbour = neighbours[start]
                slot = slots[start]
                start += 1
            else:
                neighbour = later_neighbours[later]
                slot = later_slots[later]
                later += 1
            if stands(slot, dead, allowed):
                rows[count] = number
                ends[count] = neighbour
                edges[count] = slot
                count += 1
    return rows, ends, edges


@kernel(READ_IDS, READ_INTS, READ_IDS, READ_BOOLS, READ_BOOLS, INTS)
def add_degrees(frontier: Any, indptr: Any, slots: Any, dead: Any, allowed: Any, found: Any) -> None:
    """Add the live, allowed edges of each vertex of a frontier to `found`."""
    for number in range(len(frontier)):
        start, stop = row(indptr, frontier[number])
        count = 0
        for place in range(start, stop):
            count += stands(slots[place], dead, allowed)
        found[number] += count


@kernel(*TABLE, READ_INTS, READ_BOOLS, READ_BOOLS, INTS)
def add_ints(
    indptr: Any, neighbours: Any, slots: Any, values: Any, dead: Any, allowed: Any, found: Any
) -> None:
    """Add the sums of whole numbers over the neighbours of each vertex to `found`."""
    for vertex in range(len(indptr) - 1):
        total = 0
        for place in range(indptr[vertex], indptr[vertex + 1]):
            if stands(slots[place], dead, allowed):
                total += values[neighbours[place]]
        found[vertex] += total


@kernel(*TABLE, READ_FLOATS, READ_BOOLS, READ_BOOLS, FLOATS)
def add_floats(
    indptr: Any, neighbours: Any, slots: Any, values: Any, dead: Any, allowed: Any, found: Any
) -> None:
    """Add the sums of floats over the neighbours of each vertex, from the left, to `found`."""
    for vertex in range(len(indptr) - 1):
        total = 0.0
        for place in range(indptr[vertex], indptr[vertex + 1]):
            if stands(slots[place], dead, allowed):
                total += values[neighbours[place]]
        found[vertex] += total


@inner
def advance(
    indptr: Any,
    neighbours: Any,
    slots: Any,
    dead: Any,
    allowed: Any,
    buffer: Any,
    low: Any,
    high: Any,
    out: Any,
    end: Any,
    seen: Any,
) -> Any:
    """Put the neighbours of `buffer[low:high]` that were not seen behind `out[:end]`; how many are there then."""
    masked = len(dead) > 0 or len(allowed) > 0
    for number in range(low, high):
        start, stop = row(indptr, buffer[number])
        for place in range(start, stop):
            neighbour = neighbours[place]
            own = bit(neighbour)
            if seen[neighbour >> 6] & own == 0 and (not masked or stands(slots[place], dead, allowed)):
                seen[neighbour >> 6] |= own
                out[end] = neighbour
                end += 1
    return end


@kernel(*TABLE, READ_BOOLS, READ_BOOLS, IDS, INT, INT, IDS, INT, WORDS)
def step(
    indptr: Any,
    neighbours: Any,
    slots: Any,
    dead: Any,
    allowed: Any,
    buffer: Any,
    low: Any,
    high: Any,
    out: Any,
    end: Any,
    seen: Any,
) -> Any:
    """`advance` as a call of its own."""
    return advance(indptr, neighbours, slots, dead, allowed, buffer, low, high, out, end, seen)


@kernel(*TABLE, READ_BOOLS, READ_BOOLS, IDS, INT, INT, WORDS, WORDS, WORDS, INT, INT)
def flood(
    indptr: Any,
    neighbours: Any,
    slots: Any,
    dead: Any,
    allowed: Any,
    buffer: Any,
    low: Any,
    high: Any,
    seen: Any,
    fresh: Any,
    summary: Any,
    levels: Any,
    budget: Any,
) -> Any:
    """Level after level behind `buffer[:high]`, until the levels or about so many vertices are done.

    Gives where the last level begins and ends, and how many levels are left.
    """
    stop = high + budget
    while levels > 0 and low < high and high <= stop:
        end = advance(indptr, neighbours, slots, dead, allowed, buffer, low, high, buffer, high, seen)
        low = high
        high = end
        levels -= 1
        if levels > 0 and high - low > len(seen):
            # Rows are read faster in order.
            listed(buffer, low, high, fresh, summary)
    return low, high, levels


@kernel(*CSR, IDS, INT, INT)
def join(indptr: Any, neighbours: Any, root: Any, low: Any, high: Any) -> None:
    """Join the vertices of rows `low` to `high` with their neighbours: `root` leads towards the smallest of a component."""
    for vertex in range(low, high):
        one = vertex
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        for place in range(indptr[vertex], indptr[vertex + 1]):
            other = neighbours[place]
            while root[other] != other:
                root[other] = root[root[other]]
                other = root[other]
            if one < other:
                root[other] = one
            elif other < one:
                root[one] = other
                one = other
