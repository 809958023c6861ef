"""Verifying one segment: its bytes, every value, zone maps, statistics, keys and row ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from luma_bench.errors import CorruptionError, LumaError
from luma_bench.storage import key_bloom
from luma_bench.storage.catalog.inventory import SegmentRow
from luma_bench.storage.catalog.snapshot import segment_path
from luma_bench.storage.check_report import Kind, Problem
from luma_bench.storage.columns import ROW_ID_ARRAY
from luma_bench.storage.evolve_types import widens
from luma_bench.storage.key_form import KeyForm
from luma_bench.storage.key_sidecar import PREFIX, codes_name
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.storage.statistics import from_bytes
from luma_bench.storage.zones import Zone, Zones, all_distinct, merged, zone_of, zones_in
from luma_bench.types.schema import ROW_ID, Column, TableSchema

Stop = Callable[[], None]


def ref_of(folder: Path, row: SegmentRow) -> SegmentRef:
    """The segment as readers open it."""
    path = segment_path(folder, row.table_id, row.ulid)
    first = None if row.row_ids_stored else row.first_row_id
    return SegmentRef(row.ulid, path, row.rows, row.nbytes, first, row.stats)


def check_segment(
    folder: Path, row: SegmentRow, schema: TableSchema, *, deep: bool, stop: Stop
) -> list[Problem]:
    """Everything that is wrong with a segment.

    Parameters
    ----------
    schema
        The table at a snapshot that shows the segment.
    deep
        Whether every byte is read; else the size, the file's end, its index and the catalog's statistics are compared.
    stop
        Called between two chunks; what it raises ends the check.
    """
    return [*SegmentCheck(folder, row, schema, stop).run(deep=deep)]


class SegmentCheck:
    """The check of one segment."""

    def __init__(self, folder: Path, row: SegmentRow, schema: TableSchema, stop: Stop) -> None:
        self._ref = ref_of(folder, row)
        self._row = row
        self._schema = schema
        self._stop = stop

    def run(self, *, deep: bool) -> Iterator[Problem]:
        """The problems, as they are found."""
        try:
            segment = Segment.open(self._ref)
        except CorruptionError as error:
            yield Problem.of(error, "file", self._row.table_id)
            return
        if deep:
            broken = list(self._verified(segment))
            yield from broken
            if any(problem.kind != "metadata" for problem in broken):
                return
        yield from self._columns(segment)
        yield from self._statistics(segment)
        if not deep:
            return
        for column in self._schema.columns:
            if segment.has(column.id):
                yield from self._values(segment, column)
        yield from self._row_ids(segment)
        yield from self._keys(segment)

    def _problem(self, column: str | None, chunk: int | None, text: str, kind: Kind) -> Problem:
        where = f"Segment {self._ref.ulid}" + ("" if column is None else f", column {column!r}")
        where += "" if chunk is None else f", chunk {chunk}"
        return Problem(self._ref.ulid, column, chunk, f"{where}: {text}", kind, self._row.table_id)

    def _verified(self, segment: Segment) -> Iterator[Problem]:
        for error in segment.verify():
            whole = error.column is None and error.message.endswith("the rows are whole.")
            kind: Kind = "metadata" if whole else "keys" if error.column == PREFIX else "chunk"
            yield Problem.of(error, kind, self._row.table_id)

    def _columns(self, segment: Segment) -> Iterator[Problem]:
        """The file's columns against the table's: a column that the file lacks must have come later."""
        for column in self._schema.columns:
            if segment.has(column.id):
                stored = segment.stored_type(column.id)
                if stored != column.type and not widens(stored, column.type):
                    yield self._problem(
                        column.name, None, f"it is stored as {stored}, the table has {column.type}.", "values"
                    )
            elif not column.nullable and column.initial is None:
                yield self._problem(column.name, None, "the column is not in the segment.", "values")

    def _values(self, segment: Segment, column: Column) -> Iterator[Problem]:
        """Decode every chunk and hold it against its row count, its type's own rules and its zone."""
        zones, stored = segment.zones(column.id), segment.stored_type(column.id)
        for chunk in range(segment.chunks):
            self._stop()
            try:
                array = segment.read(column.id, chunk, stored)
                array.validate(full=True)
            except CorruptionError as error:
                yield Problem.of(error, "chunk", self._row.table_id)
                continue
            except pa.ArrowInvalid as error:
                yield self._problem(
                    column.name, chunk, f"the decoded values are not valid: {error}", "values"
                )
                continue
            if len(array) != segment.rows_of(chunk):
                text = f"{len(array):,} rows instead of {segment.rows_of(chunk):,}."
                yield self._problem(column.name, chunk, text, "values")
                continue
            wrong = zone_problem(zones, chunk, zone_of(array))
            if wrong is not None:
                yield self._problem(column.name, chunk, wrong, "zones")
            if not column.nullable and array.null_count:
                yield self._problem(
                    column.name, chunk, "a NULL in a column that must not have one.", "values"
                )

    def _statistics(self, segment: Segment) -> Iterator[Problem]:
        """The catalog's statistics against the file's zone maps, which are held against the data."""
        stats = self._row.stats
        if stats is None:
            return
        try:
            batch = from_bytes(stats)
        except (pa.ArrowInvalid, StopIteration, OSError) as error:
            yield self._problem(
                None, None, f"the catalog's statistics are no Arrow data: {error}.", "statistics"
            )
            return
        try:
            whole = zones_in([batch], -1)
            if len(whole.rows) != 1 or int(whole.rows[0]) != segment.rows:
                yield self._problem(None, None, "the catalog's statistics count other rows.", "statistics")
                return
            said, held = all_distinct(batch), all_distinct(segment.index.zones)
            for column in self._schema.columns:
                if not segment.has(column.id):
                    continue
                inner = segment.zones(column.id)
                found = merged([_zone(inner, chunk) for chunk in range(len(inner.rows))])
                wrong = zone_problem(zones_in([batch], column.id), 0, found)
                if wrong is None and said.get(column.id) != held.get(column.id):
                    wrong = "the size of the dictionary differs."
                if wrong is not None:
                    yield self._problem(column.name, None, f"the catalog's statistics: {wrong}", "statistics")
        except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
            yield self._problem(
                None, None, f"the catalog's statistics cannot be read: {error}.", "statistics"
            )

    def _row_ids(self, segment: Segment) -> Iterator[Problem]:
        """Stored row ids: as many as rows, no two alike, from the first that the catalog says to the last."""
        row = self._row
        if not row.row_ids_stored:
            first = segment.index.first_row_id
            if ROW_ID_ARRAY in segment.index.arrays or (row.level > 0 and first != row.first_row_id):
                yield self._problem(
                    ROW_ID, None, "the catalog and the file differ on where row ids are.", "row ids"
                )
            return
        try:
            ids = stored_row_ids(segment, self._stop)
        except CorruptionError as error:
            yield Problem.of(error, "chunk", row.table_id)
            return
        ordered = np.sort(ids)
        if len(ids) != row.rows or bool((ordered[1:] == ordered[:-1]).any()):
            yield self._problem(ROW_ID, None, "a row id is there twice.", "row ids")
        if len(ids) and (int(ordered[0]), int(ordered[-1])) != (row.first_row_id, row.last_row_id):
            text = f"the row ids go from {int(ordered[0]):,} to {int(ordered[-1]):,}; the catalog says {row.first_row_id:,} to {row.last_row_id:,}."
            yield self._problem(ROW_ID, None, text, "row ids")

    def _keys(self, segment: Segment) -> Iterator[Problem]:
        """The sorted keys beside the data against the data itself."""
        stored = [name for name in segment.index.arrays if name.startswith(f"{PREFIX}.")]
        if not stored:
            return  # keys are then made from the data
        try:
            yield from self._sidecar(segment)
        except CorruptionError as error:
            yield Problem.of(error, "keys", self._row.table_id)
        except (LumaError, KeyError, ValueError, IndexError) as error:
            yield self._problem(PREFIX, None, f"the keys cannot be read: {error}", "keys")

    def _sidecar(self, segment: Segment) -> Iterator[Problem]:
        names = next(
            name for name in segment.index.arrays if name.startswith((f"{PREFIX}.exact.", f"{PREFIX}.hash."))
        )
        ids = [int(part[1:]) for part in names.split(".")[2:]]
        fields = {int(field.metadata[b"luma.id"]): field for field in segment.index.schema}
        columns = tuple(Column(item, fields[item].name, fields[item].type) for item in ids)
        form = KeyForm(self._schema.name, columns, names.startswith(f"{PREFIX}.exact."))
        parts: list[np.ndarray] = []
        for chunk in range(segment.chunks):
            self._stop()
            arrays = [segment.read(column.id, chunk, column.type) for column in columns]
            parts.append(form.codes(form.normal(arrays)).copy())
        codes = np.concatenate([np.zeros(0, np.int64), *parts])
        held = _array(segment, codes_name(form), np.int64)
        rows = _array(segment, f"{PREFIX}.row", np.uint32)
        fences = _array(segment, f"{PREFIX}.fence", np.int64)
        words = _array(segment, f"{PREFIX}.bloom", np.uint64)
        wrong = None
        if len(held) != len(codes) or len(rows) != len(codes):
            wrong = f"{len(held):,} keys for {len(codes):,} rows."
        elif not np.array_equal(np.sort(codes), held):
            wrong = "the keys are not those of the rows."
        elif not np.array_equal(np.sort(rows), np.arange(len(codes))) or not np.array_equal(
            codes[rows], held
        ):
            wrong = "a key points at another row than its own."
        elif not np.array_equal(_fences(segment, codes_name(form), held), fences):
            wrong = "the ends of the chunks of keys are wrong."
        elif not np.array_equal(key_bloom.build(held), words):
            wrong = "the Bloom filter is not that of the keys."
        if wrong is not None:
            yield self._problem(PREFIX, None, wrong, "keys")


def stored_row_ids(segment: Segment, stop: Stop) -> np.ndarray:
    """The row ids of a segment (int64), in its row order."""
    parts = [np.zeros(0, np.int64)]
    for chunk in range(segment.chunks):
        stop()
        parts.append(segment.row_ids(chunk)[0].to_numpy())
    return np.concatenate(parts)


def _array(segment: Segment, name: str, dtype: type) -> np.ndarray:
    stored = segment.index.arrays[name]
    parts = [np.frombuffer(segment.array(name, PREFIX, chunk)[0], dtype) for chunk in range(stored.chunks)]
    return np.concatenate([np.zeros(0, dtype), *parts])


def _fences(segment: Segment, name: str, codes: np.ndarray) -> np.ndarray:
    stored = segment.index.arrays[name]
    counts = segment.index.chunks.count[stored.first : stored.first + stored.chunks].astype(np.int64)
    ends = np.cumsum(counts)
    return np.stack([codes[ends - counts], codes[ends - 1]], axis=1).ravel()


def zone_problem(zones: Zones, chunk: int, actual: Zone) -> str | None:
    """Why a zone does not cover the data; a zone that is wider than the data is not wrong."""
    if int(zones.nulls[chunk]) != actual.nulls or int(zones.rows[chunk]) != actual.rows:
        return f"The zone map counts {int(zones.nulls[chunk]):,} NULLs; there are {actual.nulls:,}."
    if actual.nan and not zones.nan[chunk]:
        return "The zone map says that there is no NaN; there is."
    if not zones.bounded or actual.low is None:
        return None
    if not zones.known[chunk]:
        return "The zone map says that there are no values; there are."
    if zones.low[chunk] > actual.low or (not zones.open[chunk] and zones.high[chunk] < actual.high):
        return f"The zone map says {zones.low[chunk]!r} to {zones.high[chunk]!r}; the values go from {actual.low!r} to {actual.high!r}."
    return None


def _zone(zones: Zones, chunk: int) -> Zone:
    known = zones.bounded and bool(zones.known[chunk])
    low, high = (zones.low[chunk], zones.high[chunk]) if known else (None, None)
    counts = int(zones.rows[chunk]), int(zones.nulls[chunk]), bool(zones.nan[chunk])
    return Zone(*counts, low, high, bool(zones.open[chunk]))
