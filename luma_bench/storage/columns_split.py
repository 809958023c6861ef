"""A column taken apart: Arrow arrays, one a row chunk, become the parts of the arrays that a segment stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.errors import SchemaError
from luma_bench.storage.columns import fixed_of, is_list, is_text, is_unicode
from luma_bench.storage.columns_dictionary import low_cardinality, plain_storage, unified, validity
from luma_bench.types.maps import as_list

_INT32_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Component:
    """One array of a segment, before encoding.

    Attributes
    ----------
    name
        The array's name in the group.
    parts
        The elements of each row chunk: contiguous 1-D arrays of one dtype, `width` elements a value.
    chunk
        Values in each Zarr chunk; a shorter part is padded with zeros.
    shape
        Values in the whole array as Zarr sees it.
    fill
        What Zarr reads where a chunk is left out; a part of None is.
    """

    name: str
    parts: Sequence[np.ndarray | None]
    dtype: np.dtype
    width: int
    chunk: int
    shape: int
    fill: int = 0


@dataclass(slots=True)
class Split:
    """A column's components, and the codes of its row chunks when it is dictionary-encoded."""

    components: list[Component] = field(default_factory=list[Component])
    codes: list[np.ndarray] | None = None
    dictionary: pa.Array | None = None


class Splitter:
    """Takes the columns of one table apart.

    Parameters
    ----------
    table
        The table's name, for messages.
    chunk
        Rows in every row chunk but the last, which may be shorter.
    rows
        Rows of the segment.
    """

    def __init__(self, table: str, chunk: int, rows: int) -> None:
        self._table = table
        self._chunk = chunk
        self._rows = rows

    def column(
        self,
        name: str,
        label: str,
        arrays: list[pa.Array],
        *,
        series: bool = False,
    ) -> Split:
        """The components of a column.

        Parameters
        ----------
        name
            The root node's name, such as `c7`.
        label
            The column's own name, for messages.
        arrays
            Its rows, one array a row chunk, all of one type.
        series
            Whether it names the series of a row: whole numbers get a dictionary as strings do, because what groups
            and joins by them is faster on codes; what compares them is a little slower.

        Raises
        ------
        SchemaError
            A value cannot be stored: a decimal beyond its precision, a duration finer than 1 µs, a map's repeated key,
            a value of 2 GiB or more.
        """
        split = Split()
        run = _Run(self._table, label, split)
        arrays = [_without_views(plain_storage(array)) for array in arrays]
        worthwhile = arrays and (is_text(arrays[0].type) or (series and _is_wide(arrays[0].type)))
        if worthwhile and (encoded := low_cardinality(arrays)) is not None:
            arrays = encoded
        run.node(name, arrays, self._chunk, self._rows)
        return split


class _Run:
    """The walk over one column's tree."""

    def __init__(self, table: str, label: str, split: Split) -> None:
        self._table = table
        self._label = label
        self._split = split

    def node(self, name: str, arrays: list[pa.Array], chunk: int, shape: int) -> None:
        """Add the components of a node whose row chunks hold up to `chunk` values and `shape` altogether."""
        arrays = [plain_storage(array) for array in arrays]
        if not arrays or pa.types.is_null(arrays[0].type):
            return
        kind = arrays[0].type
        if pa.types.is_dictionary(kind):
            self._dictionary(name, arrays, chunk, shape)
            return
        self._validity(name, arrays, chunk)
        if pa.types.is_boolean(kind):
            self._bits(name, [_bits(array) for array in arrays], chunk)
        elif is_text(kind):
            self._text(name, arrays, chunk, shape)
        elif is_list(kind):
            self._list(name, arrays, chunk, shape)
        elif pa.types.is_fixed_size_list(kind):
            size = kind.list_size
            children = [array.values.slice(array.offset * size, len(array) * size) for array in arrays]
            self.node(f"{name}.child", children, chunk * size, shape * size)
        elif pa.types.is_struct(kind):
            for i in range(kind.num_fields):
                self.node(f"{name}.child{i}", [array.field(i) for array in arrays], chunk, shape)
        else:
            self._fixed(name, arrays, chunk, shape)

    def _add(
        self,
        name: str,
        parts: Sequence[np.ndarray | None],
        chunk: int,
        shape: int,
        *,
        width: int = 1,
        dtype: np.dtype | None = None,
        fill: int = 0,
    ) -> None:
        chosen = dtype or next(part.dtype for part in parts if part is not None)
        self._split.components.append(Component(name, parts, chosen, width, max(1, chunk), shape, fill))

    def _bits(self, name: str, parts: Sequence[np.ndarray | None], chunk: int, fill: int = 0) -> None:
        size = max(1, -(-chunk // 8))
        self._add(name, parts, size, len(parts) * size, dtype=np.dtype(np.uint8), fill=fill)

    def _validity(self, name: str, arrays: list[pa.Array], chunk: int) -> None:
        if any(array.null_count for array in arrays):
            # A chunk without nulls is left out: Zarr reads the fill value, all ones, in its place.
            self._bits(
                f"{name}.valid",
                [_bits(array.is_valid()) if array.null_count else None for array in arrays],
                chunk,
                255,
            )

    def _fixed(self, name: str, arrays: list[pa.Array], chunk: int, shape: int) -> None:
        fixed = fixed_of(arrays[0].type)
        assert fixed is not None, f"{arrays[0].type} passed the check of storable types"
        self._add(
            name,
            [self._values(array) for array in arrays],
            chunk,
            shape,
            width=fixed.width,
            dtype=fixed.dtype,
        )

    def _values(self, array: pa.Array) -> np.ndarray:
        """The values of a fixed-width array as they are stored, zero under nulls."""
        kind, fixed = array.type, fixed_of(array.type)
        assert fixed is not None
        size = kind.bit_width // 8
        buffer = array.buffers()[1]
        if len(array) == 0 or buffer is None:
            return np.zeros(len(array) * fixed.width, fixed.dtype)
        element = (
            np.dtype(f"u{size}")
            if size in (1, 2, 4, 8)
            else np.dtype(np.uint64 if size % 8 == 0 else np.uint8)
        )
        each = size // element.itemsize
        raw = (
            np.frombuffer(buffer, np.uint8)[array.offset * size : (array.offset + len(array)) * size]
            .view(element)
            .reshape(-1, each)
        )
        if array.null_count:
            raw = raw.copy()
            raw[~validity(array)] = 0
        if pa.types.is_decimal(kind) and size > fixed.dtype.itemsize * fixed.width:
            return self._narrow(kind, raw.view(np.int64), fixed.dtype)
        if pa.types.is_duration(kind) and kind.unit == "ns":
            self._whole_microseconds(raw.view(np.int64))
        if pa.types.is_interval(kind):
            self._whole_microseconds(raw.view(np.int64)[:, 1])
        return raw.reshape(-1).view(fixed.dtype)

    def _narrow(self, kind: pa.DataType, words: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """Decimals of one or two words as `dtype`, after a check that the bytes left out only repeat the sign."""
        low = words[:, 0]
        narrow = low.astype(dtype)
        fits = dtype.itemsize == 8 or bool(np.array_equal(narrow, low))
        if words.shape[1] > 1 and not np.array_equal(words[:, 1], low >> 63):
            fits = False
        if not fits:
            raise self._refused(
                f"a value has more digits than {kind} holds.", "Cast the column to a wider decimal."
            )
        return narrow

    def _whole_microseconds(self, nanoseconds: np.ndarray) -> None:
        if np.any(nanoseconds % 1000):
            raise self._refused(
                "a duration is finer than 1 µs.", "Round it: cast the column to duration('us')."
            )

    def _text(self, name: str, arrays: list[pa.Array], chunk: int, shape: int) -> None:
        pairs = [self._lengths_and_bytes(array) for array in arrays]
        self._add(f"{name}.len", [pair[0] for pair in pairs], chunk, shape, dtype=np.dtype(np.int32))
        longest = max(1, *(len(pair[1]) for pair in pairs))
        self._add(
            f"{name}.data",
            [pair[1] for pair in pairs],
            longest,
            longest * len(pairs),
            dtype=np.dtype(np.uint8),
        )

    def _lengths_and_bytes(self, array: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        array = _without_views(array)
        offsets = _offsets(array)
        lengths = np.diff(offsets)
        if array.null_count and np.any(lengths[~validity(array)]):
            # A null may point at bytes; they are not part of the data.
            array = array.fill_null("" if is_unicode(array.type) else b"")
            offsets = _offsets(array)
            lengths = np.diff(offsets)
        if len(lengths) and int(lengths.max()) > _INT32_MAX:
            raise self._refused(
                "a value has 2 GiB or more.", "Split the value, or store it in a file and keep its path."
            )
        data = array.buffers()[2]
        held = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8)
        return lengths.astype(np.int32, copy=False), held[int(offsets[0]) : int(offsets[-1])]

    def _list(self, name: str, arrays: list[pa.Array], chunk: int, shape: int) -> None:
        if pa.types.is_map(arrays[0].type):
            arrays = [self._entries(array) for array in arrays]
        lengths: list[np.ndarray] = []
        for array in arrays:
            counts = np.diff(_offsets(array))
            if array.null_count:
                counts = np.where(validity(array), counts, 0)
            lengths.append(counts.astype(np.int32, copy=False))
        self._add(f"{name}.len", lengths, chunk, shape, dtype=np.dtype(np.int32))
        children = [array.flatten() for array in arrays]
        longest = max(1, *(len(child) for child in children))
        self.node(f"{name}.child", children, longest, longest * len(children))

    def _entries(self, array: Any) -> pa.Array:
        """A map as the list of structs it is, after a check for repeated keys."""
        listed = as_list(array)
        keys = plain_storage(listed.flatten().field(0))
        if pa.types.is_dictionary(keys.type):
            keys = keys.dictionary_decode()
        rows = pc.list_parent_indices(listed)
        pairs = pa.table({"row": rows, **_comparable(keys)})
        if pairs.group_by(pairs.column_names).aggregate([]).num_rows < len(pairs):
            raise self._refused("a map holds a key twice.", "Keep one value of each key.")
        return listed

    def _dictionary(self, name: str, arrays: list[pa.Array], chunk: int, shape: int) -> None:
        dictionary, codes = unified(arrays)
        index = arrays[0].type.index_type
        limit = int(np.iinfo(index.to_pandas_dtype()).max)
        valid = [None if part.null_count == 0 else validity(part) for part in codes]
        size = len(dictionary)
        dtype = np.dtype(np.uint8 if size <= 256 else np.uint16 if size <= 65_536 else np.int32)
        parts: list[np.ndarray] = []
        for part in codes:
            values = (
                part.fill_null(0).to_numpy(zero_copy_only=False)
                if part.null_count
                else part.to_numpy(zero_copy_only=False)
            )
            parts.append(values.astype(dtype))
        # A column's own codes are cut to fit when it is read (`narrowed`); those inside lists and structs cannot be.
        if "." in name and size - 1 > limit and any(len(np.unique(part)) - 1 > limit for part in parts):
            raise self._refused(
                f"its dictionaries together hold more values than a {index} index counts.",
                "Cast the index to int32.",
            )
        if any(mask is not None for mask in valid):
            self._bits(
                f"{name}.valid",
                [None if m is None else np.packbits(m, bitorder="little") for m in valid],
                chunk,
                255,
            )
        self._add(f"{name}.code", parts, chunk, shape, dtype=dtype)
        self.node(f"{name}.dict", [dictionary], len(dictionary), len(dictionary))
        if self._split.codes is None and "." not in name:
            self._split.codes = [part if m is None else part[m] for part, m in zip(parts, valid, strict=True)]
            self._split.dictionary = dictionary

    def _refused(self, problem: str, hint: str) -> SchemaError:
        return SchemaError.column(self._table, self._label, problem, hint)


def _comparable(keys: pa.Array) -> dict[str, pa.Array]:
    """A map's keys as columns that Arrow can group by."""
    if pa.types.is_struct(keys.type):
        columns: dict[str, pa.Array] = {}
        for i in range(keys.type.num_fields):
            columns |= {
                f"{i}.{name}": part for name, part in _comparable(plain_storage(keys.field(i))).items()
            }
        return columns
    if pa.types.is_decimal(keys.type):
        keys = keys.cast(pa.decimal128(keys.type.precision, keys.type.scale))
    if pa.types.is_nested(keys.type) or pa.types.is_interval(keys.type):
        return {"key": pa.array([repr(item) for item in keys.to_pylist()])}
    return {"key": keys}


def _is_wide(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) and kind.bit_width >= 32


def _without_views(array: pa.Array) -> pa.Array:
    """A string view as the offsets layout, which Arrow's kernels know; any other array as it is."""
    if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
        return array.cast(pa.large_string() if is_unicode(array.type) else pa.large_binary())
    return array


def _offsets(array: pa.Array) -> np.ndarray:
    wide = (
        pa.types.is_large_string(array.type)
        or pa.types.is_large_binary(array.type)
        or pa.types.is_large_list(array.type)
    )
    buffer = array.buffers()[1]
    if len(array) == 0 or buffer is None:
        return np.zeros(1, np.int64)
    return np.frombuffer(buffer, np.int64 if wide else np.int32)[array.offset : array.offset + len(array) + 1]


def _bits(array: pa.Array) -> np.ndarray:
    """A boolean array as packed bits from bit 0, zero under nulls."""
    values = array.fill_null(False) if array.null_count else array
    return np.packbits(values.to_numpy(zero_copy_only=False), bitorder="little")
