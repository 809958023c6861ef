"""Several segments of one write at once: while one is encoded, written and synced, the next is gathered and sorted.

Memory is bounded by the segments in flight. The encoding threads are shared by all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

import pyarrow as pa

from luma_bench.config import Settings
from luma_bench.storage.segment import SegmentRef, write_segment
from luma_bench.types.schema import TableSchema

IN_FLIGHT = 2
"""Segments that are worked on at a time: one waits for the disk while the other computes."""


class SegmentPipeline:
    """Writes segments on threads of its own; used in a `with` block that ends before the commit.

    When the block ends well, every segment is written and durable. When it raises, what has not begun is cancelled,
    and the files that this pipeline wrote are removed.

    Parameters
    ----------
    settings
        The bench's settings; `threads` of it encode.
    in_flight
        How many segments, and so tables of the caller, are held at a time.
    """

    def __init__(self, settings: Settings, in_flight: int = IN_FLIGHT) -> None:
        self._settings = settings
        self._room = threading.Semaphore(in_flight)
        self._encoding = ThreadPoolExecutor(settings.effective_threads, thread_name_prefix="luma-encode")
        self._writing = ThreadPoolExecutor(in_flight, thread_name_prefix="luma-segment")
        self._futures: list[Future[SegmentRef]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            for future in self._futures:
                future.cancel()
        self._writing.shutdown(wait=True)
        self._encoding.shutdown(wait=True)
        failed = next((future for future in self._futures if _failed(future)), None)
        if kind is not None or failed is not None:
            for future in self._futures:
                if not future.cancelled() and future.exception() is None:
                    future.result().path.unlink(missing_ok=True)
        if kind is None and failed is not None:
            failed.result()

    def submit(
        self,
        folder: Path,
        ulid: str,
        table: pa.Table,
        schema: TableSchema,
        *,
        first_row_id: int | None,
        row_ids: pa.Array | None = None,
        level: int = 0,
        sync: bool = True,
        prepare: Callable[[pa.Table], pa.Table] | None = None,
    ) -> Future[SegmentRef]:
        """Begin a segment; waits while as many are in flight as may be.

        Parameters
        ----------
        folder, ulid, table, schema, first_row_id, row_ids, level, sync
            As `write_segment` takes them.
        prepare
            What is done to the table first, on the segment's thread: a sort. It must keep columns and the number of rows.

        Raises
        ------
        LumaError, OSError
            What an earlier segment failed with.
        """
        self._room.acquire()

        def write() -> SegmentRef:
            nonlocal table
            try:
                return write_segment(
                    folder,
                    ulid,
                    table if prepare is None else prepare(table),
                    schema,
                    first_row_id=first_row_id,
                    row_ids=row_ids,
                    settings=self._settings,
                    sync=sync,
                    level=level,
                    threads=self._encoding,
                )
            finally:
                del table  # the future outlives the segment: its rows need not
                self._room.release()

        try:
            for future in self._futures:
                if _failed(future):
                    future.result()
            begun = self._writing.submit(write)
        except BaseException:
            self._room.release()
            raise
        self._futures.append(begun)
        return begun


def _failed(future: Future[SegmentRef]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is not None
