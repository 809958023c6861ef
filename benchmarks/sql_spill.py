"""More than memory: a join of TPC-H's two largest tables under a limit that its hash table does not fit in.

Each contender runs in a process of its own, so that its peak is its own. It needs about 8 GB of disk at scale factor 10.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import luma_bench as lb
from benchmarks import tpch_data
from benchmarks.harness import DisagreementError, SuiteResult, Target, Timing
from benchmarks.suite import Request

LUMA, PARQUET = "luma", "duckdb/parquet"
SCALE, LIMIT, POOL = 10.0, 1_000_000_000, 256 << 20
ROOM = 14 << 30
"""Bytes of free disk that the suite asks for."""
JOIN = (
    "SELECT count(*) AS n, sum(l_extendedprice) AS price, max(l_comment) AS last, max(o_comment) AS word, "
    "max(o_clerk) AS clerk FROM lineitem JOIN orders ON l_orderkey = o_orderkey WHERE l_comment > o_comment"
)
TABLES = ("lineitem", "orders")


def run(request: Request) -> SuiteResult:
    """Join once under the limit in each way; the answers must agree and something must have been spilled."""
    scale = 0.1 if request.quick else SCALE
    request.folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(request.folder).free
    if not request.quick and free < ROOM:
        raise OSError(f"{request.folder} has {free / 1e9:.0f} GB free; this suite takes {ROOM / 1e9:.0f} GB.")
    with request.scratch() as folder:
        made = tpch_data.generate(scale, folder)
        files = {table: str(made[table]) for table in TABLES}
        with lb.open(folder / "spill.luma", threads=request.threads) as bench:
            for table, file in files.items():
                bench.write(table, file)
        ran = {name: _apart(name, folder, files, request.threads) for name in (PARQUET, LUMA)}
    if ran[LUMA]["answer"] != ran[PARQUET]["answer"]:
        raise DisagreementError(f"{LUMA} {ran[LUMA]['answer']}, {PARQUET} {ran[PARQUET]['answer']}")
    ours = ran[LUMA]
    return SuiteResult(
        "sql-spill",
        f"lineitem joined with orders, scale factor {scale:g}, memory limit {LIMIT / 1e9:g} GB, first run",
        LUMA,
        PARQUET,
        tuple(Timing("join", name, (one["seconds"],)) for name, one in ran.items()),
        (Target("spilled at least", ours["spilled"] / 1e6, 1.0, " MB", at_least=True),),
        (
            *(
                f"{name}: {one['spilled'] / 1e6:.0f} MB spilled, the process took {one['peak'] / 1e6:.0f} MB at most."
                for name, one in ran.items()
            ),
            f"{LUMA} keeps a pool of {POOL >> 20} MB of decoded chunks beside the limit.",
        ),
    )


def _apart(name: str, folder: Path, files: Mapping[str, str], threads: int) -> dict[str, float]:
    """Run one contender in a process whose temporary folder is watched."""
    spill = folder / f"spill-{name.replace('/', '-')}"
    spill.mkdir()
    order = json.dumps(
        {"name": name, "folder": str(folder), "files": files, "threads": threads, "spill": str(spill)}
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sql_spill", order],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(spill)},
    )
    largest, done = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(spill, largest, done))
    watcher.start()
    try:
        output, _ = process.communicate()
    finally:
        done.set()
        watcher.join()
    if process.returncode:
        raise RuntimeError(f"{name} ended with {process.returncode} under the memory limit.")
    return {**json.loads(output), "spilled": largest[0]}


def _watch(folder: Path, largest: list[int], done: threading.Event) -> None:
    while not done.wait(0.05):
        largest[0] = max(largest[0], sum(_size(path) for path in folder.rglob("*")))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0


def _alone(order: dict[str, object]) -> dict[str, object]:
    """The child's work: one join, its answer, its seconds and its largest size in memory."""
    folder, threads = Path(str(order["folder"])), int(str(order["threads"]))
    started = time.perf_counter()
    if order["name"] == LUMA:
        with lb.open(
            folder / "spill.luma", mode="r", threads=threads, memory_limit=LIMIT, pool_bytes=POOL
        ) as bench:
            answer = bench.kadeql(JOIN).to_arrow().to_pylist()
    else:
        import duckdb

        options: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads,
            "memory_limit": f"{LIMIT}B",
            "temp_directory": str(order["spill"]),
        }
        con = duckdb.connect(config=options)
        files = order["files"]
        assert isinstance(files, dict)
        for table, file in files.items():
            con.execute(f"CREATE VIEW {table} AS FROM read_parquet('{file}')")
        answer = con.sql(JOIN).to_arrow_table().to_pylist()
        con.close()
    seconds = time.perf_counter() - started
    return {"answer": repr(answer), "seconds": seconds, "peak": _peak()}


def _peak() -> int:
    """The most bytes this process had in memory; `getrusage` would count those of its parent."""
    status = Path("/proc/self/status").read_text("ascii")
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


if __name__ == "__main__":
    print(json.dumps(_alone(json.loads(sys.argv[1]))))
