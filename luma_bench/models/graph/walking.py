"""The steps that bind a vertex by walking: row by row, or for all rows together where one variable is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from luma_bench.models.graph.bindings import Bindings
from luma_bench.models.graph.combine import Vertices, gathered, merged_rows
from luma_bench.models.graph.cycles import intersect
from luma_bench.models.graph.expand import (
    Found,
    Hop,
    expanded,
    followed,
    pieces,
    projected,
    sliced,
    upper_degrees,
)
from luma_bench.models.graph.factorise import DENSE_EDGES, pulled
from luma_bench.models.graph.running import Admission, Run
from luma_bench.models.graph.topology import Ids, Ints
from luma_bench.plan.graph.atoms import Kind, Way
from luma_bench.plan.graph.steps import Walk


def walk(run: Run, rows: Iterator[Bindings], step: Walk, *, together: bool) -> Iterator[Bindings]:
    """The rows of a walk; `together` says that equal ones are put together before anything is handed on."""
    way = step.ways[0]
    single = step.live == frozenset((way.target.variable,))
    if len(step.ways) > 1:
        found = intersect(run, rows, step.ways, step.live)
    elif single and together:
        yield from _together(run, rows, way, step)
        return
    elif way.atom.kind is Kind.EDGE:
        found = _each(run, rows, way, step)
    elif way.atom.kind is Kind.REACH:
        found = _reached(run, rows, way, step.live)
    else:
        found = _walks(run, rows, way, step.live)
    if single and together:
        yield gathered(run, found, way.target.variable)
        return
    for batch in found:
        yield merged_rows(run, batch) if step.distinct else batch


def _each(run: Run, rows: Iterator[Bindings], way: Way, step: Walk) -> Iterator[Bindings]:
    """Every edge of every row."""
    origin, target, edge = way.origin.variable, way.target.variable, way.edge.variable
    hops, admitted = run.hops(way), run.admission(way.target)
    for batch in rows:
        frontier = batch.nodes[origin]
        for part in _parts(run, hops, frontier, step.most):
            run.control.check()
            found = expanded(run, hops, frontier[part], admitted, slots=edge in step.live)
            yield followed(sliced(batch, part), found, step.live, target, edge)


def _parts(run: Run, hops: Sequence[Hop], frontier: Ids, most: float) -> Iterator[slice]:
    """Slices of a frontier whose edges fit; the degrees are not looked at where they cannot matter."""
    if len(frontier) * most <= run.limit:
        if len(frontier):
            yield slice(0, len(frontier))
        return
    yield from pieces(run, upper_degrees(hops, frontier), what="The edges of one vertex")


def _together(run: Run, rows: Iterator[Bindings], way: Way, step: Walk) -> Iterator[Bindings]:
    """The distinct vertices at the end of a walk and how often each is met, from the distinct ones at its beginning."""
    target = way.target.variable
    frontier = gathered(run, rows, way.origin.variable)
    ids, weights = frontier.nodes[way.origin.variable], frontier.weights
    if len(ids) == 0:
        return
    if way.atom.kind is Kind.REACH:
        ids = _admitted(_reach(run, way, ids), run.admission(way.target, tables=True))
        yield Bindings(len(ids), {target: ids})
        return
    if way.atom.kind is Kind.WALKS:
        found = Vertices(run)
        _all_walks(run, way, ids, weights, found)
        ids, weights = found.result()
        admitted = run.admission(way.target, tables=True)
        if admitted is not None:
            keep = admitted.kept(ids)
            ids, weights = ids[keep], None if weights is None else weights[keep]
    else:
        ids, weights = one_hop(run, run.hops(way), ids, weights, run.admission(way.target), step.most)
    if len(ids):
        yield Bindings(len(ids), {target: ids}, weights=weights)


def _admitted(ids: Ids, admitted: Admission | None) -> Ids:
    return ids if admitted is None else ids[admitted.kept(ids)]


def one_hop(
    run: Run,
    hops: Sequence[Hop],
    ids: Ids,
    weights: Ints | None,
    admitted: Admission | None,
    most: float = np.inf,
) -> tuple[Ids, Ints | None]:
    """Distinct vertices one edge on, and how often each is met; over all edges at once where the frontier is large."""
    count = run.topology.vertex_count
    if run.exists and len(ids) > 1:
        along = tuple((hop.adjacency, hop.allowed) for hop in hops)
        return _admitted(run.engine.reach(along, ids, 1, 1, check=run.control.check), admitted), None
    if len(ids) * most > run.limit or len(ids) > 1 << 16:
        upper = upper_degrees(hops, ids)
        edges = sum(len(hop.adjacency.base.neighbours) for hop in hops)
        if int(upper.sum()) * DENSE_EDGES > edges + count:
            return _all_at_once(run, hops, ids, weights, admitted)
        parts = pieces(run, upper, what="The edges of one vertex")
    else:
        parts = iter((slice(0, len(ids)),))
    found = Vertices(run)
    for part in parts:
        run.control.check()
        mine = expanded(run, hops, ids[part], admitted, slots=False)
        found.add(mine.neighbours, None if weights is None else weights[part][mine.rows])
    return found.result()


def _all_at_once(
    run: Run, hops: Sequence[Hop], ids: Ids, weights: Ints | None, admitted: Admission | None
) -> tuple[Ids, Ints | None]:
    values = np.zeros(run.topology.vertex_count, np.int64)
    values[ids] = 1 if weights is None else weights
    back = [hop._replace(adjacency=hop.reverse, reverse=hop.adjacency) for hop in hops]
    if len(ids) == run.topology.vertex_count and weights is None:
        sums = np.zeros(len(values), np.int64)
        for hop in back:
            mine = run.engine.degrees(hop.adjacency, None, hop.allowed)
            sums[: len(mine)] += mine
    else:
        sums = pulled(run, back, values)
    if admitted is not None:
        sums[~admitted.mask] = 0
    met = np.flatnonzero(sums != 0)
    return met.astype(np.int32), sums[met]


def _reach(run: Run, way: Way, sources: Ids) -> Ids:
    bounds = way.edge.quantifier
    assert bounds is not None
    run.control.check()
    along = tuple((hop.adjacency, hop.allowed) for hop in run.hops(way))
    return run.engine.reach(along, sources, bounds.least, bounds.most, check=run.control.check)


def _reached(run: Run, rows: Iterator[Bindings], way: Way, live: frozenset[str]) -> Iterator[Bindings]:
    """Rows with each vertex that is reached from theirs: one search for each distinct origin."""
    admitted = run.admission(way.target, tables=True)
    for batch in rows:
        if batch.rows == 0:
            continue
        frontier = batch.nodes[way.origin.variable]
        order = np.argsort(frontier, kind="stable")
        ordered = frontier[order]
        distinct, begins = np.unique(ordered, return_index=True)
        ends = np.append(begins[1:], len(ordered))
        for vertex, begin, end in zip(distinct, begins.tolist(), ends.tolist(), strict=True):
            found = _admitted(_reach(run, way, np.array([vertex], np.int32)), admitted)
            mine = order[begin:end]
            for part in pieces(run, np.full(len(mine), len(found)), what="Rows of reached vertices"):
                size = part.stop - part.start
                pairs = Found(np.repeat(mine[part], len(found)), np.tile(found, size), None)
                yield followed(batch, pairs, live, way.target.variable, "")


def _all_walks(run: Run, way: Way, ids: Ids, weights: Ints | None, found: Vertices) -> None:
    """Adds the ends of the walks of every length within a quantifier, level by level."""
    bounds = way.edge.quantifier
    assert bounds is not None
    assert bounds.most is not None, "an unbounded walk is refused or searched"
    hops = run.hops(way)
    if bounds.least == 0:
        found.add(ids, weights)
    for length in range(1, bounds.most + 1):
        ids, weights = one_hop(run, hops, ids, weights, None)
        if len(ids) == 0:
            return
        if length >= bounds.least:
            found.add(ids, weights)


def _walks(run: Run, rows: Iterator[Bindings], way: Way, live: frozenset[str]) -> Iterator[Bindings]:
    """Rows with the end of every walk within a quantifier's lengths, in pieces, the shorter ones of a piece first."""
    bounds = way.edge.quantifier
    assert bounds is not None
    assert bounds.most is not None, "an unbounded walk is refused or searched"
    hops, target = run.hops(way), way.target.variable
    admitted = run.admission(way.target, tables=True)
    most = bounds.most

    def onward(batch: Bindings, length: int) -> Iterator[Bindings]:
        """Where the walks of a batch are is its column `@at`."""
        if length >= bounds.least:
            ends = batch.nodes["@at"]
            kept = batch if admitted is None else batch.take(admitted.kept(ends))
            out = projected(kept, live)
            if target in live:
                out.nodes[target] = kept.nodes["@at"]
            yield out
        if length == most:
            return
        frontier = batch.nodes["@at"]
        for part in pieces(run, upper_degrees(hops, frontier), what="The edges of one vertex"):
            run.control.check()
            found = expanded(run, hops, frontier[part], None, slots=False)
            if len(found.rows):
                after = followed(sliced(batch, part), found, live | {"@at"}, "@at", "")
                yield from onward(merged_rows(run, after), length + 1)

    for batch in rows:
        begun = projected(batch, live)
        begun.nodes["@at"] = batch.nodes[way.origin.variable]
        yield from onward(begun, 0)


def ends_at(run: Run, rows: Iterator[Bindings], way: Way, live: frozenset[str]) -> Iterator[Bindings]:
    """Rows of a quantified way between two bound variables: walked to a column of its own, which has to agree."""
    origin, target = way.origin.variable, way.target.variable
    carried = live | {origin, target, "@end"}
    moved = replace(way.target, variable="@end")
    atom = way.atom
    there = Way(replace(atom, right=moved) if way.forward else replace(atom, left=moved), way.forward)
    inner = _reached if atom.kind is Kind.REACH else _walks
    for batch in inner(run, rows, there, carried):
        agreed = np.flatnonzero(batch.nodes["@end"] == batch.nodes[target])
        yield projected(batch.take(agreed), live)
