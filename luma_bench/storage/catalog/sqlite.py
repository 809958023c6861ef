"""The SQLite file under the catalog: connections, transactions, and what `mode="r"` may do."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from luma_bench.errors import CatalogError, ClosedError, CorruptionError, LumaError
from luma_bench.storage.catalog.checkpoint import LOG_PAGES, Checkpointer
from luma_bench.storage.catalog.database import FILE, Backoff, Database
from luma_bench.storage.catalog.mounts import network_file_system

BUSY_SECONDS = 60.0
"""How long a commit waits for another process's commit before it gives up."""

_HEAD = "SELECT max(id) FROM snapshot"
_Mark = tuple[int, int, int, int]


class SqliteDatabase(Database):
    """One catalog file with a small pool of connections. Thread-safe.

    A writable database is in WAL mode with `synchronous=FULL`: a commit is on disk when it returns, and readers never
    wait. A read-only one never makes a file: while no writer has the catalog open (there is no `-wal` file) it is read
    as an immutable file, and every read is checked against the file's state and repeated when a writer came in between.
    """

    def __init__(self, folder: Path, *, read_only: bool) -> None:
        self.path = folder / FILE
        self.read_only = read_only
        self._wal = folder / f"{FILE}-wal"
        self._lock = threading.Lock()
        self._engine: sa.Engine | None = None
        self._probe: sqlite3.Connection | None = None
        self._mark: _Mark | None = None
        self._closed = False
        self._network = network_file_system(folder) if read_only else None
        self._checkpointer = Checkpointer(self.path)

    @classmethod
    def connect(cls, folder: Path, *, read_only: bool) -> Self:
        """Connect to the catalog in `folder`; a writable one is made when it is missing, without tables.

        Raises
        ------
        CatalogError
            The file cannot be opened, or written safely; the message says why.
        """
        if not read_only and (kind := network_file_system(folder)) is not None:
            hint = (
                "Keep the bench on a local disk and bench.publish() it here, where mode='r' reads it from every machine; "
                "or keep its catalog in PostgreSQL (catalog='postgresql://…'), and only its segments here."
            )
            raise CatalogError(
                f"{str(folder)!r} is on a network file system ({kind}), where commits are not safe.",
                hint=hint,
            )
        database = cls(folder, read_only=read_only)
        with database.translated("open"):
            database._connect(database._state() if read_only else None)
            database.read(
                lambda connection: connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar()
            )
        return database

    def head(self) -> int:
        """The id of the newest snapshot: one prepared statement on a kept connection."""
        if self.read_only:
            return self.read(lambda connection: int(connection.exec_driver_sql(_HEAD).scalar() or 0))
        with self.translated("read"), self._lock:
            if self._probe is None:
                raise ClosedError.bench(str(self.path.parent))
            return self._probe.execute(_HEAD).fetchone()[0] or 0

    def read[T](self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in one read transaction and end it; `work` sees one state of the catalog.

        `work` must have no effect of its own: a read-only database may run it again.
        """
        while True:
            before = self._state() if self.read_only else None
            if before != self._mark:
                self._connect(before)
            try:
                with self.translated("read"), _begun(self._opened(), "BEGIN") as connection:
                    result = work(connection)
            except LumaError:
                if self.read_only and self._state() != before:
                    continue
                raise
            if before is None or _has_wal(before) or self._state() == before:
                return result

    @contextlib.contextmanager
    def write(self) -> Generator[sa.Connection]:
        """One write transaction, alone in the catalog: committed durably at the end, rolled back by an exception."""
        with self.translated("write"), _begun(self._opened(), "BEGIN IMMEDIATE") as connection:
            yield connection
        self._checkpointer.committed()

    def retries(self) -> Backoff:
        """None: there is no connection to lose."""
        return Backoff(0.0, threading.Event())

    def in_transaction(self, connection: sa.Connection) -> bool:
        """Whether the transaction is still open: SQLite itself undoes it after a full disk or a read or write error."""
        raw: Any = connection.connection.driver_connection
        return bool(raw.in_transaction)

    def require_transaction(self, connection: sa.Connection) -> None:
        """Refuse to go on in a transaction that SQLite has undone.

        Raises
        ------
        CatalogError
            It was; nothing that shared it was applied.
        """
        if not self.in_transaction(connection):
            hint = "Nothing of this call was applied. Check the disk's space and health, then try again."
            raise CatalogError(f"The catalog {str(self.path)!r} undid a transaction that failed.", hint=hint)

    def close(self) -> None:
        """Close every connection; SQLite folds the write-ahead log in when the last one of any process closes."""
        self._checkpointer.close()
        with self._lock:
            self._closed = True
            self._release()

    def _opened(self) -> sa.Engine:
        engine = self._engine
        if engine is None:
            raise ClosedError.bench(str(self.path.parent))
        return engine

    def _release(self) -> None:
        engine, self._engine = self._engine, None
        probe, self._probe = self._probe, None
        if probe is not None:
            probe.close()
        if engine is not None:
            engine.dispose()

    def _connect(self, mark: _Mark | None) -> None:
        """Make the pool; `mark` is the file's state that an immutable read relies on."""
        with self._lock:
            if self._closed:
                raise ClosedError.bench(str(self.path.parent))
            if self._engine is not None and mark == self._mark:
                return
            self._release()
            immutable = mark is not None and not _has_wal(mark)
            engine = sa.create_engine(
                "sqlite://",
                creator=lambda: self._raw(immutable=immutable),
                poolclass=QueuePool,
                pool_size=4,
                max_overflow=60,
                pool_timeout=BUSY_SECONDS,
            )
            self._engine = engine
            self._mark = mark
            if not self.read_only:
                self._probe = self._raw(immutable=False)

    def _raw(self, *, immutable: bool) -> sqlite3.Connection:
        mode = "rwc" if not self.read_only else "ro&immutable=1" if immutable else "ro"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,  # this file says BEGIN itself
            check_same_thread=False,
        )
        if not self.read_only:
            # The checkpointer folds the log in beside the commits; a commit does it itself only past this bound.
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                f"wal_autocheckpoint={LOG_PAGES}",
                "foreign_keys=ON",
            ):
                connection.execute(f"PRAGMA {pragma}")
        return connection

    def _state(self) -> _Mark:
        """Whether a log exists, and the identity, size and time of the main file."""
        try:
            status = self.path.stat()
        except FileNotFoundError as error:
            raise CatalogError.not_a_bench(str(self.path.parent), f"its {FILE} is missing") from error
        try:
            wal = int(self._wal.stat().st_size > 0)
        except FileNotFoundError:
            wal = 0
        if wal and self._network is not None:
            hint = "Close the writer on the machine that has the disk, or have it bench.publish() what is to be read here."
            where = f"{str(self.path)!r} is on a network file system ({self._network})"
            raise CatalogError(
                f"{where}, and a writer has it open: its log cannot be read safely from here.", hint=hint
            )
        # With a log SQLite itself follows changes: the state is only "there is one".
        return (1, 0, 0, 0) if wal else (0, status.st_ino, status.st_size, status.st_mtime_ns)

    @contextlib.contextmanager
    def translated(self, doing: str) -> Generator[None]:
        """Turn a failure of SQL into the error tree; `doing` is the verb for the message."""
        try:
            yield
        except DBAPIError as error:
            raise self._failure(doing, error.orig or error) from error
        except sqlite3.Error as error:
            raise self._failure(doing, error) from error
        except UnicodeDecodeError as error:
            # SQLite names what it finds in a damaged schema as it stands there.
            raise CorruptionError(
                f"The catalog {str(self.path)!r} is damaged: it holds text that is none.", segment=FILE
            ) from error

    def _failure(self, doing: str, error: BaseException) -> LumaError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        where = str(self.path)
        if self._closed:
            return ClosedError.bench(str(self.path.parent))
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return CorruptionError(f"The catalog {where!r} is damaged: {error}.", segment=FILE)
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            hint = "Another process keeps the catalog locked: end it, or try again."
            return CatalogError(f"The catalog {where!r} stayed locked for {BUSY_SECONDS:.0f} s.", hint=hint)
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM) and self.read_only:
            hint = (
                "A writer's log (catalog.sqlite-wal) holds commits, and reading them needs a folder that may be written. "
                "Close the writer, or open the bench once from an account that may write."
            )
            return CatalogError(f"The catalog {where!r} cannot be read here: {error}.", hint=hint)
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            return CatalogError(
                f"The catalog {where!r} cannot be written: {error}.", hint="Open it with mode='r' to read."
            )
        hint = "Nothing of this call was applied. Check the disk's space and health, then try again."
        return CatalogError(f"The catalog {where!r} failed to {doing}: {error}.", hint=hint)


@contextlib.contextmanager
def _begun(engine: sa.Engine, begin: str) -> Generator[sa.Connection]:
    """A transaction that `begin` begins. The driver is told itself: an event would cost every statement 20 µs."""
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute(begin)
        with connection.begin():
            yield connection


def _has_wal(mark: _Mark) -> bool:
    return mark[0] == 1
