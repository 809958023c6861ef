"""Hashes of key values: 64 bits, the same in every version, on arrays and on single values.

Numbers are mixed by the finalizer of SplitMix64 (Steele, Lea and Flood 2014). Text goes through it eight bytes at a time;
text of more than `LONG_BYTES` through BLAKE2b. A hash only finds candidates: whoever uses one compares the values.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa

LONG_BYTES = 128
"""Longer text is hashed value by value; up to here arrays are hashed a word of every value at a time."""

CODE_BITS = 48
"""Bits of a hash that are stored: sorted, a million of them take half as much as whole ones."""

_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_MASK = (1 << 64) - 1


def mixed(values: np.ndarray) -> np.ndarray:
    """Every uint64 with its bits mixed; a bijection. The result is a fresh array."""
    mixed = values + np.uint64(_GOLDEN)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(_FIRST)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(_SECOND)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def mixed_one(value: int) -> int:
    """`mixed` of one unsigned number."""
    value = (value + _GOLDEN) & _MASK
    value = ((value ^ (value >> 30)) * _FIRST) & _MASK
    value = ((value ^ (value >> 27)) * _SECOND) & _MASK
    return value ^ (value >> 31)


def text_hashes(array: Any) -> np.ndarray:
    """The uint64 hash of every value of a binary array with 32- or 64-bit offsets; NULLs have any hash."""
    rows = len(array)
    wide = pa.types.is_large_binary(array.type)
    _, offset_buffer, data_buffer = array.buffers()
    if rows == 0:
        return np.zeros(0, np.uint64)
    offsets = np.frombuffer(offset_buffer, np.int64 if wide else np.int32)[
        array.offset : array.offset + rows + 1
    ].astype(np.int64)
    starts, sizes = offsets[:-1], np.diff(offsets)
    # Words are loaded from any byte on, so seven bytes behind the last value must be there.
    used = bytes(8) if data_buffer is None else data_buffer.slice(0, int(offsets[-1])).to_pybytes() + bytes(8)
    words: np.ndarray = np.ndarray(len(used) - 7, "<u8", used, strides=(1,))
    hashes = mixed(sizes.astype(np.uint64))
    for step in range(-(-int(sizes.max(initial=0)) // 8)):
        rest = sizes - 8 * step
        rows_left = np.flatnonzero((rest > 0) & (sizes <= LONG_BYTES))
        if not len(rows_left):
            break
        word = words[starts[rows_left] + 8 * step]
        missing = np.maximum(8 - rest[rows_left], 0).astype(np.uint64) * np.uint64(8)
        word &= np.uint64(_MASK) >> missing
        hashes[rows_left] = mixed(hashes[rows_left] ^ word)
    for row in np.flatnonzero(sizes > LONG_BYTES).tolist():
        hashes[row] = _long(used[starts[row] : starts[row] + sizes[row]])
    return hashes


def text_hash(value: bytes) -> int:
    """`text_hashes` of one value."""
    if len(value) > LONG_BYTES:
        return _long(value)
    found = mixed_one(len(value))
    for start in range(0, len(value), 8):
        found = mixed_one(found ^ int.from_bytes(value[start : start + 8], "little"))
    return found


def joined(hashes: list[np.ndarray]) -> np.ndarray:
    """The codes of keys of several columns, from each column's hashes: int64 of `CODE_BITS`, never negative."""
    whole = hashes[0]
    for column in hashes[1:]:
        whole = mixed(whole ^ column)
    return (whole >> np.uint64(64 - CODE_BITS)).view(np.int64)


def joined_one(hashes: list[int]) -> int:
    """`joined` of one key."""
    whole = hashes[0]
    for column in hashes[1:]:
        whole = mixed_one(whole ^ column)
    return whole >> (64 - CODE_BITS)


def _long(value: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(value, digest_size=8).digest(), "little")
