"""A line in a cell's output that says how far a statement is, for as long as it runs."""

from __future__ import annotations

import contextvars
import secrets
from collections.abc import Mapping
from typing import Any

from luma_bench.bench.display import one_line
from luma_bench.types.record import seconds_text

MEDIA_TYPE = "application/vnd.luma-bench.progress+json"
"""What the extension shows with a button to cancel; other front ends show the text beside it."""


class ProgressLine:
    """The line of one statement's cell. Shown from one thread, removed from the cell's own when that one is done.

    Parameters
    ----------
    publisher
        IPython's display publisher.
    alone
        Whether the cell has no other output.
    """

    first = 0.5
    """Seconds that a statement runs before it has a line."""

    def __init__(self, publisher: Any, *, alone: bool) -> None:
        self._publisher = publisher
        self._alone = alone
        self._id = secrets.token_hex(8)
        self._last: dict[str, Any] | None = None
        # A kernel tells outputs apart by the context of the cell, which another thread does not have.
        self._context = contextvars.copy_context()

    def show(self, report: Mapping[str, Any]) -> None:
        """Show a report in the place of the one before."""
        shown = {key: report[key] for key in ("run", "statement", "fraction", "elapsed")}
        self._put({"version": 1, **shown}, progress_text(report))

    def remove(self) -> None:
        """Take the line away, where there is one."""
        if self._last is None:
            return
        if self._alone:
            self._publisher.clear_output()
        else:
            self._put({"version": 1, "run": self._last["run"], "done": True}, "")

    def _put(self, data: dict[str, Any], text: str) -> None:
        update = self._last is not None
        self._last = data
        self._context.run(
            self._publisher.publish,
            {MEDIA_TYPE: data, "text/plain": text},
            {},
            transient={"display_id": self._id},
            update=update,
        )


def progress_text(report: Mapping[str, Any]) -> str:
    """`Running for 3.2 s · 45 % · SELECT …`."""
    fraction = report["fraction"]
    share = f" · {fraction:.0%}".replace("%", " %") if fraction is not None else ""
    return f"Running for {seconds_text(report['elapsed'])}{share} · {one_line(report['statement'])}"
