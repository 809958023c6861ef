"""Cases of QuestDB's own SAMPLE BY and FILL suites (SampleByTest, SampleByFillTest, SampleByFillPrevTest; Apache-2.0), restated.

Only the statements and answers are QuestDB's; the order of rows within a bucket is no contract there, so keys are sorted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import luma_bench as lb


@dataclass(frozen=True)
class Told:
    """A table's columns and rows, a statement, and the rows it gives."""

    name: str
    columns: str
    rows: str
    text: str
    answer: tuple[tuple[Any, ...], ...]


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2024-{text}")


_TWO_KEYS = "(1, 10.0, '2024-01-01 00:00'), (2, 20.0, '2024-01-01 02:00')"
_HALVES = "('Lon', 'don', 10.0, '2024-01-01 00:00'), ('Par', 'is', 20.0, '2024-01-01 02:00')"
_CITIES = (
    (_at("01-01"), "London", 10.0),
    (_at("01-01"), "Paris", None),
    (_at("01-01T01:00"), "London", 10.0),
    (_at("01-01T01:00"), "Paris", None),
    (_at("01-01T02:00"), "London", 10.0),
    (_at("01-01T02:00"), "Paris", 20.0),
)

CASES = [
    Told(
        "a day of 23 hours carries the value before",
        "val DOUBLE, ts TIMESTAMP",
        "(10.0, '2024-03-29 23:00'), (30.0, '2024-03-31 22:00')",
        "SELECT sum(val) s, ts FROM t SAMPLE BY 1d FILL(PREV) ALIGN TO CALENDAR TIME ZONE 'Europe/Berlin'",
        ((10.0, _at("03-29T23:00")), (10.0, _at("03-30T23:00")), (30.0, _at("03-31T22:00"))),
    ),
    Told(
        "an offset moves the local day",
        "val DOUBLE, ts TIMESTAMP",
        "(10.0, '2024-03-30 06:00'), (30.0, '2024-04-01 05:00')",
        "SELECT sum(val) s, ts FROM t SAMPLE BY 1d FILL(PREV) ALIGN TO CALENDAR TIME ZONE 'Europe/Berlin' WITH OFFSET '06:00'",
        ((10.0, _at("03-30T05:00")), (10.0, _at("03-31T04:00")), (30.0, _at("04-01T04:00"))),
    ),
    Told(
        "every type of value is carried",
        "f FLOAT, c VARCHAR, d DECIMAL(9, 0), e DECIMAL(18, 0), ts TIMESTAMP",
        "(1.5, 'A', 111111, 111111111111, '2024-01-01 00:00'), (2.5, 'B', 222222, 222222222222, '2024-01-01 02:00')",
        "SELECT ts, first(f), first(c), first(d), first(e) FROM t SAMPLE BY 1h FILL(PREV) ALIGN TO CALENDAR",
        (
            (_at("01-01"), 1.5, "A", 111111, 111111111111),
            (_at("01-01T01:00"), 1.5, "A", 111111, 111111111111),
            (_at("01-01T02:00"), 2.5, "B", 222222, 222222222222),
        ),
    ),
    Told(
        "a bucket that is NULL is carried as NULL",
        "a DOUBLE[], ts TIMESTAMP",
        "([1.0, 2.0, 3.0], '2024-01-01 00:00'), (NULL, '2024-01-01 02:00'), ([4.0, 5.0], '2024-01-01 04:00')",
        "SELECT ts, first(a) a FROM t SAMPLE BY 1h FILL(PREV) ALIGN TO CALENDAR",
        (
            (_at("01-01"), [1.0, 2.0, 3.0]),
            (_at("01-01T01:00"), [1.0, 2.0, 3.0]),
            (_at("01-01T02:00"), None),
            (_at("01-01T03:00"), None),
            (_at("01-01T04:00"), [4.0, 5.0]),
        ),
    ),
    Told(
        "booleans are carried",
        "v BOOLEAN, ts TIMESTAMP",
        "(true, '2024-01-01 00:00'), (false, '2024-01-01 03:00')",
        "SELECT ts, first(v) v FROM t SAMPLE BY 1h FILL(PREV) ALIGN TO CALENDAR",
        (
            (_at("01-01"), True),
            (_at("01-01T01:00"), True),
            (_at("01-01T02:00"), True),
            (_at("01-01T03:00"), False),
        ),
    ),
    Told(
        "small whole numbers are carried",
        "v TINYINT, ts TIMESTAMP",
        "(7, '2024-01-01 00:00'), (42, '2024-01-01 03:00')",
        "SELECT ts, first(v) v FROM t SAMPLE BY 1h FILL(PREV)",
        ((_at("01-01"), 7), (_at("01-01T01:00"), 7), (_at("01-01T02:00"), 7), (_at("01-01T03:00"), 42)),
    ),
    Told(
        "a cast is a key, and every key has every bucket",
        "x INT, v DOUBLE, ts TIMESTAMP",
        _TWO_KEYS,
        "SELECT ts, x::STRING k, first(v) f FROM t SAMPLE BY 1h FILL(PREV) ALIGN TO CALENDAR ORDER BY 1, 2",
        (
            (_at("01-01"), "1", 10.0),
            (_at("01-01"), "2", None),
            (_at("01-01T01:00"), "1", 10.0),
            (_at("01-01T01:00"), "2", None),
            (_at("01-01T02:00"), "1", 10.0),
            (_at("01-01T02:00"), "2", 20.0),
        ),
    ),
    Told(
        "gaps of a cast key are NULL",
        "x INT, v DOUBLE, ts TIMESTAMP",
        _TWO_KEYS,
        "SELECT ts, x::STRING k, first(v) f FROM t SAMPLE BY 1h FILL(NULL) ALIGN TO CALENDAR ORDER BY 1, 2",
        (
            (_at("01-01"), "1", 10.0),
            (_at("01-01"), "2", None),
            (_at("01-01T01:00"), "1", None),
            (_at("01-01T01:00"), "2", None),
            (_at("01-01T02:00"), "1", None),
            (_at("01-01T02:00"), "2", 20.0),
        ),
    ),
    Told(
        "a function is a key",
        "a VARCHAR, b VARCHAR, v DOUBLE, ts TIMESTAMP",
        _HALVES,
        "SELECT ts, concat(a, b) k, first(v) f FROM t SAMPLE BY 1h FILL(PREV) ALIGN TO CALENDAR ORDER BY 1, 2",
        _CITIES,
    ),
    Told(
        "an operator makes a key",
        "a VARCHAR, b VARCHAR, v DOUBLE, ts TIMESTAMP",
        _HALVES,
        "SELECT ts, a || b k, first(v) f FROM t SAMPLE BY 1h FILL(PREV) ALIGN TO CALENDAR ORDER BY 1, 2",
        _CITIES,
    ),
    Told(
        "keys of several types come back in filled rows",
        "b BOOLEAN, y TINYINT, c VARCHAR, f FLOAT, s SMALLINT, v DOUBLE, ts TIMESTAMP",
        "(true, 1, 'a', 1.5, 100, 10.0, '2024-01-01 00:00'), (false, 2, 'b', 2.5, 200, 20.0, '2024-01-01 00:00'), "
        "(true, 1, 'a', 1.5, 100, 11.0, '2024-01-01 02:00'), (false, 2, 'b', 2.5, 200, 21.0, '2024-01-01 02:00')",
        "SELECT ts, b, y, c, f, s, sum(v) x FROM t SAMPLE BY 1h FILL(NULL) ALIGN TO CALENDAR ORDER BY 1, 3",
        (
            (_at("01-01"), True, 1, "a", 1.5, 100, 10.0),
            (_at("01-01"), False, 2, "b", 2.5, 200, 20.0),
            (_at("01-01T01:00"), True, 1, "a", 1.5, 100, None),
            (_at("01-01T01:00"), False, 2, "b", 2.5, 200, None),
            (_at("01-01T02:00"), True, 1, "a", 1.5, 100, 11.0),
            (_at("01-01T02:00"), False, 2, "b", 2.5, 200, 21.0),
        ),
    ),
    Told(
        "FROM and TO are filled before the first value and behind the last",
        "key VARCHAR, val DOUBLE, ts TIMESTAMP",
        "('A', 42.0, '2024-01-01 03:00')",
        "SELECT ts, key, first(val) val FROM t SAMPLE BY 1h FROM '2024-01-01T00:00:00.000000Z' TO '2024-01-01T06:00:00.000000Z' "
        "FILL(PREV) ALIGN TO CALENDAR",
        tuple((_at(f"01-01T0{hour}:00"), "A", 42.0 if hour >= 3 else None) for hour in range(6)),
    ),
    Told(
        "UUID keys are filled",
        "k UUID, v DOUBLE, ts TIMESTAMP",
        "('00000000-0000-0000-0000-000000000001', 10.0, '2024-01-01 00:00'), ('00000000-0000-0000-0000-000000000001', 11.0, '2024-01-01 02:00')",
        "SELECT ts, k::VARCHAR k, sum(v) s FROM t SAMPLE BY 1h FILL(NULL)",
        (
            (_at("01-01"), "00000000-0000-0000-0000-000000000001", 10.0),
            (_at("01-01T01:00"), "00000000-0000-0000-0000-000000000001", None),
            (_at("01-01T02:00"), "00000000-0000-0000-0000-000000000001", 11.0),
        ),
    ),
]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    folder: Path = tmp_path_factory.mktemp("questdb")
    with lb.open(folder / "questdb.luma") as opened:
        yield opened


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_answer_of_questdb(bench: lb.Bench, case: Told) -> None:
    bench.kadeql(f"CREATE OR REPLACE TABLE t ({case.columns}); INSERT INTO t VALUES {case.rows}")
    answer = bench.kadeql(case.text).to_arrow()
    assert [tuple(row.values()) for row in answer.to_pylist()] == list(case.answer)


def test_an_hour_that_comes_twice_keeps_both_hours(bench: lb.Bench) -> None:
    """Ten-minute rows around Riga's change of October 2021: every hour of UTC has its six rows."""
    bench.kadeql(
        "CREATE OR REPLACE TABLE y AS SELECT x::DOUBLE AS val, TIMESTAMP '2021-10-31 00:00' + (x - 1) * INTERVAL 10 minute AS k "
        "FROM range(1, 97) r(x)"
    )
    answer = bench.kadeql(
        "SELECT count() s, k FROM y SAMPLE BY 1h FILL(NULL) ALIGN TO CALENDAR TIME ZONE 'Europe/Riga'"
    ).to_arrow()
    first = dt.datetime(2021, 10, 31)
    assert answer["k"].to_pylist() == [first + dt.timedelta(hours=hour) for hour in range(16)]
    assert set(answer["s"].to_pylist()) == {6}


def test_a_range_of_billions_of_buckets_is_refused_or_cancelled(bench: lb.Bench) -> None:
    """`SAMPLE BY 1s FROM '1970' TO '2100'` over two keys is eight billion rows: nothing may hang or eat the memory."""
    bench.kadeql(
        "CREATE OR REPLACE TABLE few (ts TIMESTAMP, k VARCHAR, x DOUBLE); "
        "INSERT INTO few VALUES ('2024-01-01', 'a', 1.0), ('2024-01-01', 'b', 2.0)"
    )
    with pytest.raises(lb.errors.LumaError) as caught:
        bench.kadeql(
            "SELECT ts, k, first(x) x FROM few SAMPLE BY 1s FROM '1970-01-01' TO '2100-01-01' FILL(NULL)"
        ).to_arrow()
    assert caught.value.hint
