"""Whether values are the same within a tolerance, in lists and structs too: Arrow arrays held against one another, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]


def is_number(kind: pa.DataType) -> bool:
    """Whether a type holds numbers."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def is_list(kind: pa.DataType) -> bool:
    """Whether a type holds lists of any form."""
    return bool(
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
        or pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind)
    )  # fmt: skip


def holds(kind: pa.DataType, what: Any) -> bool:
    """Whether values of a type are, or hold, such as `what` says of a type."""
    if isinstance(kind, pa.BaseExtensionType):
        return holds(kind.storage_type, what)
    return bool(what(kind)) or any(holds(kind.field(index).type, what) for index in range(kind.num_fields))


def comparable(one: pa.DataType, two: pa.DataType) -> bool:
    """Whether values of two types can be held against one another leaf by leaf."""
    if one == two or (is_number(one) and is_number(two)):
        return True
    if is_list(one) and is_list(two):
        return comparable(one.field(0).type, two.field(0).type)
    if pa.types.is_map(one) and pa.types.is_map(two):
        return comparable(one.key_type, two.key_type) and comparable(one.item_type, two.item_type)
    if pa.types.is_struct(one) and pa.types.is_struct(two):
        fields = [[(kind.field(index).name) for index in range(kind.num_fields)] for kind in (one, two)]
        return fields[0] == fields[1] and all(
            comparable(one.field(index).type, two.field(index).type) for index in range(one.num_fields)
        )
    return False


def close(one: pa.Array | pa.ChunkedArray, two: pa.Array | pa.ChunkedArray, tolerance: float) -> Mask:
    """Whether each value is that of the other array, floating-point ones within the tolerance, relative to the larger one.

    Parameters
    ----------
    one, two
        Arrays of one length, of types that are `comparable`.
    tolerance
        0 or more.
    """
    one, two = _plain(one), _plain(two)
    nulls = np.asarray(one.is_null()), np.asarray(two.is_null())
    same = nulls[0] == nulls[1]
    here = np.flatnonzero(~nulls[0] & ~nulls[1])
    if len(here) < len(one):
        taken = pa.array(here)
        one, two = one.take(taken), two.take(taken)
    same[here] = _present(one, two, tolerance)
    return same


def near(one: npt.NDArray[np.float64], two: npt.NDArray[np.float64], tolerance: float) -> Mask:
    """Whether floating-point values are equal within the tolerance; NaN is itself."""
    with np.errstate(invalid="ignore", over="ignore"):
        room = tolerance * np.maximum(np.abs(one), np.abs(two))
        apart = np.isfinite(one) & np.isfinite(two) & (np.abs(one - two) <= room)
    return apart | (one == two) | (np.isnan(one) & np.isnan(two))


def doubles(array: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """Numbers as float64, rounded where they have more digits; 0 for NULL."""
    kind = array.type
    cast = array.cast(pa.float64(), safe=False) if not pa.types.is_float16(kind) else array.cast(pa.float64())
    return np.asarray(cast.fill_null(0.0), np.float64)


def leading(array: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """The first finite number in each value, 0 where there is none: close values have close ones."""
    array = _plain(array)
    kind = array.type
    made = np.zeros(len(array))
    if is_number(kind):
        found = doubles(array)
        return np.where(np.isfinite(found), found, 0.0)
    if pa.types.is_struct(kind):
        for index, child in enumerate(array.flatten()):
            if holds(kind.field(index).type, pa.types.is_floating):
                return leading(child)
    if pa.types.is_map(kind):
        return leading(array.cast(pa.list_(pa.struct([kind.key_field, kind.item_field]))))
    if is_list(kind):
        lists = _as_list(array)
        lengths = _lengths(lists)
        full = np.flatnonzero(lengths)
        if len(full):
            ends = np.cumsum(lengths[full])
            made[full] = leading(lists.flatten())[ends - lengths[full]]
    return made


def _present(one: pa.Array, two: pa.Array, tolerance: float) -> Mask:
    kind, other = one.type, two.type
    if is_number(kind) and is_number(other):
        if pa.types.is_floating(kind) or pa.types.is_floating(other):
            return near(doubles(one), doubles(two), tolerance)
        return np.asarray(pc.equal(one, two))
    if pa.types.is_struct(kind):
        made = np.ones(len(one), np.bool_)
        for left, right in zip(one.flatten(), two.flatten(), strict=True):
            made &= close(left, right, tolerance)
        return made
    if pa.types.is_map(kind):
        items = [
            array.cast(pa.list_(pa.struct([array.type.key_field, array.type.item_field])))
            for array in (one, two)
        ]
        return _lists(items[0], items[1], tolerance)
    if is_list(kind):
        return _lists(_as_list(one), _as_list(two), tolerance)
    # What Arrow cannot compare (intervals, unions), Python can.
    return np.array(
        [left == right for left, right in zip(one.to_pylist(), two.to_pylist(), strict=True)], np.bool_
    )


def _lists(one: pa.Array, two: pa.Array, tolerance: float) -> Mask:
    lengths = _lengths(one)
    made = lengths == _lengths(two)
    here = np.flatnonzero(made & (lengths > 0))
    if len(here):
        taken, sizes = pa.array(here), lengths[here]
        items = close(one.take(taken).flatten(), two.take(taken).flatten(), tolerance)
        made[here] = np.logical_and.reduceat(items, np.cumsum(sizes) - sizes)
    return made


def _lengths(array: pa.Array) -> npt.NDArray[np.int64]:
    return np.asarray(pc.list_value_length(array).fill_null(0)).astype(np.int64)


def _as_list(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return array
    return array.cast(pa.large_list(kind.value_field))


def _plain(array: Any) -> pa.Array:
    """One array without chunks, dictionaries and extension types."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if isinstance(array.type, pa.BaseExtensionType):
        return _plain(array.storage)
    if pa.types.is_dictionary(array.type):
        return _plain(array.dictionary_decode())
    return array
