"""Time zones: which offset the clock has at an instant, and when it first shows a local time; as arrays."""

from __future__ import annotations

import datetime
import difflib
import functools
import zoneinfo
from dataclasses import dataclass

import numpy as np

from luma_bench.errors import KadeQLBindError, nearest
from luma_bench.models.series.runs import Ints

_FIRST = -62_135_596_800 + 2 * 86_400
_LAST = 253_402_300_800 - 2 * 86_400
"""What datetime can name, in seconds: outside of it a zone keeps the offset of its edge."""
_CYCLE = 146_097 * 86_400
_BLOCK = _CYCLE // 40
"""The calendar repeats after 400 years, weekdays too; a block is ten of them."""
_OLD, _RULED = -18, 15
"""Blocks before 1790, where no zone changes, and from 2120 on, where rules of the year alone are in force."""
_LOW = -(1 << 63)
_PROBE = 3 * 86_400
"""No zone has changed its clock twice within so short a time."""


@dataclass(frozen=True, slots=True)
class Offsets:
    """The offsets of a zone over a range of instants.

    Attributes
    ----------
    since
        int64, the instants at which an offset begins, ascending; the first stands for all time before the range too.
    offsets
        int64, local time less UTC from then on. Both in units of the time column.
    """

    since: Ints
    offsets: Ints

    def at(self, instants: Ints) -> Ints:
        """The offset at each instant."""
        return self.offsets[np.maximum(np.searchsorted(self.since, instants, "right") - 1, 0)]

    def first(self, local: Ints) -> Ints:
        """The first instant at which the clock shows each local time or a later one.

        So a local time that does not exist is the instant after the gap, and of one that is there twice the first counts.
        """
        if len(self.since) == 1:
            return local - self.offsets[0]
        shown = np.maximum.accumulate(self.since[1:] + self.offsets[:-1])
        part = np.searchsorted(shown, local, "right")
        found = local - self.offsets[part]
        return np.where(part > 0, np.maximum(found, self.since[part]), found)


def checked(name: str) -> str:
    """The name of a zone that there is.

    Raises
    ------
    KadeQLBindError
        There is none; without a place.
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = " or ".join(map(repr, _nearest(name)))
        raise KadeQLBindError(f"There is no time zone {name!r}.", hint=f"Did you mean {near}?") from error
    return name


def _nearest(name: str) -> list[str]:
    """The zones whose names, or whose cities, are spelt most like a name."""
    known = sorted(zoneinfo.available_timezones())
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in known}
    city = name.rpartition("/")[2].casefold().replace(" ", "_")
    found = nearest(name, known) or [cities[one] for one in difflib.get_close_matches(city, cities)]
    return found or difflib.get_close_matches(name, known, cutoff=0)


def offsets(name: str, first: int, last: int, unit: int) -> Offsets:
    """The offsets of a zone from one instant to another, in units of a column.

    Parameters
    ----------
    unit
        Nanoseconds; a second at most.
    """
    per = 1_000_000_000 // unit
    low, high = (min(max(moment // per, _FIRST), _LAST) for moment in (first, last))
    since: list[int] = []
    values: list[int] = []
    for block in range(low // _BLOCK, high // _BLOCK + 1):
        for instant, offset in _changes(name, block):
            moment = max(instant * per, _LOW)
            if values and moment > last:
                break
            if values and (offset == values[-1] or moment <= first):
                values[-1] = offset
                since[-1] = moment if moment <= first else since[-1]
                continue
            since.append(moment)
            values.append(offset)
    return Offsets(np.array(since, np.int64), np.array(values, np.int64) * per)


def _changes(name: str, block: int) -> list[tuple[int, int]]:
    """The offsets of some ten years, each with the second at which it begins; the first begins with the years."""
    if block < _OLD:
        return [(max(block * _BLOCK, _FIRST), _offset(zoneinfo.ZoneInfo(name), _FIRST))]
    cycles = (block - _RULED) // 40 if block >= _RULED else 0
    return [(instant + cycles * _CYCLE, offset) for instant, offset in _probed(name, block - 40 * cycles)]


@functools.lru_cache(maxsize=4_096)
def _probed(name: str, block: int) -> tuple[tuple[int, int], ...]:
    zone = zoneinfo.ZoneInfo(name)
    place, end = block * _BLOCK, (block + 1) * _BLOCK
    current = _offset(zone, place)
    found = [(place, current)]
    while place < end - 1:
        after = min(place + _PROBE, end - 1)
        offset = _offset(zone, after)
        if offset != current:
            low, high = place, after
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(zone, middle) == current else (low, middle)
            found.append((high, offset))
            current = offset
        place = after
    return tuple(found)


def _offset(zone: zoneinfo.ZoneInfo, second: int) -> int:
    offset = datetime.datetime.fromtimestamp(second, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
