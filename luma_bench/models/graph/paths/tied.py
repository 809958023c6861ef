"""ALL SHORTEST: breadth first, with every edge from one level to the next, then back from the ends along them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.graph.paths.found import Found
from luma_bench.models.graph.paths.horizon import Horizon, horizon
from luma_bench.models.graph.paths.levels import Labels, first_level, next_level, whole
from luma_bench.models.graph.paths.program import compiled
from luma_bench.models.graph.paths.ranked import CELLS
from luma_bench.models.graph.paths.scene import Run, Scene
from luma_bench.models.graph.paths.states import Tally, states_of
from luma_bench.models.graph.topology import Ids, Ints

PIECE = 65_536
"""Ways that are followed back together, about."""


class Tier(NamedTuple):
    """A level: one label for each state that is not nearer, and all moves that lead to it.

    Those of label `i` are `indptr[i]:indptr[i + 1]` of `parents`, `slots` and `edges`.
    """

    vertices: Ids
    indptr: Ints
    parents: Ints
    slots: Ints
    edges: Ints


def tied(scene: Scene, run: Run) -> Iterator[Found]:
    """All shortest matches of each pair of ends. Walks without times only."""
    if len(run.starts) == len(run.ends) == 1 and not run.program.checks:
        held_to = horizon(scene, run, whole=False)
        if held_to is not None:
            yield from _of_group(scene, run, run.starts, held_to)
        return
    cells = scene.topology.vertex_count * (run.program.final + 1)
    group = max(CELLS // max(cells, 1), 1)
    for first in range(0, len(run.starts), group):
        yield from _of_group(scene, run, run.starts[first : first + group])


def _of_group(scene: Scene, run: Run, starts: Ids, held_to: Horizon | None = None) -> Iterator[Found]:
    program, control = run.program, scene.control
    output = compiled(scene.path, scene.wanted.carried, turned=program.turned)
    states = states_of(program, len(starts), scene.topology.vertex_count)
    tally = Tally(states.dense)
    labels = first_level(run, starts, timed=False)
    numbers = states.of(labels)
    tiers: list[Tier] = []
    ended = np.zeros(len(starts), np.int64)
    closed = program.node_checks[-1]
    asked = 1 if closed >= 0 and closed == program.node_binds[0] else len(run.ends)
    held = 0
    while len(labels):
        control.check()
        labels, tier = _tier(labels, numbers, tally)
        tiers.append(tier)
        held += labels.nbytes + 24 * len(tier.parents)
        control.fits(held + tally.nbytes, "Searching shortest paths")
        whole_ones = np.flatnonzero(labels.positions == program.final)
        if len(whole_ones):
            # A pair of ends is done with its first level: no later label is of the same state.
            for nodes, slots, edges in _ways(tiers, whole_ones, control):
                yield whole(output, nodes, slots, edges)
            ended += np.bincount(labels.origins[whole_ones], minlength=len(ended))
        labels = _going(labels, ended[labels.origins] < asked, program.final)
        labels = next_level(run, labels, None, len(tiers))
        if held_to is not None:
            labels = labels.take(held_to.near(labels, len(tiers)))
        numbers = states.of(labels)
        new = tally.of(numbers) == 0
        labels, numbers = labels.take(new), numbers[new]


def _going(labels: Labels, going: np.ndarray, final: int) -> Labels:
    """The same labels, those that need not go on marked as ended (parents are counted by place)."""
    if going.all():
        return labels
    positions = np.where(going, labels.positions, final)
    return Labels(
        positions, labels.vertices, labels.origins, labels.checked, labels.parents,
        labels.slots, labels.edges, labels.departed, labels.arrived,
    )  # fmt: skip


def _tier(labels: Labels, numbers: Ints, tally: Tally) -> tuple[Labels, Tier]:
    """One label for each state, and the moves of all."""
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    tally.add(ordered[starts], np.ones(len(starts), np.int64))
    moves = labels.take(order)
    kept = labels.take(order[starts])
    indptr = np.append(starts, len(order))
    return kept, Tier(kept.vertices, indptr, moves.parents, moves.slots, moves.edges)


class _Ways(NamedTuple):
    """Ends of ways, from labels of a tier on."""

    depth: int
    rows: Ints
    nodes: Ids
    slots: Ints
    edges: Ints


def _ways(tiers: list[Tier], ended: Ints, control: Control) -> Iterator[tuple[Ids, Ints, Ints]]:
    """Every way to some labels of the last tier: nodes, slots and edges, a row for each step."""
    length = len(tiers) - 1
    nothing = np.empty((0, len(ended)), np.int64)
    stack = [_Ways(length, ended, tiers[-1].vertices[ended][None, :], nothing, nothing)]
    while stack:
        control.check()
        ways = stack.pop()
        if not ways.depth:
            yield ways.nodes, ways.slots, ways.edges
            continue
        tier = tiers[ways.depth]
        starts, counts = tier.indptr[ways.rows], np.diff(tier.indptr)[ways.rows]
        most = max(min(PIECE, (32 << 20) // (20 * (length + 1))), 1)
        cut = max(int(np.searchsorted(np.cumsum(counts), most, side="right")), 1)
        if cut < len(ways.rows):
            rest = slice(cut, None)
            stack.append(
                _Ways(
                    ways.depth, ways.rows[rest], ways.nodes[:, rest], ways.slots[:, rest], ways.edges[:, rest]
                )
            )
            starts, counts = starts[:cut], counts[:cut]
        rows = np.repeat(np.arange(len(counts)), counts)
        ends = np.cumsum(counts)
        moves = np.arange(ends[-1]) + np.repeat(starts - ends + counts, counts)
        parents = tier.parents[moves]
        stack.append(
            _Ways(
                ways.depth - 1,
                parents,
                np.concatenate((tiers[ways.depth - 1].vertices[parents][None, :], ways.nodes[:, rows])),
                np.concatenate((tier.slots[moves][None, :], ways.slots[:, rows])),
                np.concatenate((tier.edges[moves][None, :], ways.edges[:, rows])),
            )
        )
        control.fits(
            sum(item.nodes.nbytes + item.slots.nbytes + item.edges.nbytes for item in stack),
            "Enumerating shortest paths",
        )
