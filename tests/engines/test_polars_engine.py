"""The engine around the expressions: what it says, how it stops, what it reads, and TPC-H."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from arrow_source import ArrowSource
from polars_oracle import Oracle, same_rows

from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine
from luma_bench.engines.duck_inspect import DuckInspector
from luma_bench.engines.duck_types import DuckTyper
from luma_bench.engines.lowering import Lowering
from luma_bench.engines.polars.engine import PolarsEngine
from luma_bench.errors import CancelledError, ResourceError
from luma_bench.plan.engine import Fallback, FileInputs, Inputs, SqlFragment
from luma_bench.plan.relational import Aggregate, Filter, Join, Measure, Program, Project, Scan, Sql
from luma_bench.plan.relational.expressions import And, Column, Compare
from luma_bench.types.limits import Limits
from luma_bench.types.predicate import Comparison

QUERIES = Path(__file__).parents[2] / "benchmarks" / "tpch_queries"
DATA = pa.table({"a": pa.array(range(1000)), "t": pa.array(["x", "y"] * 500)})
COUNT = pa.schema([("n", pa.int64())])
FRAGMENT = SqlFragment("SELECT 1")


@pytest.fixture(scope="module")
def oracle() -> Iterator[Oracle]:
    made = Oracle.opened()
    yield made
    made.close()


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[DuckEngine, PolarsEngine]]:
    """The embedded engine, and Polars over real plans."""
    settings = Settings(threads=2, timezone="UTC")
    duck = DuckEngine(settings)
    inspector = DuckInspector(settings, duck.beside)
    polars = PolarsEngine(settings, duck, Lowering(inspector.describe), DuckTyper(settings, duck.beside))
    yield duck, polars
    polars.close()
    duck.close()


@pytest.fixture(scope="module")
def tpch(tpch_files: dict[str, Path]) -> Inputs:
    return Inputs({}, {name: pq.read_table(path) for name, path in tpch_files.items()})


def exploding() -> Program:
    """A join of many rows with as many by one key."""
    same = Project(Scan("data", ("a",)), (Sql(("(", " - ", ")"), (Column(0), Column(0))), Column(0)))
    pairs = Join(same, same, "inner", ((Column(0), Column(0)),))
    twice = Join(pairs, same, "inner", ((Column(0), Column(0)),), Compare("<", Column(1), Column(5)))
    return Program(
        Aggregate(twice, (), (Measure("count"), Measure("sum", (Column(1),)))),
        pa.schema([("n", pa.int64()), ("s", pa.decimal128(38, 0))]),
    )


@pytest.mark.parametrize("query", sorted(path.stem for path in QUERIES.glob("q*.sql")))
def test_tpch(engines: tuple[DuckEngine, PolarsEngine], tpch: Inputs, query: str) -> None:
    duck, polars = engines
    fragment = SqlFragment((QUERIES / f"{query}.sql").read_text())

    assert polars.supports(fragment, tpch) is None
    expected, got = duck.run(fragment, tpch), polars.run(fragment, tpch)

    assert got.schema.equals(expected.schema, check_metadata=True)
    same_rows(got, expected)


def test_it_runs_only_when_asked_for(oracle: Oracle) -> None:
    engine = oracle.polars

    assert (engine.name, engine.automatic, engine.complete, engine.looks_up, engine.explains) == (
        "polars",
        False,
        False,
        False,
        False,
    )
    assert engine.supports(FRAGMENT) is None
    assert engine.supports(FRAGMENT, Inputs({}, files=FileInputs(("x.csv",)))) == "it reads files"
    assert engine.progress() is None


def test_polars_loads_with_the_first_question() -> None:
    code = "import sys; import luma_bench.engines.polars.engine; assert 'polars' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_running_query_is_cancelled(oracle: Oracle) -> None:
    table = pa.table({"a": pa.array(range(60_000))})
    oracle.lowering.held = exploding()
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(oracle.polars.run(FRAGMENT, Inputs({}, {"data": table})))
        except CancelledError as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not oracle.polars.running():
        time.sleep(0.01)
    time.sleep(0.3)

    assert oracle.polars.cancel() == 1
    thread.join(5)
    assert not thread.is_alive()
    assert isinstance(outcome[0], CancelledError)
    assert oracle.polars.running() == ()


def test_a_timeout_stops_it(oracle: Oracle) -> None:
    table = pa.table({"a": pa.array(range(60_000))})
    oracle.lowering.held = exploding()

    with pytest.raises(CancelledError):
        oracle.polars.run(FRAGMENT, Inputs({}, {"data": table}, limits=Limits(timeout=0.3)))


def test_a_result_that_is_too_large_is_refused(oracle: Oracle) -> None:
    oracle.lowering.held = Program(Scan("data", ("a",)), COUNT)

    with pytest.raises(ResourceError):
        oracle.polars.run(FRAGMENT, Inputs({}, {"data": DATA}, limits=Limits(rows=10)))


def test_an_overflow_that_only_the_data_show_is_given_back(oracle: Oracle) -> None:
    node = Project(Scan("data", ("a",)), (Sql(("(", " * 1000000000000000)"), (Column(0),)),))
    oracle.lowering.held = Program(node, COUNT)
    large = pa.table({"a": pa.array([10_000])})

    assert oracle.polars.supports(FRAGMENT, Inputs({}, {"data": large})) is None
    with pytest.raises(Fallback, match="overflow"):
        oracle.polars.run(FRAGMENT, Inputs({}, {"data": large}))
    assert oracle.check(node, {"data": DATA}) is None


def test_a_source_is_read_once_with_what_it_accepts(oracle: Oracle) -> None:
    source = ArrowSource(DATA, "data")
    condition = And((Compare(">=", Column(0), Sql(("990",))), Compare("=", Column(1), Sql(("'x'",)))))
    node = Aggregate(Filter(Scan("data", ("a", "t")), condition), (), (Measure("count"),))
    oracle.lowering.held = Program(node, COUNT)
    inputs = Inputs({"data": source})

    got = oracle.polars.run(FRAGMENT, inputs)

    assert got.to_pylist() == [{"n": 5}]
    assert [predicates for _, predicates in source.streams] == [
        [Comparison("a", ">=", 990, "BIGINT"), Comparison("t", "=", "x", "VARCHAR")]
    ]
    assert inputs.report.nodes[0].name == "scan data"


def test_a_stream_gives_the_same_rows(oracle: Oracle) -> None:
    oracle.lowering.held = Program(Scan("data", ("a",)), COUNT)

    assert oracle.polars.stream(FRAGMENT, Inputs({}, {"data": DATA})).read_all().num_rows == 1000


def test_an_error_of_a_source_comes_out_as_it_is(oracle: Oracle) -> None:
    class Broken(ArrowSource):
        def stream(self, *args: object, **kwargs: object) -> pa.RecordBatchReader:
            raise OSError("the disk is gone")

    oracle.lowering.held = Program(Scan("data", ("a",)), COUNT)

    with pytest.raises(OSError, match="the disk is gone"):
        oracle.polars.run(FRAGMENT, Inputs({"data": Broken(DATA, "data")}))
