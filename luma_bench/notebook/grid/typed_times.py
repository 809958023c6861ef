"""Dates and times that somebody typed, read to the last digit: a column of coarser ones is compared with what is just before."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass
from typing import Literal

from luma_bench.notebook.grid.columns import FIXED_ZONE, GridColumn
from luma_bench.notebook.grid.typed import Value, refused

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d*))?)?"
_OFFSET = r"(?P<offset>Z|[+-]\d{1,2}(?::?\d{2}(?::\d{2})?)?|UTC|[A-Za-z]+(?:/[A-Za-z0-9_+-]+)+)"
_DAY = r"(?P<year>[+-]?\d{1,7})(?P<sep>[-/])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})(?P<bc> \(BC\))?"
_MOMENT = re.compile(rf"{_DAY}(?:(?:[Tt]|\s+){_CLOCK}(?:\s*{_OFFSET})?)?", re.ASCII)
_TIME = re.compile(rf"{_CLOCK}(?:\s*(?P<offset>Z|[+-]\d{{1,2}}(?::\d{{2}})?))?", re.ASCII)
_ENDLESS = {"infinity": "infinity", "inf": "infinity", "-infinity": "-infinity", "-inf": "-infinity"}
_LONG = (1, 3, 5, 7, 8, 10, 12)
_DECIMALS = {"TIMESTAMP_S": 0, "TIMESTAMP_MS": 3, "TIMESTAMP_NS": 9, "TIMESTAMPTZ_NS": 9, "TIME_NS": 9}
_DATES = (-2_147_483_646, 2_147_483_646)
"""The first and the last date, in days since 1970."""
_TICKS = 2**63 - 2
"""The last moment, in ticks since 1970."""


@dataclass(frozen=True, slots=True)
class _Clock:
    """A time of day, its fraction cut to the decimals of a type."""

    seconds: int
    fraction: str
    is_cut: bool

    @property
    def text(self) -> str:
        minutes, second = divmod(self.seconds, 60)
        hour, minute = divmod(minutes, 60)
        fraction = self.fraction.rstrip("0")
        return f"{hour:02}:{minute:02}:{second:02}" + (f".{fraction}" if fraction else "")


def read_date(column: GridColumn, text: str) -> Value:
    """Among dates: a time after midnight is after its date."""
    if text.lower() in _ENDLESS:
        return Value(_ENDLESS[text.lower()], column.sql)
    found = _MOMENT.fullmatch(text)
    days = _days(found) if found is not None else None
    clock = _clock(found, 0) if found is not None else None
    if found is None or days is None or clock is None or found["offset"]:
        raise refused(column, text, "date", "2013-01-31")
    if not _DATES[0] <= days <= _DATES[1]:
        return _beyond(column, days > 0)
    # Midnight at a day's end is the beginning of the next one.
    later = clock.seconds > 0 or clock.is_cut
    return Value(
        _date_text(days + clock.seconds // 86_400), column.sql, _place(later and clock.seconds < 86_400)
    )


def read_timestamp(column: GridColumn, text: str) -> Value:
    """Among moments: of the column's zone where it has one and the text names no other."""
    if text.lower() in _ENDLESS:
        return Value(_ENDLESS[text.lower()], column.sql)
    example = "2013-01-31 08:30:00"
    found = _MOMENT.fullmatch(text)
    days = _days(found) if found is not None else None
    decimals = _DECIMALS.get(column.sql or "", 6)
    clock = _clock(found, decimals) if found is not None else None
    if found is None or days is None or clock is None:
        raise refused(column, text, "time of a date", f"{example}, or 2013-01-31")
    offset = found["offset"] or ""
    if offset and column.zone is None:
        raise refused(column, text, "time without a zone", example)
    if "/" in offset and not _is_zone(offset):
        raise refused(column, text, "time of a known zone", f"{example}+02:00")
    ticks = (days * 86_400 + clock.seconds) * 10**decimals + int(clock.fraction or "0")
    if abs(ticks) > _TICKS:
        return _beyond(column, days > 0)
    days += clock.seconds // 86_400
    whole = f"{_date_text(days)} {_Clock(clock.seconds % 86_400, clock.fraction, False).text}"
    place = _place(clock.is_cut)
    if column.zone is None:
        return Value(whole, column.sql, place)
    if not offset and FIXED_ZONE.fullmatch(column.zone):
        offset = column.zone
    if offset in ("Z", "UTC"):
        offset = "+00"
    if offset:
        return Value(f"{whole}{' ' if '/' in offset else ''}{offset}", column.sql, place)
    plain = "TIMESTAMP_NS" if decimals == 9 else "TIMESTAMP"
    return Value(whole, plain, place, column.zone)


def read_time(column: GridColumn, text: str) -> Value:
    """Among times of day."""
    zoned = column.sql == "TIME WITH TIME ZONE"
    found = _TIME.fullmatch(text)
    clock = _clock(found, _DECIMALS.get(column.sql or "", 6)) if found is not None else None
    if found is None or clock is None or bool(found["offset"]) != zoned:
        what, example = ("time with an offset", "08:30:00+02") if zoned else ("time of day", "08:30:00")
        raise refused(column, text, what, example)
    offset = "+00" if found["offset"] == "Z" else found["offset"] or ""
    return Value(clock.text + offset, column.sql, _place(clock.is_cut))


def _place(is_cut: bool) -> Literal["at", "after"]:
    return "after" if is_cut else "at"


def _beyond(column: GridColumn, is_late: bool) -> Value:
    """After all that a type can hold but infinity, or before."""
    return Value("infinity", column.sql, "before") if is_late else Value("-infinity", column.sql, "after")


def _days(found: re.Match[str]) -> int | None:
    """Days since 1970 in the proleptic Gregorian calendar; None where there is no such day."""
    year, month, day = int(found["year"]), int(found["month"]), int(found["day"])
    if found["bc"]:
        year = 1 - year
    if not 1 <= month <= 12:
        return None
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = 31 if month in _LONG else 30 if month != 2 else 29 if leap else 28
    if not 1 <= day <= last:
        return None
    # Python's calendar repeats after 400 years of 146,097 days.
    cycles, within = divmod(year - 1, 400)
    return dt.date(within + 1, month, day).toordinal() - dt.date(1970, 1, 1).toordinal() + cycles * 146_097


def _date_text(days: int) -> str:
    cycles, within = divmod(days + dt.date(1970, 1, 1).toordinal() - 1, 146_097)
    date = dt.date.fromordinal(within + 1)
    year = date.year + cycles * 400
    # What is a negative year to one engine is a year before Christ, one off, to another.
    era = "" if year > 0 else " (BC)"
    return f"{year if year > 0 else 1 - year:04}-{date.month:02}-{date.day:02}{era}"


def _clock(found: re.Match[str], decimals: int) -> _Clock | None:
    """The time of day; midnight where only a date was typed, None where there is no such time."""
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    fraction = found["fraction"] or ""
    seconds = hour * 3600 + minute * 60 + second
    if minute > 59 or second > 59 or seconds > 86_400 or (seconds == 86_400 and fraction.strip("0")):
        return None
    kept = fraction[:decimals].ljust(decimals, "0")
    return _Clock(seconds, kept, bool(fraction[decimals:].strip("0")))


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
