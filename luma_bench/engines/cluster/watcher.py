"""Waits for the tasks of one query: hears what workers tell, and looks for what they cannot tell any more."""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from luma_bench.engines.cluster.cluster import ClusterHandle
from luma_bench.engines.cluster.failures import lost_cluster
from luma_bench.engines.cluster.ledger import Ledger, Read, Told
from luma_bench.engines.cluster.rows import TaskValue
from luma_bench.engines.cluster.stage_run import StageRun
from luma_bench.errors import CancelledError, EngineError
from luma_bench.plan.cluster.stages import TaskReport

_WAIT = 0.05
"""Seconds to wait for what workers tell before anything else is looked at."""
_LOOK = 0.1
"""Seconds between two looks at the state of futures."""
_ALONE = 60.0
"""Seconds without any worker after which a query gives up."""
_RESTARTED = "its scheduler was started anew, or dropped its tasks"


@dataclass(slots=True)
class Watcher:
    """Used by the one thread that runs the query.

    Attributes
    ----------
    deadline, limit
        When the query is stopped, by `time.perf_counter`, and the timeout that was asked for; None and 0 for never.
    read
        Told what was read of which table.
    failed
        Called with each task that failed: stage, task, error, worker. It has it run anew, or raises.
    stop
        Stops the query for a reason.
    """

    handle: ClusterHandle
    client: Any
    ledger: Ledger
    runs: dict[int, StageRun]
    deadline: float | None
    limit: float
    read: Callable[[Read], None] | None
    failed: Callable[[StageRun, int, BaseException, str], None]
    stop: Callable[[CancelledError], None]
    _looked: float = field(default_factory=time.perf_counter)
    _peopled: float = field(default_factory=time.perf_counter)
    _silent: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])

    def until(self, done: Callable[[], bool]) -> None:
        """Wait for something that workers tell.

        Raises
        ------
        CancelledError
            The query was stopped, or its timeout ran out.
        EngineError
            The cluster is lost, or a task failed wherever it was tried.
        """
        self.ledger.check()
        while not done():
            wait = _WAIT
            if self.deadline is not None:
                wait = min(wait, max(0.0, self.deadline - time.perf_counter()))
            for told in self.ledger.take(wait):
                self._hear(told)
            if done():
                return
            self._require_in_time()
            if time.perf_counter() - self._looked > _LOOK:
                self._look()
                self._looked = time.perf_counter()

    def values(self, run: StageRun, tasks: Sequence[int]) -> list[TaskValue]:
        """What tasks made; what died with a worker is made anew elsewhere, which this waits for."""
        futures = [run.futures[task] for task in tasks]
        direct = True if self.handle.is_local else None
        gathering = self.client.gather(futures, direct=direct, asynchronous=True)
        pending = asyncio.run_coroutine_threadsafe(gathering, self.client.loop.asyncio_loop)
        try:
            while not pending.done():
                concurrent.futures.wait([pending], _WAIT)
                self._require_in_time()
            return pending.result()
        except (concurrent.futures.CancelledError, asyncio.CancelledError):
            self.ledger.check()
            raise lost_cluster(_RESTARTED) from None
        finally:
            pending.cancel()

    def require_connected(self) -> None:
        """Raise when the query was stopped or its scheduler is gone."""
        self.ledger.check()
        if self.client.status != "running":
            raise lost_cluster("the connection to its scheduler broke")

    def _require_in_time(self) -> None:
        self.ledger.check()
        if self.deadline is not None and time.perf_counter() >= self.deadline:
            self.stop(CancelledError.timeout(self.limit))
            self.ledger.check()

    def _hear(self, told: Told) -> None:
        run = self.runs[told.stage]
        if told.attempt != run.attempts[told.task]:
            return
        if told.error is not None:
            self.ledger.check()
            self.failed(run, told.task, told.error, told.worker)
            return
        if (
            told.report is not None
            and run.report(told.task, told.report, told.rows)
            and self.read is not None
        ):
            self.read(told.read)

    def _look(self) -> None:
        """Look for what workers cannot tell: that they died, or that the scheduler is gone."""
        self.require_connected()
        pending = False
        for run in sorted(self.runs.values(), key=lambda found: found.stage.number):
            for task in list(run.unfinished()):
                future: Any = run.futures.get(task)
                if future is None:
                    continue
                pending = True
                status = future.status
                if status == "error":
                    self.failed(run, task, future.exception(), "")
                elif status == "finished":
                    self._read_back(run, task)
                elif status == "cancelled":
                    self.ledger.check()
                    raise lost_cluster(_RESTARTED)
        if not pending or not self.handle.is_deserted():
            self._peopled = time.perf_counter()
        elif time.perf_counter() - self._peopled > _ALONE:
            raise EngineError(
                f"The cluster has had no worker for {_ALONE:g} s.",
                hint="Start workers, and run it again.",
            )

    def _read_back(self, run: StageRun, task: int) -> None:
        """Take the report of a task that is done and told nothing, for two looks in a row, from what it made."""
        place = run.stage.number, task
        if place not in self._silent:
            self._silent.add(place)
            return
        (value,) = self.values(run, [task])
        tables = [value.bucket(bucket) for bucket in range(run.buckets)]
        rows, nbytes = (table.num_rows for table in tables), (table.nbytes for table in tables)
        run.report(task, TaskReport(tuple(rows), tuple(nbytes), 0.0))
