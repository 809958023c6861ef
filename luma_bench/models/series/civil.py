"""Days and months of the proleptic Gregorian calendar as arrays (Hinnant, "chrono-Compatible Low-Level Date Algorithms")."""

from __future__ import annotations

import numpy as np

from luma_bench.models.series.runs import Ints

_ERA_DAYS = 146_097


def months_of(days: Ints) -> tuple[Ints, Ints]:
    """The month of each day, counted from January 1970, and the day of that month, counted from 0."""
    shifted = days + 719_468
    era = shifted // _ERA_DAYS
    inside = shifted - era * _ERA_DAYS
    year = (inside - inside // 1_460 + inside // 36_524 - inside // 146_096) // 365
    day = inside - (365 * year + year // 4 - year // 100)
    month = (5 * day + 2) // 153
    first = (153 * month + 2) // 5
    return (era * 400 + year) * 12 + month + 2 - 1_970 * 12, day - first


def day_of(months: Ints) -> Ints:
    """The first day of each month, counted from 1970-01-01."""
    since_march = months + 1_970 * 12 - 2
    year = since_march // 12
    month = since_march - year * 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 - 719_468


def moved(days: Ints, months: Ints) -> Ints:
    """The same day of the month so many months later, or the last one of a month that has fewer."""
    month, day = months_of(days)
    first = day_of(month + months)
    return first + np.minimum(day, day_of(month + months + 1) - first - 1)
