"""Which transaction a thread has open on a Bench handle: one at most."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING

from luma_bench.bench.shelf import Shelf
from luma_bench.errors import TransactionError
from luma_bench.types.identity import Identity

if TYPE_CHECKING:
    from luma_bench.bench.transaction import Transaction


class Session:
    """The open transactions of one Bench handle, one a thread. Thread-safe.

    Attributes
    ----------
    identity
        Who works with the handle.
    at
        The snapshot that the handle is pinned at; transactions read it, and nothing else. None for the newest.
    shelf
        The handle's prepared statements, for all of its threads.
    """

    def __init__(self, identity: Identity, at: int | None = None) -> None:
        self.identity = identity
        self.at = at
        self.shelf = Shelf()
        self._here = threading.local()
        self._lock = threading.Lock()
        # The thread's own slot dies with it; this list keeps what it left open, until the bench is closed.
        self._open: list[Transaction] = []

    @property
    def current(self) -> Transaction | None:
        """The thread's open transaction; None when it has none."""
        found: Transaction | None = getattr(self._here, "transaction", None)
        return found if found is not None and found.is_open else None

    def check_free(self, asked: str) -> None:
        """Raise `TransactionError` when this thread has a transaction open."""
        if self.current is not None:
            raise TransactionError.open_already(self.current.opened_by, asked)

    def enter(self, transaction: Transaction) -> None:
        """Make `transaction` this thread's."""
        self.check_free(transaction.opened_by)
        self._here.transaction = transaction
        with self._lock:
            self._open.append(transaction)

    def leave(self, transaction: Transaction) -> None:
        """Forget a transaction that is over, whichever thread ends it."""
        with self._lock:
            if transaction in self._open:
                self._open.remove(transaction)
        if getattr(self._here, "transaction", None) is transaction:
            self._here.transaction = None

    def close(self, path: str) -> None:
        """Roll back whatever is open, and warn where that drops changes."""
        with self._lock:
            left = list(self._open)
        staged = [transaction for transaction in left if transaction.staged]
        for transaction in left:
            transaction.end("was rolled back when the bench was closed")
        if staged:
            warnings.warn(
                f"The bench {path!r} was closed inside of a transaction begun by {staged[0].opened_by}: its changes were rolled back.",
                stacklevel=3,
            )
