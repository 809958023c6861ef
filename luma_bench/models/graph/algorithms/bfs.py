"""BFS: how many edges away each vertex is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from luma_bench.models.graph.algorithms.spec import (
    DIRECTED,
    AlgorithmResult,
    AlgorithmSpec,
    Argument,
    ResultColumn,
    Task,
)


def compute(task: Task) -> AlgorithmResult:
    """The vertices that edges lead to, the source among them."""
    csr = task.along()
    task.fits(csr, vertex=28)
    limit = task.values["limit"]
    tree = task.engine.bfs(
        csr,
        int(task.values["source"]),
        limit=None if limit is None else int(limit),
        tree=False,
        check=task.control.check,
    )
    near = np.flatnonzero(np.isfinite(tree.distance)).astype(np.int32)
    return AlgorithmResult(near, {"depth": tree.distance[near].astype(np.int64)})


BFS = AlgorithmSpec(
    name="BFS",
    help="The vertices that can be reached from one, and the fewest edges that lead there; others are not in the result.",
    arguments=(
        Argument(name="source", kind="vertex", required=True, help="the key of the vertex to start at"),
        Argument(name="limit", kind="int", least=0, help="the most edges to go; without it all the way"),
        DIRECTED,
    ),
    results=(ResultColumn("depth", pa.int64(), "edges from the source"),),
    compute=compute,
)
"""BFS(GRAPH g, source, limit, directed): depth."""
