"""Where the rows of rewritten parts went: the way from a place in an old part to the place in a new segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

Ids = int | np.ndarray
"""The row ids of one part: the first where the others follow, or all of them (int64, in the part's row order)."""


class RowMap:
    """The row ids of what a rewrite read and of what it wrote.

    Parameters
    ----------
    parts
        The row ids of each old part, by its name.
    outputs
        The row ids of each new segment, and how many they are.
    """

    def __init__(self, parts: Mapping[str, Ids], outputs: Sequence[tuple[Ids, int]]) -> None:
        self._parts = parts
        self._outputs = outputs
        self._orders: dict[int, np.ndarray] = {}

    def moved(self, part: str, positions: np.ndarray) -> dict[int, np.ndarray]:
        """The sorted positions, by number of the new segment, of rows that were at `positions` of an old part.

        A row that was left out, because it was deleted already, is in no new segment.
        """
        ids = self._parts[part]
        wanted = ids[positions] if isinstance(ids, np.ndarray) else positions + ids
        found: dict[int, np.ndarray] = {}
        for number, (held, rows) in enumerate(self._outputs):
            places = self._places(number, held, rows, wanted)
            if len(places):
                found[number] = places
        return found

    def bounds(self, number: int) -> tuple[int, int]:
        """The smallest and the largest row id of a new segment."""
        held, rows = self._outputs[number]
        if isinstance(held, int):
            return held, held + rows - 1
        return int(held.min()), int(held.max())

    def _places(self, number: int, held: Ids, rows: int, wanted: np.ndarray) -> np.ndarray:
        if isinstance(held, int):
            return np.sort(wanted[(wanted >= held) & (wanted < held + rows)] - held)
        order = self._orders.get(number)
        if order is None:
            order = self._orders[number] = np.argsort(held, kind="stable")
        place = np.minimum(np.searchsorted(held, wanted, sorter=order), max(0, rows - 1))
        at = order[place] if rows else place
        return np.sort(at[held[at] == wanted]) if rows else at[:0]
