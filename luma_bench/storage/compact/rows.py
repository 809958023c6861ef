"""Where the rows of a compaction went; asked only when rows were deleted while it ran, so ids are read again then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from luma_bench.storage.catalog.rowmap import RowMap
from luma_bench.storage.segment import Segment, SegmentRef


@dataclass(frozen=True, slots=True)
class Output:
    """A new segment, and the smallest and largest row id in it."""

    ref: SegmentRef
    low: int
    high: int


class JobRows(RowMap):
    """A row map that keeps no row ids in memory: those that are no range are read from the segments.

    Parameters
    ----------
    parts
        What each old part is: its segment, or the first row id of a blob.
    outputs
        The new segments.
    """

    def __init__(self, parts: Mapping[str, SegmentRef | int], outputs: Sequence[Output]) -> None:
        super().__init__({}, ())
        self._old = parts
        self._new = outputs

    def bounds(self, number: int) -> tuple[int, int]:
        """The smallest and the largest row id of a new segment."""
        return self._new[number].low, self._new[number].high

    def moved(self, part: str, positions: np.ndarray) -> dict[int, np.ndarray]:
        """The sorted positions, by number of the new segment, of rows that were at `positions` of an old part."""
        old = self._old[part]
        if isinstance(old, int):
            wanted = positions + old
        elif old.first_row_id is not None:
            wanted = positions + old.first_row_id
        else:
            wanted = stored_ids(old)[positions]
        wanted = np.sort(wanted)
        found: dict[int, np.ndarray] = {}
        for number, output in enumerate(self._new):
            low, high = np.searchsorted(wanted, (output.low, output.high + 1))
            if low == high:
                continue
            places = _places(output.ref, wanted[low:high])
            if len(places):
                found[number] = places
        return found


def stored_ids(ref: SegmentRef) -> np.ndarray:
    """The row ids of a segment (int64), in its row order."""
    segment = Segment.open(ref)
    return _joined(segment.row_ids(chunk)[0].to_numpy() for chunk in range(segment.chunks))


def _places(ref: SegmentRef, wanted: np.ndarray) -> np.ndarray:
    """The sorted positions of some sorted row ids; ids that the segment does not hold are left out."""
    if ref.first_row_id is not None:
        return wanted - ref.first_row_id
    held = stored_ids(ref)
    at = np.minimum(np.searchsorted(wanted, held), len(wanted) - 1)
    return np.flatnonzero(wanted[at] == held)


def _joined(arrays: Iterable[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int64), *arrays])
