"""Where the rows of a CSV file stand: line and number of each row that was asked for, by one pass over its bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

_BLOCK = 8 << 20


@dataclass(frozen=True, slots=True)
class Dialect:
    """What of a CSV's dialect says where a row ends; `skip` lines stand before the header or the first row."""

    quote: str
    skip: int
    header: bool


@dataclass(frozen=True, slots=True)
class Places:
    """Line and row number (both from 1) of the refused rows, by their first byte, and of accepted ones, by their rank."""

    refused: dict[int, tuple[int, int]]
    accepted: dict[int, tuple[int, int]]


def find_places(
    path: Path, dialect: Dialect, refused: Sequence[int], accepted: Sequence[int], accepted_rows: int
) -> Places | None:
    """Number the rows of a file.

    Parameters
    ----------
    refused
        The first bytes of rows that were refused; blank lines may stand between such a byte and the row.
    accepted
        Ranks, from 0, among the rows that were taken.
    accepted_rows
        How many were taken.

    Returns
    -------
    Places or None
        None when the counts do not add up: a quote in the wrong place makes it ambiguous where rows end.
    """
    starts = np.unique(np.array(refused, np.int64))
    ranks = np.unique(np.array(accepted, np.int64))
    found_refused: dict[int, tuple[int, int]] = {}
    found_accepted: dict[int, tuple[int, int]] = {}
    row = taken = 0
    skipped = not dialect.header
    for begins, lines in _records(path, dialect):
        if not skipped and len(begins):
            begins, lines, skipped = begins[1:], lines[1:], True
        if not len(begins):
            continue
        held = starts[: np.searchsorted(starts, begins[-1], side="right")]
        starts = starts[len(held) :]
        at = np.searchsorted(begins, held, side="left")
        bad = np.zeros(len(begins), bool)
        for start, place in zip(held.tolist(), at.tolist(), strict=True):
            bad[place] = True
            found_refused[start] = (int(lines[place]), row + place + 1)
        good = np.flatnonzero(~bad)
        here = ranks[: np.searchsorted(ranks, taken + len(good))]
        ranks = ranks[len(here) :]
        for rank in here.tolist():
            place = int(good[rank - taken])
            found_accepted[rank] = (int(lines[place]), row + place + 1)
        row += len(begins)
        taken += len(good)
    if taken != accepted_rows or len(starts) or len(ranks):
        return None
    return Places(found_refused, found_accepted)


def _records(path: Path, dialect: Dialect) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The first byte and the line of every row that is not blank, the header among them."""
    scan = _Scan(10, dialect.quote.encode()[:1])
    skip = dialect.skip
    with pa.input_stream(str(path), compression="detect") as stream:
        while block := stream.read(_BLOCK):
            data = np.frombuffer(block, np.uint8)
            if skip:
                ends = np.flatnonzero(data == scan.end)[:skip]
                if len(ends):
                    data = data[ends[-1] + 1 :]
                    scan.skip(int(ends[-1]) + 1, len(ends))
                skip = 0
            if len(data):
                yield scan.block(data)
    yield scan.finish()


class _Scan:
    """Finds rows block by block: a row ends at a newline before which an even number of quotes stands."""

    def __init__(self, end: int, quote: bytes) -> None:
        self.end = end
        self._quote = quote[0] if quote else None
        self._offset = 0  # of the next block
        self._line = 1  # of the next block's first byte
        self._odd = False
        self._start = 0  # of the row that is not complete
        self._start_line = 1
        self._last = 0  # the last byte of the block before

    def skip(self, count: int, lines: int) -> None:
        """Leave the first bytes out."""
        self._offset = self._start = count
        self._line = self._start_line = 1 + lines

    def block(self, data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows that end in this block."""
        marks = np.flatnonzero(data == self.end)
        ends = marks
        if self._quote is not None:
            quotes = np.cumsum(data == self._quote) + int(self._odd)
            ends = marks[(quotes[marks] & 1) == 0]
            self._odd = bool(quotes[-1] & 1)
        following = np.concatenate([np.array([self._start - self._offset]), ends + 1])
        begins, stops = following[:-1], ends
        lines = self._line + np.searchsorted(marks, following, side="left")
        lines[0] = self._start_line
        length = stops - begins
        before = np.where(stops > 0, data[np.maximum(stops - 1, 0)], self._last) if len(stops) else stops
        blank = (length == 0) | ((length == 1) & (before == 13))
        found = begins[~blank] + self._offset, lines[:-1][~blank]
        self._start = int(following[-1]) + self._offset
        self._start_line = int(lines[-1])
        self._offset += len(data)
        self._line += len(marks)
        self._last = int(data[-1])
        return found

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """The last row of a file that does not end with a newline."""
        there = self._start < self._offset
        return np.array([self._start] * there, np.int64), np.array([self._start_line] * there, np.int64)
