"""Finding the rows that hold given primary keys, among the segments and the inline rows of one snapshot.

A segment is left out by the bounds of its key columns first, then by its Bloom filter, then by the fences of its sorted
codes; what is left is a binary search in chunks that the buffer pool keeps. Where a code is a hash, the key columns
themselves decide.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pyarrow as pa

from luma_bench.storage import key_bloom
from luma_bench.storage.evolve_values import form_of
from luma_bench.storage.key_bounds import KeyBounds
from luma_bench.storage.key_form import KeyForm, Normal
from luma_bench.storage.key_segment import SegmentKeys
from luma_bench.storage.key_sidecar import PREFIX, codes_name
from luma_bench.storage.key_tail import TailKeys
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.storage.tail import InlineBlob
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import Column, TableSchema

_FEW = 1 << 12


@dataclass(frozen=True, slots=True)
class Found:
    """Where each wanted key's live row is, in the order of the keys.

    Attributes
    ----------
    parts
        The names of the parts: ulids of the segments, then ids of the inline blobs as text.
    part_of
        int32, for each key the index of its part; -1 where no live row has the key.
    position
        int64, the row's position in its part; -1 where there is none.
    """

    parts: tuple[str, ...]
    part_of: np.ndarray
    position: np.ndarray

    @property
    def held(self) -> np.ndarray:
        """Which keys a live row has, as booleans."""
        return self.part_of >= 0

    def first(self) -> int | None:
        """The first key that a live row has, or None."""
        rows = np.flatnonzero(self.held)
        return int(rows[0]) if len(rows) else None

    def by_part(self) -> Mapping[str, np.ndarray]:
        """The sorted, distinct int64 positions that were found, for each part that has any."""
        made: dict[str, np.ndarray] = {}
        for part, name in enumerate(self.parts):
            # No np.unique: it hashes whole numbers, ten times slower than sorting them.
            places = np.sort(self.position[self.part_of == part])
            if len(places):
                made[name] = places[np.concatenate([[True], places[1:] != places[:-1]])]
        return made


class KeyFinder:
    """Looks up primary keys in some parts of one table. Thread-safe and cheap to make; what it reads the pool keeps.

    Parameters
    ----------
    schema
        The table, with a primary key.
    segments, inline
        The parts, with the positions that are deleted in them: all of a snapshot's, or only some.
    pool
        Keeps decoded keys. Never look up from one of its threads.
    """

    def __init__(
        self,
        schema: TableSchema,
        segments: Sequence[SegmentRef],
        inline: Sequence[InlineBlob],
        pool: BufferPool,
    ) -> None:
        self.form = KeyForm.of(schema)
        self.segments = tuple(segments)
        self.blobs = tuple(inline)
        self.parts = (*(ref.ulid for ref in self.segments), *(str(blob.id) for blob in self.blobs))
        self._pool = pool
        self._lock = threading.Lock()
        self._name = (codes_name(self.form), *(str(column.type) for column in self.form.columns))
        self._forms: dict[int, str] = {}
        self._bounds: KeyBounds | None = None
        self._tail: TailKeys | None = None

    def find(self, keys: pa.Table, counters: ScanCounters | None = None) -> Found:
        """The live row of every key.

        Parameters
        ----------
        keys
            The key columns, under their names and in the table's types; in any order, among others if need be. A key
            with a NULL is found nowhere. A key may be there twice.
        counters
            Where segments, pruned segments and bytes that were read are counted.

        Raises
        ------
        SchemaError
            A key column is missing or of another type.
        CorruptionError
            Bytes on disk are not those that were written.
        """
        counted = ScanCounters() if counters is None else counters
        normal = self.form.of_table(keys)
        part_of = np.full(keys.num_rows, -1, np.int32)
        position = np.full(keys.num_rows, -1, np.int64)
        wanted = _Wanted(self.form, normal)
        for part, rows, places in self._everywhere(wanted, counted):
            part_of[rows] = part
            position[rows] = places
        return Found(self.parts, part_of, position)

    def find_one(
        self,
        values: Sequence[int | bytes | None],
        code: int,
        normal: Callable[[], list[Normal]],
        counters: ScanCounters,
    ) -> tuple[int, int] | None:
        """The part (by its index in `parts`) and position of the live row of one key, or None.

        Parameters
        ----------
        values
            The key's normal values; None where a value is neither a number nor text.
        code
            The key's code.
        normal
            Gives the key as columns of one row; asked only where a candidate's values must be compared.
        """
        places = self.bounds().of_key(values)
        probe = key_bloom.probe_one(code) if places else (0, 0)
        searched = 0
        try:
            for place in places:
                ref = self.segments[place]
                segment = self.segment(place)
                keys = self._keys(segment, counters)
                if not ref.live_rows or not keys.may_hold(probe, self._pool, counters):
                    continue
                searched += 1
                rows = keys.rows_of(code, self._pool, counters)
                for row in rows:
                    if _is_live(ref.deleted, row) and (
                        self.form.exact or self._same(segment, np.array([row]), normal(), counters)[0]
                    ):
                        return place, row
        finally:
            counters.add(segments=searched, segments_pruned=len(self.segments) - searched)
        if not self.blobs:
            return None
        tail = self._tail_keys()
        for row in tail.of_code(code):
            here = [column.take(np.array([row])) for column in tail.normal]
            if self.form.exact or self.form.equal(here, normal())[0]:
                return len(self.segments) + int(tail.parts[row]), int(tail.positions[row])
        return None

    def segment(self, place: int) -> Segment:
        """A segment by its index among the parts, from the pool when it was opened before.

        Its `ref` may be another snapshot's: what is deleted stands in `segments`.
        """
        ref = self.segments[place]

        def load() -> tuple[Segment, int]:
            segment = Segment.open(ref)
            return segment, 2 * segment.index.nbytes

        return self._pool.get((ref.ulid, "index"), load)

    def column(self, segment: Segment, column: Column, chunk: int, counters: ScanCounters) -> pa.Array:
        """One row chunk of a column in its exact type, from the pool when it was read before."""

        def load() -> tuple[pa.Array, int]:
            array, nbytes = segment.read_counted(column.id, chunk, column.type, self._pool, column.initial)
            counters.add(nbytes=nbytes)
            return array, array.nbytes

        form = self._forms.get(column.id)
        if form is None:
            form = self._forms[column.id] = form_of(column, column.type)
        return self._pool.get((segment.ref.ulid, column.id, chunk, 1, form), load)

    def bounds(self) -> KeyBounds:
        """The bounds of the segments, made at first use."""
        with self._lock:
            if self._bounds is None:
                self._bounds = KeyBounds(self.form, self.segments, self._pool)
            return self._bounds

    def _tail_keys(self) -> TailKeys:
        with self._lock:
            if self._tail is None:
                self._tail = TailKeys(self.form, self.blobs)
            return self._tail

    def _keys(self, segment: Segment, counters: ScanCounters) -> SegmentKeys:
        def load() -> tuple[SegmentKeys, int]:
            return SegmentKeys.open(segment, self.form, self._pool, counters)

        return self._pool.get((segment.ref.ulid, PREFIX, self._name), load)

    def _everywhere(self, wanted: _Wanted, counters: ScanCounters) -> Iterator[_Hits]:
        """What each part holds: its index, the wanted keys by row, and their positions in it."""
        work: list[tuple[int, _Chosen]] = []
        for place, ref in enumerate(self.segments):
            chosen = self._chosen(place, wanted) if ref.live_rows else None
            if chosen is not None:
                work.append((place, chosen))
        counters.add(segments=len(work), segments_pruned=len(self.segments) - len(work))
        if len(work) > 1 and len(wanted.rows) > _FEW:
            wanted.prepare()
            jobs = [
                self._pool.submit(partial(self._in_segment, place, chosen, wanted, counters))
                for place, chosen in work
            ]
            try:
                for job in jobs:
                    yield self._pool.result(job)
            finally:
                for job in jobs:
                    job.cancel()
        else:
            for place, chosen in work:
                yield self._in_segment(place, chosen, wanted, counters)
        if self.blobs:
            tail = self._tail_keys()
            found, at = tail.of_codes(wanted.codes)
            rows = wanted.rows[found]
            if not self.form.exact:
                same = self.form.equal(_taken(tail.normal, at), _taken(wanted.normal, rows))
                rows, at = rows[same], at[same]
            for blob in np.unique(tail.parts[at]).tolist():
                here = tail.parts[at] == blob
                yield len(self.segments) + blob, rows[here], tail.positions[at[here]]

    def _chosen(self, place: int, wanted: _Wanted) -> _Chosen | None:
        """Which of the sorted codes a segment may hold by its bounds: a slice, or a mask over the keys; None for none."""
        bounds = self.bounds()
        if not self.form.exact:
            inside = bounds.of_keys(place, wanted.normal)
            if inside is None:
                return slice(0, None)
            return inside if inside.any() else None
        ends = bounds.ends(place)
        if ends is None:
            return slice(0, None)
        if not wanted.overlaps(*ends):
            return None
        start = int(np.searchsorted(wanted.codes, ends[0], "left"))
        stop = int(np.searchsorted(wanted.codes, ends[1], "right"))
        return slice(start, stop) if stop > start else None

    def _in_segment(self, place: int, chosen: _Chosen, wanted: _Wanted, counters: ScanCounters) -> _Hits:
        segment = self.segment(place)
        keys = self._keys(segment, counters)
        if not isinstance(chosen, slice):
            chosen = np.flatnonzero(chosen[wanted.rows])
        codes, rows = wanted.codes[chosen], wanted.rows[chosen]
        if keys.words:
            probes, patterns = wanted.probes[chosen], wanted.patterns[chosen]
            maybe = np.flatnonzero(keys.may_hold_all(probes, patterns, self._pool, counters))
            codes, rows = codes[maybe], rows[maybe]
        found, at = keys.rows_of_all(codes, self._pool, counters)
        rows = rows[found]
        deleted = self.segments[place].deleted
        if deleted is not None and len(deleted):
            near = deleted[np.minimum(np.searchsorted(deleted, at), len(deleted) - 1)]
            live = near != at
            rows, at = rows[live], at[live]
        if not self.form.exact and len(at):
            same = self._same(segment, at, _taken(wanted.normal, rows), counters)
            rows, at = rows[same], at[same]
        return place, rows, at

    def _same(
        self, segment: Segment, at: np.ndarray, wanted: Sequence[Normal], counters: ScanCounters
    ) -> np.ndarray:
        """Whether the rows at these positions hold these keys."""
        size = segment.chunk_rows
        same = np.zeros(len(at), bool)
        order = np.argsort(at, kind="stable")
        chunks = at[order] // size
        for run in np.split(order, np.flatnonzero(np.diff(chunks)) + 1):
            chunk = int(at[run[0]]) // size
            arrays = [self.column(segment, column, chunk, counters) for column in self.form.columns]
            rows = at[run] - chunk * size
            if len(rows) * 8 < size:
                picked = pa.array(rows)
                held = self.form.normal([array.take(picked) for array in arrays])
            else:
                held = _taken(self.form.normal(arrays), rows)
            same[run] = self.form.equal(held, _taken(wanted, run))
        return same


_Hits = tuple[int, np.ndarray, np.ndarray]
_Chosen = slice | np.ndarray


class _Wanted:
    """The keys of one search in the order of their codes, and what each Bloom filter is asked; made when first needed."""

    def __init__(self, form: KeyForm, normal: list[Normal]) -> None:
        self.normal = normal
        self._form = form

    def overlaps(self, low: int, high: int) -> bool:
        """Whether any code lies between two, without sorting them."""
        return bool(len(self._codes)) and self._ends[0] <= high and self._ends[1] >= low

    def prepare(self) -> None:
        """Make everything now, before threads ask for it."""
        assert len(self.patterns) == len(self.codes)

    @cached_property
    def rows(self) -> np.ndarray:
        """The rows of the keys in the order of their codes, those with a NULL left out."""
        rows = np.argsort(self._codes)
        for column in self.normal:
            if column.valid is not None:
                rows = rows[column.valid[rows]]
        return rows

    @cached_property
    def codes(self) -> np.ndarray:
        """The sorted codes."""
        return self._codes[self.rows]

    @cached_property
    def probes(self) -> np.ndarray:
        """The probe of each sorted code."""
        return key_bloom.probes(self.codes)

    @cached_property
    def patterns(self) -> np.ndarray:
        """The bits of each probe."""
        return key_bloom.patterns(self.probes)

    @cached_property
    def _ends(self) -> tuple[int, int]:
        return int(self._codes.min()), int(self._codes.max())

    @cached_property
    def _codes(self) -> np.ndarray:
        return self._form.codes(self.normal)


def _taken(normal: Sequence[Normal], rows: np.ndarray) -> list[Normal]:
    return [column.take(rows) for column in normal]


def _is_live(deleted: np.ndarray | None, row: int) -> bool:
    if deleted is None or not len(deleted):
        return True
    at = int(deleted.searchsorted(row))
    return at == len(deleted) or int(deleted[at]) != row
