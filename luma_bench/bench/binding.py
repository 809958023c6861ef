"""Binding a query: its snapshot, everything that it reads pinned under its name, its parameters, and the engine.

Steps 3 to 5 of docs/design/life-of-a-query.md.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench.access import Access
from luma_bench.bench.ask import Ask
from luma_bench.bench.external import ExternalFiles, files_read
from luma_bench.bench.frames import StandingFrame, standing
from luma_bench.bench.information import Information
from luma_bench.bench.island_relation import IslandRelation
from luma_bench.bench.locating import graphed, located, missing_value, told
from luma_bench.bench.metered import MeteredScan
from luma_bench.bench.policy import PolicyBook
from luma_bench.bench.reducing import Reducer
from luma_bench.bench.relations import arrow_relations
from luma_bench.bench.sequence_values import SequenceValues
from luma_bench.bench.views import FramePart, Reading, Views, joined
from luma_bench.engines.router import AUTO, Choice, Router
from luma_bench.errors import KadeQLBindError, KadeQLError, LumaError, ResourceError, UnsupportedError
from luma_bench.language import Parameter, Pin, Query, ViewUse
from luma_bench.language.island_kinds import AnyIsland
from luma_bench.language.series.pattern import SeriesIsland
from luma_bench.plan.engine import Engine, FileInputs, Inputs, SqlFragment
from luma_bench.plan.profile import FiredRule
from luma_bench.storage.store import ResolvedSnapshot, Store
from luma_bench.types.identity import Identity
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.limits import Limits
from luma_bench.types.scan import ScanCounters, ScanSource

if TYPE_CHECKING:
    from luma_bench.bench.graph.islands import Islands
    from luma_bench.bench.series.islands import SeriesIslands


@dataclass(frozen=True, slots=True)
class Bound:
    """A query with everything that it reads pinned."""

    fragment: SqlFragment
    inputs: Inputs
    snapshot: ResolvedSnapshot
    pinned: tuple[int, ...]
    choice: Choice
    query: Query
    rules: tuple[FiredRule, ...] = ()
    islands: Mapping[str, IslandRelation] = field(default_factory=dict[str, IslandRelation])

    def run(self, prefix: str = "", span: tuple[int, int] | None = None) -> pa.Table:
        """The rows of the query, with `prefix` before its SQL: of `EXPLAIN `, say, the plan.

        Raises
        ------
        KadeQLError
            It points into the user's text; to `span` where the engine names no place.
        """
        try:
            if not prefix:
                return self.choice.run(self.fragment, self.inputs)
            fragment = replace(self.fragment, text=prefix + self.fragment.text)
            return self.choice.explaining().run(fragment, self.inputs)
        except KadeQLError as error:
            raise located(error, self.query, len(prefix), span) from error

    def stream(self) -> pa.RecordBatchReader:
        """The rows as a stream; what goes wrong, now or with a later batch, points into the user's text."""
        try:
            stream = self.choice.stream(self.fragment, self.inputs)
        except KadeQLError as error:
            raise located(error, self.query) from error
        return pa.RecordBatchReader.from_batches(stream.schema, told(stream, self.query))


class Binder:
    """Binds queries over one store for one set of engines.

    Attributes
    ----------
    graphs_made, series_made
        What `graphs` and `series` give; None before they were asked.
    """

    def __init__(
        self,
        store: Store,
        book: PolicyBook,
        engines: Mapping[str, Engine],
        router: Router,
        inspector: SqlInspector,
        files: ExternalFiles,
    ) -> None:
        self.store = store
        self.files = files
        self.inspector = inspector
        self.engines = engines
        self.router = router
        self.access = Access(store, book, self, inspector)
        self.views = Views(inspector)
        self.information = Information(self)
        self.reducer = Reducer()
        self.sequences = SequenceValues(store)
        self.graphs_made: Islands | None = None
        self.series_made: SeriesIslands | None = None
        self._lock = Lock()

    @property
    def graphs(self) -> Islands:
        """Makes the relations of graph islands; it loads with the first of them."""
        if self.graphs_made is None:
            from luma_bench.bench.graph.islands import Islands

            with self._lock:
                self.graphs_made = self.graphs_made or Islands(self)
        return self.graphs_made

    @property
    def series(self) -> SeriesIslands:
        """Makes the relations of series islands; it loads with the first of them."""
        if self.series_made is None:
            from luma_bench.bench.series.islands import SeriesIslands

            with self._lock:
                self.series_made = self.series_made or SeriesIslands(self)
        return self.series_made

    def resolve(self, ask: Ask) -> ResolvedSnapshot:
        """What the call reads: the transaction's or the frame's own view, else the snapshot that it names."""
        return self.store.resolve(ask.at) if ask.view is None else ask.view

    def bind(
        self,
        query: Query,
        ask: Ask,
        snapshot: ResolvedSnapshot,
        *,
        types_only: bool = False,
        extra: Mapping[str, ScanSource] | None = None,
    ) -> Bound:
        """Pin every table the query names, check its parameters, and choose the engine.

        With `types_only` the query is about to be described: relations that tell of the catalog stay empty. `extra` are
        sources that the query reads besides the bench's.
        """
        query = self._settled(query, snapshot, ask)
        query, files = self.files.bind(query, ask.params, notes=ask.notes)
        inputs, pinned, views = self._inputs(query, ask, snapshot, files, types_only)
        if extra:
            inputs = replace(inputs, sources={**inputs.sources, **extra})
        query = replace(query, views=views) if views else query
        fragment = SqlFragment(query.sql, self._params(query, ask.params))
        try:
            choice = self.router.choose(ask.engine, fragment, inputs, self.engines, strict=ask.strict)
        except UnsupportedError:
            # A text that no engine can run is told so, at its place, before what another engine lacks.
            whole = self.router.choose(AUTO, fragment, inputs, self.engines)
            Bound(fragment, inputs, snapshot, pinned, whole, query).run("EXPLAIN ")
            raise
        if inputs.files is not None:
            choice = replace(choice, reason=f"{choice.reason}; {files_read(inputs.files)}")
        return Bound(fragment, inputs, snapshot, pinned, choice, query)

    def evaluate(self, fragment: SqlFragment, inputs: Inputs, ask: Ask) -> pa.Table:
        """The rows of a text of the bench's own by the engine that the call asks for; errors point into that text."""
        choice = self.router.choose(ask.engine, fragment, inputs, self.engines, strict=ask.strict)
        return choice.run(fragment, inputs)

    def reduced(self, bound: Bound) -> Bound:
        """The query, about to run, with less to read where a rule proves that some chunks cannot matter."""
        if bound.choice.engine.looks_up:
            return bound
        bound = self.walked(bound)
        rules = self.reducer.apply(bound.fragment, bound.inputs)
        return replace(bound, rules=(*bound.rules, *rules)) if rules else bound

    def walked(self, bound: Bound) -> Bound:
        """The query with its islands planned: each graph's walked over adjacency, or become joins."""
        islands = {
            name: source
            for name, source in bound.inputs.sources.items()
            if isinstance(source, IslandRelation)
        }
        if not islands or bound.islands:
            return bound
        found = {name: source for name, source in islands.items() if source.model == "graph"}
        if not found:
            return replace(bound, islands=islands)
        inputs = bound.inputs
        try:
            for relation in found.values():
                # One that does not fit becomes joins below, or the error is raised there.
                with contextlib.suppress(ResourceError):
                    self.graphs.prepare(relation)
            fired = self.reducer.starts(bound.fragment, inputs)
            for name, relation in found.items():

                def source(table: str, at: IslandRelation = relation) -> MeteredScan:
                    return self._metered(bound.snapshot, table, bound.inputs.counters, at.identity)

                inputs = self.graphs.planned(name, relation, inputs, bound.snapshot, source)
        except KadeQLError as error:
            raise graphed(error, bound.query) from error
        return replace(bound, inputs=inputs, islands=islands, rules=(*bound.rules, *fired))

    def _inputs(
        self,
        query: Query,
        ask: Ask,
        snapshot: ResolvedSnapshot,
        files: FileInputs | None,
        types_only: bool,
    ) -> tuple[Inputs, tuple[int, ...], tuple[ViewUse, ...]]:
        """Everything that the query, whose own files are `files`, and the views in it read."""
        counters = ScanCounters()

        def scan(at: ResolvedSnapshot, table: str) -> MeteredScan:
            return self._metered(at, table, counters, ask.identity)

        def pinned_at(pin: Pin, reader: Query) -> ResolvedSnapshot:
            return self.pinned_at(pin, reader, ask.params if reader is query else {})

        def files_of(body: Query, before: int) -> tuple[Query, FileInputs | None]:
            return self.files.bind(body, {}, before=before, notes=ask.notes)

        tables, frames = self._parted(query, ask, snapshot)
        reading = Reading(
            self.views,
            arrow_relations(tables),
            scan,
            pinned_at,
            files_of,
            lambda name, at: self.information.relation(name, at, ask.identity, types_only=types_only),
            lambda island, reader, at: self._relations(island, reader, at, ask, counters),
            lambda reader, at: self._settled(reader, at, ask),
            frames=frames,
        )
        reading.read(query, snapshot)
        known = tuple(item.name for item in (*snapshot.tables.values(), *snapshot.objects_of("view")))
        known += tuple(ask.tables)
        inputs = Inputs(
            reading.sources,
            reading.relations,
            counters,
            known,
            tuple(reading.views.values()),
            joined(files, reading.files_below),
            ask.limits or Limits.of(self.store.settings),
            self.sequences.inputs(query, snapshot),
        )
        return inputs, tuple(reading.pinned), tuple(reading.uses.values())

    def _settled(self, query: Query, snapshot: ResolvedSnapshot, ask: Ask) -> Query:
        """The query as the types of what its islands read allow it to be read."""
        if all(isinstance(island, SeriesIsland) for island in query.islands):
            return query
        return self.graphs.settled(query, snapshot, ask)

    def _relations(
        self, island: AnyIsland, query: Query, at: ResolvedSnapshot, ask: Ask, counters: ScanCounters
    ) -> Mapping[str, IslandRelation]:
        """The relations of an island, by their names in the query."""
        if isinstance(island, SeriesIsland):
            return self.series.sources(island, query, at, ask, counters)
        return {island.alias: self.graphs.source(island, query, at, ask, counters)}

    def _parted(
        self, query: Query, ask: Ask, snapshot: ResolvedSnapshot
    ) -> tuple[dict[str, Any], dict[str, FramePart]]:
        """The call's tables, and the lazy frames among them that become part of the query; others are run."""
        tables: dict[str, Any] = {}
        frames: dict[str, FramePart] = {}
        for name, value in standing(ask.tables).items():
            if not isinstance(value, StandingFrame):
                tables[name] = value
                continue
            if name.casefold() not in query.names:
                continue  # a frame that the query does not name is not run for it
            part = value.part_of(self, ask.identity, snapshot)
            if part is None:
                tables[name] = value.rows()
            else:
                frames[name] = part
            ask.notes.update(dict.fromkeys(value.notes))
        return tables, frames

    def below(self, query: Query, ask: Ask, snapshot: ResolvedSnapshot) -> tuple[int, ...] | None:
        """The snapshots that pins in views below the query name; None when a view is volatile or does not resolve."""
        if not snapshot.objects and not query.pins:
            return ()
        try:
            bodies, pinned = self.views.below(
                query,
                snapshot,
                lambda pin, reader: self.pinned_at(pin, reader, ask.params if reader is query else {}),
            )
        except LumaError:
            return None  # binding tells what is wrong, and where
        return None if any(body.volatile for body in bodies) else tuple(pinned)

    def _metered(
        self, snapshot: ResolvedSnapshot, table: str, counters: ScanCounters, identity: Identity
    ) -> MeteredScan:
        """A table's scan, which holds its snapshot against collecting as long as the engine keeps it."""
        scan = MeteredScan(self.access.scan(snapshot, table, identity), counters)
        self.store.pins.hold_for(scan, snapshot.id)
        return scan

    def pinned_at(self, pin: Pin, query: Query, params: Mapping[str, object]) -> ResolvedSnapshot:
        """The snapshot that `AT (…)` names.

        Raises
        ------
        KadeQLBindError
            There is none, or its parameter has no value.
        """
        value: Any = pin.value
        if isinstance(value, Parameter):
            if value.name not in params:
                raise missing_value(query, value.name)
            value = params[value.name]
        try:
            return self.store.resolve(_moment(value) if pin.by == "timestamp" else value)
        except LumaError as error:
            raise KadeQLBindError(error.message, text=query.whole, span=pin.span, hint=error.hint) from error

    def _params(self, query: Query, params: Mapping[str, object]) -> dict[str, object]:
        for name in sorted(query.params):
            if name not in params:
                raise missing_value(query, name)
        return {name: params[name] for name in query.params}


def _moment(value: Any) -> Any:
    """A timestamp as text becomes a datetime; a naive one means local time."""
    import datetime as dt

    if not isinstance(value, str):
        return value
    try:
        return dt.datetime.fromisoformat(value.strip())
    except ValueError:
        return value
