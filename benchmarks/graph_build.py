"""What a graph costs before it is asked: adjacency in both directions from shuffled rows, loading it again, bytes, the first question."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

import luma_bench as lb
from benchmarks.graph_data import Graph, rmat_of, sizes, starts_of
from benchmarks.graph_ours import store
from benchmarks.graph_peers import IGRAPH, SCIPY, available
from benchmarks.harness import Case, Contender, DisagreementError, SuiteResult, Target, Timing, measure
from benchmarks.suite import Request
from luma_bench.bench.graph.definitions import graph_of
from luma_bench.bench.graph.topologies import Topologies
from luma_bench.models.control import Control
from luma_bench.models.graph.build import build
from luma_bench.models.graph.topology import Topology
from luma_bench.storage.store import Store
from luma_bench.types.graph import PropertyGraph
from luma_bench.types.schema import ROW_ID

LUMA, DUCKDB = "luma", "duckdb"
BUILT, TEXTS, STORED, LOADED = (
    "both directions, from Arrow", "… with text keys", "both directions, from a bench", "loaded from its index",
)  # fmt: skip
FIRST = "first question of a process"
_PROBE = """
import json, sys, time
started = time.perf_counter()
import luma_bench as lb
imported = time.perf_counter()
with lb.open(sys.argv[1], mode="r", threads=int(sys.argv[2])) as bench:
    opened = time.perf_counter()
    rows = bench.kadeql(sys.argv[3], {"start": int(sys.argv[4])}).to_arrow()
    answered = time.perf_counter()
print(json.dumps({"import": imported - started, "open": opened - imported, "first": answered - opened, "rows": rows.num_rows}))
"""
_TEXT = (
    "MATCH (a:v)-[:e]->(b:v)-[:e]->(c:v) WHERE a.id = $start AND b.age > 40 RETURN c.id AS c, count(*) AS k"
)


def run(request: Request) -> SuiteResult:
    """Adjacency from rows and from files, its size, and fresh processes that ask one question each."""
    graph = rmat_of(sizes(request.scale)[0], request.data)
    with request.scratch() as folder:
        path = store(graph, folder, request.threads)
        with Store.open(path, mode="r") as opened:
            definition = graph_of(opened.resolve(), "g")
        timings = list(measure([_from_arrow(graph, definition)], rounds=request.rounds))
        timings += measure([_from_texts(graph, definition)], rounds=request.rounds)
        fresh = _Fresh(path)
        timings += measure([fresh.case(STORED)], rounds=request.rounds)
        _keep_index(path)
        timings += measure([fresh.case(LOADED)], rounds=request.rounds)
        fresh.open()
        topology = fresh.topology()
        each = topology.nbytes / topology.edge_count
        fresh.close()
        first, shares = _first(path, graph, request)
        timings.append(first)
    median = {timing.case: timing.median for timing in timings if timing.contender == LUMA}
    rows = graph.table("e").num_rows
    return SuiteResult(
        "graph-build",
        f"A graph of {rows:,} edges in random order before it is asked, {request.threads} threads",
        LUMA,
        SCIPY,
        tuple(timings),
        (
            Target(BUILT, median[BUILT], 1.2, "s"),
            Target(LOADED, median[LOADED], 0.2, "s"),
            Target("bytes an edge", each, 24.0, " bytes"),
            Target(FIRST, median[FIRST], 0.5, "s"),
        ),
        (
            f"{BUILT}: keys to places, adjacency out and in with the row of each edge.",
            f"{SCIPY} makes two matrices and {IGRAPH} its graph, of places; {DUCKDB} sorts the edge table in both directions.",
            f"{FIRST}: two hops from one vertex, in a process that finds the index; {shares}.",
        ),
    )


def _from_arrow(graph: Graph, definition: PropertyGraph) -> Case:
    tables = {name: _numbered(graph.table(name)) for name in graph.files}
    source, destination = (tables["e"].column(name).to_numpy() for name in ("s", "d"))
    count = tables["v"].num_rows
    contenders = [
        Contender(SCIPY, lambda: _sparse(source, destination, count)),
        Contender(LUMA, lambda: _built(definition, tables)),
        Contender(DUCKDB, _sorted(tables["e"])),
    ]
    if available(IGRAPH):
        import igraph

        def made() -> Any:
            pairs = memoryview(np.stack((source, destination), axis=1))
            return igraph.Graph(n=count, edges=pairs, directed=True)

        contenders.append(Contender(IGRAPH, made))
    return Case(BUILT, tuple(contenders), _alike)


def _from_texts(graph: Graph, definition: PropertyGraph) -> Case:
    """The same keys as texts of twelve letters."""

    def texts(table: pa.Table, names: Sequence[str]) -> pa.Table:
        for name in names:
            values = np.char.add("v", np.char.zfill(np.arange(count).astype(str), 11))
            column = pa.array(values).take(table.column(name))
            table = table.set_column(table.column_names.index(name), name, column)
        return table

    count = graph.table("v").num_rows
    tables = {
        "v": texts(_numbered(graph.table("v")), ("id",)),
        "e": texts(_numbered(graph.table("e")), ("s", "d")),
    }
    return Case(TEXTS, (Contender(LUMA, lambda: _built(definition, tables)),))


class _Fresh:
    """A handle that holds no topology: a new one for every call, opened before the clock starts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._store: Store | None = None

    def open(self) -> None:
        self.close()
        self._store = Store.open(self._path, mode="r")

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def topology(self) -> Topology:
        """From the index where there is one, else from the tables."""
        assert self._store is not None, "it was opened"
        snapshot = self._store.resolve()
        return Topologies(self._store).get(graph_of(snapshot, "g"), snapshot, Control())

    def case(self, name: str) -> Case:
        """Making it, timed."""
        return Case(name, (Contender(LUMA, self.topology, self.open),))


def _keep_index(path: Path) -> None:
    with Store.open(path) as opened:
        snapshot = opened.resolve()
        topologies = Topologies(opened)
        topologies.get(graph_of(snapshot, "g"), snapshot, Control())
        topologies.drain()
        topologies.close()


def _first(path: Path, graph: Graph, request: Request) -> tuple[Timing, str]:
    start = starts_of(graph.table("e"), 1, least=4)[0]
    with lb.open(path, mode="r", result_cache_bytes=0) as bench:
        rows = bench.kadeql(_TEXT, {"start": start}).to_arrow().num_rows
    found: list[dict[str, float]] = []
    # As an installed package has it: the first process compiles its modules, and is not counted.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(path.parent / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    for turn in range(2 if request.quick else 8):
        ran = subprocess.run(
            [sys.executable, "-c", _PROBE, str(path), str(request.threads), _TEXT, str(start)],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[1],
            env=environment,
        )
        told = json.loads(ran.stdout)
        if told["rows"] != rows:
            raise DisagreementError(f"{FIRST}: {told['rows']} and {rows} rows")
        found += [told] if turn else []
    middle = sorted(found, key=lambda one: one["first"])[len(found) // 2]
    shares = (
        f"its import took {middle['import']:.2f} s and opening the bench {middle['open']:.2f} s beside that"
    )
    return Timing(FIRST, LUMA, tuple(one["first"] for one in found)), shares


def _built(definition: PropertyGraph, tables: dict[str, pa.Table]) -> Topology:
    return build(definition, 1, lambda name, columns: tables[name].select([ROW_ID, *columns]))


def _sparse(source: np.ndarray, destination: np.ndarray, count: int) -> tuple[Any, Any]:
    import scipy.sparse as sparse

    rows, columns = source.astype(np.int32), destination.astype(np.int32)
    numbers = np.arange(len(rows), dtype=np.int32)
    both = tuple(
        sparse.csr_matrix((numbers, ends), shape=(count, count))
        for ends in ((rows, columns), (columns, rows))
    )
    for matrix in both:
        matrix.sort_indices()
    return both


def _sorted(edges: pa.Table) -> Callable[[], duckdb.DuckDBPyConnection]:
    def make() -> duckdb.DuckDBPyConnection:
        con = duckdb.connect()
        con.register("given", edges)
        con.execute("CREATE TABLE outward AS SELECT s, d FROM given ORDER BY s, d")
        con.execute("CREATE TABLE inward AS SELECT d, s FROM given ORDER BY d, s")
        return con

    return make


def _alike(left: Any, right: Any) -> None:
    """Both directions where they can be read, else the number of edges."""
    if isinstance(right, Topology):
        for matrix, held in zip(left, (right.edges[0].out, right.edges[0].into), strict=True):
            if not np.array_equal(matrix.indices, held.base.neighbours) or not np.array_equal(
                matrix.data, held.base.slots
            ):
                raise DisagreementError("other neighbours, or other edges")
    else:
        count = (
            right.sql("FROM outward").shape[0]
            if isinstance(right, duckdb.DuckDBPyConnection)
            else right.ecount()
        )
        if count != left[0].nnz:
            raise DisagreementError(f"{left[0].nnz} and {count} edges")


def _numbered(table: pa.Table) -> pa.Table:
    return table.add_column(0, ROW_ID, pa.array(np.arange(table.num_rows)))
