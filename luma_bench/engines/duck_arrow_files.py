"""Arrow IPC files as relations of DuckDB: mapped into memory, read batch by batch, only the columns that a query wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc as ipc
from duckdb._sources import ArrowScanSource, nodes

from luma_bench.engines.duck_scan import Reading
from luma_bench.errors import LumaError, SchemaError


class ArrowFiles(ArrowScanSource):
    """Arrow files or streams of one schema, in the order given; they may be larger than memory and are read anew by each scan."""

    schema_is_stable = True

    def __init__(self, paths: Sequence[str], reading: Reading) -> None:
        super().__init__(None)
        self._paths = tuple(paths)
        self._reading = reading
        self.schema: pa.Schema = _opened(self._paths[0], None)[0]

    def __arrow_c_schema__(self) -> object:
        """The schema of the first file."""
        return self.schema.__arrow_c_schema__()

    def rows(self) -> int:
        """An estimate: what the files would hold at 64 bytes a row, since Arrow files do not say it in one place."""
        return max(1, sum(Path(path).stat().st_size for path in self._paths) // 64)

    def accepts(self, predicate: nodes.Node) -> bool:
        """False: DuckDB filters by itself."""
        return False

    def stream(self, columns: Sequence[int] | None, filters: Sequence[nodes.Node]) -> tuple[object, bool]:
        """A stream of exactly `columns`."""
        wanted = list(range(len(self.schema))) if columns is None else list(columns)
        schema = pa.schema([self.schema.field(index) for index in wanted])
        reader = pa.RecordBatchReader.from_batches(schema, self._batches(wanted, schema))
        return reader.__arrow_c_stream__(), True

    def _batches(self, wanted: Sequence[int], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        try:
            for path in self._paths:
                found, batches = _opened(path, sorted(set(wanted)))
                for batch in batches:
                    self._reading.check()
                    yield self._fitted(batch, found, wanted, schema, path)
        except GeneratorExit:
            raise
        except BaseException as error:
            self._reading.failed(error)
            raise

    def _fitted(
        self, batch: pa.RecordBatch, found: pa.Schema, wanted: Sequence[int], schema: pa.Schema, path: str
    ) -> pa.RecordBatch:
        if not found.equals(self.schema):
            raise SchemaError(
                f"{path!r} has other columns than {self._paths[0]!r}.",
                hint="Read them one by one, and UNION ALL BY NAME them.",
            )
        arrays = [batch.column(self.schema.names[index]) for index in wanted]
        return pa.RecordBatch.from_arrays(arrays, schema=schema) if arrays else _counted(batch)


def _counted(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The rows of a batch without columns."""
    return batch.select([])


def _opened(path: str, columns: list[int] | None) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The schema of a file and its batches, with these columns alone."""
    try:
        source = pa.memory_map(path)
        options = ipc.IpcReadOptions(included_fields=columns or None)
        try:
            file = ipc.open_file(source)
        except pa.ArrowInvalid:
            source.seek(0)
            schema = ipc.open_stream(source).schema
            source.seek(0)
            return schema, iter(ipc.open_stream(source, options=options))
        part = ipc.open_file(source, options=options)
        return file.schema, (part.get_batch(index) for index in range(part.num_record_batches))
    except (pa.ArrowException, OSError) as error:
        line = str(error).partition("\n")[0].rstrip(".")
        raise LumaError(f"{path!r} cannot be read as Arrow: {line}.", hint="Name its own reader.") from error
