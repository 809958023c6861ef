"""Groups of series on a grid of buckets: the place of each, bucket after bucket and in each bucket series after series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from luma_bench.models.series.runs import Ints

Places = np.ndarray[Any, np.dtype[np.int32]]
"""Cells of a grid as groups: 0 for none, else the group's number and one."""

_BLOCK = 262_144
_SPARSE = 4
_SMALL = 4_000_000


@dataclass(frozen=True, slots=True)
class Block:
    """Some buckets of a grid.

    Attributes
    ----------
    first, end
        The buckets, half-open.
    groups
        `(end - first, series)` cells: 0 where no group is, else its number and one.
    """

    first: int
    end: int
    groups: Places


class Grid:
    """Where groups stand among all buckets of all series.

    Parameters
    ----------
    starts
        Where the buckets of the grid begin, ascending, int64.
    series
        How many series there are.
    rank
        The series of each group, from 0; those of one series ascend by time.
    times
        Where the bucket of each group begins: a start of the grid.
    """

    def __init__(self, starts: Ints, series: int, rank: np.ndarray[Any, Any], times: Ints) -> None:
        self.starts = starts
        self.series = series
        places = slots(starts, times)
        places *= series
        places += rank
        self.cells = len(starts) * series
        self.groups = len(times)
        self._whole: Places | None = None
        self._sorted: tuple[Ints, Ints] | None = None
        if self.cells <= _SPARSE * self.groups + _SMALL:
            whole = np.zeros(self.cells, np.int32)
            whole[places] = np.arange(1, self.groups + 1, dtype=np.int32)
            self._whole = whole
        else:
            order = np.argsort(places)
            self._sorted = places[order], order

    @property
    def order(self) -> Ints:
        """The groups by bucket, then by series."""
        if self._whole is not None:
            held = self._whole[self._whole > 0] if self.groups < self.cells else self._whole
            return held.astype(np.int64) - 1
        assert self._sorted is not None
        return self._sorted[1]

    def blocks(self, cells: int = _BLOCK) -> Iterator[Block]:
        """The grid in blocks of whole buckets, each of about so many cells."""
        height = max(1, cells // max(1, self.series))
        for first in range(0, len(self.starts), height):
            end = min(first + height, len(self.starts))
            yield Block(first, end, self._cells(first, end))

    def _cells(self, first: int, end: int) -> Places:
        low, high = first * self.series, end * self.series
        if self._whole is not None:
            return self._whole[low:high].reshape(end - first, self.series)
        assert self._sorted is not None
        places, order = self._sorted
        a, b = np.searchsorted(places, [low, high])
        found = np.zeros(high - low, np.int32)
        found[places[a:b] - low] = order[a:b] + 1
        return found.reshape(end - first, self.series)


def slots(starts: Ints, times: Ints) -> Ints:
    """The number of the bucket that begins at each time, int64; every time is one of the starts."""
    if len(starts) < 2:
        return np.zeros(len(times), np.int64)
    step = int(starts[1] - starts[0])
    if int(starts[-1] - starts[0]) == step * (len(starts) - 1) and (np.diff(starts) == step).all():
        found = times - starts[0]
        found //= step
        return found
    return np.searchsorted(starts, times)


def by_series(rank: np.ndarray[Any, Any], times: Ints) -> Ints | None:
    """An order of groups in which each series stands together, by time; None where they stand so."""
    if len(rank) < 2:
        return None
    changes = np.flatnonzero(rank[1:] != rank[:-1])
    late = np.flatnonzero(times[1:] <= times[:-1])
    together = len(np.unique(rank[changes + 1])) == len(changes) and rank[0] not in rank[changes + 1]
    if together and len(late) <= len(changes) and np.isin(late, changes, assume_unique=True).all():
        return None
    return np.lexsort((times, rank))
