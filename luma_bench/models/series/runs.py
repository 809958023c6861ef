"""Runs: the rows of a stretch of a table, grouped by series and sorted by time inside each, as arrays.

Every operator of series reads these. Rows without a time belong to no run; they are counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Ints = np.ndarray[Any, np.dtype[np.int64]]
Codes = np.ndarray[Any, np.dtype[np.int32]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Values:
    """A column in the order of its runs.

    Attributes
    ----------
    data
        Numbers: int8 to int64, uint8 to uint64, float32, float64 or bool; what stands where `valid` is False means nothing.
    valid
        Where there is a value; None where every row has one. NaN is a value.
    """

    data: Array
    valid: Bools | None = None


@dataclass(frozen=True, slots=True)
class Runs:
    """The rows of one stretch, sorted by (series, time); equal times stay in stored order.

    Attributes
    ----------
    codes
        The series of each run, by its number in the statement's list of series; no two runs of a stretch share one, and
        they need not ascend.
    offsets
        Where each run begins among the rows, and the end: one more than `codes`.
    time
        The time of each row in units of its column (see `Buckets.unit`), ascending inside of a run.
    order
        The stored place of each row; None where rows stand as they are stored and none is left out.
    without_time
        Rows whose time is NULL.
    """

    codes: Codes
    offsets: Ints
    time: Ints
    order: Ints | None = None
    without_time: int = 0

    @property
    def rows(self) -> int:
        """The rows of all runs."""
        return len(self.time)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Runs with the columns that an operator reads, each in the order of the runs."""

    runs: Runs
    columns: dict[str, Values] = field(default_factory=dict[str, Values])
