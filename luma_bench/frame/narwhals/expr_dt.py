"""Narwhals' expressions on dates and times."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from narwhals._duration import Interval
from narwhals._sql.expr_dt import SQLExprDateTimeNamesSpace

from luma_bench.frame.narwhals.terms import Term, constant, scalar

if TYPE_CHECKING:
    from luma_bench.frame.narwhals.expr import LumaExpr
    from luma_bench.frame.narwhals.lazyframe import LumaLazyFrame

_UNITS = {
    "y": "year",
    "q": "quarter",
    "mo": "month",
    "d": "day",
    "h": "hour",
    "m": "minute",
    "s": "second",
    "ms": "millisecond",
    "us": "microsecond",
}
_MONTHS = {"y": 12, "q": 3, "mo": 1}
_MICROSECONDS = {"s": 1_000_000, "m": 60_000_000, "ms": 1_000, "us": 1}
_EPOCHS = {"us": "epoch_us", "ms": "sql.epoch_ms", "ns": "sql.epoch_ns"}


class LumaExprDateTimeNamespace(SQLExprDateTimeNamesSpace["LumaExpr"]):
    """What narwhals' own of SQL leaves out."""

    def _each(self, function: str, *args: object) -> LumaExpr:
        return self.compliant._with_elementwise(lambda expr: scalar(function, expr, *map(constant, args)))

    def millisecond(self) -> LumaExpr:
        """0 to 999."""
        return self._each("sql.millisecond")

    def microsecond(self) -> LumaExpr:
        """0 to 999999."""
        return self._each("microsecond")

    def nanosecond(self) -> LumaExpr:
        """0 to 999999999."""
        return self._each("sql.nanosecond")

    def weekday(self) -> LumaExpr:
        """Monday is 1, Sunday is 7."""
        return self._each("isodow")

    def to_string(self, format: str) -> LumaExpr:  # noqa: A002
        """As text, by the codes of `strftime`."""
        return self._each("strftime", format)

    def timestamp(self, time_unit: Any) -> LumaExpr:
        """Since 1970 in a unit."""
        return self._each(_EPOCHS[time_unit])

    def _whole(self, microseconds: int) -> LumaExpr:
        return self.compliant._with_elementwise(
            lambda expr: scalar("sql.quotient", scalar("epoch_us", expr), constant(microseconds))
        )

    def total_minutes(self) -> LumaExpr:
        """An interval's whole minutes."""
        return self._whole(60_000_000)

    def total_seconds(self) -> LumaExpr:
        """An interval's whole seconds."""
        return self._whole(1_000_000)

    def total_milliseconds(self) -> LumaExpr:
        """An interval's whole milliseconds."""
        return self._whole(1_000)

    def total_microseconds(self) -> LumaExpr:
        """An interval's microseconds."""
        return self._each("epoch_us")

    def total_nanoseconds(self) -> LumaExpr:
        """An interval's nanoseconds; intervals are exact to the microsecond."""
        return self.compliant._with_elementwise(lambda expr: scalar("epoch_us", expr) * constant(1_000))

    def truncate(self, every: str) -> LumaExpr:
        """The start of the period that the time is in, periods counted from 1970.

        Raises
        ------
        NotImplementedError
            Nanoseconds.
        """
        interval = Interval.parse(every)
        if interval.unit == "ns":
            raise NotImplementedError("Frames of Luma Bench truncate to microseconds or longer.")
        if interval.multiple == 1:
            unit = constant(_UNITS[interval.unit])
            return self.compliant._with_elementwise(
                lambda expr: Term(scalar("date_trunc", unit, expr).expression, expr.kind)
            )
        width, start = _interval(interval), constant(dt.datetime(1970, 1, 1))
        return self.compliant._with_elementwise(lambda expr: scalar("sql.time_bucket", width, expr, start))

    def offset_by(self, by: str) -> LumaExpr:
        """A time that much later.

        Raises
        ------
        NotImplementedError
            Nanoseconds.
        """
        interval = Interval.parse_no_constraints(by)
        if interval.unit == "ns":
            raise NotImplementedError("Frames of Luma Bench move times by microseconds or longer.")
        width = _interval(interval)
        return self.compliant._with_elementwise(lambda expr: expr + width)

    def _same_zone(self, time_zone: str) -> LumaExpr:
        def func(df: LumaLazyFrame) -> Sequence[Term]:
            for name in self.compliant._evaluate_output_names(df):
                zone = getattr(df.schema.get(name), "time_zone", None)
                if zone != time_zone:
                    raise NotImplementedError(
                        f"Times of frames of Luma Bench are in the session's time zone ({zone}); {time_zone} is another."
                    )
            return self.compliant(df)

        made = self.compliant
        return type(made)(
            func,
            evaluate_output_names=made._evaluate_output_names,
            alias_output_names=made._alias_output_names,
            version=made._version,
        )

    def convert_time_zone(self, time_zone: str) -> LumaExpr:
        """The same instant in a time zone: only the one that it is in."""
        return self._same_zone(time_zone)

    def replace_time_zone(self, time_zone: str | None) -> LumaExpr:
        """The same clock in a time zone: none, or only the one that it is in."""
        if time_zone is None:
            return self.compliant._with_elementwise(lambda expr: expr.cast("TIMESTAMP"))
        return self._same_zone(time_zone)


def _interval(interval: Interval) -> Term:
    if interval.unit in _MONTHS:
        return scalar("sql.to_months", constant(interval.multiple * _MONTHS[interval.unit]))
    if interval.unit == "d":
        return scalar("sql.to_days", constant(interval.multiple))
    if interval.unit == "h":
        return scalar("sql.to_hours", constant(interval.multiple))
    return scalar("sql.to_microseconds", constant(interval.multiple * _MICROSECONDS[interval.unit]))
