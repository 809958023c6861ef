"""One side of a join by time: its rows as runs, and its columns by the same places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.asked import Asked
from luma_bench.bench.series.gather import Chunks, exactly
from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.bench.series.parts import Part
from luma_bench.bench.series.rows import InputRows
from luma_bench.language.series.pattern import Side as WrittenSide
from luma_bench.models.control import Control
from luma_bench.models.series.runs import Codes, Runs
from luma_bench.models.series.whole import whole
from luma_bench.types.predicate import Predicate

_ROW_BYTES = 24
"""What a row takes while it is matched: its time, its place, and the place of its match."""
_HELD = 4
"""Columns that could be read once more are held up to this part of what a join may take."""


@dataclass(slots=True)
class Piece:
    """Adjoining places of a side.

    Attributes
    ----------
    columns
        Some of its columns; None where they are read once more.
    """

    first: int
    rows: int
    columns: pa.RecordBatch | None = None

    @property
    def nbytes(self) -> int:
        """What its columns take."""
        return 0 if self.columns is None else self.columns.nbytes


@dataclass(slots=True)
class Read:
    """One side, read.

    Attributes
    ----------
    runs
        Its rows by series and time; their places are those of `pieces`.
    size
        The end of all places; some may have no row.
    names
        The columns that the pieces hold.
    streamed
        Every place has a row, as `InputRows.stream` gives them; else they are those of `InputRows.parts`.
    values, codes
        Where the column that it goes by is no time: its values, and the series of each row, piece by piece; `runs` is still
        empty then.
    """

    runs: Runs
    size: int
    pieces: list[Piece]
    names: list[str]
    streamed: bool
    values: list[pa.Array]
    codes: list[Codes]
    predicates: tuple[Predicate, ...] = ()
    """What left rows out of `InputRows.parts`."""


class Side:
    """One side of a join by time.

    Attributes
    ----------
    keys, time
        Exact names of its columns.
    """

    def __init__(self, written: WrittenSide, whole: str, asked: Asked) -> None:
        self.written = written
        self.rows = InputRows(written.input, whole, asked)
        self.keys = [self.rows.column(name) for name in written.keys]
        self.time = self.rows.time_name(None) if written.time is None else self.rows.column(written.time)
        self.wanted: dict[str, None] = {}

    @property
    def alias(self) -> str:
        """What the text calls it."""
        return self.written.input.alias

    @property
    def span(self) -> tuple[int, int]:
        """Where its time is named, or else where it stands itself."""
        written, query = self.written.time, self.written.input.query
        return (query.start, query.end) if written is None else written.span

    @property
    def field(self) -> pa.Field:
        """The column that it goes by."""
        return self.rows.schema.field(self.time)

    @property
    def kind(self) -> pa.DataType:
        """The type of the column that it goes by."""
        return self.field.type

    def by_runs(
        self, series: SeriesKeys, control: Control, *, every: bool, predicates: tuple[Predicate, ...] = ()
    ) -> Read | None:
        """Its rows as one stretch, from the series index where there is one.

        Parameters
        ----------
        every
            Rows without a time are needed, too: None where there are such.
        predicates
            Rows of which one is not TRUE are not needed.
        """
        names = self._kept_names()
        parts: list[tuple[Runs, int]] = []
        pieces: list[Piece] = []
        rows = held = 0
        for part in self._parts(names, series, predicates, control):
            control.check()
            runs = part.runs
            if every and runs.without_time:
                return None
            if not runs.rows:
                continue
            parts.append((runs, part.first))
            piece = Piece(part.first, runs.rows if runs.order is None else int(runs.order.max()) + 1)
            if names:
                arrays = [part.arrays[name].slice(0, piece.rows) for name in names]
                piece.columns = pa.RecordBatch.from_arrays(arrays, names=names)
                held += piece.nbytes
            pieces.append(piece)
            rows += runs.rows
            names, held = self._within(names, pieces, held, control)
            control.fits(rows * _ROW_BYTES + held, f"A join by time with {self.alias}")
        size = pieces[-1].first + pieces[-1].rows if pieces else 0
        return Read(whole(parts, control), size, pieces, names, False, [], [], predicates)

    def _parts(
        self, names: list[str], series: SeriesKeys, predicates: tuple[Predicate, ...], control: Control
    ) -> Iterator[Part]:
        return self.rows.parts(names, self.keys, self.time, control, predicates=predicates, series=series)

    def by_rows(self, series: SeriesKeys, control: Control) -> Read:
        """Its rows one after the other: the column that it goes by, and the series of each."""
        names = self._kept_names()
        read = list(dict.fromkeys([*names, *self.keys, self.time]))
        values: list[pa.Array] = []
        codes: list[Codes] = []
        pieces: list[Piece] = []
        rows = held = 0
        for batch in self.rows.stream(read, control):
            control.check()
            columns = dict(zip(read, batch.columns, strict=True))
            values.append(exactly(columns[self.time], self.kind))
            codes.append(series.codes([columns[key] for key in self.keys], rows=batch.num_rows))
            piece = Piece(rows, batch.num_rows)
            if names:
                piece.columns = batch.select(names)
                held += piece.nbytes
            pieces.append(piece)
            rows += batch.num_rows
            names, held = self._within(names, pieces, held, control)
            control.fits(rows * _ROW_BYTES + held, f"A join by time with {self.alias}")
        nothing = Runs(np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0, np.int64))
        return Read(nothing, rows, pieces, names, True, values, codes)

    def batches(
        self, names: Sequence[str], read: Read, control: Control
    ) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Some columns in stored order, each batch with its first place."""
        wanted = list(names)
        if set(wanted) <= set(read.names):
            for piece in read.pieces:
                assert piece.columns is not None
                yield piece.first, piece.columns.select(wanted)
        elif read.streamed:
            first = 0
            for batch in self.rows.stream(wanted, control):
                yield first, batch
                first += batch.num_rows
        else:
            series = self.rows.series(self.keys)
            for part in self._parts(wanted, series, read.predicates, control):
                if part.runs.rows:
                    yield (
                        part.first,
                        pa.RecordBatch.from_arrays([part.arrays[name] for name in wanted], names=wanted),
                    )

    def chunks(self, names: Sequence[str], read: Read, control: Control) -> Chunks:
        """Some columns, held, to be taken by place."""
        held: list[tuple[int, pa.RecordBatch]] = []
        nbytes = read.runs.rows * _ROW_BYTES
        if names:
            for first, batch in self.batches(names, read, control):
                held.append((first, batch))
                nbytes += batch.nbytes
                control.fits(nbytes, f"A join by time with {self.alias}")
        return Chunks([self.rows.schema.field(name) for name in names], held)

    def _kept_names(self) -> list[str]:
        """The columns to keep while it is read: those that were asked for, or all where it cannot be read again."""
        return [name for name in self.rows.schema.names if name in self.wanted or not self.rows.repeatable]

    def _within(
        self, names: list[str], pieces: list[Piece], held: int, control: Control
    ) -> tuple[list[str], int]:
        """What is held on to, less where it is much and can be read again."""
        if not names or not self.rows.repeatable or not control.memory or held * _HELD <= control.memory:
            return names, held
        for piece in pieces:
            piece.columns = None
        return [], 0
