"""ANY SHORTEST between the ends of one repeated edge: which search over vertices answers it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from luma_bench.language.graph.pattern import Direction
from luma_bench.models.graph.merged import merged
from luma_bench.models.graph.paths.arcs import Arcs
from luma_bench.models.graph.paths.found import Found
from luma_bench.models.graph.paths.levels import whole
from luma_bench.models.graph.paths.nearest import (
    DEEP,
    SHALLOW,
    UNKNOWN,
    Ways,
    between,
    distances_back,
    greedy,
    reached_from,
    ways_to,
)
from luma_bench.models.graph.paths.program import Program, compiled
from luma_bench.models.graph.paths.scene import Run, Scene
from luma_bench.models.graph.topology import Bools, Csr, Ids
from luma_bench.plan.graph.bound import BoundEdge


def is_simple(scene: Scene, program: Program) -> bool:
    """Whether a path is one edge, repeated from 0 or 1 times on, between two variables, without times."""
    return (
        len(program.edges) == 1 and program.least[0] <= 1 and not program.checks and scene.path.times is None
    )


def any_shortest(scene: Scene, run: Run) -> Iterator[Found]:
    """The first of the shortest walks between each pair of ends, of a simple pattern that is not turned."""
    output = compiled(scene.path, scene.wanted.carried)
    for ways in _ways(scene, run):
        if ways.nodes.shape[1]:
            yield whole(output, ways.nodes, ways.slots, np.zeros(ways.slots.shape, np.int64))


def _ways(scene: Scene, run: Run) -> Iterator[Ways]:
    starts, ends = run.starts, run.ends
    least, most = run.program.least[0], run.program.most[0]
    if least == 0:
        same = np.intersect1d(starts, ends).astype(np.int32)
        yield Ways(same[None, :], np.empty((0, len(same)), np.int64))
        if most == 0:
            return
    if len(starts) == 1 and len(ends) == 1:
        if starts[0] == ends[0]:
            if least == 1:
                yield from _from_start(scene, run, int(starts[0]))
            return
        yield from _pair(scene, run, int(starts[0]), int(ends[0]))
    elif len(ends) < len(starts):
        for end in ends.tolist():
            yield from _to_end(scene, run, end)
    else:
        for start in starts.tolist():
            yield from _from_start(scene, run, start)


def _from_start(scene: Scene, run: Run, start: int) -> Iterator[Ways]:
    least, most = run.program.least[0], run.program.most[0]
    ends, mask = run.ends, run.gates[1]
    if least == 0:
        ends = ends[ends != start]
    everywhere = mask is None
    found = reached_from(
        run.arcs[0], start, scene.ranks, most, None if everywhere else _only(mask, start, least),
        1 if everywhere else len(ends), scene.control,
    )  # fmt: skip
    yield from ways_to(found, ends[found.level[ends] != UNKNOWN], scene.control)


def _only(mask: Bools, start: int, least: int) -> Bools:
    """The ends that are still looked for."""
    if least == 0 and mask[start]:
        mask = mask.copy()
        mask[start] = False
    return mask


def _to_end(scene: Scene, run: Run, end: int) -> Iterator[Ways]:
    arcs, control, most = run.arcs[0], scene.control, run.program.most[0]
    back = back_of(scene, run)
    starts = run.starts[run.starts != end]
    mask = run.gates[0]
    others = len(starts)
    if mask is not None and len(starts) < len(run.starts):
        others += 1
    vertices = scene.topology.vertex_count
    level = distances_back(back, end, vertices, most, mask, vertices if mask is None else others, control)
    far = level[starts]
    for length in np.unique(far[far > 0]).tolist():
        yield from _in_parts(scene, arcs, starts[far == length], level, length)
    if run.program.least[0] == 1 and len(starts) < len(run.starts):
        found = reached_from(arcs, end, scene.ranks, most, _one(end, vertices), 1, control)
        if found.level[end] != UNKNOWN:
            yield from ways_to(found, np.array([end], np.int32), control)


def _one(vertex: int, vertices: int) -> Bools:
    mask = np.zeros(vertices, np.bool_)
    mask[vertex] = True
    return mask


def _in_parts(scene: Scene, arcs: Arcs, starts: Ids, level: Ids, length: int) -> Iterator[Ways]:
    step = max((4 << 20) // (length + 1), 1)
    for first in range(0, len(starts), step):
        yield greedy(arcs, starts[first : first + step], level, length, scene.ranks, scene.control)


def _pair(scene: Scene, run: Run, start: int, end: int) -> Iterator[Ways]:
    arcs, most = run.arcs[0], run.program.most[0]
    vertices = scene.topology.vertex_count
    # Where kernels are compiled, one of them over all is sooner there than many steps here.
    deep = SHALLOW if scene.engine.compiled else DEEP
    found = between(arcs, back_of(scene, run), start, end, vertices, most, scene.ranks, scene.control, deep)
    if found == "deep":
        csr = csr_of(scene, run.program.edges[0], back=True)
        tree = scene.engine.bfs(csr, end, limit=most, target=start, check=scene.control.check)
        if not np.isfinite(tree.distance[start]):
            return
        level = np.where(np.isfinite(tree.distance), tree.distance, UNKNOWN).astype(np.int32)
        length = int(level[start])
        found = greedy(arcs, np.array([start], np.int32), level, length, scene.ranks, scene.control)
    if found != "none":
        yield found


def back_of(scene: Scene, run: Run) -> Arcs:
    """The edges of a simple pattern from their other end."""
    edge = run.program.edges[0]
    return scene.arcs(turned(edge))


def turned(edge: BoundEdge) -> BoundEdge:
    """An edge seen from its other end."""
    return BoundEdge(
        edge.variable, edge.tables, edge.direction.reversed, edge.allowed, edge.quantifier,
        edge.cost, edge.depart, edge.arrive,
    )  # fmt: skip


def csr_of(scene: Scene, edge: BoundEdge, *, back: bool) -> Csr:
    """The edges of a pattern edge as one CSR with global slots, forward or back."""
    return merged(
        scene.topology,
        edge.tables,
        reverse=(edge.direction is Direction.LEFT) != back,
        undirected=edge.direction is Direction.ANY,
        allowed=edge.allowed or None,
    )
