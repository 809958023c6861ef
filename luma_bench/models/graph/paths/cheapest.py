"""ANY CHEAPEST among walks: costs from a start to all, then of each end the first of the cheapest walks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from luma_bench.language.graph.pattern import Mode
from luma_bench.models.graph.paths.bestfirst import cheapest_first
from luma_bench.models.graph.paths.cheapest_trees import FEW, Costs
from luma_bench.models.graph.paths.distances import Distances, distances
from luma_bench.models.graph.paths.found import Found
from luma_bench.models.graph.paths.levels import whole
from luma_bench.models.graph.paths.nearest import Ways
from luma_bench.models.graph.paths.program import Program, compiled
from luma_bench.models.graph.paths.rounds import first_round_way
from luma_bench.models.graph.paths.scene import Run, Scene
from luma_bench.models.graph.paths.simple import is_simple
from luma_bench.models.graph.paths.tight import Moves, Way, first_way, needless, ordered, tight_moves
from luma_bench.models.graph.topology import Ids


def cheapest(scene: Scene, run: Run) -> Iterator[Found]:
    """The cheapest match of each pair of ends, walks without a look at the path's mode; a run that is not turned."""
    output = compiled(scene.path, scene.wanted.carried)
    if is_simple(scene, run.program) and run.program.most[0] is None:
        yield from _simple(scene, run, output)
        return
    for start in run.starts.tolist():
        for way in ways_from(scene, run, start, run.ends):
            yield found_of(output, way)


def _simple(scene: Scene, run: Run, output: Program) -> Iterator[Found]:
    """For a pattern of one edge that repeats without a bound."""
    costs = Costs(scene, run)
    starts, ends = run.starts, run.ends
    positive = costs.positive
    if len(ends) < len(starts):
        for end in ends.tolist():
            for ways in costs.to_end(end, starts[starts != end]):
                yield _all(output, ways)
            if end in starts:
                for ways in costs.tree(end, np.array([end], np.int32)):
                    yield _all(output, ways)
        return
    for start in starts.tolist():
        others = ends[ends != start]
        if not positive or len(others) > FEW:
            for ways in costs.tree(start, ends):
                yield _all(output, ways)
            continue
        rest = ends
        if len(starts) == len(others) == 1:
            ways = costs.pair(start, int(others[0]))
            rest = ends[ends == start]
            if ways is not None:
                yield _all(output, ways)
        if len(rest):
            for way in _each(scene, run, costs.by_position(start), start, rest):
                yield found_of(output, way)


def _all(output: Program, ways: Ways) -> Found:
    return whole(output, ways.nodes, ways.slots, np.zeros(ways.slots.shape, np.int64))


def ways_from(scene: Scene, run: Run, start: int, ends: Ids) -> Iterator[Way]:
    """The cheapest matches from one start to some ends."""
    program = run.program
    closed = program.node_checks[-1] >= 0 and program.node_checks[-1] == program.node_binds[0]
    if closed:
        ends = ends[ends == start]
    only_ends = not any(check >= 0 for check in (*program.node_checks[:-1], *program.edge_checks))
    if scene.path.times is not None or not only_ends or (program.node_checks[-1] >= 0 and not closed):
        yield from cheapest_first(scene, run, start, ends, scene.path.mode)
        return
    costs = distances(run, start, scene.topology.vertex_count, scene.control)
    yield from _each(scene, run, costs, start, ends)


def _each(scene: Scene, run: Run, costs: Distances, start: int, ends: Ids) -> Iterator[Way]:
    """The cheapest walks to some ends, each looked for by itself."""
    program, control = run.program, scene.control
    back = scene.run(frozenset(), turned=True).arcs[::-1]
    for end in ends[np.isfinite(costs[program.final][ends])].tolist():
        control.check()
        moves = tight_moves(run, back, costs, start, end, control)
        yield _first(scene, program, moves, start, end)


def _first(scene: Scene, program: Program, moves: Moves, start: int, end: int) -> Way:
    """The first of the walks along these moves that counts."""
    order = ordered(moves, (0, start))
    if order is not None:
        way = first_way(program, moves, order, (0, start), scene.ranks)
        if not needless(program, way):
            return way
    if len(program.edges) == 1:
        return first_round_way(program, moves, (0, start), scene.ranks, scene.control)
    run = scene.run(frozenset())
    return next(cheapest_first(scene, run, start, np.array([end], np.int32), Mode.WALK))


def found_of(output: Program, way: Way) -> Found:
    """A walk as a match."""
    nodes, slots, edges = (np.array(part, np.int64)[:, None] for part in way)
    return whole(output, nodes.astype(np.int32), slots.reshape(-1, 1), edges.reshape(-1, 1))
