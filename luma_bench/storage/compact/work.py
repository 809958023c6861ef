"""Compacting a bench: its tables one after the other, then the retention and the collection of what is no longer needed."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy import bindparam, insert, select, update

from luma_bench.config import Settings, duration_seconds
from luma_bench.errors import CancelledError
from luma_bench.storage.catalog import Catalog, ResolvedSnapshot
from luma_bench.storage.catalog.tables import COUNTER
from luma_bench.storage.collect import collect
from luma_bench.storage.compact.parts import parts_of
from luma_bench.storage.compact.plan import Job, Part, plan_all, plan_next, plan_tail
from luma_bench.storage.compact.report import CompactReport, TableReport, combined
from luma_bench.storage.compact.retention import Expired, expire
from luma_bench.storage.compact.run import Done, Tools, run_job
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.write import range_keys
from luma_bench.types.rules import RowRules
from luma_bench.types.schema import TableSchema

CompactProgress = Callable[[int, int | None], None]
"""Called with the rows that were written and those that will be in all, as far as that is known."""

_ROUNDS = 8
"""Plans for one table: the tail, then merges that each make fewer runs overlap, or meet other writers."""

_COUNT = select(COUNTER.c.value).where(COUNTER.c.name == bindparam("n"))
_ADD = (
    update(COUNTER).where(COUNTER.c.name == bindparam("n")).values(value=COUNTER.c.value + bindparam("more"))
)


def compact_store(
    catalog: Catalog,
    pool: BufferPool,
    settings: Settings,
    *,
    table: str | None = None,
    retention: str | float | None = None,
    full: bool = True,
    pinned: Callable[[], Collection[int]] = tuple,
    progress: CompactProgress | None = None,
    stop: threading.Event | None = None,
    warnings: Sequence[str] = (),
    now: dt.datetime | None = None,
    rules: RowRules | None = None,
) -> CompactReport:
    """Compact one table or all, then collect.

    Parameters
    ----------
    retention
        For how long snapshots are kept; None for the bench's setting.
    full
        True makes each table one sorted run without deleted rows; False does what is due.
    pinned
        Gives the snapshots that this process reads.
    stop
        Ends the work when it is set: what is committed stays, the rest leaves nothing.
    warnings
        What the report shall say too.
    now
        What the tables' own retention of rows takes for the present, with its zone; None for the clock.
    rules
        What checks constraints where that deletes rows that others refer to.

    Raises
    ------
    CatalogError
        There is no such table.
    CancelledError
        `stop` was set.
    LumaError
        A part is damaged, or the catalog cannot be written.
    """
    started = time.monotonic()
    keep = settings.retention_seconds if retention is None else duration_seconds(retention)
    done = compact_tables(
        catalog, pool, settings, table=table, full=full, progress=progress, stop=stop, now=now, rules=rules
    )
    found = collect(catalog, retention=keep, pinned=pinned(), stop=_stopper(stop))
    return CompactReport(done, found, time.monotonic() - started, (*warnings, *found.problems))


def compact_tables(
    catalog: Catalog,
    pool: BufferPool,
    settings: Settings,
    *,
    table: str | None = None,
    full: bool = True,
    progress: CompactProgress | None = None,
    stop: threading.Event | None = None,
    now: dt.datetime | None = None,
    rules: RowRules | None = None,
) -> tuple[TableReport, ...]:
    """Compact one table or all, and collect nothing; see `compact_store`."""
    moment = dt.datetime.now(dt.UTC) if now is None else now
    base = catalog.resolve_head()
    wanted = [base.find(table)] if table is not None else list(base.tables.values())
    encoding = settings if full else replace(settings, threads=1)
    tools = Tools(catalog, pool, encoding, settings.effective_author, full, _stopper(stop), rules)
    count = _Progress(progress)
    return combined([_Table(tools, schema, full, count, moment).run() for schema in wanted])


def _stopper(stop: threading.Event | None) -> Callable[[], None]:
    def check() -> None:
        if stop is not None and stop.is_set():
            raise CancelledError(
                "The compaction was cancelled; what it had committed stays.", hint="Run it again to go on."
            )

    return check


class _Progress:
    """Rows over all jobs of all tables."""

    def __init__(self, report: CompactProgress | None) -> None:
        self._report = report
        self._done = self._total = 0

    def planned(self, rows: int) -> None:
        self._total += rows
        self.advance(0)

    def advance(self, rows: int) -> None:
        self._done += rows
        if self._report is not None:
            self._report(self._done, self._total)


@dataclass(slots=True)
class _Table:
    """The compaction of one table, in rounds: plan on the newest snapshot, run the jobs, plan again."""

    tools: Tools
    schema: TableSchema
    full: bool
    progress: _Progress
    now: dt.datetime

    def run(self) -> TableReport:
        started = time.monotonic()
        gone = Expired()
        if self.schema.settings.retention is not None:
            self.tools.stop()
            gone = expire(self.tools, self.schema, self.now, lazily=not self.full)
        before = self._parts(self.tools.catalog.resolve_head())
        report = TableReport(self.schema.name, _count(before), _count(before))
        done = self._round(lambda parts: [job for job in [plan_tail(parts, full=self.full)] if job])
        for _ in range(_ROUNDS):
            more = self._round(self._plan)
            done += more
            if not any(item.snapshot is not None for item in more):
                break
        after = self._parts(self.tools.catalog.resolve_head())
        return replace(
            report,
            parts_after=_count(after),
            rows=sum(item.rows for item in done),
            dropped=sum(item.dropped for item in done),
            bytes_read=sum(item.bytes_read for item in done),
            bytes_written=sum(item.bytes_written for item in done),
            write_amplification=self._amplification(after),
            seconds=time.monotonic() - started,
            skipped=tuple(
                dict.fromkeys(why for why in (gone.skipped, *(item.skipped for item in done)) if why)
            ),
            expired=gone.rows,
            expired_segments=gone.segments,
        )

    def _plan(self, parts: Sequence[Part]) -> list[Job]:
        plan = plan_all if self.full else plan_next
        target = self.tools.settings.shard_rows
        return plan(parts, target, touching=len(range_keys(self.schema.settings)) > 1)

    def _round(self, plan: Callable[[Sequence[Part]], list[Job]]) -> list[Done]:
        self.tools.stop()
        base = self.tools.catalog.resolve_head()
        jobs = plan(self._parts(base))
        for job in jobs:
            self.progress.planned(job.live_rows)
        done: list[Done] = []
        for job in jobs:
            done.append(run_job(self.tools, base, self.schema, job, self.progress.advance))
            if done[-1].snapshot is not None:
                self._note(job, done[-1])
        return done

    def _parts(self, base: ResolvedSnapshot) -> list[Part]:
        """The parts at a snapshot; none when the table was dropped meanwhile."""
        found = next((item for item in base.tables.values() if item.id == self.schema.id), None)
        if found is None:
            return []
        self.schema = found
        return parts_of(self.tools.catalog, base, found)

    def _note(self, job: Job, done: Done) -> None:
        """Count what the compaction took in for the first time, and what it wrote."""
        fresh = sum(part.nbytes for part in job.parts if part.level == 0)
        added = {self._name("fresh"): fresh, self._name("compacted"): done.bytes_written}

        def write(connection: sa.Connection) -> None:
            for name, more in added.items():
                if not connection.execute(_ADD, {"n": name, "more": more}).rowcount:
                    connection.execute(insert(COUNTER), {"name": name, "value": more})

        self.tools.catalog.write(write)

    def _amplification(self, parts: Sequence[Part]) -> float:
        def read(connection: sa.Connection) -> tuple[int, int]:
            names = (self._name("fresh"), self._name("compacted"))
            fresh, written = (connection.execute(_COUNT, {"n": name}).scalar() or 0 for name in names)
            return fresh, written

        fresh, written = self.tools.catalog.read(read)
        fresh += sum(part.nbytes for part in parts if part.level == 0)
        return written / fresh if fresh else 0.0

    def _name(self, what: str) -> str:
        return f"{what}:{self.schema.id}"


def _count(parts: Sequence[Part]) -> int:
    """Segments, and the inline tail as one more."""
    return sum(not part.inline for part in parts) + any(part.inline for part in parts)
