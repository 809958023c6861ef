"""Running compactions: each job reads its parts, stores its segments under a lease, and commits them in the parts' place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.errors import ConflictError, SnapshotExpired
from luma_bench.storage.catalog import Catalog, CommitInfo, ResolvedSnapshot, TableChange
from luma_bench.storage.catalog.change import Rewrite
from luma_bench.storage.catalog.lease import Lease
from luma_bench.storage.catalog.snapshot import segment_path
from luma_bench.storage.compact.gather import Input, SegmentInput, TailInput
from luma_bench.storage.compact.merge import Merge, Merged, Task
from luma_bench.storage.compact.parts import blobs_of
from luma_bench.storage.compact.plan import Job
from luma_bench.storage.compact.rows import JobRows, Output
from luma_bench.storage.pool import BufferPool
from luma_bench.storage.segment import SegmentRef, write_segment
from luma_bench.storage.write import make_folder, range_keys, sort_keys
from luma_bench.types.rules import RowRules
from luma_bench.types.schema import TableSchema


@dataclass(frozen=True, slots=True)
class Tools:
    """What a compaction works with.

    Attributes
    ----------
    settings
        Those of the bench; its `threads` encode.
    threaded
        Whether columns are decoded on the pool's threads: not in the background.
    stop
        Raises when the work shall end; called between two columns and two segments.
    rules
        What checks constraints where rows are deleted that others refer to.
    """

    catalog: Catalog
    pool: BufferPool
    settings: Settings
    author: str
    threaded: bool
    stop: Callable[[], None]
    rules: RowRules | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a job: the snapshot that it made, or why there is none.

    `rows` were written, `dropped` were deleted and left out; the bytes are of files.
    """

    snapshot: int | None
    rows: int = 0
    dropped: int = 0
    segments: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    skipped: str = ""


def run_job(
    tools: Tools, base: ResolvedSnapshot, schema: TableSchema, job: Job, advance: Callable[[int], None]
) -> Done:
    """Run one job. A job whose table another commit changed in its way is skipped, and leaves nothing.

    Parameters
    ----------
    base
        The snapshot on which the job was planned; rows that are deleted after it stay deleted.
    advance
        Called with the number of rows that were written since.

    Raises
    ------
    LumaError
        A part is damaged, or the lease ran out; nothing is left then.
    """
    try:
        lease = tools.catalog.take_lease(base.id, kind="compact")
        with lease, _Files(tools, lease) as files:
            return _run(tools, base, schema, job, files, advance)
    except (ConflictError, SnapshotExpired) as error:
        return Done(None, skipped=error.message)


def _run(
    tools: Tools,
    base: ResolvedSnapshot,
    schema: TableSchema,
    job: Job,
    files: _Files,
    advance: Callable[[int], None],
) -> Done:
    inputs, old = _opened(tools, base, schema, job)
    merge = Merge(
        schema,
        inputs,
        sort_keys(schema.settings),
        range_keys(schema.settings),
        target=tools.settings.shard_rows,
        budget=tools.settings.compaction_bytes,
        run_all=lambda tasks: _run_all(tools, tasks),
    )
    outputs: list[Output] = []
    read = 0
    for merged in merge:
        outputs.append(files.store(schema, merged, job.level))
        read += merged.nbytes_read
        advance(len(merged.row_ids))
        del merged
    rewrite = Rewrite(
        frozenset(old), tuple(output.ref for output in outputs), job.level, JobRows(old, outputs)
    )
    change = TableChange("compact", schema, base.id, rewrite=rewrite)
    snapshot = files.commit(change)
    dropped = sum(source.rows for source in inputs) - merge.rows
    written = sum(output.ref.nbytes for output in outputs)
    return Done(snapshot, merge.rows, dropped, len(outputs), read, written)


def _opened(
    tools: Tools, base: ResolvedSnapshot, schema: TableSchema, job: Job
) -> tuple[list[Input], dict[str, SegmentRef | int]]:
    """The parts of the job, in the table's order, and what the row map must know of them."""
    names = {part.name for part in job.parts}
    inputs: list[tuple[int, Input]] = []
    old: dict[str, SegmentRef | int] = {}
    if any(not part.inline for part in job.parts):
        held = base.holds(schema.id)
        starts = {ref.ulid: start for ref, start in zip(held.segments, held.starts, strict=True)}
        for ref in base.segments(schema.id):
            if ref.ulid in names:
                tools.stop()
                inputs.append((starts[ref.ulid], SegmentInput(ref, tools.pool)))
                old[ref.ulid] = ref
    if any(part.inline for part in job.parts):
        for blob in base.inline(schema.id):
            if str(blob.id) in names:
                inputs.append((blob.first_row_id, TailInput(blob)))
                old |= {ref.part: ref.first_row_id for ref in blobs_of(base, schema.id, blob)}
    inputs.sort(key=lambda pair: pair[0])
    return [source for _, source in inputs], old


def _run_all(tools: Tools, tasks: Sequence[Task]) -> list[tuple[pa.ChunkedArray, int]]:
    results: list[tuple[pa.ChunkedArray, int]] = []
    if not tools.threaded:
        for task in tasks:
            tools.stop()
            results.append(task())
        return results
    futures: list[Future[tuple[pa.ChunkedArray, int]]] = [tools.pool.submit(task) for task in tasks]
    try:
        for future in futures:
            tools.stop()
            results.append(tools.pool.result(future))
    finally:
        # After a failure nobody waits for the rest; what runs cannot be cancelled.
        for future in futures:
            future.cancel()
    return results


class _Files:
    """The segments of one job: stored under its lease, and removed again unless its commit listed them."""

    def __init__(self, tools: Tools, lease: Lease) -> None:
        self._tools = tools
        self._lease = lease
        self._paths: dict[str, Path] = {}

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._paths:
            return
        # After a commit in doubt the catalog says what is listed.
        listed = self._tools.catalog.listed_segments(list(self._paths))
        for ulid, path in self._paths.items():
            if ulid not in listed:
                path.unlink(missing_ok=True)

    def store(self, schema: TableSchema, merged: Merged, level: int) -> Output:
        """Write one segment; its ids are stored where they are no range."""
        self._tools.stop()
        self._lease.check()
        catalog = self._tools.catalog
        ulid = catalog.new_ulid()
        path = segment_path(catalog.folder, schema.id, ulid)
        make_folder(path.parent, catalog.folder)
        self._paths[ulid] = path
        ids = merged.row_ids
        low, high = int(ids.min()), int(ids.max())
        ranged = bool(ids[0] == low and high - low + 1 == len(ids) and np.all(np.diff(ids) == 1))
        ref = write_segment(
            path.parent,
            ulid,
            merged.table,
            schema,
            first_row_id=low if ranged else None,
            row_ids=None if ranged else pa.array(ids),
            settings=self._tools.settings,
            level=level,
        )
        return Output(ref, low, high)

    def commit(self, change: TableChange) -> int:
        """Put the new segments in the place of the old parts; the snapshot."""
        self._tools.stop()
        self._lease.check()
        catalog = self._tools.catalog
        info = CommitInfo(
            "compact", self._tools.author, "", catalog.new_ulid(), change.schema.namespace, self._lease.id
        )
        committed = catalog.commit([change], info)
        self._lease.spend()
        self._paths.clear()
        return committed.snapshot.id
