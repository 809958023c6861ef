"""Writing lineitem durably: the bench's store against Parquet and Feather files, and what each takes on disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

import luma_bench as lb
from benchmarks import tpch_data
from benchmarks.harness import Case, Contender, DisagreementError, SuiteResult, Target, measure
from benchmarks.suite import Request

LUMA, PARQUET, FEATHER = "luma", "parquet zstd", "feather zstd"


def run(request: Request) -> SuiteResult:
    """Write the same Arrow table to each, synced to disk, and read it back to see that it is the same."""
    files = tpch_data.generate(request.scale, request.data)
    table = pq.read_table(files["lineitem"])
    with request.scratch() as folder:
        targets = {
            LUMA: folder / "write.luma",
            PARQUET: folder / "write.parquet",
            FEATHER: folder / "write.feather",
        }
        case = Case(
            "lineitem",
            (
                Contender(
                    PARQUET,
                    _file(targets[PARQUET], lambda path: pq.write_table(table, path, compression="zstd")),
                    _gone(targets[PARQUET]),
                ),
                Contender(LUMA, lambda: _bench(targets[LUMA], table, request.threads), _gone(targets[LUMA])),
                Contender(
                    FEATHER,
                    _file(
                        targets[FEATHER], lambda path: feather.write_feather(table, path, compression="zstd")
                    ),
                    _gone(targets[FEATHER]),
                ),
            ),
            lambda left, right: _same(left, right),
            table.nbytes,
        )
        timings = measure([case], rounds=max(3, request.rounds // 2))
        sizes = {name: _size(path) for name, path in targets.items()}
    speed = {timing.contender: 1 / timing.median for timing in timings}
    return SuiteResult(
        "write",
        f"Writing lineitem at scale factor {request.scale:g}: {table.num_rows:,} rows, {table.nbytes / 1e6:.0f} MB of Arrow, synced",
        LUMA,
        PARQUET,
        timings,
        (Target(f"speed against {PARQUET}", speed[LUMA] / speed[PARQUET], 0.6, " x", at_least=True),),
        (
            "Size on disk: " + ", ".join(f"{name} {size / 1e6:.0f} MB" for name, size in sizes.items()) + ".",
            "Every file is synced before the clock stops; luma also makes a new bench and commits a snapshot.",
        ),
    )


def _bench(path: Path, table: pa.Table, threads: int) -> Callable[[], pa.Table]:
    with lb.open(path, threads=threads) as bench:
        bench.write("lineitem", table)

    def read() -> pa.Table:
        with lb.open(path, mode="r", threads=threads) as again:
            return again.table("lineitem").to_arrow()

    return read


def _file(path: Path, save: Callable[[str], object]) -> Callable[[], Callable[[], pa.Table]]:
    def write() -> Callable[[], pa.Table]:
        save(str(path))
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        return lambda: pq.read_table(path) if path.suffix == ".parquet" else feather.read_table(path)

    return write


def _same(left: Callable[[], pa.Table], right: Callable[[], pa.Table]) -> None:
    if not left().equals(right()):
        raise DisagreementError("the table that was read back is another one")


def _gone(path: Path) -> Callable[[], None]:
    def remove() -> None:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    return remove


def _size(path: Path) -> int:
    return (
        path.stat().st_size
        if path.is_file()
        else sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    )
