"""Compacted tables: what they take on disk, column by column against Gorilla, and what reading them costs in CPU time."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

import luma_bench as lb
from benchmarks import sensors
from benchmarks.agreement import same_rows
from benchmarks.harness import Case, Contender, SuiteResult, Target, Timing, measure
from benchmarks.storage_tables import LUMA, PARQUET, Kept, keep, tables
from benchmarks.suite import Request
from luma_bench.storage.segment import Segment
from luma_bench.storage.store import Store

GROUPED = (
    "SELECT sensor, avg(temperature) AS t, max(humidity) AS h, count(*) AS n FROM readings GROUP BY sensor"
)
PROJECTED = {
    "readings": ["sensor", "temperature"],
    "lineitem": ["l_quantity", "l_extendedprice", "l_discount", "l_tax", "l_shipdate"],
}


def run(request: Request) -> SuiteResult:
    """Sizes, full and projected reads (MB of Arrow per CPU-second), GROUP BY cold and hot, one per cent of the time."""
    timings: list[Timing] = []
    targets: list[Target] = []
    notes: list[str] = []
    with request.scratch() as folder, ExitStack() as stack:
        for name, table in tables(request).items():
            kept = keep(name, table, folder, request.threads, stack)
            sizes = {form: one.nbytes for form, one in kept.items()}
            notes.append(
                f"{name}, {table.num_rows:,} rows, {table.nbytes / 1e6:.0f} MB of Arrow: "
                + ", ".join(f"{form} {size / 1e6:.1f} MB" for form, size in sizes.items())
                + "."
            )
            targets.append(Target(f"{name}: size of {PARQUET}", sizes[LUMA] / sizes[PARQUET], 0.8, " x"))
            if name == "readings":
                more, facts = _against_gorilla(kept[LUMA].path, table)
                targets += more
                notes += facts
            for label, columns in (("all columns", None), ("some columns", PROJECTED[name])):
                nbytes = (table if columns is None else table.select(columns)).nbytes
                found = _cpu(f"{name}, {label}", kept, columns, nbytes, request.rounds)
                timings += found
                speed = {t.contender: nbytes / t.median for t in found}
                title = f"{name}, {label}: MB per CPU-second of {PARQUET}"
                targets.append(Target(title, speed[LUMA] / speed[PARQUET], 1.0, " x", at_least=True))
            if name == "readings":
                found = _questions(request, kept, table)
                timings += found
                targets += _question_targets(found)
    return SuiteResult(
        "storage-scan",
        "Compacted tables: CPU seconds to read them, nothing pooled; elapsed seconds of questions, cold without a pool",
        LUMA,
        PARQUET,
        tuple(timings),
        tuple(targets),
        tuple(notes),
    )


def _against_gorilla(path: Path, table: pa.Table) -> tuple[list[Target], list[str]]:
    """Each column's bytes in the compacted segments against an exact count of Gorilla's bits, and against raw."""
    sizes = _column_bytes(path, "readings")
    exact = {name: sensors.gorilla_bytes(table[name].to_numpy()) for name in sensors.WALKS}
    exact["ts"] = sensors.gorilla_time_bytes(table["ts"].cast(pa.int64()).to_numpy())
    raw = 8 * table.num_rows
    targets = [
        Target(f"{name}: size of an exact Gorilla count", sizes[name] / gorilla, 1.0, " x")
        for name, gorilla in exact.items()
    ]
    targets += [
        Target(f"{name}: smaller than raw", raw / sizes[name], 8.0, " x", at_least=True)
        for name in ("temperature", "humidity")
    ]
    facts = ", ".join(
        f"{name} {size / 1e6:.2f} MB" + (f" (Gorilla {exact[name] / 1e6:.2f})" if name in exact else "")
        for name, size in sizes.items()
    )
    return targets, [f"readings by column: {facts}."]


def _column_bytes(path: Path, table: str) -> dict[str, int]:
    """Bytes of each column in the segments of a table, dictionaries and validity among them."""
    with Store.open(path, mode="r") as store:
        snapshot = store.resolve()
        schema = snapshot.find(table)
        sizes = dict.fromkeys(schema.names, 0)
        names = {column.id: column.name for column in schema.columns}
        for ref in snapshot.segments(schema.id):
            index = Segment.open(ref).index
            for name, array in index.arrays.items():
                root = name.split(".")[0][1:]
                if root.isdigit() and int(root) in names:
                    at = slice(array.first, array.first + array.chunks)
                    sizes[names[int(root)]] += int(index.chunks.length[at].sum())
    return sizes


def _cpu(
    case: str, kept: dict[str, Kept], columns: list[str] | None, nbytes: int, rounds: int
) -> list[Timing]:
    """CPU seconds of the whole process for each reading, interleaved."""
    seconds: dict[str, list[float]] = {name: [] for name in kept}
    for turn in range(rounds + 1):
        for name, one in kept.items():
            started = time.process_time()
            rows = one.read(columns).num_rows
            spent = time.process_time() - started
            if turn:
                seconds[name].append(spent)
            elif rows != next(iter(kept.values())).read(columns[:1] if columns else None).num_rows:
                raise AssertionError(f"{name}: {rows} rows")
    return [Timing(case, name, tuple(found), nbytes) for name, found in seconds.items()]


def _questions(request: Request, kept: dict[str, Kept], table: pa.Table) -> tuple[Timing, ...]:
    parquet = duckdb.connect(config={"threads": request.threads})
    parquet.execute(f"CREATE VIEW readings AS FROM '{kept[PARQUET].path}'")
    times = table["ts"].cast(pa.int64()).to_numpy()
    low, high = np.quantile(times, [0.50, 0.51]).astype(np.int64).tolist()
    ranged = (
        "SELECT count(*) AS n, avg(temperature) AS t, max(voltage) AS v FROM readings "
        f"WHERE ts >= make_timestamp({low}) AND ts < make_timestamp({high})"
    )
    path, threads = kept[LUMA].path, request.threads
    with (
        lb.open(path, mode="r", threads=threads) as hot,
        lb.open(path, mode="r", threads=threads, pool_bytes=1) as cold,
    ):

        def peer(question: str) -> Contender:
            return Contender(PARQUET, lambda: parquet.sql(question).to_arrow_table())

        cases = [
            Case(
                "GROUP BY sensor, cold",
                (peer(GROUPED), Contender(LUMA, lambda: cold.kadeql(GROUPED, cache=False).to_arrow())),
                same_rows,
            ),
            Case(
                "GROUP BY sensor, hot",
                (peer(GROUPED), Contender(LUMA, lambda: hot.kadeql(GROUPED, cache=False).to_arrow())),
                same_rows,
            ),
            Case(
                "1 % of the time",
                (peer(ranged), Contender(LUMA, lambda: hot.kadeql(ranged, cache=False).to_arrow())),
                same_rows,
            ),
        ]
        return measure(cases, rounds=max(5, request.rounds))


def _question_targets(timings: tuple[Timing, ...]) -> list[Target]:
    limits = {"GROUP BY sensor, cold": 1.0, "GROUP BY sensor, hot": 0.7, "1 % of the time": 0.3}
    medians = {(timing.case, timing.contender): timing.median for timing in timings}
    return [
        Target(
            f"{case} against DuckDB over Parquet", medians[case, LUMA] / medians[case, PARQUET], limit, " x"
        )
        for case, limit in limits.items()
    ]
