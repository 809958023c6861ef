"""One stage of a running query: its tasks' keys, futures, reports, and who reads what it hands on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from luma_bench.engines.cluster.rows import TaskRows
from luma_bench.plan.cluster.stages import Stage, StageFeed, TaskReport, Whole

Key = tuple[str, int, int]
"""Name, task, attempt."""

_WORDS = re.compile(r"[A-Za-z]+")


class StageRun:
    """The state of one stage.

    Attributes
    ----------
    attempts
        By task, how often it was handed over anew by the driver.
    finished
        How many tasks have reported.
    sent
        The tasks that were handed over to the cluster.
    futures
        Of these, while somebody may read what they made.
    reports, rows
        By task, what was told; rows only where there are few.
    tried
        By task, the workers on which it failed.
    local
        What it made, if it ran in the driver.
    consumers
        The stages that read it.
    released
        Whether the planner reads it no more.
    """

    __slots__ = (
        "attempts", "consumers", "finished", "futures", "local", "name", "released", "reports", "rows", "sent", "stage", "tried"
    )  # fmt: skip

    def __init__(self, stage: Stage, query: str) -> None:
        self.stage = stage
        words = "-".join(_WORDS.findall(stage.purpose)[:3]).lower()
        self.name = f"luma-{words or 'fragment'}-{query}-{stage.number}"
        self.attempts = [0] * stage.tasks
        self.futures: dict[int, Any] = {}
        self.reports: list[TaskReport | None] = [None] * stage.tasks
        self.rows: list[pa.Table | None] = [None] * stage.tasks
        self.tried: list[set[str]] = [set() for _ in range(stage.tasks)]
        self.finished = 0
        self.sent: set[int] = set()
        self.local: TaskRows | None = None
        self.consumers: list[StageRun] = []
        self.released = False

    @property
    def done(self) -> bool:
        """Whether every task has reported."""
        return self.finished == self.stage.tasks

    @property
    def at_hand(self) -> bool:
        """Whether all of its rows are in the driver."""
        return self.local is not None or all(rows is not None for rows in self.rows)

    @property
    def buckets(self) -> int:
        """How many buckets each task's rows are in."""
        return 1 if isinstance(self.stage.output, Whole) else self.stage.output.buckets

    def report(self, task: int, report: TaskReport, rows: pa.Table | None = None) -> bool:
        """Note what a task did; whether this is the first that is heard of it."""
        first = self.reports[task] is None
        self.finished += first
        self.reports[task] = report
        self.rows[task] = rows
        return first

    def renew(self, task: int) -> None:
        """Give the task a new name, under which nothing is known of it."""
        self.finished -= self.reports[task] is not None
        self.attempts[task] += 1
        self.reports[task] = self.rows[task] = None
        self.futures.pop(task, None)
        self.sent.discard(task)

    def key(self, task: int) -> Key:
        """The name of a task's value."""
        return self.name, task, self.attempts[task]

    def unfinished(self) -> Iterator[int]:
        """The tasks that were sent and have not reported."""
        return (task for task in sorted(self.sent) if self.reports[task] is None)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one task reads of an earlier stage: these buckets of each of these tasks."""

    tasks: Sequence[int]
    buckets: Sequence[int]
    slice: tuple[int, int] | None = None


def taken(feed: StageFeed, source: StageRun, task: int) -> Taken:
    """What a task takes of a feed."""
    everything = range(source.buckets)
    every_task = range(source.stage.tasks)
    match feed.take:
        case "all":
            return Taken(every_task, everything)
        case "part":
            return Taken((task,) if feed.groups is None else feed.groups[task], everything)
        case "bucket":
            buckets = (task,) if feed.groups is None else feed.groups[task]
            return Taken(every_task, buckets, None if feed.slices is None else feed.slices[task])
