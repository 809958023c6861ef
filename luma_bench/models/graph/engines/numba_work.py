"""What compiled kernels are called with: flat arrays, arrays kept from one search to the next, and threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from luma_bench.models.graph.engine import Check, Pair, Tree
from luma_bench.models.graph.engines import (
    numba_bits,
    numba_expand,
    numba_pair,
    numba_search,
    numba_structure,
)
from luma_bench.models.graph.engines.numba_heap import FIRST
from luma_bench.models.graph.engines.numpy_expand import Span, one_row, parts, rows_of, spans
from luma_bench.models.graph.engines.numpy_reach import Edges, distinct
from luma_bench.models.graph.topology import Adjacency, Bools, Csr, Floats, Ids, Ints

BUDGET = 10_000_000
"""Edges that a kernel looks at between checks: some tenths of a second."""
_KEPT = 1 << 23
"""Vertices up to which the arrays of searches are kept from one to the next."""
_SPARSE = 32
_PIECE = 1 << 14
_NO_BOOLS = np.empty(0, np.bool_)
_NO_FLOATS = np.empty(0)
_NO_TABLE = (np.zeros(1, np.int64), np.empty(0, np.uint32), np.empty(0, np.int32))


class Workspace(threading.local):
    """Arrays of one thread that searches stamp with their epoch instead of clearing them."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Let the arrays go."""
        self.size = 0
        self.epoch = 0
        self.arrays: dict[str, np.ndarray[Any, Any]] = {}

    def begin(self, vertices: int, epochs: int) -> int:
        """Make room for so many vertices, and take so many epochs: the first of them."""
        if self.size < vertices or self.epoch + epochs >= 2**31 - 2:
            self.size = max(vertices, self.size)
            self.epoch = 0
            self.arrays = {}
        first = self.epoch + 1
        self.epoch += epochs
        return first

    def array(self, name: str, kind: type, *, zero: bool = False) -> Any:
        """An array by vertex, which holds what the search before left; `zero` for one of stamps."""
        held = self.arrays.get(name)
        if held is None:
            held = np.zeros(self.size, kind) if zero else np.empty(self.size, kind)
            self.arrays[name] = held
        return held

    def words(self, name: str, vertices: int) -> Any:
        """A set of so many vertices, as bits; whoever puts some in takes them out again."""
        held = self.arrays.get(name)
        if held is None:
            held = np.zeros((self.size >> 6) + 2, np.uint64)
            self.arrays[name] = held
        return held[: (vertices >> 6) + 1]

    def end(self) -> None:
        """Let large arrays go."""
        if self.size > _KEPT:
            self.clear()


def flat(array: Any) -> Any:
    """The array, or a copy where its items do not lie side by side, as compiled kernels need them."""
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned else np.array(array, order="C")


def table(csr: Csr) -> tuple[Any, Any, Any]:
    """The arrays of a CSR, neighbours unsigned."""
    return flat(csr.indptr), unsigned(csr.neighbours), flat(csr.slots)


def unsigned(neighbours: Ids) -> Any:
    """Dense ids as compiled kernels read them."""
    return flat(neighbours).view(np.uint32)


def arguments(adjacency: Adjacency, allowed: Bools | None) -> tuple[Any, Any, Any, Any]:
    """Base, delta, dead and allowed, with empty arrays for what there is not."""
    return (
        table(adjacency.base),
        _NO_TABLE if adjacency.delta is None else table(adjacency.delta),
        _NO_BOOLS if adjacency.dead is None else flat(adjacency.dead),
        _NO_BOOLS if allowed is None else flat(allowed),
    )


def threads() -> int:
    """Threads that this process may run at once."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def in_threads[T](pieces: Sequence[T], work: Callable[[T], None], check: Check | None = None) -> None:
    """Work on pieces, a thread for each core; `check` is called between pieces."""
    if len(pieces) < 2 or threads() == 1:
        for piece in pieces:
            work(piece)
            if check is not None:
                check()
        return
    with ThreadPoolExecutor(threads(), "luma-graph") as pool:
        try:
            for _ in pool.map(work, pieces):
                if check is not None:
                    check()
        finally:
            pool.shutdown(cancel_futures=True)


def reach(
    work: Workspace, adjacencies: Edges, sources: Ids, least: int, most: int | None, check: Check
) -> Ids:
    """See `GraphEngine.reach`."""
    if len(adjacencies) == 1 and len(sources) == 1 and least <= 1 and most == 1:
        adjacency, allowed = adjacencies[0]
        ends = one_row(adjacency, int(sources[0]), allowed)[0]
        ends = ends if least else np.append(ends, sources)
        return distinct(ends, max(rows_of(adjacency), int(sources[0]) + 1))
    vertices = max(
        [rows_of(adjacency) for adjacency, _ in adjacencies] + [int(sources.max()) + 1 if len(sources) else 0]
    )
    tables: list[tuple[Any, ...]] = []
    for adjacency, allowed in adjacencies:
        _, _, dead, open_slots = arguments(adjacency, allowed)
        tables += [(*table(csr), dead, open_slots) for csr in parts(adjacency)]
    work.begin(vertices, 0)
    seen = work.words("seen", vertices)
    spare, summary = work.words("spare", vertices), work.words("summary", vertices >> 6)
    buffer, other = work.array("buffer", np.int32), work.array("other", np.int32)
    current = distinct(sources, vertices)
    count = len(current)
    buffer[:count] = current
    try:
        for _ in range(least):
            check()
            end = 0
            for held in tables:
                end = numba_expand.step(*held, buffer, 0, count, other, end, seen)
            numba_bits.unmark(other, end, seen)
            buffer, other, before = other, buffer, count
            count = end
            if not count or (
                count == before and np.array_equal(np.sort(buffer[:count]), np.sort(other[:count]))
            ):
                break
        numba_bits.mark(buffer, count, seen)
        low, left = 0, (vertices if most is None else most - least)
        while left > 0 and low < count:
            check()
            if len(tables) == 1:
                low, count, left = numba_expand.flood(
                    *tables[0], buffer, low, count, seen, spare, summary, left, BUDGET
                )
                continue
            end = count
            for held in tables:
                end = numba_expand.step(*held, buffer, low, count, buffer, end, seen)
            low, count, left = count, end, left - 1
            if left and count - low > len(seen):
                numba_bits.sort(buffer, low, count, spare, summary)
        check()
    except BaseException:
        seen[:] = 0
        raise
    if count > vertices // _SPARSE:
        found = np.empty(count, np.int32)
        numba_bits.members(found, seen)
    else:
        numba_bits.unmark(buffer, count, seen)
        found = np.sort(buffer[:count])
    work.end()
    return found


def empty_tree(csr: Csr, source: int, *, tree: bool = True) -> Tree:
    """What a search begins with; without `tree` distances only."""
    distance = np.full(csr.vertices, np.inf)
    distance[source] = 0.0
    count = csr.vertices if tree else 0
    return Tree(distance, np.full(count, -1, np.int32), np.full(count, -1, np.int64))


def bfs(csr: Csr, source: int, limit: int | None, target: int, *, tree: bool, check: Check) -> Tree:
    """See `GraphEngine.bfs`."""
    indptr, neighbours, _ = table(csr)
    seen = np.zeros((csr.vertices >> 6) + 1, np.uint64)
    seen[source >> 6] = np.uint64(1) << np.uint64(source & 63)
    queue = np.empty(csr.vertices, np.int32)
    queue[0] = source
    most = csr.vertices if limit is None else limit
    check()
    spare, summary = np.zeros(len(seen), np.uint64), np.zeros((csr.vertices >> 12) + 1, np.uint64)
    state = np.array([0, 1, 1, 0], np.int64)
    done = most == 0 or source == target
    found = empty_tree(csr, source, tree=tree)
    while not done:
        if tree:
            done = numba_search.bfs(
                indptr, neighbours, seen, spare, summary, queue, *found, state, most, target, BUDGET
            )
        else:
            done = numba_search.depths(
                indptr, neighbours, seen, spare, summary, queue, found.distance, state, most, target, BUDGET
            )
        check()
    return found


def pair(
    work: Workspace,
    csr: Csr,
    weights: Floats,
    source: int,
    target: int,
    reverse: tuple[Csr, Floats] | None,
    coordinates: Floats | None,
    check: Check,
) -> Pair:
    """See `GraphEngine.pair`."""
    check()
    epoch = work.begin(csr.vertices, 2)
    distance, stamp = work.array("distance", np.float64), work.array("stamp", np.int32, zero=True)
    levels, parent = work.array("levels", np.int32), work.array("parent", np.int32)
    position = work.array("position", np.int64)
    labels = (distance, levels, parent, position, stamp)
    indptr, neighbours, _ = table(csr)
    edges = (indptr, neighbours, flat(weights))
    stamp[source], distance[source], levels[source], parent[source] = epoch, 0.0, 0, -1
    keys, values, size = np.zeros(FIRST), np.full(FIRST, source, np.int32), 1
    settled = np.zeros(1, np.int64)
    if reverse is None or coordinates is not None:
        spots = _NO_FLOATS if coordinates is None else flat(coordinates).reshape(-1)
        while size:
            keys, values, size = numba_pair.aimed(
                *edges, spots, target, *labels, epoch, keys, values, size, settled, BUDGET // 4
            )
            check()
    else:
        _both_ends(work, edges, reverse, source, target, labels, epoch, settled, check)
    found = _walked(labels, source, target, epoch, int(settled[0]))
    work.end()
    return found


def _both_ends(
    work: Workspace,
    edges: tuple[Any, ...],
    reverse: tuple[Csr, Floats],
    source: int,
    target: int,
    labels: tuple[Any, ...],
    epoch: int,
    settled: Ints,
    check: Check,
) -> None:
    back_indptr, back_neighbours, _ = table(reverse[0])
    back = (back_indptr, back_neighbours, flat(reverse[1]))
    back_distance = work.array("back_distance", np.float64)
    back_stamp = work.array("back_stamp", np.int32, zero=True)
    back_stamp[target], back_distance[target] = epoch, 0.0
    best = np.array([0.0 if source == target else np.inf])
    heap = (np.zeros(FIRST), np.full(FIRST, source, np.int32), 1)
    back_heap = (np.zeros(FIRST), np.full(FIRST, target, np.int32), 1)
    done = False
    while not done:
        found = numba_pair.towards(
            *edges, *back, *labels, back_distance, back_stamp, epoch, *heap, *back_heap, best, settled, BUDGET // 4
        )  # fmt: skip
        heap, back_heap, done = found[:3], found[3:6], found[6]
        check()
    if np.isfinite(best[0]):
        numba_pair.along(*edges, target, *labels, back_distance, back_stamp, epoch, *heap, best)


def _walked(labels: tuple[Any, ...], source: int, target: int, epoch: int, settled: int) -> Pair:
    distance, _, parent, position, stamp = labels
    if stamp[target] != epoch:
        return Pair(float("inf"), np.empty(0, np.int32), np.empty(0, np.int64), settled)
    vertices, positions = [target], [0][:0]
    while vertices[-1] != source:
        positions.append(int(position[vertices[-1]]))
        vertices.append(int(parent[vertices[-1]]))
    return Pair(
        float(distance[target]),
        np.array(vertices[::-1], np.int32),
        np.array(positions[::-1], np.int64),
        settled,
    )


def undirected(csr: Csr) -> tuple[Ints, Any]:
    """Row bounds and neighbours of the simple undirected graph, each edge at both ends, ascending."""
    indptr, neighbours, _ = table(csr)
    turned, back = numba_structure.transposed(indptr, neighbours)
    return numba_structure.joined(indptr, neighbours, turned, back)


def triangles(csr: Csr, check: Check) -> Ints:
    """See `GraphEngine.triangles`."""
    indptr, neighbours = undirected(csr)
    check()
    order = np.argsort(np.diff(indptr), kind="stable").astype(np.int32)
    rank = np.empty(csr.vertices, np.uint32)
    rank[order] = np.arange(csr.vertices, dtype=np.uint32)
    bounds, ends = numba_structure.upward(indptr, neighbours, order, rank)
    check()
    held = threading.local()
    counts: list[Ints] = []

    def count(span: Span) -> None:
        if not hasattr(held, "mark"):
            held.mark = np.zeros(csr.vertices, np.int32)
            held.found = np.zeros(csr.vertices, np.int64)
            counts.append(held.found)
        numba_structure.triangles(bounds, ends, span.low, span.high, held.mark, held.found)

    in_threads(list(spans(Csr(bounds, ends, ends), _PIECE)), count, check)
    return np.sum(counts, axis=0, dtype=np.int64)[rank] if counts else np.zeros(csr.vertices, np.int64)
