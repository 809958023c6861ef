"""The embedded engine over stored tables: the same answers as over DuckDB's own, with less read."""

from __future__ import annotations

import datetime as dt
import decimal
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine
from luma_bench.errors import CorruptionError
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.storage.store import Store
from luma_bench.types.scan import ScanCounters

ROWS = 60_000
EPOCH = dt.datetime(2024, 1, 1)
SETTINGS = Settings(threads=2, timezone="UTC", shard_rows=16_384, chunk_rows=4_096, inline_bytes=20_000)


def made(first: int, rows: int) -> pa.Table:
    rng = np.random.default_rng(first)
    ids = np.arange(first, first + rows)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "seen": pa.array(ids * 1_000_000, pa.timestamp("us", "Europe/Oslo")),
            "k": pa.array(rng.integers(0, 20, rows), pa.int16(), mask=rng.random(rows) < 0.05),
            "x": pa.array(
                np.where(rng.random(rows) < 0.02, np.nan, rng.normal(size=rows)), mask=rng.random(rows) < 0.05
            ),
            "s": pa.array([None if i % 17 == 0 else f"name {i % 300}" for i in ids]),
            "u": pa.array([f"row {i}" for i in ids], pa.large_string()),
            "d": pa.array([decimal.Decimal(int(i) % 1000).scaleb(-2) for i in ids], pa.decimal128(9, 2)),
            "ok": pa.array(rng.random(rows) < 0.5, mask=rng.random(rows) < 0.1),
        }
    )


PARTS = [made(0, ROWS // 2), made(ROWS // 2, ROWS // 2), made(ROWS, 20)]
WHOLE = pa.concat_tables(PARTS)

QUESTIONS = [
    "SELECT count(*) AS n, sum(id) AS s, sum(k) AS k, count(x) AS x FROM t",
    "SELECT * FROM t WHERE id BETWEEN 20000 AND 20010",
    "SELECT id, s FROM t WHERE s = 'name 7' AND k IN (1, 2, 3)",
    "SELECT count(*) AS n FROM t WHERE x > 1e9",
    "SELECT count(*) AS n FROM t WHERE x <> 0.5 OR ok IS NULL",
    "SELECT k, count(*) AS n, max(d) AS d, min(u) AS u FROM t WHERE NOT (k < 5 OR ok) GROUP BY k",
    "SELECT max(seen) AS a FROM t WHERE seen < TIMESTAMPTZ '1970-01-01 05:00:00+01'",
    "SELECT u FROM t WHERE u LIKE 'row 12_' ORDER BY u",
    "SELECT a.id FROM t a JOIN t b ON a.id = b.id + 1 WHERE b.s = 'name 11' AND a.ok",
    "SELECT id FROM t WHERE id >= 59995 ORDER BY id DESC",
    "SELECT id FROM t WHERE d = 5.05 AND s IS NOT NULL",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store.open(tmp_path_factory.mktemp("bench") / "b.luma", settings=SETTINGS)
    store.write("t", PARTS[0])
    for part in PARTS[1:]:
        store.write("t", part, mode="append")
    return store


@pytest.fixture(scope="module")
def native() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect(config={"threads": 1})
    con.execute("SET TimeZone = 'UTC'")
    con.register("given", WHOLE)
    con.execute("CREATE TABLE t AS SELECT * FROM given")
    return con


def instants(table: pa.Table) -> list[str]:
    for index, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.tz:
            table = table.set_column(index, field.name, table.column(index).cast(pa.timestamp("us", "UTC")))
    return sorted(map(repr, table.to_pylist()))


@pytest.mark.parametrize("text", QUESTIONS)
def test_answers_are_those_of_native_tables(
    engine: DuckEngine, store: Store, native: duckdb.DuckDBPyConnection, text: str
):
    got = engine.run(SqlFragment(text), Inputs({"t": store.scan(store.resolve(), "t")}))
    assert instants(got) == instants(native.sql(text).to_arrow_table())


def test_a_narrow_question_reads_little(hook_engine: DuckEngine, store: Store):
    counters = ScanCounters()
    inputs = Inputs({"t": store.scan(store.resolve(), "t")}, counters=counters)
    got = hook_engine.run(SqlFragment("SELECT u FROM t WHERE id = $id", {"id": 31_234}), inputs)
    assert got.to_pylist() == [{"u": "row 31234"}]
    assert counters.segments_pruned >= 1
    assert 0 < counters.rows_read <= 2 * SETTINGS.chunk_rows


def test_a_count_reads_row_ids_only(hook_engine: DuckEngine, store: Store):
    counters = ScanCounters()
    got = hook_engine.run(
        SqlFragment("SELECT count(*) AS n FROM t"),
        Inputs({"t": store.scan(store.resolve(), "t")}, counters=counters),
    )
    assert got.to_pylist() == [{"n": len(WHOLE)}]
    assert counters.bytes_read == 0


def test_every_snapshot_answers_for_itself(engine: DuckEngine, store: Store):
    ids = [snapshot.id for snapshot in store.snapshots() if "t" in snapshot.tables]
    counts = [
        engine.run(
            SqlFragment("SELECT count(*) AS n FROM t"), Inputs({"t": store.scan(store.resolve(at), "t")})
        )["n"][0].as_py()
        for at in (*ids, *reversed(ids))
    ]
    sizes = [ROWS // 2, ROWS, ROWS + 20]
    assert counts == sizes + sizes[::-1]


def test_a_damaged_chunk_is_an_error_and_no_answer(engine: DuckEngine, tmp_path: Path):
    store = Store.open(tmp_path / "b.luma", settings=SETTINGS)
    store.write("t", PARTS[0])
    segment = next((tmp_path / "b.luma" / "segments").rglob("*.zarr.zip"))
    data = bytearray(segment.read_bytes())
    for place in range(2_000, len(data) // 2, 97):
        data[place] ^= 0x55
    segment.chmod(0o644)
    segment.write_bytes(bytes(data))
    with pytest.raises(CorruptionError):
        engine.run(SqlFragment("SELECT * FROM t"), Inputs({"t": store.scan(store.resolve(), "t")}))
    store.close()
