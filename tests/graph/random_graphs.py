"""Random property graphs: as tables and a text for the product, and for `brute`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import brute
import pyarrow as pa

EPOCH = dt.datetime(2024, 1, 1)
VERTEX_LABELS = ("person", "city", "thing")
EDGE_LABELS = ("knows", "near")
_WORDS = ("", "a", "b", "ab", "B", "é", "zz")


def hour(number: int) -> dt.datetime:
    return EPOCH + dt.timedelta(hours=number)


@dataclass(frozen=True, repr=False)
class Sample:
    """A random graph: its tables, the text that makes it, and the same for brute force."""

    name: str
    tables: dict[str, pa.Table]
    text: str
    graph: brute.Graph

    def __repr__(self) -> str:
        return self.name


def sample(random: Random, name: str = "g", *, small: bool = False) -> Sample:
    """A random graph over one to three vertex tables and one to three edge tables."""
    vertices = [_vertices(random, name, place) for place in range(random.choice((1, 1, 2, 3)))]
    edges = [_edges(random, name, place, vertices, small) for place in range(random.choice((1, 1, 2, 3)))]
    graph = brute.Graph([item for item, _ in vertices], [item for item, _ in edges])
    tables = {item.table: table for item, table in (*vertices, *edges)}
    return Sample(name, tables, _definition(name, graph), graph)


def _vertices(random: Random, graph: str, place: int) -> tuple[brute.Element, pa.Table]:
    kind = random.choice(("int", "str", "pair"))
    count = random.choice((1, 3, 4, 5)) if place else random.choice((3, 4, 5, 6))
    keys: list[tuple[Any, ...]] = []
    while len(keys) < count:
        number, word = random.randrange(-3, 12), random.choice(_WORDS)
        key = {"int": (number,), "str": (word + str(random.randrange(3)),), "pair": (number, word)}[kind]
        if key not in keys:
            keys.append(key)
    names = {"int": ["id"], "str": ["code"], "pair": ["id", "code"]}[kind]
    types = {"id": pa.int64(), "code": pa.string()}
    columns: dict[str, pa.Array] = {
        name: pa.array([key[at] for key in keys], types[name]) for at, name in enumerate(names)
    }
    columns["x"] = pa.array([_maybe(random, random.randrange(4)) for _ in keys], pa.int32())
    columns["s"] = pa.array([_maybe(random, random.choice(_WORDS)) for _ in keys], pa.string())
    if random.random() < 0.4:
        columns["extra"] = pa.array([random.randrange(3) for _ in keys], pa.int64())
    table = pa.table(columns)
    labels = tuple(random.sample(VERTEX_LABELS, random.choice((1, 1, 2))))
    properties = None
    if random.random() < 0.4:
        properties = {name: name for name in columns}
        properties["x"], properties["again"] = "x", "s"
    return brute.Element(
        f"v{place}", f"{graph}_v{place}", table.to_pylist(), tuple(names), labels, properties
    ), table


def _edges(
    random: Random, graph: str, place: int, vertices: Sequence[tuple[brute.Element, pa.Table]], small: bool
) -> tuple[brute.Edges, pa.Table]:
    ends = [random.randrange(len(vertices)) for _ in range(2)]
    if random.random() < 0.6:
        ends[1] = ends[0]
    count = random.choice((0, 3, 5, 7) if small else (0, 3, 6, 9, 11))
    columns: dict[str, pa.Array] = {}
    parts: list[tuple[str, ...]] = []
    for side, end in zip(("src", "dst"), ends, strict=True):
        element, table = vertices[end]
        drawn = [_reference(random, element) for _ in range(count)]
        names = tuple(f"{side}_{key}" for key in element.key)
        for at, (name, key) in enumerate(zip(names, element.key, strict=True)):
            columns[name] = pa.array([item[at] for item in drawn], table.schema.field(key).type)
        parts.append(names)
    keyed = random.random() < 0.8
    if keyed:
        columns["eid"] = pa.array(random.sample(range(100 * place, 100 * place + 60), count), pa.int64())
    columns["x"] = pa.array([_maybe(random, random.randrange(4)) for _ in range(count)], pa.int32())
    columns["cost"] = pa.array([random.choice((1, 1, 2, 3)) * 0.5 for _ in range(count)], pa.float64())
    departs = [random.randrange(12) for _ in range(count)]
    columns["dep"] = pa.array([_maybe(random, hour(d), 0.06) for d in departs], pa.timestamp("us"))
    columns["arr"] = pa.array([hour(d + random.randrange(4)) for d in departs], pa.timestamp("us"))
    valid: tuple[str | None, str | None] = (None, None)
    if random.random() < 0.5:
        valid = ("since", "until")
        for name, low in (("since", 0), ("until", 5)):
            columns[name] = pa.array(
                [_maybe(random, hour(low + random.randrange(6)), 0.3) for _ in range(count)],
                pa.timestamp("us"),
            )
    table = pa.table(columns)
    labels = tuple(random.sample(EDGE_LABELS, random.choice((1, 1, 2))))
    source, destination = ((names, end, vertices[end][0].key) for names, end in zip(parts, ends, strict=True))
    return brute.Edges(
        f"e{place}", f"{graph}_e{place}", table.to_pylist(), ("eid",) if keyed else (), labels, None,
        source, destination, valid,
    ), table  # fmt: skip


def _reference(random: Random, element: brute.Element) -> tuple[Any, ...]:
    """A key of a vertex table; now and then one that no vertex has, or with a NULL."""
    chance = random.random()
    found = list(random.choice([tuple(row[name] for name in element.key) for row in element.rows]))
    if chance < 0.06:
        found[random.randrange(len(found))] = None
    elif chance < 0.12:
        found[0] = 99 if isinstance(found[0], int) else "nobody"
    return tuple(found)


def _maybe[T](random: Random, value: T, chance: float = 0.2) -> T | None:
    return None if random.random() < chance else value


def _definition(name: str, graph: brute.Graph) -> str:
    vertices = [
        f"{item.table} AS {item.name} KEY ({', '.join(item.key)}) {_labelled(item)}"
        for item in graph.vertices
    ]
    edges = []
    for item in graph.edges:
        key = f" KEY ({', '.join(item.key)})" if item.key else ""
        ends = " ".join(
            f"{word} KEY ({', '.join(columns)}) REFERENCES {graph.vertices[at].name} ({', '.join(keys)})"
            for word, (columns, at, keys) in (("SOURCE", item.source), ("DESTINATION", item.destination))
        )
        since, until = item.valid
        valid = f" VALID FROM {since} TO {until}" if since else ""
        edges.append(f"{item.table} AS {item.name}{key} {ends} {_labelled(item)}{valid}")
    return (
        f"CREATE PROPERTY GRAPH {name} VERTEX TABLES ({', '.join(vertices)}) EDGE TABLES ({', '.join(edges)})"
    )


def _labelled(item: brute.Element) -> str:
    if item.properties is None:
        return " ".join(f"LABEL {label}" for label in item.labels)
    listed = ", ".join(
        name if name == column else f"{column} AS {name}" for name, column in item.properties.items()
    )
    return " ".join(f"LABEL {label} PROPERTIES ({listed})" for label in item.labels)


class Samples:
    """Several graphs, in a word: what a failing property test shows of its arguments."""

    def __init__(self, held: Sequence[Sample]) -> None:
        self._held = held

    def __getitem__(self, place: int) -> Sample:
        return self._held[place]

    def __len__(self) -> int:
        return len(self._held)

    def __repr__(self) -> str:
        return f"Samples({len(self)})"
