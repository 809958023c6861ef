"""WINDOW JOIN against looking at every pair of rows: kernels over ranges and pairs, and SQL over pairs."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from series_inputs import KEY_TYPES, fill, open_bench, table_of

import luma_bench as lb
from luma_bench.bench.series import sides as sides_module
from luma_bench.bench.series import window_answers as answers_module
from luma_bench.errors import KadeQLBindError
from luma_bench.models.control import Control
from luma_bench.models.series import pairs as pairs_module
from luma_bench.models.series import range_columns
from luma_bench.models.series.pairs import Pairs, earlier
from luma_bench.models.series.range_columns import Bounds, RangeColumn
from luma_bench.models.series.runs import Values
from luma_bench.models.series.whole import runs_of
from luma_bench.models.series.window_ranges import Ranges, ranges

SMALL = {"inline_bytes": 500, "shard_rows": 64, "chunk_rows": 16, "key_chunk_rows": 8}
FLOATS = st.lists(st.one_of(st.none(), st.sampled_from([math.nan, math.inf, -math.inf, 1e16, -1e16, 1.0, -0.5, 3.0])), min_size=1, max_size=40)  # fmt: skip
WHOLE = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(-9, 9), st.sampled_from([-(2**62), 2**62])
)
INTS = st.lists(WHOLE, min_size=1, max_size=40)


def close(one: float, other: float) -> bool:
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return one == other or math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-9 * max(1.0, abs(other)))


def bounds_of(rows: int, seed: int) -> Bounds:
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.integers(0, rows, 12))
    return Bounds(starts, np.array([rng.integers(start + 1, rows + 1) for start in starts]))


def values_of(given: list[Any], kind: Any) -> Values:
    valid = np.array([item is not None for item in given])
    data = np.array([0 if item is None else item for item in given], kind)
    return Values(data, None if valid.all() else valid)


@settings(max_examples=80, deadline=None)
@given(FLOATS, st.integers(0, 99), st.booleans())
def test_ranges_of_floats(given: list[Any], seed: int, wide: bool) -> None:
    bounds = bounds_of(len(given), seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(range_columns, "WIDE", 0 if wide else 10**9)
        column = RangeColumn(values_of(given, float), bounds)
        sums, means = column.sum(), column.mean()
        least, most = column.extreme(greatest=False), column.extreme(greatest=True)
    for at, (start, end) in enumerate(zip(bounds.starts.tolist(), bounds.ends.tolist(), strict=True)):
        held = [item for item in given[start:end] if item is not None]
        assert column.counts[at] == len(held)
        if not held:
            continue
        exact = _sum(held)
        if abs(exact) != math.inf and not math.isnan(exact) and 1e16 in map(abs, held):
            assert abs(sums[at] - exact) <= 64.0  # what 1e16 takes with it within the range, and nowhere else
        else:
            assert close(sums[at], exact)
            assert close(means[at], exact / len(held))
        numbers = [item for item in held if not math.isnan(item)]
        assert close(least[at], min(numbers) if numbers else math.nan)
        assert close(most[at], math.nan if len(numbers) < len(held) else max(held))


def _sum(held: list[float]) -> float:
    if any(math.isnan(item) for item in held) or {math.inf, -math.inf} <= set(held):
        return math.nan
    special = [item for item in held if math.isinf(item)]
    return special[0] if special else math.fsum(held)


@settings(max_examples=80, deadline=None)
@given(INTS, st.integers(0, 99), st.booleans())
def test_ranges_of_whole_numbers(given: list[Any], seed: int, wide: bool) -> None:
    bounds = bounds_of(len(given), seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(range_columns, "WIDE", 0 if wide else 10**9)
        column = RangeColumn(values_of(given, np.int64), bounds)
        sums, means = column.sum(), column.mean()
        least, most = column.extreme(greatest=False), column.extreme(greatest=True)
    for at, (start, end) in enumerate(zip(bounds.starts.tolist(), bounds.ends.tolist(), strict=True)):
        held = [item for item in given[start:end] if item is not None]
        if held:
            assert int(sums[at, 1]) * 2**64 + int(sums[at, 0].view(np.uint64)) == sum(held)
            assert math.isclose(means[at], sum(held) / len(held), rel_tol=4e-16)
            assert (least[at], most[at]) == (min(held), max(held))


def test_ranges_of_unsigned_numbers_and_flags() -> None:
    bounds = Bounds(np.array([0, 0, 1]), np.array([1, 3, 3]))
    huge = RangeColumn(Values(np.array([2**64 - 1, 2**64 - 1, 5], np.uint64)), bounds)
    assert [int(high) * 2**64 + int(low) % 2**64 for low, high in huge.sum().tolist()] == [2**64 - 1, 2**65 + 3, 2**64 + 4]  # fmt: skip
    flags = RangeColumn(Values(np.array([True, False, True])), bounds)
    assert flags.extreme(greatest=False).tolist() == [True, False, False]
    assert flags.sum()[:, 0].tolist() == [1, 2, 1]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(-9, 9)), max_size=20),
    st.lists(st.tuples(st.integers(0, 2), st.integers(-9, 9)), max_size=20),
    st.integers(-5, 8),
    st.integers(-5, 8),
)
def test_ranges_hold_the_rows_in_reach(left: list[Any], right: list[Any], before: int, behind: int) -> None:
    ours, theirs = (
        runs_of(
            np.array([code for code, _ in rows], np.int32), np.array([time for _, time in rows], np.int64)
        )
        for rows in (left, right)
    )
    pairs = Pairs(ours, theirs, Control())
    codes = np.repeat(ours.codes, np.diff(ours.offsets)).tolist()
    others = np.repeat(theirs.codes, np.diff(theirs.offsets)).tolist()
    seen = 0
    for block in pairs.blocks():
        found = ranges(pairs, block, before, behind)
        for part in found.cut(3):
            places = part.places().tolist()
            for row, size in enumerate(part.sizes.tolist()):
                own, places = places[:size], places[size:]
                code, time = codes[part.first + row], int(ours.time[part.first + row])
                wanted = [
                    at
                    for at, (other, there) in enumerate(zip(others, theirs.time.tolist(), strict=True))
                    if other == code and time - before <= there <= time + behind
                ]
                assert own == wanted
                seen += 1
    assert seen in (0, len(left))


def test_times_stop_at_the_ends_of_what_there_is() -> None:
    ends = np.array([-(2**63), 0, 2**63 - 1])
    assert earlier(ends, 5).tolist() == [-(2**63), -5, 2**63 - 6]
    assert earlier(ends, -5).tolist() == [-(2**63) + 5, 5, 2**63 - 1]
    assert earlier(ends, 2**70).tolist() == [-(2**63), -(2**63) + 1, 0]
    assert Ranges(0, np.array([3]), np.array([9])).pairs == 9


AGGREGATES = {
    "count(*)": lambda rows: len(rows),
    "count(r.x)": lambda rows: len(_held(rows)),
    "sum(r.m)": lambda rows: sum(_of(rows, "m")) if rows else None,
    "avg(r.m)": lambda rows: sum(_of(rows, "m")) / len(rows) if rows else None,
    "sum(r.x)": lambda rows: _sum(_held(rows)) if _held(rows) else None,
    "avg(r.x)": lambda rows: _sum(_held(rows)) / len(_held(rows)) if _held(rows) else None,
    "min(r.x)": lambda rows: _least(_held(rows)),
    "max(r.x)": lambda rows: _most(_held(rows)),
    "max(r.ts)": lambda rows: max((row["ts"] for row in rows), default=None),
    "first(r.m)": lambda rows: rows[0]["m"] if rows else None,
    "last(r.s)": lambda rows: rows[-1]["s"] if rows else None,
    "stddev_pop(r.m)": lambda rows: float(np.std(_of(rows, "m"))) if rows else None,
    "median(r.m)": lambda rows: float(np.median(_of(rows, "m"))) if rows else None,
    "count(DISTINCT r.s)": lambda rows: len({row["s"] for row in rows} - {None}),
    "sum(r.m * 2)": lambda rows: 2 * sum(_of(rows, "m")) if rows else None,
    "count(*) FILTER (r.m > 20)": lambda rows: sum(row["m"] > 20 for row in rows),
}
PLAIN = list(AGGREGATES)[:8]


def _of(rows: list[Any], name: str) -> list[Any]:
    return [row[name] for row in rows]


def _held(rows: list[Any]) -> list[float]:
    return [row["x"] for row in rows if row["x"] is not None]


def _least(held: list[float]) -> float | None:
    numbers = [item for item in held if not math.isnan(item)]
    return min(numbers) if numbers else math.nan if held else None


def _most(held: list[float]) -> float | None:
    return None if not held else math.nan if any(map(math.isnan, held)) else max(held)


@pytest.mark.parametrize("seed", range(10))
def test_statements_answer_as_every_pair_does(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    kinds = rng.sample(KEY_TYPES[:5], rng.randrange(0, 3))
    keys = [f"k{at}" for at in range(len(kinds))]
    if seed % 2:
        monkeypatch.setattr(sides_module, "_SMALL", 0)
    if seed % 4 > 1:
        monkeypatch.setattr(pairs_module, "BLOCK", 5)
    if seed % 3 == 0:
        monkeypatch.setattr(range_columns, "WIDE", 1)
        monkeypatch.setattr(answers_module, "WIDE", 1)
        monkeypatch.setattr(answers_module, "_STRETCH", 8)
    if seed % 3 == 1:
        monkeypatch.setattr(answers_module, "PAIRS", 7)
        monkeypatch.setattr(answers_module, "_SPARSE", 0)
    with open_bench(tmp_path / "b.luma", **SMALL) as bench:
        for name in ("l", "r"):
            layout = {"time_column": "ts", "series_key": keys} if rng.random() < 0.4 and keys else {}
            tables = []
            for first in (0, 60):
                table = table_of(rng, rng.randrange(0, 60), first, kinds, ordered=rng.random() < 0.5, nulls=0.1, unit="us")  # fmt: skip
                m = pa.array([rng.randrange(-50, 50) for _ in range(table.num_rows)], pa.int64())
                words = pa.array([rng.choice(["u", "v", None]) for _ in range(table.num_rows)], pa.string())
                tables.append(table.append_column("m", m).append_column("s", words))
            fill(bench, name, tables, **layout)
            if rng.random() < 0.4:
                bench.kadeql(f"DELETE FROM {name} WHERE n % 6 = 1")
        left, right = (bench.kadeql(f"SELECT * FROM {name}").to_arrow() for name in ("l", "r"))
        ticks = [table["ts"].cast(pa.int64()).to_pylist() for table in (left, right)]
        rows = [
            [row | {"ticks": tick} for row, tick in zip(table.to_pylist(), times, strict=True)]
            for table, times in zip((left, right), ticks, strict=True)
        ]
        for turn in range(4):
            chosen = PLAIN if turn == 0 else rng.sample(list(AGGREGATES), 4)
            before, behind = rng.choice([(5, 0), (0, 0), (40, 40), (-2, 30), (400, -3)])
            items = ", ".join(f'{call} AS "a{at}"' for at, call in enumerate(chosen))
            on = "" if not keys else " ON " + " AND ".join(f"l.{key} = r.{key}" for key in keys)
            text = (
                f"SELECT l.n, {items} FROM l WINDOW JOIN r{on} "
                f"RANGE BETWEEN {_bound(before, 'PRECEDING', 'FOLLOWING')} AND {_bound(behind, 'FOLLOWING', 'PRECEDING')} "
                "USING TIME (l.ts, r.ts)"
            )
            if not keys:
                text = text.replace("JOIN r ", "JOIN r AS r ")
            bench._machinery.statements.runner.binder.series.plan = rng.choice(["auto", "auto", "sql"])
            got = bench.kadeql(text, cache=False).to_arrow()
            assert got["n"].to_pylist() == [row["n"] for row in rows[0]]
            for at, call in enumerate(chosen):
                wanted = [AGGREGATES[call](_window(row, rows[1], keys, before, behind)) for row in rows[0]]
                for one, other in zip(got[f"a{at}"].to_pylist(), wanted, strict=True):
                    same = (
                        one == other
                        if not isinstance(other, float)
                        else one is not None and close(float(one), other)
                    )
                    assert same, (text, call, one, other)


def _bound(reach: int, own: str, other: str) -> str:
    return f"INTERVAL '{abs(reach)}' MICROSECONDS {own if reach >= 0 else other}"


def _window(row: Any, right: list[Any], keys: list[str], before: int, behind: int) -> list[Any]:
    if row["ticks"] is None or any(row[key] is None for key in keys):
        return []
    held = [
        other
        for other in right
        if other["ticks"] is not None
        and all(other[key] == row[key] for key in keys)
        and row["ticks"] - before <= other["ticks"] <= row["ticks"] + behind
    ]
    return sorted(held, key=lambda other: other["ticks"])


@pytest.fixture
def ticks(tmp_path: Path) -> Any:
    with open_bench(tmp_path / "b.luma") as bench:
        times = pa.timestamp("us")
        bench.write("t", pa.table({"sym": ["a", "b", "a", None], "ts": pa.array([3, 1, 5, 2], times), "px": [1, 2, 3, 4]}))  # fmt: skip
        bench.write("q", pa.table({"sym": ["a", "a", "b", "a"], "ts": pa.array([1, 3, 1, 3], times), "bid": [1.5, None, 3, 4]}))  # fmt: skip
        yield bench


JOIN = "FROM t WINDOW JOIN q ON t.sym = q.sym RANGE BETWEEN '2us' PRECEDING AND CURRENT ROW"


def test_left_columns_stand_beside_the_aggregates(ticks: lb.Bench) -> None:
    table = ticks.kadeql(f"SELECT *, count(q.bid) AS c {JOIN}").to_arrow()
    assert table.column_names == ["sym", "ts", "px", "c"]
    assert table["px"].to_pylist() == [1, 2, 3, 4]
    assert table["c"].to_pylist() == [2, 1, 1, 0]
    assert table.schema.field("c").type == pa.int64()
    assert ticks.kadeql(f"SELECT px {JOIN.replace('t WINDOW', 't WINDOW')} WHERE avg(q.bid) IS NULL").to_arrow()["px"].to_pylist() == [4]  # fmt: skip


def test_aggregates_are_of_sql_types(ticks: lb.Bench) -> None:
    text = (
        f"SELECT sum(q.bid), avg(q.bid), min(q.ts), last(q.sym), string_agg(q.sym, '+') {JOIN} WHERE px = 1"
    )
    table = ticks.kadeql(text).to_arrow()
    assert table.to_pylist()[0] == dict(zip(table.column_names, [5.5, 2.75, table.column(2)[0].as_py(), "a", "a+a+a"], strict=True))  # fmt: skip
    assert str(table.schema.field(2).type) == "timestamp[us]"


def test_explain_says_what_ran(ticks: lb.Bench) -> None:
    text = str(ticks.kadeql(f"EXPLAIN ANALYZE SELECT avg(q.bid) {JOIN}").to_arrow().to_pydict())
    assert "window join by sorted runs: kernels" in text
    assert "6 pairs of rows" in text
    text = str(ticks.kadeql(f"EXPLAIN ANALYZE SELECT mode(q.bid) {JOIN}").to_arrow().to_pydict())
    assert "sql over pairs: mode(q.bid) has no kernel" in text


def test_what_does_not_go_together_is_told_where_it_stands(ticks: lb.Bench) -> None:
    for text, said in (
        (f"SELECT sum(q.sym) {JOIN}", "sum"),
        (f"SELECT count(q.bid) {JOIN.replace('2us', '1 month')}", "has months"),
        (
            f"SELECT count(q.bid) {JOIN.replace('CURRENT ROW', chr(39) + '3us' + chr(39) + ' PRECEDING')}",
            "ends before",
        ),
        (f"SELECT count(q.bid) {JOIN} USING TIME (t.px, q.ts)", "length of time"),
        (f"SELECT count(q.bid) {JOIN.replace('t.sym', 't.px')}", "do not compare"),
    ):
        with pytest.raises(KadeQLBindError, match=said) as told:
            ticks.kadeql(text)
        assert told.value.span is not None
