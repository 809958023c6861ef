"""Selectors over paths that may not repeat something, or over all tied journeys: matches by length, shortest first.

What is best among walks need not be allowed, so lengths are tried one after the other, with all partial matches that
could still end in time. That can take long in a dense graph whose pairs of ends hardly have such paths; it is pruned by
what walks need at least, and ends as soon as each pair has what its selector asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from luma_bench.language.graph.pattern import Mode
from luma_bench.models.graph.paths.chunk import Chunk, Keep
from luma_bench.models.graph.paths.enumerate import FAR, Enumeration
from luma_bench.models.graph.paths.found import Found
from luma_bench.models.graph.paths.ranked import ranked
from luma_bench.models.graph.paths.remaining import remaining
from luma_bench.models.graph.paths.scene import Run, Scene
from luma_bench.models.graph.topology import Ids, Ints


def from_start(
    scene: Scene, run: Run, start: int, ends: Ids, quota: int | None, given: dict[int, int]
) -> Iterator[Found]:
    """The matches from one start to some of the ends.

    Parameters
    ----------
    given
        By end, how many of the first matches are known already and left out.
    """
    program, control = run.program, scene.control
    given = dict(given)
    back = scene.run(frozenset(), turned=True).arcs[::-1]
    vertices = scene.topology.vertex_count
    open_ends = ends
    if scene.path.mode is Mode.ACYCLIC and program.shortest > 0:
        open_ends = open_ends[open_ends != start]
    left = remaining(program, run.gates, back, open_ends, vertices, control)
    length = int(left[0][start])
    found: dict[int, int] = {}
    while length < FAR and len(open_ends):
        control.check()
        enumeration = Enumeration(
            program, run.gates.ending_in(open_ends), run.arcs, control,
            scene.path.mode, run.clock, Keep(nodes=True, slots=True, marks=True),
            left, length, exact=True,
        )  # fmt: skip
        pairs: dict[int, _Best] = {}
        for chunk in enumeration.run(np.array([start], np.int32)):
            for end in np.unique(chunk.vertices).tolist():
                wanted = None if quota is None else quota - found.get(end, 0)
                best = pairs.setdefault(end, _Best(wanted))
                best.add(chunk.take(chunk.vertices == end), scene.ranks)
        done: list[int] = []
        for end, best in sorted(pairs.items()):
            found[end] = found.get(end, 0) + best.count
            known = min(given.get(end, 0), best.count)
            given[end] = given.get(end, 0) - known
            yield from best.found(known, scene.ranks)
            if quota is None or found[end] >= quota:
                done.append(end)
        if not enumeration.cut:
            return
        if done:
            open_ends = np.setdiff1d(open_ends, np.array(done, np.int32)).astype(np.int32)
            left = remaining(program, run.gates, back, open_ends, vertices, control)
        length = max(length + 1, int(left[0][start]))


def tied_journeys(scene: Scene, run: Run) -> Iterator[Found]:
    """All shortest journeys of each pair of ends, under TIME RESPECTING: their lengths first, then all of that length.

    Parameters
    ----------
    run
        Not turned; it carries what the reader wants.
    """
    control, vertices = scene.control, scene.topology.vertex_count
    back = scene.run(frozenset(), turned=True).arcs[::-1]
    lengths: dict[tuple[int, int], list[int]] = {}
    for found in ranked(scene, scene.run(frozenset()), 1):
        assert found.nodes is not None
        for start, end in zip(found.nodes[0].tolist(), found.nodes[-1].tolist(), strict=True):
            lengths.setdefault((start, found.length), []).append(end)
    for (start, length), reached in sorted(lengths.items()):
        control.check()
        ends = np.array(sorted(reached), np.int32)
        left = remaining(run.program, run.gates, back, ends, vertices, control, most=length)
        enumeration = Enumeration(
            run.program, run.gates.ending_in(ends), run.arcs, control,
            Mode.WALK, run.clock, Keep(nodes=True, slots=True, marks=True),
            left, length, exact=True,
        )  # fmt: skip
        for chunk in enumeration.run(np.array([start], np.int32)):
            yield Found.of(chunk)


class _Best:
    """The first matches of one pair of ends and one length; all for no quota."""

    def __init__(self, quota: int | None) -> None:
        self._quota = quota
        self._parts: list[Chunk] = []

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(len(part) for part in self._parts)

    def add(self, chunk: Chunk, ranks: Ints) -> None:
        """More matches."""
        self._parts.append(chunk)
        if self._quota is not None and self.count > self._quota:
            whole = _joined(self._parts)
            self._parts = [whole.take(best_first(whole, ranks)[: self._quota])]

    def found(self, known: int, ranks: Ints) -> Iterator[Found]:
        """They as matches, without so many of the first."""
        if known:
            whole = _joined(self._parts)
            self._parts = [whole.take(best_first(whole, ranks)[known:])]
        return (Found.of(part) for part in self._parts if len(part))


def best_first(chunk: Chunk, ranks: Ints) -> Ints:
    """The order of matches of one length: by ranks, slots, and then so that earlier edges take fewer."""
    assert chunk.nodes is not None
    assert chunk.slots is not None
    assert chunk.marks is not None
    keys: list[np.ndarray[Any, Any]] = [*ranks[chunk.nodes], *chunk.slots, *chunk.marks]
    return np.lexsort(keys[::-1])


def _joined(parts: list[Chunk]) -> Chunk:
    first = parts[0]
    if len(parts) == 1:
        return first

    def one(name: str, axis: int) -> Any:
        held = [getattr(part, name) for part in parts]
        return None if held[0] is None else np.concatenate(held, axis=axis)

    return Chunk(
        first.position, first.depth, one("vertices", 0), one("carried", 1), one("marks", 1),
        one("nodes", 1), one("slots", 1), one("departed", 0), one("arrived", 0),
    )  # fmt: skip
