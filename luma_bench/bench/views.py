"""Views at a snapshot: which of them a query reads, what these read in turn, and errors inside of them.

A view is resolved when a query is bound, at the snapshot that the query reads, or that `AT (…)` gives for the view. Its
query reads the tables of the bench under their own names; where another relation has such a name, the caller's own or
that of another snapshot, they get names that nothing else has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from luma_bench.bench.cache import PlanCache
from luma_bench.errors import CatalogError, KadeQLBindError, KadeQLError
from luma_bench.language import Edit, Pin, Query, ViewUse, renamed, rewritten, stored_query
from luma_bench.language.island_kinds import AnyIsland
from luma_bench.language.references import is_information
from luma_bench.language.row_ids import no_row_ids
from luma_bench.plan.engine import FileInputs, View
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.graph import GRAPH, holds_no_rows
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.scan import ScanSource
from luma_bench.types.schema import CatalogObject
from luma_bench.types.sql_text import quoted

STORED = " @bench"
"""Behind the name of a stored relation whose own name the caller's relation has."""
_FRAME = "\0"
"""Before the name of a frame in a path, where no name of a view has it."""


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
    """An error of the text of a view or frame, pointing at the place in `whole` that reads the first of `path`."""
    where = f", line {error.line}, column {error.column}" if error.line is not None else ""
    *readers, name = path
    through = f", which {_shown(readers[-1])} reads" if readers else ""
    message = f"In {_shown(name)}{where}{through}: {error.plain}"
    return type(error)(message, text=whole, span=span, hint=error.hint)


def _shown(name: str) -> str:
    """What a part of a path is, and its name."""
    return f"frame {name.removeprefix(_FRAME)!r}" if name.startswith(_FRAME) else f"view {name!r}"


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


FramePart = tuple[str, Mapping[str, Any], ResolvedSnapshot]
"""A frame as a part of a statement: its text, its relations in memory by their names there, and what it reads."""


@dataclass(slots=True)
class Reading:
    """What a query and the views below it read, collected while it is bound.

    `scan` gives a table's source, `pinned_at` the snapshot of a pin, `files` a query with its files, `information` a
    relation that tells of the catalog, `islands` those that an island answers, by their names; `frames` are those that the caller handed in.
    """

    views_of: Views
    relations: dict[str, Any]
    scan: Callable[[ResolvedSnapshot, str], ScanSource]
    pinned_at: Callable[[Pin, Query], ResolvedSnapshot]
    files: Callable[[Query, int], tuple[Query, FileInputs | None]]
    information: Callable[[str, ResolvedSnapshot], Any]
    islands: Callable[[AnyIsland, Query, ResolvedSnapshot], Mapping[str, ScanSource]]
    settled: Callable[[Query, ResolvedSnapshot], Query]
    sources: dict[str, ScanSource] = field(default_factory=dict[str, ScanSource])
    pinned: list[int] = field(default_factory=list[int])
    views: dict[str, View] = field(default_factory=dict[str, View])
    uses: dict[str, ViewUse] = field(default_factory=dict[str, ViewUse])
    opened: list[FileInputs] = field(default_factory=list[FileInputs])
    frames: dict[str, FramePart] = field(default_factory=dict[str, FramePart])
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
        self._hidden = frozenset(name.casefold() for name in (*self.relations, *self.frames))
        self._whole = query.whole
        self._tables(query, snapshot)
        spans = {read.name.casefold(): read.span for read in reversed(query.reads)}
        for name, frame in self.frames.items():
            self._frame(name, frame, snapshot, spans.get(name.casefold(), (query.start, query.end)))
        for read in query.reads:
            if read.rows and read.name.casefold() in self._hidden:
                raise no_row_ids(f"{read.name!r} is a relation of this call", query.whole, read.span)
            if read.rows:
                _require_stored(read.name, snapshot, query, read.span)
            if read.name.casefold() not in self._hidden:
                self._relation(read.name, snapshot, "", read.span, ())
        for pin in query.pins:
            self._pin(pin, query, pin.span, ())
        for island in query.islands:
            self.sources.update(self.islands(island, query, snapshot))

    def _tables(self, query: Query, snapshot: ResolvedSnapshot) -> None:
        """Every table whose name stands in the text: more than it reads costs nothing, less is never the case."""
        for schema in snapshot.tables.values():
            folded = schema.name.casefold()
            if folded in query.names and folded not in self._hidden and schema.name not in self.sources:
                self.sources[schema.name] = self.scan(snapshot, schema.name)

    def _pin(self, pin: Pin, query: Query, span: tuple[int, int], path: tuple[str, ...]) -> None:
        past = self.pinned_at(pin, query)
        if pin.rows and past.object("view", pin.table) is not None:
            _require_stored(pin.table, past, query, pin.span)
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
        if snapshot.objects and (graph := snapshot.object(GRAPH, name)) is not None:
            error = holds_no_rows(graph.name)
            raise KadeQLBindError(error.message, text=self._whole, span=span, hint=error.hint)
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
            circle = " → ".join(repr(name.removeprefix(_FRAME)) for name in (*path, item.name))
            raise KadeQLBindError(
                f"Views read each other in a circle: {circle}.",
                text=self._whole,
                span=span,
                hint="Give one of them another query: CREATE OR REPLACE VIEW …",
            )
        if key in self.views:
            return
        self._open.append(key)
        self._body(StoredView.of(item), alias, snapshot, suffix, span, (*path, item.name), {})
        self._open.remove(key)

    def _frame(self, name: str, frame: FramePart, snapshot: ResolvedSnapshot, span: tuple[int, int]) -> None:
        """Have a frame as a view of its text; at another snapshot than the statement's it reads like a view in AT."""
        text, tables, at = frame
        suffix = ""
        if (at.id, at.draft) != (snapshot.id, snapshot.draft):
            suffix = f" @VERSION {at.id}" if not at.draft else f" @TRANSACTION {at.draft}"
            self.pinned.append(at.id)
        self._body(StoredView(text), name, at, suffix, span, (_FRAME + name,), tables)

    def _body(
        self, stored: StoredView, alias: str, snapshot: ResolvedSnapshot, suffix: str, span: tuple[int, int],
        path: tuple[str, ...], memory: Mapping[str, Any],
    ) -> None:  # fmt: skip
        """Have the view `alias` of a text that reads relations of a snapshot, under a suffix, and those in `memory`."""
        whole = self._whole
        try:
            query = self.views_of.query(stored)
            if not suffix:
                self._tables(query, snapshot)
            names: list[tuple[int, str]] = []
            for index, read in enumerate(query.reads):
                if read.name in memory:
                    own = f"{read.name} @{alias}"
                    self.relations[own] = memory[read.name]
                    names.append((index, own))
                    continue
                own = suffix or (STORED if read.name.casefold() in self._hidden else "")
                if read.rows:
                    _require_stored(read.name, snapshot, query, read.span)
                if not self._relation(read.name, snapshot, own, span, path):
                    raise _absent(read.name, snapshot, query, read.span)
                if own:
                    names.append((index, read.name + own))
            for pin in query.pins:
                self._pin(pin, query, span, path)
            if names:
                sql, offsets = renamed(query, names)
                query = replace(query, sql=sql, offsets=offsets)
            if query.islands:
                query = self.settled(query, snapshot)
            for island in query.islands:
                for name, source in self.islands(island, query, snapshot).items():
                    self.sources[name + suffix] = source
                    if suffix:
                        query = with_alias(query, name, name + suffix)
            query, files = self.files(query, len(self.opened) + 1)
        except KadeQLError as error:
            # One of a view below points into the text that was asked already.
            raise (error if error.text is whole else in_view(error, path, whole, span)) from error
        if files is not None:
            self.opened.append(files)
        self.views[alias.casefold()] = View(alias, query.sql, stored.columns)
        self.uses.setdefault(query.sql, ViewUse(path, query.sql, query, span))


def with_alias(query: Query, old: str, new: str) -> Query:
    """The query with the relation of an island under another name."""
    text = quoted(old)
    at = [found.start() for found in re.finditer(re.escape(text), query.sql)]
    edits = [Edit(start, start + len(text), quoted(new)) for start in at]
    sql, offsets = rewritten(query.sql, 0, len(query.sql), edits)
    return replace(query, sql=sql, offsets=query.offsets.behind(offsets))


def _require_stored(name: str, snapshot: ResolvedSnapshot, query: Query, span: tuple[int, int]) -> None:
    """Make sure that rows are asked for with their ids of a table that there is."""
    if snapshot.object("view", name) is not None:
        raise no_row_ids(f"{name!r} is a view", query.whole, span)
    if snapshot.named(name) is None:
        error = CatalogError.unknown_table(name, [table.name for table in snapshot.tables.values()])
        raise KadeQLBindError(error.message, text=query.whole, span=span, hint=error.hint)


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
