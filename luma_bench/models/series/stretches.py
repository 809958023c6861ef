"""Work on stretches: cut into pieces of about equal size, and done on two threads, in order."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.series.runs import Ints, Runs, Stretch, Values

_WAIT = 0.05


def split(stretch: Stretch, rows: int = 1 << 18, *, inside: bool = True) -> list[tuple[Stretch, slice, int]]:
    """Views of a stretch of about so many rows each.

    Parameters
    ----------
    inside
        Cut inside of a long run too; a group may then come in two pieces, which merging joins.

    Returns
    -------
    list
        Each piece, the runs of the stretch that it has, and what is to be added to the stored number of the stretch's first
        row (`Aggregation.partial`'s `first`).
    """
    runs = stretch.runs
    if runs.rows <= rows + rows // 2:
        return [(stretch, slice(0, len(runs.codes)), 0)]
    cuts = np.linspace(0, runs.rows, -(-runs.rows // rows) + 1).astype(np.int64)
    if not inside:
        cuts = np.unique(runs.offsets[np.searchsorted(runs.offsets, cuts)])
    return [_piece(stretch, int(begin), int(stop)) for begin, stop in itertools.pairwise(cuts)]


def _piece(stretch: Stretch, begin: int, stop: int) -> tuple[Stretch, slice, int]:
    runs = stretch.runs
    first = int(np.searchsorted(runs.offsets, begin, "right")) - 1
    last = int(np.searchsorted(runs.offsets, stop, "left"))
    offsets: Ints = np.clip(runs.offsets[first : last + 1], begin, stop) - begin
    part = Runs(
        runs.codes[first:last],
        offsets,
        runs.time[begin:stop],
        None if runs.order is None else runs.order[begin:stop],
    )
    columns = {
        name: Values(values.data[begin:stop], None if values.valid is None else values.valid[begin:stop])
        for name, values in stretch.columns.items()
    }
    return Stretch(part, columns), slice(first, last), begin if runs.order is None else 0


def mapped[I, O](
    work: Callable[[I], O], items: Iterable[I], control: Control, threads: int = 2
) -> Iterator[O]:
    """`work` of each item on some threads, in order, a few ahead of who reads.

    The items are taken on the reader's thread. What is under way when the reader stops is waited for and thrown away.

    Raises
    ------
    CancelledError
        The work is to end.
    """
    waiting: deque[Future[O]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="luma-series") as pool:
        try:
            for item in items:
                control.check()
                waiting.append(pool.submit(work, item))
                if len(waiting) > threads:
                    yield _waited(waiting.popleft(), control)
            while waiting:
                yield _waited(waiting.popleft(), control)
        finally:
            for future in waiting:
                future.cancel()


def _waited[O](future: Future[O], control: Control) -> O:
    while True:
        try:
            return future.result(_WAIT)
        except TimeoutError:
            if future.done():
                raise
            control.check()
