"""Grouped windows: sorted runs, SQL and plain Python give the same groups of any series."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from grouped_worlds import (
    AGGREGATES,
    Row,
    aggregated,
    comparable,
    cumulate,
    grouped,
    hop,
    moment,
    planned,
    rows,
    sessions,
    table,
    tumble,
    tuples,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import luma_bench as lb

SETTINGS = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
PLANS = ("runs", "sql")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("grouped") / "b.luma") as opened:
        yield opened


def stored(bench: lb.Bench, held: list[Row], parts: int = 1, **options: Any) -> None:
    """The rows as a table t of so many unmerged segments."""
    whole = table(held)
    layout = {"time_column": "ts", "series_key": "k"} | options
    bench.write("t", whole.slice(0, len(held) // parts), mode="replace", **layout)
    for part in range(1, parts):
        first, last = len(held) * part // parts, len(held) * (part + 1) // parts
        if last > first:
            bench.write("t", whole.slice(first, last - first), mode="append")


def expected(groups: dict[tuple[int, int, str | None], list[Row]]) -> list[tuple[Any, ...]]:
    return comparable(
        (moment(start), moment(end), key, *aggregated(held)) for (start, end, key), held in groups.items()
    )


def found(bench: lb.Bench, text: str, plan: str) -> list[tuple[Any, ...]]:
    with planned(bench, plan):
        return comparable(tuples(bench.kadeql(text, cache=False)))


@SETTINGS
@given(held=rows(), parts=st.integers(1, 3), size=st.sampled_from([1, 7, 30, 60, 90]))
@example(held=[], parts=1, size=60)
def test_tumbling_groups(bench: lb.Bench, held: list[Row], parts: int, size: int) -> None:
    stored(bench, held, parts)
    text = (
        f"SELECT window_start, window_end, k, {AGGREGATES} "
        f"FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL {size} MINUTE) GROUP BY ALL"
    )
    answer = expected(grouped(held, tumble(size)))
    for plan in PLANS:
        assert found(bench, text, plan) == answer


@SETTINGS
@given(
    held=rows(),
    parts=st.integers(1, 2),
    sizes=st.sampled_from([(5, 15), (20, 60), (60, 120), (30, 45), (40, 20)]),
)
def test_hopping_groups(bench: lb.Bench, held: list[Row], parts: int, sizes: tuple[int, int]) -> None:
    stored(bench, held, parts)
    slide, size = sizes
    text = (
        f"SELECT window_start, window_end, k, {AGGREGATES} "
        f"FROM HOP(TABLE t, DESCRIPTOR(ts), INTERVAL {slide} MINUTE, INTERVAL {size} MINUTE) GROUP BY ALL"
    )
    answer = expected(grouped(held, hop(slide, size)))
    for plan in PLANS:
        assert found(bench, text, plan) == answer


@SETTINGS
@given(held=rows(), parts=st.integers(1, 2), sizes=st.sampled_from([(10, 60), (15, 30), (60, 60)]))
def test_cumulating_groups(bench: lb.Bench, held: list[Row], parts: int, sizes: tuple[int, int]) -> None:
    stored(bench, held, parts)
    step, size = sizes
    text = (
        f"SELECT window_start, window_end, k, {AGGREGATES} "
        f"FROM CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL {step} MINUTE, INTERVAL {size} MINUTE) GROUP BY ALL"
    )
    answer = expected(grouped(held, cumulate(step, size)))
    for plan in PLANS:
        assert found(bench, text, plan) == answer


@SETTINGS
@given(held=rows(), parts=st.integers(1, 3), gap=st.integers(0, 40))
def test_groups_of_sessions(bench: lb.Bench, held: list[Row], parts: int, gap: int) -> None:
    stored(bench, held, parts)
    text = (
        f"SELECT window_start, window_end, k, {AGGREGATES} "
        f"FROM SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL {gap} MINUTE) GROUP BY ALL"
    )
    answer = expected(sessions(held, gap))
    for plan in PLANS:
        assert found(bench, text, plan) == answer


@SETTINGS
@given(held=rows(), parts=st.integers(1, 2), size=st.sampled_from([15, 60]), low=st.integers(-60, 60))
def test_sampled_rows_come_by_bucket_and_key(
    bench: lb.Bench, held: list[Row], parts: int, size: int, low: int
) -> None:
    stored(bench, held, parts)
    kept = [row for row in held if row.at is not None and row.at >= low and row.x is not None]
    groups = grouped(kept, tumble(size))
    answer = [
        (moment(start), key, len(one))
        for (start, _, key), one in sorted(
            groups.items(), key=lambda item: (item[0][0], item[0][2] is None, item[0][2] or "")
        )
    ]
    text = f"SELECT ts, k, count(*) FROM t WHERE ts >= TIMESTAMP '{moment(low)}' AND x IS NOT NULL SAMPLE BY {size}m"
    for plan in PLANS:
        with planned(bench, plan):
            assert tuples(bench.kadeql(text, cache=False)) == answer


@SETTINGS
@given(held=rows(late=False))
def test_groups_of_fewer_and_of_more_keys_than_the_series(bench: lb.Bench, held: list[Row]) -> None:
    stored(bench, held)
    by_time = grouped([Row(row.at, None, row.x, row.i) for row in held], tumble(60))
    fewer = f"SELECT ts, {AGGREGATES} FROM t SAMPLE BY 1h"
    answer = comparable((moment(start), *aggregated(one)) for (start, _, _), one in by_time.items())
    more = "SELECT ts, k, i, count(*) FROM t SAMPLE BY 1h"
    counted: dict[tuple[Any, ...], int] = {}
    for row in held:
        if row.at is not None:
            key = (moment(row.at // 60 * 60), row.key, row.i)
            counted[key] = counted.get(key, 0) + 1
    wider = comparable((*key, count) for key, count in counted.items())
    for plan in PLANS:
        assert found(bench, fewer, plan) == answer
        assert found(bench, more, plan) == wider


@SETTINGS
@given(held=rows(), parts=st.integers(1, 3))
def test_aggregates_in_the_order_of_time(bench: lb.Bench, held: list[Row], parts: int) -> None:
    """Each moment once a series: what equal times give is the kernel's own test."""
    seen: set[tuple[Any, ...]] = set()
    once = [row for row in held if (row.key, row.at) not in seen and not seen.add((row.key, row.at))]
    stored(bench, once, parts)
    text = "SELECT ts, k, first(i, ts), last(i, ts), first(i), last(k), rate(x, ts), delta(x, ts) FROM t SAMPLE BY 1h"
    answers = [found(bench, text, plan) for plan in PLANS]
    assert answers[0] == answers[1]
    for row in answers[0]:
        inside = [
            one
            for one in once
            if one.at is not None and one.key == row[1] and moment(one.at // 60 * 60) == row[0]
        ]
        ordered = sorted(inside, key=lambda one: one.at or 0)
        known = [one.i for one in ordered if one.i is not None]
        assert row[2:6] == (
            known[0] if known else None,
            known[-1] if known else None,
            ordered[0].i,
            ordered[-1].key,
        )


CALLS = (
    "increase(x, ts)", "delta(x, ts)", "rate(x, ts)", "derivative(x, ts)", "integral(x, ts)", "time_weight(x, ts)",
    "time_weight(x, ts, window_end)", "twap(x, ts)", "vwap(x, i)", "ohlc(x, ts)", "dd_quantile(x, 0.9)",
    "dd_quantile(x, 0.5, 0.05)", "stddev(x)", "variance(x)", "stddev_pop(x)", "var_pop(i)", "arg_min(x, i)",
    "prom_rate(x, ts, window_start, window_end)", "prom_increase(x, ts, window_start, window_end)",
    "arg_max(x, i)", "min_by(x, ts)", "max_by(k, ts)", "first(k, ts)", "last(i, ts)", "mean(x)", "min(ts)", "max(ts)",
)  # fmt: skip


@pytest.fixture(scope="module")
def regular(bench: lb.Bench) -> str:
    """A table of three series without equal times."""
    held = [
        Row(
            at * 7 + len(key),
            key,
            None if at % 11 == 3 else float(at * 5 % 13),
            None if at % 7 == 2 else at * 3 % 8,
        )
        for key in ("a", "bb", "ccc")
        for at in range(-10, 60)
    ]
    bench.write("regular", table(held), time_column="ts", series_key="k")
    return "regular"


@pytest.mark.parametrize("call", CALLS)
def test_functions_of_series_agree(bench: lb.Bench, regular: str, call: str) -> None:
    text = f"SELECT window_start, k, {call} AS v FROM TUMBLE(TABLE {regular}, DESCRIPTOR(ts), INTERVAL 1 HOUR) GROUP BY ALL"
    answers: list[pa.Table] = []
    for plan in PLANS:
        with planned(bench, plan):
            answers.append(bench.kadeql(f"{text} ORDER BY 1, 2", cache=False).to_arrow())
    assert answers[0].schema == answers[1].schema
    runs, sql = ([_rounded(row["v"]) for row in one.to_pylist()] for one in answers)
    assert runs == sql
    assert len(runs) > 20
    assert sum(value is not None for value in runs) > 20


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    return float(f"{value:.10g}") if isinstance(value, float) else value


def test_types_are_those_of_sql(bench: lb.Bench) -> None:
    held = pa.table(
        {
            "ts": pa.array([0, 1, 2], pa.timestamp("ms", "Europe/Berlin")),
            "d": pa.array([1, 2, None], pa.decimal128(10, 2)),
            "f": pa.array([1.5, 2.5, None], pa.float32()),
            "n": pa.array([1, 2, 3], pa.int8()),
            "u": pa.array([1, 2, 3], pa.uint64()),
            "b": pa.array([True, False, None]),
            "day": pa.array([1, 2, 3], pa.date32()),
            "s": pa.array(["x", None, "y"], pa.large_string()),
            "k": pa.array(["p", "p", "q"]).dictionary_encode(),
        }
    )
    bench.write("kinds", held, mode="replace", time_column="ts", series_key="k")
    columns = "sum(d), min(d), sum(f), avg(f), max(f), sum(n), min(n), sum(u), max(u), min(b), max(day), count(s), first(s), avg(n)"
    text = f"SELECT ts, k, {columns} FROM kinds SAMPLE BY 1s"
    with planned(bench, "sql"):
        by_sql = bench.kadeql(text, cache=False)
    with planned(bench, "runs"):
        by_runs = bench.kadeql(text, cache=False)
    assert by_runs.to_arrow().schema == by_sql.to_arrow().schema
    assert by_runs.to_arrow().to_pylist() == by_sql.to_arrow().to_pylist()
    outer = "SELECT typeof(a), typeof(k) FROM (SELECT ts, k, sum(n) AS a FROM kinds SAMPLE BY 1s) LIMIT 1"
    assert tuples(bench.kadeql(outer)) == [("HUGEINT", "VARCHAR")]


@pytest.fixture(scope="module")
def every_key(bench: lb.Bench) -> str:
    """A table whose columns tell series by values of many types, an enum in an order of its own among them."""
    bench.kadeql(
        "CREATE TABLE every (ts TIMESTAMP, u UUID, e ENUM('z', 'a', 'it''s'), d DECIMAL(9, 2), h HUGEINT, f DOUBLE, "
        "b BOOLEAN, j JSON, day DATE, t TIME, x DOUBLE)"
    )
    bench.kadeql(
        "INSERT INTO every SELECT TIMESTAMP '2024-01-01' + INTERVAL 20 MINUTE * i, "
        "(if(i % 3 = 0, '0', 'f') || '0000000-0000-0000-0000-000000000001')::UUID, ['z', 'a', 'it''s', NULL][1 + i % 4], "
        "(i % 5) / 2, i % 3 - 1, ['nan'::DOUBLE, -0.0, 0.0, NULL][1 + i % 4], i % 2 = 0, '{}', "
        "DATE '2024-01-01' + (i % 2)::INT, TIME '10:00' + INTERVAL 1 SECOND * (i % 3), i FROM range(30) t(i)"
    )
    return "every"


@pytest.mark.parametrize("key", ["u", "e", "d", "h", "f", "b", "j", "day", "t", "u, e"])
def test_keys_of_many_types(bench: lb.Bench, every_key: str, key: str) -> None:
    first = key.split(",")[0]
    texts = (
        f"SELECT ts, {key}, sum(x), first(u, ts), last(e, ts) FROM {every_key} SAMPLE BY 1h",
        f"SELECT ts, {key}, sum(x), max(d), first(u, ts) FROM {every_key} SAMPLE BY 1h FILL(PREV)",
        f"SELECT {key}, ts, c FROM (SELECT ts, {key}, count(*) c FROM {every_key} SAMPLE BY 1h) WHERE {first} IS NOT NULL",
    )
    for text in texts:
        answers: list[pa.Table] = []
        for plan in PLANS:
            with planned(bench, plan):
                answers.append(bench.kadeql(text, cache=False).to_arrow())
        assert answers[0].schema == answers[1].schema
        assert repr(answers[0].to_pylist()) == repr(answers[1].to_pylist())
        assert answers[0].num_rows > 5


@pytest.mark.parametrize("plan", PLANS)
def test_the_callers_own_relation_and_views(bench: lb.Bench, plan: str, tmp_path: Path) -> None:
    del tmp_path
    held = [Row(at, key, float(at), at) for key in "ab" for at in (0, 10, 70)]
    stored(bench, held)
    bench.kadeql("CREATE OR REPLACE VIEW seen AS SELECT ts, k, x * 2 AS x FROM t WHERE k = 'a'")
    with planned(bench, plan):
        own = bench.kadeql("SELECT ts, k, sum(x) FROM mine SAMPLE BY 1h", tables={"mine": table(held)})
        view = bench.kadeql("SELECT ts, k, sum(x) FROM seen SAMPLE BY 1h")
    assert tuples(own) == [
        (moment(0), "a", 10.0),
        (moment(0), "b", 10.0),
        (moment(60), "a", 70.0),
        (moment(60), "b", 70.0),
    ]
    assert tuples(view) == [(moment(0), "a", 20.0), (moment(60), "a", 140.0)]


def test_rows_of_a_transaction_and_deleted_ones(bench: lb.Bench) -> None:
    stored(bench, [Row(at, "a", 1.0, at) for at in range(0, 120, 10)])
    bench.kadeql("DELETE FROM t WHERE i = 30")
    text = "SELECT ts, k, count(*) FROM t SAMPLE BY 1h"
    for plan in PLANS:
        with planned(bench, plan), bench.transaction() as inside:
            inside.kadeql("INSERT INTO t VALUES (TIMESTAMP '1970-01-01 01:30', 'b', 1.0, 0)")
            assert tuples(inside.kadeql(text)) == [
                (moment(0), "a", 5),
                (moment(60), "a", 6),
                (moment(60), "b", 1),
            ]
            inside.rollback()
        assert found(bench, text, plan) == comparable([(moment(0), "a", 5), (moment(60), "a", 6)])
