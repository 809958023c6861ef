"""Published snapshots as a catalog: the pointer says which there are, each has a catalog file of its own."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from luma_bench.errors import CatalogError, CorruptionError
from luma_bench.storage.catalog import Catalog, ResolvedSnapshot
from luma_bench.storage.catalog.lease import LeaseRow
from luma_bench.storage.catalog.resolved import Contents, Fetch, Holdings, Tail
from luma_bench.storage.catalog.snapshot import with_tags
from luma_bench.storage.catalog.timeline import TableChange, TableSize, TimelineEntry
from luma_bench.storage.files import ByteSource
from luma_bench.storage.publication import Entry, Pointer
from luma_bench.storage.remote.database import PublishedDatabase
from luma_bench.types.record import Snapshot

Read = Callable[[Entry], tuple[Path, bytes | None]]
"""Gives a catalog file: its path when it is a local file, else what to call it and its bytes."""

Locate = Callable[[int, str, int], ByteSource | None]
"""Gives the bytes of a segment by table id, ulid and size; None: the file in the folder."""


class PublishedCatalog(Catalog):
    """The catalog of a published bench; it writes nothing. Thread-safe.

    Parameters
    ----------
    folder
        The bench's folder, which is used only where segments are local files.
    pointer
        What is published. A later publication is seen by opening the bench again.
    read, locate
        Give the catalog files and the segments.
    """

    def __init__(
        self, folder: Path, pointer: Pointer, read: Read, locate: Locate, tail: Callable[[Fetch], Tail]
    ) -> None:
        self.folder = folder
        self.pointer = pointer
        self._read_file = read
        self._locate = locate
        self._make_tail = tail
        self._each: dict[int, Catalog] = {}
        self._pinned: dict[int, ResolvedSnapshot] = {}
        self._opening = threading.Lock()
        latest = pointer.find(pointer.latest)
        assert latest is not None
        database = self._database_of(latest)
        super().__init__(folder, database, tail)
        self._each[latest.snapshot] = self._one(database)

    def head(self) -> int:
        """The newest published snapshot when the bench was opened."""
        return self.pointer.latest

    def snapshots(self) -> list[Snapshot]:
        """Every published snapshot, oldest first."""
        return [entry.value for entry in self.pointer.published]

    def timeline(self, before: int | None, limit: int) -> tuple[list[TimelineEntry], bool]:
        """The published snapshots, newest first; what was not published with them, such as counts of rows, is None."""
        values = [item for item in reversed(self.snapshots()) if before is None or item.id < before]
        entries = [
            TimelineEntry(item, tuple(TableChange(name, item.operation, None, None) for name in item.tables))
            for item in values[:limit]
        ]
        return entries, len(values) > limit

    def sizes(self, snapshot: int) -> dict[int, TableSize]:
        """Rows and bytes of the tables at a published snapshot, by id."""
        self.resolve_id(snapshot)
        return self._each[snapshot].sizes(snapshot)

    def by_token(self, token: str) -> Snapshot | None:
        """The published snapshot of this token."""
        return next((entry.value for entry in self.pointer.published if entry.token == token), None)

    def leases(self) -> list[LeaseRow]:
        """None: nobody writes."""
        return []

    def find(self, at: int | dt.datetime | str) -> int:
        """The id of the published snapshot that `at` names.

        Raises
        ------
        CatalogError
            It is not published; the hint says which are.
        """
        entries = self.pointer.published
        found: Entry | None = None
        if isinstance(at, str):
            found = next((entry for entry in entries if at in entry.tags), None)
            moment = _parsed(at)
            if found is None and moment is not None:
                return self.find(moment)
        elif isinstance(at, dt.datetime):
            when = at.astimezone(dt.UTC)
            found = next((entry for entry in reversed(entries) if entry.time <= when), None)
        else:
            found = self.pointer.find(at)
        if found is None:
            listed = ", ".join(
                " ".join([str(entry.snapshot), *map(repr, entry.tags)]) for entry in entries[-8:]
            )
            hint = f"The published snapshots are: {'…, ' if len(entries) > 8 else ''}{listed}."
            raise CatalogError.unknown_snapshot(at, hint)
        return found.snapshot

    def resolve_id(self, snapshot: int) -> ResolvedSnapshot:
        """A published snapshot, read from its catalog file when it is first asked for."""
        entry = self.pointer.find(self.find(snapshot))
        assert entry is not None
        with self._opening:
            pinned = self._pinned.get(snapshot)
            if pinned is None:
                catalog = self._each.get(snapshot)
                if catalog is None:
                    catalog = self._each[snapshot] = self._one(self._database_of(entry))
                found = with_tags(catalog.resolve_id(snapshot), entry.tags)
                held = _Placed(found.holdings, self._locate)
                pinned = self._pinned[snapshot] = replace(found, holdings=held)
            return pinned

    def close(self) -> None:
        """Close every catalog file."""
        with self._opening:
            for catalog in self._each.values():
                catalog.close()

    def _one(self, database: PublishedDatabase) -> Catalog:
        return Catalog(self.folder, database, self._make_tail)

    def _database_of(self, entry: Entry) -> PublishedDatabase:
        path, content = self._read_file(entry)
        data = path.read_bytes() if content is None else content
        if hashlib.sha256(data).hexdigest() != entry.sha256:
            raise CorruptionError(
                f"The published catalog {str(path)!r} is not the one that was published.", segment=entry.file
            )
        database = PublishedDatabase(path, content)
        try:
            self._one(database)._begin(_nobody, read_only=True)
        except BaseException:
            database.close()
            raise
        return database


class _Placed:
    """Holdings whose segments know where their bytes are."""

    def __init__(self, held: Holdings, locate: Locate) -> None:
        self._held = held
        self._locate = locate
        self._placed: dict[int, Contents] = {}

    def __call__(self, table_id: int) -> Contents:
        found = self._placed.get(table_id)
        if found is None:
            held = self._held(table_id)
            refs = tuple(
                replace(ref, source=self._locate(table_id, ref.ulid, ref.nbytes)) for ref in held.segments
            )
            found = self._placed[table_id] = replace(held, segments=refs)
        return found

    def rows(self, table_id: int) -> int:
        return self._held.rows(table_id)


def _nobody() -> str:
    return ""


def _parsed(text: str) -> int | dt.datetime | None:
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def segment_file(table_id: int, ulid: str) -> str:
    """Where a segment lies in a bench's folder, as a relative path."""
    return f"segments/{table_id}/{ulid}.zarr.zip"
