"""TPC-H hot and cold: the 22 texts over the bench, DuckDB over the same Parquet files and its own file, and Polars SQL.

Hot is an open bench that has answered before. Cold is a handle of its own for every call: it opens the bench, or connects
and names the files, and asks once; the files are in the system's cache for both.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa

import luma_bench as lb
from benchmarks import tpch_data
from benchmarks.agreement import same_rows
from benchmarks.harness import Case, Contender, DisagreementError, SuiteResult, Target, Timing, measure
from benchmarks.suite import Request, Suite

LUMA, PARQUET, NATIVE, POLARS = "luma", "duckdb/parquet", "duckdb/storage", "polars sql"
COLD, COLD_PEER = "luma cold", "duckdb/parquet cold"
FEWER = 2.0
"""From this scale factor on there are two rounds."""


def at(scale: float) -> Suite:
    """The suite at a scale factor."""
    return functools.partial(run, scale=scale)


def run(request: Request, scale: float) -> list[SuiteResult]:
    """Load once, check each answer against DuckDB's, then time every query hot and cold, interleaved."""
    scale = 0.01 if request.quick else scale
    rounds = min(request.rounds, 2) if scale >= FEWER else request.rounds
    files = tpch_data.generate(scale, request.data)
    with request.scratch() as folder:
        path = folder / "tpch.luma"
        started = time.perf_counter()
        with lb.open(path, threads=request.threads) as bench:
            for table, file in files.items():
                bench.write(table, str(file))
        loading = time.perf_counter() - started
        native = connected(request.threads, {}, folder / "tpch.duckdb")
        for table, file in files.items():
            native.execute(f"CREATE TABLE {table} AS FROM read_parquet('{file}')")
        native.execute("CHECKPOINT")
        parquet = connected(request.threads, files)
        polars, refused = polars_asks(files, parquet)
        with lb.open(path, mode="r", threads=request.threads) as bench:
            ask = _Asked(request.threads, path, files, bench, parquet, native, polars)
            timings = measure(
                [ask.case(name) for name in tpch_data.NAMES],
                rounds=rounds,
                on_case=lambda case, _: request.out.print(case.name, end=" "),
            )
        request.out.print()
        parquet.close()
        native.close()
    title = f"TPC-H, scale factor {scale:g}, {{}}, {request.threads} threads"
    return [
        _hot(title.format("hot"), scale, _of(timings, (PARQUET, LUMA, NATIVE, POLARS)), refused, loading),
        _cold(title.format("first run of a fresh handle"), scale, _of(timings, (COLD_PEER, COLD))),
    ]


class _Asked:
    """What answers a text, each in its way."""

    def __init__(
        self,
        threads: int,
        path: Path,
        files: Mapping[str, Path],
        bench: lb.Bench,
        parquet: duckdb.DuckDBPyConnection,
        native: duckdb.DuckDBPyConnection,
        polars: Mapping[str, Callable[[], pa.Table]],
    ) -> None:
        self._threads = threads
        self._path = path
        self._files = files
        self._bench = bench
        self._parquet = parquet
        self._native = native
        self._polars = polars

    def case(self, name: str) -> Case:
        """One text for every contender."""
        text = tpch_data.text(name)
        contenders = [
            Contender(PARQUET, lambda: self._parquet.sql(text).to_arrow_table()),
            Contender(LUMA, lambda: self._bench.kadeql(text, cache=False).to_arrow()),
            Contender(NATIVE, lambda: self._native.sql(text).to_arrow_table()),
            Contender(COLD_PEER, lambda: self._fresh_peer(text)),
            Contender(COLD, lambda: self._fresh(text)),
        ]
        if name in self._polars:
            contenders.append(Contender(POLARS, self._polars[name]))

        def agree(left: pa.Table, right: pa.Table) -> None:
            same_rows(left, right, ordered=name in tpch_data.TOTALLY_ORDERED)

        return Case(name, tuple(contenders), agree)

    def _fresh(self, text: str) -> pa.Table:
        with lb.open(self._path, mode="r", threads=self._threads) as bench:
            return bench.kadeql(text, cache=False).to_arrow()

    def _fresh_peer(self, text: str) -> pa.Table:
        con = connected(self._threads, self._files)
        try:
            return con.sql(text).to_arrow_table()
        finally:
            con.close()


def _hot(
    title: str, scale: float, timings: tuple[Timing, ...], refused: tuple[str, ...], loading: float
) -> SuiteResult:
    result = SuiteResult(f"sql-tpch-{scale:g}", title, LUMA, PARQUET, timings, summed=True)
    over, own = result.total_ratio(LUMA), result.total_ratio(NATIVE)
    assert over is not None, "both ran every query"
    assert own is not None, "both ran every query"
    cpu = ", ".join(
        f"{name} {ratio:.2f} x" for name in (LUMA, NATIVE, POLARS) if (ratio := result.cpu_ratio(name))
    )
    notes = (
        f"Loading through bench.write took {loading:.1f} s.",
        f"CPU seconds against {PARQUET}: {cpu}.",
        "Answers were compared first, 22 of 22: floats to 1e-9, order where ORDER BY decides it.",
        f"Polars SQL left out: {', '.join(refused)}." if refused else "Polars SQL runs all of them.",
    )
    targets = (
        Target(f"total against {PARQUET}", over, 1.0, " x"),
        Target(f"total against {NATIVE}", over / own, 1.25, " x"),
    )
    return replace(result, targets=targets, notes=notes)


def _cold(title: str, scale: float, timings: tuple[Timing, ...]) -> SuiteResult:
    result = SuiteResult(f"sql-tpch-{scale:g}-cold", title, COLD, COLD_PEER, timings, summed=True)
    ratio, cpu = result.total_ratio(COLD), result.cpu_ratio(COLD)
    assert ratio is not None, "both ran every query"
    assert cpu is not None, "CPU time is taken with every call"
    return replace(
        result,
        targets=(Target(f"total against {COLD_PEER}", ratio, 1.3, " x"),),
        notes=(
            f"CPU seconds against {COLD_PEER}: {cpu:.2f} x.",
            "A call opens the bench, or connects and names the files, asks once, and closes.",
        ),
    )


def _of(timings: tuple[Timing, ...], names: tuple[str, ...]) -> tuple[Timing, ...]:
    return tuple(timing for timing in timings if timing.contender in names)


def connected(threads: int, files: Mapping[str, Path], path: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A connection with a view for each Parquet file."""
    con = duckdb.connect(":memory:" if path is None else str(path), config={"threads": threads})
    for table, file in files.items():
        con.execute(f"CREATE VIEW {table} AS FROM read_parquet('{file}')")
    return con


def polars_asks(
    files: Mapping[str, Path], peer: duckdb.DuckDBPyConnection
) -> tuple[dict[str, Callable[[], pa.Table]], tuple[str, ...]]:
    """What Polars SQL answers as DuckDB does, and the names of what it refuses or answers otherwise."""
    import polars as pl

    context = pl.SQLContext({table: pl.scan_parquet(file) for table, file in files.items()})

    def ask(text: str, names: list[str]) -> pa.Table:
        # Columns without a name are named otherwise.
        return context.execute(text).collect(engine="streaming").to_arrow().rename_columns(names)

    able: dict[str, Callable[[], pa.Table]] = {}
    refused: list[str] = []
    for name in tpch_data.NAMES:
        text = tpch_data.text(name)
        expected = peer.sql(text).to_arrow_table()
        try:
            found = ask(text, expected.column_names)
            same_rows(expected, found, ordered=name in tpch_data.TOTALLY_ORDERED)
        except (pl.exceptions.PolarsError, pa.ArrowException, ValueError) as error:
            refused.append(f"{name} ({type(error).__name__})")
        except DisagreementError:
            refused.append(f"{name} (another answer)")
        else:
            able[name] = functools.partial(ask, text, expected.column_names)
    return able, tuple(refused)
