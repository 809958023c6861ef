"""The one way of rows into a table, whatever statement writes them, and back to RETURNING as they were stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from luma_bench.storage.staging import Seen
from luma_bench.storage.store import Store
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.limits import Limits
from luma_bench.types.predicate import And, Comparison, In, Predicate
from luma_bench.types.scan import ScanCounters, ScanSource
from luma_bench.types.schema import ROW_ID, TableSchema

_LISTED = 128
_SPARSE = 8


class Sink:
    """Writes and deletes the rows of one statement.

    Attributes
    ----------
    table
        The table as the statement found it.

    Parameters
    ----------
    keep
        Whether the rows are wanted back: those that were written as they are stored, those that were deleted as they
        were.
    caps
        How many rows may be wanted back; None for any number.
    """

    def __init__(
        self,
        store: Store,
        inside: StoreTransaction,
        table: TableSchema,
        *,
        keep: bool,
        caps: Limits | None = None,
    ) -> None:
        self._store = store
        self._inside = inside
        self.table = table
        self._keep = keep
        self._caps = caps
        self._kept = 0
        self._batches: list[pa.RecordBatch] = []

    def append(self, rows: pa.Table | pa.RecordBatchReader) -> int:
        """Add rows; how many there were."""
        return self._inside.write(self.table.name, rows, mode="append", seen=self._seen)

    def replace(self, ids: np.ndarray, rows: pa.Table | pa.RecordBatchReader) -> int:
        """Put rows in the place of those of these ids; how many there were."""
        if not len(ids):
            return self.append(rows)
        return self._inside.update(self.table.name, ids, rows, seen=self._seen)

    def delete(self, ids: np.ndarray, read: ScanCounters) -> int:
        """Take rows away by their sorted ids; how many there were."""
        if self._keep and len(ids):
            self._count(len(ids))
            old = self.stored(ids, read)
            self._batches += pa.Table.from_arrays(old.columns[1:], schema=self.table.arrow).to_batches()
        return self._inside.delete(self.table.name, ids)

    def stored(self, ids: np.ndarray, read: ScanCounters) -> pa.Table:
        """The rows of sorted ids as the table holds them now, in the order of the ids."""
        scan = self._store.scan(self._inside.view(), self.table.name)
        return stored_rows(scan, ids, range(1, len(self.table.columns) + 1), read)

    @property
    def rows(self) -> pa.Table:
        """The rows that are wanted back, in the order in which they were given."""
        return pa.Table.from_batches(self._batches, self.table.arrow)

    @property
    def _seen(self) -> Seen | None:
        return self._saw if self._keep else None

    def _saw(self, batch: pa.RecordBatch) -> None:
        self._count(batch.num_rows)
        self._batches.append(batch)

    def _count(self, rows: int) -> None:
        """Give up rows that are too many before all of them are there."""
        self._kept += rows
        if self._caps is not None:
            self._caps.check_returned(self._kept, 0)


def stored_rows(scan: ScanSource, ids: np.ndarray, columns: Sequence[int], read: ScanCounters) -> pa.Table:
    """Columns of a scan, by their places in it, for the rows of sorted ids; in the order of the ids, behind `_rowid`."""
    stream = scan.stream([0, *columns], among(ids), read)
    batches = [_held(batch, ids)[0] for batch in stream]
    found = pa.Table.from_batches(batches, stream.schema)
    own = found.column(0).to_numpy()
    if len(own) > 1 and not (own[1:] > own[:-1]).all():
        found = found.take(pa.array(np.argsort(own, kind="stable")))
    return found


def joined(
    stream: pa.RecordBatchReader, ids: np.ndarray, values: pa.Table, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Stored rows of sorted ids with new values in some columns; `values` stand in the order of the ids."""
    values = values.combine_chunks()
    for batch in stream:
        batch, places = _held(batch, ids)
        if not len(places):
            continue
        new = values.take(pa.array(places))
        columns = [
            new.column(name) if name in new.column_names else pa.chunked_array([batch.column(name)])
            for name in schema.names
        ]
        yield from pa.Table.from_arrays(columns, schema=schema).to_batches()


def among(ids: np.ndarray) -> Sequence[Predicate]:
    """What a scan needs to read for sorted ids: few rows by their ids, many by the range of theirs."""
    low, high = int(ids[0]), int(ids[-1])
    if len(ids) <= _LISTED and len(ids) < high - low + 1:
        return (In(ROW_ID, tuple(ids.tolist()), "BIGINT"),)
    return (And(Comparison(ROW_ID, ">=", low, "BIGINT"), Comparison(ROW_ID, "<=", high, "BIGINT")),)


def _held(batch: pa.RecordBatch, ids: np.ndarray) -> tuple[pa.RecordBatch, np.ndarray]:
    """The rows of a batch that are among sorted ids, and the place of each of them among the ids."""
    own = batch.column(0).to_numpy()
    if len(own) and (own[1:] > own[:-1]).all():
        # Each wanted row is looked for, not each row that is there: of a large table few are wanted, mostly.
        low, high = np.searchsorted(ids, (own[0], own[-1] + 1))
        rows = np.searchsorted(own, ids[low:high])
        found = own[rows] == ids[low:high]
        rows, places = rows[found], low + np.flatnonzero(found)
    else:
        nearest = np.minimum(np.searchsorted(ids, own), len(ids) - 1)
        rows = np.flatnonzero(ids[nearest] == own)
        places = nearest[rows]
    if len(rows) == len(own):
        return batch, places
    if len(rows) < len(own) // _SPARSE:
        return batch.take(pa.array(rows)), places
    wanted = np.zeros(len(own), bool)
    wanted[rows] = True
    return batch.filter(pa.array(wanted)), places
