"""Round numbers and round times along an axis."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

if TYPE_CHECKING:
    from luma_bench.plot.picture import Axis

_EPOCH = dt.datetime(1970, 1, 1)
_SECOND, _MINUTE, _HOUR, _DAY = 1, 60, 3600, 86400
_STEPS = (
    *(_SECOND * n for n in (1, 2, 5, 10, 15, 30)),
    *(_MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * n for n in (1, 2, 3, 6, 12)),
    *(_DAY * n for n in (1, 2, 7, 14)),
)
"""Steps of seconds up to a fortnight; longer ones are whole months."""

_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)


def numbers(low: float, high: float, about: int = 6, *, whole: bool = False) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten that cover `low` to `high`: about `about` of them.

    With `whole` the step is a whole number.
    """
    low, high = widened(low, high)
    rough = (high - low) / max(about - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    steps = [factor * power for factor in (1, 2, 2.5, 5, 10)]
    if whole:
        steps = [step for step in (1.0, *steps) if step == round(step)]
    step = next(step for step in steps if step >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [0.0 if index == 0 else index * step for index in range(first, last + 1)]


def widened(low: float, high: float) -> tuple[float, float]:
    """A range with some width: one of (nearly) a single value gets half of it, or 1, on either side."""
    size = max(abs(low), abs(high))
    if high - low > max(size * 1e-9, 1e-250):
        return low, high
    half = size / 2 if size > 1e-250 else 1.0
    return low - half, high + half


def number_text(value: float, step: float = 1.0) -> str:
    """A number with just the decimals that its axis needs: `1,250`, `0.05`, `2.5e9`."""
    if abs(value) >= 1e9 or (value != 0 and abs(value) < 1e-5):
        return f"{value:.3g}"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    text = f"{value:,.{decimals + 1}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def numbered(marks: list[float]) -> list[tuple[float, str]]:
    """Marks with their texts."""
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    return [(mark, number_text(mark, step)) for mark in marks]


def times(low: float, high: float, zone: str | None, about: int = 7) -> list[tuple[float, str]]:
    """Round times between two instants in microseconds, with their labels, on the clock of `zone`."""
    start, stop = local(low, zone), local(high, zone)
    seconds = max((high - low) / 1e6 / about, 1e-6)
    step = next((step for step in _STEPS if step >= seconds), None)
    rounds = _months(start, stop, seconds) if step is None else _even(start, stop, step)
    found = [(instant(moment, zone), _label(moment, step)) for moment in rounds]
    return [(at, text) for at, text in found if low <= at <= high]


def labels(axis: Axis, at: Iterable[float]) -> list[str]:
    """Labels of given places on an axis: instants on the clock of its zone, else numbers."""
    if axis.scale == "time":
        return [local(value, axis.zone).strftime("%Y-%m-%d %H:%M") for value in at]
    places = [float(value) for value in at]
    step = float(np.diff(places).min()) if len(places) > 1 else 1.0
    return [number_text(value, step) for value in places]


def local(micros: float, zone: str | None) -> dt.datetime:
    """What the clock of `zone` shows at an instant; without a zone the value is the clock's own."""
    moment = _EPOCH + dt.timedelta(microseconds=round(micros))
    if zone is None:
        return moment
    return moment.replace(tzinfo=dt.UTC).astimezone(_zone(zone)).replace(tzinfo=None)


def instant(moment: dt.datetime, zone: str | None) -> float:
    """The microseconds of a clock reading."""
    if zone is None:
        return (moment - _EPOCH) / dt.timedelta(microseconds=1)
    return moment.replace(tzinfo=_zone(zone)).timestamp() * 1e6


def _zone(name: str) -> dt.tzinfo:
    if name[0] in "+-":  # Arrow's fixed offsets, such as +05:30
        minutes = int(name[1:3]) * 60 + int(name[-2:])
        return dt.timezone(dt.timedelta(minutes=minutes if name[0] == "+" else -minutes))
    return ZoneInfo(name)


def _even(start: dt.datetime, stop: dt.datetime, step: int) -> Iterator[dt.datetime]:
    """Multiples of a step since midnight, or since Monday for whole weeks."""
    begin = start.replace(hour=0, minute=0, second=0, microsecond=0)
    if step >= 7 * _DAY:
        begin -= dt.timedelta(days=begin.weekday())
    begin += ((start - begin) // dt.timedelta(seconds=step)) * dt.timedelta(seconds=step)
    for count in range(200):
        moment = begin + dt.timedelta(seconds=step * count)
        if moment > stop:
            return
        yield moment


def _months(start: dt.datetime, stop: dt.datetime, seconds: float) -> Iterator[dt.datetime]:
    step = next((months for months in _MONTHS if months * 30.5 * _DAY >= seconds), _MONTHS[-1])
    month = (start.year * 12 + start.month - 1) // step * step
    while month // 12 < 9999:
        moment = dt.datetime(max(month // 12, 1), month % 12 + 1, 1)
        if moment > stop:
            return
        yield moment
        month += step


def _label(moment: dt.datetime, step: int | None) -> str:
    if step is None:
        return f"{moment.year}" if moment.month == 1 else f"{moment:%b}"
    if step >= _DAY or (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return f"{moment.day} {moment:%b}"
    return f"{moment:%H:%M}" if step >= _MINUTE else f"{moment:%H:%M:%S}"
