"""The care of a store: checking, repairing, compacting, publishing; and what a store is made of."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luma_bench.config import Settings
from luma_bench.errors import ReadOnlyError
from luma_bench.storage.catalog import Catalog, ResolvedSnapshot
from luma_bench.storage.index_store import IndexStore
from luma_bench.storage.pins import Pins
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.scan import TableScan
from luma_bench.types.rules import RowRules

if TYPE_CHECKING:
    from luma_bench.storage.check import CheckReport, Progress
    from luma_bench.storage.compact import Compactor, CompactProgress, CompactReport
    from luma_bench.storage.publication import Publication


class StoreCare:
    """What keeps a store in order, over its catalog and files.

    Attributes
    ----------
    path
        The bench's folder.
    settings
        The settings it works with.
    read_only
        Whether it was opened with `mode="r"`.
    pool
        The buffer pool that its scans share.
    pins
        The snapshots that its readers hold.
    indexes
        The generations of rebuildable indexes.
    rules
        Computes columns and checks constraints; a bench sets it. Without it tables that have any are not written.
    """

    def __init__(self, path: Path, catalog: Catalog, settings: Settings, *, read_only: bool) -> None:
        self.path = path
        self.settings = settings
        self.read_only = read_only
        self.pool = BufferPool(settings.effective_pool_bytes, settings.effective_threads)
        self._catalog = catalog
        self._lock = threading.Lock()
        self._scans: OrderedDict[tuple[int, int, int], TableScan] = OrderedDict()
        self.pins = Pins(catalog, leases=not read_only)
        self.rules: RowRules | None = None
        self.indexes = IndexStore(catalog, read_only=read_only)
        self._compactor: Compactor | None = None
        if settings.background_compaction and not read_only:
            from luma_bench.storage.compact import Compactor

            self._compactor = Compactor(
                catalog, self.pool, settings, pinned=self.pins.held, rules=lambda: self.rules
            )
            self._compactor.start()

    def close(self) -> None:
        """Close the catalog's connections; calls after it raise `ClosedError`. Closing twice does nothing."""
        if self._compactor is not None:
            self._compactor.close()
        self.pins.close()
        self._catalog.close()
        self.pool.close()
        with self._lock:
            self._scans.clear()

    def check(
        self, progress: Progress | None = None, *, deep: bool = True, stop: threading.Event | None = None
    ) -> CheckReport:
        """Verify everything of every snapshot; see `check.check_store`.

        Parameters
        ----------
        progress
            Called with how many parts are done and how many there are.
        """
        from luma_bench.storage.check import check_store

        threads = self.settings.effective_threads
        return check_store(self._catalog, progress, deep=deep, threads=threads, stop=stop)

    def compact(
        self,
        table: str | None = None,
        *,
        retention: str | float | None = None,
        full: bool = True,
        progress: CompactProgress | None = None,
        stop: threading.Event | None = None,
        now: dt.datetime | None = None,
    ) -> CompactReport:
        """Merge a table's parts, or every table's, then expire old snapshots and remove what they needed; see `compact_store`.

        Raises
        ------
        CatalogError, ConfigError, CancelledError, ReadOnlyError
            There is no such table, the retention is no length of time, or `stop` was set.
        """
        self._writable("compact")
        from luma_bench.storage.compact import compact_store

        catalog, said = self._catalog, () if self._compactor is None else self._compactor.warnings
        return compact_store(
            catalog, self.pool, self.settings, table=table, retention=retention, full=full,
            pinned=self.pins.held, progress=progress, stop=stop, warnings=said, now=now, rules=self.rules,
        )  # fmt: skip

    def publish(
        self,
        target: str | os.PathLike[str] | None = None,
        at: int | dt.datetime | str | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> Publication:
        """Make a snapshot readable without a database; see `Bench.publish`.

        Raises
        ------
        CatalogError, CorruptionError, RemoteError, ReadOnlyError, UnsupportedError
            What was published before stands as it was.
        """
        from luma_bench.storage.publish import publish, target_folder

        folder = target_folder(target, self.path, options)
        if own := folder.url == str(self.path):
            self._writable("publish")
        lease = not self.read_only
        return publish(
            self._catalog, self._at(at), folder,
            pool=self.pool, settings=self.settings, lease=lease, own=own, progress=progress,
        )  # fmt: skip

    def withdraw(
        self,
        at: int | dt.datetime | str,
        target: str | os.PathLike[str] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Take a snapshot off the published ones; see `Bench.withdraw`."""
        from luma_bench.storage.publish import target_folder, withdraw

        folder = target_folder(target, self.path, options)
        if own := folder.url == str(self.path):
            self._writable("withdraw")
        # A number is taken as it is: what is published elsewhere may have expired here.
        snapshot = at if isinstance(at, int) else self._catalog.find(at)
        withdraw(self._catalog, folder, snapshot, own=own)

    @property
    def shown(self) -> str:
        """What messages call the bench: its folder, or its URL."""
        return str(self.path)

    def _at(self, at: int | dt.datetime | str | None) -> ResolvedSnapshot:
        return (
            self._catalog.resolve_head() if at is None else self._catalog.resolve_id(self._catalog.find(at))
        )

    def _writable(self, operation: str) -> None:
        if self.read_only:
            raise ReadOnlyError.opened(operation)
