"""NumPy arrays as Arrow ones and back, without a copy. `pa.array` loads pandas to look whether it is given a series, a quarter of a second."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa


def integers(values: np.ndarray[Any, np.dtype[np.int64]]) -> pa.Array:
    """An int64 array."""
    held = np.ascontiguousarray(values, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(held), [None, pa.py_buffer(held)])


def mask(values: np.ndarray[Any, np.dtype[np.bool_]]) -> pa.BooleanArray:
    """A boolean array."""
    bits = np.packbits(values, bitorder="little")
    return pa.BooleanArray.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(bits)])


def numbers(column: pa.Array | pa.ChunkedArray) -> np.ndarray[Any, Any]:
    """The values of a column of integers or floats in its own width, anything where it is NULL; `to_numpy` loads pandas as well."""
    kind = np.dtype(
        f"f{column.type.bit_width // 8}" if pa.types.is_floating(column.type) else str(column.type)
    )
    parts: list[np.ndarray[Any, Any]] = [
        np.frombuffer(chunk.buffers()[1], kind, len(chunk), kind.itemsize * chunk.offset)
        for chunk in (column.chunks if isinstance(column, pa.ChunkedArray) else (column,))
        if len(chunk)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, kind), *parts])


def flags(column: pa.BooleanArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The values of a boolean array without NULLs."""
    if not len(column):
        return np.zeros(0, np.bool_)
    bits = np.frombuffer(column.buffers()[1], np.uint8)
    return np.unpackbits(bits, count=column.offset + len(column), bitorder="little")[column.offset :].view(
        np.bool_
    )
