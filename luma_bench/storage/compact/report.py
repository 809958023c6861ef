"""What a compaction did, as values and as a plain table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from luma_bench.storage.collect import Collected
from luma_bench.types.record import bytes_text, seconds_text


@dataclass(frozen=True, slots=True)
class TableReport:
    """What was done to one table.

    Attributes
    ----------
    parts_before, parts_after
        Its segments, and its inline tail as one more.
    rows
        Rows that were written anew, as often as they were.
    dropped
        Deleted rows that were left out for good.
    bytes_read, bytes_written
        Of files.
    write_amplification
        Over the table's whole history: bytes that compactions wrote for each byte of new data that they took or that
        still waits for one. 0 for a table that was never compacted.
    seconds
        How long it took.
    skipped
        Why jobs were not done: another commit was in their way. They are tried again the next time.
    expired, expired_segments
        Rows that were older than the table keeps and are deleted now, and the segments all of whose rows were.
    """

    table: str
    parts_before: int
    parts_after: int
    rows: int = 0
    dropped: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    write_amplification: float = 0.0
    seconds: float = 0.0
    skipped: tuple[str, ...] = ()
    expired: int = 0
    expired_segments: int = 0


@dataclass(frozen=True, slots=True)
class CompactReport:
    """What a compaction did: its tables, and what was collected after it.

    Attributes
    ----------
    tables
        One entry a table, by name.
    collected
        Snapshots that expired, and what was removed with them.
    seconds
        How long all of it took.
    warnings
        What went wrong, here or in the background before, and did no harm to the data.
    """

    tables: tuple[TableReport, ...] = ()
    collected: Collected = field(default_factory=Collected)
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()

    @property
    def bytes_written(self) -> int:
        """Bytes of the new segments of all tables."""
        return sum(item.bytes_written for item in self.tables)

    def __str__(self) -> str:
        """A line for each table, then what was collected."""
        header = ("table", "parts", "rows", "dropped", "read", "written", "write amplification", "time")
        rows = [header, *(_cells(item) for item in self.tables)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
        lines = [
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        if not self.tables:
            lines = ["No table."]
        notes = [
            f"{item.table}: {_count(item.expired, 'row')} too old to keep, "
            f"{_count(item.expired_segments, 'segment')} of them whole"
            for item in self.tables
            if item.expired
        ]
        notes += [f"{item.table}: skipped: {why}" for item in self.tables for why in item.skipped]
        return "\n".join(
            [*lines, *notes, _collected(self.collected), *(f"! {text}" for text in self.warnings)]
        )


def _cells(item: TableReport) -> tuple[str, ...]:
    return (
        item.table,
        f"{item.parts_before:,} → {item.parts_after:,}",
        f"{item.rows:,}",
        f"{item.dropped:,}",
        bytes_text(item.bytes_read),
        bytes_text(item.bytes_written),
        f"{item.write_amplification:.2f}",
        seconds_text(item.seconds),
    )


def _collected(found: Collected) -> str:
    parts = [
        _count(found.snapshots, "snapshot") + " expired",
        f"{_count(found.files, 'file')} removed ({bytes_text(found.nbytes)})",
    ]
    if found.left_over:
        parts.append(f"{_count(found.left_over, 'file')} of writers that died among them")
    return ", ".join(parts) + "."


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def combined(reports: Sequence[TableReport]) -> tuple[TableReport, ...]:
    """The reports in the order of the tables' names."""
    return tuple(sorted(reports, key=lambda item: item.table))
