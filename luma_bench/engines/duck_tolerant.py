"""Files read for a bulk import: what can be read goes on, what cannot is written down with its place."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.engines.duck_files import Format, expanded, format_of, open_columns, rows_in
from luma_bench.engines.duck_tolerant_csv import CsvFiles
from luma_bench.engines.duck_tolerant_json import JsonFiles
from luma_bench.types.reject import ImportSource, Late, Portion, Reject


def open_tolerant(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    limit: int,
    target: pa.Schema | None = None,
    format: str | None = None,  # noqa: A002
    options: Mapping[str, Any] | None = None,
) -> ImportSource:
    """Open files for an import.

    Parameters
    ----------
    source, format, options
        As `FileReader.open` takes them.
    limit
        When more rows than this are refused the import will be given up.
    target
        The table's columns, when there is one: texts are read as their types. Else a column's type is what nearly all
        values of a sample are.

    Raises
    ------
    LumaError, SchemaError, UnsupportedError
        As `FileReader.open`.
    """
    paths = expanded(source)
    kind = format_of(paths, format, options or {})
    match kind:
        case "csv":
            return CsvFiles(paths, options or {}, target, limit)
        case "json":
            return JsonFiles(paths, target, limit)
        case _:
            return _ColumnFiles(paths, kind)


class _ColumnFiles:
    """Parquet and Arrow files: a row of them is whole, or the file is damaged."""

    def __init__(self, paths: Sequence[Path], kind: Format) -> None:
        self._paths = paths
        self._kind: Format = kind
        self._first = open_columns(paths[:1], kind, None)
        self.schema: pa.Schema = self._first.schema
        self.refused = 0

    @property
    def total(self) -> int | None:
        return rows_in(self._paths, self._kind)

    def portions(self) -> Iterator[Portion]:
        for index, path in enumerate(self._paths):
            reader = (
                self._first if index == 0 else open_columns([path], self._kind, (self.schema, self._paths[0]))
            )
            done = 0
            for batch in reader:
                yield Portion(batch, str(path), np.arange(done, done + batch.num_rows))
                done += batch.num_rows

    def rejects(self, late: Sequence[Late]) -> list[Reject]:
        return [Reject(item.file, None, item.rank + 1, item.column, item.reason, item.text) for item in late]

    def close(self) -> None:
        self._first.close()
