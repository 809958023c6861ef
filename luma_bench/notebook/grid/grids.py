"""The grids of one notebook: the results that its cells show, the front ends that look at them, the engine behind them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from luma_bench.notebook.grid.shelf import Shelf, has_grid
from luma_bench.notebook.live.channel import Channel

if TYPE_CHECKING:
    from luma_bench.bench.result import Result
    from luma_bench.engines.duck import DuckEngine
    from luma_bench.notebook.grid.connection import GridConnection
    from luma_bench.notebook.grid.widget import GridWidget

TARGET = "luma-bench:grid"
"""The comm that a front end opens, with `{"result": token}`."""
MEDIA_TYPE = "application/vnd.luma-bench.grid+json"
"""What stands in an output beside its HTML."""
MOST_OPEN = 200
"""Grids that are answered at once; a browser that went away without a word leaves its own behind."""
_GONE = "This result is not in memory any more. Run the cell again."


class Grids:
    """Thread-safe.

    Parameters
    ----------
    variables
        The notebook's namespace.
    """

    def __init__(self, variables: MutableMapping[str, Any]) -> None:
        self._variables = variables
        self._shelf = Shelf()
        self._lock = threading.Lock()
        self._engine: DuckEngine | None = None
        self._open: OrderedDict[str, tuple[Channel, GridConnection]] = OrderedDict()

    def engine(self) -> DuckEngine:
        """The engine that compares, sorts and counts rows of results; made when it is first asked for."""
        with self._lock:
            if self._engine is None:
                from luma_bench.config import Settings
                from luma_bench.engines.duck import DuckEngine

                self._engine = DuckEngine(Settings())
            return self._engine

    def mention(self, result: Result, limit: int | None = None) -> dict[str, Any] | None:
        """What an output holds for a front end to find the result by; None where there is nothing to look through.

        Parameters
        ----------
        limit
            Rows to show before they scroll; None leaves it to the front end.
        """
        if not has_grid(result):
            return None
        shown = {} if limit is None else {"limit": limit}
        return {
            "version": 1,
            "result": self._shelf.put(result),
            "rows": len(result),
            "columns": len(result.schema),
            **shown,
        }

    def widget(self, result: Result) -> GridWidget:
        """The grid of a result as a widget.

        Raises
        ------
        UnsupportedError
            The result has no rows to look through, or a part of the grid is not installed.
        """
        try:
            from luma_bench.notebook.grid.widget import make_grid
        except ImportError as error:
            from luma_bench.errors import UnsupportedError

            raise UnsupportedError(
                f"A grid needs {error.name}.", hint="Install it: pip install 'luma-bench[lab]'."
            ) from error
        return make_grid(result, self.engine, self._variables)

    def opened(self, comm: Any, message: Mapping[str, Any]) -> None:
        """A front end opened `TARGET`: greet it, or close the comm where the result is gone."""
        channel = Channel(comm, message)
        data = message["content"]["data"]
        result = self._shelf.get(data.get("result") if isinstance(data, Mapping) else None)
        if result is None:
            channel.refuse(_GONE)
            return
        # The engine's library loads with the first grid, not with the extension.
        from luma_bench.notebook.grid.connection import GridConnection
        from luma_bench.notebook.grid.session import GridSession

        connection = GridConnection(GridSession(result, self.engine, self._variables), channel.send)
        number = channel.id

        def closed() -> None:
            with self._lock:
                self._open.pop(number, None)
            connection.close()

        channel.listen(connection.take, closed)
        with self._lock:
            self._open[number] = (channel, connection)
            spare = [self._open.popitem(last=False)[1] for _ in range(len(self._open) - MOST_OPEN)]
        for left in spare:
            _end(*left)
        connection.greet()

    def close(self) -> None:
        """End every grid, and keep nothing."""
        with self._lock:
            left, engine = list(self._open.values()), self._engine
            self._open.clear()
            self._engine = None
        for item in left:
            _end(*item)
        self._shelf.clear()
        if engine is not None:
            engine.close()


def _end(channel: Channel, connection: GridConnection) -> None:
    connection.close()
    channel.refuse("The notebook closed this grid.")
