"""From keys to places: where in a vertex table the vertex with a key stands, for whole columns of keys at once.

Every column of a key becomes one of int64: numbers, dates and times as they are, texts and the like as codes of a
dictionary; several columns are combined into one. Places are then found in a table over all numbers between the smallest
and the largest where these lie close together, by hashing or a binary search where they do not.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.errors import ResourceError, SchemaError
from luma_bench.models.graph.key_types import Comparable, as_integers, comparable, decoded, is_integral
from luma_bench.types.arrays import integers

MISSING = -1
NULL = -2

_Ints = np.ndarray[Any, np.dtype[np.int64]]
_Ids = np.ndarray[Any, np.dtype[np.int32]]
_Bools = np.ndarray[Any, np.dtype[np.bool_]]
_DENSE = 8
_FEW = 16


class KeyIndex:
    """The keys of the rows of a vertex table, by place. Thread-safe.

    Parameters
    ----------
    table
        The table's name, for messages.
    names
        The columns of the key.
    columns
        Their values, one chunked array each.

    Raises
    ------
    ResourceError
        There are more rows than dense ids.
    """

    def __init__(self, table: str, names: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> None:
        self.table = table
        self.names = tuple(names)
        self.columns = tuple(columns)
        self.rows = len(columns[0])
        if self.rows >= 2**31:
            raise ResourceError(
                f"Table {table!r} has {self.rows:,} rows, and a graph may have 2,147,483,647 vertices.",
                hint="Make the graph over fewer rows.",
            )
        self._lock = threading.Lock()
        self._lookups: dict[tuple[Comparable, ...], _Lookup] = {}

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(column.nbytes for column in self.columns) + sum(
            item.nbytes for item in self._lookups.values()
        )

    def find(self, table: str, names: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> _Ids:
        """The place of each key, int32: `MISSING` where no row has it, `NULL` where one of its columns is NULL.

        Parameters
        ----------
        table, names, columns
            Whose keys these are, and their values in the order of this key's columns.

        Raises
        ------
        SchemaError
            Two rows of the vertex table have one key, a key is NaN, or the types cannot be compared.
        """
        kinds = tuple(
            comparable(own.type, other.type, (self.table, one), (table, two))
            for own, other, one, two in zip(self.columns, columns, self.names, names, strict=True)
        )
        with self._lock:
            lookup = self._lookups.get(kinds)
            if lookup is None:
                lookup = self._lookups[kinds] = _Lookup(self, kinds)
        return lookup.find(table, names, columns)

    def check(self) -> None:
        """Make sure that no two rows have one key.

        Raises
        ------
        SchemaError
            Two have, or one is NaN.
        """
        self.find(self.table, self.names, [column.slice(0, 0) for column in self.columns])

    def repeated(self) -> SchemaError:
        """What is said of two rows with one key."""
        names = ", ".join(self.names)
        return SchemaError(
            f"Two rows of {self.table!r} have the same key ({names}), so they cannot be vertices of a graph.",
            hint=f"Choose a KEY that tells rows apart, or find them: SELECT {names}, count(*) FROM {self.table} "
            f"GROUP BY {names} HAVING count(*) > 1.",
        )


class _Lookup:
    """Places by keys of given types."""

    def __init__(self, keys: KeyIndex, kinds: Sequence[Comparable]) -> None:
        self._parts = [
            _Part(column, kind, keys.table, name)
            for column, kind, name in zip(keys.columns, kinds, keys.names, strict=True)
        ]
        self._sizes: list[_Numbers] = []
        valid: _Bools | None = None
        for part in self._parts:
            valid = _both(valid, part.valid)
        combined = self._parts[0].values
        if len(self._parts) > 1:
            # Codes instead of values, so that the product of their counts is small; where it is not, codes of pairs.
            combined = self._codes(0, combined, valid)
            for at, part in enumerate(self._parts[1:], 1):
                own = self._codes(at, part.values, valid)
                pairs = combined * max(1, self._sizes[-1].count) + own
                combined = self._codes(at, pairs, valid) if at + 1 < len(self._parts) else pairs
        places = np.arange(keys.rows, dtype=np.int32) if valid is None else np.flatnonzero(valid)
        self._places = _Numbers(
            combined if valid is None else combined[valid], places.astype(np.int32, copy=False)
        )
        if self._places.repeated:
            raise keys.repeated()

    @property
    def nbytes(self) -> int:
        parts = sum(part.nbytes for part in self._parts)
        return parts + self._places.nbytes + sum(item.nbytes for item in self._sizes)

    def find(self, table: str, names: Sequence[str], columns: Sequence[pa.ChunkedArray]) -> _Ids:
        valid: _Bools | None = None
        found: list[_Ints] = []
        for part, name, column in zip(self._parts, names, columns, strict=True):
            values, own = part.find(column, table, name)
            found.append(values)
            valid = _both(valid, own)
        combined = found[0]
        if len(found) > 1:
            steps = iter(self._sizes)
            combined = next(steps).find(combined).astype(np.int64)
            for at, values in enumerate(found[1:], 1):
                sizes = next(steps)
                own = sizes.find(values)
                lost = (combined < 0) | (own < 0)
                pairs = combined * max(1, sizes.count) + own
                if at + 1 < len(found):
                    combined = next(steps).find(pairs).astype(np.int64)
                    combined[lost] = -1
                else:
                    # No pair of codes is negative.
                    pairs[lost] = -1
                    combined = pairs
        places = self._places.find(combined)
        if valid is not None:
            places[~valid] = NULL
        return places

    def _codes(self, at: int, values: _Ints, valid: _Bools | None) -> _Ints:
        """Codes of the values of rows without a NULL, the same ones for the same values."""
        distinct = np.unique(values if valid is None else values[valid])
        numbers = _Numbers(distinct, np.arange(len(distinct), dtype=np.int32))
        self._sizes.append(numbers)
        return numbers.find(values).astype(np.int64)


class _Part:
    """One column of a key: its values as int64."""

    def __init__(self, column: pa.ChunkedArray, kind: Comparable, table: str, name: str) -> None:
        self._kind = kind
        self._distinct: pa.Array | None = None
        if is_integral(kind):
            self.values, self.valid = as_integers(column, kind, table, name)
            return
        plain = decoded(column, kind, table, name)
        encoded = plain.combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.unify_dictionaries().combine_chunks()
        self._distinct = encoded.dictionary
        indices = encoded.indices
        self.valid = None
        if indices.null_count:
            self.valid = indices.is_valid().to_numpy(zero_copy_only=False)
            indices = indices.fill_null(0)
        self.values = indices.to_numpy(zero_copy_only=False).astype(np.int64)

    @property
    def nbytes(self) -> int:
        return 0 if self._distinct is None else self._distinct.nbytes

    def find(self, column: pa.ChunkedArray, table: str, name: str) -> tuple[_Ints, _Bools | None]:
        if self._distinct is None:
            return as_integers(column, self._kind, table, name)
        valid = None
        if column.null_count:
            valid = column.is_valid().to_numpy(zero_copy_only=False)
        if not pa.types.is_dictionary(column.type):
            return _codes_in(decoded(column, self._kind, table, name), self._distinct), valid
        # All keys are hashed for every look-up, so there is one for all dictionaries.
        words = pa.chunked_array([chunk.dictionary for chunk in column.chunks], column.type.value_type)
        codes = _codes_in(decoded(words, self._kind, table, name), self._distinct)
        parts: list[np.ndarray] = [np.empty(0, np.int64)]
        first = 0
        for chunk in column.chunks:
            own = codes[first : first + len(chunk.dictionary)]
            first += len(own)
            at = chunk.indices.fill_null(0).to_numpy(zero_copy_only=False)
            # All of its rows may be NULL, and its dictionary empty.
            parts.append(own[at] if len(own) else np.full(len(at), -1))
        return np.concatenate(parts).astype(np.int64, copy=False), valid


def _codes_in(values: pa.ChunkedArray, distinct: pa.Array) -> np.ndarray:
    found = pc.index_in(values, value_set=distinct)
    return found.fill_null(-1).to_numpy().astype(np.int64, copy=False)


class _Numbers:
    """Places by int64 numbers: by a table where they lie close together, else by hashing or a search."""

    def __init__(self, values: _Ints, places: _Ids) -> None:
        self.count = len(values)
        self._table: _Ids | None = None
        self._sorted: tuple[_Ints, _Ids] | None = None
        self._low = self._high = 0
        self.repeated = False
        if not self.count:
            return
        self._low, self._high = int(values.min()), int(values.max())
        if self._high - self._low < _DENSE * self.count + 1024:
            self._table = np.full(self._high - self._low + 1, MISSING, np.int32)
            self._table[values - self._low] = places
            self.repeated = bool((self._table[values - self._low] != places).any())
        else:
            order = np.argsort(values, kind="stable")
            held = values[order]
            self.repeated = bool((held[1:] == held[:-1]).any())
            self._sorted = held, places[order]

    @property
    def nbytes(self) -> int:
        if self._table is not None:
            return self._table.nbytes
        return 0 if self._sorted is None else sum(item.nbytes for item in self._sorted)

    def find(self, values: _Ints) -> _Ids:
        if not self.count or not len(values):
            return np.full(len(values), MISSING, np.int32)
        if self._table is not None:
            low, high = int(values.min()), int(values.max())
            if low >= self._low and high <= self._high:
                return self._table[values - self._low]
            inside = (values >= self._low) & (values <= self._high)
            found = np.full(len(values), MISSING, np.int32)
            found[inside] = self._table[values[inside] - self._low]
            return found
        assert self._sorted is not None
        held, places = self._sorted
        if len(values) * _FEW > len(held):
            found = pc.index_in(integers(values), value_set=integers(held))
            at = found.fill_null(MISSING).to_numpy()
            made = places[at]
            made[at < 0] = MISSING
            return made
        at = np.minimum(np.searchsorted(held, values), len(held) - 1)
        found = places[at]
        found[held[at] != values] = MISSING
        return found


def _both(one: _Bools | None, other: _Bools | None) -> _Bools | None:
    if one is None or other is None:
        return one if other is None else other
    return one & other
