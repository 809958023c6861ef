"""Binding a query: its snapshot, everything that it reads pinned under its name, its parameters, and the engine.

Steps 3 to 5 of docs/design/life-of-a-query.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from luma_bench.bench.ask import Ask
from luma_bench.bench.metered import MeteredScan
from luma_bench.bench.relations import arrow_relations
from luma_bench.engines.router import Choice, Router
from luma_bench.errors import KadeQLBindError, KadeQLError, LumaError
from luma_bench.language import Parameter, Pin, Query, relocate
from luma_bench.plan.engine import Engine, Inputs, SqlFragment
from luma_bench.storage.store import ResolvedSnapshot, Store
from luma_bench.types.scan import ScanCounters, ScanSource


@dataclass(frozen=True, slots=True)
class Bound:
    """A query with everything that it reads pinned."""

    fragment: SqlFragment
    inputs: Inputs
    snapshot: ResolvedSnapshot
    pinned: tuple[int, ...]
    choice: Choice


class Binder:
    """Binds queries over one store for one set of engines."""

    def __init__(self, store: Store, engines: Mapping[str, Engine], router: Router) -> None:
        self.store = store
        self.engines = engines
        self.router = router

    def resolve(self, ask: Ask) -> ResolvedSnapshot:
        """What the call reads: the transaction's or the frame's own view, else the snapshot that it names."""
        return self.store.resolve(ask.at) if ask.view is None else ask.view

    def bind(self, query: Query, ask: Ask, snapshot: ResolvedSnapshot) -> Bound:
        """Pin every table the query names, check its parameters, and choose the engine."""
        inputs, pinned = self._inputs(query, ask, snapshot)
        fragment = SqlFragment(query.sql, self._params(query, ask.params))
        choice = self.router.choose(ask.engine, fragment, inputs, self.engines, strict=ask.strict)
        return Bound(fragment, inputs, snapshot, pinned, choice)

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
            past = self.pinned_at(pin, query, ask.params)
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
