"""COPY as it runs: files through the engine's readers into a table, and rows of a query into a file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.casts import column_types
from luma_bench.bench.copy_options import READERS, export_options, format_of, read_options, unsupported
from luma_bench.errors import (
    ConstraintError,
    KadeQLBindError,
    KadeQLConstraintError,
    KadeQLError,
    KadeQLUnsupportedError,
    LumaError,
    UnsupportedError,
)
from luma_bench.language import Edit, Parameter, Query, rewritten
from luma_bench.language.copy import CopyFrom, CopyTo
from luma_bench.language.files import PREFIX
from luma_bench.plan.dml import named_column
from luma_bench.types.schema import TableSchema
from luma_bench.types.sql_text import quoted, string_literal

if TYPE_CHECKING:
    from luma_bench.bench.runner import Runner
    from luma_bench.storage.transaction import Transaction as StoreTransaction

_OWN_NULLS: Final = frozenset({"nullstr", "allow_quoted_nulls", "force_not_null", "quote"})


@dataclass(frozen=True, slots=True)
class Written:
    """What COPY … TO wrote."""

    rows: int
    snapshot: int


@contextlib.contextmanager
def _at_file(statement: CopyFrom) -> Generator[None]:
    """What the engine says of the query that reads the file is said of the file."""
    try:
        yield
    except KadeQLError as error:
        inside = error.span is not None and error.span[1] <= statement.end and error.span[0] < error.span[1]
        apart = isinstance(error, KadeQLUnsupportedError | KadeQLConstraintError)
        raise (
            error if inside and apart else error.moved(statement.whole, statement.file_span)
        ) from error.__cause__


class Copier:
    """Runs COPY over one set of engines."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def load(self, statement: CopyFrom, ask: Ask, inside: StoreTransaction) -> int:
        """Add the rows of files to a table, as they are read; how many there were.

        CSV, Parquet and Arrow go by position, JSON by name, as in DuckDB. Columns that are not named get their default.

        Raises
        ------
        KadeQLError
            The file, an option or a value is wrong, or a constraint is broken; nothing was added.
        """
        from luma_bench.bench.row_changes import target

        view = inside.view()
        table = target(view, statement.table, statement.table_span, statement.whole, ask)
        names = _targets(statement, table)
        with _at_file(statement):
            rows = self._runner.stream(self._query(statement, table, names, ask), ask)
        if len(rows.schema) != len(names):
            raise KadeQLBindError(
                f"The file has {len(rows.schema)} columns, and COPY fills {len(names)}.",
                text=statement.whole,
                span=statement.file_span,
                hint=f"They are: {', '.join(names)}. Name those that the file has: COPY {table.name} (a, b) FROM …",
            )
        named = pa.schema([field.with_name(name) for field, name in zip(rows.schema, names, strict=True)])
        try:
            stream = pa.RecordBatchReader.from_batches(
                named, (pa.RecordBatch.from_arrays(batch.columns, schema=named) for batch in rows)
            )
            with _at_file(statement):
                return inside.write(table.name, stream, mode="append")
        except ConstraintError as error:
            if isinstance(error, KadeQLError):
                raise
            span = (statement.start, statement.end)
            raise KadeQLConstraintError(
                error.message, text=statement.whole, span=span, hint=error.hint
            ) from error

    def write(self, statement: CopyTo, ask: Ask) -> Written:
        """Write the rows of a query into a file, which appears whole or not at all.

        Raises
        ------
        KadeQLError
            The file may not be written, or an option is not served.
        CancelledError
            The query was cancelled; no file is left.
        """
        from luma_bench.engines.duck_export import FileWriter

        name = _file(statement, ask)
        try:
            place = self._runner.files.writable(name)
        except UnsupportedError as error:
            raise unsupported(statement, error.message, statement.file_span, error.hint) from error
        kind = format_of(statement, name, default="csv")
        form, options = export_options(statement, kind)
        if form is None and kind in ("json", "arrow"):
            # DuckDB's JSON is an object a line; of Arrow's two forms the ending says which.
            form = "ndjson" if kind == "json" else ("arrows" if place.suffix == ".arrows" else "arrow")
        elif form is None:
            form = "tsv" if kind == "csv" and ".tsv" in place.suffixes and options.delimiter is None else kind
        snapshot = self._runner.resolve(ask)
        reader = self._runner.stream(statement.query, ask)

        try:
            return Written(FileWriter().write(reader, place, form, options=options), snapshot.id)
        except KadeQLError:
            raise
        except UnsupportedError as error:
            raise unsupported(statement, error.message, statement.file_span, error.hint) from error
        except LumaError as error:
            if type(error) is not LumaError:
                raise
            span = statement.file_span
            raise KadeQLError(error.message, text=statement.whole, span=span, hint=error.hint) from error

    def _query(self, statement: CopyFrom, table: TableSchema, names: Sequence[str], ask: Ask) -> Query:
        """The query over the file, in the types of the table's columns."""
        name = _file(statement, ask)
        kind = format_of(statement, name, default="csv")
        reader = READERS[kind]
        options = read_options(statement, kind)
        assert ask.view is not None
        types = column_types(self._runner, table, names, ask, ask.view)
        columns = ", ".join(
            f"{string_literal(item)}: {string_literal(sql)}" for item, sql in zip(names, types, strict=True)
        )
        if kind == "csv":
            options |= self._nulls(statement, reader, options, types, ask)
            options["columns"] = f"{{{columns}}}"
            return _over(statement, "SELECT *", reader, options, "")
        if kind == "json":
            options["columns"] = f"{{{columns}}}"
            chosen = ", ".join(map(quoted, names))
            return _over(statement, f"SELECT {chosen}", reader, options, "")
        found = self._found(_over(statement, "DESCRIBE SELECT *", reader, options, ""), ask)
        if len(found) != len(names):
            return _over(statement, "SELECT *", reader, options, "")
        places = [f"c{index}" for index in range(len(names))]
        casts = ", ".join(f"CAST({place} AS {sql})" for place, sql in zip(places, types, strict=True))
        return _over(statement, f"SELECT {casts}", reader, options, f" AS f({', '.join(places)})")

    def _nulls(
        self,
        statement: CopyFrom,
        reader: str,
        options: Mapping[str, str],
        types: Sequence[str],
        ask: Ask,
    ) -> dict[str, str]:
        """`""` is an empty text and not NULL, unless a column that is no text has one; as `bench.write` reads CSV."""
        if _OWN_NULLS & options.keys() or options.get("auto_detect") in ("false", "0"):
            return {}
        apart = {"allow_quoted_nulls": "false"}
        free = self._found(_over(statement, "DESCRIBE SELECT *", reader, options, ""), ask)
        told = self._found(_over(statement, "DESCRIBE SELECT *", reader, {**options, **apart}, ""), ask)
        # A column of the table that is no text may hold what looks like one: then `""` in it is NULL.
        texts = any(kind == "VARCHAR" != own for own, (_, kind) in zip(types, told, strict=False))
        return apart if free == told and not texts else {}

    def _found(self, query: Query, ask: Ask) -> list[tuple[str, str]]:
        """Names and types of a file's columns."""
        rows = self._runner.run(query, ask).to_arrow()
        return list(zip(rows["column_name"].to_pylist(), rows["column_type"].to_pylist(), strict=True))


def _over(statement: CopyFrom, select: str, reader: str, options: Mapping[str, str], alias: str) -> Query:
    """A query over the statement's file, whose name keeps its place in the user's text."""
    more = "".join(f", {name} = {value}" for name, value in options.items())
    start, end = statement.file_span
    sql, offsets = rewritten(
        statement.whole,
        statement.start,
        statement.end,
        [
            Edit(statement.start, start, f"{select} FROM {PREFIX}{reader}("),
            Edit(end, statement.end, f"{more}){alias}"),
        ],
    )
    params = frozenset({statement.file.name}) if isinstance(statement.file, Parameter) else frozenset[str]()
    return Query(
        source=statement.source, start=statement.start, end=statement.end, whole=statement.whole, sql=sql,
        offsets=offsets, params=params, volatile=True,
    )  # fmt: skip


def _targets(statement: CopyFrom, table: TableSchema) -> tuple[str, ...]:
    if statement.columns is None:
        return table.names
    places = zip(statement.columns, statement.column_spans, strict=True)
    return tuple(named_column(table, name, span, statement.whole).name for name, span in places)


def _file(statement: CopyFrom | CopyTo, ask: Ask) -> str:
    file = statement.file
    if isinstance(file, str):
        return file
    value: Any = ask.params.get(file.name)
    if not isinstance(value, str | os.PathLike):
        told = "has no value" if file.name not in ask.params else f"names a file, and {value!r} is no path"
        raise KadeQLBindError(
            f"Parameter ${file.name} {told}.",
            text=statement.whole,
            span=statement.file_span,
            hint=f"Give a path: bench.kadeql(text, params={{{file.name!r}: 'file.csv'}}).",
        )
    return str(os.fspath(value))  # pyright: ignore[reportUnknownArgumentType]
