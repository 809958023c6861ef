"""Generations of rebuildable indexes: written in the background of an answer, listed in the catalog without a snapshot.

A generation lives from the snapshot whose rows it holds until a later one takes its place; it is believed only when the
catalog lists it, its manifest has the checksum that stands there, and its files have those of the manifest. A table that is
replaced or dropped ends its generations in the same commit. What a writer that died left is removed by a collection.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, delete, insert, select, update

from luma_bench.storage.catalog import Catalog, retire
from luma_bench.storage.catalog.retire import WRITERS, Owned
from luma_bench.storage.catalog.tables import INDEX_GENERATION, LEASE, TABLE
from luma_bench.storage.index_files import IndexWriter, Manifest, index_folder, read_manifest
from luma_bench.storage.ulid import ALPHABET
from luma_bench.storage.write import make_folder

KEPT = 3
"""Generations of one index that are kept, the newest among them: older ones would only speed up looks far back."""

_TABLE = bindparam("t", type_=sa.BigInteger)
_INDEX = bindparam("i", type_=sa.BigInteger)
_ULID = bindparam("u", type_=sa.Text)
_OF = (INDEX_GENERATION.c.table_id == _TABLE) & (INDEX_GENERATION.c.index_id == _INDEX)
_ALL = select(INDEX_GENERATION).where(_OF).order_by(INDEX_GENERATION.c.begin_snapshot.desc())
_LIVES = select(TABLE.c.table_id).where(
    (TABLE.c.table_id == _TABLE)
    & TABLE.c.end_snapshot.is_(None)
    & (TABLE.c.begin_snapshot <= bindparam("at", type_=sa.BigInteger))
)
_ADD = insert(INDEX_GENERATION)
_END = (
    update(INDEX_GENERATION)
    .where(_OF & INDEX_GENERATION.c.end_snapshot.is_(None))
    .values(end_snapshot=bindparam("at", type_=sa.BigInteger))
)
_DROP = delete(INDEX_GENERATION).where(INDEX_GENERATION.c.ulid == _ULID)
_LISTED = select(INDEX_GENERATION.c.ulid)
_OLDEST_WRITER = select(sa.func.min(LEASE.c.id)).where(LEASE.c.kind.in_(WRITERS))


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation that the catalog lists.

    Attributes
    ----------
    folder
        Where its files are.
    begin
        The snapshot whose rows it holds.
    """

    ulid: str
    table_id: int
    index_id: int
    folder: Path
    sha256: str
    begin: int

    def manifest(self) -> Manifest:
        """Its manifest.

        Raises
        ------
        CorruptionError
            It is missing or another one.
        """
        return read_manifest(self.folder, self.sha256)


class IndexStore:
    """The index generations of one bench. Thread-safe."""

    def __init__(self, catalog: Catalog, *, read_only: bool) -> None:
        self.read_only = read_only
        self._catalog = catalog

    def generations(self, table_id: int, index_id: int) -> list[Generation]:
        """The generations of an index, the newest first."""
        folder = self._catalog.folder
        rows = self._catalog.read(
            lambda connection: connection.execute(_ALL, {"t": table_id, "i": index_id}).all()
        )
        return [
            Generation(
                row.ulid,
                table_id,
                index_id,
                index_folder(folder, table_id, index_id, row.ulid),
                row.manifest_sha256,
                row.begin_snapshot,
            )
            for row in rows
        ]

    def write(
        self,
        table_id: int,
        index_id: int,
        snapshot: int,
        kind: str,
        fill: Callable[[IndexWriter], None],
        *,
        library: Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> Generation | None:
        """Write a generation and list it; None when there is one of this snapshot or a later one, or the table has gone.

        Parameters
        ----------
        fill
            Writes its files.

        Raises
        ------
        OSError, LumaError
            It cannot be stored: nothing is listed, and what was written is removed.
        """
        newest = self.generations(table_id, index_id)[:1]
        if self.read_only or (newest and newest[0].begin >= snapshot):
            return None
        with self._catalog.take_lease(snapshot) as lease:
            ulid = self._catalog.new_ulid()
            folder = index_folder(self._catalog.folder, table_id, index_id, ulid)
            make_folder(folder.parent, self._catalog.folder)
            try:
                with IndexWriter(
                    folder, kind=kind, snapshot=snapshot, library=library, parameters=parameters
                ) as writer:
                    fill(writer)
                    lease.check()
                    sha256 = writer.finish()
                row = {"ulid": ulid, "kind": kind, "manifest_sha256": sha256, "begin_snapshot": snapshot}
                key = {"t": table_id, "i": index_id}
                self._catalog.write(lambda connection: _list(connection, row, key))
            finally:
                # After a doubtful commit the catalog decides.
                made = next(
                    (item for item in self.generations(table_id, index_id) if item.ulid == ulid), None
                )
                if made is None:
                    shutil.rmtree(folder, ignore_errors=True)
        return made

    def drop(self, generation: Generation) -> None:
        """Take a generation off the list; its files go with the next collection."""
        if not self.read_only:
            self._catalog.write(lambda connection: _drop(connection, generation.ulid, generation.table_id))


def _list(connection: sa.Connection, row: Mapping[str, Any], key: Mapping[str, int]) -> None:
    """Enter a generation, end the one before, and let go of those that are too many; nothing where it comes too late."""
    at = row["begin_snapshot"]
    if connection.execute(_LIVES, {"t": key["t"], "at": at}).first() is None:
        return
    held = connection.execute(_ALL, key).all()
    if held and (held[0].begin_snapshot >= at or (held[0].end_snapshot or 0) > at):
        return
    connection.execute(_END, {**key, "at": at})
    connection.execute(_ADD, {**row, "table_id": key["t"], "index_id": key["i"], "end_snapshot": None})
    for old in held[KEPT - 1 :]:
        _drop(connection, old.ulid, old.table_id)


def _drop(connection: sa.Connection, ulid: str, table_id: int) -> None:
    if connection.execute(_DROP, {"u": ulid}).rowcount:
        retire.doom(connection, [Owned(ulid, table_id)], time.time_ns() // 1000)


def remove_left_over(catalog: Catalog, before: float) -> tuple[int, int, list[str]]:
    """Remove folders of generations that nothing lists, and that no living writer can list any more.

    Parameters
    ----------
    before
        Seconds since the epoch; folders that were changed later are left alone.

    Returns
    -------
    tuple
        Folders and bytes that were removed, and what could not be, one sentence each.
    """
    found = [
        path
        for path in sorted((catalog.folder / "index").glob("*/*/*"))
        if _ulid_of(path) and _old(path, before)
    ]
    if not found:
        return 0, 0, []

    def look(connection: sa.Connection) -> tuple[set[str], str | None]:
        listed = set(connection.execute(_LISTED).scalars())
        return listed, connection.execute(_OLDEST_WRITER).scalar()

    listed, oldest = catalog.read(look)
    count = nbytes = 0
    problems: list[str] = []
    for path in found:
        ulid = _ulid_of(path)
        if ulid in listed or (oldest is not None and ulid >= oldest):
            continue
        try:
            size = sum(item.stat().st_size for item in path.iterdir())
            shutil.rmtree(path)
        except OSError as error:
            problems.append(f"The index folder {path.name} cannot be removed: {error}.")
            continue
        count, nbytes = count + 1, nbytes + size
    return count, nbytes, problems


def _ulid_of(path: Path) -> str:
    """The ulid of a generation's folder, finished or not; empty for anything else."""
    name = path.name.removeprefix(".").removesuffix(".part")
    return name if len(name) == 26 and all(char in ALPHABET for char in name) else ""


def _old(path: Path, before: float) -> bool:
    try:
        return path.is_dir() and path.stat().st_mtime < before
    except OSError:
        return False
