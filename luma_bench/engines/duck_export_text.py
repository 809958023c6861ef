"""CSV and JSON files, written by a DuckDB that may write the one file and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from luma_bench.engines.duck_aside import AsideThread
from luma_bench.engines.duck_errors import duckdb_error, read_report
from luma_bench.errors import LumaError, UnsupportedError
from luma_bench.types.sql_text import quoted, string_literal


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
        Whether lists, structs and maps become JSON texts; else the whole file is JSON.

    Raises
    ------
    UnsupportedError
        A column's type has no text.
    LumaError
        The rows cannot be written so. What the stream raised is raised again.
    OSError
        The file cannot be written.
    """
    schema = pa.schema([field.with_type(_readable(field.type)) for field in rows.schema])
    # A COPY that ends early waits for its own writers on other threads while it holds what they wait for (AsyncFileWriter
    # of DuckDB 2.0), so that it writes on its own thread.
    con = duckdb.connect(
        ":memory:",
        config={
            "async_threads": 0,
            "errors_as_json": True,
            "python_enable_replacements": False,
            "temp_directory": "",
        },
    )
    aside = AsideThread()
    place = string_literal(str(path))
    columns = ", ".join(_column(field, nested_as_json) for field in schema)

    def written() -> None:
        _check_types(schema)
        con.execute(f"SET allowed_paths = [{place}]")
        con.execute("SET enable_external_access = false")
        con.execute("SET GLOBAL TimeZone = 'UTC'")
        con.register("luma_rows", pa.RecordBatchReader.from_batches(schema, _cast(rows, schema)))
        con.execute(f"COPY (SELECT {columns} FROM luma_rows) TO {place} ({options})")

    try:
        # All of it aside: DuckDB takes an interrupt in the main thread for an error of its own.
        aside.call(written, con.interrupt)
    except duckdb.Error as error:
        if rows.error is not None:
            raise rows.error from None
        reported = duckdb_error(error)
        told = str(error) if reported is None else read_report(reported, "").message
        told = told.partition("\n")[0]
        if isinstance(reported, duckdb.IOException):
            # Before its last part the message names the file that the rows go to first.
            raise OSError(told.rpartition(": ")[2].rstrip(".")) from error
        raise LumaError(f"The file cannot be written: {told}") from error
    finally:
        aside.close()
        con.close()


def _column(field: pa.Field, nested_as_json: bool) -> str:
    """A column as it is selected; JSON has no NaN and no infinity, so there they are texts, at any depth."""
    name = quoted(field.name)
    kind = _plain(field.type)
    if nested_as_json:
        value = _finite(name, kind)
        return f"to_json({value}) AS {name}" if pa.types.is_nested(kind) else name
    return f"{_finite(name, kind)} AS {name}"


def _finite(value: str, kind: pa.DataType, depth: int = 0) -> str:
    """An SQL expression of the value in which floats that JSON cannot hold are the texts NaN, Infinity and -Infinity."""
    types = pa.types
    if types.is_floating(kind):
        text = f"CASE WHEN isnan({value}) THEN 'NaN' WHEN {value} > 0 THEN 'Infinity' ELSE '-Infinity' END"
        return (
            f"CASE WHEN {value} IS NULL OR isfinite({value}) THEN to_json({value}) ELSE to_json({text}) END"
        )
    if not _holds_floats(kind):
        return value
    item = f"v{depth}"
    if types.is_map(kind):
        entry = (
            f"{{'key': {item}.key, 'value': {_finite(f'{item}.value', _plain(kind.item_type), depth + 1)}}}"
        )
        return f"map_from_entries(list_transform(map_entries({value}), lambda {item}: {entry}))"
    if types.is_struct(kind):
        fields = (kind.field(index) for index in range(kind.num_fields))
        packed = ", ".join(
            f"{quoted(field.name)}: {_finite(f'{value}.{quoted(field.name)}', _plain(field.type), depth)}"
            for field in fields
        )
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE {{{packed}}} END"
    return f"list_transform({value}, lambda {item}: {_finite(item, _plain(kind.value_type), depth + 1)})"


def _holds_floats(kind: pa.DataType) -> bool:
    kind = _plain(kind)
    if pa.types.is_floating(kind):
        return True
    if pa.types.is_dictionary(kind):
        return False
    return any(_holds_floats(kind.field(index).type) for index in range(kind.num_fields))


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
