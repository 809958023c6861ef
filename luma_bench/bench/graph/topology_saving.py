"""Storing what was built, on a thread of its own: no answer waits for it, and none fails because of it."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections import OrderedDict

from luma_bench.bench.graph.topology_bases import HeldEdges
from luma_bench.bench.graph.topology_files import save
from luma_bench.bench.graph.topology_shapes import EdgeShape
from luma_bench.errors import ClosedError, LumaError
from luma_bench.storage.index_store import IndexStore

_PATIENCE = 30.0


class Saving:
    """Bases that wait to be stored, the last one of each shape. Thread-safe.

    Attributes
    ----------
    warnings
        Why something could not be stored, newest last; a run record should say it once: see `take_warnings`.
    """

    def __init__(self, indexes: IndexStore) -> None:
        self.warnings: list[str] = []
        self._indexes = indexes
        self._ready = threading.Condition()
        self._waiting: OrderedDict[EdgeShape, tuple[HeldEdges, str]] = OrderedDict()
        self._busy = self._closed = self._finishes = False
        self._thread: threading.Thread | None = None

    def put(self, held: HeldEdges, graph: str) -> None:
        """Store a base soon; `graph` is the name that brought it about."""
        if self._indexes.read_only:
            return
        with self._ready:
            if self._closed:
                return
            self._waiting[held.shape] = held, graph
            if not self._finishes:
                # The thread must not be in the middle of a file when the interpreter ends below it.
                self._finishes = True
                atexit.register(_finish, weakref.ref(self))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="luma-graph-index", daemon=True)
                self._thread.start()

    def drain(self, timeout: float = _PATIENCE) -> bool:
        """Wait until nothing waits any more; whether that is so."""
        with self._ready:
            return self._ready.wait_for(lambda: not self._waiting and not self._busy, timeout)

    def close(self) -> None:
        """Finish what is being stored, and store nothing more."""
        self.drain()
        with self._ready:
            self._closed = True
            self._waiting.clear()

    def warn(self, text: str) -> None:
        """Note what a run record should say."""
        with self._ready:
            self.warnings.append(text)

    def take_warnings(self) -> tuple[str, ...]:
        """What was noted since it was asked last."""
        with self._ready:
            found, self.warnings = tuple(self.warnings), []
        return found

    def _run(self) -> None:
        while True:
            with self._ready:
                if not self._waiting or self._closed:
                    self._thread = None
                    return
                _, (held, graph) = self._waiting.popitem(last=False)
                self._busy = True
            try:
                save(self._indexes, held, graph)
            except ClosedError:
                pass  # the bench was closed meanwhile: what was not stored is built again
            except (OSError, LumaError) as error:
                reason = error.message if isinstance(error, LumaError) else (error.strerror or str(error))
                self.warn(
                    f"The index of graph {graph!r} could not be stored ({reason.rstrip('.')}): it is built again when the "
                    "bench is opened next."
                )
            finally:
                with self._ready:
                    self._busy = False
                    self._ready.notify_all()


def _finish(held: weakref.ref[Saving]) -> None:
    """At the end of the interpreter: let a bench that nobody closed finish what is being stored."""
    saving = held()
    if saving is not None:
        saving.close()
