"""Selectors over paths that may not repeat something: the walks that are such paths anyway, and a search for the others."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from luma_bench.language.graph.pattern import Mode
from luma_bench.models.graph.paths.bestfirst import cheapest_first
from luma_bench.models.graph.paths.cheapest import found_of
from luma_bench.models.graph.paths.closed import shortest_round
from luma_bench.models.graph.paths.found import Found
from luma_bench.models.graph.paths.lengthwise import from_start
from luma_bench.models.graph.paths.levels import whole
from luma_bench.models.graph.paths.program import compiled
from luma_bench.models.graph.paths.scene import Scene
from luma_bench.models.graph.paths.simple import is_simple
from luma_bench.models.graph.topology import Bools, Ints

Pairs = dict[tuple[int, int], list[int]]
"""By first and last vertex: how many walks were found, and how many of them the mode allows."""


class Allowed:
    """Lets pass what the mode allows of the best walks, and remembers which pairs of ends they left open."""

    def __init__(self, scene: Scene) -> None:
        self._mode = scene.path.mode
        self.pairs: Pairs = {}

    def of(self, found: Iterator[Found], *, turned: bool) -> Iterator[Found]:
        """Those of some walks that the mode allows; `turned` when they begin at the pattern's last node."""
        for walks in found:
            kept = self._kept(walks)
            assert walks.nodes is not None
            ends = walks.nodes[[-1, 0] if turned else [0, -1]]
            for (start, end), fine in zip(ends.T.tolist(), kept.tolist(), strict=True):
                counts = self.pairs.setdefault((start, end), [0, 0])
                counts[0] += 1
                counts[1] += fine
            if kept.any():
                yield walks if kept.all() else walks.take(np.flatnonzero(kept))

    def _kept(self, walks: Found) -> Bools:
        assert walks.nodes is not None
        assert walks.slots is not None
        nodes = walks.nodes
        if self._mode is Mode.TRAIL:
            return _distinct(walks.slots)
        if self._mode is Mode.SIMPLE and walks.length:
            return _distinct(nodes[1:]) & _distinct(nodes[:-1])
        return _distinct(nodes)


def _distinct(values: Ints | np.ndarray) -> Bools:
    """By column, whether no value stands in it twice."""
    if len(values) < 2:
        return np.ones(values.shape[1], np.bool_)
    ordered = np.sort(values, axis=0)
    return ~(ordered[1:] == ordered[:-1]).any(axis=0)


def others(scene: Scene, pairs: Pairs, quota: int | None) -> Iterator[Found]:
    """What the best walks left open: matches of pairs of ends whose best walks the mode refuses, not turned.

    Parameters
    ----------
    quota
        Of each pair; None for all of the shortest length.
    """
    by_start: dict[int, dict[int, int]] = {}
    for (start, end), (walks, fine) in sorted(pairs.items()):
        if fine < (1 if quota is None else min(quota, walks)):
            by_start.setdefault(start, {})[end] = fine
    selector = scene.path.selector
    for start, given in by_start.items():
        scene.control.check()
        ends = np.array(sorted(given), np.int32)
        if selector is not None and selector.kind == "cheapest":
            output = compiled(scene.path, scene.wanted.carried)
            for way in cheapest_first(scene, scene.run(frozenset()), start, ends, scene.path.mode):
                yield found_of(output, way)
            continue
        if start in given and _is_undirected_trail(scene):
            found = _round(scene, start)
            if found is None or quota == 1:
                ends = ends[ends != start]
            if found is not None and quota == 1:
                yield found
        if len(ends):
            yield from from_start(scene, scene.run(scene.wanted.carried), start, ends, quota, given)


def _is_undirected_trail(scene: Scene) -> bool:
    run = scene.run(frozenset())
    return scene.path.mode is Mode.TRAIL and is_simple(scene, run.program) and run.arcs[0].undirected


def _round(scene: Scene, start: int) -> Found | None:
    run = scene.run(frozenset())
    ways = shortest_round(run.arcs[0], start, run.program.most[0], scene.ranks, scene.control)
    if ways is None:
        return None
    output = compiled(scene.path, scene.wanted.carried)
    return whole(output, ways.nodes, ways.slots, np.zeros(ways.slots.shape, np.int64))
