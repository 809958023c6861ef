"""Runs the stages of one query on a Dask cluster: what is sent when, what is waited for, what is tried anew.

A stage is sent when somebody needs it, together with all others that wait: one message for several of them. A stage of one
task whose rows are all in the driver runs there, so that the last step of a small query costs no further round trip.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from luma_bench.engines.cluster.cluster import ClusterHandle
from luma_bench.engines.cluster.driver import DriverStages
from luma_bench.engines.cluster.exchange_folder import removed
from luma_bench.engines.cluster.graph import WIDE, GraphMaker
from luma_bench.engines.cluster.ledger import Desk, Read
from luma_bench.engines.cluster.mending import Mender
from luma_bench.engines.cluster.nodes import stage_node
from luma_bench.engines.cluster.stage_run import StageRun
from luma_bench.engines.cluster.watcher import Watcher
from luma_bench.engines.duck import DuckEngine
from luma_bench.errors import CancelledError
from luma_bench.plan.cluster.stages import Handle, Stage, StageFeed, TaskReport
from luma_bench.types.limits import Limits
from luma_bench.types.record import NodeRecord

_BATCH = 2_000
"""Tasks that one message to the scheduler has at most."""
_AHEAD = 3
"""Tasks that are sent ahead for each that can run at a time, when the rows of a stage are drained one after the other."""
_GATHERED = 64 << 20
"""Bytes of rows that are brought to the driver at a time."""


class StageHandle:
    """A stage that was handed over."""

    __slots__ = ("_runner", "run")

    def __init__(self, run: StageRun, runner: DaskRunner) -> None:
        self.run = run
        self._runner = runner

    @property
    def stage(self) -> Stage:
        """What it is."""
        return self.run.stage

    def reports(self) -> Sequence[TaskReport]:
        """What each task did; waits for all of them, and raises what the first failure was."""
        return self._runner.reports(self)


class DaskRunner:
    """A `StageRunner` for one query. Its methods are called by one thread; `stop` and `progress` by any.

    Parameters
    ----------
    embedded
        Runs what runs in the driver.
    timezone
        The session's time zone, by name.
    limits
        How long the query may run.
    read
        Told what was read of which table.
    """

    def __init__(
        self,
        handle: ClusterHandle,
        desk: Desk,
        embedded: DuckEngine,
        timezone: str,
        limits: Limits | None = None,
        read: Callable[[Read], None] | None = None,
    ) -> None:
        self._handle = handle
        self._client: Any = desk.client
        self.started = time.perf_counter()
        self.ledger = desk.open()
        self._runs: dict[int, StageRun] = {}
        self._graphs = GraphMaker(
            self._client,
            desk.topic,
            self.ledger.query,
            handle.versions,
            timezone,
            handle.exchange,
            self._runs,
        )
        self._driver = DriverStages(embedded, self._runs, limits)
        self._mender = Mender(self._runs, handle.workers)
        left = limits.seconds_left if limits is not None else 0.0
        self._watcher = Watcher(
            handle,
            self._client,
            self.ledger,
            self._runs,
            self.started + left if left else None,
            limits.timeout if limits is not None else 0.0,
            read,
            self._mend,
            self.stop,
        )
        self._held: dict[int, set[int]] = {}
        self._shown = 0.0
        self._over = False

    # --- StageRunner ---

    @property
    def slots(self) -> int:
        """How many tasks run at the same time: the threads of all workers."""
        return self._handle.slots()

    def submit(self, stage: Stage) -> StageHandle:
        """Hand a stage over; it is sent with the first that is waited for."""
        self.ledger.check()
        run = StageRun(stage, self.ledger.query)
        for feed in stage.feeds:
            if isinstance(feed, StageFeed):
                self._runs[feed.stage].consumers.append(run)
        self._runs[stage.number] = run
        return StageHandle(run, self)

    def reports(self, handle: StageHandle) -> Sequence[TaskReport]:
        """What each task of a stage did; waits for all of them."""
        run = handle.run
        self._flush(run)
        self._until(lambda: run.done)
        return [report for report in run.reports if report is not None]

    def fetch(self, handle: Handle) -> Iterator[pa.Table]:
        """The rows of each task in order. Tasks that were not sent yet are, as their rows are drained: who reads slowly slows them."""
        run = self._runs[handle.stage.number]
        self._flush(run, but_rows_of=run)
        ahead = _AHEAD * self.slots
        task = 0
        while task < run.stage.tasks:
            if run.local is None:
                waiting = [
                    other
                    for other in range(task, min(run.stage.tasks, task + ahead))
                    if other not in run.sent
                ]
                if waiting and (task == 0 or len(waiting) > ahead // 2 or waiting[-1] == run.stage.tasks - 1):
                    self._send([(run, waiting)])
            first = task
            self._until(lambda first=first: run.reports[first] is not None)
            end = self._ready(run, first)
            yield from self._rows(run, first, end)
            task = end

    def release(self, handle: Handle) -> None:
        """Nobody reads the stage's rows any more."""
        self._runs[handle.stage.number].released = True
        self._sweep()

    def nodes(self) -> Sequence[NodeRecord]:
        """What ran, for the run record."""
        return [stage_node(run) for _, run in sorted(self._runs.items()) if run.finished]

    def warnings(self) -> Sequence[str]:
        """What slowed the query and can be mended."""
        pieces = max((run.stage.tasks * run.buckets for run in self._runs.values()), default=0)
        problem = self._handle.exchange.problem if pieces > WIDE and not self._over else ""
        return (
            [f"dask: rows moved in {pieces:,} pieces between workers' memories: {problem}"] if problem else []
        )

    # --- what others may do meanwhile ---

    @property
    def progress(self) -> float | None:
        """The share of the known tasks that are done, never falling; None before the first."""
        runs = list(self._runs.values())
        total = sum(run.stage.tasks for run in runs)
        if total:
            self._shown = max(self._shown, sum(run.finished for run in runs) / total)
        return self._shown if total else None

    def stop(self, reason: CancelledError | None = None) -> None:
        """Stop it, from any thread; who waits for it raises `reason`, or that it was cancelled."""
        reason = reason or CancelledError.query(time.perf_counter() - self.started)
        if self.ledger.stop(reason):
            self._driver.stop()
            self._drop()

    def close(self) -> None:
        """Give everything back that the query has on the cluster. Calling it again does nothing."""
        if self._over:
            return
        self._over = True
        self._drop()
        folder = self._handle.exchange_of(self.ledger.query)
        if folder is not None and not removed(str(folder)) and self._client.status == "running":
            self._client.run(removed, str(folder), wait=False)

    # --- sending ---

    def _flush(self, wanted: StageRun, but_rows_of: StageRun | None = None) -> None:
        """Send what waits, so that `wanted` can run; a stage of one small task runs here instead, if its rows are here."""
        waiting = [run for run in self._runs.values() if run.local is None and not run.sent]
        together: list[tuple[StageRun, Iterable[int]]] = []
        for run in sorted(waiting, key=lambda found: found.stage.number):
            if run is but_rows_of and run.stage.tasks > _AHEAD * self.slots:
                continue
            if self._driver.may_run(run):
                if run is wanted:
                    # Its inputs are on their way, or are sent now; waiting for them costs less than one more task.
                    self._send(together)
                    together = []
                    self._until(lambda run=run: self._driver.is_fed(run))
                if self._driver.takes(run):
                    self._send(together)
                    together = []
                    self._ran_here(run)
                    continue
            together.append((run, range(run.stage.tasks)))
        self._send(together)
        self._sweep()

    def _ran_here(self, run: StageRun) -> None:
        self.ledger.check()
        self._driver.run(run)
        self.ledger.check()

    def _send(
        self, stages: Sequence[tuple[StageRun, Iterable[int]]], workers: Sequence[str] | None = None
    ) -> None:
        """Hand tasks to the scheduler, several stages in one message."""
        graph: dict[Any, Any] = {}
        wanted: list[tuple[StageRun, int]] = []
        for run, tasks in stages:
            listed = list(tasks)
            if wanted and self._graphs.gathers(run):
                # What one task in between gathers is sent before.
                self._deliver(graph, wanted, workers)
                graph, wanted = {}, []
            for first in range(0, len(listed), _BATCH):
                some = listed[first : first + _BATCH]
                graph.update(self._graphs.graph(run, some))
                wanted.extend((run, task) for task in some)
                if len(wanted) >= _BATCH:
                    self._deliver(graph, wanted, workers)
                    graph, wanted = {}, []
        if wanted:
            self._deliver(graph, wanted, workers)

    def _deliver(
        self, graph: dict[Any, Any], wanted: Sequence[tuple[StageRun, int]], workers: Sequence[str] | None
    ) -> None:
        self._watcher.require_connected()
        keys = [run.key(task) for run, task in wanted]
        futures = self._client.get(graph, keys, sync=False, workers=workers)
        for (run, task), future in zip(wanted, futures, strict=True):
            run.futures[task] = future
            run.sent.add(task)

    # --- mending ---

    def _mend(self, run: StageRun, task: int, error: BaseException, worker: str) -> None:
        """Try anew what failed, elsewhere where that may help, or raise what the caller is to know."""
        mending = self._mender.plan(run, task, error, worker)
        self._graphs.forget(error)
        self._send(mending.before)
        self._send([(run, [task])], mending.workers)
        for reader, tasks in mending.after:
            self._held.setdefault(reader.stage.number, set()).update(tasks)

    def _unhold(self) -> None:
        """Send what waited for tasks that failed and are done now."""
        for number in sorted(self._held):
            run = self._runs[number]
            if self._driver.is_fed(run):
                self._send([(run, sorted(self._held.pop(number)))])

    def _until(self, done: Callable[[], bool]) -> None:
        def unheld() -> bool:
            if self._held:
                self._unhold()
            return done()

        self._watcher.until(unheld)

    # --- rows ---

    def _ready(self, run: StageRun, first: int) -> int:
        """The end of the tasks from `first` on whose rows are brought together: those that are done, of a bounded size."""
        nbytes = 0
        task = first
        while task < run.stage.tasks and (report := run.reports[task]) is not None:
            nbytes += sum(report.nbytes)
            task += 1
            if nbytes > _GATHERED:
                break
        return task

    def _rows(self, run: StageRun, first: int, end: int) -> Iterator[pa.Table]:
        """The rows of some tasks that are done; what a task made is let go with them."""
        if run.local is not None:
            yield from run.local.tables
            return
        far = [task for task in range(first, end) if run.rows[task] is None]
        found = dict(zip(far, self._watcher.values(run, far), strict=True)) if far else {}
        for task in range(first, end):
            rows = run.rows[task]
            if not run.consumers:
                run.futures.pop(task, None)
                run.rows[task] = None
            yield found.pop(task).bucket(0) if rows is None else rows

    # --- letting go ---

    def _sweep(self) -> None:
        """Let go of what was released and is read by no stage that still has to be sent."""
        for run in self._runs.values():
            if run.released and run.futures and all(self._is_sent(reader) for reader in run.consumers):
                run.futures.clear()

    @staticmethod
    def _is_sent(run: StageRun) -> bool:
        return run.local is not None or len(run.sent) == run.stage.tasks

    def _drop(self) -> None:
        """Tell the scheduler that nobody wants any of it."""
        futures = [future for run in self._runs.values() for future in list(run.futures.values())]
        futures.extend(self._graphs.held())
        if futures and self._client.status == "running":
            self._client.cancel(futures)
        for run in self._runs.values():
            run.futures.clear()
