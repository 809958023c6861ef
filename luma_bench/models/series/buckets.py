"""Buckets of time: half-open intervals that follow one another without gaps, by the rules for zones and calendars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from luma_bench.errors import KadeQLBindError, ResourceError, SchemaError
from luma_bench.models.series import civil, zones
from luma_bench.models.series.edges import Edges, Even
from luma_bench.models.series.length import DAY, HOUR, SECOND, Length
from luma_bench.models.series.runs import Ints

_MONDAY = 4
_LOW, _HIGH = -(1 << 63), (1 << 63) - 1
_MOST = 1 << 28
_NO_OFFSET = Length()

Rule = Literal["duration", "clock", "wall", "months"]


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets of one length over one time column; safe to use from several threads.

    - Up to 1 h (dividing a day): the clock of the zone with the offset of that instant, so both hours of a fall-back stay.
    - 2 h to 12 h that divide a day: the wall clock of the zone; a bucket may be an hour longer or shorter.
    - Other sizes that are not whole days: fixed durations from the origin (the epoch, UTC).
    - Whole days (24 h too): the calendar of the zone, counted from 1970-01-01; whole weeks from Monday 1970-01-05;
      months and years from January 1970.

    A wall-clock start that does not exist is the first instant after it; of one that is there twice the first counts.

    Attributes
    ----------
    step
        Of durations, in units of the column; of `months`, months.
    phase
        What is added to every multiple of `step`: an instant for `duration`, a time on the zone's clock otherwise; of
        `months`, the clock time behind the first midnight of `anchor`.
    anchor
        The day that months are counted from, in days from 1970-01-01; its day of the month is kept.
    """

    length: Length
    unit: int
    zone: str | None
    rule: Rule
    step: int
    phase: int
    anchor: int = 0

    @classmethod
    def of(
        cls,
        length: Length,
        unit: int,
        zone: str | None = None,
        offset: Length = _NO_OFFSET,
        origin: int | None = None,
    ) -> Buckets:
        """Buckets of `length`.

        Parameters
        ----------
        unit
            Nanoseconds of one unit of the time column (1, 1_000, 1_000_000, 1_000_000_000; a day for dates).
        zone
            IANA name whose clock and calendar count; None: UTC, or times without a zone.
        offset
            Moves every edge; for sizes that follow a clock it is added to the clock.
        origin
            An instant, in units of the column, that a bucket begins at.

        Raises
        ------
        KadeQLBindError
            The length is not positive, finer than the column or a mixture; the zone is unknown. Without a place
            (see `KadeQLError.moved`).
        """
        if not length.positive:
            raise KadeQLBindError(
                f"A bucket must have a length, and {str(length)!r} is none.", hint="Give it as '1h' or '1d'."
            )
        if length.months and (length.days or length.nanos):
            raise KadeQLBindError(
                f"A bucket of {str(length)!r} mixes months with a length that is fixed.",
                hint="Choose months and years alone, or days and less alone.",
            )
        if zone is not None:
            zone = None if zones.checked(zone) in {"UTC", "Etc/UTC"} or unit > SECOND else zone
        if length.months:
            return cls._months(length, unit, zone, offset, origin)
        step = length.ticks(unit, "A bucket of")
        nanos = step * unit
        rule: Rule = "duration"
        if DAY % nanos == 0 and nanos <= HOUR:
            rule = "clock"
        elif nanos % DAY == 0 or (DAY % nanos == 0 and 2 * HOUR <= nanos <= DAY // 2):
            rule = "wall"
        day = DAY // unit
        phase = _MONDAY * day if nanos % (7 * DAY) == 0 else 0
        if origin is not None:
            phase = origin if rule == "duration" or zone is None else _local(zone, origin, unit)
        moved = phase + offset.ticks(unit, "The offset")
        return cls(length, unit, zone, "duration" if zone is None else rule, step, moved % step)

    @classmethod
    def _months(
        cls, length: Length, unit: int, zone: str | None, offset: Length, origin: int | None
    ) -> Buckets:
        day = DAY // unit
        local = 0 if origin is None else origin if zone is None else _local(zone, origin, unit)
        begin = np.array([local // day], np.int64)
        begin = civil.moved(begin, np.array([offset.months], np.int64))
        rest = Length(0, offset.days, offset.nanos).ticks(unit, "The offset")
        return cls(length, unit, zone, "months", length.months, local % day + rest, int(begin[0]))

    def starts(self, times: Ints) -> Ints:
        """The start of the bucket of each time, in any order.

        Raises
        ------
        SchemaError
            One begins before the first moment that int64 holds.
        """
        if not len(times):
            return times.astype(np.int64)
        return self.over(int(times.min()), int(times.max())).starts(times)

    def ends(self, starts: Ints) -> Ints:
        """The end of each bucket, which is where the next one begins that is not empty; `starts` are bucket starts.

        Raises
        ------
        SchemaError
            One ends behind the last moment that int64 holds.
        """
        if not len(starts):
            return starts.astype(np.int64)
        return self.over(int(starts.min()), int(starts.max())).ends(starts)

    def grid(self, first: int, last: int) -> Ints:
        """The starts of all buckets from that of `first` to that of `last`, both included, ascending.

        Raises
        ------
        ResourceError
            They are more than 2**28.
        """
        if last < first:
            return np.zeros(0, np.int64)
        return self.over(first, last).grid(first, last)

    def over(self, first: int, last: int) -> Even | Edges:
        """What the buckets are between two instants, both included, and one bucket further at each side.

        Raises
        ------
        SchemaError
            The first one begins, or the last one ends, outside of int64.
        """
        size = self.longest
        if first - size < _LOW or last + size > _HIGH:
            self._refuse_far(first, last)
        if self.zone is None:
            if self.rule == "months":
                return self._edges(None, first, last)
            return Even.single(self.step, self.phase)
        if self.rule == "duration":
            return Even.single(self.step, self.phase)
        table = zones.offsets(self.zone, first - 2 * size, last + 2 * size, self.unit)
        if self.rule == "clock":
            return Even.of(self.step, self.phase - table.offsets, table.since)
        if self.rule == "wall" and len(table.since) == 1:
            return Even.single(self.step, int(self.phase - table.offsets[0]))
        return self._edges(table, first, last)

    def _edges(self, table: zones.Offsets | None, first: int, last: int) -> Edges:
        shift = (0, 0) if table is None else (int(table.offsets.min()), int(table.offsets.max()))
        low, high = self._number(first + shift[0]) - 2, self._number(last + shift[1]) + 3
        if high - low > _MOST:
            raise ResourceError(
                f"There are {high - low:,} buckets of {self.length} between the first and the last time.",
                hint="Choose longer buckets, or read less time: a WHERE on the time column.",
            )
        numbers = np.arange(low, high + 1, dtype=np.int64)
        local = self._clock(numbers)
        return Edges(local if table is None else table.first(local), low)

    def _number(self, local: int) -> int:
        """About which bucket a local time is in: itself, or the one before."""
        if self.rule != "months":
            return (local - self.phase) // self.step
        day = DAY // self.unit
        month, _ = civil.months_of(np.array([(local - self.phase) // day], np.int64))
        anchor, _ = civil.months_of(np.array([self.anchor], np.int64))
        return int(month[0] - anchor[0] - 1) // self.step

    def _clock(self, numbers: Ints) -> Ints:
        """The local time that a bucket begins at."""
        if self.rule != "months":
            return numbers * self.step + self.phase
        days = civil.moved(np.full(len(numbers), self.anchor, np.int64), numbers * self.step)
        low, high = (int(end) * (DAY // self.unit) + self.phase for end in (days[0], days[-1]))
        if low < _LOW or high > _HIGH:
            self._refuse_far(low, high)
        return days * (DAY // self.unit) + self.phase

    @property
    def longest(self) -> int:
        """No bucket is longer, in units of the column."""
        if self.rule == "months":
            return (self.step * 31 + 2) * (DAY // self.unit)
        return self.step + (2 * DAY // self.unit if self.rule == "wall" else 0)

    def _refuse_far(self, first: int, last: int) -> None:
        """Raise where a bucket of the range is not inside of int64; the test before it was a rough one."""
        if self.rule in {"duration", "clock"}:
            even = self.zone is None or self.rule == "duration"
            spare = 0 if even else DAY // self.unit
            low = first - (first - self.phase) % self.step - spare
            high = last - (last - self.phase) % self.step + self.step + spare
            if low >= _LOW and high <= _HIGH:
                return
        side = "begins before the first" if first - self.longest < _LOW else "ends behind the last"
        raise SchemaError(
            f"A bucket of {self.length} {side} moment that the time column can hold.",
            hint="Leave such times out (a WHERE on the time column), or cast it to a coarser timestamp.",
        )


def _local(zone: str, instant: int, unit: int) -> int:
    return instant + int(zones.offsets(zone, instant, instant, unit).at(np.array([instant], np.int64))[0])
