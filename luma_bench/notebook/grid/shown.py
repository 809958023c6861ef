"""Values on their way into a browser: what JavaScript holds exactly travels as it is, everything else as the text that is shown.

A page's columns are of int8 to int64, uint8 to uint64 (within ±(2⁵³ - 1)), float64, bool, utf8 and lists of float32, and of nothing
else. The metadata of a field tells how to read it: `luma.shown` is `text` where the text is ready to be shown, `vector` for the
first values of a vector, of which `luma.length` says how many there are.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.bench.cells import column_cells, plain_type
from luma_bench.notebook.grid.columns import GridColumn

LONGEST = 200
"""Characters of a text before it is cut; the whole of it is a message of its own."""
VECTOR = 256
"""Values of a vector that travel, for its sparkline."""
EXACT = 2**53 - 1
"""The largest whole number up to which JavaScript tells every two apart."""

_BOOL8 = "arrow.bool8"
# As in bench/cells.py: what may not reach a screen as it is.
_UNSAFE = r"[\x00-\x1f\x7f-\x{9f}\x{2028}\x{2029}\x{200e}\x{200f}\x{61c}\x{202a}-\x{202e}\x{2066}-\x{2069}]"
_TEXT = {b"luma.shown": b"text"}


def shown_field(values: pa.ChunkedArray, column: GridColumn) -> tuple[pa.Field, pa.Array]:
    """A few values of a column in the form that a page holds.

    Parameters
    ----------
    values
        The values of the page's rows and no others: a slice.
    """
    array, metadata = _shown(values, column)
    return pa.field(str(column.index), array.type, metadata=metadata), array


def _shown(values: pa.ChunkedArray, column: GridColumn) -> tuple[pa.Array, dict[bytes, bytes] | None]:
    kind = plain_type(values.type)
    if column.kind == "int" and pa.types.is_integer(kind):
        plain = _plain(values, kind)
        return (plain, None) if _is_exact(plain, kind) else (_texts(values), _TEXT)
    if column.kind == "float":
        return _doubles(_plain(values, kind), kind), None
    if column.kind == "bool":
        return _booleans(values), None
    if column.kind == "vector":
        return _vectors(_plain(values, kind), kind)
    if column.kind in ("text", "json") and _is_string(kind) and not _is_uuid(values.type):
        return _cut(_plain(values, kind)), None if column.kind == "text" else _TEXT
    return _texts(values), _TEXT


def _plain(values: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    """The values under dictionaries, run ends and extensions, in one array."""
    parts = [_unwrapped(chunk) for chunk in values.chunks]
    if not parts:
        return pa.array([], kind)
    whole = pa.concat_arrays(parts) if len(parts) > 1 else parts[0]
    return whole if whole.type == kind else whole.cast(kind)


def _unwrapped(array: pa.Array) -> pa.Array:
    while True:
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        elif isinstance(array, pa.DictionaryArray):
            array = array.dictionary_decode()
        elif pa.types.is_run_end_encoded(array.type):
            array = pc.run_end_decode(array)
        else:
            return array


def _is_exact(array: pa.Array, kind: pa.DataType) -> bool:
    if kind.bit_width < 64 or array.null_count == len(array):
        return True
    bounds = pc.min_max(array).as_py()
    return bounds["min"] >= -EXACT and bounds["max"] <= EXACT


def _doubles(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Floating-point values as float64 whose shortest decimal is the value's own: 0.1 as FLOAT is shown as 0.1."""
    if pa.types.is_float64(kind):
        return array
    missing = np.asarray(array.is_null())
    single = array.to_numpy(zero_copy_only=False).astype(
        np.float16 if pa.types.is_float16(kind) else np.float32
    )
    return pa.array(single.astype(str).astype(np.float64), mask=missing)


def _booleans(values: pa.ChunkedArray) -> pa.Array:
    if isinstance(values.type, pa.BaseExtensionType) and values.type.extension_name == _BOOL8:
        stored = _plain(values, pa.int8())
        return pc.not_equal(stored, pa.scalar(0, pa.int8()))
    return _plain(values, pa.bool_())


def _vectors(array: pa.Array, kind: pa.DataType) -> tuple[pa.Array, dict[bytes, bytes]]:
    size = min(kind.list_size, VECTOR)
    told = {b"luma.shown": b"vector", b"luma.length": str(kind.list_size).encode()}
    if len(array) == 0 or size == 0:
        empty = [None if missing else [] for missing in array.is_null().to_pylist()]
        return pa.array(empty, pa.list_(pa.float32())), told
    start = array.offset * kind.list_size
    flat = array.values.slice(start, len(array) * kind.list_size).cast(pa.float32())
    missing = np.asarray(flat.is_null()).reshape(len(array), kind.list_size)[:, :size]
    rows = flat.to_numpy(zero_copy_only=False).reshape(len(array), kind.list_size)[:, :size]
    items = pa.array(
        np.ascontiguousarray(rows).ravel(), pa.float32(), mask=np.ascontiguousarray(missing).ravel()
    )
    offsets = np.arange(len(array) + 1, dtype=np.int32) * size
    absent = array.is_null()
    return pa.ListArray.from_arrays(pa.array(offsets), items, mask=absent), told


def _cut(array: pa.Array) -> pa.Array:
    """Texts, the long ones cut, with control and bidirectional characters as escapes."""
    # The first bytes hold the first characters: nobody decodes a hundred megabytes to show two hundred letters.
    array = _shortened(array)
    if array.type != pa.string():
        array = array.cast(pa.string())
    if pc.any(pc.match_substring_regex(array, _UNSAFE)).as_py():
        return _texts(pa.chunked_array([array]))
    long = pc.greater(pc.utf8_length(array), LONGEST)
    if not pc.any(long).as_py():
        return array
    short = pc.binary_join_element_wise(pc.utf8_slice_codeunits(array, 0, LONGEST - 1), "…", "")
    return pc.if_else(long, short, array)


def _shortened(array: pa.Array) -> pa.Array:
    if pa.types.is_string_view(array.type):
        # Views have no kernels of their own yet.
        array = array.cast(pa.large_string())
    sizes = pc.binary_length(array)
    most = pc.max(sizes).as_py() or 0
    if most <= 8 * LONGEST:
        return array
    texts: list[str | None] = []
    for item in array:
        buffer = item.as_buffer() if item.is_valid else None
        # One character beyond the cut, at most four bytes each, is enough to see that it is cut.
        texts.append(
            None
            if buffer is None
            else buffer.slice(0, min(buffer.size, 4 * LONGEST + 8)).to_pybytes().decode("utf-8", "ignore")
        )
    return pa.array(texts, pa.string())


def _texts(values: pa.ChunkedArray) -> pa.Array:
    """The values as bench/cells.py words them."""
    return pa.array([None if cell.null else cell.text for cell in column_cells(values, LONGEST)], pa.string())


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_uuid(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.uuid"
