"""The retention of a table's rows: what goes, what stays, and what everybody else sees meanwhile."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn

import luma_bench as lb
from luma_bench.errors import SchemaError
from luma_bench.types.retention import Retention

NOW = dt.datetime(2026, 3, 31, 12, 0, tzinfo=dt.UTC)
MICROSECONDS = pa.timestamp("us")
MICROS = int(NOW.timestamp()) * 1_000_000


def bench_of(path: Path, **options: object) -> lb.Bench:
    return lb.open(
        path / "b.luma", timezone="UTC", shard_rows=1_000, chunk_rows=200, inline_bytes=2_000, **options
    )


def hours(ages: list[float | None], kind: pa.DataType = MICROSECONDS) -> pa.Array:
    """Times so many hours before NOW."""
    moments = [None if age is None else NOW.replace(tzinfo=None) - dt.timedelta(hours=age) for age in ages]
    return pa.array(moments, pa.timestamp("us")).cast(kind, safe=False)


def rows_of(bench: lb.Bench, column: str = "i", at: object = None) -> list[object]:
    query = f"SELECT {column} FROM t ORDER BY {column}"
    found = bench.kadeql(query) if at is None else bench.at(at).kadeql(query)
    return found.to_arrow().column(0).to_pylist()


# --- the length of time, and where it ends ---


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("30 days", "30 days"),
        ("1 day", "1 day"),
        ("2w", "14 days"),
        ("12 hours", "12 hours"),
        ("90 minutes", "1 hour 30 minutes"),
        ("1.5h", "1 hour 30 minutes"),
        ("1 month 15 days", "1 month 15 days"),
        ("18 months", "1 year 6 months"),
        ("1y", "1 year"),
        ("250ms", "250 milliseconds"),
        ("36:00:00", "36 hours"),
    ],
)
def test_lengths(text: str, shown: str) -> None:
    kept = Retention.parse(text, "ts")
    assert kept.text == shown
    assert Retention.parse(kept.text, "ts") == kept


@pytest.mark.parametrize(
    "text", ["", "soon", "3 dayz", "0 days", "1.5 days", "-3 days", "days", "3 days ago"]
)
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(SchemaError, match="no length of time"):
        Retention.parse(text, "ts")


def test_the_calendar_counts_months_and_days() -> None:
    month = Retention.parse("1 month", "ts")
    assert month.cutoff(NOW, "UTC", pa.timestamp("s")) == int(
        dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC).timestamp()
    )
    day = Retention.parse("2 days", "ts")
    # On 2026-03-29 clocks in Oslo went forward: two days before are 47 hours before.
    assert day.cutoff(NOW, "Europe/Oslo", pa.timestamp("us", "UTC")) == MICROS - 48 * 3_600_000_000
    earlier = dt.datetime(2026, 3, 30, 12, 0, tzinfo=dt.UTC)
    found = day.cutoff(earlier, "Europe/Oslo", pa.timestamp("us", "UTC"))
    assert found == int(earlier.timestamp()) * 1_000_000 - 47 * 3_600_000_000
    wall = day.cutoff(earlier, "Europe/Oslo", pa.timestamp("s"))
    assert wall == int(dt.datetime(2026, 3, 28, 14, 0, tzinfo=dt.UTC).timestamp())
    assert Retention.parse("3000 years", "ts").cutoff(NOW, "UTC", pa.timestamp("us")) == -(1 << 63)


@pytest.mark.parametrize(
    "kind", [pa.date32(), pa.date64(), *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns"))]
)
@given(micros=st.integers(-(10**6), 10**6))
@settings(deadline=None, max_examples=30)
def test_the_cutoff_is_exact_in_every_unit(kind: pa.DataType, micros: int) -> None:
    now = NOW + dt.timedelta(microseconds=micros)
    edge = Retention.parse("10 days", "ts").cutoff(now, "UTC", kind)
    size = {"date32[day]": 86_400_000_000, "date64[ms]": 1_000, "timestamp[s]": 10**6, "timestamp[ms]": 1_000}
    one = size.get(str(kind), 1)
    scale = 1_000 if str(kind) == "timestamp[ns]" else 1
    limit = (MICROS + micros - 10 * 86_400_000_000) * scale
    assert edge * one >= limit
    step = 86_400_000 if pa.types.is_date64(kind) else 1
    assert (edge - step) * one < limit


# --- rows ---


@pytest.mark.parametrize(
    "kind", [pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("ms", "Europe/Oslo"), pa.timestamp("s")]
)
def test_rows_that_are_too_old_go(tmp_path: Path, kind: pa.DataType) -> None:
    with bench_of(tmp_path) as bench:
        ages = [1.0, 23.0, 24.0, 24.5, 100.0, None]
        bench.write("t", {"ts": hours(ages, kind), "i": range(6)}, time_column="ts")
        bench.kadeql("ALTER TABLE t SET (retention = '1 day')")
        report = bench.compact("t", now=NOW)
        assert rows_of(bench) == [0, 1, 2, 5]
        (table,) = report.tables
        assert (table.expired, table.expired_segments) == (2, 0)
        assert "2 rows too old to keep" in str(report)
        assert bench.snapshots()[-1].operation in ("retention", "compact")
        (made,) = [item for item in bench.snapshots() if item.operation == "retention"]
        assert made.message == "2 rows of t older than 1 day"
        assert bench.compact("t", now=NOW).tables[0].expired == 0
        assert bench.check().ok


def test_segments_go_whole_without_being_read(tmp_path: Path) -> None:
    with bench_of(tmp_path) as bench:
        n = 10_000
        ages = np.linspace(100, 0, n)
        bench.write(
            "t",
            {"ts": hours(ages.tolist()), "k": np.arange(n) % 7, "i": np.arange(n)},
            time_column="ts",
            series_key="k",
        )
        bench.kadeql("ALTER TABLE t SET (retention = '10 hours' ON ts)")
        report = bench.compact(now=NOW).tables[0]
        kept = [i for i in range(n) if ages[i] <= 10.0 + 1e-9]
        assert rows_of(bench) == kept
        assert report.expired == n - len(kept)
        assert report.expired_segments == 9
        assert bench.kadeql("SELECT count(*) FROM t").to_arrow().column(0)[0].as_py() == len(kept)
        assert bench.check().ok


def test_old_snapshots_still_read_the_rows(tmp_path: Path) -> None:
    with bench_of(tmp_path) as bench:
        bench.write("t", {"ts": hours([1, 50]), "i": [0, 1]}, time_column="ts")
        bench.tag("before")
        pinned = bench.at("before")
        bench.kadeql("ALTER TABLE t SET (retention = '1 day')")
        bench.compact(now=NOW, retention=0)
        assert rows_of(bench) == [0]
        assert pinned.kadeql("SELECT i FROM t ORDER BY i").to_arrow().column(0).to_pylist() == [0, 1]
        assert bench.check().ok


def test_rows_of_the_tail_go(tmp_path: Path) -> None:
    with bench_of(tmp_path) as bench:
        bench.write("t", {"ts": hours([5]), "i": [0]}, time_column="ts")
        for i, age in enumerate([50, 2, 30, None], 1):
            bench.write("t", {"ts": hours([age]), "i": [i]}, mode="append")
        bench.kadeql("DELETE FROM t WHERE i = 1")
        bench.kadeql("ALTER TABLE t SET (retention = '1 day')")
        assert bench.compact(now=NOW).tables[0].expired == 1
        assert rows_of(bench) == [0, 2, 4]
        assert bench.check().ok


def test_it_survives_a_new_process_and_a_rename(tmp_path: Path) -> None:
    with bench_of(tmp_path) as bench:
        bench.write("t", {"ts": hours([1, 50]), "i": [0, 1]}, time_column="ts")
        bench.kadeql("ALTER TABLE t SET (retention = INTERVAL '1' DAY ON ts)")
        bench.kadeql("ALTER TABLE t RENAME COLUMN ts TO moment")
    with bench_of(tmp_path) as bench:
        assert (
            "retention = '1 day' ON moment"
            in bench.kadeql("SHOW CREATE TABLE t").to_arrow()["sql"][0].as_py()
        )
        bench.compact(now=NOW)
        assert rows_of(bench) == [0]
        bench.kadeql("ALTER TABLE t RESET (retention)")
        bench.compact(now=NOW + dt.timedelta(days=900))
        assert rows_of(bench) == [0]


def test_the_column_of_a_retention_stays(tmp_path: Path) -> None:
    with bench_of(tmp_path) as bench:
        bench.write("t", {"ts": hours([1]), "other": hours([1]), "i": [0]}, time_column="ts")
        bench.kadeql("ALTER TABLE t SET (retention = '1 day' ON other)")
        with pytest.raises(lb.errors.LumaError, match="RESET \\(retention\\)"):
            bench.kadeql("ALTER TABLE t DROP COLUMN other")
        with pytest.raises(lb.errors.LumaError, match="RESET \\(time_column\\)"):
            bench.kadeql("ALTER TABLE t DROP COLUMN ts")
        bench.kadeql("ALTER TABLE t RESET (retention)")
        bench.kadeql("ALTER TABLE t DROP COLUMN other")
        assert bench.kadeql("FROM t").to_arrow().column_names == ["ts", "i"]


def test_a_row_that_another_table_refers_to_stays_and_is_told(tmp_path: Path) -> None:
    with bench_of(tmp_path) as bench:
        bench.kadeql("CREATE TABLE t (i INT PRIMARY KEY, ts TIMESTAMP) WITH (retention = '1 day' ON ts)")
        bench.kadeql("CREATE TABLE child (i INT REFERENCES t (i))")
        bench.write("t", {"i": pa.array([0, 1], pa.int32()), "ts": hours([1, 50])}, mode="append")
        bench.kadeql("INSERT INTO child VALUES (1)")
        report = bench.compact(now=NOW)
        (table,) = [item for item in report.tables if item.table == "t"]
        assert rows_of(bench) == [0, 1]
        assert table.expired == 0
        assert "too old stay" in table.skipped[0]
        bench.kadeql("DELETE FROM child")
        bench.compact(now=NOW)
        assert rows_of(bench) == [0]
        assert bench.check().ok


def test_inside_a_transaction_the_setting_joins_it(tmp_path: Path) -> None:
    with bench_of(tmp_path) as bench:
        bench.write("t", {"ts": hours([1, 50]), "i": [0, 1]}, time_column="ts")
        bench.kadeql("BEGIN; ALTER TABLE t SET (retention = '1 day'); ROLLBACK")
        bench.compact(now=NOW)
        assert rows_of(bench) == [0, 1]
        bench.kadeql("BEGIN; ALTER TABLE t SET (retention = '1 day'); COMMIT")
        bench.compact(now=NOW)
        assert rows_of(bench) == [0]


@given(
    ages=st.lists(st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=60), min_size=1, max_size=5),
    gone=st.sets(st.integers(0, 100)),
    limit=st.integers(1, 99),
    first=st.booleans(),
)
@settings(deadline=None, max_examples=drawn(15))
def test_any_rows(
    tmp_path_factory: pytest.TempPathFactory,
    ages: list[list[float | None]],
    gone: set[int],
    limit: int,
    *,
    first: bool,
) -> None:
    with lb.open(
        tmp_path_factory.mktemp("r") / "b.luma", timezone="UTC", shard_rows=16, chunk_rows=4, inline_bytes=300
    ) as bench:
        bench.kadeql(
            f"CREATE TABLE t (ts TIMESTAMP, i BIGINT) WITH (time_column = ts, retention = '{limit} hours')"
        )
        every: list[float | None] = []
        for part in ages:
            numbers = range(len(every), len(every) + len(part))
            bench.write("t", {"ts": hours(part), "i": pa.array(numbers, pa.int64())}, mode="append")
            every += part
        if first:
            bench.compact(now=NOW - dt.timedelta(days=90))
        places = [i for i in gone if i < len(every)]
        if places:
            bench.kadeql(f"DELETE FROM t WHERE i IN ({', '.join(map(str, places))})")
        edge = NOW.replace(tzinfo=None) - dt.timedelta(hours=limit)
        moments = hours(every).to_pylist()
        kept = [i for i, at in enumerate(moments) if i not in gone and (at is None or at >= edge)]
        report = bench.compact(now=NOW)
        assert rows_of(bench) == kept
        assert report.tables[0].expired == len(every) - len(places) - len(kept)
