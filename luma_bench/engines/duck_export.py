"""Writing an Arrow stream to a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from luma_bench.engines.duck_export_columns import write_arrow, write_parquet
from luma_bench.engines.duck_export_text import write_text
from luma_bench.errors import LumaError, UnsupportedError, choices
from luma_bench.types.sql_text import quoted, string_literal

Progress = Callable[[int, int | None], None]
_ENDINGS = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".arrows": "arrows",
}
FORMATS = ("parquet", "arrow", "arrows", "csv", "tsv", "json", "ndjson")
_TEXT = ("csv", "tsv", "json", "ndjson")
_ZIPPED = {".gz": "gzip", ".zst": "zstd"}
_COMPRESSIONS = {
    "parquet": ("zstd", "snappy", "gzip", "lz4", "brotli", "none"),
    "arrow": ("zstd", "lz4", "none"),
    "arrows": ("zstd", "lz4", "none"),
} | dict.fromkeys(_TEXT, ("none", "gzip", "zstd"))
ROW_GROUP_ROWS = 1 << 20
"""Rows of a Parquet row group, where they do not take too much memory first."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """How a file is written; a field that does not belong to the format must be left alone.

    Attributes
    ----------
    compression
        parquet: zstd (the default), snappy, gzip, lz4, brotli, none. arrow, arrows: zstd (the default), lz4, none. Text:
        none (the default), gzip, zstd.
    row_group_rows
        parquet: rows of a row group, 1,048,576 by default; wide rows get smaller ones.
    delimiter
        csv: what stands between two values; a comma by default.
    header
        csv, tsv: whether the first line names the columns.
    null
        csv, tsv: how NULL is written; nothing at all by default, which an empty text (`""`) is told from.
    quote, escape
        csv, tsv: the character around values that need one, and the one before it inside of a value; `"` for both.
    force_quote
        csv, tsv: columns whose values are always quoted; `*` for all.
    dateformat, timestampformat
        csv, tsv, json, ndjson: how dates and timestamps are written, by the specifiers of `strftime`.
    """

    compression: str | None = None
    row_group_rows: int | None = None
    delimiter: str | None = None
    header: bool | None = None
    null: str | None = None
    quote: str | None = None
    escape: str | None = None
    force_quote: tuple[str, ...] | None = None
    dateformat: str | None = None
    timestampformat: str | None = None

    def checked(self, kind: str) -> ExportOptions:
        """The options, fit for a format.

        Raises
        ------
        UnsupportedError
            One does not belong to the format, or has no such value.
        """
        only = {
            "row_group_rows": ("parquet",),
            "delimiter": ("csv",),
            "header": ("csv", "tsv"),
            "null": ("csv", "tsv"),
            "quote": ("csv", "tsv"),
            "escape": ("csv", "tsv"),
            "force_quote": ("csv", "tsv"),
            "dateformat": _TEXT,
            "timestampformat": _TEXT,
        }
        for name, kinds in only.items():
            if getattr(self, name) is not None and kind not in kinds:
                raise UnsupportedError(f"A {kind} file has no option {name!r}.", hint="Leave it out.")
        known = _COMPRESSIONS[kind]
        if self.compression is not None and self.compression not in known:
            raise UnsupportedError(
                f"A {kind} file is not written with compression {self.compression!r}.",
                hint=f"The compressions are: {', '.join(known)}.",
            )
        if self.row_group_rows is not None and self.row_group_rows < 1:
            raise UnsupportedError(f"row_group_rows={self.row_group_rows} is no number of rows.")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\n\r'):
            raise UnsupportedError(
                f"{self.delimiter!r} is no delimiter.", hint="Give one character, such as ';' or '|'."
            )
        for name in ("quote", "escape"):
            value = getattr(self, name)
            if value is not None and (len(value) != 1 or value in "\n\r"):
                raise UnsupportedError(
                    f"{name}={value!r} is not one character.", hint="Give one, such as '\"'."
                )
        return self


class FileWriter:
    """Writes streams as parquet, arrow, arrows (a stream), csv, tsv, json (one array) or ndjson (an object a line)."""

    def write(
        self,
        reader: pa.RecordBatchReader,
        path: str | os.PathLike[str],
        format: str | None = None,  # noqa: A002
        *,
        total: int | None = None,
        progress: Progress | None = None,
        options: ExportOptions | None = None,
    ) -> int:
        """Write every row; the number of them.

        The rows go to a file beside `path`, which takes its place in one step when it is complete and on disk. An
        existing file is replaced. Parquet and Arrow keep the exact Arrow types; in CSV and JSON a zoned time is in UTC,
        and a duration or an interval is text. CSV holds lists, structs and maps as JSON, NULL as nothing and an empty
        text as `""`.

        Parameters
        ----------
        format
            One of `FORMATS`; by the path's ending when None. `.gz` or `.zst` after `.csv`, `.json`, `.ndjson` compresses.
        total, progress
            `progress(rows done, total)` is called after each batch; what it raises ends the writing.

        Raises
        ------
        UnsupportedError
            The format or an option is unknown, two columns have one name, or the format cannot hold a column's type.
        LumaError
            The file cannot be written. An error of the stream comes out as it was raised; no file is left.
        """
        target = replaceable(Path(path))
        kind, zipped = _kind(target, format)
        chosen = (options or ExportOptions()).checked(kind)
        _check_names(reader.schema)
        counted = Counted(reader, total, progress)
        partial = target.with_name(f".{target.name[:40]}.{secrets.token_hex(6)}.part")
        compression = chosen.compression or zipped
        try:
            match kind:
                case "parquet":
                    rows = chosen.row_group_rows or ROW_GROUP_ROWS
                    write_parquet(reader.schema, iter(counted), partial, compression or "zstd", rows)
                case "arrow" | "arrows":
                    write_arrow(
                        reader.schema,
                        iter(counted),
                        partial,
                        compression or "zstd",
                        stream=kind == "arrows",
                    )
                case _:
                    copy = _copy_options(kind, chosen, compression)
                    write_text(counted, partial, copy, nested_as_json=kind in ("csv", "tsv"))
            _put(partial, target)
        except OSError as error:
            if error is counted.error:
                raise
            raise LumaError(
                f"{target} cannot be written: {error.strerror or error}.",
                hint="Give a path in a folder that exists and may be written, on a disk with room.",
            ) from error
        finally:
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                partial.unlink()
        return counted.rows


def replaceable(path: Path) -> Path:
    """The file that a finished one may take the place of: what a link leads to, never a device, a pipe or a folder.

    Raises
    ------
    UnsupportedError
        Something that is no file is there.
    """
    try:
        path = path.resolve() if path.is_symlink() else path
        if path.exists() and not path.is_file():
            hint = "Give the path of a file; `luma-bench query` writes to standard output."
            raise UnsupportedError(f"{str(path)!r} is no file that could be replaced.", hint=hint)
    except OSError as error:
        hint = "Give a path in a folder that exists and may be written."
        raise UnsupportedError(f"{str(path)!r} cannot be written: {error.strerror}.", hint=hint) from error
    return path


class Counted:
    """A stream that counts what passes and keeps the exception it raised."""

    def __init__(self, reader: pa.RecordBatchReader, total: int | None, progress: Progress | None) -> None:
        self.schema: pa.Schema = reader.schema
        self.rows = 0
        self.error: BaseException | None = None
        self._reader = reader
        self._total = total
        self._progress = progress

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._reader:
                # A query's stream may announce names that it told apart, and come with those that were asked for.
                if batch.schema.names != self.schema.names:
                    _check_names(batch.schema)
                yield batch
                self.rows += batch.num_rows
                if self._progress is not None:
                    self._progress(self.rows, self._total)
        except GeneratorExit:
            raise
        except BaseException as error:
            self.error = error
            raise


def _kind(path: Path, asked: str | None) -> tuple[str, str | None]:
    zipped = _ZIPPED.get(path.suffix.lower())
    ending = Path(path.stem).suffix.lower() if zipped else path.suffix.lower()
    kind = asked or _ENDINGS.get(ending)
    if kind not in FORMATS:
        named = f"There is no format {asked!r}." if asked else f"{str(path)!r}: its ending names no format."
        near = f" {choices(asked, FORMATS, 'formats')}" if asked else ""
        raise UnsupportedError(named, hint=f"The formats are: {', '.join(FORMATS)}.{near}")
    if zipped and kind not in _TEXT:
        raise UnsupportedError(
            f"A {kind} file is not written as {path.suffix}: it is compressed inside.",
            hint=f"Leave {path.suffix} out.",
        )
    return kind, zipped


def _check_names(schema: pa.Schema) -> None:
    """A file's columns are found by name; SQL's own names ignore case."""
    for name, count in Counter(name.casefold() for name in schema.names).items():
        if count > 1:
            shown = next(item for item in schema.names if item.casefold() == name)
            raise UnsupportedError(
                f"{count} columns are named {shown!r}; in a file one of them could not be told from the other.",
                hint=f"Name them in the query: SELECT a.{shown} AS first_{shown}, b.{shown} AS second_{shown} ….",
            )


def _copy_options(kind: str, options: ExportOptions, compression: str | None) -> str:
    parts = ["FORMAT csv" if kind in ("csv", "tsv") else "FORMAT json"]
    if kind in ("csv", "tsv"):
        parts.append(f"HEADER {'false' if options.header is False else 'true'}")
        delimiter = "\t" if kind == "tsv" else options.delimiter or ","
        parts.append(f"DELIMITER {string_literal(delimiter)}")
        if options.null is not None:
            parts.append(f"NULLSTR {string_literal(options.null)}")
        if options.quote is not None:
            parts.append(f"QUOTE {string_literal(options.quote)}")
        if options.escape is not None:
            parts.append(f"ESCAPE {string_literal(options.escape)}")
        if options.force_quote is not None:
            every = options.force_quote == ("*",)
            parts.append(
                f"FORCE_QUOTE {'*' if every else '(' + ', '.join(map(quoted, options.force_quote)) + ')'}"
            )
    else:
        parts.append(f"ARRAY {'true' if kind == 'json' else 'false'}")
    if options.dateformat is not None:
        parts.append(f"DATEFORMAT {string_literal(options.dateformat)}")
    if options.timestampformat is not None:
        parts.append(f"TIMESTAMPFORMAT {string_literal(options.timestampformat)}")
    if compression not in (None, "none"):
        parts.append(f"COMPRESSION {compression}")
    return ", ".join(parts)


def _put(partial: Path, target: Path) -> None:
    """Make the file durable, let it take its name, and make that durable."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
