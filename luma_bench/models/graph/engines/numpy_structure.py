"""What a whole graph is made of, in NumPy and SciPy: components, ranks, triangles and cores."""

from __future__ import annotations

import numpy as np

from luma_bench.models.graph.engine import Check
from luma_bench.models.graph.engines.numpy_expand import bounds, spans, spread
from luma_bench.models.graph.engines.numpy_sparse import Narrow
from luma_bench.models.graph.topology import Bools, Csr, Floats, Ids, Ints

_PRODUCTS = 1 << 23
"""Products of one block of a sparse matrix product: what it may hold before it is counted."""


def components(csr: Csr, narrow: Narrow, *, strong: bool) -> Ids:
    """See `GraphEngine.weak_components` and `strong_components`."""
    from scipy.sparse.csgraph import connected_components

    if not csr.vertices:
        return np.empty(0, np.int32)
    # SciPy transposes for weak components, and then wants weights that are there.
    data = None if strong else np.ones(len(csr.neighbours))
    kind = "strong" if strong else "weak"
    count, labels = connected_components(narrow.matrix(csr, data), directed=True, connection=kind)
    smallest = np.empty(count, np.int32)
    smallest[labels[::-1]] = np.arange(csr.vertices - 1, -1, -1, dtype=np.int32)
    return smallest[labels]


def rooted(root: Ids) -> Ids:
    """Where each vertex gets to by following `root`, which leads to smaller ones, to its end."""
    while True:
        further = root[root]
        if np.array_equal(further, root):
            return root
        root = further


def pagerank(
    csr: Csr,
    reverse: Csr,
    narrow: Narrow,
    check: Check,
    *,
    damping: float,
    tolerance: float,
    iterations: int,
    weights: Floats | None,
    live: Bools | None,
) -> Floats:
    """See `GraphEngine.pagerank`: power iteration."""
    count = csr.vertices if live is None else int(live.sum())
    if not count:
        return np.zeros(csr.vertices)
    here = np.ones(csr.vertices, np.bool_) if live is None else live
    if weights is None:
        given = np.diff(csr.indptr).astype(np.float64)
        product = narrow.matrix(reverse, np.ones(len(reverse.neighbours))).dot
    else:
        matrix = narrow.matrix(csr, weights)
        given = matrix @ np.ones(csr.vertices)
        product = matrix.T.dot
    dangling = np.flatnonzero(here & (given == 0.0))
    share = np.divide(damping, given, out=np.zeros(csr.vertices), where=given > 0.0)
    rank = np.where(here, 1.0 / count, 0.0)
    for _ in range(iterations):
        check()
        base = (1.0 - damping + damping * float(rank[dangling].sum())) / count
        after: Floats = product(rank * share)
        after += base
        if live is not None:
            after[~live] = 0.0
        change = float(np.abs(after - rank).sum())
        rank = after
        if change < tolerance:
            break
    return rank / rank.sum()


def simple(csr: Csr) -> tuple[Ids, Ids]:
    """The ends of each undirected edge once, the smaller first, without self-loops; ascending."""
    keys: list[Ints] = []
    for low, high, start, stop in spans(csr):
        starts = np.repeat(np.arange(low, high), np.diff(csr.indptr[low : high + 1]))
        ends = csr.neighbours[start:stop]
        key = np.minimum(starts, ends) << 32 | np.maximum(starts, ends)
        keys.append(key[starts != ends])
    if not keys:
        return np.empty(0, np.int32), np.empty(0, np.int32)
    ordered = np.concatenate(keys)
    ordered.sort()
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    ordered = ordered[first]
    return (ordered >> 32).astype(np.int32), (ordered & 0xFFFFFFFF).astype(np.int32)


def compressed(starts: Ids, ends: Ids, vertices: int) -> tuple[Ints, Ids]:
    """Row bounds and neighbours, ascending, of edges in any order."""
    key = starts.astype(np.int64) << 32 | ends
    key.sort()
    indptr = np.zeros(vertices + 1, np.int64)
    np.cumsum(np.bincount(starts, minlength=vertices), out=indptr[1:])
    return indptr, (key & 0xFFFFFFFF).astype(np.int32)


def oriented(csr: Csr) -> tuple[Ints, Ids, Ids]:
    """The simple undirected graph with vertices renamed by rising degree, each edge towards the greater name.

    Row bounds, neighbours, and the new name of each vertex.
    """
    one, other = simple(csr)
    degree = np.bincount(one, minlength=csr.vertices) + np.bincount(other, minlength=csr.vertices)
    rank = np.empty(csr.vertices, np.int32)
    rank[np.argsort(degree, kind="stable")] = np.arange(csr.vertices, dtype=np.int32)
    low, high = np.minimum(rank[one], rank[other]), np.maximum(rank[one], rank[other])
    return *compressed(low, high, csr.vertices), rank


def both_ways(csr: Csr) -> tuple[Ints, Ids]:
    """Row bounds and neighbours of the simple undirected graph, each edge at both ends."""
    one, other = simple(csr)
    return compressed(np.concatenate((one, other)), np.concatenate((other, one)), csr.vertices)


def triangles(csr: Csr, check: Check) -> Ints:
    """See `GraphEngine.triangles`: products of the graph whose edges lead to vertices of higher degree, edge by edge."""
    from scipy.sparse import csr_array

    indptr, ends, rank = oriented(csr)
    check()
    shape = (csr.vertices, csr.vertices)
    upper = csr_array((np.ones(len(ends), np.int32), ends, indptr.astype(np.int32)), shape=shape)
    lower = upper.T.tocsr()
    out = np.diff(indptr)
    found = np.zeros(csr.vertices, np.int64)
    # upper·upper at (a, c) counts the b of a → b → c, where a → c is: a and c. lower·upper at (b, c) counts the a: b.
    for left, both in ((upper, True), (lower, False)):
        costs = np.concatenate(([0], np.cumsum(left @ out.astype(np.int64))))
        row = 0
        while row < csr.vertices:
            stop = max(row + 1, int(np.searchsorted(costs, costs[row] + _PRODUCTS, side="right")) - 1)
            if costs[stop] > costs[row]:
                held = (left[row:stop] @ upper).multiply(upper[row:stop]).tocsr()
                found[row:stop] += held.sum(axis=1)
                if both:
                    found += held.sum(axis=0)
                check()
            row = stop
    return found[rank]


def core_numbers(csr: Csr, check: Check) -> Ints:
    """See `GraphEngine.core_numbers`: vertices of the least degree are peeled off, all of them at a time."""
    one, other = simple(csr)
    indptr, neighbours = compressed(np.concatenate((one, other)), np.concatenate((other, one)), csr.vertices)
    held = Csr(indptr, neighbours, neighbours)
    degree = np.diff(indptr)
    core = np.zeros(csr.vertices, np.int64)
    left = np.flatnonzero(degree > 0).astype(np.int32)
    level = 0
    while len(left):
        level = max(level, int(degree[left].min()))
        peeled = left[degree[left] <= level]
        while len(peeled):
            core[peeled] = level
            degree[peeled] = -1
            ends = neighbours[spread(*bounds(held, peeled))]
            ends = ends[degree[ends] > level]
            np.subtract.at(degree, ends, 1)
            touched = np.unique(ends)
            peeled = touched[degree[touched] <= level]
            check()
        left = left[degree[left] > level]
    return core
