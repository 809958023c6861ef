"""Small questions: what one costs warm, prepared and cached, and whether threads get in each other's way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import duckdb
import numpy as np
import pyarrow as pa

import luma_bench as lb
from benchmarks.agreement import same_rows
from benchmarks.harness import Case, Contender, SuiteResult, Target, Timing, measure
from benchmarks.suite import Request

LUMA, DUCKDB = "luma", "duckdb/storage"
ROWS, THREADS, QUERIES = 20_000, 8, 200

PLAIN = "SELECT origin, count(*) AS n, avg(delay) AS late FROM legs WHERE day BETWEEN 10 AND 12 GROUP BY origin ORDER BY origin"
ASKED = PLAIN.replace("10 AND 12", "$low AND $high")
MIX = (
    PLAIN,
    "SELECT l.origin, p.city, max(l.delay) AS worst FROM legs l JOIN places p USING (origin) GROUP BY ALL ORDER BY worst",
    "SELECT day, avg(delay) AS late FROM legs GROUP BY day ORDER BY late DESC, day LIMIT 5",
    "SELECT count(*) AS n FROM legs WHERE origin = 'JFK' AND delay > 30",
)


def run(request: Request) -> list[SuiteResult]:
    """Medians and 99th percentiles of many calls; then the same calls by one thread and by eight."""
    tables = _tables()
    rounds = 60 if request.quick else 400
    each = 20 if request.quick else QUERIES
    with request.scratch() as folder, lb.open(folder / "small.luma", threads=request.threads) as bench:
        peer = duckdb.connect(str(folder / "small.duckdb"), config={"threads": request.threads})
        for name, table in tables.items():
            bench.write(name, table)
            peer.register("given", table)
            peer.execute(f"CREATE TABLE {name} AS FROM given")
        timings = measure(_cases(bench, peer), rounds=rounds, warmup=20)
        crowd = measure(_crowd(bench, peer, each), rounds=request.rounds)
        peer.close()
    return [_latency(timings, rounds), _scaling(crowd, each)]


def _cases(bench: lb.Bench, peer: duckdb.DuckDBPyConnection) -> list[Case]:
    given: dict[str, object] = {"low": 10, "high": 12}
    ready = bench.prepare(ASKED)

    def asked() -> pa.Table:
        return peer.sql(ASKED, params=given).to_arrow_table()

    plain = Contender(DUCKDB, lambda: peer.sql(PLAIN).to_arrow_table())
    return [
        Case(
            "small query",
            (plain, Contender(LUMA, lambda: bench.kadeql(PLAIN, cache=False).to_arrow())),
            same_rows,
        ),
        Case(
            "prepared",
            (Contender(DUCKDB, asked), Contender(LUMA, lambda: ready.run(given, cache=False).to_arrow())),
            same_rows,
        ),
        Case("cached answer", (plain, Contender(LUMA, lambda: bench.kadeql(PLAIN).to_arrow())), same_rows),
    ]


def _crowd(bench: lb.Bench, peer: duckdb.DuckDBPyConnection, each: int) -> list[Case]:
    """The same number of questions, by one thread and by eight."""

    def ours() -> Callable[[str], object]:
        return lambda text: bench.kadeql(text, cache=False).to_arrow()

    def theirs() -> Callable[[str], object]:
        con = peer.cursor()
        return lambda text: con.sql(text).to_arrow_table()

    return [
        Case(
            "one thread" if threads == 1 else f"{threads} threads",
            (
                Contender(DUCKDB, lambda threads=threads: _together(theirs, threads, each)),
                Contender(LUMA, lambda threads=threads: _together(ours, threads, each)),
            ),
        )
        for threads in (1, THREADS)
    ]


def _together(make: Callable[[], Callable[[str], object]], threads: int, each: int) -> None:
    """All the questions, shared out; a thread that fails fails the run."""
    failed: list[BaseException] = []
    gate = threading.Barrier(threads)

    def work() -> None:
        try:
            ask = make()
            gate.wait()
            for i in range(THREADS * each // threads):
                ask(MIX[i % len(MIX)])
        except BaseException as error:
            gate.abort()
            failed.append(error)

    crew = [threading.Thread(target=work) for _ in range(threads)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    if failed:
        raise failed[0]


def _latency(timings: tuple[Timing, ...], rounds: int) -> SuiteResult:
    median = {timing.case: timing.median for timing in timings if timing.contender == LUMA}
    return SuiteResult(
        "sql-small",
        f"Small questions over {ROWS:,} rows, median and 99th percentile of {rounds} calls",
        LUMA,
        DUCKDB,
        timings,
        (
            Target("small query, median", median["small query"], 2e-3, "s"),
            Target("prepared, median", median["prepared"], 1.5e-3, "s"),
            Target("cached answer, median", median["cached answer"], 0.5e-3, "s"),
        ),
        ("DuckDB has no result cache: its query stands beside the cached answer for scale.",),
        tails=True,
    )


def _scaling(timings: tuple[Timing, ...], each: int) -> SuiteResult:
    result = SuiteResult(
        "sql-threads",
        f"{THREADS * each:,} small questions of four kinds, by one thread and by {THREADS}",
        LUMA,
        DUCKDB,
        timings,
    )
    best = {(timing.case, timing.contender): timing.median for timing in timings}
    many = f"{THREADS} threads"
    gain = {name: best["one thread", name] / best[many, name] for name in (LUMA, DUCKDB)}
    return replace(
        result,
        targets=(Target(f"{THREADS} threads against one", gain[LUMA], 1.6, " x", at_least=True),),
        notes=(f"{DUCKDB} gains {gain[DUCKDB]:.2f} x, each thread on a cursor of its own.",),
    )


def _tables() -> dict[str, pa.Table]:
    rng = np.random.default_rng(7)
    origins = np.array(["EWR", "JFK", "LGA", "BTV", "ORD"])
    legs = {
        "origin": origins[rng.integers(0, len(origins), ROWS)],
        "day": rng.integers(1, 366, ROWS),
        "delay": rng.normal(12.0, 30.0, ROWS),
    }
    places = {"origin": origins, "city": ["Newark", "New York", "New York", "Burlington", "Chicago"]}
    return {"legs": pa.table(legs), "places": pa.table(places)}
