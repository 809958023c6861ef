"""LATEST ON: the newest row of each series, from the ends of the runs in the series index, or in one pass over the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from luma_bench.bench.island_relation import batch_of
from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.gather import Chunks, exactly
from luma_bench.bench.series.newest import NewestRows
from luma_bench.bench.series.relation import BATCH, SeriesRelation
from luma_bench.bench.series.rows import InputRows
from luma_bench.language.series.pattern import Latest
from luma_bench.models.control import Control
from luma_bench.models.series.latest import Newest
from luma_bench.types.arrays import integers
from luma_bench.types.predicate import Predicate, columns_of
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROW_ID

_HELD_ROWS = 1 << 18
_COMPACTED = 4
"""Rows that were the newest for a while are let go of once they are so many times the others, and that many."""


class LatestScan(SeriesRelation):
    """The scan source of one LATEST ON: rows without a time are left out, and NULL is a key like any other."""

    def __init__(self, island: Latest, whole: str, asked: Asked) -> None:
        self._input = InputRows(island.input, whole, asked)
        self._keys = [self._input.column(name) for name in island.keys]
        self._time = self._input.time_name(island.time)
        # Without a condition the newest rows are kept between statements.
        self._plain = island.input.where is None
        self._series = 0
        self._way = ""
        super().__init__(island.alias, list(self._input.schema), asked)

    def rows(self) -> int:
        """As many as there were series; a thousand before it ran."""
        return self._series or 1_000

    def accepts(self, predicate: Predicate) -> bool:
        """What is about keys alone leaves out whole series, so it is asked of the input."""
        return columns_of(predicate) <= set(self._keys) and self._input.accepts(predicate)

    def lines(self) -> list[str]:
        """How it is answered, for EXPLAIN."""
        by = ", ".join(self._keys) or "all rows"
        said = f"the newest by {self._time} of each {by}; of equal times the last in stored order"
        ran = [f"{self._series:,} series, {self._way}"] if self._way else []
        return [said, *ran, *self._input.lines()]

    def _batches(
        self, names: list[str], predicates: Sequence[Predicate], counters: ScanCounters, control: Control
    ) -> tuple[Iterator[pa.RecordBatch], bool]:
        del counters
        wanted = [name for name in names if name != ROW_ID]
        if self._plain and not predicates:
            found = self._newest(wanted).ready()
            if found is not None:
                return self._given(names, found), True
        return self._made(names, wanted, predicates, control), False

    def _newest(self, wanted: list[str]) -> NewestRows:
        return NewestRows(self._input, self._keys, self._time, wanted)

    def _made(
        self, names: list[str], wanted: list[str], predicates: Sequence[Predicate], control: Control
    ) -> Iterator[pa.RecordBatch]:
        found = self._newest(wanted).read(control) if self._plain and not predicates else None
        if found is not None:
            yield from self._given(names, found)
            return
        arrays, rows = self._from_ends(wanted, predicates, control)
        if arrays is None:
            arrays, rows = self._from_rows(wanted, predicates, control)
        fields = [self._schema.field(name) for name in wanted]
        columns = [exactly(array, field.type) for array, field in zip(arrays, fields, strict=True)]
        yield from self._given(names, batch_of(columns, pa.schema(fields), rows))

    def _given(self, names: list[str], found: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The newest rows of all series, as batches."""
        self._series = found.num_rows
        self._way = self._way or "from the index"
        wanted = [name for name in names if name != ROW_ID]
        for first in range(0, found.num_rows, BATCH):
            part = found.slice(first, BATCH)
            yield self.batch(names, {name: part.column(name) for name in wanted}, first, part.num_rows)

    def _from_ends(
        self, wanted: list[str], predicates: Sequence[Predicate], control: Control
    ) -> tuple[list[pa.Array] | None, int]:
        """The rows by the last row of each run; None where the index cannot say it."""
        ends = self._input.run_ends(self._keys, self._time, control, predicates=predicates)
        if ends is None:
            return None, 0
        newest = Newest()
        for one in ends:
            newest.add(one.chunk, one.codes, one.last, one.last_row)
        chunks, rows = newest.found()
        self._way = "by the ends of their runs"
        return self._input.take(wanted, chunks, rows, control) if wanted else [], len(rows)

    def _from_rows(
        self, wanted: list[str], predicates: Sequence[Predicate], control: Control
    ) -> tuple[list[pa.Array], int]:
        """The rows in one pass: what is the newest so far is held."""
        newest = Newest()
        held: list[pa.RecordBatch] = []
        rows, limit = 0, _HELD_ROWS
        for part in self._input.parts(wanted, self._keys, self._time, control, predicates=predicates):
            control.check()
            runs = part.runs
            if not runs.rows:
                continue
            last = runs.offsets[1:] - 1
            newest.add(len(held), runs.codes, runs.time[last], np.arange(len(last)))
            places = integers(last if runs.order is None else runs.order[last])
            taken = [
                exactly(part.arrays[name].take(places), self._schema.field(name).type) for name in wanted
            ]
            held.append(self._batch(wanted, taken, len(places)))
            rows += len(places)
            control.fits(sum(batch.nbytes for batch in held), "LATEST ON")
            if rows > limit:
                chosen, rows = self._chosen(newest, held, wanted)
                newest.settle()
                held = [self._batch(wanted, chosen, rows)]
                limit = max(_HELD_ROWS, _COMPACTED * rows)
        self._way = "in one pass over their rows"
        return self._chosen(newest, held, wanted)

    def _chosen(
        self, newest: Newest, held: Sequence[pa.RecordBatch], wanted: list[str]
    ) -> tuple[list[pa.Array], int]:
        """The newest rows of what is held."""
        chunks, rows = newest.found()
        firsts = np.concatenate([[0], np.cumsum([batch.num_rows for batch in held])]).astype(np.int64)
        columns = Chunks(
            [self._input.schema.field(name) for name in wanted],
            list(zip(firsts.tolist(), held, strict=False)),
        )
        places = columns.places(firsts[chunks] + rows)
        return [columns.take(at, places) for at in range(len(wanted))], len(rows)

    def _batch(self, wanted: list[str], arrays: list[pa.Array], rows: int) -> pa.RecordBatch:
        return batch_of(arrays, pa.schema([self._input.schema.field(name) for name in wanted]), rows)
