"""One adjacency of several edge tables without what is dead: what algorithms and searches over whole graphs run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from luma_bench.models.graph.csr import adjacency, padded
from luma_bench.models.graph.topology import Adjacency, Bools, Csr, EdgeRows, Ids, Topology

_FEW = 8
_INT32 = 2**31


def merged(
    topology: Topology,
    tables: tuple[int, ...] | None = None,
    *,
    reverse: bool = False,
    undirected: bool = False,
    allowed: Mapping[int, Bools] | None = None,
) -> Csr:
    """Adjacency over all dense ids, with the live edges of some tables. Treat it as read-only.

    The adjacency of one table without changes is handed over as it is; what has to be made is kept with the topology,
    unless it is of `allowed` edges only.

    Parameters
    ----------
    tables
        Places of edge tables; None for all.
    reverse
        From destination to source.
    undirected
        Each edge at both of its ends, a self-loop once; `reverse` changes nothing then.
    allowed
        By edge table, bool by slot of it; a table that is not in it has all its edges.

    Returns
    -------
    Csr
        Its `slots` are global ones: int32 where the topology has fewer than 2,147,483,648, else int64. Neighbours ascend
        in a row, and parallel edges ascend by slot.
    """
    places = tuple(range(len(topology.edges))) if tables is None else tuple(sorted(set(tables)))
    key = "merged", places, reverse and not undirected, undirected
    if allowed:
        return _made(topology, places, key[2], undirected, allowed)
    return topology.memo.get(
        key,
        lambda: _made(topology, places, key[2], undirected, {}),
        lambda csr: csr.nbytes,
    )


def live_mask(topology: Topology) -> Bools | None:
    """By dense id, whether the vertex lives; None when all do."""
    if all(item.dead is None for item in topology.vertices):
        return None
    alive = np.ones(topology.vertex_count, np.bool_)
    for item in topology.vertices:
        if item.dead is not None:
            alive[item.first : item.first + item.count] = ~item.dead
    return alive


def isolated(topology: Topology) -> Bools:
    """By dense id, whether the vertex lives and has no live edge, in either direction."""
    out, into = merged(topology), merged(topology, reverse=True)
    alone = (np.diff(out.indptr) == 0) & (np.diff(into.indptr) == 0)
    alive = live_mask(topology)
    return alone if alive is None else alone & alive


def _made(
    topology: Topology,
    places: tuple[int, ...],
    reverse: bool,
    undirected: bool,
    allowed: Mapping[int, Bools],
) -> Csr:
    vertices = topology.vertex_count
    kind: type[np.int32] | type[np.int64] = np.int32 if topology.edge_count < _INT32 else np.int64
    if not places:
        return Csr(np.zeros(vertices + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.int32))
    if len(places) == 1 and not undirected:
        rows = topology.edges[places[0]]
        return _single(rows, rows.into if reverse else rows.out, vertices, allowed.get(places[0]), kind)
    parts = [_ends(topology.edges[place], allowed.get(place), kind) for place in places]
    source = np.concatenate([part[0] for part in parts])
    destination = np.concatenate([part[1] for part in parts])
    slots: np.ndarray[Any, Any] = np.concatenate([part[2] for part in parts])
    if undirected:
        first = np.stack((source, destination), axis=1).ravel()
        second = np.stack((destination, source), axis=1).ravel()
        keep = np.ones(len(first), np.bool_)
        keep[1::2] = source != destination
        source, destination, slots = first[keep], second[keep], np.repeat(slots, 2)[keep]
    elif reverse:
        source, destination = destination, source
    return adjacency(source, destination, vertices, vertices, slots)[0]


def _single(rows: EdgeRows, held: Adjacency, vertices: int, allowed: Bools | None, kind: type) -> Csr:
    """The live edges of one table in one direction."""
    csr = held.base
    keep = allowed
    if held.dead is not None:
        keep = ~held.dead if keep is None else keep & ~held.dead
    if keep is not None:
        csr = _kept(csr, keep)
    csr = Csr(padded(csr.indptr, vertices), csr.neighbours, csr.slots)
    if held.delta is not None:
        csr = _inserted(csr, held.delta if keep is None else _kept(held.delta, keep))
    if rows.first:
        csr = Csr(csr.indptr, csr.neighbours, csr.slots.astype(kind) + kind(rows.first))
    return csr


def _kept(csr: Csr, allowed: Bools) -> Csr:
    keep = allowed[csr.slots]
    before = np.concatenate((np.zeros(1, np.int64), np.cumsum(keep)))
    return Csr(before[csr.indptr], csr.neighbours[keep], csr.slots[keep])


def _inserted(csr: Csr, more: Csr) -> Csr:
    """Rows with others over the same vertices merged in; parallel edges of `more` have the later slots."""
    if not len(more.slots):
        return csr
    numbers = np.arange(csr.vertices)
    if len(more.slots) * _FEW > len(csr.slots):
        source = np.concatenate([np.repeat(numbers, np.diff(item.indptr)) for item in (csr, more)])
        ends, slots = (
            np.concatenate((a, b)) for a, b in ((csr.neighbours, more.neighbours), (csr.slots, more.slots))
        )
        order = np.argsort(slots, kind="stable")
        return adjacency(
            source[order].astype(np.int32), ends[order], csr.vertices, csr.vertices, slots[order]
        )[0]
    own = np.repeat(numbers << 32, np.diff(csr.indptr)) | csr.neighbours
    new = np.repeat(numbers << 32, np.diff(more.indptr)) | more.neighbours
    at = np.searchsorted(own, new, "right")
    return Csr(
        csr.indptr + more.indptr,
        np.insert(csr.neighbours, at, more.neighbours),
        np.insert(csr.slots, at, more.slots),
    )


def _ends(rows: EdgeRows, allowed: Bools | None, kind: type) -> tuple[Ids, Ids, np.ndarray[Any, Any]]:
    """Source, destination and global slot of the live edges of a table, by slot."""
    keep = allowed
    if rows.out.dead is not None:
        keep = ~rows.out.dead if keep is None else keep & ~rows.out.dead
    slots = np.arange(rows.first, rows.first + rows.count, dtype=kind)
    if keep is None:
        return rows.source, rows.destination, slots
    return rows.source[keep], rows.destination[keep], slots[keep]
