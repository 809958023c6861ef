"""Rows of two tables that are the same within a tolerance, paired without a key.

Rows that agree in all other columns are sorted by their floating-point ones and held against those beside them in the other table,
so the work is that of sorting; a row is tried with `ROUNDS` others at most, and what remains undecided is counted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from luma_bench.bench.diff_close import Mask, close, doubles, is_number, leading

Ints = npt.NDArray[np.int64]
Column = pa.Array | pa.ChunkedArray
Floats = npt.NDArray[np.float64]

ROUNDS = 64
"""With how many rows a row is compared at most."""


@dataclass(frozen=True, slots=True)
class Unpaired:
    """What has no counterpart: the places of rows of each side, and for how many of the first not all pairs were tried."""

    before: Ints
    after: Ints
    undecided: int


def unpaired(
    groups: tuple[Ints, Ints],
    columns: Sequence[tuple[Column, Column]],
    tolerance: float,
) -> Unpaired:
    """Pair rows whose values are close in every column; which have no counterpart.

    Parameters
    ----------
    groups
        A number for each row of either side: only rows of one number can be the same.
    columns
        Both sides' columns that may be apart by the tolerance.
    tolerance
        Relative to the larger value, above 0.
    """
    count = len(groups[0])
    joined = np.concatenate(groups)
    scalars: list[Floats] = []
    for pair in columns:
        if is_number(pair[0].type):
            values = np.concatenate([doubles(column) for column in pair])
            nulls = np.concatenate([np.asarray(column.is_null()) for column in pair])
            kind = np.where(nulls, 0, np.where(np.isnan(values), 1, np.where(np.isinf(values), 2, 4)))
            kind = kind + ((kind == 2) & (values < 0))
            joined = np.unique(joined * 5 + kind, return_inverse=True)[1].astype(np.int64)
            scalars.append(np.where(kind == 4, values, 0.0))
    keys = scalars or [np.concatenate([leading(column) for column in columns[0]])]
    # The column that tells most rows apart finds a row's counterpart fastest.
    keys.sort(key=lambda values: -len(np.unique(values)))
    return _Search(count, joined, keys, columns, tolerance).run()


class _Search:
    """One search: rows of both sides in the order of their groups and of the cells of their keys."""

    def __init__(
        self,
        count: int,
        groups: Ints,
        keys: Sequence[Floats],
        columns: Sequence[tuple[Column, Column]],
        tolerance: float,
    ) -> None:
        self._columns, self._tolerance = columns, tolerance
        # Some sixty times as wide as the tolerance, so that few rows have a counterpart in the next cell.
        self._shift = min(max(52 + math.floor(math.log2(tolerance * 64)), 0), 62)
        first, second = slice(0, count), slice(count, None)
        cells = self._cells(keys[0])
        self._before, self._after = (
            np.lexsort((*(key[side] for key in reversed(keys[1:])), cells[side], groups[side]))
            for side in (first, second)
        )
        one, two = groups[first][self._before], groups[second][self._after]
        key, sorted_cells = keys[0][first][self._before], cells[second][self._after]
        room = (
            np.abs(key) * (tolerance / (1 - tolerance) * (1 + 1e-9))
            if tolerance < 1
            else np.full(len(key), np.inf)
        )
        begin, end = np.searchsorted(two, one, "left"), np.searchsorted(two, one, "right")
        with np.errstate(over="ignore"):
            self._low = _bisected(sorted_cells, begin, end, self._cells(key - room), right=False)
            self._high = _bisected(sorted_cells, begin, end, self._cells(key + room), right=True)
        self._first = _places(one, cells[first][self._before])

    def run(self) -> Unpaired:
        size = self._high - self._low
        used = np.zeros(len(self._after), np.bool_)
        found = np.zeros(len(self._before), np.bool_)
        alive = np.flatnonzero(size > 0)
        for tried in range(ROUNDS):
            if not len(alive):
                break
            candidates = self._low[alive] + (self._first[alive] + tried) % size[alive]
            free = np.flatnonzero(~used[candidates])
            free = free[self._close(alive[free], candidates[free])]
            # Two rows may want the same one: the first takes it.
            taken, where = np.unique(candidates[free], return_index=True)
            used[taken] = True
            found[alive[free[where]]] = True
            alive = alive[~found[alive] & (size[alive] > tried + 1)]
        left = np.sort(self._after[~used])
        return Unpaired(np.sort(self._before[~found]), left, len(alive) if len(left) else 0)

    def _close(self, before: Ints, after: Ints) -> Mask:
        made = np.ones(len(before), np.bool_)
        for one, two in self._columns:
            here = np.flatnonzero(made)
            if not len(here):
                break
            rows = pa.array(self._before[before[here]]), pa.array(self._after[after[here]])
            made[here] = close(one.take(rows[0]), two.take(rows[1]), self._tolerance)
        return made

    def _cells(self, values: Floats) -> Ints:
        """The numbers of cells that grow with their values: the first bits of a float are its size, in steps."""
        bits = np.abs(values).view(np.int64)
        return np.where(values < 0, -bits, bits) >> self._shift


def _bisected(values: Ints, begin: Ints, end: Ints, targets: Ints, *, right: bool) -> Ints:
    """For each target, where it belongs in its own sorted range of the values."""
    low, high = begin.astype(np.int64), end.astype(np.int64)
    while (open_ := low < high).any():
        middle = (low + high) // 2
        here = values[np.minimum(middle, len(values) - 1)]
        above = open_ & ((here <= targets) if right else (here < targets))
        low = np.where(above, middle + 1, low)
        high = np.where(open_ & ~above, middle, high)
    return low


def _places(groups: Ints, cells: Ints) -> Ints:
    """The place of each row among those of its group and cell, which lie side by side."""
    count = len(groups)
    if not count:
        return np.zeros(0, np.int64)
    starts = np.concatenate([[True], (groups[1:] != groups[:-1]) | (cells[1:] != cells[:-1])])
    return np.arange(count) - np.maximum.accumulate(np.where(starts, np.arange(count), 0))
