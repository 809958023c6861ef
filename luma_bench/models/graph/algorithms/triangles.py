"""TRIANGLES: how many triangles each vertex is part of."""

from __future__ import annotations

import pyarrow as pa

from luma_bench.models.graph.algorithms.spec import AlgorithmResult, AlgorithmSpec, ResultColumn, Task


def compute(task: Task) -> AlgorithmResult:
    """Triangles of all live vertices."""
    csr, live = task.csr(), task.live()
    task.fits(csr, vertex=64, edge=40)
    found = task.engine.triangles(csr, check=task.control.check)
    return AlgorithmResult(live, {"triangles": found[live]})


TRIANGLES = AlgorithmSpec(
    name="TRIANGLES",
    help="The triangles of each vertex, whatever the direction of the edges; parallel edges count once, self-loops not.",
    arguments=(),
    results=(ResultColumn("triangles", pa.int64(), "triangles that it is part of"),),
    compute=compute,
)
"""TRIANGLES(GRAPH g): triangles."""
