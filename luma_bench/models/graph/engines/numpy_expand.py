"""One step along edges, in NumPy: the edges of a frontier, how many there are, and sums over them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from luma_bench.errors import ResourceError
from luma_bench.models.graph.engine import Expansion
from luma_bench.models.graph.topology import Adjacency, Bools, Csr, Floats, Ids, Ints

BLOCK = 1 << 20
"""Edges that are looked at together, so that what is held beside a result stays small."""
_SAFE = 9.2e18


class Block(NamedTuple):
    """Edges of a frontier: the place of each one's vertex in it, and its position in the CSR."""

    rows: Ints
    positions: Ints


def bounds(csr: Csr, frontier: Ids) -> tuple[Ints, Ints]:
    """Where the rows of these vertices begin, and how long they are; those that the CSR does not have are empty."""
    if len(frontier) and (int(frontier.min()) < 0 or int(frontier.max()) >= csr.vertices):
        inside = (frontier >= 0) & (frontier < csr.vertices)
        held = np.where(inside, frontier, 0) if csr.vertices else frontier
        if not csr.vertices:
            nothing = np.zeros(len(frontier), np.int64)
            return nothing, nothing
        starts = csr.indptr[held]
        return starts, np.where(inside, csr.indptr[held + 1] - starts, 0)
    starts = csr.indptr[frontier]
    return starts, csr.indptr[frontier + 1] - starts


def spread(starts: Ints, lengths: Ints) -> Ints:
    """The positions of rows that begin at `starts`, one row after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths)


def blocks(csr: Csr, frontier: Ids) -> Iterator[Block]:
    """The edges of a frontier, about `BLOCK` at a time, whole rows."""
    starts, lengths = bounds(csr, frontier)
    ends = np.cumsum(lengths)
    if not len(ends) or not ends[-1]:
        return
    cuts = [0]
    while cuts[-1] < len(ends):
        done = ends[cuts[-1] - 1] if cuts[-1] else 0
        cuts.append(max(cuts[-1] + 1, int(np.searchsorted(ends, done + BLOCK, side="right"))))
    for low, high in itertools.pairwise(cuts):
        held = lengths[low:high]
        yield Block(np.repeat(np.arange(low, high), held), spread(starts[low:high], held))


def kept(slots: Ids, dead: Bools | None, allowed: Bools | None) -> Bools | None:
    """Which of these edges live and are allowed; None for all."""
    keep = None if dead is None else ~dead[slots]
    if allowed is not None:
        held = allowed[slots]
        keep = held if keep is None else keep & held
    return keep


class Span(NamedTuple):
    """Whole rows of a CSR: the first row and behind the last, the first position and behind the last."""

    low: int
    high: int
    start: int
    stop: int

    @property
    def held(self) -> slice:
        """The positions."""
        return slice(self.start, self.stop)


def one_row(adjacency: Adjacency, vertex: int, allowed: Bools | None) -> tuple[Ids, Ids]:
    """The neighbours and slots of one vertex; views of the base where nothing is left out."""
    neighbours, slots = _row_of(adjacency.base, vertex, adjacency.dead, allowed)
    if adjacency.delta is not None:
        later, later_slots = _row_of(adjacency.delta, vertex, adjacency.dead, allowed)
        if len(later):
            places = np.searchsorted(neighbours, later, side="right")
            return np.insert(neighbours, places, later), np.insert(slots, places, later_slots)
    return neighbours, slots


def expand(adjacency: Adjacency, frontier: Ids, allowed: Bools | None = None) -> Expansion:
    """See `GraphEngine.expand`. Slots of later edges are above those of the base."""
    if len(frontier) == 1:
        neighbours, slots = one_row(adjacency, int(frontier[0]), allowed)
        return Expansion(np.zeros(len(neighbours), np.int64), neighbours, slots)
    found = _expanded(adjacency.base, frontier, adjacency.dead, allowed)
    if adjacency.delta is None:
        return found
    later = _expanded(adjacency.delta, frontier, adjacency.dead, allowed)
    if not len(later.rows):
        return found
    places = np.searchsorted(_order(found), _order(later), side="right")
    return Expansion(
        np.insert(found.rows, places, later.rows),
        np.insert(found.neighbours, places, later.neighbours),
        np.insert(found.slots, places, later.slots),
    )


def degrees(adjacency: Adjacency, frontier: Ids | None = None, allowed: Bools | None = None) -> Ints:
    """See `GraphEngine.degrees`."""
    if frontier is None:
        count = rows_of(adjacency)
        found = np.zeros(count, np.int64)
        for csr in parts(adjacency):
            found[: csr.vertices] += _all_degrees(csr, adjacency.dead, allowed)
        return found
    found = np.zeros(len(frontier), np.int64)
    for csr in parts(adjacency):
        if adjacency.dead is None and allowed is None:
            found += bounds(csr, frontier)[1]
            continue
        for block in blocks(csr, frontier):
            keep = kept(csr.slots[block.positions], adjacency.dead, allowed)
            rows = block.rows if keep is None else block.rows[keep]
            first = int(block.rows[0])
            counts = np.bincount(rows - first)
            found[first : first + len(counts)] += counts
    return found


def weighted_sum(adjacency: Adjacency, values: Floats | Ints, allowed: Bools | None = None) -> Floats | Ints:
    """See `GraphEngine.weighted_sum`."""
    if np.issubdtype(values.dtype, np.floating):
        return float_sum(adjacency, values.astype(np.float64, copy=False), allowed)
    whole = values.astype(np.int64, copy=False)
    refuse_overflow(adjacency, whole, allowed)
    found = np.zeros(len(values), np.int64)
    for csr in parts(adjacency):
        for low, high, start, stop in spans(csr):
            addends = whole[csr.neighbours[start:stop]]
            keep = kept(csr.slots[start:stop], adjacency.dead, allowed)
            if keep is not None:
                addends[~keep] = 0
            begins = csr.indptr[low:high] - start
            filled = np.flatnonzero(csr.indptr[low + 1 : high + 1] - start > begins)
            found[low + filled] += np.add.reduceat(addends, begins[filled])
    return found


def float_sum(adjacency: Adjacency, values: Floats, allowed: Bools | None) -> Floats:
    """The sums of floats: added one after the other, from the left."""
    found = np.zeros(len(values))
    for csr in parts(adjacency):
        for low, high, start, stop in spans(csr):
            rows = np.repeat(np.arange(high - low), np.diff(csr.indptr[low : high + 1]))
            addends = values[csr.neighbours[start:stop]]
            keep = kept(csr.slots[start:stop], adjacency.dead, allowed)
            if keep is not None:
                rows, addends = rows[keep], addends[keep]
            found[low:high] += np.bincount(rows, addends, high - low)
    return found


def refuse_overflow(adjacency: Adjacency, values: Ints, allowed: Bools | None) -> None:
    """Raise when a sum of these values may not fit into int64.

    Raises
    ------
    ResourceError
        One does not.
    """
    if not len(values):
        return
    largest = float(max(abs(int(values.max())), abs(int(values.min()))))
    most = sum(int(np.diff(csr.indptr).max(initial=0)) for csr in parts(adjacency))
    if largest * most < _SAFE:
        return
    sums = float_sum(adjacency, np.abs(values.astype(np.float64)), allowed)
    if len(sums) and float(sums.max()) >= _SAFE:
        raise ResourceError(
            "The graph pattern has more matches than a 64-bit number counts (9,223,372,036,854,775,807).",
            hint="Bound the pattern: fewer edges, a start, a condition on a node in the middle.",
        )


def parts(adjacency: Adjacency) -> tuple[Csr, ...]:
    """The CSRs of an adjacency: its base, and its delta."""
    return (adjacency.base,) if adjacency.delta is None else (adjacency.base, adjacency.delta)


def rows_of(adjacency: Adjacency) -> int:
    """How many vertices an adjacency knows of."""
    return max(csr.vertices for csr in parts(adjacency))


def spans(csr: Csr, block: int = BLOCK) -> Iterator[Span]:
    """All rows that are not empty, about `block` edges at a time."""
    low = 0
    while low < csr.vertices:
        start = int(csr.indptr[low])
        high = max(low + 1, int(np.searchsorted(csr.indptr, start + block, side="right")) - 1)
        stop = int(csr.indptr[high])
        if stop > start:
            yield Span(low, high, start, stop)
        low = high


def _row_of(csr: Csr, vertex: int, dead: Bools | None, allowed: Bools | None) -> tuple[Ids, Ids]:
    if not 0 <= vertex < csr.vertices:
        return csr.neighbours[:0], csr.slots[:0]
    start, stop = csr.indptr[vertex], csr.indptr[vertex + 1]
    neighbours, slots = csr.neighbours[start:stop], csr.slots[start:stop]
    keep = kept(slots, dead, allowed)
    return (neighbours, slots) if keep is None else (neighbours[keep], slots[keep])


def _expanded(csr: Csr, frontier: Ids, dead: Bools | None, allowed: Bools | None) -> Expansion:
    found: list[Expansion] = []
    for rows, positions in blocks(csr, frontier):
        slots = csr.slots[positions]
        keep = kept(slots, dead, allowed)
        if keep is not None:
            rows, positions, slots = rows[keep], positions[keep], slots[keep]
        found.append(Expansion(rows, csr.neighbours[positions], slots))
    if len(found) == 1:
        return found[0]
    if not found:
        return Expansion(np.empty(0, np.int64), csr.neighbours[:0], csr.slots[:0])
    return Expansion(
        np.concatenate([item.rows for item in found]),
        np.concatenate([item.neighbours for item in found]),
        np.concatenate([item.slots for item in found]),
    )


def _order(found: Expansion) -> Ints:
    return found.rows << 32 | found.neighbours


def _all_degrees(csr: Csr, dead: Bools | None, allowed: Bools | None) -> Ints:
    if dead is None and allowed is None:
        return np.diff(csr.indptr)
    found = np.zeros(csr.vertices, np.int64)
    for low, high, start, stop in spans(csr):
        keep = kept(csr.slots[start:stop], dead, allowed)
        if keep is not None:
            running = np.concatenate(([0], np.cumsum(keep)))
            found[low:high] = np.diff(running[csr.indptr[low : high + 1] - start])
    return found
