"""K_CORE: how deep in the dense part of the graph each vertex is."""

from __future__ import annotations

import pyarrow as pa

from luma_bench.models.graph.algorithms.spec import AlgorithmResult, AlgorithmSpec, ResultColumn, Task


def compute(task: Task) -> AlgorithmResult:
    """Core numbers of all live vertices."""
    csr, live = task.csr(), task.live()
    task.fits(csr, vertex=64, edge=64)
    found = task.engine.core_numbers(csr, check=task.control.check)
    return AlgorithmResult(live, {"core": found[live]})


K_CORE = AlgorithmSpec(
    name="K_CORE",
    help="The largest k such that a vertex stays when those of fewer than k neighbours are taken away again and again; "
    "direction, parallel edges and self-loops do not count (Batagelj and Zaversnik 2003).",
    arguments=(),
    results=(ResultColumn("core", pa.int64(), "its core number"),),
    compute=compute,
)
"""K_CORE(GRAPH g): core."""
