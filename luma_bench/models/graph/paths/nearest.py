"""ANY SHORTEST for a pattern of one edge that repeats: breadth first over vertices alone.

From one start to many ends the frontier is kept in the order of its ways, so the first edge that leads to a vertex is the
last of the first way there. To one end the distances back from it are enough: each start goes on to the first neighbour
that is nearer. Between one start and one end both sides meet in the middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.graph.paths.arcs import Arcs, Arrivals
from luma_bench.models.graph.topology import Bools, Ids, Ints

UNKNOWN = -1


class Ways(NamedTuple):
    """Walks of one length: `length + 1` rows of vertices and `length` rows of slots, one column for each."""

    nodes: Ids
    slots: Ints


class Reached(NamedTuple):
    """What a search from one start found, by vertex: the level (`UNKNOWN` where it did not come) and the edge that led there."""

    level: Ids
    parent: Ids
    slot: Ints

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.level.nbytes + self.parent.nbytes + self.slot.nbytes


def in_order(found: Arrivals, ranks: Ints) -> Ints:
    """The order of a frontier's edges: by its rows, ranks of the other ends, slots."""
    return np.lexsort((found.slots, ranks[found.vertices], found.rows))


def reached_from(
    arcs: Arcs,
    start: int,
    ranks: Ints,
    most: int | None,
    ends: Bools | None,
    count: int,
    control: Control,
) -> Reached:
    """The first of the shortest walks of one edge or more from a start to every vertex, the start itself among them.

    Parameters
    ----------
    ends, count
        Leave off when so many of these vertices were reached; None for all vertices.
    """
    vertices = len(ranks)
    control.fits(24 * vertices, "Searching shortest paths")
    level = np.full(vertices, UNKNOWN, np.int32)
    parent, slot = np.full(vertices, -1, np.int32), np.full(vertices, -1, np.int64)
    winner = np.empty(vertices, np.int64)
    frontier = np.array([start], np.int32)
    depth = 0
    while len(frontier) and (most is None or depth < most) and count > 0:
        control.check()
        depth += 1
        fresh: list[tuple[Ints, Ids]] = []
        for rows, found in pieces(arcs, frontier, control):
            new = level[found.vertices] == UNKNOWN
            found = Arrivals(found.rows[new], found.vertices[new], found.slots[new])
            # The edge that is written last stays: that of the first row, and of parallel ones the smallest slot.
            order = np.arange(len(found.rows)) if arcs.ascending else np.lexsort((found.slots, found.rows))
            order = order[::-1]
            winner[found.vertices[order]] = order
            places = np.flatnonzero(winner[found.vertices] == np.arange(len(order)))
            first_rows, first_vertices = found.rows[places] + rows.start, found.vertices[places]
            parent[first_vertices], slot[first_vertices] = frontier[first_rows], found.slots[places]
            level[first_vertices] = depth
            fresh.append((first_rows, first_vertices))
        rows_of, at = np.concatenate([a for a, _ in fresh]), np.concatenate([b for _, b in fresh])
        frontier = at[np.lexsort((ranks[at], rows_of))]
        if ends is not None:
            count -= int(ends[frontier].sum())
    return Reached(level, parent, slot)


PIECE = 1 << 21


def pieces(arcs: Arcs, frontier: Ids, control: Control) -> Iterator[tuple[slice, Arrivals]]:
    """The edges of a frontier, some rows of it at a time; rows count from the piece's start."""
    most = arcs.at_most(frontier)
    ends = np.cumsum(most)
    start = 0
    while start < len(frontier):
        control.check()
        done = int(ends[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ends, done + PIECE, side="right")), start + 1)
        control.fits(16.0 * (int(ends[stop - 1]) - done), "The edges of one vertex")
        yield slice(start, stop), arcs.expand(frontier[start:stop])
        start = stop


def ways_to(found: Reached, ends: Ids, control: Control) -> Iterator[Ways]:
    """The walks to some ends that were reached, those of one length together."""
    ends = ends[found.level[ends] > 0]
    ends = ends[np.argsort(found.level[ends], kind="stable")]
    lengths = found.level[ends].astype(np.int64)
    while len(ends):
        # Walks of all lengths are followed back together: there may be few of each, and many lengths.
        cells = (lengths + 1) * np.arange(1, len(ends) + 1)
        count = max(int(np.searchsorted(cells, 4 << 20, side="right")), 1)
        at, here = ends[:count].copy(), lengths[:count]
        longest = int(here[-1])
        nodes, slots = np.empty((longest + 1, count), np.int32), np.empty((longest, count), np.int64)
        nodes[here, np.arange(count)] = at
        firsts = np.searchsorted(here, np.arange(longest + 1)).tolist()
        for place in range(longest - 1, -1, -1):
            if not place % 1024:
                control.check()
            first = firsts[place + 1]
            slots[place, first:] = found.slot[at[first:]]
            at[first:] = found.parent[at[first:]]
            nodes[place, first:] = at[first:]
        for length in np.unique(here).tolist():
            low, high = np.searchsorted(here, [length, length + 1]).tolist()
            yield Ways(nodes[: length + 1, low:high], slots[:length, low:high])
        ends, lengths = ends[count:], lengths[count:]


def distances_back(
    back: Arcs, end: int, vertices: int, most: int | None, until: Bools | None, count: int, control: Control
) -> Ids:
    """By vertex, the edges of the shortest walk to an end; 0 for itself. Leaves off when `count` of `until` are reached."""
    control.fits(4 * vertices, "Searching shortest paths")
    level = np.full(vertices, UNKNOWN, np.int32)
    level[end] = 0
    frontier = np.array([end], np.int32)
    depth = 0
    if until is not None:
        count -= int(until[end])
    while len(frontier) and (most is None or depth < most) and count > 0:
        depth += 1
        frontier = _marked(back, frontier, level, depth, control)
        if until is not None:
            count -= int(until[frontier].sum())
    return level


def _marked(arcs: Arcs, frontier: Ids, level: Ids, depth: int, control: Control) -> Ids:
    """Mark the vertices of the next level; they come ascending."""
    parts: list[Ids] = []
    for _, found in pieces(arcs, frontier, control):
        new = found.vertices[level[found.vertices] == UNKNOWN]
        level[new] = depth
        parts.append(new)
    return distinct(parts[0] if len(parts) == 1 else np.concatenate(parts), len(level))


def distinct(vertices: Ids, count: int) -> Ids:
    """Each once, ascending, of so many vertices in all."""
    if len(vertices) > count // 16:
        met = np.zeros(count, np.bool_)
        met[vertices] = True
        return np.flatnonzero(met).astype(np.int32)
    # For few of them faster than NumPy's table of what it met.
    ordered = np.sort(vertices)
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def greedy(arcs: Arcs, starts: Ids, level: Ids, length: int, ranks: Ints, control: Control) -> Ways:
    """The first walks from starts at distance `length` of an end, one nearer at each step; the starts' own level is not read.

    Parameters
    ----------
    level
        By vertex, the distance to the end; `UNKNOWN` where a walk must not go.
    """
    nodes, slots = np.empty((length + 1, len(starts)), np.int32), np.empty((length, len(starts)), np.int64)
    nodes[0] = starts
    if len(starts) == 1:
        return _greedy_one(arcs, int(starts[0]), level, length, ranks, control)
    for place in range(length):
        control.check()
        at, inverse = np.unique(nodes[place], return_inverse=True)
        following, taken = np.empty(len(at), np.int32), np.empty(len(at), np.int64)
        for rows, found in pieces(arcs, at, control):
            near = level[found.vertices] == length - place - 1
            kept = Arrivals(found.rows[near], found.vertices[near], found.slots[near])
            order = in_order(kept, ranks)
            row = kept.rows[order]
            first = order[np.concatenate(([True], row[1:] != row[:-1]))] if len(row) else order
            following[rows.start + kept.rows[first]] = kept.vertices[first]
            taken[rows.start + kept.rows[first]] = kept.slots[first]
        nodes[place + 1], slots[place] = following[inverse], taken[inverse]
    return Ways(nodes, slots)


def _greedy_one(arcs: Arcs, start: int, level: Ids, length: int, ranks: Ints, control: Control) -> Ways:
    nodes, slots = [start], list[int]()
    for place in range(length - 1, -1, -1):
        if not place % 256:
            control.check()
        _, ends, taken = arcs.expand(np.array(nodes[-1:], np.int32))
        near = np.flatnonzero(level[ends] == place)
        if len(near) > 1:
            near = near[np.lexsort((taken[near], ranks[ends[near]]))]
        nodes.append(int(ends[near[0]]))
        slots.append(int(taken[near[0]]))
    return Ways(np.array(nodes, np.int32)[:, None], np.array(slots, np.int64).reshape(-1, 1))


DEEP = 1000
"""Levels from which steps cost more than what they look at."""
SHALLOW = 32
"""The same where a compiled search may go on."""


def between(
    arcs: Arcs,
    back: Arcs,
    start: int,
    end: int,
    vertices: int,
    most: int | None,
    ranks: Ints,
    control: Control,
    deep: int = DEEP,
) -> Ways | Literal["none", "deep"]:
    """The first of the shortest walks between two different vertices, from both ends at once.

    `none` where there is none; `deep` when the ends are not near each other, and nothing is known yet.
    """
    control.fits(8 * vertices, "Searching shortest paths")
    level, level_back = np.full(vertices, UNKNOWN, np.int32), np.full(vertices, UNKNOWN, np.int32)
    level[start], level_back[end] = 0, 0
    fronts = [np.array([start], np.int32)]
    front_back = np.array([end], np.int32)
    depth = depth_back = 0
    while True:
        if most is not None and depth + depth_back >= most:
            return "none"
        if depth + depth_back >= deep:
            return "deep"
        front = fronts[-1]
        if not len(front) or not len(front_back):
            return "none"
        if int(arcs.at_most(front).sum()) <= int(back.at_most(front_back).sum()):
            depth += 1
            fronts.append(_marked(arcs, front, level, depth, control))
            met = fronts[-1][level_back[fronts[-1]] == depth_back]
        else:
            depth_back += 1
            front_back = _marked(back, front_back, level_back, depth_back, control)
            met = front_back[level[front_back] == depth]
        if len(met):
            break
    # Vertices of the front half from which a shortest walk goes on get their distance to the end, the others none.
    left = np.where(level_back <= depth_back, level_back, UNKNOWN)
    for place in range(depth, 0, -1):
        parts = [found.vertices for _, found in pieces(back, met, control)]
        before = distinct(np.concatenate(parts), vertices)
        met = before[level[before] == place - 1]
        left[met] = depth_back + depth - place + 1
    return greedy(arcs, np.array([start], np.int32), left, depth + depth_back, ranks, control)
