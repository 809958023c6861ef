"""Topologies straight from arrays, without tables or a bench."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from luma_bench.models.graph.topology import Adjacency, Bools, Csr, EdgeRows, Topology, VertexRows
from luma_bench.types.graph import EdgeEnd, EdgeTable, PropertyGraph, VertexTable


@dataclass
class Edges:
    """An edge table by the places of its vertex tables and the ends of its slots inside of them.

    The last `later` edges stand in a delta; `dead` are slots.
    """

    source: int
    destination: int
    begins: Sequence[int] | np.ndarray
    ends: Sequence[int] | np.ndarray
    dead: Sequence[int] = ()
    later: int = 0


def csr(vertices: int, begins: np.ndarray, ends: np.ndarray, slots: np.ndarray) -> Csr:
    order = np.lexsort((slots, ends, begins))
    indptr = np.zeros(vertices + 1, np.int64)
    np.cumsum(np.bincount(begins, minlength=vertices), out=indptr[1:])
    return Csr(indptr, ends[order].astype(np.int32), slots[order].astype(np.int32))


def topology(
    vertices: Sequence[int], edges: Sequence[Edges], dead_vertices: Sequence[Sequence[int]] = ()
) -> Topology:
    """A topology of vertex tables of these sizes; an edge at a dead vertex is dead too."""
    firsts = np.concatenate(([0], np.cumsum(vertices)))
    whole = int(firsts[-1])
    gone = np.zeros(whole, np.bool_)
    rows = []
    for table, size in enumerate(vertices):
        mine = list(dead_vertices[table]) if table < len(dead_vertices) else []
        dead = None
        if mine:
            dead = np.zeros(size, np.bool_)
            dead[mine] = True
            gone[firsts[table] : firsts[table] + size] = dead
        rows.append(VertexRows(int(firsts[table]), np.arange(size, dtype=np.int64), dead))
    held, first = [], 0
    for item in edges:
        source = (np.asarray(item.begins, np.int64) + firsts[item.source]).astype(np.int32)
        destination = (np.asarray(item.ends, np.int64) + firsts[item.destination]).astype(np.int32)
        count = len(source)
        dead: Bools | None = gone[source] | gone[destination]
        dead[list(item.dead)] = True
        dead = dead if dead.any() else None
        slots = np.arange(count)
        base, later = slots[: count - item.later], slots[count - item.later :]
        # A base may know fewer vertices than there are.
        known = (
            int(max(source[base].max(initial=-1), destination[base].max(initial=-1))) + 1
            if item.later
            else whole
        )
        both = []
        for begins, ends in ((source, destination), (destination, source)):
            delta = csr(whole, begins[later], ends[later], later) if item.later else None
            both.append(Adjacency(csr(known, begins[base], ends[base], base), delta, dead))
        held.append(EdgeRows(first, np.arange(count, dtype=np.int64), source, destination, both[0], both[1]))
        first += count
    graph = PropertyGraph(
        "g",
        tuple(
            VertexTable(f"v{place}", f"v{place}", ("id",), (f"v{place}",)) for place in range(len(vertices))
        ),
        tuple(
            EdgeTable(
                f"e{place}",
                f"e{place}",
                (),
                (f"e{place}",),
                source=EdgeEnd(("s",), f"v{item.source}", ("id",)),
                destination=EdgeEnd(("d",), f"v{item.destination}", ("id",)),
            )
            for place, item in enumerate(edges)
        ),
    )
    return Topology(graph, 1, tuple(rows), tuple(held), 1)
