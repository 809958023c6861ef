"""Copies of benches that a run by `verify` may write to: the catalog is copied, and the rest, which never changes, is linked."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

from luma_bench.config import load
from luma_bench.errors import LumaError
from luma_bench.storage.catalog.database import FILE, catalog_url
from luma_bench.storage.catalog.identity import TOML


class Throwaways:
    """The copies of one run, each made when its bench is first opened.

    Parameters
    ----------
    room
        The folder that they go into, which its maker removes.
    """

    __slots__ = ("_made", "_room")

    def __init__(self, room: Path) -> None:
        self._room = room
        self._made: dict[Path, Path | None] = {}

    def of(self, bench: Path) -> Path | None:
        """Where the copy of a bench is; of one that is not there yet, where it may be made.

        None where a copy would not be the bench: its catalog is in another database, or it is published and has none.
        """
        place = bench.resolve()
        if place not in self._made:
            target = self._room / str(len(self._made)) / place.name
            self._made[place] = target if _copied(place, target) else None
        return self._made[place]


def _copied(bench: Path, target: Path) -> bool:
    try:
        target.parent.mkdir(parents=True)
        if not bench.exists():
            return True
        if not (bench / TOML).is_file() or catalog_url(bench, load(bench)):
            return False
        target.mkdir()
        _copy_catalog(bench / FILE, target / FILE)
        for item in bench.iterdir():
            if item.is_dir():
                shutil.copytree(item, target / item.name, copy_function=_link)
            elif not item.name.startswith(FILE):
                shutil.copy2(item, target / item.name)
    except (OSError, sqlite3.Error, LumaError):
        # Read-only it can be read all the same, and what is wrong with it is said when it is opened.
        return False
    return True


def _copy_catalog(source: Path, target: Path) -> None:
    """One state of the catalog, whoever writes to it meanwhile; beside it no file comes to be."""
    log = source.with_name(f"{source.name}-wal")
    before = _state(source, log)
    if before is not None:
        # Without a log the file is whole, and SQLite would leave an empty log where it only reads.
        shutil.copyfile(source, target)
        if _state(source, log) == before:
            return
        target.unlink()
    with (
        contextlib.closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as read,
        contextlib.closing(sqlite3.connect(target)) as written,
    ):
        read.backup(written)


def _state(source: Path, log: Path) -> tuple[int, int, int] | None:
    """What changes with the file, None where it has a log."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size:
            return None
    status = source.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _link(source: str, target: str) -> str:
    """Let a file be in the copy too: nothing writes to one that is there, and removing it removes a name only."""
    for way in (os.link, os.symlink):
        try:
            way(os.path.abspath(source), target)  # noqa: PTH100 (links stay as they are named)
        except OSError:
            # Another disk, a system without links, or somebody else's file.
            continue
        return target
    return str(shutil.copy2(source, target))
