"""The newest row of each series, chunk by chunk: of equal times the one that is stored last."""

from __future__ import annotations

import numpy as np

from luma_bench.models.series.runs import Codes, Ints

_ROOM = 1_024


class Newest:
    """Where the newest row of each series stands; chunks are added in stored order."""

    def __init__(self) -> None:
        # By number of a series; the chunk is -1 where it was not met.
        self._times: Ints = np.empty(0, np.int64)
        self._chunks: Ints = np.empty(0, np.int64)
        self._rows: Ints = np.empty(0, np.int64)

    def add(self, chunk: int, codes: Codes, times: Ints, rows: Ints) -> None:
        """Take in the last row of each run of a chunk.

        Parameters
        ----------
        codes
            The series of each run, each once.
        """
        self._grow(int(codes.max()) + 1 if len(codes) else 0)
        newer = (times >= self._times[codes]) | (self._chunks[codes] < 0)
        if newer.all():
            chosen, when, where = codes, times, rows
        else:
            chosen, when, where = codes[newer], times[newer], rows[newer]
        self._times[chosen], self._chunks[chosen], self._rows[chosen] = when, chunk, where

    def found(self) -> tuple[Ints, Ints]:
        """The chunk and the place in it of the newest row of each series that was met."""
        met = self._chunks >= 0
        return self._chunks[met], self._rows[met]

    def settle(self) -> None:
        """From now on the rows of `found` are those of chunk 0, in their order."""
        met = np.flatnonzero(self._chunks >= 0)
        self._chunks[met], self._rows[met] = 0, np.arange(len(met))

    def _grow(self, count: int) -> None:
        held = len(self._times)
        if count <= held:
            return
        more = max(count, 2 * held, _ROOM) - held
        self._times = np.concatenate([self._times, np.zeros(more, np.int64)])
        self._chunks = np.concatenate([self._chunks, np.full(more, -1, np.int64)])
        self._rows = np.concatenate([self._rows, np.zeros(more, np.int64)])
