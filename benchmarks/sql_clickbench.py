"""Wide and flat: 43 questions about a million web visits of 105 columns, against DuckDB over the same Parquet file."""

from __future__ import annotations

from dataclasses import replace

import duckdb

import luma_bench as lb
from benchmarks import hits_data, hits_texts
from benchmarks.harness import Case, Contender, SuiteResult, Target, measure
from benchmarks.limited import agreement
from benchmarks.suite import Request

LUMA, COLD, PARQUET = "luma", "luma cold", "duckdb/parquet"


def run(request: Request) -> SuiteResult:
    """Check every answer, under LIMIT too, then time hot and, for scale, on a handle of its own for every call."""
    file = hits_data.generate(request.data, 20_000 if request.quick else hits_data.ROWS)
    texts = hits_texts.texts(request.texts)
    with request.scratch() as folder:
        path = folder / "hits.luma"
        with lb.open(path, threads=request.threads) as bench:
            bench.write("hits", str(file))
        peer = duckdb.connect(config={"threads": request.threads})
        peer.execute(f"CREATE VIEW hits AS FROM read_parquet('{file}')")
        with lb.open(path, mode="r", threads=request.threads) as bench:

            def fresh(text: str) -> object:
                with lb.open(path, mode="r", threads=request.threads) as cold:
                    return cold.kadeql(text, cache=False).to_arrow()

            def case(name: str, text: str) -> Case:
                return Case(
                    name,
                    (
                        Contender(PARQUET, lambda: peer.sql(text).to_arrow_table()),
                        Contender(LUMA, lambda: bench.kadeql(text, cache=False).to_arrow()),
                        Contender(COLD, lambda: fresh(text)),
                    ),
                    agreement(text, peer),
                )

            timings = measure(
                [case(name, text) for name, text in texts.items()],
                rounds=request.rounds,
                on_case=lambda case, _: request.out.print(case.name, end=" "),
            )
        request.out.print()
        peer.close()
    official = request.texts is not None
    result = SuiteResult(
        "sql-clickbench",
        f"{'ClickBench' if official else 'Questions as ClickBench asks'}: {len(texts)} texts over {len(hits_data.ORDER)} columns",
        LUMA,
        PARQUET,
        timings,
        summed=True,
    )
    ratio = result.total_ratio(LUMA)
    assert ratio is not None, "both ran every query"
    return replace(
        result,
        targets=(Target(f"total against {PARQUET}", ratio, 1.1, " x"),),
        notes=(
            f"CPU seconds against {PARQUET}: {LUMA} {result.cpu_ratio(LUMA):.2f} x, {COLD} {result.cpu_ratio(COLD):.2f} x.",
            f"{COLD} opens the bench for every call; {PARQUET} stays connected.",
            "Every answer was compared first; where LIMIT cuts between equals, with all the answers that are right.",
            "The texts are ClickBench's own, from the checkout that was named."
            if official
            else "The texts are our own; name a checkout of ClickBench with --clickbench to run its.",
        ),
    )
