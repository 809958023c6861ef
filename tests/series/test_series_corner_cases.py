"""The cases of windows, fills and as-of joins that systems answer differently, each with the answer it has here."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from grouped_worlds import planned, tuples

import luma_bench as lb
from luma_bench.errors import KadeQLBindError

T = dt.datetime(2024, 1, 1)
H = dt.timedelta(hours=1)
M = dt.timedelta(minutes=1)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("corners") / "b.luma") as opened:
        yield opened


@pytest.fixture(params=["runs", "sql"])
def plan(request: pytest.FixtureRequest, bench: lb.Bench) -> Iterator[str]:
    with planned(bench, request.param):
        yield request.param


def write(bench: lb.Bench, *given: tuple[Any, ...], kind: pa.DataType | None = None, key: str = "a") -> None:
    """A table g(ts, k, v) of moments and values, or of moments, keys and values."""
    full = [one if len(one) == 3 else (one[0], key, one[1]) for one in given]
    columns = {
        "ts": pa.array([one[0] for one in full], kind or pa.timestamp("us")),
        "k": pa.array([one[1] for one in full], pa.string()),
        "v": pa.array([one[2] for one in full], pa.float64()),
    }
    bench.write("g", pa.table(columns), mode="replace", time_column="ts", series_key="k")


def answer(bench: lb.Bench, text: str) -> list[tuple[Any, ...]]:
    return tuples(bench.kadeql(text, cache=False))


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2024-{text}+00:00")


def test_windows_are_half_open(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, (T, 1.0), (T + H, 2.0))
    assert answer(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 1h") == [(T, 1.0), (T + H, 2.0)]


def test_buckets_begin_at_the_epoch(bench: lb.Bench, plan: str) -> None:
    """Five days from 1970-01-01 on, not from 2000-01-03 as time_bucket has them."""
    del plan
    write(bench, (T, 1.0))
    days = (T - dt.datetime(1970, 1, 1)).days // 5 * 5
    assert answer(bench, "SELECT ts, count(*) FROM g SAMPLE BY 5d") == [
        (dt.datetime(1970, 1, 1) + dt.timedelta(days=days), 1)
    ]


def test_weeks_begin_on_monday(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, (dt.datetime(2024, 1, 7, 23), 1.0), (dt.datetime(2024, 1, 8), 2.0))
    assert answer(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 1w") == [
        (dt.datetime(2024, 1, 1), 1.0),
        (dt.datetime(2024, 1, 8), 2.0),
    ]


def test_align_to_moves_the_origin(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, (T + 40 * M, 1.0))
    text = "SELECT window_start, sum(v) FROM TUMBLE(TABLE g, DESCRIPTOR(ts), INTERVAL 1 HOUR, OFFSET => INTERVAL 15 MINUTE) GROUP BY ALL"
    assert answer(bench, text) == [(T + 15 * M, 1.0)]


def test_moments_before_the_epoch(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, (dt.datetime(1969, 12, 31, 23, 59), 1.0), (dt.datetime(1970, 1, 1), 2.0))
    assert answer(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 1h") == [
        (dt.datetime(1969, 12, 31, 23), 1.0),
        (dt.datetime(1970, 1, 1), 2.0),
    ]


@pytest.mark.parametrize(("unit", "step"), [("s", 1_000_000), ("ms", 1_000), ("us", 1)])
def test_window_time_is_one_unit_before_the_end(bench: lb.Bench, plan: str, unit: str, step: int) -> None:
    del plan
    write(bench, (T, 1.0), kind=pa.timestamp(unit))
    text = "SELECT window_start, window_end, window_time FROM TUMBLE(TABLE g, DESCRIPTOR(ts), INTERVAL 1 HOUR) GROUP BY ALL"
    assert answer(bench, text) == [(T, T + H, T + H - dt.timedelta(microseconds=step))]


def test_nanoseconds_keep_their_unit(bench: lb.Bench, plan: str) -> None:
    del plan
    start = int(T.timestamp()) * 1_000_000_000
    write(bench, (start + 999, 1.0), (start + 1_000, 2.0), kind=pa.timestamp("ns"))
    text = "SELECT window_start, window_time, sum(v) FROM TUMBLE(TABLE g, DESCRIPTOR(ts), INTERVAL '1 microsecond') GROUP BY ALL ORDER BY 1"
    found = bench.kadeql(text, cache=False).to_arrow()
    begins = found.column(0).cast(pa.int64()).to_pylist()
    ends = found.column(1).cast(pa.int64()).to_pylist()
    local = begins[0]
    assert begins == [local, local + 1_000]
    assert ends == [local + 999, local + 1_999]
    assert found.column(2).to_pylist() == [1.0, 2.0]


def test_rows_without_a_time_are_dropped_and_counted(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, (T, 1.0), (None, 2.0), (None, 3.0))
    result = bench.kadeql("SELECT ts, sum(v) FROM g SAMPLE BY 1h", cache=False)
    assert tuples(result) == [(T, 1.0)]
    assert [note for note in result.run.warnings if "2 rows have no ts" in note] == list(result.run.warnings)
    assert len(result.run.warnings) == 1


@pytest.mark.parametrize(
    "kind", [pa.timestamp("us", "America/New_York"), pa.timestamp("s", "America/New_York")]
)
def test_both_hours_of_a_fall_back_stay(bench: lb.Bench, plan: str, kind: pa.DataType) -> None:
    del plan
    write(bench, (utc("11-03 05:30"), 1.0), (utc("11-03 06:30"), 2.0), kind=kind)
    found = bench.kadeql("SELECT ts, sum(v) FROM g SAMPLE BY 1h", cache=False).to_arrow()
    starts = [one.astimezone(dt.UTC) for one in found.column(0).to_pylist()]
    assert starts == [utc("11-03 05:00"), utc("11-03 06:00")]
    assert found.schema.field(0).type.tz == "America/New_York"


def test_six_hours_follow_the_wall_clock(bench: lb.Bench, plan: str) -> None:
    """The night of the fall-back has a bucket of seven hours, and morning begins at six."""
    del plan
    zone = pa.timestamp("us", "America/New_York")
    write(bench, (utc("11-03 04:30"), 1.0), (utc("11-03 10:30"), 2.0), (utc("11-03 11:30"), 4.0), kind=zone)
    found = answer(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 6h")
    assert [(at.astimezone(dt.UTC), value) for at, value in found] == [
        (utc("11-03 04:00"), 3.0),
        (utc("11-03 11:00"), 4.0),
    ]


def test_days_follow_the_calendar(bench: lb.Bench, plan: str) -> None:
    del plan
    zone = pa.timestamp("us", "Europe/Berlin")
    write(bench, (utc("03-30 23:30"), 1.0), (utc("03-31 21:30"), 2.0), (utc("03-31 22:30"), 4.0), kind=zone)
    found = answer(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 1d")
    assert [(at.astimezone(dt.UTC), value) for at, value in found] == [
        (utc("03-30 23:00"), 3.0),
        (utc("03-31 22:00"), 4.0),
    ]


def test_ninety_minutes_are_a_fixed_length(bench: lb.Bench, plan: str) -> None:
    del plan
    zone = pa.timestamp("us", "Europe/Berlin")
    write(bench, (utc("03-31 00:30"), 1.0), (utc("03-31 02:00"), 2.0), kind=zone)
    found = answer(bench, "SELECT ts, count(*) FROM g SAMPLE BY 90m")
    first, second = (at.astimezone(dt.UTC) for at, _ in found)
    gap = (second - first).total_seconds()
    assert gap == 90 * 60


def test_months_follow_the_calendar(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, (dt.datetime(2024, 1, 31), 1.0), (dt.datetime(2024, 3, 1), 2.0))
    assert answer(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 1M FILL(0)") == [
        (dt.datetime(2024, 1, 1), 1.0),
        (dt.datetime(2024, 2, 1), 0.0),
        (dt.datetime(2024, 3, 1), 2.0),
    ]


def test_a_fill_across_a_change_of_clocks_has_every_day_once(bench: lb.Bench, plan: str) -> None:
    del plan
    zone = pa.timestamp("us", "Europe/Berlin")
    write(bench, (utc("03-29 12:00"), 1.0), (utc("04-02 12:00"), 2.0), kind=zone)
    found = answer(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 1d FILL(PREV)")
    assert [at.astimezone(dt.UTC).hour for at, _ in found] == [23, 23, 23, 22, 22]
    assert [value for _, value in found] == [1.0, 1.0, 1.0, 1.0, 2.0]


def test_nan_is_above_every_number(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, (T, math.nan), (T + M, 1.0), (T + 2 * M, None))
    ((_, low, high, count),) = answer(bench, "SELECT ts, min(v), max(v), count(v) FROM g SAMPLE BY 1h")
    assert (low, math.isnan(high), count) == (1.0, True, 2)


def test_the_first_partial_hop_is_there(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, (T, 1.0))
    text = "SELECT window_start FROM HOP(TABLE g, DESCRIPTOR(ts), INTERVAL 1 HOUR, INTERVAL 3 HOUR) GROUP BY ALL ORDER BY 1"
    assert answer(bench, text) == [(T - 2 * H,), (T - H,), (T,)]


def test_only_a_gap_strictly_greater_begins_a_session(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, (T, 1.0), (T + 10 * M, 2.0), (T + 20 * M + dt.timedelta(microseconds=1), 4.0))
    text = "SELECT window_start, window_end, sum(v) FROM SESSION(TABLE g PARTITION BY k, DESCRIPTOR(ts), INTERVAL 10 MINUTE) GROUP BY k, window_start, window_end ORDER BY 1"
    last = T + 20 * M + dt.timedelta(microseconds=1)
    assert answer(bench, text) == [(T, T + 20 * M, 3.0), (last, last + 10 * M, 4.0)]


def test_where_stands_behind_the_sessions(bench: lb.Bench) -> None:
    """A row that a condition leaves out still holds its session together."""
    write(bench, (T, 1.0), (T + 10 * M, -1.0), (T + 20 * M, 2.0))
    text = "SELECT window_start, sum(v) FROM SESSION(TABLE g PARTITION BY k, DESCRIPTOR(ts), INTERVAL 10 MINUTE) WHERE v > 0 GROUP BY k, window_start"
    assert answer(bench, text) == [(T, 3.0)]


def test_the_size_of_cumulate_is_a_multiple_of_its_step(bench: lb.Bench) -> None:
    write(bench, (T, 1.0))
    text = "SELECT window_end FROM CUMULATE(TABLE g, DESCRIPTOR(ts), INTERVAL 7 HOUR, INTERVAL 1 DAY) GROUP BY ALL"
    with pytest.raises(KadeQLBindError, match="not a multiple"):
        bench.kadeql(text)


def test_late_rows_are_never_dropped(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, (T + 5 * H, 1.0))
    bench.kadeql(f"INSERT INTO g VALUES (TIMESTAMP '{T}', 'a', 2.0), (TIMESTAMP '{T + 5 * H}', 'a', 4.0)")
    assert answer(bench, "SELECT ts, k, sum(v) FROM g SAMPLE BY 1h") == [(T, "a", 2.0), (T + 5 * H, "a", 5.0)]


def test_a_rate_is_not_extrapolated(bench: lb.Bench, plan: str) -> None:
    """A counter that begins anew counts from zero; the seconds are those between the samples."""
    del plan
    write(bench, (T, 10.0), (T + M, 40.0), (T + 2 * M, 5.0))
    assert answer(bench, "SELECT ts, rate(v, ts) FROM g SAMPLE BY 1h") == [(T, 35.0 / 120.0)]


def test_floats_beside_a_huge_one_keep_their_sums(bench: lb.Bench, plan: str) -> None:
    """What a prefix sum would lose: one group's 1e16 and infinity say nothing of another's."""
    del plan
    write(bench, (T, 1e16), (T + H, 1.0), (T + 2 * H, math.inf), (T + 3 * H, 0.25))
    assert [row[1] for row in answer(bench, "SELECT ts, sum(v) FROM g SAMPLE BY 1h")] == [
        1e16,
        1.0,
        math.inf,
        0.25,
    ]


def test_an_asof_join_takes_the_last_of_equal_times(bench: lb.Bench) -> None:
    write(bench, (T, 1.0), (T, 2.0), (T, 3.0))
    bench.write("l", {"at": [T + M]}, mode="replace")
    assert answer(bench, "SELECT l.at, g.v FROM l ASOF JOIN g ON l.at >= g.ts") == [(T + M, 3.0)]


def test_an_asof_join_sorts_its_sides(bench: lb.Bench) -> None:
    shuffled = pa.table({"ts": [T + 2 * H, T, T + H], "v": [2.0, 0.0, 1.0]})
    bench.write("r", shuffled, mode="replace")
    bench.write("l", {"at": [T + 90 * M, T + M, T + 3 * H]}, mode="replace")
    found = answer(bench, "SELECT l.at, r.v FROM l ASOF JOIN r ON l.at >= r.ts ORDER BY 1")
    assert [value for _, value in found] == [0.0, 1.0, 2.0]


def test_a_left_row_without_a_time_meets_nothing(bench: lb.Bench) -> None:
    write(bench, (T, 1.0), (None, 2.0))
    bench.write("l", pa.table({"at": pa.array([T, None], pa.timestamp("us"))}), mode="replace")
    found = answer(bench, "SELECT l.at, g.v FROM l ASOF LEFT JOIN g ON l.at >= g.ts ORDER BY 1 NULLS LAST")
    assert found == [(T, 1.0), (None, None)]


def test_lengths_are_written_in_four_ways(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, (T, 1.0), (T + H, 2.0))
    for size in ("2h", "'2h'", "INTERVAL '2' HOUR", "INTERVAL 2 HOUR"):
        assert answer(bench, f"SELECT ts, sum(v) FROM g SAMPLE BY {size}") == [(T, 3.0)]


def test_parameters_stand_for_constants(bench: lb.Bench, plan: str) -> None:
    del plan
    write(bench, (T, 1.0), (T + 2 * H, 2.0), (T + 3 * H, 9.0))
    text = "SELECT ts, sum(v) FROM g WHERE v < $most SAMPLE BY 1h FROM $from TO $to FILL($empty)"
    given = {"most": 9, "from": T, "to": T + 4 * H, "empty": -1.0}
    found = tuples(bench.kadeql(text, params=given, cache=False))
    assert found == [(T, 1.0), (T + H, -1.0), (T + 2 * H, 2.0), (T + 3 * H, -1.0)]


def test_a_parameter_decides_a_type(bench: lb.Bench) -> None:
    write(bench, (T, 1.0))
    text = "SELECT ts, sum($by) AS s FROM g SAMPLE BY 1h"
    whole = bench.kadeql(text, params={"by": 2}, cache=False).to_arrow()
    half = bench.kadeql(text, params={"by": 0.5}, cache=False).to_arrow()
    assert (whole.column("s").to_pylist(), half.column("s").to_pylist()) == ([2], [0.5])
