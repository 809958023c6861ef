"""PAGERANK: how often a walker who follows edges, and now and then jumps anywhere, is at each vertex."""

from __future__ import annotations

import pyarrow as pa

from luma_bench.models.graph.algorithms.columns import weights
from luma_bench.models.graph.algorithms.spec import (
    AlgorithmResult,
    AlgorithmSpec,
    Argument,
    ResultColumn,
    Task,
)
from luma_bench.models.graph.merged import live_mask


def compute(task: Task) -> AlgorithmResult:
    """The ranks of all live vertices."""
    csr, live = task.csr(), task.live()
    task.fits(csr, vertex=48, edge=16)
    score = task.engine.pagerank(
        csr,
        task.csr(reverse=True),
        damping=float(task.values["damping"]),
        tolerance=float(task.values["tolerance"]),
        iterations=int(task.values["iterations"]),
        weights=None if task.values["weight"] is None else weights(task, csr),
        live=live_mask(task.topology),
        check=task.control.check,
    )
    return AlgorithmResult(live, {"score": score[live]})


PAGERANK = AlgorithmSpec(
    name="PAGERANK",
    help="The rank of each vertex by the edges that lead to it; ranks sum to 1 (Page, Brin, Motwani and Winograd 1999).",
    arguments=(
        Argument(
            name="damping", kind="float", default=0.85, least=0.0, most=1.0,
            help="how likely an edge is followed rather than a jump made (0.85)",
        ),
        Argument(name="weight", kind="edge column", help="a column of the edges, 0 or more, that shares a rank out; without it evenly"),
        Argument(
            name="tolerance", kind="float", default=1e-6, least=0.0,
            help="it ends when the ranks change by less in sum (1e-6)",
        ),
        Argument(name="iterations", kind="int", default=100, least=0, help="it ends after so many rounds at the latest (100)"),
    ),
    results=(ResultColumn("score", pa.float64(), "its rank"),),
    compute=compute,
)  # fmt: skip
"""PAGERANK(GRAPH g, damping, weight, tolerance, iterations): score."""
