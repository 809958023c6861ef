"""Which rows of a view hold given primary keys, as row ids: what appends must not meet and upserts replace."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.key_index import KeyFinder
from luma_bench.storage.keys import exists_error, shown_key
from luma_bench.storage.locate import row_ids_at
from luma_bench.storage.pool import BufferPool
from luma_bench.types.schema import TableSchema

FREE = -1
"""What stands for a key that no live row holds."""


def held_rows(
    view: ResolvedSnapshot, schema: TableSchema, keys: Sequence[pa.Table], pool: BufferPool
) -> np.ndarray:
    """The int64 row id of the live row that holds each key, or `FREE`; in the order of the keys.

    Parameters
    ----------
    keys
        The key columns of the rows, in the table's exact types.
    """
    wanted = pa.concat_tables(keys)
    held = np.full(wanted.num_rows, FREE, np.int64)
    inline = view.inline(schema.id)
    found = KeyFinder(schema, view.segments(schema.id), inline, pool).find(wanted)
    starts = {str(blob.id): blob.first_row_id for blob in inline}
    for number, part in enumerate(found.parts):
        rows = np.flatnonzero(found.part_of == number)
        if not len(rows):
            continue
        places = found.position[rows]
        first = starts.get(part)
        held[rows] = row_ids_at(view, schema.id, part, places, pool) if first is None else places + first
    return held


def check_free(schema: TableSchema, keys: Sequence[pa.Table], held: np.ndarray, gone: np.ndarray) -> None:
    """Refuse keys that rows hold already, but for the rows `gone`.

    Raises
    ------
    ConstraintError
        Naming one such key.
    """
    taken = np.flatnonzero((held != FREE) & ~np.isin(held, gone))
    if len(taken):
        raise exists_error(schema, shown_key(schema, pa.concat_tables(keys), int(taken[0])))
