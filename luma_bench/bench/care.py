"""The care of a bench: checking, repairing, compacting, publishing."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from luma_bench.bench.handle import At, Handle, Progress
from luma_bench.bench.policy import require_owner
from luma_bench.types.graph import GRAPH

if TYPE_CHECKING:
    from luma_bench.storage.check import CheckReport
    from luma_bench.storage.compact import CompactReport
    from luma_bench.storage.publication import Publication
    from luma_bench.storage.repair import RepairReport


class Care(Handle):
    """What keeps a bench in order."""

    def check(self, progress: Progress | None = None, *, deep: bool = True) -> CheckReport:
        """Verify every kept snapshot: files, checksums, zone maps, keys, deletions, indexes and the catalog's promises.

        Parameters
        ----------
        progress
            Called with parts done and parts in all.
        deep
            Whether every byte and value is read. Else sizes, ends and indexes of files, and all of the catalog: quick, but
            a changed byte inside a chunk is not seen.

        Returns
        -------
        CheckReport
            `.ok`, `.problems` and `.notes`; `print` shows it as text.

        Raises
        ------
        CancelledError
            `cancel()` was called.
        """
        self._alive()
        require_owner(self._identity, "check the bench")
        with self._machinery.stoppable() as stop:
            return self._store.check(progress, deep=deep, stop=stop)

    def repair(
        self, *, dry_run: bool = True, salvage: bool = False, progress: Progress | None = None
    ) -> RepairReport:
        """Put right what a check finds, as far as the data is whole; see docs/how-to for what that is.

        Parameters
        ----------
        dry_run
            Whether to say what would be done, and do nothing.
        salvage
            Also write the rows that can be read of damaged segments into new tables, `<table>_salvaged`.

        Returns
        -------
        RepairReport
            `.steps`, and `.left`: the problems that only a copy of the bench can put right.

        Raises
        ------
        ReadOnlyError
            The bench is read-only, and this is no dry run.
        """
        self._alive() if dry_run else self._writable("repair")
        require_owner(self._identity, "repair the bench")
        with self._machinery.stoppable() as stop:
            return self._store.repair(dry_run=dry_run, salvage=salvage, progress=progress, stop=stop)

    def compact(
        self,
        table: str | None = None,
        *,
        retention: str | float | None = None,
        progress: Progress | None = None,
        now: dt.datetime | None = None,
    ) -> CompactReport:
        """Merge a table's segments (or every table's) into few sorted ones, then remove what old snapshots alone need.

        Rows, their ids and every kept snapshot stay as they are; but of a table that keeps rows for some time only (`ALTER
        TABLE t SET (retention = '30 days' ON ts)`), what is older is deleted first, at a snapshot of its own. The adjacency of property graphs is built anew where edges
        came since it was built.

        Parameters
        ----------
        retention
            How long snapshots are kept after a newer one: seconds, "7 days", "12 hours", "forever"; None for the bench's
            setting. The newest, tagged ones and those that somebody holds a lease on are kept always.
        progress
            Called with rows written and rows to write in all.
        now
            What such tables take for the present, with its zone; None for the clock.

        Returns
        -------
        CompactReport
            What was done, table by table; `print` shows it as text.

        Raises
        ------
        CancelledError
            `cancel()` was called; what was committed stays, the rest left nothing.
        """
        require_owner(self._identity, "compact the bench")
        self._writable("compact")
        with self._machinery.stoppable() as stop:
            done = self._store.compact(table, retention=retention, progress=progress, stop=stop, now=now)
            newest = self._store.resolve()
            if newest.objects_of(GRAPH):
                self._machinery.statements.runner.binder.graphs.fold(newest, stop)
            return done

    def publish(
        self,
        target: str | os.PathLike[str] | None = None,
        at: At | None = None,
        *,
        storage_options: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> Publication:
        """Make a snapshot readable for others without a database: `luma_bench.open(target, mode="r")`.

        Segments that are not there yet are stored first, then a catalog file that holds exactly this snapshot, and last
        `published/latest.json`, which lists what is published. So a publication appears whole or not at all, and one that
        was cut off goes on where it stopped. Older publications stay, for `bench.at`.

        In another folder than the bench's own the publication holds what the snapshot shows and nothing else: segments with
        deleted rows or dropped columns are written anew without them.

        Parameters
        ----------
        target
            A folder or an object store (`s3://…`, `gs://…`, `az://…`); None for the bench's own folder, for a web server
            that shows it or a copy of `published` and `segments`.
        at
            The snapshot: this bench's, or an id, a tag, or a time.
        storage_options
            As in `luma_bench.open`.
        progress
            Called with bytes done and bytes in all.

        Raises
        ------
        CatalogError, CorruptionError, RemoteError, ReadOnlyError, UnsupportedError
            What was published before stands as it was.
        """
        self._alive()
        require_owner(self._identity, "publish the bench")
        pinned = at if at is not None else self._at
        return self._store.publish(target, pinned, options=storage_options, progress=progress)

    def withdraw(
        self,
        at: At,
        target: str | os.PathLike[str] | None = None,
        *,
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Take a snapshot off the published ones; who has opened it goes on reading.

        Its files stay: those of the bench's own folder may be collected from then on.

        Raises
        ------
        CatalogError
            It is not published, or it is the only one that is.
        """
        self._alive()
        require_owner(self._identity, "withdraw a published snapshot")
        self._store.withdraw(at, target, options=storage_options)
