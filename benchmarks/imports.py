"""How long the first cell waits: the import, the first bench of a process and the next one, in fresh processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import SuiteResult, Target, Timing
from benchmarks.suite import Request

LUMA, PEER = "luma", "duckdb"

PROBE = """
import json, sys, time
started = time.perf_counter()
{imports}
imported = time.perf_counter()
with {open}(sys.argv[1] + "/first{suffix}") as bench:
    first = time.perf_counter()
with {open}(sys.argv[1] + "/second{suffix}") as bench:
    second = time.perf_counter()
    bench.{ask}("SELECT 1 AS one").{arrow}()
    asked = time.perf_counter()
print(json.dumps({{"import": imported - started, "first open": first - imported, "second open": second - first,
                   "first query": asked - second, "all four": asked - started}}))
"""
PROBES = {
    PEER: PROBE.format(
        imports="import duckdb, pyarrow",
        open="duckdb.connect",
        suffix=".duckdb",
        ask="sql",
        arrow="to_arrow_table",
    ),
    LUMA: PROBE.format(
        imports="import luma_bench as lb", open="lb.open", suffix=".luma", ask="kadeql", arrow="to_arrow"
    ),
}

LIMITS = {"import": 0.5, "first open": 0.4, "second open": 0.05}


def run(request: Request) -> SuiteResult:
    """Each round starts one process of each, so no cache of a process is shared; files are warm after the first."""
    rounds = 3 if request.quick else 9
    seconds: dict[tuple[str, str], list[float]] = {}
    with request.scratch() as folder:
        for turn in range(rounds + 1):
            for contender, probe in PROBES.items():
                home = folder / f"{turn}-{contender}"
                home.mkdir()
                for case, taken in _probe(probe, [str(home)]).items():
                    if turn:  # the first process warms the disk's cache
                        seconds.setdefault((case, contender), []).append(taken)
    timings = tuple(Timing(case, contender, tuple(found)) for (case, contender), found in seconds.items())
    median = {timing.case: timing.median for timing in timings if timing.contender == LUMA}
    return SuiteResult(
        "imports",
        f"Starting: median of {rounds} fresh processes, files warm",
        LUMA,
        PEER,
        timings,
        tuple(Target(case, median[case], limit, "s") for case, limit in LIMITS.items()),
        ("An open makes a new bench, or database file; the first query is SELECT 1 AS one, as Arrow.",),
    )


def _probe(code: str, arguments: Sequence[str]) -> dict[str, float]:
    command = [sys.executable, "-c", code, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    return json.loads(ran.stdout)
