"""Conditions on times of every unit: the rows that SQL leaves, found without it, and the bounds that they set."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from series_inputs import asked_of, open_bench, read, rows_of

from luma_bench.bench.series.asked import Kept
from luma_bench.bench.series.plain_conditions import plainly
from luma_bench.bench.series.recording import _planned
from luma_bench.models.control import Control

UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
KINDS = [
    *(pa.timestamp(unit) for unit in UNITS),
    pa.timestamp("us", "UTC"),
    pa.timestamp("ms", "Europe/Berlin"),
    pa.date32(),
]
CONDITIONS = [
    "ts >= '1970-01-02'",
    "ts >= TIMESTAMP '1970-01-02 00:00:00' AND ts < TIMESTAMP '1970-01-03 00:00:00'",
    "ts BETWEEN TIMESTAMP '1970-01-01 12:00:00' AND TIMESTAMP '1970-01-02 12:00:00' AND k = 'a'",
    "ts > TIMESTAMP '1970-01-01 23:59:59.5'",
    "ts = TIMESTAMP '1970-01-02' + INTERVAL 0 DAY",
    "ts < DATE '1970-01-03' AND NOT ts < DATE '1970-01-02'",
    "ts IN (TIMESTAMP '1970-01-02', TIMESTAMP '1970-01-03')",
    "ts <> TIMESTAMP '1970-01-02' OR k IS NULL",
    "ts >= $from AND ts < $to",
    "ts IS NOT NULL AND n < 30",
    "ts::VARCHAR < '1970-01-02'",
]
PARAMS = {"from": dt.datetime(1970, 1, 2), "to": dt.datetime(1970, 1, 2, 12)}


def table_of(kind: pa.DataType) -> pa.Table:
    seconds = [*range(-86_400, 4 * 86_400, 21_600), 86_399, 86_401, 43_200]
    if pa.types.is_date(kind):
        array = pa.array([second // 86_400 for second in seconds] + [None], pa.int32()).cast(kind)
    else:
        count = UNITS[kind.unit]
        array = pa.array([second * count for second in seconds] + [None], pa.int64()).cast(kind)
    rows = len(array)
    return pa.table(
        {"k": [("a", "b", None)[row % 3] for row in range(rows)], "ts": array, "n": pa.array(range(rows))}
    )


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_times_of_every_type_are_compared_as_sql_compares_them(tmp_path: Path, kind: pa.DataType) -> None:
    kept = Kept()
    with open_bench(tmp_path / "b", timezone="UTC") as bench:
        bench.write("t", table_of(kind))
        for where in CONDITIONS:
            asked = asked_of(bench, kept, params=PARAMS if "$" in where else {})
            rows = rows_of(asked, "t", where)
            wanted = bench.kadeql(
                f"SELECT n FROM t AS x WHERE {where}", params=PARAMS if "$" in where else {}
            )
            expected = sorted(wanted.to_arrow().column("n").to_pylist())
            found, without = read(rows, ("k",))
            assert (
                sorted(row[-1] for row in found)
                == [n for n in expected if n != 23 or without == 0][: len(found)]
            )
            assert len(found) + without == len(expected)
            streamed = [n for batch in rows.stream(["n"], Control()) for n in batch.column(0).to_pylist()]
            assert streamed == expected
            first, last = rows.bounds("ts")
            times = [row[1] for row in found]
            assert all((first is None or first <= time) and (last is None or time <= last) for time in times)


@pytest.mark.parametrize("unit", UNITS)
def test_bounds_are_in_the_units_of_the_column(tmp_path: Path, unit: str) -> None:
    per = UNITS[unit]
    with open_bench(tmp_path / "b") as bench:
        bench.write("t", table_of(pa.timestamp(unit)))
        asked = asked_of(bench)

        def bounds(where: str) -> tuple[int | None, int | None]:
            return rows_of(asked, "t", where).bounds("ts")

        day = 86_400 * per
        assert bounds("ts >= TIMESTAMP '1970-01-02' AND ts < TIMESTAMP '1970-01-03'") == (day, 2 * day - 1)
        assert bounds("ts > '1970-01-02' AND n > 3 AND n % 2 = 0") == (day + 1, None)
        assert bounds("ts = TIMESTAMP '1970-01-02' OR n = 3") == (None, None)
        assert bounds("ts >= '1970-01-02' AND ts >= '1970-01-03' AND ts <= '1970-01-04'") == (
            2 * day,
            3 * day,
        )
        rows = rows_of(asked, "t", "ts >= TIMESTAMP '1970-01-02' AND ts < TIMESTAMP '1970-01-03' AND k = 'a'")
        read(rows, ("k",))
        assert rows.lines()[0].startswith("series index")


def test_nanoseconds_of_a_text_are_not_rounded(tmp_path: Path) -> None:
    with open_bench(tmp_path / "b") as bench:
        stamps = pa.array(range(10), pa.timestamp("ns"))
        bench.write("t", pa.table({"ts": stamps, "n": pa.array(range(10))}))
        for where, params in (
            ("ts >= '1970-01-01 00:00:00.000000004'", {}),
            ("ts >= TIMESTAMP_NS '1970-01-01 00:00:00.000000004'", {}),
            ("ts >= $at::TIMESTAMP_NS", {"at": "1970-01-01 00:00:00.000000004"}),
        ):
            asked = asked_of(bench, params=used(where, params))
            assert sorted(row[-1] for row in read(rows_of(asked, "t", where), ())[0]) == list(range(4, 10))


def test_a_condition_that_moves_with_the_clock_is_not_kept(tmp_path: Path) -> None:
    kept = Kept()
    with open_bench(tmp_path / "b") as bench:
        now = dt.datetime.now()
        stamps = [now - dt.timedelta(hours=hours) for hours in range(10)]
        bench.write("t", pa.table({"ts": pa.array(stamps, pa.timestamp("us")), "n": pa.array(range(10))}))
        for _ in range(2):
            rows = rows_of(asked_of(bench, kept), "t", "ts > now()::TIMESTAMP - INTERVAL 270 MINUTE")
            assert len(read(rows, ())[0]) in (4, 5, 6, 7)
        assert not [key for key in kept.answers._held if key[0] == "where"]


PLAIN = {
    "i = 7": True,
    "x.i <> -3 AND i >= 2": True,
    "f > 0.1 AND f <= 90.5 AND f != -0": True,
    "s = 'a' AND d < 3": False,
    "s >= '' AND ts >= '1970-01-02'": True,
    "TS < TIMESTAMP '1970-01-02 00:00:00.5' AND ts > DATE '1970-01-01'": True,
    "ts >= $at AND i = $least AND s <> $text": True,
    "(i = 7) AND ((f > 0) AND s = ')')": True,
    "(i = 7) OR (f > 0)": False,
    "i = 7) AND (f > 0": True,
    "ts >= '1970-1-2'": False,
    "i = 1 OR i = 2": False,
    "i = 99999999999": False,
    "i = 1.5": False,
    "f > 1e3": False,
    "s = 'it''s'": False,
    "s = 7": False,
    "ts BETWEEN '1970-01-01' AND '1970-01-02'": False,
    "NOT i = 1": False,
    "current_date > ts": False,
    "y.i = 1": False,
    "f = 12345678901234567890": False,
}


@pytest.mark.parametrize("where", PLAIN)
def test_what_is_read_off_a_condition_is_what_the_engine_hands_down(tmp_path: Path, where: str) -> None:
    table = pa.table(
        {
            "i": pa.array([7, 1, None, -3], pa.int32()),
            "f": [0.1, 90.5, None, float("nan")],
            "s": ["a", "", None, "it's"],
            "ts": pa.array([0, 86_400, None, 10**6], pa.timestamp("s")).cast(pa.timestamp("us")),
            "d": pa.array([1, 2, 3, 4], pa.int64()).cast(pa.decimal128(21, 2)),
        }
    )
    params = {"at": dt.datetime(1970, 1, 1, 5), "least": 1, "text": "b"}
    with open_bench(tmp_path / "b") as bench:
        bench.write("t", table)
        asked = asked_of(bench, params=used(where, params))
        rows = rows_of(asked, "t", where)
        condition = f" WHERE ({where})"
        found = plainly(condition, "x", rows.streamed, params)
        assert (found is not None) == PLAIN[where]
        if found is not None:
            told = _planned(condition, rows.given, rows.streamed, 4, asked, rows.accepts)
            assert told.whole
            for predicates in (found, told.predicates):
                assert all(rows.accepts(one) for one in predicates)
                batches = rows.stream(["i", "f", "s"], Control(), filtered=False, predicates=predicates)
                kept = [row for batch in batches for row in batch.to_pylist()]
                sql = bench.kadeql(f"SELECT i, f, s FROM t AS x WHERE ({where})", params=used(where, params))
                assert repr(kept) == repr(sql.to_arrow().to_pylist())


def used(where: str, params: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in params.items() if f"${name}" in where}
