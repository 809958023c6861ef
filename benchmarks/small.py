"""Small questions: what a cell costs beside its data — one query warm, one from the cache, one text from scratch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import duckdb
import numpy as np
import pyarrow as pa

import luma_bench as lb
from benchmarks.agreement import same_rows
from benchmarks.harness import Case, Contender, SuiteResult, Target, measure
from benchmarks.suite import Request

LUMA, DUCKDB = "luma", "duckdb/arrow"

QUESTION = "SELECT origin, count(*) AS n, avg(delay) AS late FROM legs WHERE day BETWEEN 10 AND 12 GROUP BY origin ORDER BY origin"

TWENTY_LINES = """
WITH recent AS (
    SELECT origin, day, delay
    FROM legs
    WHERE day BETWEEN {low} AND 200
),
late AS (
    SELECT
        origin,
        count(*) AS legs,
        avg(delay) AS mean_delay,
        max(delay) AS worst
    FROM recent
    GROUP BY origin
)
SELECT p.city, l.legs, round(l.mean_delay, 2) AS mean_delay
FROM late l
JOIN places p ON p.origin = l.origin
WHERE l.legs > 0
ORDER BY l.mean_delay DESC
LIMIT 5
""".strip()


def run(request: Request) -> SuiteResult:
    """Median and 99th percentile of many calls, interleaved with DuckDB's on the same Arrow tables."""
    tables = _tables()
    rounds = 60 if request.quick else 400
    with request.scratch() as folder, lb.open(folder / "small.luma", threads=request.threads) as bench:
        peer = duckdb.connect(config={"threads": request.threads})
        for name, table in tables.items():
            bench.write(name, table)
            peer.register(name, table)
        timings = measure(
            [
                Case("warm query", (_peer(peer, QUESTION), _luma(bench, QUESTION, cache=False)), same_rows),
                Case("cached answer", (_peer(peer, QUESTION), _luma(bench, QUESTION, cache=True)), same_rows),
                Case("bind a new 20-line text", (_peer_binding(peer), _binding(tables))),
            ],
            rounds=rounds,
            warmup=20,
        )
        peer.close()
    median = {timing.case: timing.median for timing in timings if timing.contender == LUMA}
    return SuiteResult(
        "small",
        f"Small questions over {tables['legs'].num_rows:,} rows, median and 99th percentile of {rounds} calls",
        LUMA,
        DUCKDB,
        timings,
        (
            Target("warm query, median", median["warm query"], 2.5e-3, "s"),
            Target("cached answer, median", median["cached answer"], 1e-3, "s"),
            Target("bind a new 20-line text, median", median["bind a new 20-line text"], 2e-3, "s"),
        ),
        (
            "DuckDB has no result cache: its query stands beside the cached answer for scale.",
            "Binding tokenizes, classifies and binds a text never seen before, without running it; DuckDB's figure is DESCRIBE.",
        ),
        tails=True,
    )


def _tables() -> Mapping[str, pa.Table]:
    rng = np.random.default_rng(7)
    origins = np.array(["EWR", "JFK", "LGA", "BTV", "ORD"])
    rows = 20_000
    legs = pa.table(
        {
            "origin": origins[rng.integers(0, len(origins), rows)],
            "day": rng.integers(1, 366, rows),
            "delay": rng.normal(12.0, 30.0, rows),
        }
    )
    return {
        "legs": legs,
        "places": pa.table(
            {"origin": origins, "city": ["Newark", "New York", "New York", "Burlington", "Chicago"]}
        ),
    }


def _peer(peer: duckdb.DuckDBPyConnection, text: str) -> Contender:
    return Contender(DUCKDB, lambda: peer.sql(text).to_arrow_table())


def _luma(bench: lb.Bench, text: str, *, cache: bool) -> Contender:
    return Contender(LUMA, lambda: bench.kadeql(text, cache=cache).to_arrow())


def _fresh() -> Callable[[], str]:
    """Texts that differ from call to call, so that no plan cache knows them."""
    numbers = itertools.count(1)
    return lambda: TWENTY_LINES.format(low=next(numbers))


def _peer_binding(peer: duckdb.DuckDBPyConnection) -> Contender:
    text = _fresh()
    return Contender(DUCKDB, lambda: peer.execute(f"DESCRIBE {text()}").fetchall())


def _binding(tables: Mapping[str, pa.Table]) -> Contender:
    """Parse, classify and bind: what happens to a text before anything of it runs."""
    from luma_bench.engines.duck_inspect import DuckInspector
    from luma_bench.language import parse

    inspector = DuckInspector()
    schemas = {name: table.schema for name, table in tables.items()}
    text = _fresh()

    def bind() -> pa.Schema:
        statements = parse(text(), inspector)
        return inspector.describe(statements[0].sql, schemas)

    return Contender(LUMA, bind)
