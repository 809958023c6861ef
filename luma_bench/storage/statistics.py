"""A segment's statistics as the catalog keeps them: its zone map of one row, as bytes with a checksum of their own."""

from __future__ import annotations

import google_crc32c
import pyarrow as pa

_MARK = b"LZC1"
_END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


def to_bytes(batch: pa.RecordBatch) -> bytes:
    """A record batch as an Arrow IPC stream, followed by a mark and its CRC-32C: the catalog's rows have no checksum of their own."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    data = sink.getvalue().to_pybytes()
    return data + _MARK + google_crc32c.value(data).to_bytes(4, "little")


def from_bytes(data: bytes) -> pa.RecordBatch:
    """The record batch of a segment's statistics.

    Raises
    ------
    pa.ArrowInvalid
        The bytes are not those that `to_bytes` gave, or no Arrow stream at all.
    """
    if data[-8:-4] == _MARK:
        data, crc = data[:-8], int.from_bytes(data[-4:], "little")
        if google_crc32c.value(data) != crc:
            raise pa.ArrowInvalid("the checksum is wrong")
    elif not data.endswith(_END_OF_STREAM):
        raise pa.ArrowInvalid("the end is missing")
    return pa.ipc.open_stream(pa.py_buffer(data)).read_next_batch()
