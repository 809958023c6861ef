"""As-of and window joins of trades with quotes: whole statements beside DuckDB's and Polars' joins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pyarrow as pa

from benchmarks import series_data
from benchmarks.harness import SuiteResult, measure
from benchmarks.series_operators import promises
from benchmarks.series_peers import LUMA, NATIVE, Question, case, world
from benchmarks.suite import Request

_ON = "ON t.sym = q.sym AND t.ts >= q.ts"
_MANY = 100_000


def _asof(
    frames: dict[str, pl.LazyFrame], names: tuple[str, str], tolerance: str | None = None
) -> pl.DataFrame:
    left, right = (frames[name] for name in names)
    return (
        left.join_asof(right, on="ts", by="sym", tolerance=tolerance, check_sortedness=False)
        .select("sym", "ts", "px", "bid")
        .collect()
    )


def _questions() -> tuple[Question, ...]:
    items = "t.sym, t.ts, t.px, q.bid"
    found = [
        Question(
            "ASOF, 100 series",
            f"SELECT {items} FROM trades t ASOF LEFT JOIN quotes q {_ON}",
            f"SELECT {items} FROM trades t ASOF LEFT JOIN quotes q {_ON}",
            lambda frames: _asof(frames, ("trades", "quotes")),
            limit=0.5,
            compared=False,
        ),
        Question(
            "ASOF within 100 ms",
            f"SELECT {items} FROM trades t ASOF LEFT JOIN quotes q {_ON} TOLERANCE INTERVAL '100' MILLISECOND",
            "SELECT t.sym, t.ts, t.px, CASE WHEN t.ts - q.ts <= INTERVAL 100 millisecond THEN q.bid END AS bid "
            f"FROM trades t ASOF LEFT JOIN quotes q {_ON}",
            lambda frames: _asof(frames, ("trades", "quotes"), "100ms"),
            compared=False,
        ),
        Question(
            "ASOF, 100,000 series",
            f"SELECT {items} FROM trades_many t ASOF LEFT JOIN quotes_many q {_ON}",
            f"SELECT {items} FROM trades_many t ASOF LEFT JOIN quotes_many q {_ON}",
            lambda frames: _asof(frames, ("trades_many", "quotes_many")),
            limit=1.1,
            compared=False,
        ),
        Question(
            "WINDOW JOIN, one second",
            "SELECT t.i, avg(q.bid) AS a FROM probes t WINDOW JOIN quotes q ON t.sym = q.sym "
            "RANGE BETWEEN INTERVAL '1' SECOND PRECEDING AND INTERVAL '0' SECOND FOLLOWING",
            "WITH c AS (SELECT sym, ts, sum(bid) OVER w AS s, count(*) OVER w AS n FROM quotes WINDOW w AS (PARTITION BY sym ORDER BY ts "
            "ROWS UNBOUNDED PRECEDING)) SELECT t.i, (e.s - coalesce(b.s, 0)) / nullif(e.n - coalesce(b.n, 0), 0) AS a FROM probes t "
            "ASOF LEFT JOIN c e ON t.sym = e.sym AND t.ts >= e.ts ASOF LEFT JOIN c b ON t.sym = b.sym AND t.ts - INTERVAL 1 second > b.ts",
            limit=1 / 50,
            compared=False,
        ),
    ]
    return tuple(found)


def run(request: Request) -> SuiteResult:
    """Medians of each join, ours beside DuckDB over Arrow and over its own tables, and Polars."""
    questions = _questions()
    with world(request, ("trades", "quotes")) as held:
        more = _more(held.tables)
        for name, table in more.items():
            held.bench.write(name, table, mode="create", time_column="ts", series_key="sym")
            held.arrow.register(name, table)
            held.native.register(f"{name}_arrow", table)
            held.native.execute(f"CREATE TABLE {name} AS FROM {name}_arrow ORDER BY ALL")
            held.frames[name] = pl.DataFrame(table).lazy()
        request.out.print(f"{sum(table.num_rows for table in more.values()):,} more rows", end=" ")
        held = replace(held, tables=held.tables | more)
        timings = measure(
            [case(question, held) for question in questions],
            rounds=request.rounds,
            on_case=lambda done, _: request.out.print(done.name, end=" "),
        )
        rows = held.tables["trades"].num_rows, held.tables["quotes"].num_rows
    request.out.print()
    title = f"Joins by time of {rows[0]:,} trades with {rows[1]:,} quotes, whole statements, {request.threads} threads"
    result = SuiteResult("series-joins", title, LUMA, NATIVE, timings)
    return SuiteResult(result.name, title, LUMA, NATIVE, timings, promises(result, questions), _NOTES)


_NOTES = (
    "DuckDB's ASOF JOIN takes any of several right rows of one moment, ours the last stored one: rows with such ties differ.",
    "The window join's SQL is two as-of joins and running sums; a range join takes minutes.",
)


def _more(tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """The same numbers of rows over 100,000 series, and some trades to look around."""
    random = np.random.default_rng(4)
    found: dict[str, pa.Table] = {}
    for name, value in (("trades", "px"), ("quotes", "bid")):
        count = tables[name].num_rows
        symbol = np.sort(random.integers(0, _MANY, count)).astype(np.int32)
        ts = series_data.START + random.integers(0, 10**10, count)
        order = np.lexsort((ts, symbol))
        found[f"{name}_many"] = pa.table(
            {
                "sym": pa.array(symbol[order]),
                "ts": pa.array(ts[order]).view(pa.timestamp("us")),
                value: pa.array(random.random(count)),
            }
        )
    trades = tables["trades"]
    kept = trades.filter(pa.array(trades["sym"].to_numpy() >= 3)).slice(0, 300_000)
    found["probes"] = kept.append_column("i", pa.array(np.arange(kept.num_rows)))
    return found
