"""The blosc codec: bytes or bits of equal weight are put together, then lz4 or zstd compresses them block by block.

lz4 behind a shuffle decodes several times faster than anything else here. It is a codec of Zarr's own. The encoded
bytes begin with a header that says how they are to be decoded; it is checked before blosc sees them, because blosc
trusts the lengths in it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from luma_bench.storage.codecs import CodecError, Encoded

MAX_BYTES = 2**31 - 17
"""blosc encodes no chunk of more bytes."""

MAX_TYPESIZE = 255

BLOCK = 1 << 15
"""The bytes that are shuffled and compressed together; at least twice as many with lz4. blosc allocates three blocks at each
call, and the C library often takes fresh pages for larger ones: the page faults cost more than the decoding."""

_PLANES = 16
"""Up to so many bytes an element, blosc compresses their planes apart with lz4, and takes a block size for that of a plane."""

Shuffle = Literal["noshuffle", "shuffle", "bitshuffle"]
_SHUFFLES: tuple[Shuffle, ...] = ("noshuffle", "shuffle", "bitshuffle")

_HEADER = struct.Struct("<BBBBIII")
_FORMAT = 2
_STORED = 0x02
_LZ4, _ZSTD = 1, 4


@dataclass(frozen=True, slots=True)
class Blosc:
    """blosc with lz4 or zstd inside.

    Parameters
    ----------
    cname, clevel
        The compressor within, and its level.
    shuffle
        What is done to each block first; numbers want bytes shuffled, codes and bits want bits.
    typesize
        The bytes of one element.
    """

    cname: Literal["lz4", "zstd"] = "lz4"
    clevel: int = 5
    shuffle: Shuffle = "shuffle"
    typesize: int = 1

    @property
    def name(self) -> str:
        """`blosc`; the header of every chunk says the rest."""
        return "blosc"

    @property
    def _block(self) -> int:
        return BLOCK // self.typesize if self.cname == "lz4" and self.typesize <= _PLANES else BLOCK

    def metadata(self) -> list[dict[str, Any]]:
        """Zarr's own `bytes` and `blosc` codecs."""
        configuration = {
            "typesize": self.typesize,
            "cname": self.cname,
            "clevel": self.clevel,
            "shuffle": self.shuffle,
            "blocksize": self._block,
        }
        return [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "blosc", "configuration": configuration},
        ]

    def encode(self, values: np.ndarray, padding: int) -> Encoded:
        """One blosc buffer over the values and the padding."""
        if padding:
            values = np.concatenate([values, np.zeros(padding, values.dtype)])
        data: bytes = _blosc().compress(
            np.ascontiguousarray(values).view(np.uint8),
            self.cname.encode(),
            self.clevel,
            _SHUFFLES.index(self.shuffle),
            self._block,
            self.typesize,
        )
        return Encoded(data, len(data))

    def decode(self, encoded: bytes | pa.Buffer, head: int, count: int, dtype: np.dtype) -> pa.Buffer:
        """Decode the chunk; what lies behind `count` elements is cut off."""
        del head
        size = count * dtype.itemsize
        whole = _checked(encoded, size)
        buffer = pa.allocate_buffer(whole)
        if whole:
            try:
                _blosc().decompress(encoded, np.frombuffer(buffer, np.uint8))
            except (RuntimeError, ValueError) as error:
                raise CodecError(f"blosc: {error}") from error
        return buffer if whole == size else buffer.slice(0, size)


def _blosc() -> Any:
    # Loaded at the first chunk: numcodecs takes some 40 ms, and a segment may not need it.
    import numcodecs.blosc

    return numcodecs.blosc


def _checked(encoded: bytes | pa.Buffer, size: int) -> int:
    """The decoded length that the header gives, after a check of every length and offset that blosc would follow.

    Raises
    ------
    CodecError
        The header does not fit the encoded bytes, or gives fewer than `size` decoded ones.
    """
    if len(encoded) < _HEADER.size:
        raise CodecError(f"blosc: {len(encoded)} bytes hold no header")
    version, _, flags, typesize, whole, block, length = _HEADER.unpack_from(encoded)
    if version != _FORMAT or flags >> 5 not in (_LZ4, _ZSTD) or not typesize:
        raise CodecError("blosc: the header is none that is written here")
    if length != len(encoded):
        raise CodecError(f"blosc: the header says {length} encoded bytes, there are {len(encoded)}")
    if not size <= whole <= MAX_BYTES:
        raise CodecError(f"blosc: {whole} bytes instead of {size}")
    if flags & _STORED:
        if length != whole + _HEADER.size:
            raise CodecError("blosc: stored bytes of another length than the header says")
    elif whole:
        blocks = -(-whole // block) if block else 0
        first = _HEADER.size + 4 * blocks
        if not 0 < block <= whole or first > length:
            raise CodecError("blosc: the header says blocks that do not fit")
        starts = np.frombuffer(encoded, "<u4", blocks, _HEADER.size)
        if int(starts.min()) < first or int(starts.max()) > length - 4:
            raise CodecError("blosc: a block lies outside the encoded bytes")
    return whole
