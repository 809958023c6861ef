"""Branches that nobody reads: how many matches they have from each vertex, without making them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from luma_bench.models.graph.expand import Hop, degrees_of, expanded, pieces, upper_degrees
from luma_bench.models.graph.running import Admission, Run, plus, summed, times
from luma_bench.models.graph.topology import Ids, Ints
from luma_bench.plan.graph.atoms import Kind, Way
from luma_bench.plan.graph.steps import Tree

DENSE_EDGES = 4
"""A frontier with more than one in this many of a way's edges is walked for all vertices at once."""


def factor(run: Run, tree: Tree, frontier: Ids | None) -> Ints:
    """How many matches a branch has from each vertex of a frontier (of every vertex for None): int64, exact.

    Where one match is as good as many it is 0 or 1.
    """
    count = run.topology.vertex_count
    if frontier is not None and len(frontier) == 0:
        return np.zeros(0, np.int64)
    if tree.way.atom.kind is not Kind.EDGE:
        whole = _repeated(run, tree)
        return whole if frontier is None else whole[frontier]
    hops = run.hops(tree.way)
    admitted = run.admission(tree.way.target)
    if admitted is None and not tree.branches:
        return _clipped(run, degrees_of(run, hops, frontier))
    upper = None if frontier is None else upper_degrees(hops, frontier)
    edges = sum(len(hop.adjacency.base.neighbours) for hop in hops)
    ahead = edges + count if upper is None else int(upper.sum())
    if admitted is not None and len(admitted.ids) * DENSE_EDGES < ahead:
        back = [hop._replace(adjacency=hop.reverse, reverse=hop.adjacency) for hop in hops]
        behind = upper_degrees(back, admitted.ids)
        if int(behind.sum()) * DENSE_EDGES < ahead:
            return _clipped(run, _from_ends(run, tree, back, admitted.ids, behind, frontier))
    if frontier is None or upper is None:
        return _clipped(run, pulled(run, hops, _values(run, tree, admitted)))
    if ahead * DENSE_EDGES > edges + count:
        return _clipped(run, pulled(run, hops, _values(run, tree, admitted))[frontier])
    return _clipped(run, _walked(run, tree, hops, admitted, frontier, upper))


def _clipped(run: Run, values: Ints) -> Ints:
    return (values > 0).astype(np.int64) if run.exists else values


def _values(run: Run, tree: Tree, admitted: Admission | None) -> Ints:
    """By vertex, how many matches begin there where the branch's first edge ends there."""
    values: Ints | None = None if admitted is None else admitted.mask.astype(np.int64)
    for below in tree.branches:
        values = times(values, factor(run, below, None))
    return np.ones(run.topology.vertex_count, np.int64) if values is None else values


def pulled(run: Run, hops: Sequence[Hop], values: Ints) -> Ints:
    """By vertex, the sum of values over its neighbours on all hops; the engine refuses one that is not exact."""
    run.control.check()
    whole = np.zeros(run.topology.vertex_count, np.int64)
    if len(values) == 0 or not hops:
        return whole
    for hop in hops:
        whole = plus(
            whole, run.engine.weighted_sum(hop.adjacency, values, hop.allowed).astype(np.int64, copy=False)
        )
    return whole


def _walked(
    run: Run, tree: Tree, hops: Sequence[Hop], admitted: Admission | None, frontier: Ids, upper: Ints
) -> Ints:
    """The same for a small frontier: its edges, the branches of the vertices that they lead to, and sums by row."""
    sums = np.zeros(len(frontier), np.int64)
    for part in pieces(run, upper, what="A branch of a pattern"):
        found = expanded(run, hops, frontier[part], admitted, slots=False)
        size = part.stop - part.start
        if not tree.branches:
            sums[part] = np.bincount(found.rows, minlength=size)
            continue
        distinct, places = np.unique(found.neighbours, return_inverse=True)
        values: Ints | None = None
        for below in tree.branches:
            values = times(values, factor(run, below, distinct))
        assert values is not None
        sums[part] = summed(found.rows, values[places], size)
    return sums


def _from_ends(
    run: Run, tree: Tree, back: Sequence[Hop], ends: Ids, behind: Ints, frontier: Ids | None
) -> Ints:
    """The same from the few vertices that the branch's first edge may end at, against the edges."""
    values: Ints | None = None
    for below in tree.branches:
        values = times(values, factor(run, below, ends))
    whole = np.zeros(run.topology.vertex_count, np.int64)
    for part in pieces(run, behind, what="A branch of a pattern"):
        found = expanded(run, back, ends[part], None, slots=False)
        mine = None if values is None else values[part][found.rows]
        whole = plus(whole, summed(found.neighbours, mine, len(whole)))
    return whole if frontier is None else whole[frontier]


def _repeated(run: Run, tree: Tree) -> Ints:
    """A quantified first edge: its walks of every length, or that one reaches, for all vertices at once."""
    way = tree.way
    ends = _values(run, tree, run.admission(way.target, tables=True))
    if way.atom.kind is Kind.REACH:
        return reached_from(run, way, ends)
    return walk_counts(run, way, ends)


def reached_from(run: Run, way: Way, ends: Ints) -> Ints:
    """By vertex, 1 where a walk of a quantified way leads from it to a vertex with a positive value, else 0."""
    bounds = way.edge.quantifier
    assert bounds is not None
    back = tuple((hop.reverse, hop.allowed) for hop in run.hops(way))
    sources = np.flatnonzero(ends > 0).astype(np.int32)
    whole = np.zeros(run.topology.vertex_count, np.int64)
    if len(sources):
        whole[run.engine.reach(back, sources, bounds.least, bounds.most, check=run.control.check)] = 1
    return whole


def walk_counts(run: Run, way: Way, ends: Ints) -> Ints:
    """By vertex, the walks of a quantified way that begin there, each counted as often as its end's value says."""
    bounds = way.edge.quantifier
    assert bounds is not None
    assert bounds.most is not None, "an unbounded walk is refused or searched"
    hops = run.hops(way)
    whole = ends.copy() if bounds.least == 0 else np.zeros(len(ends), np.int64)
    for length in range(1, bounds.most + 1):
        ends = pulled(run, hops, ends)
        if not ends.any():
            break
        if length >= bounds.least:
            whole = plus(whole, ends)
    return whole
