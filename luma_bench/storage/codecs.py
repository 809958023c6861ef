"""How one chunk of one array becomes bytes, with the metadata Zarr needs: pcodec, zstd, and the registry of codecs.

A chunk is padded with zeros to the length that Zarr gives every chunk of an array. In a zstd chunk the padding is
a frame of its own behind the data's frame: a stock reader decodes both, this room decodes the first alone.
Which codec an array gets is decided in `codecs_choose`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from pcodec import ChunkConfig, standalone

PCO_LEVEL = 8
"""pcodec's usual level; 4 encodes a fifth faster and is 1 to 40 % larger, where it is larger at all."""

PCO_PAGE = 262_144
"""The values of a pcodec page; no chunk of the default layout has more than one."""

ZSTD_LEVEL = 1


class CodecError(ValueError):
    """An encoded chunk does not decode to what the index says; the segment turns it into a CorruptionError."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One encoded chunk: `data` is what is stored, its first `head` bytes decode without the padding."""

    data: bytes
    head: int


class Codec(Protocol):
    """Encodes and decodes one chunk; both release the GIL while they work."""

    @property
    def name(self) -> str:
        """How the segment's index names the codec."""
        ...

    def metadata(self) -> list[dict[str, Any]]:
        """The `codecs` of a Zarr v3 array."""
        ...

    def encode(self, values: np.ndarray, padding: int) -> Encoded:
        """Encode a contiguous 1-D array followed by `padding` zero elements."""
        ...

    def decode(self, encoded: bytes | pa.Buffer, head: int, count: int, dtype: np.dtype) -> pa.Buffer:
        """The first `count` elements as an Arrow buffer (64-byte aligned).

        Raises
        ------
        CodecError
            The bytes do not decode to `count` elements.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pcodec:
    """pcodec for 16-, 32- and 64-bit numbers; floats come back bit for bit, NaN payloads and -0.0 included."""

    level: int = PCO_LEVEL

    @property
    def name(self) -> str:
        """`pco`."""
        return "pco"

    def metadata(self) -> list[dict[str, Any]]:
        """The array-to-bytes codec that numcodecs registers with Zarr as `numcodecs.pcodec`."""
        configuration = {
            "level": self.level,
            "mode_spec": "auto",
            "delta_spec": "auto",
            "paging_spec": "equal_pages_up_to",
            "delta_encoding_order": None,
            "equal_pages_up_to": PCO_PAGE,
        }
        return [{"name": "numcodecs.pcodec", "configuration": configuration}]

    def encode(self, values: np.ndarray, padding: int) -> Encoded:
        """One standalone pcodec file over the values and the padding."""
        if padding:
            values = np.concatenate([values, np.zeros(padding, values.dtype)])
        data = standalone.simple_compress(
            np.ascontiguousarray(values), ChunkConfig(compression_level=self.level)
        )
        return Encoded(data, len(data))

    def decode(self, encoded: bytes | pa.Buffer, head: int, count: int, dtype: np.dtype) -> pa.Buffer:
        """Decode into a fresh buffer; pcodec stops once it is full."""
        del head
        buffer = pa.allocate_buffer(count * dtype.itemsize)
        try:
            progress = standalone.simple_decompress_into(encoded, np.frombuffer(buffer, dtype))
        except (RuntimeError, TypeError) as error:
            raise CodecError(f"pcodec: {error}") from error
        if progress.n_processed != count:
            raise CodecError(f"pcodec: {progress.n_processed} values instead of {count}")
        return buffer


@dataclass(frozen=True, slots=True)
class Zstd:
    """zstd over little-endian bytes: text, 8-bit codes, validity bits, and everything of an exchange table."""

    level: int = ZSTD_LEVEL

    @property
    def name(self) -> str:
        """`zstd`."""
        return "zstd"

    def metadata(self) -> list[dict[str, Any]]:
        """Zarr's own `bytes` and `zstd` codecs."""
        return [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "zstd", "configuration": {"level": self.level, "checksum": False}},
        ]

    def encode(self, values: np.ndarray, padding: int) -> Encoded:
        """The values' frame, then a frame of zeros when there is padding."""
        data: bytes = _compressor(self.level).compress(pa.py_buffer(values), asbytes=True)
        if not padding:
            return Encoded(data, len(data))
        return Encoded(data + _zeros(padding * values.dtype.itemsize, self.level), len(data))

    def decode(self, encoded: bytes | pa.Buffer, head: int, count: int, dtype: np.dtype) -> pa.Buffer:
        """Decompress the values' frame."""
        size = count * dtype.itemsize
        try:
            buffer: pa.Buffer = _compressor(self.level).decompress(
                pa.py_buffer(encoded).slice(0, head), decompressed_size=size
            )
        except (OSError, pa.ArrowInvalid) as error:
            raise CodecError(f"zstd: {error}") from error
        if buffer.size != size:
            raise CodecError(f"zstd: {buffer.size} bytes instead of {size}")
        return buffer


def filled(value: int, count: int, dtype: np.dtype) -> pa.Buffer:
    """The elements of a chunk that was left out, because every one is the array's fill value."""
    buffer = pa.allocate_buffer(count * dtype.itemsize)
    np.frombuffer(buffer, dtype)[:] = value
    return buffer


def _compressor(level: int) -> Any:
    # One a call (2 µs): pyarrow does not promise that threads may share a codec.
    return pa.Codec("zstd", compression_level=level)


def _zeros(nbytes: int, level: int) -> bytes:
    """A zstd frame of zeros, made block by block so that a long one needs no long array."""
    block = 1 << 22
    compressor = _compressor(level)
    whole: bytes = compressor.compress(bytes(block), asbytes=True) if nbytes >= block else b""
    rest: bytes = compressor.compress(bytes(nbytes % block), asbytes=True) if nbytes % block else b""
    return whole * (nbytes // block) + rest


PCO = Pcodec()
ZSTD = Zstd()
