"""Dates in the calendar, and times rounded to lengths of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luma_bench.frame.accessor import Accessor
from luma_bench.frame.frequency import step_of
from luma_bench.frame.zones import clock, moment, zone_of
from luma_bench.plan.expressions import Call, Case, Expression
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.nodes import Project

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame
    from luma_bench.frame.series import Series


class Calendar(Accessor):
    """Ends of months and years, names of days, rounding."""

    __slots__ = ()

    @property
    def _zone(self) -> str:
        """The zone of the moments; '' for times without one, and where it cannot be told."""
        return zone_of(self._series.frame.plan, self._series.expression) or ""

    @property
    def _own(self) -> Expression:
        """What the clock shows that the calendar is read by."""
        own, zone = self._series.expression, self._zone
        return clock(own, zone) if zone else own

    def _back(self, shown: Expression) -> Series:
        """Times of that clock as what the column holds."""
        zone = self._zone
        if not zone:
            return self._new(shown)
        # An hour that the clock shows twice is the one that is as far away as the clock says.
        moved = Call("sub", (Call("epoch_us", (shown,)), Call("epoch_us", (self._own,))))
        near = Call("add", (self._series.expression, Call("to_microseconds", (moved,))))
        same = Call("eq", (clock(near, zone), shown))
        return self._new(Case(((same, near),), moment(shown, zone)))

    @property
    def is_month_start(self) -> Series:
        """Whether it is the first day of a month.

        Examples
        --------
        >>> flights.sched.dt.is_month_start.any()
        True
        """
        return self._new(Call("eq", (Call("day", (self._own,)), Constant(1))))

    @property
    def is_month_end(self) -> Series:
        """Whether it is the last day of a month.

        Examples
        --------
        >>> flights.sched.dt.is_month_end.any()
        True
        """
        last = Call("day", (Call("last_day", (self._own,)),))
        return self._new(Call("eq", (Call("day", (self._own,)), last)))

    @property
    def is_quarter_start(self) -> Series:
        """Whether it is the first day of a quarter.

        Examples
        --------
        >>> flights.sched.dt.is_quarter_start.any()
        True
        """
        first = Call("eq", (Call("mod", (Call("month", (self._own,)), Constant(3))), Constant(1)))
        return self._new(Call("and", (first, self.is_month_start.expression)))

    @property
    def is_quarter_end(self) -> Series:
        """Whether it is the last day of a quarter.

        Examples
        --------
        >>> flights.sched.dt.is_quarter_end.any()
        True
        """
        last = Call("eq", (Call("mod", (Call("month", (self._own,)), Constant(3))), Constant(0)))
        return self._new(Call("and", (last, self.is_month_end.expression)))

    @property
    def is_year_start(self) -> Series:
        """Whether it is the first day of a year.

        Examples
        --------
        >>> flights.sched.dt.is_year_start.any()
        True
        """
        return self._new(Call("eq", (Call("dayofyear", (self._own,)), Constant(1))))

    @property
    def is_year_end(self) -> Series:
        """Whether it is the last day of a year.

        Examples
        --------
        >>> flights.sched.dt.is_year_end.any()
        True
        """
        december = Call("eq", (Call("month", (self._own,)), Constant(12)))
        return self._new(Call("and", (december, self.is_month_end.expression)))

    @property
    def is_leap_year(self) -> Series:
        """Whether the year has 366 days.

        Examples
        --------
        >>> flights.sched.dt.is_leap_year.any()
        False
        """
        year = Call("year", (self._own,))

        def divides(by: int) -> Expression:
            return Call("eq", (Call("mod", (year, Constant(by))), Constant(0)))

        common = Call("and", (divides(4), Call("not", (divides(100),))))
        return self._new(Call("or", (common, divides(400))))

    @property
    def days_in_month(self) -> Series:
        """How many days the month has.

        Examples
        --------
        >>> flights.sched.dt.days_in_month.max()
        31
        """
        return self._new(Call("day", (Call("last_day", (self._own,)),)))

    daysinmonth = days_in_month

    def day_name(self) -> Series:
        """Monday to Sunday.

        Examples
        --------
        >>> flights.sched.dt.day_name().nunique()
        7
        """
        return self._call("dayname")

    def month_name(self) -> Series:
        """January to December.

        Examples
        --------
        >>> flights.sched.dt.month_name().nunique()
        12
        """
        return self._call("monthname")

    def isocalendar(self) -> DataFrame:
        """A frame of ISO 8601's `year`, `week` and `day` (Monday is 1).

        Examples
        --------
        >>> flights.sched.dt.isocalendar().columns
        ['year', 'week', 'day']
        """
        columns = tuple(
            (name, Call(function, (self._own,)))
            for name, function in (("year", "isoyear"), ("week", "week"), ("day", "isodow"))
        )
        return self._series.frame.with_plan(Project(self._series.frame.plan, columns))

    def floor(self, freq: str) -> Series:
        """Rounded down to a multiple of a fixed length of time, such as '15min', 'h' or 'D'.

        Examples
        --------
        >>> flights.sched.dt.floor("h").dt.minute.max()
        0
        """
        return self._back(self._floor(freq))

    def ceil(self, freq: str) -> Series:
        """Rounded up to a multiple of a fixed length of time, such as '15min', 'h' or 'D'.

        Examples
        --------
        >>> flights.sched.dt.ceil("h").dt.minute.max()
        0
        """
        return self._back(self._ceil(freq))

    def round(self, freq: str) -> Series:
        """Rounded to the nearest multiple of a fixed length of time, such as '15min', 'h' or 'D'.

        Examples
        --------
        >>> flights.sched.dt.round("h").dt.minute.max()
        0
        """
        return self._back(self._round(freq))

    def _floor(self, freq: str) -> Expression:
        """The multiple of the length below, counted from midnight of the first day of 1970 in the value's own clock."""
        length = step_of(freq)
        if self._series.kind == "interval":
            whole = Call("floordiv_int", (Call("epoch_us", (self._own,)), Constant(length)))
            return Call("to_microseconds", (Call("mul", (whole, Constant(length))),))
        below = Call("mod", (Call("epoch_us", (self._own,)), Constant(length)))
        return Call("sub", (self._own, Call("to_microseconds", (below,))))

    def _rest(self, freq: str) -> Expression:
        return Call("mod", (Call("epoch_us", (self._own,)), Constant(step_of(freq))))

    def _ceil(self, freq: str) -> Expression:
        length = Call("to_microseconds", (Constant(step_of(freq)),))
        exact = Call("eq", (self._rest(freq), Constant(0)))
        return Case(((exact, self._own),), Call("add", (self._floor(freq), length)))

    def _round(self, freq: str) -> Expression:
        length = step_of(freq)
        twice = Call("mul", (self._rest(freq), Constant(2)))
        whole = Call("floordiv_int", (Call("epoch_us", (self._own,)), Constant(length)))
        odd = Call("eq", (Call("mod", (whole, Constant(2))), Constant(1)))
        up = Call(
            "or",
            (
                Call("gt", (twice, Constant(length))),
                Call("and", (Call("eq", (twice, Constant(length))), odd)),
            ),
        )
        above = Call("add", (self._floor(freq), Call("to_microseconds", (Constant(length),))))
        return Case(((self._series.isna().expression, Constant(None)), (up, above)), self._floor(freq))
