"""Dictionaries: when a column of strings gets one, and how several become one."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

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


def unified(arrays: list[pa.Array]) -> tuple[pa.Array, list[pa.Array]]:
    """One dictionary without nulls for all arrays, and each array's int32 codes into it, null where the value is."""
    dictionaries: list[pa.Array] = []
    starts: list[int] = []
    for array in arrays:
        known = next(
            (
                i
                for i, one in enumerate(dictionaries)
                if one is array.dictionary or one.equals(array.dictionary)
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
        keep = _first_of_each(whole)
        place, whole = keep[0], whole.take(pa.array(keep[1]))
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


def _first_of_each(values: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """For every value its place among the distinct non-null ones (-1 for null), and where those first stand."""
    stored = plain_storage(values)
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
    """The dictionary-encoded arrays when a text column has few distinct values, else None."""
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
