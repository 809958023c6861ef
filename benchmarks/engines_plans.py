"""How long a plan of ten thousand fragments takes to build: text, relational plan, stages and each task's order, and nothing runs."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from luma_bench.engines.cluster.exchange_folder import ExchangeFolder
from luma_bench.engines.cluster.graph import GraphMaker
from luma_bench.engines.cluster.stage_run import StageRun
from luma_bench.engines.cluster.versions import own_versions
from luma_bench.engines.duck_inspect import DuckInspector
from luma_bench.engines.duck_types import DuckTyper
from luma_bench.engines.lowering import Lowering
from luma_bench.plan.cluster.run import run_program
from luma_bench.plan.cluster.settings import ClusterSettings
from luma_bench.plan.cluster.stages import Handle, Stage, TaskReport, Whole
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.types.predicate import Predicate
from luma_bench.types.record import NodeRecord
from luma_bench.types.scan import ScanCounters, ScanPart, ScanSource

FRAGMENTS = 10_000
SLOTS = 2_000
"""Tasks at the same time: a thousand workers of two threads."""
FEW = "SELECT l_returnflag, l_linestatus, sum(l_quantity) AS q, avg(l_tax) AS t FROM lineitem WHERE l_shipdate < DATE '1998-09-02' GROUP BY ALL"
MANY = "SELECT l_orderkey, sum(l_extendedprice) AS s FROM lineitem JOIN part ON l_partkey = p_partkey WHERE p_size < 20 GROUP BY ALL"
"""An aggregate with four groups, whose partial results are few; and one with as many as orders, which are exchanged."""
KINDS = {"few groups": (FEW, 4), "exchanged groups": (MANY, 20_000)}
"""What is planned, and the rows that each fragment is told to hand on."""


def planned(kind: str, files: Mapping[str, Path]) -> float:
    """Seconds to plan one of `KINDS` over tables so large that the largest is read by ten thousand fragments.

    Every task's order is made, as it would be sent; nothing is sent, and every stage is told to have done what was expected.

    Raises
    ------
    AssertionError
        There were fewer fragments.
    """
    text, rows = KINDS[kind]
    settings = ClusterSettings()
    sizes = {table: pq.read_metadata(file).num_rows for table, file in files.items()}
    widest = max(sizes.values())
    sources: dict[str, ScanSource] = {}
    for table, file in files.items():
        parts = max(1, FRAGMENTS * sizes[table] // widest)
        schema = pa.schema([pa.field("_rowid", pa.int64()), *_plain(pq.read_schema(file))])
        sources[table] = _Vast(table, schema, parts, settings.part_bytes)
    lowering, typer = Lowering(DuckInspector().describe), DuckTyper()
    # Connections of the private databases open with the first question, as in a bench that has answered before.
    _answered(text, rows, sources, lowering, typer, settings)
    fresh = text.replace("SELECT", "SELECT ", 1)
    began = time.perf_counter()
    runner = _answered(fresh, rows, sources, lowering, typer, settings)
    seconds = time.perf_counter() - began
    assert runner.tasks >= FRAGMENTS, f"the plan has {runner.tasks} fragments"
    return seconds


def _answered(
    text: str,
    rows: int,
    sources: Mapping[str, ScanSource],
    lowering: Lowering,
    typer: DuckTyper,
    settings: ClusterSettings,
) -> _Told:
    program = lowering.program(SqlFragment(text), Inputs(sources))
    runner = _Told(rows)
    for _ in run_program(program, sources, runner, typer, settings):
        pass
    return runner


def _plain(schema: pa.Schema) -> Iterator[pa.Field]:
    """The fields as a bench has them: Parquet's views of strings are strings."""
    for field in schema:
        kind = pa.string() if pa.types.is_string_view(field.type) else field.type
        yield pa.field(field.name, kind)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a table that nobody reads."""

    rows: int
    nbytes: int

    def open(self) -> ScanSource:
        raise AssertionError("nothing is read")


@dataclass(frozen=True, slots=True)
class _Vast:
    """A table of which only the size is there."""

    name: str
    schema: pa.Schema
    parts: int
    part_bytes: int

    def rows(self) -> int:
        return self.parts * 1_000_000

    def accepts(self, predicate: Predicate) -> bool:
        return True

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        raise AssertionError("nothing is read")

    @property
    def undivided(self) -> str | None:
        return None

    def split(
        self,
        parts: int,
        columns: Sequence[int] | None = None,
        predicates: Sequence[Predicate] = (),
        counters: ScanCounters | None = None,
    ) -> Sequence[ScanPart]:
        # As many bytes whatever is asked, so that the planner wants as many parts.
        count = max(1, parts)
        return [_Part(self.rows() // count, self.parts * self.part_bytes // count)] * count


@dataclass(slots=True)
class _Done:
    """A stage that is told to be done."""

    stage: Stage
    rows: int

    def reports(self) -> Sequence[TaskReport]:
        buckets = 1 if isinstance(self.stage.output, Whole) else self.stage.output.buckets
        each, rest = divmod(self.rows, buckets)
        # Workers send arrays where buckets are many.
        rows = array("q", (each + (bucket < rest) for bucket in range(buckets)))
        return [TaskReport(rows, array("q", (count * 32 for count in rows)), 0.1)] * self.stage.tasks


class _Unsent:
    """A client that sends nothing."""

    def submit(self, function: object, *arguments: object, key: object, pure: bool) -> object:
        return key


class _Told:
    """A runner that makes each task's order and says that it was done."""

    slots = SLOTS

    def __init__(self, rows: int) -> None:
        self.tasks = 0
        self._rows = rows
        self._runs: dict[int, StageRun] = {}
        self._graphs = GraphMaker(
            _Unsent(), "topic", "query", own_versions(), "UTC", ExchangeFolder(Path("exchange")), self._runs
        )

    def submit(self, stage: Stage) -> _Done:
        run = StageRun(stage, "query")
        self._runs[stage.number] = run
        run.futures.update(dict.fromkeys(range(stage.tasks)))
        made = self._graphs.graph(run, range(stage.tasks))
        assert len(made) >= stage.tasks, "a task has no order"
        self.tasks += stage.tasks
        return _Done(stage, self._rows)

    def fetch(self, handle: Handle) -> Iterator[pa.Table]:
        return iter(())

    def release(self, handle: Handle) -> None:
        return

    def nodes(self) -> Sequence[NodeRecord]:
        return ()
