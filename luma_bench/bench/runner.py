"""From a parsed query to a finished result: pin, bind, route, run, record.

The eight steps of a query stand in docs/design/life-of-a-query.md; steps 3 to 7 are here.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from dataclasses import replace

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.binding import Binder, Bound
from luma_bench.bench.cache import PlanCache, ResultCache, frozen
from luma_bench.bench.explaining import Explainer, profile_text
from luma_bench.bench.external import ExternalFiles, file_nodes
from luma_bench.bench.metered import MeteredScan
from luma_bench.bench.policy import PolicyBook
from luma_bench.bench.result import Result
from luma_bench.bench.run_figures import again, run_of
from luma_bench.engines.router import Router
from luma_bench.language import Query
from luma_bench.plan.engine import Engine
from luma_bench.storage.store import ResolvedSnapshot, Store
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.limits import Limits
from luma_bench.types.record import NodeRecord, RunRecord


class Runner:
    """Runs queries over one store with one set of engines."""

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
        self.engines = engines
        self.router = router
        self.binder = Binder(store, book, engines, router, inspector, self.files)
        self.explainer = Explainer(self)
        self.results = ResultCache(store.settings.result_cache_bytes)
        self.column_types: PlanCache[tuple[str, ...]] = PlanCache()

    def run(self, query: Query, ask: Ask) -> Result:
        """Answer a query, from the result cache when its key is there."""
        started = time.perf_counter()
        snapshot = self.resolve(ask)
        key = None if ask.profile else self._key(query, ask, snapshot)
        if key is not None:
            found = self.results.get(key)
            if found is not None:
                limits = ask.limits or Limits.of(self.store.settings)
                if limits.caps:
                    limits.check(len(found), found.to_arrow().nbytes)
                return self._recalled(found, query, started)
        bound = self.binder.reduced(self.bind(query, ask, snapshot))
        if ask.profile:
            self.explainer.measure(bound)
        table = bound.run()
        record = self.record(bound, table.num_rows, started)
        if ask.profile:
            profile = self.explainer.measured(query, ask, bound, record)
            return Result(table, record, query.source, lambda: profile_text(profile), lambda _: profile)
        later, run = again(ask, record), run_of(record, bound.inputs.sources)
        result = Result(
            table,
            record,
            query.source,
            lambda: self.explainer.text(query, later, record),
            lambda analyze: self.explainer.profile(query, later, run, analyze=analyze),
        )
        # An engine that was not there may be there the next time.
        if key is not None and not record.fallbacks:
            self.results.put(key, result)
        return result

    def stream(self, query: Query, ask: Ask) -> pa.RecordBatchReader:
        """Answer a query as a stream, for results larger than memory; nothing is cached."""
        return self.binder.reduced(self.bind(query, ask, self.resolve(ask))).stream()

    def resolve(self, ask: Ask) -> ResolvedSnapshot:
        """What the call reads: the transaction's or the frame's own view, else the snapshot that it names."""
        return self.binder.resolve(ask)

    def bind(self, query: Query, ask: Ask, snapshot: ResolvedSnapshot) -> Bound:
        """Pin every table the query names, check its parameters, and choose the engine."""
        return self.binder.bind(query, ask, snapshot)

    def _key(self, query: Query, ask: Ask, snapshot: ResolvedSnapshot) -> Hashable | None:
        if not ask.cache or not self.results.budget or query.volatile or ask.tables or ask.uncommitted:
            return None
        params = frozen(
            {name: value for name, value in ask.params.items() if name in query.params | query.island_params}
        )
        if params is None:
            return None
        # A pin by time may name another snapshot later (a commit with an earlier clock), so it is resolved for the key.
        who = self.binder.access.book.fingerprint(ask.identity)
        if who is None:
            return None
        pins = tuple(self.binder.pinned_at(pin, query, ask.params).id for pin in query.pins)
        below = self.binder.below(query, ask, snapshot)
        if below is None:
            return None
        return (
            query.sql,
            tuple(island.text for island in query.islands),
            params,
            snapshot.id,
            pins + below,
            ask.engine,
            ask.strict,
            self.store.settings.timezone,
            who,
        )

    def _noted(self, bound: Bound) -> tuple[str, ...]:
        """What the islands of a query met that a run record should say."""
        models = {source.model for source in bound.islands.values()}
        found = self.binder.graphs.take_warnings() if "graph" in models else ()
        return (*found, *(note for source in bound.islands.values() for note in source.warnings()))

    def holds(self, query: Query, ask: Ask, snapshot: ResolvedSnapshot) -> bool:
        """Whether the result cache could answer this query now."""
        key = self._key(query, ask, snapshot)
        return key is not None and self.results.get(key) is not None

    def _recalled(self, found: Result, query: Query, started: float) -> Result:
        record = replace(
            found.run, cached=True, elapsed=time.perf_counter() - started, rows_read=0, bytes_read=0,
            segments_read=0, segments_pruned=0, chunks_read=0, chunks_pruned=0,
        )  # fmt: skip
        return Result(found.to_arrow(), record, query.source, found._explain, found._profile)

    def record(self, bound: Bound, rows_out: int, started: float) -> RunRecord:
        """The record of a query that ran: `started` is when, by `time.perf_counter`."""
        counters, report = bound.inputs.counters, bound.inputs.report
        engine = report.ran_on or bound.choice.engine.name
        fallbacks = (*bound.choice.fallbacks, *report.fallbacks)
        nodes = tuple(
            source.record(name, engine)
            for name, source in sorted(bound.inputs.sources.items())
            if isinstance(source, MeteredScan)
        )
        nodes += tuple(source.record(name, engine) for name, source in sorted(bound.islands.items()))
        nodes += tuple(
            NodeRecord(f"rule {rule.name} {rule.table}", engine, detail=rule.detail) for rule in bound.rules
        )
        nodes += (*file_nodes(bound.inputs.files, engine), *report.nodes)
        return RunRecord(
            engine=engine,
            reason=report.reason or bound.choice.reason,
            snapshot=bound.snapshot.id,
            elapsed=time.perf_counter() - started,
            rows_read=counters.rows_read,
            bytes_read=counters.bytes_read,
            segments_read=counters.segments_read,
            segments_pruned=counters.segments_pruned,
            chunks_read=counters.chunks_read,
            chunks_pruned=counters.chunks_pruned,
            fallbacks=fallbacks,
            warnings=(*fallbacks, *report.warnings, *self._noted(bound)),
            estimates=dict(bound.choice.estimates),
            nodes=nodes,
            rows_out=rows_out,
        )
