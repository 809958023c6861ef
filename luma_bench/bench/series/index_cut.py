"""Conditions on a chunk, and what they leave of its runs: places of rows, found by looking at as few of them as can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from luma_bench.bench.series.index_chunks import ChunkRuns
from luma_bench.bench.series.predicates import bounds_of, is_range
from luma_bench.models.series.runs import Bools, Ints
from luma_bench.storage.predicates import Test, columns_in
from luma_bench.types.predicate import Predicate

_EACH = 32
"""So many runs are cut to a range of time by a search in each; more of them by one look at all rows."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Conditions, by what of the index answers them.

    Attributes
    ----------
    predicates
        All of them, for zone maps.
    keys
        About key columns alone: asked once a run.
    first, last
        The bounds of time, both included.
    rows
        The rest: asked of rows.
    """

    predicates: tuple[Predicate, ...] = ()
    tests: tuple[Test, ...] = ()
    keys: tuple[Test, ...] = ()
    first: int | None = None
    last: int | None = None
    rows: tuple[Test, ...] = ()

    @classmethod
    def of(
        cls, predicates: Sequence[Predicate], tests: Sequence[Test], keys: Sequence[str], time: str
    ) -> Cut:
        """The conditions over columns of a table."""
        named = frozenset(keys)
        about_keys = [test for test in tests if columns_in(test) <= named]
        ranges = [test for test in tests if is_range(test, time) and test not in about_keys]
        rest = [test for test in tests if test not in about_keys and test not in ranges]
        first, last = bounds_of(ranges, time)
        return cls(tuple(predicates), tuple(tests), tuple(about_keys), first, last, tuple(rest))

    @property
    def empty(self) -> bool:
        """Whether every row is wanted."""
        return not self.tests


def spans(entry: ChunkRuns, chosen: Ints | None) -> tuple[Ints, Ints]:
    """Where the chosen runs of a chunk (None: all) begin and end among its rows that have a time."""
    begin, end = entry.offsets[:-1], entry.offsets[1:]
    return (begin, end) if chosen is None else (begin[chosen], end[chosen])


def within(first: Ints, last: Ints, cut: Cut) -> Bools:
    """Which runs lie in the bounds as a whole."""
    inside = np.ones(len(first), np.bool_)
    if cut.first is not None:
        inside &= first >= cut.first
    if cut.last is not None:
        inside &= last <= cut.last
    return inside


def bounded(begin: Ints, end: Ints, first: Ints, last: Ints, time: Ints, cut: Cut) -> tuple[Ints, Ints]:
    """Runs without the rows outside of the bounds; `time` is of all rows in the order of the runs."""
    begin, end = begin.copy(), end.copy()
    outside = np.flatnonzero(~within(first, last, cut))
    if len(outside) > _EACH:
        early = np.zeros(len(time) + 1, np.int64)
        late = np.zeros(len(time) + 1, np.int64)
        if cut.first is not None:
            np.cumsum(time < cut.first, out=early[1:])
        if cut.last is not None:
            np.cumsum(time > cut.last, out=late[1:])
        return begin + early[end] - early[begin], end - (late[end] - late[begin])
    for run in outside.tolist():
        low, high = int(begin[run]), int(end[run])
        own = time[low:high]
        if cut.first is not None:
            begin[run] = low + np.searchsorted(own, cut.first, "left")
        if cut.last is not None:
            end[run] = max(int(begin[run]), low + int(np.searchsorted(own, cut.last, "right")))
    return begin, end


def hull(entry: ChunkRuns, begin: Ints, end: Ints) -> tuple[Ints | None, int, int]:
    """The places of the rows of spans from the first of them on, and the stored rows they lie among; None where they adjoin."""
    full = begin < end
    if not full.all():
        begin, end = begin[full], end[full]
    if not len(begin):
        return None, 0, 0
    adjoining = bool((begin[1:] == end[:-1]).all())
    if entry.order is None:
        low, high = int(begin[0]), int(end[-1])
        return (None, low, high) if adjoining else (ranges(begin, end) - low, low, high)
    order = entry.order[begin[0] : end[-1]] if adjoining else entry.order[ranges(begin, end)]
    low, high = int(order.min()), int(order.max()) + 1
    return order.astype(np.int64) - low, low, high


def tight(places: Ints, low: int) -> tuple[Ints | None, int, int]:
    """Places with the stored rows that they lie among."""
    if not len(places):
        return None, low, low
    least, most = int(places.min()), int(places.max())
    places = places - least
    if most - least + 1 == len(places) and (places[1:] > places[:-1]).all():
        return None, low + least, low + most + 1
    return places, low + least, low + most + 1


def ranges(begin: Ints, end: Ints) -> Ints:
    """All numbers of some half-open ranges, one range behind the other."""
    if 0 < len(begin) <= _EACH:
        return np.concatenate(
            [np.arange(low, high) for low, high in zip(begin.tolist(), end.tolist(), strict=True)]
        )
    sizes = end - begin
    before = np.cumsum(sizes) - sizes
    return np.arange(int(sizes.sum())) + np.repeat(begin - before, sizes)


def counts(inside: Bools, sizes: Ints) -> Ints:
    """How many rows of each run are inside."""
    summed = np.concatenate([np.zeros(1, np.int64), np.cumsum(inside)])
    ends = np.cumsum(sizes)
    return summed[ends] - summed[ends - sizes]
