"""Databases that may open files: each for exactly the files of its statements, beside the one that may open none.

The embedded database stays closed to the file system. A statement that names files runs on a database of its own, which
was locked with these files as the only ones it may open; the last few are kept for the next statement over the same files.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict

from luma_bench.config import Settings
from luma_bench.engines.duck_pool import Database

MAX_KEPT = 4
"""Databases that wait for the next statement over their files."""


class FileDatabases:
    """Databases by the files that they may open. Thread-safe."""

    def __init__(self, settings: Settings, scan_path: str) -> None:
        self._settings = settings
        self._scan_path = scan_path
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, ...], Database] = OrderedDict()
        self._running: Counter[tuple[str, ...]] = Counter()

    def begin(self, files: tuple[str, ...]) -> Database:
        """The database for these files, until `end`."""
        with self._lock:
            database = self._held.get(files)
            if database is None or database.closed:
                database = self._held[files] = Database(self._settings, self._scan_path, files)
            self._held.move_to_end(files)
            self._running[files] += 1
            return database

    def end(self, files: tuple[str, ...], *, broken: bool) -> None:
        """A statement over these files is over; a database that it broke, or that is one too many, is closed."""
        with self._lock:
            self._running[files] -= 1
            if broken and files in self._held:
                self._held.pop(files).close()
            idle = [key for key in self._held if not self._running[key]]
            for key in idle[: max(0, len(self._held) - MAX_KEPT)]:
                self._held.pop(key).close()
            self._running += Counter()  # forgets the zeros

    def close(self) -> None:
        """Close every database."""
        with self._lock:
            while self._held:
                self._held.popitem()[1].close()
