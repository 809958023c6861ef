"""The right side of an as-of join that stays the engine's own: without the rows that a later one of equal keys and time hides.

What is left has no ties, so the engine's answer no longer hangs on the order in which it sorts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.asof_sides import Side
from luma_bench.bench.series.gather import exactly, widened
from luma_bench.bench.series.relation import SeriesRelation
from luma_bench.bench.series.sides import single
from luma_bench.language.series.pattern import TiedRight
from luma_bench.models.control import Control
from luma_bench.models.series.runs import Bools
from luma_bench.types.arrays import mask
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import ROW_ID


class TiedScan(SeriesRelation):
    """The scan source of such a side; rows that match nothing, for a NULL among keys and time, are left out, too."""

    def __init__(self, island: TiedRight, whole: str, asked: Asked) -> None:
        self._side = Side(island.side, whole, asked)
        self._hidden = -1
        super().__init__(island.alias, widened(self._side.rows.streamed), asked)

    def rows(self) -> int:
        """As many as the input has."""
        return max(1, self._side.rows.estimate())

    def lines(self) -> list[str]:
        """How it is answered, for EXPLAIN."""
        ran = "" if self._hidden < 0 else f", {self._hidden:,} rows hidden"
        return [f"of rows of equal keys and time the last in stored order{ran}", *self._side.rows.lines()]

    def _batches(
        self, names: list[str], predicates: Sequence[Predicate], counters: ScanCounters, control: Control
    ) -> tuple[Iterator[pa.RecordBatch], bool]:
        del predicates, counters
        return self._made(names, control), False

    def _made(self, names: list[str], control: Control) -> Iterator[pa.RecordBatch]:
        wanted = [name for name in names if name != ROW_ID]
        self._side.wanted |= dict.fromkeys(wanted)
        read = single(self._side, control)
        runs = read.runs
        # Within a run equal times stand in stored order, so each row is hidden by its next one.
        last: Bools = np.ones(runs.rows, np.bool_)
        last[:-1] = runs.time[1:] != runs.time[:-1]
        last[runs.offsets[1:] - 1] = True
        shown = np.zeros(read.size, np.bool_)
        shown[slice(None) if runs.order is None else runs.order] = last
        self._hidden = runs.rows - int(np.count_nonzero(last))
        kinds = [self._schema.field(name).type for name in wanted]
        given = 0
        for first, stored in self._side.batches(wanted or [self._side.time], read, control):
            control.check()
            own = shown[first : first + stored.num_rows]
            batch = stored.slice(0, len(own)).filter(mask(own))
            if batch.num_rows:
                arrays = [exactly(array, kind) for array, kind in zip(batch.columns, kinds, strict=False)]
                yield self.batch(names, dict(zip(wanted, arrays, strict=True)), given, batch.num_rows)
                given += batch.num_rows
