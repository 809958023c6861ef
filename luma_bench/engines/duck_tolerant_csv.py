"""CSV files of which some rows may be wrong: DuckDB reads the others and keeps account of these."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from luma_bench.engines.duck_aside import AsideThread
from luma_bench.engines.duck_csv import reading_sql, sql_types
from luma_bench.engines.duck_csv_head import Head, read_head
from luma_bench.engines.duck_guess import SAMPLE_ROWS, guess_types
from luma_bench.engines.duck_places import Dialect, Places, find_places
from luma_bench.engines.duck_result import ResultShape, result_shape
from luma_bench.engines.duck_text import check_text, file_connection, text_error
from luma_bench.errors import ClosedError, SchemaError
from luma_bench.types.reject import Late, Portion, Reject
from luma_bench.types.sql_text import quoted

_OWN = frozenset({"columns", "delim", "header", "names", "sample_size", "types", "all_varchar"})
_ERRORS = """
    SELECT line, line_byte_position - 1, column_name, error_type::VARCHAR, csv_line, error_message
    FROM reject_errors ORDER BY line, column_idx"""
_COUNTS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_CONVERTING = re.compile(r'^Error when converting column ".*?"\. ')


@dataclass(frozen=True, slots=True)
class _Error:
    file: str
    line: int
    start: int
    column: str | None
    reason: str
    text: str | None


class CsvFiles:
    """An `ImportSource` over CSV files. Ranks count the rows of a file that could be read.

    Nothing about a file is left to DuckDB's guess, which one wrong row can lead astray.
    """

    def __init__(
        self, paths: Sequence[Path], options: Mapping[str, Any], target: pa.Schema | None, limit: int
    ) -> None:
        check_text(paths, options)
        self._paths = paths
        self._options = {"quote": '"', "escape": '"'} | {
            name: value for name, value in options.items() if name not in _OWN
        }
        self._given = dict(options)
        self._limit = limit
        self._target = target
        self._placed = not {"encoding", "comment"} & options.keys()
        self._aside = AsideThread()
        self._con: duckdb.DuckDBPyConnection | None = file_connection(paths)
        self._taken: dict[str, int] = {}
        self._errors: list[_Error] = []
        self._heads: dict[str, Head] = {}
        self.refused = 0
        self.total: int | None = None
        try:
            for path in paths:
                self._heads[str(path)] = self._head(path)
            self._types: dict[str, str] = self._call(self._guess)
            self._shape: ResultShape = self._call(self._described)
        except BaseException:
            self.close()
            raise

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return self._shape.schema

    def portions(self) -> Iterator[Portion]:
        """The rows that could be read."""
        for path in self._paths:
            stream: pa.RecordBatchReader = self._call(lambda con, path=path: self._stream(con, path))
            done = 0
            while (batch := self._call(lambda _, stream=stream: next(stream, None))) is not None:
                rows = batch.num_rows
                yield Portion(self._converted(batch), str(path), np.arange(done, done + rows))
                done += rows
            self._taken[str(path)] = done
            self._call(lambda con, path=path: self._account(con, path))

    def rejects(self, late: Sequence[Late]) -> list[Reject]:
        """What was refused, and `late`, with lines and row numbers."""
        found: list[Reject] = []
        for path in map(str, self._paths):
            errors = [error for error in self._errors if error.file == path]
            behind = [item for item in late if item.file == path]
            places = self._places(path, errors, behind)
            for error in errors:
                line, row = (error.line, None) if places is None else places.refused[error.start]
                found.append(Reject(path, line, row, error.column, error.reason, error.text))
            for item in behind:
                line, row = (None, None) if places is None else places.accepted[item.rank]
                found.append(Reject(path, line, row, item.column, item.reason, item.text))
        return found

    def close(self) -> None:
        """End the reading."""
        con, self._con = self._con, None
        if con is not None:
            con.close()
        self._aside.close()

    def _call(self, work: Callable[[duckdb.DuckDBPyConnection], Any]) -> Any:
        con = self._con
        if con is None:
            raise ClosedError("The import was closed.")
        try:
            return self._aside.call(lambda: work(con), con.interrupt)
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            self.close()
            raise text_error(error, self._paths, "csv") from error

    def _head(self, path: Path) -> Head:
        head = read_head(path, self._given, () if self._target is None else self._target.names)
        first = next(iter(self._heads.values()), head)
        if {name.casefold() for name in head.names} != {name.casefold() for name in first.names}:
            raise SchemaError(
                f"{path} has the columns {', '.join(head.names)}; {self._paths[0]} has {', '.join(first.names)}.",
                hint="Write it on its own, with mode='append'.",
            )
        return head

    def _guess(self, con: duckdb.DuckDBPyConnection) -> dict[str, str]:
        """The SQL type of every column of the first file: as asked for, the table's, or what a sample says."""
        head = self._heads[str(self._paths[0])]
        asked: Any = self._given.get("columns") or self._given.get("types", {})
        if not isinstance(asked, Mapping):
            asked = dict(zip(head.names, asked, strict=False))
        wanted = {str(name).casefold(): str(kind) for name, kind in asked.items()}
        if self._target is not None:
            table = sql_types(con, self._target)
            wanted = {name.casefold(): kind for name, kind in table.items()} | wanted
        source = self._source(self._paths[0], dict.fromkeys(head.names, "VARCHAR"), ignore_errors=True)
        con.execute(f"CREATE TEMP TABLE luma_sample AS SELECT * FROM {source} LIMIT {SAMPLE_ROWS}")
        unsure = [name for name in head.names if name.casefold() not in wanted]
        guessed = {} if self._given.get("all_varchar") else guess_types(con, "luma_sample", unsure)
        types = {name: wanted.get(name.casefold()) or guessed.get(name, "VARCHAR") for name in head.names}
        numbers = [quoted(name) for name, kind in types.items() if kind not in ("VARCHAR", "BLOB")]
        if not {"allow_quoted_nulls", "nullstr", "force_not_null"} & self._given.keys():
            # A number column with "" in quotes: the file quotes its NULLs.
            empty = " OR ".join(f"{name} = ''" for name in numbers)
            found = (
                con.execute(f"SELECT count(*) FROM luma_sample WHERE {empty}").fetchall() if empty else None
            )
            self._options["allow_quoted_nulls"] = bool(found and found[0][0])
        con.execute("DROP TABLE luma_sample")
        return types

    def _source(self, path: Path, types: Mapping[str, str], **more: Any) -> str:
        head = self._heads[str(path)]
        folded = {name.casefold(): kind for name, kind in types.items()}
        columns = {name: folded[name.casefold()] for name in head.names}
        nulls = {"allow_quoted_nulls": False} | self._options
        fixed = {"auto_detect": False, "delim": head.delimiter, "header": head.header, "columns": columns}
        return reading_sql("csv", [path], nulls | fixed | more)

    def _described(self, con: duckdb.DuckDBPyConnection) -> ResultShape:
        source = self._source(self._paths[0], self._types)
        columns = con.execute(f"SELECT * FROM {source} LIMIT 0").description
        return result_shape(con, [item[0] for item in columns], [item[1] for item in columns], {})

    def _stream(self, con: duckdb.DuckDBPyConnection, path: Path) -> pa.RecordBatchReader:
        for table in ("reject_errors", "reject_scans"):
            con.execute(f"DROP TABLE IF EXISTS {table}")
        # Counted in errors, of which a row may have one for each column.
        errors = (self._limit + 1) * (len(self._types) + 1)
        source = self._source(path, self._types, store_rejects=True, rejects_limit=errors)
        names = ", ".join(f"{quoted(name)} AS {quoted(name)}" for name in self._types)
        return con._submit(f"SELECT {names} FROM {source}", None, "stream").arrow_reader()

    def _converted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._shape.is_plain:
            return batch
        con = self._con
        assert con is not None
        return (
            self._shape.convert(pa.Table.from_batches([batch]), con.cursor).combine_chunks().to_batches()[0]
        )

    def _account(self, con: duckdb.DuckDBPyConnection, path: Path) -> None:
        """Take over DuckDB's account of a file; it is complete when everything was read."""
        errors = [
            _Error(str(path), int(line), int(start), column, _reason(kind, message, text), _shown(text))
            for line, start, column, kind, text, message in con.execute(_ERRORS).fetchall()
        ]
        self._errors += errors
        self.refused += len({error.start for error in errors})

    def _places(self, path: str, errors: Sequence[_Error], late: Sequence[Late]) -> Places | None:
        if not (errors or late) or not self._placed:
            return None
        quote, skip = str(self._options.get("quote", "")), int(self._given.get("skip", 0))
        dialect = Dialect(quote, skip, self._heads[path].header)
        starts, ranks = [error.start for error in errors], [item.rank for item in late]
        return find_places(Path(path), dialect, starts, ranks, self._taken.get(path, 0))


def _reason(kind: str, message: str, text: str | None) -> str:
    """DuckDB's account of one error as one sentence."""
    match kind:
        case "MISSING COLUMNS" | "TOO MANY COLUMNS":
            counts = _COUNTS.search(message)
            if counts is not None:
                return (
                    f"The row has {counts[2]} value{'s' if counts[2] != '1' else ''} for {counts[1]} columns."
                )
        case "INVALID ENCODING":
            return "The row is not UTF-8."
        case "UNQUOTED VALUE":
            return "A quote in the row is not closed, or is not doubled."
        case "LINE SIZE OVER MAXIMUM":
            return f"The row is longer than may be read ({len(text or ''):,} characters)."
        case _:
            pass
    first = _CONVERTING.sub("", message.partition("\n")[0]).rstrip(". ")
    return f"{first}."


def _shown(text: str | None) -> str | None:
    return None if text is None else text.strip("\r\n")
