"""What the relations of series have in common: how much they may hold, and what to do when that is too little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from luma_bench.bench.island_relation import IslandRelation, batch_of
from luma_bench.bench.series.asked import Asked
from luma_bench.models.control import Control
from luma_bench.types.arrays import integers
from luma_bench.types.schema import ROW_ID

BATCH = 131_072
_BOUND = "Read less (a WHERE on the inputs, fewer columns)"

ROW_ID_FIELD = pa.field(ROW_ID, pa.int64(), False)


class SeriesRelation(IslandRelation):
    """A relation of a construct about series.

    Parameters
    ----------
    fields
        Its columns without `_rowid`.
    """

    model = "series"
    lean = f"{_BOUND}, close what else holds memory, or lower the setting memory_limit."

    def __init__(self, name: str, fields: Sequence[pa.Field], asked: Asked) -> None:
        super().__init__(name, pa.schema([ROW_ID_FIELD, *fields]), asked.ask.identity)
        self.asked = asked

    def control(self) -> Control:
        """What the work of one stream is held to: half of the memory that everything may take."""
        settings = self.asked.binder.store.settings
        return Control(
            memory=settings.effective_memory_limit // 2, batch=BATCH, model=self.model, bound=_BOUND
        )

    def prepare(self) -> None:
        """Nothing is to be done before rows are asked for."""

    def batch(
        self, names: Sequence[str], arrays: Mapping[str, pa.Array], first: int, rows: int
    ) -> pa.RecordBatch:
        """A batch of some columns: `_rowid` counts from `first` on, the others are `arrays`."""
        schema = pa.schema([self._schema.field(name) for name in names])
        columns = [row_ids(first, rows) if name == ROW_ID else arrays[name] for name in names]
        return batch_of(columns, schema, rows)


def row_ids(first: int, rows: int) -> pa.Array:
    """The numbers of rows from `first` on."""
    return integers(np.arange(first, first + rows))
