"""Which tables the elements of a pattern can be of: what their labels allow, and then what stands beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from luma_bench.language.graph.pattern import Clause, Direction, EdgePattern, Match
from luma_bench.types.graph import PropertyGraph

Places = tuple[int, ...]


def narrowed(match: Match, graph: PropertyGraph, labelled: Mapping[str, Places]) -> dict[str, Places]:
    """The places of each variable's tables without those that no match has.

    In `(a:person)-[:works]->(f)` an `f` is of the tables where edges of `works` end. An OPTIONAL clause says nothing of the
    variables of earlier ones. A pattern that nothing matches is left as its labels have it.
    """
    held = dict(labelled)
    said: set[str] = set()
    for clause in match.clauses:
        own = {item.variable for path in clause.paths for item in path.elements}
        free = own - said if clause.optional else own
        before = None
        while before != held:
            before = dict(held)
            for edge, left, right in _steps(clause):
                _step(edge, left, right, graph, held, free)
        said |= own
    return held if all(held.values()) else dict(labelled)


def _steps(clause: Clause) -> Iterator[tuple[EdgePattern, str, str]]:
    """Each edge with the nodes on its left and right."""
    for path in clause.paths:
        for place, edge in enumerate(path.elements):
            if isinstance(edge, EdgePattern):
                yield edge, path.elements[place - 1].variable, path.elements[place + 1].variable


def _step(
    edge: EdgePattern, left: str, right: str, graph: PropertyGraph, held: dict[str, Places], free: set[str]
) -> None:
    """Leave out the tables of an edge and of its ends that do not fit together."""
    repeated = edge.quantifier is not None
    if edge.quantifier is not None and not edge.quantifier.least:
        return
    begins: set[int] = set()
    ends: set[int] = set()
    edges: list[int] = []
    for place in held[edge.variable]:
        table = graph.edges[place]
        source, destination = graph.vertex(table.source.vertex), graph.vertex(table.destination.vertex)
        ways: list[tuple[int, int]] = []
        if edge.direction is not Direction.LEFT:
            ways.append((source, destination))
        if edge.direction is not Direction.RIGHT:
            ways.append((destination, source))
        # Between the ends of a repeated edge any vertex may stand.
        fits = [
            (one, other)
            for one, other in ways
            if repeated or (one in held[left] and other in held[right] and (left != right or one == other))
        ]
        begins |= {one for one, _ in fits}
        ends |= {other for _, other in fits}
        if fits:
            edges.append(place)
    for name, known in ((left, begins), (right, ends)):
        if name in free:
            held[name] = tuple(place for place in held[name] if place in known)
    if edge.variable in free and not repeated:
        held[edge.variable] = tuple(edges)
