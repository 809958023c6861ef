"""Two inputs, series by series: where the times of left rows fall among the right rows, block by block on several threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Literal

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.series.runs import Bools, Ints, Runs

THREADS = 2
BLOCK = 60_000
"""Left rows that a block has, about: its needles and what it searches stay in the processor's cache."""
NOWHERE = 1 << 62
"""Where the right rows begin of a left row whose series has none; they end at 0."""
_RIGHT = 8
"""So many right rows cost as much as a left one, when blocks are cut."""
_LOOPED = 1_500
"""A search of its own for each series costs as much as so many rows of one search of all together."""
_LONG = 4
_ROOM = 1 << 62
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1

Search = Callable[[Ints, Literal["left", "right"]], Ints]


@dataclass(frozen=True, slots=True)
class Block:
    """Some left rows that one thread works on.

    Attributes
    ----------
    rows
        The left rows, first and end.
    runs
        The left runs that they are of, first and end; of a single one it may be a part.
    lengths
        How many of the rows are of each of these runs.
    """

    rows: tuple[int, int]
    runs: tuple[int, int]
    lengths: Ints


class Pairs:
    """The runs of two inputs whose series have the same numbers; codes ascend in both, and times have one unit.

    Parameters
    ----------
    missing
        By series number, those that match nothing, such as ones with a NULL key.
    """

    def __init__(self, left: Runs, right: Runs, control: Control, missing: Bools | None = None) -> None:
        self.left, self.right = left, right
        self._control = control
        self._at: Ints = np.minimum(
            np.searchsorted(right.codes, left.codes), max(len(right.codes) - 1, 0)
        ).astype(np.int64)
        found = right.codes[self._at] == left.codes if len(right.codes) else np.zeros(len(self._at), np.bool_)
        self._found: Bools = found if missing is None else found & ~missing[left.codes]

    def blocks(self) -> Iterator[Block]:
        """All left rows, cut into blocks of about equal work, in order; none where no row has a match."""
        if not self._found.any():
            return
        offsets = self.left.offsets
        lengths = np.diff(offsets)
        work = np.cumsum(lengths + np.diff(self.right.offsets)[self._at] // _RIGHT)
        run, base = 0, 0
        while run < len(lengths):
            stop = int(np.searchsorted(work, base + BLOCK, "right"))
            if stop > run:
                yield Block((int(offsets[run]), int(offsets[stop])), (run, stop), lengths[run:stop])
            else:
                # One run alone is more than a block.
                stop = run + 1
                first, end = int(offsets[run]), int(offsets[stop])
                for place in range(first, end, BLOCK):
                    rows = min(BLOCK, end - place)
                    yield Block((place, place + rows), (run, stop), np.array([rows]))
            base = int(work[stop - 1])
            run = stop

    def bounds(self, block: Block) -> tuple[Ints, Ints]:
        """For each left row of a block, where the right rows of its series begin and end: `NOWHERE` and 0 if it has none."""
        span = slice(*block.runs)
        at, found = self._at[span], self._found[span]
        starts = np.where(found, self.right.offsets[at], NOWHERE)
        ends = np.where(found, self.right.offsets[at + 1], 0)
        if len(at) == 1:
            return starts, ends
        return np.repeat(starts, block.lengths), np.repeat(ends, block.lengths)

    def search(self, block: Block) -> Search:
        """`np.searchsorted` of a time for each left row among the right rows of its series, as places among all right rows.

        The times that it is called with have to ascend within each left run, as those of the left rows do. Rows whose series
        has no right rows get any place.
        """
        at = self._at[block.runs[0] : block.runs[1]]
        first, end = int(self.right.offsets[at[0]]), int(self.right.offsets[at[-1] + 1])
        rows = end - first + block.rows[1] - block.rows[0]
        if len(at) > 1 and rows < _LOOPED * len(at):
            together = self._together(block, at, first, end)
            if together is not None:
                return together
        return self._each(block, at)

    def _each(self, block: Block, at: Ints) -> Search:
        """A search for each series."""
        time, offsets = self.right.time, self.right.offsets
        cuts = np.concatenate([[0], np.cumsum(block.lengths)]).tolist()
        spans = list(zip(cuts[:-1], cuts[1:], offsets[at].tolist(), offsets[at + 1].tolist(), strict=True))

        def search(values: Ints, side: Literal["left", "right"]) -> Ints:
            found = np.empty(len(values), np.int64)
            for a, b, first, end in spans:
                if end - first > _LONG * (b - a):
                    # The stretch of a long run that a block is about is short.
                    run = time[first:end]
                    end = first + int(np.searchsorted(run, values[b - 1], "right"))
                    first += int(np.searchsorted(run, values[a], "left"))
                np.add(np.searchsorted(time[first:end], values[a:b], side), first, out=found[a:b])
            return found

        return search

    def _together(self, block: Block, at: Ints, first: int, end: int) -> Search | None:
        """One search for all, of series and time as one number; None where that would not fit into 64 bits."""
        run = self.right.time[first:end]
        low, high = max(int(run.min()) - 1, _LEAST), min(int(run.max()) + 1, _MOST)
        span, ranks = high - low + 1, int(at[-1] - at[0]) + 1
        if span * ranks >= _ROOM:
            return None
        keys = run - low
        keys += np.repeat(np.arange(ranks) * span, np.diff(self.right.offsets[at[0] : at[-1] + 2]))
        mine = np.repeat((at - at[0]) * span, block.lengths)

        def search(values: Ints, side: Literal["left", "right"]) -> Ints:
            # A time outside of all right ones is as good as the nearest such.
            needles = np.clip(values, low, high)
            needles -= low
            needles += mine
            places = np.searchsorted(keys, needles, side)
            places += first
            return places

        return search

    def run(self, work: Callable[[Block], None]) -> None:
        """Do the work of every block, on several threads.

        Raises
        ------
        CancelledError
            The work is to end.
        """
        in_threads(self.blocks(), work, self._control)


def in_threads[T](items: Iterable[T], work: Callable[[T], None], control: Control) -> None:
    """Do independent pieces of work on several threads; the first error ends it.

    Raises
    ------
    CancelledError
        The work is to end.
    """

    def one(item: T) -> None:
        control.check()
        work(item)

    waiting = list(items)
    if len(waiting) < 2:
        for item in waiting:
            one(item)
        return
    with ThreadPoolExecutor(THREADS, "luma-series") as pool:
        tasks = [pool.submit(one, item) for item in waiting]
        done, others = wait(tasks, return_when=FIRST_EXCEPTION)
        for task in others:
            task.cancel()
        for task in done:
            task.result()


def earlier(time: Ints, distance: int) -> Ints:
    """Times moved back by a distance, or forth where it is negative; what would leave int64 stops at its ends."""
    if distance == 0:
        return time
    if distance > 0:
        moved = min(distance, _MOST)
        return np.maximum(time, _LEAST + moved) - moved
    moved = min(-distance, _MOST)
    return np.minimum(time, _MOST - moved) + moved
