"""Lengths of time: months, days and nanoseconds, kept apart because a month and a day have no fixed length."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from luma_bench.errors import KadeQLBindError

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UNITS: dict[str, tuple[int, int, int]] = {
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), (0, 0, 1)),
    **dict.fromkeys(("us", "µs", "microsecond", "microseconds"), (0, 0, 1_000)),
    **dict.fromkeys(("ms", "t", "millisecond", "milliseconds"), (0, 0, 1_000_000)),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), (0, 0, SECOND)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), (0, 0, MINUTE)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), (0, 0, HOUR)),
    **dict.fromkeys(("d", "day", "days"), (0, 1, 0)),
    **dict.fromkeys(("w", "week", "weeks"), (0, 7, 0)),
    **dict.fromkeys(("mo", "mon", "mons", "month", "months"), (1, 0, 0)),
    **dict.fromkeys(("q", "quarter", "quarters"), (3, 0, 0)),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), (12, 0, 0)),
}
_PIECE = re.compile(r"\s*([+-]?\s*\d+(?:\.\d+)?)\s*([A-Za-zµ]+)\s*,?")
_CLOCK = re.compile(r"\s*([+-]?)(\d+):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*$")
_WRITE = "Write it as '1h', '15m', '500ms', '1d', '1w', '1M' (a month), '1y', or '1 hour 30 minutes'."


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time, as DuckDB's INTERVAL keeps it.

    Attributes
    ----------
    months, days
        Of the calendar; a week is seven days, a year is twelve months.
    nanos
        What is of fixed length.
    """

    months: int = 0
    days: int = 0
    nanos: int = 0

    @classmethod
    def parse(cls, text: str) -> Length:
        """A length as it is written: `1h`, `30m`, `1 hour 30 minutes`, `01:30:00`; `m` is a minute and `M` or `mo` a month.

        Raises
        ------
        KadeQLBindError
            It is not one; without a place, which the caller knows (`error.moved`).
        """
        clock = _CLOCK.match(text)
        if clock is not None:
            return cls(0, 0, _clock(clock))
        months = days = nanos = 0
        place = 0
        while place < len(text.rstrip()):
            piece = _PIECE.match(text, place)
            if piece is None:
                break
            unit = (1, 0, 0) if piece[2] == "M" else _UNITS.get(piece[2].lower())
            if piece[2] == "T":
                unit = (0, 0, 1_000_000)
            if unit is None:
                raise KadeQLBindError(f"{piece[2]!r} in {text!r} is not a unit of time.", hint=_WRITE)
            more = _times(piece[1].replace(" ", ""), unit, text)
            months, days, nanos = months + more.months, days + more.days, nanos + more.nanos
            place = piece.end()
        if place == 0 or text[place:].strip():
            raise KadeQLBindError(f"{text!r} is not a length of time.", hint=_WRITE)
        return cls(months, days, nanos)

    @property
    def zero(self) -> bool:
        """Whether it is no time at all."""
        return not (self.months or self.days or self.nanos)

    @property
    def positive(self) -> bool:
        """Whether it goes forward: no part is negative and one is not zero."""
        return min(self.months, self.days, self.nanos) >= 0 and not self.zero

    def __neg__(self) -> Length:
        return Length(-self.months, -self.days, -self.nanos)

    def times(self, count: int) -> Length:
        """So many of it."""
        return Length(self.months * count, self.days * count, self.nanos * count)

    @property
    def fixed(self) -> int | None:
        """Nanoseconds, a day as 24 hours; None where it has months."""
        return None if self.months else self.days * DAY + self.nanos

    def ticks(self, unit: int, what: str = "The length") -> int:
        """So many units of a time column; a day is 24 hours.

        Parameters
        ----------
        unit
            Nanoseconds of one unit of the column.

        Raises
        ------
        KadeQLBindError
            It has months, or is not a whole number of units.
        """
        nanos = self.fixed
        if nanos is None:
            raise KadeQLBindError(
                f"{what} {str(self)!r} has months, which have no fixed length.",
                hint="Give it in days or less.",
            )
        if nanos % unit:
            raise KadeQLBindError(
                f"{what} {str(self)!r} is finer than the time column, which counts {Length(0, 0, unit)}.",
                hint="Choose a whole number of these, or cast the column to a finer timestamp.",
            )
        return nanos // unit

    def over(self, part: Length) -> int | None:
        """How often `part` goes into it exactly; None where it does not, or where one has months and the other has not."""
        if not part.positive:
            return None
        if self.months or part.months:
            if (
                self.fixed is None
                and part.fixed is None
                and not (self.days or self.nanos or part.days or part.nanos)
            ):
                return self.months // part.months if self.months % part.months == 0 else None
            return None
        mine, other = self.days * DAY + self.nanos, part.days * DAY + part.nanos
        return mine // other if mine % other == 0 else None

    def common(self, other: Length) -> Length | None:
        """The longest length that goes into both; None where one has months and the other has not."""
        if self.months or other.months:
            if self.days or self.nanos or other.days or other.nanos or not (self.months and other.months):
                return None
            return Length(math.gcd(self.months, other.months))
        if not (self.nanos or other.nanos):
            return Length(0, math.gcd(self.days, other.days))
        return Length(0, 0, math.gcd(self.days * DAY + self.nanos, other.days * DAY + other.nanos))

    def __str__(self) -> str:
        parts = [
            *_said(self.months, (("year", 12), ("month", 1))),
            *_said(self.days, (("week", 7), ("day", 1)) if self.days % 7 == 0 else (("day", 1),)),
        ]
        clock = (("h", HOUR), ("min", MINUTE), ("s", SECOND), ("ms", 1_000_000), ("us", 1_000), ("ns", 1))
        parts += _said(self.nanos, clock, plural=False)
        return " ".join(parts) or "0 s"


def _said(count: int, units: tuple[tuple[str, int], ...], *, plural: bool = True) -> list[str]:
    parts: list[str] = []
    sign, rest = ("-", -count) if count < 0 else ("", count)
    for name, size in units:
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{sign}{number} {name}{'s' if plural and number != 1 else ''}")
    return parts


def _times(number: str, unit: tuple[int, int, int], text: str) -> Length:
    whole, _, fraction = number.partition(".")
    if not fraction:
        count = int(whole)
        return Length(*(count * size for size in unit))
    if not unit[2]:
        raise KadeQLBindError(
            f"{text!r}: a part of a month or of a day has no fixed length.", hint="Give it in hours: '36h'."
        )
    scale = 10 ** len(fraction)
    nanos, rest = divmod((abs(int(whole)) * scale + int(fraction)) * unit[2], scale)
    if rest:
        raise KadeQLBindError(f"{text!r} is not a whole number of nanoseconds.", hint=_WRITE)
    return Length(0, 0, -nanos if whole.startswith("-") else nanos)


def _clock(found: re.Match[str]) -> int:
    hours, minutes, seconds = int(found[2]), int(found[3]), int(found[4] or 0)
    nanos = hours * HOUR + minutes * MINUTE + seconds * SECOND + int((found[5] or "").ljust(9, "0"))
    return -nanos if found[1] == "-" else nanos
