"""WEAKLY_ and STRONGLY_CONNECTED_COMPONENTS: which vertices hang together."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from luma_bench.models.graph.algorithms.spec import AlgorithmResult, AlgorithmSpec, ResultColumn, Task
from luma_bench.models.graph.topology import Ids


def compute_weak(task: Task) -> AlgorithmResult:
    """Components over edges in either direction."""
    csr = task.csr()
    task.fits(csr, vertex=24, edge=0 if task.engine.compiled else 32)
    return _numbered(task, task.engine.weak_components(csr, check=task.control.check))


def compute_strong(task: Task) -> AlgorithmResult:
    """Components whose vertices all lead to each other."""
    csr = task.csr()
    task.fits(csr, vertex=32)
    return _numbered(task, task.engine.strong_components(csr, check=task.control.check))


def _numbered(task: Task, smallest: Ids) -> AlgorithmResult:
    live = task.live()
    # Dead vertices have no edges: the smallest of a living component lives.
    _, number = np.unique(smallest[live], return_inverse=True)
    return AlgorithmResult(live, {"component": number.astype(np.int64)})


_RESULTS = (
    ResultColumn("component", pa.int64(), "its component, numbered from 0 by the first vertex of each"),
)

WEAKLY_CONNECTED_COMPONENTS = AlgorithmSpec(
    name="WEAKLY_CONNECTED_COMPONENTS",
    help="Vertices are of one component where edges, taken in either direction, join them.",
    arguments=(),
    results=_RESULTS,
    compute=compute_weak,
)
"""WEAKLY_CONNECTED_COMPONENTS(GRAPH g): component."""

STRONGLY_CONNECTED_COMPONENTS = AlgorithmSpec(
    name="STRONGLY_CONNECTED_COMPONENTS",
    help="Vertices are of one component where each can be reached from each (Pearce 2005).",
    arguments=(),
    results=_RESULTS,
    compute=compute_strong,
)
"""STRONGLY_CONNECTED_COMPONENTS(GRAPH g): component."""
