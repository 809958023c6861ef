"""The retention of a table's rows: what is older than the table keeps is deleted at a snapshot of its own.

Segments that are too old as a whole, by their statistics, are not read; of others the times are, where a zone map says
that some may be too old. A compaction then leaves the deleted rows out for good, whole segments first of all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.errors import ConflictError, ConstraintError, SnapshotExpired, UnsupportedError
from luma_bench.storage.catalog import CommitInfo, ResolvedSnapshot, TableChange
from luma_bench.storage.compact.plan import DELETED_SHARE
from luma_bench.storage.compact.run import Tools
from luma_bench.storage.locate import row_ids_at
from luma_bench.storage.rules_between import referring
from luma_bench.storage.scan import TableScan
from luma_bench.storage.transaction import Transaction
from luma_bench.storage.zones import integers_of
from luma_bench.types.retention import Retention
from luma_bench.types.scan import ScanCounters, ScanPiece
from luma_bench.types.schema import TableSchema

OPERATION = "retention"
"""What a snapshot is named whose rows were too old."""

_AT_ONCE = 1 << 24
"""Rows that one snapshot deletes: their places lie in memory."""
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Expired:
    """What a retention did: rows that were deleted, segments that went whole, the last snapshot, and why it stopped early."""

    rows: int = 0
    segments: int = 0
    snapshot: int | None = None
    skipped: str = ""


def expire(tools: Tools, schema: TableSchema, now: dt.datetime, *, lazily: bool) -> Expired:
    """Delete the rows of a table that are too old at a moment.

    Parameters
    ----------
    lazily
        Leave parts alone of which less than a fifth is likely too old.

    Raises
    ------
    LumaError
        A part is damaged, or the catalog cannot be written; what is committed stays.
    """
    rows = segments = failed = 0
    snapshot: int | None = None
    while True:
        base = tools.catalog.resolve_head()
        found = next((item for item in base.tables.values() if item.id == schema.id), None)
        if found is None or found.settings.retention is None:
            return Expired(rows, segments, snapshot)
        try:
            with tools.catalog.take_lease(base.id, kind="compact"):
                step = _Step(tools, base, found, found.settings.retention, now, lazily=lazily)
                made = step.run()
        except (ConflictError, SnapshotExpired) as error:
            failed += 1
            if failed >= _TRIES:
                return Expired(rows, segments, snapshot, error.message)
            continue
        except (ConstraintError, UnsupportedError) as error:
            return Expired(rows, segments, snapshot, f"rows that are too old stay: {error.message}")
        if made is None:
            return Expired(rows, segments, snapshot)
        rows, segments, snapshot = rows + step.rows, segments + step.whole, made


class _Step:
    """The deletion of some of the rows that are too old at one snapshot."""

    def __init__(
        self,
        tools: Tools,
        base: ResolvedSnapshot,
        table: TableSchema,
        retention: Retention,
        now: dt.datetime,
        *,
        lazily: bool,
    ) -> None:
        self._tools = tools
        self._base = base
        self._table = table
        self._column = table.column(retention.column)
        self._text = retention.text
        self._cutoff = retention.cutoff(now, tools.settings.timezone, self._column.type)
        self._lazily = lazily
        self._scan = TableScan(
            table, base.segments(table.id), base.inline(table.id), tools.pool, tools.settings
        )
        self.rows = 0
        self.whole = 0

    def run(self) -> int | None:
        """Commit the deletion; the snapshot, or None when nothing is too old."""
        places: dict[str, np.ndarray] = {}
        for part, positions, whole in self._places():
            self._tools.stop()
            if not len(positions):
                continue
            places[part] = positions
            self.rows += len(positions)
            self.whole += whole
            if self.rows >= _AT_ONCE:
                break
        if not places:
            return None
        catalog = self._tools.catalog
        message = f"{self.rows:,} rows of {self._table.name} older than {self._text}"
        info = CommitInfo(OPERATION, self._tools.author, message, catalog.new_ulid(), self._table.namespace)
        if referring(self._base, self._table):
            return self._checked(info, places)
        change = TableChange("delete", self._table, self._base.id, deletes=places)
        return catalog.commit([change], info).snapshot.id

    def _checked(self, info: CommitInfo, places: dict[str, np.ndarray]) -> int:
        """Delete under the eyes of foreign keys that refer to the table."""
        tools, base, table = self._tools, self._base, self._table
        starts = {blob.part: blob.first_row_id for blob in base.holds(table.id).blobs}
        ids = [
            positions + starts[part]
            if part in starts
            else row_ids_at(base, table.id, part, positions, tools.pool)
            for part, positions in places.items()
        ]
        with Transaction(tools.catalog, tools.pool, tools.settings, base, info, tools.rules) as inside:
            inside.delete(table.name, np.sort(np.concatenate(ids)))
            return inside.commit().id

    def _places(self) -> Iterator[tuple[str, np.ndarray, bool]]:
        """Of each part the sorted positions of live rows that are too old, and whether all of a segment's are."""
        scan = self._scan
        whole, some = self._by_statistics()
        for ref in self._base.segments(self._table.id):
            if ref.ulid in whole:
                places = np.arange(ref.rows)
                yield ref.ulid, places if ref.deleted is None else np.delete(places, ref.deleted), True
        index = scan.schema.get_field_index(self._column.name)
        found: dict[str, list[np.ndarray]] = {}
        for piece in scan.pieces():
            if piece.segment in some:
                found.setdefault(piece.segment, []).append(self._too_old(piece, index))
        for part, positions in found.items():
            yield part, np.concatenate(positions), False
        yield from self._of_tail(index)

    def _by_statistics(self) -> tuple[set[str], set[str]]:
        """The segments that are too old as a whole, and those that may hold rows which are."""
        refs = self._base.segments(self._table.id)
        whole: set[str] = set()
        some: set[str] = set()
        if not refs:
            return whole, some
        zones = self._scan.segment_zones(self._column.name)
        for at, ref in enumerate(refs):
            if not ref.live_rows:
                continue
            if not zones.bounded:
                some.add(ref.ulid)
                continue
            if not zones.known[at] or int(zones.low[at]) >= self._cutoff:
                continue
            low, high = int(zones.low[at]), int(zones.high[at])
            if high < self._cutoff and not zones.nulls[at] and not zones.open[at]:
                whole.add(ref.ulid)
            elif not self._lazily or self._cutoff - low >= DELETED_SHARE * (high - low):
                some.add(ref.ulid)
        return whole, some

    def _too_old(self, piece: ScanPiece, index: int) -> np.ndarray:
        """The positions, in its segment, of a piece's live rows that are too old."""
        batch = self._scan.read_piece(piece, [index], ScanCounters(), deleted=True)
        mask = self._older(batch.column(0))
        live = self._scan.live(piece)
        return piece.start + np.flatnonzero(mask if live is None else mask & live)

    def _of_tail(self, index: int) -> Iterator[tuple[str, np.ndarray, bool]]:
        tail = next((piece for piece in self._scan.pieces() if not piece.segment), None)
        if tail is None:
            return
        batch = self._scan.read_piece(tail, [0, index], ScanCounters())
        mask = self._older(batch.column(1))
        if self._lazily and mask.sum() < DELETED_SHARE * len(mask):
            return
        ids = np.sort(batch.column(0).to_numpy()[mask])
        for blob in self._base.holds(self._table.id).blobs:
            low, high = np.searchsorted(ids, (blob.first_row_id, blob.first_row_id + blob.rows))
            yield blob.part, ids[low:high] - blob.first_row_id, False

    def _older(self, times: pa.Array) -> np.ndarray:
        mask = pc.less(integers_of(times), pa.scalar(self._cutoff, pa.int64()))
        return mask.fill_null(False).to_numpy(zero_copy_only=False)
