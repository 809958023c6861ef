"""A column put together: the decoded arrays of one row chunk become an Arrow array of the type that is asked for."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from luma_bench.storage.columns import fixed_of, is_list, is_text, is_unicode, item_field, storage_of
from luma_bench.storage.columns_dictionary import taken

_INT32_MAX = 2**31 - 1


class ChunkReader(Protocol):
    """Decodes the arrays of one segment."""

    def has(self, array: str) -> bool:
        """Whether the segment holds an array of this name."""
        ...

    def dtype(self, array: str) -> np.dtype:
        """The element type of an array."""
        ...

    def fetch(self, array: str, chunk: int) -> pa.Buffer | None:
        """The elements of one chunk without padding; None for a chunk that was left out."""
        ...

    def dictionary(self, node: str, kind: pa.DataType) -> pa.Array:
        """The values of the dictionary node `node`, as `kind`."""
        ...


class Joiner:
    """Builds Arrow arrays from one row chunk of a segment.

    The type asked for may differ from the written one where the stored form serves both: `string` for `large_string`, a
    decimal of another width, `float` for `halffloat`, plain values for a dictionary and the reverse.
    """

    def __init__(self, reader: ChunkReader, chunk: int) -> None:
        self._reader = reader
        self._chunk = chunk

    def node(self, name: str, kind: pa.DataType, rows: int, *, nulls: bool = True) -> pa.Array:
        """`rows` values of a node as `kind`; `nulls` False promises that there is no null at this level.

        A dictionary has int32 codes when its values outgrow the index type of `kind`.
        """
        if isinstance(kind, pa.BaseExtensionType):
            return pa.ExtensionArray.from_storage(kind, self.node(name, storage_of(kind), rows, nulls=nulls))
        if pa.types.is_null(kind):
            return pa.nulls(rows)
        if self._reader.has(f"{name}.code"):
            return self._coded(name, kind, rows, nulls)
        if pa.types.is_dictionary(kind):
            plain = self.node(name, kind.value_type, rows, nulls=nulls)
            return as_dictionary(plain, kind)
        valid = self._validity(name, nulls)
        if pa.types.is_boolean(kind):
            return pa.Array.from_buffers(kind, rows, [valid, self._needed(name)])
        if is_text(kind):
            return self._text(name, kind, rows, valid)
        if is_list(kind):
            return self._list(name, kind, rows, valid)
        if pa.types.is_fixed_size_list(kind):
            child = self.node(f"{name}.child", kind.value_type, rows * kind.list_size)
            return pa.Array.from_buffers(kind, rows, [valid], children=[child])
        if pa.types.is_struct(kind):
            children = [
                self.node(f"{name}.child{i}", kind.field(i).type, rows) for i in range(kind.num_fields)
            ]
            return pa.Array.from_buffers(kind, rows, [valid], children=children)
        return pa.Array.from_buffers(kind, rows, [valid, self._fixed(name, kind)])

    def _needed(self, name: str) -> pa.Buffer:
        buffer = self._reader.fetch(name, self._chunk)
        assert buffer is not None, "only validity chunks are left out"
        return buffer

    def _validity(self, name: str, nulls: bool) -> pa.Buffer | None:
        if not nulls or not self._reader.has(f"{name}.valid"):
            return None
        return self._reader.fetch(f"{name}.valid", self._chunk)

    def _fixed(self, name: str, kind: pa.DataType) -> pa.Buffer:
        buffer = self._needed(name)
        fixed = fixed_of(kind)
        assert fixed is not None, f"{kind} is not stored"
        stored = self._reader.dtype(name)
        size = kind.bit_width // 8
        if stored.itemsize * fixed.width == size and stored.kind == fixed.dtype.kind:
            return buffer
        values = np.frombuffer(buffer, stored)
        if pa.types.is_decimal128(kind):
            wide = pa.allocate_buffer(16 * len(values))
            words = np.frombuffer(wide, np.int64).reshape(-1, 2)
            words[:, 0] = values
            np.right_shift(words[:, 0], 63, out=words[:, 1])
            return wide
        target = pa.allocate_buffer(size * len(values))
        np.frombuffer(target, np.dtype(f"{stored.kind}{size}"))[:] = values
        return target

    def _offsets(self, name: str, rows: int, *, wide: bool) -> tuple[pa.Buffer, int]:
        """The offsets of `rows` values and how many elements they span."""
        lengths = np.frombuffer(self._needed(f"{name}.len"), np.int32)
        dtype = np.dtype(np.int64 if wide else np.int32)
        buffer = pa.allocate_buffer((rows + 1) * dtype.itemsize)
        offsets = np.frombuffer(buffer, dtype)
        offsets[0] = 0
        np.cumsum(lengths, dtype=dtype, out=offsets[1:])
        return buffer, int(offsets[-1])

    def _text(self, name: str, kind: pa.DataType, rows: int, valid: pa.Buffer | None) -> pa.Array:
        data = self._needed(f"{name}.data")
        types = pa.types
        if types.is_string_view(kind) or types.is_binary_view(kind):
            plain = pa.large_string() if is_unicode(kind) else pa.large_binary()
            offsets, _ = self._offsets(name, rows, wide=True)
            return pa.Array.from_buffers(plain, rows, [valid, offsets, data]).cast(kind)
        wide = types.is_large_string(kind) or types.is_large_binary(kind)
        offsets, _ = self._offsets(name, rows, wide=wide)
        return pa.Array.from_buffers(kind, rows, [valid, offsets, data])

    def _list(self, name: str, kind: Any, rows: int, valid: pa.Buffer | None) -> pa.Array:
        offsets, items = self._offsets(name, rows, wide=pa.types.is_large_list(kind))
        child = self.node(f"{name}.child", item_field(kind).type, items)
        return pa.Array.from_buffers(kind, rows, [valid, offsets], children=[child])

    def _coded(self, name: str, kind: pa.DataType, rows: int, nulls: bool) -> pa.Array:
        stored = self._reader.dtype(f"{name}.code")
        valid = self._validity(name, nulls)
        codes = self._needed(f"{name}.code")
        if not pa.types.is_dictionary(kind):
            view = pa.types.is_string_view(kind) or pa.types.is_binary_view(kind)
            plain = (pa.large_string() if is_unicode(kind) else pa.large_binary()) if view else kind
            index = pa.Array.from_buffers(pa.from_numpy_dtype(stored), rows, [valid, codes])
            values = taken(self._reader.dictionary(f"{name}.dict", plain), index)
            return values.cast(kind) if view else values
        dictionary = self._reader.dictionary(f"{name}.dict", kind.value_type)
        index_type = kind.index_type
        wanted = np.dtype(index_type.to_pandas_dtype())
        if wanted != stored:
            numbers = np.frombuffer(codes, stored)
            if len(dictionary) - 1 > np.iinfo(wanted).max:
                used, numbers = np.unique(numbers, return_inverse=True)
                dictionary = taken(dictionary, pa.array(used))
                if len(used) - 1 > np.iinfo(wanted).max:
                    # Together, the values of several writes outgrow the index type: wide codes, for `narrowed`.
                    index_type, wanted = pa.int32(), np.dtype(np.int32)
            codes = pa.allocate_buffer(rows * wanted.itemsize)
            np.frombuffer(codes, wanted)[:] = numbers
        index = pa.Array.from_buffers(index_type, rows, [valid, codes])
        return pa.DictionaryArray.from_arrays(index, dictionary, ordered=kind.ordered, safe=False)


def as_dictionary(plain: pa.Array, kind: Any) -> pa.Array:
    """Plain values as a dictionary array of exactly `kind`."""
    encoded = plain.dictionary_encode()
    index = encoded.indices.cast(kind.index_type)
    return pa.DictionaryArray.from_arrays(index, encoded.dictionary, ordered=kind.ordered, safe=False)
