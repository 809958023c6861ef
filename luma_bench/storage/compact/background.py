"""Compaction from a thread of its own: what is due, in small steps and at a low priority."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection

import sqlalchemy as sa
from sqlalchemy import func, select

from luma_bench.config import Settings
from luma_bench.errors import CancelledError, ClosedError, LumaError
from luma_bench.storage.catalog import Catalog
from luma_bench.storage.catalog.tables import DELETION, INLINE, SEGMENT
from luma_bench.storage.collect import collect
from luma_bench.storage.compact.plan import FAN_IN
from luma_bench.storage.compact.work import compact_tables
from luma_bench.storage.pool import BufferPool
from luma_bench.types.rules import RowRules

EVERY_SECONDS = 10.0
"""How often it is looked whether something is due."""

EXPIRE_SECONDS = 60.0
"""How long after one look for rows that are too old the next may be."""

COLLECT_SECONDS = 600.0
"""How long after one collection the next may be."""

_KEPT_ERRORS = 16
_NICE = 10
_CROWDED = (
    select(SEGMENT.c.table_id)
    .where(SEGMENT.c.end_snapshot.is_(None))
    .group_by(SEGMENT.c.table_id, SEGMENT.c.level)
    .having(func.count() >= FAN_IN)
)
_TAILS = select(INLINE.c.table_id).where(INLINE.c.end_snapshot.is_(None)).distinct()
_DELETED = select(DELETION.c.table_id).where(DELETION.c.end_snapshot.is_(None)).distinct()


class Compactor:
    """Compacts the tables of an open bench until it is closed. Thread-safe.

    While another process compacts, this one waits: two would only take each other's work away.

    Parameters
    ----------
    pinned
        Gives the snapshots that this process reads.
    every
        Seconds between two looks at the catalog.
    clock
        The present, for the tables that keep rows for some time only.
    rules
        Gives what checks constraints where such rows are deleted.
    """

    def __init__(
        self,
        catalog: Catalog,
        pool: BufferPool,
        settings: Settings,
        *,
        pinned: Callable[[], Collection[int]] = tuple,
        every: float = EVERY_SECONDS,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        rules: Callable[[], RowRules | None] = lambda: None,
    ) -> None:
        self._catalog = catalog
        self._pool = pool
        self._settings = settings
        self._pinned = pinned
        self._every = every
        self._over = threading.Event()
        self._wake = threading.Event()
        self._errors: deque[str] = deque(maxlen=_KEPT_ERRORS)
        self._thread = threading.Thread(target=self._run, name="luma-compact", daemon=True)
        self._seen = -1
        self._collects = time.monotonic() + COLLECT_SECONDS
        self._expires = time.monotonic()
        self._clock = clock
        self._rules = rules

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong so far, the last few, each with its time."""
        return tuple(self._errors)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the catalog now."""
        self._wake.set()

    def close(self) -> None:
        """Stop, between two columns at the latest, and wait until the thread is gone; what it stored is removed."""
        self._over.set()
        self._wake.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        _lower_priority()
        while True:
            self._wake.wait(self._every)
            self._wake.clear()
            if self._over.is_set():
                return
            try:
                self._look()
            except (CancelledError, ClosedError):
                return
            except (LumaError, OSError) as error:
                moment = time.strftime("%Y-%m-%d %H:%M:%S")
                self._errors.append(f"{moment}: background compaction failed: {error}")

    def _look(self) -> None:
        head = self._catalog.head()
        expiring = time.monotonic() >= self._expires
        if head == self._seen and not expiring:
            return
        if any(lease.kind == "compact" for lease in self._catalog.leases()):
            return
        tables = self._catalog.resolve_head().tables.values()
        due = set[int]() if head == self._seen else self._catalog.read(_crowded)
        if expiring:
            self._expires = time.monotonic() + EXPIRE_SECONDS
            due |= {table.id for table in tables if table.settings.retention is not None}
        for table in tables:
            if table.id in due:
                compact_tables(
                    self._catalog, self._pool, self._settings, table=table.name, full=False, stop=self._over,
                    now=self._clock(), rules=self._rules(),
                )  # fmt: skip
        self._seen = head
        if time.monotonic() >= self._collects:
            self._collects = time.monotonic() + COLLECT_SECONDS
            found = collect(self._catalog, retention=self._settings.retention_seconds, pinned=self._pinned())
            self._errors.extend(found.problems)


def _crowded(connection: sa.Connection) -> set[int]:
    """The tables that may have something due, told without reading their parts."""
    found: set[int] = set()
    for statement in (_CROWDED, _TAILS, _DELETED):
        found |= set(connection.execute(statement).scalars())
    return found


def _lower_priority() -> None:
    """Let other threads of the process go first, where the system has priorities of threads."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
