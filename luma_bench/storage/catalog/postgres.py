"""The catalog's tables in a schema of a PostgreSQL database, shared by processes on any machine.

A write transaction begins by taking the bench's advisory lock, so commits come one after the other and ids are given out
in the order in which they become visible. A server that restarts is waited for: reads are run again, and a commit whose
outcome is not known is run again by the commit queue, which finds it by its token.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from luma_bench.errors import CatalogError, ClosedError, CorruptionError, LumaError, UnsupportedError
from luma_bench.storage.catalog.database import FILE, Backoff, Database, LostConnection, rolled_back
from luma_bench.storage.catalog.identity import TOML
from luma_bench.storage.catalog.postgres_address import Address
from luma_bench.storage.catalog.postgres_schema import settled_schema

if TYPE_CHECKING:
    import psycopg

PATIENCE_SECONDS = 30.0
"""How long a server that went away is waited for."""

BUSY_SECONDS = 60
"""How long a commit waits for another's, and how long the server keeps the transaction of a silent client."""

_HEAD = "SELECT max(id) FROM snapshot"
_BEGIN = "luma_begin"
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_DEFAULTS = {
    "connect_timeout": "10",
    "application_name": "luma-bench",
    "client_encoding": "UTF8",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
# Ended by an administrator, a crash, a time limit or a failover; or not let in while starting up or shutting down.
_LOST = {"57P01", "57P02", "57P03", "57P05", "25P03", "08000", "08001", "08003", "08004", "08006", "53300"}
_AGAIN = {"40001", "40P01"}  # a standby cancelled it
_DAMAGED = {"XX001", "XX002"}


class PostgresDatabase(Database):
    """The catalog of one bench in a PostgreSQL schema, with a small pool of connections. Thread-safe."""

    def __init__(self, folder: Path, address: Address, *, read_only: bool) -> None:
        self.path = folder / TOML
        self.read_only = read_only
        self.patience = PATIENCE_SECONDS
        self._address = address
        self._where = address.shown
        self._search_path = ""
        self._begin_write = ""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._engine: sa.Engine | None = None
        self._probe: psycopg.Connection[Any] | None = None

    @classmethod
    def connect(cls, folder: Path, url: str, *, read_only: bool) -> Self:
        """Connect to the catalog of the bench in `folder`; a writable one gets its schema when that is missing.

        Raises
        ------
        CatalogError
            The server cannot be reached or refuses, or the schema and the folder are not of one bench.
        ConfigError
            The URL is none.
        UnsupportedError
            The driver is not installed.
        """
        if (folder / FILE).exists():
            hint = "Leave `catalog` out to open it, or give a new folder for a bench on PostgreSQL."
            raise CatalogError(f"{str(folder)!r} has its catalog in {FILE}, not on PostgreSQL.", hint=hint)
        _require_driver()
        database = cls(folder, Address.parse(url), read_only=read_only)
        try:
            with database.translated("open"):
                database._settle(folder)
        except BaseException:
            database.close()
            raise
        return database

    def head(self) -> int:
        """The id of the newest snapshot: one prepared statement on a kept connection."""
        import psycopg

        waits = self.retries()
        while True:
            try:
                with self.translated("read"), self._lock:
                    return self._probed().execute(_HEAD, prepare=True).fetchall()[0][0] or 0
            except LostConnection:
                with self._lock, contextlib.suppress(psycopg.Error):
                    probe, self._probe = self._probe, None
                    if probe is not None:
                        probe.close()
                if not waits.wait():
                    raise

    def read[T](self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in one read transaction and end it; `work` sees one state of the catalog."""
        waits = self.retries()
        while True:
            try:
                with self.translated("read"), self._opened().begin() as connection:
                    return work(connection)
            except LostConnection:
                if not waits.wait():
                    raise

    @contextlib.contextmanager
    def write(self) -> Generator[sa.Connection]:
        """One write transaction, alone in the catalog: committed durably at the end, rolled back by an exception."""
        options = {_BEGIN: self._begin_write}
        with self.translated("write"), self._opened().execution_options(**options).connect() as connection:
            transaction = connection.begin()
            with rolled_back(transaction):
                yield connection
                self.require_transaction(connection)
            try:
                transaction.commit()
            except DBAPIError as error:
                raise self._failure("commit", error.orig or error, in_doubt=True) from error

    def in_transaction(self, connection: sa.Connection) -> bool:
        """Whether the transaction is still open, and can be rolled back to a savepoint."""
        from psycopg.pq import TransactionStatus

        if connection.invalidated:
            return False
        raw: Any = connection.connection.driver_connection
        return raw.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    def require_transaction(self, connection: sa.Connection) -> None:
        """Refuse to go on in a transaction that is lost or failed: PostgreSQL would undo it at COMMIT without a word.

        Raises
        ------
        CatalogError
            It is; nothing that shared it was applied.
        """
        from psycopg.pq import TransactionStatus

        if not connection.invalidated:
            raw: Any = connection.connection.driver_connection
            if raw.info.transaction_status == TransactionStatus.INTRANS:
                return
            if not raw.closed:
                hint = "Nothing of this call was applied. Try again."
                raise CatalogError(f"The catalog {self._where} undid a transaction that failed.", hint=hint)
        raise self._lost("the connection was lost", in_doubt=False)

    def retries(self) -> Backoff:
        """Half a minute of attempts, ended by `close`."""
        return Backoff(self.patience, self._ended)

    def close(self) -> None:
        """Close every connection."""
        self._ended.set()
        with self._lock:
            engine, self._engine = self._engine, None
            probe, self._probe = self._probe, None
        if probe is not None:
            probe.close()
        if engine is not None:
            engine.dispose()

    def _settle(self, folder: Path) -> None:
        """Find or make the schema, check that it is this bench's, and make the pool."""
        bench, schema = settled_schema(self._first, self._address, folder, read_only=self.read_only)
        self._search_path = schema
        self._where = f"{self._address.shown}, schema {schema}"
        key = hashlib.blake2b(f"luma-bench {bench}".encode(), digest_size=8).digest()
        lock = int.from_bytes(key, signed=True)
        # Two statements in one message: every later statement sees what was committed before the lock was had.
        self._begin_write = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({lock})"
        engine = sa.create_engine(
            "postgresql+psycopg://",
            creator=self._raw,
            poolclass=QueuePool,
            pool_size=3,
            max_overflow=13,
            pool_timeout=BUSY_SECONDS,
            use_native_hstore=False,
        )
        event.listen(engine, "begin", _begin)
        event.listen(engine, "handle_error", _note_loss)
        self._engine = engine

    def _first(self) -> psycopg.Connection[Any]:
        """The first connection, which waits only for a server that says that it is starting or stopping."""
        import psycopg
        from psycopg.pq import PGconn, Ping

        waits = self.retries()
        while True:
            try:
                return self._raw()
            except psycopg.OperationalError:
                if PGconn.ping(self._address.conninfo.encode()) != Ping.REJECT or not waits.wait():
                    raise

    def _raw(self) -> psycopg.Connection[Any]:
        import psycopg
        from psycopg.conninfo import conninfo_to_dict, make_conninfo

        given = conninfo_to_dict(self._address.conninfo)
        session = {
            "lock_timeout": f"{BUSY_SECONDS}s",
            "idle_in_transaction_session_timeout": f"{BUSY_SECONDS}s",
            "jit": "off",
        }
        if self._search_path:
            session["search_path"] = f'"{self._search_path}"'
        if self.read_only:
            session["default_transaction_read_only"] = "on"
        options = [
            str(given.get("options") or ""),
            *(f"-c {name}={value}" for name, value in session.items()),
        ]
        merged = {**_DEFAULTS, **given, "options": " ".join(options).strip()}
        connection = psycopg.connect(make_conninfo("", **merged), autocommit=True)
        if not self.read_only:
            # A commit that is acknowledged must be on disk; stronger settings of the server stay.
            connection.execute(
                "SELECT set_config('synchronous_commit', 'on', false)"
                " WHERE current_setting('synchronous_commit') = 'off'"
            )
        return connection

    def _probed(self) -> psycopg.Connection[Any]:
        if self._ended.is_set():
            raise ClosedError.bench(str(self.path.parent))
        if self._probe is None:
            self._probe = self._raw()
        return self._probe

    def _opened(self) -> sa.Engine:
        engine = self._engine
        if engine is None:
            raise ClosedError.bench(str(self.path.parent))
        options = {_BEGIN: _READ}
        return engine.execution_options(**options)

    @contextlib.contextmanager
    def translated(self, doing: str) -> Generator[None]:
        """Turn a failure of SQL into the error tree; `doing` is the verb for the message."""
        import psycopg

        try:
            yield
        except DBAPIError as error:
            raise self._failure(doing, error.orig or error) from error
        except psycopg.Error as error:
            raise self._failure(doing, error) from error
        except PoolTimeout as error:
            hint = "Use fewer threads, or try again."
            raise CatalogError(
                f"No connection to {self._where} was free for {BUSY_SECONDS} s.", hint=hint
            ) from error

    def _failure(self, doing: str, error: BaseException, *, in_doubt: bool = False) -> LumaError:
        where, state = self._where, getattr(error, "sqlstate", None)
        text = self._address.hidden(" ".join(str(error).split()))
        if self._ended.is_set():
            return ClosedError.bench(str(self.path.parent))
        if _is_lost(error):
            return self._lost(text, in_doubt=in_doubt)
        if state in _DAMAGED:
            return CorruptionError(f"The catalog {where} is damaged: {text}.", segment=self._search_path)
        if state == "55P03":
            hint = "Another process keeps the catalog locked: end it, or try again."
            return CatalogError(f"The catalog {where} stayed locked for {BUSY_SECONDS} s.", hint=hint)
        if state in ("42501", "25006"):
            hint = "Open it with mode='r' to read, or as a role that owns the schema, on a server that takes writes."
            return CatalogError(f"The catalog {where} cannot be written: {text}.", hint=hint)
        hint = "Nothing of this call was applied. Check the server's log and disk, then try again."
        return CatalogError(f"The catalog {where} failed to {doing}: {text}.", hint=hint)

    def _lost(self, text: str, *, in_doubt: bool) -> LostConnection:
        if self._engine is None:
            hint = "Check that the server runs, and its address, user and password (PGPASSWORD or ~/.pgpass)."
            return LostConnection(f"The catalog {self._where} cannot be reached: {text}.", hint=hint)
        message = (
            f"The catalog {self._where} went away and did not come back within {self.patience:.0f} s: {text}."
        )
        hint = "Nothing of this call was applied. Check that the server runs, then try again."
        return LostConnection(message, hint=hint, in_doubt=in_doubt).told(in_doubt=in_doubt)


def _require_driver() -> None:
    try:
        import psycopg  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        hint = "Install it: pip install 'luma-bench[connect]'."
        raise UnsupportedError(f"A catalog on PostgreSQL needs psycopg: {error}.", hint=hint) from error


def _begin(connection: sa.Connection) -> None:
    options: Any = connection.get_execution_options()
    connection.exec_driver_sql(options[_BEGIN], execution_options={"no_parameters": True})


def _note_loss(context: Any) -> None:
    """Let the pool drop its connections when the server ended one."""
    if _is_lost(context.original_exception):
        context.is_disconnect = True


def _is_lost(error: BaseException) -> bool:
    import psycopg

    state = getattr(error, "sqlstate", None)
    return (
        (isinstance(error, psycopg.OperationalError) and state is None) or state in _LOST or state in _AGAIN
    )
