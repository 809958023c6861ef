"""How a segment is cut: rows of a chunk, chunks of a shard, and chunks that a scan may decode together."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.types.schema import TableSchema

CHUNK_BYTES = 256 << 20
"""A row chunk of one column holds at most about this much; tables of wide rows get fewer rows a chunk."""

BATCH_ROWS = 1 << 17
"""Row chunks smaller than this may be decoded and streamed together, as long as they hold no more than `CHUNK_BYTES`."""

_LARGEST_CHUNK = 1 << 30


@dataclass(frozen=True, slots=True)
class Layout:
    """The counts of one segment; `batch_chunks` adjacent chunks may become one batch."""

    rows: int
    chunk_rows: int
    batch_chunks: int
    shard_chunks: int


def layout_of(table: pa.Table, schema: TableSchema, settings: Settings) -> Layout:
    """The layout for the rows of a table without string views."""
    chunk = _chunk_rows(table, schema, settings)
    return Layout(len(table), chunk, _batch_chunks(table, chunk), max(1, settings.shard_rows // chunk))


def _chunk_rows(table: pa.Table, schema: TableSchema, settings: Settings) -> int:
    """Rows of a row chunk: the table's setting, all rows where they are fewer, and less where rows are wide."""
    wanted = settings.key_chunk_rows if schema.settings.primary_key else settings.chunk_rows
    rows = max(1, min(wanted, len(table)))
    widest = max((column.nbytes for column in table.columns), default=0)
    while rows > 1 and len(table) and widest * rows / len(table) > CHUNK_BYTES:
        rows = max(1, rows // 2)
    # Rows may be far from even: no chunk may need offsets of 64 bits.
    while rows > 1 and widest > _LARGEST_CHUNK and _exceeds(table, rows, _LARGEST_CHUNK):
        rows //= 2
    return rows


def _batch_chunks(table: pa.Table, chunk: int) -> int:
    group = max(1, min(BATCH_ROWS // chunk, -(-len(table) // chunk)))
    while group > 1 and _exceeds(table, group * chunk, CHUNK_BYTES):
        group //= 2
    return group


def _exceeds(table: pa.Table, rows: int, nbytes: int) -> bool:
    """Whether some run of `rows` rows has a column of more than `nbytes`."""
    return any(
        column.slice(start, rows).nbytes > nbytes
        for column in table.columns
        if column.nbytes > nbytes
        for start in range(0, len(table), rows)
    )


def without_views(table: pa.Table) -> pa.Table:
    """The table with string views as the offsets layout: a slice of views counts, and keeps, all the bytes it points into."""
    for i, field in enumerate(table.schema):
        if pa.types.is_string_view(field.type) or pa.types.is_binary_view(field.type):
            kind = pa.large_string() if pa.types.is_string_view(field.type) else pa.large_binary()
            table = table.set_column(i, field.with_type(kind), table.column(i).cast(kind))
    return table
