"""Verifying a whole bench: files, checksums, zone maps, keys, inline rows, deletions, indexes, and what the catalog promises."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import sqlalchemy as sa

from luma_bench.errors import CancelledError, CatalogError, CorruptionError
from luma_bench.storage.catalog import Catalog
from luma_bench.storage.catalog.database import FILE
from luma_bench.storage.catalog.invariants import damage, pending, violations
from luma_bench.storage.catalog.inventory import BadDefinition, take_inventory
from luma_bench.storage.catalog.snapshot import fetch_bytes
from luma_bench.storage.catalog.tables import DELETION, DOOMED
from luma_bench.storage.check_keys import check_unique
from luma_bench.storage.check_parts import check_blob, check_deletions, check_row_ids
from luma_bench.storage.check_report import CheckReport, Kind, Problem
from luma_bench.storage.check_segment import check_segment
from luma_bench.storage.index_files import index_folder, verify_index
from luma_bench.storage.ulid import ALPHABET
from luma_bench.types.schema import TableSchema

__all__ = ["CheckReport", "Problem", "Progress", "check_store"]

Progress = Callable[[int, int], None]
SUFFIX = ".zarr.zip"


def check_store(
    catalog: Catalog,
    progress: Progress | None = None,
    *,
    deep: bool = True,
    threads: int = 1,
    stop: threading.Event | None = None,
) -> CheckReport:
    """Verify everything that any kept snapshot shows.

    Parameters
    ----------
    progress
        Called with how many parts are done and how many there are; what it raises ends the check.
    deep
        Whether every byte and value is read. Else the catalog, its blobs and deletions, and of each segment the size,
        the end, the index with its checksum and the catalog's statistics: a changed byte inside a chunk is not seen.
    threads
        Segments that are read at once.
    stop
        Ends the check when it is set.

    Raises
    ------
    CancelledError
        `stop` was set.
    """
    started = time.monotonic()
    try:
        check = _Check(catalog, deep=deep, stop=stop or threading.Event())
        problems, tasks = check.catalog(), list(check.tasks())
    except TypeError:
        # A damaged row may hold anything where a number belongs.
        text = "The catalog is damaged: a row holds a value of another kind than its column's."
        return CheckReport((Problem(FILE, None, None, text),), (), 0, 0, deep=deep)
    except (CorruptionError, CatalogError) as error:
        # A catalog that cannot be read is what the check found.
        return CheckReport((Problem(FILE, None, None, error.message),), (), 0, 0, deep=deep)
    done = 1
    if progress is not None:
        progress(done, len(tasks) + 1)
    with ThreadPoolExecutor(max(1, threads), thread_name_prefix="luma-check") as executor:
        waiting: deque[Future[list[Problem]]] = deque()
        rest = iter(tasks)
        try:
            # Only so many are under way that what they found and hold stays small.
            for task in rest:
                waiting.append(executor.submit(_guarded, task))
                if len(waiting) >= 2 * threads:
                    break
            while waiting:
                problems += waiting.popleft().result()
                done += 1
                if progress is not None:
                    progress(done, len(tasks) + 1)
                if (task := next(rest, None)) is not None:
                    waiting.append(executor.submit(_guarded, task))
        except BaseException:
            check.stop.set()
            for future in waiting:
                future.cancel()
            raise
    report = check.report(problems)
    return replace(report, seconds=time.monotonic() - started)


Task = Callable[[], list[Problem]]


def _guarded(task: Task) -> list[Problem]:
    """What a task finds; a catalog that cannot be read on the way is a finding too."""
    try:
        return task()
    except (CorruptionError, CatalogError) as error:
        return [Problem("", None, None, error.message)]


class _Check:
    """One check: what the catalog lists, and the work that follows from it."""

    def __init__(self, catalog: Catalog, *, deep: bool, stop: threading.Event) -> None:
        self.stop = stop
        self._catalog = catalog
        self._deep = deep
        self._damage = catalog.read(damage) if deep else []
        self._inventory = catalog.read(take_inventory)

    def catalog(self) -> list[Problem]:
        """What is wrong with the catalog's own rows."""
        texts = [*self._damage, *violations(self._inventory)]
        return [Problem("", None, None, text) for text in texts]

    def tasks(self) -> Iterator[Task]:
        """A task for each part and index, and two for each table."""
        inventory, folder, deep = self._inventory, self._catalog.folder, self._deep
        for row in inventory.segments:
            schema = self._schema(row.table_id, row.begin, row.end)
            if schema is not None:
                yield lambda row=row, schema=schema: check_segment(
                    folder, row, schema, deep=deep, stop=self._go_on
                )
            else:
                yield list
        for blob in inventory.blobs:
            schema = self._schema(blob.table_id, blob.ref.begin, blob.end)
            if schema is not None:
                yield lambda blob=blob, schema=schema: check_blob(
                    blob, schema, self._catalog.blobs, deep=deep
                )
            else:
                yield list
        lives = inventory.part_lives()
        for part, rows in groupby(inventory.deletions, lambda row: row.ref.part):
            if part in lives:
                held = list(rows)
                yield lambda held=held, part=part: check_deletions(held, lives[part][1], self._deletions)
        for index in inventory.indexes:
            place = index_folder(folder, index.table_id, index.index_id, index.ulid)
            yield lambda index=index, place=place: [
                Problem.of(error, "index", index.table_id)
                for error in verify_index(place, index.manifest_sha256, deep=deep)
            ]
        if deep:
            for table_id in sorted(inventory.counters):
                yield lambda table_id=table_id: list(check_row_ids(folder, inventory, table_id, self._go_on))
                yield lambda table_id=table_id: self._unique(table_id)

    def report(self, problems: list[Problem]) -> CheckReport:
        """The report, with what is lying about; what was collected while the check ran is no problem."""
        named = [item.segment for item in problems if item.kind in ("file", "chunk", "metadata")]
        gone = set(named) - self._catalog.listed_segments(named) if named else set[str]()
        problems = [item for item in problems if item.segment not in gone]
        inventory = self._inventory
        notes = [_note(text) for text in pending(inventory)]
        try:
            notes = [*_orphans(self._catalog), *notes]
        except (CorruptionError, CatalogError) as error:
            problems = [*problems, Problem(FILE, None, None, error.message)]
        files = sum(row.nbytes for row in inventory.segments) if self._deep else 0
        return CheckReport(
            tuple(_distinct(problems)),
            tuple(notes),
            len(inventory.segments),
            len(inventory.blobs),
            len(inventory.deletions),
            len(inventory.indexes),
            files + sum(row.ref.nbytes for row in inventory.blobs),
            deep=self._deep,
        )

    def _go_on(self) -> None:
        if self.stop.is_set():
            raise CancelledError("The check was cancelled.")

    def _schema(self, table_id: int, begin: int, end: int | None) -> TableSchema | None:
        """The table at the first snapshot that shows the part; what is wrong with it the invariants say."""
        shown = self._inventory.shown_at(begin, end)
        if shown is None:
            return None
        try:
            return self._inventory.schema(table_id, shown)
        except BadDefinition:
            return None

    def _deletions(self, ids: Sequence[int]) -> Mapping[int, tuple[int, bytes]]:
        return self._catalog.read(lambda connection: fetch_bytes(connection, DELETION.name, ids))

    def _unique(self, table_id: int) -> list[Problem]:
        """The primary key at the newest snapshot."""
        try:
            snapshot = self._catalog.resolve_head()
            schema = next((item for item in snapshot.tables.values() if item.id == table_id), None)
            if schema is None or not schema.settings.primary_key:
                return []
            return check_unique(snapshot, schema, self._go_on)
        except (CatalogError, CorruptionError) as error:
            text = f"The newest snapshot cannot be read: {error.message}"
            return [Problem("", None, None, text, "catalog", table_id)]


def _note(text: str) -> Problem:
    kind: Kind = "lease" if text.startswith("The lease") else "pending"
    return Problem("", None, None, text, kind)


def _distinct(problems: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))


def _orphans(catalog: Catalog) -> list[Problem]:
    """Files in the bench's folders that no snapshot lists."""
    files = sorted((catalog.folder / "segments").glob("*/*"))
    names = [path.name.removesuffix(SUFFIX) for path in files]
    # Asked after the files were listed: one that a writer committed in between is listed by then.
    listed, leases = catalog.listed_segments(names), catalog.leases()
    doomed = catalog.read(_doomed)
    writers = any(lease.kind in ("write", "compact") for lease in leases)
    why = (
        "a writer may be about to commit it"
        if writers
        else "left by a writer that did not finish; it may be deleted"
    )
    found: list[Problem] = []
    for name, path in zip(names, files, strict=True):
        shown = f"{path.parent.name}/{path.name}"
        if not path.name.endswith(SUFFIX) or not _is_ulid(name) or not path.parent.name.isdigit():
            text = f"{shown} among the segments is none; no snapshot needs it."
            found.append(Problem(path.name, None, None, text, "foreign", None, f"segments/{shown}"))
        elif name not in listed and name not in doomed:
            text = f"No snapshot lists {shown}: {why}."
            found.append(
                Problem(name, None, None, text, "orphan", int(path.parent.name), f"segments/{shown}")
            )
    return [*found, *_index_orphans(catalog)]


def _index_orphans(catalog: Catalog) -> Iterator[Problem]:
    folders = sorted(path for path in (catalog.folder / "index").glob("*/*/*") if path.is_dir())
    inventory = catalog.read(take_inventory) if folders else None
    listed: set[Path] = set()
    doomed: set[str] = set()
    if inventory is not None:
        listed = {
            index_folder(catalog.folder, row.table_id, row.index_id, row.ulid) for row in inventory.indexes
        }
        doomed = {ulid for ulid, _ in inventory.doomed}
    for path in folders:
        if path not in listed and path.name not in doomed:
            shown = str(path.relative_to(catalog.folder))
            text = f"No snapshot lists the index {shown}; it may be deleted."
            yield Problem(path.name, None, None, text, "orphan", None, shown)


def _doomed(connection: sa.Connection) -> set[str]:
    return set(connection.execute(sa.select(DOOMED.c.ulid)).scalars())


def _is_ulid(name: str) -> bool:
    return len(name) == 26 and all(char in ALPHABET for char in name)
