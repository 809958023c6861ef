"""The catalog as the store uses it: open or make one, resolve snapshots, commit, tag, lease."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Self

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import bindparam, insert, select

from luma_bench.config import FORMAT, Settings
from luma_bench.errors import CatalogError
from luma_bench.storage.catalog.change import CommitInfo, Committed, ObjectChange, Reliance, TableChange
from luma_bench.storage.catalog.commit import apply, next_column_id, reserve_table
from luma_bench.storage.catalog.database import Database, open_database
from luma_bench.storage.catalog.deletes import DeletionCache
from luma_bench.storage.catalog.history import (
    check_kept,
    find_snapshot,
    read_by_token,
    read_snapshot,
    read_snapshots,
)
from luma_bench.storage.catalog.lease import Lease, LeaseRow, live_leases
from luma_bench.storage.catalog.queue import CommitQueue
from luma_bench.storage.catalog.resolved import Fetch, ResolvedSnapshot, Tail
from luma_bench.storage.catalog.sequences import advance, last_value, take
from luma_bench.storage.catalog.snapshot import advanced, fetch_bytes, load, with_tags
from luma_bench.storage.catalog.tables import COUNTER, DELETION, INLINE, METADATA, SEGMENT, SNAPSHOT, TAG
from luma_bench.storage.catalog.timeline import TableSize, TimelineEntry, read_sizes, read_timeline
from luma_bench.storage.ulid import UlidSource
from luma_bench.types.record import Snapshot
from luma_bench.types.sequence import Sequence as Sequence_

_CACHED = 64
_AT_ONCE = 500
_LISTED = select(SEGMENT.c.ulid).where(SEGMENT.c.ulid.in_(bindparam("ulids", expanding=True)))
_TAGGED = select(TAG.c.snapshot_id).where(TAG.c.name == bindparam("name", type_=sa.Text))
_TAG = insert(TAG)
_FORMAT = select(COUNTER.c.value).where(COUNTER.c.name == "format")


class Catalog:
    """The transactional heart of one bench. Thread-safe; no connection is held between calls but a few pooled ones."""

    def __init__(self, folder: Path, database: Database, tail: Callable[[Fetch], Tail]) -> None:
        self.folder = folder
        self.new_ulid = UlidSource()
        self._database = database
        self._queue = CommitQueue(database)
        self._tail = tail(self.blobs)
        self._deleted = DeletionCache(
            lambda ids: database.read(lambda connection: fetch_bytes(connection, DELETION.name, ids))
        )
        self._lock = threading.Lock()
        self._resolved: OrderedDict[int, ResolvedSnapshot] = OrderedDict()
        self._flushing: set[int] = set()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        read_only: bool,
        author: Callable[[], str],
        tail: Callable[[Fetch], Tail],
        settings: Settings | None = None,
    ) -> Self:
        """Open the catalog of a bench; a writable one without tables gets them, and the snapshot 1, init.

        Parameters
        ----------
        author
            Who makes the first snapshot, asked only when there is none.
        tail
            Makes what decodes inline blobs.
        settings
            Say which database holds the catalog.

        Raises
        ------
        CatalogError
            The catalog cannot be opened, is not a catalog, or has a newer format.
        """
        database = open_database(folder, read_only=read_only, settings=settings)
        try:
            catalog = cls(folder, database, tail)
            catalog._begin(author, read_only=read_only)
        except BaseException:
            database.close()
            raise
        return catalog

    def _begin(self, author: Callable[[], str], *, read_only: bool) -> None:
        found = self._database.read(_stored_format)
        if found is None and read_only:
            raise CatalogError.not_a_bench(str(self.folder), "its catalog is empty")
        if found is None:
            token = self.new_ulid()
            self._queue.submit(lambda connection: _initialise(connection, author(), token))
        elif found > FORMAT:
            raise CatalogError.newer_format(str(self.folder), found, FORMAT)

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def head(self) -> int:
        """The newest snapshot's id, in microseconds."""
        return self._database.head()

    def read[T](self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in one read transaction."""
        return self._database.read(work)

    def write[T](self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in a write transaction that makes no snapshot, in turn with the process's other writers."""
        return self._queue.submit(work)

    def resolve_head(self) -> ResolvedSnapshot:
        """The newest snapshot, resolved."""
        return self.resolve_id(self.head())

    def find(self, at: int | dt.datetime | str) -> int:
        """The id of the snapshot that `at` names.

        Raises
        ------
        CatalogError
            There is none.
        """
        return self._database.read(lambda connection: find_snapshot(connection, at))

    def resolve_id(self, snapshot: int) -> ResolvedSnapshot:
        """A snapshot that exists, from the cache or read on top of the nearest older one that is cached."""
        with self._lock:
            found = self._resolved.get(snapshot)
            if found is not None:
                self._resolved.move_to_end(snapshot)
                return found
            older = [item for item in self._resolved if item < snapshot]
            base = self._resolved[max(older)] if older else None
        fresh = self._database.read(lambda connection: self._load(connection, snapshot, base))
        with self._lock:
            return self._keep(fresh)

    def _load(
        self, connection: sa.Connection, snapshot: int, base: ResolvedSnapshot | None
    ) -> ResolvedSnapshot:
        read = self._database.read
        return load(connection, read, self.folder, snapshot, base, self._tail, self._deleted)

    def _keep(self, resolved: ResolvedSnapshot) -> ResolvedSnapshot:
        found = self._resolved.setdefault(resolved.id, resolved)
        while len(self._resolved) > _CACHED:
            self._resolved.popitem(last=False)
        return found

    def forget(self) -> None:
        """Drop the resolved snapshots that are cached: what they name was repaired."""
        with self._lock:
            self._resolved.clear()

    def snapshots(self) -> list[Snapshot]:
        """Every snapshot, oldest first, with its present tags."""
        return self._database.read(read_snapshots)

    def timeline(self, before: int | None, limit: int) -> tuple[list[TimelineEntry], bool]:
        """Snapshots with what each changed; see `timeline.read_timeline`."""
        return self._database.read(lambda connection: read_timeline(connection, before, limit))

    def sizes(self, snapshot: int) -> dict[int, TableSize]:
        """Rows and bytes of the tables at a snapshot, by id; see `timeline.read_sizes`."""
        return self._database.read(lambda connection: read_sizes(connection, snapshot))

    def by_token(self, token: str) -> Snapshot | None:
        """The snapshot that a commit with this token made."""
        return self._database.read(lambda connection: read_by_token(connection, token))

    def next_column_id(self, table_id: int) -> int:
        """The first column id that the table never gave out."""
        return self._database.read(lambda connection: next_column_id(connection, table_id))

    def listed_segments(self, ulids: Sequence[str]) -> set[str]:
        """Which of these segments any snapshot lists."""

        def read(connection: sa.Connection) -> set[str]:
            found: set[str] = set()
            for start in range(0, len(ulids), _AT_ONCE):
                found |= set(
                    connection.execute(_LISTED, {"ulids": list(ulids[start : start + _AT_ONCE])}).scalars()
                )
            return found

        return self._database.read(read)

    def blobs(self, ids: Sequence[int]) -> Mapping[int, tuple[int, bytes]]:
        """Checksum and bytes of inline blobs by id."""
        return self._database.read(lambda connection: fetch_bytes(connection, INLINE.name, ids))

    def leases(self) -> list[LeaseRow]:
        """The leases of writers that are alive."""
        return self._database.read(live_leases)

    def commit(
        self,
        changes: Sequence[TableChange],
        info: CommitInfo,
        objects: Sequence[ObjectChange] = (),
        relies: Sequence[Reliance] = (),
    ) -> Committed:
        """Make one snapshot of the changes, in turn with the process's other writers.

        Raises
        ------
        ConflictError, CatalogError
            See `commit.apply`; nothing of it is applied.
        """
        committed = self._queue.submit(
            lambda connection: apply(connection, changes, info, objects=objects, relies=relies)
        )
        if committed.fresh and not objects and all(_only_blobs(item) for item in changes):
            self._advance(committed)
        return committed

    def _advance(self, committed: Committed) -> None:
        """Cache the snapshot that small appends made on top of the one before it."""
        snapshot = committed.snapshot
        with self._lock:
            base = self._resolved.get(snapshot.id - 1)
            if base is not None and snapshot.id not in self._resolved:
                self._keep(advanced(base, snapshot, committed.blobs))

    def take_lease(self, snapshot: int, kind: str = "write") -> Lease:
        """A lease on a snapshot, which the caller enters: of a writer of segments, a compaction or a reader."""
        lease = Lease(self._queue, self.new_ulid(), kind=kind)

        def take(connection: sa.Connection) -> None:
            check_kept(connection, snapshot)
            lease.take(connection, snapshot)

        self._queue.submit(take)
        return lease

    def take_values(self, sequence: Sequence_, count: int) -> pa.Array:
        """The next values of a sequence, given to nobody else; see `sequences.take`."""
        return self._queue.submit(lambda connection: take(connection, sequence, count))

    def last_value(self, sequence: Sequence_) -> int | None:
        """The value that a sequence gave last; None before its first."""
        return self._database.read(lambda connection: last_value(connection, sequence))

    def advance(self, sequence: Sequence_, seen: int | None, last: int) -> bool:
        """Count values of a sequence as given, up to `last`, unless it gave others since `seen` was its last one."""
        return self._queue.submit(lambda connection: advance(connection, sequence, seen, last))

    def reserve_table(self) -> int:
        """Give out a table id, so that the folder of a new table can be named before its commit."""
        return self._queue.submit(reserve_table)

    @contextlib.contextmanager
    def flushing(self, table_id: int) -> Generator[bool]:
        """Claim a table's tail: False for every thread but the first, whose flush is enough."""
        with self._lock:
            mine = table_id not in self._flushing
            self._flushing.add(table_id)
        try:
            yield mine
        finally:
            if mine:
                with self._lock:
                    self._flushing.discard(table_id)

    def tag(self, name: str, snapshot: int, author: str) -> Snapshot:
        """Name a snapshot. Naming it so again changes nothing.

        Raises
        ------
        CatalogError
            The name means another snapshot already.
        """

        def write(connection: sa.Connection) -> Snapshot:
            present = connection.execute(_TAGGED, {"name": name}).scalar()
            if present is None:
                check_kept(connection, snapshot)
                row = {
                    "name": name,
                    "snapshot_id": snapshot,
                    "time": time.time_ns() // 1000,
                    "author": author,
                }
                connection.execute(_TAG, row)
            elif present != snapshot:
                hint = "A tag is never moved: choose another name."
                raise CatalogError(f"The tag {name!r} names snapshot {present} already.", hint=hint)
            return read_snapshot(connection, snapshot)

        tagged = self._queue.submit(write)
        with self._lock:
            cached = self._resolved.get(snapshot)
            if cached is not None:
                self._resolved[snapshot] = with_tags(cached, tagged.tags)
        return tagged


def _only_blobs(change: TableChange) -> bool:
    """Whether all that a change does is to add inline blobs to a table that was there."""
    wider = change.fresh or change.redefined or change.drops or change.segments or change.deletes
    return not wider and change.rewrite is None


def _stored_format(connection: sa.Connection) -> int | None:
    if not sa.inspect(connection).has_table(COUNTER.name):
        return None
    return connection.execute(_FORMAT).scalar()


def _initialise(connection: sa.Connection, author: str, token: str) -> None:
    """Make the tables and the first snapshot, unless another process has just done so."""
    if _stored_format(connection) is not None:
        return
    METADATA.create_all(connection)
    connection.execute(insert(COUNTER), [{"name": "format", "value": FORMAT}, {"name": "table", "value": 0}])
    first = {
        "id": 1,
        "time": time.time_ns() // 1000,
        "operation": "init",
        "namespace": "main",
        "author": author,
        "message": "",
        "token": token,
        "schema_snapshot": 1,
    }
    connection.execute(insert(SNAPSHOT), first)
