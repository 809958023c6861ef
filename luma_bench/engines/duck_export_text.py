"""CSV and JSON files, written by a DuckDB that may write the one file and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from luma_bench.engines.duck_aside import AsideThread
from luma_bench.engines.duck_errors import duckdb_error, read_report
from luma_bench.engines.duck_result import quoted
from luma_bench.errors import LumaError, UnsupportedError


class Rows(Protocol):
    """A stream that keeps the exception it raised: DuckDB tells of it only in words."""

    schema: pa.Schema
    error: BaseException | None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, once."""
        ...


def write_text(rows: Rows, path: Path, options: str, *, nested_as_json: bool) -> None:
    """Write the rows with `COPY … TO`.

    Parameters
    ----------
    options
        Of COPY.
    nested_as_json
        Whether lists, structs and maps become JSON texts.

    Raises
    ------
    UnsupportedError
        A column's type has no text.
    LumaError
        The file cannot be written. What the stream raised is raised again.
    """
    schema = pa.schema([field.with_type(_readable(field.type)) for field in rows.schema])
    _check_types(schema)
    con = duckdb.connect(
        ":memory:", config={"python_enable_replacements": False, "errors_as_json": True, "temp_directory": ""}
    )
    aside = AsideThread()
    place = str(path).replace("'", "''")
    columns = ", ".join(
        f"to_json({quoted(field.name)}) AS {quoted(field.name)}"
        if nested_as_json and pa.types.is_nested(_plain(field.type))
        else quoted(field.name)
        for field in schema
    )
    try:
        con.execute(f"SET allowed_paths = ['{place}']")
        con.execute("SET enable_external_access = false")
        con.execute("SET GLOBAL TimeZone = 'UTC'")
        con.register("luma_rows", pa.RecordBatchReader.from_batches(schema, _cast(rows, schema)))
        copy = f"COPY (SELECT {columns} FROM luma_rows) TO '{place}' ({options})"
        aside.call(lambda: con.execute(copy), con.interrupt)
    except duckdb.Error as error:
        if rows.error is not None:
            raise rows.error from None
        reported = duckdb_error(error)
        told = str(error) if reported is None else read_report(reported, "").message
        raise LumaError(f"The file cannot be written: {told.partition(chr(10))[0]}") from error
    finally:
        aside.close()
        con.close()


def _cast(rows: Rows, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    return iter(rows) if schema.equals(rows.schema) else (batch.cast(schema) for batch in rows)


def _readable(kind: pa.DataType) -> pa.DataType:
    """The type under which DuckDB takes a column: half floats become floats, at any depth of lists."""
    types = pa.types
    if types.is_float16(kind):
        return pa.float32()
    if types.is_fixed_size_list(kind):
        return pa.list_(kind.value_field.with_type(_readable(kind.value_type)), kind.list_size)
    if types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_readable(kind.value_type)))
    if types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_readable(kind.value_type)))
    return kind


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _check_types(schema: pa.Schema) -> None:
    con = duckdb.connect(":memory:", config={"python_enable_replacements": False})
    try:
        for field in schema:
            try:
                con.register("luma_column", pa.Table.from_batches([], pa.schema([field])))
                con.execute("SELECT * FROM luma_column")
            except (duckdb.Error, pa.ArrowException) as error:
                raise UnsupportedError(
                    f"Column {field.name!r}: there is no text for {field.type}.",
                    hint="Export it as arrow or parquet, or cast it in the query.",
                ) from error
    finally:
        con.close()
