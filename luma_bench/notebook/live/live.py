"""The front ends of one notebook: each is told what is open and what runs, and may stop it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

from luma_bench.notebook.grid.worker import Worker
from luma_bench.notebook.live.channel import Channel
from luma_bench.notebook.live.line import ProgressLine
from luma_bench.notebook.live.state import state_of
from luma_bench.notebook.live.watch import Watch, stop_run

if TYPE_CHECKING:
    from luma_bench.bench.activity import RunningQuery
    from luma_bench.bench.bench import Bench

TARGET = "luma-bench"
"""The comm that a front end opens, once a notebook."""
LONGEST = 80
"""Characters of a statement in a report."""


class Live:
    """Thread-safe.

    Parameters
    ----------
    shell
        An IPython shell in a kernel.
    find_bench
        The notebook's bench now.
    pinned
        The snapshot that the notebook pins a bench at.

    Attributes
    ----------
    badge
        What the newest statement of a cell ran as, for the report that it is done.
    """

    def __init__(
        self,
        shell: Any,
        find_bench: Callable[[], Bench | None],
        pinned: Callable[[Bench | None], int | None],
    ) -> None:
        self.badge = ""
        self._shell = shell
        self._find = find_bench
        self._pinned = pinned
        self._lock = threading.Lock()
        self._channels: dict[str, Channel] = {}
        self._handlers: dict[str, Callable[[dict[str, Any]], None]] = {"cancel": self._cancel}
        self._stops = Worker("luma-cancel")
        self._watch: Watch | None = None

    @property
    def connected(self) -> bool:
        """Whether a front end listens."""
        return bool(self._channels)

    def start(self) -> None:
        """Watch cells from now on."""
        self._shell.events.register("pre_run_cell", self._begin)
        self._shell.events.register("post_run_cell", self._end)

    def stop(self) -> None:
        """Let every front end go."""
        for name, hook in (("pre_run_cell", self._begin), ("post_run_cell", self._end)):
            with contextlib.suppress(ValueError):  # unloaded twice
                self._shell.events.unregister(name, hook)
        self._rest()
        self._stops.close()
        with self._lock:
            left = list(self._channels.values())
            self._channels.clear()
        for channel in left:
            channel.refuse("luma_bench was unloaded.")

    def opened(self, comm: Any, message: Mapping[str, Any]) -> None:
        """A front end opened `TARGET`."""
        channel = Channel(comm, message)
        channel.listen(self._take, lambda: self._forget(channel.id))
        with self._lock:
            self._channels[channel.id] = channel
        channel.send(self._state())

    def on(self, kind: str, handler: Callable[[dict[str, Any]], None]) -> None:
        """Have messages of a type handled; `handler` runs in whatever thread they come in."""
        self._handlers[kind] = handler

    def send(self, message: Mapping[str, Any]) -> None:
        """Tell every front end something."""
        with self._lock:
            channels = list(self._channels.values())
        for channel in channels:
            channel.send(message)

    def tell(self) -> None:
        """Tell every front end what is open now."""
        if self.connected:
            self.send(self._state())

    @contextlib.contextmanager
    def line(self, bench: Bench, *, alone: bool) -> Generator[None]:
        """Within the block, a statement of the bench that runs long shows its progress in the cell's output.

        Parameters
        ----------
        alone
            Whether the cell has no other output, so that the line can be taken away without a trace.
        """
        if not alone and not self.connected:
            yield
            return
        shown = ProgressLine(self._shell.display_pub, alone=alone)
        watch = Watch(
            lambda: bench, lambda query: shown.show(report(query)), lambda _: None, first=shown.first
        )
        try:
            yield
        finally:
            watch.stop()
            shown.remove()

    # --- what cells and front ends say ---

    def _state(self) -> dict[str, Any]:
        bench = self._find()
        return state_of(bench, self._pinned(bench))

    def _begin(self, info: object = None) -> None:
        self._rest()
        self.badge = ""
        if self.connected:
            self._watch = Watch(self._find, lambda query: self.send(report(query)), self._done)

    def _end(self, outcome: object = None) -> None:
        self._rest()
        self.tell()

    def _rest(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.stop()

    def _done(self, number: int) -> None:
        self.send({"type": "done", "run": number, "badge": self.badge})

    def _take(self, message: dict[str, Any]) -> None:
        handler = self._handlers.get(str(message.get("type")))
        if handler is not None:
            handler(message)

    def _cancel(self, message: dict[str, Any]) -> None:
        number = message.get("run")
        if isinstance(number, int):
            bench = self._find()
            self._stops.put(lambda: stop_run(bench, number))

    def _forget(self, number: str) -> None:
        with self._lock:
            self._channels.pop(number, None)


def report(query: RunningQuery) -> dict[str, Any]:
    """The message `progress` of a running statement."""
    text = " ".join(query.text.split())
    return {
        "type": "progress",
        "run": query.id,
        "statement": text if len(text) <= LONGEST else text[: LONGEST - 1] + "…",
        "fraction": query.progress,
        "elapsed": round(query.elapsed, 3),
    }
