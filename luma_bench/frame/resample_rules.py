"""Spans of time by number: which one a moment is in, and where it begins and ends. Fixed lengths, weeks, months, quarters, years."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from luma_bench.errors import UnsupportedError
from luma_bench.frame.moments import Moments, moments
from luma_bench.frame.windows_over import one_of
from luma_bench.plan.expressions import Call, Cast, ColumnRef, Expression
from luma_bench.plan.expressions import Literal as Constant

if TYPE_CHECKING:
    from luma_bench.frame.base import Frame

Side = Literal["right", "left"]
Origin = Literal["start_day", "start", "end", "end_day", "epoch"] | str | dt.datetime

_ORIGINS = ("start_day", "start", "end", "end_day", "epoch")
_MONTHS = {"Month": 1, "Quarter": 3, "Year": 12}
_EPOCH_MONTH = 1970 * 12


@dataclass(frozen=True, slots=True)
class Rule:
    """How moments are gathered.

    Attributes
    ----------
    on
        The column of moments.
    line
        Its moments as numbers.
    unit
        'span' for a fixed length, 'day' for days of the wall clock, 'week', 'month'.
    step
        How many units, days, weeks, or periods of `size` months.
    size, shift
        Months of a period; the first month (from 0) or the first weekday (from Monday) of one.
    ends
        Labels and ends are last days and not first ones.
    """

    on: str
    line: Moments
    unit: Literal["span", "day", "week", "month"]
    step: int
    closed: Side
    label: Side
    size: int = 1
    shift: int = 0
    ends: bool = False
    origin: str | int = "start_day"
    offset: int = 0

    # Numbers

    def number(self, place: Expression, low: Expression, high: Expression) -> Expression:
        """Which span a moment is in; `low` and `high` are the first and the last moment there are."""
        if self.unit in ("span", "day"):
            after = _sub(self._wall(place), self._start(low, high))
            if self.closed == "right":
                after = _sub(after, Constant(1))
            return _floor(after, Constant(self.step))
        period = self._period(place)
        if self.step == 1:
            return period
        ahead = self.step - 1 if self.closed == "right" else 0
        return _floor(_add(_sub(period, self._period(low)), Constant(ahead)), Constant(self.step))

    def edge(self, number: Expression, side: Side, low: Expression, high: Expression) -> Expression:
        """Where a span begins or ends, as a moment of the column's type."""
        more = Constant(0 if side == "left" else 1)
        if self.unit in ("span", "day"):
            length = _mul(_add(number, more), Constant(self.step))
            return self._moment(_add(self._start(low, high), length))
        at = number
        if self.step > 1:
            back = self.step - 1 if self.closed == "right" else 0
            at = _add(self._period(low), _sub(_mul(number, Constant(self.step)), Constant(back)))
        at = _add(at, _mul(more, Constant(self.step)))
        day = self._day()
        if self.unit == "week":
            first = _mul(_sub(_add(_mul(at, Constant(7)), Constant(self.shift)), Constant(3)), day)
        else:
            months = _sub(_add(_mul(at, Constant(self.size)), Constant(self.shift)), Constant(_EPOCH_MONTH))
            start = Call(
                "add", (Constant(dt.datetime(1970, 1, 1)), Call("to_months", (Cast(months, "INTEGER"),)))
            )
            first = _mul(Call("epoch_us", (start,)), Constant(1000 if self.line.exact else 1))
        return self._moment(_sub(first, day) if self.ends else first)

    @property
    def relative(self) -> bool:
        """Whether spans are counted from the first or the last moment there is."""
        if self.unit in ("week", "month"):
            return self.step > 1
        return isinstance(self.origin, str) and self.origin != "epoch" and not self._even

    @property
    def _even(self) -> bool:
        """A length that begins anew at every midnight, so that the first day does not matter."""
        whole = self.origin == "start_day" and (self.unit == "day" or self.line.zone is None)
        return whole and 86_400 * self.line.per_second % self.step == 0

    def _start(self, low: Expression, high: Expression) -> Expression:
        """What spans of a fixed length are counted from, on the wall clock for days."""
        day = self._day()
        start: Expression
        match self.origin:
            case int():
                start = Constant(self.origin)
            case "epoch":
                start = Constant(0)
            case "start":
                start = self._wall(low)
            case "end":
                start = self._wall(high)
            case "end_day":
                wall = self._clock(high)
                start = self._absolute(_sub(Constant(0), _mul(_floor(_sub(Constant(0), wall), day), day)))
            case _ if self._even:
                start = Constant(0)
            case _:
                start = self._absolute(_mul(_floor(self._clock(low), day), day))
        return _add(start, Constant(self.offset)) if self.offset else start

    def _period(self, place: Expression) -> Expression:
        """The number of the week, or of the months that belong together, of a moment."""
        wall = self._clock(place)
        day = self._day()
        if self.ends and self.closed == "left":
            wall = _add(wall, day)
        elif not self.ends and self.closed == "right":
            wall = _sub(wall, Constant(1))
        if self.unit == "week":
            days = _floor(wall, day)
            return _floor(_sub(_add(days, Constant(3)), Constant(self.shift)), Constant(7))
        moment = self._naive(wall)
        months = _add(
            _mul(Call("year", (moment,)), Constant(12)), _sub(Call("month", (moment,)), Constant(1))
        )
        if self.size == 1:
            return months
        return _floor(_sub(months, Constant(self.shift)), Constant(self.size))

    # Clocks

    def _day(self) -> Constant:
        return Constant(86_400 * self.line.per_second)

    def _naive(self, place: Expression) -> Expression:
        return Call("make_timestamp_ns" if self.line.exact else "make_timestamp", (place,))

    def _clock(self, place: Expression) -> Expression:
        """A moment as the wall clock of the column's zone shows it."""
        if self.line.zone is None:
            return place
        utc = Call("timezone", (Constant("UTC"), self._naive(place)))
        return Call("epoch_us", (Call("timezone", (Constant(self.line.zone), utc)),))

    def _wall(self, place: Expression) -> Expression:
        return self._clock(place) if self.unit == "day" else place

    def _absolute(self, wall: Expression) -> Expression:
        """A place on the wall clock as one on the rule's line."""
        if self.line.zone is None or self.unit == "day":
            return wall
        return Call("epoch_us", (Call("timezone", (Constant(self.line.zone), self._naive(wall))),))

    def _moment(self, place: Expression) -> Expression:
        """A place on the rule's line (on the wall clock, but for fixed lengths) as a moment."""
        made = self._naive(place)
        if self.line.zone is None:
            return made
        return Call("timezone", (Constant("UTC" if self.unit == "span" else self.line.zone), made))


def rule_of(
    frame: Frame,
    rule: str | dt.timedelta,
    closed: Side | None,
    label: Side | None,
    on: str,
    origin: Origin,
    offset: str | dt.timedelta | None,
) -> Rule:
    """What the arguments of `resample` mean.

    Raises
    ------
    SchemaError
        `on` holds no moments.
    UnsupportedError
        The rule is not known.
    """
    import pandas as pd

    one_of("closed", closed, (None, "right", "left"))
    one_of("label", label, (None, "right", "left"))
    frame.check_column(on)
    line = moments(frame, ColumnRef(on), on, "on")
    try:
        given = pd.tseries.frequencies.to_offset(rule)
    except ValueError as error:
        raise UnsupportedError(
            f"resample({rule!r}) is not known.", hint="Write '15min', 'h', 'D', 'W', 'ME', 'QS', 'YE', …"
        ) from error
    name = type(given).__name__
    ends = name == "Week" or name.endswith("End")
    side: Side = "right" if ends or origin in ("end", "end_day") else "left"
    closed, label = closed or side, label or side
    start = _origin(line, origin)
    more = 0 if offset is None else line.units(offset, "offset")
    if given.n < 1:
        raise UnsupportedError(f"resample({rule!r}) goes back in time.", hint="Give a length above zero.")
    if isinstance(given, pd.offsets.Tick):
        step = line.units(pd.Timedelta(given), "rule")
        return Rule(on, line, "span", step, closed, label, origin=start, offset=more)
    if name == "Day":
        step = line.units(dt.timedelta(days=given.n), "rule")
        return Rule(on, line, "day", step, closed, label, origin=start, offset=more)
    weekday: int | None = getattr(given, "weekday", None)
    if name == "Week" and weekday is not None:
        return Rule(on, line, "week", given.n, closed, label, shift=(weekday + 1) % 7, ends=True)
    size = _MONTHS.get(name.removesuffix("End").removesuffix("Begin"))
    if size is None or not name.endswith(("End", "Begin")):
        raise UnsupportedError(
            f"resample({rule!r}) is not known: working days and the like are not.",
            hint="Write '15min', 'h', 'D', 'W', 'ME', 'QS', 'YE', …",
        )
    month = getattr(given, "startingMonth", None) or getattr(given, "month", None) or 1
    shift = 0 if size == 1 else (month if ends else month - 1) % size
    return Rule(on, line, "month", given.n, closed, label, size=size, shift=shift, ends=ends)


def _origin(line: Moments, origin: Any) -> str | int:
    if origin in _ORIGINS:
        return origin
    import pandas as pd

    try:
        moment = pd.Timestamp(origin)
    except (ValueError, TypeError) as error:
        raise UnsupportedError(
            f"origin={origin!r} is not known.", hint=f"It is a moment, or one of {', '.join(_ORIGINS)}."
        ) from error
    if (moment.tzinfo is None) != (line.zone is None):
        raise UnsupportedError(
            f"origin={origin!r} and the column differ in having a time zone.", hint="Give both one, or none."
        )
    return moment.as_unit("ns").value // (1_000_000_000 // line.per_second)


def _add(a: Expression, b: Expression) -> Expression:
    return Call("add", (a, b))


def _sub(a: Expression, b: Expression) -> Expression:
    return Call("sub", (a, b))


def _mul(a: Expression, b: Expression) -> Expression:
    return Call("mul", (a, b))


def _floor(a: Expression, b: Expression) -> Expression:
    return Call("floordiv_int", (a, b))
