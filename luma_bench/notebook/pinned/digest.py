"""Row hashes of Arrow tables that are the same on every machine, version and engine.

Every value becomes a 64-bit number by arithmetic that this module defines (splitmix64, and multilinear hashing of bytes: Lemire
and Kaser, 2014, "Strongly universal string hashing is fast"), never by a library's own `hash`, which changes between versions.
Floating-point values are hashed as the cell of a grid that they fall into: their first bits. On two grids that are half a cell
apart, values that differ by rounding agree on at least one; coarser grids tell by how much values differ; see `fingerprint`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.types.maps import as_list

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Grid:
    """Which values are one value.

    A value's cell is as wide as the last of its significand's bits that count, so that values in one cell are apart by less than
    `2**(1 - bits)` of themselves. The cells' edges lie at `shift` of a cell: where no integer and no short binary fraction is, whose
    last digit would otherwise decide.
    """

    float64_bits: int
    float32_bits: int
    """For float16 too."""
    shift: float


GRIDS = (Grid(30, 18, 0.309), Grid(30, 18, 0.809))
"""Within about 2e-9, and 8e-6 for FLOAT: what counts as the same value. Values that agree on either are."""
COARSE = (Grid(20, 15, 0.309), Grid(10, 10, 0.309))
"""These only say by how much values are apart that are not the same."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_NULL = np.uint64(0x6E756C6C6E756C6C)
_LONG_TEXT = 1024


def mixed(values: Hashes) -> Hashes:
    """splitmix64's finalizer: every bit of the answer depends on every bit of the value."""
    made = values + _GOLDEN
    made = (made ^ (made >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    made = (made ^ (made >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return made ^ (made >> np.uint64(31))


def joined(left: Hashes, right: Hashes) -> Hashes:
    """One hash of two, of which the order counts."""
    return mixed(left * np.uint64(3) ^ mixed(right))


def column_hashes(column: pa.ChunkedArray, grid: Grid = GRIDS[0]) -> Hashes:
    """A 64-bit hash of every value.

    Parameters
    ----------
    column
        Any Arrow column.
    grid
        What floating-point values fall into; other values are the same on all.

    Returns
    -------
    numpy.ndarray
        uint64, one a row.
    """
    array: Any = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], column.type)
    with np.errstate(over="ignore"):
        return _hashes(array, grid)


def has_floats(kind: pa.DataType) -> bool:
    """Whether values of a type are, or hold, floating-point numbers."""
    if isinstance(kind, pa.BaseExtensionType):
        return has_floats(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return has_floats(kind.value_type)
    if pa.types.is_floating(kind):
        return True
    return any(has_floats(kind.field(index).type) for index in range(kind.num_fields))


def _hashes(array: pa.Array, grid: Grid) -> Hashes:
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return _hashes(array.storage, grid)
    if pa.types.is_dictionary(kind):
        return _hashes(array.dictionary_decode(), grid)
    if pa.types.is_run_end_encoded(kind):
        return _hashes(pc.run_end_decode(array), grid)
    if pa.types.is_null(kind):
        return np.full(len(array), _NULL)
    made = _present(array, kind, grid)
    if array.null_count:
        made = np.where(np.asarray(array.is_null()), _NULL, made)
    return made


def _present(array: pa.Array, kind: pa.DataType, grid: Grid) -> Hashes:
    """Hashes of the values; anything where there is NULL."""
    if pa.types.is_floating(kind):
        return _floats(array, kind, grid)
    if pa.types.is_boolean(kind):
        return mixed(np.asarray(array.fill_null(False)).astype(np.uint64))
    if pa.types.is_struct(kind):
        made = np.full(len(array), np.uint64(kind.num_fields))
        # `flatten` gives the fields with the struct's own NULL in them, and heeds its offset.
        for index, child in enumerate(array.flatten()):
            made = joined(made + np.uint64(index), _hashes(child, grid))
        return made
    if pa.types.is_union(kind):
        return _unions(array, kind, grid)
    if _is_list(kind):
        return _lists(array, kind, grid)
    if _is_text(kind):
        return _texts(array)
    if pa.types.is_fixed_size_binary(kind) and not pa.types.is_decimal(kind):
        return _texts(array.cast(pa.binary()))
    return _words(array, kind)


def _words(array: pa.Array, kind: pa.DataType) -> Hashes:
    """Hashes of values that have a fixed number of bytes: integers, dates, times, decimals, intervals."""
    if pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        array = array.cast(pa.decimal128(kind.precision, kind.scale))
        kind = array.type
    width = kind.bit_width // 8
    data = array.buffers()[1]
    if not len(array) or data is None:
        return np.zeros(len(array), np.uint64)
    raw = np.frombuffer(data, np.uint8, len(array) * width, array.offset * width).reshape(len(array), width)
    if width <= 8:
        if width == 8:
            return mixed(raw.view(np.uint64).ravel().copy())
        # Sign bits are extended, so that a narrow integer is the same as a wide one of its value.
        signed = not pa.types.is_unsigned_integer(kind)
        code = np.dtype(f"{'i' if signed else 'u'}{width}")
        return mixed(np.ascontiguousarray(raw).view(code).ravel().astype(np.int64).view(np.uint64))
    parts = np.ascontiguousarray(raw).view(np.uint64)
    made = np.zeros(len(array), np.uint64)
    for index in range(parts.shape[1]):
        made = joined(made, parts[:, index])
    return made


def _floats(array: pa.Array, kind: pa.DataType, grid: Grid) -> Hashes:
    wide = pa.types.is_float64(kind)
    bits = grid.float64_bits if wide else grid.float32_bits
    values = np.asarray(array.cast(pa.float64()).fill_null(0.0))
    finite = np.isfinite(values)
    significand, exponent = np.frexp(np.where(finite, values, 0.0))
    # What is smaller than the smallest normal number has fewer bits the smaller it is, and so has its cell.
    lowest = -1021 if wide else -125 if pa.types.is_float32(kind) else -13
    exponent = exponent.astype(np.int64)
    low = (exponent < lowest) | (significand == 0)
    significand = np.where(low, np.ldexp(significand, np.clip(exponent - lowest, -2000, 0)), significand)
    exponent = np.where(low, lowest, exponent)
    size = np.floor(np.abs(significand) * 2.0**bits + grid.shift)
    # A significand that was rounded up to 1 is the smallest of the next power of two.
    over = size >= 2.0**bits
    cells = np.copysign(np.where(over, size / 2, size), significand).astype(np.int64)
    exponent = exponent + over
    made = joined(cells.view(np.uint64).copy(), exponent.view(np.uint64).copy())
    special = ~finite
    if special.any():
        words = np.where(np.isnan(values), 1, np.where(values > 0, 2, 3)).astype(np.uint64)
        made = np.where(special, mixed(words), made)
    return made


def _texts(array: pa.Array) -> Hashes:
    """Hashes of strings and bytes: a weighted sum of the bytes, mixed with the length."""
    array = array.cast(pa.large_binary())
    count = len(array)
    if not count:
        return np.zeros(0, np.uint64)
    _, offset_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64, count + 1, array.offset * 8)
    lengths = np.diff(offsets)
    if array.null_count:
        lengths = np.where(np.asarray(array.is_null()), 0, lengths)
    made = mixed(lengths.astype(np.uint64))
    if data_buffer is None or not data_buffer.size:
        return made
    data = np.frombuffer(data_buffer, np.uint8)
    short = np.flatnonzero((lengths > 0) & (lengths <= _LONG_TEXT))
    if len(short):
        sums = _weighted(data, offsets[short], lengths[short])
        made[short] = joined(made[short], sums)
    for index in np.flatnonzero(lengths > _LONG_TEXT):
        piece = data[offsets[index] : offsets[index] + lengths[index]]
        digest = hashlib.blake2b(piece.tobytes(), digest_size=8).digest()
        made[index] = np.frombuffer(digest, np.uint64)[0]
    return made


def _weighted(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> Hashes:
    """For each piece, the sum of its values times the weights of their places, modulo 2**64."""
    ends = np.cumsum(lengths)
    places = np.arange(int(ends[-1]), dtype=np.int64) - np.repeat(ends - lengths, lengths)
    whole = len(data) == len(places) and bool(starts[0] == 0)
    pieces = data if whole else data[places + np.repeat(starts, lengths)]
    weights = mixed(np.arange(int(lengths.max()), dtype=np.uint64)) | np.uint64(1)
    products = (pieces.astype(np.uint64) + np.uint64(1)) * weights[places]
    return np.add.reduceat(products, ends - lengths)


def _lists(array: pa.Array, kind: pa.DataType, grid: Grid) -> Hashes:
    """Hashes of lists, maps and vectors: those of their items, weighted by place, mixed with the length."""
    count = len(array)
    if pa.types.is_map(kind):
        array = as_list(array)
    elif not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        array = array.cast(pa.large_list(kind.value_field))
    lengths = np.asarray(pc.list_value_length(array).fill_null(0)).astype(np.int64)
    made = mixed(lengths.astype(np.uint64))
    # `flatten` leaves out what NULL lists hold and what lies outside of a slice.
    items = _hashes(array.flatten(), grid)
    full = np.flatnonzero(lengths)
    if not count or not len(full):
        return made
    sizes = lengths[full]
    ends = np.cumsum(sizes)
    places = np.arange(int(ends[-1]), dtype=np.int64) - np.repeat(ends - sizes, sizes)
    weights = mixed(np.arange(int(sizes.max()), dtype=np.uint64)) | np.uint64(1)
    made[full] = joined(made[full], np.add.reduceat(mixed(items) * weights[places], ends - sizes))
    return made


def _unions(array: Any, kind: pa.DataType, grid: Grid) -> Hashes:
    """Hashes of values of one type or another: which type it is, and the value."""
    if array.offset:
        # The codes and the children do not all heed a slice.
        array = array.take(pa.array(np.arange(len(array))))
    codes = np.asarray(array.type_codes)
    made = np.zeros(len(array), np.uint64)
    for index in range(kind.num_fields):
        here = np.flatnonzero(codes == kind.type_codes[index])
        hashes = _hashes(array.field(index), grid)
        places = here if kind.mode == "sparse" else np.asarray(array.offsets)[here]
        made[here] = joined(np.full(len(here), np.uint64(index + 1)), hashes[places])
    return made


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
        or pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)
    )  # fmt: skip


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
        or pa.types.is_map(kind) or pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)
    )  # fmt: skip
