"""Graphs and patterns for `brute`: in types of the tests' own, which share nothing with the product."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass
class Element:
    """A vertex or edge table: `properties` by the name that patterns use, None for every column; no key is the row's place."""

    name: str
    table: str
    rows: list[dict[str, Any]]
    key: tuple[str, ...]
    labels: tuple[str, ...]
    properties: dict[str, str] | None = None


@dataclass
class Edges(Element):
    """`source` and `destination`: columns, the place of a vertex table, and its columns."""

    source: tuple[tuple[str, ...], int, tuple[str, ...]] = ((), 0, ())
    destination: tuple[tuple[str, ...], int, tuple[str, ...]] = ((), 0, ())
    valid: tuple[str | None, str | None] = (None, None)


@dataclass
class Graph:
    vertices: list[Element]
    edges: list[Edges]


class Vertex(NamedTuple):
    table: int
    row: int


class Edge(NamedTuple):
    table: int
    row: int


class Test(NamedTuple):
    """`property op value`; `op` may be `is null` and `is not null`."""

    property: str
    op: str
    value: Any = None


@dataclass(frozen=True)
class Node:
    variable: str
    labels: tuple[str, ...] = ()
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True)
class Link:
    """An edge pattern; `direction` is one of -> <- -, `quantifier` least and most (None for no bound), `cost` a property."""

    variable: str
    labels: tuple[str, ...] = ()
    direction: str = "->"
    tests: tuple[Test, ...] = ()
    quantifier: tuple[int, int | None] | None = None
    cost: str | None = None


@dataclass(frozen=True)
class Path:
    """`selector`: any, all, shortest, cheapest, with a number of paths."""

    elements: tuple[Node | Link, ...]
    variable: str | None = None
    mode: str = "WALK"
    selector: tuple[str, int] | None = None

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(item for item in self.elements if isinstance(item, Node))

    @property
    def links(self) -> tuple[Link, ...]:
        return tuple(item for item in self.elements if isinstance(item, Link))


@dataclass(frozen=True)
class Times:
    variable: str
    depart: str
    arrive: str
    strict: bool = False
    within: Any = None
    starting: Any = None


@dataclass(frozen=True)
class Clause:
    paths: tuple[Path, ...]
    optional: bool = False
    valid_at: Any = None
    times: Times | None = None


class Found(NamedTuple):
    """A path: its vertices and edges, how many edges each edge pattern took, and the sum of its costs."""

    nodes: tuple[Vertex, ...]
    edges: tuple[Edge, ...]
    taken: tuple[int, ...]
    cost: float


_OPERATORS = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def holds(value: Any, test: Test) -> bool:
    """Whether a condition of SQL is true."""
    if test.op in ("is null", "is not null"):
        return (value is None) == (test.op == "is null")
    if value is None or test.value is None:
        return False
    return _OPERATORS[test.op](value, test.value)
