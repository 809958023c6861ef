"""Keys in a normal form: equal keys, and only they, have equal normal values, whatever Arrow type they came in.

A column of whole numbers, decimals of up to 18 digits, booleans, floats, dates and times becomes one int64 a value, in the
order of the values: -0.0 equals 0.0 and every NaN is one value above all others. Wider fixed-width values become several
int64, text becomes bytes. The code of a key is what indexes sort by: the one int64 itself where the key is one such
column, else 48 bits of a hash over all columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from luma_bench.errors import SchemaError
from luma_bench.storage.columns import is_text, storage_of
from luma_bench.storage.columns_stream import one_array
from luma_bench.storage.key_hash import joined, mixed, text_hashes
from luma_bench.storage.zones import bytes_of
from luma_bench.types.schema import Column, TableSchema

pc: Any = pyarrow.compute  # its functions are made at run time, where no type checker sees them

_DAY = 86_400_000_000
_LOWEST = np.int64(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class Normal:
    """One key column in its normal form: `numbers` of shape (n,) or (n, words), or `text`; `valid` where NULLs are."""

    numbers: np.ndarray | None = None
    text: pa.Array | None = None
    valid: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.numbers) if self.numbers is not None else 0 if self.text is None else len(self.text)

    def take(self, rows: np.ndarray) -> Normal:
        """The values of some rows."""
        valid = None if self.valid is None else self.valid[rows]
        if self.numbers is not None:
            return Normal(self.numbers[rows], None, valid)
        assert self.text is not None
        return Normal(None, self.text.take(pa.array(rows)), valid)

    def hashes(self) -> np.ndarray:
        """The uint64 hash of every value."""
        if self.numbers is None:
            return text_hashes(self.text)
        words = self.numbers.view(np.uint64)
        if words.ndim == 1:
            return mixed(words)
        whole = mixed(words[:, 0])
        for i in range(1, words.shape[1]):
            whole = mixed(whole ^ words[:, i])
        return whole

    def equals(self, other: Normal) -> np.ndarray:
        """Where two columns of one form hold the same value; a NULL equals nothing."""
        if self.numbers is None or other.numbers is None:
            assert self.text is not None
            assert other.text is not None
            alike: Any = other.text if other.text.type == self.text.type else other.text.cast(self.text.type)
            same = pc.equal(self.text, alike).fill_null(False).to_numpy(zero_copy_only=False)
        else:
            same = self.numbers == other.numbers
            if same.ndim == 2:
                same = same.all(axis=1)
        for valid in (self.valid, other.valid):
            if valid is not None:
                same = same & valid
        return same


@dataclass(frozen=True, slots=True)
class KeyForm:
    """How the keys of one table are coded.

    Attributes
    ----------
    table
        The table's name, for messages.
    columns
        The key columns, in the key's order.
    exact
        Whether a code is the key itself: one column whose normal value is one int64. Else equal codes only make
        candidates, and the values decide.
    """

    table: str
    columns: tuple[Column, ...]
    exact: bool

    @classmethod
    def of(cls, schema: TableSchema) -> KeyForm:
        """The form of a table's primary key, which it must have."""
        columns = tuple(schema.column(name) for name in schema.settings.primary_key)
        return cls(schema.name, columns, len(columns) == 1 and is_number(columns[0].type))

    def normal(self, arrays: Sequence[pa.Array | pa.ChunkedArray]) -> list[Normal]:
        """The key columns in their normal form; each array is of its column's type.

        Raises
        ------
        SchemaError
            A type has no equality that indexes know.
        """
        found: list[Normal] = []
        for column, array in zip(self.columns, arrays, strict=True):
            made = normal_of(array)
            if made is None:
                problem = f"values of type {column.type} cannot be compared as keys."
                hint = "Cast the column to a number, a text or a time, or take another key."
                raise SchemaError.column(self.table, column.name, problem, hint)
            found.append(made)
        return found

    def of_table(self, keys: pa.Table) -> list[Normal]:
        """The key columns of a table in their normal form, found by name.

        Raises
        ------
        SchemaError
            A key column is missing or of another type.
        """
        arrays: list[Any] = []
        for column in self.columns:
            if column.name not in keys.schema.names:
                hint = f"The key is ({', '.join(item.name for item in self.columns)})."
                raise SchemaError.column(self.table, column.name, "it is missing in the keys.", hint)
            held = keys.column(column.name)
            if held.type != column.type:
                problem = f"the keys have type {held.type}, the table {column.type}."
                raise SchemaError.column(self.table, column.name, problem, "Cast the keys.")
            arrays.append(held)
        return self.normal(arrays)

    def codes(self, normal: Sequence[Normal]) -> np.ndarray:
        """The int64 code of every key."""
        if self.exact:
            assert normal[0].numbers is not None
            return normal[0].numbers
        return joined([column.hashes() for column in normal])

    def equal(self, left: Sequence[Normal], right: Sequence[Normal]) -> np.ndarray:
        """Where the keys of two lists of columns are the same."""
        same = left[0].equals(right[0])
        for one, other in zip(left[1:], right[1:], strict=True):
            same &= one.equals(other)
        return same


def is_number(kind: pa.DataType) -> bool:
    """Whether the normal value of a type is one int64."""
    kind = storage_of(kind)
    types = pa.types
    if types.is_dictionary(kind):
        return is_number(kind.value_type)
    if types.is_decimal(kind):
        return kind.precision <= 18
    return (
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_boolean(kind)
        or (types.is_temporal(kind) and not types.is_interval(kind))
    )


def normal_of(array: Any) -> Normal | None:
    """An array or chunked array in its normal form; None where its type has none."""
    if isinstance(array, pa.ChunkedArray):
        array = one_array(array)
    while isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        return normal_of(array.dictionary_decode())
    valid = array.is_valid().to_numpy(zero_copy_only=False) if array.null_count else None
    if is_text(array.type):
        return Normal(None, bytes_of(array), valid)
    if pa.types.is_boolean(array.type):
        return Normal(array.cast(pa.uint8()).fill_null(0).to_numpy().astype(np.int64), None, valid)
    try:
        size = array.type.bit_width // 8
    except ValueError:
        return None
    if pa.types.is_nested(array.type) or size == 0:
        return None
    return Normal(_numbers(array, size), None, valid)


def float_codes(values: np.ndarray) -> np.ndarray:
    """Doubles as int64 in the same order; zeros are one value, and so are NaNs, which come last."""
    plain = np.where(np.isnan(values), np.nan, values + 0.0)
    bits = plain.view(np.int64)
    return bits ^ ((bits >> 63) & np.iinfo(np.int64).max)


def _numbers(array: Any, size: int) -> np.ndarray:
    kind, rows, buffer = array.type, len(array), array.buffers()[1]
    types = pa.types
    raw = (
        np.zeros(rows * size, np.uint8)
        if buffer is None or rows == 0
        else np.frombuffer(buffer, np.uint8)[array.offset * size : (array.offset + rows) * size]
    )
    if types.is_floating(kind):
        return float_codes(raw.view(kind.to_pandas_dtype()).astype(np.float64))
    if types.is_decimal(kind) and size == 16:
        words = raw.view(np.int64).reshape(rows, 2)
        return np.ascontiguousarray(words[:, 0]) if kind.precision <= 18 else words
    if types.is_interval(kind):
        return _interval(raw.reshape(rows, 16))
    if types.is_fixed_size_binary(kind):
        padded = np.zeros((rows, -(-size // 8) * 8), np.uint8)
        padded[:, :size] = raw.reshape(rows, size)
        return padded.view(np.int64)
    if types.is_uint64(kind):
        return raw.view(np.int64) ^ _LOWEST
    if types.is_integer(kind):
        return raw.view(kind.to_pandas_dtype()).astype(np.int64, copy=False)
    return raw.view(f"i{size}").astype(np.int64, copy=False)


def _interval(raw: np.ndarray) -> np.ndarray:
    """Months, days and microseconds, carried over as SQL compares them: 24 hours are a day, 30 days are a month."""
    calendar = np.ascontiguousarray(raw[:, :8]).view(np.int32).astype(np.int64)
    micros = np.ascontiguousarray(raw[:, 8:]).view(np.int64)[:, 0] // 1000
    days = calendar[:, 1] + micros // _DAY
    return np.stack([calendar[:, 0] + days // 30, days % 30, micros % _DAY], axis=1)
