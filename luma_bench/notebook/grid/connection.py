"""A session behind a channel: requests come from a front end, answers go back to it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from luma_bench.notebook.grid.session import GridSession, Reply
from luma_bench.notebook.grid.worker import Worker

_FIGURES = frozenset({"summary", "charts", "chart", "plotly"})
"""Requests that nobody waits for with a page: a view does not wait behind them."""
_QUICK = frozenset({"hello", "page", "cell", "plan"})
"""Requests that only copy what is there: they do not wait behind a sort."""
_LOG = logging.getLogger(__name__)

Send = Callable[[dict[str, Any], tuple[bytes, ...]], None]


class GridConnection:
    """Hands requests to threads: what is quick, views, and figures do not wait for each other; cancels at once.

    Parameters
    ----------
    send
        Sends a message with its buffers; called from any thread.
    """

    def __init__(self, session: GridSession, send: Send) -> None:
        self._session = session
        self._send = send
        self._quick = Worker("luma-grid-pages")
        self._slow = Worker("luma-grid-views")
        self._figures = Worker("luma-grid-figures")
        self._far = Worker("luma-grid-far-pages")

    def greet(self) -> None:
        """Send the hello that nobody asked for: what a front end waits for after it connected."""
        self._quick.put(lambda: self._answer({"type": "hello"}))

    def take(self, message: Mapping[str, Any]) -> None:
        """A message of the front end."""
        kind = message.get("type")
        if kind == "close":
            self.close()
        elif kind == "cancel":
            # It waits until what it stops has ended, and no other cancel waits for that.
            _aside(lambda: self._answer(message))
        else:
            self._worker(kind, message).put(lambda: self._answer(message))

    def close(self) -> None:
        """The front end is gone."""
        _aside(self._session.close)
        for worker in (self._quick, self._far, self._slow, self._figures):
            worker.close()

    def _worker(self, kind: object, message: Mapping[str, Any]) -> Worker:
        if kind in _FIGURES:
            return self._figures
        if kind not in _QUICK:
            return self._slow
        return self._far if kind == "page" and self._session.is_far(message) else self._quick

    def _answer(self, message: Mapping[str, Any]) -> None:
        try:
            reply = self._session.handle(message)
        except Exception as error:  # noqa: BLE001 - a fault of one answer is told to who asked, and ends nothing else
            _LOG.exception("The grid could not answer %r.", message.get("type"))
            told = f"{type(error).__name__}: {error}"
            reply = Reply({"type": "error", "id": message.get("id"), "message": told, "hint": ""})
        if reply is not None:
            self._deliver(reply)

    def _deliver(self, reply: Reply) -> None:
        self._send(reply.message, reply.buffers)


def _aside(call: Callable[[], None]) -> None:
    threading.Thread(target=call, name="luma-grid-cancel", daemon=True).start()
