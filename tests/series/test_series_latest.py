"""LATEST ON against looking at every row: by the ends of runs in the index, and in one pass over the rows."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from series_inputs import KEY_TYPES, fill, open_bench, table_of

import luma_bench as lb
from luma_bench.bench.series import latest as latest_module
from luma_bench.errors import KadeQLBindError
from luma_bench.models.series.latest import Newest

SMALL = {"inline_bytes": 500, "shard_rows": 64, "chunk_rows": 16, "key_chunk_rows": 8}


def newest(bench: lb.Bench, name: str, keys: list[str], keep: Any = lambda row: True) -> set[int]:
    """The n of the newest row of each series, by looking at every row in stored order."""
    table = bench.kadeql(f"SELECT * FROM {name}").to_arrow()
    ticks = table["ts"].cast(pa.int64()).to_pylist()
    best: dict[str, tuple[int, int]] = {}
    for row, time in zip(table.drop_columns(["ts"]).to_pylist(), ticks, strict=True):
        if time is None or not keep(row):
            continue
        key = repr([row[key] for key in keys])
        if key not in best or time >= best[key][0]:
            best[key] = (time, row["n"])
    return {n for _, n in best.values()}


def found(bench: lb.Bench, text: str) -> list[int]:
    return sorted(bench.kadeql(text, cache=False).to_arrow()["n"].to_pylist())


@pytest.mark.parametrize("seed", range(8))
def test_statements_answer_as_every_row_does(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    if seed % 2:
        monkeypatch.setattr(latest_module, "_HELD_ROWS", 4)
    kinds = rng.sample(KEY_TYPES, rng.randrange(1, 4))
    keys = [f"k{at}" for at in range(len(kinds))]
    unit = rng.choice(["s", "us", "ns"])
    with open_bench(tmp_path / "b.luma", **SMALL) as bench:
        layout = {"time_column": "ts", "series_key": keys} if rng.random() < 0.4 else {}
        tables = [
            table_of(
                rng, rng.randrange(1, 90), first, kinds, ordered=rng.random() < 0.5, nulls=0.1, unit=unit
            )
            for first in (0, 100, 200)
        ]
        fill(bench, "t", tables, **layout)
        by = ", ".join(keys)
        for deleted in (False, True):
            if deleted:
                bench.kadeql("DELETE FROM t WHERE n % 5 = 3")
            whole = newest(bench, "t", keys)
            assert found(bench, f"SELECT * FROM t LATEST ON ts PARTITION BY {by}") == sorted(whole)
            some = newest(bench, "t", keys, lambda row: row["n"] % 3 == 0)
            assert found(bench, f"SELECT n FROM t WHERE n % 3 = 0 LATEST ON ts PARTITION BY {by}") == sorted(
                some
            )
            low = newest(bench, "t", keys, lambda row: row["n"] < 120)
            assert found(bench, f"SELECT n FROM t WHERE n < 120 LATEST ON ts PARTITION BY {by}") == sorted(
                low
            )
            derived = f"SELECT n FROM (SELECT * FROM t ORDER BY n) LATEST ON ts PARTITION BY {by}"
            assert len(found(bench, derived)) == len(whole)
            (count,) = bench.kadeql(f"SELECT count(*) AS c FROM t LATEST ON ts PARTITION BY {by}").to_arrow()[
                "c"
            ]
            assert count.as_py() == len(whole)


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    with open_bench(tmp_path / "b.luma") as bench:
        times = pa.array([3, 1, 3, None, 2, 3], pa.timestamp("us"))
        names = pa.array(["a", "b", "a", "c", None, "b"])
        bench.write("t", pa.table({"k": names, "ts": times, "n": [0, 1, 2, 3, 4, 5], "d": pa.array([1, 2, 3, 4, 5, 6], pa.date32())}))  # fmt: skip
        yield bench


def test_ties_take_the_last_row_and_null_is_a_series(bench: lb.Bench) -> None:
    assert found(bench, "SELECT * FROM t LATEST ON ts PARTITION BY k") == [2, 4, 5]
    table = bench.kadeql("SELECT * FROM t LATEST ON ts PARTITION BY k ORDER BY n").to_arrow()
    assert table.column_names == ["k", "ts", "n", "d"]
    assert table["k"].to_pylist() == ["a", None, "b"]


def test_conditions_about_keys_reach_the_input(bench: lb.Bench) -> None:
    text = "SELECT n FROM (SELECT * FROM t LATEST ON ts PARTITION BY k) WHERE k = 'b'"
    assert found(bench, text) == [5]
    said = str(bench.kadeql("EXPLAIN ANALYZE " + text).to_arrow().to_pydict())
    assert "1 series, by the ends of their runs" in said
    outer = "SELECT n FROM (SELECT * FROM t LATEST ON ts PARTITION BY k) WHERE n < 3 OR k IS NULL"
    assert found(bench, outer) == [2, 4]


def test_it_is_a_relation_like_any_other(bench: lb.Bench) -> None:
    text = (
        "SELECT t.n FROM t JOIN (SELECT k, n FROM t LATEST ON ts PARTITION BY k) l ON t.k = l.k AND t.n < l.n"
    )
    assert found(bench, text) == [0, 1]
    assert found(bench, "SELECT max(n) AS n FROM t LATEST ON d PARTITION BY k") == [5]
    assert found(bench, "SELECT sum(n) AS n FROM t LATEST ON ts PARTITION BY k, d") == [12]


def test_no_rows_have_no_newest(bench: lb.Bench) -> None:
    assert found(bench, "SELECT n FROM t WHERE n > 9 LATEST ON ts PARTITION BY k") == []
    assert found(bench, "SELECT n FROM t WHERE ts IS NULL LATEST ON ts PARTITION BY k") == []


def test_a_number_is_no_time(bench: lb.Bench) -> None:
    with pytest.raises(KadeQLBindError, match="no time") as told:
        bench.kadeql("SELECT * FROM t LATEST ON n PARTITION BY k")
    assert told.value.span is not None


def test_many_series(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows, series = 400_000, 100_000
    keys, times = rng.integers(0, series, rows), rng.integers(0, 1_000, rows)
    with open_bench(tmp_path / "b.luma") as bench:
        columns = {
            "k": pa.array(keys),
            "ts": pa.array(times).cast(pa.timestamp("us")),
            "n": pa.array(np.arange(rows)),
        }
        bench.write("t", pa.table(columns))
        got = bench.kadeql("SELECT n FROM t LATEST ON ts PARTITION BY k").to_arrow()["n"].to_numpy()
    order = np.lexsort((np.arange(rows), times, keys))
    last = np.append(keys[order][1:] != keys[order][:-1], True)
    assert np.array_equal(np.sort(got), np.sort(order[last]))


def test_what_is_known_of_earlier_chunks_is_gone_on_from(tmp_path: Path) -> None:
    """Commits, the tail, other columns, and deleted rows in between: each answer is that of all rows."""
    rng = random.Random(4)
    kinds = KEY_TYPES[:2]
    with open_bench(tmp_path / "b.luma", **SMALL) as bench:
        for turn in range(12):
            rows = rng.choice([1, 3, 70])
            bench.write("t", table_of(rng, rows, turn * 100, kinds, ordered=False, nulls=0.2, unit="us"), "append" if turn else "create")  # fmt: skip
            if turn == 9:
                bench.kadeql("DELETE FROM t WHERE n % 11 = 5")
            wanted = sorted(newest(bench, "t", ["k0", "k1"]))
            for _ in range(2):
                assert found(bench, "SELECT n, x FROM t LATEST ON ts PARTITION BY k0, k1") == wanted
            assert found(bench, "SELECT * FROM t LATEST ON ts PARTITION BY k0, k1") == wanted
        bench.kadeql("ALTER TABLE t RENAME COLUMN x TO y")
        assert found(bench, "SELECT n, y FROM t LATEST ON ts PARTITION BY k0, k1") == wanted
        early = bench.kadeql("SELECT n FROM t LATEST ON ts PARTITION BY k0, k1", at=3, cache=False).to_arrow()
        assert set(early["n"].to_pylist()) <= set(range(200))


def test_what_is_held_is_settled() -> None:
    newest_rows = Newest()
    newest_rows.add(0, np.array([2, 0], np.int32), np.array([5, -(2**63)]), np.array([7, 8]))
    newest_rows.add(1, np.array([2, 5000], np.int32), np.array([5, 1]), np.array([1, 2]))
    assert [part.tolist() for part in newest_rows.found()] == [[0, 1, 1], [8, 1, 2]]
    newest_rows.settle()
    newest_rows.add(1, np.array([0, 2], np.int32), np.array([-5, 4]), np.array([3, 4]))
    assert [part.tolist() for part in newest_rows.found()] == [[1, 0, 0], [3, 1, 2]]
    newest_rows.add(2, np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64))
    assert len(newest_rows.found()[0]) == 3
