"""The keys of a table's inline rows: few, so they lie in memory and are compared one with all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from luma_bench.storage import tail
from luma_bench.storage.key_form import KeyForm, Normal
from luma_bench.storage.key_pairs import pairs
from luma_bench.storage.tail import InlineBlob


class TailKeys:
    """The keys of the live rows of all blobs.

    Attributes
    ----------
    codes
        int64, in row order.
    parts, positions
        The blob (by its place among the blobs) and the position in it of each row.
    normal
        The key columns.
    """

    def __init__(self, form: KeyForm, blobs: Sequence[InlineBlob]) -> None:
        self.normal: list[Normal] = form.normal([tail.exact(blobs, column) for column in form.columns])
        self.codes = form.codes(self.normal)
        counts = [blob.live_rows for blob in blobs]
        self.parts = np.repeat(np.arange(len(blobs)), counts)
        self.positions = np.concatenate([np.zeros(0, np.int64), *(_living(blob) for blob in blobs)])
        self._order: np.ndarray | None = None

    def of_code(self, code: int) -> list[int]:
        """The rows whose code is `code`."""
        return np.flatnonzero(self.codes == code).tolist()

    def of_codes(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of equal codes: places in the sorted `wanted`, and rows here."""
        if self._order is None:
            self._order = np.argsort(self.codes, kind="stable")
        order = self._order
        return pairs(self.codes[order], order, wanted)


def _living(blob: InlineBlob) -> np.ndarray:
    every = np.arange(blob.rows)
    return every if blob.deleted is None else np.delete(every, blob.deleted)
