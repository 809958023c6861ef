"""Verifying that no two live rows of a table have one primary key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from luma_bench.errors import CorruptionError
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.check_report import Problem
from luma_bench.storage.key_form import KeyForm
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.storage.tail import InlineBlob
from luma_bench.types.schema import TableSchema

KEYS_AT_ONCE = 1 << 24
"""Keys that are sorted at once; more are taken in several passes."""

Stop = Callable[[], None]
_Part = SegmentRef | InlineBlob


def check_unique(snapshot: ResolvedSnapshot, schema: TableSchema, stop: Stop) -> list[Problem]:
    """The problems of a table's primary key at a snapshot, at most one for a pass over its keys.

    Memory is bounded: codes are taken in as many passes as keep `KEYS_AT_ONCE` of them at a time, and values are compared
    only where codes are equal.
    """
    form = KeyForm.of(schema)
    try:
        parts: list[_Part] = [*snapshot.segments(schema.id), *snapshot.inline(schema.id)]
    except CorruptionError:
        return []  # said where the blob or the deletion was read
    rows = sum(part.live_rows for part in parts)
    passes = max(1, -(-rows // KEYS_AT_ONCE))
    found: list[Problem] = []
    for number in range(passes):
        try:
            twice = _twice(form, parts, passes, number, stop)
        except CorruptionError:
            return found  # said where the segment was read
        if twice is not None:
            shown = ", ".join(
                f"{column.name}={value!r}" for column, value in zip(form.columns, twice, strict=True)
            )
            text = f"Table {schema.name!r} holds the primary key ({shown}) twice."
            found.append(Problem("", None, None, text, "values", schema.id))
    return found


def _twice(
    form: KeyForm, parts: Sequence[_Part], passes: int, number: int, stop: Stop
) -> list[object] | None:
    """A key that two live rows have, among those whose codes fall into this pass."""
    codes: list[np.ndarray] = [np.zeros(0, np.int64)]
    owners: list[np.ndarray] = [np.zeros(0, np.int64)]
    for owner, part in enumerate(parts):
        for start, arrays in _chunks(form, part, stop):
            made = form.codes(form.normal(arrays))
            keep = _live(part, start, len(made))
            if passes > 1:
                keep &= made.view(np.uint64) % np.uint64(passes) == number
            places = np.flatnonzero(keep)
            codes.append(made[places])
            owners.append((places + start) + (owner << 40))
    joined, rows = np.concatenate(codes), np.concatenate(owners)
    order = np.argsort(joined, kind="stable")
    alike = np.flatnonzero(joined[order[1:]] == joined[order[:-1]])
    if not len(alike):
        return None
    if form.exact:
        return _values(form, parts, int(rows[order[alike[0]]]), stop)
    seen: dict[tuple[object, ...], None] = {}
    for place in np.unique(np.concatenate([alike, alike + 1])).tolist():
        values = _values(form, parts, int(rows[order[place]]), stop)
        key = tuple(map(_comparable, values))
        if key in seen:
            return values
        seen[key] = None
    return None


def _chunks(form: KeyForm, part: _Part, stop: Stop) -> Iterator[tuple[int, list[pa.Array | pa.ChunkedArray]]]:
    if isinstance(part, InlineBlob):
        yield 0, [_whole(part, column.name) for column in form.columns]
        return
    segment = Segment.open(part)
    for chunk in range(segment.chunks):
        stop()
        arrays: list[pa.Array | pa.ChunkedArray] = [
            segment.read_counted(column.id, chunk, column.type, None, column.initial)[0]
            for column in form.columns
        ]
        yield chunk * segment.chunk_rows, arrays


def _whole(blob: InlineBlob, name: str) -> pa.ChunkedArray:
    return blob.table.column(name)


def _live(part: _Part, start: int, rows: int) -> np.ndarray:
    keep = np.ones(rows, bool)
    if part.deleted is not None:
        low, high = np.searchsorted(part.deleted, (start, start + rows))
        keep[part.deleted[low:high] - start] = False
    return keep


def _values(form: KeyForm, parts: Sequence[_Part], place: int, stop: Stop) -> list[object]:
    part, row = parts[place >> 40], place & ((1 << 40) - 1)
    for start, arrays in _chunks(form, part, stop):
        if start <= row < start + len(arrays[0]):
            return [array[row - start].as_py() for array in arrays]
    raise IndexError(row)


def _comparable(value: object) -> object:
    """A key as Python compares it: 0.0 and -0.0 are alike already, NaN is not."""
    return "NaN" if value != value else value
