"""A grouped construct by SQL: its block over the relation of its windows, as DuckDB groups it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from luma_bench.bench.binding import Bound
from luma_bench.bench.island_relation import IslandRelation
from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.grouped_groups import Groups
from luma_bench.bench.series.grouped_types import Shape
from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.language.series.pattern import Grouped
from luma_bench.models.control import Control
from luma_bench.models.series.runs import Ints
from luma_bench.types.arrays import numbers
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters, ScanSource
from luma_bench.types.sql_text import quoted


@dataclass(slots=True)
class BySql:
    """The plan.

    Attributes
    ----------
    windows
        The relation that the block reads.
    series, starts
        The columns of keys of series, and one of the windows' starts where there is one.
    bound
        The block, once it has run.
    """

    island: Grouped
    shape: Shape
    asked: Asked
    windows: ScanSource
    series: tuple[str, ...]
    starts: str | None
    bound: Bound | None = field(default=None)

    def stream(self, control: Control, *, ordered: bool) -> Iterator[pa.RecordBatch]:
        """The groups as batches of keys and aggregates, by window and key where `ordered`.

        Raises
        ------
        KadeQLError
            It points into the user's text.
        """
        query = self.island.sql
        if ordered:
            by = [*([self.starts] if self.starts else []), *self.series]
            listed = ", ".join(f"{quoted(name)} NULLS LAST" for name in by)
            query = replace(query, sql=f"{query.sql}\nORDER BY {listed}") if by else query
        binder = self.asked.binder
        limits = self.asked.ask.limits
        ask = replace(
            self.asked.ask,
            caps=None,
            notes={},
            limits=None if limits is None else replace(limits, rows=0, nbytes=0),
        )
        extra = {self.island.windows.alias: self.windows}
        bound = binder.bind(query, ask, self.asked.view, extra=extra)
        self.bound = binder.reduced(bound)
        schema = pa.schema([*self.shape.keys, *self.shape.aggregates])
        for batch in self.bound.stream():
            control.check()
            if batch.num_rows:
                arrays = [
                    column if column.type == item.type else column.cast(item.type)
                    for column, item in zip(batch.columns, schema, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def groups(self, time: pa.DataType, control: Control) -> Groups:
        """All groups at once, each with its window's start, for FILL.

        Raises
        ------
        ResourceError
            They take more memory than there may be.
        """
        batches: list[pa.RecordBatch] = []
        held = 0
        for batch in self.stream(control, ordered=False):
            batches.append(batch)
            held += batch.nbytes
            control.fits(3 * held, "Filling the groups")
        schema = pa.schema([*self.shape.keys, *self.shape.aggregates])
        table = pa.Table.from_batches(batches, schema)
        columns = {name: table.column(name).combine_chunks() for name in schema.names}
        plain = {
            name: pa.concat_arrays(item.chunks) if isinstance(item, pa.ChunkedArray) else item
            for name, item in columns.items()
        }
        keys = SeriesKeys([schema.field(name).type for name in self.series])
        rank = keys.codes([plain[name] for name in self.series], rows=table.num_rows)
        assert self.starts is not None
        starts = moments(plain[self.starts], time)
        aggregates = {item.name: plain[item.name] for item in self.shape.aggregates}
        count = len(keys) if self.series else 1
        return Groups(keys.arrays(), count, rank, starts, starts, aggregates)

    def warnings(self) -> tuple[str, ...]:
        """What the relations under the block met."""
        if self.bound is None:
            return ()
        sources = self.bound.inputs.sources.values()
        notes = (
            note for item in sources if isinstance(item, IslandRelation | Between) for note in item.warnings()
        )
        return tuple(dict.fromkeys(notes))


class Between:
    """The rows of a relation of windows from a time on and before another."""

    def __init__(
        self, windows: ScanSource, column: str, time: pa.DataType, cut: tuple[int | None, int | None]
    ) -> None:
        self._windows = windows
        self._column = windows.schema.names.index(column)
        self._time = time
        self._cut = cut

    @property
    def name(self) -> str:
        """The relation's name."""
        return self._windows.name

    @property
    def schema(self) -> pa.Schema:
        """The relation's columns."""
        return self._windows.schema

    def rows(self) -> int:
        """The rows that the whole relation is expected to have."""
        return self._windows.rows()

    def accepts(self, predicate: Predicate) -> bool:
        """Whether the relation applies a predicate exactly."""
        return self._windows.accepts(predicate)

    def warnings(self) -> tuple[str, ...]:
        """What the relation met."""
        return self._windows.warnings() if isinstance(self._windows, IslandRelation) else ()

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        """Batches of exactly `columns`."""
        wanted = list(range(len(self.schema)) if columns is None else columns)
        asked = wanted if self._column in wanted else [*wanted, self._column]
        schema = pa.schema([self.schema.field(at) for at in wanted])
        source = self._windows.stream(asked, predicates, counters)
        place = asked.index(self._column)
        return pa.RecordBatchReader.from_batches(schema, self._kept(source, place, len(wanted)))

    def _kept(self, source: pa.RecordBatchReader, place: int, width: int) -> Iterator[pa.RecordBatch]:
        low, high = self._cut
        for batch in source:
            if batch.num_rows:
                column = batch.column(place)
                times = moments(column, self._time)
                kept = np.ones(len(times), np.bool_)
                if low is not None:
                    kept &= times >= low
                if high is not None:
                    kept &= times < high
                if not kept.all():
                    bits = pa.py_buffer(np.packbits(kept, bitorder="little"))
                    batch = batch.filter(pa.Array.from_buffers(pa.bool_(), len(kept), [None, bits]))
            yield batch.select(list(range(width)))


def moments(column: pa.Array, time: pa.DataType) -> Ints:
    """Moments without a NULL as int64 in units of a time type."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if column.type != time:
        column = column.cast(time)
    counts = column.view(pa.int32() if time.bit_width == 32 else pa.int64())
    return numbers(counts).astype(np.int64, copy=False)
