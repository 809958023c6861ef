"""Some rows of a table at a snapshot, to be read by another process: what it needs of the catalog travels with it.

A part names segments and ranges of their chunks, with the rows of them that are deleted; what is small and only in the
catalog, the inline tail, is carried whole. The types in which columns are streamed are those of the whole table, so that
all parts of it have one schema.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.errors import CorruptionError, LumaError, RemoteError
from luma_bench.storage.parts_process import RemotePlace, process_readers
from luma_bench.storage.parts_segment import RangeRef
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment import SegmentRef
from luma_bench.storage.tail import InlineBlob
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import TableSchema
from luma_bench.types.statistics import ScanStatistics

if TYPE_CHECKING:
    from luma_bench.storage.scan import TableScan


@dataclass(frozen=True, slots=True)
class TableForm:
    """What all parts of a split have in common.

    Attributes
    ----------
    table
        The table, without what only writers ask for.
    kinds
        The types in which its columns are streamed.
    folder
        Where its segments are: an absolute path, or the path below `remote`.
    chunk_rows, key_chunk_rows
        The bench's settings of these names.
    """

    table: TableSchema
    kinds: tuple[pa.DataType, ...]
    folder: str
    remote: RemotePlace | None
    chunk_rows: int
    key_chunk_rows: int


@dataclass(frozen=True, slots=True)
class TablePart:
    """A `ScanPart` of a stored table.

    Attributes
    ----------
    form
        What it has in common with the other parts.
    refs
        Segments and ranges of segments, in the order of the table.
    inline
        The tail of the table, in its last part.
    nbytes
        About what the asked columns take when they are decoded.
    home
        The pool of the bench that was split: it is used as long as the part stays in that process.
    """

    form: TableForm
    refs: tuple[SegmentRef, ...]
    inline: tuple[InlineBlob, ...]
    nbytes: int
    home: BufferPool | None = field(default=None, repr=False, compare=False)

    @property
    def rows(self) -> int:
        """The rows that it has, deleted ones not counted."""
        return sum(held.live_rows for held in (*self.refs, *self.inline))

    @property
    def segments(self) -> tuple[str, ...]:
        """The ulids of the segments that it reads, for messages."""
        return tuple(dict.fromkeys(ref.ulid for ref in self.refs))

    def open(self) -> PartScan:
        """The rows as a source in this process; see `parts_process.process_pool` for the pool that it reads through."""
        return PartScan(self)

    def why(self, error: LumaError) -> LumaError:
        """What an error of a reader elsewhere means, as this process can tell: a missing file may have been collected.

        Gives the error itself where nothing more is known, and always in another process than the one that split.
        """
        if isinstance(error, CorruptionError):
            for ref in self.refs:
                if ref.ulid == error.segment and ref.lost is not None:
                    return ref.lost(ref.ulid) or error
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        refs = tuple(_packed(ref) for ref in self.refs)
        return _unpacked, (self.form, refs, tuple(_carried(blob) for blob in self.inline), self.nbytes)


class PartScan:
    """A part of a table as a `ScanSource`: pruned by zone maps, filtered exactly, decoded ahead on threads.

    It finds no rows by key. Immutable and thread-safe.
    """

    def __init__(self, part: TablePart) -> None:
        from luma_bench.storage.scan import TableScan

        form = part.form
        home = part.home
        pool = process_readers().pool() if home is None or home.closed else home
        settings = Settings(chunk_rows=form.chunk_rows, key_chunk_rows=form.key_chunk_rows)
        refs = _placed(part.refs, form)
        self._scan: TableScan = TableScan(form.table, refs, part.inline, pool, settings, kinds=form.kinds)

    @property
    def name(self) -> str:
        """The table's name."""
        return self._scan.name

    @property
    def schema(self) -> pa.Schema:
        """`_rowid`, then the table's columns: the same for every part of a split."""
        return self._scan.schema

    def rows(self) -> int:
        """The number of rows."""
        return self._scan.rows()

    def accepts(self, predicate: Predicate) -> bool:
        """Whether to apply `predicate` here; see `TableScan.accepts`."""
        return self._scan.accepts(predicate)

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        """Batches of exactly `columns` where every predicate is TRUE; see `ScanSource.stream`.

        Raises
        ------
        CorruptionError
            While reading: bytes are not those that were written, or a segment is not there.
        RemoteError
            While reading: this machine does not see the bench's folder, or a server did not answer.
        """
        return self._scan.stream(columns, predicates, counters)

    def read(self, columns: Sequence[str] | None = None, counters: ScanCounters | None = None) -> pa.Table:
        """The rows in exactly the types that were written; see `TableScan.read`."""
        return self._scan.read(columns, counters)

    @property
    def statistics(self) -> ScanStatistics:
        """What zone maps prove about the part."""
        return self._scan.statistics


@dataclass(frozen=True, slots=True)
class Unseen:
    """Says of a segment that is missing where the bench's folder is not there either."""

    table: str
    folder: str

    def __call__(self, ulid: str) -> LumaError | None:
        """None where the folder is there: then the file itself is missing."""
        if Path(self.folder).is_dir():
            return None
        import platform

        hint = "Mount it there under the same path, or bench.publish() to an object store and open the bench by its URL."
        return RemoteError(
            f"Segment {ulid} of table {self.table!r} cannot be read by the machine {platform.node()!r}: it does not see "
            f"the folder {self.folder}.",
            hint=hint,
        )


_Packed = tuple[str, str, int, int, int | None, bytes | None, tuple[int, int, int, bool] | None]


def _packed(ref: SegmentRef) -> _Packed:
    """A reference as plain values, without its zone map."""
    span = None
    if isinstance(ref, RangeRef):
        span = (ref.segment_rows, ref.first_chunk, ref.chunks, ref.leads)
    return ref.ulid, ref.path.name, ref.rows, ref.nbytes, ref.first_row_id, _positions(ref), span


def _positions(ref: SegmentRef) -> bytes | None:
    """The deleted positions: as numbers where they are few, else as one bit for each row."""
    if ref.deleted is None or not len(ref.deleted):
        return None
    if 32 * len(ref.deleted) < ref.rows:
        return b"n" + zlib.compress(ref.deleted.astype(np.uint32).tobytes(), 1)
    mask = np.zeros(ref.rows, bool)
    mask[ref.deleted] = True
    return b"b" + zlib.compress(np.packbits(mask).tobytes(), 1)


def _deleted(data: bytes | None, rows: int) -> np.ndarray[Any, np.dtype[np.int64]] | None:
    if data is None:
        return None
    held = zlib.decompress(data[1:])
    if data[:1] == b"n":
        return np.frombuffer(held, np.uint32).astype(np.int64)
    return np.flatnonzero(np.unpackbits(np.frombuffer(held, np.uint8), count=rows)).astype(np.int64)


def _carried(blob: InlineBlob) -> InlineBlob:
    """A blob by itself: a slice of a table would take all of its buffers along."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, blob.table.schema) as writer:
        writer.write_table(blob.table)
    return replace(blob, table=pa.ipc.open_stream(sink.getvalue()).read_all())


def _unpacked(
    form: TableForm, packed: tuple[_Packed, ...], inline: tuple[InlineBlob, ...], nbytes: int
) -> TablePart:
    unseen = Unseen(form.table.name, form.folder) if form.remote is None else None
    refs: list[SegmentRef] = []
    for ulid, name, rows, size, first, positions, span in packed:
        deleted = _deleted(positions, rows)
        ref = SegmentRef(ulid, Path(form.folder, name), rows, size, first, deleted=deleted, lost=unseen)
        refs.append(ref if span is None else _range(ref, *span))
    return TablePart(form, tuple(refs), inline, nbytes)


def _placed(refs: Sequence[SegmentRef], form: TableForm) -> Sequence[SegmentRef]:
    """References that know where their bytes are: those of a remote bench that came from another process do not."""
    if form.remote is None or all(ref.source is not None for ref in refs):
        return refs
    blocks = process_readers().blocks(form.remote)
    return [
        replace(ref, source=blocks.file(f"{form.folder}/{ref.path.name}", ref.ulid, ref.nbytes))
        for ref in refs
    ]


def _range(ref: SegmentRef, segment_rows: int, first_chunk: int, chunks: int, leads: bool) -> RangeRef:
    return RangeRef(
        ulid=ref.ulid,
        path=ref.path,
        rows=ref.rows,
        nbytes=ref.nbytes,
        first_row_id=ref.first_row_id,
        deleted=ref.deleted,
        source=ref.source,
        lost=ref.lost,
        segment_rows=segment_rows,
        first_chunk=first_chunk,
        chunks=chunks,
        leads=leads,
    )
