"""The tables of the conformance suite: every kind of value that engines disagree about, cut into small segments."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from conformance_values import (
    DECIMALS,
    INF,
    MOMENTS,
    NAN,
    NESTED,
    NUMBERS,
    TEXTS,
    UTC,
    WRITTEN,
    ZONE,
    Kinds,
    decimals,
)

import luma_bench as lb

HERE = ZoneInfo(ZONE)
PARTS = {"facts": 6, "dims": 3, "ticks": 3, "r0": 4, "r1": 3}
"""Segments that a table is written in, so that partial answers are really put together; two where nothing is said."""


def _with_ids(kinds: Kinds) -> pa.Table:
    columns: dict[str, pa.Array] = {
        name: pa.array(items, kind, from_pandas=False) for name, (kind, items) in kinds.items()
    }
    length = {name: len(column) for name, column in columns.items()}
    assert len(set(length.values())) == 1, length
    return pa.table({"id": pa.array(range(next(iter(length.values()))), pa.int64()), **columns})


def _facts(seed: int = 8, rows: int = 120) -> pa.Table:
    """Rows to aggregate and join: `g` is skewed and has NULLs, `f` has NaN and infinities in some groups only."""
    rng = random.Random(seed)

    def some(make: Any, nulls: float = 0.15) -> list[Any]:
        return [None if rng.random() < nulls else make() for _ in range(rows)]

    groups = ["a", "a", "a", "a", "b", "c", "é", "", None]
    g = [rng.choice(groups) for _ in range(rows)]
    start = dt.datetime(2024, 11, 2, 12)
    g[0] = g[-1] = "nulls"  # a group of NULLs alone, in the first part and in the last
    table: Kinds = {
        "g": (pa.string(), g),
        "k": (pa.int32(), some(lambda: rng.randint(0, 4))),
        "i": (pa.int32(), some(lambda: rng.choice([rng.randint(-9, 9), 2**31 - 1, -(2**31)]))),
        "j": (pa.int64(), some(lambda: rng.choice([rng.randint(0, 9), 2**53 + 1, 2**62]))),
        "u": (pa.int16(), some(lambda: rng.randint(0, 300))),
        "x": (pa.float64(), some(lambda: round(rng.uniform(-50, 50), 3))),
        "y": (pa.float64(), some(lambda: rng.uniform(0.5, 2.0))),
        "f": (pa.float64(), some(lambda: rng.choice([1.0, 2.0, -0.0, 0.0, NAN, INF, -INF]), 0.4)),
        "d": (pa.decimal128(12, 2), some(lambda: Decimal(rng.randint(-99999, 99999)).scaleb(-2))),
        "s": (pa.string(), some(lambda: rng.choice(["", "a", "B", "b", "zürich", "日本", "😀", "x,y"]))),
        "b": (pa.bool_(), some(lambda: rng.random() < 0.6)),
        "day": (pa.date32(), some(lambda: dt.date(1969, 12, 20) + dt.timedelta(days=rng.randint(0, 30)))),
        "ts": (pa.timestamp("us"), some(lambda: start + dt.timedelta(minutes=7 * rng.randint(0, 300)))),
        "tz": (
            pa.timestamp("us", ZONE),
            some(lambda: start.replace(tzinfo=UTC) + dt.timedelta(minutes=11 * rng.randint(0, 300))),
        ),
        "l": (pa.list_(pa.int32()), some(lambda: [rng.randint(0, 3) for _ in range(rng.randint(0, 3))])),
        "none": (pa.int32(), [None] * rows),
    }  # fmt: skip
    for name in ("i", "j", "u", "x", "y", "f", "d", "s", "b", "day", "ts", "tz", "l"):
        table[name][1][0] = table[name][1][-1] = None
    return _with_ids(table)


def _dims() -> pa.Table:
    """What `facts` joins: keys twice, keys that no fact has, NULL keys; the same key as text, whole number, decimal and float."""
    return _with_ids(
        {
            "g": (pa.string(), ["a", "a", "b", "é", "none", None, None, ""]),
            "k": (pa.int32(), [0, 1, 1, 2, 9, None, 4, None]),
            "big": (pa.int64(), [0, 1, 1, 2, 2**53 + 1, None, 4, 2**62]),
            "dec": (pa.decimal128(10, 2), [*decimals("0.00 1.00 1.50 2.00 9.00"), None, Decimal("4.00"), None]),
            "x": (pa.float64(), [0.0, -0.0, NAN, INF, 1.0, None, 2.0, NAN]),
            "day": (
                pa.date32(),
                [dt.date(1969, 12, 31), dt.date(1970, 1, 1), None, *(dt.date(1970, 1, i) for i in range(2, 7))],
            ),
            "w": (pa.int32(), [10, 20, 30, 40, None, 60, 70, 80]),
        }
    )  # fmt: skip


def _ticks() -> tuple[pa.Table, pa.Table]:
    """Readings of sensors that are late, missing or double, and the moments to join them to."""
    start = dt.datetime(2024, 3, 9, 22)
    minutes = [0, 10, 10, 35, 70, 130, 400, 401, None]
    rows = [
        (sensor, None if m is None else start + dt.timedelta(minutes=m + shift), float(m or 0) + shift)
        for shift, sensor in enumerate(["s1", "s2", None])
        for m in minutes
    ]
    random.Random(3).shuffle(rows)
    ticks = pa.table(
        {
            "sensor": pa.array([row[0] for row in rows], pa.string()),
            "ts": pa.array([row[1] for row in rows], pa.timestamp("us")),
            "value": pa.array([row[2] for row in rows], pa.float64()),
        }
    )
    asked = [(n, s, start + dt.timedelta(minutes=15 * n)) for n in range(10) for s in ("s1", "s2", "s9")]
    probes = pa.table(
        {
            "n": pa.array([row[0] for row in asked], pa.int32()),
            "sensor": pa.array([row[1] for row in asked], pa.string()),
            "ts": pa.array([row[2] for row in asked], pa.timestamp("us")),
        }
    )
    return ticks, probes


def _random(seed: int, rows: int, others: int, skewed: bool) -> dict[str, pa.Table]:
    """Two tables for generated statements, `r` and `s` with the number of the seed: the second is smaller, and may be empty."""
    rng = random.Random(seed)

    def some(make: Any, length: int, nulls: float = 0.2) -> list[Any]:
        return [None if rng.random() < nulls else make() for _ in range(length)]

    def table(length: int) -> pa.Table:
        return pa.table(
            {
                "id": pa.array(rng.sample(range(10 * length + 1), length), pa.int64()),
                "k": pa.array(some(lambda: 3 if skewed and rng.random() < 0.9 else rng.randint(-2, 6), length), pa.int32()),
                "g": pa.array(some(lambda: rng.choice(["", "a", "b", "ab", "é"]), length), pa.string()),
                "x": pa.array(some(lambda: rng.choice([0.0, -1.5, 2.5, 1e9, NAN, rng.uniform(-9, 9)]), length), pa.float64()),
                "d": pa.array(some(lambda: Decimal(rng.randint(-500, 500)).scaleb(-2), length), pa.decimal128(9, 2)),
                "t": pa.array(some(lambda: dt.date(1969, 12, 25) + dt.timedelta(rng.randint(0, 12)), length), pa.date32()),
                "b": pa.array(some(lambda: rng.random() < 0.5, length), pa.bool_()),
            }
        )  # fmt: skip

    return {f"r{seed}": table(rows), f"s{seed}": table(others)}


def _roads() -> tuple[pa.Table, pa.Table]:
    towns = pa.table({"id": pa.array(range(8), pa.int64()), "name": list("ABCDEFGH")})
    ways = [
        (0, 1, 5),
        (1, 2, 5),
        (0, 2, 20),
        (2, 3, 1),
        (3, 0, 2),
        (3, 4, 7),
        (4, 5, 1),
        (5, 4, 1),
        (6, 6, 3),
        (2, 3, 9),
    ]
    return towns, pa.table({"src": [w[0] for w in ways], "dst": [w[1] for w in ways], "km": [w[2] for w in ways]})  # fmt: skip


@cache
def tables() -> Mapping[str, pa.Table]:
    """Every table by its name; nobody changes them."""
    ticks, probes = _ticks()
    towns, ways = _roads()
    facts = _facts()
    return {
        "numbers": _with_ids(NUMBERS), "decimals": _with_ids(DECIMALS), "texts": _with_ids(TEXTS), "written": _with_ids(WRITTEN),
        "moments": _with_ids(MOMENTS), "nested": _with_ids(NESTED), "facts": facts, "dims": _dims(), "empty": facts.slice(0, 0),
        "ticks": ticks, "probes": probes, "towns": towns, "ways": ways,
        **_random(0, 90, 12, False), **_random(1, 60, 20, True), **_random(2, 7, 0, False),
    }  # fmt: skip


def rows_of(name: str) -> list[dict[str, Any]]:
    """A table's rows as Python values, in the order of `id`."""
    return tables()[name].to_pylist()


def make_bench(path: Path) -> None:
    """Write the tables, each in several segments of few rows, with the views, graph, policies and past that cases ask for."""
    with lb.open(path, **SETTINGS) as bench:
        for name, table in tables().items():
            step = max(1, -(-table.num_rows // PARTS.get(name, 2)))
            bench.write(name, table.slice(0, step))
            for first in range(step, table.num_rows, step):
                bench.write(name, table.slice(first, step), mode="append")
        keyed = tables()["facts"]
        bench.write("keyed", keyed.slice(0, 60), primary_key="id")
        bench.write("keyed", keyed.slice(60), mode="append")
        bench.write("paired", tables()["dims"].select(["id", "g", "w"]).slice(0, 5), primary_key=["id", "g"])
        bench.kadeql(VIEWS)
        bench.kadeql("CREATE TABLE past AS SELECT id, g, k FROM facts")
        bench.tag("before")
        bench.kadeql("DELETE FROM past WHERE k = 1; UPDATE past SET k = -1 WHERE g = 'b'")
        bench.kadeql("DELETE FROM dims WHERE id > 100")
        bench.kadeql(GRAPH)
        bench.kadeql("CREATE TABLE guarded AS SELECT id, g, k, x FROM facts")
        bench.kadeql("CREATE ROW POLICY few ON guarded USING g = 'a' TO analyst")
        bench.kadeql("CREATE MASKING POLICY hide ON guarded UPDATE k = -1 TO analyst")


SETTINGS: Mapping[str, Any] = {
    "threads": 2,
    "timezone": ZONE,
    "chunk_rows": 8,
    "shard_rows": 16,
    "inline_bytes": 0,
    "result_cache_bytes": 0,
    "background_compaction": False,
}
VIEWS = """
CREATE VIEW positive AS SELECT id, g, x FROM facts WHERE x > 0;
CREATE VIEW counted AS SELECT g, count(*) AS n, max(x) AS top FROM positive GROUP BY g
"""
GRAPH = """
CREATE PROPERTY GRAPH roads
  VERTEX TABLES (towns KEY (id))
  EDGE TABLES (ways SOURCE KEY (src) REFERENCES towns (id) DESTINATION KEY (dst) REFERENCES towns (id) LABEL way)
"""


def make_peer() -> duckdb.DuckDBPyConnection:
    """DuckDB itself over the same Arrow data."""
    peer = duckdb.connect(config={"threads": 1})
    peer.execute(f"SET TimeZone = '{ZONE}'")
    for name, table in tables().items():
        peer.register("incoming", table)
        peer.execute(f"CREATE TABLE {name} AS FROM incoming")
        peer.unregister("incoming")
    peer.execute("CREATE TABLE keyed AS FROM facts; CREATE TABLE guarded AS SELECT id, g, k, x FROM facts")
    peer.execute("CREATE TABLE past AS SELECT id, g, k FROM facts")
    peer.execute(VIEWS)
    return peer
