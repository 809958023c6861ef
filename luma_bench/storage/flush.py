"""Flushing a table's inline tail: its blobs become segments with the same rows under the same row ids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from luma_bench.storage.catalog.change import Rewrite
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.catalog.rowmap import RowMap
from luma_bench.storage.inline import adjoining, joinable, joined
from luma_bench.storage.segment import SegmentRef
from luma_bench.storage.tail import exact
from luma_bench.storage.write import Files
from luma_bench.types.schema import TableSchema


def flush(base: ResolvedSnapshot, schema: TableSchema, files: Files) -> Rewrite:
    """Store the tail as it is at the base; rows that are deleted there stay in, and stay deleted.

    Such a rewrite is optional: when another commit has flushed the tail first, that is as good.
    """
    blobs = base.holds(schema.id).blobs
    refs: list[SegmentRef] = []
    outputs: list[tuple[int, int]] = []
    runs = [group for run in adjoining(base.inline(schema.id)) for group in joinable(run)]
    for run in runs:
        whole = joined([replace(part, deleted=None) for part in run])
        table = pa.Table.from_arrays(
            [exact([whole], column) for column in schema.columns], schema=schema.arrow
        )
        ref = files.store(table, schema, whole.first_row_id)
        gone = [
            part.deleted + part.first_row_id - whole.first_row_id for part in run if part.deleted is not None
        ]
        refs.append(replace(ref, deleted=np.sort(np.concatenate(gone))) if gone else ref)
        outputs.append((whole.first_row_id, whole.rows))
    parts = {blob.part: blob.first_row_id for blob in blobs}
    return Rewrite(frozenset(parts), tuple(refs), 0, RowMap(parts, outputs), optional=True)
