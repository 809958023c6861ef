"""Functions on dates, times and intervals that plans know."""

from __future__ import annotations

from luma_bench.plan.registry import PRODUCT, Function, call

TIMES: dict[str, Function] = {
    "year": call("year", "int"),
    "month": call("month", "int"),
    "day": call("day", "int"),
    "hour": call("hour", "int"),
    "minute": call("minute", "int"),
    "second": call("second", "int"),
    # DuckDB counts the seconds in; pandas does not.
    "microsecond": Function("microsecond({0}) % 1000000", "int", precedence=PRODUCT),
    "quarter": call("quarter", "int"),
    "dayofyear": call("dayofyear", "int"),
    "isodow": call("isodow", "int"),
    "dayname": call("dayname", "text"),
    "monthname": call("monthname", "text"),
    "date_trunc": call("date_trunc", "other", 2),
    "strftime": call("strftime", "text", 2),
    "total_seconds": call("epoch", "real"),
    "epoch_us": call("epoch_us", "int"),
    "nanosecond": Function("nanosecond({0}) % 1000", "int", precedence=PRODUCT),
    "isoyear": call("isoyear", "int"),
    "week": call("week", "int"),
    "last_day": call("last_day", "date"),
    "at_zone": Function("timezone({1}, {0})", "timestamp", 2, 2),
    "bucket": call("time_bucket", "timestamp", 2, 3),
    "strptime": call("strptime", "timestamp", 2),
    "try_strptime": call("try_strptime", "timestamp", 2),
    "from_epoch_us": call("make_timestamp", "timestamp"),
    "to_microseconds": call("to_microseconds", "interval"),
    "to_days": call("to_days", "interval"),
    "to_months": call("to_months", "interval"),
    "try_timestamp": Function("TRY_CAST({0} AS TIMESTAMP)", "timestamp"),
}
