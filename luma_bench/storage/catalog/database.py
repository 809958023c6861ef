"""What the catalog asks of the database under it; `sqlite.py` and `postgres.py` are the two there are.

Everything above these files is portable SQL through SQLAlchemy. `open_database` chooses by the bench's settings.
"""

from __future__ import annotations

import contextlib
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from luma_bench.config import Settings, read_toml
from luma_bench.errors import CatalogError

FILE = "catalog.sqlite"
"""The catalog of a bench that is not on PostgreSQL, in the bench's folder."""

DEFAULT_CATALOG = ""
"""Where the catalog of a bench is when neither its settings nor its `luma.toml` say: "" is `FILE`."""

_FIRST_WAIT, _LONGEST_WAIT = 0.02, 1.0


class LostConnection(CatalogError):
    """The server went away in the middle of a piece of work, which may be run again.

    Attributes
    ----------
    in_doubt
        Whether it was lost during COMMIT: the transaction may have become durable.
    """

    def __init__(self, message: str, *, hint: str, in_doubt: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.in_doubt = in_doubt

    def told(self, *, in_doubt: bool) -> LostConnection:
        """The failure as a caller is told of it when no attempt succeeded; `in_doubt` is of all of them."""
        if not in_doubt:
            return self
        hint = (
            "Whether the commit was applied is not known: bench.snapshots() tells once the server is back, and a write"
            " with the same token is never applied twice."
        )
        return LostConnection(self.message, hint=hint, in_doubt=True)


class Backoff:
    """Waits between attempts, longer each time, for `seconds` in all; cut short when `ended` is set."""

    def __init__(self, seconds: float, ended: threading.Event) -> None:
        self._ended = ended
        self._until = time.monotonic() + seconds
        self._next = _FIRST_WAIT

    def wait(self) -> bool:
        """Wait a while; False, without waiting, when the time is over."""
        left = self._until - time.monotonic()
        if left <= 0 or self._ended.wait(min(self._next, left)):
            return False
        self._next = min(2 * self._next, _LONGEST_WAIT)
        return True


class Database(ABC):
    """Transactions on the tables of one catalog. Thread-safe.

    Attributes
    ----------
    path
        The bench's file that messages name.
    read_only
        Whether nothing is ever written through it.
    """

    path: Path
    read_only: bool

    @staticmethod
    def open(folder: Path, *, read_only: bool, settings: Settings | None = None) -> Database:
        """`open_database` under the name that the class's users know."""
        return open_database(folder, read_only=read_only, settings=settings)

    @abstractmethod
    def head(self) -> int:
        """The id of the newest snapshot: one prepared statement on a kept connection."""

    @abstractmethod
    def read[T](self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in one read transaction and end it; `work` sees one state of the catalog.

        `work` must have no effect of its own: it may be run again.
        """

    @abstractmethod
    def write(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """One write transaction, alone in the catalog: committed durably at the end, rolled back by an exception.

        It sees everything that was committed before it.

        Raises
        ------
        LostConnection
            The server went away; the same work may be run again in another transaction.
        """

    @abstractmethod
    def in_transaction(self, connection: sa.Connection) -> bool:
        """Whether the transaction is still open, and can be rolled back to a savepoint."""

    @abstractmethod
    def require_transaction(self, connection: sa.Connection) -> None:
        """Refuse to go on in a transaction that the database has undone.

        Raises
        ------
        CatalogError
            It was; nothing that shared it was applied.
        """

    @abstractmethod
    def translated(self, doing: str) -> contextlib.AbstractContextManager[None]:
        """Turn a failure of SQL into the error tree; `doing` is the verb for the message."""

    @abstractmethod
    def retries(self) -> Backoff:
        """The waits between attempts after `LostConnection`, before the failure is the caller's."""

    @abstractmethod
    def close(self) -> None:
        """Close every connection; calls after it raise `ClosedError`."""


def open_database(folder: Path, *, read_only: bool, settings: Settings | None = None) -> Database:
    """Connect to the catalog of the bench in `folder`; a writable one is made when it is missing, without tables.

    Parameters
    ----------
    settings
        `catalog` chooses: a PostgreSQL URL, or "" for what the bench's `luma.toml` names, by default SQLite.

    Raises
    ------
    CatalogError
        The catalog cannot be opened, belongs to another bench, or cannot be written safely; the message says why.
    UnsupportedError
        PostgreSQL is asked for and its driver is not installed.
    """
    url = catalog_url(folder, settings)
    if url:
        from luma_bench.storage.catalog.postgres import PostgresDatabase

        return PostgresDatabase.connect(folder, url, read_only=read_only)
    from luma_bench.storage.catalog.sqlite import SqliteDatabase

    return SqliteDatabase.connect(folder, read_only=read_only)


def catalog_url(folder: Path, settings: Settings | None) -> str:
    """Where the bench's catalog is: a PostgreSQL URL, or "" for the file in its folder."""
    given = "" if settings is None else settings.catalog
    return given or str(read_toml(folder).get("settings", {}).get("catalog", DEFAULT_CATALOG))


@contextlib.contextmanager
def rolled_back(transaction: sa.RootTransaction) -> Generator[None]:
    """Roll the transaction back when the block raises, and let that be what is raised."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(DBAPIError):
            transaction.rollback()
        raise
