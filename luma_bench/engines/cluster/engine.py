"""The engine `dask`: a fragment becomes a relational program, its stages run on the workers of a cluster."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.engines.cluster.cluster import ClusterHandle
from luma_bench.engines.cluster.failures import Unreachable
from luma_bench.engines.cluster.interop import divided
from luma_bench.engines.costs import cluster_estimate
from luma_bench.engines.duck import DuckEngine
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.scanning import Scanning
from luma_bench.errors import KadeQLError
from luma_bench.plan.cluster.settings import ClusterSettings
from luma_bench.plan.engine import Estimate, Fallback, Inputs, SqlFragment
from luma_bench.plan.relational.nodes import Program, Scan, walk_nodes
from luma_bench.plan.relational.typing import Typer
from luma_bench.types.executor import Divided
from luma_bench.types.limits import Limits
from luma_bench.types.scan import ScanCounters, ScanSource, SupportsSplit
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.engines.cluster.query import ClusterQuery

_START_SECONDS, _CONNECT_SECONDS = 2.0, 0.2
"""Starting the processes of a local cluster; connecting to one that runs."""


class Lowers(Protocol):
    """What makes a program of a fragment."""

    def program(self, fragment: SqlFragment, inputs: Inputs) -> Program:
        """The fragment as a relational program; the same object for the same fragment and schemas, where it is kept.

        Raises
        ------
        NotLowered
            It cannot become one.
        """
        ...


class DaskEngine(Scanning):
    """Runs fragments on a Dask cluster; thread-safe. The cluster is connected with the first of them.

    Parameters
    ----------
    settings
        Time zone, timeout.
    embedded
        Runs what runs in the driver: stages of one small task, and islands.
    cluster
        The way to the cluster; it closes with the engine.
    lowering
        Makes programs of texts.
    typer
        Types their parts.

    Attributes
    ----------
    planning
        What statements are planned by.
    """

    def __init__(
        self,
        settings: Settings,
        embedded: DuckEngine,
        cluster: ClusterHandle,
        lowering: Lowers,
        typer: Typer,
    ) -> None:
        self.cluster = cluster
        self.planning = ClusterSettings()
        self._settings = settings
        self._embedded = embedded
        self._lowering = lowering
        self._typer = typer
        self._lock = threading.Lock()
        self._queries: list[ClusterQuery] = []
        self._zone: str | None = None

    @property
    def name(self) -> str:
        """`dask`."""
        return "dask"

    @property
    def automatic(self) -> bool:
        """Whether there is a cluster: `auto` then takes it for what it does faster."""
        return self.cluster.problem is None

    def supports(self, fragment: SqlFragment, inputs: Inputs | None = None) -> str | None:
        """None when the fragment becomes a program over tables that workers can read, else the reason; nothing is connected."""
        problem = self.cluster.problem
        if problem is not None:
            return problem
        if inputs is None:
            return None
        try:
            program = self._lowering.program(fragment, inputs)
        except NotLowered as error:
            return error.reason
        except KadeQLError as error:
            return error.plain
        for name, source in _read(program, inputs).items():
            if isinstance(source, SupportsSplit) and (why := source.undivided) is not None:
                return f"table {name}: {why}"
        return None

    def estimate(self, fragment: SqlFragment, inputs: Inputs) -> Estimate | None:
        """Seconds and memory, by what was measured when the cluster was connected; nothing is connected for it."""
        cluster = self.cluster
        start = 0.0 if cluster.connected else _START_SECONDS if cluster.is_local else _CONNECT_SECONDS
        return cluster_estimate(
            fragment, inputs, self._embedded.calibration, cluster.known_figures, start_seconds=start
        )

    def run(self, fragment: SqlFragment, inputs: Inputs) -> pa.Table:
        """Run to the end.

        Raises
        ------
        Fallback
            The fragment becomes no program after all, or the cluster does not answer: nothing ran.
        KadeQLError
            Rows make it fail, as they do on the embedded engine; it names no place in the text.
        CancelledError
            `cancel` was called, or the timeout ran out.
        ResourceError
            The result is larger than the limits allow, or workers ran out of memory wherever a task was tried.
        EngineError
            There is no cluster, it was lost, or a worker failed in a way that trying anew does not mend.
        """
        query = self._begin(fragment, inputs)
        limits = inputs.limits
        tables: list[pa.Table] = []
        rows = nbytes = 0
        for table in query.tables():
            rows += table.num_rows
            nbytes += table.nbytes
            if limits is not None and limits.caps:
                limits.check(rows, nbytes)
            tables.append(table)
        return pa.concat_tables(tables) if tables else query.schema.empty_table()

    def stream(self, fragment: SqlFragment, inputs: Inputs) -> pa.RecordBatchReader:
        """Run as a stream: the rows of a task come as soon as those before it; who reads slowly slows the workers.

        Raises like `run`, also from the reader's batches; dropping the reader stops what runs.
        """
        query = self._begin(fragment, inputs)
        return pa.RecordBatchReader.from_batches(query.schema, _batches(query.tables()))

    def running(self) -> tuple[ClusterQuery, ...]:
        """What runs now, open streams too, oldest first."""
        with self._lock:
            return tuple(self._queries)

    def close(self) -> None:
        """Stop what runs, and close the cluster if it was opened here."""
        self.cancel()
        self.cluster.close()

    # --- one query ---

    def divide(self, fragment: SqlFragment, inputs: Inputs, parts: int | None) -> Divided | None:
        """The fragment as the same query over each part of its one table; None where its rows need more than that.

        No cluster is asked for.
        """
        if inputs.files is not None or inputs.sequences:
            return None
        try:
            program = self._lowering.program(fragment, inputs)
        except NotLowered:
            return None
        return divided(program, inputs, parts, timezone=self._timezone())

    def _begin(self, fragment: SqlFragment, inputs: Inputs) -> ClusterQuery:
        from luma_bench.engines.cluster.query import ClusterQuery

        try:
            program = self._lowering.program(fragment, inputs)
        except NotLowered as error:
            raise Fallback(error.reason) from error
        try:
            self.cluster.client()
        except Unreachable as error:
            raise Fallback(error.reason) from error
        read = _read(program, inputs)
        limits = (inputs.limits or Limits.of(self._settings)).started()
        tables = {
            name: source
            if isinstance(source, pa.Table | SupportsSplit)
            else self._island(name, inputs, limits)
            for name, source in read.items()
        }
        query = ClusterQuery(
            fragment=fragment,
            program=program,
            tables=tables,
            inputs=inputs,
            limits=limits,
            cluster=self.cluster,
            embedded=self._embedded,
            typer=self._typer,
            planning=self.planning,
            timezone=self._timezone(),
            counters=_counters_of(read, inputs.counters),
            ended=self._ended,
        )
        with self._lock:
            self._queries.append(query)
        return query

    def _ended(self, query: ClusterQuery) -> None:
        with self._lock:
            if query in self._queries:
                self._queries.remove(query)

    def _island(self, name: str, inputs: Inputs, limits: Limits) -> pa.Table:
        """The rows of a source that cannot be read elsewhere, made here."""
        from dataclasses import replace

        return self._embedded.run(
            SqlFragment(f"SELECT * FROM {quoted(name)}"),
            replace(inputs, limits=limits.uncapped(), sequences=()),
        )

    def _timezone(self) -> str:
        """The session's time zone, by its name, so that workers elsewhere take the same."""
        if self._zone is None:
            connection = self._embedded.beside()
            try:
                found = connection.execute("SELECT current_setting('TimeZone')").fetchone()
            finally:
                connection.close()
            self._zone = str(found[0]) if found else "UTC"
        return self._zone


def _batches(tables: Iterator[pa.Table]) -> Iterator[pa.RecordBatch]:
    for table in tables:
        yield from table.to_batches()


def _read(program: Program, inputs: Inputs) -> Mapping[str, ScanSource | pa.Table]:
    """What a program scans, by the name that it has there. A relation hides a source of the same name."""
    folded: dict[str, ScanSource | pa.Table] = {
        name.casefold(): source for name, source in inputs.sources.items()
    }
    relations = {name.casefold(): relation for name, relation in inputs.relations.items()}
    found: dict[str, ScanSource | pa.Table] = {}
    shared = {name for name, _ in program.shared}
    for root in (*(node for _, node in program.shared), program.root):
        for node in walk_nodes(root):
            if not isinstance(node, Scan) or (node.shared and node.name in shared) or node.name in found:
                continue
            key = node.name.casefold()
            if key in relations:
                relation = relations[key]
                found[node.name] = relation if isinstance(relation, pa.Table) else pa.table(relation)
            elif key in folded:
                found[node.name] = folded[key]
    return found


def _counters_of(
    read: Mapping[str, ScanSource | pa.Table], total: ScanCounters
) -> Callable[[str], ScanCounters]:
    """Where figures of a table are counted: at its source, where that has counters of its own, else with the statement's."""
    own: dict[str, ScanCounters] = {}
    for source in read.values():
        counters = getattr(source, "counters", None)
        if not isinstance(source, pa.Table) and isinstance(counters, ScanCounters):
            own.setdefault(source.name, counters)
    return lambda name: own.get(name, total)
