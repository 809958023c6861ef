"""TPC-H hot: the 22 texts over the bench, against DuckDB over the same Parquet files and over its own storage.

The bench's buffer pool keeps decoded chunks, as DuckDB's buffer manager keeps its own blocks, while DuckDB decodes
Parquet again for every query. `luma/no pool` is the same bench with a pool too small to keep anything.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import duckdb
import pyarrow as pa

import luma_bench as lb
from benchmarks import tpch_data
from benchmarks.agreement import same_rows
from benchmarks.harness import Case, Contender, SuiteResult, Target, measure
from benchmarks.suite import Request

LUMA, UNPOOLED, PARQUET, NATIVE = "luma", "luma/no pool", "duckdb/parquet", "duckdb/storage"


def run(request: Request) -> SuiteResult:
    """Load once, check each answer against DuckDB's, then time every query hot."""
    files = tpch_data.generate(request.scale, request.data)
    with (
        request.scratch() as folder,
        lb.open(folder / "tpch.luma", threads=request.threads) as bench,
        lb.open(folder / "tpch.luma", mode="r", threads=request.threads, pool_bytes=1) as unpooled,
    ):
        loading = _load(bench, files)
        parquet, native = _duckdb(request.threads), _duckdb(request.threads, folder / "tpch.duckdb")
        for table, path in files.items():
            parquet.execute(f"CREATE VIEW {table} AS FROM read_parquet('{path}')")
            native.execute(f"CREATE TABLE {table} AS FROM read_parquet('{path}')")
        native.execute("CHECKPOINT")
        sizes = (
            _tree_bytes(bench.path),
            sum(path.stat().st_size for path in files.values()),
            (folder / "tpch.duckdb").stat().st_size,
        )
        timings = measure(
            [_case(name, bench, unpooled, parquet, native) for name in tpch_data.NAMES],
            rounds=request.rounds,
            warmup=2,
            on_case=lambda case, _: request.out.print(case.name, end=" "),
        )
        request.out.print()
        parquet.close()
        native.close()
    result = SuiteResult(
        "tpch",
        f"TPC-H, scale factor {request.scale:g}, hot, {request.threads} threads",
        LUMA,
        PARQUET,
        timings,
        notes=(
            f"Loading through bench.write took {loading:.1f} s.",
            "Size: luma {:.0f} MB, Parquet {:.0f} MB, DuckDB storage {:.0f} MB.".format(
                *(size / 1e6 for size in sizes)
            ),
            f"{LUMA} keeps decoded chunks in its buffer pool; {UNPOOLED} decodes all it reads, as {PARQUET} does.",
            "Every answer was compared with DuckDB's over Parquet first: floats to 1e-9, order where ORDER BY decides it.",
        ),
        summed=True,
    )
    ratio = result.total_ratio(LUMA)
    assert ratio is not None, "both contenders ran every query"
    return dataclasses.replace(result, targets=(Target(f"total against {PARQUET}", ratio, 1.15, " x"),))


def _case(
    name: str,
    bench: lb.Bench,
    unpooled: lb.Bench,
    parquet: duckdb.DuckDBPyConnection,
    native: duckdb.DuckDBPyConnection,
) -> Case:
    text = tpch_data.text(name)
    ordered = name in tpch_data.TOTALLY_ORDERED

    def agree(left: pa.Table, right: pa.Table) -> None:
        same_rows(left, right, ordered=ordered)

    return Case(
        name,
        (
            Contender(PARQUET, lambda: parquet.sql(text).to_arrow_table()),
            Contender(LUMA, lambda: bench.kadeql(text, cache=False).to_arrow()),
            Contender(UNPOOLED, lambda: unpooled.kadeql(text, cache=False).to_arrow()),
            Contender(NATIVE, lambda: native.sql(text).to_arrow_table()),
        ),
        agree,
    )


def _load(bench: lb.Bench, files: dict[str, Path]) -> float:
    started = time.perf_counter()
    for table, path in files.items():
        bench.write(table, str(path))
    return time.perf_counter() - started


def _duckdb(threads: int, path: Path | None = None) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:" if path is None else str(path), config={"threads": threads})


def _tree_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
