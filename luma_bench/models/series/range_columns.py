"""Aggregates of many ranges over one array, which may overlap: row by row where they are narrow, else by nodes of a tree.

Sums are of rows that stand together, never differences of running sums: a large or infinite value stays where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from luma_bench.models.series.limbs import of_halves, reals
from luma_bench.models.series.runs import Array, Ints, Values

WIDE = 40
"""From so many rows a range on, a tree over the rows is quicker than to look at each of them."""
_LOW = 0xFFFF_FFFF
_ROOM = 1 << 62


@dataclass(frozen=True, slots=True)
class Bounds:
    """Half-open ranges, none of them empty, in the order of their starts or nearly so."""

    starts: Ints
    ends: Ints

    @property
    def wide(self) -> bool:
        """Whether they are so wide that a tree is quicker."""
        return int((self.ends - self.starts).sum()) > WIDE * len(self.starts)


def over(data: Array, function: np.ufunc, neutral: float, bounds: Bounds) -> Array:
    """An associative function over ranges of an array.

    Parameters
    ----------
    function
        Of two values; `neutral` changes nothing.
    """
    if not len(bounds.starts):
        return np.empty(0, data.dtype)
    with np.errstate(all="ignore"):
        if bounds.wide:
            return _by_tree(data, function, neutral, bounds.starts, bounds.ends)
        if int(bounds.ends.max()) == len(data):
            data = np.append(data, data.dtype.type(neutral))
        edges = np.empty(2 * len(bounds.starts), np.int64)
        edges[::2], edges[1::2] = bounds.starts, bounds.ends
        return function.reduceat(data, edges)[::2]


def _by_tree(data: Array, function: np.ufunc, neutral: float, starts: Ints, ends: Ints) -> Array:
    """The same through a tree with one node for two of the level below, made and asked level by level."""
    ahead = np.full(len(starts), neutral, data.dtype)
    behind = ahead.copy()
    rows, low, high, level = np.arange(len(starts)), starts, ends, data
    while True:
        odd = np.flatnonzero(low & 1)
        ahead[rows[odd]] = function(ahead[rows[odd]], level[low[odd]])
        low = (low + 1) >> 1
        odd = np.flatnonzero(high & 1)
        behind[rows[odd]] = function(level[high[odd] - 1], behind[rows[odd]])
        high = high >> 1
        left = np.flatnonzero(low < high)
        if not len(left):
            return function(ahead, behind)
        if len(left) < len(rows):
            rows, low, high = rows[left], low[left], high[left]
        even = len(level) & ~1
        above = function(level[:even:2], level[1:even:2])
        level = above if even == len(level) else np.append(above, level[-1:])


class RangeColumn:
    """The aggregates of a column over ranges of its rows."""

    def __init__(self, values: Values, bounds: Bounds) -> None:
        self._data, self._valid = values.data, values.valid
        self._bounds = bounds
        self._sums: Array | None = None
        if self._valid is None:
            self.counts: Ints = bounds.ends - bounds.starts
        else:
            summed = np.concatenate([[0], np.cumsum(self._valid)])
            self.counts = summed[bounds.ends] - summed[bounds.starts]

    @property
    def dtype(self) -> np.dtype[Any]:
        """What its values are."""
        return self._data.dtype

    def sum(self) -> Array:
        """The sums: float64, or of whole numbers int64 of shape (n, 2), low limb first."""
        if self._sums is None:
            self._sums = self._summed()
        return self._sums

    def mean(self) -> Array:
        """The means, float64; NaN where there is no value."""
        summed = self.sum()
        if summed.ndim == 2:
            summed = reals(summed)
        with np.errstate(all="ignore"):
            return summed / self.counts

    def extreme(self, *, greatest: bool) -> Array:
        """The least or the greatest values, NaN above every number; anything where there is no value."""
        data = self._data
        if data.dtype.kind == "f":
            # NaN is the greatest, and the least only where there is no other.
            neutral = -np.inf if greatest else np.nan
            return over(self._filled(neutral), np.maximum if greatest else np.fmin, neutral, self._bounds)
        if data.dtype.kind == "b":
            neutral = not greatest
        else:
            info = np.iinfo(data.dtype)
            neutral = info.min if greatest else info.max
        return over(self._filled(neutral), np.maximum if greatest else np.minimum, neutral, self._bounds)

    def _summed(self) -> Array:
        data = self._filled(0)
        if data.dtype.kind == "f":
            return over(data.astype(np.float64, copy=False), np.add, 0.0, self._bounds)
        most = max(abs(int(data.max())), abs(int(data.min()))) if len(data) else 0
        longest = int(self.counts.max()) if len(self.counts) else 0
        if most * longest < _ROOM:
            small = over(data.astype(np.int64), np.add, 0, self._bounds)
            return np.stack((small, small >> 63), axis=1)
        # Halves of 32 bits: no sum of fewer than 2 ** 31 of them leaves 64.
        wide = data.astype(np.uint64 if data.dtype.kind == "u" else np.int64)
        low = over((wide & wide.dtype.type(_LOW)).astype(np.int64), np.add, 0, self._bounds)
        high = over((wide >> wide.dtype.type(32)).astype(np.int64), np.add, 0, self._bounds)
        high += low >> 32
        return of_halves(high, low & _LOW)

    def _filled(self, neutral: float) -> Array:
        if self._valid is None:
            return self._data
        return np.where(self._valid, self._data, self._data.dtype.type(neutral))
