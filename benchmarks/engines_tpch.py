"""TPC-H on every engine behind the same text: a Dask cluster of this machine and Polars, beside DuckDB and Polars themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

import luma_bench as lb
from benchmarks import tpch_data
from benchmarks.agreement import same_rows
from benchmarks.engines_ours import Able, able, ask
from benchmarks.engines_workers import WORKERS, workers
from benchmarks.harness import Case, Contender, SuiteResult, Target, measure
from benchmarks.sql_tpch import connected, polars_asks
from benchmarks.suite import Request

PARQUET, EMBEDDED, DASK, POLARS, POLARS_SQL = (
    "duckdb/parquet", "luma", "luma dask", "luma polars", "polars sql"
)  # fmt: skip
GOALS = ((5.0, 4.0), (float("inf"), 1.6))
"""Up to which scale factor the geometric mean over DuckDB may be how much; fragments cost less of a longer query."""
FEWER = 2.0
"""From this scale factor on there are two rounds, and Polars, which holds all that it reads, is left out."""


@dataclass(frozen=True, slots=True)
class _Peers:
    bench: lb.Bench
    parquet: Callable[[str], pa.Table]
    polars: Mapping[str, Callable[[], pa.Table]]
    dask: Able
    ours: Able | None

    def case(self, name: str) -> Case:
        """One text for everybody who answers it."""
        contenders = [
            Contender(PARQUET, lambda: self.parquet(name)),
            Contender(EMBEDDED, lambda: ask(self.bench, name, "duckdb")),
        ]
        if name in self.dask.names:
            contenders.append(Contender(DASK, lambda: ask(self.bench, name, "dask")))
        if self.ours is not None and name in self.ours.names:
            contenders.append(Contender(POLARS, lambda: ask(self.bench, name, "polars")))
        if name in self.polars:
            contenders.append(Contender(POLARS_SQL, self.polars[name]))

        def agree(left: pa.Table, right: pa.Table) -> None:
            same_rows(left, right, ordered=name in tpch_data.TOTALLY_ORDERED)

        return Case(name, tuple(contenders), agree)


def run(request: Request) -> SuiteResult:
    """Write a bench, see which engine answers what, then time all 22 texts interleaved."""
    scale = 0.01 if request.quick else request.scale
    rounds = min(request.rounds, 2) if scale >= FEWER else request.rounds
    files = tpch_data.generate(scale, request.data)
    with request.scratch() as folder:
        path = folder / "tpch.luma"
        stored(path, files, request.threads)
        parquet = connected(request.threads, files)

        def direct(name: str) -> pa.Table:
            return parquet.sql(tpch_data.text(name)).to_arrow_table()

        expected = {name: direct(name) for name in tpch_data.NAMES}
        polars, left_out = ({}, ()) if scale >= FEWER else polars_asks(files, parquet)
        with workers() as client, lb.open(path, mode="r", threads=request.threads, cluster=client) as bench:
            peers = _Peers(
                bench,
                direct,
                polars,
                able(bench, "dask", expected, tpch_data.NAMES),
                None if scale >= FEWER else able(bench, "polars", expected, tpch_data.NAMES),
            )
            timings = measure(
                [peers.case(name) for name in tpch_data.NAMES],
                rounds=rounds,
                on_case=lambda case, _: request.out.print(case.name, end=" "),
            )
        parquet.close()
    request.out.print()
    result = SuiteResult(
        f"engines-tpch-{scale:g}",
        f"TPC-H, scale factor {scale:g}, hot: {request.threads} threads, and {WORKERS} worker processes of one thread",
        DASK,
        PARQUET,
        timings,
        summed=True,
    )
    return SuiteResult(
        result.name,
        result.title,
        DASK,
        PARQUET,
        timings,
        _targets(result, scale, peers),
        (peers.dask.note(DASK), *_polars_notes(peers, left_out)),
        summed=True,
    )


def stored(path: Path, files: Mapping[str, Path], threads: int) -> None:
    """Write the tables as a bench."""
    with lb.open(path, threads=threads) as bench:
        for table, file in files.items():
            bench.write(table, str(file))


def _targets(result: SuiteResult, scale: float, peers: _Peers) -> tuple[Target, ...]:
    limit = next(limit for most, limit in GOALS if scale <= most)
    found = [Target(f"{DASK} right", len(peers.dask.names), len(tpch_data.NAMES), " of 22", at_least=True)]
    mean = result.geomean(DASK)
    if mean is not None:
        found.append(Target(f"{DASK} against {PARQUET}, geometric mean", mean, limit, " x"))
    if peers.ours is None:
        return tuple(found)
    found += [
        Target(f"{POLARS} right", len(peers.ours.names), 20, " of 22", at_least=True),
        Target(f"{POLARS} wrong", len(peers.ours.wrong), 0, " of 22"),
    ]
    return tuple(found)


def _polars_notes(peers: _Peers, names: tuple[str, ...]) -> tuple[str, ...]:
    if peers.ours is None:
        return (f"{POLARS} and {POLARS_SQL} hold all that they read, and are left out at this size.",)
    return peers.ours.note(
        POLARS
    ), f"{POLARS_SQL} left out: {', '.join(names)}." if names else f"{POLARS_SQL} answers all of them."
