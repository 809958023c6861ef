"""ANY CHEAPEST where a walk alone does not decide: modes, times, variables in several places. Matches by cost, best first.

The heap holds partial matches by cost, ranks, slots and the pattern's edges, so the first whole match of a pair of ends is
the one asked for. Without a mode, a partial match is dropped when one before it is cheaper and no worse in time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from luma_bench.language.graph.pattern import Mode
from luma_bench.models.graph.paths.chunk import NEVER
from luma_bench.models.graph.paths.clock import Clock
from luma_bench.models.graph.paths.enumerate import FAR, Remaining
from luma_bench.models.graph.paths.remaining import remaining
from luma_bench.models.graph.paths.scene import Run, Scene
from luma_bench.models.graph.paths.tight import Way, departure
from luma_bench.models.graph.topology import Ids

Key = tuple[float, tuple[int, ...], tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Partial:
    """A partial match: where it is, the way it came, and what it must not do again."""

    position: int
    way: Way
    bound: tuple[int, ...]
    departed: int
    arrived: int
    left: frozenset[tuple[int, int, int]]


def cheapest_first(scene: Scene, run: Run, start: int, ends: Ids, mode: Mode) -> Iterator[Way]:
    """The cheapest match from a start to each of some ends, as far as there is one.

    Parameters
    ----------
    run
        Not turned; it carries nothing but what is compared.
    mode
        What matches may not repeat; the path's own or less.
    """
    search = _Heap(scene, run, start, ends, mode)
    yield from search.run()


class _Heap:
    def __init__(self, scene: Scene, run: Run, start: int, ends: Ids, mode: Mode) -> None:
        self._scene, self._run = scene, run
        self._mode = mode
        self._clock = run.clock
        self._back = scene.run(frozenset(), turned=True).arcs[::-1]
        self._open = {int(end) for end in ends}
        if self._mode is Mode.ACYCLIC and run.program.shortest > 0:
            self._open.discard(start)
        self._due = len(self._open)
        self._left = self._remaining()
        self._heap: list[tuple[Key, int, Partial]] = []
        self._count = 0
        self._known: dict[tuple[int, int, tuple[int, ...]], list[tuple[float, int, int]]] = {}
        self._edges: dict[tuple[int, int], list[tuple[int, int, float, int, int]]] = {}
        # Where an edge may cost nothing, of two matches with the same cost neither stands for the other.
        self._strict = any(arcs.cost is None or arcs.cost.smallest <= 0 for arcs in run.arcs)
        program = run.program
        bound = [-1] * len(program.columns)
        if program.node_binds[0] >= 0:
            bound[program.node_binds[0]] = start
        first = Partial(0, Way((start,), (), ()), tuple(bound), NEVER, NEVER, frozenset())
        self._push((0.0, (int(scene.ranks[start]),), (), ()), first)

    def _remaining(self) -> Remaining:
        self._due = len(self._open) // 2
        ends = np.array(sorted(self._open), np.int32)
        run = self._run
        vertices = self._scene.topology.vertex_count
        return remaining(run.program, run.gates, self._back, ends, vertices, self._scene.control)

    def run(self) -> Iterator[Way]:
        """The matches, cheapest first."""
        program, control = self._run.program, self._scene.control
        while self._heap and self._open:
            if not self._count % 256:
                control.check()
                control.fits(400 * len(self._heap), "Searching cheapest paths")
            self._count += 1
            key, _, partial = heapq.heappop(self._heap)
            vertex = partial.way.nodes[-1]
            if partial.position == program.final:
                if vertex in self._open and self._whole(partial):
                    self._open.discard(vertex)
                    if len(self._open) <= self._due and self._open:
                        self._left = self._remaining()
                    yield partial.way
                continue
            if self._left[partial.position][vertex] >= FAR or self._stood_for(key[0], partial):
                continue
            self._expand(key, partial)

    def _whole(self, partial: Partial) -> bool:
        if self._clock is None or partial.departed == NEVER:
            return True
        departed, arrived = np.array([partial.departed]), np.array([partial.arrived])
        starting = self._clock.times.starting_at
        return bool(self._clock.within(departed, arrived)[0]) and (
            starting is None or partial.departed >= starting
        )

    def _stood_for(self, cost: float, partial: Partial) -> bool:
        """Whether a partial match before this one is as good for whatever follows; remembers it if not."""
        if self._mode is not Mode.WALK:
            return False
        used = self._run.program.used(partial.position)
        bound = tuple(value for value, kept in zip(partial.bound, used, strict=True) if kept)
        known = self._known.setdefault((partial.position, partial.way.nodes[-1], bound), [])
        for other, departed, arrived in known:
            cheaper = other < cost or not self._strict
            if cheaper and arrived <= partial.arrived and (departed >= partial.departed or departed == NEVER):
                return True
        known.append((cost, partial.departed, partial.arrived))
        return False

    def _push(self, key: Key, partial: Partial) -> None:
        """A partial match, and what passes on from it."""
        run, program = self._run, self._run.program
        while True:
            # Those that pass on come first, so that a match ends before the same way goes on.
            self._count += 1
            heapq.heappush(self._heap, (key, self._count, partial))
            if partial.position == program.final:
                return
            to = program.passes(partial.position)
            vertex = partial.way.nodes[-1]
            if to < 0:
                return
            node = program.node_before(to)
            gate, check, bind = run.gates[node], program.node_checks[node], program.node_binds[node]
            if (gate is not None and not gate[vertex]) or (check >= 0 and partial.bound[check] != vertex):
                return
            bound = partial.bound
            if bind >= 0:
                bound = (*bound[:bind], vertex, *bound[bind + 1 :])
            partial = Partial(to, partial.way, bound, partial.departed, partial.arrived, partial.left)

    def _expand(self, key: Key, partial: Partial) -> None:
        program = self._run.program
        to = program.move(partial.position)
        if to < 0:
            return
        edge, way = program.edge_at(partial.position), partial.way
        leaving = departure(program, edge, partial.position - program.base[edge], way.nodes[-1])
        if leaving in partial.left:
            return
        left = partial.left | {leaving}
        check, bind = program.edge_checks[edge], program.edge_binds[edge]
        for vertex, slot, cost, depart, arrive in self._of(edge, way.nodes[-1]):
            if check >= 0 and partial.bound[check] != slot:
                continue
            if self._repeats(way, vertex, slot):
                continue
            departed, arrived = partial.departed, partial.arrived
            if self._clock is not None and depart != NEVER:
                fresh = departed == NEVER
                if not _in_time(self._clock, fresh, departed, arrived, depart, arrive):
                    continue
                departed, arrived = (depart if fresh else departed), arrive
            bound = partial.bound
            if bind >= 0:
                bound = (*bound[:bind], slot, *bound[bind + 1 :])
            longer = Way((*way.nodes, vertex), (*way.slots, slot), (*way.edges, edge))
            rank = int(self._scene.ranks[vertex])
            worth = key[0] + cost, (*key[1], rank), longer.slots, (*key[3], -edge)
            self._push(worth, Partial(to, longer, bound, departed, arrived, left))

    def _repeats(self, way: Way, vertex: int, slot: int) -> bool:
        """Whether the mode forbids a step."""
        if self._mode is Mode.TRAIL:
            return slot in way.slots
        if self._mode is Mode.ACYCLIC:
            return vertex in way.nodes
        if self._mode is Mode.SIMPLE:
            closed = len(way.nodes) > 1 and way.nodes[0] == way.nodes[-1]
            return closed or vertex in way.nodes[1:]
        return False

    def _of(self, edge: int, vertex: int) -> list[tuple[int, int, float, int, int]]:
        """The edges of a vertex: the other end, slot, cost, departure and arrival."""
        found = self._edges.get((edge, vertex))
        if found is None:
            arcs = self._run.arcs[edge]
            _, ends, slots = arcs.expand(np.array([vertex], np.int32))
            timed = self._clock is not None and arcs.timed
            never = np.full(len(slots), NEVER)
            found = list(
                zip(
                    ends.tolist(),
                    slots.tolist(),
                    arcs.costs(slots).tolist(),
                    (arcs.departures(slots) if timed else never).tolist(),
                    (arcs.arrivals(slots) if timed else never).tolist(),
                    strict=True,
                )
            )
            self._edges[edge, vertex] = found
        return found


def _in_time(clock: Clock, first: bool, departed: int, arrived: int, depart: int, arrive: int) -> bool:
    times = clock.times
    if first:
        if times.starting_at is not None and depart < times.starting_at:
            return False
        departed = depart
    elif depart < arrived or (times.strict and depart == arrived):
        return False
    return not clock.monotone or times.within is None or arrive - departed <= times.within
