"""Reading and writing files, for the bench's own imports and exports only; no query ever comes here.

Parquet and Arrow files are read by pyarrow, which keeps their exact types; CSV and JSON by a DuckDB of its own that
may open the given files and nothing else.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from luma_bench.engines.duck_export import FileWriter
from luma_bench.engines.duck_text import read_text
from luma_bench.errors import LumaError, SchemaError, UnsupportedError, choices

__all__ = ["FORMATS", "FileReader", "FileWriter", "file_format"]

Format = Literal["parquet", "csv", "json", "arrow"]
KNOWN: tuple[Format, ...] = ("parquet", "csv", "json", "arrow")
FORMATS: Mapping[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "json",
    ".ndjson": "json",
    ".jsonl": "json",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
_COMPRESSED = (".gz", ".zst")
_BATCH_ROWS = 131_072


class FileReader:
    """Opens files as Arrow streams that are read as they are consumed."""

    def open(
        self,
        source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        format: str | None = None,  # noqa: A002
        *,
        target: pa.Schema | None = None,
        **options: Any,
    ) -> pa.RecordBatchReader:
        """One stream over one or more files of one format, in the given order (a glob: sorted by name).

        Parameters
        ----------
        source
            A path, a glob such as `data/*.parquet`, or a list of either. `.gz` and `.zst` may follow `.csv` and `.json`.
        format
            `parquet`, `csv`, `json` or `arrow`; by the name's ending when None.
        target
            The columns of the table that the rows are for: CSV and JSON are read as their types, where names agree.
        options
            For CSV, as DuckDB's `read_csv` names them: `delim`, `header`, `types`, `nullstr`, `skip`, `encoding`, …

        Raises
        ------
        LumaError
            No such file, or it is not of its format; the stream raises it too, for what it meets later.
        SchemaError
            A value or a file does not fit the columns; names file, line or row, and column.
        UnsupportedError
            An unknown ending or option.
        """
        paths = expanded(source)
        kind = format_of(paths, format, options)
        if kind == "csv" or kind == "json":
            return read_text(paths, kind, options, target)
        return open_columns(paths, kind)

    def rows(self, source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> int | None:
        """How many rows the files have, where that is known without reading them."""
        paths = expanded(source)
        return rows_in(paths, "parquet") if all(file_format(path) == "parquet" for path in paths) else None


def file_format(path: str | os.PathLike[str]) -> Format | None:
    """The format that a file's ending names, under a `.gz` or `.zst`; None for any other."""
    name = Path(path)
    if name.suffix.lower() in _COMPRESSED:
        name = name.with_suffix("")
    return FORMATS.get(name.suffix.lower())


def format_of(paths: Sequence[Path], asked: str | None, options: Mapping[str, Any]) -> Format:
    """The one format of these files.

    Raises
    ------
    UnsupportedError
        There are several, or it takes no options.
    """
    kinds: dict[Path, Format] = {path: known_format(asked, path) for path in paths}
    if len(set(kinds.values())) > 1:
        raise UnsupportedError(
            f"These files are of several formats: {', '.join(sorted(set(kinds.values())))}.",
            hint="Write each format on its own, with mode='append'.",
        )
    kind = kinds[paths[0]]
    if options and kind != "csv":
        raise UnsupportedError(f"A {kind} file takes no options, but got {', '.join(sorted(options))}.")
    return kind


def known_format(asked: str | None, path: Path) -> Format:
    """The format that was asked for, or that the file's ending names.

    Raises
    ------
    UnsupportedError
        There is no such format, or the ending names none.
    """
    found = file_format(path)
    if asked is None and found is not None:
        return found
    for known in KNOWN:
        if asked == known:
            return known
    if asked is not None:
        raise UnsupportedError(
            f"There is no format {asked!r}.", hint="The formats are: parquet, csv, json, arrow."
        )
    raise UnsupportedError(
        f"{str(path)!r}: its ending names no format.", hint=f"Give a file that ends in {', '.join(FORMATS)}."
    )


def expanded(source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[Path]:
    """The files that were asked for; a name with `*`, `?` or `[` is a glob unless a file is called that."""
    given = [source] if isinstance(source, str | os.PathLike) else list(source)
    paths: list[Path] = []
    for item in given:
        path = Path(item).expanduser()
        if path.is_dir():
            raise LumaError(
                f"{str(path)!r} is a folder.", hint=f"Give its files: {str(path / '*.parquet')!r}."
            )
        if path.exists():
            paths.append(path)
            continue
        found = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(str(path)) else []
        if not found:
            near = choices(path.name, [child.name for child in _siblings(path)], "files there")
            raise LumaError(f"There is no file {str(path)!r}.", hint=near)
        paths += [Path(name) for name in found if not Path(name).is_dir()]
    if not paths:
        raise LumaError("No file was given.", hint="Give a path, a glob or a list of paths.")
    return paths


def _siblings(path: Path) -> list[Path]:
    return [child for child in path.parent.iterdir() if child.is_file()] if path.parent.is_dir() else []


# --- parquet and arrow ---


def rows_in(paths: Sequence[Path], kind: Format) -> int | None:
    """The rows of these files, where the format says so without being read."""
    if kind != "parquet":
        return None
    import pyarrow.parquet as pq

    try:
        return sum(pq.read_metadata(path).num_rows for path in paths)
    except (pa.ArrowException, OSError):
        return None  # reading it will say what is wrong


def open_columns(
    paths: Sequence[Path], kind: Format, like: tuple[pa.Schema, Path] | None = None
) -> pa.RecordBatchReader:
    """The rows of Parquet or Arrow files, with the columns of the first one, or of `like`: a schema and whose it is.

    Raises
    ------
    LumaError
        A file cannot be read; the stream raises it too.
    SchemaError
        A file has other columns.
    """
    first = _opened(paths[0], kind)
    schema, owner = (_plain_schema(first.schema), paths[0]) if like is None else like

    def batches() -> Iterator[pa.RecordBatch]:
        for index, path in enumerate(paths):
            part = first if index == 0 else _opened(path, kind)
            row = 0
            try:
                for batch in part:
                    yield _fitted(batch, schema, path, owner)
                    row += batch.num_rows
            except (pa.ArrowException, OSError) as error:
                raise LumaError(
                    f"{path}, after row {row:,}: {_line(error)}", hint="The file is damaged."
                ) from error

    return pa.RecordBatchReader.from_batches(schema, batches())


def _opened(path: Path, kind: Format) -> pa.RecordBatchReader:
    try:
        if kind == "parquet":
            import pyarrow.parquet as pq

            file = pq.ParquetFile(path)
            return pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches(_BATCH_ROWS))
        source = pa.memory_map(str(path))
        try:
            stored = pa.ipc.open_file(source)
        except pa.ArrowInvalid:
            source.seek(0)
            return pa.ipc.open_stream(source)
        each = (stored.get_batch(index) for index in range(stored.num_record_batches))
        return pa.RecordBatchReader.from_batches(stored.schema, each)
    except (pa.ArrowException, OSError) as error:
        raise LumaError(f"{path} cannot be read as {kind}: {_line(error)}") from error


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    """The schema without what only the file's own format needs."""
    fields: list[pa.Field] = []
    for field in schema:
        kept = {
            key: value for key, value in (field.metadata or {}).items() if not key.startswith(b"PARQUET:")
        }
        fields.append(field.with_metadata(kept or None))
    return pa.schema(fields)


def _fitted(batch: pa.RecordBatch, schema: pa.Schema, path: Path, first: Path) -> pa.RecordBatch:
    """A batch with the first file's columns in the first file's order."""
    for name in schema.names:
        if name not in batch.schema.names:
            raise SchemaError(
                f"{path}: column {name!r} is missing; {first} has it.", hint="Write it on its own."
            )
        found, wanted = batch.schema.field(name).type, schema.field(name).type
        if found != wanted:
            raise SchemaError(f"{path}, column {name!r}: it is {found}, and {wanted} in {first}.")
    for name in batch.schema.names:
        if name not in schema.names:
            raise SchemaError(f"{path}: column {name!r} is not in {first}.", hint="Write it on its own.")
    return pa.RecordBatch.from_arrays([batch.column(name) for name in schema.names], schema=schema)


def _line(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(".") + "."
