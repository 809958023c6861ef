"""Building the topology of a graph from the rows of its tables, all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from luma_bench.models.control import Control
from luma_bench.models.graph.base import End, Key, VertexBase, edge_base
from luma_bench.models.graph.derive import Difference, Edges, Vertices, unchanged
from luma_bench.models.graph.memo import Memo
from luma_bench.models.graph.row_ids import RowIds
from luma_bench.models.graph.topology import EdgeRows, Topology, VertexRows
from luma_bench.types.graph import EdgeTable, PropertyGraph, VertexTable
from luma_bench.types.schema import ROW_ID

Read = Callable[[str, Sequence[str]], pa.Table]
"""Columns of the live rows of a stored table, by name, with `_rowid` before them, in the order of row ids."""


def build(graph: PropertyGraph, snapshot: int, read: Read, control: Control | None = None) -> Topology:
    """The topology of a graph, from all rows of its tables.

    Parameters
    ----------
    snapshot
        What is read.
    read
        Gives the tables' rows.

    Raises
    ------
    SchemaError
        A vertex's key is not unique, or a key cannot be compared.
    ResourceError
        There are more vertices or edges than numbers.
    CancelledError
        `control` was stopped.
    """
    control = control or Control()
    vertices: list[Vertices] = []
    for table in graph.vertices:
        control.check()
        keys = [Key(names, names) for names in keys_of(graph, table)]
        columns = tuple(dict.fromkeys(name for key in keys for name in key.columns))
        base = vertex_base(table.table, read(table.table, columns), keys)
        vertices.append(same(base, keys))
    edges: list[Edges] = []
    for table in graph.edges:
        control.check()
        source, destination = (
            End(end.columns, end.columns, vertices[graph.vertex(end.vertex)].base, Key(end.keys, end.keys))
            for end in (table.source, table.destination)
        )
        columns = tuple(dict.fromkeys((*source.columns, *destination.columns)))
        counts = counts_of(graph, table, vertices)
        rows = read(table.table, columns)
        edges.append(unchanged(edge_base(rows, table.table, (source, destination), counts, snapshot)))
    control.check()
    return assembled(graph, snapshot, vertices, edges)


def keys_of(graph: PropertyGraph, table: VertexTable) -> list[tuple[str, ...]]:
    """What tells the vertices of a table apart: its own key, then those that edges refer to otherwise."""
    ends = (end for edge in graph.edges for end in (edge.source, edge.destination))
    referred = sorted({end.keys for end in ends if end.vertex.casefold() == table.name.casefold()})
    return list(dict.fromkeys(key for key in (table.key, *referred) if key))


def vertex_base(name: str, rows: pa.Table, keys: Sequence[Key]) -> VertexBase:
    """The vertices of all rows of a table.

    Raises
    ------
    SchemaError
        Two have the same key.
    """
    base = VertexBase(
        name,
        RowIds.of(rows.column(ROW_ID).to_numpy()),
        lambda columns: [rows.column(column) for column in columns],
    )
    for key in keys:
        base.keys(key).check()
    return base


def same(base: VertexBase, keys: Sequence[Key]) -> Vertices:
    """The vertices of a base as they are."""
    columns = list(dict.fromkeys(name for key in keys for name in key.columns))
    none = pa.Table.from_arrays(
        [pa.chunked_array([], pa.int64()), *(base.columns((name,))[0].slice(0, 0) for name in columns)],
        names=[ROW_ID, *columns],
    )
    return Vertices(base, Difference(np.empty(0, np.int64), none), keys)


def counts_of(graph: PropertyGraph, table: EdgeTable, vertices: Sequence[Vertices]) -> tuple[int, int]:
    """How many vertices there are at both ends of an edge table."""
    source, destination = (
        vertices[graph.vertex(end.vertex)].base.count for end in (table.source, table.destination)
    )
    return source, destination


def assembled(
    graph: PropertyGraph,
    snapshot: int,
    vertices: Sequence[Vertices],
    edges: Sequence[Edges],
    memo: Memo | None = None,
) -> Topology:
    """The topology of what its tables show."""
    rows: list[VertexRows] = []
    count = 0
    for state in vertices:
        rows.append(state.at(count))
        count += state.count
    held: list[EdgeRows] = []
    slot = 0
    for table, state in zip(graph.edges, edges, strict=True):
        source, destination = (
            rows[graph.vertex(end.vertex)].first for end in (table.source, table.destination)
        )
        held.append(state.at(slot, source, destination, count))
        slot += len(state.row_ids)
    generation = min((state.base.snapshot for state in edges), default=snapshot)
    return Topology(graph, snapshot, tuple(rows), tuple(held), generation, memo=memo or Memo())
