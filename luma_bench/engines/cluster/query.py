"""One fragment while it runs on a cluster: its runner, its figures, and how it is stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping

import pyarrow as pa

from luma_bench.engines.cluster.answer import delivered
from luma_bench.engines.cluster.cluster import ClusterHandle
from luma_bench.engines.cluster.ledger import Read
from luma_bench.engines.cluster.runner import DaskRunner
from luma_bench.engines.duck import DuckEngine
from luma_bench.errors import CancelledError
from luma_bench.plan.cluster.run import run_program
from luma_bench.plan.cluster.settings import ClusterSettings
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.plan.relational.nodes import Program
from luma_bench.plan.relational.typing import Typer
from luma_bench.types.limits import Limits
from luma_bench.types.scan import ScanCounters, ScanSource


class ClusterQuery:
    """A running fragment, from its first stage to the end of its rows.

    Parameters
    ----------
    tables
        What the program scans: it is kept, and with it the pins of its snapshots, as long as the query runs.
    counters
        Where what was read of a table is counted.
    ended
        Called once, when it is over.
    """

    def __init__(
        self,
        *,
        fragment: SqlFragment,
        program: Program,
        tables: Mapping[str, ScanSource | pa.Table],
        inputs: Inputs,
        limits: Limits,
        cluster: ClusterHandle,
        embedded: DuckEngine,
        typer: Typer,
        planning: ClusterSettings,
        timezone: str,
        counters: Callable[[str], ScanCounters],
        ended: Callable[[ClusterQuery], None],
    ) -> None:
        self.text = fragment.text
        self.thread = threading.get_ident()
        self.started = time.perf_counter()
        self.schema = program.schema
        self._program = program
        self._tables = tables
        self._inputs = inputs
        self._embedded = embedded
        self._typer = typer
        self._planning = planning
        self._counters = counters
        self._ended = ended
        self._cluster = cluster
        self._limits = limits
        self._timezone = timezone
        self._lock = threading.Lock()
        self._stopped: CancelledError | None = None
        self._runner: DaskRunner | None = None

    @property
    def progress(self) -> float | None:
        """The share of the known tasks that are done; None before the first."""
        return None if self._runner is None else self._runner.progress

    def stop(self) -> None:
        """Stop it, from any thread."""
        reason = CancelledError.query(time.perf_counter() - self.started)
        with self._lock:
            self._stopped = self._stopped or reason
            runner = self._runner
        if runner is not None:
            runner.stop(reason)

    def tables(self) -> Iterator[pa.Table]:
        """The rows in their delivered types, in the order of the answer. Closing the iterator ends the query."""
        try:
            runner = self._begun()
            try:
                made = run_program(self._program, self._tables, runner, self._typer, self._planning)
                for table in made:
                    yield delivered(table, self.schema, self._embedded)
            finally:
                self._inputs.report.nodes.extend(runner.nodes())
                self._inputs.report.warnings.extend(runner.warnings())
                runner.close()
        finally:
            self._ended(self)

    def _begun(self) -> DaskRunner:
        runner = DaskRunner(
            self._cluster, self._cluster.desk(), self._embedded, self._timezone, self._limits, self._count
        )
        with self._lock:
            self._runner = runner
            stopped = self._stopped
        if stopped is not None:
            runner.stop(stopped)
        return runner

    def _count(self, read: Read) -> None:
        for name, (rows, nbytes, segments, segments_pruned, chunks, chunks_pruned) in read.items():
            self._counters(name).add(
                rows=rows,
                nbytes=nbytes,
                segments=segments,
                segments_pruned=segments_pruned,
                chunks=chunks,
                chunks_pruned=chunks_pruned,
            )
