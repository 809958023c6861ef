"""`series.dt`: pandas' methods on dates, times and intervals, in the engine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from luma_bench.errors import UnsupportedError
from luma_bench.frame.times_calendar import Calendar
from luma_bench.frame.zones import clock
from luma_bench.plan.expressions import Call, Cast
from luma_bench.plan.expressions import Literal as Constant

if TYPE_CHECKING:
    from luma_bench.frame.series import Series


class Dates(Calendar):
    """Parts of dates, times and intervals. A moment is read by the clock of its column's zone.

    Where that zone cannot be told without asking the engine, as of what SQL text computes, it is the session's.
    """

    __slots__ = ()
    _word = "dt"
    _kinds = frozenset(("date", "timestamp", "time", "interval"))
    _holds = "dates, times and intervals"
    _as = "timestamp"

    @property
    def year(self) -> Series:
        """The year.

        Examples
        --------
        >>> flights.sched.dt.year.min() >= 0
        True
        """
        return self._call("year")

    @property
    def quarter(self) -> Series:
        """1 to 4.

        Examples
        --------
        >>> flights.sched.dt.quarter.min() >= 0
        True
        """
        return self._call("quarter")

    @property
    def month(self) -> Series:
        """1 to 12.

        Examples
        --------
        >>> flights.sched.dt.month.min() >= 0
        True
        """
        return self._call("month")

    @property
    def day(self) -> Series:
        """1 to 31.

        Examples
        --------
        >>> flights.sched.dt.day.min() >= 0
        True
        """
        return self._call("day")

    @property
    def hour(self) -> Series:
        """0 to 23.

        Examples
        --------
        >>> flights.sched.dt.hour.min() >= 0
        True
        """
        return self._call("hour")

    @property
    def minute(self) -> Series:
        """0 to 59.

        Examples
        --------
        >>> flights.sched.dt.minute.min() >= 0
        True
        """
        return self._call("minute")

    @property
    def second(self) -> Series:
        """0 to 59.

        Examples
        --------
        >>> flights.sched.dt.second.min() >= 0
        True
        """
        return self._call("second")

    @property
    def microsecond(self) -> Series:
        """0 to 999999: the part below a second.

        Examples
        --------
        >>> flights.sched.dt.microsecond.min() >= 0
        True
        """
        return self._call("microsecond")

    @property
    def nanosecond(self) -> Series:
        """0 to 999: the part below a microsecond.

        Examples
        --------
        >>> flights.sched.dt.nanosecond.min() >= 0
        True
        """
        return self._call("nanosecond")

    @property
    def dayofyear(self) -> Series:
        """1 to 366.

        Examples
        --------
        >>> flights.sched.dt.dayofyear.min() >= 0
        True
        """
        return self._call("dayofyear")

    @property
    def dayofweek(self) -> Series:
        """Monday is 0, Sunday is 6.

        Examples
        --------
        >>> flights.sched.dt.dayofweek.max()
        6
        """
        return self._new(Call("sub", (Call("isodow", (self._own,)), Constant(1))))

    weekday = dayofweek
    day_of_week = dayofweek
    day_of_year = dayofyear

    @property
    def date(self) -> Series:
        """The calendar day, as a date.

        Examples
        --------
        >>> flights.sched.dt.date.dtype
        DataType(date32[day])
        """
        return self._new(Cast(self._own, "DATE"))

    @property
    def time(self) -> Series:
        """The time of day.

        Examples
        --------
        >>> flights.sched.dt.time.dtype
        Time64Type(time64[us])
        """
        return self._new(Cast(self._own, "TIME"))

    @property
    def days(self) -> Series:
        """The whole days of an interval, rounded down.

        Examples
        --------
        >>> (flights.sched - flights.sched).dt.days.max()
        0
        """
        return self._new(Call("floordiv_int", (Call("epoch_us", (self._own,)), Constant(86_400_000_000))))

    @property
    def seconds(self) -> Series:
        """The whole seconds of an interval below a day: 0 to 86399.

        Examples
        --------
        >>> (flights.sched - flights.sched).dt.seconds.max()
        0
        """
        below = Call("mod", (Call("epoch_us", (self._own,)), Constant(86_400_000_000)))
        return self._new(Call("floordiv_int", (below, Constant(1_000_000))))

    @property
    def microseconds(self) -> Series:
        """The microseconds of an interval below a second: 0 to 999999.

        Examples
        --------
        >>> (flights.sched - flights.sched).dt.microseconds.max()
        0
        """
        return self._new(Call("mod", (Call("epoch_us", (self._own,)), Constant(1_000_000))))

    def normalize(self) -> Series:
        """Midnight of the same day.

        Examples
        --------
        >>> flights.sched.dt.normalize().dt.hour.max()
        0
        """
        return self._back(Call("date_trunc", (Constant("day"), self._own)))

    def strftime(self, date_format: str) -> Series:
        """As text, by the codes of `strftime`.

        Examples
        --------
        >>> flights.sched.dt.strftime("%m").max()
        '12'
        """
        if self._zone not in ("", "UTC") and re.search(r"(?<!%)(%%)*%[zZ]", date_format):
            raise UnsupportedError(
                f"strftime({date_format!r}) asks for the zone, and the text is made of the clock's time alone.",
                hint=f"Leave %z and %Z out: the zone is {self._zone}.",
            )
        return self._call("strftime", date_format)

    def total_seconds(self) -> Series:
        """The length of an interval in seconds.

        Examples
        --------
        >>> (flights.sched - flights.sched).dt.total_seconds().max()
        0.0
        """
        return self._call("total_seconds")

    def tz_localize(self, tz: str | None) -> Series:
        """A time without a zone as the moment that a clock in `tz` showed it; with None, what its own clock shows at a moment.

        Where the zone of a moment cannot be told, None gives the clock's time in UTC.

        Examples
        --------
        >>> flights.sched.dt.tz_localize("America/New_York").name
        'sched'
        """
        own = self._series.expression
        if tz is None:
            return self._new(clock(own, self._zone or "UTC"))
        return self._new(Call("at_zone", (own, Constant(_zone(tz)))))

    def tz_convert(self, tz: str) -> Series:
        """Refused: a moment is one moment in every zone.

        Examples
        --------
        >>> flights.sched.dt.tz_localize("UTC").name
        'sched'
        """
        raise UnsupportedError(
            "A moment has no zone of its own to convert: it is the same moment in every one.",
            hint=f"For the clock's time in {tz}: series.dt.at_zone({tz!r}).",
        )

    def at_zone(self, tz: str) -> Series:
        """What a clock in `tz` shows at a moment, as a time without a zone; pandas writes `tz_convert(tz).dt.tz_localize(None)`.

        Examples
        --------
        >>> moments = flights.sched.dt.tz_localize("UTC")
        >>> moments.dt.at_zone("America/New_York").name
        'sched'
        """
        return self._new(Call("at_zone", (self._series.expression, Constant(_zone(tz)))))

    def as_unit(self, unit: Literal["s", "ms", "us", "ns"]) -> Series:
        """In another unit of time.

        Examples
        --------
        >>> flights.sched.dt.as_unit("ms").dtype
        TimestampType(timestamp[ms])
        """
        types = {"s": "TIMESTAMP_S", "ms": "TIMESTAMP_MS", "us": "TIMESTAMP", "ns": "TIMESTAMP_NS"}
        if unit not in types:
            raise UnsupportedError(f"unit={unit!r} is not known.", hint="It is 's', 'ms', 'us' or 'ns'.")
        return self._new(Cast(self._series.expression, types[unit]))


def _zone(tz: object) -> str:
    """The name of a time zone, checked against those that this machine knows.

    Raises
    ------
    UnsupportedError
        There is no such zone.
    """
    import zoneinfo

    name = str(tz)
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnsupportedError(
            f"There is no time zone {name!r}.", hint="Give a name such as 'Europe/Berlin'."
        ) from error
    return name
