"""A part of a graph: some of its vertices, and the edges among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from luma_bench.bench.graph.extract import ROW
from luma_bench.bench.graph.rows import GraphRows
from luma_bench.errors import CatalogError, SchemaError
from luma_bench.types.graph import PropertyGraph, VertexTable
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.executor import PinnedExecutor


class Subgraph(GraphRows):
    """Some vertices of a graph and the edges among them, at its snapshot: for networkx, GraphML and drawings."""

    @classmethod
    def of(cls, executor: PinnedExecutor, graph: PropertyGraph, vertices: Any, table: str | None) -> Self:
        """The part among vertices given by their keys; see `Graph.subgraph`."""
        if isinstance(vertices, Mapping):
            asked = {graph.vertex(str(name)): keys for name, keys in vertices.items()}
        else:
            asked = {the_table(graph, table): vertices}
        kept = {place: _row_ids(executor, graph, place, keys) for place, keys in asked.items()}
        return cls(executor, graph, kept)

    @property
    def vertices(self) -> int:
        """How many vertices there are."""
        return sum(len(rows) for rows in (self._kept or {}).values())

    @property
    def edges(self) -> int:
        """How many edges there are among them."""
        return len(self._shape().ends()[0])

    def __repr__(self) -> str:
        return f"Subgraph({self.name!r}, {self.vertices:,} vertices, snapshot {self.snapshot})"


def the_table(graph: PropertyGraph, name: str | None) -> int:
    """The place of the vertex table that a key is of.

    Raises
    ------
    SchemaError
        There are several, and none is named.
    """
    if name is not None:
        return graph.vertex(name)
    if len(graph.vertices) == 1:
        return 0
    known = ", ".join(item.name for item in graph.vertices)
    raise SchemaError(
        f"The graph {graph.name!r} has {len(graph.vertices)} vertex tables, and it is not said which one the key is of.",
        hint=f"Name it: table='{graph.vertices[0].name}'. They are: {known}.",
    )


def no_vertex(graph: PropertyGraph, table: VertexTable, keys: list[Any]) -> CatalogError:
    """The error of keys that no vertex has."""
    shown = ", ".join(map(repr, keys[:3])) + (f" and {len(keys) - 3:,} more" if len(keys) > 3 else "")
    return CatalogError(
        f"The graph {graph.name!r} has no vertex {shown} in {table.name!r}.",
        hint=f"A vertex's key is its {', '.join(table.key)}.",
    )


def _row_ids(executor: PinnedExecutor, graph: PropertyGraph, place: int, keys: Any) -> pa.Array:
    """The row ids of the vertices of a table with these keys, each once."""
    table = graph.vertices[place]
    asked = _key_columns(table, keys)
    equal = " AND ".join(f"v.{quoted(column)} = k.{quoted(column)}" for column in table.key)
    texts = ", ".join(f"k.{quoted(column)}" for column in table.key)
    found = executor.execute(
        f'SELECT DISTINCT v._rowid AS {quoted(ROW)}, {texts} FROM "@keys" AS k '
        f"LEFT JOIN with_rowid({quoted(table.table)}) AS v ON {equal}",
        tables={"@keys": asked},
    ).to_arrow()
    missing = found.filter(found.column(ROW).is_null()).select(list(table.key)).to_pylist()
    if missing:
        rows = [tuple(row.values()) for row in missing]
        raise no_vertex(graph, table, [row[0] if len(row) == 1 else row for row in rows])
    return found.column(ROW).combine_chunks()


def _key_columns(table: VertexTable, keys: Any) -> pa.Table:
    """Keys as a table with the columns of the vertex table's key."""
    count = len(table.key)
    if hasattr(keys, "to_arrow") or isinstance(keys, pa.Table):
        rows = keys if isinstance(keys, pa.Table) else pa.table(keys.to_arrow())
        if rows.num_columns and pa.types.is_list(rows.schema.types[0]):  # the vertices of paths
            rows = pa.table({"key": rows.column(0).combine_chunks().flatten()})
        if rows.num_columns and count > 1 and pa.types.is_struct(rows.schema.types[0]):
            rows = pa.Table.from_struct_array(rows.column(0))
        return rows.select(list(range(count))).rename_columns(list(table.key))
    listed = list(keys)
    if count == 1:
        return pa.table({table.key[0]: pa.array(listed)})
    for key in listed:
        if not isinstance(key, tuple) or len(key) != count:
            raise SchemaError(
                f"{key!r} is no key of {table.name!r}.", hint=f"Give a tuple of {', '.join(table.key)}."
            )
    columns = zip(*listed, strict=True) if listed else ((),) * count
    return pa.table({name: pa.array(column) for name, column in zip(table.key, columns, strict=True)})
