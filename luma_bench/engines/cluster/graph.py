"""Tasks of stages as a Dask graph: what each reads, from where, and by which way rows are handed on.

Rows that are few travel with the order. What a stage hands on by bucket lies in one file a task where all workers share a
folder; else each bucket becomes a task of its own, so that no more than a bucket travels, unless all of them are few.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from dask._task_spec import Task, TaskRef

from luma_bench.engines.cluster.exchange_folder import ExchangeFolder
from luma_bench.engines.cluster.failures import RowsLost
from luma_bench.engines.cluster.orders import HandedInput, InlineInput, PartsInput, TaskInput, TaskOrder
from luma_bench.engines.cluster.rows import TaskFile, TaskRows, joined, packed, written
from luma_bench.engines.cluster.stage_run import StageRun, Taken, taken
from luma_bench.engines.cluster.versions import Versions
from luma_bench.engines.cluster.worker import bucket_of, collected, run_task
from luma_bench.errors import EngineError
from luma_bench.plan.cluster.stages import RowsFeed, StageFeed, TableFeed, Whole

INLINE_BYTES = 64 << 10
"""Rows of at most so many bytes travel with the order of a task, or with its report."""
INLINE_TOTAL = 1 << 20
"""The same for all tasks of a stage together."""
FILE_BYTES = 256 << 10
"""Rows by bucket of at least so many bytes are put into a file; fewer stay in the worker's memory."""
WIDE = 2_000
"""Pairs of a task that hands rows on and one that reads them, above which one task in between collects."""
SMALL_BYTES = 4 << 20
"""Rows of a stage of at most so many bytes travel whole to every worker that reads some of them."""


@dataclass(slots=True)
class GraphMaker:
    """Makes the graphs of one query.

    Attributes
    ----------
    runs
        The query's stages, by number.
    """

    client: Any
    topic: str
    query: str
    versions: Versions
    timezone: str
    exchange: ExchangeFolder
    runs: Mapping[int, StageRun]
    _placed: dict[str, Any] = field(default_factory=dict[str, Any])
    _gathered: dict[object, Any] = field(default_factory=dict[object, Any])

    def graph(self, run: StageRun, tasks: Iterable[int]) -> dict[Any, Any]:
        """The tasks of a stage, with those in between that they need."""
        made: dict[Any, Any] = {}
        stage = run.stage
        folder = self.exchange.of_query(self.query)
        by_bucket = not isinstance(stage.output, Whole)
        wide = by_bucket and stage.tasks * run.buckets > WIDE
        for task in tasks:
            inputs, arguments = self._inputs(run, task, made)
            order = TaskOrder(
                topic=self.topic,
                query=self.query,
                stage=stage.number,
                task=task,
                attempt=run.attempts[task],
                versions=self.versions,
                timezone=self.timezone,
                sql=stage.sql,
                inputs=tuple(inputs),
                output=stage.output,
                folder=str(folder) if folder is not None and by_bucket else "",
                file_bytes=0 if wide else FILE_BYTES,
                tell_bytes=0 if by_bucket else min(INLINE_BYTES, 2 * INLINE_TOTAL // stage.tasks),
            )
            key = run.key(task)
            made[key] = Task(key, run_task, order, *arguments)
        return made

    def _inputs(self, run: StageRun, task: int, made: dict[Any, Any]) -> tuple[list[TaskInput], list[Any]]:
        inputs: list[TaskInput] = []
        arguments: list[Any] = []
        for feed in run.stage.feeds:
            match feed:
                case TableFeed():
                    inputs.append(parts_input(feed, task))
                case RowsFeed():
                    part = None if feed.whole else (task, run.stage.tasks)
                    self._rows(
                        feed.name,
                        TaskRows([feed.rows]),
                        Taken((0,), (0,), part),
                        run,
                        feed.name,
                        inputs,
                        arguments,
                    )
                case StageFeed():
                    source = self.runs[feed.stage]
                    what = taken(feed, source, task)
                    if source.local is not None:
                        self._rows(feed.name, source.local, what, run, source.name, inputs, arguments)
                    else:
                        found = self._handed(feed, source, what, run, made)
                        inputs.append(found[0])
                        arguments.extend(found[1])
        return inputs, arguments

    def _rows(
        self, name: str, rows: TaskRows, what: Taken, run: StageRun, place: str, inputs: list[TaskInput], arguments: list[Any]
    ) -> None:  # fmt: skip
        """Rows that the driver has: with the order where they are few, else put somewhere once."""
        buckets: Sequence[int] = what.buckets if what.tasks else ()
        tables = [rows.bucket(bucket) for bucket in buckets]
        nbytes = sum(table.nbytes for table in tables)
        if nbytes <= INLINE_BYTES and nbytes * run.stage.tasks <= INLINE_TOTAL:
            shown = joined(tables, what.slice) if tables else rows.bucket(0).slice(0, 0)
            inputs.append(InlineInput(name, packed(shown)))
            return
        inputs.append(HandedInput(name, 1, buckets, what.slice))
        arguments.append(self._put(rows, place))

    def _put(self, rows: TaskRows, place: str) -> Any:
        """Where workers find rows of the driver: a file that they share, else memory of all workers."""
        found = self._placed.get(place)
        if found is None:
            folder = self.exchange.of_query(self.query)
            try:
                found = (
                    self.client.scatter(rows, broadcast=True, hash=False)
                    if folder is None
                    else written(rows, folder / f"{place}.arrow")
                )
            except OSError as error:
                raise EngineError(
                    f"Rows cannot be handed to the workers: {error.strerror or error}.",
                    hint="Free space in the folder of temporary files, or name a larger disk with spill_dir.",
                ) from error
            self._placed[place] = found
        return found if isinstance(found, TaskFile) else TaskRef(found.key)

    def _handed(
        self, feed: StageFeed, source: StageRun, what: Taken, run: StageRun, made: dict[Any, Any]
    ) -> tuple[HandedInput, list[Any]]:
        tasks: Sequence[int] = what.tasks
        if not tasks:
            # One of them tells the columns.
            return HandedInput(feed.name, 1, ()), [TaskRef(source.key(0))]
        by_bucket = feed.take == "bucket"
        if by_bucket and self.exchange.path is None and what.buckets and not self._is_small(source):
            pieces = [_piece(source, task, bucket, made) for task in tasks for bucket in what.buckets]
            return HandedInput(feed.name, len(pieces), (0,), what.slice), pieces
        if len(tasks) == source.stage.tasks and _is_wide(source, run):
            return HandedInput(feed.name, len(tasks), what.buckets, what.slice), [self._collected(source)]
        return (
            HandedInput(feed.name, len(tasks), what.buckets, what.slice),
            [TaskRef(source.key(task)) for task in tasks],
        )

    def gathers(self, run: StageRun) -> bool:
        """Whether a stage reads another through a task in between."""
        feeds = [feed for feed in run.stage.feeds if isinstance(feed, StageFeed)]
        return any(_is_wide(self.runs[feed.stage], run) for feed in feeds)

    def _collected(self, source: StageRun) -> Any:
        """The one task that waits for all tasks of a stage, which were sent before.

        It is sent by itself: Dask's ordering of a graph takes half a minute for readers of 10,000 tasks outside of it.
        """
        key = (f"{source.name}-all", sum(source.attempts))
        if key not in self._gathered:
            futures = [source.futures[task] for task in range(source.stage.tasks)]
            self._gathered[key] = self.client.submit(collected, *futures, key=key, pure=False)
        return TaskRef(key)

    @staticmethod
    def _is_small(source: StageRun) -> bool:
        """Whether all that a stage handed on is known to be little."""
        return source.done and sum(sum(report.nbytes) for report in source.reports if report) <= SMALL_BYTES

    def held(self) -> list[Any]:
        """The futures of what was made in between."""
        return [
            *self._gathered.values(),
            *(put for put in self._placed.values() if not isinstance(put, TaskFile)),
        ]

    def forget(self, error: BaseException) -> None:
        """Put the driver's rows anew when they are needed again, if they are what is lost."""
        if isinstance(error, RowsLost) and error.stage < 0:
            self._placed.clear()


def parts_input(feed: TableFeed, task: int) -> PartsInput:
    """The parts of a table that a task reads."""
    if feed.whole:
        return PartsInput(feed.name, feed.parts)
    parts = (feed.parts[task],) if feed.groups is None else tuple(feed.parts[i] for i in feed.groups[task])
    return PartsInput(feed.name, parts) if parts else PartsInput(feed.name, feed.parts[:1], empty=True)


def relation_rows(rows: TaskRows, what: Taken) -> pa.Table:
    """What a task in the driver takes of rows that are there."""
    tables = [rows.bucket(bucket) for bucket in what.buckets]
    return joined(tables, what.slice) if tables and what.tasks else rows.bucket(0).slice(0, 0)


def _is_wide(source: StageRun, run: StageRun) -> bool:
    return source.stage.tasks > 1 and source.stage.tasks * run.stage.tasks > WIDE


def _piece(source: StageRun, task: int, bucket: int, made: dict[Any, Any]) -> Any:
    key = (f"{source.name}-bucket", task, source.attempts[task], bucket)
    made[key] = Task(key, bucket_of, TaskRef(source.key(task)), bucket)
    return TaskRef(key)
