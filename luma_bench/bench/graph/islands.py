"""The graph relations of a query: each island of its text as a scan source over the graph that it names."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from threading import Lock
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.graph.answers import Answers
from luma_bench.bench.graph.as_joins import as_joins
from luma_bench.bench.graph.conditions import Asked, Conditions
from luma_bench.bench.graph.definitions import graph_of
from luma_bench.bench.graph.held import ElementColumns, plain
from luma_bench.bench.graph.keys import Elements
from luma_bench.bench.graph.scan import MatchScan
from luma_bench.bench.graph.seen import Seen, require_unmasked
from luma_bench.bench.graph.topologies import Topologies
from luma_bench.bench.island_relation import IslandRelation
from luma_bench.bench.locating import missing_value
from luma_bench.errors import ResourceError, UnsupportedError
from luma_bench.language import Query
from luma_bench.language.graph.pattern import GraphIsland, Match
from luma_bench.language.graph.weights import unweighed
from luma_bench.models.control import Control
from luma_bench.models.graph.topology import Topology
from luma_bench.plan.engine import Inputs
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.graph import GRAPH, PropertyGraph
from luma_bench.types.scan import ScanCounters, ScanSource

if TYPE_CHECKING:
    from luma_bench.bench.binding import Binder
    from luma_bench.models.graph.engine import GraphEngine

_SEEN = 32


class Islands:
    """Makes the relations of graph islands over one store. Thread-safe.

    Attributes
    ----------
    plan
        Which plan matches run by: what the planner says, or for checks always one of the two.
    """

    def __init__(self, binder: Binder) -> None:
        settings = binder.store.settings
        self.memory = settings.effective_memory_limit // 2
        self.plan: Literal["auto", "csr", "sql"] = "auto"
        self._binder = binder
        self._columns = ElementColumns(binder.access, settings.effective_memory_limit // 8)
        self._conditions = Conditions()
        self._topologies = Topologies(binder.store)
        self._seen: OrderedDict[tuple[object, ...], tuple[Topology, Seen]] = OrderedDict()
        self._lock = Lock()
        self._running: list[Control] = []
        self._planning: list[Control] = []

    def source(
        self, island: GraphIsland, query: Query, snapshot: ResolvedSnapshot, ask: Ask, counters: ScanCounters
    ) -> IslandRelation:
        """The relation of an island of a query.

        Raises
        ------
        KadeQLBindError
            There is no such graph, label or property at the snapshot, or a parameter has no value.
        """
        for name in sorted(island.params):
            if name not in ask.params:
                raise missing_value(query, name)
        graph = graph_of(snapshot, island.graph, query.whole, island.graph_span)
        asked = Asked(self._binder, self._columns, snapshot, ask, counters)
        elements = Elements(graph, asked)
        if isinstance(island, Match):
            answers = Answers(island, query.whole, elements, self._times(island, elements))
            return MatchScan(island, query.whole, answers, asked, self._conditions, self)
        from luma_bench.bench.graph.algorithms import AlgorithmScan

        return AlgorithmScan(island, query.whole, elements, asked, self)

    def settled(self, query: Query, snapshot: ResolvedSnapshot, ask: Ask) -> Query:
        """The query with each of its matches read as the types of its properties allow; see `language.graph.weights`."""
        for match in query.islands:
            if not isinstance(match, Match) or not match.averages:
                continue
            source = self.source(match, query, snapshot, ask, ScanCounters())
            kinds = {field.name.casefold(): plain(field.type) for field in source.schema}
            named = {name.casefold() for average in match.averages for name in average.columns}
            if any(pa.types.is_temporal(kinds[name]) for name in named if name in kinds):
                query, _ = unweighed(query, match)
        return query

    def prepare(self, relation: IslandRelation) -> None:
        """Bind and plan a graph relation; `cancel` stops it.

        Raises
        ------
        KadeQLError, CancelledError, ResourceError
            As of `planned`.
        """
        if not isinstance(relation, MatchScan):
            relation.prepare()
            return
        with self._controlled(relation.asked.ask, self._planning) as control:
            relation.prepare()
            control.check()

    def planned(
        self,
        name: str,
        relation: IslandRelation,
        inputs: Inputs,
        snapshot: ResolvedSnapshot,
        source: Callable[[str], ScanSource],
    ) -> Inputs:
        """The inputs of a statement that is about to run, with one of its graph relations planned; `cancel` stops it.

        Parameters
        ----------
        name
            The relation's name there.
        source
            Gives the rows of a stored table at the statement's snapshot.

        Raises
        ------
        KadeQLError
            A condition does not bind or run.
        CancelledError
            `cancel` was called meanwhile, or the timeout of the call ran out.
        ForbiddenError
            The graph joins by a column that is masked for the identity.
        ResourceError
            The graph does not fit the memory that it may take, and joins cannot answer the pattern.
        """
        if not isinstance(relation, MatchScan):
            relation.prepare()
            return inputs
        with self._controlled(relation.asked.ask, self._planning) as control:
            made = self._planned(name, relation, inputs, snapshot, source)
            control.check()
        return made

    def _planned(
        self,
        name: str,
        relation: MatchScan,
        inputs: Inputs,
        snapshot: ResolvedSnapshot,
        source: Callable[[str], ScanSource],
    ) -> Inputs:
        why = "asked for" if self.plan == "sql" else None
        failed: ResourceError | None = None
        if why is None:
            try:
                relation.prepare()
                if relation.planned.plan.sql and self.plan == "auto" and not relation.started:
                    why = "; ".join(relation.planned.plan.notes) or "no side is bound, and every row is read"
            except ResourceError as error:
                why, failed = f"the graph does not fit: {error.message}", error
        if why is None:
            return inputs
        made: Inputs | None = None
        asked = relation.asked
        require_unmasked(relation.answers.elements.graph, asked)
        if name == relation.match.alias and (asked.view.id, asked.view.draft) == (
            snapshot.id,
            snapshot.draft,
        ):
            made = as_joins(relation, inputs, asked, self._conditions, source)
        if made is None and failed is not None:
            raise failed
        if made is None and self.plan == "sql":
            raise UnsupportedError(
                "Joins cannot answer this pattern.", hint="Leave the choice of the plan to the planner."
            )
        if made is not None:
            relation.joined = why
        return inputs if made is None else made

    def _times(self, match: Match, elements: Elements) -> pa.DataType:
        """The type of the times of TIME RESPECTING: of the property that it names, else timestamps."""
        for clause in match.clauses:
            if clause.time is None:
                continue
            simple = clause.time.depart.simple
            places = range(len(elements.graph.edges))
            found = None if simple is None else elements.property_field("edge", places, simple)
            return pa.timestamp("us") if found is None else found.type
        return pa.int64()

    def of(self, graph: PropertyGraph, asked: Asked) -> tuple[Topology, Seen]:
        """The topology of a graph at the snapshot, and what the identity sees of it."""
        with self._controlled(asked.ask, self._running) as control:
            topology = self._topologies.get(graph, asked.view, control)
        tables = graph.tables
        states = tuple(asked.columns.key(asked.view, table, asked.ask.identity) for table in tables)
        # What is kept holds nothing of the call: its tables and parameters are not looked at.
        asked = Asked(
            self._binder, self._columns, asked.view, Ask(identity=asked.ask.identity), ScanCounters()
        )
        key = None if None in states else (graph, id(topology), *states)
        with self._lock:
            held = None if key is None else self._seen.get(key)
            if key is not None and held is not None and held[0] is topology:
                self._seen.move_to_end(key)
                return held[1].topology, held[1]
        made = Seen(graph, topology, asked).restricted()
        if key is not None:
            with self._lock:
                self._seen[key] = topology, made
                while len(self._seen) > _SEEN:
                    self._seen.popitem(last=False)
        return made.topology, made

    @contextlib.contextmanager
    def _controlled(self, ask: Ask, among: list[Control]) -> Generator[Control]:
        """A control that `cancel` and the timeout of the call stop."""
        control = Control()
        limits = ask.limits
        if limits is not None and limits.timeout:
            control.timeout = limits.timeout
            control.deadline = time.perf_counter() + limits.seconds_left
        with self._lock:
            among.append(control)
        try:
            yield control
        finally:
            with self._lock:
                among.remove(control)

    def cancel(self) -> int:
        """Stop what is being planned or built; how many statements were being planned."""
        with self._lock:
            planning, running = list(self._planning), list(self._running)
        for control in (*planning, *running):
            control.stop.set()
        return len(planning)

    def fold(self, snapshot: ResolvedSnapshot, stop: threading.Event) -> None:
        """Build what came since into the adjacency of each graph: what a compaction does of graphs."""
        for item in snapshot.objects_of(GRAPH):
            self._topologies.fold(PropertyGraph.of(item.name, item.definition), snapshot, Control(stop))

    def take_warnings(self) -> tuple[str, ...]:
        """What was met since this was asked last and a run record should say."""
        return self._topologies.take_warnings()

    def close(self) -> None:
        """Finish what is being stored, and let go of everything."""
        self._topologies.close()

    def engine(self, topology: Topology) -> GraphEngine:
        """NumPy's, or compiled kernels once they are warm."""
        from luma_bench.models.graph.engines.choose import engine

        return engine("auto", edges=topology.edge_count)
