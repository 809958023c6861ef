"""A published catalog file as a database that is only read: from a local file, or from its bytes in memory."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from luma_bench.errors import ClosedError, CorruptionError, ReadOnlyError
from luma_bench.storage.catalog.database import Backoff, Database

_HEAD = "SELECT max(id) FROM snapshot"


class PublishedDatabase(Database):
    """One immutable catalog file. Thread-safe: readers take turns, for what they read is kept above.

    Parameters
    ----------
    path
        The file, or what messages call it.
    content
        Its bytes when it is no local file.
    """

    read_only = True

    def __init__(self, path: Path, content: bytes | None = None) -> None:
        self.path = path
        self._content = content
        self._lock = threading.Lock()
        self._engine: sa.Engine | None = sa.create_engine(
            "sqlite://", creator=self._opened, poolclass=StaticPool
        )

    def head(self) -> int:
        """The id of the file's only snapshot."""
        return self.read(lambda connection: int(connection.exec_driver_sql(_HEAD).scalar_one()))

    def read[T](self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` on the file."""
        with self._lock:
            if self._engine is None:
                raise ClosedError.bench(str(self.path))
            with self.translated("read"), self._engine.connect() as connection:
                return work(connection)

    def write(self) -> contextlib.AbstractContextManager[sa.Connection]:
        """Refused."""
        raise ReadOnlyError.opened("write")

    def in_transaction(self, connection: sa.Connection) -> bool:
        """Always: nothing undoes a read."""
        return True

    def require_transaction(self, connection: sa.Connection) -> None:
        """Nothing to require."""

    @contextlib.contextmanager
    def translated(self, doing: str) -> Generator[None]:
        """A published file that SQLite cannot read is damaged: it never changes."""
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            why = getattr(error, "orig", None) or error
            raise CorruptionError(
                f"The published catalog {str(self.path)!r} is damaged: {why}.", segment=self.path.name
            ) from error

    def retries(self) -> Backoff:
        """None: a file does not come back."""
        return Backoff(0.0, threading.Event())

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def _opened(self) -> sqlite3.Connection:
        if self._content is None:
            where = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
            return sqlite3.connect(where, uri=True, check_same_thread=False)
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        connection.deserialize(self._content)
        return connection
