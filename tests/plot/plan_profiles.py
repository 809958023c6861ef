"""Profiles that tests draw: small ones, one with everything that a plan can say, and one of any size."""

from __future__ import annotations

from luma_bench.plan.profile import Candidate, FiredRule, PlanTree, Profile, ScanFigures


def scan(table: str, rows: int, **figures: int) -> PlanTree:
    return PlanTree(
        "TABLE_SCAN",
        (("Function", "PYTHON_ARROW_SCAN"), ("Projections", ("k", "v"))),
        rows_estimated=rows,
        rows=rows,
        seconds=0.02,
        nbytes=rows * 16,
        scan=ScanFigures(table, rows * 4, applied=("k > 3",), rules=("top-k: the first 10 by k",), **figures),
    )


def everything(text: str = "") -> Profile:
    """A plan with a WITH that is read twice, a join, pruning, a wrong estimate, fallbacks, rules and an island.

    `text` is put wherever a name or a text of somebody else's can stand.
    """
    left = scan(f"orders{text}", 5_000, rows_read=6_000, nbytes=96_000, segments_read=1, segments_pruned=2, chunks_read=3, chunks_pruned=9)  # fmt: skip
    again = PlanTree("CTE_SCAN", (("CTE Index", "0"),), 10, 40, 0.001, 640)
    join = PlanTree(
        f"HASH_JOIN{text}", (("Join Type", "INNER"), ("Conditions", f"a.k = b.k{text}")), 10, 400_000, 0.1, 640_000, (left, again)
    )  # fmt: skip
    late = PlanTree("FILTER", (("Expression", f"v > 1{text}"),), 10, 40, 0.003, 640, (scan("late", 50),))
    tree = PlanTree("CTE", (("CTE Name", f"late{text}"), ("Table Index", "0")), children=(late, join))
    return Profile(
        engine="dask",
        reason=f"as asked{text}",
        snapshot=7,
        tree=tree,
        fallbacks=(f"gpu gave it back: the package cupy is not installed{text}",),
        rules=(FiredRule("top-k", f"orders{text}", f"the first 10 by k{text}"),),
        change=f"DELETE{text}: the rows that this query finds",
        totals={
            "rows_read": 6_050, "bytes_read": 96_000, "segments_read": 2, "segments_pruned": 2,
            "chunks_read": 4, "chunks_pruned": 9, "seconds": 0.25,
        },
        islands={f"g{text}": ("graph", f"walked forwards{text}")},
        candidates=(
            Candidate("duckdb", 0.02, 1_000_000),
            Candidate("dask", 0.4, 2_000_000, detail=f"4 fragments{text}"),
            Candidate("gpu", why_not=f"no cupy{text}"),
        ),
        machine=f"2 cores{text}",
        planned_by=f"duckdb{text}",
    )  # fmt: skip


def chain(count: int) -> Profile:
    """A plan of `count` operators: every third one is a join with a scan."""
    tree = PlanTree("TABLE_SCAN", rows_estimated=10, rows=10, seconds=0.001)
    made = 1
    while made < count:
        side = (PlanTree("TABLE_SCAN", rows_estimated=5),) if made % 3 == 0 and made + 1 < count else ()
        tree = PlanTree("HASH_JOIN" if side else "PROJECTION", rows_estimated=10, rows=10, seconds=0.001, children=(tree, *side))  # fmt: skip
        made += 1 + len(side)
    return Profile(engine="duckdb", reason="embedded", snapshot=1, tree=tree)
