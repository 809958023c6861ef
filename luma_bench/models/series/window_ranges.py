"""Window join: for each left row the right rows of its series in a range of time around its own, as bounds among sorted runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from luma_bench.models.series.pairs import Block, Pairs, earlier
from luma_bench.models.series.runs import Ints

PAIRS = 1 << 20
"""Pairs of a left and a right row that are laid out at a time."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """The right rows of some left rows that follow one another.

    Attributes
    ----------
    first
        The first left row.
    starts, sizes
        Where the right rows of each begin among all right rows, in the order of their runs, and how many they are.
    """

    first: int
    starts: Ints
    sizes: Ints

    @property
    def pairs(self) -> int:
        """The right rows of all, those of several left rows as often."""
        return int(self.sizes.sum())

    def cut(self, pairs: int = PAIRS) -> Iterator[Ranges]:
        """The same in parts of at most so many pairs, but for single rows that have more."""
        summed = np.cumsum(self.sizes)
        row, base = 0, 0
        while row < len(self.sizes):
            stop = max(row + 1, int(np.searchsorted(summed, base + pairs, "right")))
            yield Ranges(self.first + row, self.starts[row:stop], self.sizes[row:stop])
            base = int(summed[stop - 1])
            row = stop

    def hull(self) -> tuple[int, int]:
        """The first of the right rows that they lie among, and the one behind the last; there has to be one."""
        full = np.flatnonzero(self.sizes)
        return int(self.starts[full].min()), int((self.starts[full] + self.sizes[full]).max())

    def places(self) -> Ints:
        """The right rows of one left row after the other."""
        before = np.cumsum(self.sizes) - self.sizes
        return np.arange(self.pairs) + np.repeat(self.starts - before, self.sizes)


def joined(parts: Sequence[Ranges]) -> Ranges:
    """Ranges of left rows that follow one another."""
    if len(parts) == 1:
        return parts[0]
    starts, sizes = (
        np.concatenate([one.starts for one in parts]),
        np.concatenate([one.sizes for one in parts]),
    )
    return Ranges(parts[0].first, starts, sizes)


def ranges(pairs: Pairs, block: Block, preceding: int, following: int) -> Ranges:
    """The right rows whose time lies from `preceding` before the left one to `following` behind it, both ends included.

    Parameters
    ----------
    preceding, following
        In units of time; negative ones turn round.
    """
    time = pairs.left.time[block.rows[0] : block.rows[1]]
    search = pairs.search(block)
    starts = search(earlier(time, preceding), "left")
    sizes = search(earlier(time, -following), "right")
    sizes -= starts
    np.maximum(sizes, 0, out=sizes)
    sizes *= pairs.bounds(block)[1] != 0
    return Ranges(block.rows[0], starts, sizes)
