"""Frames into files and tables: `to_parquet`, `to_csv`, `to_json`, `to_feather`, `persist`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from luma_bench.errors import UnsupportedError
from luma_bench.frame.base import Frame
from luma_bench.frame.loose import bench_of
from luma_bench.frame.rows import Passing

if TYPE_CHECKING:
    from luma_bench.engines.duck_export import ExportOptions
    from luma_bench.frame.dataframe import DataFrame

_QUOTE_MINIMAL, _QUOTE_ALL = 0, 1
_MODES = ("create", "append", "replace", "upsert")


class Filing(Frame):
    """Ways out of a frame into files and tables. Rows pass as the engine makes them: more than memory holds may."""

    __slots__ = ()

    def persist(
        self,
        name: str,
        mode: str = "create",
        *,
        message: str = "",
        primary_key: str | Sequence[str] = (),
        sort_by: str | Sequence[str] = (),
        time_column: str | None = None,
        series_key: str | Sequence[str] = (),
    ) -> Self:
        """Store the rows as a table of the bench, in one commit, and give the frame of the table as it is then.

        Parameters
        ----------
        name
            The table.
        mode
            'create' a new table (one that exists is left alone, and is an error), 'append', 'replace', or 'upsert' by the
            primary key.
        message
            What the snapshot says.
        primary_key, sort_by, time_column, series_key
            As for `bench.write`.

        Raises
        ------
        CatalogError
            The table exists, and `mode` is 'create'.
        ReadOnlyError
            The bench is read-only, or was taken at a snapshot.
        UnsupportedError
            The frame belongs to no bench.

        Examples
        --------
        >>> late = flights[flights.dep_delay > 300].persist("very_late", mode="replace")
        >>> len(late) == len(bench.table("very_late"))
        True
        """
        if mode not in _MODES:
            raise UnsupportedError(
                f"persist(mode={mode!r}) is not known.", hint=f"It is one of {', '.join(map(repr, _MODES))}."
            )
        from luma_bench.frame.dataframe import DataFrame

        executor = self._executor.store(
            name,
            self.to_reader(),
            mode,
            message=message,
            primary_key=primary_key,
            sort_by=sort_by,
            time_column=time_column,
            series_key=series_key,
        )
        return cast("Self", DataFrame.scan(executor, name))

    def to_sql(self, name: str, con: Any, *, if_exists: str = "fail", index: bool = False) -> int:
        """Store the rows as a table of a bench, which may be another than the frame's; how many there are.

        Parameters
        ----------
        con
            The bench.
        if_exists
            'fail', 'replace' or 'append'.

        Examples
        --------
        >>> lb.from_dict({"x": [1, 2]}).to_sql("few", bench, if_exists="replace")
        2
        """
        _no_index(index, "to_sql")
        modes = {"fail": "create", "replace": "replace", "append": "append"}
        if if_exists not in modes:
            raise UnsupportedError(
                f"to_sql(if_exists={if_exists!r}) is not known.", hint="It is 'fail', 'replace' or 'append'."
            )
        executor = bench_of(con, "to_sql").executor()
        counted = Passing(self.to_reader())
        executor.store(name, counted.reader, modes[if_exists])
        return counted.rows

    def to_parquet(
        self,
        path: Any = None,
        *,
        compression: str | None = "zstd",
        index: bool | None = None,
        row_group_rows: int | None = None,
    ) -> bytes | None:
        """Write the rows to a Parquet file, which appears whole or not at all; without a path, its bytes.

        Parameters
        ----------
        path
            A path, or an open binary file.
        compression
            'zstd', 'snappy', 'gzip', 'lz4', 'brotli', or None.
        index
            There is none.
        row_group_rows
            Rows of a row group: 1,048,576 by default, fewer of wide rows.

        Examples
        --------
        >>> airports.to_parquet("airports.parquet")
        >>> len(lb.read_parquet("airports.parquet")) == len(airports)
        True
        """
        _no_index(index, "to_parquet")
        options = _options(compression=compression or "none", row_group_rows=row_group_rows)
        return self._write_file(path, "parquet", options)

    def to_feather(self, path: Any, *, compression: str | None = "zstd") -> None:
        """Write the rows to an Arrow IPC file, which a Feather file is.

        Examples
        --------
        >>> airports.to_feather("airports.feather")
        """
        if path is None:
            raise UnsupportedError("to_feather() needs a path.", hint="Give one: 'rows.feather'.")
        self._write_file(path, "arrow", _options(compression=compression or "none"))

    def to_csv(
        self,
        path_or_buf: Any = None,
        *,
        sep: str = ",",
        na_rep: str | None = None,
        columns: Sequence[str] | None = None,
        header: bool | Sequence[str] = True,
        index: bool = False,
        mode: str = "w",
        encoding: str | None = None,
        compression: str | None = "infer",
        quoting: int | None = None,
        quotechar: str | None = None,
        escapechar: str | None = None,
        date_format: str | None = None,
    ) -> str | None:
        """Write the rows as CSV; without a path, its text. NULL is nothing, and an empty text `""`.

        Parameters
        ----------
        path_or_buf
            A path, or an open file.
        sep, na_rep, quotechar, escapechar, date_format
            What stands between values, for NULL, around values that need it, before a quote in them, and how dates and
            times are written.
        columns
            Which columns, in this order.
        header
            Whether the first line has the names; or other names.
        index
            There is none: False.
        mode, encoding
            'w' and 'utf-8'.
        compression
            'infer' (by the ending), 'gzip', 'zstd', or None.
        quoting
            0 (`csv.QUOTE_MINIMAL`) or 1 (`csv.QUOTE_ALL`).

        Examples
        --------
        >>> print(lb.from_dict({"x": [1, None], "t": ["a", "b,c"]}).to_csv())
        x,t
        1,a
        ,"b,c"
        """
        _no_index(index, "to_csv")
        if mode != "w":
            raise UnsupportedError(
                f"to_csv(mode={mode!r}): a file is written whole.", hint="Leave mode= out."
            )
        if encoding not in (None, "utf-8", "utf8", "UTF-8"):
            raise UnsupportedError(
                f"to_csv(encoding={encoding!r}): files are UTF-8.", hint="Leave encoding= out."
            )
        if quoting not in (None, _QUOTE_MINIMAL, _QUOTE_ALL):
            raise UnsupportedError(
                f"to_csv(quoting={quoting}) is not known.", hint="Give 0 (minimal) or 1 (all)."
            )
        frame = cast("DataFrame", self)
        if columns is not None:
            frame = frame[list(columns)]
        if not isinstance(header, bool):
            if len(header) != len(frame.columns):
                raise UnsupportedError(
                    "header= names other columns than there are.", hint="Give as many names."
                )
            frame = frame.rename(columns=dict(zip(frame.columns, header, strict=True)))
        kind = "tsv" if sep == "\t" else "csv"
        options = _options(
            compression=None if compression == "infer" else compression or "none",
            delimiter=None if kind == "tsv" else sep,
            header=header is not False,
            null=na_rep or None,
            quote=quotechar,
            escape=escapechar,
            force_quote=("*",) if quoting == _QUOTE_ALL else None,
            dateformat=date_format,
            timestampformat=date_format,
        )
        made = frame._write_file(path_or_buf, kind, options)
        return None if made is None else made.decode()

    def to_json(
        self,
        path_or_buf: Any = None,
        *,
        orient: str | None = None,
        lines: bool = False,
        index: bool | None = None,
        compression: str | None = "infer",
        date_format: str | None = None,
    ) -> str | None:
        r"""Write the rows as JSON, an array of objects, or with `lines` an object a line; without a path, its text.

        Parameters
        ----------
        orient
            'records', which it is by default.

        Examples
        --------
        >>> lb.from_dict({"x": [1, 2]}).to_json(lines=True)
        '{"x":1}\n{"x":2}\n'
        """
        _no_index(index, "to_json")
        if orient not in (None, "records"):
            raise UnsupportedError(
                f"to_json(orient={orient!r}): rows have no labels.",
                hint="orient='records' is written; others by frame.to_pandas().to_json(…).",
            )
        options = _options(
            compression=None if compression == "infer" else compression or "none",
            timestampformat=None if date_format in (None, "iso") else date_format,
        )
        made = self._write_file(path_or_buf, "ndjson" if lines else "json", options)
        return None if made is None else made.decode()

    def _write_file(self, path: Any, kind: str, options: ExportOptions) -> bytes | None:
        """Write to a path; to an open file; or nowhere, and give the bytes."""
        from luma_bench.engines.duck_export import FileWriter

        if isinstance(path, str | os.PathLike):
            target = Path(cast("str | os.PathLike[str]", path)).expanduser()
            FileWriter().write(self.to_reader(), target, kind, options=_zipped(options, target))
            return None
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / f"rows.{kind}"
            FileWriter().write(self.to_reader(), target, kind, options=options)
            made = target.read_bytes()
        if path is None:
            return made
        if not hasattr(path, "write"):
            raise UnsupportedError(
                f"A {type(path).__name__} is no file.", hint="Give a path or an open file."
            )
        path.write(made.decode() if hasattr(path, "encoding") or type(path).__name__ == "StringIO" else made)
        return None


def _zipped(options: ExportOptions, path: Path) -> ExportOptions:
    """The options with the compression that the path's ending names, where none is asked for."""
    from dataclasses import replace

    named = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix.lower())
    return (
        options if options.compression is not None or named is None else replace(options, compression=named)
    )


def _options(**given: Any) -> ExportOptions:
    from luma_bench.engines.duck_export import ExportOptions

    return ExportOptions(**given)


def _no_index(index: bool | None, what: str) -> None:
    if index:
        raise UnsupportedError(f"{what}(index=True): a frame has no index.", hint="Leave index= out.")
