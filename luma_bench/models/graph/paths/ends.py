"""Which ends walks have, or how many walks end where: sets and weights by vertex, when nothing between the ends is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from luma_bench.models.graph.bindings import Bindings
from luma_bench.models.graph.paths.arcs import Arcs
from luma_bench.models.graph.paths.nearest import pieces
from luma_bench.models.graph.paths.scene import LARGEST, Run, Scene, countable
from luma_bench.models.graph.topology import Ids, Ints

FEW = 4096
"""Starts that are searched from one by one, where each wants its own answer."""


def by_ends(scene: Scene, *, exist: bool) -> Iterator[Bindings] | None:
    """The matches of a bounded pattern of walks by its first and last node; None where that is not the way.

    Parameters
    ----------
    exist
        Leave the weights out: every row is there once.
    """
    nodes = scene.path.nodes
    first, last = nodes[0].variable, nodes[-1].variable
    wanted = scene.wanted
    if scene.run(frozenset()).program.checks or wanted.edges or wanted.nodes - {first, last}:
        return None
    if len(wanted.nodes) < 2:
        turned = scene.cheaper_turned if not wanted.nodes else last not in wanted.nodes
        return _together(scene, scene.run(frozenset(), turned=turned), exist=exist)
    turned = scene.cheaper_turned
    if min(len(scene.starts), len(scene.ends)) > FEW:
        return None
    return _apart(scene, scene.run(frozenset(), turned=turned), exist=exist)


def _together(scene: Scene, run: Run, *, exist: bool) -> Iterator[Bindings]:
    """By the last node alone, or in one row."""
    ends, weights = _of(scene, run, run.starts, exist=exist)
    if not len(ends):
        return
    if not scene.wanted.nodes:
        total = None if weights is None else _total(weights)
        yield Bindings(1, weights=total)
        return
    name = run.program.nodes[-1].variable
    for start in range(0, len(ends), scene.control.batch):
        part = slice(start, start + scene.control.batch)
        held = ends[part]
        yield Bindings(len(held), {name: held}, weights=None if weights is None else weights[part])


def _total(weights: Ints) -> Ints:
    countable(float(weights.astype(np.float64).sum()))
    return np.array([weights.sum()])


def _apart(scene: Scene, run: Run, *, exist: bool) -> Iterator[Bindings]:
    """By both ends: start by start."""

    def found() -> Iterator[tuple[int, Ids, Ints | None]]:
        for start in run.starts.tolist():
            scene.control.check()
            yield start, *_of(scene, run, np.array([start], np.int32), exist=exist)

    first, last = run.program.nodes[0].variable, run.program.nodes[-1].variable
    return joined_pairs(found(), first, last, scene.control.batch)


def joined_pairs(
    found: Iterable[tuple[int, Ids, Ints | None]], first: str, last: str, batch: int
) -> Iterator[Bindings]:
    """Bindings of starts with their ends and weights, in batches."""
    held: list[tuple[int, Ids, Ints | None]] = []
    rows = 0
    for item in found:
        held.append(item)
        rows += len(item[1])
        if rows >= batch:
            yield _batch(held, first, last)
            held, rows = [], 0
    if rows:
        yield _batch(held, first, last)


def _batch(held: list[tuple[int, Ids, Ints | None]], first: str, last: str) -> Bindings:
    starts = np.array([start for start, _, _ in held], np.int32)
    weights = [part for _, _, part in held if part is not None]
    ends = np.concatenate([part for _, part, _ in held])
    return Bindings(
        len(ends),
        {first: np.repeat(starts, [len(part) for _, part, _ in held]), last: ends},
        weights=np.concatenate(weights) if weights else None,
    )


def _of(scene: Scene, run: Run, starts: Ids, *, exist: bool) -> tuple[Ids, Ints | None]:
    """The ends of the matches from some starts, ascending, and how many matches end at each."""
    if exist:
        return reached(scene, run, starts), None
    found = counts(scene, run, starts)
    return found.at, found.weights


def reached(scene: Scene, run: Run, starts: Ids) -> Ids:
    """The ends of all matches from some starts, ascending: edge by edge of the pattern. Any bound, walks without times."""
    program = run.program
    at = starts
    for place, arcs in enumerate(run.arcs):
        at = scene.engine.reach(
            arcs.adjacencies, at, program.least[place], program.most[place], check=scene.control.check
        )
        gate = run.gates[place + 1]
        if gate is not None:
            at = at[gate[at]]
    return at


class Weights(NamedTuple):
    """Vertices, ascending, and how many partial matches are at each: at least one."""

    at: Ids
    weights: Ints


def counts(scene: Scene, run: Run, starts: Ids) -> Weights:
    """How many matches from some starts end where.

    Raises
    ------
    ResourceError
        More than 64 bits hold.
    """
    found = Weights(starts, np.ones(len(starts), np.int64))
    for place, arcs in enumerate(run.arcs):
        least, most = run.program.least[place], run.program.most[place]
        assert most is not None
        found = _repeated(scene, arcs, found, least, most)
        gate = run.gates[place + 1]
        if gate is not None:
            kept = gate[found.at]
            found = Weights(found.at[kept], found.weights[kept])
    return found


def _repeated(scene: Scene, arcs: Arcs, found: Weights, least: int, most: int) -> Weights:
    """Weights after `least` to `most` edges."""
    levels = [found] if least == 0 else []
    for repeat in range(1, most + 1):
        if not len(found.at):
            break
        found = step(scene, arcs, found)
        if repeat >= least:
            levels.append(found)
        if len(levels) > 1:
            levels = [_added(scene.topology.vertex_count, levels)]
    return levels[0] if levels else Weights(found.at[:0], found.weights[:0])


def _added(vertices: int, levels: list[Weights]) -> Weights:
    at = np.concatenate([level.at for level in levels])
    weights = np.concatenate([level.weights for level in levels])
    return _summed(vertices, at, weights, float(weights.max(initial=0)) * len(levels))


def step(scene: Scene, arcs: Arcs, found: Weights) -> Weights:
    """Weights one edge further: along the edges of the vertices that have some, or over all edges at once."""
    scene.control.check()
    vertices = scene.topology.vertex_count
    edges = int(arcs.at_most(found.at).sum())
    if arcs.ascending and edges * 4 > arcs.total:
        # Each vertex gathers from its neighbours the other way, which is exact and refuses what does not fit.
        dense = np.zeros(vertices, np.int64)
        dense[found.at] = found.weights
        (adjacency, allowed), *_ = arcs.opposite
        further = scene.engine.weighted_sum(adjacency, dense, allowed).astype(np.int64, copy=False)
        at = np.flatnonzero(further)
        return Weights(at.astype(np.int32), further[at])
    parts: list[Weights] = []
    bound = float(found.weights.max()) * edges
    for rows, reached in pieces(arcs, found.at, scene.control):
        moved = found.weights[rows][reached.rows]
        parts.append(_summed(vertices, reached.vertices, moved, bound))
        if len(parts) > 1:
            parts = [_added(vertices, parts)]
    return parts[0]


def _summed(vertices: int, at: Ids, weights: Ints, bound: float) -> Weights:
    """Weights added up by vertex; no sum is above `bound`."""
    if bound >= LARGEST / 2:
        countable(float(np.bincount(at, weights.astype(np.float64)).max(initial=0.0)))
    if len(at) * 8 > vertices:
        dense = np.zeros(vertices, np.int64)
        np.add.at(dense, at, weights)
        kept = np.flatnonzero(dense)
        return Weights(kept.astype(np.int32), dense[kept])
    if not len(at):
        return Weights(at, weights)
    order = np.argsort(at, kind="stable")
    ordered = at[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return Weights(ordered[starts], np.add.reduceat(weights[order], starts))
