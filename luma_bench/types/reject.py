"""A row that a bulk import could not take: where it stands and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

REJECT_SCHEMA = pa.schema(
    [
        pa.field("table_name", pa.string()),
        pa.field("file", pa.string()),
        pa.field("line", pa.int64()),
        pa.field("row", pa.int64()),
        pa.field("column_name", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("text", pa.string()),
    ]
)
"""The columns of a reject table."""

TEXT_LENGTH = 2_000
"""A longer text of a refused row is cut."""


@dataclass(frozen=True, slots=True)
class Reject:
    """One thing that is wrong with one row; a row may have several.

    Attributes
    ----------
    file
        The file, None for data that came from memory.
    line
        The line of the file, counted from 1, that the row begins in; None where the format has no lines, or where
        damage before it makes lines and rows ambiguous.
    row
        The row's number in its file (or in the data), counted from 1, without the header; None where it is ambiguous.
    column
        The column, None when the row as a whole is wrong.
    reason
        What is wrong, one sentence.
    text
        The row or the value as it stands in the file.
    """

    file: str | None
    line: int | None
    row: int | None
    column: str | None
    reason: str
    text: str | None

    @property
    def place(self) -> str:
        """Where it is, as error messages begin: `x.csv, line 7, column 'a'`."""
        parts = [] if self.file is None else [self.file]
        if self.line is not None:
            parts.append(f"line {self.line:,}")
        elif self.row is not None:
            parts.append(f"row {self.row:,}")
        if self.column is not None:
            parts.append(f"column {self.column!r}")
        return ", ".join(parts) or "the data"


@dataclass(frozen=True, slots=True)
class Portion:
    """Rows of one file (None: of data from memory) that could be read; `ranks` (int64, from 0) name them to their source."""

    batch: pa.RecordBatch
    file: str | None
    ranks: np.ndarray


@dataclass(frozen=True, slots=True)
class Late:
    """What was found wrong with a row after it had been read: its file and rank, the column, why, and the value."""

    file: str | None
    rank: int
    column: str | None
    reason: str
    text: str | None


class ImportSource(Protocol):
    """Data in the middle of an import; what cannot be read of it is kept aside."""

    @property
    def schema(self) -> pa.Schema:
        """The columns of the rows that can be read."""
        ...

    @property
    def total(self) -> int | None:
        """How many rows there are, where that is known."""
        ...

    @property
    def refused(self) -> int:
        """How many rows could not be read so far; complete after the last portion."""
        ...

    def portions(self) -> Iterator[Portion]:
        """The rows, once.

        Raises
        ------
        LumaError
            A file cannot be read at all.
        """
        ...

    def rejects(self, late: Sequence[Late]) -> list[Reject]:
        """After the last portion: what could not be read, and `late`, with lines and row numbers."""
        ...

    def close(self) -> None:
        """Let go of files; harmless when repeated."""
        ...


def reject_table(rejects: Sequence[Reject], table: str) -> pa.Table:
    """The rejects of one import as rows of a reject table."""
    columns = {
        "table_name": [table] * len(rejects),
        "file": [item.file for item in rejects],
        "line": [item.line for item in rejects],
        "row": [item.row for item in rejects],
        "column_name": [item.column for item in rejects],
        "reason": [item.reason for item in rejects],
        "text": [_cut(item.text) for item in rejects],
    }
    return pa.table(columns, schema=REJECT_SCHEMA)


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH - 1]}…"
