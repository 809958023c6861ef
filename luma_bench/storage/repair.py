"""Repairing a bench: what a check finds wrong is put right, as far as the data itself is whole.

Rows are never invented and nothing is thrown away: a segment is written anew from its own rows only when every one of them
can be read, takes the old one's place in all snapshots in one SQL transaction, and the old file goes with the next
collection; files that nobody needs are moved to `lost+found`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import bindparam, delete, select, update

from luma_bench.config import Settings
from luma_bench.errors import CancelledError, LumaError
from luma_bench.storage.catalog import Catalog, retire
from luma_bench.storage.catalog.inventory import Inventory, SegmentRow, take_inventory
from luma_bench.storage.catalog.retire import WRITERS, Owned
from luma_bench.storage.catalog.tables import INDEX_GENERATION, SEGMENT
from luma_bench.storage.check import CheckReport, Problem, Progress, check_store
from luma_bench.storage.check_segment import ref_of
from luma_bench.storage.collect import collect
from luma_bench.storage.repair_rewrite import rewrite_segment
from luma_bench.storage.segment import Segment
from luma_bench.storage.segment_write import sync_folder
from luma_bench.storage.statistics import to_bytes

LOST = "lost+found"
_ULID = bindparam("u", type_=sa.Text)
_SET_STATS = update(SEGMENT).where(SEGMENT.c.ulid == _ULID).values(stats=bindparam("data"))
_DROP_INDEX = delete(INDEX_GENERATION).where(INDEX_GENERATION.c.ulid == _ULID)
_INDEX_TABLE = select(INDEX_GENERATION.c.table_id).where(INDEX_GENERATION.c.ulid == _ULID)
_REWRITABLE = frozenset({"metadata", "keys", "zones"})

Outcome = Literal["planned", "done", "failed"]


@dataclass(frozen=True, slots=True)
class RepairStep:
    """One thing that repair does: what, and whether it did it; `problem` says why it failed."""

    text: str
    outcome: Outcome = "planned"
    problem: str = ""

    def __str__(self) -> str:
        told = {"planned": "would", "done": "done", "failed": "failed"}[self.outcome]
        return f"{told}: {self.text}" + (f" ({self.problem})" if self.problem else "")


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What repair did, or would do.

    Attributes
    ----------
    steps
        What was done, in order.
    left
        Problems that cannot be repaired here: damaged values, lost files. Restore these from a copy of the bench.
    dry_run
        Whether nothing was done.
    """

    steps: tuple[RepairStep, ...]
    left: tuple[Problem, ...]
    dry_run: bool

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, or nothing will be after the steps."""
        return not self.left and not any(step.outcome == "failed" for step in self.steps)

    def __str__(self) -> str:
        if not self.steps and not self.left:
            return "Nothing to repair."
        lines = [str(step) for step in self.steps]
        lines += [f"cannot be repaired: {problem.text}" for problem in self.left]
        if self.dry_run and self.steps:
            lines.append(f"{len(self.steps)} steps; nothing was changed: this was a dry run.")
        return "\n".join(lines)


def repair_store(
    catalog: Catalog,
    settings: Settings,
    *,
    dry_run: bool = True,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> RepairReport:
    """Check everything and repair what can be.

    Parameters
    ----------
    progress
        Of the check; see `check_store`.

    Raises
    ------
    CancelledError
        `stop` was set; steps that were done stay.
    """
    stop = stop or threading.Event()
    threads = settings.effective_threads
    before = check_store(catalog, progress, threads=threads, stop=stop)
    work = _Repair(catalog, settings, before)
    steps: list[RepairStep] = []
    for text, act in work.plan():
        if stop.is_set():
            raise CancelledError("The repair was cancelled; the steps that were done stay.")
        steps.append(RepairStep(text) if dry_run else _done(text, act))
    if dry_run or not steps:
        left = tuple(item for item in before.problems if item not in work.handled)
    else:
        catalog.forget()
        left = check_store(catalog, threads=threads, stop=stop).problems
    return RepairReport(tuple(steps), left, dry_run)


Act = Callable[[], None]


def _done(text: str, act: Act) -> RepairStep:
    try:
        act()
    except (LumaError, OSError) as error:
        return RepairStep(text, "failed", str(error).partition("\n")[0])
    return RepairStep(text, "done")


class _Repair:
    """The steps that follow from one check."""

    def __init__(self, catalog: Catalog, settings: Settings, found: CheckReport) -> None:
        self.handled: set[Problem] = set()
        self._catalog = catalog
        self._settings = settings
        self._found = found

    def plan(self) -> list[tuple[str, Act]]:
        """What to do, in order: nothing here has been done yet."""
        if any(problem.segment == "catalog.sqlite" for problem in self._found.problems):
            return []  # without a catalog that can be read nothing is known
        inventory = self._catalog.read(take_inventory)
        steps: list[tuple[str, Act]] = []
        steps += self._segments(inventory)
        steps += self._indexes()
        steps += self._files()
        if any(note.kind in ("lease", "pending") for note in self._found.notes):
            steps.append(("take dead leases away and finish the collection that was begun", self._collect))
        return steps

    def _segments(self, inventory: Inventory) -> list[tuple[str, Act]]:
        rows = {row.ulid: row for row in inventory.segments}
        steps: list[tuple[str, Act]] = []
        by_segment: dict[str, list[Problem]] = {}
        for problem in self._found.problems:
            if problem.segment in rows:
                by_segment.setdefault(problem.segment, []).append(problem)
        for ulid, problems in by_segment.items():
            kinds = {problem.kind for problem in problems}
            row = rows[ulid]
            if kinds <= {"statistics"}:
                text = f"compute the statistics of segment {ulid} anew from its file"
                steps.append((text, lambda row=row: self._statistics(row)))
            elif kinds <= _REWRITABLE | {"statistics"}:
                why = ", ".join(sorted(kinds - {"statistics"}))
                text = f"write segment {ulid} anew from its rows, which are whole (wrong: {why})"
                steps.append((text, lambda row=row: self._rewrite(inventory, row)))
            else:
                continue
            self.handled.update(problems)
        return steps

    def _statistics(self, row: SegmentRow) -> None:
        data = to_bytes(Segment.open(ref_of(self._catalog.folder, row)).statistics())
        self._catalog.write(lambda connection: connection.execute(_SET_STATS, {"u": row.ulid, "data": data}))

    def _rewrite(self, inventory: Inventory, row: SegmentRow) -> None:
        rewrite_segment(self._catalog, self._settings, inventory, row)

    def _indexes(self) -> list[tuple[str, Act]]:
        broken = {problem.segment: problem for problem in self._found.problems if problem.kind == "index"}
        self.handled.update(problem for problem in self._found.problems if problem.kind == "index")
        return [
            (
                f"drop the damaged index {ulid}, which is built again when it is needed",
                lambda ulid=ulid: self._drop(ulid),
            )
            for ulid in broken
        ]

    def _drop(self, ulid: str) -> None:
        def write(connection: sa.Connection) -> None:
            table_id = connection.execute(_INDEX_TABLE, {"u": ulid}).scalar()
            if table_id is not None:
                connection.execute(_DROP_INDEX, {"u": ulid})
                retire.doom(connection, [Owned(ulid, table_id)], time.time_ns() // 1000)

        self._catalog.write(write)

    def _files(self) -> list[tuple[str, Act]]:
        """Files that nobody needs; none while a writer is alive, because one of them may be its own."""
        if any(lease.kind in WRITERS for lease in self._catalog.leases()):
            return []
        steps: list[tuple[str, Act]] = []
        for note in self._found.notes:
            if note.kind not in ("orphan", "foreign") or note.path is None:
                continue
            path = self._catalog.folder / note.path
            text = f"move {note.path} to {LOST}"
            steps.append((text, lambda path=path, name=note.segment: self._move(path, name)))
        return steps

    def _move(self, path: Path, ulid: str) -> None:
        if self._catalog.listed_segments([ulid]):
            return  # a writer committed it after all
        target = self._catalog.folder / LOST / path.relative_to(self._catalog.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        sync_folder(target.parent)
        sync_folder(path.parent)

    def _collect(self) -> None:
        collect(self._catalog, retention=float("inf"))
