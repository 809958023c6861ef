"""The grid as a widget: what `result.grid()` gives, for every front end that shows Jupyter widgets."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget

from luma_bench.bench import display
from luma_bench.errors import UnsupportedError
from luma_bench.notebook.grid.connection import GridConnection
from luma_bench.notebook.grid.session import GridSession
from luma_bench.notebook.grid.shelf import has_grid
from luma_bench.notebook.live.channel import Channel, stays_where_it_is_sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from luma_bench.bench.result import Result
    from luma_bench.engines.duck import DuckEngine

STATIC = Path(__file__).parents[1] / "static"
"""Where the build puts the grid's script and style."""


class GridWidget(anywidget.AnyWidget):
    """A result as a grid in a widget; its HTML stays where no kernel answers.

    Parameters
    ----------
    result
        A finished result, which the widget keeps.
    """

    def __init__(
        self,
        result: Result,
        engine: Callable[[], DuckEngine],
        variables: MutableMapping[str, Any] | None = None,
        limit: int | None = None,
    ) -> None:
        super().__init__(_esm=_built("grid.js"), _css=_built("grid.css"))
        # The cell that made it runs on the main shell; a grid answers while another cell does.
        stays_where_it_is_sent(self.comm)
        self.result = result
        self._limit = 10 if limit is None else limit
        self._session = GridSession(result, engine, variables)
        self._connection = GridConnection(self._session, self._deliver)
        self.on_msg(self._taken)

    def close(self) -> None:
        """Close the widget, and stop what it runs."""
        self._connection.close()
        super().close()

    def __repr__(self) -> str:
        return display.text(self.result, self._limit)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        made = super()._repr_mimebundle_(**kwargs)
        if made is None:
            return None
        data, metadata = made
        shown = {
            "text/plain": display.text(self.result, self._limit),
            "text/html": display.html(self.result, self._limit),
        }
        return {**data, **shown}, metadata

    def _taken(self, widget: object, content: Any, buffers: object) -> None:
        if isinstance(content, dict):
            self._connection.take(content)

    def _deliver(self, message: dict[str, Any], buffers: tuple[bytes, ...]) -> None:
        if self.comm is not None:
            Channel(self.comm).send({"method": "custom", "content": message}, buffers)


def make_grid(
    result: Result, engine: Callable[[], DuckEngine], variables: MutableMapping[str, Any] | None = None
) -> GridWidget:
    """The grid of a result.

    Raises
    ------
    UnsupportedError
        The result has no rows to look through, or the grid's script was not built.
    """
    if not has_grid(result):
        raise UnsupportedError("This result has no rows to look through.", hint="Print it instead.")
    return GridWidget(result, engine, variables)


def _built(name: str) -> str:
    path = STATIC / name
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise UnsupportedError(
            f"The grid's {name} is not there: this copy of luma-bench was installed without its front end.",
            hint="Run scripts/extension.sh in the source tree, or install the wheel: pip install 'luma-bench[lab]'.",
        ) from error
