"""What a cluster does besides answering: a worker dies, somebody cancels, a plan has ten thousand fragments, a small side travels."""

from __future__ import annotations

import os
import signal
import statistics
import threading
import time
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

import luma_bench as lb
from benchmarks import tpch_data
from benchmarks.agreement import same_rows
from benchmarks.engines_ours import ask
from benchmarks.engines_plans import FRAGMENTS, KINDS, planned
from benchmarks.engines_tpch import stored
from benchmarks.engines_workers import WORKERS, Moved, pids, whole_again, workers
from benchmarks.harness import Case, Contender, SuiteResult, Target, Timing, measure
from benchmarks.suite import Request

CLEAN, KILLED, CANCEL, PLAN = "clean", "a worker killed", "cancelled", "planned"
QUERIES = ("q09", "q18", "q21")
"""Among the longest: they read the large table once, twice and three times."""
_WHEN = 0.4
"""Where in a query's clean time a worker dies."""
ENDLESS = "SELECT count(*) AS n FROM lineitem a JOIN lineitem b ON a.l_linenumber = b.l_linenumber WHERE a.l_comment || b.l_comment < b.l_comment || a.l_comment"
"""It runs for minutes at least: each line meets a seventh or so of all others."""
BROADCAST = (
    "SELECT l_shipmode, count(*) AS n, sum(l_extendedprice) AS s FROM lineitem, "
    "(SELECT DISTINCT o_orderkey FROM orders WHERE o_orderdate >= DATE '1995-03-01' AND o_orderdate < DATE '1995-04-01') AS chosen "
    "WHERE l_orderkey = o_orderkey GROUP BY l_shipmode ORDER BY l_shipmode"
)
SIDE = "SELECT DISTINCT o_orderkey FROM orders WHERE o_orderdate >= DATE '1995-03-01' AND o_orderdate < DATE '1995-04-01'"
"""The small side of `BROADCAST`: its distinct keys are made by the workers, and every task of the large side needs them."""


def run(request: Request) -> SuiteResult:
    """Kill, cancel, plan and count, on a cluster of this machine."""
    scale = 0.01 if request.quick else request.scale
    files = tpch_data.generate(scale, request.data)
    with request.scratch() as folder:
        path = folder / "tpch.luma"
        stored(path, files, request.threads)
        with workers() as client, lb.open(path, mode="r", threads=request.threads, cluster=client) as bench:
            timings = list(_killing(bench, client, request))
            cancelled = _cancelling(bench, request.rounds)
            moved, side = _broadcasting(bench, client)
        plans = {
            f"{FRAGMENTS:,} fragments, {kind}": tuple(planned(kind, files) for _ in range(request.rounds))
            for kind in KINDS
        }
    timings.append(Timing("cancel", CANCEL, tuple(cancelled)))
    timings += [Timing(name, PLAN, seconds) for name, seconds in plans.items()]
    result = SuiteResult(
        f"engines-cluster-{scale:g}",
        f"A cluster of {WORKERS} worker processes in trouble; TPC-H, scale factor {scale:g}",
        KILLED,
        CLEAN,
        tuple(timings),
    )
    shares = [ratio for name in QUERIES if (ratio := result.ratio(name, KILLED)) is not None]
    return SuiteResult(
        result.name,
        result.title,
        KILLED,
        CLEAN,
        result.timings,
        (
            Target("with a worker killed, the worst", max(shares), 1.6, " x"),
            Target("cancel, the slowest", max(cancelled), 1.0, "s"),
            *(Target(name, statistics.median(seconds), 1.0, "s") for name, seconds in plans.items()),
            Target(
                "bytes between workers for a broadcast, over small side times workers",
                moved / (side * WORKERS),
                1.0,
                " x",
            ),
        ),
        (
            f"A worker gets SIGKILL after {_WHEN:.0%} of the clean time; the answer is compared with the clean one.",
            f"The broadcast's small side has {side:,} bytes; workers fetched {moved:,} bytes from each other.",
            "Cancelled is from the call until the waiting caller has its error.",
        ),
    )


def _killing(bench: lb.Bench, client: Any, request: Request) -> Sequence[Timing]:
    clean: dict[str, float] = {}
    for name in QUERIES:
        ask(bench, name, "dask")
        began = time.perf_counter()
        ask(bench, name, "dask")
        clean[name] = time.perf_counter() - began

    def people() -> None:
        whole_again(client)
        time.sleep(1.0)  # a worker that has just started still loads its libraries

    def dying(name: str) -> pa.Table:
        victim = next(iter(pids(client).values()))
        timer = threading.Timer(_WHEN * clean[name], os.kill, (victim, signal.SIGKILL))
        timer.start()
        try:
            return ask(bench, name, "dask")
        finally:
            timer.cancel()
            timer.join()

    def case(name: str) -> Case:
        def agree(left: pa.Table, right: pa.Table) -> None:
            same_rows(left, right, ordered=name in tpch_data.TOTALLY_ORDERED)

        return Case(
            name,
            (
                Contender(CLEAN, lambda: ask(bench, name, "dask"), people),
                Contender(KILLED, lambda: dying(name), people),
            ),
            agree,
        )

    found = measure(
        [case(name) for name in QUERIES],
        rounds=request.rounds,
        on_case=lambda done, _: request.out.print(done.name, end=" "),
    )
    request.out.print()
    people()
    return found


def _cancelling(bench: lb.Bench, rounds: int) -> list[float]:
    """Seconds from a cancel until the caller who waits has its error, early and late in a query."""
    found: list[float] = []
    for after in [0.3, 1.0, 3.0][: max(1, rounds)]:
        outcome: list[object] = []

        def wait(outcome: list[object] = outcome) -> None:
            try:
                outcome.append(bench.kadeql(ENDLESS, engine="dask", strict=True, cache=False))
            except lb.errors.CancelledError as error:
                outcome.append(error)

        caller = threading.Thread(target=wait)
        caller.start()
        time.sleep(after)
        began = time.perf_counter()
        bench.cancel()
        caller.join(60)
        found.append(time.perf_counter() - began)
        if caller.is_alive() or not outcome or not isinstance(outcome[0], lb.errors.CancelledError):
            raise AssertionError(f"a query cancelled after {after} s ended with {outcome or 'nothing'}")
    return found


def _broadcasting(bench: lb.Bench, client: Any) -> tuple[int, int]:
    """What workers fetched from each other for a join with a small side, and that side's size."""
    side = bench.kadeql(SIDE, engine="duckdb", cache=False).to_arrow().nbytes
    expected = bench.kadeql(BROADCAST, engine="duckdb", cache=False).to_arrow()
    moved = Moved.since_now(client)
    found = bench.kadeql(BROADCAST, engine="dask", strict=True, cache=False).to_arrow()
    same_rows(expected, found, ordered=True)
    return moved.nbytes(), side
