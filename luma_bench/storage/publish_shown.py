"""What a snapshot shows and nothing else: parts that hold deleted rows or dropped columns, written anew for a publication.

Rows keep their ids, their order and their values, so every answer is the one that the bench gives. New files are named by
what is in them: publishing again finds them there, and a name never comes to mean something else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import select

from luma_bench.config import Settings
from luma_bench.errors import CorruptionError
from luma_bench.storage.catalog import Catalog, ResolvedSnapshot
from luma_bench.storage.catalog.snapshot import fetch_bytes
from luma_bench.storage.catalog.tables import INLINE, SEGMENT
from luma_bench.storage.columns_dictionary import one_dictionary, taken, without_unused
from luma_bench.storage.columns_stream import one_array
from luma_bench.storage.compact.gather import Input, SegmentInput, Selection, TailInput, arranged, gathered
from luma_bench.storage.inline import TAIL_BLOBS, decode_blob, encode_blob
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment import Segment, SegmentRef, write_segment
from luma_bench.storage.tail import InlineBlob
from luma_bench.storage.ulid import ALPHABET
from luma_bench.types.schema import TableSchema

Row = dict[str, Any]
"""Values of a row of the catalog, by column."""


@dataclass(frozen=True, slots=True)
class Anew:
    """What stands in a published catalog in place of the bench's own rows.

    Attributes
    ----------
    parts
        The parts that are not published, by the names that deletions give them; their deletions are not either.
    rows
        The rows in their place, by the name of the catalog's table.
    """

    parts: frozenset[str] = frozenset()
    rows: Mapping[str, tuple[Row, ...]] = field(default=MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A segment written anew: what is published in place of a part, and the catalog's row of it."""

    table_id: int
    ref: SegmentRef
    row: Row


class Shown:
    """Finds what a snapshot's parts hold beyond what it shows, and writes the parts without it.

    Parameters
    ----------
    scratch
        A folder for new segments; who asked for one removes it.
    """

    def __init__(
        self,
        catalog: Catalog,
        resolved: ResolvedSnapshot,
        pool: BufferPool,
        settings: Settings,
        scratch: Path,
    ) -> None:
        self._catalog = catalog
        self._resolved = resolved
        self._pool = pool
        self._settings = settings
        self._scratch = scratch
        self._parts: set[str] = set()
        self._segments: list[Row] = []
        self._blobs: list[Row] = []

    @property
    def anew(self) -> Anew:
        """What was found so far."""
        rows = {SEGMENT.name: tuple(self._segments), INLINE.name: tuple(self._blobs)}
        return Anew(frozenset(self._parts), rows)

    def dirty(self) -> list[tuple[TableSchema, SegmentRef]]:
        """The segments with deleted rows, or with columns that are not shown, or not under this name.

        Raises
        ------
        CorruptionError
            A segment's index is damaged.
        """
        return [
            (table, ref)
            for table in self._resolved.tables.values()
            for ref in self._resolved.segments(table.id)
            if ref.live_rows < ref.rows or _holds_more(ref, table)
        ]

    def segment(self, table: TableSchema, ref: SegmentRef) -> Rewritten | None:
        """A segment of `dirty` without what is not shown; None when no row is left.

        Raises
        ------
        CorruptionError
            Some row cannot be read.
        CatalogError
            There is no room for the new file.
        """
        self._parts.add(ref.ulid)
        level = self._catalog.read(
            lambda connection: connection.execute(
                select(SEGMENT.c.level).where(SEGMENT.c.ulid == ref.ulid)
            ).scalar_one()
        )
        return self._written(table, [SegmentInput(ref, self._pool)], ref.first_row_id, level, ref.ulid)

    def tails(self) -> Iterator[Rewritten]:
        """Write the inline rows of every table anew that need it; those that lie too scattered become a segment.

        Raises
        ------
        CorruptionError
            An inline blob is damaged.
        """
        for table in self._resolved.tables.values():
            if self._resolved.holds(table.id).blobs:
                made = self._tail(table)
                if made is not None:
                    yield made

    def _tail(self, table: TableSchema) -> Rewritten | None:
        held = self._resolved.holds(table.id)
        gone = self._resolved.gone(table.id)
        ids = [blob.id for blob in held.blobs]
        data = self._catalog.read(lambda connection: fetch_bytes(connection, INLINE.name, ids))
        shown = {f"c{column.id}" for column in table.columns}
        rows: list[Row] = []
        parts: set[str] = set()
        for blob in held.blobs:
            crc32c, ipc = data[blob.id]
            if blob.part not in gone and _names(ipc, f"inline blob {blob.id}") <= shown:
                continue
            parts.add(blob.part)
            decoded = decode_blob(blob, crc32c, ipc, table)
            live = np.delete(np.arange(blob.rows), gone.get(blob.part, np.zeros(0, np.int64)))
            runs = np.split(live, np.flatnonzero(np.diff(live) != 1) + 1)
            rows += [_blob_row(table, decoded, run) for run in runs if len(run)]
        if not parts:
            return None
        if len(rows) + len(ids) - len(parts) <= TAIL_BLOBS:
            self._parts |= parts
            self._blobs += rows
            return None
        self._parts |= {blob.part for blob in held.blobs}
        inputs = [TailInput(blob) for blob in self._resolved.inline(table.id)]
        return self._written(table, inputs, None, 0, "")

    def _written(
        self, table: TableSchema, inputs: list[Any], first: int | None, level: int, former: str
    ) -> Rewritten | None:
        sources: list[Input] = inputs
        places = [_live(source) for source in sources]
        selection = Selection(places)
        if not selection.rows:
            return None
        arrays = [
            without_unused(arranged(gathered(sources, selection, column)[0], None, column))
            for column in table.columns
        ]
        ids = one_array(gathered(sources, selection, None)[0])
        numbers = ids.to_numpy()
        low, high = int(numbers.min()), int(numbers.max())
        ranged = first is not None and high - low + 1 == len(ids)
        made = write_segment(
            self._scratch,
            "draft",
            pa.Table.from_arrays(arrays, schema=table.arrow),
            table,
            first_row_id=low if ranged else None,
            row_ids=None if ranged else ids,
            settings=self._settings,
            sync=False,
            level=level,
        )
        name = _name_of(made.path, former)
        path = made.path.rename(self._scratch / f"{name}.zarr.zip")
        ref = SegmentRef(name, path, made.rows, made.nbytes, made.first_row_id, made.stats)
        row = {
            "ulid": name,
            "table_id": table.id,
            "level": level,
            "rows": ref.rows,
            "nbytes": ref.nbytes,
            "first_row_id": low,
            "last_row_id": high,
            "row_ids_stored": not ranged,
            "stats": ref.stats,
        }
        self._segments.append(row)
        return Rewritten(table.id, ref, row)


def _live(source: Input) -> np.ndarray:
    places = np.arange(source.rows)
    return places if source.deleted is None else np.delete(places, source.deleted)


def _holds_more(ref: SegmentRef, table: TableSchema) -> bool:
    """Whether a segment has a column that the table does not have, or not under this name."""
    shown = {(column.id, column.name) for column in table.columns}
    index = Segment.open(ref).index
    return any((int(one.metadata[b"luma.id"]), one.name) not in shown for one in index.schema)


def _names(ipc: bytes, segment: str) -> set[str]:
    try:
        return set(pa.ipc.open_stream(pa.py_buffer(ipc)).schema.names)
    except pa.ArrowInvalid as error:
        raise CorruptionError.file_of(segment, f"no Arrow data: {error}") from error


def _blob_row(table: TableSchema, blob: InlineBlob, run: np.ndarray) -> Row:
    """The catalog's row of some adjoining rows of a blob; their bytes are copied, for a slice may carry its neighbours'."""
    places = pa.array(run)
    copies = [taken(one_array(one_dictionary(column)), places) for column in blob.table.columns]
    chosen = [
        arranged(without_unused(pa.chunked_array([copy])), None, column)
        for copy, column in zip(copies, table.columns, strict=True)
    ]
    made = encode_blob(pa.Table.from_arrays(chosen, schema=table.arrow), table)
    first = blob.first_row_id + int(run[0])
    digest = hashlib.sha256(b"%d %d " % (table.id, first) + made.ipc).digest()
    return {
        "id": int.from_bytes(digest[:8], "big") >> 2,
        "table_id": table.id,
        "rows": made.rows,
        "nbytes": len(made.ipc),
        "first_row_id": first,
        "crc32c": made.crc32c,
        "ipc": made.ipc,
    }


def _name_of(path: Path, former: str) -> str:
    """A ULID made of a file's SHA-256, with the time of the segment in whose place it stands."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    number = int.from_bytes(digest[:10], "big")
    return (former[:10] or "0" * 10) + "".join(
        ALPHABET[(number >> shift) & 31] for shift in range(75, -1, -5)
    )
