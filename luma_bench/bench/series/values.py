"""Columns of Arrow as the operands of kernels: numbers with a validity mask, in the order of runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.errors import UnsupportedError
from luma_bench.models.series.runs import Array, Bools, Runs, Values
from luma_bench.types.arrays import flags

_DIGITS = 18


def takes(kind: pa.DataType) -> bool:
    """Whether `values` makes numbers of a type.

    It does of integers, float32, float64, bool, timestamps, dates, times, durations, and decimals of at most 18 digits.
    """
    return _form(kind) is not None


def values(array: pa.Array, runs: Runs) -> Values:
    """A column of a part (in stored order) in the order of its runs, without a copy where it lies so already.

    Timestamps, durations, date64 and time64 become int64, date32 and time32 int32, all in their own unit; decimals int64
    counts of the last place.

    Raises
    ------
    UnsupportedError
        The type makes no numbers; see `takes`.
    """
    data, valid = operand(array)
    if runs.order is not None:
        data = data[runs.order]
        valid = None if valid is None else valid[runs.order]
    return Values(data, valid)


def operand(array: pa.Array) -> tuple[Array, Bools | None]:
    """The numbers of a column as they are stored, and where there is one; None where everywhere."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    form = _form(kind)
    if form is None:
        raise UnsupportedError(
            f"Values of the type {kind} are no numbers that a series operator reads.",
            hint="Cast the column to a number in a subquery.",
        )
    valid = flags(array.is_valid()) if array.null_count else None
    if pa.types.is_boolean(kind):
        return _bits(array), valid
    if pa.types.is_decimal(kind) and kind.bit_width == 128:
        # The low half of a number of at most 18 digits is the number.
        return _buffer(array, np.dtype(np.int64), 16)[::2], valid
    data = _buffer(array, form, form.itemsize)
    return (data.astype(np.int64) if pa.types.is_decimal32(kind) else data), valid


def true(mask: pa.BooleanArray) -> Bools:
    """Where a mask is TRUE, and not NULL."""
    found = _bits(mask)
    return found & _bits(mask.is_valid()) if mask.null_count else found


def whole_numbers(array: pa.Array, missing: int) -> Array:
    """The values of an array of integers; int64, and `missing` where it is NULL, in one that has NULLs."""
    width = array.type.bit_width // 8
    held = _buffer(
        array, np.dtype(f"{'u' if pa.types.is_unsigned_integer(array.type) else 'i'}{width}"), width
    )
    if not array.null_count:
        return held
    return np.where(_bits(array.is_valid()), held.astype(np.int64), missing)


def _form(kind: pa.DataType) -> np.dtype[Any] | None:
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_boolean(kind):
        return np.dtype(np.bool_)
    if types.is_integer(kind) or types.is_float32(kind) or types.is_float64(kind):
        return np.dtype(kind.to_pandas_dtype())
    if types.is_timestamp(kind) or types.is_duration(kind) or types.is_date64(kind) or types.is_time64(kind):
        return np.dtype(np.int64)
    if types.is_date32(kind) or types.is_time32(kind):
        return np.dtype(np.int32)
    if types.is_decimal(kind) and kind.bit_width <= 128 and kind.precision <= _DIGITS:
        return np.dtype(np.int32) if kind.bit_width == 32 else np.dtype(np.int64)
    return None


def _buffer(array: pa.Array, form: np.dtype[Any], width: int) -> Array:
    buffer = array.buffers()[1]
    if buffer is None or not len(array):
        return np.zeros(len(array) * (width // form.itemsize), form)
    return np.frombuffer(buffer, form, len(array) * (width // form.itemsize), width * array.offset)


def _bits(array: pa.Array) -> Bools:
    if not len(array):
        return np.zeros(0, np.bool_)
    bits = np.frombuffer(array.buffers()[1], np.uint8)
    return np.unpackbits(bits, count=array.offset + len(array), bitorder="little")[array.offset :].view(
        np.bool_
    )
