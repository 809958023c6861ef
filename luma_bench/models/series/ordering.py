"""Groups in order of (code, start, first row's time), and neighbours of one key put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from luma_bench.models.series.runs import Bools, Codes, Ints
from luma_bench.models.series.states import Kind


def shared(codes: Codes, starts: Ints) -> bool:
    """Whether pieces that ascend share a key."""
    heads = codes[np.concatenate([np.ones(1, bool), (codes[1:] != codes[:-1]) | (starts[1:] <= starts[:-1])])]
    return len(np.unique(heads)) < len(heads)


def steps(codes: Codes, starts: Ints, firsts: Ints | None) -> tuple[Bools, bool]:
    """Which groups have the key of the one before them, and whether the order goes back anywhere."""
    same = codes[1:] == codes[:-1]
    again = same & (starts[1:] == starts[:-1])
    later = same & (starts[1:] > starts[:-1])
    if firsts is not None:
        later |= again & (firsts[1:] >= firsts[:-1])
    else:
        later |= again
    return again, not bool(np.all(later | (codes[1:] > codes[:-1])))


def ordered(codes: Codes, starts: Ints, firsts: Ints | None) -> Ints:
    """The order by (code, start, first row's time), equal ones as they come.

    Pieces that ascend already are moved as a whole where that is enough: one a series and stretch, for rows that came in
    order of time.
    """
    breaks = (codes[1:] != codes[:-1]) | (starts[1:] < starts[:-1])
    if firsts is not None:
        breaks |= (starts[1:] == starts[:-1]) & (firsts[1:] < firsts[:-1])
    begins = np.concatenate([np.zeros(1, np.int64), np.flatnonzero(breaks) + 1])
    sizes = np.diff(np.append(begins, len(codes)))
    keys = [starts[begins], codes[begins]]
    pieces = np.lexsort(keys if firsts is None else [firsts[begins], *keys])
    begins, sizes = begins[pieces], sizes[pieces]
    if not _overlapping(begins[1:], (begins + sizes - 1)[:-1], codes, starts, firsts):
        ends = np.cumsum(sizes)
        return np.repeat(begins - ends + sizes, sizes) + np.arange(len(codes))
    low, least = int(starts.min()), int(codes.min())
    span = int(starts.max()) - low + 1
    if (int(codes.max()) - least + 1) * span >= 1 << 63:
        return np.lexsort((starts, codes) if firsts is None else (firsts, starts, codes))
    # One number for both lets the sort find the pieces that ascend already.
    key = (codes.astype(np.int64) - least) * span + (starts - low)
    if firsts is None:
        return np.argsort(key, kind="stable")
    order = np.argsort(firsts, kind="stable")
    return order[np.argsort(key[order], kind="stable")]


def _overlapping(begins: Ints, lasts: Ints, codes: Codes, starts: Ints, firsts: Ints | None) -> bool:
    """Whether a piece begins before the last group of the piece in front of it."""
    same = codes[begins] == codes[lasts]
    back = same & (starts[begins] < starts[lasts])
    if firsts is not None:
        back |= same & (starts[begins] == starts[lasts]) & (firsts[begins] < firsts[lasts])
    return bool(back.any())


def by_twos(kinds: Sequence[Kind[Any]], states: list[Any], differs: Bools) -> list[Any]:
    """Neighbours of a group put together by twos, until each group is one."""
    while states and not differs.all():
        begins = np.flatnonzero(differs)
        rank = np.arange(len(differs)) - np.repeat(begins, np.diff(np.append(begins, len(differs))))
        even = (rank & 1) == 0
        follows = np.append(~differs[1:], False)
        left, kept = np.flatnonzero(even & follows), np.flatnonzero(even)
        at = np.flatnonzero(follows[kept])
        states = [
            state.take(kept).put(at, kind.join(state.take(left), state.take(left + 1), checked=True))
            for kind, state in zip(kinds, states, strict=True)
        ]
        differs = differs[kept]
    return states
