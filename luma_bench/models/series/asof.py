"""As-of join: for each left row the right row of its series whose time is nearest on one side, or on either.

Sorted runs on both sides, so a match is a binary search; see `Pairs` for how searches are shared by threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.series.ordinals import to_reals
from luma_bench.models.series.pairs import Block, Pairs
from luma_bench.models.series.runs import Array, Bools, Ints, Runs

Direction = Literal["backward", "forward", "nearest"]
Farness = np.ndarray[Any, np.dtype[np.uint64]]

_FARTHEST = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Way:
    """Which right row matches.

    Attributes
    ----------
    direction
        The last time that is not after the left one, the first that is not before it, or the nearer of the two; of two as
        near, the one before.
    strict
        An equal time is no match.
    tolerance
        How far apart the two may be, in units of time, the bound included; None without one.
    real
        Times are floats as `of_reals` makes them, and so is the tolerance.
    first
        Of right rows with that time, take the one stored first; else the one stored last.
    """

    direction: Direction = "backward"
    strict: bool = False
    tolerance: float | None = None
    first: bool = False
    real: bool = False


def matches(
    left: Runs,
    right: Runs,
    way: Way,
    control: Control,
    missing: Bools | None = None,
    kind: type[np.int32 | np.int64] = np.int64,
) -> Array:
    """The stored place of the right row that matches each left row, -1 where none does.

    Parameters
    ----------
    left, right
        Runs of whole inputs with codes that ascend (`whole`), their times in one unit.
    missing
        By series number, those that match nothing.
    kind
        What holds a place.

    Returns
    -------
    numpy.ndarray
        Of `kind`, one for each left row in the order of the left runs.

    Raises
    ------
    CancelledError
        The work is to end.
    """
    pairs = Pairs(left, right, control, missing)
    found = np.full(left.rows, -1, kind)

    def match(block: Block) -> None:
        a, b = block.rows
        found[a:b] = _matched(pairs, block, way)

    pairs.run(match)
    return found


def _matched(pairs: Pairs, block: Block, way: Way) -> Ints:
    """Stored places for the rows of one block."""
    time, right = pairs.left.time[block.rows[0] : block.rows[1]], pairs.right
    search = pairs.search(block)
    starts, ends = pairs.bounds(block)
    apart = _real_apart if way.real else _apart

    def equal(places: Ints, side: Literal["left", "right"]) -> Ints:
        """The first or last of the rows with the times that were found."""
        # Rows without a match keep their own time: these, too, have to ascend.
        found = search(np.where(places >= 0, right.time[places], time), side)
        return np.where(places >= 0, found if side == "left" else found - 1, -1)

    places = before = np.empty(0, np.int64)
    if way.direction != "forward":
        before = search(time, "left" if way.strict else "right")
        before -= 1
        before[before < starts] = -1
        places = before = equal(before, "left") if way.first else before
    if way.direction != "backward":
        after = search(time, "right" if way.strict else "left")
        after[after >= ends] = -1
        places = after = after if way.first else equal(after, "right")
        if way.direction == "nearest":
            back, ahead = apart(time, right.time, before), apart(time, right.time, after)
            places = np.where((before >= 0) & ((after < 0) | (back <= ahead)), before, after)
    if way.tolerance is not None:
        within = way.tolerance if way.real else np.uint64(min(way.tolerance, _FARTHEST))
        places[apart(time, right.time, places) > within] = -1
    if right.order is not None:
        places = np.where(places >= 0, right.order[places], -1)
    return places


def _apart(time: Ints, right: Ints, places: Ints) -> Farness:
    """How far left times are from right ones, as uint64: that holds the distance of any two int64."""
    there = right[places]
    distance = time.view(np.uint64) - there.view(np.uint64)
    return np.where(time >= there, distance, np.uint64(0) - distance)


def _real_apart(time: Ints, right: Ints, places: Ints) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How far floats are from floats: NaN from NaN, and an infinity from itself, not at all, else without bound."""
    there = right[places]
    with np.errstate(invalid="ignore", over="ignore"):
        distance = np.abs(to_reals(time) - to_reals(there))
    distance[np.isnan(distance)] = np.inf
    distance[time == there] = 0.0
    return distance
