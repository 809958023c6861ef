"""Cypher graphs as tables: a vertex table for each set of labels, an edge table for each type between two of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from tck_cypher import NodePattern, Unmapped, clauses_of, tokens_of
from tck_feature import Edge, Node, cell

import luma_bench as lb

EMPTY = "empty__"
"""The label of the tables without a row: what a label means that no element has."""


@dataclass
class World:
    """A graph: labels and properties of each node, and type, ends and properties of each edge."""

    nodes: list[tuple[frozenset[str], dict[str, Any]]] = field(default_factory=list)
    edges: list[tuple[str, int, int, dict[str, Any]]] = field(default_factory=list)

    @property
    def sets(self) -> list[frozenset[str]]:
        """The sets of labels that nodes have, in the order in which they come."""
        return list(dict.fromkeys(labels for labels, _ in self.nodes))

    def labels_for(self, wanted: Iterable[str]) -> list[str]:
        """The labels of the tables whose nodes have all of these labels."""
        needed = frozenset(wanted)
        if not needed:
            return []
        return [label_of(labels) for labels in self.sets if needed <= labels] or [EMPTY]

    def types_for(self, wanted: Iterable[str]) -> list[str]:
        """The labels of the edge tables of these types."""
        known = {kind for kind, *_ in self.edges}
        named = list(dict.fromkeys(wanted))
        return ([name for name in named if name in known] or [EMPTY]) if named else []

    def node(self, key: int | None) -> Node | None:
        """A node as a result shows it."""
        if key is None:
            return None
        labels, properties = self.nodes[key]
        return Node(labels, _shown(properties))

    def edge(self, key: int | None) -> Edge | None:
        """An edge as a result shows it."""
        if key is None:
            return None
        kind, _, _, properties = self.edges[key]
        return Edge(kind, _shown(properties))


def label_of(labels: frozenset[str]) -> str:
    return "l_" + "__".join(sorted(labels))


def world_of(made: Iterable[str]) -> World:
    """The graph that texts of CREATE make.

    Raises
    ------
    Unmapped
        They are more than CREATE with constants.
    """
    world = World()
    for text in made:
        names: dict[str, int] = {}
        try:
            clauses = clauses_of(text)
        except Unmapped as error:
            raise Unmapped(f"a graph that a query makes ({error})") from error
        for clause in clauses:
            if clause.word != "CREATE":
                raise Unmapped("a graph that a query makes")
            for path in clause.paths:
                ids = [_made(world, names, node) for node in path.nodes]
                for at, edge in enumerate(path.edges):
                    ends = (ids[at], ids[at + 1]) if edge.direction == "->" else (ids[at + 1], ids[at])
                    properties = {name: _value(value) for name, value in edge.properties.items()}
                    world.edges.append((edge.types[0], *ends, properties))
    return world


def _made(world: World, names: dict[str, int], node: NodePattern) -> int:
    if node.variable in names:
        return names[node.variable]
    properties = {name: _value(value) for name, value in node.properties.items()}
    world.nodes.append((frozenset(node.labels), properties))
    if node.variable is not None:
        names[node.variable] = len(world.nodes) - 1
    return len(world.nodes) - 1


def _value(text: str) -> Any:
    try:
        found = cell(text.replace("- ", "-").replace('"', "'"))
    except (ValueError, IndexError) as error:
        raise Unmapped("a graph with a property that is no constant") from error
    return list(found) if isinstance(found, tuple) else found


def _shown(properties: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    kept = [
        (name, tuple(value) if isinstance(value, list) else value)
        for name, value in properties.items()
        if value is not None
    ]
    return tuple(sorted(kept))


def properties_of(asked: str) -> tuple[str, ...]:
    """The names in a query that may be those of properties."""
    tokens = tokens_of(asked)
    named = [tokens[at + 1] for at, token in enumerate(tokens[:-1]) if token == "."]
    named += [
        token for at, token in enumerate(tokens[:-1]) if tokens[at + 1] == ":" and tokens[at - 1] in "{,"
    ]
    plain = [each.strip("`") for each in named if re.fullmatch(r"[A-Za-z_]\w*|`[^`]+`", each)]
    return tuple(sorted(set(plain)))


def write(bench: lb.Bench, world: World, name: str, named: Iterable[str]) -> None:
    """Write a world's tables and its graph; every table has every property that is written or named.

    Raises
    ------
    Unmapped
        A property has values of several types.
    """
    node_types = _types([properties for _, properties in world.nodes], named)
    edge_types = _types([properties for *_, properties in world.edges], named)
    vertices: list[str] = []
    for place, labels in enumerate([*world.sets, None]):
        rows = [
            {"id__": at} | properties for at, (own, properties) in enumerate(world.nodes) if own == labels
        ]
        table = f"{name}_v{place}"
        bench.write(table, _table(rows, {"id__": pa.int64()} | node_types))
        vertices.append(f"{table} KEY (id__) LABEL {EMPTY if labels is None else label_of(labels)}")
    places = {labels: place for place, labels in enumerate(world.sets)}
    kinds = {
        (kind, places[world.nodes[a][0]], places[world.nodes[b][0]]): None for kind, a, b, _ in world.edges
    }
    last = len(places)
    edges: list[str] = []
    for place, (kind, source, destination) in enumerate([*kinds, (EMPTY, last, last)]):
        rows = [
            {"id__": at, "src__": a, "dst__": b} | properties
            for at, (own, a, b, properties) in enumerate(world.edges)
            if own == kind
            and places[world.nodes[a][0]] == source
            and places[world.nodes[b][0]] == destination
        ]
        ids = {"id__": pa.int64(), "src__": pa.int64(), "dst__": pa.int64()}
        table = f"{name}_e{place}"
        bench.write(table, _table(rows, ids | edge_types))
        edges.append(
            f"{table} KEY (id__) SOURCE KEY (src__) REFERENCES {name}_v{source} (id__)"
            f" DESTINATION KEY (dst__) REFERENCES {name}_v{destination} (id__) LABEL {kind}"
        )
    bench.kadeql(
        f"CREATE PROPERTY GRAPH {name} VERTEX TABLES ({', '.join(vertices)}) EDGE TABLES ({', '.join(edges)})"
    )


def _types(rows: list[dict[str, Any]], named: Iterable[str]) -> dict[str, pa.DataType]:
    found: dict[str, pa.DataType] = {}
    for name in dict.fromkeys([*(name for row in rows for name in row), *named]):
        values = [row[name] for row in rows if row.get(name) is not None]
        try:
            found[name] = pa.array(values).type if values else pa.string()
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise Unmapped("a property with values of several types") from error
    return found


def _table(rows: list[dict[str, Any]], types: dict[str, pa.DataType]) -> pa.Table:
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in types.items()})
