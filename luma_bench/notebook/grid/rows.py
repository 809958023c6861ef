"""Questions to the engine about a result's own rows, which nothing but memory holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from luma_bench.engines.duck import DuckEngine
from luma_bench.errors import UnsupportedError
from luma_bench.notebook.grid.columns import GridColumn
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.types.sql_text import quoted

ROWS = "rows"
"""The relation that questions read."""
PLACE = "place"
"""Its column of positions in the result."""


def name_of(column: GridColumn) -> str:
    """What a column is called in questions: names of a result may repeat."""
    return f"c{column.index}"


def text_of(column: GridColumn) -> str:
    """A column as text, in SQL."""
    name = quoted(name_of(column))
    if column.kind == "binary":
        return f"'0x' || hex({name})"
    return name if column.sql == "VARCHAR" else f"CAST({name} AS VARCHAR)"


def relation(table: pa.Table, columns: Sequence[GridColumn], *, places: bool = False) -> pa.Table:
    """Some columns of a result under the names that questions have for them.

    Parameters
    ----------
    columns
        The columns that a question reads, each once.
    places
        Whether it reads `place` too.
    """
    arrays = [_readable(table.column(column.index), column) for column in columns]
    fields = [
        table.schema.field(column.index).with_name(name_of(column)).with_type(array.type)
        for column, array in zip(columns, arrays, strict=True)
    ]
    if places or not arrays:
        numbers = np.arange(table.num_rows, dtype=np.int32 if table.num_rows < 2**31 else np.int64)
        arrays.append(pa.chunked_array([pa.array(numbers)]))
        fields.append(pa.field(PLACE, arrays[-1].type))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _readable(values: pa.ChunkedArray, column: GridColumn) -> pa.ChunkedArray:
    """The values in a type that the engine reads: it knows neither 16-bit floats nor decimals of 256 bits."""
    if pa.types.is_float16(values.type):
        return values.cast(pa.float32())
    if pa.types.is_decimal256(values.type):
        try:
            return values.cast(pa.decimal128(38, values.type.scale))
        except pa.ArrowInvalid as error:
            raise UnsupportedError(
                f"Column {column.name!r} holds decimals of more than 38 digits, which no engine compares.",
                hint="Cast it in the query: x::DOUBLE keeps the first fifteen.",
            ) from error
    return values


def ask(
    engine: DuckEngine, text: str, rows: pa.Table, params: Mapping[str, object] | None = None
) -> pa.Table:
    """The answer to a SELECT over a `relation`.

    Raises
    ------
    CancelledError
        It was stopped.
    LumaError
        What the engine says.
    """
    return engine.run(SqlFragment(text, params or {}), Inputs(sources={}, relations={ROWS: rows}))
