"""Round steps that numbers and times are grouped by, so that a chart has few enough marks."""

from __future__ import annotations

import math

import pyarrow as pa

from luma_bench.plot.charts.columns import role_of, whole
from luma_bench.types.sql_text import quoted, string_literal

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_TIMES = (
    (1, "1 microsecond"), (10, "10 microseconds"), (100, "100 microseconds"), (1_000, "1 millisecond"),
    (10_000, "10 milliseconds"), (100_000, "100 milliseconds"), (_SECOND, "1 second"), (5 * _SECOND, "5 seconds"),
    (15 * _SECOND, "15 seconds"), (60 * _SECOND, "1 minute"), (300 * _SECOND, "5 minutes"),
    (900 * _SECOND, "15 minutes"), (3_600 * _SECOND, "1 hour"), (3 * 3_600 * _SECOND, "3 hours"),
    (6 * 3_600 * _SECOND, "6 hours"), (_DAY, "1 day"), (7 * _DAY, "7 days"), (30.4 * _DAY, "1 month"),
    (91.3 * _DAY, "3 months"), (365.2 * _DAY, "1 year"), (3_652 * _DAY, "10 years"), (36_524 * _DAY, "100 years"),
)  # fmt: skip


def grouped(name: str, kind: pa.DataType, low: float, high: float, most: int) -> tuple[str, str]:
    """A column cut to round steps, as text, and the step in words.

    Parameters
    ----------
    low, high
        Its bounds; of a time in microseconds.
    most
        How many steps there may be.
    """
    if role_of(kind) == "time":
        span = (high - low) / max(most - 1, 1)
        step = next((text for size, text in _TIMES if size >= span), _TIMES[-1][1])
        if pa.types.is_date(kind):
            step = next((text for size, text in _TIMES if size >= max(span, _DAY)), _TIMES[-1][1])
        zone = getattr(kind, "tz", None)
        # Days begin at midnight of the column's own clock; an offset such as +02:00 is no name of a zone.
        where = f", {string_literal(zone)}" if zone and not zone.startswith(("+", "-")) else ""
        return f"time_bucket(INTERVAL '{step}', {quoted(name)}{where})", step
    size = step_of(low, high, most, is_whole=whole(kind))
    made = f"floor({quoted(name)} / {size!r}) * {size!r}"
    return (f"CAST({made} AS BIGINT)" if whole(kind) else made), f"{size:,g}"


def step_of(low: float, high: float, most: int, *, is_whole: bool) -> float:
    """The least of 1, 2 and 5 times a power of ten that cuts a range into at most so many steps."""
    least = (high - low) / max(most - 1, 1)
    if is_whole:
        least = max(least, 1.0)
    if least <= 0 or not math.isfinite(least):
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    size = next(power * times for times in (1, 2, 5, 10) if power * times >= least * (1 - 1e-12))
    return float(round(size)) if is_whole else size
