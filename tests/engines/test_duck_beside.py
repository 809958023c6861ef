"""An inspector on an engine's own database: neither sees what the other has, and neither keeps a broken one."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest

from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine
from luma_bench.engines.duck_inspect import DuckInspector
from luma_bench.errors import KadeQLBindError, LumaError
from luma_bench.plan.engine import Inputs, SqlFragment

TABLE = pa.table({"a": [1, 2, 3]})


@pytest.fixture
def engine() -> Iterator[DuckEngine]:
    made = DuckEngine(Settings(threads=1, timezone="UTC"))
    yield made
    made.close()


@pytest.fixture
def inspector(engine: DuckEngine) -> Iterator[DuckInspector]:
    made = DuckInspector(Settings(threads=1, timezone="UTC"), engine.beside)
    yield made
    made.close()


def answer(engine: DuckEngine, text: str, **tables: pa.Table) -> list[object]:
    return engine.run(SqlFragment(text, {}), Inputs({}, tables)).column(0).to_pylist()


def test_described_tables_are_no_tables_of_statements(engine: DuckEngine, inspector: DuckInspector) -> None:
    assert inspector.describe("SELECT a FROM t", {"t": TABLE.schema}).names == ["a"]

    with pytest.raises(LumaError, match="t"):
        answer(engine, "SELECT a FROM t")

    assert answer(engine, "SELECT sum(a)::INT FROM t", t=TABLE) == [6]


def test_tables_of_statements_are_not_described(engine: DuckEngine, inspector: DuckInspector) -> None:
    assert answer(engine, "SELECT a FROM held", held=TABLE) == [1, 2, 3]

    with pytest.raises(KadeQLBindError, match="held"):
        inspector.describe("SELECT a FROM held", {})


class Broken:
    """A connection whose every use meets an internal error."""

    def __getattr__(self, name: str) -> object:
        def fail(*_: object, **__: object) -> object:
            raise duckdb.InternalException(f"INTERNAL Error: {name}")

        return (lambda: None) if name == "close" else fail


def test_an_internal_error_costs_one_call(engine: DuckEngine, inspector: DuckInspector) -> None:
    inspector.describe("SELECT a FROM t", {"t": TABLE.schema})
    inspector._held[:] = [Broken()]  # type: ignore[list-item]

    with pytest.raises((LumaError, duckdb.Error)):
        inspector.classify("SELECT 1")

    assert inspector.classify("SELECT 1")[0].kind == "SELECT"
    assert inspector.describe("SELECT a FROM t", {"t": TABLE.schema}).names == ["a"]
    assert answer(engine, "SELECT 1") == [1]


def test_a_statement_that_runs_meanwhile_ends_as_it_would(
    engine: DuckEngine, inspector: DuckInspector
) -> None:
    stream = engine.stream(SqlFragment("SELECT range::INT AS a FROM range(10000)", {}), Inputs({}, {}))
    first = stream.read_next_batch()
    inspector._held[:] = [Broken()]  # type: ignore[list-item]
    with pytest.raises((LumaError, duckdb.Error)):
        inspector.classify("SELECT 1")

    rest = stream.read_all()

    assert first.num_rows + rest.num_rows == 10000
    assert answer(engine, "SELECT 2") == [2]
