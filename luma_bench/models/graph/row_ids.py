"""The row ids of a table's elements, by place: a range takes no memory, and rows are found again without a sort."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

_Ints = np.ndarray[Any, np.dtype[np.int64]]
_MANY = 4096
_SPARSE = 4


class RowIds:
    """The row id of each place, none twice. Immutable and thread-safe.

    Parameters
    ----------
    first, count
        A range of ids, when `held` is None.
    held
        int64, by place.
    ascending
        Whether `held` ascends.
    """

    __slots__ = ("_first", "_held", "_lock", "_made", "_order", "ascending", "count")

    def __init__(self, first: int, count: int, held: _Ints | None = None, *, ascending: bool = True) -> None:
        self.count = count
        self.ascending = ascending
        self._first = first
        self._held = held
        self._made: _Ints | None = held
        self._order: tuple[_Ints, _Ints] | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, row_ids: _Ints) -> RowIds:
        """Those of an array; kept as a range when it is one."""
        if not len(row_ids):
            return cls(0, 0)
        ascending = bool((row_ids[1:] > row_ids[:-1]).all())
        if ascending and int(row_ids[-1]) - int(row_ids[0]) == len(row_ids) - 1:
            return cls(int(row_ids[0]), len(row_ids))
        return cls(0, len(row_ids), row_ids, ascending=ascending)

    def __len__(self) -> int:
        return self.count

    @property
    def start(self) -> int | None:
        """The first id of a range; None when they are none."""
        return self._first if self._held is None else None

    @property
    def array(self) -> _Ints:
        """int64, by place; a range is written out once and kept."""
        if self._made is None:
            self._made = np.arange(self._first, self._first + self.count, dtype=np.int64)
        return self._made

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        order = 0 if self._order is None else sum(item.nbytes for item in self._order)
        return (0 if self._made is None else self._made.nbytes) + order

    def take(self, places: np.ndarray) -> _Ints:
        """The row ids of places."""
        if self._held is None:
            return places.astype(np.int64) + self._first
        return self._held[places]

    def places(self, row_ids: _Ints) -> _Ints:
        """The place of each row id, int64; -1 where there is none."""
        if not self.count or not len(row_ids):
            return np.full(len(row_ids), -1, np.int64)
        if self._held is None:
            at = row_ids - self._first
            at[(row_ids < self._first) | (at >= self.count)] = -1
            return at
        if len(row_ids) > _MANY and (found := self._by_table(row_ids)) is not None:
            return found
        if self.ascending:
            at = np.minimum(np.searchsorted(self._held, row_ids), self.count - 1)
            at[self._held[at] != row_ids] = -1
            return at
        order, held = self._sorted(self._held)
        at = np.minimum(np.searchsorted(held, row_ids), self.count - 1)
        found = order[at]
        found[held[at] != row_ids] = -1
        return found

    def patched(self, places: _Ints, row_ids: _Ints, more: _Ints) -> RowIds:
        """The same with other rows at some places (ascending), and more places behind them."""
        if not len(places) and not len(more):
            return self
        start = self.start
        if start is not None and not len(places) and int(more[0]) == start + self.count:
            later = RowIds.of(more)
            if later.start is not None:
                return RowIds(start, self.count + len(more))
        return _Patched(self, places, row_ids, RowIds.of(more))

    def _by_table(self, row_ids: _Ints) -> _Ints | None:
        """By one table over all ids between the smallest and the largest; None where they lie too far apart."""
        assert self._held is not None
        low, high = (
            (int(self._held[0]), int(self._held[-1]))
            if self.ascending
            else (int(self._held.min()), int(self._held.max()))
        )
        if high - low >= _SPARSE * (self.count + len(row_ids)):
            return None
        table = np.full(high - low + 1, -1, np.int32)
        table[self._held - low] = np.arange(self.count, dtype=np.int32)
        inside = (row_ids >= low) & (row_ids <= high)
        if inside.all():
            return table[row_ids - low].astype(np.int64)
        found = np.full(len(row_ids), -1, np.int64)
        found[inside] = table[row_ids[inside] - low]
        return found

    def _sorted(self, held: _Ints) -> tuple[_Ints, _Ints]:
        with self._lock:
            if self._order is None:
                order = np.argsort(held, kind="stable")
                self._order = order, held[order]
            return self._order


class _Patched(RowIds):
    """Row ids that differ from others at a few places, and go on behind them."""

    __slots__ = ("_base", "_changed", "_later", "_rows")

    def __init__(self, base: RowIds, changed: _Ints, rows: _Ints, later: RowIds) -> None:
        super().__init__(0, len(base) + len(later), ascending=False)
        self._base = base
        self._changed = changed
        self._rows = rows
        self._later = later

    @property
    def start(self) -> int | None:
        return None

    @property
    def array(self) -> _Ints:
        if self._made is None:
            made = np.concatenate((self._base.array, self._later.array))
            made[self._changed] = self._rows
            self._made = made
        return self._made

    @property
    def nbytes(self) -> int:
        own = 0 if self._made is None else self._made.nbytes
        return own + self._changed.nbytes + self._rows.nbytes + self._later.nbytes

    def take(self, places: np.ndarray) -> _Ints:
        if self._made is not None:
            return self._made[places]
        first = len(self._base)
        later = places >= first
        if later.any():
            found = np.empty(len(places), np.int64)
            found[later] = self._later.take(places[later] - first)
            found[~later] = self._base.take(places[~later])
        else:
            found = self._base.take(places)
            found = found.copy() if len(self._changed) else found
        if len(self._changed):
            at = np.minimum(np.searchsorted(self._changed, places), len(self._changed) - 1)
            hit = self._changed[at] == places
            found[hit] = self._rows[at[hit]]
        return found

    def places(self, row_ids: _Ints) -> _Ints:
        found = self._base.places(row_ids)
        if len(self._changed):
            at = np.minimum(np.searchsorted(self._changed, found), len(self._changed) - 1)
            found[self._changed[at] == found] = -1
            own = RowIds.of(self._rows).places(row_ids)
            found[own >= 0] = self._changed[own[own >= 0]]
        later = self._later.places(row_ids)
        found[later >= 0] = later[later >= 0] + len(self._base)
        return found
