"""The inline tail of a table: small writes kept in the catalog, in the form that a scan streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.storage.columns_stream import streamed
from luma_bench.storage.evolve_values import column_of
from luma_bench.types import arrays
from luma_bench.types.schema import Column

__all__ = ["InlineBlob", "exact", "filtered", "row_ids", "streamed"]


@dataclass(frozen=True, slots=True)
class InlineBlob:
    """A small write, decoded: rows under the schema's names and types, with contiguous row ids.

    `deleted` holds the sorted int64 positions of rows deleted at this snapshot, or None.
    """

    id: int
    rows: int
    first_row_id: int
    table: pa.Table
    deleted: np.ndarray | None = None

    @property
    def live_rows(self) -> int:
        """Rows that are not deleted."""
        return self.rows - (0 if self.deleted is None else len(self.deleted))

    def keep(self) -> pa.BooleanArray | None:
        """The mask of live rows, or None when all are."""
        if self.deleted is None or not len(self.deleted):
            return None
        mask = np.ones(self.rows, bool)
        mask[self.deleted] = False
        return arrays.mask(mask)


def row_ids(blobs: Sequence[InlineBlob]) -> pa.Array:
    """The row ids of the live rows of all blobs."""
    parts = [np.zeros(0, np.int64)]
    for blob in blobs:
        ids = np.arange(blob.first_row_id, blob.first_row_id + blob.rows)
        parts.append(ids if blob.deleted is None else np.delete(ids, blob.deleted))
    return arrays.integers(np.concatenate(parts))


def exact(blobs: Sequence[InlineBlob], column: Column) -> pa.ChunkedArray:
    """The live rows of one column in its present type; its initial value where a blob lacks the column."""
    parts: list[pa.Array] = []
    for blob in blobs:
        data = column_of(blob.table, column.name, column)
        keep = blob.keep()
        parts += (data if keep is None else filtered(data, keep)).chunks
    return pa.chunked_array(parts, column.type)


def filtered(data: Any, keep: pa.BooleanArray) -> Any:
    """The kept rows of an array, chunked array, batch or table of any type; Arrow cannot filter string views."""
    try:
        return data.filter(keep)
    except pa.ArrowNotImplementedError:
        runs = np.flatnonzero(keep.to_numpy(zero_copy_only=False))
        parts = [
            data.slice(int(run[0]), len(run))
            for run in np.split(runs, np.flatnonzero(np.diff(runs) != 1) + 1)
            if len(run)
        ]
        chunks = [
            chunk
            for part in parts
            for chunk in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])
        ]
        return pa.chunked_array(chunks, data.type)
