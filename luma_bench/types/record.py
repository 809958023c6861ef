"""What happened: snapshots of the store, and the run record of one statement."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One committed state of the whole bench, over every table and model."""

    id: int
    time: dt.datetime
    operation: str
    author: str = ""
    message: str = ""
    tags: tuple[str, ...] = ()
    namespace: str = "main"
    token: str = ""
    tables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """One plan node as it ran: estimated and actual figures."""

    name: str
    engine: str
    rows_estimated: int | None = None
    rows: int | None = None
    nbytes: int | None = None
    elapsed: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The truth about one statement: what ran it, why, at which snapshot, and what it cost.

    `elapsed` is in seconds from call to complete result. `rows_read` counts rows of segment chunks and inline
    tails that were handed to the engine or to the exact filter, after pruning; `bytes_read` counts bytes read from files
    (a chunk served by the buffer pool costs none). `estimates` maps engine names to estimated seconds; `fallbacks` has a
    sentence for each engine that was to run it and did not, or gave it up. Inside a
    transaction `snapshot` is the one that it began on, and `in_transaction` is True.
    """

    engine: str
    reason: str
    snapshot: int
    elapsed: float = 0.0
    rows_read: int = 0
    bytes_read: int = 0
    segments_read: int = 0
    segments_pruned: int = 0
    cached: bool = False
    fallbacks: tuple[str, ...] = ()
    recall: float | None = None
    warnings: tuple[str, ...] = ()
    estimates: dict[str, float] = field(default_factory=dict[str, float])
    nodes: tuple[NodeRecord, ...] = ()
    chunks_read: int = 0
    chunks_pruned: int = 0
    rows_out: int = 0
    in_transaction: bool = False

    @property
    def badge(self) -> str:
        """The run in one line, as results show it."""
        where = (
            "cached"
            if self.cached
            else f"{self.rows_read:,} row{'' if self.rows_read == 1 else 's'} read, {bytes_text(self.bytes_read)}"
        )
        pruned = (
            f", {self.segments_pruned} of {self.segments_pruned + self.segments_read} segments pruned"
            if self.segments_pruned
            else ""
        )
        inside = ", in transaction" if self.in_transaction else ""
        count = len(self.fallbacks)
        fell = f" · {count} fallback{'' if count == 1 else 's'}" if count else ""
        return f"{self.engine} ({self.reason}) · snapshot {self.snapshot}{inside} · {where}{pruned} · {seconds_text(self.elapsed)}{fell}"


def bytes_text(count: int) -> str:
    """A byte count for people: `0 B`, `3.2 MB` (powers of 1,000)."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def seconds_text(seconds: float) -> str:
    """A duration for people: `0.8 ms`, `120 ms`, `2.4 s`."""
    if seconds < 0.01:
        return f"{seconds * 1e3:.1f} ms"
    if seconds < 1:
        return f"{seconds * 1e3:.0f} ms"
    return f"{seconds:.1f} s"
