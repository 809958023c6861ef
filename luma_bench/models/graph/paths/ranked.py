"""ANY SHORTEST and SHORTEST k: breadth first, keeping of each (origin, position, vertex) the first `quota` ways there.

More are never needed: a match whose beginning is not among them has `quota` better ones that end the same way. Under
TIME RESPECTING a way stands for another only when it also arrives no later (and departs no earlier, where the whole
journey is bounded). Ways of one length are ordered by the ranks of their vertices, then by their slots, then so that
earlier edges of the pattern take fewer; each level sorts its labels by what the level before them sorted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from luma_bench.models.graph.paths.clock import Clock
from luma_bench.models.graph.paths.enumerate import FAR
from luma_bench.models.graph.paths.found import Found
from luma_bench.models.graph.paths.horizon import Horizon, horizon
from luma_bench.models.graph.paths.levels import Labels, Step, back, first_level, next_level, whole
from luma_bench.models.graph.paths.pareto import Fronts
from luma_bench.models.graph.paths.program import Program, compiled
from luma_bench.models.graph.paths.scene import Run, Scene
from luma_bench.models.graph.paths.states import Tally, states_of
from luma_bench.models.graph.topology import Ids, Ints

CELLS = 1 << 22
"""States of the starts that are searched from together."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """The order of the labels of a level, by what they passed: numbers that are equal for equal ways.

    `ranks` compares vertices, `slots` edges of the graph, `edges` edges of the pattern.
    """

    ranks: Ints
    slots: Ints
    edges: Ints

    @classmethod
    def none(cls, rows: int) -> Order:
        """Of labels without an edge."""
        nothing = np.zeros(rows, np.int64)
        return cls(nothing, nothing, nothing)

    def sorted(self, states: Ints, labels: Labels, turned: bool) -> Ints:
        """The candidates `labels` (moves from the labels of this order) by state, the best first."""
        parents = labels.parents
        ranks, slots = self.ranks[parents], self.slots[parents]
        if turned:
            return np.lexsort((self.edges[parents], labels.edges, slots, labels.slots, ranks, states))
        return np.lexsort((-labels.edges, self.edges[parents], labels.slots, slots, ranks, states))

    def following(self, labels: Labels, ranks: Ints, turned: bool) -> Order:
        """The order of the labels that were kept."""
        parents = labels.parents
        # Of a turned program the edges of the pattern count from its end.
        edges = labels.edges if turned else -labels.edges
        return Order(
            _numbered(self.ranks[parents], ranks[labels.vertices], turned),
            _numbered(self.slots[parents], labels.slots, turned),
            _numbered(self.edges[parents], edges, turned),
        )


def _numbered(before: Ints, values: Ints, turned: bool) -> Ints:
    """Numbers in the order of (before, values), or turned of (values, before); equal pairs have equal numbers."""
    first, second = (values, before) if turned else (before, values)
    order = np.lexsort((second, first))
    a, b = first[order], second[order]
    numbers = np.empty(len(order), np.int64)
    numbers[order] = np.cumsum(np.concatenate(([0], (a[1:] != a[:-1]) | (b[1:] != b[:-1])))[: len(order)])
    return numbers


def ranked(scene: Scene, run: Run, quota: int) -> Iterator[Found]:
    """The first `quota` matches of each pair of ends, by length and order, from the starts of a run.

    Walks only: the path's mode is not looked at.
    """
    output = compiled(scene.path, scene.wanted.carried, turned=run.program.turned)
    if len(run.starts) == len(run.ends) == 1 and scene.path.times is None:
        yield from _between(scene, run, output, quota)
        return
    cells = scene.topology.vertex_count * (run.program.final + 1)
    group = max(CELLS // max(cells, 1), 1)
    for first in range(0, len(run.starts), group):
        yield from _of_group(scene, run, output, run.starts[first : first + group], quota)


def _between(scene: Scene, run: Run, output: Program, quota: int) -> Iterator[Found]:
    """The same for one start and one end: length by length, following only what ends in time."""
    held = horizon(scene, run, whole=False)
    seen_whole = False
    while held is not None:
        count = 0
        for found in _of_group(scene, run, output, run.starts, quota, held):
            count += found.rows
            if found.length == held.longest:
                yield found
        if count >= quota:
            return
        longest = held.beyond
        if not seen_whole:
            # What is farther from the end than the start was not looked at yet.
            seen_whole = True
            left, longest = horizon(scene, run, whole=True), held.longest + 1
            held = None if left is None else Horizon(left.left, longest)
        else:
            held = None if longest >= FAR else Horizon(held.left, longest)


def _of_group(
    scene: Scene, run: Run, output: Program, starts: Ids, quota: int, held_to: Horizon | None = None
) -> Iterator[Found]:
    program, clock = run.program, run.clock
    search = _Search(scene, run, starts, quota, clock, held_to)
    labels = search.first()
    steps: list[Step] = []
    held = 0
    while len(labels):
        scene.control.check()
        steps.append(Step(labels.vertices, labels.parents, labels.slots, labels.edges))
        held += labels.nbytes
        scene.control.fits(held + search.nbytes, "Searching shortest paths")
        ended = np.flatnonzero(labels.positions == program.final)
        if len(ended):
            yield from _given(scene, output, steps, ended)
        labels = search.following(labels, len(steps))


def _given(scene: Scene, output: Program, steps: list[Step], ended: Ints) -> Iterator[Found]:
    """The matches that some labels stand for, in parts that memory can take."""
    step = max((4 << 20) // len(steps), 1)
    for first in range(0, len(ended), step):
        scene.control.check()
        yield whole(output, *back(steps, ended[first : first + step]))


class _Search:
    """The levels of a search from some starts."""

    def __init__(
        self, scene: Scene, run: Run, starts: Ids, quota: int, clock: Clock | None, held_to: Horizon | None
    ) -> None:
        self._held_to = held_to
        self._scene, self._run, self._starts, self._quota, self._clock = scene, run, starts, quota, clock
        self._states = states_of(run.program, len(starts), scene.topology.vertex_count)
        self._tally = Tally(self._states.dense)
        self._fronts = None if clock is None else Fronts(quota, clock.times.within is not None, clock.turned)
        self._order = Order.none(0)
        self._ended = np.zeros(len(starts), np.int64)
        # Each start wants so many matches at most; then nothing more is asked of it.
        closed = run.program.node_checks[-1]
        self._asked = quota * (1 if closed >= 0 and closed == run.program.node_binds[0] else len(run.ends))

    @property
    def nbytes(self) -> int:
        """Bytes of what it remembers of states."""
        return self._tally.nbytes + (0 if self._fronts is None else self._fronts.nbytes)

    def first(self) -> Labels:
        """The labels without an edge."""
        labels = first_level(self._run, self._starts, self._clock is not None)
        states = self._states.of(labels)
        self._order = Order.none(len(labels))
        return self._kept(labels, states, np.argsort(states, kind="stable"))

    def following(self, labels: Labels, depth: int) -> Labels:
        """The labels of the next level."""
        if (self._ended >= self._asked).any():
            # What is dropped here only goes no further: parents are still counted by place.
            going = self._ended[labels.origins] < self._asked
            positions = np.where(going, labels.positions, self._run.program.final)
            labels = Labels(
                positions, labels.vertices, labels.origins, labels.checked, labels.parents,
                labels.slots, labels.edges, labels.departed, labels.arrived,
            )  # fmt: skip
        found = next_level(self._run, labels, self._clock, depth)
        if self._held_to is not None:
            found = found.take(self._held_to.near(found, depth))
        if not len(found):
            return found
        states = self._states.of(found)
        if self._fronts is None:
            room = self._tally.of(states) < self._quota
            found, states = found.take(room), states[room]
        turned = self._run.program.turned
        kept = self._kept(found, states, self._order.sorted(states, found, turned))
        self._order = self._order.following(kept, self._scene.ranks, turned)
        return kept

    def _kept(self, labels: Labels, states: Ints, order: Ints) -> Labels:
        """Those of a level's labels that are among the first of their state; `order` sorts them by state and way."""
        if not len(order):
            return labels
        ordered = states[order]
        new = np.concatenate(([True], ordered[1:] != ordered[:-1]))
        starts = np.flatnonzero(new)
        if self._fronts is not None:
            ended = labels.positions[order] == self._run.program.final
            chosen = self._fronts.chosen(ordered, starts, labels.take(order), ended)
        else:
            places = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
            chosen = places + self._tally.of(ordered) < self._quota
            counts = np.add.reduceat(chosen, starts, dtype=np.int64)
            self._tally.add(ordered[starts], counts)
        kept = labels.take(order[chosen])
        ended = kept.origins[kept.positions == self._run.program.final]
        self._ended += np.bincount(ended, minlength=len(self._ended))
        return kept
