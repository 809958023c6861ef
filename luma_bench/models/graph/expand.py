"""Ways as adjacency, and rows of bindings expanded along them in pieces that fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from luma_bench.language.graph.pattern import Direction
from luma_bench.models.graph.bindings import Bindings
from luma_bench.models.graph.engine import Expansion
from luma_bench.models.graph.topology import Adjacency, Bools, Csr, EdgeRows, Ids, Ints, Topology
from luma_bench.plan.graph.atoms import Way

if TYPE_CHECKING:
    from luma_bench.models.graph.running import Admission, Run

ROW_BYTES: Final = 96
"""Bytes that a row takes while it is made: places, neighbours, slots and a few columns, twice."""


class Hop(NamedTuple):
    """One edge table, walked in one direction.

    Attributes
    ----------
    adjacency, reverse
        Along the walk, and against it.
    allowed
        By slot of the table; None for every one.
    first
        The table's first global slot.
    """

    table: int
    adjacency: Adjacency
    reverse: Adjacency
    allowed: Bools | None
    first: int


def hops_of(topology: Topology, way: Way) -> tuple[Hop, ...]:
    """The adjacencies of a way: of tables whose ends its nodes allow (a quantified one may pass by any vertex).

    An edge of any direction goes by both, and self-loops only by the first of them, so that they count once.
    """
    graph, found = topology.graph, list[Hop]()
    anywhere = way.edge.quantifier is not None
    for table in way.edge.tables:
        rows = topology.edges[table]
        source = graph.vertex(graph.edges[table].source.vertex)
        destination = graph.vertex(graph.edges[table].destination.vertex)
        allowed = way.edge.allowed.get(table)
        along = anywhere or (source in way.origin.tables and destination in way.target.tables)
        against = anywhere or (destination in way.origin.tables and source in way.target.tables)
        if along and way.direction in (Direction.RIGHT, Direction.ANY):
            found.append(Hop(table, rows.out, rows.into, allowed, rows.first))
        if against and way.direction in (Direction.LEFT, Direction.ANY):
            # Where only one of the two is walked, its self-loops stay.
            if along and way.direction is Direction.ANY and source == destination:
                plain = _plain(topology, table)
                allowed = allowed if plain is None else plain if allowed is None else allowed & plain
            found.append(Hop(table, rows.into, rows.out, allowed, rows.first))
    return tuple(found)


def _plain(topology: Topology, table: int) -> Bools | None:
    """By slot, whether an edge is no self-loop; None where none is one."""
    rows = topology.edges[table]
    return topology.memo.get(
        ("plain", table), lambda: _no_loops(rows), lambda mask: 64 if mask is None else mask.nbytes
    )


def _no_loops(rows: EdgeRows) -> Bools | None:
    mask: Bools | None = None
    for csr in (rows.out.base, rows.out.delta):
        if csr is None:
            continue
        loops = _loop_slots(csr)
        if len(loops):
            mask = np.ones(rows.count, np.bool_) if mask is None else mask
            mask[loops] = False
    return mask


def _loop_slots(csr: Csr) -> Ids:
    numbers = np.repeat(np.arange(csr.vertices, dtype=np.int32), np.diff(csr.indptr))
    return csr.slots[csr.neighbours == numbers]


def degrees_of(run: Run, hops: Sequence[Hop], frontier: Ids | None) -> Ints:
    """The edges of each vertex of a frontier (of every one for None) over all hops."""
    whole = np.zeros(run.topology.vertex_count if frontier is None else len(frontier), np.int64)
    for hop in hops:
        mine = run.engine.degrees(hop.adjacency, frontier, hop.allowed)
        whole[: len(mine)] += mine
    return whole


def upper_degrees(hops: Sequence[Hop], frontier: Ids) -> Ints:
    """No fewer than the edges of each vertex of a frontier, from the row ends alone."""
    whole = np.zeros(len(frontier), np.int64)
    for hop in hops:
        for csr in (hop.adjacency.base, hop.adjacency.delta):
            if csr is None or csr.vertices == 0:
                continue
            inside = np.clip(frontier, 0, csr.vertices - 1)
            mine = csr.indptr[inside + 1] - csr.indptr[inside]
            mine[inside != frontier] = 0
            whole += mine
    return whole


def pieces(run: Run, degrees: Ints, *, what: str, most: int = 0) -> Iterator[slice]:
    """Slices of rows that have about `run.limit` edges together (or `most`); a row with more is one of its own, if it fits."""
    limit = min(run.limit, most or run.limit)
    ends = np.cumsum(degrees)
    if len(degrees) == 0:
        return
    if int(ends[-1]) <= limit:
        yield slice(0, len(degrees))
        return
    begin = 0
    while begin < len(degrees):
        done = int(ends[begin - 1]) if begin else 0
        end = max(int(np.searchsorted(ends, done + limit, side="right")), begin + 1)
        run.control.check()
        run.control.fits((int(ends[end - 1]) - done) * ROW_BYTES, what)
        yield slice(begin, end)
        begin = end


def sliced(batch: Bindings, part: slice) -> Bindings:
    """Consecutive rows of a batch, without copying its columns."""
    if part.start == 0 and part.stop >= batch.rows:
        return batch
    if batch.groups or batch.paths:
        return batch.take(np.arange(part.start, min(part.stop, batch.rows)))
    return Bindings(
        min(part.stop, batch.rows) - part.start,
        {name: values[part] for name, values in batch.nodes.items()},
        {name: values[part] for name, values in batch.edges.items()},
        weights=None if batch.weights is None else batch.weights[part],
    )


class Found(NamedTuple):
    """Edges of a frontier over all hops: rows, neighbours, and global slots (None where nobody reads them)."""

    rows: Ints
    neighbours: Ids
    slots: Ints | None


def expanded(
    run: Run, hops: Sequence[Hop], frontier: Ids, admitted: Admission | None, *, slots: bool
) -> Found:
    """The edges of a frontier whose other end is admitted."""
    parts: list[Found] = []
    for hop in hops:
        if not slots and not run.engine.compiled and hop.allowed is None and hop.adjacency.clean:
            parts.append(_lean(hop.adjacency.base, frontier, admitted))
            continue
        found: Expansion = run.engine.expand(hop.adjacency, frontier, hop.allowed)
        rows, neighbours, places = found
        if admitted is not None:
            keep = admitted.kept(neighbours)
            rows, neighbours = rows[keep], neighbours[keep]
            places = places[keep] if slots else places
        parts.append(Found(rows, neighbours, places + np.int64(hop.first) if slots else None))
    return together(parts, slots=slots)


def _lean(csr: Csr, frontier: Ids, admitted: Admission | None) -> Found:
    """The neighbours of a frontier where nothing is left out and nobody reads the slots, which are not looked up then."""
    inside = np.clip(frontier, 0, max(csr.vertices - 1, 0))
    if csr.vertices == 0:
        return together((), slots=False)
    begins = csr.indptr[inside]
    lengths = csr.indptr[inside + 1] - begins
    if not np.array_equal(inside, frontier):
        lengths[inside != frontier] = 0
    rows, positions = spread(begins, lengths)
    neighbours = csr.neighbours[positions]
    if admitted is not None:
        keep = admitted.kept(neighbours)
        rows, neighbours = rows[keep], neighbours[keep]
    return Found(rows, neighbours, None)


def spread(begins: Ints, lengths: Ints) -> tuple[Ints, Ints]:
    """Ranges one after the other: of each element the range's number, and the element itself."""
    ends = np.cumsum(lengths)
    size = int(ends[-1]) if len(ends) else 0
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return rows, np.arange(size) + np.repeat(begins - (ends - lengths), lengths)


def together(parts: Sequence[Found], *, slots: bool) -> Found:
    """Several findings as one."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Found(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int64) if slots else None)
    return Found(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.neighbours for part in parts]),
        np.concatenate([part.slots for part in parts if part.slots is not None]) if slots else None,
    )


def followed(batch: Bindings, found: Found, live: frozenset[str], target: str, edge: str) -> Bindings:
    """Rows of a batch with the edges found of them: only live columns are carried on."""
    kept = projected(batch, live).take(found.rows)
    if target in live:
        kept.nodes[target] = found.neighbours
    if edge in live and found.slots is not None:
        kept.edges[edge] = found.slots
    return kept


def projected(batch: Bindings, live: frozenset[str]) -> Bindings:
    """The same rows with only these columns."""
    return Bindings(
        batch.rows,
        {name: values for name, values in batch.nodes.items() if name in live},
        {name: values for name, values in batch.edges.items() if name in live},
        {name: values for name, values in batch.groups.items() if name in live},
        {name: values for name, values in batch.paths.items() if name in live},
        batch.weights,
    )
