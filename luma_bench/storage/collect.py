"""Retention and garbage collection: snapshots expire, and what only they showed is removed.

A snapshot is kept while it is the newest, has a tag, is pinned or leased, or was current at any time within the retention;
all others expire. Time is the clock's, held against the catalog's snapshot times, which never go back: a clock that goes
back keeps snapshots for longer, never for less.

The order is such that a crash anywhere leaves a bench that is whole: snapshots are marked, then rows deleted and their
files entered into the catalog's `doomed` in one transaction, then the files unlinked, then struck off. The next run
goes on from there. Files of writers that died are told from those of living ones by the catalog, not by their age.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from luma_bench.storage.catalog import Catalog, retire
from luma_bench.storage.catalog.retire import Owned
from luma_bench.storage.catalog.snapshot import segment_path
from luma_bench.storage.index_store import remove_left_over
from luma_bench.storage.segment_write import sync_folder
from luma_bench.storage.ulid import ALPHABET

GRACE_SECONDS = 3600.0
"""A file that nothing lists is left alone for this long, by its name and by its time on disk, though nobody can own it."""

_SUFFIX = ".zarr.zip"


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection removed.

    Attributes
    ----------
    snapshots
        Snapshots that expired.
    rows
        Rows of the catalog.
    files, nbytes
        Files and their bytes; `left_over` of the files were of writers that died.
    problems
        Files that could not be removed, one sentence each; the next run tries again.
    """

    snapshots: int = 0
    rows: int = 0
    files: int = 0
    nbytes: int = 0
    left_over: int = 0
    problems: tuple[str, ...] = ()


Stop = Callable[[], None]
"""Called between two steps; what it raises ends the run, and the next one goes on."""


def collect(
    catalog: Catalog,
    *,
    retention: float,
    pinned: Collection[int] = (),
    now: float | None = None,
    grace: float = GRACE_SECONDS,
    stop: Stop | None = None,
) -> Collected:
    """Expire snapshots and remove what only they showed.

    Parameters
    ----------
    retention
        Seconds for which a snapshot is kept after it was superseded; infinite to let none expire.
    pinned
        Snapshots that this process reads.
    now
        Seconds since the epoch; None for the clock.
    grace
        Seconds for which a file that nothing lists is left alone.

    Raises
    ------
    CatalogError
        The catalog cannot be written.
    """
    moment = int((time.time() if now is None else now) * 1e6)
    wait = stop or (lambda: None)
    catalog.write(lambda connection: retire.revoke(connection, moment))
    expired = _expire(catalog, moment, retention, pinned, wait)
    rows = _retire(catalog, moment, wait)
    forgotten = catalog.write(retire.forget_tables)
    left_over = _doom_left_over(catalog, moment, grace, wait)
    files, nbytes, problems = _unlink(catalog, wait)
    folders, more, failed = remove_left_over(catalog, moment / 1e6 - grace)
    files, nbytes, left_over = files + folders, nbytes + more, left_over + folders
    problems += failed
    for table_id in forgotten:
        # Its files may be under a grace still; and no writer can begin one: no kept snapshot has the table.
        with suppress(OSError):
            (catalog.folder / "segments" / str(table_id)).rmdir()
    return Collected(expired, rows, files, nbytes, left_over, tuple(problems))


def _expire(catalog: Catalog, now: int, retention: float, pinned: Collection[int], stop: Stop) -> int:
    if retention == float("inf"):
        return 0
    cutoff = now - int(retention * 1e6)
    old = catalog.read(lambda connection: retire.expirable(connection, cutoff, pinned))
    done = 0
    for ids in retire.batches(old):
        stop()
        done += catalog.write(lambda connection, ids=ids: retire.expire(connection, ids, now))
    return done


def _retire(catalog: Catalog, now: int, stop: Stop) -> int:
    done = 0
    for gap in catalog.read(retire.gaps):
        for table in retire.RETIRED:
            while True:
                stop()
                count = catalog.write(
                    lambda connection, table=table, gap=gap: retire.retire(connection, table, gap, now)
                )
                if not count:
                    break
                done += count
    return done


def _doom_left_over(catalog: Catalog, now: int, grace: float, stop: Stop) -> int:
    done = 0
    for table_id, files in _stored(catalog.folder):
        stop()
        listed = catalog.read(lambda connection, table_id=table_id: retire.listed_of(connection, table_id))
        old = now / 1e6 - grace
        unlisted = [
            Owned(ulid, table_id)
            for ulid, modified in files
            if ulid not in listed and modified < old and _made(ulid) < old
        ]
        for some in retire.batches(unlisted):
            done += catalog.write(lambda connection, some=some: retire.doom_unowned(connection, some, now))
    return done


def _stored(folder: Path) -> Iterator[tuple[int, list[tuple[str, float]]]]:
    """The segment files in the folder of each table: ulid and time of the last change (seconds)."""
    root = folder / "segments"
    if not root.is_dir():
        return
    with os.scandir(root) as tables:
        found = sorted(entry.name for entry in tables if entry.name.isdigit() and entry.is_dir())
    for name in found:
        files: list[tuple[str, float]] = []
        with os.scandir(root / name) as entries:
            for entry in entries:
                ulid = entry.name.removesuffix(_SUFFIX)
                if entry.name.endswith(_SUFFIX) and _is_ulid(ulid):
                    with suppress(FileNotFoundError):  # its writer removed it at this moment
                        files.append((ulid, entry.stat().st_mtime))
        yield int(name), files


def _is_ulid(name: str) -> bool:
    return len(name) == 26 and all(char in ALPHABET for char in name)


def _made(ulid: str) -> float:
    """When a ulid was made, in seconds since the epoch."""
    number = 0
    for char in ulid[:10]:
        number = number * 32 + ALPHABET.index(char)
    return number / 1000


def _unlink(catalog: Catalog, stop: Stop) -> tuple[int, int, list[str]]:
    """Remove the files that are listed as doomed, and strike off those that are gone."""
    files = nbytes = 0
    problems: list[str] = []
    after = ""
    made = _generations(catalog.folder)
    while some := catalog.read(lambda connection, after=after: retire.doomed(connection, after)):
        stop()
        after = some[-1].ulid
        gone: list[str] = []
        folders: set[Path] = set()
        for file in some:
            try:
                size = _remove(catalog.folder, file, made, folders)
            except OSError as error:
                problems.append(f"{file.ulid} of table {file.table_id} cannot be removed: {error}.")
                continue
            gone.append(file.ulid)
            files += size is not None
            nbytes += size or 0
        try:
            for folder in folders:
                sync_folder(folder)
        except OSError as error:
            # They may come back when the power fails, so they stay on the list.
            problems.append(f"Removed files are not known to be gone for good: {error}.")
            gone.clear()
        if gone:
            catalog.write(lambda connection, gone=gone: retire.strike(connection, gone))
    return files, nbytes, problems


def _remove(folder: Path, file: Owned, made: dict[str, Path], folders: set[Path]) -> int | None:
    """Remove a segment's file, or the folder of an index generation; its bytes, None when it was gone."""
    path = segment_path(folder, file.table_id, file.ulid)
    built = made.get(file.ulid)
    if built is not None:
        size = sum(item.stat().st_size for item in built.rglob("*") if item.is_file())
        shutil.rmtree(built)
        folders.add(built.parent)
        return size
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return None
    folders.add(path.parent)
    return size


def _generations(folder: Path) -> dict[str, Path]:
    """The folders of index generations, by ulid."""
    return {path.name: path for path in (folder / "index").glob("*/*/*") if _is_ulid(path.name)}
