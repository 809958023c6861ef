"""Quantiles with a bounded relative error from counts in buckets that grow geometrically (DDSketch: Masson, Rim, Lee 2019)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from luma_bench.models.series.runs import Array, Bools, Ints
from luma_bench.models.series.states import Rows

_DENSE = 4
"""Counting into every possible bin is quicker than sorting up to so many bins a value."""


@dataclass(frozen=True, slots=True)
class Bins:
    """The sketches of many groups, one behind the other.

    Attributes
    ----------
    cuts
        int64, one more than the groups: where the bins of each begin.
    keys
        int64, ascending in a group, in the order of the values they stand for.
    weights
        int64, how many values each bin holds.
    """

    cuts: Ints
    keys: Ints
    weights: Ints

    def take(self, rows: Ints | slice) -> Bins:
        """The sketches of some groups."""
        begins, sizes = self.cuts[:-1][rows], np.diff(self.cuts)[rows]
        cuts = np.zeros(len(sizes) + 1, np.int64)
        np.cumsum(sizes, out=cuts[1:])
        where = np.repeat(begins - cuts[:-1], sizes) + np.arange(cuts[-1])
        return Bins(cuts, self.keys[where], self.weights[where])

    def put(self, rows: Ints, other: Bins) -> Bins:
        """The same, with other sketches at some places."""
        where = np.arange(len(self.cuts) - 1)
        where[rows] = len(where) + np.arange(len(rows))
        return self.after([other]).take(where)

    def after(self, others: Sequence[Bins]) -> Bins:
        """These, and others behind them."""
        every = [self, *others]
        sizes = np.concatenate([np.diff(bins.cuts) for bins in every])
        cuts = np.zeros(len(sizes) + 1, np.int64)
        np.cumsum(sizes, out=cuts[1:])
        return Bins(
            cuts,
            np.concatenate([bins.keys for bins in every]),
            np.concatenate([bins.weights for bins in every]),
        )

    @property
    def nbytes(self) -> int:
        """What it takes."""
        return self.cuts.nbytes + self.keys.nbytes + self.weights.nbytes


@dataclass(frozen=True, slots=True)
class Sketch:
    """Counts by buckets of values; the value of a bucket is within `error` of each value in it, relatively.

    Zero, both infinities and NaN (above all numbers) have buckets of their own.
    """

    column: str
    error: float
    ordered: ClassVar[bool] = False

    @property
    def growth(self) -> float:
        """How much larger each bucket's end is than its beginning."""
        return (1 + self.error) / (1 - self.error)

    @property
    def _limit(self) -> int:
        return math.ceil(746 / math.log(self.growth)) + 1

    def partial(self, rows: Rows) -> Bins:
        """Count."""
        kept = rows.kept((self.column,))
        keys = self._keys(kept.of(rows.columns[self.column].data).astype(np.float64, copy=False))
        which = np.arange(len(rows.begins)) if kept.which is None else kept.which
        return self._counted(np.repeat(which, kept.sizes), keys, None, len(rows.begins))

    def join(self, left: Bins, right: Bins, *, checked: bool) -> Bins:
        """Add the counts."""
        groups = len(left.cuts) - 1
        owners = [np.repeat(np.arange(groups), np.diff(bins.cuts)) for bins in (left, right)]
        return self._counted(
            np.concatenate(owners),
            np.concatenate([left.keys, right.keys]),
            np.concatenate([left.weights, right.weights]),
            groups,
        )

    def reduced(self, states: Bins, begins: Ints) -> Bins:
        """Add the counts."""
        sizes = np.diff(states.cuts[np.append(begins, len(states.cuts) - 1)])
        owners = np.repeat(np.arange(len(begins)), sizes)
        return self._counted(owners, states.keys, states.weights, len(begins))

    def quantile(self, bins: Bins, share: float) -> tuple[Array, Bools]:
        """The value of rank floor(share * (n - 1)) of each group, and where there is one."""
        total = np.zeros(len(bins.weights) + 1, np.int64)
        np.cumsum(bins.weights, out=total[1:])
        before, counts = total[bins.cuts[:-1]], np.diff(total[bins.cuts])
        has = counts > 0
        rank = np.floor(share * (np.maximum(counts, 1) - 1)).astype(np.int64)
        place = np.searchsorted(total[1:], before + rank, "right")
        keys = np.zeros(len(counts), np.int64)
        keys[has] = bins.keys[place[has]]
        return self._values(keys), has

    def _counted(self, owners: Ints, keys: Ints, weights: Ints | None, groups: int) -> Bins:
        if not len(keys):
            return Bins(np.zeros(groups + 1, np.int64), keys, keys)
        low = int(keys.min())
        span = int(keys.max()) - low + 1
        whole = owners * span + (keys - low)
        if weights is None and groups * span <= _DENSE * len(keys):
            counts = np.bincount(whole, minlength=groups * span)
            found = np.flatnonzero(counts)
            counts = counts[found]
        else:
            order = np.argsort(whole, kind="stable")
            whole = whole[order]
            begins = np.flatnonzero(np.concatenate([np.ones(1, bool), whole[1:] != whole[:-1]]))
            found = whole[begins]
            if weights is None:
                counts = np.diff(np.append(begins, len(whole)))
            else:
                counts = np.add.reduceat(weights[order], begins)
        owner = found // span
        return Bins(np.searchsorted(owner, np.arange(groups + 1)), found - owner * span + low, counts)

    def _keys(self, data: Array) -> Ints:
        limit, rate = self._limit, 1 / math.log(self.growth)
        if len(data) and data.min() > 0 and data.max() < np.inf:
            index = np.log(data)
            index *= rate
            return np.ceil(index, out=index).astype(np.int64) + (limit + 1)
        size = np.abs(data)
        finite = np.isfinite(data) & (size > 0)
        index = np.ceil(np.log(np.where(finite, size, 1.0)) * rate).astype(np.int64)
        keys = np.where(finite, index + limit + 1, 0)
        keys = np.where(np.isinf(data), 2 * limit + 2, keys)
        keys = np.where(data < 0, -keys, keys)
        return np.where(np.isnan(data), 2 * limit + 3, keys)

    def _values(self, keys: Ints) -> Array:
        limit = self._limit
        index = np.abs(keys) - limit - 1
        size = np.exp(np.clip(index * math.log(self.growth), -745.0, 709.78)) * (2 / (self.growth + 1))
        value = np.where(keys == 0, 0.0, np.copysign(size, keys))
        value = np.where(np.abs(keys) == 2 * limit + 2, np.copysign(np.inf, keys), value)
        return np.where(keys == 2 * limit + 3, np.nan, value)
