"""The rows of an input as runs: against looking at every row, over layouts, key types, conditions and deletions."""

from __future__ import annotations

import datetime as dt
import math
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from series_inputs import KEY_TYPES, NOBODY, asked_of, constant, fill, open_bench, read, rows_of, table_of

import luma_bench as lb
from luma_bench.bench.series.asked import Kept
from luma_bench.bench.series.constants import length, moment, value
from luma_bench.errors import CancelledError, KadeQLBindError, KadeQLError
from luma_bench.language.series.pattern import Name
from luma_bench.models.control import Control
from luma_bench.models.series.length import Length
from luma_bench.types.predicate import Comparison, In, IsNull

SMALL = {"inline_bytes": 500, "shard_rows": 64, "chunk_rows": 16, "key_chunk_rows": 8}


def expected(table: pa.Table, keys: tuple[str, ...], keep=lambda row: True):
    """The rows with a time as (keys…, time, n), and how many have none."""
    rows = [row for row in table.to_pylist() if keep(row)]
    ticks = dict(zip(table["n"].to_pylist(), table["ts"].cast(pa.int64()).to_pylist(), strict=True))
    timed = [
        (*(row[key] for key in keys), ticks[row["n"]], row["n"]) for row in rows if row["ts"] is not None
    ]
    return timed, len(rows) - len(timed)


def same(found, wanted) -> bool:
    return sorted(map(repr, found)) == sorted(map(repr, wanted))


@pytest.mark.parametrize("seed", range(12))
def test_parts_hold_every_row_once_in_order(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    kinds = rng.sample(KEY_TYPES, rng.choice([0, 1, 1, 2, 3]))
    keys = tuple(f"k{i}" for i in range(len(kinds)))
    unit = rng.choice(["us", "s", "ms", "ns"])
    ordered, nulls = rng.random() < 0.5, rng.choice([0, 0, 0.2])
    with open_bench(tmp_path / "b", **SMALL) as bench:
        sizes = [rng.choice([0, 1, 5, 40, 150]) for _ in range(rng.choice([1, 2, 4]))]
        tables, first = [], 0
        for size in sizes:
            tables.append(table_of(rng, size, first, kinds, ordered=ordered, nulls=nulls, unit=unit))
            first += size
        layout = {"time_column": "ts", "series_key": keys} if rng.random() < 0.4 and not nulls else {}
        table = fill(bench, "t", tables, **layout)
        kept = Kept()
        for _ in range(2):  # from the disk, and from the index
            found, without = read(rows_of(asked_of(bench, kept), "t"), keys)
            assert same(found, expected(table, keys)[0])
            assert without == expected(table, keys)[1]
        bench.kadeql("DELETE FROM t WHERE n % 3 = 1")
        live = expected(table, keys, lambda row: row["n"] % 3 != 1)
        found, without = read(rows_of(asked_of(bench, kept), "t"), keys)
        assert same(found, live[0])
        assert without == live[1]


CONDITIONS = {
    "k0 = 'a'": lambda row: row["k0"] == "a",
    "k0 IN ('a', 'b') AND ts >= '1970-01-01 00:00:30'": lambda row: (
        row["k0"] in ("a", "b") and tick(row) >= 30
    ),
    "ts < '1970-01-01 00:01:00'": lambda row: tick(row) < 60,
    "ts BETWEEN '1970-01-01 00:00:10' AND '1970-01-01 00:00:20'": lambda row: 10 <= tick(row) <= 20,
    "ts > '1970-01-01 00:02:00' OR ts IS NULL": lambda row: row["ts"] is None or tick(row) > 120,
    "ts IS NULL": lambda row: row["ts"] is None,
    "x > 0": lambda row: row["x"] is not None and not row["x"] <= 0,
    "k0 IS NULL": lambda row: row["k0"] is None,
    "k0 <> 'a' AND x = 1": lambda row: row["k0"] not in ("a", None) and row["x"] == 1,
    "n % 7 = 2 AND k0 = 'b'": lambda row: row["n"] % 7 == 2 and row["k0"] == "b",
    "length(k0) = 1 AND ts >= '1970-01-01 00:01:00'": lambda row: (
        len(row["k0"] or "") == 1 and tick(row) >= 60
    ),
    "n IN (SELECT max(n) FROM t)": lambda row: row["n"] == LAST,
    "false": lambda row: False,
    "n > $least": lambda row: row["n"] > 100,
}
LAST = 319


def tick(row) -> float:
    """The seconds of a row's time; of none, something that no condition holds of."""
    return math.nan if row["ts"] is None else (row["ts"] - dt.datetime(1970, 1, 1)).total_seconds()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory):
    rng = random.Random(5)
    with open_bench(tmp_path_factory.mktemp("rows") / "b", **SMALL) as bench:
        kinds = [KEY_TYPES[0], KEY_TYPES[6]]
        tables = [
            table_of(rng, 160, first, kinds, ordered=first == 0, nulls=0.1, unit="s") for first in (0, 160)
        ]
        table = fill(bench, "t", tables)
        bench.kadeql("CREATE VIEW v AS SELECT * FROM t")
        yield bench, table, Kept()


@pytest.mark.parametrize("where", CONDITIONS)
@pytest.mark.parametrize("item", ["t", "v", "(SELECT * FROM t)", "mine"])
def test_conditions_leave_what_they_say(world, where: str, item: str) -> None:
    bench, table, kept = world
    tables = {"mine": table} if item == "mine" else {}
    asked = asked_of(bench, kept, params={"least": 100}, tables=tables)
    rows = rows_of(asked, item, where)
    for keys in ((), ("k0",), ("k1", "k0")):
        wanted = expected(table, keys, CONDITIONS[where])
        found, without = read(rows, keys, batch=50)
        assert same(found, wanted[0]), keys
        assert without == wanted[1]
    assert rows.streamed.names == table.column_names


def test_predicates_of_the_query_around_are_applied_as_well(world) -> None:
    bench, table, kept = world
    more = [In("k0", ("a", "b"), "VARCHAR"), IsNull("x", negated=True)]
    for item in ("t", "v"):
        rows = rows_of(asked_of(bench, kept), item, "n >= 20")
        assert all(rows.accepts(one) for one in more)
        found, without = read(rows, ("k0",), predicates=more)
        wanted = expected(
            table, ("k0",), lambda row: row["n"] >= 20 and row["k0"] in ("a", "b") and row["x"] is not None
        )
        assert same(found, wanted[0])
        assert without == wanted[1]
        found, _ = read(rows, ("k0",), filtered=False)
        assert same(found, expected(table, ("k0",))[0])
    assert not rows.accepts(Comparison("k0", "=", 1, "INTEGER"))


def test_a_slice_reads_the_chunks_it_needs(tmp_path: Path) -> None:
    rows = 4_000
    table = pa.table(
        {
            "k": pa.array([f"host {i // 400}" for i in range(rows)]),
            "ts": pa.array([i % 400 for i in range(rows)], pa.int64()).cast(pa.timestamp("s")),
            "n": pa.array(range(rows), pa.int64()),
            "wide": pa.array([float(i) for i in range(rows)]),
        }
    )
    with open_bench(
        tmp_path / "b", inline_bytes=500, shard_rows=2_000, chunk_rows=200, key_chunk_rows=100
    ) as bench:
        bench.write("t", table, time_column="ts", series_key="k")
        kept = Kept()
        read(rows_of(asked_of(bench, kept), "t"), ("k",))
        asked = asked_of(bench, kept)
        given = rows_of(
            asked, "t", "k = 'host 7' AND ts >= '1970-01-01 00:05:00' AND ts < '1970-01-01 00:05:10'"
        )
        found, _ = read(given, ("k",))
        assert [row[2] for row in found] == list(range(3_100, 3_110))
        assert asked.counters.rows_read <= 400
        assert given.bounds("ts") == (300, 309)
        assert given.lines()[0].startswith("series index: 1 runs in 1 of")
        (part,) = rows_of(asked, "t", "k = 'host 7' AND ts = '1970-01-01 00:05:00'").parts(
            ["wide"], ["k"], "ts", Control()
        )
        assert part.runs.order is None
        assert part.arrays["wide"].to_pylist() == [3_100.0]


def test_ends_of_runs_and_rows_taken_by_place(world) -> None:
    bench, table, kept = world
    frame = table.to_pandas()
    for where in (
        None,
        "k0 = 'a'",
        "ts >= '1970-01-01 00:01:00'",
        "k0 <> 'b' AND ts < '1970-01-01 00:02:30'",
    ):
        rows = rows_of(asked_of(bench, kept), "t", where)
        series = rows.series(["k0"])
        ends = rows.run_ends(["k0"], "ts", Control(), series=series)
        assert ends is not None
        latest: dict[int, tuple[int, int, int]] = {}
        for part in ends:
            for code, last, row in zip(
                part.codes.tolist(), part.last.tolist(), part.last_row.tolist(), strict=True
            ):
                if code not in latest or latest[code][0] <= last:
                    latest[code] = (last, part.chunk, row)
        codes = list(latest)
        taken = rows.take(
            ["n", "k0"],
            np.array([latest[code][1] for code in codes]),
            np.array([latest[code][2] for code in codes]),
            Control(),
        )
        left = frame if where is None else bench.kadeql(f"FROM t WHERE {where}").to_pandas()
        left = left[left.ts.notna()].sort_values(["ts", "n"], kind="stable")
        wanted = left.groupby("k0", dropna=False).n.last()
        found = dict(zip(taken[1].to_pylist(), taken[0].to_pylist(), strict=True))
        assert found == {None if key is None or key != key else key: int(n) for key, n in wanted.items()}
    assert rows_of(asked_of(bench, kept), "t", "x > 0").run_ends(["k0"], "ts", Control()) is None
    assert rows_of(asked_of(bench, kept), "v").run_ends(["k0"], "ts", Control()) is None


def test_names_times_and_bounds(world) -> None:
    bench, _, kept = world
    rows = rows_of(asked_of(bench, kept), "t", "ts > '1970-01-01 00:00:10' AND ts <= '1970-01-01 00:01:00'")
    assert rows.bounds("ts") == (11, 60)
    assert rows.time_name(None) == "ts"
    assert rows.time_name(Name("TS", NOBODY)) == "ts"
    assert rows.unit("ts") == 1_000_000_000
    assert rows.zone("ts") is None
    assert rows.repeatable
    assert rows.schema.field("k0").type == pa.string()
    with pytest.raises(KadeQLBindError, match="no column 'tss'"):
        rows.column(Name("tss", NOBODY))
    with pytest.raises(KadeQLBindError, match="no time"):
        rows.time_name(Name("x", NOBODY))
    several = rows_of(asked_of(bench, kept), "(SELECT ts, ts AS other FROM t)", None)
    with pytest.raises(KadeQLBindError, match="several times: ts, other"):
        several.time_name(None)
    with pytest.raises(KadeQLBindError) as caught:
        several.time_name(None)
    assert caught.value.hint == "Select only one of them."
    assert not several.repeatable
    assert rows_of(asked_of(bench, kept), "(SELECT 1 AS a)").schema.names == ["a"]
    view = rows_of(asked_of(bench, kept), "v", "ts >= '1970-01-01 00:00:10'")
    assert view.bounds("ts") == (10, None)
    with pytest.raises(KadeQLError, match="nowhere"):
        _ = rows_of(asked_of(bench, kept), "nowhere").schema


def test_what_is_kept_follows_the_table(tmp_path: Path) -> None:
    kept = Kept()
    with open_bench(tmp_path / "b", **SMALL) as bench:
        table = pa.table(
            {"k": ["b", "a"] * 20, "ts": pa.array(range(40), pa.timestamp("us")), "n": pa.array(range(40))}
        )
        bench.write("t", table)
        assert len(read(rows_of(asked_of(bench, kept), "t"), ("k",))[0]) == 40
        bench.write("t", table.set_column(2, "n", pa.array(range(40, 80))), "append")
        bench.kadeql("DELETE FROM t WHERE n < 10")
        assert sorted(row[2] for row in read(rows_of(asked_of(bench, kept), "t"), ("k",))[0]) == [
            *range(10, 80)
        ]
        bench.kadeql("ALTER TABLE t RENAME COLUMN k TO ts2")
        bench.kadeql("ALTER TABLE t ADD COLUMN k VARCHAR DEFAULT 'new'")
        found, _ = read(rows_of(asked_of(bench, kept), "t"), ("k",))
        assert {row[0] for row in found} == {"new"}
        assert kept.index.nbytes > 0


# -- constants


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("'1h'", Length(nanos=3_600_000_000_000)),
        ("INTERVAL '6' HOUR", Length(nanos=21_600_000_000_000)),
        ("INTERVAL 2 DAY", Length(days=2)),
        ("INTERVAL '1 month 3 days'", Length(months=1, days=3)),
        ("$size", Length(nanos=90_000_000_000)),
        ("'1' || 'd'", Length(days=1)),
    ],
)
def test_lengths(world, text: str, wanted: Length) -> None:
    bench, _, kept = world
    asked = asked_of(bench, kept, params={"size": "90s"})
    assert length(constant(asked, text), asked) == wanted
    assert length(constant(asked, text), asked) == wanted


def test_moments_and_values(world) -> None:
    bench, _, kept = world
    asked = asked_of(bench, kept, params={"at": dt.datetime(2024, 1, 1)})
    second = pd.Timestamp("2024-01-01 00:00:01").value // 10**9
    text = constant(asked, "'2024-01-01 00:00:01.75'")
    assert moment(text, pa.timestamp("s"), asked) == second
    assert moment(text, pa.timestamp("us"), asked) == second * 10**6 + 750_000
    assert moment(text, pa.timestamp("ns"), asked) == second * 10**9 + 750_000_000
    assert moment(text, pa.date32(), asked) == second // 86_400
    assert moment(constant(asked, "$at"), pa.timestamp("ms"), asked) == (second - 1) * 1_000
    zoned = constant(asked, "TIMESTAMPTZ '2024-01-01 02:00:01+02:00'")
    assert moment(zoned, pa.timestamp("us", "Europe/Berlin"), asked) == second * 10**6
    assert value(constant(asked, "1 + 1"), asked, kind=pa.float64()).as_py() == 2.0
    assert value(constant(asked, "'x'"), asked).as_py() == "x"
    with pytest.raises(KadeQLBindError, match="NULL"):
        moment(constant(asked, "NULL"), pa.timestamp("us"), asked)
    with pytest.raises(KadeQLBindError, match="A length of time is needed, not 7"):
        length(constant(asked, "7"), asked)
    with pytest.raises(KadeQLError, match="banana"):
        moment(constant(asked, "'banana'"), pa.timestamp("us"), asked)


def test_what_lasts_of_a_table_is_named(tmp_path: Path) -> None:
    kept = Kept()
    table = pa.table(
        {
            "k": [f"s{row % 5}" for row in range(80)],
            "ts": pa.array(range(80), pa.timestamp("us")),
            "n": pa.array(range(80), pa.int32()),
        }
    )
    with open_bench(tmp_path / "b", **(SMALL | {"inline_bytes": 0})) as bench:
        bench.write("t", table)
        first = rows_of(asked_of(bench, kept), "t")
        before = first.lasting_chunks(["n"], ["k"], "ts")
        assert before is not None
        form, chunks = before
        assert len(chunks) == len(set(chunks)) == 2
        bench.write("t", table, "append")
        later = rows_of(asked_of(bench, kept), "t")
        after = later.lasting_chunks(["n"], ["k"], "ts")
        assert after is not None
        assert (after[0], after[1][:2], len(set(after[1]))) == (form, chunks, 4)
        ends = later.run_ends(["k"], "ts", Control(), first_chunk=3)
        assert ends is not None
        assert [part.chunk for part in ends] == [3]
        bench.kadeql("DELETE FROM t WHERE n = 3")
        deleted = rows_of(asked_of(bench, kept), "t").lasting_chunks(["n"], ["k"], "ts")
        assert deleted is not None
        assert [chunk is None for chunk in deleted[1]] == [True, False, True, False]
        bench.kadeql("ALTER TABLE t ALTER COLUMN n TYPE BIGINT")
        altered = rows_of(asked_of(bench, kept), "t").lasting_chunks(["n"], ["k"], "ts")
        assert altered is not None
        assert altered[0] != form
        assert rows_of(asked_of(bench, kept), "(FROM t)").lasting_chunks(["n"], ["k"], "ts") is None


def test_work_stops_when_it_is_asked_to(world) -> None:
    bench, _, kept = world
    for item in ("t", "v"):
        control = Control(batch=20)
        parts = rows_of(asked_of(bench, kept), item).parts(["n"], ["k0"], "ts", control)
        next(parts)
        control.stop.set()
        with pytest.raises(CancelledError):
            next(parts)


def test_of_several_times_one_is_said_to_count(tmp_path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.kadeql("CREATE TABLE t (k INTEGER, ts TIMESTAMP, sent TIMESTAMP, v DOUBLE)")
        bench.kadeql("INSERT INTO t VALUES (1, '2026-01-01 10:10', '2026-01-01 11:10', 3)")
        text = "SELECT ts, sent, avg(v) AS m FROM t SAMPLE BY 1h"
        with pytest.raises(KadeQLBindError, match="several times: ts, sent") as caught:
            bench.kadeql(text)
        advice = "ALTER TABLE t SET (time_column = ts)"
        assert caught.value.hint == f"Select only one of them, or say which one counts: {advice}."
        assert bench.kadeql("SELECT sent, avg(v) AS m FROM t SAMPLE BY 1h").to_arrow()["m"].to_pylist() == [3]
        bench.kadeql(advice)
        assert bench.kadeql("SELECT k, avg(v) AS m FROM t SAMPLE BY 1h").to_arrow()["m"].to_pylist() == [3]
        with pytest.raises(KadeQLBindError, match="no column of a time") as caught:
            bench.kadeql("SELECT avg(v) AS m FROM (SELECT v FROM t) SAMPLE BY 1h")
        assert "ts::TIMESTAMP" in (caught.value.hint or "")
