"""Reading CSV and JSON on a DuckDB that may open the given files and nothing else."""

from __future__ import annotations

import functools
import re
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from luma_bench.engines.duck_aside import AsideThread
from luma_bench.engines.duck_csv import Kind, reading_options, reading_sql, sql_value
from luma_bench.engines.duck_errors import duckdb_error, read_report
from luma_bench.engines.duck_result import ResultShape, result_shape
from luma_bench.errors import LumaError, SchemaError, UnsupportedError, choices

_CSV_OPTIONS = frozenset({
    "all_varchar", "allow_quoted_nulls", "columns", "comment", "dateformat", "decimal_separator", "delim", "encoding",
    "escape", "force_not_null", "header",
    "names", "nullstr", "quote", "sample_size", "skip", "timestampformat", "types",
})  # fmt: skip
_PLACE = re.compile(r"CSV Error on Line: (\d+)")
_CSV_FILE = re.compile(r"^\s*file ?= ?(.+)$", re.MULTILINE)
_JSON_PLACE = re.compile(
    r'in file "(?P<file>[^"]+)".*?(?P<place>(?:line|record/value|value) \d+)', re.IGNORECASE
)
_COLUMN = re.compile(r'(?:converting column|column) "(.+?)"', re.IGNORECASE)


def read_text(
    paths: Sequence[Path], kind: Kind, options: Mapping[str, Any], target: pa.Schema | None = None
) -> pa.RecordBatchReader:
    """One stream over CSV or JSON files; `options` are `read_csv`'s, `target` the columns that the rows are for.

    Raises
    ------
    LumaError
        A file cannot be read; the stream raises it too. A `SchemaError` names file, line and column.
    UnsupportedError
        An unknown option.
    """
    check_text(paths, options)
    con = file_connection(paths)
    aside = AsideThread()
    try:
        source = reading_sql(
            kind, paths, aside.call(lambda: reading_options(con, paths, kind, options, target), con.interrupt)
        )
        query = f"SELECT * FROM {source}"
        result = aside.call(lambda: con._submit(query, None, "stream"), con.interrupt)
        columns = result.description
        shape = result_shape(con, [column[0] for column in columns], [column[1] for column in columns], {})
        stream = result.arrow_reader()
    except (duckdb.Error, OSError) as error:
        aside.close()
        con.close()
        raise text_error(error, paths, kind) from error

    told = functools.partial(text_error, paths=paths, kind=kind)
    opened = _OpenText(con, stream, aside)
    return pa.RecordBatchReader.from_batches(shape.schema, _TextBatches(opened, shape, told))


def check_text(paths: Sequence[Path], options: Mapping[str, Any]) -> None:
    """Refuse options that are none, and files that hold nothing.

    Raises
    ------
    LumaError
        A file is empty.
    UnsupportedError
        An unknown option.
    """
    for name in options:
        if name not in _CSV_OPTIONS:
            raise UnsupportedError(
                f"A csv file has no option {name!r}.", hint=choices(name, sorted(_CSV_OPTIONS), "options")
            )
    for path in paths:
        if path.stat().st_size < 64 and path.read_bytes().strip() in (b"", b"[]"):
            raise LumaError(
                f"{path} is empty: it names no column.", hint="Leave it out, or give it a header or a record."
            )


@dataclass(slots=True)
class _OpenText:
    """A connection in the middle of its result, until it is closed."""

    con: duckdb.DuckDBPyConnection | None
    stream: pa.RecordBatchReader | None
    aside: AsideThread

    def next(self) -> pa.RecordBatch | None:
        con, stream = self.con, self.stream
        if con is None or stream is None:
            return None
        return self.aside.call(lambda: next(stream, None), con.interrupt)

    def close(self) -> None:
        con, stream, self.con, self.stream = self.con, self.stream, None, None
        if con is not None and stream is not None:
            stream.close()
            con.close()
        self.aside.close()


class _TextBatches:
    """The batches of text files; the end, an error, or nobody wanting more closes their connection."""

    def __init__(
        self, opened: _OpenText, shape: ResultShape, told: Callable[[BaseException], LumaError]
    ) -> None:
        self._opened = opened
        self._shape = shape
        self._told = told
        self._finish = weakref.finalize(self, opened.close)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        try:
            batch = self._opened.next()
            if batch is not None:
                return self._converted(batch)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            self._finish()
            raise self._told(error) from error
        except BaseException:
            self._finish()
            raise
        self._finish()
        raise StopIteration

    def _converted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._shape.is_plain:
            return batch
        table = self._shape.convert(pa.Table.from_batches([batch]), self._side)
        return table.combine_chunks().to_batches()[0]

    def _side(self) -> duckdb.DuckDBPyConnection:
        assert self._opened.con is not None
        return self._opened.con.cursor()


def file_connection(paths: Sequence[Path]) -> duckdb.DuckDBPyConnection:
    """A DuckDB that may read these files and nothing else."""
    con = duckdb.connect(
        ":memory:",
        config={
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "arrow_lossless_conversion": True,
            "errors_as_json": True,
            "temp_directory": "",
        },
    )
    con.execute(f"SET allowed_paths = {sql_value(sorted({str(path) for path in paths}))}")
    con.execute("SET enable_external_access = false")
    con.execute("SET GLOBAL TimeZone = 'UTC'")
    con.execute("SET lock_configuration = true")
    return con


def text_error(error: BaseException, paths: Sequence[Path], kind: Kind) -> LumaError:
    """DuckDB's account of a file, as one sentence that names file, line and column."""
    reported = duckdb_error(error)
    text = str(error) if reported is None else read_report(reported, "").message
    file = _CSV_FILE.search(text)
    located = _JSON_PLACE.search(text)
    where = (
        file[1].strip()
        if file
        else located["file"]
        if located
        else str(paths[0])
        if len(paths) == 1
        else f"one of {len(paths)} files"
    )
    line = _PLACE.search(text)
    if line is not None:
        where += f", line {int(line[1]):,}"
    elif located is not None:
        where += f", {located['place']}"
    column = _COLUMN.search(text)
    if column is not None:
        where += f", column {column[1]!r}"
    kept = [
        part.strip()
        for part in text.splitlines()
        if part.strip() and not part.startswith(("CSV Error", "Original Line", "LINE "))
    ]
    problem = re.sub(r'^Error when converting column ".+?"\. ', "", kept[0]) if kept else text
    hint = "Correct the file, or read it with pandas, Polars or DuckDB and write the frame."
    if line is not None or column is not None or "convert" in problem:
        return SchemaError(f"{where}: {problem.rstrip('.')}.", hint=hint)
    return LumaError(f"{where} cannot be read as {kind}: {problem.rstrip('.')}.", hint=hint)
