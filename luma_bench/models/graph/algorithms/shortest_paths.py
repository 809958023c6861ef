"""SHORTEST_PATHS: the cheapest way from one vertex to all, or to one, step by step."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from luma_bench.models.graph.algorithms.columns import coordinates, weights
from luma_bench.models.graph.algorithms.spec import (
    DIRECTED,
    AlgorithmResult,
    AlgorithmSpec,
    Argument,
    ResultColumn,
    Task,
)
from luma_bench.models.graph.engine import Pair, Tree
from luma_bench.models.graph.topology import Csr, Floats

_BLOCK = 1 << 20


def compute(task: Task) -> AlgorithmResult:
    """Distances to all vertices that can be reached; with a target the vertices of the path to it, in order."""
    csr, spots = task.along(), coordinates(task)
    task.fits(csr, vertex=48, edge=16)
    source, target = int(task.values["source"]), task.values["target"]
    costs = None if task.values["weight"] is None else weights(task, csr)
    if target is None:
        check = task.control.check
        tree = (
            task.engine.bfs(csr, source, tree=False, check=check)
            if costs is None
            else task.engine.sssp(csr, costs, source, check=check)
        )
        near = np.flatnonzero(np.isfinite(tree.distance)).astype(np.int32)
        return AlgorithmResult(near, {"distance": tree.distance[near]})
    path = _path(task, csr, costs, source, int(target), spots)
    steps = np.arange(len(path.vertices), dtype=np.int64)
    if costs is None:
        return AlgorithmResult(path.vertices, {"distance": steps.astype(np.float64), "step": steps})
    # One edge after the other, as the search added them up.
    distance = np.concatenate(([0.0], np.add.accumulate(costs[path.positions])))[: len(steps)]
    return AlgorithmResult(path.vertices, {"distance": distance, "step": steps})


def _path(task: Task, csr: Csr, costs: Floats | None, source: int, target: int, spots: Floats | None) -> Pair:
    check = task.control.check
    if costs is None and spots is None:
        return walked(task.engine.bfs(csr, source, target=target, check=check), source, target)
    held = np.ones(len(csr.neighbours)) if costs is None else costs
    if spots is not None and (scale := least_ratio(csr, held, spots)) > 0.0:
        scaled = spots * scale
        return task.engine.pair(csr, held, source, target, coordinates=scaled, check=check)
    if not task.engine.compiled:
        return task.engine.pair(csr, held, source, target, check=check)
    if task.values["directed"] is False:
        return task.engine.pair(csr, held, source, target, reverse=(csr, held), check=check)
    back = task.csr(reverse=True)
    turned = np.ones(len(held)) if costs is None else weights(task, back)
    return task.engine.pair(csr, held, source, target, reverse=(back, turned), check=check)


def walked(tree: Tree, source: int, target: int) -> Pair:
    """The path to one vertex of a tree."""
    if not np.isfinite(tree.distance[target]):
        return Pair(float("inf"), np.empty(0, np.int32), np.empty(0, np.int64), 0)
    vertices, positions = [target], [0][:0]
    while vertices[-1] != source:
        positions.append(int(tree.position[vertices[-1]]))
        vertices.append(int(tree.parent[vertices[-1]]))
    return Pair(
        float(tree.distance[target]),
        np.array(vertices[::-1], np.int32),
        np.array(positions[::-1], np.int64),
        0,
    )


def least_ratio(csr: Csr, costs: Floats, spots: Floats) -> float:
    """The least cost of an edge for a unit of its straight-line length: what coordinates are scaled by, in whatever unit.

    Then no straight line costs more than any way, which is what A* needs to be right. 0 where that tells nothing.
    """
    least = np.inf
    row = np.repeat(np.arange(csr.vertices, dtype=np.int32), np.diff(csr.indptr))
    for start in range(0, len(row), _BLOCK):
        held = slice(start, start + _BLOCK)
        line = np.hypot(*(spots[row[held]] - spots[csr.neighbours[held]]).T)
        long = line > 0.0
        least = min(least, float((costs[held][long] / line[long]).min(initial=np.inf)))
    return least * (1.0 - 1e-9) if np.isfinite(least) else 0.0


SHORTEST_PATHS = AlgorithmSpec(
    name="SHORTEST_PATHS",
    help="The cheapest way from one vertex to each that can be reached (Dijkstra), or, with a target, the path there: a row for "
    "each of its vertices, in the order of `step`, none where there is no way.",
    arguments=(
        Argument(name="source", kind="vertex", required=True, help="the key of the vertex to start at"),
        Argument(
            name="target", kind="vertex", help="the key of the vertex to go to; without it all distances"
        ),
        Argument(
            name="weight",
            kind="edge column",
            help="a column of the edges, 0 or more, that is added up; without it edges are counted",
        ),
        Argument(
            name="x",
            kind="vertex column",
            help="with y and a target: columns of the vertices, in any unit, by which A* looks ahead",
        ),
        Argument(name="y", kind="vertex column", help="see x"),
        DIRECTED,
    ),
    results=(
        ResultColumn("distance", pa.float64(), "the cost from the source to here"),
        ResultColumn(
            "step", pa.int64(), "edges of the path up to here, from 0 at the source", needs="target"
        ),
    ),
    compute=compute,
)
"""SHORTEST_PATHS(GRAPH g, source, target, weight, x, y, directed): distance, step."""
