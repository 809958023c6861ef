"""The tables that generated statements read: every kind of value that has bitten an engine, in several segments."""

from __future__ import annotations

import datetime as dt
import decimal
import random
from pathlib import Path

import duckdb
import pyarrow as pa

import luma_bench as lb

ZONE = "America/New_York"
NAN, INF = float("nan"), float("inf")
WORDS = [
    "",
    "a",
    "b",
    "ab",
    "B",
    "zürich",
    "naïve",
    "x'y",
    '"q"',
    "a%b",
    "_",
    "longer than twelve bytes, so not inlined",
]
PARTS = 4


def _maybe(rng: random.Random, value: object, nulls: float = 0.12) -> object:
    return None if rng.random() < nulls else value


def make_tables(seed: int = 20) -> dict[str, pa.Table]:
    """`t` (400 rows), `u` (250, points into `t` with danglers), `e` (no rows, the columns of `t`)."""
    rng = random.Random(seed)
    start = dt.datetime(2024, 11, 2, 12)  # New York's clocks go back on the 3rd
    rows = 400
    types = {
        "id": pa.int64(), "k": pa.string(), "n": pa.int32(), "x": pa.float64(), "d": pa.decimal128(12, 2), "day": pa.date32(),
        "ts": pa.timestamp("us"), "tz": pa.timestamp("us", tz=ZONE), "b": pa.bool_(), "l": pa.list_(pa.int32()),
        "s": pa.struct({"a": pa.int64(), "w": pa.string()}),
    }  # fmt: skip
    specials = [NAN, INF, -INF, 0.0, -0.0, 1e-300, 1e15]
    utc = dt.UTC
    values: dict[str, list[object]] = {
        "id": [i * 3 for i in range(rows)],
        "k": [_maybe(rng, rng.choice(WORDS)) for _ in range(rows)],
        "n": [
            _maybe(rng, rng.choice([rng.randint(-5, 5), rng.randint(-1000, 1000), 2**31 - 1, -(2**31)]))
            for _ in range(rows)
        ],
        "x": [
            _maybe(rng, rng.choice(specials) if rng.random() < 0.15 else round(rng.uniform(-50, 50), 3))
            for _ in range(rows)
        ],
        "d": [_maybe(rng, decimal.Decimal(rng.randint(-99999, 99999)).scaleb(-2)) for _ in range(rows)],
        "day": [_maybe(rng, dt.date(2023, 12, 25) + dt.timedelta(days=i // 10)) for i in range(rows)],
        "ts": [_maybe(rng, start + dt.timedelta(minutes=7 * i)) for i in range(rows)],
        "tz": [_maybe(rng, start.replace(tzinfo=utc) + dt.timedelta(minutes=11 * i)) for i in range(rows)],
        "b": [_maybe(rng, rng.random() < 0.5) for _ in range(rows)],
        "l": [
            _maybe(rng, [_maybe(rng, rng.randint(0, 9)) for _ in range(rng.randint(0, 4))])
            for _ in range(rows)
        ],
        "s": [
            _maybe(rng, {"a": rng.randint(0, 5), "w": _maybe(rng, rng.choice(WORDS))}) for _ in range(rows)
        ],
    }
    t = pa.table({name: pa.array(values[name], kind) for name, kind in types.items()})
    u = pa.table({
        "uid": pa.array(range(250), pa.int32()),
        "t_id": pa.array([_maybe(rng, rng.randint(0, rows + 40) * 3) for _ in range(250)], pa.int64()),
        "k": pa.array([_maybe(rng, rng.choice(WORDS)) for _ in range(250)], pa.string()),
        "y": pa.array([_maybe(rng, rng.choice([NAN, 0.0, -0.0, rng.gauss(0, 20)])) for _ in range(250)], pa.float64()),
        "w": pa.array([_maybe(rng, rng.randint(0, 255)) for _ in range(250)], pa.uint8()),
        "at": pa.array([start + dt.timedelta(minutes=13 * i) for i in range(250)], pa.timestamp("us")),
    })  # fmt: skip
    return {"t": t, "u": u, "e": t.slice(0, 0)}


def fill_bench(path: Path, tables: dict[str, pa.Table]) -> lb.Bench:
    """A bench with small chunks, so that 400 rows are several segments of several chunks, and an inline tail."""
    bench = lb.open(path, threads=2, timezone=ZONE, chunk_rows=64, shard_rows=128, inline_bytes=6_000)
    for name, table in tables.items():
        size = max(1, -(-table.num_rows // PARTS))
        bench.write(name, table.slice(0, size), mode="create")
        for part in range(1, PARTS):
            if table.num_rows > part * size:
                bench.write(name, table.slice(part * size, size), mode="append")
    return bench


def fill_duckdb(tables: dict[str, pa.Table]) -> duckdb.DuckDBPyConnection:
    """A plain DuckDB connection with the same rows in its own storage."""
    connection = duckdb.connect(config={"threads": 2})
    connection.execute(f"SET TimeZone = '{ZONE}'")
    for name, table in tables.items():
        connection.register("incoming", table)
        connection.execute(f"CREATE TABLE {name} AS FROM incoming")
        connection.unregister("incoming")
    return connection
