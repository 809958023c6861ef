"""Views at a snapshot: which of them a query reads, what these read in turn, and errors inside of them.

A view is resolved when a query is bound, at the snapshot that the query reads, or that `AT (…)` gives for the view. Its
query reads the tables of the bench under their own names; where another relation has such a name, the caller's own or
that of another snapshot, they get names that nothing else has.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from luma_bench.bench.cache import PlanCache
from luma_bench.errors import CatalogError, KadeQLBindError, KadeQLError
from luma_bench.language import Pin, Query, ViewUse, renamed, stored_query
from luma_bench.language.references import is_information
from luma_bench.plan.engine import FileInputs, View
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.scan import ScanSource
from luma_bench.types.schema import CatalogObject

_STORED = " @bench"
"""Behind the name of a stored relation whose own name the caller's relation has."""


@dataclass(frozen=True, slots=True)
class StoredView:
    """What the catalog keeps of a view: its query as it was written, names for its first columns, their comments."""

    sql: str
    columns: tuple[str, ...] = ()
    comments: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, item: CatalogObject) -> StoredView:
        """The view of a catalog object."""
        held = json.loads(item.definition)
        return cls(held["sql"], tuple(held["columns"]), held["comments"])

    @property
    def definition(self) -> str:
        """What the catalog keeps."""
        return json.dumps(
            {"sql": self.sql, "columns": list(self.columns), "comments": dict(self.comments)},
            ensure_ascii=False,
        )


def in_view(error: KadeQLError, path: tuple[str, ...], whole: str, span: tuple[int, int]) -> KadeQLError:
    """An error of a view's stored text, pointing at the place in `whole` that reads the first view of `path`."""
    where = f", line {error.line}, column {error.column}" if error.line is not None else ""
    *readers, name = path
    through = f", which view {readers[-1]!r} reads" if readers else ""
    message = f"In view {name!r}{where}{through}: {error.plain}"
    return type(error)(message, text=whole, span=span, hint=error.hint)


class Views:
    """The views of one store, read from their texts once. Thread-safe."""

    def __init__(self, inspector: SqlInspector) -> None:
        self._inspector = inspector
        self._queries: PlanCache[Query] = PlanCache()

    def query(self, stored: StoredView) -> Query:
        """The query of a view; its offsets are those of the stored text."""
        return self._queries.get(stored.sql, lambda text: stored_query(text, self._inspector))

    def below(
        self, query: Query, snapshot: ResolvedSnapshot, pinned_at: Callable[[Pin, Query], ResolvedSnapshot]
    ) -> tuple[list[Query], list[int]]:
        """The queries of all views that a query reads, and the snapshots that pins in these name."""
        bodies: list[Query] = []
        pinned: list[int] = []
        seen: set[tuple[int, int, str]] = set()
        waiting = [(query, snapshot)]
        while waiting:
            reader, at = waiting.pop()
            reads = [(read.name, at) for read in reader.reads] if at.objects else []
            for pin in reader.pins:
                past = pinned_at(pin, reader)
                reads.append((pin.table, past))
                if reader is not query:
                    pinned.append(past.id)
            for name, where in reads:
                item = where.object("view", name)
                key = (where.id, where.draft, name.casefold())
                if item is not None and key not in seen:
                    seen.add(key)
                    bodies.append(self.query(StoredView.of(item)))
                    waiting.append((bodies[-1], where))
        return bodies, pinned


@dataclass(slots=True)
class Reading:
    """What a query and the views below it read, collected while it is bound.

    `scan` gives a table's source, `pinned_at` the snapshot of a pin, `files` a query with its files, `information` a
    relation that tells of the catalog.
    """

    views_of: Views
    relations: dict[str, Any]
    scan: Callable[[ResolvedSnapshot, str], ScanSource]
    pinned_at: Callable[[Pin, Query], ResolvedSnapshot]
    files: Callable[[Query, int], tuple[Query, FileInputs | None]]
    information: Callable[[str, ResolvedSnapshot], Any]
    sources: dict[str, ScanSource] = field(default_factory=dict[str, ScanSource])
    pinned: list[int] = field(default_factory=list[int])
    views: dict[str, View] = field(default_factory=dict[str, View])
    uses: dict[str, ViewUse] = field(default_factory=dict[str, ViewUse])
    opened: list[FileInputs] = field(default_factory=list[FileInputs])
    _hidden: frozenset[str] = frozenset()
    _open: list[str] = field(default_factory=list[str])
    _whole: str = ""

    @property
    def files_below(self) -> FileInputs | None:
        """The files of all views together."""
        found: FileInputs | None = None
        for files in self.opened:
            found = joined(found, files)
        return found

    def read(self, query: Query, snapshot: ResolvedSnapshot) -> None:
        """Collect what the query that was asked reads.

        Raises
        ------
        KadeQLBindError
            A pin names no snapshot or no relation of its snapshot, or views read each other in a circle.
        """
        self._hidden = frozenset(name.casefold() for name in self.relations)
        self._whole = query.whole
        self._tables(query, snapshot)
        for read in query.reads:
            if read.name.casefold() not in self._hidden:
                self._relation(read.name, snapshot, "", read.span, ())
        for pin in query.pins:
            self._pin(pin, query, pin.span, ())

    def _tables(self, query: Query, snapshot: ResolvedSnapshot) -> None:
        """Every table whose name stands in the text: more than it reads costs nothing, less is never the case."""
        for schema in snapshot.tables.values():
            folded = schema.name.casefold()
            if folded in query.names and folded not in self._hidden and schema.name not in self.sources:
                self.sources[schema.name] = self.scan(snapshot, schema.name)

    def _pin(self, pin: Pin, query: Query, span: tuple[int, int], path: tuple[str, ...]) -> None:
        past = self.pinned_at(pin, query)
        if not self._relation(pin.table, past, pin.alias[len(pin.table) :], span, path):
            raise _absent(pin.table, past, query, pin.span)
        self.pinned.append(past.id)

    def _relation(
        self, name: str, snapshot: ResolvedSnapshot, suffix: str, span: tuple[int, int], path: tuple[str, ...]
    ) -> bool:
        """Have a relation of a snapshot under its name and a suffix; False when there is none to have."""
        if is_information(name):
            if name + suffix not in self.relations:
                self.relations[name + suffix] = self.information(name, snapshot)
            return True
        item = snapshot.object("view", name) if snapshot.objects else None
        if item is not None:
            self._view(item, name + suffix, snapshot, suffix, span, path)
            return True
        if not suffix:
            return True  # a table is there already, and the engine says best what is missing
        schema = snapshot.named(name)
        if schema is not None and name + suffix not in self.sources:
            self.sources[name + suffix] = self.scan(snapshot, schema.name)
        return schema is not None

    def _view(
        self, item: CatalogObject, alias: str, snapshot: ResolvedSnapshot, suffix: str,
        span: tuple[int, int], path: tuple[str, ...],
    ) -> None:  # fmt: skip
        key = alias.casefold()
        if key in self._open:
            circle = " → ".join(map(repr, (*path, item.name)))
            raise KadeQLBindError(
                f"Views read each other in a circle: {circle}.",
                text=self._whole,
                span=span,
                hint="Give one of them another query: CREATE OR REPLACE VIEW …",
            )
        if key in self.views:
            return
        self._open.append(key)
        path = (*path, item.name)
        stored = StoredView.of(item)
        whole = self._whole
        try:
            query = self.views_of.query(stored)
            if not suffix:
                self._tables(query, snapshot)
            names: list[tuple[int, str]] = []
            for index, read in enumerate(query.reads):
                own = suffix or (_STORED if read.name.casefold() in self._hidden else "")
                if not self._relation(read.name, snapshot, own, span, path):
                    raise _absent(read.name, snapshot, query, read.span)
                if own:
                    names.append((index, read.name + own))
            for pin in query.pins:
                self._pin(pin, query, span, path)
            if names:
                sql, offsets = renamed(query, names)
                query = replace(query, sql=sql, offsets=offsets)
            query, files = self.files(query, len(self.opened) + 1)
        except KadeQLError as error:
            # One of a view below points into the text that was asked already.
            raise (error if error.text is whole else in_view(error, path, whole, span)) from error
        if files is not None:
            self.opened.append(files)
        self._open.remove(key)
        self.views[key] = View(alias, query.sql, stored.columns)
        self.uses.setdefault(query.sql, ViewUse(path, query.sql, query, span))


def _absent(name: str, snapshot: ResolvedSnapshot, query: Query, span: tuple[int, int]) -> KadeQLBindError:
    known = [item.name for item in (*snapshot.tables.values(), *snapshot.objects_of("view"))]
    error = CatalogError.unknown_table(name, known)
    return KadeQLBindError(
        f"At snapshot {snapshot.id}: {error.message}", text=query.whole, span=span, hint=error.hint
    )


def joined(one: FileInputs | None, other: FileInputs | None) -> FileInputs | None:
    """The files of two queries that run as one."""
    if one is None or other is None:
        return one or other
    paths = tuple(dict.fromkeys((*one.paths, *other.paths)))
    return FileInputs(paths, {**one.arrow, **other.arrow}, one.nbytes + other.nbytes)
