"""Partial matches of one length at one position of a program: what enumerating searches work on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from luma_bench.models.graph.paths.program import Gates, Program
from luma_bench.models.graph.topology import Bools, Ids, Ints

Table = np.ndarray[Any, np.dtype[np.int64]]

NEVER = int(np.iinfo(np.int64).min)
"""The departure and arrival of a path without edges (NumPy's NaT)."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Partial matches, one column for each.

    Attributes
    ----------
    vertices
        Where they are.
    carried
        int64, a row for each of `Program.columns`.
    marks
        int32, a row for each node of the program: after how many edges it was passed. None where nobody asks.
    nodes, slots
        int32 `depth + 1` rows, int64 `depth` rows: the way they came. None where nobody asks.
    departed, arrived
        int64, of the first and last edge under TIME RESPECTING; None without.
    """

    position: int
    depth: int
    vertices: Ids
    carried: Table
    marks: Ids | None
    nodes: Ids | None
    slots: Ints | None
    departed: Ints | None
    arrived: Ints | None

    def __len__(self) -> int:
        return len(self.vertices)

    @property
    def width(self) -> int:
        """Bytes of one partial match."""
        held = 4 + 8 * len(self.carried)
        held += 0 if self.marks is None else 4 * len(self.marks)
        held += 0 if self.nodes is None else 4 * len(self.nodes)
        held += 0 if self.slots is None else 8 * len(self.slots)
        return held + (0 if self.arrived is None else 16)

    def take(self, rows: Ints | Bools | slice) -> Chunk:
        """Some of them."""
        return replace(
            self,
            vertices=self.vertices[rows],
            carried=self.carried[:, rows],
            marks=None if self.marks is None else self.marks[:, rows],
            nodes=None if self.nodes is None else self.nodes[:, rows],
            slots=None if self.slots is None else self.slots[:, rows],
            departed=None if self.departed is None else self.departed[rows],
            arrived=None if self.arrived is None else self.arrived[rows],
        )


@dataclass(frozen=True, slots=True)
class Keep:
    """What of their way partial matches remember."""

    nodes: bool = False
    slots: bool = False
    marks: bool = False


def begun(program: Program, starts: Ids, keep: Keep, timed: bool) -> Chunk:
    """The empty matches at these vertices, which the first node admits."""
    rows = len(starts)
    carried = np.full((len(program.columns), rows), -1, np.int64)
    if program.node_binds[0] >= 0:
        carried[program.node_binds[0]] = starts
    never = np.full(rows, NEVER) if timed else None
    return Chunk(
        position=0,
        depth=0,
        vertices=starts.astype(np.int32),
        carried=carried,
        marks=np.zeros((len(program.nodes), rows), np.int32) if keep.marks else None,
        nodes=starts.astype(np.int32)[None, :] if keep.nodes else None,
        slots=np.empty((0, rows), np.int64) if keep.slots else None,
        departed=never,
        arrived=never,
    )


def passed(program: Program, gates: Gates, chunk: Chunk) -> list[Chunk]:
    """A chunk and what passes on from it to the next edges' first positions, and to the end, without a move."""
    found = [chunk]
    while True:
        last = found[-1]
        if last.position == program.final:
            return found
        position = program.passes(last.position)
        if position < 0:
            return found
        node = program.node_before(position)
        kept: Bools | None = None
        gate = gates[node]
        if gate is not None:
            kept = gate[last.vertices]
        check = program.node_checks[node]
        if check >= 0:
            equal = last.carried[check] == last.vertices
            kept = equal if kept is None else kept & equal
        step = last if kept is None or kept.all() else last.take(kept)
        if not len(step):
            return found
        bind = program.node_binds[node]
        carried = step.carried
        if bind >= 0:
            carried = carried.copy()
            carried[bind] = step.vertices
        marks = step.marks
        if marks is not None:
            marks = marks.copy()
            marks[node] = step.depth
        found.append(replace(step, position=position, carried=carried, marks=marks))
