"""The tables of the storage suites, as every contender keeps them: a bench, Parquet, Feather, Lance, DuckDB's own file."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

import luma_bench as lb
from benchmarks import sensors, tpch_data
from benchmarks.suite import Request

LUMA, PARQUET, FEATHER, LANCE, DUCKDB = "luma", "parquet zstd", "feather zstd", "lance", "duckdb file"
SENSOR_ROWS = 8_000_000
KEYS: Mapping[str, dict[str, Any]] = {
    "readings": {"time_column": "ts", "series_key": "sensor"},
    "lineitem": {"sort_by": "l_shipdate"},
}


@dataclass(frozen=True, slots=True)
class Kept:
    """One table in one form on disk; `read` gives columns as Arrow, all of them for None."""

    name: str
    path: Path
    read: Callable[[list[str] | None], pa.Table]

    @property
    def nbytes(self) -> int:
        """What it takes on disk."""
        if self.path.is_file():
            return self.path.stat().st_size
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())


def tables(request: Request) -> dict[str, pa.Table]:
    """The sensor readings (8 million rows at scale 1) and lineitem, as they are written."""
    lineitem = pq.read_table(tpch_data.generate(request.scale, request.data)["lineitem"])
    return {"readings": sensors.generate(int(SENSOR_ROWS * request.scale)), "lineitem": lineitem}


def has_lance() -> bool:
    """Whether Lance is installed: `make bench-storage` does it."""
    return importlib.util.find_spec("lance") is not None


def synced(path: Path) -> None:
    """Make a file, or every file of a folder, durable."""
    for file in [path] if path.is_file() else path.rglob("*"):
        if file.is_file():
            with file.open("rb+") as stream:
                os.fsync(stream.fileno())


def sorted_as(name: str, table: pa.Table) -> pa.Table:
    """The rows in the order that a compacted bench keeps them in, so that every contender has the same help of it."""
    keys = ["sensor", "ts"] if name == "readings" else ["l_shipdate"]
    with duckdb.connect() as connection:
        connection.register("given", table)
        return connection.sql(f"SELECT * FROM given ORDER BY {', '.join(keys)}").to_arrow_table()


def keep(name: str, table: pa.Table, folder: Path, threads: int, stack: ExitStack) -> dict[str, Kept]:
    """Write a table in every form; the bench is compacted, the others get the rows sorted. `stack` closes what is opened."""
    ordered = sorted_as(name, table)
    bench_path = folder / f"{name}.luma"
    with lb.open(bench_path, threads=threads) as bench:
        bench.write(name, table, **KEYS[name])
        bench.compact(retention=0)
    # Open, as a notebook has it, and without a pool: every read decodes.
    unpooled = stack.enter_context(lb.open(bench_path, mode="r", threads=threads, pool_bytes=1))
    kept = [Kept(LUMA, bench_path, lambda columns: _from_bench(unpooled, name, columns))]
    parquet = folder / f"{name}.parquet"
    pq.write_table(ordered, parquet, compression="zstd", row_group_size=1 << 20)
    kept.append(Kept(PARQUET, parquet, lambda columns: pq.read_table(parquet, columns=columns)))
    arrow = folder / f"{name}.feather"
    feather.write_feather(ordered, str(arrow), compression="zstd")
    kept.append(Kept(FEATHER, arrow, lambda columns: feather.read_table(str(arrow), columns=columns)))
    if has_lance():
        kept.append(_lance(folder / f"{name}.lance", ordered))
    kept.append(_duckdb(folder / f"{name}.duckdb", ordered, threads))
    for one in kept:
        synced(one.path)
    return {one.name: one for one in kept}


def _from_bench(bench: lb.Bench, name: str, columns: list[str] | None) -> pa.Table:
    frame = bench.table(name)
    return (frame if columns is None else frame[columns]).to_arrow()


def _lance(path: Path, table: pa.Table) -> Kept:
    import lance

    shutil.rmtree(path, ignore_errors=True)
    lance.write_dataset(table, str(path), data_storage_version="stable")
    return Kept(LANCE, path, lambda columns: lance.dataset(str(path)).to_table(columns=columns))


def _duckdb(path: Path, table: pa.Table, threads: int) -> Kept:
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path), config={"threads": threads}) as connection:
        connection.register("given", table)
        connection.execute("CREATE TABLE kept AS SELECT * FROM given")
        connection.execute("CHECKPOINT")

    def read(columns: list[str] | None) -> pa.Table:
        chosen = "*" if columns is None else ", ".join(f'"{column}"' for column in columns)
        with duckdb.connect(str(path), read_only=True, config={"threads": threads}) as again:
            return again.sql(f"SELECT {chosen} FROM kept").to_arrow_table()

    return Kept(DUCKDB, path, read)
