"""Reading rows by primary key: one as a dict, many as a table, without a scan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.errors import CatalogError, SchemaError
from luma_bench.storage.evolve_values import column_of
from luma_bench.storage.key_index import KeyFinder
from luma_bench.storage.key_value import one_key, parts_of, scalar_in
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment import SegmentRef
from luma_bench.storage.tail import InlineBlob
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import Column, TableSchema


class KeyLookup:
    """Rows of one table at one snapshot by primary key. Thread-safe; what it decodes the pool keeps.

    Parameters
    ----------
    schema, segments, inline
        The table and its parts at the snapshot.
    pool
        The bench's buffer pool.

    Raises
    ------
    CatalogError
        The table has no primary key.
    """

    def __init__(
        self,
        schema: TableSchema,
        segments: Sequence[SegmentRef],
        inline: Sequence[InlineBlob],
        pool: BufferPool,
    ) -> None:
        if not schema.settings.primary_key:
            hint = (
                f"Write it with one: bench.write({schema.name!r}, data, mode='replace', primary_key=…); "
                "or ask with bench.kadeql('SELECT … WHERE …')."
            )
            raise CatalogError(f"Table {schema.name!r} has no primary key to look up.", hint=hint)
        self.schema = schema
        self.finder = KeyFinder(schema, segments, inline, pool)

    def get(self, key: object, counters: ScanCounters | None = None) -> dict[str, Any] | None:
        """The row with this key as Python values by column name, or None.

        Parameters
        ----------
        key
            The value; for a key of several columns a tuple in their order, or a mapping by name.

        Raises
        ------
        SchemaError
            The key has other columns than the table's, or a value of another kind than its column.
        CorruptionError
            Bytes on disk are not those that were written.
        """
        row = self.find(key, ScanCounters() if counters is None else counters)
        if row is None:
            return None
        return {column.name: self._python(row.value(column), column) for column in self.schema.columns}

    def _python(self, value: pa.Scalar, column: Column) -> Any:
        try:
            return value.as_py()
        except (OverflowError, ValueError) as error:
            problem = f"a value of type {column.type} is none of Python's: {error}."
            hint = "Read the row with bench.get_many(table, [key])."
            raise SchemaError.column(self.schema.name, column.name, problem, hint) from error

    def find(self, key: object, counters: ScanCounters) -> Row | None:
        """The row with this key, its columns not read yet; None where there is none. See `get`."""
        one = one_key(self.finder.form, key)
        if one is None:
            return None
        found = self.finder.find_one(one.values, one.code, one.normal, counters)
        return None if found is None else Row(self.finder, found[0], found[1], counters)

    def get_many(self, keys: Any, counters: ScanCounters | None = None) -> pa.Table:
        """The rows with these keys, in the order of the keys and in exactly the types that were written.

        A key that no row has gives no row; one that is asked for twice gives its row twice.

        Parameters
        ----------
        keys
            An iterable of keys as `get` takes them; or the key columns as a table, a mapping of columns by name, or, for
            a key of one column, an array.

        Raises
        ------
        SchemaError
            As for `get`.
        CorruptionError
            Bytes on disk are not those that were written.
        """
        counted = ScanCounters() if counters is None else counters
        found = self.finder.find(self._table(keys), counted)
        held = np.flatnonzero(found.held)
        return self._rows(found.part_of[held], found.position[held], counted)

    def _table(self, keys: Any) -> pa.Table:
        """The keys as columns of exactly the key's types; keys that no row can hold are left out."""
        columns = self.finder.form.columns
        given = _columns_of(keys, columns, self.schema.name)
        if given is None:
            rows = [parts_of(self.finder.form, key) for key in keys]
            given = [[row[i] for row in rows] for i in range(len(columns))]
        arrays: list[Any] = []
        keep: np.ndarray | None = None
        for column, values in zip(columns, given, strict=True):
            array, held = _exact(self.schema.name, column, values)
            arrays.append(array)
            if held is not None:
                keep = held if keep is None else keep & held
        table = pa.Table.from_arrays(arrays, names=[column.name for column in columns])
        return table if keep is None else table.filter(pa.array(keep))

    def _rows(self, part_of: np.ndarray, position: np.ndarray, counters: ScanCounters) -> pa.Table:
        """Rows by part and position, in this order."""
        finder = self.finder
        sizes = [finder.segment(i).chunk_rows for i in range(len(finder.segments))]
        sizes += [max(1, blob.rows) for blob in finder.blobs]
        chunk = position // np.array(sizes, np.int64)[part_of] if len(part_of) else position
        order = np.lexsort((position, chunk, part_of))
        edges = np.flatnonzero(np.diff(part_of[order]) | np.diff(chunk[order])) + 1
        runs = [run for run in np.split(order, edges) if len(run)]
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        places = [(int(part_of[run[0]]), int(chunk[run[0]]), position[run]) for run in runs]
        arrays: list[pa.ChunkedArray] = []
        for column in self.schema.columns:
            parts: list[Any] = []
            for part, number, rows in places:
                if part < len(finder.segments):
                    segment = finder.segment(part)
                    held = finder.column(segment, column, number, counters)
                    parts += _taken(held, rows - number * segment.chunk_rows).chunks
                else:
                    blob = finder.blobs[part - len(finder.segments)]
                    parts += _taken(column_of(blob.table, column.name, column), rows).chunks
            arrays.append(_taken(pa.chunked_array(parts, column.type), back))
        counters.add(rows=len(position), chunks=sum(part < len(finder.segments) for part, _, _ in places))
        return pa.Table.from_arrays(arrays, schema=self.schema.arrow)


class Row:
    """One row, where it lies; its values are read when they are asked for."""

    __slots__ = ("_blob", "_counters", "_finder", "_position", "_segment")

    def __init__(self, finder: KeyFinder, part: int, position: int, counters: ScanCounters) -> None:
        stored = part < len(finder.segments)
        self._finder = finder
        self._position = position
        self._counters = counters
        self._segment = finder.segment(part) if stored else None
        self._blob = None if stored else finder.blobs[part - len(finder.segments)]
        counters.add(rows=1, chunks=int(stored))

    def array(self, column: Column) -> pa.Array:
        """The value of a column as an array of one, in the column's exact type."""
        if self._segment is not None:
            chunk, offset = divmod(self._position, self._segment.chunk_rows)
            return self._finder.column(self._segment, column, chunk, self._counters).slice(offset, 1)
        assert self._blob is not None
        held = column_of(self._blob.table.slice(self._position, 1), column.name, column)
        return next(chunk for chunk in held.chunks if len(chunk))

    def value(self, column: Column) -> pa.Scalar:
        """The value of a column."""
        return self.array(column)[0]


def _columns_of(keys: Any, columns: Sequence[Column], table: str) -> list[Any] | None:
    """The key columns of column-wise keys; None when the keys come one by one."""
    if isinstance(keys, str | bytes):
        raise SchemaError(
            f"Table {table!r}: {keys!r} is one key, not several.",
            hint="Give a list of keys, or use bench.get(table, key).",
        )
    if isinstance(keys, pa.Array | pa.ChunkedArray | np.ndarray):
        keys = pa.table({columns[0].name: keys}) if len(columns) == 1 else keys
    elif isinstance(keys, Mapping):
        named: Mapping[str, Any] = keys  # pyright: ignore[reportUnknownVariableType]
        keys = pa.table(
            {
                name: pa.array(values) if not hasattr(values, "type") else values
                for name, values in named.items()
            }
        )
    elif hasattr(keys, "__arrow_c_stream__") and not isinstance(keys, pa.Table):
        data = pa.chunked_array(keys)
        if not pa.types.is_struct(data.type):
            return _columns_of(data, columns, table)
        keys = (
            pa.Table.from_batches([pa.RecordBatch.from_struct_array(chunk) for chunk in data.chunks])
            if data.num_chunks
            else pa.schema(list(data.type)).empty_table()
        )
    if isinstance(keys, pa.RecordBatch):
        keys = pa.Table.from_batches([keys])
    if isinstance(keys, pa.Table):
        folded = {name.casefold(): i for i, name in enumerate(keys.schema.names)}
        for column in columns:
            if column.name.casefold() not in folded:
                names = ", ".join(column.name for column in columns)
                raise SchemaError.column(
                    table, column.name, "the keys lack it.", f"The primary key is ({names})."
                )
        return [keys.column(folded[column.name.casefold()]) for column in columns]
    if isinstance(keys, Iterable):
        return None
    raise SchemaError(
        f"Table {table!r}: {keys!r} is no list of keys.",
        hint="Give a list of keys, or use bench.get(table, key).",
    )


def _exact(table: str, column: Column, values: Any) -> tuple[Any, np.ndarray | None]:
    """Values of a key column in exactly its type, NULL where it has no such value, and which of them it has."""
    if isinstance(values, pa.ChunkedArray):
        if values.type == column.type:
            return values, None
        if pa.types.is_integer(values.type) and pa.types.is_integer(column.type) and not values.null_count:
            values = (
                values.cast(column.type, safe=False) if _fits(values, column.type) else values.to_pylist()
            )
            if isinstance(values, pa.ChunkedArray):
                return values, None
        else:
            values = values.to_pylist()
    scalars = [scalar_in(table, column, value) for value in values]
    held = np.array([scalar is not None for scalar in scalars], bool)
    kind = column.type
    plain = [scalar.as_py() if isinstance(scalar, pa.Scalar) else scalar for scalar in scalars]
    return pa.array(plain, kind), None if held.all() else held


def _fits(values: Any, kind: Any) -> bool:
    limits = np.iinfo(kind.to_pandas_dtype())
    numbers = values.to_numpy()
    return not len(numbers) or bool(limits.min <= int(numbers.min()) and int(numbers.max()) <= limits.max)


def _taken(data: pa.Array | pa.ChunkedArray, rows: np.ndarray) -> pa.ChunkedArray:
    """Values by row, of any type; Arrow takes none from string views, and joins not every dictionary."""
    whole = data if isinstance(data, pa.ChunkedArray) else pa.chunked_array([data])
    try:
        return whole.take(pa.array(rows))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        chunks = [chunk for row in rows.tolist() for chunk in whole.slice(row, 1).chunks if len(chunk)]
        return pa.chunked_array(chunks, whole.type)
