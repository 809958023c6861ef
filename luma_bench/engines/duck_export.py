"""Writing an Arrow stream to a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from luma_bench.engines.duck_aside import AsideThread
from luma_bench.engines.duck_errors import duckdb_error, read_report
from luma_bench.errors import LumaError, UnsupportedError

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
}
_COPY = {
    "csv": "FORMAT csv, HEADER true",
    "tsv": "FORMAT csv, HEADER true, DELIMITER '\t'",
    "json": "FORMAT json, ARRAY true",
    "ndjson": "FORMAT json, ARRAY false",
}
FORMATS = ("parquet", "arrow", *_COPY)


class FileWriter:
    """Writes streams as parquet, arrow, csv, tsv, json (one array) or ndjson (an object a line)."""

    def write(
        self,
        reader: pa.RecordBatchReader,
        path: str | os.PathLike[str],
        format: str | None = None,  # noqa: A002
        *,
        total: int | None = None,
        progress: Progress | None = None,
    ) -> int:
        """Write every row; the number of them.

        The rows go to a file beside `path`, which takes its place in one step when it is complete and on disk. An
        existing file is replaced. Parquet and Arrow keep the exact Arrow types; in CSV and JSON a zoned time is in UTC.

        Parameters
        ----------
        format
            One of `FORMATS`; by the path's ending when None. `.gz` after `.csv`, `.json`, `.ndjson` compresses.
        total, progress
            `progress(rows done, total)` is called after each batch.

        Raises
        ------
        UnsupportedError
            The format is unknown.
        LumaError
            The file cannot be written. An error of the stream comes out as it was raised; no file is left.
        """
        target = Path(path)
        kind, zipped = _kind(target, format)
        counted = _Counted(reader, total, progress)
        partial = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
        try:
            if kind == "parquet":
                _write_parquet(counted, partial)
            elif kind == "arrow":
                _write_arrow(counted, partial)
            else:
                _write_text(counted, partial, _COPY[kind] + (", COMPRESSION gzip" if zipped else ""))
            _put(partial, target)
        except OSError as error:
            raise LumaError(
                f"{target} cannot be written: {error.strerror or error}.",
                hint="Give a path in a folder that exists.",
            ) from error
        finally:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()
        return counted.rows


class _Counted:
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
                yield batch
                self.rows += batch.num_rows
                if self._progress is not None:
                    self._progress(self.rows, self._total)
        except GeneratorExit:
            raise
        except BaseException as error:
            self.error = error
            raise


def _kind(path: Path, asked: str | None) -> tuple[str, bool]:
    zipped = path.suffix.lower() == ".gz"
    ending = Path(path.stem).suffix.lower() if zipped else path.suffix.lower()
    kind = asked or _ENDINGS.get(ending)
    if kind not in FORMATS:
        named = f"There is no format {asked!r}." if asked else f"{str(path)!r}: its ending names no format."
        raise UnsupportedError(named, hint=f"The formats are: {', '.join(FORMATS)}.")
    if zipped and kind not in _COPY:
        raise UnsupportedError(
            f"A {kind} file is not written as .gz: it is compressed inside.", hint="Leave .gz out."
        )
    return kind, zipped


def _write_parquet(rows: _Counted, partial: Path) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(partial, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_batch(batch)


def _write_arrow(rows: _Counted, partial: Path) -> None:
    options = pa.ipc.IpcWriteOptions(compression="zstd", unify_dictionaries=True)
    with pa.ipc.new_file(str(partial), rows.schema, options=options) as writer:
        for batch in rows:
            writer.write_batch(batch)


def _write_text(rows: _Counted, partial: Path, options: str) -> None:
    con = duckdb.connect(
        ":memory:", config={"python_enable_replacements": False, "errors_as_json": True, "temp_directory": ""}
    )
    aside = AsideThread()
    place = str(partial).replace("'", "''")
    try:
        con.execute(f"SET allowed_paths = ['{place}']")
        con.execute("SET enable_external_access = false")
        con.execute("SET GLOBAL TimeZone = 'UTC'")
        con.register("luma_rows", pa.RecordBatchReader.from_batches(rows.schema, iter(rows)))
        copy = f"COPY (FROM luma_rows) TO '{place}' ({options})"
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


def _put(partial: Path, target: Path) -> None:
    """Make the file durable, then let it take its name."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(target)
