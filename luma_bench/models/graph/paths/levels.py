"""One level of a breadth-first search over (origin, position, vertex): labels, their moves, and the way back from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from luma_bench.models.graph.paths.chunk import Chunk, Keep, Table, begun, passed
from luma_bench.models.graph.paths.clock import Clock
from luma_bench.models.graph.paths.found import Found
from luma_bench.models.graph.paths.program import Program
from luma_bench.models.graph.paths.scene import Run
from luma_bench.models.graph.topology import Bools, Ids, Ints

EXTRA = 4
"""Rows that a level adds to what a program carries: origin, parent, slot and edge."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Partial matches of one length, one for each way that a search keeps.

    Attributes
    ----------
    positions, vertices
        Where they are.
    origins
        int64: which of the search's starts they come from, by its place.
    checked
        What the program carries because it is compared later.
    parents
        int64: which label of the level before the last edge was added to.
    slots, edges
        int64: that edge's global slot, and the edge of the program that it stands for.
    departed, arrived
        Under TIME RESPECTING, else None.
    """

    positions: Ints
    vertices: Ids
    origins: Ints
    checked: Table
    parents: Ints
    slots: Ints
    edges: Ints
    departed: Ints | None
    arrived: Ints | None

    def __len__(self) -> int:
        return len(self.vertices)

    @property
    def nbytes(self) -> int:
        """Bytes in memory, about."""
        return (44 + 8 * len(self.checked)) * len(self)

    def take(self, rows: Ints | Bools) -> Labels:
        """Some of them."""
        return Labels(
            self.positions[rows],
            self.vertices[rows],
            self.origins[rows],
            self.checked[:, rows],
            self.parents[rows],
            self.slots[rows],
            self.edges[rows],
            None if self.departed is None else self.departed[rows],
            None if self.arrived is None else self.arrived[rows],
        )


class Step(NamedTuple):
    """What of a level is needed to go back over it."""

    vertices: Ids
    parents: Ints
    slots: Ints
    edges: Ints


def first_level(run: Run, starts: Ids, timed: bool) -> Labels:
    """The labels without an edge."""
    chunk = begun(run.program, starts, Keep(), timed)
    extra = np.full((EXTRA, len(starts)), -1, np.int64)
    extra[0] = np.arange(len(starts))
    return _labels(_passed(run, [_with(chunk, np.concatenate((chunk.carried, extra)))]), run.program)


def next_level(run: Run, labels: Labels, clock: Clock | None, depth: int) -> Labels:
    """Every label that a move from one of a level leads to, `depth` edges long, before any is dropped."""
    program = run.program
    chunks: list[Chunk] = []
    for position in np.unique(labels.positions).tolist():
        if position == program.final:
            continue
        to = program.move(position)
        if to < 0:
            continue
        here = np.flatnonzero(labels.positions == position)
        edge = program.edge_at(position)
        arcs = run.arcs[edge]
        at = labels.vertices[here]
        if clock is not None and labels.departed is not None and labels.arrived is not None:
            rows, vertices, slots = clock.expand(arcs, at, labels.departed[here], labels.arrived[here])
        else:
            rows, vertices, slots = arcs.expand(at)
        parents = here[rows]
        kept: Bools | None = None
        check = program.edge_checks[edge]
        if check >= 0:
            kept = labels.checked[check][parents] == slots
        departed = arrived = None
        if clock is not None and labels.departed is not None and labels.arrived is not None:
            departed, arrived, in_time = clock.moved(
                arcs, labels.departed[parents], labels.arrived[parents], slots
            )
            kept = in_time if kept is None else kept & in_time
        if kept is not None:
            parents, vertices, slots = parents[kept], vertices[kept], slots[kept]
            if departed is not None and arrived is not None:
                departed, arrived = departed[kept], arrived[kept]
        carried = np.empty((len(program.columns) + EXTRA, len(parents)), np.int64)
        carried[: len(program.columns)] = labels.checked[:, parents]
        carried[-4] = labels.origins[parents]
        carried[-3] = parents
        carried[-2] = slots
        carried[-1] = edge
        bind = program.edge_binds[edge]
        if bind >= 0:
            carried[bind] = slots
        chunks.append(Chunk(to, depth, vertices, carried, None, None, None, departed, arrived))
    return _labels(_passed(run, chunks), program, clock)


def _with(chunk: Chunk, carried: Table) -> Chunk:
    return Chunk(
        chunk.position, chunk.depth, chunk.vertices, carried, None, None, None, chunk.departed, chunk.arrived
    )


def _passed(run: Run, chunks: list[Chunk]) -> list[Chunk]:
    return [item for chunk in chunks for item in passed(run.program, run.gates, chunk) if len(item)]


def _labels(chunks: list[Chunk], program: Program, clock: Clock | None = None) -> Labels:
    chunks = [
        chunk.take(clock.whole(chunk)) if clock is not None and chunk.position == program.final else chunk
        for chunk in chunks
    ]
    if not chunks:
        nothing = np.empty(0, np.int64)
        checked = np.empty((len(program.columns), 0), np.int64)
        return Labels(
            nothing, np.empty(0, np.int32), nothing, checked, nothing, nothing, nothing, nothing, nothing
        )
    carried = np.concatenate([chunk.carried for chunk in chunks], axis=1)
    departed = [chunk.departed for chunk in chunks if chunk.departed is not None]
    arrived = [chunk.arrived for chunk in chunks if chunk.arrived is not None]
    return Labels(
        np.concatenate([np.full(len(chunk), chunk.position) for chunk in chunks]),
        np.concatenate([chunk.vertices for chunk in chunks]),
        carried[-4],
        carried[:-EXTRA],
        carried[-3],
        carried[-2],
        carried[-1],
        np.concatenate(departed) if departed else None,
        np.concatenate(arrived) if arrived else None,
    )


def back(steps: list[Step], rows: Ints) -> tuple[Ids, Ints, Ints]:
    """The ways to some labels of the last level: nodes, slots and edges of the program, a row for each step."""
    length = len(steps) - 1
    nodes = np.empty((length + 1, len(rows)), np.int32)
    slots = np.empty((length, len(rows)), np.int64)
    edges = np.empty((length, len(rows)), np.int64)
    for depth in range(length, 0, -1):
        step = steps[depth]
        nodes[depth], slots[depth - 1], edges[depth - 1] = (
            step.vertices[rows],
            step.slots[rows],
            step.edges[rows],
        )
        rows = step.parents[rows]
    nodes[0] = steps[0].vertices[rows]
    return nodes, slots, edges


def whole(program: Program, nodes: Ids, slots: Ints, edges: Ints) -> Found:
    """Matches by their ways; `program` carries what the reader wants."""
    rows = nodes.shape[1]
    marks = np.empty((len(program.nodes), rows), np.int32)
    for place in range(len(program.nodes)):
        marks[place] = (edges < place).sum(axis=0)
    every = np.arange(rows)
    carried = np.empty((len(program.columns), rows), np.int64)
    for place, bind in enumerate(program.node_binds):
        if bind >= 0:
            carried[bind] = nodes[marks[place], every]
    for place, bind in enumerate(program.edge_binds):
        if bind >= 0:
            carried[bind] = slots[marks[place], every]
    return Found(len(slots), carried, marks, nodes, slots)
