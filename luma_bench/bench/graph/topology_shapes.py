"""What adjacency depends on, by the ids of tables and columns: a renamed column is the same one, a replaced one another."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from luma_bench.models.graph.base import Key
from luma_bench.models.graph.build import keys_of
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.types.graph import EdgeEnd, PropertyGraph
from luma_bench.types.schema import TableSchema

Columns = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VertexShape:
    """A vertex table: its id, and the columns of each key that tells its vertices apart, the graph's own first."""

    table: int
    keys: tuple[Columns, ...]


@dataclass(frozen=True, slots=True)
class EndShape:
    """One end of an edge table: its columns there, the vertices that they refer to, and these' columns."""

    columns: Columns
    vertices: VertexShape
    key: Columns


@dataclass(frozen=True, slots=True)
class EdgeShape:
    """An edge table: its id, and both ends."""

    table: int
    source: EndShape
    destination: EndShape

    @property
    def vertices(self) -> tuple[VertexShape, ...]:
        """The vertex tables at its ends, each once."""
        return tuple(dict.fromkeys((self.source.vertices, self.destination.vertices)))


@dataclass(frozen=True, slots=True)
class ShownVertices:
    """A vertex table at a view: its shape, and what messages call it and its keys."""

    shape: VertexShape
    table: TableSchema = field(compare=False)
    keys: tuple[Key, ...]

    @property
    def columns(self) -> Columns:
        """The columns of all keys, each once."""
        return tuple(dict.fromkeys(column for key in self.shape.keys for column in key))


@dataclass(frozen=True, slots=True)
class ShownEnd:
    """One end of an edge table at a view; `place` is the vertex table's place in the graph."""

    shape: EndShape
    place: int
    names: tuple[str, ...]
    key: Key


@dataclass(frozen=True, slots=True)
class ShownEdges:
    """An edge table at a view."""

    shape: EdgeShape
    table: TableSchema = field(compare=False)
    ends: tuple[ShownEnd, ShownEnd]

    @property
    def columns(self) -> Columns:
        """The columns of both ends, each once."""
        return tuple(dict.fromkeys(column for end in self.ends for column in end.shape.columns))


@dataclass(frozen=True, slots=True)
class ShownGraph:
    """The tables of a graph at a view, by their places in its definition."""

    graph: PropertyGraph
    vertices: tuple[ShownVertices, ...]
    edges: tuple[ShownEdges, ...]
    tables: tuple[TableSchema, ...] = field(compare=False)


def shown_graph(graph: PropertyGraph, view: ResolvedSnapshot) -> ShownGraph:
    """A graph's tables as a view has them.

    Raises
    ------
    CatalogError, SchemaError
        A table or a column of the graph is not there.
    """
    vertices: list[ShownVertices] = []
    for item in graph.vertices:
        table = view.find(item.table)
        names = keys_of(graph, item)
        shape = VertexShape(table.id, tuple(_ids(table, key) for key in names))
        keys = tuple(Key(labels(ids), key) for ids, key in zip(shape.keys, names, strict=True))
        vertices.append(ShownVertices(shape, table, keys))
    edges: list[ShownEdges] = []
    for item in graph.edges:
        table = view.find(item.table)
        source, destination = (
            _end(table, end, vertices[graph.vertex(end.vertex)], graph.vertex(end.vertex))
            for end in (item.source, item.destination)
        )
        edges.append(
            ShownEdges(EdgeShape(table.id, source.shape, destination.shape), table, (source, destination))
        )
    tables = {item.table.id: item.table for item in (*vertices, *edges)}
    return ShownGraph(graph, tuple(vertices), tuple(edges), tuple(tables.values()))


def labels(columns: Columns) -> tuple[str, ...]:
    """What rows that are read for a topology call their columns."""
    return tuple(f"c{column}" for column in columns)


def labelled(rows: pa.Table, columns: Columns) -> pa.Table:
    """Rows that were read, `_rowid` first, under the names of `labels`."""
    return rows.rename_columns([rows.column_names[0], *labels(columns)])


def names_of(table: TableSchema, columns: Columns) -> list[str]:
    """The present names of columns."""
    return [table.by_id[column] for column in columns]


def _end(table: TableSchema, end: EdgeEnd, vertices: ShownVertices, place: int) -> ShownEnd:
    key = _ids(vertices.table, end.keys)
    shape = EndShape(_ids(table, end.columns), vertices.shape, key)
    return ShownEnd(shape, place, end.columns, Key(labels(key), end.keys))


def _ids(table: TableSchema, names: tuple[str, ...]) -> Columns:
    return tuple(table.column(name).id for name in names)
