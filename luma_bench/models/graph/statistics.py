"""A topology in numbers, for the planner: sizes, and degrees by edge table and direction."""

from __future__ import annotations

from typing import Final

import numpy as np

from luma_bench.models.graph.topology import Adjacency, EdgeRows, Ints, Topology
from luma_bench.plan.graph.statistics import Degrees, EdgeStatistics, GraphStatistics

KEY: Final = "statistics"
"""Under which a topology's memo keeps them."""


def statistics(topology: Topology) -> GraphStatistics:
    """The statistics of a topology; counted once and kept with it."""
    return topology.memo.get(KEY, lambda: _counted(topology), lambda _: 4096)


def _counted(topology: Topology) -> GraphStatistics:
    graph = topology.graph
    vertices = tuple(
        rows.count - (0 if rows.dead is None else int(np.count_nonzero(rows.dead)))
        for rows in topology.vertices
    )
    edges = tuple(
        EdgeStatistics(
            graph.vertex(table.source.vertex),
            graph.vertex(table.destination.vertex),
            _degrees(rows.out),
            _degrees(rows.into),
            _changed(rows),
        )
        for table, rows in zip(graph.edges, topology.edges, strict=True)
    )
    return GraphStatistics(vertices, edges)


def _changed(rows: EdgeRows) -> int:
    later = 0 if rows.out.delta is None else len(rows.out.delta.neighbours)
    return later + (0 if rows.out.dead is None else int(np.count_nonzero(rows.out.dead)))


def _degrees(adjacency: Adjacency) -> Degrees:
    """Degrees with dead edges among them: estimates need no more, and a base with many is built anew."""
    degrees: Ints = np.diff(adjacency.base.indptr)
    if adjacency.delta is not None:
        later = np.diff(adjacency.delta.indptr)
        later[: len(degrees)] += degrees
        degrees = later
    degrees = degrees[degrees > 0]
    dead = 0 if adjacency.dead is None else int(np.count_nonzero(adjacency.dead))
    if len(degrees) == 0:
        return Degrees(0, 0, 0, 0.0, ())
    powers = np.frexp(degrees)[1] - 1
    real = degrees.astype(np.float64)
    return Degrees(
        max(int(degrees.sum()) - dead, 0),
        len(degrees),
        int(degrees.max()),
        float(real @ real),
        tuple(np.bincount(powers).tolist()),
    )
