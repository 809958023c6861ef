"""Primary keys of one write: whether they repeat, and what is said when one does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from luma_bench.errors import ConstraintError
from luma_bench.storage.key_form import KeyForm, Normal
from luma_bench.types.schema import TableSchema


class KeySet:
    """The primary keys of one write.

    Parameters
    ----------
    schema
        The table, with a primary key.
    tables
        The written rows, or their key columns, in the table's exact types.
    """

    def __init__(self, schema: TableSchema, tables: Sequence[pa.Table]) -> None:
        self._schema = schema
        self._form = KeyForm.of(schema)
        names = [column.name for column in self._form.columns]
        empty = pa.schema([column.field for column in self._form.columns]).empty_table()
        self._keys = pa.concat_tables([table.select(names) for table in tables] or [empty])
        self._normal = self._form.of_table(self._keys)
        self._codes = self._form.codes(self._normal)

    def check_distinct(self) -> None:
        """Refuse a key that the write holds twice.

        Raises
        ------
        ConstraintError
            Naming one such key.
        """
        if self._form.exact:
            codes = np.sort(self._codes)
            equal = np.flatnonzero(codes[1:] == codes[:-1])
            twice = int(np.flatnonzero(self._codes == codes[equal[0]])[0]) if len(equal) else None
        else:
            twice = self._repeated()
        if twice is not None:
            hint = "Nothing was written. Keep one row for each key."
            key = shown_key(self._schema, self._keys, twice)
            raise ConstraintError(
                f"Table {self._schema.name!r}: the data holds the primary key {key} twice.", hint=hint
            )

    def firsts(self) -> np.ndarray:
        """A boolean for each row: whether no row before it has the same key."""
        order = np.argsort(self._codes, kind="stable")
        first = np.ones(len(order), bool)
        if not len(order):
            return first
        codes = self._codes[order]
        again = np.append(False, codes[1:] == codes[:-1])
        if self._form.exact:
            first[order[again]] = False
            return first
        # Equal hashes alone do not make equal keys: what shares one is compared by value, in the rows' order.
        seen: set[tuple[object, ...]] = set()
        for row in np.sort(order[again | np.append(again[1:], False)]).tolist():
            key = tuple(_value(column, row) for column in self._normal)
            first[row] = key not in seen
            seen.add(key)
        return first

    def _repeated(self) -> int | None:
        """A row whose key another row has; equal hashes alone do not make equal keys."""
        order = np.argsort(self._codes)
        codes = self._codes[order]
        equal = np.flatnonzero(codes[1:] == codes[:-1])
        if not len(equal):
            return None
        first, second = self._of(order[equal]), self._of(order[equal + 1])
        same = np.flatnonzero(self._form.equal(first, second))
        if len(same):
            return int(order[equal[same[0]]])
        # Neighbours differ; in a longer run of one hash equal keys may stand apart.
        seen: set[tuple[object, ...]] = set()
        for row in np.unique(np.concatenate([order[equal], order[equal + 1]])).tolist():
            key = tuple(_value(column, row) for column in self._normal)
            if key in seen:
                return row
            seen.add(key)
        return None

    def _of(self, rows: np.ndarray) -> list[Normal]:
        return [column.take(rows) for column in self._normal]


def _value(column: Normal, row: int) -> object:
    """One normal value as what Python compares."""
    if column.numbers is not None:
        return column.numbers[row].tobytes()
    assert column.text is not None
    return column.text[row].as_py()


def shown_key(schema: TableSchema, keys: pa.Table, row: int) -> str:
    """One of many keys as text, for messages: `(a=1, b='x')`."""
    pairs = (f"{name}={keys.column(name)[row].as_py()!r}" for name in schema.settings.primary_key)
    return f"({', '.join(pairs)})"


def exists_error(schema: TableSchema, key: str) -> ConstraintError:
    """A written key that the table holds already."""
    hint = "Nothing was written. Leave such rows out, or overwrite those that are there: ON CONFLICT DO UPDATE, in Python mode='upsert'."
    return ConstraintError(f"Table {schema.name!r} holds the primary key {key} already.", hint=hint)
