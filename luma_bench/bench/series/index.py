"""The series index of a stored table: the runs of its immutable chunks, so that a question about few of them looks at few rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from luma_bench.bench.series.index_chunks import ChunkRuns, chunk_runs
from luma_bench.bench.series.index_cut import Cut, bounded, counts, hull, spans, tight, within
from luma_bench.bench.series.keys import SeriesKeys
from luma_bench.bench.series.parts import Part, RunEnds
from luma_bench.bench.series.values import operand, true
from luma_bench.models.control import Control
from luma_bench.models.graph.memo import Memo
from luma_bench.models.series.runs import Bools, Codes, Ints, Runs
from luma_bench.storage.filter import mask_of
from luma_bench.storage.predicates import columns_in
from luma_bench.types.arrays import flags, integers
from luma_bench.types.scan import ScanCounters, ScanPiece, ScanSource, SupportsPieces

_FEW_CHUNKS = 4
_THREADS = 2
_AHEAD = 3


class PiecewiseSource(ScanSource, SupportsPieces, Protocol):
    """A scan source that gives pieces."""


@dataclass(slots=True)
class Seen:
    """What was read, for EXPLAIN."""

    chunks: int = 0
    chunks_read: int = 0
    sorted_rows: int = 0
    rows: int = 0
    runs: int = 0


@dataclass(slots=True)
class SeriesIndex:
    """The index of one table for some key columns and a time column.

    Parameters
    ----------
    source
        The table's scan; no policy is about it.
    memo
        Where runs of chunks are kept.
    keys, time
        Names of columns.
    """

    source: PiecewiseSource
    memo: Memo
    counters: ScanCounters
    keys: tuple[str, ...]
    time: str
    seen: Seen = field(default_factory=Seen)
    _taken: Sequence[ScanPiece] = field(init=False, default=())
    _places: Mapping[str, int] = field(init=False)
    _form: tuple[Any, ...] = field(init=False)

    def __post_init__(self) -> None:
        names = self.source.schema.names
        self._places = {name: place for place, name in enumerate(names)}
        self._form = tuple(self.source.column_key(self._places[name]) for name in (*self.keys, self.time))

    def parts(self, columns: Sequence[str], cut: Cut, control: Control, series: SeriesKeys) -> Iterator[Part]:
        """The rows that conditions leave, chunk by chunk; see `InputRows.parts`."""
        self.seen = Seen()
        pieces = self._pieces(cut)
        numbers = _Numbers(self, pieces, series, cut)
        first = 0
        wanted = () if cut.keys else columns
        for place, (piece, entry) in enumerate(self._ahead(pieces, wanted, control)):
            part = self._part(piece, entry, columns, cut, numbers, place, first)
            if part is not None:
                yield part
            first += piece.rows
        numbers.keep()

    def run_ends(
        self, cut: Cut, control: Control, series: SeriesKeys, first_chunk: int = 0
    ) -> Iterator[RunEnds] | None:
        """First and last row of each run; None where rows have to be looked at for more than their times."""
        if cut.rows:
            return None
        pieces = self._pieces(cut)
        if any(piece.live_rows < piece.rows for piece in pieces):
            return None
        self._taken = pieces
        return self._ends(pieces, cut, control, series, first_chunk)

    def take(self, columns: Sequence[str], chunks: Ints, rows: Ints, control: Control) -> list[pa.Array]:
        """Columns of single rows, by chunk and place in it; see `InputRows.take`."""
        pieces = self._taken
        order = np.lexsort((rows, chunks))
        sorted_chunks, sorted_rows = chunks[order], rows[order]
        starts = np.flatnonzero(np.append(True, sorted_chunks[1:] != sorted_chunks[:-1])) if len(rows) else ()
        batches: list[pa.RecordBatch] = []
        for at, start in enumerate(starts):
            control.check()
            end = starts[at + 1] if at + 1 < len(starts) else len(rows)
            own = sorted_rows[start:end]
            low, high = int(own[0]), int(own[-1]) + 1
            batch = self._read(pieces[int(sorted_chunks[start])], columns, low, high - low)
            batches.append(batch.take(integers(own - low)))
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        places = integers(back)
        if not batches:
            fields = [self.source.schema.field(name) for name in columns]
            return [pa.nulls(0, field.type) for field in fields]
        return [_joined([batch.column(at) for batch in batches]).take(places) for at in range(len(columns))]

    def _ends(
        self, pieces: Sequence[ScanPiece], cut: Cut, control: Control, series: SeriesKeys, first_chunk: int
    ) -> Iterator[RunEnds]:
        numbers = _Numbers(self, pieces, series, cut, whole=not first_chunk)
        for place, piece in enumerate(pieces[first_chunk:], first_chunk):
            control.check()
            entry = self.entry(piece)
            chosen = self._chosen(entry, cut)
            codes = numbers.of(place, entry, chosen)
            begin, end = spans(entry, chosen)
            first, last = (
                (entry.first, entry.last) if chosen is None else (entry.first[chosen], entry.last[chosen])
            )
            if not within(first, last, cut).all():
                time = self._time(piece, entry)
                begin, end = bounded(begin, end, first, last, time, cut)
                kept = begin < end
                codes, begin, end = codes[kept], begin[kept], end[kept]
                first, last = time[begin], time[end - 1]
            if not len(codes):
                continue
            rows = (begin, end - 1) if entry.order is None else (entry.order[begin], entry.order[end - 1])
            yield RunEnds(place, codes, first, last, rows[0].astype(np.int64), rows[1].astype(np.int64))
        numbers.keep()

    def _ahead(
        self, pieces: Sequence[ScanPiece], columns: Sequence[str], control: Control
    ) -> Iterator[tuple[ScanPiece, ChunkRuns]]:
        """The chunks with their runs; where the disk has to be read, the next ones are read meanwhile."""
        pending: deque[Future[ChunkRuns]] = deque()
        asked = 0
        cold = False
        with ThreadPoolExecutor(_THREADS, "luma-series") as threads:
            try:
                for place, piece in enumerate(pieces):
                    control.check()
                    before = self.counters.bytes_read
                    if cold:
                        for later in pieces[max(asked, place) : place + 1 + _AHEAD]:
                            pending.append(threads.submit(self._warmed, later, columns))
                        asked = max(asked, min(len(pieces), place + 1 + _AHEAD))
                        entry = pending.popleft().result()
                    else:
                        entry = self.entry(piece)
                    yield piece, entry
                    cold = cold or self.counters.bytes_read > before
            finally:
                for future in pending:
                    future.cancel()

    def _warmed(self, piece: ScanPiece, columns: Sequence[str]) -> ChunkRuns:
        """The runs of a chunk; what will be read of it is in the pool then."""
        entry = self.entry(piece)
        self._read(piece, (self.time, *columns), counted=False)
        return entry

    def entry(self, piece: ScanPiece) -> ChunkRuns:
        """The runs of a chunk, from the index or made now; those of its deleted rows too."""
        return self.memo.get(
            ("runs", piece.key, self._form), lambda: self._made(piece), lambda made: made.nbytes
        )

    def sorted_share(self) -> float | None:
        """The share of the rows in chunks that stand sorted, of the chunks that are indexed; None where none is."""
        ordered = rows = 0
        for piece in self._pieces(Cut()):
            held: ChunkRuns | None = self.memo.peek(("runs", piece.key, self._form))
            if held is not None:
                rows += held.rows
                ordered += held.rows if held.order is None else 0
        return ordered / rows if rows else None

    def chunks(self, columns: Sequence[str]) -> tuple[Hashable, list[Hashable | None]]:
        """What names the values of the index's and some more columns, and the chunks; see `InputRows.lasting_chunks`."""
        form = tuple(self.source.column_key(self._places[name]) for name in columns)
        kept: list[Hashable | None] = [
            piece.key if piece.segment and piece.live_rows == piece.rows else None
            for piece in self._pieces(Cut())
        ]
        return (self._form, form), kept

    def _pieces(self, cut: Cut) -> Sequence[ScanPiece]:
        found = self.source.pieces(cut.predicates, self.counters)
        assert found is not None
        self.seen.chunks = len(found)
        return found

    def _made(self, piece: ScanPiece) -> ChunkRuns:
        batch = self._read(piece, (*self.keys, self.time))
        keys = batch.columns[:-1]
        return chunk_runs(keys, *_times(batch.column(len(keys))))

    def _part(
        self,
        piece: ScanPiece,
        entry: ChunkRuns,
        columns: Sequence[str],
        cut: Cut,
        numbers: _Numbers,
        place: int,
        first: int,
    ) -> Part | None:
        chosen = self._chosen(entry, cut)
        begin, end = spans(entry, chosen)
        codes = numbers.of(place, entry, chosen)
        without = self._without_time(piece, entry, cut)
        if not len(begin):
            return None if not without else _empty(columns, self.source.schema, without, first)
        self.seen.chunks_read += 1
        self.seen.rows += piece.rows
        self.seen.sorted_rows += piece.rows if entry.order is None else 0
        time: Ints | None = None
        if cut.first is not None or cut.last is not None:
            ends = (entry.first, entry.last) if chosen is None else (entry.first[chosen], entry.last[chosen])
            if not within(*ends, cut).all():
                time = self._time(piece, entry)
                begin, end = bounded(begin, end, *ends, time, cut)
        places, low, high = hull(entry, begin, end)
        sizes = end - begin
        live = self.source.live(piece)
        if cut.rows or live is not None:
            kept = self._kept(piece, low, high, cut, live)
            inside = kept if places is None else kept[places]
            if not inside.all():
                sizes = counts(inside, sizes)
                places = np.flatnonzero(inside) if places is None else places[inside]
                places, low, high = tight(places, low)
        left = sizes > 0
        if not left.all():
            codes, sizes = codes[left], sizes[left]
        if not len(codes):
            return None if not without else _empty(columns, self.source.schema, without, first)
        self.seen.runs += len(codes)
        batch = self._read(piece, (self.time, *columns), low, high - low, counted=not cut.rows)
        rows = _times(batch.column(0))[0]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        runs = Runs(codes, offsets, rows if places is None else rows[places], places, without)
        arrays = {name: batch.column(1 + at) for at, name in enumerate(columns)}
        return Part(runs, arrays, first + low)

    def _chosen(self, entry: ChunkRuns, cut: Cut) -> Ints | None:
        """The runs that conditions on keys and time leave room for; None for all."""
        keep: Bools | None = None
        if cut.keys:
            columns = dict(zip(self.keys, entry.keys, strict=True))
            for test in cut.keys:
                found = true(mask_of(test, columns))
                keep = found if keep is None else keep & found
        for bound, values, early in ((cut.first, entry.last, True), (cut.last, entry.first, False)):
            if bound is not None:
                found = values >= bound if early else values <= bound
                keep = found if keep is None else keep & found
        return None if keep is None or keep.all() else np.flatnonzero(keep)

    def _kept(self, piece: ScanPiece, low: int, high: int, cut: Cut, live: Bools | None) -> Bools:
        """Which of some stored rows live and fulfil the conditions that rows are asked."""
        keep = np.ones(high - low, np.bool_) if live is None else live[low:high].copy()
        names = sorted({name for test in cut.rows for name in columns_in(test)})
        if names and keep.any():
            batch = self._read(piece, names, low, high - low)
            columns = dict(zip(names, batch.columns, strict=True))
            for test in cut.rows:
                keep &= true(mask_of(test, columns))
        return keep

    def _without_time(self, piece: ScanPiece, entry: ChunkRuns, cut: Cut) -> int:
        """How many rows that live and fulfil every condition have no time."""
        if not entry.without_time or cut.first is not None or cut.last is not None:
            return 0
        live = self.source.live(piece)
        if cut.empty and live is None:
            return entry.without_time
        names = sorted({self.time} | {name for test in cut.tests for name in columns_in(test)})
        batch = self._read(piece, names, counted=False)
        columns = dict(zip(names, batch.columns, strict=True))
        keep = flags(columns[self.time].is_null())
        keep = keep if live is None else keep & live
        for test in cut.tests:
            keep &= true(mask_of(test, columns))
        return int(np.count_nonzero(keep))

    def _time(self, piece: ScanPiece, entry: ChunkRuns) -> Ints:
        """The times of a chunk in the order of its runs."""
        batch = self._read(piece, (self.time,), counted=False)
        time = _times(batch.column(0))[0]
        return time if entry.order is None else time[entry.order]

    def _read(
        self,
        piece: ScanPiece,
        columns: Sequence[str],
        first: int = 0,
        rows: int | None = None,
        *,
        counted: bool = True,
    ) -> pa.RecordBatch:
        """Stored rows of a chunk, deleted ones too; rows that were counted already add only their bytes."""
        counters = self.counters if counted else ScanCounters()
        wanted = [self._places[name] for name in columns]
        batch = self.source.read_piece(piece, wanted, counters, first, rows, deleted=True)
        if not counted:
            self.counters.add(nbytes=counters.bytes_read)
        return batch


class _Numbers:
    """The numbers of the series of chunks; those of all the rows of a table are kept for the next statement, too."""

    def __init__(
        self,
        index: SeriesIndex,
        pieces: Sequence[ScanPiece],
        series: SeriesKeys,
        cut: Cut,
        *,
        whole: bool = True,
    ) -> None:
        self._index = index
        self._series = series
        self._key = ("series", tuple(piece.key for piece in pieces), index._form)
        held: tuple[SeriesKeys, dict[int, Codes]] | None = None if cut.keys else index.memo.peek(self._key)
        self._held = None if held is None else held[1]
        # Numbers of the caller's, by those that are kept.
        self._mapped: Codes | None = None
        if held is not None and len(series):
            self._mapped = series.codes(held[0].arrays(), rows=len(held[0]))
        elif held is not None:
            series.adopt(held[0])
        # What is numbered for a few series says little about all of them.
        fresh = held is None and whole and not cut.keys and not len(series)
        self._fresh: dict[int, Codes] | None = {} if fresh else None

    def of(self, place: int, entry: ChunkRuns, chosen: Ints | None) -> Codes:
        """The numbers of the runs of a chunk."""
        if self._held is not None:
            own = self._held[place] if chosen is None else self._held[place][chosen]
            return own if self._mapped is None else self._mapped[own]
        if self._fresh is not None:
            own = self._series.codes(entry.keys, rows=len(entry.first))
            self._fresh[place] = own
            return own if chosen is None else own[chosen]
        if chosen is None:
            return self._series.codes(entry.keys, rows=len(entry.first))
        places = integers(chosen)
        return self._series.codes([array.take(places) for array in entry.keys], rows=len(chosen))

    def keep(self) -> None:
        """Keep what was numbered, where that is worth it."""
        fresh = self._fresh
        if fresh is None or len(fresh) < _FEW_CHUNKS:
            return
        series = self._series.copy()
        nbytes = series.nbytes + sum(codes.nbytes for codes in fresh.values())
        self._index.memo.get(self._key, lambda: (series, fresh), lambda _: nbytes)


def _times(array: pa.Array) -> tuple[Ints, Bools | None]:
    data, valid = operand(array)
    return data.astype(np.int64, copy=False), valid


def _joined(arrays: Sequence[pa.Array]) -> pa.Array:
    """Arrays one behind the other; dictionaries decoded."""
    if pa.types.is_dictionary(arrays[0].type):
        arrays = [array.dictionary_decode() for array in arrays]
    return arrays[0] if len(arrays) == 1 else pa.concat_arrays(list(arrays))


def _empty(columns: Sequence[str], schema: pa.Schema, without: int, first: int) -> Part:
    """No rows, but for those without a time."""
    arrays = {name: pa.nulls(0, schema.field(name).type) for name in columns}
    none = np.zeros(0, np.int64)
    return Part(Runs(np.zeros(0, np.int32), np.zeros(1, np.int64), none, None, without), arrays, first)
