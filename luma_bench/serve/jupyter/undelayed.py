"""Kernel messages that are sent at once: one small message after another otherwise waits some 40 ms for the browser.

The operating system holds a small packet back while the one before it is not acknowledged (Nagle's algorithm), and
browsers acknowledge late. A kernel answers with two or three small messages, so that completion, cells and the pages
of a grid all wait. Tornado's `WebSocketHandler.set_nodelay` is there for this; Jupyter's server does not call it.
"""

from __future__ import annotations

from typing import Any


def undelayed(connection: type[Any]) -> type[Any]:
    """A kernel's connection to the browser like `connection`, whose messages are sent at once.

    Parameters
    ----------
    connection
        What `ServerApp.kernel_websocket_connection_class` names: the kernel is on this machine or behind a gateway.
    """

    class Undelayed(connection):
        def connect(self) -> Any:
            self.websocket_handler.set_nodelay(True)
            return super().connect()

    Undelayed.__name__ = f"Undelayed{connection.__name__}"
    return Undelayed
