"""Dates, times, intervals and time zones: before 1970, far ahead, ends of months, clocks that change."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from conformance_cases import Expression, Expressions, Failure, of, strict
from conformance_worlds import HERE, UTC, ZONE

BOOL, TEXT, I64, F64 = pa.bool_(), pa.string(), pa.int64(), pa.float64()
DAY, US, TZ, TIME, LENGTH = (
    pa.date32(),
    pa.timestamp("us"),
    pa.timestamp("us", ZONE),
    pa.time64("us"),
    pa.month_day_nano_interval(),
)
EPOCH = dt.datetime(1970, 1, 1)
SECOND = dt.timedelta(seconds=1)
BERLIN = ZoneInfo("Europe/Berlin")


def micros(value: dt.datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (value - EPOCH) // dt.timedelta(microseconds=1)


def midnight(day: dt.date) -> dt.datetime:
    """The day's first moment."""
    return dt.datetime.combine(day, dt.time())


def months_on(value: Any, months: int) -> Any:
    """Months later; a day that the month has not becomes its last."""
    index = value.year * 12 + value.month - 1 + months
    year, month = divmod(index, 12)
    return value.replace(
        year=year, month=month + 1, day=min(value.day, calendar.monthrange(year, month + 1)[1])
    )


def in_reach(function: Callable[..., Any]) -> Callable[..., Any]:
    """NULL for the first and the last years of Python's calendar: SQL's goes on, but nothing could be compared there."""
    return lambda value, *given: function(value, *given) if 2 <= value.year <= 9998 else None


def wall(value: dt.datetime) -> dt.datetime:
    """What clocks on the wall show, without a zone."""
    return value.astimezone(HERE).replace(tzinfo=None)


def moment(value: dt.datetime) -> dt.datetime:
    """The moment at which clocks on the wall show this: the later of two; in a gap, as if clocks had not changed yet."""
    local = value.replace(tzinfo=HERE)
    late = local.replace(fold=1)
    exists = late.astimezone(UTC).astimezone(HERE).replace(tzinfo=None) == value
    return (late if exists else local).astimezone(UTC)


def truncated(value: dt.datetime, unit: str) -> dt.datetime:
    """The start of the unit."""
    match unit:
        case "hour":
            return value.replace(minute=0, second=0, microsecond=0)
        case "day":
            return midnight(value.date())
        case "week":
            return midnight(value.date() - dt.timedelta(value.weekday()))
        case "month":
            return midnight(value.date().replace(day=1))
        case "quarter":
            return midnight(value.date().replace(month=(value.month - 1) // 3 * 3 + 1, day=1))
        case _:
            return midnight(value.date().replace(month=1, day=1))


def length(months: int = 0, days: int = 0, nanoseconds: int = 0) -> pa.MonthDayNano:
    """An interval as Arrow has it."""
    return pa.MonthDayNano([months, days, nanoseconds])


def apart(a: dt.datetime, b: dt.datetime) -> pa.MonthDayNano:
    """`b - a` in days and a time, both of one sign."""
    gap = (b - a) // dt.timedelta(microseconds=1)
    days = abs(gap) // 86_400_000_000 * (1 if gap >= 0 else -1)
    return length(0, days, (gap - days * 86_400_000_000) * 1000)


DATES = Expressions(
    "dates",
    "moments",
    [
        Expression("year(day)", I64, strict(lambda a: a.year, "day")),
        Expression("month(day)", I64, strict(lambda a: a.month, "day")),
        Expression("extract(day FROM day)", I64, strict(lambda a: a.day, "day")),
        Expression("dayofweek(day)", I64, strict(lambda a: a.isoweekday() % 7, "day")),
        Expression("isodow(day)", I64, strict(lambda a: a.isoweekday(), "day")),
        Expression("dayofyear(day)", I64, strict(lambda a: a.timetuple().tm_yday, "day")),
        Expression("week(day)", I64, strict(lambda a: a.isocalendar().week, "day")),
        Expression("isoyear(day)", I64, strict(lambda a: a.isocalendar().year, "day")),
        Expression("quarter(day)", I64, strict(lambda a: (a.month + 2) // 3, "day")),
        Expression("century(day)", I64, strict(lambda a: (a.year + 99) // 100, "day")),
        Expression("decade(day)", I64, strict(lambda a: a.year // 10, "day")),
        Expression("epoch(day)", F64, strict(lambda a: float((a - EPOCH.date()).days * 86_400), "day")),
        Expression("day + 1 > day", BOOL, strict(lambda a: True, "day")),
        Expression("CASE WHEN year(other) BETWEEN 2 AND 9998 THEN other - 30 + n END", DAY, strict(in_reach(lambda a, b: a - dt.timedelta(30 - b)), "other", "n")),
        Expression("day - other", I64, strict(lambda a, b: (a - b).days, "day", "other")),
        Expression("CASE WHEN year(other) BETWEEN 2 AND 9998 THEN other + INTERVAL 1 DAY END", US, strict(in_reach(lambda a: midnight(a) + dt.timedelta(1)), "other")),
        Expression("CASE WHEN year(other) BETWEEN 2 AND 9998 THEN other - INTERVAL '1' MONTH END", US, strict(in_reach(lambda a: midnight(months_on(a, -1))), "other")),
        Expression("date_trunc('month', day)", US, strict(lambda a: truncated(midnight(a), "month"), "day")),
        Expression("date_trunc('week', other)", US, strict(lambda a: truncated(midnight(a), "week"), "other")),
        Expression("date_trunc('quarter', day)", US, strict(lambda a: truncated(midnight(a), "quarter"), "day")),
        Expression("last_day(day)", DAY, strict(lambda a: a.replace(day=calendar.monthrange(a.year, a.month)[1]), "day")),
        Expression("date_diff('month', day, other)", I64, strict(lambda a, b: (b.year - a.year) * 12 + b.month - a.month, "day", "other")),
        Expression("date_diff('day', day, other)", I64, strict(lambda a, b: (b - a).days, "day", "other")),
        Expression("date_diff('year', day, other)", I64, strict(lambda a, b: b.year - a.year, "day", "other")),
        Expression("make_date(year(day), month(day), 1)", DAY, strict(lambda a: a.replace(day=1), "day")),
        Expression("strftime(day, '%Y-%m-%d')", TEXT, strict(lambda a: f"{a.year:04d}-{a.month:02d}-{a.day:02d}", "day")),
        Expression("strptime(strftime(day, '%Y/%m/%d'), '%Y/%m/%d')", US, strict(midnight, "day")),
        Expression("dayname(day)", TEXT, strict(lambda a: calendar.day_name[a.weekday()], "day")),
        Expression("monthname(day)", TEXT, strict(lambda a: calendar.month_name[a.month], "day")),
        Expression("day::VARCHAR", TEXT, strict(str, "day")),
        Expression("day::TIMESTAMP", US, strict(midnight, "day")),
        Expression("day = other", BOOL, strict(lambda a, b: a == b, "day", "other")),
        Expression("day < DATE '1970-01-01'", BOOL, strict(lambda a: a < EPOCH.date(), "day")),
        Expression("day BETWEEN '2024-01-01' AND '2024-12-31'", BOOL, strict(lambda a: a.year == 2024, "day")),
        Expression("day > TIMESTAMP '2024-02-29 00:00:00'", BOOL, strict(lambda a: a > dt.date(2024, 2, 29), "day")),
        Expression("greatest(day, other)", DAY, of(lambda a, b: max((v for v in (a, b) if v), default=None), "day", "other")),
        Expression("isfinite(day)", BOOL, strict(lambda a: True, "day")),
    ],
    [Failure("make_date(2023, 2, n + 27)", 1, "date"), Failure("strptime('x', '%Y') + n * INTERVAL 1 DAY", 1, "format")],
)  # fmt: skip

TIMES = Expressions(
    "times without a zone",
    "moments",
    [
        Expression("hour(ts)", I64, strict(lambda a: a.hour, "ts")),
        Expression("second(ts)", I64, strict(lambda a: a.second, "ts")),
        Expression("millisecond(ts)", I64, strict(lambda a: a.second * 1000 + a.microsecond // 1000, "ts")),
        Expression("microsecond(ts)", I64, strict(lambda a: a.second * 10**6 + a.microsecond, "ts")),
        Expression("epoch_us(ts)", I64, strict(micros, "ts")),
        Expression("epoch_ms(ts)", I64, strict(lambda a: round(Fraction(micros(a), 1000)), "ts")),
        Expression("epoch(ts)", F64, strict(lambda a: micros(a) / 1e6, "ts")),
        Expression("date_trunc('hour', ts)", US, strict(lambda a: truncated(a, "hour"), "ts")),
        Expression("date_trunc('year', ts)", US, strict(lambda a: truncated(a, "year"), "ts")),
        Expression("ts::DATE", DAY, strict(lambda a: a.date(), "ts")),
        Expression("ts::TIME", TIME, strict(lambda a: a.time(), "ts")),
        Expression("ts::VARCHAR", TEXT, strict(lambda a: str(a).rstrip("0") if a.microsecond else str(a), "ts")),
        Expression("ts + INTERVAL 90 MINUTE", US, strict(lambda a: a + dt.timedelta(minutes=90), "ts")),
        Expression("ts + INTERVAL '1 month 1 day'", US, strict(lambda a: months_on(a, 1) + dt.timedelta(1), "ts")),
        Expression("ts - INTERVAL 1 YEAR", US, strict(lambda a: months_on(a, -12), "ts")),
        Expression("ts + n * INTERVAL 1 MONTH", US, strict(months_on, "ts", "n")),
        Expression("ts + to_seconds(n)", US, strict(lambda a, b: a + b * SECOND, "ts", "n")),
        Expression("ts - TIMESTAMP '2000-01-01 12:00:00'", LENGTH, strict(lambda a: apart(dt.datetime(2000, 1, 1, 12), a), "ts")),
        Expression("date_diff('hour', ts, TIMESTAMP '2024-01-01 00:00:00')", I64, strict(lambda a: (dt.datetime(2024, 1, 1) - truncated(a, "hour")) // dt.timedelta(hours=1), "ts")),
        Expression("time_bucket(INTERVAL 6 HOUR, ts)", US, strict(lambda a: EPOCH + (a - EPOCH) // dt.timedelta(hours=6) * dt.timedelta(hours=6), "ts")),
        Expression("make_timestamp(epoch_us(ts))", US, strict(lambda a: a, "ts")),
        Expression("clock + INTERVAL 13 HOUR", TIME, strict(lambda a: (dt.datetime.combine(EPOCH, a) + dt.timedelta(hours=13)).time(), "clock")),
        Expression("hour(clock) * 60 + minute(clock)", I64, strict(lambda a: a.hour * 60 + a.minute, "clock")),
        Expression("clock < TIME '01:00:00'", BOOL, strict(lambda a: a < dt.time(1), "clock")),
        Expression("clock::VARCHAR", TEXT, strict(str, "clock")),
        Expression("ts < TIMESTAMP '1970-01-01 00:00:00'", BOOL, strict(lambda a: a < EPOCH, "ts")),
        Expression("ts = day", BOOL, strict(lambda a, b: a == midnight(b), "ts", "day")),
        Expression("strftime(ts, '%H:%M:%S.%f')", TEXT, strict(lambda a: a.strftime("%H:%M:%S.%f"), "ts")),
        Expression("TRY_CAST(strftime(ts, '%Y-02-30') AS DATE)", DAY, strict(lambda a: None, "ts")),
    ],
)  # fmt: skip

INTERVALS = Expressions(
    "intervals",
    "moments",
    [
        Expression("to_days(n)", LENGTH, strict(lambda a: length(days=a), "n")),
        Expression("to_months(n) + INTERVAL 1 DAY", LENGTH, strict(lambda a: length(a, 1), "n")),
        Expression("n * INTERVAL 90 MINUTE", LENGTH, strict(lambda a: length(0, 0, a * 5_400_000_000_000), "n")),
        Expression("-to_hours(n)", LENGTH, strict(lambda a: length(0, 0, -a * 3_600_000_000_000), "n")),
        Expression("to_hours(n) > INTERVAL 1 DAY", BOOL, strict(lambda a: a > 24, "n")),
        Expression("to_days(n) = INTERVAL 1 MONTH", BOOL, strict(lambda a: a == 30, "n")),
        Expression("extract(month FROM to_months(n))", I64, strict(lambda a: abs(a) % 12 * (1 if a > 0 else -1), "n")),
        Expression("extract(year FROM to_months(n))", I64, strict(lambda a: int(a / 12), "n")),
        Expression("(to_days(n) + INTERVAL 1 HOUR)::VARCHAR", TEXT, strict(lambda a: (f"{a} day{'' if abs(a) == 1 else 's'} " if a else "") + "01:00:00", "n")),
        Expression("INTERVAL 1 DAY IS NULL", BOOL, of(lambda: False)),
        Expression("epoch(to_hours(n))", F64, strict(lambda a: a * 3600.0, "n")),
    ],
)  # fmt: skip


def later(value: dt.datetime, days: int) -> dt.datetime:
    """The same time on the wall, days later."""
    return moment(wall(value) + dt.timedelta(days))


ZONES = Expressions(
    "time zones",
    "moments",
    [
        Expression("tz", TZ, of(lambda a: a, "tz")),
        Expression("tz::TIMESTAMP", US, strict(wall, "tz")),
        Expression("tz::DATE", DAY, strict(lambda a: wall(a).date(), "tz")),
        Expression("hour(tz)", I64, strict(lambda a: wall(a).hour, "tz")),
        Expression("extract(day FROM tz)", I64, strict(lambda a: wall(a).day, "tz")),
        Expression("epoch_us(tz)", I64, strict(lambda a: micros(a.astimezone(UTC).replace(tzinfo=None)), "tz")),
        Expression("extract(timezone FROM tz)", I64, strict(lambda a: int(a.astimezone(HERE).utcoffset() / SECOND), "tz")),
        Expression("tz AT TIME ZONE 'Europe/Berlin'", US, strict(lambda a: a.astimezone(BERLIN).replace(tzinfo=None), "tz")),
        Expression("ts AT TIME ZONE 'America/New_York'", TZ, strict(moment, "ts")),
        Expression("ts::TIMESTAMPTZ", TZ, strict(moment, "ts")),
        Expression("day::TIMESTAMPTZ > tz", BOOL, strict(lambda a, b: moment(midnight(a)) > b, "day", "tz")),
        Expression("date_trunc('day', tz)", TZ, strict(lambda a: moment(truncated(wall(a), "day")), "tz")),
        Expression("date_trunc('month', tz)", TZ, strict(lambda a: moment(truncated(wall(a), "month")), "tz")),
        Expression("tz + INTERVAL 1 DAY", TZ, strict(lambda a: later(a, 1), "tz")),
        Expression("tz - INTERVAL 1 DAY", TZ, strict(lambda a: later(a, -1), "tz")),
        Expression("tz + INTERVAL 24 HOUR", TZ, strict(lambda a: a + dt.timedelta(hours=24), "tz")),
        Expression("tz + INTERVAL 1 MONTH", TZ, strict(lambda a: moment(months_on(wall(a), 1)), "tz")),
        Expression("tz - TIMESTAMPTZ '2024-03-09 12:00:00-05' > INTERVAL 1 DAY", BOOL, strict(lambda a: a - dt.datetime(2024, 3, 9, 17, tzinfo=UTC) > dt.timedelta(1), "tz")),
        Expression("tz = ts", BOOL, strict(lambda a, b: a == moment(b), "tz", "ts")),
        Expression("tz < TIMESTAMPTZ '1970-01-01 00:00:00+00'", BOOL, strict(lambda a: a < EPOCH.replace(tzinfo=UTC), "tz")),
        Expression("strftime(tz, '%Y-%m-%d %H:%M')", TEXT, strict(lambda a: wall(a).strftime("%Y-%m-%d %H:%M"), "tz")),
        Expression("date_diff('day', tz, TIMESTAMPTZ '2024-03-11 03:00:00+00')", I64, strict(lambda a: (dt.date(2024, 3, 10) - wall(a).date()).days, "tz")),
        Expression("to_timestamp(n * 86400)", TZ, strict(lambda a: (EPOCH + dt.timedelta(a)).replace(tzinfo=UTC), "n")),
    ],
)  # fmt: skip

FAMILIES: tuple[Any, ...] = (DATES, TIMES, INTERVALS, ZONES)
