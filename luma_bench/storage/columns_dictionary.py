"""Dictionaries: when a column of strings gets one, and how several become one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

DICTIONARY_VALUES = 5_000
"""A column of strings with more distinct values in a segment than this is not dictionary-encoded."""

_SAMPLE = 8_192
# 5,000 values drawn evenly show about 4,030 of them in a sample of 8,192.
_SAMPLE_DISTINCT = 4_200


def one_dictionary(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A dictionary column whose chunks share one dictionary, with int32 codes; any other column as it is.

    Arrow's own unification gives up on nulls in dictionaries, nested values and narrow indexes.
    """
    if not pa.types.is_dictionary(column.type) or column.num_chunks < 2:
        return column
    whole, codes = unified(column.chunks)
    ordered = column.type.ordered
    return pa.chunked_array([pa.DictionaryArray.from_arrays(part, whole, ordered=ordered) for part in codes])


def narrowed(array: pa.Array, kind: pa.DataType) -> list[pa.Array]:
    """A dictionary array as arrays of the dictionary type `kind`: several where one's values outgrow its index type.

    Values that no row has are left out.
    """
    index: Any = kind
    limit = int(np.iinfo(index.index_type.to_pandas_dtype()).max)
    if array.type == kind:
        return [array]
    used = array.indices.drop_null().unique().sort()
    if len(used) - 1 > limit:
        middle = len(array) // 2
        return narrowed(array.slice(0, middle), kind) + narrowed(array.slice(middle), kind)
    codes, dictionary = array.indices, array.dictionary
    if len(dictionary) - 1 > limit:
        codes, dictionary = pc.index_in(codes, value_set=used), taken(dictionary, used)
    codes = codes.cast(index.index_type)
    return [pa.DictionaryArray.from_arrays(codes, dictionary, ordered=index.ordered, safe=False)]


def without_unused(data: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same values, of the same type, with nothing in memory of dictionaries and views that no row has."""
    return pa.chunked_array([_own(chunk) for chunk in data.chunks], data.type)


def _own(array: pa.Array) -> pa.Array:
    kind: Any = array.type
    if isinstance(array, pa.ExtensionArray):
        return pa.ExtensionArray.from_storage(kind, _own(array.storage))
    if pa.types.is_dictionary(kind):
        used = array.indices.drop_null().unique().sort()
        if len(used) == len(array.dictionary):
            return array
        codes = pc.index_in(array.indices, value_set=used).cast(kind.index_type)
        return pa.DictionaryArray.from_arrays(codes, taken(array.dictionary, used), ordered=kind.ordered)
    # Arrow takes the rows of a nested array, and leaves the dictionaries and buffers inside as they are.
    return pa.array(array.to_pylist(), kind) if _points_inside(kind) else array


def _points_inside(kind: Any) -> bool:
    """Whether a nested type has a dictionary or a view somewhere in it."""
    inside = [kind.field(i).type for i in range(kind.num_fields)] if pa.types.is_nested(kind) else []
    return any(
        pa.types.is_dictionary(one)
        or pa.types.is_string_view(one)
        or pa.types.is_binary_view(one)
        or _points_inside(one)
        for one in inside
    )


def unified(arrays: list[pa.Array]) -> tuple[pa.Array, list[pa.Array]]:
    """One dictionary without nulls for all arrays, and each array's int32 codes into it, null where the value is."""
    dictionaries: list[pa.Array] = []
    starts: list[int] = []
    for array in arrays:
        known = next(
            (
                i
                for i, one in enumerate(dictionaries)
                if one is array.dictionary or _alike(one, array.dictionary)
            ),
            None,
        )
        if known is None:
            known = len(dictionaries)
            dictionaries.append(array.dictionary)
        starts.append(known)
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in dictionaries])])
    whole = dictionaries[0] if len(dictionaries) == 1 else pa.concat_arrays(dictionaries)
    # Position of every concatenated value in the final dictionary; -1 for a null.
    place = np.arange(len(whole), dtype=np.int32)
    if whole.null_count or len(dictionaries) > 1:
        keep = first_of_each(whole)
        place, whole = keep[0], taken(whole, pa.array(keep[1]))
    trivial = len(place) == len(whole)
    codes: list[pa.Array] = []
    for array, start in zip(arrays, starts, strict=True):
        indices = array.indices.cast(pa.int32())
        if not trivial or len(dictionaries) > 1:
            mapped = pa.array(
                place[int(offsets[start]) : int(offsets[start + 1])],
                mask=place[int(offsets[start]) : int(offsets[start + 1])] < 0,
            )
            indices = mapped.take(indices)
        codes.append(indices)
    return whole, codes


def _alike(one: pa.Array, other: pa.Array) -> bool:
    """Whether two dictionaries hold the same; where -0.0 and 0.0 would pass for the same, only when they are one."""
    return not pa.types.is_floating(one.type) and one.equals(other)


def taken(values: pa.Array, indices: pa.Array) -> pa.Array:
    """`values.take(indices)` for values of any type; Arrow has no kernel for views."""
    kind = values.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        plain = pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary()
        return values.cast(plain).take(indices).cast(kind)
    try:
        return values.take(indices)
    except pa.ArrowNotImplementedError:
        places = indices.to_pylist()
        if not places:
            return values.slice(0, 0)
        none = pa.nulls(1, values.type)
        return pa.concat_arrays([none if place is None else values.slice(place, 1) for place in places])


def first_of_each(values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """For every value its place among the distinct non-null ones (-1 for null), and where those first stand."""
    stored = plain_storage(values)
    if pa.types.is_floating(stored.type):
        # By their bits: NaN with different payloads, and -0.0 and 0.0, are different values here.
        stored = stored.view({16: pa.uint16(), 32: pa.uint32(), 64: pa.uint64()}[stored.type.bit_width])
    simple = not (pa.types.is_nested(stored.type) or pa.types.is_dictionary(stored.type))
    if simple and not pa.types.is_decimal32(stored.type) and not pa.types.is_decimal64(stored.type):
        encoded = stored.dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        order = np.unique(codes, return_index=True)
        return codes.astype(np.int32), order[1][order[0] >= 0]
    # No hash kernel for this type: every value keeps its own place.
    valid = validity(stored)
    place = np.where(valid, np.cumsum(valid) - 1, -1).astype(np.int32)
    return place, np.flatnonzero(valid)


def low_cardinality(arrays: list[pa.Array]) -> list[pa.Array] | None:
    """The dictionary-encoded arrays when a column of strings or whole numbers has few distinct values, else None."""
    column = pa.chunked_array(arrays)
    rows = len(column)
    if rows < 2:
        return None
    picks = np.unique(np.linspace(0, rows - 1, min(rows, _SAMPLE)).astype(np.int64))
    distinct = len(column.take(pa.array(picks)).unique())
    if distinct > min(_SAMPLE_DISTINCT, len(picks) // 2):
        return None
    encoded = column.dictionary_encode()
    size = len(encoded.chunk(0).dictionary)
    return encoded.chunks if size <= min(DICTIONARY_VALUES, max(1, rows // 2)) else None


def plain_storage(array: pa.Array) -> pa.Array:
    """What an extension array stores, or the array itself."""
    while isinstance(array, pa.ExtensionArray):
        array = array.storage
    return array


def validity(array: pa.Array) -> np.ndarray:
    """Which values are not null, as booleans."""
    return array.is_valid().to_numpy(zero_copy_only=False)
