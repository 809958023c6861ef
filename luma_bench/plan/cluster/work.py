"""One run of a program: numbers and names stages, hands them over, and knows what came of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from luma_bench.plan.cluster.estimates import row_bytes, size_text
from luma_bench.plan.cluster.pending import Pending, Together, renamed
from luma_bench.plan.cluster.settings import ClusterSettings
from luma_bench.plan.cluster.stages import (
    Feed,
    Handle,
    Output,
    RowsFeed,
    Stage,
    StageFeed,
    StageRunner,
    TableFeed,
    TaskReport,
    Whole,
)
from luma_bench.plan.relational.expressions import Column, Expression, Sql
from luma_bench.plan.relational.nodes import Node, Project, Scan
from luma_bench.plan.relational.to_duck import node_sql
from luma_bench.plan.relational.typing import Typer
from luma_bench.types.scan import ScanSource

_PLAIN = re.compile(
    r"(?:TINYINT|SMALLINT|INTEGER|BIGINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|FLOAT|DOUBLE|VARCHAR|BOOLEAN|DATE|TIMESTAMP|BLOB"
    r"|DECIMAL\(\d+,\s*\d+\))"
)
"""SQL types that Arrow gives back as they are."""
_NOT_WORD = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(slots=True)
class Made:
    """A stage that was handed over, and what its rows are."""

    handle: Handle
    types: tuple[str, ...]
    rows: float
    kept: float
    purpose: tuple[str, ...]
    together: Together
    _reports: Sequence[TaskReport] | None = field(default=None, repr=False)
    _sizes: tuple[int, ...] = ()

    @property
    def stage(self) -> Stage:
        """What it is."""
        return self.handle.stage

    @property
    def expected_bytes(self) -> float:
        """What its rows take: measured where it is done, else expected."""
        return self.nbytes if self._reports is not None else self.rows * row_bytes(self.types)

    def reports(self) -> Sequence[TaskReport]:
        """What its tasks did; waits for them."""
        if self._reports is None:
            self._reports, expected = self.handle.reports(), self.rows
            # Thousands of tasks times thousands of buckets: added up once, as arrays.
            self.rows = float(_added(report.rows for report in self._reports).sum())
            self._sizes = tuple(int(size) for size in _added(report.nbytes for report in self._reports))
            self.kept = min(1.0, self.kept * self.rows / expected) if expected else self.kept
        return self._reports

    @property
    def nbytes(self) -> int:
        """What its rows take, measured; waits for it."""
        self.reports()
        return sum(self._sizes)

    def bucket_sizes(self) -> tuple[int, ...]:
        """The bytes of each bucket, over all tasks; waits for them."""
        self.reports()
        return self._sizes


class Work:
    """The stages of one run. Not thread-safe: one run is planned by one thread.

    Parameters
    ----------
    tables
        By the name that scans use: a source that can be split, or rows in memory.
    """

    def __init__(
        self,
        tables: Mapping[str, ScanSource | pa.Table],
        runner: StageRunner,
        typer: Typer,
        settings: ClusterSettings,
    ) -> None:
        self.tables = tables
        self.runner = runner
        self.typer = typer
        self.settings = settings
        self.shared: dict[str, Made] = {}
        self.planned: dict[str, Pending] = {}
        self._made: list[Made] = []
        self._names: set[str] = set()

    @property
    def slots(self) -> int:
        """How many tasks run at the same time."""
        return max(1, self.runner.slots)

    def name(self, base: str) -> str:
        """A name for a feed that no other feed of the run has, in any case of letters."""
        word = _NOT_WORD.sub("_", base) or "rows"
        found, tried = word, 1
        while found.casefold() in self._names:
            tried += 1
            found = f"{word}_{tried}"
        self._names.add(found.casefold())
        return found

    def types(self, pending: Pending) -> tuple[str, ...]:
        """The SQL types of a fragment's columns."""
        return self.node_types(pending.body, pending.scans)

    def node_types(self, node: Node, scans: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
        """The SQL types of a node's columns."""
        return tuple(self.typer.node_types(node, scans))

    def expected_bytes(self, pending: Pending) -> float:
        """What the fragment's rows are expected to take."""
        return pending.rows * row_bytes(self.types(pending))

    def submit(self, pending: Pending, output: Output | None = None) -> Made:
        """Hand a fragment over as a stage; it runs as soon as what feeds it allows."""
        types = self.types(pending)
        stage = Stage(
            number=len(self._made),
            sql=node_sql(pending.body),
            feeds=pending.feeds,
            tasks=pending.tasks,
            output=output or Whole(),
            purpose=", ".join(pending.purpose),
            rows_estimated=round(pending.rows),
            notes=pending.notes,
        )
        made = Made(
            self.runner.submit(stage),
            types,
            pending.rows,
            pending.kept,
            pending.purpose,
            pending.together,
        )
        self._made.append(made)
        return made

    def read(self, made: Made, feed: StageFeed, tasks: int, together: Together = frozenset()) -> Pending:
        """The rows of a stage as the start of another fragment."""
        columns = tuple(f"c{at}" for at in range(len(made.types)))
        scan = Scan(feed.name, columns)
        casts = tuple(_restored(at, kind) for at, kind in enumerate(made.types))
        body: Node = scan if all(isinstance(part, Column) for part in casts) else Project(scan, casts)
        return Pending(
            body=body,
            feeds=(feed,),
            tasks=tasks,
            scans={feed.name: dict(zip(columns, made.types, strict=True))},
            rows=made.rows,
            kept=made.kept,
            together=together,
            purpose=(),
        )

    def whole(self, made: Made, tasks: int = 1) -> Pending:
        """All rows of a stage for every task."""
        return self.read(made, StageFeed(self.name(f"s{made.stage.number}"), made.stage.number, "all"), tasks)

    def parts(self, made: Made) -> Pending:
        """The rows of a stage, by the tasks that made them."""
        feed = StageFeed(self.name(f"s{made.stage.number}"), made.stage.number, "part")
        return self.read(made, feed, made.stage.tasks, made.together)

    def rest(self, made: Made) -> Pending:
        """The rows of a stage that is done, for more to be made of: with one task when they are few."""
        return self.whole(made) if made.nbytes <= self.settings.inline_bytes else self.parts(made)

    def share_out(self, made: Made, base: str) -> str:
        """A name under which scans read a stage's rows as a shared part."""
        name = f"{base} {made.stage.number}"
        self.shared[name] = made
        return name

    def stand_in(self, pending: Pending) -> Scan:
        """A node for a fragment that is planned already, to stand in a plan that is not."""
        name = f"planned {len(self.planned)}"
        self.planned[name] = pending
        return Scan(name, tuple(f"c{at}" for at in range(pending.width)), shared=True)

    def gathered(self, pending: Pending, why: str) -> Pending:
        """The rows with one task."""
        if pending.tasks == 1:
            return pending
        return self.whole(self.submit(pending)).doing("gather").noted(f"one task: {why}")

    def read_bytes(self, pending: Pending) -> float:
        """What a task would read that made the whole fragment alone."""
        return sum(self._feed_bytes(feed) for feed in pending.feeds)

    def can_repeat(self, pending: Pending) -> bool:
        """Whether every task of another fragment could make all the rows itself."""
        return pending.tasks == 1 or pending.rowwise

    def worth_repeating(self, pending: Pending) -> bool:
        """Whether making all the rows in every task of another fragment costs less than a stage of their own."""
        if not self.can_repeat(pending):
            return False
        nbytes = self.read_bytes(pending)
        there = all(isinstance(feed, StageFeed) for feed in pending.feeds) and pending.rowwise
        return nbytes <= (self.settings.broadcast_bytes if there else self.settings.inline_bytes)

    def repeated(self, pending: Pending) -> Pending:
        """The fragment with everything it reads whole, for every task of another one to make.

        What it reads has names of its own, so that it may stand in a fragment beside the one that it was made from.
        """
        names = {feed.name: self.name(feed.name) for feed in pending.feeds}
        return replace(
            pending,
            body=renamed(pending.body, names),
            feeds=tuple(replace(_whole(feed), name=names[feed.name]) for feed in pending.feeds),
            scans={names[name]: kinds for name, kinds in pending.scans.items()},
            tasks=1,
        )

    def release_all(self) -> None:
        """Nobody reads any stage's rows any more."""
        for made in self._made:
            self.runner.release(made.handle)

    def sizes(self, made: Made) -> str:
        """What a finished stage made, for notes."""
        return f"{round(made.rows):,} rows, {size_text(made.nbytes)}"

    def _feed_bytes(self, feed: Feed) -> float:
        match feed:
            case TableFeed():
                return sum(part.nbytes for part in feed.parts)
            case RowsFeed():
                return feed.rows.nbytes
            case StageFeed():
                return self._made[feed.stage].expected_bytes


def _added(counts: Iterable[Sequence[int]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The sums by bucket of what tasks counted."""
    total: np.ndarray[Any, np.dtype[np.int64]] | None = None
    for one in counts:
        mine = np.asarray(one, np.int64)
        total = mine.copy() if total is None else np.add(total, mine, out=total)
    return np.zeros(1, np.int64) if total is None else total


def _whole(feed: Feed) -> Feed:
    match feed:
        case TableFeed():
            return replace(feed, whole=True, groups=None)
        case RowsFeed():
            return replace(feed, whole=True)
        case StageFeed():
            return replace(feed, take="all", groups=None, slices=None)


def _restored(at: int, kind: str) -> Expression:
    """A column of a stage's rows in the type that it had: Arrow does not know each of DuckDB's."""
    if _PLAIN.fullmatch(kind):
        return Column(at)
    return Sql(("CAST(", f" AS {kind})"), (Column(at),))
