"""Algorithms over a whole graph: one file for each, and all of them by name.

A caller resolves names to dense ids and columns to arrays, and runs `ALGORITHMS[name].run(topology, merged, engine, …)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from luma_bench.models.graph.algorithms.betweenness import BETWEENNESS
from luma_bench.models.graph.algorithms.bfs import BFS
from luma_bench.models.graph.algorithms.communities import COMMUNITIES
from luma_bench.models.graph.algorithms.components import (
    STRONGLY_CONNECTED_COMPONENTS,
    WEAKLY_CONNECTED_COMPONENTS,
)
from luma_bench.models.graph.algorithms.degrees import DEGREES
from luma_bench.models.graph.algorithms.earliest_arrival import EARLIEST_ARRIVAL
from luma_bench.models.graph.algorithms.k_core import K_CORE
from luma_bench.models.graph.algorithms.pagerank import PAGERANK
from luma_bench.models.graph.algorithms.shortest_paths import SHORTEST_PATHS
from luma_bench.models.graph.algorithms.spec import AlgorithmResult, AlgorithmSpec, Argument, ResultColumn
from luma_bench.models.graph.algorithms.triangles import TRIANGLES

ALGORITHMS: Mapping[str, AlgorithmSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            PAGERANK,
            BFS,
            SHORTEST_PATHS,
            WEAKLY_CONNECTED_COMPONENTS,
            STRONGLY_CONNECTED_COMPONENTS,
            TRIANGLES,
            DEGREES,
            K_CORE,
            COMMUNITIES,
            BETWEENNESS,
            EARLIEST_ARRIVAL,
        )
    }
)
"""Every algorithm, by its name in upper case."""

__all__ = ["ALGORITHMS", "AlgorithmResult", "AlgorithmSpec", "Argument", "ResultColumn"]
