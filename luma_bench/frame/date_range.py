"""`lb.date_range`: moments at even steps, as a Series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from luma_bench.errors import UnsupportedError
from luma_bench.frame.sources import from_pandas
from luma_bench.frame.unchanging import checking_keywords

if TYPE_CHECKING:
    from luma_bench.frame.series import Series


@checking_keywords
def date_range(
    start: Any = None,
    end: Any = None,
    periods: int | None = None,
    freq: Any = None,
    tz: Any = None,
    normalize: bool = False,
    name: str | None = None,
    inclusive: Literal["both", "neither", "left", "right"] = "both",
    *,
    unit: Literal["s", "ms", "us", "ns"] | None = None,
) -> Series:
    """Moments at even steps from `start` to `end`, as pandas counts them: a calendar to join with.

    Three of `start`, `end`, `periods` and `freq` say which moments they are; without `freq`, days.

    Parameters
    ----------
    start, end
        The bounds: text, dates or datetimes.
    periods
        How many moments.
    freq
        pandas' name of the step: "D", "h", "15min", "MS", "W-MON", ….
    tz
        The time zone of the moments.
    normalize
        Whether bounds are taken back to midnight.
    name
        The Series' name; "date" without one.
    inclusive
        Which of the bounds belong to them.
    unit
        The resolution: "s", "ms", "us" or "ns".

    Raises
    ------
    UnsupportedError
        What is given does not say which moments are meant, or pandas does not know the step.

    Examples
    --------
    >>> lb.date_range("2024-01-30", periods=3).dt.day.to_list()
    [30, 31, 1]
    """
    import pandas as pd

    label = "date" if name is None else name
    options: dict[str, Any] = {} if unit is None else {"unit": unit}
    try:
        moments = pd.date_range(start, end, periods, freq, tz, normalize, label, inclusive, **options)
    except (TypeError, ValueError) as error:
        raise UnsupportedError(
            f"date_range() cannot tell the moments: {error}",
            hint="Give a start and an end, or one of them and periods=; freq= is pandas' name of a step, as 'D' or '15min'.",
        ) from error
    return from_pandas(moments.to_frame(index=False))[label]
