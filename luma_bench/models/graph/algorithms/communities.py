"""COMMUNITIES: groups that have more edges inside than chance would give them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from luma_bench.models.graph.algorithms.columns import weights
from luma_bench.models.graph.algorithms.spec import (
    AlgorithmResult,
    AlgorithmSpec,
    Argument,
    ResultColumn,
    Task,
)


def compute(task: Task) -> AlgorithmResult:
    """Communities of all live vertices."""
    csr, live = task.csr(), task.live()
    task.fits(csr, vertex=80, edge=64)
    found = task.engine.communities(
        csr,
        None if task.values["weight"] is None else weights(task, csr),
        seed=int(task.values["seed"]),
        resolution=float(task.values["resolution"]),
        check=task.control.check,
    )
    # The numbers ascend as sizes fall; a dead vertex is alone, and leaves a gap.
    _, number = np.unique(found[live], return_inverse=True)
    return AlgorithmResult(live, {"community": number.astype(np.int64)})


COMMUNITIES = AlgorithmSpec(
    name="COMMUNITIES",
    help="Communities of high modularity, whatever the direction of the edges (Louvain: Blondel and others 2008). "
    "The same seed gives the same communities.",
    arguments=(
        Argument(name="weight", kind="edge column", help="a column of the edges, 0 or more; without it each counts 1"),
        Argument(name="seed", kind="int", default=0, least=0, help="decides the order in which vertices are looked at (0)"),
        Argument(
            name="resolution", kind="float", default=1.0, least=0.0,
            help="above 1 gives smaller communities, below 1 larger ones (1)",
        ),
    ),
    results=(ResultColumn("community", pa.int64(), "its community, numbered from 0 by falling size"),),
    compute=compute,
)  # fmt: skip
"""COMMUNITIES(GRAPH g, weight, seed, resolution): community."""
