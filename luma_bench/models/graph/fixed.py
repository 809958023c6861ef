"""Edges that are bound already, and path variables over patterns of fixed length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from luma_bench.models.graph.bindings import Bindings, Lists, PathBindings
from luma_bench.models.graph.expand import Found, followed, together
from luma_bench.models.graph.running import Run
from luma_bench.models.graph.topology import Ids, Ints
from luma_bench.plan.graph.atoms import Atom, Way
from luma_bench.plan.graph.bound import BoundPath


def known(run: Run, rows: Iterator[Bindings], atom: Atom, live: frozenset[str]) -> Iterator[Bindings]:
    """Rows whose bound edge stands between the nodes of an atom too; ends that are not bound yet are bound by it."""
    hops = run.hops(Way(atom))
    for batch in rows:
        run.control.check()
        slots = batch.edges[atom.edge.variable]
        parts: list[Found] = []
        origins: list[Ids] = []
        for hop in hops:
            held = run.topology.edges[hop.table]
            mine = np.flatnonzero((slots >= hop.first) & (slots < hop.first + held.count))
            places = slots[mine] - hop.first
            if hop.allowed is not None:
                keep = hop.allowed[places]
                mine, places = mine[keep], places[keep]
            along = hop.adjacency is held.out
            begins, ends = (held.source, held.destination) if along else (held.destination, held.source)
            parts.append(Found(mine, ends[places], slots[mine]))
            origins.append(begins[places])
        found = together(parts, slots=True)
        origin = np.concatenate(origins) if origins else np.empty(0, np.int32)
        keep = np.ones(len(found.rows), np.bool_)
        for node, ids in ((atom.left, origin), (atom.right, found.neighbours)):
            admitted = run.admission(node)
            if admitted is not None:
                keep &= admitted.holds(ids)
            if node.variable in batch.nodes:
                keep &= batch.nodes[node.variable][found.rows] == ids
        if atom.left.variable == atom.right.variable:
            keep &= origin == found.neighbours
        chosen = np.flatnonzero(keep)
        kept = Found(found.rows[chosen], found.neighbours[chosen], None)
        out = followed(batch, kept, live, atom.right.variable, "")
        if atom.left.variable in live:
            out.nodes[atom.left.variable] = origin[chosen]
        yield out


def fixed_paths(rows: Iterator[Bindings], paths: Sequence[BoundPath]) -> Iterator[Bindings]:
    """Rows with their path variables, put together from the columns of their nodes and edges."""
    for batch in rows:
        found = dict(batch.paths)
        for path in paths:
            assert path.variable is not None, "only named paths are asked for"
            nodes: list[Ids] = [batch.nodes[node.variable] for node in path.nodes]
            edges: list[Ints] = [batch.edges[edge.variable] for edge in path.edges]
            found[path.variable] = PathBindings(_columns(nodes, batch.rows), _columns(edges, batch.rows))
        yield Bindings(batch.rows, batch.nodes, batch.edges, batch.groups, found, batch.weights)


def _columns(columns: Sequence[Ids | Ints], rows: int) -> Lists:
    """Columns of one length as lists of one length."""
    offsets = np.arange(rows + 1, dtype=np.int64) * len(columns)
    if not columns:
        return Lists(offsets, np.empty(0, np.int64))
    values: Any = np.stack(columns, axis=1).reshape(-1)
    return Lists(offsets, values)
