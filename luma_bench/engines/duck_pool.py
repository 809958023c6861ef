"""The embedded database and its pooled cursors: configured once, locked, and never given a file to read.

A statement leases a cursor for itself. A cursor keeps the tables it once registered, because registering costs a
multiple of what a small query does, and pins them anew for each statement. What a statement does not name
stays unpinned and cannot be read.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.engines.duck_connect import connect
from luma_bench.engines.duck_inspect import require_reading
from luma_bench.engines.duck_kinds import SCAN_PREFIX, as_told, typed_columns, typed_relation
from luma_bench.engines.duck_macros import make_macros
from luma_bench.engines.duck_scan import PinnedScan, Reading
from luma_bench.engines.duck_views import CursorViews
from luma_bench.errors import ClosedError, ConfigError, SchemaError
from luma_bench.plan.engine import Inputs, rows_relation
from luma_bench.types.scan import ScanSource
from luma_bench.types.schema import ROW_ID
from luma_bench.types.sql_text import quoted

MAX_TABLES = 128
"""Tables that one cursor keeps registered."""
MAX_TEXTS = 1024
"""Statement texts whose kind is remembered."""
MAX_IDLE = 16
"""Cursors that wait for the next statement."""


class Cursor:
    """One connection to the embedded database, with the tables it knows. Used by one statement at a time.

    Attributes
    ----------
    views
        The views that it has.
    retired
        Whether it is closed after this statement instead of pooled: DuckDB left something on it.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, scan_path: str, kinds: dict[str, str], macros: set[str]
    ) -> None:
        self.con = con
        self._kinds = kinds
        self._macros = macros
        self._scan_path = scan_path
        self._tables: OrderedDict[str, tuple[str, PinnedScan]] = OrderedDict()
        self._relations: list[str] = []
        self._typed: list[str] = []
        self.views = CursorViews(con)
        self.retired = False

    def kind(self, text: str) -> str:
        """The kind of one reading statement: see `duck_inspect.require_reading`. Parsed once a text."""
        known = self._kinds.get(text)
        if known is None:
            known = require_reading(self.con, text)
            if len(self._kinds) >= MAX_TEXTS:
                self._kinds.clear()
            self._kinds[text] = known
        return known

    def begin(self, text: str, inputs: Inputs, reading: Reading) -> None:
        """Pin the sources and register the relations that `text` can name; forget tables that are no longer there."""
        folded = "\n".join((text, *(view.sql for view in inputs.views))).casefold()
        make_macros(self.con, folded, self._macros)
        for key in [key for key in self._tables if key not in inputs.sources and _named(key, folded)]:
            if not any(name.casefold() == key for name in inputs.sources):
                self._forget(key)
        for name, relation in inputs.relations.items():
            if _named(name.casefold(), folded):
                self._relate(name, relation)
        hidden = {name.casefold() for name in (*self._relations, *self._typed)}
        if inputs.files is not None and inputs.files.arrow:
            self._relate_files(inputs.files.arrow, reading)
        for name, source in inputs.sources.items():
            if name.casefold() not in hidden and _named(name.casefold(), folded):
                self.pin(name, source, reading)
        self.views.make(inputs.views, lambda key: _named(key, folded), self._make_room)

    def pin(self, name: str, source: ScanSource, reading: Reading) -> None:
        """Make one table readable; registered anew when its schema is another than the cursor's."""
        key = name.casefold()
        known = self._tables.get(key)
        if (
            known is not None
            and known[0] == name
            and known[1].given.equals(source.schema, check_metadata=True)
        ):
            self._tables.move_to_end(key)
            known[1].pin(source, reading)
            return
        if known is not None:
            self._forget(key)
        self.views.taken(key)
        scan = PinnedScan(source.schema, name)
        scan.pin(source, reading)
        typed = bool(typed_columns(source.schema))
        self._register(_scan_name(name, typed), scan)
        if typed:
            # Statements that change rows read the types too, so the rows' own name is a view as well.
            self.con.execute(
                f"CREATE OR REPLACE TEMP VIEW {quoted(rows_relation(name))} AS "
                f"{typed_relation(source.schema, _scan_name(name, typed))}"
            )
        self.con.execute(
            f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS "
            f"SELECT * EXCLUDE ({quoted(ROW_ID)}) FROM {quoted(rows_relation(name))}"
        )
        self._tables[key] = (name, scan)
        self._tables.move_to_end(key)
        unpinned = [key for key, (_, scan) in self._tables.items() if not scan.is_pinned]
        for oldest in unpinned[: max(0, len(self._tables) - MAX_TABLES)]:
            self._forget(oldest)

    def missed(self) -> list[str]:
        """The tables that a statement reached without having pinned them; asking forgets them."""
        found = [(name, scan) for name, scan in self._tables.values() if scan.missed]
        for _, scan in found:
            scan.missed = False
        return [name for name, _ in found]

    def end(self) -> None:
        """Unpin every source and drop every relation of the statement."""
        for _, scan in self._tables.values():
            scan.unpin()
        while self._typed:
            name = self._typed.pop()
            self.views.gone(name.casefold())
            self.con.execute(f"DROP VIEW IF EXISTS {quoted(name)}")
        while self._relations:
            name = self._relations.pop()
            self.views.gone(name.casefold())
            self.con.unregister(name)

    def _relate(self, name: str, relation: Any) -> None:
        self._make_room(name.casefold())
        self.views.taken(name.casefold())
        try:
            table = relation if isinstance(relation, pa.Table) else pa.table(relation)
        except (TypeError, pa.ArrowException) as error:
            raise SchemaError(
                f"{name!r} cannot be read as a table: {error}", hint="Give anything with __arrow_c_stream__."
            ) from error
        table = as_told(table)
        if typed_columns(table.schema):
            # An earlier result, or rows on their way into a table: its columns are of the types that they were.
            self.con.register(SCAN_PREFIX + name, table)
            self._relations.append(SCAN_PREFIX + name)
            text = typed_relation(table.schema, SCAN_PREFIX + name)
            self.con.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {text}")
            self._typed.append(name)
            return
        self.con.register(name, table)
        self._relations.append(name)

    def _relate_files(self, files: Mapping[str, Sequence[str]], reading: Reading) -> None:
        from luma_bench.engines.duck_arrow_files import ArrowFiles

        for name, paths in files.items():
            self.con._register_arrow_source(name, ArrowFiles(paths, reading))
            self._relations.append(name)

    def _register(self, name: str, scan: PinnedScan) -> None:
        if self._scan_path == "source":
            from luma_bench.engines.duck_source import DuckSource

            self.con._register_arrow_source(name, DuckSource(scan))
        else:
            from luma_bench.engines.duck_dataset import ScanDataset

            self.con.register(name, ScanDataset(scan))

    def _make_room(self, key: str) -> None:
        """Let a relation or a view have a name that a table had."""
        if key in self._tables:
            self._forget(key)

    def _forget(self, key: str) -> None:
        self.views.gone(key)
        name, scan = self._tables.pop(key)
        self.con.execute(f"DROP VIEW IF EXISTS {quoted(name)}")
        typed = bool(typed_columns(scan.given))
        if typed:
            self.con.execute(f"DROP VIEW IF EXISTS {quoted(rows_relation(name))}")
        self.con.unregister(_scan_name(name, typed))


class Database:
    """One in-memory DuckDB and its idle cursors. Thread-safe.

    Parameters
    ----------
    settings
        Threads, memory and time zone.
    scan_path
        `"source"` for the private hook, `"dataset"` for the public one.
    files
        The only files that statements may open: real absolute paths.
    """

    def __init__(self, settings: Settings, scan_path: str, files: Sequence[str] = ()) -> None:
        self.scan_path = scan_path
        self._spill = spill_folder(settings)
        self._idle: deque[Cursor] = deque()
        self._lock = threading.Lock()
        self._kinds: dict[str, str] = {}
        self._macros: set[str] = set()
        self._root: duckdb.DuckDBPyConnection | None = connect(settings, self._spill, files)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._root is None

    def lease(self) -> Cursor:
        """A cursor for one statement; give it back with `release`.

        Raises
        ------
        ClosedError
            The database was closed.
        """
        try:
            return self._idle.pop()
        except IndexError:
            return Cursor(self.connection(), self.scan_path, self._kinds, self._macros)

    def connection(self) -> duckdb.DuckDBPyConnection:
        """A connection outside of the pool; it closes when it is dropped.

        Raises
        ------
        ClosedError
            The database was closed.
        """
        with self._lock:
            if self._root is None:
                raise ClosedError("The engine is closed.", hint="Open the bench again with lb.open(path).")
            return self._root.cursor()

    def release(self, cursor: Cursor, *, retired: bool = False) -> None:
        """Take a cursor back; one that is retired is closed."""
        if retired or self._root is None or len(self._idle) >= MAX_IDLE:
            cursor.con.close()
        else:
            self._idle.append(cursor)

    def close(self) -> None:
        """Close every cursor that nobody holds, and remove the spill folder. Calling it again does nothing."""
        with self._lock:
            root, self._root = self._root, None
        while self._idle:
            self._idle.pop().con.close()
        if root is not None:
            # A statement whose source does not come back holds its cursor; that one closes when it is dropped.
            with contextlib.suppress(duckdb.Error):
                root.close()
        shutil.rmtree(self._spill, ignore_errors=True)


def spill_folder(settings: Settings) -> Path:
    """A new folder to spill into.

    Raises
    ------
    ConfigError
        `spill_dir` cannot be written.
    """
    try:
        return Path(tempfile.mkdtemp(prefix="luma-bench-", dir=settings.spill_dir or None))
    except OSError as error:
        raise ConfigError(
            f"spill_dir = {settings.spill_dir!r} cannot be written: {error.strerror}.",
            hint="Name a folder that exists and may be written.",
        ) from error


def hook_problem() -> str | None:
    """None when DuckDB's private source hook does what `duck_source` relies on, else what is wrong with it."""
    try:
        from luma_bench.engines import duck_source
    except ImportError as error:
        return str(error)
    return duck_source.hook_problem()


def _scan_name(name: str, typed: bool) -> str:
    """Where a table's scan is registered: under the rows' own name, or below the view that gives columns their types."""
    return SCAN_PREFIX + name if typed else rows_relation(name)


def _named(folded_name: str, folded_text: str) -> bool:
    """Whether a text may name a table: its letters stand in it somewhere, or it needs escaping to be written."""
    return folded_name in folded_text or '"' in folded_name


def unread_tables(inputs: Inputs, text: str) -> Mapping[str, ScanSource]:
    """The sources whose names do not stand in the text, so that they were not pinned."""
    folded = text.casefold()
    return {name: source for name, source in inputs.sources.items() if not _named(name.casefold(), folded)}
