"""DEGREES: how many edges lead to and from each vertex."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from luma_bench.models.graph.algorithms.spec import AlgorithmResult, AlgorithmSpec, ResultColumn, Task


def compute(task: Task) -> AlgorithmResult:
    """Degrees of all live vertices."""
    live = task.live()
    found = {
        name: np.diff(task.csr(reverse=reverse).indptr)[live]
        for name, reverse in (("in_degree", True), ("out_degree", False))
    }
    return AlgorithmResult(live, {**found})


DEGREES = AlgorithmSpec(
    name="DEGREES",
    help="The edges that lead to and from each vertex; parallel edges count each, a self-loop on both sides.",
    arguments=(),
    results=(
        ResultColumn("in_degree", pa.int64(), "edges that lead to it"),
        ResultColumn("out_degree", pa.int64(), "edges that lead from it"),
    ),
    compute=compute,
)
"""DEGREES(GRAPH g): in_degree, out_degree."""
