"""From a pattern's text to sets of numbers: labels, conditions, costs and times of a match over one graph at one snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.bench.graph.conditions import Asked, Conditions, constant, key_of
from luma_bench.bench.graph.keys import Elements
from luma_bench.bench.graph.moments import interval, moment, moments
from luma_bench.bench.graph.seen import Seen
from luma_bench.errors import KadeQLBindError, choices
from luma_bench.language.graph.pattern import (
    Clause,
    Condition,
    EdgePattern,
    Expression,
    Match,
    NodePattern,
    PathPattern,
)
from luma_bench.models.graph.topology import (
    Bools,
    EdgeRows,
    Floats,
    Ids,
    Ints,
    Topology,
    VertexRows,
)
from luma_bench.plan.graph.bound import BoundClause, BoundEdge, BoundMatch, BoundNode, BoundPath, Times
from luma_bench.types.graph import EdgeTable, PropertyGraph
from luma_bench.types.sql_types import engine_type

_ENTRY = 1024
"""Bytes that keeping an answer takes beside its numbers, about."""


@dataclass(slots=True)
class MatchBinder:
    """Binds one match; see `bound`.

    Attributes
    ----------
    whole
        The user's whole text, for errors.
    seen
        What the identity sees; the topology holds nothing else.
    """

    match: Match
    whole: str
    graph: PropertyGraph
    topology: Topology
    asked: Asked
    conditions: Conditions
    seen: Seen

    @property
    def _elements(self) -> Elements:
        return Elements(self.graph, self.asked)

    def bound(self, needed: frozenset[str]) -> BoundMatch:
        """The pattern with everything that its text says of single elements evaluated.

        Raises
        ------
        KadeQLError
            A condition does not bind or run, or a cost is negative or missing.
        """
        required: dict[str, BoundNode] = {}
        for clause in self.match.clauses:
            if not clause.optional:
                self._add_nodes(clause, required)
        clauses: list[BoundClause] = []
        for clause in self.match.clauses:
            # What an optional clause says of a variable of an earlier one holds for its own matches alone.
            nodes = required
            if clause.optional:
                nodes = dict(required)
                self._add_nodes(clause, nodes)
            paths = tuple(self._path(clause, path, nodes) for path in clause.paths)
            clauses.append(BoundClause(paths, clause.optional))
        searched = any(path.selector is not None for clause in clauses for path in clause.paths)
        ranks = self.seen.ranks(self.asked) if searched else None
        return BoundMatch(tuple(clauses), needed, self.match.duplicates, ranks)

    def _add_nodes(self, clause: Clause, nodes: dict[str, BoundNode]) -> None:
        """Add what the places of a clause say of its nodes to what is known of them."""
        for node in (node for path in clause.paths for node in path.nodes):
            tables = labelled(
                self.graph.vertices_labelled, node, self.graph.vertex_labels, self.whole, "vertex"
            )
            made = BoundNode(node.variable, tables, self._vertices(tables, node.conditions))
            known = nodes.get(node.variable)
            nodes[node.variable] = made if known is None else self._both(known, made)

    def _both(self, one: BoundNode, other: BoundNode) -> BoundNode:
        """The vertices that two places of one variable allow."""
        tables = tuple(table for table in one.tables if table in other.tables)
        ids = one.allowed if other.allowed is None else other.allowed
        if one.allowed is not None and other.allowed is not None:
            ids = np.intersect1d(one.allowed, other.allowed, assume_unique=True)
        if ids is not None and (tables != one.tables or tables != other.tables):
            ids = ids[np.isin(ids, self.topology.live_vertices(tables))]
        return BoundNode(one.variable, tables, ids)

    def _vertices(self, tables: tuple[int, ...], conditions: Sequence[Condition]) -> Ids | None:
        """The vertices of some tables that fulfil all conditions and are seen; None for all of them."""
        parts: list[Ids] = []
        if not conditions:
            return None
        for table in tables:
            held: Ids | None = None
            for condition in conditions:
                ids = self._fulfilling(condition, table)
                held = ids if held is None else np.intersect1d(held, ids, assume_unique=True)
            assert held is not None, "there are conditions"
            parts.append(held)
        return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.empty(0, np.int32)

    def _fulfilling(self, condition: Condition, table: int) -> Ids:
        """The live vertices of a table that fulfil a condition, ascending; kept with the topology, so never written to."""
        element, rows = self.graph.vertices[table], self.topology.vertices[table]
        lacking = self._elements.lacking(element, condition.properties)

        def made() -> Ids:
            places = places_of(rows, self.conditions.rows(condition, element, self.asked, lacking))
            if rows.dead is not None:
                places = places[~rows.dead[places]]
            ids = (places + rows.first).astype(np.int32)
            return ids if rows.ids.ascending else np.sort(ids)

        key = key_of(condition, element, self.asked, lacking)
        if key is None:
            return made()
        return self.topology.memo.get(("vertices", table, key), made, lambda ids: ids.nbytes + _ENTRY)

    def _path(self, clause: Clause, path: PathPattern, nodes: Mapping[str, BoundNode]) -> BoundPath:
        elements: list[BoundNode | BoundEdge] = []
        for item in path.elements:
            if isinstance(item, NodePattern):
                elements.append(nodes[item.variable])
            else:
                elements.append(self._edge(clause, item))
        times = None
        if clause.time is not None and any(edge.variable == clause.time.variable for edge in path.edges):
            within, start = clause.time.within, clause.time.starting_at
            times = Times(
                clause.time.strict,
                None if within is None else interval(constant(within, self.asked), self.whole, within.span),
                None if start is None else moment(constant(start, self.asked), self.whole, start.span),
            )
        return BoundPath(path.variable, path.selector, path.mode, tuple(elements), times)

    def _edge(self, clause: Clause, edge: EdgePattern) -> BoundEdge:
        tables = labelled(self.graph.edges_labelled, edge, self.graph.edge_labels, self.whole, "edge")
        allowed: dict[int, Bools] = {}
        at = None if clause.valid_at is None else constant(clause.valid_at, self.asked)
        for table in tables:
            mask = self._mask(table, edge.conditions)
            if at is not None:
                valid = self._valid(table, at, clause)
                if valid is not None:
                    mask = valid if mask is None else mask & valid
            if mask is not None:
                allowed[table] = mask
        cost = None if edge.cost is None else {table: self._cost(table, edge.cost) for table in tables}
        made = BoundEdge(edge.variable, tables, edge.direction, allowed, edge.quantifier, cost)
        if clause.time is None or clause.time.variable != edge.variable:
            return made
        depart: dict[int, Ints] = {}
        arrive: dict[int, Ints] = {}
        for table in tables:
            for expression, into in ((clause.time.depart, depart), (clause.time.arrive, arrive)):
                values, valid = self._times(table, expression)
                into[table] = values
                if valid is not None:
                    allowed[table] = valid & allowed[table] if table in allowed else valid
        return replace(made, allowed=allowed, depart=depart, arrive=arrive)

    def _mask(self, table: int, conditions: Iterable[Condition]) -> Bools | None:
        mask: Bools | None = None
        for condition in conditions:
            own = self._allowed(condition, table)
            mask = own if mask is None else mask & own
        return mask

    def _allowed(self, condition: Condition, table: int) -> Bools:
        """By slot of an edge table, whether it fulfils a condition; kept with the topology, so never written to."""
        element, rows = self.graph.edges[table], self.topology.edges[table]
        lacking = self._elements.lacking(element, condition.properties)

        def made() -> Bools:
            own = np.zeros(rows.count, np.bool_)
            own[places_of(rows, self.conditions.rows(condition, element, self.asked, lacking))] = True
            return own

        key = key_of(condition, element, self.asked, lacking)
        if key is None:
            return made()
        return self.topology.memo.get(("edges", table, key), made, lambda mask: mask.nbytes + _ENTRY)

    def _valid(self, table: int, at: pa.Scalar, clause: Clause) -> Bools | None:
        """The edges that count at a time."""
        element, rows = self.graph.edges[table], self.topology.edges[table]
        if element.valid_from is None and element.valid_to is None:
            return None
        assert clause.valid_at is not None
        mask = np.ones(rows.count, np.bool_)
        for name, compare in ((element.valid_from, pc.less_equal), (element.valid_to, pc.greater)):
            if name is None:
                continue
            values = self._property(element, name, rows.row_ids)
            try:
                point = at.cast(values.type)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise KadeQLBindError(
                    f"VALID AT is a {at.type}, and {element.name}.{name} a {values.type}.",
                    text=self.whole,
                    span=clause.valid_at.span,
                    hint="Write a value of the column's type, such as TIMESTAMP '2013-07-01'.",
                ) from error
            if not point.is_valid:
                return np.zeros(rows.count, np.bool_)
            # A bound that is NULL is open.
            mask &= pc.fill_null(compare(values, point), True).to_numpy(zero_copy_only=False)
        return mask

    def _property(self, element: EdgeTable, name: str, row_ids: Ints) -> pa.Array:
        asked = self.asked
        held = asked.columns.column(asked.view, element.table, name, asked.ask.identity, asked.counters)
        return held.take(row_ids)

    def _values(self, table: int, expression: Expression) -> pa.Array:
        """The value of an expression at each slot of an edge table; NULL where the row is not seen."""
        element, rows = self.graph.edges[table], self.topology.edges[table]
        lacking = self._elements.lacking(element, expression.properties)
        found, values = self.conditions.values(expression, element, self.asked, lacking)
        if not len(found):
            return pa.nulls(rows.count, values.type)
        places = np.searchsorted(found, rows.row_ids)
        inside = np.minimum(places, len(found) - 1)
        return values.take(pa.array(inside, mask=found[inside] != rows.row_ids))

    def _cost(self, table: int, expression: Expression) -> Floats:
        element, rows = self.graph.edges[table], self.topology.edges[table]
        values = self._values(table, expression)
        try:
            costs = pc.cast(values, pa.float64())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise KadeQLBindError(
                f"COST is a number, and this is a {engine_type(values.type) or values.type}.",
                text=self.whole,
                span=expression.span,
                hint="Give a number that is never negative, such as r.km.",
            ) from error
        plain = costs.to_numpy(zero_copy_only=False)
        live = np.ones(rows.count, np.bool_) if rows.out.dead is None else ~rows.out.dead
        wrong = live & ~(plain >= 0)
        if wrong.any():
            row = int(rows.row_ids[np.flatnonzero(wrong)[0]])
            value = plain[np.flatnonzero(wrong)[0]]
            what = "NULL or NaN" if value != value else f"negative ({value:g})"
            raise KadeQLBindError(
                f"COST is {what} for {int(wrong.sum()):,} rows of {element.name!r}, the first with _rowid {row}.",
                text=self.whole,
                span=expression.span,
                hint="A cheapest path needs costs of zero or more: write COST coalesce(…, 0), or leave such edges out with WHERE.",
            )
        return np.where(live, plain, 0.0)

    def _times(self, table: int, expression: Expression) -> tuple[Ints, Bools | None]:
        values = self._values(table, expression)
        return moments(values, self.whole, expression.span)


def places_of(rows: VertexRows | EdgeRows, found: Ints) -> Ints:
    """Where rows stand in an element's table, given their row ids; those that are no element are left out."""
    places = rows.places(found)
    return places if not len(places) or places.min() >= 0 else places[places >= 0]


def labelled(
    find: Any, item: NodePattern | EdgePattern, known: Sequence[str], whole: str, what: str
) -> tuple[int, ...]:
    """The tables that an element's labels allow.

    Raises
    ------
    KadeQLBindError
        A label is none of the graph's.
    """
    folded = {name.casefold() for name in known}
    for label in item.labels:
        if label.name.casefold() not in folded:
            raise KadeQLBindError(
                f"The graph has no {what} label {label.name!r}.",
                text=whole,
                span=label.span,
                hint=choices(label.name, list(known), f"{what} labels"),
            )
    return find([label.name for label in item.labels])
