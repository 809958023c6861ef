"""Searches from one source, in NumPy and SciPy: breadth first, cheapest paths, and the tree that their ties decide."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from luma_bench.models.graph.engine import Check, Pair, Tree
from luma_bench.models.graph.engines.numpy_expand import Span, bounds, spans, spread
from luma_bench.models.graph.engines.numpy_reach import DENSE, SMALL, distinct
from luma_bench.models.graph.engines.numpy_sparse import Narrow
from luma_bench.models.graph.topology import Bools, Csr, Floats, Ids, Ints

_LEVELS = 1000
"""Levels after which a search is a deep one, whose steps cost more than what they look at."""

_ROUNDS = 32
"""Rounds along edges of no length after which all levels are found at once."""


def bfs(csr: Csr, source: int, limit: int | None, target: int, narrow: Narrow, check: Check) -> Tree:
    """See `GraphEngine.bfs`."""
    depth = np.full(csr.vertices, -1, np.int32)
    position = np.full(csr.vertices, -1, np.int64)
    parent = np.full(csr.vertices, -1, np.int32)
    depth[source] = 0
    frontier = np.array([source], np.int32)
    level = 0
    while len(frontier) and (limit is None or level < limit) and (target < 0 or depth[target] < 0):
        if level == _LEVELS:
            distance = _deep(csr, source, limit, target, narrow, check)
            return tree(csr, None, distance, source, check)
        level += 1
        starts, lengths = bounds(csr, frontier)
        positions = spread(starts, lengths)
        reached = csr.neighbours[positions]
        new = depth[reached] < 0
        reached, positions = reached[new], positions[new]
        # From the back: the first edge that leads somewhere is written last, and stays.
        position[reached[::-1]] = positions[::-1]
        parent[reached[::-1]] = np.repeat(frontier, lengths)[new][::-1]
        depth[reached] = level
        frontier = _next_level(reached, depth, level)
        check()
    distance = np.where(depth < 0, np.inf, depth)
    return Tree(distance, parent, position)


def depths(csr: Csr, source: int, limit: int | None, target: int, narrow: Narrow, check: Check) -> Tree:
    """See `GraphEngine.bfs`, without the tree: dense levels are sparse products."""
    distance = np.full(csr.vertices, np.inf)
    distance[source] = 0.0
    frontier = np.array([source], np.int32)
    ones: Bools | None = None
    level = 0
    while len(frontier) and (limit is None or level < limit) and (target < 0 or distance[target] == np.inf):
        if level == _LEVELS:
            distance = _deep(csr, source, limit, target, narrow, check)
            break
        level += 1
        starts, lengths = bounds(csr, frontier)
        edges = int(lengths.sum())
        if edges > SMALL and edges > len(csr.neighbours) // DENSE:
            ones = np.ones(len(csr.neighbours), np.bool_) if ones is None else ones
            start = np.zeros(csr.vertices, np.bool_)
            start[frontier] = True
            new = narrow.matrix(csr, ones).T @ start
            new &= distance == np.inf
            frontier = np.flatnonzero(new).astype(np.int32)
        else:
            reached = csr.neighbours[spread(starts, lengths)]
            frontier = distinct(reached[distance[reached] == np.inf], csr.vertices)
        distance[frontier] = level
        check()
    return Tree(distance, np.empty(0, np.int32), np.empty(0, np.int64))


def sssp(csr: Csr, weights: Floats, source: int, narrow: Narrow, check: Check) -> Tree:
    """See `GraphEngine.sssp`: SciPy's distances, and the tree that they imply."""
    from scipy.sparse.csgraph import dijkstra

    check()
    distance: Floats = dijkstra(narrow.matrix(csr, weights), indices=source)
    check()
    return tree(csr, weights, distance, source, check)


def pair(csr: Csr, weights: Floats, source: int, target: int, narrow: Narrow, check: Check) -> Pair:
    """See `GraphEngine.pair`: all distances, which cost SciPy less than a search in Python would."""
    found = sssp(csr, weights, source, narrow, check)
    return walked(found, source, target, int(np.isfinite(found.distance).sum()))


def walked(found: Tree, source: int, target: int, settled: int) -> Pair:
    """The path of a tree that ends in `target`."""
    if not np.isfinite(found.distance[target]):
        return Pair(float("inf"), np.empty(0, np.int32), np.empty(0, np.int64), settled)
    vertices, positions = [target], [0][:0]
    while vertices[-1] != source:
        positions.append(int(found.position[vertices[-1]]))
        vertices.append(int(found.parent[vertices[-1]]))
    return Pair(
        float(found.distance[target]),
        np.array(vertices[::-1], np.int32),
        np.array(positions[::-1], np.int64),
        settled,
    )


def tree(csr: Csr, weights: Floats | None, distance: Floats, source: int, check: Check) -> Tree:
    """The parents that distances imply: see `GraphEngine` on ties; None for edges that count one."""

    def judge(span: Span) -> tuple[Bools, Bools]:
        lengths = np.diff(csr.indptr[span.low : span.high + 1])
        before, after = (
            np.repeat(distance[span.low : span.high], lengths),
            distance[csr.neighbours[span.held]],
        )
        tight = before + (1.0 if weights is None else weights[span.held]) == after
        tight &= np.isfinite(after)
        return tight, before < after

    return Tree(distance, *lead(csr, source, judge, check))


def lead(
    csr: Csr, source: int, judge: Callable[[Span], tuple[Bools, Bools]], check: Check
) -> tuple[Ids, Ints]:
    """Parents and positions, given a judge of a block's edges: which may be the last of a best path, and which of them lead on."""
    parent = np.full(csr.vertices, -1, np.int32)
    position = np.full(csr.vertices, -1, np.int64)
    level_edges: list[tuple[Ids, Ids, Ints]] = []
    # From the back, so that the smallest parent and position are written last.
    for span in reversed(list(spans(csr))):
        tight, onward = judge(span)
        places = np.flatnonzero(tight)
        lengths = np.diff(csr.indptr[span.low : span.high + 1])
        starts = np.repeat(np.arange(span.low, span.high, dtype=np.int32), lengths)[places]
        ends, onward = csr.neighbours[span.held][places], onward[places]
        places += span.start
        if not onward.all():
            level = ~onward & (starts != ends)
            level_edges.append((starts[level], ends[level], places[level]))
            starts, ends, places = starts[onward], ends[onward], places[onward]
        parent[ends[::-1]] = starts[::-1]
        position[ends[::-1]] = places[::-1]
        check()
    if level_edges:
        reached = position >= 0
        reached[source] = True
        lead_on_level(reached, level_edges[::-1], parent, position, check)
    return parent, position


def lead_on_level(
    reached: Bools, edges: list[tuple[Ids, Ids, Ints]], parent: Ids, position: Ints, check: Check
) -> None:
    """Give parents to vertices that only edges of no length lead to, nearest to those that have one first.

    `edges` are starts, ends and positions, ascending by position. Written into `parent` and `position`.
    """
    starts = np.concatenate([item[0] for item in edges])
    ends = np.concatenate([item[1] for item in edges])
    positions = np.concatenate([item[2] for item in edges])
    for _ in range(_ROUNDS):
        open_ends = ~reached[ends]
        starts, ends, positions = starts[open_ends], ends[open_ends], positions[open_ends]
        now = np.flatnonzero(reached[starts])
        if not len(now):
            return
        last_first = now[::-1]
        parent[ends[last_first]] = starts[last_first]
        position[ends[last_first]] = positions[last_first]
        reached[ends[now]] = True
        check()
    open_ends = ~reached[ends]
    starts, ends, positions = starts[open_ends], ends[open_ends], positions[open_ends]
    level = _levels_from(reached, starts, ends, check)
    near = np.flatnonzero((level[starts] >= 0) & (level[starts] + 1 == level[ends]))[::-1]
    parent[ends[near]] = starts[near]
    position[ends[near]] = positions[near]


def _levels_from(reached: Bools, starts: Ids, ends: Ids, check: Check) -> Ints:
    """By vertex, how many of these edges lead to it from the nearest reached one, whose level is 0; -1 for none."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    root = len(reached)
    begun = np.unique(starts[reached[starts]])
    rows = np.concatenate((starts, np.full(len(begun), root, np.int32)))
    columns = np.concatenate((ends, begun))
    graph = csr_array((np.ones(len(rows)), (rows, columns)), shape=(root + 1, root + 1))
    check()
    order, before = breadth_first_order(graph, root)
    level = np.full(root + 1, -1, np.int64)
    level[order] = _depths(order, before, check) - 1
    return level[:root]


def _next_level(reached: Ids, depth: Ids, level: int) -> Ids:
    """The vertices of a new level, ascending."""
    if len(reached) > len(depth) // 16:
        return np.flatnonzero(depth == level).astype(np.int32)
    ordered = np.sort(reached)
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def _deep(csr: Csr, source: int, limit: int | None, target: int, narrow: Narrow, check: Check) -> Floats:
    """Distances by SciPy's search, whose order gives the depths."""
    from scipy.sparse.csgraph import breadth_first_order

    order, before = breadth_first_order(narrow.matrix(csr), source)
    check()
    depth = _depths(order, before, check)
    most = depth.max() if limit is None else limit
    if target >= 0 and (found := depth[order == target]).size:
        most = min(most, int(found[0]))
    distance = np.full(csr.vertices, np.inf)
    near = depth <= most
    distance[order[near]] = depth[near]
    return distance


def _depths(order: Ids, before: Ids, check: Check) -> Ints:
    """The depths of a search's vertices, in its order, by doubling steps towards its source."""
    place = np.zeros(len(before), np.int64)
    place[order] = np.arange(len(order))
    ancestor = place[np.maximum(before[order], 0)]
    ancestor[0] = 0
    depth = np.ones(len(order), np.int64)
    depth[0] = 0
    while ancestor.any():
        depth += depth[ancestor]
        ancestor = ancestor[ancestor]
        check()
    return depth
