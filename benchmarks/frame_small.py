"""What a frame costs before an engine does anything: building a long chain, its text, and a tiny frame's rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

import luma_bench as lb
from benchmarks.agreement import same_rows
from benchmarks.harness import Case, Contender, SuiteResult, Target, measure
from benchmarks.suite import Request

FRAME, KADEQL = "luma frame", "luma kadeql"
ROWS, OPERATIONS = 1_000, 30
BUILT, WRITTEN, TINY, CHAINED = f"{OPERATIONS} operations built", "… and written", "tiny frame", "… and run"


def run(request: Request) -> SuiteResult:
    """Medians and 99th percentiles of many calls."""
    rounds = 40 if request.quick else 300
    with (
        request.scratch() as folder,
        lb.open(folder / "small.luma", threads=request.threads, result_cache_bytes=0) as bench,
    ):
        for name, table in _tables().items():
            bench.write(name, table)
        text, chained = tiny(bench).kadeql, chain(bench).kadeql
        timings = measure(
            [
                Case(BUILT, (Contender(FRAME, lambda: chain(bench)),)),
                Case(WRITTEN, (Contender(FRAME, lambda: chain(bench).kadeql),)),
                Case(
                    TINY,
                    (
                        Contender(KADEQL, lambda: bench.kadeql(text).to_arrow()),
                        Contender(FRAME, lambda: tiny(bench).to_arrow()),
                    ),
                    same_rows,
                ),
                Case(
                    CHAINED,
                    (
                        Contender(KADEQL, lambda: bench.kadeql(chained).to_arrow()),
                        Contender(FRAME, lambda: chain(bench).to_arrow()),
                    ),
                    same_rows,
                ),
            ],
            rounds=rounds,
            warmup=5,
        )
    median = {timing.case: timing.median for timing in timings if timing.contender == FRAME}
    return SuiteResult(
        "frame-small",
        f"Frames over {ROWS:,} rows: built, written as text and run; median and 99th percentile of {rounds} calls",
        FRAME,
        KADEQL,
        timings,
        (
            Target(f"a chain of {OPERATIONS} operations is built, median", median[BUILT], 10e-3, "s"),
            Target("a tiny frame's rows, median", median[TINY], 3e-3, "s"),
        ),
        (f"A tiny frame is a filter, a grouping and a sort of {ROWS:,} rows, built anew for every call.",),
        tails=True,
    )


def tiny(bench: lb.Bench) -> Any:
    """Three operations."""
    legs = bench.table("legs")
    late = legs[legs["delay"] > 0].groupby("origin").agg(n=("day", "count"), late=("delay", "mean"))
    return late.sort_values("late")


def chain(bench: lb.Bench) -> Any:
    """Thirty operations of all kinds: columns, conditions, joins, groupings, orders."""
    frame, places = bench.table("legs"), bench.table("places")
    for turn in range(4):
        frame = frame.assign(**{f"a{turn}": frame["delay"] * (turn + 1), f"b{turn}": lambda f: f["day"] % 7})
        frame = frame[frame[f"a{turn}"] > -1000 * turn]
        frame = frame.rename(columns={f"b{turn}": f"w{turn}"})
        frame = frame.query(f"w{turn} >= 0")
        frame = frame.drop(columns=f"a{turn}")
        frame = frame.sort_values(["day", "origin"])
    frame = frame.merge(places, on="origin")
    frame = frame.assign(hours=lambda f: f["delay"] / 60)
    frame = frame[frame["city"].notna()]
    frame = frame.groupby(["city", "w0"]).agg(n=("day", "count"), hours=("hours", "sum"))
    frame = frame.sort_values(["hours", "city", "w0"])
    return frame.head(20)


def _tables() -> dict[str, pa.Table]:
    random = np.random.default_rng(11)
    origins = np.array(["EWR", "JFK", "LGA", "BTV", "ORD"])
    legs = {
        "origin": origins[random.integers(0, len(origins), ROWS)],
        "day": random.integers(1, 366, ROWS),
        "delay": random.normal(12.0, 30.0, ROWS),
    }
    places = {"origin": origins, "city": ["Newark", "New York", "New York", "Burlington", "Chicago"]}
    return {"legs": pa.table(legs), "places": pa.table(places)}
