"""The embedded engine reads exactly what a statement needs, from exactly the sources that statement was given."""

from __future__ import annotations

import pyarrow as pa
import pytest
from arrow_source import ArrowSource

from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine
from luma_bench.engines.duck_pool import MAX_TABLES
from luma_bench.errors import ClosedError, ConfigError, EngineError, KadeQLBindError, SchemaError
from luma_bench.plan.engine import Inputs, SqlFragment, rows_relation
from luma_bench.types.predicate import Comparison
from luma_bench.types.scan import ScanCounters

FLIGHTS = pa.table(
    {
        "id": pa.array(range(100), pa.int64()),
        "carrier": pa.array(["AA", "UA", None, "DL"] * 25),
        "delay": pa.array([float(i % 9) for i in range(100)]),
    }
)


def ask(
    engine: DuckEngine, text: str, params: dict[str, object] | None = None, **sources: object
) -> list[dict[str, object]]:
    return engine.run(SqlFragment(text, params or {}), Inputs(sources)).to_pylist()  # type: ignore[arg-type]


def test_takes_the_private_hook_when_it_behaves(hook_engine: DuckEngine):
    assert hook_engine.scan_path == "source"
    assert hook_engine.scan_problem is None
    assert hook_engine.name == "duckdb"


def test_reads_only_the_columns_and_offers_the_predicates_of_the_statement(hook_engine: DuckEngine):
    flights = ArrowSource(FLIGHTS)
    got = ask(hook_engine, "SELECT sum(delay) AS s FROM flights WHERE id < $n", {"n": 10}, flights=flights)
    assert got == [{"s": float(sum(i % 9 for i in range(10)))}]
    assert flights.streams == [([3], [Comparison("id", "<", 10, "BIGINT")])]


def test_count_star_reads_row_ids_alone(engine: DuckEngine):
    flights = ArrowSource(FLIGHTS)
    assert ask(engine, "SELECT count(*) AS n FROM flights", flights=flights) == [{"n": 100}]
    assert flights.streams == [([0], [])]


def test_a_predicate_the_source_refuses_is_applied_by_duckdb(hook_engine: DuckEngine):
    flights = ArrowSource(FLIGHTS, accept=lambda predicate: False)
    assert ask(hook_engine, "SELECT count(*) AS n FROM flights WHERE id < 10", flights=flights) == [{"n": 10}]
    assert flights.offered
    assert flights.streams[0][1] == []


def test_row_ids_are_hidden_and_offered_under_their_own_name(engine: DuckEngine):
    flights = ArrowSource(FLIGHTS)
    assert list(ask(engine, "SELECT * FROM flights LIMIT 1", flights=flights)[0]) == [
        "id",
        "carrier",
        "delay",
    ]
    with pytest.raises(KadeQLBindError):
        ask(engine, "SELECT _rowid FROM flights", flights=flights)
    text = f'SELECT _rowid FROM "{rows_relation("flights")}" WHERE id = 42'
    assert ask(engine, text, flights=flights) == [{"_rowid": 42}]


def test_a_pooled_cursor_reads_the_new_pin(engine: DuckEngine):
    for rows in (100, 10, 0, 50):
        assert ask(engine, "SELECT count(*) AS n FROM t", t=ArrowSource(FLIGHTS.slice(0, rows))) == [
            {"n": rows}
        ]


def test_a_changed_schema_is_registered_anew(engine: DuckEngine):
    ask(engine, "SELECT * FROM t", t=ArrowSource(FLIGHTS))
    other = pa.table({"carrier": [1, 2], "fresh": ["x", "y"]})
    assert ask(engine, "SELECT * FROM t ORDER BY carrier", t=ArrowSource(other)) == other.to_pylist()


def test_a_table_of_an_earlier_statement_is_gone(engine: DuckEngine):
    ask(engine, "SELECT 1 FROM flights", flights=ArrowSource(FLIGHTS))
    with pytest.raises(KadeQLBindError, match="There is no table 'flights'") as caught:
        ask(engine, "SELECT * FROM flights", fleet=ArrowSource(FLIGHTS))
    assert "The tables are: fleet." in str(caught.value)


def test_a_table_left_unpinned_is_never_read(engine: DuckEngine):
    ask(engine, "SELECT 1 FROM flights", flights=ArrowSource(FLIGHTS))
    # The name is put together by the query, so the text does not show that it is read.
    with pytest.raises((EngineError, KadeQLBindError)) as caught:
        ask(engine, "SELECT * FROM query_table('fli' || 'ghts')", t=ArrowSource(FLIGHTS))
    assert "flights" in str(caught.value)
    assert "__luma" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("flights", "FLIGHTS"),
        ("Flights", "flights"),
        ("a b", '"a b"'),
        ('say "hi"', '"say ""hi"""'),
        ("år", "ÅR"),
        ("select", '"select"'),
    ],
)
def test_names_are_found_however_they_are_written(engine: DuckEngine, name: str, written: str):
    if written == "ÅR":
        written = "år"
    assert ask(engine, f"SELECT count(*) AS n FROM {written}", **{name: ArrowSource(FLIGHTS)}) == [{"n": 100}]


def test_a_name_put_together_by_the_query_is_pinned_late(engine: DuckEngine):
    flights = ArrowSource(FLIGHTS)
    text = "SELECT count(*) AS n FROM query_table('fli' || 'ghts')"
    assert ask(engine, text, flights=flights) == [{"n": 100}]
    assert ask(engine, text, flights=flights) == [{"n": 100}]


def test_a_relation_hides_a_source_and_goes_with_the_statement(engine: DuckEngine):
    source = ArrowSource(FLIGHTS)
    relation = pa.table({"id": [7]})
    fragment = SqlFragment("SELECT id FROM flights")
    assert engine.run(fragment, Inputs({"flights": source})).num_rows == 100
    assert engine.run(fragment, Inputs({"flights": source}, {"Flights": relation})).to_pylist() == [{"id": 7}]
    assert engine.run(fragment, Inputs({"flights": source})).num_rows == 100
    with pytest.raises(KadeQLBindError):
        engine.run(fragment, Inputs({}))


def test_relations_are_anything_arrow_capable(engine: DuckEngine):
    import pandas as pd
    import polars as pl

    class Capsule:
        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            return pa.table({"a": [1, 2]}).__arrow_c_stream__()

    for relation in (
        pl.DataFrame({"a": [1, 2]}),
        pd.DataFrame({"a": [1, 2]}),
        Capsule(),
        pa.table({"a": [1, 2]}),
    ):
        got = engine.run(SqlFragment("SELECT sum(a.a + b.a) AS s FROM r a, r b"), Inputs({}, {"r": relation}))
        assert got["s"].to_pylist() == [12]
    with pytest.raises(SchemaError, match="'r' cannot be read as a table"):
        engine.run(SqlFragment("SELECT * FROM r"), Inputs({}, {"r": object()}))


def test_a_cursor_keeps_a_bounded_number_of_tables(hook_engine: DuckEngine):
    for index in range(MAX_TABLES + 20):
        assert ask(
            hook_engine,
            f"SELECT count(*) AS n FROM t{index:04}",
            **{f"t{index:04}": ArrowSource(FLIGHTS.slice(0, 1))},
        )
    views = ask(hook_engine, "SELECT count(*) AS n FROM duckdb_views() WHERE view_name LIKE 't0%'")
    assert views[0]["n"] == MAX_TABLES


def test_counters_count_the_rows_of_every_stream(engine: DuckEngine):
    counters = ScanCounters()
    inputs = Inputs({"t": ArrowSource(FLIGHTS)}, counters=counters)
    engine.run(SqlFragment("SELECT count(*) FROM t a JOIN t b USING (id)"), inputs)
    assert counters.rows_read == 200


def test_parameters_take_numpy_arrow_and_pandas_values(engine: DuckEngine):
    import numpy as np
    import pandas as pd

    cases = [
        (np.int64(3), 3), (np.float64(1.5), 1.5), (np.bool_(True), True), (pa.scalar("x"), "x"), ([1, np.int32(2)], [1, 2]),
        (pa.array([1, 2]), [1, 2]), (np.array(["a", "b"]), ["a", "b"]), (pd.Series([1, 2]), [1, 2]), ({3}, [3]),
        ({"a": np.int8(1)}, {"a": 1}), (None, None), (pd.NaT, None),
    ]  # fmt: skip
    for value, expected in cases:
        assert ask(engine, "SELECT $v AS v", {"v": value}) == [{"v": expected}]


def test_the_session_has_the_zone_of_the_settings():
    engine = DuckEngine(Settings(threads=1, timezone="Asia/Kathmandu"))
    try:
        got = ask(engine, "SELECT (TIMESTAMPTZ '2024-01-01 00:00:00Z')::VARCHAR AS v")
        assert got == [{"v": "2024-01-01 05:45:00+05:45"}]
    finally:
        engine.close()
    with pytest.raises(ConfigError, match="no time zone"):
        DuckEngine(Settings(timezone="Mars/Base'; DROP"))


def test_a_closed_engine_says_so():
    engine = DuckEngine(Settings(threads=1))
    engine.close()
    engine.close()
    with pytest.raises(ClosedError):
        ask(engine, "SELECT 1")


def test_a_query_larger_than_memory_spills_and_the_folder_goes(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
):
    import tempfile
    from pathlib import Path

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    engine = DuckEngine(Settings(threads=1, memory_limit=60_000_000))
    got = ask(
        engine,
        "SELECT count(*) AS n, max(h) > 0 AS ok FROM (SELECT hash(range) AS h FROM range(6000000) ORDER BY h)",
    )
    assert got[0]["n"] == 6_000_000
    assert list(Path(str(tmp_path)).iterdir())
    engine.close()
    assert not list(Path(str(tmp_path)).iterdir())


def test_out_of_memory_is_an_engine_error_with_advice():
    engine = DuckEngine(Settings(threads=1, memory_limit=20_000_000))
    try:
        with pytest.raises(EngineError, match="out of memory") as caught:
            ask(engine, "SELECT list(range ORDER BY hash(range)) AS l FROM range(20000000)")
        assert "memory_limit" in str(caught.value.hint)
        assert ask(engine, "SELECT 1 AS a") == [{"a": 1}]
    finally:
        engine.close()


def test_takes_the_dataset_when_the_hook_misbehaves(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("luma_bench.engines.duck.hook_problem", lambda: "the hook is gone")
    engine = DuckEngine(Settings(threads=1))
    try:
        assert (engine.scan_path, engine.scan_problem) == ("dataset", "the hook is gone")
        assert ask(engine, "SELECT count(*) AS n FROM t WHERE id < 7", t=ArrowSource(FLIGHTS)) == [{"n": 7}]
    finally:
        engine.close()


def test_the_hook_is_tried_and_not_only_looked_for(monkeypatch: pytest.MonkeyPatch):
    from luma_bench.engines import duck_source

    monkeypatch.setattr(duck_source._Probe, "stream", lambda self, columns, filters: 7)
    assert "probe" in str(duck_source.hook_problem.__wrapped__())
    monkeypatch.undo()
    monkeypatch.setattr(duck_source._Probe, "accepts", lambda self, predicate: False)
    assert "asked for" in str(duck_source.hook_problem.__wrapped__())
    monkeypatch.undo()
    assert duck_source.hook_problem.__wrapped__() is None


def test_a_database_that_broke_is_replaced(hook_engine: DuckEngine):
    statement = hook_engine._running.begin(SqlFragment("SELECT 1"), Inputs({}))
    old = hook_engine._running._database
    statement.broken = True
    statement.close()
    assert old.closed
    assert ask(hook_engine, "SELECT count(*) AS n FROM t", t=ArrowSource(FLIGHTS)) == [{"n": 100}]


def test_a_pivot_leaves_nothing_behind(engine: DuckEngine):
    for _ in range(3):
        ask(engine, "PIVOT t ON carrier USING count(*)", t=ArrowSource(FLIGHTS))
    left = ask(engine, "SELECT count(*) AS n FROM duckdb_types() WHERE type_name LIKE '%pivot%'")
    assert left == [{"n": 0}]


def test_the_result_owns_its_memory(engine: DuckEngine):
    got = engine.run(
        SqlFragment("SELECT id, carrier FROM t ORDER BY id"), Inputs({"t": ArrowSource(FLIGHTS)})
    )
    for _ in range(20):
        ask(engine, "SELECT sum(id) AS s FROM t", t=ArrowSource(FLIGHTS))
    engine.close()
    got.validate(full=True)
    assert got["id"].to_pylist() == list(range(100))
