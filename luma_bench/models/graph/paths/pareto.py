"""Which ways to a state are kept when times count: those that fewer than `quota` better ones stand for."""

from __future__ import annotations

import numpy as np

from luma_bench.models.graph.paths.levels import Labels
from luma_bench.models.graph.topology import Bools, Ints

_ROOM = 1024


class Fronts:
    """The arrivals (and departures) of the ways kept so far, by state: lists in arrays, newest first.

    Parameters
    ----------
    bounded
        The whole journey is bounded, so that departure and arrival both count.
    turned
        The search goes from the last edge to the first: a late departure is better, where else an early arrival is.
    """

    def __init__(self, quota: int, bounded: bool, turned: bool) -> None:
        self._quota, self._bounded, self._turned = quota, bounded, turned
        self._heads: dict[int, int] = {}
        self._next = np.empty(_ROOM, np.int64)
        self._first = np.empty(_ROOM, np.int64)
        self._second = np.empty(_ROOM, np.int64)
        self._count = 0

    @property
    def nbytes(self) -> int:
        """Bytes in memory, about."""
        return 3 * self._next.nbytes + 100 * len(self._heads)

    def chosen(self, states: Ints, starts: Ints, labels: Labels, ended: Bools) -> Bools:
        """Which labels to keep, and remember them.

        Parameters
        ----------
        states
            Of each label, ascending; labels of one state come with the best way first.
        starts
            Where each state's labels begin.
        ended
            Labels of whole matches, for which times count no more.
        """
        assert labels.arrived is not None
        assert labels.departed is not None
        # Smaller is better in both; a way without an edge is the best (the smallest integer is its own negative).
        early, late = np.where(ended, 0, labels.arrived), np.where(ended, 0, -labels.departed)
        first_key, second_key = (late, early) if self._turned else (early, late)
        groups = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(states))))
        heads = np.array([self._heads.get(state, -1) for state in states[starts].tolist()], np.int64)
        better = self._better(heads[groups], first_key, second_key)
        chosen = np.zeros(len(states), np.bool_)
        left = np.flatnonzero(better < self._quota)
        while len(left):
            group = groups[left]
            heading = np.concatenate(([True], group[1:] != group[:-1]))
            taken = left[heading]
            chosen[taken] = True
            # The first of its state that is left stands for those behind it that are no better in time.
            which = np.cumsum(heading) - 1
            rest = ~heading
            by = taken[which[rest]]
            left = left[rest]
            better[left] += self._stands(first_key[by], second_key[by], first_key[left], second_key[left])
            left = left[better[left] < self._quota]
        self._remember(states[chosen], first_key[chosen], second_key[chosen])
        return chosen

    def _stands(self, first: Ints, second: Ints, other_first: Ints, other_second: Ints) -> Bools:
        stands = first <= other_first
        return stands & (second <= other_second) if self._bounded else stands

    def _better(self, heads: Ints, first: Ints, second: Ints) -> Ints:
        better = np.zeros(len(heads), np.int64)
        rows = np.flatnonzero(heads >= 0)
        at = heads[rows]
        while len(rows):
            better[rows] += self._stands(self._first[at], self._second[at], first[rows], second[rows])
            at = self._next[at]
            going = at >= 0
            rows, at = rows[going], at[going]
        return better

    def _remember(self, states: Ints, first: Ints, second: Ints) -> None:
        count = len(states)
        while self._count + count > len(self._next):
            for name in ("_next", "_first", "_second"):
                setattr(self, name, np.concatenate((getattr(self, name), np.empty_like(self._next))))
        places = np.arange(self._count, self._count + count)
        self._first[places], self._second[places] = first, second
        for place, state in zip(places.tolist(), states.tolist(), strict=True):
            self._next[place] = self._heads.get(state, -1)
            self._heads[state] = place
        self._count += count
