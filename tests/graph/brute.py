"""Graph patterns by trying everything: the tests' own matcher, in plain Python over lists of rows. Clear and slow.

It knows a pattern in its own few types, so that it shares nothing with the language, the plans or the kernels.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from brute_types import (
    Clause,
    Edge,
    Edges,
    Element,
    Found,
    Graph,
    Link,
    Node,
    Path,
    Test,
    Times,
    Vertex,
    holds,
)

__all__ = ["Clause", "Edge", "Edges", "Element", "Found", "Graph", "Link", "Matcher", "Node", "Path", "Row"]
__all__ += ["Test", "Times", "Vertex", "holds"]

Row = dict[str, Any]
"""By variable a `Vertex`, an `Edge`, a tuple of edges, or a pair of a path and its pattern; None for NULL."""


@dataclass
class Matcher:
    """All matches of clauses over a graph."""

    graph: Graph
    most: int = 20_000
    """Raises OverflowError beyond so many rows."""
    _ends: dict[tuple[int, int], tuple[Vertex, Vertex]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place, table in enumerate(self.graph.edges):
            for at, row in enumerate(table.rows):
                found = [self._end(row, end) for end in (table.source, table.destination)]
                if found[0] is not None and found[1] is not None:
                    self._ends[place, at] = (found[0], found[1])

    def rows(self, clauses: Sequence[Clause]) -> list[Row]:
        """Every match, as often as it occurs."""
        found: list[Row] = [{}]
        for clause in clauses:
            here = self._clause(clause)
            names = [item.variable for path in clause.paths for item in path.elements]
            names += [path.variable for path in clause.paths if path.variable]
            joined: list[Row] = []
            for row in found:
                met = [row | other for other in here if _same(row, other)]
                if not met and clause.optional:
                    met = [dict.fromkeys(names) | row]
                joined += met
                if len(joined) > self.most:
                    raise OverflowError
            found = joined
        return found

    def value(self, row: Row, column: str) -> Any:
        """A column of the relation of matches, such as `a.x`, `a`, `a.@label`, `r.x`, `p.@nodes`."""
        variable, _, what = column.partition(".")
        bound = row[variable]
        if bound is None:
            return None
        if isinstance(bound, (Vertex, Edge)):
            return self._read(bound, what)
        if isinstance(bound[0] if bound else Edge(0, 0), Edge):
            return [self._read(item, what) for item in bound]
        return self._of_path(*bound, what)

    def key(self, element: Vertex | Edge) -> Any:
        table = self._table(element)
        if not table.key:
            return element.row
        values = {name: table.rows[element.row][name] for name in table.key}
        return next(iter(values.values())) if len(values) == 1 else values

    def property(self, element: Vertex | Edge, name: str) -> Any:
        table = self._table(element)
        column = name if table.properties is None else table.properties.get(name)
        return None if column is None else table.rows[element.row].get(column)

    # -- one clause

    def _clause(self, clause: Clause) -> list[Row]:
        found: list[Row] = [{}]
        for path in clause.paths:
            here = [self._row(path, item, clause) for item in self._path(path, clause)]
            found = [row | other for row in found for other in here if _same(row, other)]
            if len(found) > self.most:
                raise OverflowError
        return found

    def _row(self, path: Path, found: Found, clause: Clause) -> Row:
        row: Row = {}
        at = 0
        for place, node in enumerate(path.nodes):
            row[node.variable] = found.nodes[at]
            if place < len(path.links):
                link = path.links[place]
                edges = found.edges[at : at + found.taken[place]]
                row[link.variable] = edges[0] if link.quantifier is None else edges
                at += found.taken[place]
        if path.variable:
            row[path.variable] = (found, path, clause.times)
        return row

    def _path(self, path: Path, clause: Clause) -> list[Found]:
        if path.selector is None:
            return list(self._all(path, clause))
        if path.mode == "WALK":
            return self._best(path, clause)
        kind, most = path.selector
        between: dict[tuple[Vertex, Vertex], list[Found]] = {}
        for item in self._all(path, clause):
            between.setdefault((item.nodes[0], item.nodes[-1]), []).append(item)
        chosen: list[Found] = []
        for items in between.values():
            items.sort(key=lambda item: self._order(item, kind))
            if kind == "all":
                chosen += [item for item in items if len(item.edges) == len(items[0].edges)]
            else:
                chosen += items[: most if kind == "shortest" else 1]
        return chosen

    def _order(self, found: Found, kind: str) -> tuple[Any, ...]:
        first = found.cost if kind == "cheapest" else len(found.edges)
        return (first, [self._rank(node) for node in found.nodes], list(found.edges))

    def _rank(self, vertex: Vertex) -> tuple[Any, ...]:
        table = self.graph.vertices[vertex.table]
        values = [table.rows[vertex.row][name] for name in table.key]
        return (vertex.table, [(value is None, value) for value in values])

    def _all(self, path: Path, clause: Clause) -> Iterator[Found]:
        """Every path, depth first."""
        count = 0
        waiting = [Found((node,), (), (), 0.0) for node in self._starts(path, clause)]
        while waiting:
            count += 1
            if count > 20 * self.most:
                raise OverflowError
            item = waiting.pop()
            if self._done(item, path):
                if self._timely(item, path, clause.times):
                    yield item
                continue
            waiting += self._next(item, path, clause)

    def _best(self, path: Path, clause: Clause) -> list[Found]:
        """The chosen walks, by the order of all walks: the n-th to come to a state is its n-th best one.

        A state is what decides how a walk may go on: where it began, how far in the pattern it is and where it stands.
        """
        assert path.selector is not None
        kind, most = path.selector
        most = most if kind == "shortest" else 1
        chosen: list[Found] = []
        queue = [(self._order(item, kind), item) for item in self._begun(path, clause)]
        heapq.heapify(queue)
        came: dict[Any, list[int]] = {}
        while queue:
            _, item = heapq.heappop(queue)
            state = self._state(item, path, clause.times)
            lengths = came.setdefault(state, [])
            if kind == "all":
                if lengths and lengths[0] < len(item.edges):
                    continue
            elif len(lengths) >= most:
                continue
            lengths.append(len(item.edges))
            if len(lengths) > self.most:
                raise OverflowError
            if self._done(item, path):
                if self._timely(item, path, clause.times):
                    chosen.append(item)
                continue
            for other in self._next(item, path, clause):
                heapq.heappush(queue, (self._order(other, kind), other))
        if clause.times is None:
            return chosen
        # Walks of several departures and arrivals lie between the same ends.
        between: dict[tuple[Vertex, Vertex], list[Found]] = {}
        for item in chosen:
            between.setdefault((item.nodes[0], item.nodes[-1]), []).append(item)
        kept: list[Found] = []
        for items in between.values():
            items.sort(key=lambda item: self._order(item, kind))
            shortest = len(items[0].edges)
            kept += [i for i in items if len(i.edges) == shortest] if kind == "all" else items[:most]
        return kept

    def _begun(self, path: Path, clause: Clause) -> list[Found]:
        return [Found((node,), (), (), 0.0) for node in self._starts(path, clause)]

    def _state(self, item: Found, path: Path, times: Times | None) -> Any:
        place = len(item.taken) - 1
        count = item.taken[-1] if item.taken else 0
        done = self._done(item, path)
        if item.taken and not done:
            quantifier = path.links[place].quantifier or (1, 1)
            count = min(count, quantifier[0]) if quantifier[1] is None else count
        repeated = {}
        names = [node.variable for node in path.nodes]
        at = 0
        for position, name in enumerate(names[: max(place, 0) + 1]):
            if names.count(name) > 1:
                repeated[name] = item.nodes[at]
            at += item.taken[position] if position < len(item.taken) else 0
        moments = None
        if times is not None:
            timed = self._timed(item, path, times)
            moments = (
                (self.property(timed[0], times.depart), self.property(timed[-1], times.arrive))
                if timed
                else None
            )
        return (
            item.nodes[0],
            done,
            place,
            None if done else count,
            item.nodes[-1],
            () if done else tuple(sorted(repeated.items())),
            moments,
        )

    # -- steps: `taken` grows by a zero when the next edge pattern begins, and by None's stand-in -1 at the end

    def _done(self, item: Found, path: Path) -> bool:
        return len(item.taken) == len(path.links) + 1 or not path.links

    def _starts(self, path: Path, clause: Clause) -> list[Vertex]:
        every = [Vertex(t, r) for t, table in enumerate(self.graph.vertices) for r in range(len(table.rows))]
        return [node for node in every if self._fits(path.nodes[0].variable, node, clause)]

    def _fits(self, variable: str, vertex: Vertex, clause: Clause) -> bool:
        """Whether a vertex fulfils what any place of the clause says of a variable."""
        patterns = [node for path in clause.paths for node in path.nodes if node.variable == variable]
        return all(self._holds(vertex, pattern.labels, pattern.tests) for pattern in patterns)

    def _holds(self, element: Vertex | Edge, labels: Sequence[str], tests: Sequence[Test]) -> bool:
        table = self._table(element)
        return (not labels or any(label in table.labels for label in labels)) and all(
            holds(self.property(element, test.property), test) for test in tests
        )

    def _next(self, item: Found, path: Path, clause: Clause) -> Iterator[Found]:
        if not item.taken:
            item = item._replace(taken=(0,))
        place = len(item.taken) - 1
        link = path.links[place]
        least, most = link.quantifier or (1, 1)
        if item.taken[-1] >= least and self._meets(item, path, clause, place + 1):
            yield item._replace(taken=(*item.taken, 0))
        if most is not None and item.taken[-1] >= most:
            return
        closed = path.mode == "SIMPLE" and item.edges and item.nodes[0] == item.nodes[-1]
        if closed:
            return
        for edge, node in self._steps(item.nodes[-1], link, clause):
            if path.mode == "TRAIL" and edge in item.edges:
                continue
            if path.mode == "ACYCLIC" and node in item.nodes:
                continue
            if path.mode == "SIMPLE" and node in item.nodes[1:]:
                continue
            if not self._later(item, edge, path, link, clause.times):
                continue
            cost = 0.0 if link.cost is None else float(self.property(edge, link.cost))
            yield Found(
                (*item.nodes, node),
                (*item.edges, edge),
                (*item.taken[:-1], item.taken[-1] + 1),
                item.cost + cost,
            )

    def _meets(self, item: Found, path: Path, clause: Clause, position: int) -> bool:
        node = path.nodes[position]
        if not self._fits(node.variable, item.nodes[-1], clause):
            return False
        at = 0
        for earlier in range(position):
            if path.nodes[earlier].variable == node.variable and item.nodes[at] != item.nodes[-1]:
                return False
            at += item.taken[earlier]
        return True

    def _steps(self, node: Vertex, link: Link, clause: Clause) -> Iterator[tuple[Edge, Vertex]]:
        for (table, at), (source, destination) in self._ends.items():
            edge = Edge(table, at)
            if not self._holds(edge, link.labels, link.tests) or not self._valid(edge, clause.valid_at):
                continue
            if source == node and link.direction in ("->", "-"):
                yield edge, destination
            if (
                destination == node
                and link.direction in ("<-", "-")
                and (link.direction == "<-" or source != destination)
            ):
                yield edge, source

    def _valid(self, edge: Edge, moment: Any) -> bool:
        table = self.graph.edges[edge.table]
        if moment is None:
            return True
        since, until = (None if name is None else table.rows[edge.row][name] for name in table.valid)
        return (since is None or since <= moment) and (until is None or moment < until)

    def _timed(self, item: Found, path: Path, times: Times) -> list[Edge]:
        at = 0
        for link, count in zip(path.links, item.taken, strict=False):
            if link.variable == times.variable:
                return list(item.edges[at : at + count])
            at += count
        return []

    def _later(self, item: Found, edge: Edge, path: Path, link: Link, times: Times | None) -> bool:
        if times is None or link.variable != times.variable:
            return True
        depart, arrive = self.property(edge, times.depart), self.property(edge, times.arrive)
        if depart is None or arrive is None:
            return False
        before = self._timed(item, path, times)
        if not before:
            return times.starting is None or depart >= times.starting
        last = self.property(before[-1], times.arrive)
        return depart > last if times.strict else depart >= last

    def _timely(self, item: Found, path: Path, times: Times | None) -> bool:
        timed = [] if times is None else self._timed(item, path, times)
        if not timed or times is None or times.within is None:
            return True
        first, last = self.property(timed[0], times.depart), self.property(timed[-1], times.arrive)
        return last - first <= times.within

    # -- reading

    def _table(self, element: Vertex | Edge) -> Element:
        return (self.graph.vertices if isinstance(element, Vertex) else self.graph.edges)[element.table]

    def _read(self, element: Vertex | Edge, what: str) -> Any:
        if not what:
            return self.key(element)
        if what == "@id":
            return element
        return self._table(element).labels[0] if what == "@label" else self.property(element, what)

    def _of_path(self, found: Found, path: Path, times: Times | None, what: str) -> Any:
        timed = [] if times is None else self._timed(found, path, times)
        match what:
            case "@nodes":
                return [self.key(node) for node in found.nodes]
            case "@edges":
                return [self.key(edge) for edge in found.edges]
            case "@length":
                return len(found.edges)
            case "@cost":
                return found.cost
            case "@departure":
                return self.property(timed[0], times.depart) if timed and times else None
            case "@arrival":
                return self.property(timed[-1], times.arrive) if timed and times else None
        raise AssertionError(what)

    def _end(self, row: dict[str, Any], end: tuple[tuple[str, ...], int, tuple[str, ...]]) -> Vertex | None:
        columns, table, keys = end
        wanted = [row[name] for name in columns]
        if any(value is None for value in wanted):
            return None
        for at, other in enumerate(self.graph.vertices[table].rows):
            if [other[name] for name in keys] == wanted:
                return Vertex(table, at)
        return None


def _same(one: Row, other: Row) -> bool:
    return all(one[name] is not None and one[name] == other[name] for name in one.keys() & other.keys())
