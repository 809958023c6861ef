"""A table as one identity may see it: rows filtered and columns masked inside of the scan, before any engine reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from luma_bench.bench.exporting import exact
from luma_bench.bench.policy import TableRules
from luma_bench.storage.scan import TableScan
from luma_bench.types.predicate import Predicate, columns_of
from luma_bench.types.scan import ScanCounters

Judge = Callable[[pa.Table], pa.Table]
"""Gives `keep` and then the masked values of rows, one row for each, in the same order."""


class GuardedScan:
    """A scan source under policies. It finds no rows by key and tells no statistics: what it hides stays hidden.

    Its figures count the rows that are seen, and nothing of those that are not.

    Parameters
    ----------
    judge
        Evaluates the condition and the masks over rows of the raw scan.
    reads
        The columns that the condition and the masks may read.
    """

    def __init__(self, raw: TableScan, rules: TableRules, judge: Judge, reads: frozenset[str]) -> None:
        self._raw = raw
        self._rules = rules
        self._judge = judge
        self._masks = [name for name, _ in rules.masks]
        schema = raw.schema
        self._inner = [index for index, name in enumerate(schema.names) if name in reads]
        for name in self._masks:
            index = schema.get_field_index(name)
            schema = schema.set(index, schema.field(index).with_nullable(True))
        self._schema = schema
        self._count: int | None = None

    @property
    def name(self) -> str:
        """The table's name."""
        return self._raw.name

    @property
    def schema(self) -> pa.Schema:
        """`_rowid`, then the table's columns; a masked one may hold NULL."""
        return self._schema

    @property
    def hidden(self) -> frozenset[str]:
        """The names of masked columns."""
        return self._rules.hidden

    def rows(self) -> int:
        """The number of rows that are seen; counted once."""
        if not self._rules.filtered:
            return self._raw.rows()
        if self._count is None:
            stream = self.stream([0], (), ScanCounters())
            self._count = sum(batch.num_rows for batch in stream)
        return self._count

    def accepts(self, predicate: Predicate) -> bool:
        """Whether the raw scan applies it exactly; never one about a masked column, whose values it would be about."""
        return self._rules.hidden.isdisjoint(columns_of(predicate)) and self._raw.accepts(predicate)

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        """Batches of exactly `columns`, of the rows that are seen and where every predicate is TRUE."""
        wanted = list(range(len(self._schema))) if columns is None else list(columns)
        read = sorted({*wanted, *self._inner}) or [0]
        schema = pa.schema([self._schema.field(index) for index in wanted])
        raw = self._raw.stream(read, predicates, ScanCounters())
        places = {index: at for at, index in enumerate(read)}
        return pa.RecordBatchReader.from_batches(schema, self._seen(raw, wanted, places, schema, counters))

    def _seen(
        self,
        raw: pa.RecordBatchReader,
        wanted: list[int],
        places: dict[int, int],
        schema: pa.Schema,
        counters: ScanCounters,
    ) -> Iterator[pa.RecordBatch]:
        inner = [places[index] for index in self._inner]
        for batch in raw:
            if not batch.num_rows:
                continue
            arrays, kept = self._applied(batch, wanted, places, inner)
            if not kept:
                continue
            counters.add(rows=kept)
            if arrays:
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
            else:
                yield batch.select([0]).slice(0, kept).select([])

    def _applied(
        self, batch: pa.RecordBatch, wanted: list[int], places: dict[int, int], inner: list[int]
    ) -> tuple[list[pa.Array], int]:
        judged = self._judge(pa.Table.from_batches([batch.select(inner)]))
        keep = judged.column("keep").combine_chunks()
        arrays: list[pa.Array] = []
        for index in wanted:
            field = self._schema.field(index)
            if field.name in self._rules.hidden:
                values = judged.column(1 + self._masks.index(field.name)).combine_chunks()
                array = exact(values, field.type)
            else:
                array = batch.column(places[index])
            arrays.append(array.filter(keep))
        return arrays, int(keep.true_count)

    def apply(self, rows: pa.Table) -> pa.Table:
        """Rows with every column, as they are seen: for rows that were found by key.

        Parameters
        ----------
        rows
            In the table's exact types, without `_rowid`.
        """
        names = [self._raw.schema.names[index] for index in self._inner]
        judged = self._judge(rows.select([name for name in names if name in rows.schema.names]))
        for at, name in enumerate(self._masks):
            index = rows.schema.get_field_index(name)
            field = rows.schema.field(index).with_nullable(True)
            values = [exact(chunk, field.type) for chunk in judged.column(1 + at).chunks]
            rows = rows.set_column(index, field, pa.chunked_array(values, field.type))
        return rows.filter(judged.column("keep"))
