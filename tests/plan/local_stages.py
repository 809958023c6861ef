"""Stages run one task after the other in this process, by DuckDB over Arrow tables: what a cluster's runner must do."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

import duckdb
import pyarrow as pa

from luma_bench.plan.cluster.stages import (
    Feed,
    Hashed,
    Ranged,
    RowsFeed,
    Stage,
    StageFeed,
    TableFeed,
    TaskReport,
    Whole,
)
from luma_bench.types.predicate import Predicate
from luma_bench.types.record import NodeRecord
from luma_bench.types.scan import ScanCounters, ScanPart, ScanSource


@dataclass(frozen=True, slots=True)
class RowsPart:
    """Rows of a table as a part of it."""

    table: pa.Table = field(repr=False)

    @property
    def rows(self) -> int:
        return self.table.num_rows

    @property
    def nbytes(self) -> int:
        return self.table.nbytes

    def open(self) -> ScanSource:
        return RowsSource("part", self.table)


@dataclass(frozen=True, slots=True)
class RowsSource:
    """A table in memory that splits into parts of given ends; `parts` None splits as asked."""

    name: str
    table: pa.Table = field(repr=False)
    cuts: tuple[int, ...] | None = None

    @property
    def schema(self) -> pa.Schema:
        return self.table.schema

    def rows(self) -> int:
        return self.table.num_rows

    def accepts(self, predicate: Predicate) -> bool:
        return False

    def stream(
        self, columns: Sequence[int] | None, predicates: Sequence[Predicate], counters: ScanCounters
    ) -> pa.RecordBatchReader:
        chosen = self.table if columns is None else self.table.select(list(columns))
        return chosen.to_reader()

    @property
    def undivided(self) -> str | None:
        return None

    def split(
        self,
        parts: int,
        columns: Sequence[int] | None = None,
        predicates: Sequence[Predicate] = (),
        counters: ScanCounters | None = None,
    ) -> Sequence[ScanPart]:
        rows = self.table.num_rows
        cuts = self.cuts
        if cuts is None:
            cuts = tuple(rows * at // parts for at in range(1, parts)) if rows else ()
        edges = (0, *cuts, rows)
        if rows == 0 and self.cuts is None:
            return ()
        return [RowsPart(self.table.slice(at, to - at)) for at, to in itertools.pairwise(edges)]


@dataclass(slots=True)
class LocalHandle:
    """A stage that has run: by task and bucket its rows."""

    stage: Stage
    rows: list[list[pa.Table]] = field(repr=False)
    elapsed: list[float]
    released: bool = False

    def reports(self) -> Sequence[TaskReport]:
        return [
            TaskReport(
                tuple(part.num_rows for part in buckets), tuple(part.nbytes for part in buckets), seconds
            )
            for buckets, seconds in zip(self.rows, self.elapsed, strict=True)
        ]


class LocalRunner:
    """A `StageRunner` that checks what it is asked; `slots` is what it says of itself."""

    def __init__(self, slots: int = 2, threads: int = 1) -> None:
        self.slots = slots
        self.handles: list[LocalHandle] = []
        self._con = duckdb.connect()
        self._con.execute(f"SET arrow_lossless_conversion=true; SET TimeZone='UTC'; SET threads={threads}")

    def submit(self, stage: Stage) -> LocalHandle:
        assert stage.number == len(self.handles)
        assert stage.tasks >= 1
        names = [feed.name.casefold() for feed in stage.feeds]
        assert len(names) == len(set(names))
        rows: list[list[pa.Table]] = []
        elapsed: list[float] = []
        for task in range(stage.tasks):
            began = time.perf_counter()
            made = self._task(stage, task)
            rows.append(self._spread(made, stage))
            elapsed.append(time.perf_counter() - began)
        handle = LocalHandle(stage, rows, elapsed)
        self.handles.append(handle)
        return handle

    def fetch(self, handle: LocalHandle) -> Iterator[pa.Table]:
        assert isinstance(handle.stage.output, Whole)
        assert not handle.released
        for buckets in handle.rows:
            yield buckets[0]

    def release(self, handle: LocalHandle) -> None:
        handle.released = True

    def nodes(self) -> Sequence[NodeRecord]:
        return [
            NodeRecord(
                handle.stage.purpose,
                "local",
                handle.stage.rows_estimated,
                sum(sum(report.rows) for report in handle.reports()),
                sum(sum(report.nbytes) for report in handle.reports()),
                sum(handle.elapsed),
                "; ".join(handle.stage.notes),
            )
            for handle in self.handles
        ]

    def close(self) -> None:
        self._con.close()

    def _task(self, stage: Stage, task: int) -> pa.Table:
        names: list[str] = []
        try:
            for feed in stage.feeds:
                self._con.register(feed.name, self._fed(feed, stage, task))
                names.append(feed.name)
            return self._con.sql(stage.sql).to_arrow_table()
        finally:
            for name in names:
                self._con.unregister(name)

    def _fed(self, feed: Feed, stage: Stage, task: int) -> pa.Table:
        match feed:
            case TableFeed():
                chosen: Sequence[int] = range(len(feed.parts))
                if not feed.whole:
                    assert feed.groups is None or len(feed.groups) == stage.tasks
                    assert feed.groups is not None or len(feed.parts) == stage.tasks
                    chosen = (task,) if feed.groups is None else feed.groups[task]
                read = [_read(feed.parts[at]) for at in chosen]
                return pa.concat_tables(read) if read else feed.parts[0].open().schema.empty_table()
            case RowsFeed():
                if feed.whole:
                    return feed.rows
                start, stop = (feed.rows.num_rows * at // stage.tasks for at in (task, task + 1))
                return feed.rows.slice(start, stop - start)
            case StageFeed():
                return self._staged(feed, stage, task)

    def _staged(self, feed: StageFeed, stage: Stage, task: int) -> pa.Table:
        made = self.handles[feed.stage]
        assert not made.released
        every = [part for buckets in made.rows for part in buckets]
        schema = every[0].schema
        if feed.take == "all":
            return pa.concat_tables(every)
        if feed.take == "part":
            assert feed.groups is None or len(feed.groups) == stage.tasks
            assert feed.groups is not None or made.stage.tasks == stage.tasks
            tasks = (task,) if feed.groups is None else feed.groups[task]
            chosen = [part for at in tasks for part in made.rows[at]]
            return pa.concat_tables([schema.empty_table(), *chosen])
        groups = feed.groups or tuple((at,) for at in range(stage.tasks))
        assert len(groups) == stage.tasks
        chosen = [buckets[at] for at in groups[task] for buckets in made.rows]
        rows = pa.concat_tables([schema.empty_table(), *chosen])
        if feed.slices is None:
            return rows
        which, of = feed.slices[task]
        start, stop = (rows.num_rows * at // of for at in (which, which + 1))
        return rows.slice(start, stop - start)

    def _spread(self, rows: pa.Table, stage: Stage) -> list[pa.Table]:
        match stage.output:
            case Whole():
                return [rows]
            case Hashed(keys, buckets):
                with_bucket = self._over(
                    rows, f"SELECT (hash({', '.join(keys)}) % {buckets})::INTEGER FROM _rows"
                )
            case Ranged():
                buckets = stage.output.buckets
                with_bucket = self._over(rows, self._ranged_sql(stage.output))
        bucket = with_bucket.column(0).combine_chunks()
        indices = bucket.to_numpy(zero_copy_only=False)
        return [rows.take(pa.array((indices == at).nonzero()[0])) for at in range(buckets)]

    def _over(self, rows: pa.Table, sql: str) -> pa.Table:
        self._con.register("_rows", rows)
        try:
            return self._con.sql(sql).to_arrow_table()
        finally:
            self._con.unregister("_rows")
            self._con.unregister("_edges")

    def _ranged_sql(self, output: Ranged) -> str:
        """By row the borders that sort no later than it, counted in the common order of both."""
        self._con.register("_edges", output.edges)
        mine = ", ".join(f"c{at} AS k{place}" for place, (at, _, _) in enumerate(output.keys))
        edges = ", ".join(f'"{name}" AS k{place}' for place, name in enumerate(output.edges.column_names))
        order = ", ".join(
            f"k{place} {'DESC' if down else 'ASC'} NULLS {'FIRST' if first else 'LAST'}"
            for place, (_, down, first) in enumerate(output.keys)
        )
        return (
            f"SELECT b::INTEGER FROM (SELECT place, sum(edge) OVER (ORDER BY {order}, edge DESC, place "
            f"ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS b, edge FROM ("
            f"SELECT {mine}, 0 AS edge, row_number() OVER () AS place FROM _rows UNION ALL "
            f"SELECT {edges}, 1, 0 FROM _edges)) WHERE edge = 0 ORDER BY place"
        )


def _read(part: ScanPart) -> pa.Table:
    return cast("pa.Table", part.open().stream(None, (), ScanCounters()).read_all())
