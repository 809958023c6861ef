"""Primary keys: whether written keys repeat among themselves or are there already."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute

from luma_bench.errors import ConstraintError
from luma_bench.storage.columns import stream_type
from luma_bench.storage.scan import TableScan
from luma_bench.types.predicate import Comparison, In, Predicate
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import TableSchema

pc: Any = pyarrow.compute  # its functions are made at run time, where no type checker sees them

_PROBE_ROWS = 1 << 17
_LIST_KEYS = 32
_SQL_TYPES = {
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint8(): "UTINYINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.uint64(): "UBIGINT",
    pa.string(): "VARCHAR",
    pa.date32(): "DATE",
    pa.timestamp("us"): "TIMESTAMP",
}


class KeySet:
    """The primary keys of one write, as dense codes that can be looked up by the million.

    Each key column is dictionary-encoded and a key is the mixed-radix number of its codes; a partial number that would
    not fit 63 bits is made dense again. Exact: nothing is hashed away.
    """

    def __init__(self, schema: TableSchema, tables: Sequence[pa.Table]) -> None:
        self._schema = schema
        self._names = schema.settings.primary_key
        columns = [
            _plain(pa.chunked_array([c for t in tables for c in t[name].chunks], schema.column(name).type))
            for name in self._names
        ]
        self.rows = len(columns[0])
        self._columns = columns
        self._values: list[pa.Array] = []
        self._steps: list[np.ndarray | None] = []
        codes = np.zeros(self.rows, np.int64)
        size = 1
        for column in columns:
            encoded = column.dictionary_encode()
            step: np.ndarray | None = None
            if size * max(len(encoded.dictionary), 1) >= 1 << 62:
                step, codes = np.unique(codes, return_inverse=True)
                size = len(step)
            self._values.append(encoded.dictionary)
            self._steps.append(step)
            codes = codes * len(encoded.dictionary) + encoded.indices.to_numpy(zero_copy_only=False)
            size *= max(len(encoded.dictionary), 1)
        self._codes = codes
        self._sorted = np.sort(codes)

    def check_distinct(self) -> None:
        """Refuse a key that the write holds twice.

        Raises
        ------
        ConstraintError
            Naming one such key.
        """
        equal = np.flatnonzero(self._sorted[1:] == self._sorted[:-1])
        if len(equal):
            row = int(np.flatnonzero(self._codes == self._sorted[equal[0]])[0])
            key = self._shown([column[row].as_py() for column in self._columns])
            hint = "Nothing was written. Keep one row for each key."
            raise ConstraintError(
                f"Table {self._schema.name!r}: the data holds the primary key {key} twice.", hint=hint
            )

    def existing(self, scan: TableScan) -> str | None:
        """One of these keys that `scan` holds too, as text, or None."""
        if not self.rows or not scan.rows():
            return None
        indexes = [scan.schema.get_field_index(name) for name in self._names]
        predicates = [predicate for predicate in self._bounds() if scan.accepts(predicate)]
        reader = scan.stream(indexes, predicates, ScanCounters())
        # Looking up builds a table of the written keys each time: do it for as many rows as that costs.
        for table in _gathered(reader, max(_PROBE_ROWS, self.rows)):
            found = self._first(table)
            if found is not None:
                return found
        return None

    def _first(self, table: pa.Table) -> str | None:
        columns = [_plain(table.column(position)) for position in range(len(self._names))]
        hit = np.ones(table.num_rows, bool)
        codes = np.zeros(table.num_rows, np.int64)
        for column, values, step in zip(columns, self._values, self._steps, strict=True):
            if step is not None:
                place = np.minimum(np.searchsorted(step, codes), len(step) - 1)
                hit &= step[place] == codes
                codes = place
            index = pc.index_in(column, value_set=values)
            hit &= index.is_valid().to_numpy(zero_copy_only=False)
            codes = codes * len(values) + index.fill_null(0).to_numpy(zero_copy_only=False)
        place = np.minimum(np.searchsorted(self._sorted, codes), len(self._sorted) - 1)
        rows = np.flatnonzero(hit & (self._sorted[place] == codes))
        return None if not len(rows) else self._shown([column[int(rows[0])].as_py() for column in columns])

    def _bounds(self) -> Iterator[Predicate]:
        """What every existing row of one of these keys must satisfy, so that a scan reads few chunks."""
        for name, column in zip(self._names, self._columns, strict=True):
            sql = _SQL_TYPES.get(column.type)
            if sql is None or not self.rows:
                continue
            distinct = self._values[self._names.index(name)]
            if len(distinct) <= _LIST_KEYS:
                yield In(name, tuple(distinct.to_pylist()), sql)
                continue
            ends: Any = pc.min_max(distinct)
            yield Comparison(name, ">=", ends["min"].as_py(), sql)
            yield Comparison(name, "<=", ends["max"].as_py(), sql)

    def _shown(self, values: Sequence[object]) -> str:
        pairs = ", ".join(f"{name}={value!r}" for name, value in zip(self._names, values, strict=True))
        return f"({pairs})"


def exists_error(schema: TableSchema, key: str) -> ConstraintError:
    """A written key that the table holds already."""
    hint = "Nothing was written. Leave such rows out, or use mode='replace' to write the whole table anew."
    return ConstraintError(f"Table {schema.name!r} holds the primary key {key} already.", hint=hint)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """One array of plain values in one form, whatever form they are stored or streamed in; equal values have equal bits."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        column = pc.cast(column, kind.storage_type)
    if pa.types.is_dictionary(kind):
        column = pc.cast(column, kind.value_type)
    kind = stream_type(column.type)
    if pa.types.is_decimal(kind):
        kind = pa.decimal128(kind.precision, kind.scale)  # the narrow ones are not hashed
    array = pc.cast(column, kind).combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_floating(array.type):
        array = pc.add(array, pa.scalar(0, array.type))  # -0.0 and 0.0 are one value
    return array


def _gathered(reader: pa.RecordBatchReader, rows: int) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in reader:
        waiting.append(batch)
        count += batch.num_rows
        if count >= rows:
            yield pa.Table.from_batches(waiting)
            waiting, count = [], 0
    if count:
        yield pa.Table.from_batches(waiting)
