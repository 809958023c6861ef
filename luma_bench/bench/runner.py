"""From a parsed query to a finished result: pin, bind, route, run, record.

The eight steps of a query stand in docs/design/life-of-a-query.md; steps 3 to 7 are here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.cache import ResultCache, frozen
from luma_bench.bench.metered import MeteredScan
from luma_bench.bench.relations import arrow_relations
from luma_bench.bench.result import Result
from luma_bench.engines.router import Choice, Router
from luma_bench.errors import KadeQLBindError, KadeQLError, LumaError
from luma_bench.language import Parameter, Pin, Query, relocate
from luma_bench.plan.engine import Engine, Inputs, SqlFragment
from luma_bench.storage.store import ResolvedSnapshot, Store
from luma_bench.types.record import RunRecord
from luma_bench.types.scan import ScanCounters, ScanSource


@dataclass(frozen=True, slots=True)
class Bound:
    """A query with everything that it reads pinned."""

    fragment: SqlFragment
    inputs: Inputs
    snapshot: ResolvedSnapshot
    pinned: tuple[int, ...]
    choice: Choice


class Runner:
    """Runs queries over one store with one set of engines."""

    def __init__(self, store: Store, engines: Mapping[str, Engine], router: Router) -> None:
        self.store = store
        self.engines = engines
        self.router = router
        self.results = ResultCache(store.settings.result_cache_bytes)

    def run(self, query: Query, ask: Ask) -> Result:
        """Answer a query, from the result cache when its key is there."""
        started = time.perf_counter()
        snapshot = self.resolve(ask)
        key = self._key(query, ask, snapshot)
        if key is not None:
            found = self.results.get(key)
            if found is not None:
                return self._recalled(found, query, started)
        bound = self.bind(query, ask, snapshot)
        table = self._execute(query, bound)
        record = self._record(bound, table.num_rows, started)
        result = Result(table, record, query.source, lambda: self.explain_text(query, ask, record))
        if key is not None:
            self.results.put(key, result)
        return result

    def stream(self, query: Query, ask: Ask) -> pa.RecordBatchReader:
        """Answer a query as a stream, for results larger than memory; nothing is cached."""
        bound = self.bind(query, ask, self.resolve(ask))
        try:
            return bound.choice.engine.stream(bound.fragment, bound.inputs)
        except KadeQLError as error:
            raise located(error, query) from error

    def resolve(self, ask: Ask) -> ResolvedSnapshot:
        """What the call reads: the transaction's or the frame's own view, else the snapshot that it names."""
        return self.store.resolve(ask.at) if ask.view is None else ask.view

    def bind(self, query: Query, ask: Ask, snapshot: ResolvedSnapshot) -> Bound:
        """Pin every table the query names, check its parameters, and choose the engine."""
        inputs, pinned = self._inputs(query, ask, snapshot)
        fragment = SqlFragment(query.sql, self._params(query, ask.params))
        choice = self.router.choose(ask.engine, fragment, inputs, self.engines, strict=ask.strict)
        return Bound(fragment, inputs, snapshot, pinned, choice)

    def explain(self, query: Query, ask: Ask, *, analyze: bool, form: str, change: str = "") -> Result:
        """The plan of a query as a result of its own; with `analyze` the query runs and its figures are shown.

        `change` is the DELETE or UPDATE whose rows the query finds.
        """
        started = time.perf_counter()
        bound = self.bind(query, ask, self.resolve(ask))
        plan = self._engine_plan(query, bound, analyze=analyze, form=form)
        record = self._record(bound, 0, started)
        head = self.head(bound, record if analyze else None)
        if change:
            head = {"change": f"{change}: the rows that this query finds", **head}
        if form == "json":
            rows = {
                "explain_key": ["plan"],
                "explain_value": [json.dumps({**head, "engine_plan": _loaded(plan)}, default=str)],
            }
        else:
            rows = {"explain_key": ["luma", "engine"], "explain_value": [head_text(head), plan]}
        return Result(pa.table(rows), record, query.source)

    def explain_text(self, query: Query, ask: Ask, ran: RunRecord | None = None) -> str:
        """The plan of a query as printed text."""
        bound = self.bind(query, ask, self.resolve(ask))
        return f"{head_text(self.head(bound, ran))}\n\n{self._engine_plan(query, bound, analyze=False, form='text')}"

    def head(self, bound: Bound, ran: RunRecord | None) -> dict[str, Any]:
        """What is ours in a plan: engine, reason, snapshot, and each scan with its segments and offered pruning."""
        scans: list[dict[str, Any]] = []
        for name, source in sorted(bound.inputs.sources.items()):
            scan: dict[str, Any] = {"table": name, "rows": source.rows()}
            if ran is not None and isinstance(source, MeteredScan):
                scan["ran"] = source.record(name, bound.choice.engine.name).detail
            scans.append(scan)
        head: dict[str, Any] = {
            "engine": bound.choice.engine.name,
            "reason": bound.choice.reason,
            "snapshot": bound.snapshot.id,
            "estimates": dict(bound.choice.estimates),
            "fallbacks": list(bound.choice.fallbacks),
            "scans": scans,
        }
        if ran is not None:
            head["ran"] = {
                "rows_read": ran.rows_read, "bytes_read": ran.bytes_read, "segments_read": ran.segments_read,
                "segments_pruned": ran.segments_pruned, "chunks_read": ran.chunks_read, "chunks_pruned": ran.chunks_pruned,
                "seconds": round(ran.elapsed, 6), "cached": ran.cached,
            }  # fmt: skip
        return head

    def _engine_plan(self, query: Query, bound: Bound, *, analyze: bool, form: str) -> str:
        options = ", ".join((["ANALYZE"] if analyze else []) + (["FORMAT JSON"] if form == "json" else []))
        prefix = f"EXPLAIN ({options}) " if options else "EXPLAIN "
        try:
            plan = bound.choice.engine.run(
                SqlFragment(prefix + bound.fragment.text, bound.fragment.params), bound.inputs
            )
        except KadeQLError as error:
            raise located(error, query, len(prefix)) from error
        return "\n".join(str(value) for value in plan.column(plan.num_columns - 1).to_pylist())

    def _execute(self, query: Query, bound: Bound) -> pa.Table:
        try:
            return bound.choice.engine.run(bound.fragment, bound.inputs)
        except KadeQLError as error:
            raise located(error, query) from error

    def _inputs(self, query: Query, ask: Ask, snapshot: ResolvedSnapshot) -> tuple[Inputs, tuple[int, ...]]:
        """Every table whose name stands in the text: more than it reads costs nothing, less is never the case."""
        relations = arrow_relations(ask.tables)
        counters = ScanCounters()
        hidden = {name.casefold() for name in relations}
        sources: dict[str, ScanSource] = {
            schema.name: self._metered(snapshot, schema.name, counters)
            for schema in snapshot.tables.values()
            if (folded := schema.name.casefold()) in query.names and folded not in hidden
        }
        pinned: list[int] = []
        for pin in query.pins:
            past = self._resolve_pin(pin, query, ask.params)
            try:
                sources[pin.alias] = self._metered(past, past.find(pin.table).name, counters)
            except LumaError as error:
                raise KadeQLBindError(
                    f"At snapshot {past.id}: {error.message}",
                    text=query.whole,
                    span=pin.span,
                    hint=error.hint,
                ) from error
            pinned.append(past.id)
        known = tuple(schema.name for schema in snapshot.tables.values())
        return Inputs(sources, relations, counters, known), tuple(pinned)

    def _metered(self, snapshot: ResolvedSnapshot, table: str, counters: ScanCounters) -> MeteredScan:
        """A table's scan, which holds its snapshot against collecting as long as the engine keeps it."""
        scan = MeteredScan(self.store.scan(snapshot, table), counters)
        self.store.pins.hold_for(scan, snapshot.id)
        return scan

    def _resolve_pin(self, pin: Pin, query: Query, params: Mapping[str, object]) -> ResolvedSnapshot:
        value: Any = pin.value
        if isinstance(value, Parameter):
            if value.name not in params:
                raise _unbound(query, value.name)
            value = params[value.name]
        try:
            return self.store.resolve(_moment(value) if pin.by == "timestamp" else value)
        except LumaError as error:
            raise KadeQLBindError(error.message, text=query.whole, span=pin.span, hint=error.hint) from error

    def _params(self, query: Query, params: Mapping[str, object]) -> dict[str, object]:
        for name in sorted(query.params):
            if name not in params:
                raise _unbound(query, name)
        return {name: params[name] for name in query.params}

    def _key(self, query: Query, ask: Ask, snapshot: ResolvedSnapshot) -> Hashable | None:
        if not ask.cache or not self.results.budget or query.volatile or ask.tables or ask.uncommitted:
            return None
        params = frozen({name: value for name, value in ask.params.items() if name in query.params})
        if params is None:
            return None
        # A pin by time may name another snapshot later (a commit with an earlier clock), so it is resolved for the key.
        pins = tuple(self._resolve_pin(pin, query, ask.params).id for pin in query.pins)
        return (query.sql, params, snapshot.id, pins, ask.engine, ask.strict, self.store.settings.timezone)

    def _recalled(self, found: Result, query: Query, started: float) -> Result:
        record = replace(
            found.run, cached=True, elapsed=time.perf_counter() - started, rows_read=0, bytes_read=0,
            segments_read=0, segments_pruned=0, chunks_read=0, chunks_pruned=0,
        )  # fmt: skip
        return Result(found.to_arrow(), record, query.source, found.explain)

    def _record(self, bound: Bound, rows_out: int, started: float) -> RunRecord:
        counters = bound.inputs.counters
        nodes = tuple(
            source.record(name, bound.choice.engine.name)
            for name, source in sorted(bound.inputs.sources.items())
            if isinstance(source, MeteredScan)
        )
        return RunRecord(
            engine=bound.choice.engine.name,
            reason=bound.choice.reason,
            snapshot=bound.snapshot.id,
            elapsed=time.perf_counter() - started,
            rows_read=counters.rows_read,
            bytes_read=counters.bytes_read,
            segments_read=counters.segments_read,
            segments_pruned=counters.segments_pruned,
            chunks_read=counters.chunks_read,
            chunks_pruned=counters.chunks_pruned,
            fallbacks=tuple(bound.choice.fallbacks),
            warnings=tuple(bound.choice.fallbacks),
            estimates=dict(bound.choice.estimates),
            nodes=nodes,
            rows_out=rows_out,
        )


def head_text(head: Mapping[str, Any]) -> str:
    """The part of a plan that is ours, as lines."""
    lines = [f"change     {head['change']}"] if "change" in head else []
    lines += [f"engine     {head['engine']}: {head['reason']}", f"snapshot   {head['snapshot']}"]
    lines += [f"estimate   {name} {seconds * 1e3:.1f} ms" for name, seconds in head["estimates"].items()]
    lines += [f"fallback   {text}" for text in head["fallbacks"]]
    for scan in head["scans"]:
        lines.append(
            f"scan       {scan['table']}: {scan['rows']:,} rows{'; ' + scan['ran'] if 'ran' in scan else ''}"
        )
    if "ran" in head:
        ran = head["ran"]
        lines.append(
            f"ran        {ran['rows_read']:,} rows read, {ran['bytes_read']:,} bytes; segments {ran['segments_read']} read, "
            f"{ran['segments_pruned']} pruned; chunks {ran['chunks_read']} read, {ran['chunks_pruned']} pruned; "
            f"{ran['seconds'] * 1e3:.1f} ms{', cached' if ran['cached'] else ''}"
        )
    return "\n".join(lines)


def located(error: KadeQLError, query: Query, prefix: int = 0) -> KadeQLError:
    """An engine's error, pointing into the user's text; `prefix` characters stood before the query's own SQL."""
    offsets = query.offsets.shifted(prefix, query.start) if prefix else query.offsets
    return relocate(error, offsets, query.whole)


def _unbound(query: Query, name: str) -> KadeQLBindError:
    at = query.whole.find(f"${name}", query.start)
    return KadeQLBindError(
        f"Parameter ${name} has no value.",
        text=query.whole,
        span=(at, at + len(name) + 1) if at >= 0 else None,
        hint=f"Give it: bench.kadeql(text, params={{{name!r}: …}}).",
    )


def _moment(value: Any) -> Any:
    """A timestamp as text becomes a datetime; a naive one means local time."""
    import datetime as dt

    if not isinstance(value, str):
        return value
    try:
        return dt.datetime.fromisoformat(value.strip())
    except ValueError:
        return value


def _loaded(plan: str) -> Any:
    try:
        return json.loads(plan)
    except ValueError:
        return plan
