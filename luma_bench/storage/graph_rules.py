"""What a property graph takes for granted of its tables: checked when it is made, and whenever one of them changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import pyarrow as pa

from luma_bench.errors import ConstraintError
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.fit import family
from luma_bench.types.graph import GRAPH, EdgeEnd, EdgeTable, ElementTable, PropertyGraph, VertexTable
from luma_bench.types.schema import CatalogObject, Column, TableSchema
from luma_bench.types.sql_types import engine_type

Part = Literal["table", "key", "source", "destination", "properties", "valid"]


class Flaw(NamedTuple):
    """Something about a graph that does not fit its tables.

    Attributes
    ----------
    edge
        Whether it is about an edge table; `place` is its place among those of its kind.
    part
        What of the element it is about.
    problem
        A sentence without its capital and full stop.
    """

    edge: bool
    place: int
    part: Part
    problem: str
    hint: str


def graphs_of(view: ResolvedSnapshot) -> list[tuple[CatalogObject, PropertyGraph]]:
    """Every property graph of a snapshot, by name."""
    if not view.objects:
        return []
    return [(item, PropertyGraph.of(item.name, item.definition)) for item in view.objects_of(GRAPH)]


def check_unread(view: ResolvedSnapshot, table: TableSchema) -> None:
    """Refuse to drop a table that a property graph is made of.

    Raises
    ------
    ConstraintError
        Naming the graph.
    """
    for item, graph in graphs_of(view):
        if table.name in graph.tables:
            raise ConstraintError(
                f"Table {table.name!r} cannot be dropped: the property graph {item.name!r} is made of it.",
                hint=f"Drop the graph first: DROP PROPERTY GRAPH {item.name}; or make it of other tables with "
                f"CREATE OR REPLACE PROPERTY GRAPH {item.name} ….",
            )


def carried(
    view: ResolvedSnapshot, before: TableSchema, after: TableSchema
) -> list[tuple[CatalogObject, CatalogObject]]:
    """The graphs whose definition changes with a table's names: each as it is, and as it shall be.

    Raises
    ------
    ConstraintError
        A graph would not fit the table any more: a column that it needs is gone, or has a type that does not fit.
    """
    found: list[tuple[CatalogObject, CatalogObject]] = []
    for item, graph in graphs_of(view):
        if before.name not in graph.tables:
            continue
        changed = _renamed(graph, before, after)
        tables = {name: table for name in graph.tables if (table := view.named(name)) is not None}
        tables.pop(before.name, None)
        flaw = next(flaws(changed, tables | {after.name: after}), None)
        if flaw is not None:
            raise ConstraintError(
                f"The property graph {item.name!r} would not fit table {before.name!r} any more: {flaw.problem}.",
                hint=f"Change the graph first: CREATE OR REPLACE PROPERTY GRAPH {item.name} …, or drop it: "
                f"DROP PROPERTY GRAPH {item.name}.",
            )
        if changed != graph:
            found.append((item, replace(item, definition=changed.definition)))
    return found


def flaws(graph: PropertyGraph, tables: Mapping[str, TableSchema]) -> Iterator[Flaw]:
    """What does not fit, in order: columns that are not there, keys that cannot be compared, properties of two types.

    Parameters
    ----------
    tables
        The graph's tables, by their names; one that is missing is a flaw.
    """
    elements: list[tuple[bool, int, ElementTable]] = [
        *((False, index, item) for index, item in enumerate(graph.vertices)),
        *((True, index, item) for index, item in enumerate(graph.edges)),
    ]
    broken = False
    for edge, index, item in elements:
        for part, problem, hint in _missing(item, tables):
            broken = True
            yield Flaw(edge, index, part, problem, hint)
    if broken:
        return
    for index, item in enumerate(graph.vertices):
        for column in _columns(tables[item.table], item.key):
            if pa.types.is_nested(column.type):
                problem = f"column {column.name!r} of type {_shown(column)} cannot be the key of vertices {item.name!r}"
                yield Flaw(
                    False, index, "key", problem, "Take a column of numbers, text or times as the key."
                )
    for index, item in enumerate(graph.edges):
        yield from _ends(graph, index, item, tables)
        yield from _times(index, item, tables[item.table])
    yield from _clashes(False, graph.vertices, tables)
    yield from _clashes(True, graph.edges, tables)


def comparable(one: Column, other: Column) -> bool:
    """Whether values of two columns can be equal: a key, and what refers to it."""
    if family(one.type) != family(other.type) or pa.types.is_nested(one.type):
        return False
    return _own_type(one) == _own_type(other)


def _own_type(column: Column) -> str | None:
    """The SQL type of values that are kept in a form of their own; an ENUM's are text like any other."""
    kind = column.sql_type
    return None if kind is None or kind.startswith("ENUM") else kind


def _missing(item: ElementTable, tables: Mapping[str, TableSchema]) -> Iterator[tuple[Part, str, str]]:
    table = tables.get(item.table)
    if table is None:
        yield "table", f"table {item.table!r} is not there", "Name a table of the bench."
        return
    wanted: dict[Part, Iterable[str]] = {"key": item.key}
    if isinstance(item, EdgeTable):
        wanted["source"], wanted["destination"] = item.source.columns, item.destination.columns
        wanted["valid"] = [name for name in (item.valid_from, item.valid_to) if name is not None]
    wanted["properties"] = [column for _, column in item.properties or ()]
    for part, names in wanted.items():
        for name in names:
            if name not in table.names:
                problem = f"there is no column {name!r} in table {table.name!r}"
                yield part, problem, f"The columns are: {', '.join(table.names)}."


def _ends(
    graph: PropertyGraph, index: int, item: EdgeTable, tables: Mapping[str, TableSchema]
) -> Iterator[Flaw]:
    ends: tuple[tuple[Part, EdgeEnd], ...] = (("source", item.source), ("destination", item.destination))
    for part, end in ends:
        vertex = graph.vertices[graph.vertex(end.vertex)]
        parent = tables[vertex.table]
        gone = next((name for name in end.keys if name not in parent.names), None)
        if gone is not None:
            problem = f"there is no column {gone!r} in table {parent.name!r}"
            yield Flaw(True, index, part, problem, f"The columns are: {', '.join(parent.names)}.")
            continue
        pairs = zip(_columns(tables[item.table], end.columns), _columns(parent, end.keys), strict=True)
        for own, other in pairs:
            if not comparable(own, other):
                problem = (
                    f"column {own.name!r} of table {item.table!r} is {_shown(own)}, and column {other.name!r} of table "
                    f"{parent.name!r}, which it refers to, is {_shown(other)}"
                )
                yield Flaw(True, index, part, problem, "Give both columns one type.")


def _times(index: int, item: EdgeTable, table: TableSchema) -> Iterator[Flaw]:
    columns = _columns(table, [name for name in (item.valid_from, item.valid_to) if name is not None])
    for column in columns:
        if column.sql_type is not None or family(column.type) not in ("date", "timestamp", "instant"):
            problem = (
                f"column {column.name!r} of VALID is {_shown(column)}, which is no date and no timestamp"
            )
            yield Flaw(True, index, "valid", problem, "Name columns of DATE, TIMESTAMP or TIMESTAMPTZ.")
            return
    if len({family(column.type) for column in columns}) > 1:
        problem = " and ".join(f"column {column.name!r} is {_shown(column)}" for column in columns)
        hint = "VALID FROM and TO take two columns of one type."
        yield Flaw(True, index, "valid", problem, hint)


def _clashes(edge: bool, items: Sequence[ElementTable], tables: Mapping[str, TableSchema]) -> Iterator[Flaw]:
    """Properties of one name and two types in tables that share a label."""
    seen: dict[tuple[str, str], tuple[str, Column]] = {}
    for index, item in enumerate(items):
        table = tables[item.table]
        columns = {name.casefold(): (name, column) for name, column in item.columns(table.names).items()}
        for label in item.labels:
            for folded, (name, of) in columns.items():
                (column,) = _columns(table, (of,))
                first, known = seen.setdefault((label.casefold(), folded), (item.name, column))
                if not _same(column, known):
                    problem = f"the property {name!r} of label {label!r} is {_shown(known)} in {first!r}, and {_shown(column)} in {item.name!r}"
                    hint = f"Give one of them another name, PROPERTIES ({of} AS {name}_2), leave it out, PROPERTIES ALL COLUMNS EXCEPT ({of}), or give the tables labels of their own."
                    yield Flaw(edge, index, "properties", problem, hint)
                    return


def _same(one: Column, other: Column) -> bool:
    if one.sql_type is not None or other.sql_type is not None:
        return one.sql_type == other.sql_type
    kind = engine_type(one.type)
    return kind == engine_type(other.type) if kind is not None else one.type == other.type


def _shown(column: Column) -> str:
    return column.sql_type or engine_type(column.type) or str(column.type)


def _columns(table: TableSchema, names: Iterable[str]) -> list[Column]:
    return [table.column(name) for name in names]


def _renamed(graph: PropertyGraph, before: TableSchema, after: TableSchema) -> PropertyGraph:
    """The graph under the names that the table and its columns will have."""
    names = after.by_id
    columns = {column.name: names.get(column.id, column.name) for column in before.columns}
    over = {item.name.casefold() for item in graph.vertices if item.table == before.name}

    def now(given: Iterable[str]) -> tuple[str, ...]:
        return tuple(columns.get(name, name) for name in given)

    def element[Item: ElementTable](item: Item) -> Item:
        if item.table != before.name:
            return item
        properties = item.properties
        if properties is not None:
            properties = tuple((name, columns.get(column, column)) for name, column in properties)
        return replace(item, table=after.name, key=now(item.key), properties=properties)

    def end(given: EdgeEnd, own: bool) -> EdgeEnd:
        keys = now(given.keys) if given.vertex.casefold() in over else given.keys
        return EdgeEnd(now(given.columns) if own else given.columns, given.vertex, keys)

    def edge(item: EdgeTable) -> EdgeTable:
        own = item.table == before.name
        made = replace(element(item), source=end(item.source, own), destination=end(item.destination, own))
        if not own:
            return made
        bounds = [
            None if name is None else columns.get(name, name) for name in (item.valid_from, item.valid_to)
        ]
        return replace(made, valid_from=bounds[0], valid_to=bounds[1])

    vertices: tuple[VertexTable, ...] = tuple(map(element, graph.vertices))
    return PropertyGraph(graph.name, vertices, tuple(map(edge, graph.edges)))
