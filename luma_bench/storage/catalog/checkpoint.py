"""Folding SQLite's write-ahead log into the catalog's file, beside the commits and not in them."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from pathlib import Path

COMMITS = 128
"""So many commits of this process let the log be folded in."""

LOG_PAGES = 2048
"""Past this length of the log (8 MB) a commit finishes the folding itself, so that the log starts anew.

While others commit, folding beside them never reaches the log's end, and only a log that is folded to its end starts anew.
"""

_LOG = logging.getLogger("luma_bench.storage")


class Checkpointer:
    """Runs a passive checkpoint in a thread of its own every `COMMITS` commits. Thread-safe.

    The thread lives only as long as one checkpoint, so a bench that is never closed leaves none behind.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._count = 0
        self._thread: threading.Thread | None = None
        self._closed = False

    def committed(self) -> None:
        """Count a commit, and begin a checkpoint when it is time and none is under way."""
        with self._lock:
            self._count += 1
            if (
                self._count < COMMITS
                or self._closed
                or (self._thread is not None and self._thread.is_alive())
            ):
                return
            self._count = 0
            self._thread = threading.Thread(target=self._fold, name="luma-checkpoint", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait for a checkpoint that is under way; none begins after it."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            thread.join()

    def _fold(self) -> None:
        try:
            uri = f"{self._path.absolute().as_uri()}?mode=rw"
            with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            # Nothing is lost: the log holds every commit, and the next checkpoint tries again.
            _LOG.warning("The log of %s was not folded in: %s.", self._path, error)
