"""What one task is told: its statement, what each relation in it is, and how its rows are handed on. It travels pickled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from luma_bench.engines.cluster.versions import Versions
from luma_bench.plan.cluster.stages import Output
from luma_bench.types.scan import ScanPart


@dataclass(frozen=True, slots=True)
class PartsInput:
    """Parts of a stored table; `empty` for none of its rows, so that the one part only tells the columns."""

    name: str
    parts: tuple[ScanPart, ...]
    empty: bool = False


@dataclass(frozen=True, slots=True)
class InlineInput:
    """Rows that travel with the order: Arrow's IPC stream."""

    name: str
    rows: pa.Buffer


@dataclass(frozen=True, slots=True)
class HandedInput:
    """Rows that other tasks made: the next `count` of the values that the task is called with.

    Attributes
    ----------
    buckets
        Which of each value's buckets, in this order.
    slice
        `(which, of how many)` parts of the rows; None for all.
    """

    name: str
    count: int
    buckets: Sequence[int]
    slice: tuple[int, int] | None = None


TaskInput = PartsInput | InlineInput | HandedInput


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """One task.

    Attributes
    ----------
    topic
        Where it tells what it did.
    query, stage, task, attempt
        What it is.
    timezone
        The session's time zone for SQL: that of the driver, by name.
    folder
        Where it may put rows into a file for the tasks after it; empty for nowhere.
    file_bytes
        What rows must at least have to be put there.
    tell_bytes
        Rows of at most so many bytes are told along with what was done.
    """

    topic: str
    query: str
    stage: int
    task: int
    attempt: int
    versions: Versions
    timezone: str
    sql: str
    inputs: tuple[TaskInput, ...]
    output: Output
    folder: str = ""
    file_bytes: int = 0
    tell_bytes: int = 0

    def __dask_tokenize__(self) -> tuple[object, ...]:
        """What tells it from every other order, so that Dask need not look into it."""
        return self.query, self.stage, self.task, self.attempt
