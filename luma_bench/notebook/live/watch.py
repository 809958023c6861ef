"""A look at what runs, from another thread, while a cell does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from luma_bench.errors import LumaError

if TYPE_CHECKING:
    from luma_bench.bench.activity import RunningQuery
    from luma_bench.bench.bench import Bench

FIRST = 0.3
"""Seconds that a statement runs before anybody is told."""
EVERY = 0.2
"""Seconds between two reports."""
_INSIST = 0.05
_PATIENCE = 10.0


class Watch:
    """Reports the statements of one cell that run long, until it stops.

    Parameters
    ----------
    find_bench
        The bench that may run something; asked at every look, since a cell may open it.
    progress
        Called with a statement that runs longer than `first` seconds, every `EVERY` seconds.
    done
        Called once with the id of each statement that was reported, when it is over.
    """

    def __init__(
        self,
        find_bench: Callable[[], Bench | None],
        progress: Callable[[RunningQuery], None],
        done: Callable[[int], None],
        first: float = FIRST,
    ) -> None:
        self._find = find_bench
        self._first = first
        self._progress = progress
        self._done = done
        self._over = threading.Event()
        self._reported: set[int] = set()
        self._thread = threading.Thread(target=self._run, name="luma-progress", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """The cell is over; every statement that was reported has been reported as done when this returns."""
        self._over.set()
        self._thread.join()
        self._forget(set())

    def _run(self) -> None:
        pause = self._first
        while not self._over.wait(pause):
            pause = EVERY
            running = running_of(self._find())
            self._forget({query.id for query in running})
            for query in running:
                if query.elapsed >= self._first and not self._over.is_set():
                    self._reported.add(query.id)
                    self._progress(query)

    def _forget(self, running: set[int]) -> None:
        for number in sorted(self._reported - running):
            self._reported.discard(number)
            self._done(number)


def running_of(bench: Bench | None) -> tuple[RunningQuery, ...]:
    """The statements that run on a bench; none where it was never asked anything, or is closed."""
    if bench is None or bench._machinery.closed or bench._machinery._statements is None:
        return ()
    try:
        return bench.running()
    except LumaError:
        # Closed between the look and the question.
        return ()


def stop_run(bench: Bench | None, number: int) -> None:
    """Stop a statement, whatever it does: between two of its steps there is nothing to stop, so it is said again."""
    started = time.perf_counter()
    while bench is not None and any(query.id == number for query in running_of(bench)):
        if time.perf_counter() - started > _PATIENCE:
            return
        if bench.cancel(number) == 0:
            # A step that no engine runs, such as a walk over a graph, ends with the bench's own way of stopping.
            bench.cancel()
        time.sleep(_INSIST)
