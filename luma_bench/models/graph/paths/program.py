"""A path pattern as a program: positions that a search goes through, edge by edge.

Edge `i` of a pattern, repeated `least` to `most` times, has a position for each number of repeats that tells something
apart: 0 to `most`, or 0 to `least` where there is no bound (the last one stands for "at least"). A *move* takes one
edge; a search *passes* from the position of an edge to the next edge's first one, at a vertex that the node between
them admits, and from the last edge's to `final`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from luma_bench.models.graph.topology import Bools, Ids, Topology
from luma_bench.plan.graph.bound import BoundEdge, BoundNode, BoundPath


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """The positions of a path pattern, seen from its first node, or from its last one where it is `turned`.

    Attributes
    ----------
    nodes, edges
        Of the pattern in the order of the search; edges of a turned program have their directions turned too.
    least, most
        Repeats of each edge; `most` is None for no bound.
    base
        The first position of each edge; `final` is the position of a whole match.
    columns
        Variables of nodes and fixed edges whose value a search carries along.
    node_binds, node_checks
        By node, the column that takes its vertex, or that its vertex has to equal; -1 for none.
    edge_binds, edge_checks
        By edge, likewise, with global slots.
    """

    nodes: tuple[BoundNode, ...]
    edges: tuple[BoundEdge, ...]
    least: tuple[int, ...]
    most: tuple[int | None, ...]
    base: tuple[int, ...]
    final: int
    columns: tuple[str, ...]
    node_binds: tuple[int, ...]
    node_checks: tuple[int, ...]
    edge_binds: tuple[int, ...]
    edge_checks: tuple[int, ...]
    turned: bool

    @property
    def checks(self) -> bool:
        """Whether a variable stands in several places, so that what it was bound to has to be kept."""
        return any(item >= 0 for item in (*self.node_checks, *self.edge_checks))

    def used(self, position: int) -> list[bool]:
        """By column, whether something is still compared with it from a position on."""
        edge = len(self.edges) if position == self.final else self.edge_at(position)
        return [
            column in (*self.node_checks[edge + 1 :], *self.edge_checks[edge:])
            for column in range(len(self.columns))
        ]

    @property
    def longest(self) -> int | None:
        """The most edges that a match can have; None for no bound."""
        total = 0
        for most in self.most:
            if most is None:
                return None
            total += most
        return total

    @property
    def shortest(self) -> int:
        """The fewest edges that a match can have."""
        return sum(self.least)

    def edge_at(self, position: int) -> int:
        """The edge that a position belongs to."""
        return bisect_right(self.base, position) - 1

    def move(self, position: int) -> int:
        """Where one more edge leads to; -1 where the edge may not repeat again."""
        edge = self.edge_at(position)
        count, most = position - self.base[edge], self.most[edge]
        if most is None:
            return self.base[edge] + min(count + 1, self.least[edge])
        return position + 1 if count < most else -1

    def passes(self, position: int) -> int:
        """Where a search may pass to without an edge, the node between admitting the vertex; -1 for nowhere."""
        edge = self.edge_at(position)
        if position - self.base[edge] < self.least[edge]:
            return -1
        return self.final if edge + 1 == len(self.edges) else self.base[edge + 1]

    def node_before(self, position: int) -> int:
        """The node that a search passes when it comes to this first position of an edge, or to `final`."""
        return len(self.edges) if position == self.final else self.edge_at(position)


def compiled(path: BoundPath, carried: frozenset[str], *, turned: bool = False) -> Program:
    """The program of a path pattern.

    Parameters
    ----------
    carried
        Variables of nodes and fixed edges that a search has to carry along; others are carried where they are compared.
    turned
        Search from the last node to the first.
    """
    nodes, edges = path.nodes, path.edges
    if turned:
        nodes = nodes[::-1]
        edges = tuple(_turned(edge) for edge in reversed(edges))
    least = tuple(1 if edge.quantifier is None else edge.quantifier.least for edge in edges)
    most = tuple(1 if edge.quantifier is None else edge.quantifier.most for edge in edges)
    base, at = [], 0
    for low, high in zip(least, most, strict=True):
        base.append(at)
        at += (low if high is None else high) + 1
    node_names = [node.variable for node in nodes]
    edge_names = [edge.variable if edge.quantifier is None else "" for edge in edges]
    columns: list[str] = []
    node_binds, node_checks = _columns(node_names, carried, columns)
    edge_binds, edge_checks = _columns(edge_names, carried, columns)
    return Program(
        nodes, edges, least, most, tuple(base), at, tuple(columns),
        node_binds, node_checks, edge_binds, edge_checks, turned,
    )  # fmt: skip


def _columns(
    names: list[str], carried: frozenset[str], columns: list[str]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    binds, checks = [-1] * len(names), [-1] * len(names)
    for place, name in enumerate(names):
        if name and name in names[:place]:
            checks[place] = columns.index(name)
        elif name and (name in carried or name in names[place + 1 :]):
            binds[place] = len(columns)
            columns.append(name)
    return tuple(binds), tuple(checks)


def _turned(edge: BoundEdge) -> BoundEdge:
    return BoundEdge(
        edge.variable,
        edge.tables,
        edge.direction.reversed,
        edge.allowed,
        edge.quantifier,
        edge.cost,
        edge.depart,
        edge.arrive,
    )


def candidates(topology: Topology, node: BoundNode, within: Ids | None) -> Ids:
    """The vertices that a node admits, ascending, each once; `within` restricts them further."""
    found = topology.live_vertices(node.tables) if node.allowed is None else node.allowed
    if within is None:
        return found
    return np.intersect1d(found, within).astype(np.int32)


class Gates:
    """By node of a program, the vertices that it admits: masks that are made when they are first asked for.

    Parameters
    ----------
    nodes
        Of the program.
    sources, targets
        Restrict the program's own first and last node further.
    """

    __slots__ = ("_held", "_nodes", "_topology", "_within")

    def __init__(
        self, topology: Topology, nodes: tuple[BoundNode, ...], sources: Ids | None, targets: Ids | None
    ) -> None:
        self._topology, self._nodes = topology, nodes
        self._within = {0: sources, len(nodes) - 1: targets}
        self._held: dict[int, Bools] = {}

    def open(self, node: int) -> bool:
        """Whether a node admits whatever an edge leads to."""
        if node in self._held:
            return False
        held = self._nodes[node]
        every = len(set(held.tables)) == len(self._topology.vertices)
        return every and held.allowed is None and self._within.get(node) is None

    def __getitem__(self, node: int) -> Bools | None:
        """By vertex, whether a node admits it; None where it admits whatever an edge leads to."""
        if self.open(node):
            return None
        if node not in self._held:
            mask = np.zeros(self._topology.vertex_count, np.bool_)
            mask[candidates(self._topology, self._nodes[node], self._within.get(node))] = True
            self._held[node] = mask
        return self._held[node]

    def ending_in(self, ends: Ids) -> Gates:
        """The same gates with a last node that admits these vertices only."""
        last = len(self._nodes) - 1
        other = Gates(self._topology, self._nodes, self._within.get(0), ends)
        other._held = {node: mask for node, mask in self._held.items() if node != last}
        return other
