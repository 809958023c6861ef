"""Where rows lie: from row ids to positions in the parts of a table at a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from luma_bench.errors import UnsupportedError
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment import Segment, SegmentRef
from luma_bench.storage.tail import InlineBlob


@dataclass(frozen=True, slots=True)
class Located:
    """Rows by part: sorted positions in committed parts and in staged ones, and the row ids that live nowhere."""

    parts: dict[str, np.ndarray]
    staged_segments: dict[str, np.ndarray]
    staged_inline: dict[int, np.ndarray]
    lost: np.ndarray

    @property
    def rows(self) -> int:
        """How many rows were found."""
        groups = (self.parts, self.staged_segments, self.staged_inline)
        return sum(len(places) for group in groups for places in group.values())


def locate(view: ResolvedSnapshot, table_id: int, row_ids: np.ndarray, pool: BufferPool) -> Located:
    """Find rows by their ids.

    Parameters
    ----------
    row_ids
        Sorted int64 row ids, none twice.
    """
    held, staged = view.holds(table_id), view.staged.get(table_id)
    left = row_ids
    gone = view.gone(table_id)
    parts: dict[str, np.ndarray] = {}
    lost: list[np.ndarray] = []
    ranges = [(ref.first_row_id, ref.rows, ref.ulid) for ref in held.segments if ref.first_row_id is not None]
    ranges += [(blob.first_row_id, blob.rows, blob.part) for blob in held.blobs]
    found, left = _in_ranges(sorted(ranges), left)
    for part, places in found:
        alive, dead = _alive(places, gone.get(part))
        if len(alive):
            parts[part] = alive
        lost.append(places[dead] + next(first for first, _, name in ranges if name == part))
    for ref in held.segments if len(left) else ():
        if ref.first_row_id is None:
            positions, missing = _in_stored(ref, left, pool)
            alive, dead = _alive(np.sort(positions), gone.get(ref.ulid))
            if len(alive):
                parts[ref.ulid] = alive
            hit = np.setdiff1d(left, missing, assume_unique=True)
            if len(alive) < len(hit):
                lost.append(np.sort(_stored_ids(ref, pool)[np.sort(positions)[dead]]))
            left = missing
    segments, inline, left = _in_staged(
        () if staged is None else staged.segments, () if staged is None else staged.inline, left, lost
    )
    lost.append(left)
    return Located(parts, segments, inline, np.concatenate(lost))


def row_ids_at(
    view: ResolvedSnapshot, table_id: int, part: str, positions: np.ndarray, pool: BufferPool
) -> np.ndarray:
    """The row ids of positions of a committed or staged segment."""
    staged = view.staged.get(table_id)
    refs = (*view.holds(table_id).segments, *(() if staged is None else staged.segments))
    ref = next(item for item in refs if item.ulid == part)
    return positions + ref.first_row_id if ref.first_row_id is not None else _stored_ids(ref, pool)[positions]


def _in_ranges(
    ranges: Sequence[tuple[int, int, str]], ids: np.ndarray
) -> tuple[list[tuple[str, np.ndarray]], np.ndarray]:
    """The positions in sorted contiguous ranges, and the ids that lie in none."""
    if not ranges or not len(ids):
        return [], ids
    starts = np.array([first for first, _, _ in ranges])
    counts = np.array([rows for _, rows, _ in ranges])
    at = np.searchsorted(starts, ids, "right") - 1
    inside = (at >= 0) & (ids - starts[at] < counts[at])
    held, where = ids[inside], at[inside]
    cuts = np.flatnonzero(np.diff(where)) + 1
    groups = zip(np.split(held, cuts), np.split(where, cuts), strict=True)
    found = [(ranges[int(place[0])][2], group - starts[place[0]]) for group, place in groups if len(group)]
    return found, ids[~inside]


def _in_stored(ref: SegmentRef, ids: np.ndarray, pool: BufferPool) -> tuple[np.ndarray, np.ndarray]:
    """The positions in a segment that stores its row ids, and the ids that it does not hold."""
    held = _stored_ids(ref, pool)

    def load() -> tuple[np.ndarray, int]:
        order = np.argsort(held, kind="stable")
        return order, order.nbytes

    order: np.ndarray = pool.get((ref.ulid, "row id order"), load)
    at = np.minimum(np.searchsorted(held, ids, sorter=order), len(held) - 1)
    hit = held[order[at]] == ids
    return order[at[hit]], ids[~hit]


def _stored_ids(ref: SegmentRef, pool: BufferPool) -> np.ndarray:
    def load() -> tuple[np.ndarray, int]:
        segment: Segment = pool.get((ref.ulid, "index"), lambda: _opened(ref))
        parts = [segment.at(ref).row_ids(chunk)[0].to_numpy() for chunk in range(segment.chunks)]
        ids = np.concatenate(parts)
        return ids, ids.nbytes

    return pool.get((ref.ulid, "row ids"), load)


def _opened(ref: SegmentRef) -> tuple[Segment, int]:
    segment = Segment.open(ref)
    return segment, 2 * segment.index.nbytes


def _alive(places: np.ndarray, gone: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The places that are not deleted, and the mask of those that are."""
    dead = np.zeros(len(places), bool) if gone is None else np.isin(places, gone, assume_unique=True)
    return places[~dead], dead


def _in_staged(
    segments: Sequence[SegmentRef], inline: Sequence[InlineBlob], ids: np.ndarray, lost: list[np.ndarray]
) -> tuple[dict[str, np.ndarray], dict[int, np.ndarray], np.ndarray]:
    in_segments: dict[str, np.ndarray] = {}
    in_inline: dict[int, np.ndarray] = {}
    for part in (*segments, *inline):
        if not len(ids) or part.first_row_id is None:
            continue
        low, high = np.searchsorted(ids, (part.first_row_id, part.first_row_id + part.rows))
        alive, dead = _alive(ids[low:high] - part.first_row_id, part.deleted)
        lost.append(ids[low:high][dead])
        if len(alive) and isinstance(part, SegmentRef):
            in_segments[part.ulid] = alive
        elif len(alive) and isinstance(part, InlineBlob):
            in_inline[part.id] = alive
        ids = np.concatenate([ids[:low], ids[high:]])
    return in_segments, in_inline, ids


def sorted_ids(row_ids: Any) -> np.ndarray:
    """Row ids, ascending and each once, from anything that NumPy makes an array of.

    Raises
    ------
    UnsupportedError
        They are no whole numbers.
    """
    row_ids = np.asarray(row_ids)
    if row_ids.dtype.kind not in "iu" and len(row_ids):
        raise UnsupportedError(f"Row ids are whole numbers, not {row_ids.dtype}.")
    ids = row_ids.astype(np.int64, copy=False)
    if len(ids) > 1 and not (ids[1:] > ids[:-1]).all():
        # np.unique would hash whole numbers: seconds for a million of them.
        ids = np.sort(ids)
        ids = ids[np.append(True, ids[1:] != ids[:-1])]
    return ids
