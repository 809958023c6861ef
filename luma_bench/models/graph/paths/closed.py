"""The shortest undirected trail that comes back to where it began: a cycle through one vertex."""

from __future__ import annotations

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.graph.paths.arcs import Arcs
from luma_bench.models.graph.paths.nearest import Ways, pieces
from luma_bench.models.graph.topology import Ids, Ints

NONE = -1


def shortest_round(arcs: Arcs, start: int, most: int | None, ranks: Ints, control: Control) -> Ways | None:
    """The first of the shortest trails of one edge or more from a vertex to itself; None where there is none.

    Such a trail meets no other vertex twice, so it is a walk whose last edge is not its first one. Breadth first, each
    vertex keeps its first two ways that begin with different edges: whichever edge closes the trail, one of them fits.
    """
    vertices = len(ranks)
    control.fits(16 * vertices, "Searching closed trails")
    begun = np.full((2, vertices), NONE, np.int64)
    at, first = np.array([start], np.int32), np.array([NONE], np.int64)
    levels: list[tuple[Ids, Ints, Ints]] = []
    depth = 0
    while len(at) and (most is None or depth < most):
        control.check()
        depth += 1
        rows, ends, slots = _moved(arcs, at, control)
        begins = slots if depth == 1 else first[rows]
        order = np.lexsort((slots, ranks[ends], rows))
        rows, ends, slots, begins = rows[order], ends[order], slots[order], begins[order]
        closing = np.flatnonzero((ends == start) & ((begins != slots) | (depth == 1)))
        if len(closing):
            one = closing[:1]
            return _way(levels, start, ends[one], rows[one], slots[one])
        kept = _kept(begun, ends, begins, ends != start)
        levels.append((ends[kept], rows[kept], slots[kept]))
        at, first = ends[kept], begins[kept]
    return None


def _moved(arcs: Arcs, at: Ids, control: Control) -> tuple[Ints, Ids, Ints]:
    parts = [
        (rows.start + found.rows, found.vertices, found.slots) for rows, found in pieces(arcs, at, control)
    ]
    rows, ends, slots = (np.concatenate(column) for column in zip(*parts, strict=True))
    return rows, ends, slots


def _kept(begun: np.ndarray, ends: Ids, begins: Ints, fresh: np.ndarray) -> Ints:
    """Which labels are among the first two of their vertex that begin differently, in their order; notes them."""
    kept: list[Ints] = []
    left = np.flatnonzero(fresh & (begun[1][ends] == NONE) & (begun[0][ends] != begins))
    for _ in range(2):
        # The first label of each vertex that is left takes the vertex's next place.
        _, places = np.unique(ends[left], return_index=True)
        taken = left[np.sort(places)]
        kept.append(taken)
        vertices = ends[taken]
        second = begun[0][vertices] != NONE
        begun[1][vertices[second]] = begins[taken[second]]
        begun[0][vertices[~second]] = begins[taken[~second]]
        left = left[(begun[1][ends[left]] == NONE) & (begun[0][ends[left]] != begins[left])]
    return np.sort(np.concatenate(kept))


def _way(levels: list[tuple[Ids, Ints, Ints]], start: int, end: Ids, rows: Ints, slots: Ints) -> Ways:
    nodes, taken = [int(end[0])], [int(slots[0])]
    row = int(rows[0])
    for ends, parents, slot in reversed(levels):
        nodes.append(int(ends[row]))
        taken.append(int(slot[row]))
        row = int(parents[row])
    nodes.append(start)
    return Ways(np.array(nodes[::-1], np.int32)[:, None], np.array(taken[::-1], np.int64)[:, None])
