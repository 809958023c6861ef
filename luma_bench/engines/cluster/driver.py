"""Stages of one task in the driver's own engine that go on from few rows of workers: these are here already."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator, Mapping

import pyarrow as pa

from luma_bench.engines.cluster.buckets import bucketed
from luma_bench.engines.cluster.failures import told
from luma_bench.engines.cluster.fragment import run_raw
from luma_bench.engines.cluster.graph import relation_rows
from luma_bench.engines.cluster.rows import TaskRows
from luma_bench.engines.cluster.stage_run import StageRun, Taken, taken
from luma_bench.engines.duck import DuckEngine
from luma_bench.errors import CancelledError, LumaError
from luma_bench.plan.cluster.stages import RowsFeed, StageFeed, TableFeed, TaskReport
from luma_bench.plan.engine import Inputs
from luma_bench.types.limits import Limits

DRIVER = "driver"
ROWS_BYTES = 32 << 20
"""Bytes of rows in the driver that a stage there reads at most."""


class DriverStages:
    """Runs stages of one query in this process.

    Parameters
    ----------
    limits
        How long the query may run.
    """

    def __init__(self, embedded: DuckEngine, runs: Mapping[int, StageRun], limits: Limits | None) -> None:
        self._embedded = embedded
        self._runs = runs
        self._limits = limits
        self._thread: int | None = None

    def may_run(self, run: StageRun) -> bool:
        """Whether a stage may run here, as far as is known before what feeds it is done: it goes on from rows of workers.

        What reads stored tables, or nothing that workers made, is theirs: a statement that is said to run on the cluster does.
        """
        feeds = run.stage.feeds
        if run.stage.tasks != 1 or any(isinstance(feed, TableFeed) for feed in feeds):
            return False
        if any(isinstance(feed, RowsFeed) and feed.rows.nbytes > ROWS_BYTES for feed in feeds):
            return False
        return any(isinstance(feed, StageFeed) for feed in feeds)

    def is_fed(self, run: StageRun) -> bool:
        """Whether every stage that it reads is done."""
        return all(self._runs[feed.stage].done for feed in run.stage.feeds if isinstance(feed, StageFeed))

    def takes(self, run: StageRun) -> bool:
        """Whether all rows that it reads are here."""
        return all(
            self._runs[feed.stage].done and self._runs[feed.stage].at_hand
            for feed in run.stage.feeds
            if isinstance(feed, StageFeed)
        )

    def run(self, run: StageRun) -> None:
        """Run it, and note its rows and what it did."""
        began = time.perf_counter()
        relations: dict[str, pa.Table] = {}
        for feed in run.stage.feeds:
            match feed:
                case RowsFeed():
                    relations[feed.name] = feed.rows
                case TableFeed():
                    raise AssertionError(f"{feed.name} is read by workers")
                case StageFeed():
                    source = self._runs[feed.stage]
                    what = taken(feed, source, 0)
                    relations[feed.name] = _taken_rows(source, what)

        def statement(sql: str, more: dict[str, pa.Table]) -> pa.Table:
            inputs = Inputs({}, {**relations, **more}, limits=self._limits)
            return run_raw(self._embedded, sql, inputs)

        with self._running():
            try:
                rows = TaskRows(bucketed(run.stage.sql, run.stage.output, statement))
            except CancelledError:
                raise
            except LumaError as error:
                raise told(error, run.stage, "") from error
        run.local = rows
        counts, sizes = (table.num_rows for table in rows.tables), (table.nbytes for table in rows.tables)
        run.report(0, TaskReport(tuple(counts), tuple(sizes), time.perf_counter() - began, DRIVER))

    def stop(self) -> None:
        """Stop what runs here now, from any thread."""
        thread = self._thread
        for statement in self._embedded.running():
            if statement.thread == thread:
                statement.stop()

    @contextlib.contextmanager
    def _running(self) -> Generator[None]:
        self._thread = threading.get_ident()
        try:
            yield
        finally:
            self._thread = None


def _taken_rows(source: StageRun, what: Taken) -> pa.Table:
    if source.local is not None:
        return relation_rows(source.local, what)
    told_rows = [rows for rows in source.rows if rows is not None]
    some = [told_rows[task] for task in what.tasks]
    return pa.concat_tables(some) if some else told_rows[0].slice(0, 0)
