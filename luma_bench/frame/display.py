"""How a frame shows itself: its size and columns at once, and its first rows where they come at once too."""

from __future__ import annotations

import html
import time
from typing import TYPE_CHECKING, cast

import pyarrow as pa

from luma_bench.errors import CancelledError
from luma_bench.frame.estimate import SMALL, TINY, Rows, blocks, held_up, rows_of, rows_read, searched
from luma_bench.plan.expressions import ColumnRef
from luma_bench.plan.nodes import Limit, Node, Project
from luma_bench.plan.render import render
from luma_bench.plan.rules import optimize
from luma_bench.types.executor import Answer

if TYPE_CHECKING:
    from luma_bench.frame.base import Frame

SHOWN = 10
"""Rows that a frame shows of itself; no others are fetched for it."""

BUDGET = 0.025
"""Seconds that finding them may take in large inputs."""

SHORT = 1.0
"""The same in inputs of middling size."""

PATIENCE = 5.0
"""The same where inputs are small, or nothing leaves rows of theirs out."""

_NARROW = 12
"""Columns up to which the rows' own heading says all names and types."""

_EDGE = 40
"""Columns at each end whose values are fetched."""

_LISTED = 200
"""Columns that are listed, at most."""


class Display:
    """The text and the HTML of a frame."""

    __slots__ = ()

    def __repr__(self) -> str:
        return self._display("lb.DataFrame")

    def _repr_html_(self) -> str:
        return self._display("lb.DataFrame", as_html=True)

    def _display(self, what: str, *, as_html: bool = False) -> str:
        """The frame under a title that begins with what it is."""
        started = time.perf_counter()
        frame = cast("Frame", self)
        rows = rows_of(frame.plan, frame.executor)
        reason = held_up(frame.plan, frame.executor)
        head = None
        if reason is None:
            seconds = _seconds(frame)
            head = _head(frame, seconds - (time.perf_counter() - started if seconds == BUDGET else 0))
            reason = f"its first rows take more than {seconds * 1000:.0f} ms to find"
        title = f"{what}, {_size(rows, len(frame.columns), head)}"
        if head is None:
            schema = frame.schema
            return _unrun_html(title, schema, reason) if as_html else _unrun_text(title, schema, reason)
        if len(frame.columns) <= _NARROW:
            return head.titled(title, html=as_html)
        if as_html:
            return head.titled(title, html=True) + _columns_html(frame.schema)
        return f"{head.titled(title)}\n{_columns_text(frame.schema)}"


def _seconds(frame: Frame) -> float:
    """How long the first rows may take."""
    read = rows_read(frame.plan, frame.executor)
    if read <= TINY or not (searched(frame.plan) or blocks(frame.plan)):
        return PATIENCE
    return SHORT if read <= SMALL else BUDGET


def _head(frame: Frame, seconds: float) -> Answer | None:
    """The first rows as a finished result, which shows itself; None when they did not come in time."""
    plan: Node = Limit(frame.plan, SHOWN)
    if len(plan.names) > 2 * _EDGE:
        # No display has room for more; those between are left out there too.
        plan = Project(
            plan, tuple((name, ColumnRef(name)) for name in (*plan.names[:_EDGE], *plan.names[-_EDGE:]))
        )
    query = render(optimize(plan).plan)
    if seconds <= 0:
        return None
    try:
        return frame.executor.execute(query.text, tables=query.tables or None, timeout=seconds)
    except CancelledError:
        return None


def _size(rows: Rows, columns: int, head: Answer | None) -> str:
    if head is not None and not rows.exact and len(head) < SHOWN:
        # All of them are here.
        rows = Rows(len(head))
    size = f"{rows} \u00d7 {columns} column{'' if columns == 1 else 's'}"
    whole = rows.exact and (rows.count or 0) <= SHOWN
    return size if head is None or whole else f"{size}; the first {SHOWN}:"


def _pairs(schema: pa.Schema) -> list[tuple[str, str]]:
    return [(_visible(field.name), str(field.type)) for field in schema][:_LISTED]


def _visible(name: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in name)


def _more(schema: pa.Schema) -> str:
    return f"… {len(schema) - _LISTED} more columns" if len(schema) > _LISTED else ""


def _how(reason: str) -> str:
    return f"Not run: {reason}. For some rows: .head().collect()"


def _unrun_text(title: str, schema: pa.Schema, reason: str) -> str:
    pairs = _pairs(schema)
    width = max(len(name) for name, _ in pairs)
    lines = [f"  {name.ljust(width)}  {type_}" for name, type_ in pairs]
    more = _more(schema)
    return "\n".join([title, *lines, *([f"  {more}"] if more else []), _how(reason)])


def _unrun_html(title: str, schema: pa.Schema, reason: str) -> str:
    said = _how(reason).replace(".head().collect()", "<code>.head().collect()</code>")
    return f"<p>{html.escape(title)}</p>{_table_html(schema)}<p>{said}</p>"


def _columns_text(schema: pa.Schema) -> str:
    shown = ", ".join(f"{name} {type_}" for name, type_ in _pairs(schema))
    more = _more(schema)
    return f"columns: {shown}{f', {more}' if more else ''}"


def _columns_html(schema: pa.Schema) -> str:
    return f"<details><summary>{len(schema)} columns</summary>{_table_html(schema)}</details>"


def _table_html(schema: pa.Schema) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(type_)}</td></tr>"
        for name, type_ in _pairs(schema)
    )
    more = _more(schema)
    rest = f'<tr><td colspan="2">{more}</td></tr>' if more else ""
    return f"<table><thead><tr><th>column</th><th>type</th></tr></thead><tbody>{rows}{rest}</tbody></table>"
