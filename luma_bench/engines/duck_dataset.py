"""A pinned scan source as a `pyarrow.dataset.Dataset`: the public road into DuckDB, for when the private hook changed.

DuckDB narrows by column names and hands over one pyarrow expression that holds every filter it will not apply again.
Nothing in pyarrow tells which columns an expression reads, so a filtered scan reads them all and prunes no chunk:
exact, and slower than `duck_source`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from luma_bench.engines.duck_scan import PinnedScan


class ScanDataset(ds.Dataset):  # pyright: ignore[reportUntypedBaseClass]
    """A `PinnedScan` as a dataset. DuckDB calls `schema` and `scanner` only."""

    def __init__(self, scan: PinnedScan) -> None:
        # The base class wraps a C++ dataset and cannot be made from Python; nothing of it is used.
        self._scan = scan

    @property
    def schema(self) -> pa.Schema:
        """The schema, `_rowid` first."""
        return self._scan.schema

    def scanner(
        self,
        columns: Sequence[str] | None = None,
        filter: pc.Expression | None = None,  # noqa: A002
        **_: object,
    ) -> ds.Scanner:
        """A scanner over the pinned source: rows where `filter` is TRUE, narrowed to `columns`."""
        schema = self._scan.schema
        names = list(schema.names if columns is None else columns)
        if filter is None:
            indexes = [schema.get_field_index(name) for name in names]
            return ds.Scanner.from_batches(self._scan.reader(indexes, []))
        kept = pa.schema([schema.field(name) for name in names])
        return ds.Scanner.from_batches(_filtered(self._scan.reader(None, []), filter, names), schema=kept)


def _filtered(
    reader: pa.RecordBatchReader, condition: pc.Expression, names: list[str]
) -> Iterator[pa.RecordBatch]:
    for batch in reader:
        yield from pa.Table.from_batches([batch]).filter(condition).select(names).to_batches()
