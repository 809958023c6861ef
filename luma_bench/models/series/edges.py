"""How buckets lie in a range of time: evenly, with one phase or several, or by a list of their edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from luma_bench.errors import ResourceError
from luma_bench.models.series.runs import Ints

_LOW, _HIGH = -(1 << 63), (1 << 63) - 1
_MOST = 1 << 28


@dataclass(frozen=True, slots=True)
class Even:
    """Buckets of equal length, whose phase may change at some instants: there one bucket is cut short.

    Attributes
    ----------
    step
        The length of a bucket.
    phases
        int64, in [0, step): each part's edges are multiples of `step` plus its phase.
    since
        int64, where a part begins; the first stands for all time before it too.
    bases
        int64, the number of the bucket that each part begins with, less its quotient.
    """

    step: int
    phases: Ints
    since: Ints
    bases: Ints

    @classmethod
    def single(cls, step: int, phase: int) -> Even:
        """One phase for all time, of any size: bucket 0 begins there."""
        return cls.of(step, np.array([phase], np.int64), np.array([_LOW], np.int64))

    @classmethod
    def of(cls, step: int, phases: Ints, since: Ints) -> Even:
        """Parts by the beginning of a bucket in each; in the first it is bucket 0. Neighbours of equal phase are one part."""
        base = -int(phases[0] // step)
        phases = phases % step
        keep = np.concatenate([[True], phases[1:] != phases[:-1]])
        phases, since = phases[keep], since[keep]
        bases = np.full(len(since), base, np.int64)
        for part in range(1, len(since)):
            begin = int(since[part])
            before = (begin - 1 - int(phases[part - 1])) // step + int(bases[part - 1])
            bases[part] = before + 1 - (begin - int(phases[part])) // step
        return cls(step, phases, since, bases)

    def starts(self, times: Ints) -> Ints:
        """The start of the bucket of each time."""
        if len(self.since) == 1:
            return self.quotients(times) * self.step + self.phases[0]
        part = self._part(times)
        phase = self.phases[part]
        found = (times - phase) // self.step * self.step + phase
        return np.where(part > 0, np.maximum(found, self.since[part]), found)

    def quotients(self, times: Ints) -> Ints:
        """A number that is the same in a bucket and differs between neighbours, for the one phase."""
        phase = int(self.phases[0])
        if phase and len(times) and int(times.min()) < _LOW + phase:
            # The subtraction would wrap at the first moments of int64.
            return (times + (self.step - phase)) // self.step - 1
        return (times - phase if phase else times) // self.step

    def ends(self, starts: Ints) -> Ints:
        """The end of each bucket."""
        if len(self.since) == 1:
            return starts + self.step
        return self.edge(self.index(starts) + 1)

    def index(self, starts: Ints) -> Ints:
        """The number of each bucket."""
        if len(self.since) == 1:
            return self.quotients(starts) + self.bases[0]
        part = self._part(starts)
        return (starts - self.phases[part]) // self.step + self.bases[part]

    def edge(self, numbers: Ints) -> Ints:
        """The start of each bucket by its number."""
        if len(self.since) == 1:
            return (numbers - self.bases[0]) * self.step + self.phases[0]
        begins = np.array(
            [_LOW, *((self.since[1:] - self.phases[1:]) // self.step + self.bases[1:])], np.int64
        )
        part = np.searchsorted(begins, numbers, "right") - 1
        found = (numbers - self.bases[part]) * self.step + self.phases[part]
        return np.where(part > 0, np.maximum(found, self.since[part]), found)

    def grid(self, first: int, last: int) -> Ints:
        """The starts from the bucket of `first` to that of `last`."""
        low, high = (int(number) for number in self.index(self.starts(np.array([first, last], np.int64))))
        if high - low > _MOST:
            raise ResourceError(
                f"There are {high - low:,} buckets between the first and the last time.",
                hint="Choose longer buckets, or read less time: a WHERE on the time column.",
            )
        return self.edge(np.arange(low, high + 1, dtype=np.int64))

    def between(self, first: int, last: int) -> Ints:
        """The edges behind `first`, up to and including `last`."""
        if len(self.since) == 1:
            begin = first + self.step - (first - int(self.phases[0])) % self.step
            return np.arange(begin, last + 1, self.step, dtype=np.int64)
        return self.grid(first, last)[1:]

    def _part(self, times: Ints) -> Ints:
        return np.maximum(np.searchsorted(self.since, times, "right") - 1, 0)


@dataclass(frozen=True, slots=True)
class Edges:
    """Buckets by their edges.

    Attributes
    ----------
    starts_all
        int64, ascending; equal neighbours are buckets without any time.
    first
        The number of the first one.
    """

    starts_all: Ints
    first: int

    def starts(self, times: Ints) -> Ints:
        """The start of the bucket of each time."""
        return self.starts_all[self._place(times)]

    def ends(self, starts: Ints) -> Ints:
        """The end of each bucket."""
        return self.starts_all[self._place(starts) + 1]

    def index(self, starts: Ints) -> Ints:
        """The number of each bucket."""
        return self._place(starts) + self.first

    def edge(self, numbers: Ints) -> Ints:
        """The start of each bucket by its number."""
        return self.starts_all[numbers - self.first]

    def grid(self, first: int, last: int) -> Ints:
        """The starts from the bucket of `first` to that of `last`."""
        low, high = (int(place) for place in self._place(np.array([first, last], np.int64)))
        return np.unique(self.starts_all[low : high + 1])

    def between(self, first: int, last: int) -> Ints:
        """The edges behind `first`, up to and including `last`."""
        return self.grid(first, last)[1:]

    def _place(self, times: Ints) -> Ints:
        return np.searchsorted(self.starts_all, times, "right") - 1
