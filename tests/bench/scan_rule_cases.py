"""Tables in many small chunks with every kind of value, and random statements over them for the rules to be wrong about."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import luma_bench as lb

NAN, INF = float("nan"), float("inf")
LONG = "p" * 70
ROWS, DIMS = 900, 60
DELETED = "id % 11 = 3 AND id > 300"
START = dt.date(2024, 1, 1)


def tables(seed: int = 7) -> dict[str, pa.Table]:
    """`facts` (mostly in the order of its keys), `dims` and `few`, which point into it and beside it."""
    rng = random.Random(seed)

    def maybe(value: object, share: float = 0.1) -> object:
        return None if rng.random() < share else value

    facts: dict[str, list[object]] = {
        "id": list(range(ROWS)),
        "k": [maybe(i // 9 + rng.choice([0, 0, 0, 1]), 0.03) for i in range(ROWS)],
        "n": [maybe(rng.randint(-50, 50)) for _ in range(ROWS)],
        "x": [maybe(rng.choice([i / 10, i / 10, i / 10, NAN, -0.0, 0.0, INF, -INF])) for i in range(ROWS)],
        "s": [maybe(rng.choice([f"s{i // 30:03d}", LONG + str(i % 7), "é", ""])) for i in range(ROWS)],
        "day": [maybe(START + dt.timedelta(days=i // 20)) for i in range(ROWS)],
        "moment": [dt.datetime(2024, 1, 1) + dt.timedelta(minutes=i) for i in range(ROWS)],
        "b": [maybe(i > 500) for i in range(ROWS)],
    }
    dims: dict[str, list[object]] = {
        "k": [maybe(rng.randint(-5, 130), 0.05) for _ in range(DIMS)],
        "grp": [rng.randint(0, 9) for _ in range(DIMS)],
        "name": [rng.choice(["red", "green", LONG]) for _ in range(DIMS)],
        "day": [maybe(START + dt.timedelta(days=rng.randint(0, 60))) for _ in range(DIMS)],
        "s": [f"s{rng.randint(0, 35):03d}" for _ in range(DIMS)],
    }
    kinds = {
        "id": pa.int64(), "k": pa.int32(), "n": pa.int16(), "x": pa.float64(), "s": pa.string(), "day": pa.date32(),
        "moment": pa.timestamp("us"), "b": pa.bool_(), "grp": pa.int8(), "name": pa.string(),
    }  # fmt: skip
    few = {
        "k": [3, 44, None],
        "grp": [1, 2, 3],
        "name": ["red", "blue", None],
        "day": [None] * 3,
        "s": ["s001"] * 3,
    }
    made = {"facts": facts, "dims": dims, "few": few}
    return {
        name: pa.table({key: pa.array(values, kinds[key]) for key, values in columns.items()})
        for name, columns in made.items()
    }


def opened(folder: Path) -> tuple[lb.Bench, duckdb.DuckDBPyConnection]:
    """A bench with the tables in segments of small chunks, some rows deleted and some inline, and a twin in DuckDB."""
    bench = lb.open(folder / "b.luma", inline_bytes=2_000, chunk_rows=32, shard_rows=256, timezone="UTC")
    twin = duckdb.connect()
    twin.execute("SET TimeZone = 'UTC'")
    for name, table in tables().items():
        parts = [table.slice(i, 300) for i in range(0, 870, 300)] if name == "facts" else [table]
        if name == "facts":
            parts = [table.slice(0, 300), table.slice(300, 300), table.slice(600, 290), table.slice(890)]
        for i, part in enumerate(parts):
            bench.write(name, part, mode="append" if i else "create")
        twin.register("arrow", table)
        twin.execute(f"CREATE TABLE {name} AS FROM arrow")
        twin.unregister("arrow")
    for run in (bench.kadeql, twin.execute):
        run(f"DELETE FROM facts WHERE {DELETED}")
    return bench, twin


def condition(rng: random.Random, table: str = "") -> str:
    """A random condition over `facts`: exact ones, and ones that only the engine can judge."""
    p = f"{table}." if table else ""
    simple = [
        f"{p}k {rng.choice(['<', '<=', '>', '>=', '=', '<>'])} {rng.randint(-3, 110)}",
        f"{p}id BETWEEN {rng.randint(0, 900)} AND {rng.randint(0, 900)}",
        f"{p}x {rng.choice(['<', '>', '>='])} {rng.choice(['0', '12.5', '-1.0', '85'])}",
        f"{p}day >= DATE '2024-01-{rng.randint(10, 28)}'",
        f"{p}moment < TIMESTAMP '2024-01-01 {rng.randint(10, 14)}:30:00'",
        f"{p}s {rng.choice(['<', '>=', '='])} 's{rng.randint(0, 30):03d}'",
        f"{p}n IN (1, 2, {rng.randint(-50, 50)})",
        f"{p}k IS {rng.choice(['', 'NOT '])}NULL",
        f"{p}x IS NULL",
        f"NOT ({p}k > {rng.randint(0, 100)})",
        f"{p}day = '2024-01-15'",
        f"{p}s LIKE 's0%'",
        f"{p}k + 1 > {rng.randint(0, 100)}",
        f"{p}b",
        f"{rng.randint(0, 90)} < {p}k",
        f"{p}id >= 0",
    ]
    parts = rng.choices(simple, k=rng.choice([1, 1, 2, 3]))
    return f" {rng.choice(['AND', 'AND', 'AND', 'OR'])} ".join(parts)


def figures(rng: random.Random) -> str:
    """Counts and bounds of one table."""
    items = ["count(*)", "count(k)", "count(s)", "min(k)", "max(k)", "min(x)", "max(x)", "min(s)", "max(s)", "max(day)",
             "min(moment)", "max(moment)", "min(n)", "max(n)", "min(b)", "count(1)", "max(id)", "min(id)"]  # fmt: skip
    chosen = ", ".join(
        f"{item} AS c{i}" for i, item in enumerate(rng.sample(items, rng.choice([1, 1, 2, 3])))
    )
    return f"SELECT {chosen} FROM facts" + (f" WHERE {condition(rng)}" if rng.random() < 0.7 else "")


def top(rng: random.Random) -> str:
    """The first rows of an order, made plain by the id."""
    column = rng.choice(["k", "x", "s", "day", "moment", "n", "id", "b"])
    order = column + rng.choice(["", " DESC", " ASC"]) + rng.choice(["", "", " NULLS FIRST", " NULLS LAST"])
    chosen = rng.choice(
        ["*", "id, s", f"id, upper(s) AS u, {column}", "k + 1 AS n, id", f"-id AS {column}, id AS i"]
    )
    if chosen.startswith("-id") and column == "id":
        chosen = "*"
    tie = ", i" if " AS i" in chosen else ", id"
    where = f" WHERE {condition(rng)}" if rng.random() < 0.6 else ""
    offset = f" OFFSET {rng.randint(0, 30)}" if rng.random() < 0.3 else ""
    return f"SELECT {chosen} FROM facts{where} ORDER BY {order}{tie} LIMIT {rng.choice([1, 3, 10, 40, 200])}{offset}"


def join(rng: random.Random) -> str:
    """Joins and sub-queries: those that may be reduced, and those that look like them."""
    small = rng.choice(["dims", "few"])
    filter_ = rng.choice([
        f"d.grp = {rng.randint(0, 9)}", f"d.k BETWEEN {rng.randint(0, 60)} AND {rng.randint(20, 120)}", "d.name = 'red'",
        "d.name LIKE 'g%'", "d.k + 0 < 40", "TRUE", "d.k IS NULL", "d.day < DATE '2024-01-09'",
    ])  # fmt: skip
    also = f" AND {condition(rng, 'f')}" if rng.random() < 0.4 else ""
    key = rng.choice(["k", "k", "k", "day", "s"])
    on = f"f.{key} = d.{key}"
    return rng.choice([
        f"SELECT f.id, d.grp FROM facts f JOIN {small} d ON {on} WHERE {filter_}{also}",
        f"SELECT f.id, d.grp FROM {small} d JOIN facts f ON {on} AND {filter_}",
        f"SELECT f.id, d.grp FROM facts f, {small} d WHERE {on} AND {filter_}{also}",
        f"SELECT f.id FROM facts f JOIN {small} d USING ({key}) WHERE {filter_}{also}",
        f"SELECT f.id FROM facts f SEMI JOIN {small} d ON {on} AND {filter_}",
        f"SELECT f.id FROM facts f ANTI JOIN {small} d ON {on} AND {filter_}",
        f"SELECT f.id, d.grp FROM facts f LEFT JOIN {small} d ON {on} AND {filter_}",
        f"SELECT f.id, d.grp FROM facts f RIGHT JOIN {small} d ON {on} WHERE {filter_}",
        f"SELECT f.id, d.grp FROM facts f FULL JOIN {small} d ON {on} AND {filter_}",
        f"SELECT f.id, d.grp, e.k FROM {small} d LEFT JOIN facts f ON {on} JOIN few e ON d.grp = e.grp WHERE {filter_}",
        f"SELECT f.id, e.k FROM facts f JOIN {small} d ON {on} LEFT JOIN few e ON e.grp = d.grp WHERE {filter_}",
        f"SELECT f.id FROM facts f WHERE f.{key} IN (SELECT d.{key} FROM {small} d WHERE {filter_}){also}",
        f"SELECT f.id FROM facts f WHERE f.{key} NOT IN (SELECT d.{key} FROM {small} d WHERE {filter_} AND d.{key} IS NOT NULL)",
        f"SELECT f.id FROM facts f WHERE EXISTS (SELECT 1 FROM {small} d WHERE {on} AND {filter_})",
        f"SELECT f.id FROM facts f WHERE NOT EXISTS (SELECT 1 FROM {small} d WHERE {on} AND {filter_})",
        f"SELECT f.id FROM facts f WHERE EXISTS (SELECT max(d.k) FROM {small} d WHERE {on} AND {filter_})",
        f"SELECT f.id FROM facts f WHERE f.{key} IN (SELECT d.{key} FROM {small} d WHERE {filter_}) OR f.id < 5",
        f"SELECT f.id FROM facts f JOIN {small} d ON {on} OR f.id = d.grp WHERE {filter_}",
        f"WITH c AS (SELECT f.id, d.grp FROM facts f JOIN {small} d ON {on}) SELECT * FROM c a JOIN c b USING (id) WHERE a.grp = 3",
        f"WITH c AS (SELECT d.* FROM {small} d WHERE {filter_}) SELECT f.id FROM facts f JOIN c ON f.{key} = c.{key}",
        f"SELECT f.id, g.id FROM facts f JOIN {small} d ON {on} JOIN facts g ON g.id = f.id + 1 WHERE {filter_}",
        f"SELECT f.id FROM facts f JOIN {small} d ON {on} WHERE {filter_} UNION ALL SELECT k FROM dims",
        f"SELECT d.grp, (SELECT count(*) FROM facts f WHERE {on}) AS c FROM {small} d WHERE {filter_}",
        f"SELECT f.id FROM (SELECT * FROM facts) f JOIN {small} d ON {on} WHERE {filter_}",
        f"SELECT f.id FROM facts f JOIN {small} d ON CAST(f.k AS VARCHAR) = CAST(d.k AS VARCHAR) WHERE {filter_}",
        f"SELECT f.id FROM facts f JOIN (SELECT * FROM {small}) d ON {on} WHERE {filter_}",
        f"SELECT d.grp, count(*), sum(f.n)::BIGINT FROM facts f JOIN {small} d ON {on} WHERE {filter_}{also} GROUP BY ALL",
    ])  # fmt: skip


def plain(rows: list[tuple[Any, ...]]) -> list[str]:
    """Rows as sorted texts; -0.0 is 0.0, as in SQL."""
    return sorted(
        repr(tuple(0.0 if isinstance(value, float) and value == 0 else value for value in row))
        for row in rows
    )
