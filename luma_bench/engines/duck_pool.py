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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.engines.duck_connect import connect
from luma_bench.engines.duck_inspect import require_reading
from luma_bench.engines.duck_result import quoted
from luma_bench.engines.duck_scan import PinnedScan, Reading
from luma_bench.errors import ClosedError, SchemaError
from luma_bench.plan.engine import Inputs, rows_relation
from luma_bench.types.scan import ScanSource
from luma_bench.types.schema import ROW_ID

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
    retired
        Whether it is closed after this statement instead of pooled: DuckDB left something on it.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, scan_path: str, kinds: dict[str, str]) -> None:
        self.con = con
        self._kinds = kinds
        self._scan_path = scan_path
        self._tables: OrderedDict[str, tuple[str, PinnedScan]] = OrderedDict()
        self._relations: list[str] = []
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
        folded = text.casefold()
        for key in [key for key in self._tables if key not in inputs.sources and _named(key, folded)]:
            if not any(name.casefold() == key for name in inputs.sources):
                self._forget(key)
        for name, relation in inputs.relations.items():
            if _named(name.casefold(), folded):
                self._relate(name, relation)
        hidden = {name.casefold() for name in self._relations}
        for name, source in inputs.sources.items():
            if name.casefold() not in hidden and _named(name.casefold(), folded):
                self.pin(name, source, reading)

    def pin(self, name: str, source: ScanSource, reading: Reading) -> None:
        """Make one table readable; registered anew when its schema is another than the cursor's."""
        key = name.casefold()
        known = self._tables.get(key)
        if (
            known is not None
            and known[0] == name
            and known[1].schema.equals(source.schema, check_metadata=True)
        ):
            self._tables.move_to_end(key)
            known[1].pin(source, reading)
            return
        scan = PinnedScan(source.schema, name)
        scan.pin(source, reading)
        self._register(rows_relation(name), scan)
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
        while self._relations:
            self.con.unregister(self._relations.pop())

    def _relate(self, name: str, relation: Any) -> None:
        if name.casefold() in self._tables:
            self._forget(name.casefold())
        try:
            table = relation if isinstance(relation, pa.Table) else pa.table(relation)
        except (TypeError, pa.ArrowException) as error:
            raise SchemaError(
                f"{name!r} cannot be read as a table: {error}", hint="Give anything with __arrow_c_stream__."
            ) from error
        self.con.register(name, table)
        self._relations.append(name)

    def _register(self, name: str, scan: PinnedScan) -> None:
        if self._scan_path == "source":
            from luma_bench.engines.duck_source import DuckSource

            self.con._register_arrow_source(name, DuckSource(scan))
        else:
            from luma_bench.engines.duck_dataset import ScanDataset

            self.con.register(name, ScanDataset(scan))

    def _forget(self, key: str) -> None:
        name, _ = self._tables.pop(key)
        self.con.execute(f"DROP VIEW IF EXISTS {quoted(name)}")
        self.con.unregister(rows_relation(name))


class Database:
    """One in-memory DuckDB and its idle cursors. Thread-safe.

    Parameters
    ----------
    settings
        Threads, memory and time zone.
    scan_path
        `"source"` for the private hook, `"dataset"` for the public one.
    """

    def __init__(self, settings: Settings, scan_path: str) -> None:
        self.scan_path = scan_path
        self._spill = Path(tempfile.mkdtemp(prefix="luma-bench-"))
        self._idle: deque[Cursor] = deque()
        self._lock = threading.Lock()
        self._kinds: dict[str, str] = {}
        self._root: duckdb.DuckDBPyConnection | None = connect(settings, self._spill)

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
            return Cursor(self.connection(), self.scan_path, self._kinds)

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


def hook_problem() -> str | None:
    """None when DuckDB's private source hook does what `duck_source` relies on, else what is wrong with it."""
    try:
        from luma_bench.engines import duck_source
    except ImportError as error:
        return str(error)
    return duck_source.hook_problem()


def _named(folded_name: str, folded_text: str) -> bool:
    """Whether a text may name a table: its letters stand in it somewhere, or it needs escaping to be written."""
    return folded_name in folded_text or '"' in folded_name


def unread_tables(inputs: Inputs, text: str) -> Mapping[str, ScanSource]:
    """The sources whose names do not stand in the text, so that they were not pinned."""
    folded = text.casefold()
    return {name: source for name, source in inputs.sources.items() if not _named(name.casefold(), folded)}
