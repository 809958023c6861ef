"""Whole matches of a path pattern, and how they become bindings of its variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.graph.bindings import Bindings, Lists, PathBindings
from luma_bench.models.graph.paths.arcs import Arcs
from luma_bench.models.graph.paths.chunk import NEVER, Chunk, Table
from luma_bench.models.graph.paths.program import Program
from luma_bench.models.graph.topology import Floats, Ids, Ints
from luma_bench.plan.graph.bound import BoundPath


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Whole matches of one length, in the order of the program that found them.

    Attributes
    ----------
    carried
        int64, a row for each of `Program.columns`.
    marks
        A row for each node of the program: after how many edges it comes.
    nodes, slots
        `length + 1` and `length` rows; None where nobody asks.
    """

    length: int
    carried: Table
    marks: Ids | None
    nodes: Ids | None
    slots: Ints | None

    @classmethod
    def of(cls, chunk: Chunk) -> Found:
        """A chunk at the final position."""
        return cls(chunk.depth, chunk.carried, chunk.marks, chunk.nodes, chunk.slots)

    @property
    def rows(self) -> int:
        """How many matches."""
        return self.carried.shape[1]

    def take(self, rows: Ints | slice) -> Found:
        """Some of them."""
        return Found(
            self.length,
            self.carried[:, rows],
            None if self.marks is None else self.marks[:, rows],
            None if self.nodes is None else self.nodes[:, rows],
            None if self.slots is None else self.slots[:, rows],
        )

    @property
    def turned(self) -> Found:
        """The same matches from the other end."""
        return Found(
            self.length,
            self.carried,
            None if self.marks is None else self.length - self.marks[::-1],
            None if self.nodes is None else self.nodes[::-1],
            None if self.slots is None else self.slots[::-1],
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader wants of a path pattern: variables of nodes and fixed edges, of quantified edges, and the path's own."""

    nodes: frozenset[str]
    edges: frozenset[str]
    groups: frozenset[str]
    path: str | None

    @classmethod
    def of(cls, path: BoundPath, needed: frozenset[str]) -> Wanted:
        """Those of the needed variables that are this path's."""
        return cls(
            frozenset(node.variable for node in path.nodes) & needed,
            frozenset(edge.variable for edge in path.edges if edge.quantifier is None) & needed,
            frozenset(edge.variable for edge in path.edges if edge.quantifier is not None) & needed,
            path.variable if path.variable in needed else None,
        )

    @property
    def carried(self) -> frozenset[str]:
        """Variables with one value each."""
        return self.nodes | self.edges

    @property
    def ways(self) -> bool:
        """Whether it matters which way a match goes, and not only what it meets."""
        return bool(self.groups) or self.path is not None


class Assembly:
    """Makes bindings of whole matches, in batches of about `control.batch` rows.

    Parameters
    ----------
    arcs
        By edge of the program.
    """

    def __init__(
        self,
        path: BoundPath,
        program: Program,
        wanted: Wanted,
        arcs: tuple[Arcs, ...],
        control: Control,
    ) -> None:
        self.path, self.program, self.wanted, self.control = path, program, wanted, control
        self._arcs = arcs[::-1] if program.turned else arcs

    def batches(self, found: Iterable[Found]) -> Iterator[Bindings]:
        """The bindings of some matches; those of several short runs come together."""
        held: list[Bindings] = []
        rows = cells = 0
        for item in found:
            for part in self._parts(item):
                held.append(self.bindings(part))
                rows += part.rows
                cells += held[-1].nbytes
                if rows >= self.control.batch or cells >= 64 << 20:
                    yield joined(held)
                    held, rows, cells = [], 0, 0
        if held:
            yield joined(held)

    def _parts(self, found: Found) -> Iterator[Found]:
        """Long matches in fewer rows at a time, so that a batch stays small."""
        step = self.control.batch
        if self.wanted.ways:
            step = min(step, max((8 << 20) // (found.length + 1), 1))
        if found.rows <= step:
            if found.rows:
                yield found
            return
        for start in range(0, found.rows, step):
            yield found.take(slice(start, start + step))

    def bindings(self, found: Found) -> Bindings:
        """The bindings of matches of one length."""
        program, wanted = self.program, self.wanted
        columns = dict(zip(program.columns, found.carried, strict=True))
        whole = found.turned if program.turned else found
        groups: dict[str, Lists] = {}
        for place, edge in enumerate(self.path.edges):
            if edge.variable in wanted.groups and edge.variable not in groups:
                groups[edge.variable] = _group(whole, place)
        paths = {} if wanted.path is None else {wanted.path: self._path(whole)}
        return Bindings(
            found.rows,
            {name: columns[name].astype(np.int32) for name in sorted(wanted.nodes)},
            {name: columns[name] for name in sorted(wanted.edges)},
            groups,
            paths,
        )

    def _path(self, whole: Found) -> PathBindings:
        assert whole.nodes is not None
        assert whole.slots is not None
        rows, length = whole.rows, whole.length
        nodes = Lists(np.arange(rows + 1) * (length + 1), np.ascontiguousarray(whole.nodes.T).ravel())
        edges = Lists(np.arange(rows + 1) * length, np.ascontiguousarray(whole.slots.T).ravel())
        cost = departure = arrival = None
        if any(edge.cost is not None for edge in self.path.edges):
            cost = self.costs(whole)
        if self.path.times is not None:
            departure, arrival = np.full(rows, NEVER), np.full(rows, NEVER)
            for place, arcs in enumerate(self._arcs):
                if not arcs.timed:
                    continue
                begins, ends = self._range(whole, place)
                some = np.flatnonzero(begins < ends)
                first = some[departure[some] == NEVER]
                departure[first] = arcs.departures(whole.slots[begins[first], first])
                arrival[some] = arcs.arrivals(whole.slots[ends[some] - 1, some])
        return PathBindings(nodes, edges, cost, departure, arrival)

    def costs(self, whole: Found) -> Floats:
        """The sums of COST, added from the first edge on."""
        assert whole.slots is not None
        total = np.zeros(whole.rows)
        if whole.rows == 1 and len(self._arcs) == 1:
            steps = self._arcs[0].costs(whole.slots[:, 0])
            return np.cumsum(steps)[-1:] if len(steps) else total
        ranges = [self._range(whole, place) for place in range(len(self._arcs))]
        for step, slots in enumerate(whole.slots):
            for arcs, (begins, ends) in zip(self._arcs, ranges, strict=True):
                if arcs.cost is None:
                    continue
                here = (begins <= step) & (step < ends)
                if here.all():
                    total += arcs.costs(slots)
                elif here.any():
                    total[here] += arcs.costs(slots[here])
        return total

    def _range(self, whole: Found, place: int) -> tuple[Ids, Ids]:
        """By match, the first edge that stands for this edge of the pattern, and the one behind the last."""
        assert whole.marks is not None
        return whole.marks[place], whole.marks[place + 1]


def _group(whole: Found, place: int) -> Lists:
    assert whole.marks is not None
    assert whole.slots is not None
    begins, ends = whole.marks[place], whole.marks[place + 1]
    counts = (ends - begins).astype(np.int64)
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    rows = np.repeat(np.arange(whole.rows), counts)
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    return Lists(offsets, whole.slots[np.repeat(begins, counts) + within, rows])


def joined(parts: list[Bindings]) -> Bindings:
    """Bindings of the same variables, one behind the other."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    return Bindings(
        sum(part.rows for part in parts),
        {name: np.concatenate([part.nodes[name] for part in parts]) for name in first.nodes},
        {name: np.concatenate([part.edges[name] for part in parts]) for name in first.edges},
        {name: _joined([part.groups[name] for part in parts]) for name in first.groups},
        {
            name: PathBindings(
                _joined([part.paths[name].nodes for part in parts]),
                _joined([part.paths[name].edges for part in parts]),
                _appended([part.paths[name].cost for part in parts]),
                _appended([part.paths[name].departure for part in parts]),
                _appended([part.paths[name].arrival for part in parts]),
            )
            for name in first.paths
        },
    )


def _joined(parts: list[Lists]) -> Lists:
    starts = np.cumsum([0, *(part.offsets[-1] for part in parts)])
    offsets = [part.offsets[:-1] + start for part, start in zip(parts, starts, strict=False)]
    values: Any = np.concatenate([part.values for part in parts])
    return Lists(np.concatenate([*offsets, starts[-1:]]), values)


def _appended(parts: list[Any]) -> Any:
    held = [part for part in parts if part is not None]
    return np.concatenate(held) if held else None
