"""What every part of a Bench stands on: its store, its machinery, the snapshot it reads, its open transactions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from luma_bench import config
from luma_bench.bench.machinery import Machinery
from luma_bench.bench.session import Session
from luma_bench.bench.transaction import Transaction
from luma_bench.errors import ClosedError, ReadOnlyError
from luma_bench.types.identity import Identity

if TYPE_CHECKING:
    from luma_bench.bench.activity import RunningQuery
    from luma_bench.storage.store import ResolvedSnapshot, Store

At = int | str | dt.datetime
Progress = Callable[[int, int | None], None]


class Handle:
    """A store with what runs over it, pinned at a snapshot or following the newest."""

    _owns = True

    def __init__(self, store: Store, machinery: Machinery, identity: Identity, at: int | None = None) -> None:
        self._store = store
        self._machinery = machinery
        self._identity = identity
        self._at = at
        self._session = Session(identity, at)

    @property
    def identity(self) -> Identity:
        """Who works with this handle: policies say what they may read and change."""
        return self._identity

    @property
    def snapshot(self) -> int:
        """The id of the snapshot that this bench reads now; that of an open transaction is the one it began on."""
        inside = self._inside()
        if inside is not None:
            return inside.snapshot
        return self._at if self._at is not None else self._store.head()

    @property
    def in_transaction(self) -> bool:
        """Whether this thread has a transaction open on this handle."""
        return self._session.current is not None

    def cancel(self, query: int | None = None) -> int:
        """Stop every running query of this bench, or the one that has this id in `running()`; how many there were.

        Any thread may call it. A statement that is stopped raises `CancelledError` and has changed nothing.
        """
        if query is None and self._identity.is_owner:
            return self._machinery.cancel()
        if query is None:
            return sum(self.cancel(item.id) for item in self.running())
        return self._machinery.statements.activities.cancel(query, self._identity)

    def running(self) -> tuple[RunningQuery, ...]:
        """The statements that run now on this bench, from any thread, each with its progress; oldest first.

        Examples
        --------
        >>> for query in bench.running():
        ...     print(query.id, query.text, query.progress)
        """
        return self._machinery.statements.activities.running(self._identity)

    def progress(self) -> float | None:
        """The fraction done of the newest running query, None when nothing runs or it is unknown."""
        return self._machinery.statements.progress(self._identity)

    @property
    def path(self) -> Path:
        """The bench's folder."""
        return self._store.path

    @property
    def address(self) -> str:
        """The folder or URL that it was opened by."""
        return self._store.shown

    @property
    def settings(self) -> config.Settings:
        """The effective settings."""
        return self._store.settings

    @property
    def read_only(self) -> bool:
        """Whether this bench refuses writes."""
        return self._store.read_only or self._at is not None

    def close(self) -> None:
        """Roll back an open transaction, stop running queries and release files.

        A bench from `at` or `acting_as` closes only itself.
        """
        self._session.close(str(self.path))
        if self._owns and not self._machinery.closed:
            self._machinery.close()

    def _inside(self) -> Transaction | None:
        """The thread's open transaction."""
        self._alive()
        return self._session.current

    def _pinned(self) -> ResolvedSnapshot:
        """What this bench reads now: the open transaction's view, else its snapshot."""
        inside = self._inside()
        return self._store.resolve(self._at) if inside is None else inside.view

    def _alive(self) -> None:
        if self._machinery.closed:
            raise ClosedError.bench(self._store.shown)

    def _writable(self, operation: str) -> None:
        self._alive()
        if self.read_only:
            raise ReadOnlyError.opened(operation)
