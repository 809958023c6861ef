"""What every handler has in common: who may ask, threads, and replies as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus, client
from typing import TYPE_CHECKING, Any, cast

import msgspec
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado.web import authenticated

from luma_bench.errors import LumaError
from luma_bench.serve.jupyter.failures import failure, status_of, told

if TYPE_CHECKING:
    from luma_bench.serve.jupyter.extension import LumaBenchExtension
    from luma_bench.serve.jupyter.lanes import Lane

RESOURCE = "luma_bench"
"""What a Jupyter server's authorizer is asked about; the action is always "read"."""
_HINTS: dict[int, str] = {
    HTTPStatus.FORBIDDEN: "Log in, or send the server's token.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "The Jupyter server's log says more.",
}

Method = Callable[..., Awaitable[None]]


def for_readers(method: Method) -> Method:
    """A handler's method for those who are logged in and may read: others get 403."""
    checked = cast("Method", authorized("read", RESOURCE)(cast("Any", method)))
    return cast("Method", authenticated(checked))


class LumaHandler(ExtensionHandlerMixin, APIHandler):  # pyright: ignore[reportIncompatibleVariableOverride]
    """A request about texts or benches.

    Every method of a subclass is `for_readers`; all work runs in a thread of a lane.
    """

    _asked: asyncio.Task[bytes] | None = None
    _gone = False

    @property
    def app(self) -> LumaBenchExtension:
        """The extension, with its settings, lanes and benches."""
        return cast("LumaBenchExtension", self.extensionapp)

    @property
    def arguments(self) -> Mapping[str, str]:
        """The address's arguments, each by its last value, as typed: names may begin with spaces."""
        return {
            name: self.get_query_argument(name, "", strip=False) or ""
            for name in self.request.query_arguments
        }

    async def answer(self, lane: Lane, work: Callable[[], Mapping[str, Any]], seconds: float) -> None:
        """Reply with what `work` gives, or with its error.

        Parameters
        ----------
        work
            Runs in a thread of the lane; what it gives becomes JSON there too.
        seconds
            How long it may take.
        """
        self._asked = asyncio.ensure_future(lane.run(lambda: msgspec.json.encode(work()), seconds))
        try:
            reply = await self._asked
        except LumaError as error:
            status = status_of(error)
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                self.log.warning(
                    "luma_bench: %s %s: %s", self.request.method, self.request.path, error.message
                )
            self.set_status(status)
            reply = msgspec.json.encode(failure(error))
        except asyncio.CancelledError:
            if self._gone:
                return
            raise
        self.set_header("Cache-Control", "no-store")
        await self.finish(reply)

    def on_connection_close(self) -> None:
        """Nobody waits any more: what has not begun need not."""
        self._gone = True
        if self._asked is not None:
            self._asked.cancel()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Failures of the server around a request, in the same form."""
        error = kwargs.get("exc_info", (None, None))[1]
        message = getattr(error, "log_message", None) or client.responses.get(status_code, "Unknown error")
        hint = _HINTS.get(status_code)
        self.set_header("Content-Type", "application/json")
        self.finish(msgspec.json.encode(told(str(message), hint)))
