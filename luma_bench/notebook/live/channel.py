"""Sending over a comm from any thread without moving it.

ipykernel hands a front end's messages on a comm to the subshell of whatever the kernel last published on it. A message that a
cell or a thread sends in the usual way would so bring the comm to the main shell, which is busy for as long as the cell
runs, and a request to cancel would wait for what it wants to stop. What goes through a `Channel` belongs to the message that
opened the comm, and leaves it where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast


class Channel:
    """One comm.

    Parameters
    ----------
    comm
        A comm of the `comm` package, open.
    opened
        The message that opened it, where the front end did.
    """

    def __init__(self, comm: Any, opened: Mapping[str, Any] | None = None) -> None:
        self._comm = comm
        self._parent = _header_only(opened)

    @property
    def id(self) -> str:
        """The comm's id."""
        return str(self._comm.comm_id)

    def send(self, message: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send a message; nothing happens where the comm is closed already."""
        comm = self._comm
        if getattr(comm, "_closed", False):
            return
        kernel = getattr(comm, "kernel", None)
        session = getattr(kernel, "session", None)
        socket = getattr(kernel, "iopub_socket", None)
        if session is None or socket is None:
            # Another kind of kernel, which has one shell and no subshells.
            comm.send(data=dict(message), buffers=list(buffers))
            return
        session.send(
            socket,
            "comm_msg",
            {"comm_id": self.id, "data": dict(message)},
            parent=self._parent,
            ident=comm.topic,
            buffers=list(buffers),
        )

    def listen(self, take: Callable[[dict[str, Any]], None], closed: Callable[[], None]) -> None:
        """Call `take` with each message of the front end, in the thread that it comes in, and `closed` when it closes."""
        # comm.on_msg would run IPython's events of a cell around each message, from another thread than a cell that runs.
        self._comm.handle_msg = lambda message: _take(take, message)
        self._comm.on_close(lambda _: closed())

    def refuse(self, why: str) -> None:
        """Close the comm, and say why."""
        self._comm.close(data={"type": "refused", "message": why})


def stays_where_it_is_sent(comm: Any) -> None:
    """Leave a front end's messages on a comm to the subshell that it names, whatever the kernel publishes there."""
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = _as_sent


def _as_sent(data: object, named: str | None) -> str | None:
    return named


def _take(take: Callable[[dict[str, Any]], None], message: Mapping[str, Any]) -> None:
    data = message["content"]["data"]
    if isinstance(data, dict):
        take(cast("dict[str, Any]", data))


def _header_only(message: Mapping[str, Any] | None) -> dict[str, Any]:
    return {} if message is None else {"header": message.get("header", {})}
