"""The newest row of each series of a stored table, kept between statements: only chunks that are new are looked at.

What is kept is of the first chunks of a table that last, so a commit adds to it, and the tail is looked at each time.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.gather import exactly
from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.bench.series.rows import InputRows
from luma_bench.bench.series.values import operand
from luma_bench.models.control import Control
from luma_bench.models.series.latest import Newest
from luma_bench.types.arrays import integers

_EARLIER = 64
"""So many chunks less are looked for among what is kept."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The newest rows of the first chunks of a table, one a series."""

    chunks: int
    rows: pa.RecordBatch


class NewestRows:
    """The newest rows of one input.

    Parameters
    ----------
    columns
        What the rows have to hold.
    """

    def __init__(self, rows: InputRows, keys: Sequence[str], time: str, columns: Sequence[str]) -> None:
        self._rows = rows
        self._keys, self._time = list(keys), time
        self._columns = list(dict.fromkeys([*keys, time, *columns]))
        self._schema = pa.schema([rows.schema.field(name) for name in self._columns])
        told = rows.lasting_chunks(self._columns, keys, time)
        self._form: Hashable = None if told is None else told[0]
        chunks: list[Hashable | None] = [None] if told is None else told[1]
        self._stored = told is not None
        self._chunks = len(chunks)
        self._lasting = chunks[: chunks.index(None)] if None in chunks else chunks

    def ready(self) -> pa.RecordBatch | None:
        """The rows where nothing is to be read for them, else None."""
        known = self._known(0) if self._stored and len(self._lasting) == self._chunks else None
        return None if known is None else known.rows

    def read(self, control: Control) -> pa.RecordBatch | None:
        """The rows; None where the index cannot say which they are: no stored table, or deleted rows.

        Raises
        ------
        ResourceError
            They do not fit into memory.
        """
        if not self._stored:
            return None
        known = next((found for less in range(_EARLIER) if (found := self._known(less)) is not None), None)
        known = known or _Known(0, _none(self._schema))
        if known.chunks == self._chunks:
            return known.rows
        series = self._rows.series(self._keys)
        ends = self._rows.run_ends(
            self._keys, self._time, control, filtered=False, series=series, first_chunk=known.chunks
        )
        if ends is None:
            return None
        newest = self._begun(known, series)
        lasting = len(self._lasting)
        for one in ends:
            if one.chunk >= lasting > known.chunks:
                known = self._keep(_Known(lasting, self._taken(known, newest, control)))
                newest = self._begun(known, series)
            newest.add(one.chunk + 1, one.codes, one.last, one.last_row)
        rows = self._taken(known, newest, control)
        if lasting == self._chunks:
            self._keep(_Known(lasting, rows))
        return rows

    def _begun(self, known: _Known, series: SeriesKeys) -> Newest:
        """What is known, as chunk 0."""
        newest = Newest()
        rows = known.rows
        if rows.num_rows:
            codes = series.codes([rows.column(name) for name in self._keys], rows=rows.num_rows)
            times = operand(rows.column(self._time))[0].astype(np.int64)
            newest.add(0, codes, times, np.arange(rows.num_rows))
        return newest

    def _taken(self, known: _Known, newest: Newest, control: Control) -> pa.RecordBatch:
        """The newest rows, of what is known and of the chunks behind it."""
        chunks, rows = newest.found()
        fresh = chunks > 0
        arrays = known.rows.columns
        if not fresh.all():
            places = integers(rows[~fresh])
            arrays = [array.take(places) for array in arrays]
        if fresh.any():
            taken = self._rows.take(self._columns, chunks[fresh] - 1, rows[fresh], control)
            plain = [exactly(array, field.type) for array, field in zip(taken, self._schema, strict=True)]
            old = not fresh.all()
            arrays = [pa.concat_arrays(pair) for pair in zip(arrays, plain, strict=True)] if old else plain
        made = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        control.fits(made.nbytes, "LATEST ON")
        return made

    def _key(self, less: int) -> Hashable:
        lasting = self._lasting[: len(self._lasting) - less]
        return ("newest", self._form, tuple(self._keys), self._time, tuple(lasting))

    def _known(self, less: int) -> _Known | None:
        """What is kept of all lasting chunks but so many."""
        if less >= len(self._lasting):
            return None
        return self._rows.asked.kept.index.peek(self._key(less))

    def _keep(self, known: _Known) -> _Known:
        return self._rows.asked.kept.index.get(
            self._key(0), lambda: known, lambda made: made.rows.nbytes + 512
        )


def _none(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)
