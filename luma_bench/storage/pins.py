"""Which snapshots are being read, so that collecting leaves them alone: at once in this process, by leases in others.

A hold costs a counter. One that lasts longer than a moment gets a lease in the catalog, from a thread that runs only
while there are holds; a read-only bench takes none and relies on the retention.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Generator

from luma_bench.errors import LumaError
from luma_bench.storage.catalog import Catalog
from luma_bench.storage.catalog.lease import Lease

LONG_SECONDS = 2.0
"""A snapshot that is read for longer than this is leased."""


class Pins:
    """The snapshots that a bench's readers hold. Thread-safe."""

    def __init__(self, catalog: Catalog, *, leases: bool) -> None:
        self._catalog = catalog
        self._leases = leases
        self._lock = threading.Lock()
        self._released: deque[int] = deque()
        self._held: dict[int, int] = {}
        self._since: dict[int, float] = {}
        self._leased: dict[int, Lease] = {}
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def held(self) -> frozenset[int]:
        """The snapshots that are held now."""
        with self._lock:
            self._let_go()
            return frozenset(self._held)

    @contextlib.contextmanager
    def hold(self, snapshot: int) -> Generator[None]:
        """Hold a snapshot for the length of a `with` block."""
        self._take(snapshot)
        try:
            yield
        finally:
            self._release(snapshot)

    def hold_for(self, owner: object, snapshot: int) -> Callable[[], object]:
        """Hold a snapshot as long as `owner` lives, or until what is given back is called."""
        self._take(snapshot)
        release = weakref.finalize(owner, self._release, snapshot)
        release.atexit = False
        return release

    def close(self) -> None:
        """Give every lease back."""
        self._closed.set()
        thread = self._thread
        if thread is not None:
            thread.join()

    def _take(self, snapshot: int) -> None:
        with self._lock:
            self._let_go()
            self._held[snapshot] = self._held.get(snapshot, 0) + 1
            self._since.setdefault(snapshot, time.monotonic())
            if self._leases and self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._watch, name="luma-pins", daemon=True)
                self._thread.start()

    def _release(self, snapshot: int) -> None:
        # A finalizer may run anywhere, also in a thread that has the lock: it only notes what is over.
        self._released.append(snapshot)

    def _let_go(self) -> None:
        """Count off what was released; the lock is held."""
        while self._released:
            snapshot = self._released.popleft()
            self._held[snapshot] -= 1
            if not self._held[snapshot]:
                del self._held[snapshot], self._since[snapshot]

    def _watch(self) -> None:
        """Lease what has been held for long, and give leases back; ends when nothing is held."""
        while not self._closed.wait(LONG_SECONDS / 2):
            with self._lock:
                self._let_go()
                old = time.monotonic() - LONG_SECONDS
                wanted = {snapshot for snapshot, since in self._since.items() if since <= old}
                if not self._held and not self._leased:
                    self._thread = None
                    return
            self._settle(wanted)
        self._settle(set())

    def _settle(self, wanted: set[int]) -> None:
        # A lease that cannot be had protects nothing, and is no reason to stop the reader: what it reads may expire.
        for snapshot in wanted - self._leased.keys():
            with contextlib.suppress(LumaError):
                self._leased[snapshot] = self._catalog.take_lease(snapshot, "read").__enter__()
        for snapshot in self._leased.keys() - wanted:
            with contextlib.suppress(LumaError):
                self._leased.pop(snapshot).__exit__(None, None, None)
