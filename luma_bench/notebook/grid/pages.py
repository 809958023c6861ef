"""Pages: some rows of some columns of a view, as an Arrow IPC stream that is small enough to send."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from luma_bench.notebook.grid.columns import GridColumn
from luma_bench.notebook.grid.shown import shown_field

PAGE = 200
"""Rows that a front end asks for at once."""
FIRST_COLUMNS = 64
"""Columns of a result's first page."""
FIRST_BYTES = 190_000
"""What a result's first page may take; with the rest of the message it stays below 200 kB."""
MOST_BYTES = 4 << 20
"""What any other page may take."""
MOST_ROWS = 5_000
"""Rows of any other page."""

_FEW = 10_000
"""Rows up to which they are taken chunk by chunk."""

Rows = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]


class Places(Protocol):
    """Which rows of a result a view has, in its order."""

    @property
    def count(self) -> int:
        """How many."""
        ...

    def rows(self, start: int, stop: int) -> Rows | None:
        """Positions in the result of the view's rows `start` to `stop`; None where they are the same."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """Rows `offset` to `offset + count` of a view, of the columns from `first` up to, but without, `stop`."""

    offset: int
    count: int
    first: int
    stop: int
    ipc: bytes


def first_page(table: pa.Table, columns: Sequence[GridColumn]) -> Page:
    """The first rows of the first columns of a result: as many as fit."""
    count, stop = min(PAGE, table.num_rows), min(FIRST_COLUMNS, len(columns))
    batch = _batch(table.select(list(range(stop))).slice(0, count), columns[:stop])
    ipc = _ipc(batch)
    while len(ipc) > FIRST_BYTES and (count > 1 or stop > 1):
        if count > 20 or stop == 1:
            # Wide rows: fewer of them, in one step where their sizes are alike.
            count = max(1, min(count - 1, int(count * FIRST_BYTES / len(ipc))))
        else:
            stop = (stop + 1) // 2
        batch = batch.slice(0, count).select(list(range(stop)))
        ipc = _ipc(batch)
    return Page(0, count, 0, stop, ipc)


def page(
    table: pa.Table,
    columns: Sequence[GridColumn],
    view: Places,
    offset: int,
    count: int,
    first: int,
    stop: int,
) -> Page:
    """Some rows of a view, fewer than asked for where they would be too many bytes."""
    offset = min(offset, view.count)
    count = min(count, MOST_ROWS, view.count - offset)
    chosen = table.select(list(range(first, stop)))
    rows = view.rows(offset, offset + count)
    part = chosen.slice(offset, count) if rows is None else rows_at(chosen, rows)
    batch = _batch(part, columns[first:stop])
    ipc = _ipc(batch)
    while len(ipc) > MOST_BYTES and count > 1:
        count = max(1, min(count - 1, int(count * MOST_BYTES / len(ipc))))
        batch = batch.slice(0, count)
        ipc = _ipc(batch)
    return Page(offset, count, first, stop, ipc)


def rows_at(table: pa.Table, rows: Rows) -> pa.Table:
    """Rows of a table by position, in the order of the positions."""
    chunks = table.column(0).num_chunks if table.num_columns else 0
    if len(rows) > _FEW or chunks < 2 or any(column.num_chunks != chunks for column in table.columns):
        return table.take(pa.array(rows))
    # A few rows of many chunks: from each chunk its own, which is a tenth of the work of taking from all of them.
    ends = np.cumsum([len(chunk) for chunk in table.column(0).chunks])
    homes = np.searchsorted(ends, rows, side="right")
    order = np.argsort(homes, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(homes[order])) + 1) if len(order) else []
    back = np.empty(len(rows), np.int64)
    back[order] = np.arange(len(rows))
    places = [
        (
            int(homes[group[0]]),
            pa.array(
                rows[group] - (ends[homes[group[0]]] - len(table.column(0).chunk(int(homes[group[0]]))))
            ),
        )
        for group in groups
    ]
    taken = [_gathered(column, places, pa.array(back)) for column in table.columns]
    return pa.Table.from_arrays(taken, schema=table.schema)


def _gathered(column: pa.ChunkedArray, places: list[tuple[int, pa.Array]], back: pa.Array) -> pa.ChunkedArray:
    parts = [column.chunk(home).take(within) for home, within in places]
    return pa.chunked_array(parts, column.type).take(back) if parts else column.slice(0, 0)


def _batch(part: pa.Table, columns: Sequence[GridColumn]) -> pa.RecordBatch:
    made = [shown_field(values, column) for values, column in zip(part.columns, columns, strict=True)]
    schema = pa.schema([field for field, _ in made])
    if not made:
        return pa.RecordBatch.from_arrays([], schema=schema)
    return pa.RecordBatch.from_arrays([array for _, array in made], schema=schema)


def _ipc(batch: pa.RecordBatch) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()
