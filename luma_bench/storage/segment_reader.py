"""Fetching the arrays of a segment for one column: read by offset, compared with the checksum, decoded, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import google_crc32c
import numpy as np
import pyarrow as pa

from luma_bench.errors import CorruptionError
from luma_bench.storage.codecs import CodecError, filled
from luma_bench.storage.codecs_choose import CODECS, FROM_BYTES
from luma_bench.storage.columns_join import Joiner
from luma_bench.storage.files import LocalFile
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment_index import in_dictionary

if TYPE_CHECKING:
    from luma_bench.storage.segment import Segment


class SegmentReader:
    """Fetches and decodes the arrays of one segment for one column, and counts the bytes it reads."""

    def __init__(self, segment: Segment, label: str, pool: BufferPool | None) -> None:
        self._segment = segment
        self._label = label
        self._pool = pool
        self.nbytes = 0

    def has(self, array: str) -> bool:
        """Whether the segment has the array."""
        return array in self._segment.index.arrays

    def dtype(self, array: str) -> np.dtype:
        """The array's element type."""
        return self._segment.index.arrays[array].dtype

    def fetch(self, array: str, chunk: int) -> pa.Buffer | None:
        """One decoded chunk; None where it was left out.

        Raises
        ------
        CorruptionError
            Its bytes do not match their checksum, or do not decode.
        """
        index, ulid = self._segment.index, self._segment.ref.ulid
        stored = index.arrays.get(array)
        place = chunk if in_dictionary(array) else self._segment.base + chunk
        if stored is None:
            raise CorruptionError.chunk_of(ulid, self._label, place, f"the array {array} is missing")
        at = stored.first + chunk
        table = index.chunks
        length, count = int(table.length[at]), int(table.count[at])
        if length == 0:
            return filled(stored.fill, count, stored.dtype) if count else None
        offset, crc = int(table.offset[at]), int(table.crc[at])
        encoded = self._bytes(offset, length, place, stored.codec)
        if google_crc32c.value(encoded) != crc and self._segment.ref.file.forget(offset, length):
            encoded = self._bytes(offset, length, place, stored.codec)
        if google_crc32c.value(encoded) != crc:
            raise CorruptionError.chunk_of(
                ulid, self._label, place, f"the bytes of {array} do not match their checksum"
            )
        try:
            return CODECS[stored.codec].decode(encoded, int(table.head[at]), count, stored.dtype)
        except CodecError as error:
            raise CorruptionError.chunk_of(ulid, self._label, place, f"{array}: {error}") from error

    def dictionary(self, node: str, kind: pa.DataType) -> pa.Array:
        """The values of a dictionary node, from the pool when it was decoded before."""

        def load() -> tuple[pa.Array, int]:
            array = Joiner(self, 0).node(node, kind, self._dictionary_rows(node, kind))
            return array, array.nbytes

        if self._pool is None:
            return load()[0]
        return self._pool.get((self._segment.ref.ulid, node, str(kind)), load)

    def _dictionary_rows(self, node: str, kind: pa.DataType) -> int:
        """How many values a dictionary node has: every node of it owns an array that says so."""
        index = self._segment.index
        for suffix in (".len", ".code", ""):
            stored = index.arrays.get(node + suffix)
            if stored is not None and not (suffix == "" and pa.types.is_boolean(kind)):
                return int(index.chunks.count[stored.first]) // stored.width
        size = self._segment.index.zones.schema.metadata
        found = None if size is None else size.get(f"{node.split('.')[0][1:]}.distinct".encode())
        if found is None:
            raise CorruptionError.file_of(
                self._segment.ref.ulid, f"the size of the dictionary {node} is unknown"
            )
        return int(found)

    def _bytes(self, offset: int, length: int, chunk: int, codec: str) -> bytes | pa.Buffer:
        ref = self._segment.ref
        file = ref.file
        try:
            if isinstance(file, LocalFile) and codec not in FROM_BYTES:
                data = file.read_buffer(offset, length)
            else:
                data = file.read(offset, length)
        except OSError as error:
            raise ref.failed(error) from error
        self.nbytes += len(data)
        if len(data) != length:
            raise CorruptionError.chunk_of(
                ref.ulid, self._label, chunk, f"the file ends before its {length:,} bytes"
            )
        return data
