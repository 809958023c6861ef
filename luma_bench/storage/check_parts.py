"""Verifying what the catalog holds itself: inline blobs and deletions; and that no two parts have one row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from luma_bench.errors import CorruptionError
from luma_bench.storage.catalog.deletes import decode
from luma_bench.storage.catalog.inventory import BlobRow, DeletionRow, Inventory, SegmentRow
from luma_bench.storage.check_report import Problem
from luma_bench.storage.check_segment import ref_of, stored_row_ids
from luma_bench.storage.inline import decode_blob
from luma_bench.storage.segment import Segment
from luma_bench.types.schema import TableSchema

Fetch = Callable[[Sequence[int]], Mapping[int, tuple[int, bytes]]]
WINDOW = 1 << 26
"""Row ids that are held against each other at once, a byte each."""


def check_blob(row: BlobRow, schema: TableSchema, fetch: Fetch, *, deep: bool) -> list[Problem]:
    """Decode a blob and validate its values; with `deep` off its checksum and types only."""
    name = f"inline blob {row.ref.id}"
    found = fetch([row.ref.id]).get(row.ref.id)
    if found is None:
        return []  # collected since the catalog was read
    try:
        table = decode_blob(row.ref, *found, schema).table
        if deep:
            table.validate(full=True)
    except CorruptionError as error:
        return [Problem.of(error, "blob", row.table_id)]
    except pa.ArrowException as error:
        text = f"{name}: the rows are not valid: {error}."
        return [Problem(name, None, None, text, "blob", row.table_id)]
    return [
        Problem(
            name,
            column.name,
            None,
            f"{name}: a NULL in column {column.name!r}, which must not have one.",
            "blob",
            row.table_id,
        )
        for column in schema.columns
        if not column.nullable and table.column(column.name).null_count
    ]


def check_deletions(rows: Sequence[DeletionRow], part_rows: int, fetch: Fetch) -> list[Problem]:
    """The deletions of one part: checksums, positions in order and within the part, and no row deleted twice at once."""
    data = fetch([row.ref.id for row in rows])
    found: list[Problem] = []
    held: list[tuple[DeletionRow, np.ndarray]] = []
    for row in rows:
        if row.ref.id not in data:
            continue  # collected since the catalog was read
        name = f"deletion {row.ref.id} of part {row.ref.part}"
        try:
            positions = decode(row.ref, *data[row.ref.id])
        except CorruptionError as error:
            found.append(Problem.of(error, "deletion", row.table_id))
            continue
        if bool((positions[1:] <= positions[:-1]).any()) or (
            len(positions) and not 0 <= positions[0] <= positions[-1] < part_rows
        ):
            text = f"The {name} names rows out of order, or that the part does not have."
            found.append(Problem(name, None, None, text, "deletion", row.table_id))
            continue
        for other, places in held:
            if _together(row, other) and len(np.intersect1d(positions, places, assume_unique=True)):
                text = f"The {name} deletes a row that deletion {other.ref.id} deleted."
                found.append(Problem(name, None, None, text, "deletion", row.table_id))
        held.append((row, positions))
    return found


def _together(left: DeletionRow, right: DeletionRow) -> bool:
    return (left.end is None or left.end > right.ref.begin) and (
        right.end is None or right.end > left.ref.begin
    )


def check_row_ids(
    folder: Path, inventory: Inventory, table_id: int, stop: Callable[[], None]
) -> Iterator[Problem]:
    """Row ids that two parts of a table hold at one snapshot, where segments store them.

    A mark for each row id is set when a part that holds it begins, and taken off when the part ends.
    """
    stored = [row for row in inventory.segments if row.table_id == table_id and row.row_ids_stored]
    counter = inventory.counters.get(table_id)
    if not stored or counter is None:
        return
    parts: list[tuple[str, int, int, int, int | None, SegmentRow | None]] = [
        (
            f"segment {row.ulid}", row.first_row_id, row.last_row_id + 1, row.begin, row.end,
            row if row.row_ids_stored else None,
        )
        for row in inventory.segments
        if row.table_id == table_id
    ]  # fmt: skip
    parts += [
        (
            f"inline blob {row.ref.id}",
            row.ref.first_row_id,
            row.ref.first_row_id + row.ref.rows,
            row.ref.begin,
            row.end,
            None,
        )
        for row in inventory.blobs
        if row.table_id == table_id
    ]
    edges = sorted(
        [(begin, 1, number) for number, (_, _, _, begin, _, _) in enumerate(parts)]
        + [(end, 0, number) for number, (_, _, _, _, end, _) in enumerate(parts) if end is not None]
    )
    top = max(part[2] for part in parts)
    for low in range(0, min(top, int(counter.next_row_id)), WINDOW):
        high = min(low + WINDOW, top)
        marks = np.zeros(high - low, bool)
        for _, begins, number in edges:
            name, first, last, _, _, row = parts[number]
            if last <= low or first >= high:
                continue
            stop()
            places = _places(folder, row, first, last, low, high, stop)
            if places is None:
                continue  # the segment cannot be read, which was said
            if begins and bool(marks[places].any()):
                text = f"In table {table_id} the {name} holds a row id that another part holds at the same snapshot."
                ulid = name.rsplit(" ", 1)[1]
                yield Problem(ulid, None, None, text, "row ids", table_id)
            marks[places] = bool(begins)


def _places(
    folder: Path, row: SegmentRow | None, first: int, last: int, low: int, high: int, stop: Callable[[], None]
) -> np.ndarray | slice | None:
    if row is None:
        return slice(max(first, low) - low, min(last, high) - low)
    try:
        ids = stored_row_ids(Segment.open(ref_of(folder, row)), stop)
    except CorruptionError:
        return None
    return ids[(ids >= low) & (ids < high)] - low
