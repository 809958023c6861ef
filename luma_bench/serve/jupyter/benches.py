"""Benches that the server keeps open: read-only, a bounded number, each as long as its files are the same."""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luma_bench.errors import CatalogError

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

Opener = Callable[[str], "Bench"]
Mark = tuple[tuple[int, ...], ...]
_FIRST = (
    "luma_bench.bench.assist",
    "luma_bench.bench.bench",
    "luma_bench.bench.display",
    "luma_bench.bench.statements",
    "luma_bench.engines.cluster.engine",
    "luma_bench.engines.duck",
    "luma_bench.engines.duck_inspect",
    "luma_bench.engines.duck_source",
    "luma_bench.engines.lowering",
    "luma_bench.engines.point",
    "luma_bench.engines.polars.engine",
    "luma_bench.engines.statistics",
    "luma_bench.frame",
    "luma_bench.storage.store",
    "pandas",  # DuckDB's client imports it with its first question
)
_MARKED = ("luma.toml", "catalog.sqlite", "published/latest.json")


class _Kept:
    """One open bench, and how many requests work with it."""

    __slots__ = ("bench", "lock", "mark", "used", "users")

    def __init__(self, mark: Mark | None) -> None:
        self.bench: Bench | None = None
        self.lock = threading.Lock()
        self.mark = mark
        self.users = 0
        self.used = time.monotonic()


class OpenBenches:
    """Opens benches for requests and keeps the last ones open. Thread-safe.

    Parameters
    ----------
    opened
        Opens the bench at a real path or URL.
    limit
        How many stay open while no request works with them.
    idle
        Seconds after which one that nobody asked for is closed.
    """

    def __init__(self, opened: Opener, limit: int = 8, idle: float = 600.0) -> None:
        self._opened = opened
        self._limit = limit
        self._idle = idle
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    @contextlib.contextmanager
    def using(self, place: str) -> Generator[Bench]:
        """The bench at a real path or URL, open for the block; at its newest snapshot.

        A bench that was removed, or made anew at the same path, is not taken for the one that was there.

        Raises
        ------
        LumaError
            It cannot be opened.
        """
        kept = self._taken(place)
        try:
            with kept.lock:
                if kept.bench is None:
                    kept.bench = self._opened(place)
            yield kept.bench
        finally:
            self._given_back(place, kept)

    def sweep(self) -> None:
        """Close benches that nobody asked for in a while, or whose files are gone or others."""
        before = time.monotonic() - self._idle
        with self._lock:
            gone = [
                place
                for place, kept in self._kept.items()
                if not kept.users and (kept.used < before or _mark(place) != kept.mark)
            ]
            dropped = [self._kept.pop(place) for place in gone]
        _close(dropped)

    def close(self) -> None:
        """Stop what runs and close every bench; those in use when their requests end."""
        with self._lock:
            self._closed = True
            kept = list(self._kept.values())
            self._kept.clear()
        for item in kept:
            if item.users and item.bench is not None:
                item.bench.cancel()
        _close([item for item in kept if not item.users])

    def __len__(self) -> int:
        return len(self._kept)

    def _taken(self, place: str) -> _Kept:
        mark = _mark(place)
        with self._lock:
            if self._closed:
                raise CatalogError("The server is stopping.", hint="Ask again once it runs.")
            kept = self._kept.get(place)
            stale = None
            if kept is not None and kept.mark != mark:
                stale = self._kept.pop(place)
                kept = None
            if kept is None:
                kept = self._kept[place] = _Kept(mark)
            kept.users += 1
        if stale is not None and not stale.users:
            _close([stale])
        return kept

    def _given_back(self, place: str, kept: _Kept) -> None:
        with self._lock:
            kept.users -= 1
            kept.used = time.monotonic()
            current = self._kept.get(place) is kept
            dropped: list[_Kept] = []
            if current and kept.bench is None and not kept.users:
                del self._kept[place]
            elif current:
                self._kept.move_to_end(place)
            elif not kept.users:
                dropped.append(kept)
            free = [name for name, item in self._kept.items() if not item.users]
            dropped += [self._kept.pop(name) for name in free[: max(0, len(self._kept) - self._limit)]]
        _close(dropped)


def _close(dropped: list[_Kept]) -> None:
    for item in dropped:
        if item.bench is not None:
            item.bench.close()


def _mark(place: str) -> Mark | None:
    """What tells a bench's files from others at the same path; None for a URL."""
    if "://" in place:
        return None
    found: list[tuple[int, ...]] = []
    for name in _MARKED:
        try:
            about = os.stat(os.path.join(place, name))  # noqa: PTH116, PTH118 - at every request
        except OSError:
            found.append(())
            continue
        # A catalog is written to all the time and stays the same file; the others are only ever replaced.
        changed = () if name == "catalog.sqlite" else (about.st_ctime_ns,)
        found.append((about.st_dev, about.st_ino, *changed))
    return tuple(found)


def preload() -> None:
    """Load what the first bench and the first text need: a second or two that nobody then waits for."""
    for name in _FIRST:
        importlib.import_module(name)
    from luma_bench.bench.assist import complete

    complete("SELECT ", len("SELECT "), None)  # it asks the engine for its functions, once a process


def opener(*, threads: int, memory_limit: int, timeout: float) -> Opener:
    """How the server opens a bench: read-only, small, and without leave to read or write any other file.

    Parameters
    ----------
    threads, memory_limit
        What a question of the server's own may use; bytes.
    timeout
        Seconds after which it is stopped.
    """
    settings: dict[str, Any] = {
        "threads": threads,
        "memory_limit": memory_limit,
        "pool_bytes": 64 << 20,
        "result_cache_bytes": 0,
        "timeout": timeout,
        "files": (),
        "files_write": (),
    }

    def opened(place: str) -> Bench:
        from luma_bench.bench.bench import open as open_bench

        try:
            return open_bench(place if "://" in place else Path(place), mode="r", **settings)
        except OSError as error:
            raise CatalogError(
                f"{place[:200]!r} cannot be opened: {error.strerror or error}.",
                hint="Give the path of a bench's folder that the server's process may read.",
            ) from error

    return opened
