"""A part of an input: some of its rows as runs, with the columns that were asked for as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from luma_bench.models.series.runs import Codes, Ints, Runs
from luma_bench.types.arrays import integers


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of the input that lie together.

    Attributes
    ----------
    runs
        The rows with a time, by series and time; `runs.order` (None: as they stand) are places in `arrays`.
    arrays
        The columns that were asked for, in stored order, in the types of `InputRows.schema` or as a dictionary of them:
        `values` makes operands of them, `ordered` Arrow arrays in the order of the runs.
    first
        A number before that of the next part: `first` and a place in `arrays` order all rows as they are stored, so that of
        two rows with equal series and time the one of the greater sum is stored later. It is no place in a stream of the
        same rows where some are deleted or left out by a condition.
    """

    runs: Runs
    arrays: Mapping[str, pa.Array]
    first: int

    def ordered(self, name: str) -> pa.Array:
        """A column in the order of the runs."""
        array, order = self.arrays[name], self.runs.order
        return array if order is None else array.take(integers(order))


@dataclass(frozen=True, slots=True)
class RunEnds:
    """The first and the last row of each run of one stored chunk, from the index alone.

    Attributes
    ----------
    chunk
        The chunk's number, for `InputRows.take`.
    codes
        The series of each run.
    first, last
        The times of its first and its last row, int64 in the column's unit.
    first_row, last_row
        Their places in the chunk. Of equal times, the first and the last as they are stored.
    """

    chunk: int
    codes: Codes
    first: Ints
    last: Ints
    first_row: Ints
    last_row: Ints


def untimed(rows: int, time: str) -> tuple[str, ...]:
    """What a run record warns of where rows have no time; nothing where none is without."""
    if not rows:
        return ()
    shown = "1 row has" if rows == 1 else f"{rows:,} rows have"
    return (f"{shown} no {time} and {'is' if rows == 1 else 'are'} in no window.",)
