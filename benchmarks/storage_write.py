"""Durable writes: bulk ingest against the disk and DuckDB, small commits, the queue of writers, keys, opening."""

from __future__ import annotations

import os
import shutil
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import sqlalchemy as sa

import luma_bench as lb
from benchmarks import sensors
from benchmarks.environment import fdatasync_p50
from benchmarks.harness import SuiteResult, Target, Timing
from benchmarks.storage_tables import SENSOR_ROWS
from benchmarks.suite import Request
from luma_bench.storage.catalog.tables import SEGMENT
from luma_bench.storage.store import Store

LUMA, DUCKDB, DISK = "luma", "duckdb INSERT", "the disk alone"


def run(request: Request) -> SuiteResult:
    """Each part gives its timings, targets and a note with absolute figures."""
    timings: list[Timing] = []
    targets: list[Target] = []
    notes: list[str] = []
    with request.scratch() as folder:
        for part in (_ingest, _commits, _queue, _keys, _open):
            found, promised, said = part(request, folder)
            timings += found
            targets += promised
            notes += said
    return SuiteResult(
        "storage-write",
        "Durable writes and look-ups",
        LUMA,
        DUCKDB,
        tuple(timings),
        tuple(targets),
        tuple(notes),
    )


Part = tuple[list[Timing], list[Target], list[str]]


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _ingest(request: Request, folder: Path) -> Part:
    table = sensors.generate(int(SENSOR_ROWS * request.scale))
    seconds: dict[str, list[float]] = {LUMA: [], DUCKDB: [], DISK: []}
    written = 0
    for _ in range(max(3, request.rounds // 2)):
        shutil.rmtree(folder / "ingest.luma", ignore_errors=True)
        (folder / "ingest.duckdb").unlink(missing_ok=True)
        with lb.open(folder / "ingest.luma", threads=request.threads) as bench:
            seconds[LUMA].append(
                _timed(lambda: bench.write("readings", table, time_column="ts", series_key="sensor"))
            )
        written = sum(file.stat().st_size for file in (folder / "ingest.luma").rglob("*") if file.is_file())
        seconds[DISK].append(_timed(lambda: _sequential(folder / "raw", written)))  # noqa: B023
        with duckdb.connect(str(folder / "ingest.duckdb"), config={"threads": request.threads}) as peer:
            peer.register("given", table)
            peer.execute("CREATE TABLE readings AS SELECT * FROM given LIMIT 0")

            def insert(peer: duckdb.DuckDBPyConnection = peer) -> None:
                peer.execute("INSERT INTO readings SELECT * FROM given")
                peer.execute("CHECKPOINT")

            seconds[DUCKDB].append(_timed(insert))
    found = [Timing("bulk ingest", name, tuple(values)) for name, values in seconds.items()]
    rate = {name: table.num_rows / statistics.median(values) / 1e6 for name, values in seconds.items()}
    note = (
        f"Bulk ingest of {table.num_rows:,} readings: {rate[LUMA]:.2f}M rows/s durable, DuckDB {rate[DUCKDB]:.2f}M; "
        f"the disk alone writes the same {written / 1e6:.0f} MB at {rate[DISK]:.1f}M rows/s."
    )
    targets = [
        Target("bulk ingest, million rows/s", rate[LUMA], 2.5, "M", at_least=True),
        Target(
            "bulk ingest against DuckDB's INSERT from Arrow",
            rate[LUMA] / rate[DUCKDB],
            3.0,
            " x",
            at_least=True,
        ),
    ]
    return found, targets, [note]


def _sequential(path: Path, nbytes: int) -> None:
    block = os.urandom(1 << 20)
    with path.open("wb") as stream:
        for _ in range(-(-nbytes // len(block))):
            stream.write(block)
        stream.flush()
        os.fsync(stream.fileno())
    path.unlink()


def _commits(request: Request, folder: Path) -> Part:
    count = 100 if request.quick else 600
    with lb.open(folder / "commits.luma") as bench:
        bench.write("t", {"a": [0], "b": ["x"]})
        row = pa.table({"a": [1], "b": ["y"]})
        ours: list[float] = []
        disk: list[float] = []
        for number in range(count):
            ours.append(_timed(lambda: bench.write("t", row, mode="append")))
            if number % 10 == 0:
                disk.append(fdatasync_p50(folder, calls=5))
    ratio = statistics.median(ours) / statistics.median(disk)
    note = (
        f"Small durable commit: p50 {statistics.median(ours) * 1e3:.2f} ms, p99 {np.quantile(ours, 0.99) * 1e3:.2f} ms; "
        f"fdatasync of 4 KiB beside it p50 {statistics.median(disk) * 1e3:.2f} ms."
    )
    return (
        [Timing("small commit", LUMA, tuple(ours))],
        [Target("small commit against fdatasync", ratio, 1.8, " x")],
        [note],
    )


def _queue(request: Request, folder: Path) -> Part:
    """Eight threads on one bench, against eight on benches (and so connections) of their own."""
    seconds = 1.0 if request.quick else 3.0
    row = pa.table({"a": [1]})

    def rate(path: Path, *, shared: bool) -> tuple[float, list[int]]:
        with lb.open(path) as bench:
            bench.write("t", {"a": [0]})
            handles = [bench if shared else lb.open(path) for _ in range(8)]
            counts = [0] * 8
            until = time.perf_counter() + seconds

            def work(number: int) -> None:
                while time.perf_counter() < until:
                    handles[number].write("t", row, mode="append")
                    counts[number] += 1

            threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
            started = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            spent = time.perf_counter() - started
            for handle in handles if not shared else ():
                handle.close()
        return sum(counts) / spent, counts

    queued, fair = rate(folder / "queue.luma", shared=True)
    apart, unfair = rate(folder / "apart.luma", shared=False)
    note = (
        f"8 writers for {seconds:.0f} s: {queued:,.0f} commits/s through the queue (each {min(fair)} to {max(fair)}), "
        f"{apart:,.0f} on connections of their own (each {min(unfair)} to {max(unfair)})."
    )
    return (
        [],
        [Target("queue of 8 writers against separate connections", queued / apart, 2.0, " x", at_least=True)],
        [note],
    )


def _keys(request: Request, folder: Path) -> Part:
    rows = int(10_000_000 * request.scale)
    some = rows // 10
    random = np.random.default_rng(3)
    with lb.open(folder / "keys.luma", threads=request.threads) as bench:
        # Even keys in any order: an append of odd ones has to look among all of them, as an upsert does.
        keys = 2 * random.permutation(rows)
        bench.write("kv", {"k": keys, "v": random.normal(size=rows)}, primary_key="k")
        odd = 2 * random.choice(rows, some, replace=False) + 1
        fresh = pa.table({"k": odd, "v": random.normal(size=some)})
        append = _timed(lambda: bench.write("kv", fresh, mode="append"))
        changed = pa.table({"k": 2 * random.choice(rows, some, replace=False), "v": random.normal(size=some)})
        upsert = _timed(lambda: bench.write("kv", changed, mode="upsert"))
        wanted = (2 * random.integers(0, rows, 4_000)).tolist()
        # Warm: the pool holds the chunks of keys and values that a look-up may need.
        bench.get_many("kv", (2 * random.choice(rows, rows // 50, replace=False)).tolist())
        looked = [_timed(lambda key=key: bench.get("kv", key)) for key in wanted]
    p50, p99 = (float(np.quantile(looked, q)) * 1e3 for q in (0.5, 0.99))
    note = (
        f"Keys over {rows:,} rows: look-up p50 {p50:.3f} ms, p99 {p99:.3f} ms; append of {some:,} rows {append:.2f} s, "
        f"upsert of {some:,} {upsert:.2f} s."
    )
    targets = [
        Target("look-up p50, ms", p50, 0.2, " ms"),
        Target("look-up p99, ms", p99, 1.0, " ms"),
        Target("upsert against append", upsert / append, 2.0, " x"),
    ]
    return [Timing("look-up by key", LUMA, tuple(looked))], targets, [note]


def _open(request: Request, folder: Path) -> Part:
    """Opening a bench whose catalog lists 100,000 segments of one table, and what the first use of that table costs."""
    path = folder / "many.luma"
    with Store.open(path) as store:
        store.write("t", {"n": np.arange(100_000)})
        one = store._catalog.read(
            lambda connection: dict(connection.execute(SEGMENT.select()).mappings().one())
        )
        copies = [
            one
            | {
                "ulid": f"{number:026}",
                "first_row_id": number * 100_000,
                "last_row_id": number * 100_000 + 99_999,
            }
            for number in range(1, 10_000 if request.quick else 100_000)
        ]
        store._catalog.write(lambda connection: connection.execute(sa.insert(SEGMENT), copies))

    def opened() -> None:
        with lb.open(path, mode="r") as bench:
            bench.tables()

    seconds = [_timed(opened) for _ in range(7)]
    with lb.open(path, mode="r") as bench:
        pinned = bench._store.resolve()
        first = _timed(lambda: pinned.segments(pinned.find("t").id))
    p50 = statistics.median(seconds) * 1e3
    note = f"A bench of {len(copies) + 1:,} segments: open and list its tables {p50:.1f} ms; the first look at that table {first:.2f} s."
    return (
        [Timing("open, many segments", LUMA, tuple(seconds))],
        [Target("open, ms", p50, 300.0, " ms")],
        [note],
    )
