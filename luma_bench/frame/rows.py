"""Arrow rows as Python values, and compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def python_columns(table: pa.Table | pa.RecordBatch) -> list[list[Any]]:
    """Each column as Python values: whole numbers of any width as int, `DECIMAL(38, 0)`, which a sum is, too."""
    return [python_values(column) for column in table.columns]


def python_values(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """A column as Python values; see `python_columns`."""
    values = column.to_pylist()
    if pa.types.is_decimal(column.type) and column.type.scale == 0:
        return [None if value is None else int(value) for value in values]
    return values


def same_rows(one: pa.Table, two: pa.Table) -> bool:
    """Whether two tables have the same columns, types and rows; NULL is NULL, and NaN is NaN."""
    if one.schema != two.schema or one.num_rows != two.num_rows:
        return False
    return all(same_values(a, b) for a, b in zip(one.columns, two.columns, strict=True))


def same_values(one: pa.ChunkedArray, two: pa.ChunkedArray) -> bool:
    """Whether two columns have the same type and values; NULL is NULL, and NaN is NaN."""
    if one.type != two.type or len(one) != len(two):
        return False
    if one.equals(two):
        return True
    if pa.types.is_floating(one.type):
        a, b = pc.is_nan(one), pc.is_nan(two)
        return a.equals(b) and _plain(one, a).equals(_plain(two, b))
    if pa.types.is_nested(one.type):
        return repr(one.to_pylist()) == repr(two.to_pylist())
    return False


def _plain(column: pa.ChunkedArray, nan: pa.ChunkedArray) -> pa.ChunkedArray:
    # -0.0 + 0.0 is 0.0, so that the two zeros are one
    return pc.add(pc.if_else(nan, pa.scalar(0.0, column.type), column), pa.scalar(0.0, column.type))


class Passing:
    """A stream that counts the rows that pass."""

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        self.rows = 0
        self.reader = pa.RecordBatchReader.from_batches(reader.schema, self._counted(reader))

    def _counted(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        for batch in reader:
            self.rows += batch.num_rows
            yield batch
