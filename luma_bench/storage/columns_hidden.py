"""Codes under a null: Arrow lets what nobody sees point outside of its dictionary, and then reads past the end itself.

`pa.array([None], pa.struct([("f", pa.dictionary(pa.int8(), pa.string()))]))` is such an array: its field holds the code 0 of an empty
dictionary. Joining or flattening it looks that code up, in memory that belongs to something else.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

pc: Any = pyarrow.compute  # its functions are made at run time, where no type checker sees them


def without_hidden_codes(array: pa.Array) -> pa.Array:
    """The same values; a code that a null hides and that points outside of its dictionary is null itself.

    Arrays without dictionaries inside are given back as they are, and nothing is copied where no code is wrong.

    Raises
    ------
    pa.ArrowInvalid
        A code that somebody would see points outside of its dictionary.
    """
    return _walk(array, None) if _has_codes_inside(array.type) else array


@functools.lru_cache(maxsize=1_024)
def _has_codes_inside(kind: Any) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return _has_codes_inside(kind.storage_type)
    if not pa.types.is_nested(kind):
        return False
    return any(
        pa.types.is_dictionary(inside) or _has_codes_inside(inside)
        for inside in (kind.field(i).type for i in range(kind.num_fields))
    )


def _walk(array: Any, shown: np.ndarray | None) -> Any:
    """`shown` says which values somebody sees; None: all."""
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        inner = _walk(array.storage, shown)
        return array if inner is array.storage else pa.ExtensionArray.from_storage(kind, inner)
    if pa.types.is_dictionary(kind):
        return _coded(array, shown)
    if not _has_codes_inside(kind):
        return array
    seen = array.is_valid().to_numpy(zero_copy_only=False)
    seen = seen if shown is None else seen & shown
    if pa.types.is_struct(kind):
        fields = [array.field(i) for i in range(kind.num_fields)]
        walked = [_walk(field, seen) for field in fields]
        if all(one is other for one, other in zip(fields, walked, strict=True)):
            return array
        return pa.StructArray.from_arrays(walked, fields=list(kind), mask=array.is_null())
    if pa.types.is_fixed_size_list(kind):
        size = kind.list_size
        values = array.values.slice(array.offset * size, len(array) * size)
        walked = _walk(values, np.repeat(seen, size))
        if walked is values:
            return array
        return pa.FixedSizeListArray.from_arrays(walked, type=kind, mask=array.is_null())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_map(kind):
        values = array.values
        walked = _walk(values, _rows_of(array, seen, len(values)))
        if walked is values:
            return array
        return pa.Array.from_buffers(
            kind, len(array), array.buffers()[:2], offset=array.offset, children=[walked]
        )
    return array


def _coded(array: Any, shown: np.ndarray | None) -> Any:
    codes = array.indices
    values = codes.fill_null(0).to_numpy(zero_copy_only=False)
    outside = (values < 0) | (values >= len(array.dictionary))
    outside &= codes.is_valid().to_numpy(zero_copy_only=False)
    if not outside.any():
        return array
    if shown is None or (outside & shown).any():
        row = int(np.flatnonzero(outside if shown is None else outside & shown)[0])
        raise pa.ArrowInvalid(f"code {values[row]} points outside of a dictionary of {len(array.dictionary)}")
    codes = pc.if_else(pa.array(outside), pa.scalar(None, codes.type), codes)
    return pa.DictionaryArray.from_arrays(codes, array.dictionary, ordered=array.type.ordered)


def _rows_of(array: Any, seen: np.ndarray, count: int) -> np.ndarray:
    """Which of a list's `count` values lie in a list that is seen."""
    offsets = array.offsets.to_numpy(zero_copy_only=False)
    steps = np.zeros(count + 1, np.int64)
    np.add.at(steps, offsets[:-1][seen], 1)
    np.add.at(steps, offsets[1:][seen], -1)
    return np.cumsum(steps[:-1]) > 0
