"""What a check of a bench found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from luma_bench.errors import CorruptionError
from luma_bench.types.record import bytes_text, seconds_text

Kind = Literal[
    "catalog", "file", "chunk", "metadata", "values", "zones", "statistics", "keys", "row ids", "blob",
    "deletion", "index", "orphan", "foreign", "lease", "pending",
]  # fmt: skip
"""What is wrong, as `repair` tells it: `metadata` are bytes of a file beside its chunks, `statistics` those in the catalog."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (empty or None where it does not apply), what, and of which kind.

    `path` is that of a file that nobody needs, from the bench's folder on.
    """

    segment: str
    column: str | None
    chunk: int | None
    text: str
    kind: Kind = "catalog"
    table_id: int | None = None
    path: str | None = None

    @classmethod
    def of(cls, error: CorruptionError, kind: Kind, table_id: int | None = None) -> Problem:
        """What reading refused."""
        return cls(error.segment, error.column, error.chunk, error.message, kind, table_id)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check found.

    Attributes
    ----------
    problems
        What makes a snapshot unreadable or wrong, or an index unusable.
    notes
        What is harmless: files that no snapshot lists, left by a writer that died (or belonging to one that is alive),
        leases that ran out, rows that wait for the collection. They take space and nothing else.
    segments, blobs, deletions, indexes
        How many were looked at.
    nbytes
        Bytes of files and blobs that were read.
    seconds
        How long it took.
    deep
        Whether every value was read; else files were opened by their ends only.
    """

    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    segments: int
    blobs: int
    deletions: int = 0
    indexes: int = 0
    nbytes: int = 0
    seconds: float = 0.0
    deep: bool = True

    @property
    def ok(self) -> bool:
        """Whether every snapshot is whole, as far as was looked."""
        return not self.problems

    @property
    def summary(self) -> str:
        """The counts in one line."""
        how = "every value read" if self.deep else "sizes, index checksums and the catalog only"
        return (
            f"{self.segments:,} segments, {self.blobs:,} inline blobs, {self.deletions:,} deletions and "
            f"{self.indexes:,} indexes checked ({how}): {bytes_text(self.nbytes)} in {seconds_text(self.seconds)}; "
            f"{len(self.problems):,} problems, {len(self.notes):,} notes."
        )

    def __str__(self) -> str:
        lines = [self.summary]
        lines += [f"problem: {problem.text}" for problem in self.problems]
        lines += [f"note: {note.text}" for note in self.notes]
        return "\n".join(lines)
