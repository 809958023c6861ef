"""Edges between vertices that are both bound: looked up in sorted neighbours, and cycles by intersection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from luma_bench.models.graph.bindings import Bindings
from luma_bench.models.graph.expand import (
    Found,
    Hop,
    expanded,
    followed,
    pieces,
    spread,
    together,
    upper_degrees,
)
from luma_bench.models.graph.running import Admission, Run, times
from luma_bench.models.graph.topology import Bools, Csr, Ids, Ints
from luma_bench.plan.graph.atoms import Way

MARKS: Final = 1 << 24
"""Bytes of the table of marks by which many pairs are looked up at once."""
AT_ONCE: Final = 1 << 18
"""Pairs that are looked up together: few enough to stay in the cache."""
MANY_PAIRS: Final = 1 << 16
"""Pairs from which on marks are worth their table."""


def first_not_below(csr: Csr, begins: Ints, ends: Ints, wanted: Ids) -> Ints:
    """In each of some ranges of sorted neighbours, the first place whose neighbour is not below the wanted one."""
    places = begins.copy()
    lengths = ends - begins
    neighbours = csr.neighbours
    if len(neighbours) == 0 or len(places) == 0:
        return places
    last = len(neighbours) - 1
    step = 1 << max(int(lengths.max()).bit_length() - 1, 0)
    while step:
        probe = places + (step - 1)
        below = (probe < ends) & (neighbours[np.minimum(probe, last)] < wanted)
        places += below * np.int64(step)
        step >>= 1
    return places


def between(hop: Hop, left: Ids, right: Ids, *, slots: bool) -> Found:
    """The live, allowed edges of a hop from `left[i]` to `right[i]`, row by row."""
    parts: list[Found] = []
    for csr in (hop.adjacency.base, hop.adjacency.delta):
        if csr is None or len(csr.neighbours) == 0:
            continue
        inside = (left >= 0) & (left < csr.vertices)
        safe = np.where(inside, left, 0)
        begins, ends = csr.indptr[safe], csr.indptr[safe + 1]
        ends = np.where(inside, ends, begins)
        low = first_not_below(csr, begins, ends, right)
        hit = np.flatnonzero(
            (low < ends) & (csr.neighbours[np.minimum(low, len(csr.neighbours) - 1)] == right)
        )
        low = low[hit]
        high = first_not_below(csr, low, ends[hit], right[hit] + 1)
        counts = high - low
        numbers, places = spread(low, counts)
        rows = hit[numbers]
        mine = csr.slots[places]
        keep = _kept(hop, mine)
        if keep is not None:
            rows, mine = rows[keep], mine[keep]
        parts.append(Found(rows, right[rows], mine + np.int64(hop.first) if slots else None))
    return together(parts, slots=slots)


def _kept(hop: Hop, slots: Ids) -> Bools | None:
    dead, allowed = hop.adjacency.dead, hop.allowed
    if dead is None and allowed is None:
        return None
    keep = np.ones(len(slots), np.bool_) if allowed is None else allowed[slots]
    return keep if dead is None else keep & ~dead[slots]


def closed(run: Run, hops: Sequence[Hop], left: Ids, right: Ids, *, slots: bool) -> Found:
    """The edges over all hops between the vertices of two columns."""
    return together([between(hop, left, right, slots=slots) for hop in hops], slots=slots)


def close(run: Run, rows: Iterator[Bindings], way: Way, live: frozenset[str]) -> Iterator[Bindings]:
    """Rows whose two bound ends have an edge between them, once for each; its slot where it is read."""
    origin, target, edge = way.origin.variable, way.target.variable, way.edge.variable
    hops = run.hops(way)
    for batch in rows:
        for part in pieces(run, np.ones(batch.rows, np.int64), what="Closing edges"):
            run.control.check()
            left, right = batch.nodes[origin][part], batch.nodes[target][part]
            found = closed(run, hops, left, right, slots=edge in live)
            yield followed(batch, found._replace(rows=found.rows + part.start), live, "", edge)


def intersect(
    run: Run, rows: Iterator[Bindings], ways: Sequence[Way], live: frozenset[str]
) -> Iterator[Bindings]:
    """Rows with the vertices to which every way leads, once for each choice of edges.

    Each row walks from the end with the fewest edges; what it finds is looked up from the other ends.
    """
    every = [run.hops(way) for way in ways]
    admitted = run.admission(ways[0].target)
    for batch in rows:
        frontiers = [batch.nodes[way.origin.variable] for way in ways]
        degrees = np.stack(
            [upper_degrees(hops, frontier) for hops, frontier in zip(every, frontiers, strict=True)]
        )
        cheapest = np.argmin(degrees, axis=0)
        for place in range(len(ways)):
            mine = np.flatnonzero((cheapest == place) & (degrees[place] > 0))
            if len(mine):
                yield from _from(run, batch, mine, degrees[place][mine], place, ways, every, admitted, live)


def _from(
    run: Run,
    batch: Bindings,
    chosen: Ints,
    degrees: Ints,
    place: int,
    ways: Sequence[Way],
    every: Sequence[tuple[Hop, ...]],
    admitted: Admission | None,
    live: frozenset[str],
) -> Iterator[Bindings]:
    """The rows that walk by one way, and look up the others."""
    others = [number for number in range(len(ways)) if number != place]
    target = ways[0].target.variable
    # The first other way is looked up by marks: rows with the same origin there stand together.
    checked = batch.nodes[ways[others[0]].origin.variable]
    order = np.argsort(checked[chosen], kind="stable")
    chosen, degrees = chosen[order], degrees[order]
    frontier = batch.nodes[ways[place].origin.variable][chosen]
    probe = _Marks(run, every[others[0]])
    for part in _chunks(run, degrees, checked[chosen], probe.width):
        run.control.check()
        edge = ways[place].edge.variable
        found = expanded(run, every[place], frontier[part], admitted, slots=edge in live)
        keep = probe.kept(checked[chosen[part]], found)
        if keep is not None:
            slots = None if found.slots is None else found.slots[keep]
            found = Found(found.rows[keep], found.neighbours[keep], slots)
        found = found._replace(rows=chosen[part][found.rows])
        if probe.exact and len(others) == 1 and ways[others[0]].edge.variable not in live:
            yield followed(batch, found, live, target, edge)
            continue
        # Behind the walk each other way multiplies rows by its edges.
        now = followed(batch, found, _carried(batch, live, ways, others), target, edge)
        now.nodes[target] = found.neighbours
        for number in others:
            way = ways[number]
            origin = now.nodes[way.origin.variable]
            name = way.edge.variable
            hits = closed(run, every[number], origin, now.nodes[target], slots=name in live)
            after = now.take(hits.rows)
            if hits.slots is not None and name in live:
                after.edges[name] = hits.slots
            now = after
        yield now


def _carried(
    batch: Bindings, live: frozenset[str], ways: Sequence[Way], others: Sequence[int]
) -> frozenset[str]:
    return live | {ways[number].origin.variable for number in others} | {ways[0].target.variable}


def _chunks(run: Run, degrees: Ints, checked: Ids, width: int) -> Iterator[slice]:
    """Pieces of rows with about as many edges as fit, and with no more distinct vertices to look up than there are marks."""
    if width == 0:
        yield from pieces(run, degrees, what="An intersection")
        return
    changes = np.concatenate((np.zeros(1, np.int64), np.cumsum(checked[1:] != checked[:-1])))
    for part in pieces(run, degrees, what="An intersection", most=AT_ONCE):
        begin = part.start
        while begin < part.stop:
            end = int(np.searchsorted(changes, changes[begin] + width))
            end = min(max(end, begin + 1), part.stop)
            yield slice(begin, end)
            begin = end


class _Marks:
    """Marks of the neighbours of a few vertices at a time, in which pairs are looked up in one step.

    `exact` says whether a mark is the whole truth: no parallel, dead, later or disallowed edges.
    """

    __slots__ = ("_hops", "_marks", "_run", "exact", "width")

    def __init__(self, run: Run, hops: tuple[Hop, ...]) -> None:
        count = max(run.topology.vertex_count, 1)
        self._run = run
        self._hops = hops
        self.width = MARKS // count
        self._marks = np.zeros(0, np.bool_)
        self.exact = self.width > 0 and len(hops) == 1 and _simple(run, hops[0])

    def kept(self, origins: Ids, found: Found) -> Ints | None:
        """The edges whose pair may have an edge (has one, where `exact`); None where nothing is known of any.

        `origins` are by row of what was found, equal ones together.
        """
        if self.width == 0 or (len(found.rows) < MANY_PAIRS and not self.exact):
            return None
        count = self._run.topology.vertex_count
        if len(self._marks) == 0:
            self._marks = np.zeros(self.width * count, np.bool_)
        begins = np.concatenate((np.ones(1, np.bool_), origins[1:] != origins[:-1]))
        bases = ((np.cumsum(begins) - 1) * count).astype(np.int32)
        distinct = origins[begins]
        marked: list[Ints] = []
        for hop in self._hops:
            both = (hop.adjacency.base, hop.adjacency.delta)
            marked += [_cells(csr, distinct, count) for csr in both if csr is not None and csr.vertices]
        for cells in marked:
            self._marks[cells] = True
        looked = bases[found.rows]
        looked += found.neighbours
        keep = np.flatnonzero(self._marks[looked])
        for cells in marked:
            self._marks[cells] = False
        return keep


def _cells(csr: Csr, vertices: Ids, count: int) -> Ints:
    inside = np.clip(vertices, 0, csr.vertices - 1)
    begins = csr.indptr[inside]
    lengths = np.where(inside == vertices, csr.indptr[inside + 1] - begins, 0)
    rows, places = spread(begins, lengths)
    return rows * count + csr.neighbours[places]


def _simple(run: Run, hop: Hop) -> bool:
    """Whether every neighbour of a base is one edge that lives and is allowed."""
    if not hop.adjacency.clean or hop.allowed is not None:
        return False
    base = hop.adjacency.base
    key = "simple", hop.table
    return run.topology.memo.get(key, lambda: _no_parallels(base), lambda _: 64)


def _no_parallels(csr: Csr) -> bool:
    same = csr.neighbours[1:] == csr.neighbours[:-1]
    begins = csr.indptr[1:-1]
    begins = begins[(begins > 0) & (begins < len(csr.neighbours))]
    same[begins - 1] = False
    return not bool(same.any())


def weighed(run: Run, batch: Bindings, counts: Ints) -> Bindings:
    """Rows multiplied by counts; those with none are left out."""
    keep = np.flatnonzero(counts)
    kept = batch if len(keep) == batch.rows else batch.take(keep)
    factors = None if run.exists else counts if len(keep) == batch.rows else counts[keep]
    return Bindings(kept.rows, kept.nodes, kept.edges, kept.groups, kept.paths, times(kept.weights, factors))
