"""One write as a user asks for it, staged into a transaction: plain rows, files, or an import with rejects."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from luma_bench.bench.importing import MAX_REJECTS, Import, is_paths, open_source
from luma_bench.errors import CancelledError, UnsupportedError

if TYPE_CHECKING:
    import pyarrow as pa

    from luma_bench.storage.catalog.resolved import ResolvedSnapshot
    from luma_bench.storage.pool import BufferPool
    from luma_bench.storage.store import Store
    from luma_bench.storage.transaction import Transaction
    from luma_bench.types.identity import Permit
    from luma_bench.types.record import Snapshot

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """What `bench.write` was asked.

    Attributes
    ----------
    settings
        `primary_key`, `sort_by`, `time_column`, `series_key`.
    rejects
        The table for rows that cannot be taken; None where such a row fails the write.
    max_rejects
        How many rows may be refused; None for `MAX_REJECTS`.
    options
        How files are read, by the names of `read_csv`.
    """

    table: str
    data: Any
    mode: str
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    rejects: str | None = None
    max_rejects: int | None = None
    options: Mapping[str, Any] | None = None

    def stage(
        self,
        inside: Transaction,
        pool: BufferPool,
        progress: Progress | None,
        stop: threading.Event | None = None,
    ) -> tuple[int, int]:
        """Stage the rows; how many were taken, and how many refused.

        Raises
        ------
        LumaError
            Nothing of this write was staged.
        CancelledError
            `stop` was set.
        """
        if self.rejects is None and self.max_rejects is not None:
            raise UnsupportedError(
                "max_rejects is given without a reject table.", hint="Give rejects='name' too."
            )
        if self.options and not is_paths(self.data):
            raise UnsupportedError(
                "options say how files are read; this data is none.", hint="Leave them out."
            )
        stop = stop or threading.Event()
        view = inside.view()
        if self.rejects is None:
            source, total = arrow_source(self.data, self._target(view), self.options)
            done = inside.write(
                self.table, source, mode=self.mode, **self.settings, progress=_reporter(progress, total, stop)
            )
            return done, 0
        limit = MAX_REJECTS if self.max_rejects is None else self.max_rejects
        asked = Import(self.table, self.mode, self.settings, self.rejects, limit)
        asked.check(view)
        opened = open_source(self.data, self._target(view), limit, self.options)
        try:
            report = _reporter(progress, opened.total, stop)
            return asked.run(inside, view, opened, pool, progress=report, stop=stop)
        finally:
            opened.close()

    def run(
        self,
        store: Store,
        permit: Permit,
        message: str,
        token: str | None,
        progress: Progress | None,
        stop: threading.Event,
    ) -> Snapshot:
        """Write the rows as a snapshot of their own; one that the token named before is returned as it is."""
        with store.begin(message=message, token=token, operation="write", permit=permit) as inside:
            if token is not None and (made := store.made(token, self.table)) is not None:
                inside.rollback()
                return made
            taken, refused = self.stage(inside, store.pool, progress, stop)
            told = f"{taken:,} rows; {refused:,} rejected into {self.rejects}" if self.rejects else ""
            return inside.commit(message=message or told)

    def _target(self, view: ResolvedSnapshot) -> pa.Schema | None:
        """The columns of the table that rows are added to."""
        present = view.named(self.table) if self.mode in ("append", "upsert") else None
        return None if present is None else present.arrow


def names_of(value: str | Iterable[str]) -> tuple[str, ...]:
    """Column names, one or several."""
    return (value,) if isinstance(value, str) else tuple(value)


def arrow_source(
    data: Any, target: pa.Schema | None = None, options: Mapping[str, Any] | None = None
) -> tuple[Any, int | None]:
    """What the store writes, and its rows where that is known: paths become Arrow streams, the rest goes as it is."""
    if not is_paths(data):
        rows = getattr(data, "num_rows", None)
        return data, rows if isinstance(rows, int) else None
    from luma_bench.engines.duck_files import FileReader

    reader = FileReader()
    return reader.open(data, target=target, **(options or {})), reader.rows(data)


def _reporter(progress: Progress | None, total: int | None, stop: threading.Event) -> Callable[[int], None]:
    def report(rows: int) -> None:
        if stop.is_set():
            raise CancelledError("The write was cancelled; nothing was written.")
        if progress is not None:
            progress(rows, total)

    return report
