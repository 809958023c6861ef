"""A range of a segment's row chunks that is read as if it were a segment of its own: statistics, deleted rows and all."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from luma_bench.storage.key_sidecar import PREFIX
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.storage.segment_index import SegmentIndex, StoredArray, in_dictionary


@dataclass(frozen=True, slots=True)
class RangeRef(SegmentRef):
    """Some adjoining row chunks of a segment; `rows`, `first_row_id` and `deleted` are those of the range.

    What is decoded is pooled under the places in the whole segment, so that different ranges of it share it.

    Attributes
    ----------
    segment_rows
        Rows of the whole segment.
    first_chunk, chunks
        The range.
    leads
        Whether this one counts as the segment in the figures of a scan; the other ranges of it count as none.
    """

    segment_rows: int = 0
    first_chunk: int = 0
    chunks: int = 0
    leads: bool = True

    @property
    def whole(self) -> SegmentRef:
        """The segment that lies in the file; of its rows nothing is known here but how many there are."""
        return SegmentRef(
            self.ulid, self.path, self.segment_rows, self.nbytes, None, source=self.source, lost=self.lost
        )

    @property
    def counted(self) -> int:
        """1 for the range that stands for the segment, else 0."""
        return int(self.leads)

    @property
    def index_key(self) -> tuple[Hashable, ...]:
        """What names it, open, in a buffer pool."""
        return self.ulid, "index", self.first_chunk, self.chunks

    def opened(self, pool: BufferPool) -> Segment:
        """The range as a segment; the whole one's index comes from the pool when it was read before."""

        def load() -> tuple[Segment, int]:
            whole = self.whole.opened(pool)
            made = Segment(self, ranged(whole.index, self), self.first_chunk)
            return made, made.index.zones.nbytes

        segment: Segment = pool.get(self.index_key, load)
        return segment if segment.ref is self else segment.at(self)


def ranged(index: SegmentIndex, ref: RangeRef) -> SegmentIndex:
    """The index of a range: the same chunk table, of which every column's array starts later and ends earlier."""
    arrays: dict[str, StoredArray] = {}
    for name, array in index.arrays.items():
        by_row = not in_dictionary(name) and not name.startswith(PREFIX)
        arrays[name] = (
            replace(array, first=array.first + ref.first_chunk, chunks=ref.chunks) if by_row else array
        )
    return replace(
        index,
        rows=ref.rows,
        first_row_id=ref.first_row_id,
        arrays=arrays,
        zones=index.zones.slice(ref.first_chunk, ref.chunks),
    )


def range_of(
    ref: SegmentRef, chunk_rows: int, first_chunk: int, chunks: int, *, leads: bool = True
) -> SegmentRef:
    """Some row chunks of a segment; the segment itself where these are all, but for its zone map.

    Parameters
    ----------
    chunk_rows
        Rows of every chunk of the segment but the last.
    """
    start = first_chunk * chunk_rows
    rows = min(ref.rows - start, chunks * chunk_rows)
    if rows == ref.rows:
        return replace(ref, stats=None)
    deleted: np.ndarray[Any, Any] | None = None
    if ref.deleted is not None:
        low, high = np.searchsorted(ref.deleted, (start, start + rows))
        deleted = ref.deleted[low:high] - start if high > low else None
    return RangeRef(
        ulid=ref.ulid,
        path=ref.path,
        rows=rows,
        nbytes=ref.nbytes,
        first_row_id=None if ref.first_row_id is None else ref.first_row_id + start,
        deleted=deleted,
        source=ref.source,
        lost=ref.lost,
        segment_rows=ref.rows,
        first_chunk=first_chunk,
        chunks=chunks,
        leads=leads,
    )
