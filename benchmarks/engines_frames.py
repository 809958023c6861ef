"""Six TPC-H questions on the workers of one Dask cluster: KadeQL's fragments and dask.dataframe, DuckDB beside them.

Times are taken interleaved on the same two workers. Memory is that of fresh workers, in a process of its own for each
contender and question.
"""

from __future__ import annotations

import statistics
from typing import Any

import pyarrow as pa

import luma_bench as lb
from benchmarks import engines_dask_frames, tpch_data
from benchmarks.agreement import same_rows
from benchmarks.engines_ours import able, ask
from benchmarks.engines_tpch import FEWER, PARQUET, stored
from benchmarks.engines_weigh import DASK, FRAME, Weight, weighed
from benchmarks.engines_workers import WORKERS, workers
from benchmarks.harness import Case, Contender, SuiteResult, Target, measure
from benchmarks.sql_tpch import connected
from benchmarks.suite import Request

FASTER, LIGHTER = 2.5, 0.4
"""How many times as fast as dask.dataframe, with what share of its added memory."""
NAMES = tuple(engines_dask_frames.QUESTIONS)


def run(request: Request) -> SuiteResult:
    """Compare answers, time everybody interleaved, then weigh each question in fresh processes."""
    scale = 0.01 if request.quick else request.scale
    rounds = min(request.rounds, 2) if scale >= FEWER else request.rounds
    files = tpch_data.generate(scale, request.data)
    weights: dict[tuple[str, str], Weight] = {}
    with request.scratch() as folder:
        path = folder / "tpch.luma"
        stored(path, files, request.threads)
        parquet = connected(request.threads, files)

        def direct(name: str) -> pa.Table:
            return plain(parquet.sql(tpch_data.text(name)).to_arrow_table())

        expected = {name: parquet.sql(tpch_data.text(name)).to_arrow_table() for name in NAMES}
        with workers() as client, lb.open(path, mode="r", threads=request.threads, cluster=client) as bench:
            found = able(bench, "dask", expected, NAMES)
            read = engines_dask_frames.tables(files)

            def case(name: str) -> Case:
                titles = expected[name].column_names
                question = engines_dask_frames.QUESTIONS[name]
                contenders = [
                    Contender(FRAME, lambda: engines_dask_frames.arrow(question(read), titles)),
                    Contender(PARQUET, lambda: direct(name)),
                ]
                if name in found.names:
                    contenders.append(Contender(DASK, lambda: plain(ask(bench, name, "dask"))))
                return Case(name, tuple(contenders), _agreeing(name))

            timings = measure(
                [case(name) for name in NAMES],
                rounds=rounds,
                on_case=lambda case, _: request.out.print(case.name, end=" "),
            )
        for name in NAMES:
            for contender in (FRAME, *([DASK] if name in found.names else [])):
                weights[contender, name] = weighed(
                    contender, name, scale, request.data.resolve(), path.resolve()
                )
        parquet.close()
    request.out.print()
    result = SuiteResult(
        f"engines-frames-{scale:g}",
        f"TPC-H, scale factor {scale:g}, on {WORKERS} worker processes of one thread; DuckDB with {request.threads} threads",
        DASK,
        FRAME,
        timings,
        summed=True,
    )
    return SuiteResult(
        result.name,
        result.title,
        DASK,
        FRAME,
        timings,
        _targets(result, weights),
        (
            *_memory(weights),
            found.note(DASK),
            f"{FRAME} is written by hand: filters before joins, needed columns only, money as float64, {engines_dask_frames.BLOCK} a part.",
        ),
        summed=True,
    )


def plain(table: pa.Table) -> pa.Table:
    """An answer with decimals as floats, as dask.dataframe has them."""
    fields = [
        pa.field(field.name, pa.float64() if pa.types.is_decimal(field.type) else field.type)
        for field in table.schema
    ]
    return table.cast(pa.schema(fields))


def _agreeing(name: str) -> Any:
    def agree(left: pa.Table, right: pa.Table) -> None:
        same_rows(left, right, ordered=name in tpch_data.TOTALLY_ORDERED)

    return agree


def _targets(result: SuiteResult, weights: dict[tuple[str, str], Weight]) -> tuple[Target, ...]:
    shares = [
        weights[DASK, name].everything / weights[FRAME, name].everything
        for name in NAMES
        if (DASK, name) in weights
    ]
    if not shares:
        return (Target(f"questions that {DASK} answers", 0, len(NAMES), "", at_least=True),)
    mean = result.geomean(DASK)
    assert mean is not None, "it answered a question"
    slowest = max(ratio for name in NAMES if (ratio := result.ratio(name, DASK)) is not None)
    return (
        Target(f"questions that {DASK} answers", len(shares), len(NAMES), "", at_least=True),
        Target(f"times as fast as {FRAME}, geometric mean", 1 / mean, FASTER, " x", at_least=True),
        Target(f"times as fast as {FRAME}, the least", 1 / slowest, FASTER, " x", at_least=True),
        Target(
            f"added memory against {FRAME}, geometric mean", statistics.geometric_mean(shares), LIGHTER, " x"
        ),
        Target(f"added memory against {FRAME}, the most", max(shares), LIGHTER, " x"),
    )


def _memory(weights: dict[tuple[str, str], Weight]) -> list[str]:
    said: list[str] = []
    for contender in (FRAME, DASK):
        found = [
            f"{name} {weight.workers / 1e6:,.0f} ({weight.everything / 1e6:,.0f})"
            for (who, name), weight in weights.items()
            if who == contender
        ]
        if found:
            said.append(
                f"{contender}: MB that fresh workers grew by, with the asking process in brackets: {', '.join(found)}."
            )
    return said
