"""Leases: a writer says in the catalog that it is alive while its segments are not committed yet.

Collecting unused files must leave alone what a living writer is about to commit. A lease that is not renewed runs out.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from sqlalchemy import bindparam, insert, select, update

from luma_bench.errors import CatalogError, LumaError
from luma_bench.storage.catalog.queue import CommitQueue
from luma_bench.storage.catalog.tables import LEASE

LIFE_SECONDS = 600.0
"""How long a lease lives without being renewed; it is renewed three times as often."""

_TAKE = insert(LEASE)
_RENEW = update(LEASE).where(LEASE.c.id == bindparam("lease")).values(expires=bindparam("until"))
_RETURN = sa.delete(LEASE).where(LEASE.c.id == bindparam("lease"))
_LIVE = select(LEASE).where(LEASE.c.expires > bindparam("now", type_=sa.BigInteger)).order_by(LEASE.c.started)


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease that has not run out: who holds it, since when (microseconds), and on which snapshot."""

    id: str
    kind: str
    owner: str
    snapshot: int
    started: int


def live_leases(connection: sa.Connection) -> list[LeaseRow]:
    """The leases that have not run out, oldest first."""
    rows = connection.execute(_LIVE, {"now": time.time_ns() // 1000})
    return [LeaseRow(row.id, row.kind, row.owner, row.snapshot_id, row.started) for row in rows]


class Lease:
    """A lease held for the length of a `with` block and renewed from a thread of its own."""

    def __init__(self, queue: CommitQueue, lease_id: str, *, kind: str, life: float = LIFE_SECONDS) -> None:
        self.id = lease_id
        self._queue = queue
        self._kind = kind
        self._life = life
        self._over = threading.Event()
        self._failure: LumaError | None = None
        self._thread: threading.Thread | None = None
        self._taken = False
        self._spent = False

    def take(self, connection: sa.Connection, snapshot: int) -> None:
        """Write the lease's row, in a transaction that may hold other rows too."""
        now = time.time_ns() // 1000
        owner = f"{socket.gethostname()}:{os.getpid()}"
        until = now + int(self._life * 1e6)
        row = {
            "id": self.id,
            "kind": self._kind,
            "owner": owner,
            "snapshot_id": snapshot,
            "started": now,
            "expires": until,
        }
        if self._taken:  # run again: the transaction before may have been lost, or not
            connection.execute(_RETURN, {"lease": self.id})
        connection.execute(_TAKE, row)
        self._taken = True

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._renew, name="luma-lease", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        if not self._taken or self._spent:
            return
        try:
            self._queue.submit(lambda connection: connection.execute(_RETURN, {"lease": self.id}))
        except LumaError:
            # It runs out by itself. What stopped the work says more than this, such as that the disk is full.
            if error is None:
                raise

    def check(self) -> None:
        """Raise what stopped the renewals, between two segments and before the commit.

        Raises
        ------
        LumaError
            The lease could not be renewed.
        """
        if self._failure is not None:
            raise self._failure

    def spend(self) -> None:
        """Note that the commit gave the lease back."""
        self._spent = True

    def _renew(self) -> None:
        while not self._over.wait(self._life / 3):
            until = time.time_ns() // 1000 + int(self._life * 1e6)
            try:
                found = self._queue.submit(lambda connection, until=until: self._renewed(connection, until))
            except LumaError as error:
                self._failure = error
                return
            if not found:
                hint = "Nothing was applied. Run the write again."
                self._failure = CatalogError(
                    f"The lease {self.id} was taken away while it was held.", hint=hint
                )
                return

    def _renewed(self, connection: sa.Connection, until: int) -> bool:
        return connection.execute(_RENEW, {"lease": self.id, "until": until}).rowcount == 1
