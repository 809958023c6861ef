"""Verifying a whole bench: files, checksums, zone maps, inline rows, and what the catalog promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa

from luma_bench.errors import CorruptionError
from luma_bench.storage.catalog import Catalog
from luma_bench.storage.catalog.inventory import Inventory, SegmentRow, take_inventory, violations
from luma_bench.storage.catalog.snapshot import BlobRef, segment_path
from luma_bench.storage.inline import decode_blob
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.storage.zones import Zone, Zones, from_bytes, merged, zone_of, zones_in
from luma_bench.types.schema import Column, TableSchema

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (empty or None where it does not apply) and what."""

    segment: str
    column: str | None
    chunk: int | None
    text: str


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found.

    Attributes
    ----------
    problems
        What makes a snapshot unreadable or wrong.
    notes
        What is harmless: files that no snapshot lists, left by a writer that died (or belonging to one that is alive).
        They take space and nothing else, so they do not fail a check.
    segments, blobs
        How many were read.
    """

    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    segments: int
    blobs: int

    @property
    def ok(self) -> bool:
        """Whether every snapshot is whole."""
        return not self.problems


def check_store(catalog: Catalog, progress: Progress | None = None) -> CheckReport:
    """Read and verify everything that any snapshot shows."""
    inventory = catalog.read(take_inventory)
    total = len(inventory.segments) + len(inventory.blobs) + 1
    problems = [Problem("", None, None, text) for text in violations(inventory)]
    done = 1
    if progress is not None:
        progress(done, total)
    for part in chain(_segments(catalog, inventory), _blobs(catalog, inventory)):
        problems += part()
        done += 1
        if progress is not None:
            progress(done, total)
    return CheckReport(
        tuple(problems), tuple(_orphans(catalog)), len(inventory.segments), len(inventory.blobs)
    )


Part = Callable[[], list[Problem]]


def _segments(catalog: Catalog, inventory: Inventory) -> Iterator[Part]:
    for row in inventory.segments:
        yield lambda row=row: _check_segment(catalog, row, inventory.schema(row.table_id, row.begin))


def _check_segment(catalog: Catalog, row: SegmentRow, schema: TableSchema | None) -> list[Problem]:
    if schema is None:
        return []  # said by the catalog's own invariants
    path = segment_path(catalog.folder, row.table_id, row.ulid)
    first = None if row.row_ids_stored else row.first_row_id
    ref = SegmentRef(row.ulid, path, row.rows, row.nbytes, first, row.stats)
    try:
        segment = Segment.open(ref)
    except CorruptionError as error:
        return [_problem(error)]
    broken = [_problem(error) for error in segment.verify()]
    if broken:
        return broken
    found = [problem for column in schema.columns for problem in _check_column(segment, column)]
    return found + _check_stats(segment, schema, row.stats)


def _check_column(segment: Segment, column: Column) -> Iterator[Problem]:
    """Decode every chunk and hold it against its row count, its type's own rules and its zone."""
    ulid = segment.ref.ulid
    if not segment.has(column.id):
        yield Problem(ulid, column.name, None, "The column is not in the segment.")
        return
    zones = segment.zones(column.id)
    for chunk in range(segment.chunks):
        try:
            array = segment.read(column.id, chunk, column.type)
            array.validate(full=True)
        except CorruptionError as error:
            yield _problem(error)
            continue
        except pa.ArrowInvalid as error:
            yield Problem(ulid, column.name, chunk, f"The decoded values are not valid: {error}")
            continue
        if len(array) != segment.rows_of(chunk):
            yield Problem(
                ulid, column.name, chunk, f"{len(array):,} rows instead of {segment.rows_of(chunk):,}."
            )
            continue
        wrong = _zone_problem(zones, chunk, zone_of(array))
        if wrong is not None:
            yield Problem(ulid, column.name, chunk, wrong)
        if not column.nullable and array.null_count:
            yield Problem(ulid, column.name, chunk, "A NULL in a column that must not have one.")


def _zone_problem(zones: Zones, chunk: int, actual: Zone) -> str | None:
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


def _check_stats(segment: Segment, schema: TableSchema, stats: bytes | None) -> list[Problem]:
    """The catalog's statistics against the file's zone maps, which were just held against the data."""
    if stats is None:
        return []
    ulid = segment.ref.ulid
    try:
        batch = from_bytes(stats)
    except (pa.ArrowInvalid, StopIteration, OSError) as error:
        return [Problem(ulid, None, None, f"The catalog's statistics are no Arrow data: {error}")]
    found: list[Problem] = []
    for column in schema.columns:
        inner = segment.zones(column.id)
        chunks = [_zone(inner, chunk) for chunk in range(len(inner.rows))]
        wrong = _zone_problem(zones_in([batch], column.id), 0, merged(chunks))
        if wrong is not None:
            found.append(Problem(ulid, column.name, None, f"The catalog's statistics: {wrong}"))
    return found


def _zone(zones: Zones, chunk: int) -> Zone:
    known = zones.bounded and bool(zones.known[chunk])
    low, high = (zones.low[chunk], zones.high[chunk]) if known else (None, None)
    return Zone(
        int(zones.rows[chunk]),
        int(zones.nulls[chunk]),
        bool(zones.nan[chunk]),
        low,
        high,
        bool(zones.open[chunk]),
    )


def _blobs(catalog: Catalog, inventory: Inventory) -> Iterator[Part]:
    for table_id, ref in inventory.blobs:
        yield lambda table_id=table_id, ref=ref: _check_blob(
            catalog, inventory.schema(table_id, ref.begin), ref
        )


def _check_blob(catalog: Catalog, schema: TableSchema | None, ref: BlobRef) -> list[Problem]:
    if schema is None:
        return []
    found = catalog.blobs([ref.id]).get(ref.id)
    if found is None:
        return [Problem(f"inline blob {ref.id}", None, None, "It was collected during the check.")]
    try:
        table = decode_blob(ref, *found, schema).table
        table.validate(full=True)
    except CorruptionError as error:
        return [_problem(error)]
    except pa.ArrowInvalid as error:
        return [Problem(f"inline blob {ref.id}", None, None, f"The rows are not valid: {error}")]
    return []


def _orphans(catalog: Catalog) -> list[Problem]:
    files = sorted((catalog.folder / "segments").glob("*/*.zarr.zip"))
    ulids = [path.name.removesuffix(".zarr.zip") for path in files]
    # Asked after the files were listed: one that a writer committed in between is listed by then.
    listed, leases = catalog.listed_segments(ulids), catalog.leases()
    why = (
        "a writer may be about to commit it"
        if leases
        else "left by a writer that did not finish; it may be deleted"
    )
    return [
        Problem(ulid, None, None, f"No snapshot lists {path.parent.name}/{path.name}: {why}.")
        for ulid, path in zip(ulids, files, strict=True)
        if ulid not in listed
    ]


def _problem(error: CorruptionError) -> Problem:
    return Problem(error.segment, error.column, error.chunk, error.message)
