"""Saving what can be read of a damaged table into a new one, and saying what was lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from luma_bench.errors import CancelledError, CorruptionError
from luma_bench.storage.check_segment import stored_row_ids
from luma_bench.storage.repair import RepairReport, RepairStep
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.storage.tail import exact, filtered
from luma_bench.types.schema import TableSchema

if TYPE_CHECKING:
    from luma_bench.storage.catalog.resolved import ResolvedSnapshot
    from luma_bench.storage.store import Store

SUFFIX = "_salvaged"


@dataclass(frozen=True, slots=True)
class Lost:
    """Rows that could not be read: how many, their row ids where these are known, and the columns that are damaged."""

    segment: str
    rows: int
    row_ids: tuple[int, int] | None
    columns: tuple[str, ...]

    def __str__(self) -> str:
        ids = "" if self.row_ids is None else f" with the row ids {self.row_ids[0]:,} to {self.row_ids[1]:,}"
        where = f" (damaged: {', '.join(self.columns)})" if self.columns else " (the file cannot be read)"
        return f"{self.rows:,} rows{ids} of segment {self.segment} are lost{where}"


def salvaged(
    store: Store, done: RepairReport, *, dry_run: bool, stop: threading.Event | None = None
) -> RepairReport:
    """The report of a repair with the tables that are left damaged at the newest snapshot saved beside it.

    A row is saved when all its columns can be read; of a segment that is damaged in places, the row chunks that are whole.
    """
    head = store.resolve()
    damaged = {problem.table_id for problem in done.left if problem.kind in ("file", "chunk", "values")}
    broken = {problem.segment for problem in done.left}
    steps = list(done.steps)
    for schema in list(head.tables.values()):
        live = {ref.ulid for ref in head.segments(schema.id)}
        if schema.id not in damaged or not live & broken:
            continue
        name = _free_name(head, schema.name)
        text = f"save what can be read of table {schema.name!r} into the new table {name!r}"
        if dry_run:
            steps.append(RepairStep(text))
            continue
        saving = _Saving(head, schema, stop or threading.Event())
        settings = schema.settings
        store.write(
            name,
            pa.RecordBatchReader.from_batches(schema.arrow, saving.batches()),
            primary_key=settings.primary_key,
            sort_by=settings.sort_by,
            time_column=settings.time_column,
            series_key=settings.series_key,
            message=f"what could be read of {schema.name}",
        )
        steps.append(RepairStep(f"{text}: {saving.saved:,} rows", "done", "; ".join(map(str, saving.lost))))
    return replace(done, steps=tuple(steps))


def _free_name(head: ResolvedSnapshot, table: str) -> str:
    name, number = f"{table}{SUFFIX}", 1
    while head.named(name) is not None:
        number += 1
        name = f"{table}{SUFFIX}_{number}"
    return name


class _Saving:
    """The rows of one table that can be read, and an account of the others."""

    def __init__(self, head: ResolvedSnapshot, schema: TableSchema, stop: threading.Event) -> None:
        self.saved = 0
        self.lost: list[Lost] = []
        self._head = head
        self._schema = schema
        self._stop = stop

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, in the table's order."""
        for ref in self._head.segments(self._schema.id):
            for table in self._segment(ref):
                self.saved += table.num_rows
                yield from table.to_batches()
        blobs = self._head.inline(self._schema.id)
        if blobs:
            table = pa.Table.from_arrays(
                [exact(blobs, column) for column in self._schema.columns], schema=self._schema.arrow
            )
            self.saved += table.num_rows
            yield from table.to_batches()

    def _segment(self, ref: SegmentRef) -> Iterator[pa.Table]:
        try:
            segment = Segment.open(ref)
        except CorruptionError:
            first = ref.first_row_id
            ids = None if first is None else (first, first + ref.rows - 1)
            self.lost.append(Lost(ref.ulid, ref.live_rows, ids, ()))
            return
        for chunk in range(segment.chunks):
            if self._stop.is_set():
                raise CancelledError("The repair was cancelled; nothing was saved.")
            start, rows = chunk * segment.chunk_rows, segment.rows_of(chunk)
            keep = np.ones(rows, bool)
            if ref.deleted is not None:
                low, high = np.searchsorted(ref.deleted, (start, start + rows))
                keep[ref.deleted[low:high] - start] = False
            arrays: list[pa.ChunkedArray] = []
            wrong: list[str] = []
            for column in self._schema.columns:
                try:
                    array, _ = segment.read_counted(column.id, chunk, column.type, None, column.initial)
                    array.validate(full=True)
                    arrays.append(pa.chunked_array([array]))
                except (CorruptionError, pa.ArrowInvalid):
                    wrong.append(column.name)
            if wrong:
                self.lost.append(
                    Lost(ref.ulid, int(keep.sum()), self._ids(segment, start, rows), tuple(wrong))
                )
                continue
            mask = pa.array(keep)
            kept = arrays if keep.all() else [_kept(array, mask) for array in arrays]
            yield pa.Table.from_arrays(kept, schema=self._schema.arrow)

    def _ids(self, segment: Segment, start: int, rows: int) -> tuple[int, int] | None:
        first = segment.ref.first_row_id
        if first is not None:
            return first + start, first + start + rows - 1
        try:
            ids = stored_row_ids(segment, lambda: None)[start : start + rows]
        except CorruptionError:
            return None
        return int(ids.min()), int(ids.max())


def _kept(array: pa.ChunkedArray, mask: pa.Array) -> pa.ChunkedArray:
    held = filtered(array.chunk(0), mask)
    return held if isinstance(held, pa.ChunkedArray) else pa.chunked_array([held])
