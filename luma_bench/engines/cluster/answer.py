"""A stage's rows as the answer of a statement: exactly the names and types that the embedded engine gives."""

from __future__ import annotations

import pyarrow as pa

from luma_bench.engines.duck import DuckEngine
from luma_bench.errors import EngineError
from luma_bench.plan.engine import Inputs, SqlFragment
from luma_bench.types.sql_text import quoted

_ROWS = "luma_answer"


def delivered(rows: pa.Table, schema: pa.Schema, embedded: DuckEngine) -> pa.Table:
    """Rows in DuckDB's own Arrow types as a table of this schema.

    Raises
    ------
    KadeQLUnsupportedError
        A whole number does not fit decimal128(38, 0), which the embedded engine refuses too.
    EngineError
        The columns are others than the plan said.
    """
    if rows.num_columns != len(schema):
        raise _unlike(rows.schema, schema)
    if any(kind != field.type for kind, field in zip(rows.schema.types, schema, strict=True)):
        names = schema.names if len({name.casefold() for name in schema.names}) == len(schema) else None
        named = rows.rename_columns(names or [f"c{index}" for index in range(rows.num_columns)])
        listed = ", ".join(map(quoted, named.schema.names))
        inputs = Inputs({}, {_ROWS: named})
        rows = embedded.run(SqlFragment(f"SELECT {listed} FROM {_ROWS}"), inputs)
    columns: list[pa.ChunkedArray] = []
    for column, field in zip(rows.columns, schema, strict=True):
        if column.type != field.type:
            try:
                column = column.cast(field.type)
            except pa.ArrowException as error:
                raise _unlike(rows.schema, schema) from error
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)


def _unlike(found: pa.Schema, schema: pa.Schema) -> EngineError:
    return EngineError(
        f"The cluster gave columns of types ({', '.join(map(str, found.types))}), and not ({', '.join(map(str, schema.types))}).",
        hint="Run it with engine='duckdb'.",
    )
