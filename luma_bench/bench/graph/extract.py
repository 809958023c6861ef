"""A graph's rows for a reader outside of the engine: its vertices, its edges by their places, and what they hold.

Everything is asked in KadeQL at the graph's snapshot, so policies hold; rows whose key is NULL or that no vertex has are no edges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from luma_bench.errors import SchemaError, choices
from luma_bench.models.graph.topology import Ints
from luma_bench.types.graph import EdgeEnd, EdgeTable, ElementTable, PropertyGraph, VertexTable
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.executor import PinnedExecutor

ROW = "@row"
"""The column of a vertex's or edge's row id."""

Kept = Mapping[int, pa.Array]
"""Row ids of the vertices that count, by the place of their table."""


@dataclass(frozen=True, slots=True, eq=False)
class VertexPart:
    """The vertices of one table, in the order of their row ids.

    Attributes
    ----------
    first
        The place of the first one among all vertices.
    row_ids
        int64.
    keys
        One column for each column of the key.
    properties
        Columns under the properties' names.
    """

    table: VertexTable
    first: int
    row_ids: Ints
    keys: pa.Table
    properties: pa.Table


@dataclass(frozen=True, slots=True, eq=False)
class EdgePart:
    """The edges of one table, in the order of their row ids; `source` and `destination` are places among all vertices."""

    table: EdgeTable
    source: Ints
    destination: Ints
    keys: pa.Table
    properties: pa.Table


@dataclass(frozen=True, slots=True, eq=False)
class Extract:
    """Vertices and edges, by table."""

    vertices: tuple[VertexPart, ...]
    edges: tuple[EdgePart, ...]

    @property
    def count(self) -> int:
        """How many vertices there are."""
        return sum(len(part.row_ids) for part in self.vertices)

    def ends(self) -> tuple[Ints, Ints]:
        """The ends of every edge, table after table."""
        none = [np.empty(0, np.int64)]
        return (
            np.concatenate(none + [part.source for part in self.edges]),
            np.concatenate(none + [part.destination for part in self.edges]),
        )

    def names(self) -> list[Any]:
        """What each vertex is known by in Python: its key, a tuple for one of several columns.

        In a graph of several vertex tables it is the pair of the table's name there and the key.
        """
        several = len(self.vertices) > 1
        found: list[Any] = []
        for part in self.vertices:
            keys = keys_of(part.keys)
            found += [(part.table.name, key) for key in keys] if several else keys
        return found


def keys_of(keys: pa.Table) -> list[Any]:
    """Key values of Python, a tuple for several columns."""
    columns = [column.to_pylist() for column in keys.columns]
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


def extracted(
    executor: PinnedExecutor,
    graph: PropertyGraph,
    *,
    vertices: bool | Sequence[str] = True,
    edges: bool | Sequence[str] = True,
    kept: Kept | None = None,
) -> Extract:
    """Read a graph.

    Parameters
    ----------
    vertices, edges
        Which properties: all, none, or those of these names.
    kept
        Only these vertices and the edges among them; None for all.

    Raises
    ------
    SchemaError
        No table of the kind has such a property.
    """
    _check(executor, graph.vertices, vertices, "vertices")
    _check(executor, graph.edges, edges, "edges")
    held = {} if kept is None else {f"@kept {place}": pa.table({ROW: rows}) for place, rows in kept.items()}
    parts: list[VertexPart] = []
    first = 0
    for place, table in enumerate(graph.vertices):
        if kept is not None and place not in kept:
            rows = executor.execute(_vertex_text(executor, table, vertices, None) + " LIMIT 0").to_arrow()
        else:
            relation = None if kept is None else f"@kept {place}"
            rows = executor.execute(_vertex_text(executor, table, vertices, relation), tables=held).to_arrow()
        part = _vertex_part(table, first, rows)
        _check_keys(executor, part)
        parts.append(part)
        first += rows.num_rows
    made: list[EdgePart] = []
    for table in graph.edges:
        ends = [graph.vertex(end.vertex) for end in (table.source, table.destination)]
        if kept is not None and not all(place in kept for place in ends):
            continue
        relations = None if kept is None else [f"@kept {place}" for place in ends]
        text = _edge_text(executor, graph, table, edges, relations)
        rows = executor.execute(text, tables=held).to_arrow()
        made.append(_edge_part(table, rows, parts[ends[0]], parts[ends[1]]))
    return Extract(tuple(parts), tuple(made))


def properties_of(executor: PinnedExecutor, table: ElementTable) -> dict[str, str]:
    """The column of each property of a table."""
    return (
        table.columns(executor.schema(table.table).names)
        if table.properties is None
        else dict(table.properties)
    )


def _check_keys(executor: PinnedExecutor, part: VertexPart) -> None:
    """Refuse vertices of the same key: edges to it would lead to all of them."""
    table = part.table
    if executor._pinned.find(table.table).settings.primary_key == table.key:
        return
    known = part.keys.drop_null()
    if known.group_by(list(table.key)).aggregate([]).num_rows < known.num_rows:
        listed = ", ".join(table.key)
        raise SchemaError(
            f"Two rows of {table.table!r} have the same key ({listed}), so they cannot be vertices of a graph.",
            hint="Choose a KEY that tells rows apart.",
        )


def _check(
    executor: PinnedExecutor, tables: Sequence[ElementTable], asked: bool | Sequence[str], what: str
) -> None:
    if isinstance(asked, bool):
        return
    known = {name: None for table in tables for name in properties_of(executor, table)}
    folded = {name.casefold() for name in known}
    for name in asked:
        if name.casefold() not in folded:
            raise SchemaError(
                f"The {what} have no property {name!r}.", hint=choices(name, list(known), "properties")
            )


def _listed(
    executor: PinnedExecutor, table: ElementTable, alias: str, asked: bool | Sequence[str]
) -> Iterator[str]:
    wanted = None if isinstance(asked, bool) else {name.casefold() for name in asked}
    for name, column in properties_of(executor, table).items() if asked is not False else ():
        if wanted is None or name.casefold() in wanted:
            yield f"{alias}.{quoted(column)} AS {quoted(name)}"
    for number, column in enumerate(table.key):
        yield f"{alias}.{quoted(column)} AS {quoted(f'@key {number}')}"


def _vertex_text(
    executor: PinnedExecutor, table: VertexTable, asked: bool | Sequence[str], kept: str | None
) -> str:
    listed = ", ".join([f"v._rowid AS {quoted(ROW)}", *_listed(executor, table, "v", asked)])
    only = "" if kept is None else f" WHERE v._rowid IN (SELECT {quoted(ROW)} FROM {quoted(kept)})"
    return f"SELECT {listed} FROM with_rowid({quoted(table.table)}) AS v{only}"


def _edge_text(
    executor: PinnedExecutor,
    graph: PropertyGraph,
    table: EdgeTable,
    asked: bool | Sequence[str],
    kept: Sequence[str] | None,
) -> str:
    head = [
        f"e._rowid AS {quoted(ROW)}",
        's._rowid AS "@source"',
        'd._rowid AS "@destination"',
        *_listed(executor, table, "e", asked),
    ]
    joins = "".join(
        _join(graph, end, alias) for end, alias in ((table.source, "s"), (table.destination, "d"))
    )
    only = ""
    if kept is not None:
        only = " WHERE " + " AND ".join(
            f"{alias}._rowid IN (SELECT {quoted(ROW)} FROM {quoted(relation)})"
            for alias, relation in zip("sd", kept, strict=True)
        )
    return f"SELECT {', '.join(head)} FROM with_rowid({quoted(table.table)}) AS e{joins}{only}"


def _join(graph: PropertyGraph, end: EdgeEnd, alias: str) -> str:
    vertex = graph.vertices[graph.vertex(end.vertex)]
    equal = " AND ".join(
        f"{alias}.{quoted(key)} = e.{quoted(column)}"
        for key, column in zip(end.keys, end.columns, strict=True)
    )
    return f" JOIN with_rowid({quoted(vertex.table)}) AS {alias} ON {equal}"


def _vertex_part(table: VertexTable, first: int, rows: pa.Table) -> VertexPart:
    ids = rows.column(ROW).to_numpy()
    order = np.argsort(ids, kind="stable")
    ordered = rows.take(pa.array(order))
    return VertexPart(table, first, ids[order], _key_columns(ordered, table), _rest(ordered))


def _edge_part(table: EdgeTable, rows: pa.Table, source: VertexPart, destination: VertexPart) -> EdgePart:
    ordered = rows.take(pa.array(np.argsort(rows.column(ROW).to_numpy(), kind="stable")))
    ends = [
        part.first + np.searchsorted(part.row_ids, ordered.column(name).to_numpy())
        for part, name in ((source, "@source"), (destination, "@destination"))
    ]
    return EdgePart(table, ends[0], ends[1], _key_columns(ordered, table), _rest(ordered))


def _key_columns(rows: pa.Table, table: ElementTable) -> pa.Table:
    return rows.select([f"@key {number}" for number in range(len(table.key))]).rename_columns(list(table.key))


def _rest(rows: pa.Table) -> pa.Table:
    return rows.select([name for name in rows.column_names if not name.startswith("@")])
