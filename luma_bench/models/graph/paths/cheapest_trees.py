"""ANY CHEAPEST for a pattern of one edge that repeats without a bound: costs by the engine, then the first of the cheapest.

A walk that counts leaves no vertex twice. From one start the vertices are gone through depth first along the edges of
cheapest walks, neighbours in order: what leads to one first is on its first walk, whether or not edges that cost nothing go
round. Towards one end each vertex goes on to its first neighbour; only from where that goes round, each start is searched
from for itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.graph.paths.distances import Distances
from luma_bench.models.graph.paths.nearest import UNKNOWN, Reached, Ways, ways_to
from luma_bench.models.graph.paths.scene import Run, Scene
from luma_bench.models.graph.paths.simple import csr_of
from luma_bench.models.graph.topology import Floats, Ids, Ints

FEW = 8
"""Ends for which a walk each is looked for by itself."""


class Costs:
    """The edges of a simple pattern with their costs, both ways."""

    def __init__(self, scene: Scene, run: Run) -> None:
        edge = run.program.edges[0]
        self.scene, self.run = scene, run
        self.forward, self.back = csr_of(scene, edge, back=False), csr_of(scene, edge, back=True)
        scene.control.fits(16.0 * len(self.forward.neighbours), "The costs of all edges")
        self.costs = run.arcs[0].costs(self.forward.slots.astype(np.int64, copy=False))
        self.back_costs = run.arcs[0].costs(self.back.slots.astype(np.int64, copy=False))

    @property
    def positive(self) -> bool:
        """Whether every edge makes every walk dearer: it costs something, and no sum is so large that it would be lost."""
        if not len(self.costs):
            return True
        low, high = float(self.costs.min()), 2 * float(self.costs.sum())
        return low > 0 and high + low / 4 > high

    def from_start(self, start: int) -> Floats:
        """By vertex, the cost of the cheapest walk from a start, 0 to itself."""
        return self.scene.engine.sssp(
            self.forward, self.costs, start, check=self.scene.control.check
        ).distance

    def by_position(self, start: int) -> Distances:
        """The same by position of the program, walks of at least one edge where it asks for one."""
        program = self.run.program
        distance = self.from_start(start)
        found = np.full((program.final + 1, len(distance)), np.inf)
        found[0][start] = 0.0
        walked = found[program.move(0)]
        walked[:] = distance
        if program.least[0]:
            begins, ends = self.back.indptr[start], self.back.indptr[start + 1]
            into = distance[self.back.neighbours[begins:ends]] + self.back_costs[begins:ends]
            walked[start] = into.min(initial=np.inf)
        gate = self.run.gates[1]
        found[program.final] = walked if gate is None else np.where(gate, walked, np.inf)
        return found

    def pair(self, start: int, end: int) -> Ways | None:
        """The first of the cheapest walks between two different vertices, every edge costing something."""
        scene, ranks = self.scene, self.scene.ranks
        if (ranks[1:] > ranks[:-1]).all():
            # A search back from the end decides ties by the smallest vertex on the way there, and so by rank.
            found = scene.engine.pair(
                self.back, self.back_costs, end, start,
                reverse=(self.forward, self.costs), check=scene.control.check,
            )  # fmt: skip
            if not np.isfinite(found.distance):
                return None
            slots = self.back.slots[found.positions].astype(np.int64)
            return Ways(found.vertices[::-1][:, None], slots[::-1][:, None])
        left = scene.engine.sssp(self.back, self.back_costs, end, check=scene.control.check).distance
        return self._along(start, end, left) if np.isfinite(left[start]) else None

    def _along(self, start: int, end: int, left: Floats) -> Ways:
        """From a start on to the first neighbour that costs no more than has to be."""
        forward, ranks = self.forward, self.scene.ranks
        nodes, slots = [start], list[int]()
        while nodes[-1] != end:
            if not len(nodes) % 1024:
                self.scene.control.check()
            row = slice(forward.indptr[nodes[-1]], forward.indptr[nodes[-1] + 1])
            ends = forward.neighbours[row]
            tight = np.flatnonzero(self.costs[row] + left[ends] == left[nodes[-1]])
            first = tight[np.lexsort((forward.slots[row][tight], ranks[ends[tight]]))[0]]
            nodes.append(int(ends[first]))
            slots.append(int(forward.slots[row][first]))
        return Ways(np.array(nodes, np.int32)[:, None], np.array(slots, np.int64).reshape(-1, 1))

    def to_end(self, end: int, starts: Ids) -> Iterator[Ways]:
        """The first of the cheapest walks from each of some other vertices to an end."""
        scene = self.scene
        left = scene.engine.sssp(self.back, self.back_costs, end, check=scene.control.check).distance
        begins, places = self._tight(left, turned=True)
        ends = self.forward.neighbours[places]
        order = np.lexsort((self.forward.slots[places], scene.ranks[ends], begins))
        begins, ends, slots = begins[order], ends[order], self.forward.slots[places[order]]
        onward = (begins != end) & (begins != ends)
        begins, ends, slots = begins[onward], ends[onward], slots[onward]
        first = np.concatenate(([True], begins[1:] != begins[:-1])) if len(begins) else onward[:0]
        found = self._reached(begins[first], ends[first], slots[first], end, len(left))
        starts = starts[np.isfinite(left[starts])]
        simple = found.level[starts] != UNKNOWN
        for ways in ways_to(found, starts[simple], scene.control):
            yield Ways(ways.nodes[::-1], ways.slots[::-1])
        if simple.all():
            return
        tight = _Onward(begins, ends, len(left))
        for start in starts[~simple].tolist():
            taken = tight.first_to(start, end, scene.control)
            nodes = np.concatenate((np.array([start], np.int32), ends[taken]))
            yield Ways(nodes[:, None], slots[taken].astype(np.int64)[:, None])

    def tree(self, start: int, ends: Ids) -> Iterator[Ways]:
        """The first of the cheapest walks from a start to each of some vertices, itself among them or not."""
        distance, ranks, control = self.from_start(start), self.scene.ranks, self.scene.control
        others = ends[ends != start]
        targets = others[np.isfinite(distance[others])]
        begins, places = self._tight(distance, turned=False)
        reached, slots = self.forward.neighbours[places], self.forward.slots[places].astype(np.int64)
        onward = (reached != start) & (reached != begins)
        begins, reached, slots = begins[onward], reached[onward], slots[onward]
        count = len(distance)
        if len(others) < len(ends):
            if not self.run.program.least[0]:
                yield Ways(np.array([[start]], np.int32), np.empty((0, 1), np.int64))
            else:
                # The walks that come back end in a vertex of their own, which has the start's rank.
                before, back = self._closing(start, distance)
                begins, slots = np.concatenate((begins, before)), np.concatenate((slots, back))
                again = np.full(len(before), count, np.int32)
                reached, targets = np.concatenate((reached, again)), np.concatenate((targets, again[:1]))
                ranks = np.append(ranks, ranks[start])
                count += 1
        if len(reached) and int(np.bincount(reached).max()) > 1:
            order = np.lexsort((slots, ranks[reached], begins))
            begins, reached, slots = begins[order], reached[order], slots[order]
            kept = _first_met(begins, reached, start, count, control)
            begins, reached, slots = begins[kept], reached[kept], slots[kept]
        found = self._reached(reached, begins, slots, start, count)
        for ways in ways_to(found, targets, control):
            yield Ways(np.where(ways.nodes == len(distance), np.int32(start), ways.nodes), ways.slots)

    def _closing(self, start: int, distance: Floats) -> tuple[Ids, Ints]:
        """The last edges of the cheapest walks of one edge or more back to a start: where they begin, and their slots."""
        row = slice(self.back.indptr[start], self.back.indptr[start + 1])
        before = self.back.neighbours[row]
        total = distance[before] + self.back_costs[row]
        best = np.flatnonzero(np.isfinite(total) & (total == total.min(initial=np.inf)))
        return before[best], self.back.slots[row][best].astype(np.int64)

    def _tight(self, distance: Floats, *, turned: bool) -> tuple[Ids, Ints]:
        """The edges of cheapest walks: where they begin, and their positions."""
        forward = self.forward
        numbers = np.arange(forward.vertices, dtype=np.int32)
        begins = np.repeat(numbers, np.diff(forward.indptr))
        one, other = distance[begins], distance[forward.neighbours]
        tight = (self.costs + other == one) if turned else (one + self.costs == other)
        places = np.flatnonzero(tight & np.isfinite(one))
        return begins[places], places

    def _reached(self, vertices: Ids, parents: Ids, slots: Ints | Ids, root: int, count: int) -> Reached:
        """A tree by its edges, with the level of each vertex: by doubling steps towards the root, which some may not come to."""
        parent, slot = np.full(count, -1, np.int32), np.full(count, -1, np.int64)
        parent[vertices], slot[vertices] = parents, slots
        ancestor = np.where(parent >= 0, parent, np.arange(count, dtype=np.int32))
        ancestor[root] = root
        level = (ancestor != np.arange(count)).astype(np.int32)
        for _ in range(count.bit_length()):
            self.scene.control.check()
            more = level[ancestor]
            if not more.any():
                break
            level += more
            ancestor = ancestor[ancestor]
        level[ancestor != root] = UNKNOWN
        return Reached(level, parent, slot)


class _Onward:
    """Edges by where they begin, in the order to take them."""

    def __init__(self, begins: Ids, ends: Ids, vertices: int) -> None:
        self._bounds = np.searchsorted(begins, np.arange(vertices + 1)).tolist()
        self._to = ends.tolist()

    def first_to(self, start: int, end: int, control: Control) -> list[int]:
        """The edges of the first walk to an end that leaves no vertex twice; there is one."""
        to = self._to
        seen = {start}
        taken: list[int] = []
        stack = [iter(range(self._bounds[start], self._bounds[start + 1]))]
        steps = 0
        while stack:
            steps += 1
            if not steps % 65_536:
                control.check()
            at = next((at for at in stack[-1] if to[at] not in seen), None)
            if at is None:
                stack.pop()
                taken.pop()
                continue
            taken.append(at)
            if to[at] == end:
                break
            seen.add(to[at])
            stack.append(iter(range(self._bounds[to[at]], self._bounds[to[at] + 1])))
        return taken


def _first_met(begins: Ids, ends: Ids, start: int, vertices: int, control: Control) -> Ints:
    """Depth first along edges (by where they begin, in the order to take them): for each vertex the edge that met it first."""
    bounds = np.searchsorted(begins, np.arange(vertices + 1)).tolist()
    to = ends.tolist()
    seen = bytearray(vertices)
    seen[start] = 1
    kept: list[int] = []
    stack = [start]
    place = bounds[:-1]
    steps = 0
    while stack:
        steps += 1
        if not steps % 65_536:
            control.check()
        vertex = stack[-1]
        at, last = place[vertex], bounds[vertex + 1]
        while at < last and seen[to[at]]:
            at += 1
        place[vertex] = at + 1
        if at == last:
            stack.pop()
            continue
        seen[to[at]] = 1
        kept.append(at)
        stack.append(to[at])
    return np.array(kept, np.int64)
