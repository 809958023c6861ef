"""A property graph as the catalog keeps it: vertex and edge tables over ordinary tables, with keys, labels and properties."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from luma_bench.errors import CatalogError, choices

GRAPH: Final = "property graph"
"""The kind of property graphs among the catalog's objects."""


@dataclass(frozen=True, slots=True)
class ElementTable:
    """What vertex and edge tables share.

    Attributes
    ----------
    name
        The element's name in the graph: the table's own, or its alias there.
    table
        The stored table, `sales.orders` in a schema.
    key
        The columns that identify a row; of an edge table without a KEY the table's primary key, else empty.
    labels
        What patterns call it; without LABEL its name.
    properties
        Pairs of a property's name and its column; None for every column under its own name.
    """

    name: str
    table: str
    key: tuple[str, ...]
    labels: tuple[str, ...]
    properties: tuple[tuple[str, str], ...] | None = None

    def columns(self, names: Sequence[str]) -> dict[str, str]:
        """The column of each property, given the table's columns."""
        return {name: name for name in names} if self.properties is None else dict(self.properties)

    def column(self, names: Sequence[str], property_: str) -> str | None:
        """The column of one property, ignoring case, given the table's columns; None where there is none."""
        folded = property_.casefold()
        found = self.columns(names).items()
        return next((column for name, column in found if name.casefold() == folded), None)


@dataclass(frozen=True, slots=True)
class VertexTable(ElementTable):
    """A table whose rows are vertices."""


@dataclass(frozen=True, slots=True)
class EdgeEnd:
    """Where an edge begins or ends.

    Attributes
    ----------
    columns
        Columns of the edge table.
    vertex
        The name of the vertex table that they refer to.
    keys
        That table's columns that they are compared with, in the same order.
    """

    columns: tuple[str, ...]
    vertex: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EdgeTable(ElementTable):
    """A table whose rows are edges; `valid_from` and `valid_to` bound the half-open time in which a row counts.

    A NULL bound is open. The keyword-only fields are always given.
    """

    source: EdgeEnd = EdgeEnd((), "", ())
    destination: EdgeEnd = EdgeEnd((), "", ())
    valid_from: str | None = None
    valid_to: str | None = None


@dataclass(frozen=True, slots=True)
class PropertyGraph:
    """A property graph: its tables, by the names that the catalog has at the snapshot where it is read."""

    name: str
    vertices: tuple[VertexTable, ...]
    edges: tuple[EdgeTable, ...]

    @property
    def definition(self) -> str:
        """What the catalog keeps: JSON."""
        held = asdict(self)
        del held["name"]
        return json.dumps(held, ensure_ascii=False)

    @classmethod
    def of(cls, name: str, definition: str) -> Self:
        """The graph of a catalog object's name and definition."""
        held = json.loads(definition)
        return cls(
            name,
            tuple(VertexTable(**_element(item)) for item in held["vertices"]),
            tuple(
                EdgeTable(
                    **_element(item),
                    source=_end(item["source"]),
                    destination=_end(item["destination"]),
                    valid_from=item["valid_from"],
                    valid_to=item["valid_to"],
                )
                for item in held["edges"]
            ),
        )

    @property
    def tables(self) -> tuple[str, ...]:
        """The stored tables that it reads, each once."""
        return tuple(dict.fromkeys(item.table for item in (*self.vertices, *self.edges)))

    @property
    def vertex_labels(self) -> tuple[str, ...]:
        """The labels of vertices, each once."""
        return tuple(dict.fromkeys(label for item in self.vertices for label in item.labels))

    @property
    def edge_labels(self) -> tuple[str, ...]:
        """The labels of edges, each once."""
        return tuple(dict.fromkeys(label for item in self.edges for label in item.labels))

    def vertex(self, name: str) -> int:
        """The place of a vertex table, by its name in the graph, ignoring case.

        Raises
        ------
        CatalogError
            There is none.
        """
        names = [item.name.casefold() for item in self.vertices]
        if name.casefold() not in names:
            raise CatalogError(
                f"The graph {self.name!r} has no vertex table {name!r}.",
                hint=choices(name, [item.name for item in self.vertices], "vertex tables"),
            )
        return names.index(name.casefold())

    def vertices_labelled(self, labels: Sequence[str]) -> tuple[int, ...]:
        """The places of the vertex tables with one of these labels, ignoring case; all for none."""
        return _labelled(self.vertices, labels)

    def edges_labelled(self, labels: Sequence[str]) -> tuple[int, ...]:
        """The places of the edge tables with one of these labels, ignoring case; all for none."""
        return _labelled(self.edges, labels)


def holds_no_rows(name: str) -> CatalogError:
    """The error of a property graph's name where a table's must stand."""
    return CatalogError(
        f"{name!r} is a property graph, and holds no rows of its own.",
        hint=f"Ask it for patterns: FROM GRAPH_TABLE ({name} MATCH (a)-[e]->(b) COLUMNS (…)). "
        f"DESCRIBE PROPERTY GRAPH {name} shows its tables.",
    )


def _labelled(items: Sequence[ElementTable], labels: Sequence[str]) -> tuple[int, ...]:
    wanted = {label.casefold() for label in labels}
    return tuple(
        place
        for place, item in enumerate(items)
        if not wanted or any(label.casefold() in wanted for label in item.labels)
    )


def _element(item: Mapping[str, Any]) -> dict[str, Any]:
    given = item["properties"]
    return {
        "name": item["name"],
        "table": item["table"],
        "key": tuple(item["key"]),
        "labels": tuple(item["labels"]),
        "properties": None if given is None else tuple((name, column) for name, column in given),
    }


def _end(item: Mapping[str, Any]) -> EdgeEnd:
    return EdgeEnd(tuple(item["columns"]), item["vertex"], tuple(item["keys"]))
