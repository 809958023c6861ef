"""Series by number: every combination of key values that a statement meets gets the next one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.bench.series.values import whole_numbers
from luma_bench.errors import UnsupportedError
from luma_bench.models.series.runs import Codes, Ints
from luma_bench.types.arrays import integers, mask

_NOT_YET = -1


class SeriesKeys:
    """Numbers series by their key values, over all parts of an input, or of two inputs that are joined. Not thread-safe.

    NULL is a key like any other; -0.0 is 0.0, and NaN is NaN. Without key columns there is one series, number 0.

    Parameters
    ----------
    types
        The types of the key columns, dictionaries decoded; arrays of other types are cast to them.

    Raises
    ------
    UnsupportedError
        A type has no equality that can be looked up: lists, structs, maps, intervals.
    """

    def __init__(self, types: Sequence[pa.DataType]) -> None:
        self.types = tuple(types)
        for kind in self.types:
            if not is_key(kind):
                raise UnsupportedError(
                    f"A series cannot be told by a column of the type {kind}.",
                    hint="Use a column of it, or cast it to text in a subquery.",
                )
        self._columns = [_Numbering(kind) for kind in self.types]
        # One numbering a column after the first: of the series so far and that column together.
        self._pairs = [_Numbering(pa.int64()) for _ in self.types[1:]]

    def __len__(self) -> int:
        """How many series have a number."""
        if not self.types:
            return 1
        return len(self._pairs[-1] if self._pairs else self._columns[0])

    def codes(self, arrays: Sequence[pa.Array], *, extend: bool = True, rows: int = 1) -> Codes:
        """The number of each row's series, int32.

        Parameters
        ----------
        arrays
            The key columns, of equal length; dictionaries or plain.
        extend
            New series get numbers; else they are -1.
        rows
            The number of rows where there are no key columns.
        """
        if not self.types:
            return np.zeros(rows, np.int32)
        codes = self._columns[0].codes(arrays[0], extend)
        for column, pair, array in zip(self._columns[1:], self._pairs, arrays[1:], strict=True):
            own = column.codes(array, extend)
            both = codes.astype(np.int64) << 32 | own.astype(np.int64) & 0xFFFF_FFFF
            unknown = None if extend else (codes < 0) | (own < 0)
            codes = pair.codes(integers(both), extend)
            if unknown is not None:
                codes[unknown] = _NOT_YET
        return codes

    def arrays(self, codes: Codes | None = None) -> list[pa.Array]:
        """The key values of some series, one array a key column; of all in the order of their numbers without `codes`."""
        if not self.types:
            return []
        wanted: Ints = np.arange(len(self)) if codes is None else codes.astype(np.int64)
        parts: list[pa.Array] = []
        for column, pair in zip(reversed(self._columns[1:]), reversed(self._pairs), strict=True):
            both = np.frombuffer(pair.held.buffers()[1], np.int64, len(pair))[wanted]
            parts.append(column.values(both & 0xFFFF_FFFF))
            wanted = both >> 32
        parts.append(self._columns[0].values(wanted))
        return parts[::-1]

    def copy(self) -> SeriesKeys:
        """Another numbering that begins as this one is."""
        made = SeriesKeys(self.types)
        made.adopt(self)
        return made

    def adopt(self, other: SeriesKeys) -> None:
        """Number as `other` does, before anything has a number."""
        for mine, own in zip((*self._columns, *self._pairs), (*other._columns, *other._pairs), strict=True):
            mine.held = own.held

    @property
    def nbytes(self) -> int:
        """What it holds."""
        return sum(one.held.nbytes for one in (*self._columns, *self._pairs))


class _Numbering:
    """Values of one column by number."""

    def __init__(self, kind: pa.DataType) -> None:
        self.kind = kind
        self.held = pa.nulls(0, _form(kind))

    def __len__(self) -> int:
        return len(self.held)

    def codes(self, array: pa.Array, extend: bool) -> Codes:
        places: Ints | None = None
        if pa.types.is_dictionary(array.type):
            array, places = _of_dictionary(array)
        array = _plain(array, self.kind)
        # Each value is looked up once, however many rows have it.
        coded = array.dictionary_encode(null_encoding="encode")
        among = whole_numbers(coded.indices, 0)
        found = self._of(coded.dictionary, extend)[among]
        return found if places is None else found[places]

    def values(self, places: Ints) -> pa.Array:
        """The values of some numbers, in the column's type."""
        found = self.held.take(integers(places))
        if isinstance(self.kind, pa.BaseExtensionType):
            return pa.ExtensionArray.from_storage(self.kind, found)
        return found if found.type == self.kind else found.view(self.kind)

    def _of(self, distinct: pa.Array, extend: bool) -> Codes:
        """The numbers of values that differ from each other."""
        found = pc.index_in(distinct, value_set=self.held) if len(self.held) else None
        if found is None:
            codes = np.full(len(distinct), _NOT_YET, np.int32)
        else:
            codes = whole_numbers(found, _NOT_YET)
        missing = codes < 0
        if not extend or not missing.any():
            return codes.astype(np.int32)
        codes = codes.astype(np.int32)
        fresh = distinct if missing.all() else distinct.filter(mask(missing))
        first = len(self.held)
        self.held = pa.concat_arrays([self.held, fresh]) if first else fresh
        codes[missing] = np.arange(first, len(self.held))
        return codes


def is_key(kind: pa.DataType) -> bool:
    """Whether a column of a type can tell series."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    types = pa.types
    # Intervals that are equal, such as a month and 30 days, are held apart.
    return not (types.is_nested(kind) or types.is_interval(kind) or types.is_run_end_encoded(kind))


def _form(kind: pa.DataType) -> pa.DataType:
    """The type that values are looked up in: narrow decimals and extensions have no lookup of their own."""
    if isinstance(kind, pa.BaseExtensionType):
        return _form(kind.storage_type)
    if pa.types.is_decimal32(kind):
        return pa.int32()
    return pa.int64() if pa.types.is_decimal64(kind) else kind


def _of_dictionary(array: pa.DictionaryArray) -> tuple[pa.Array, Ints]:
    """The dictionary's values (NULL at the end where a row is NULL), and each row's place among them."""
    indices = array.indices
    if not indices.null_count:
        return _used(array.dictionary, whole_numbers(indices, 0))
    places = whole_numbers(indices, len(array.dictionary))
    return _used(pa.concat_arrays([array.dictionary, pa.nulls(1, array.dictionary.type)]), places)


def _used(values: pa.Array, places: Ints) -> tuple[pa.Array, Ints]:
    """Only the values that rows have: others are no series."""
    if len(values) > 64 and len(values) > len(places):
        kept, places = np.unique(places, return_inverse=True)
        return values.take(integers(kept)), places
    seen = np.zeros(len(values), np.bool_)
    seen[places] = True
    if seen.all():
        return values, places
    numbers = np.cumsum(seen) - 1
    return values.filter(mask(seen)), numbers[places]


def _plain(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """The values as the numbering holds them: floats with one zero and one NaN."""
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(array.storage if isinstance(array, pa.ExtensionArray) else array, kind.storage_type)
    if array.type != kind:
        array = array.cast(kind)
    if _form(kind) != kind:
        return array.view(_form(kind))
    if not pa.types.is_floating(kind) or pa.types.is_float16(kind):
        return array
    data = np.frombuffer(array.buffers()[1], kind.to_pandas_dtype(), len(array), kind.bit_width // 8 * array.offset)  # fmt: skip
    held = data + 0.0
    held[np.isnan(held)] = np.nan
    valid = array.is_valid() if array.null_count else None
    made = pa.Array.from_buffers(kind, len(held), [None, pa.py_buffer(held)])
    return made if valid is None else pc.if_else(valid, made, pa.nulls(len(made), kind))
