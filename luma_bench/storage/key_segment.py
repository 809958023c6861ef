"""The keys of one stored segment: read from its `_pk` arrays chunk by chunk, or made from its key columns."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.storage import key_bloom
from luma_bench.storage.columns import is_text, storage_of
from luma_bench.storage.key_form import KeyForm
from luma_bench.storage.key_pairs import pairs
from luma_bench.storage.key_sidecar import PREFIX, codes_name
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment import Segment
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import Column

_FEW = 256


@dataclass(frozen=True, slots=True)
class SortedKeys:
    """Adjacent keys of one segment: sorted int64 codes, and the uint32 positions of their rows."""

    codes: np.ndarray
    rows: np.ndarray

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.codes.nbytes + self.rows.nbytes


class SegmentKeys:
    """The keys of one segment, chunk by chunk through the pool; made in memory where the segment has no `_pk`.

    Attributes
    ----------
    firsts, lasts
        The first and last code of each chunk of keys, as Python integers.
    words
        Words of the Bloom filter; 0 where there is none.
    """

    def __init__(self, segment: Segment, name: str, fences: np.ndarray, built: SortedKeys | None) -> None:
        self._segment = segment
        self._name = name
        self._built = built
        self.firsts: list[int] = fences[0::2].tolist()
        self.lasts: list[int] = fences[1::2].tolist()
        self.words = 0
        self._each = 1
        if built is None:
            index = segment.index
            stored = index.arrays[f"{PREFIX}.bloom"]
            counts = index.chunks.count[stored.first : stored.first + stored.chunks]
            self.words = int(counts.sum()) // 8
            self._each = int(counts[0]) // 8

    @classmethod
    def open(
        cls, segment: Segment, form: KeyForm, pool: BufferPool, counters: ScanCounters
    ) -> tuple[SegmentKeys, int]:
        """The keys of a segment, and the bytes that they hold in memory from now on."""
        name = codes_name(form)
        if name in segment.index.arrays and _alike(segment, form.columns):
            buffer = fetch(segment, f"{PREFIX}.fence", 0, counters)
            fences = np.frombuffer(buffer, np.int64)
            return cls(segment, name, fences, None), fences.nbytes * 10 + 256
        built = _built(segment, form, pool, counters)
        fences = built.codes[[0, -1]] if len(built.codes) else np.zeros(0, np.int64)
        return cls(segment, name, fences, built), built.nbytes + 256

    def chunk(self, number: int, pool: BufferPool, counters: ScanCounters) -> SortedKeys:
        """One chunk of keys."""
        if self._built is not None:
            return self._built

        def load() -> tuple[SortedKeys, int]:
            codes = np.frombuffer(fetch(self._segment, self._name, number, counters), np.int64)
            rows = np.frombuffer(fetch(self._segment, f"{PREFIX}.row", number, counters), np.uint32)
            held = SortedKeys(codes, rows)
            return held, held.nbytes

        return pool.get((self._segment.ref.ulid, PREFIX, number), load)

    def bloom(self, number: int, pool: BufferPool, counters: ScanCounters) -> np.ndarray:
        """One chunk of the Bloom filter's words."""

        def load() -> tuple[np.ndarray, int]:
            words = np.frombuffer(fetch(self._segment, f"{PREFIX}.bloom", number, counters), np.uint64)
            return words, words.nbytes

        return pool.get((self._segment.ref.ulid, f"{PREFIX}.bloom", number), load)

    def rows_of(self, code: int, pool: BufferPool, counters: ScanCounters) -> list[int]:
        """The positions of all rows with this code, deleted ones too."""
        found: list[int] = []
        number = bisect.bisect_left(self.lasts, code)
        while number < len(self.firsts) and self.firsts[number] <= code:
            held = self.chunk(number, pool, counters)
            at = int(held.codes.searchsorted(code))
            while at < len(held.codes) and held.codes[at] == code:
                found.append(int(held.rows[at]))
                at += 1
            number += 1
        return found

    def rows_of_all(
        self, wanted: np.ndarray, pool: BufferPool, counters: ScanCounters
    ) -> tuple[np.ndarray, np.ndarray]:
        """Places in the sorted `wanted` codes, and the position of a row with that code; a pair for each such row."""
        starts = np.searchsorted(wanted, np.array(self.firsts, np.int64), "left")
        ends = np.searchsorted(wanted, np.array(self.lasts, np.int64), "right")
        places, rows = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for number in np.flatnonzero(ends > starts).tolist():
            held = self.chunk(number, pool, counters)
            start = int(starts[number])
            found, at = pairs(held.codes, held.rows, wanted[start : int(ends[number])])
            places.append(found + start)
            rows.append(at)
        return np.concatenate(places), np.concatenate(rows)

    def may_hold_all(
        self, probes: np.ndarray, patterns: np.ndarray, pool: BufferPool, counters: ScanCounters
    ) -> np.ndarray:
        """Which of many probes may be here."""
        places = key_bloom.places(probes, self.words)
        if len(places) > _FEW:
            chunks = [self.bloom(i, pool, counters) for i in range(-(-self.words // self._each))]
            found = np.concatenate(chunks)[places]
        else:
            numbers = places // self._each
            found = np.zeros(len(places), np.uint64)
            for number in np.unique(numbers).tolist():
                here = numbers == number
                words = self.bloom(number, pool, counters)
                found[here] = words[places[here] - number * self._each]
        return (found & patterns) == patterns

    def may_hold(self, probe: tuple[int, int], pool: BufferPool, counters: ScanCounters) -> bool:
        """Whether one probe's key may be here; True where there is no filter."""
        if not self.words:
            return True
        place = (probe[0] * self.words) >> 32
        word = int(self.bloom(place // self._each, pool, counters)[place % self._each])
        return word & probe[1] == probe[1]


def fetch(segment: Segment, array: str, chunk: int, counters: ScanCounters) -> Any:
    """One decoded chunk of a `_pk` array, its checksum verified; its bytes are counted.

    Raises
    ------
    CorruptionError
        The bytes are not those that were written; it names the segment and `_pk`.
    """
    buffer, nbytes = segment.array(array, PREFIX, chunk)
    counters.add(nbytes=nbytes)
    return buffer


def _built(segment: Segment, form: KeyForm, pool: BufferPool, counters: ScanCounters) -> SortedKeys:
    """The keys of a segment that has none stored, from its key columns."""
    parts: list[np.ndarray] = []
    for chunk in range(segment.chunks):
        arrays: list[pa.Array] = []
        for column in form.columns:
            array, nbytes = segment.read_counted(column.id, chunk, column.type, pool, column.initial)
            counters.add(nbytes=nbytes)
            arrays.append(array)
        parts.append(form.codes(form.normal(arrays)))
    codes = np.concatenate([np.zeros(0, np.int64), *parts])
    order = np.argsort(codes, kind="stable")
    return SortedKeys(codes[order], order.astype(np.uint32))


def _alike(segment: Segment, columns: Sequence[Column]) -> bool:
    """Whether the stored codes are those of the present types: a column may have been widened since."""
    return all(
        segment.has(column.id) and _family(segment.stored_type(column.id)) == _family(column.type)
        for column in columns
    )


def _family(kind: Any) -> str:
    """Types of one family have the same codes for the same values."""
    kind = storage_of(kind)
    types = pa.types
    if types.is_dictionary(kind):
        return _family(kind.value_type)
    if is_text(kind):
        return "text"
    if types.is_floating(kind):
        return "float"
    if types.is_integer(kind):
        return "uint64" if types.is_uint64(kind) else "integer"
    if types.is_decimal(kind):
        return f"decimal {kind.scale} {kind.precision <= 18}"
    return str(kind)
