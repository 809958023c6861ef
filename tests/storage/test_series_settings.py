"""Time column, series key and retention of a table: what is taken, refused, kept and shown; and how rows lie."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.errors import CatalogError, KadeQLBindError, KadeQLSyntaxError, SchemaError
from luma_bench.storage.catalog.schema import decode_settings, encode_settings
from luma_bench.types.predicate import Comparison
from luma_bench.types.retention import Retention
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import Column, TableSettings

COLUMNS = (Column(4, "ts", pa.timestamp("us")), Column(7, "k", pa.string()))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(
        tmp_path / "b.luma", timezone="UTC", shard_rows=1_000, chunk_rows=100, inline_bytes=100
    ) as opened:
        yield opened


def create_text(bench: lb.Bench) -> str:
    return bench.kadeql("SHOW CREATE TABLE t").to_arrow()["sql"][0].as_py()


def test_a_retention_is_kept_by_the_column_s_id() -> None:
    kept = TableSettings(time_column="ts", series_key=("k",), retention=Retention("ts", 1, 2, 3))
    text = encode_settings(kept, COLUMNS)
    assert decode_settings(text, COLUMNS) == kept
    renamed = (Column(4, "moment", pa.timestamp("us")), COLUMNS[1])
    assert decode_settings(text, renamed).retention == Retention("moment", 1, 2, 3)
    # What was written before there was any retention opens as it was.
    assert "retention" not in encode_settings(TableSettings(time_column="ts"), COLUMNS)
    assert decode_settings('{"time_column":4}', COLUMNS) == TableSettings(time_column="ts")


def test_create_table_with_settings(bench: lb.Bench) -> None:
    bench.kadeql(
        "CREATE TABLE t (ts TIMESTAMP, k VARCHAR, v DOUBLE, PRIMARY KEY (k, ts)) "
        "WITH (time_column = ts, series_key = (k), retention = INTERVAL 6 MONTH, codec = 'zstd')"
    )
    for option in ("series_key = (k)", "time_column = ts", "retention = '6 months' ON ts", "codec = 'zstd'"):
        assert option in create_text(bench)
    found = bench.kadeql("DESCRIBE t").to_arrow()
    assert found["key"].to_pylist() == ["PRI", "PRI", None]
    bench.kadeql(
        "CREATE OR REPLACE TABLE t (ts DATE, k INT, u INT UNIQUE) WITH (time_column = ts, series_key = k)"
    )
    assert bench.kadeql("DESCRIBE t").to_arrow()["key"].to_pylist() == ["TIME", "SERIES", "UNI"]


def test_create_table_as_with_settings_sorts_its_rows(bench: lb.Bench) -> None:
    bench.kadeql(
        "CREATE TABLE t WITH (time_column = ts, series_key = (k)) AS "
        "SELECT TIMESTAMP '2026-01-01' + INTERVAL (9 - i) HOUR AS ts, i % 2 AS k FROM range(10) r(i)"
    )
    rows = bench.kadeql("SELECT k, ts FROM t").to_arrow().to_pylist()
    assert rows == sorted(rows, key=lambda row: (row["k"], row["ts"]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ALTER TABLE t SET (series_key = (k))", "needs a time column"),
        ("ALTER TABLE t SET (time_column = v)", "no time"),
        ("ALTER TABLE t SET (time_column = ts, series_key = (ts))", "both the time column"),
        ("ALTER TABLE t SET (retention = '30 days')", "no time column"),
        ("ALTER TABLE t SET (retention = '30 dayz' ON ts)", "no length of time"),
        ("ALTER TABLE t SET (retention = '30 days' ON v)", "says no moment"),
        ("ALTER TABLE t SET (retention = '30 days' ON nix)", "no column 'nix'"),
        ("ALTER TABLE t SET (time_column = (ts, v))", "takes one value"),
        ("CREATE TABLE u (a INT) WITH (time_column = b)", "no column 'b'"),
        ("CREATE TABLE u WITH (series_key = (a)) AS SELECT 1 AS a", "needs a time column"),
        ("CREATE TABLE u (a INT) WITH (retention = '1 day')", "no time column"),
    ],
)
def test_what_is_refused_points_at_the_options(bench: lb.Bench, text: str, message: str) -> None:
    bench.kadeql("CREATE TABLE t (ts TIMESTAMP, k VARCHAR, v DOUBLE)")
    with pytest.raises(KadeQLBindError, match=message) as caught:
        bench.kadeql(text)
    first, last = caught.value.span or (0, 0)
    assert text[first:last].split()[0] in ("series_key", "time_column", "retention")
    assert caught.value.hint
    assert bench.tables() == ["t"]


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE t SET (retention = 30 DAYS)",
        "ALTER TABLE t SET (retention = '1 day' ON)",
        "ALTER TABLE t SET (retained = '1 day')",
        "ALTER TABLE t RESET (nix)",
        "ALTER TABLE t RESET",
        "ALTER TABLE t RESET (codec, codec)",
        "CREATE TABLE u (a INT) WITH ()",
        "CREATE TABLE u (a INT) WITH (codec = 'lz4') AS SELECT 1",
        "CREATE TABLE u (a INT) WITH (codec = 'lz4') nonsense",
    ],
)
def test_what_is_no_option(bench: lb.Bench, text: str) -> None:
    bench.kadeql("CREATE TABLE t (ts TIMESTAMP)")
    with pytest.raises(KadeQLSyntaxError):
        bench.kadeql(text)


def test_reset_gives_back_what_a_new_table_has(bench: lb.Bench) -> None:
    bench.write(
        "t",
        {"ts": pa.array([0], pa.timestamp("us")), "k": [1]},
        time_column="ts",
        series_key="k",
        retention="90 days",
    )
    assert "retention = '90 days' ON ts" in create_text(bench)
    with pytest.raises(KadeQLBindError, match="needs a time column"):
        bench.kadeql("ALTER TABLE t RESET (time_column)")
    bench.kadeql("ALTER TABLE t RESET (time_column, series_key, retention)")
    assert "ALTER TABLE" not in create_text(bench)


def test_python_gives_a_retention_on_the_time_column(bench: lb.Bench) -> None:
    data = {"ts": pa.array([0], pa.timestamp("us"))}
    with pytest.raises(SchemaError, match="without a time column"):
        bench.write("t", data, retention="1 day")
    with pytest.raises(SchemaError, match="no length"):
        bench.write("t", data, time_column="ts", retention="often")
    with pytest.raises(SchemaError, match="needs a time column"):
        bench.write("t", data, series_key="ts")
    bench.write("t", data, time_column="TS", retention="1 day")
    assert "retention = '1 day' ON ts" in create_text(bench)
    with pytest.raises(CatalogError, match="retention"):
        bench.write("t", data, mode="append", time_column="ts", retention="2 days")


def rows(n: int, series: int, seed: int) -> pa.Table:
    drawn = np.random.default_rng(seed)
    times = drawn.integers(0, 20_000_000, n) * 1_000
    return pa.table({
        "ts": pa.array(times).cast(pa.timestamp("us")),
        "k": [f"s{i}" for i in drawn.integers(0, series, n)],
        "v": np.arange(n),
    })  # fmt: skip


def test_compaction_parts_a_table_of_series_by_time(bench: lb.Bench) -> None:
    whole = rows(12_000, 7, 1)
    bench.write("t", whole.slice(0, 0), time_column="ts", series_key="k")
    for start in range(0, 12_000, 1_500):
        bench.write("t", whole.slice(start, 1_500), mode="append")
    bench.compact("t")
    view = bench._store.resolve()
    scan = bench._store.scan(view, "t")
    zones = scan.segment_zones("ts")
    spans = sorted(zip(zones.low.tolist(), zones.high.tolist(), strict=True))
    assert len(spans) >= 12
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))
    for ref in view.segments(view.find("t").id):
        parts = [
            scan.read_piece(piece, [1, 2], ScanCounters())
            for piece in scan.pieces()
            if piece.segment == ref.ulid
        ]
        keys = [(row["k"], row["ts"]) for part in parts for row in part.to_pylist()]
        assert keys == sorted(keys)
    # A stretch of time opens the segments of that time alone.
    counters = ScanCounters()
    low, high = (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=edge) for edge in spans[3])
    bounds = [Comparison("ts", ">=", low, "TIMESTAMP"), Comparison("ts", "<=", high, "TIMESTAMP")]
    assert len({piece.segment for piece in scan.pieces(bounds, counters)}) == 1
    assert counters.segments_pruned == len(spans) - 1
    assert bench.compact("t").tables[0].rows == 0


def test_equal_rows_keep_their_order_and_nulls_come_last(bench: lb.Bench) -> None:
    times = pa.array([None, 3, 3, None, 1, 3], pa.timestamp("s"))
    bench.write(
        "t",
        {"ts": times, "k": ["a", "a", "a", "a", None, None], "i": range(6)},
        time_column="ts",
        series_key="k",
    )
    assert bench.kadeql("SELECT i FROM t").to_arrow()["i"].to_pylist() == [1, 2, 0, 3, 4, 5]
    bench.compact()
    assert bench.kadeql("SELECT i FROM t").to_arrow()["i"].to_pylist() == [1, 2, 0, 3, 4, 5]
