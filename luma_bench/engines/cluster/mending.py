"""What runs anew when a task failed: the task elsewhere, what it reads where that is gone, and all that waited for it.

Dask itself runs anew what dies with a worker. This is for what it takes as final: an exception, and files that it knows not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from luma_bench.engines.cluster.failures import RowsLost, may_mend, told
from luma_bench.engines.cluster.graph import parts_input
from luma_bench.engines.cluster.stage_run import StageRun, taken
from luma_bench.errors import CancelledError, LumaError
from luma_bench.plan.cluster.stages import StageFeed, TableFeed

_TRIES = 4
"""How often one task is tried at most."""

Tasks = tuple[StageRun, list[int]]


@dataclass(slots=True)
class Mending:
    """What is to be sent again.

    Attributes
    ----------
    before
        What the failed task reads and is gone.
    workers
        Who may run the failed task; None for any.
    after
        What waited for it; it is sent when all that it reads is there again.
    """

    before: list[Tasks]
    workers: Sequence[str] | None
    after: list[Tasks]


@dataclass(slots=True)
class Mender:
    """Decides what runs anew in one query.

    Attributes
    ----------
    workers
        Gives the addresses of the workers that are there.
    """

    runs: dict[int, StageRun]
    workers: Callable[[], Sequence[str]]
    _tries: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])

    def plan(self, run: StageRun, task: int, error: BaseException, worker: str) -> Mending:
        """What is sent again; the tasks have their new names already.

        Raises
        ------
        LumaError
            The error, as the caller is to know it: nothing mends it.
        """
        place = run.stage.number, task
        tries = self._tries[place] = self._tries.get(place, 1) + 1
        workers: Sequence[str] | None = None
        again: dict[int, set[int]] = {}
        if isinstance(error, RowsLost | CancelledError) and tries <= _TRIES:
            # A task that its worker gave up though it is wanted was wanted again too late: any worker may run it.
            lost = self.runs.get(error.stage) if isinstance(error, RowsLost) else None
            if (
                isinstance(error, RowsLost)
                and lost is not None
                and lost.attempts[error.task] == error.attempt
            ):
                # Others that read the same file and have not met its loss find it when they do.
                self._renew(lost, error.task, again, readers=False)
        else:
            run.tried[task].add(worker)
            workers = [address for address in self.workers() if address not in run.tried[task]]
            if not may_mend(error) or tries > _TRIES or not workers:
                raise _final(error, run, task, worker)
        self._renew(run, task, again)
        again[run.stage.number].discard(task)
        first = [number for number in again if number < run.stage.number]
        return Mending(self._tasks(again, first), workers, self._tasks(again, set(again) - set(first)))

    def _renew(self, run: StageRun, task: int, again: dict[int, set[int]], *, readers: bool = True) -> None:
        """Name the task anew, with what it reads and is gone, and what was sent to read it and has not run."""
        marked = again.setdefault(run.stage.number, set())
        if task in marked:
            return
        marked.add(task)
        run.renew(task)
        for feed in run.stage.feeds:
            if isinstance(feed, StageFeed):
                source = self.runs[feed.stage]
                for needed in taken(feed, source, task).tasks or (0,):
                    if source.local is None and needed not in source.futures:
                        self._renew(source, needed, again, readers=False)
        if not readers:
            return
        for reader in run.consumers:
            for other in list(reader.unfinished()):
                if _reads(reader, other, run, task):
                    self._renew(reader, other, again)

    def _tasks(self, again: dict[int, set[int]], numbers: Iterable[int]) -> list[Tasks]:
        return [(self.runs[number], sorted(again[number])) for number in sorted(numbers) if again[number]]


def _reads(reader: StageRun, other: int, run: StageRun, task: int) -> bool:
    feeds = [
        feed for feed in reader.stage.feeds if isinstance(feed, StageFeed) and feed.stage == run.stage.number
    ]
    return any(task in (taken(feed, run, other).tasks or (0,)) for feed in feeds)


def _final(error: BaseException, run: StageRun, task: int, worker: str) -> LumaError:
    shown = told(error, run.stage, worker)
    for feed in run.stage.feeds:
        parts = parts_input(feed, task).parts if isinstance(feed, TableFeed) else ()
        for part in parts:
            # What this process knows of the segments, a worker may not: that they were collected, say.
            why: Callable[[LumaError], LumaError] | None = getattr(part, "why", None)
            explained = shown if why is None else why(shown)
            if explained is not shown:
                return explained
    return shown
