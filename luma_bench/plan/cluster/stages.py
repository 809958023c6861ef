"""What a planner asks of workers: stages of equal fragments, what feeds them, and how their rows are handed on.

A fragment is pure: the same inputs give the same rows, so that it can run again anywhere. The planner (`plan/cluster`) knows
no cluster, and what runs stages (`engines/cluster`, or one process in tests) knows no relational plan beyond a stage's SQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import pyarrow as pa

from luma_bench.types.record import NodeRecord
from luma_bench.types.scan import ScanPart


@dataclass(frozen=True, slots=True)
class TableFeed:
    """A stored table: task `i` reads part `i` of it (`whole` False), or every task reads all parts.

    Attributes
    ----------
    name
        The relation's name in the stage's SQL; its columns are those of the table.
    groups
        Without `whole`: for each task the parts that it reads, perhaps none (then no rows); None for one each, in order. A
        part may stand in several groups.
    """

    name: str
    parts: tuple[ScanPart, ...]
    whole: bool = False
    groups: tuple[tuple[int, ...], ...] | None = None


@dataclass(frozen=True, slots=True)
class RowsFeed:
    """Arrow rows of the driver (an island's answer, a notebook's table): sliced among the tasks, or all of them to each."""

    name: str
    rows: pa.Table = field(compare=False)
    whole: bool = True


@dataclass(frozen=True, slots=True)
class StageFeed:
    """What an earlier stage handed on; columns are `c0`, `c1`, ….

    Attributes
    ----------
    take
        `all`: every task gets everything. `part`: task `i` gets what task `i` of the earlier stage made. `bucket`: task `i`
        gets bucket `buckets[i]` (or the buckets of that group) of every task of the earlier stage.
    groups
        With `bucket`: for each task the buckets that it gets; None for one each, in order. Small buckets share a task. With
        `part`: for each task the earlier stage's tasks whose rows it gets, perhaps none.
    slices
        With `bucket`: for each task `(which, of how many)` parts of its buckets' rows it takes, for a bucket that holds too
        much; None for all of them.
    """

    name: str
    stage: int
    take: Literal["all", "part", "bucket"]
    groups: tuple[tuple[int, ...], ...] | None = None
    slices: tuple[tuple[int, int], ...] | None = None


Feed = TableFeed | RowsFeed | StageFeed


@dataclass(frozen=True, slots=True)
class Whole:
    """A task's rows stay together."""


@dataclass(frozen=True, slots=True)
class Hashed:
    """Rows go to `buckets` buckets by the hash of key columns; equal keys meet.

    Attributes
    ----------
    keys
        For each key its SQL over the columns `c0`, … of the stage's rows: the column, or a cast of it to the type that both
        sides of a join share.
    """

    keys: tuple[str, ...]
    buckets: int


@dataclass(frozen=True, slots=True)
class Ranged:
    """Rows go to buckets by an order: bucket `i` holds what sorts before `edges` row `i`; ties go to one bucket.

    Attributes
    ----------
    keys
        Columns of the stage's rows by position, with descending and NULLS FIRST.
    edges
        One row for each border between two buckets, with the key columns.
    """

    keys: tuple[tuple[int, bool, bool], ...]
    edges: pa.Table = field(compare=False)

    @property
    def buckets(self) -> int:
        """One more than there are borders."""
        return self.edges.num_rows + 1


Output = Whole | Hashed | Ranged


@dataclass(frozen=True, slots=True)
class Stage:
    """Equal fragments, one a task.

    Attributes
    ----------
    number
        Its place among the query's stages, from 0.
    sql
        What each task runs: DuckDB's SQL over its feeds' names, giving columns `c0`, `c1`, ….
    tasks
        How many.
    purpose
        What it does, for people: `scan lineitem, partial aggregate`.
    rows_estimated
        Rows that the stage is expected to hand on; None where that is not known.
    notes
        What was decided for it and why: `part (2.1 MB) goes to every task`.
    """

    number: int
    sql: str
    feeds: tuple[Feed, ...]
    tasks: int
    output: Output = Whole()
    purpose: str = ""
    rows_estimated: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskReport:
    """What one task did. `rows` and `nbytes` are by bucket, of one bucket for whole rows."""

    rows: Sequence[int]
    nbytes: Sequence[int]
    elapsed: float
    worker: str = ""
    rows_read: int = 0
    bytes_read: int = 0
    segments_read: int = 0
    segments_pruned: int = 0
    chunks_read: int = 0
    chunks_pruned: int = 0


class Handle(Protocol):
    """A stage that was handed over to be run."""

    @property
    def stage(self) -> Stage:
        """What it is."""
        ...

    def reports(self) -> Sequence[TaskReport]:
        """What each task did; waits for all of them, and raises what the first failure was."""
        ...


class StageRunner(Protocol):
    """Runs stages of one query."""

    @property
    def slots(self) -> int:
        """How many tasks run at the same time."""
        ...

    def submit(self, stage: Stage) -> Handle:
        """Hand a stage over; it runs as soon as the stages that feed it allow."""
        ...

    def fetch(self, handle: Handle) -> Iterator[pa.Table]:
        """The rows of each task of a stage with `Whole` output, in the order of tasks, as they are done."""
        ...

    def release(self, handle: Handle) -> None:
        """Nobody reads the stage's rows any more."""
        ...

    def nodes(self) -> Sequence[NodeRecord]:
        """What ran, for the run record."""
        ...
