"""Cutting a table into parts of about equal size: along segments, and along chunks where segments are too large for that."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.storage.columns import node_name
from luma_bench.storage.parts import TableForm, TablePart
from luma_bench.storage.parts_process import RemotePlace
from luma_bench.storage.parts_segment import range_of
from luma_bench.storage.predicates import Test, Untranslatable, translate
from luma_bench.storage.prune import may_hold
from luma_bench.storage.remote.blocks import RemoteFile
from luma_bench.storage.scan_pieces import Source, SourceColumn
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.storage.tail import InlineBlob
from luma_bench.types.predicate import Predicate
from luma_bench.types.scan import ScanCounters
from luma_bench.types.schema import TableSchema

_SEGMENTS_TO_OPEN = 256
_LARGE_SHARE = 0.25
_FEW = 8
_TEXT_BYTES = 24
_NESTED_BYTES = 64


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is not divided: a segment whose index nobody needed to read, or some adjoining chunks of one.

    `rows` are those that live, `nbytes` what the asked columns of it take; `chunks` is 0 for all of a closed segment.
    """

    ref: SegmentRef
    rows: int
    nbytes: int
    chunk_rows: int = 0
    first: int = 0
    chunks: int = 0


class Splitter:
    """Makes parts of one pinned table.

    Parameters
    ----------
    source
        What the scan's streams share.
    skips
        What leaves chunks out of every stream of the scan.
    """

    def __init__(
        self,
        table: TableSchema,
        source: Source,
        inline: Sequence[InlineBlob],
        settings: Settings,
        skips: Sequence[Test],
    ) -> None:
        self._table = table
        self._source = source
        self._inline = tuple(blob for blob in inline if blob.live_rows)
        self._settings = settings
        self._skips = tuple(skips)

    def parts(
        self,
        count: int,
        columns: Sequence[int] | None,
        predicates: Sequence[Predicate],
        counters: ScanCounters | None,
    ) -> list[TablePart]:
        """At most `count` parts, in the order of the table; see `SupportsSplit.split`."""
        if count < 1:
            raise ValueError(f"a table is split in at least one part, not in {count}")
        source = self._source
        wanted = source.columns if columns is None else [source.columns[at] for at in columns]
        tests = [*self._skips, *_translated(predicates, source)]
        survivors = source.survivors(tests)
        live = sum(ref.live_rows for ref in survivors)
        opened = len(survivors) <= _SEGMENTS_TO_OPEN and bool(tests)
        large = max(1, int(_LARGE_SHARE * live / count))
        for ref in survivors:
            if opened or ref.live_rows > large:
                ref.prefetch_index()
        units: list[_Unit] = []
        pruned = 0
        for ref in survivors:
            if opened or (ref.live_rows > large and count > 1):
                found, left_out = self._chunked(ref, tests, wanted)
                units += found
                pruned += left_out
            else:
                units.append(_Unit(ref, ref.live_rows, _estimated(ref.live_rows, wanted)))
        if counters is not None:
            kept = {unit.ref.ulid for unit in units}
            gone = sum(1 for ref in source.segments if ref.live_rows and ref.ulid not in kept)
            counters.add(segments_pruned=gone, chunks_pruned=pruned)
        return self._made(units, count, wanted)

    def _chunked(
        self, ref: SegmentRef, tests: Sequence[Test], wanted: Sequence[SourceColumn]
    ) -> tuple[list[_Unit], int]:
        """The groups of chunks of a segment that are left, and how many chunks are not in them.

        Chunks that are decoded together stay together but for those at a group's ends: holes in it would make a range
        of each rest.
        """
        segment = self._source.open(ref)
        keep = np.ones(segment.chunks, bool)
        for test in tests:
            keep &= may_hold(test, self._source.chunk_zones(segment))
        group = segment.index.batch_chunks
        size = segment.chunk_rows
        units: list[_Unit] = []
        pruned = 0
        for begin in range(0, segment.chunks, group):
            held = np.flatnonzero(keep[begin : begin + group])
            pruned += min(group, segment.chunks - begin)
            if not len(held):
                continue
            first = begin + int(held[0])
            chunks = int(held[-1] - held[0]) + 1
            pruned -= chunks
            rows = _live(ref, first * size, min(chunks * size, segment.rows - first * size))
            if rows:
                nbytes = _decoded(segment, wanted, first, chunks)
                units.append(_Unit(ref, rows, nbytes, size, first, chunks))
        return units, pruned

    def _made(self, units: Sequence[_Unit], count: int, wanted: Sequence[SourceColumn]) -> list[TablePart]:
        form = self._form()
        tail = sum(blob.live_rows for blob in self._inline)
        total = sum(unit.rows for unit in units) + tail
        if count > 1 and len(units) < _FEW * count:
            units = [chunk for unit in units for chunk in _single(unit)]
        bins: list[list[_Unit]] = [[] for _ in range(count)]
        done = 0
        for unit in units:
            # Where the middle of a unit lies among all rows says which part it belongs to.
            bins[_place(done, unit.rows, total, count)].append(unit)
            done += unit.rows
        last = _place(done, tail, total, count) if tail else -1
        leading: set[str] = set()
        parts: list[TablePart] = []
        for at, held in enumerate(bins):
            inline = self._inline if at == last else ()
            if not inline and not any(unit.rows for unit in held):
                continue
            refs = tuple(_joined(held, leading))
            nbytes = sum(unit.nbytes for unit in held)
            nbytes += _estimated(tail, wanted) if inline else 0
            parts.append(TablePart(form, refs, inline, nbytes, self._source.pool))
        return parts

    def _form(self) -> TableForm:
        source, settings = self._source, self._settings
        first = next(iter(source.segments), None)
        remote, folder = None, ""
        if first is not None and isinstance(first.source, RemoteFile):
            remote = RemotePlace.of(first.source.blocks.folder, settings)
            folder = first.source.path.rpartition("/")[0]
        elif first is not None:
            folder = str(Path(first.path).parent.absolute())
        # Nobody writes through a part: what only writers need stays here.
        columns = tuple(replace(column, default=None, comment=None) for column in self._table.columns)
        kept = TableSchema(
            self._table.id,
            self._table.name,
            columns,
            replace(self._table.settings, retention=None),
            self._table.namespace,
        )
        kinds = tuple(column.type for column in source.columns if column.column is not None)
        return TableForm(kept, kinds, folder, remote, settings.chunk_rows, settings.key_chunk_rows)


def _translated(predicates: Sequence[Predicate], source: Source) -> Iterator[Test]:
    """What zone maps can be asked; a predicate of another kind leaves out nothing, and filters nothing here anyway."""
    for predicate in predicates:
        try:
            yield translate(predicate, source.types)
        except Untranslatable:
            continue


def _single(unit: _Unit) -> Iterator[_Unit]:
    """The chunks of a unit, each by itself."""
    if unit.chunks < 2:
        yield unit
        return
    ref, size = unit.ref, unit.chunk_rows
    for first in range(unit.first, unit.first + unit.chunks):
        stored = min(size, ref.rows - first * size)
        rows = _live(ref, first * size, stored)
        yield _Unit(ref, rows, unit.nbytes // unit.chunks, size, first, 1)


def _place(done: int, rows: int, total: int, count: int) -> int:
    return min(count - 1, (2 * done + rows) * count // (2 * max(1, total)))


def _live(ref: SegmentRef, start: int, rows: int) -> int:
    if ref.deleted is None:
        return rows
    low, high = np.searchsorted(ref.deleted, (start, start + rows))
    return rows - int(high - low)


def _joined(units: Sequence[_Unit], leading: set[str]) -> Iterator[SegmentRef]:
    """References to units, adjoining ones of a segment as one; `leading` are the segments that were begun before."""
    for ulid, group in itertools.groupby(units, lambda unit: unit.ref.ulid):
        run: list[_Unit] = []
        for unit in group:
            if run and run[-1].first + run[-1].chunks != unit.first:
                yield _spanned(run, leads=ulid not in leading)
                leading.add(ulid)
                run = []
            run.append(unit)
        yield _spanned(run, leads=ulid not in leading)
        leading.add(ulid)


def _spanned(run: Sequence[_Unit], *, leads: bool) -> SegmentRef:
    unit = run[0]
    if not unit.chunks:
        return replace(unit.ref, stats=None)
    return range_of(unit.ref, unit.chunk_rows, unit.first, sum(item.chunks for item in run), leads=leads)


def _decoded(segment: Segment, wanted: Sequence[SourceColumn], first: int, chunks: int) -> int:
    """What columns of some chunks take, by the lengths of their arrays; dictionaries are shared and count as nothing."""
    index = segment.index
    names = {node_name(column.id) for column in wanted if column.id is not None}
    total = 0
    for name, array in index.arrays.items():
        if name.split(".", 1)[0] in names and array.chunks == segment.chunks:
            held = slice(array.first + first, array.first + first + chunks)
            total += int(index.chunks.count[held].sum()) * array.dtype.itemsize
    if any(column.id is None for column in wanted):
        total += 8 * chunks * segment.chunk_rows
    return total


def _estimated(rows: int, wanted: Sequence[SourceColumn]) -> int:
    """The same without a look at the segment, by the types of the columns."""
    return rows * sum(_width(column.type) for column in wanted)


def _width(kind: Any) -> int:
    if pa.types.is_dictionary(kind):
        return _width(kind.index_type)
    if pa.types.is_nested(kind):
        return _NESTED_BYTES
    try:
        return -(-kind.bit_width // 8)
    except ValueError:
        return _TEXT_BYTES
