"""Property graphs as SHOW and DESCRIBE tell of them, and as the statement that makes one again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from luma_bench.bench.catalog_text import relation_name, schema_and_name
from luma_bench.plan.literals import identifier, text
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.graph import EdgeEnd, EdgeTable, ElementTable, PropertyGraph
from luma_bench.types.schema import CatalogObject

Rows = list[dict[str, Any]]


def graph_rows(snapshot: ResolvedSnapshot, items: Sequence[CatalogObject]) -> Rows:
    """A row for each graph: its name, the names of its vertex and edge tables in it, and its comment."""
    rows: Rows = []
    for item in items:
        graph = PropertyGraph.of(item.name, item.definition)
        rows.append(
            {
                "name": item.name,
                "vertex_tables": [element.name for element in graph.vertices],
                "edge_tables": [element.name for element in graph.edges],
                "comment": item.comment,
            }
        )
    return rows


def element_rows(graph: PropertyGraph, snapshot: ResolvedSnapshot) -> Rows:
    """A row for each vertex table, then for each edge table, of one graph."""
    rows: Rows = []
    for kind, items in (("vertex", graph.vertices), ("edge", graph.edges)):
        for item in items:
            row: dict[str, Any] = {
                "kind": kind,
                "name": item.name,
                "table": item.table,
                "key": list(item.key),
                "labels": list(item.labels),
                "properties": [_property(*pair) for pair in _columns(item, snapshot).items()],
            }
            if isinstance(item, EdgeTable):
                row["source"], row["destination"] = _end(item.source), _end(item.destination)
                if item.valid_from is not None and item.valid_to is not None:
                    row["valid"] = f"FROM {identifier(item.valid_from)} TO {identifier(item.valid_to)}"
            rows.append(row)
    return rows


def element_columns(graph: PropertyGraph, snapshot: ResolvedSnapshot) -> Iterator[dict[str, Any]]:
    """The same in parts, for `information_schema.pg_element_tables`."""
    for kind, items in (("VERTEX", graph.vertices), ("EDGE", graph.edges)):
        for item in items:
            row: dict[str, Any] = {
                "element_table_alias": item.name,
                "element_table_kind": kind,
                "table": item.table,
                "element_table_definition": " ".join(_element(item, snapshot)),
                "key_columns": list(item.key),
                "labels": list(item.labels),
                "properties": list(_columns(item, snapshot)),
            }
            if isinstance(item, EdgeTable):
                for name, end in (("source", item.source), ("destination", item.destination)):
                    row[f"{name}_columns"] = list(end.columns)
                    row[f"{name}_element"] = end.vertex
                    row[f"{name}_keys"] = list(end.keys)
                row["valid_from"], row["valid_to"] = item.valid_from, item.valid_to
            yield row


def create_graph_text(item: CatalogObject, snapshot: ResolvedSnapshot) -> str:
    """The statements that make a property graph again."""
    graph, shown = PropertyGraph.of(item.name, item.definition), relation_name(item.name, snapshot)
    parts = [f"CREATE PROPERTY GRAPH {shown}"]
    for head, items in (("VERTEX TABLES", graph.vertices), ("EDGE TABLES", graph.edges)):
        if items:
            lines = ",\n".join(f"    {' '.join(_element(element, snapshot))}" for element in items)
            parts.append(f"{head} (\n{lines}\n)")
    statements = ["\n".join(parts)]
    if item.comment is not None:
        statements.append(f"COMMENT ON PROPERTY GRAPH {shown} IS {text(item.comment)}")
    return ";\n".join(statements) + ";"


def _element(item: ElementTable, snapshot: ResolvedSnapshot) -> Iterator[str]:
    yield relation_name(item.table, snapshot)
    if item.name != schema_and_name(item.table, snapshot)[1]:
        yield f"AS {identifier(item.name)}"
    if item.key:
        yield f"KEY ({_listed(item.key)})"
    if isinstance(item, EdgeTable):
        yield f"SOURCE KEY {_end(item.source)}"
        yield f"DESTINATION KEY {_end(item.destination)}"
    if item.labels != (item.name,):
        yield from (f"LABEL {identifier(label)}" for label in item.labels)
    if item.properties is not None:
        listed = ", ".join(_property(name, column) for name, column in item.properties)
        yield f"PROPERTIES ({listed})" if listed else "NO PROPERTIES"
    if isinstance(item, EdgeTable) and item.valid_from is not None and item.valid_to is not None:
        yield f"VALID FROM {identifier(item.valid_from)} TO {identifier(item.valid_to)}"


def _end(end: EdgeEnd) -> str:
    return f"({_listed(end.columns)}) REFERENCES {identifier(end.vertex)} ({_listed(end.keys)})"


def _columns(item: ElementTable, snapshot: ResolvedSnapshot) -> dict[str, str]:
    """The column of each property at the snapshot."""
    table = snapshot.named(item.table)
    return item.columns(() if table is None else table.names)


def _property(name: str, column: str) -> str:
    return identifier(column) if name == column else f"{identifier(column)} AS {identifier(name)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(identifier, names))
