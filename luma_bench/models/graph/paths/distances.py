"""The costs of the cheapest walks from one start to every vertex and position of a program."""

from __future__ import annotations

from typing import Any

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.graph.paths.program import Program
from luma_bench.models.graph.paths.scene import Run
from luma_bench.models.graph.topology import Floats, Ids

Distances = np.ndarray[Any, np.dtype[np.float64]]
"""By position and vertex; infinity where no walk leads."""


def distances(run: Run, start: int, vertices: int, control: Control) -> Distances:
    """Costs added up from the first edge on, as the smallest sum of floats; levels of what became cheaper are relaxed together."""
    program = run.program
    control.fits(8 * vertices * (program.final + 1), "Searching cheapest paths")
    found = np.full((program.final + 1, vertices), np.inf)
    found[0][start] = 0.0
    changed = _passed(program, run, found, {0: np.array([start], np.int32)})
    while changed:
        control.check()
        reached: dict[int, Ids] = {}
        for position, at in sorted(changed.items()):
            to = -1 if position == program.final else program.move(position)
            if to < 0:
                continue
            arcs = run.arcs[program.edge_at(position)]
            rows, ends, slots = arcs.expand(at)
            better = _relaxed(found[to], ends, found[position][at][rows] + arcs.costs(slots))
            reached[to] = better if to not in reached else np.union1d(reached[to], better)
        changed = _passed(program, run, found, reached)
    return found


def _relaxed(costs: Floats, ends: Ids, offered: Floats) -> Ids:
    """Take what is cheaper; gives the vertices that it was cheaper for."""
    better = offered < costs[ends]
    ends, offered = ends[better], offered[better]
    np.minimum.at(costs, ends, offered)
    return np.unique(ends)


def _passed(program: Program, run: Run, found: Distances, reached: dict[int, Ids]) -> dict[int, Ids]:
    """What changed, and what changed behind it where a search passes on without an edge."""
    changed = {position: at for position, at in reached.items() if len(at)}
    for position in range(program.final):
        at = changed.get(position)
        to = program.passes(position) if at is not None else -1
        if at is None or to < 0:
            continue
        gate = run.gates[program.node_before(to)]
        through = at if gate is None else at[gate[at]]
        better = _relaxed(found[to], through, found[position][through])
        if len(better):
            changed[to] = better if to not in changed else np.union1d(changed[to], better)
    return changed
