"""A match as the relation that a query reads: bound to a snapshot, planned, and run when the engine asks for rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

from luma_bench.bench.graph.answers import AnswerColumn, Answers
from luma_bench.bench.graph.conditions import Asked, Conditions
from luma_bench.bench.graph.held import plain
from luma_bench.bench.graph.keys import cast
from luma_bench.bench.graph.matching import MatchBinder, places_of
from luma_bench.bench.graph.pushing import living, shown, true
from luma_bench.bench.graph.seen import Seen
from luma_bench.bench.island_relation import IslandRelation, batch_of
from luma_bench.language.graph.pattern import WEIGHT, Duplicates, Match
from luma_bench.models.control import Control, Step
from luma_bench.models.graph.bindings import Bindings
from luma_bench.models.graph.topology import EdgeRows, Ints, Topology, VertexRows
from luma_bench.plan.graph.bound import BoundClause, BoundEdge, BoundMatch, BoundNode, BoundPath
from luma_bench.storage.predicates import Untranslatable, translate
from luma_bench.types.graph import PropertyGraph
from luma_bench.types.predicate import In, Predicate, columns_of
from luma_bench.types.record import NodeRecord
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROW_ID, Column

if TYPE_CHECKING:
    from luma_bench.models.graph.engine import GraphEngine
    from luma_bench.plan.graph.planner import MatchPlan

_BATCH = 131_072
_FEW = 100_000
_LARGE = 10_000
_FEWER = 2


@dataclass(frozen=True, slots=True)
class Prepared:
    """A match, bound and planned."""

    topology: Topology
    seen: Seen
    bound: BoundMatch
    plan: MatchPlan
    engine: GraphEngine


class MatchScan(IslandRelation):
    """The scan source of one match.

    Attributes
    ----------
    joined
        Why it is answered by joins; None where it is walked.

    Parameters
    ----------
    whole
        The user's whole text.
    shapes
        Gives the topology, asked once, when the match is about to run, and what runs the kernels.
    """

    def __init__(
        self,
        match: Match,
        whole: str,
        answers: Answers,
        asked: Asked,
        conditions: Conditions,
        shapes: Shapes,
    ) -> None:
        super().__init__(match.alias, answers.schema, asked.ask.identity)
        self.match = match
        self.answers = answers
        self._whole = whole
        self.asked = asked
        self._conditions = conditions
        self._shapes = shapes
        self._prepared: Prepared | None = None
        self._steps: list[Step] = []
        self._ran: MatchPlan | None = None
        self._pushed: list[str] = []
        self._starts: list[Predicate] = []
        self.joined: str | None = None

    @property
    def planned(self) -> Prepared:
        """The match, bound and planned; done once.

        Raises
        ------
        KadeQLError
            A condition does not bind or run.
        ResourceError
            The graph does not fit the memory that it may take.
        """
        with self._lock:
            if self._prepared is None:
                topology, seen = self._shapes.of(self.answers.elements.graph, self.asked)
                bound = MatchBinder(
                    self.match,
                    self._whole,
                    self.answers.elements.graph,
                    topology,
                    self.asked,
                    self._conditions,
                    seen,
                ).bound(frozenset(use.variable for use in self.match.uses) | frozenset(self.match.star))
                self._prepared = self._planned(topology, seen, bound)
            return self._prepared

    def _planned(self, topology: Topology, seen: Seen, bound: BoundMatch) -> Prepared:
        from luma_bench.models.graph.statistics import statistics
        from luma_bench.plan.graph.planner import plan

        made = plan(bound, statistics(topology))
        return Prepared(topology, seen, bound, made, self._shapes.engine(topology))

    def prepare(self) -> None:
        """Bind and plan."""
        _ = self.planned

    def rows(self) -> int:
        """The rows that the plan expects; a thousand before it is planned."""
        return 1_000 if self._prepared is None else max(1, min(int(self._prepared.plan.rows), 2**62))

    @property
    def starting(self) -> Mapping[str, Column]:
        """The properties of vertices that every match has, where the match is large and nothing bounds it yet."""
        ready = self._prepared
        if ready is None or self.joined is not None or ready.plan.rows < _LARGE:
            return {}
        return {
            name: Column(0, item.field.name, plain(item.field.type))
            for name, item in self.answers.columns.items()
            if item.property is not None
            and not item.field.metadata
            and self.answers.variables[item.variable].kind == "vertex"
            and self._before(item.variable)
        }

    @property
    def keys(self) -> Mapping[str, Column]:
        """The properties and keys of single elements, where the match is small."""
        ready = self._prepared
        if ready is None or self.joined is not None or ready.plan.rows > _LARGE:
            return {}
        return {
            name: Column(0, item.field.name, plain(item.field.type))
            for name, item in self.answers.columns.items()
            if item.part in ("property", "key")
            and not item.field.metadata
            and not self.answers.variables[item.variable].group
        }

    @property
    def started(self) -> bool:
        """Whether `start` gave it somewhere to start."""
        return bool(self._starts)

    def start(self, name: str, keys: pa.Array, kind: str) -> bool:
        """Start from the vertices with one of these values; not where they are most of all vertices."""
        vertices = self.planned.topology.vertex_count
        if not len(keys) or len(keys) * _FEWER > vertices:
            return False
        predicate = In(name, tuple(keys.to_pylist()), kind)
        if not self.accepts(predicate):
            return False
        self._starts.append(predicate)
        return True

    def accepts(self, predicate: Predicate) -> bool:
        """Whether it is about one property of an element that every match has, where it can be applied before walking."""
        names = columns_of(predicate)
        if len(names) != 1:
            return False
        (name,) = names
        column = self.answers.columns.get(name.casefold())
        if column is None or column.property is None or not self._before(column.variable):
            return False
        if column.field.metadata:
            return False
        try:
            translate(predicate, {name: column.field.type})
        except Untranslatable:
            return False
        return True

    def _before(self, name: str) -> bool:
        """Whether leaving elements out before walking is the same as leaving matches out after it."""
        if self.answers.variables[name].group:
            return False
        fixed = False
        for clause in self.match.clauses:
            for path in clause.paths:
                inside = [item.variable for item in path.elements]
                if name not in inside:
                    continue
                if clause.optional:
                    return False
                ends = inside[0] == name or inside[-1] == name
                if path.selector is not None and (not ends or inside.count(name) + 1 == len(inside)):
                    return False
                fixed = True
        return fixed

    def stored_columns(self, column: str) -> tuple[str, ...] | None:
        """Properties and keys are columns of the element's tables; labels, lengths and counts come of none."""
        return self.answers.stored_columns(column)

    def record(self, label: str, engine: str) -> NodeRecord:
        """The match as a node of the run record: by the engine that ran its kernels."""
        ready = self._prepared
        if ready is None or self.joined is not None:
            return NodeRecord(f"graph {self.name}", engine, detail=f"joins: {self.joined}")
        made = self._ran or ready.plan
        return NodeRecord(
            f"graph {self.name}",
            ready.engine.name,
            rows_estimated=int(min(made.rows, 2**62)),
            rows=self.streamed,
            detail="; ".join(self.lines()),
        )

    def lines(self) -> list[str]:
        """The plan, and after a run what its steps gave."""
        if self.joined is not None:
            return [f"joins: {self.joined}"]
        made = self._ran or self.planned.plan
        lines = [*made.lines(), *(f"pushed {text}" for text in self._pushed)]
        graph = self.answers.elements.graph
        for element, rows in zip(graph.edges, self.planned.topology.edges, strict=True):
            if rows.dangling or rows.nulls:
                lines.append(
                    f"{element.name}: {rows.dangling:,} rows refer to no vertex, {rows.nulls:,} have a NULL key"
                )
        for step in self._steps:
            estimate = "" if step.estimated is None else f" (estimated {step.estimated:,.0f})"
            lines.append(f"{step.name}: {step.rows:,} rows{estimate}, {step.seconds * 1e3:.1f} ms")
        return lines

    def _batches(
        self, names: list[str], predicates: Sequence[Predicate], counters: ScanCounters, control: Control
    ) -> tuple[Iterator[pa.RecordBatch], bool]:
        ready = self.planned
        control.memory, control.batch = self._shapes.memory, _BATCH
        wanted = frozenset(
            self.answers.columns[name.casefold()].variable for name in names if name not in (ROW_ID, WEIGHT)
        )
        duplicates = ready.bound.duplicates
        counted = not wanted and duplicates is Duplicates.NEEDED
        if counted:
            duplicates = Duplicates.COUNTED
        bound = ready.bound
        if wanted != bound.needed or duplicates is not bound.duplicates:
            bound = replace(bound, needed=wanted, duplicates=duplicates)
        for predicate in (*self._starts, *predicates):
            bound = self._restricted(bound, predicate, ready)
        if bound is not ready.bound:
            ready = self._planned(ready.topology, ready.seen, bound)
        control.steps = self._steps
        with self._lock:
            self._ran = ready.plan
        searched = any(path.searched for clause in bound.clauses for path in clause.paths)
        return self._made(names, ready, control, counted=counted), not searched and ready.plan.rows < _FEW

    def _made(
        self, names: list[str], ready: Prepared, control: Control, *, counted: bool
    ) -> Iterator[pa.RecordBatch]:
        from luma_bench.models.graph.match import matches

        schema = pa.schema([self._schema.field(name) for name in names])
        first = 0
        found = matches(ready.topology, ready.bound, ready.plan, ready.engine, control)
        for batch in _enumerated(found) if counted else found:
            if not batch.rows:
                continue
            arrays = self.answers.arrays(names, batch, ready.topology, first)
            yield batch_of(arrays, schema, batch.rows)
            first += batch.rows

    def _restricted(self, bound: BoundMatch, predicate: Predicate, ready: Prepared) -> BoundMatch:
        """The pattern with the elements left out that do not fulfil a predicate of the query around it."""
        (name,) = columns_of(predicate)
        column = self.answers.columns[name.casefold()]
        self._pushed.append(f"{name} {shown(predicate)}")
        topology = ready.topology
        possible = self.answers.possible[column.variable]

        def node(item: BoundNode) -> BoundNode:
            parts = [
                topology.vertices[place].first + found
                for place in item.tables
                if place in possible
                and len(found := self._fulfilling(predicate, column, place, topology.vertices[place]))
            ]
            ids = np.concatenate(parts).astype(np.int32) if parts else np.empty(0, np.int32)
            if len(ids) and (ids[1:] < ids[:-1]).any():
                ids = np.sort(ids)
            if item.allowed is not None:
                ids = np.intersect1d(ids, item.allowed, assume_unique=True)
            else:
                ids = living(ids, topology, item.tables)
            return replace(item, allowed=ids)

        def edge(item: BoundEdge) -> BoundEdge:
            allowed = dict(item.allowed)
            for place in item.tables:
                rows = topology.edges[place]
                own = np.zeros(rows.count, np.bool_)
                if place in possible:
                    own[self._fulfilling(predicate, column, place, rows)] = True
                allowed[place] = own & allowed[place] if place in allowed else own
            return replace(item, allowed=allowed)

        def element(item: BoundNode | BoundEdge) -> BoundNode | BoundEdge:
            if item.variable != column.variable:
                return item
            return node(item) if isinstance(item, BoundNode) else edge(item)

        def path(item: BoundPath) -> BoundPath:
            if all(part.variable != column.variable for part in item.elements):
                return item
            return replace(item, elements=tuple(element(part) for part in item.elements))

        clauses = tuple(
            BoundClause(tuple(path(item) for item in clause.paths), clause.optional)
            for clause in bound.clauses
        )
        return replace(bound, clauses=clauses)

    def _fulfilling(
        self, predicate: Predicate, column: AnswerColumn, place: int, rows: VertexRows | EdgeRows
    ) -> Ints:
        """Where the rows of an element table stand in the topology that fulfil a predicate about a property."""
        elements, asked = self.answers.elements, self.asked
        kind = self.answers.variables[column.variable].kind
        own = elements.column(kind, place, str(column.property))
        if own is None:
            values = pa.nulls(rows.count, column.field.type)
            return np.flatnonzero(true(predicate, values, column.field.name))
        table = elements.tables(kind)[place].table
        held = asked.columns.column(asked.view, table, own, asked.ask.identity, asked.counters)
        kept = np.flatnonzero(true(predicate, cast(held.values, column.field.type), column.field.name))
        return places_of(rows, held.rows(kept))


class Shapes(Protocol):
    """What matches need of the bench: topologies as an identity sees them, and the engine of kernels.

    Attributes
    ----------
    memory
        Bytes that one operator may take.
    """

    memory: int

    def of(self, graph: PropertyGraph, asked: Asked) -> tuple[Topology, Seen]:
        """The topology of a graph at the snapshot, and what the identity sees of it."""
        ...

    def engine(self, topology: Topology) -> GraphEngine:
        """What runs the kernels over this topology."""
        ...


def _enumerated(found: Iterator[Bindings]) -> Iterator[Bindings]:
    """As many empty rows as there are matches: a query that only counts them reads no column."""
    for batch in found:
        total = batch.rows if batch.weights is None else int(batch.weights.sum())
        while total > 0:
            yield Bindings(min(total, _BATCH))
            total -= _BATCH
