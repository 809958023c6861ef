"""What a worker process keeps for fragments: its engines, its folder to spill into, and which statement runs for which task."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from distributed import WorkerPlugin

from luma_bench.config import Settings
from luma_bench.errors import CancelledError

if TYPE_CHECKING:
    from luma_bench.engines.duck import DuckEngine

NAME = "luma-bench"
_ENGINE_SHARE = 0.4
"""Of a worker's memory, what DuckDB may use; the rest holds rows on their way, decoded chunks and Python."""
_POOL_SHARE, _POOL_MOST = 0.05, 8 << 20
"""The same for decoded chunks that are kept for the next task; parts of a table are seldom read twice by one worker."""


class WorkerRoom(WorkerPlugin):
    """One a worker process; Dask makes it on each worker, also on those that join later.

    A task that nobody wants any more (its query was cancelled, its driver went away) has its statement stopped at once.
    """

    name = NAME
    idempotent = True

    def setup(self, worker: Any) -> None:
        """Take the room on this worker; what statements need loads now, not with the first of them."""
        import pyarrow.compute as _  # noqa: F401 - loaded, not used

        from luma_bench.engines.duck_pool import hook_problem
        from luma_bench.storage.parts_process import process_pool

        self._worker = worker
        self._lock = threading.Lock()
        self._engines: dict[str, DuckEngine] = {}
        self._running: dict[Any, tuple[DuckEngine, int]] = {}
        self._dropped: set[Any] = set()
        process_pool(self.settings())
        hook_problem()  # the answer is kept

    def teardown(self, worker: Any) -> None:
        """Stop everything and free the engines."""
        with self._lock:
            engines, self._engines = list(self._engines.values()), {}
        for engine in engines:
            engine.close()

    def transition(self, key: Any, start: str, finish: str, **kwargs: Any) -> None:
        """A task's state changes; one that was let go while it ran is stopped."""
        if start in ("executing", "long-running") and finish == "released":
            self.drop(key)

    def drop(self, key: Any) -> None:
        """Stop what runs for a task."""
        with self._lock:
            running = self._running.get(key)
            if running is None:
                return
            self._dropped.add(key)
        engine, thread = running
        for statement in engine.running():
            if statement.thread == thread:
                statement.stop()

    @contextlib.contextmanager
    def running(self, key: Any, engine: DuckEngine) -> Generator[None]:
        """Around a task's work in this thread."""
        with self._lock:
            self._running[key] = engine, threading.get_ident()
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(key, None)
                self._dropped.discard(key)

    def check(self, key: Any) -> None:
        """Raise when nobody wants the task any more.

        Raises
        ------
        CancelledError
            It was dropped.
        """
        if key in self._dropped:
            raise CancelledError("The task is not wanted any more.")

    def engine(self, timezone: str) -> DuckEngine:
        """The worker's engine for statements of a time zone."""
        from luma_bench.engines.duck import DuckEngine

        with self._lock:
            found = self._engines.get(timezone)
            if found is None:
                found = self._engines[timezone] = DuckEngine(self.settings(timezone))
            return found

    def settings(self, timezone: str = "") -> Settings:
        """What DuckDB and the readers of segments may use here: the worker's threads, and a share of its memory."""
        memory = int(self._worker.memory_manager.memory_limit or 0)
        return Settings(
            threads=int(self._worker.state.nthreads),
            memory_limit=int(memory * _ENGINE_SHARE),
            pool_bytes=min(_POOL_MOST, int(memory * _POOL_SHARE) or _POOL_MOST),
            spill_dir=str(self._worker.local_directory),
            timezone=timezone,
            files=(),
        )


def room_of(worker: Any) -> WorkerRoom:
    """The worker's room; made now where a scheduler that was started anew forgot it."""
    found = worker.plugins.get(NAME)
    if isinstance(found, WorkerRoom):
        return found
    made = WorkerRoom()
    made.setup(worker)
    return worker.plugins.setdefault(NAME, made)
