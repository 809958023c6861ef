"""Writing a table, or the answer to a query, into a file."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.errors import CancelledError, CatalogError
from luma_bench.types.scan import ScanCounters
from luma_bench.types.sql_text import quoted

if TYPE_CHECKING:
    from luma_bench.bench.statements import Statements
    from luma_bench.engines.duck_export import ExportOptions
    from luma_bench.storage.store import ResolvedSnapshot
    from luma_bench.types.identity import Identity

Progress = Callable[[int, int | None], None]


def export(
    statements: Statements,
    identity: Identity,
    pinned: ResolvedSnapshot,
    what: str,
    path: str | os.PathLike[str],
    format: str | None,  # noqa: A002
    options: ExportOptions,
    progress: Progress | None,
    stop: threading.Event,
) -> int:
    """Write it; the rows. A query is told from a table's name: a name that is no table's is an error.

    Raises
    ------
    CatalogError
        There is no such table.
    CancelledError
        `stop` was set; no file is left.
    LumaError
        The query or the file is wrong.
    """
    from luma_bench.engines.duck_export import FileWriter

    if (named := pinned.named(what)) is not None:
        scan = statements.runner.binder.access.scan(pinned, named.name, identity)
        stream = scan.stream(list(range(1, len(scan.schema))), (), ScanCounters())
        written = named.arrow
        reader = pa.RecordBatchReader.from_batches(written, (_written(batch, written) for batch in stream))
        total: int | None = scan.rows()
    elif (view := pinned.object("view", what)) is not None:
        text = f"FROM {quoted(view.name)}"
        reader, total = statements.stream(text, Ask(view=pinned, identity=identity)), None
    elif what.isidentifier():
        raise CatalogError.unknown_table(what, [schema.name for schema in pinned.tables.values()])
    else:
        reader, total = statements.stream(what, Ask(view=pinned, identity=identity)), None

    def report(done: int, rows: int | None) -> None:
        if stop.is_set():
            raise CancelledError("The export was cancelled; no file was written.")
        if progress is not None:
            progress(done, rows)

    return FileWriter().write(reader, Path(path), format, total=total, progress=report, options=options)


def _written(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch of a scan in the types that were written: a scan yields what an engine reads best."""
    arrays = [exact(array, field.type) for array, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def exact(array: Any, kind: Any) -> pa.Array:
    """An array in another Arrow type of the same meaning."""
    if array.type == kind:
        return array
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, exact(array, kind.storage_type))
    if pa.types.is_dictionary(kind):
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        values = exact(array.dictionary, kind.value_type)
        return pa.DictionaryArray.from_arrays(
            array.indices.cast(kind.index_type), values, ordered=kind.ordered
        )
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array if array.type == kind else array.cast(kind)
