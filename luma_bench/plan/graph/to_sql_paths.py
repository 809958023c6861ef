"""One path of a pattern as a query: its nodes, edges and walks joined, held to its mode, and chosen from by its selector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from luma_bench.language.graph.pattern import EdgePattern, Mode, PathPattern
from luma_bench.plan.graph.to_sql_elements import Output, column
from luma_bench.plan.graph.to_sql_walks import (
    ARRIVE,
    COST,
    DEPART,
    EDGE_KEYS,
    EDGES,
    KEYS,
    NODES,
    RANKS,
    Carried,
    order_of,
)
from luma_bench.types.sql_text import quoted


@dataclass(frozen=True, slots=True)
class EdgeRelation:
    """The relation of an edge pattern.

    Attributes
    ----------
    keyed
        Pairs of the left and of the right node's columns that it is joined by, to its own `@l0` …, `@r0` …; None where it
        has the nodes' numbers, as `@source` and `@target`.
    walk
        Whether its rows are walks (`@from`, `@to`, `@level`) instead of edges.
    outputs
        What the query reads of the edges, as lists in walks.
    """

    name: str
    keyed: tuple[tuple[str, ...], tuple[str, ...]] | None
    walk: bool
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class PathWants:
    """What is read of a path: `nodes`, `edges`, `length`, `cost`, `departure`, `arrival`, and the name it gets."""

    columns: Mapping[str, str]
    later: str = ""
    within: str = ""
    starting: str = ""
    timed: str | None = None
    """The variable of TIME RESPECTING."""
    key_types: Mapping[str, str] = field(default_factory=dict[str, str])
    """What keys of `nodes` and `edges` are cast to; what is missing stays as it is."""

    def asks(self, what: str) -> bool:
        """Whether one of the columns is this."""
        return what in self.columns

    def key(self, what: str, sql: str) -> str:
        """A key as it stands in the list of a path's nodes or edges."""
        kind = self.key_types.get(what)
        return sql if kind is None else f"{sql}::{kind}"


@dataclass(frozen=True, slots=True)
class PathQuery:
    """Makes the query of a path.

    Attributes
    ----------
    nodes
        The relation of each node variable.
    outputs
        What the query reads of nodes, by variable.
    edges
        By the place of the edge in the path.
    """

    path: PathPattern
    nodes: Mapping[str, str]
    outputs: Mapping[str, Sequence[Output]]
    edges: Sequence[EdgeRelation]
    wants: PathWants
    named: frozenset[str]
    """The variables that have to be in the result."""
    _aliases: dict[str, str] = field(init=False, repr=False, default_factory=dict[str, str])

    def sql(self) -> str:
        """The query: `v.@id` and what is read of each named variable, and what is read of the path."""
        for node in self.path.nodes:
            self._aliases.setdefault(node.variable, f"n{len(self._aliases)}")
        relations = [f"{self.nodes[name]} AS {alias}" for name, alias in self._aliases.items()]
        relations += [f"{edge.name} AS e{place}" for place, edge in enumerate(self.edges)]
        conditions = [*self._joined(), *self._held(), *self._timed()]
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        sql = f"SELECT {', '.join(self._columns())} FROM {', '.join(relations)}{where}"
        return sql if self.path.selector is None else self._chosen(sql)

    def _columns(self) -> list[str]:
        found = []
        for name, alias in self._aliases.items():
            if name in self.named:
                found.append(f'{alias}."@id" AS {quoted(f"{name}.@id")}')
                found += [f"{alias}.{quoted(item.name)}" for item in self.outputs.get(name, ())]
        for place, (edge, relation) in enumerate(zip(self.path.edges, self.edges, strict=True)):
            if edge.variable in self.named:
                held = "@edges" if relation.walk else "@id"
                found.append(f'e{place}."{held}" AS {quoted(f"{edge.variable}.@id")}')
                found += [f"e{place}.{quoted(item.name)}" for item in relation.outputs]
        found += [f"{self._value(what)} AS {quoted(name)}" for what, name in self.wants.columns.items()]
        if self.path.selector is not None:
            first, last = self.path.nodes[0].variable, self.path.nodes[-1].variable
            found.append(f'{self._aliases[first]}."@id" AS "@start"')
            found.append(f'{self._aliases[last]}."@id" AS "@end"')
            found.append(f'{self._value("length")} AS "@length"')
            found.append(f'{self._list(RANKS, "@rank")} AS "@ranks"')
            found.append(f'{self._list(EDGES, None)} AS "@edges"')
            if self.path.selector.kind == "cheapest":
                found.append(f'{self._value("cost")} AS "@cost"')
        return found or ["1 AS one"]

    def _value(self, what: str) -> str:
        match what:
            case "nodes":
                return self._list(KEYS, "@key")
            case "edges":
                return self._list(EDGE_KEYS, None)
            case "length":
                parts = [f'e{i}."@level"' if edge.walk else "1" for i, edge in enumerate(self.edges)]
                return f"({' + '.join(parts) or '0'})::BIGINT"
            case "cost":
                costs = [
                    f'e{place}."@cost"' for place, edge in enumerate(self.path.edges) if edge.cost is not None
                ]
                return " + ".join(costs) or "0.0::DOUBLE"
            case "departure" | "arrival":
                timed = self._timed_edge()
                name = DEPART.name if what == "departure" else ARRIVE.name
                return "NULL" if timed is None else f'e{timed}."{name}"'
            case _:
                raise AssertionError(what)

    def _list(self, carried: Carried, node: str | None) -> str:
        """A list over the path's edges, or over its nodes, whose first is `node` of the first one."""
        parts = [] if node is None else [f'[{self._aliases[self.path.nodes[0].variable]}."{node}"]']
        for place, edge in enumerate(self.edges):
            if edge.walk:
                parts.append(f'e{place}."{carried.name}"')
            elif node is None:
                parts.append(f'[e{place}."{carried.of}"]')
            else:
                parts.append(f'[{self._aliases[self.path.nodes[place + 1].variable]}."{node}"]')
        return " || ".join(parts) if parts else "[]::BIGINT[]"

    def _joined(self) -> list[str]:
        found: list[str] = []
        for place, edge in enumerate(self.edges):
            left = self._aliases[self.path.nodes[place].variable]
            right = self._aliases[self.path.nodes[place + 1].variable]
            if edge.keyed is not None:
                for at, name in enumerate(edge.keyed[0]):
                    found.append(f'e{place}."@l{at}" = {left}.{column(name)}')
                for at, name in enumerate(edge.keyed[1]):
                    found.append(f'e{place}."@r{at}" = {right}.{column(name)}')
                continue
            near, far = ("@from", "@to") if edge.walk else ("@source", "@target")
            found += [f'e{place}."{near}" = {left}."@id"', f'e{place}."{far}" = {right}."@id"']
        return found

    def _held(self) -> list[str]:
        """What the mode asks of the path as a whole; a walk alone has been held to it."""
        if self.path.mode is Mode.WALK or (len(self.edges) == 1 and self.edges[0].walk):
            return []
        walks = any(edge.walk for edge in self.edges)
        if self.path.mode is Mode.TRAIL:
            if not walks:
                ids = [f'e{place}."@id"' for place in range(len(self.edges))]
                return [f"{one} <> {two}" for place, one in enumerate(ids) for two in ids[place + 1 :]]
            edges = self._list(EDGES, None)
            return [f"len(list_distinct({edges})) = len({edges})"]
        if not walks:
            nodes = [f'{self._aliases[node.variable]}."@id"' for node in self.path.nodes]
            last = len(nodes) - 1
            closed = self.path.mode is Mode.SIMPLE
            return [
                f"{nodes[one]} <> {nodes[two]}"
                for one in range(len(nodes))
                for two in range(one + 1, len(nodes))
                if not (closed and one == 0 and two == last)
            ]
        nodes = self._list(NODES, "@id")
        if self.path.mode is Mode.ACYCLIC:
            return [f"len(list_distinct({nodes})) = len({nodes})"]
        return [
            (
                f"len(list_distinct({nodes})) = len({nodes}) - CASE WHEN len({nodes}) > 1"
                f" AND ({nodes})[1] = ({nodes})[-1] THEN 1 ELSE 0 END"
            )
        ]

    def _timed_edge(self) -> int | None:
        names = [edge.variable for edge in self.path.edges]
        return names.index(self.wants.timed) if self.wants.timed in names else None

    def _timed(self) -> list[str]:
        place = self._timed_edge()
        if place is None:
            return []
        depart, arrive = f'e{place}."@depart"', f'e{place}."@arrive"'
        found = []
        if self.wants.starting:
            found.append(f"({depart} IS NULL OR {depart} >= {self.wants.starting})")
        if self.wants.within:
            found.append(f"({arrive} IS NULL OR {arrive} <= {depart} + {self.wants.within})")
        return found

    def _chosen(self, sql: str) -> str:
        selector = self.path.selector
        assert selector is not None
        between = 'PARTITION BY "@start", "@end"'
        if selector.kind == "all":
            return f'SELECT * FROM ({sql}) QUALIFY rank() OVER ({between} ORDER BY "@length") = 1'
        order = order_of(selector) if selector.kind == "cheapest" else f'"@length", {order_of(selector)}'
        most = selector.count if selector.kind == "shortest" else 1
        return f"SELECT * FROM ({sql}) QUALIFY row_number() OVER ({between} ORDER BY {order}) <= {most}"


def carried(
    path: PathPattern, edge: EdgePattern, outputs: Iterable[Output], wants: PathWants, named: bool
) -> tuple[Carried, ...]:
    """What a quantified edge's walks carry for the path they are part of."""
    found = [Carried(item.name, "edge", item.name) for item in outputs]
    if named or (path.mode is Mode.TRAIL and len(path.edges) > 1) or path.selector is not None:
        found.append(EDGES)
    if path.mode in (Mode.ACYCLIC, Mode.SIMPLE) and len(path.edges) > 1:
        found.append(NODES)
    if wants.asks("nodes"):
        found.append(KEYS)
    if wants.asks("edges"):
        found.append(EDGE_KEYS)
    if path.selector is not None:
        found.append(RANKS)
    if edge.cost is not None and (
        wants.asks("cost") or (path.selector is not None and path.selector.kind == "cheapest")
    ):
        found.append(COST)
    if wants.timed == edge.variable:
        found += [DEPART, ARRIVE]
    return tuple(dict.fromkeys(found))
