"""For how long a table keeps its rows: a length of time before the present, on one of its columns."""

from __future__ import annotations

import calendar
import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from luma_bench.errors import SchemaError

_PART: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Zµ]+)\s*")
_HOURS: Final = re.compile(r"\s*(\d+):(\d\d):(\d\d)\s*$")
_MICROS: Final = {
    "microsecond": 1,
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
}
_DAYS: Final = {"day": 1, "week": 7}
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_SHORT: Final = {
    "us": "microsecond", "ms": "millisecond", "s": "second", "sec": "second", "m": "minute", "min": "minute",
    "h": "hour", "d": "day", "w": "week", "mo": "month", "mon": "month", "y": "year", "yr": "year",
}  # fmt: skip
_HINT: Final = "Write '30 days', '12 hours', '6 months', '1 year' or '1 month 15 days'."
_A_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_EPOCH: Final = dt.datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Retention:
    """Rows whose `column` lies more than a length of time before the present are to go; those without a time stay.

    Attributes
    ----------
    column
        A date or timestamp.
    months, days, micros
        The length: of the calendar, of days of the calendar, and of microseconds.
    """

    column: str
    months: int = 0
    days: int = 0
    micros: int = 0

    @classmethod
    def parse(cls, text: str, column: str) -> Retention:
        """A retention from a length such as '30 days' or '1 month 15 days'.

        Raises
        ------
        SchemaError
            It is no length of time above zero.
        """
        problem = f"{text!r} is no length of time for which rows are kept."
        months = days = micros = 0
        place = 0
        if clock := _HOURS.fullmatch(text):
            hours, minutes, seconds = map(int, clock.groups())
            micros, place = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000, len(text)
        while place < len(text):
            found = _PART.match(text, place)
            if found is None:
                raise SchemaError(problem, hint=_HINT)
            unit = found[2].casefold()
            unit = _SHORT.get(unit, unit.removesuffix("s"))
            count = float(found[1])
            if unit in _MICROS:
                micros += round(count * _MICROS[unit])
            elif unit not in _DAYS and unit not in _MONTHS:
                raise SchemaError(problem, hint=_HINT)
            elif count != int(count):
                raise SchemaError(f"{problem} Days, weeks, months and years are whole.", hint=_HINT)
            elif unit in _DAYS:
                days += int(count) * _DAYS[unit]
            else:
                months += int(count) * _MONTHS[unit]
            place = found.end()
        if not (months or days or micros):
            raise SchemaError(problem, hint=f"{_HINT} To keep all rows: RESET (retention).")
        return cls(column, months, days, micros)

    @property
    def text(self) -> str:
        """The length as it is written: `30 days`."""
        parts: list[str] = []
        for count, name in (
            *zip(divmod(self.months, 12), ("year", "month"), strict=True),
            (self.days, "day"),
        ):
            if count:
                parts.append(f"{count} {name}{'' if count == 1 else 's'}")
        left = self.micros
        for name in ("hour", "minute", "second", "millisecond", "microsecond"):
            count, left = divmod(left, _MICROS[name])
            if count:
                parts.append(f"{count} {name}{'' if count == 1 else 's'}")
        return " ".join(parts)

    def cutoff(self, now: dt.datetime, zone: str, kind: pa.DataType) -> int:
        """The least time that stays, in units of a column's type: its rows below it are to go.

        Parameters
        ----------
        now
            The present, with its zone.
        zone
            The zone of the calendar, and of columns without one; empty for the machine's.
        kind
            The column's type: a date or a timestamp.
        """
        local = now.astimezone(zoneinfo.ZoneInfo(zone)) if zone else now.astimezone()
        wall = _earlier(local.replace(tzinfo=None), self.months, self.days)
        if wall is None:
            return -(1 << 63)
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            placed = wall.replace(tzinfo=zoneinfo.ZoneInfo(zone)) if zone else wall
            wall = placed.astimezone(dt.UTC).replace(tzinfo=None)
        micros = (wall - _EPOCH) // dt.timedelta(microseconds=1) - self.micros
        if pa.types.is_date(kind):
            size = 86_400_000_000
            return -(-micros // size) * (1 if pa.types.is_date32(kind) else 86_400_000)
        a_second = _A_SECOND[kind.unit]
        return max(-(1 << 63), -(-micros * a_second // 1_000_000))


def _earlier(wall: dt.datetime, months: int, days: int) -> dt.datetime | None:
    """The moment of the calendar so much before; None before the year 1."""
    at = wall.year * 12 + wall.month - 1 - months
    if at < 12:
        return None
    year, month = divmod(at, 12)
    day = min(wall.day, calendar.monthrange(year, month + 1)[1])
    try:
        return wall.replace(year=year, month=month + 1, day=day) - dt.timedelta(days=days)
    except OverflowError:
        return None
