"""A picture as SVG text: drawn here, without a browser, a font file or a script."""

from __future__ import annotations

import html

import numpy as np

from luma_bench.plot import theme, ticks
from luma_bench.plot.cells import categories_below, density, heatmap
from luma_bench.plot.marks import areas, bars, boxes, dots, lines
from luma_bench.plot.picture import Axis, Picture
from luma_bench.plot.pieces import (
    ROOM,
    Area,
    Place,
    crowded,
    cut,
    legend,
    line,
    linear,
    printable,
    text_at,
    text_width,
    wrapped,
)

Marks = list[tuple[float, str]]
"""Places on a number axis and what is written there."""

_FROM_ZERO = ("bar", "barh", "hist", "area")
"""Kinds whose marks stand on zero, so that the value axis shows it."""


def draw(picture: Picture, width: int, height: int) -> str:
    """The picture as one `<svg>` element of a width and height in pixels; every text of the data is escaped."""
    notes = wrapped("; ".join(picture.notes), (width - 40) * 0.9, 11) if picture.notes else []
    inside = height - 16 * len(notes)
    body = heatmap(picture, width, inside) if picture.kind == "heatmap" else _chart(picture, width, inside)
    name = html.escape(printable(picture.title or f"{picture.y.label} by {picture.x.label}"))
    head = text_at(20, 30, cut(picture.title, (width - 40) / 1.5), size=17, weight=600)
    foot = [
        text_at(20, inside + 8 + 16 * place, note, size=11, fill=theme.QUIET)
        for place, note in enumerate(notes)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{name}" style="max-width:100%;height:auto" font-family="{html.escape(theme.FONT)}">'
        f'<rect width="{width}" height="{height}" rx="6" fill="{theme.PAPER}"/>{head if picture.title else ""}'
        f"{''.join(body)}{''.join(foot)}</svg>"
    )


def _chart(picture: Picture, width: int, height: int) -> list[str]:
    reach, span = _reach(picture), _span(picture)
    names = [series.name for series in picture.series if series.name]
    # Lines carry their names at their ends, where the eye is; other kinds have a legend above.
    at_ends = picture.kind == "line" and len(names) > 1
    parts, top = legend([] if at_ends else names, width, 52.0 if picture.title else 24.0)
    right = 24 + (max(min(text_width(name), 160) for name in names) + ROOM if at_ends else 0)
    right = 110 if picture.cells is not None else right
    if picture.kind == "barh":
        return parts + _lying(picture, _value_marks(picture, reach), reach, width, height, top)
    left = 20 + max((text_width(text) for _, text in _value_marks(picture, reach)), default=0) + ROOM
    categories = picture.x.values if picture.x.scale == "category" else ()
    turned = crowded(categories, width - left - right)
    below = 46 + (min(max(text_width(text) for text in categories), 120) * 0.7 if turned else 0)
    area = Area(left, width - right, top + 30, height - below)
    if picture.aspect is not None:
        span, reach = _to_scale(span, reach, area, picture.aspect)
    marks = _value_marks(picture, reach)
    value = linear(*reach, area.bottom, area.top)
    inset = 10 if picture.kind in ("scatter", "line") and picture.x.scale != "category" else 0
    across = linear(*span, area.left + inset, area.right - inset)
    parts += _value_grid(marks, value, area, upright=True)
    parts.append(text_at(20, area.top - 14, picture.y.label, fill=theme.QUIET))
    parts += _bottom(picture.x, across, area, span, height, turned=turned, drawn=picture.marks > 0)
    return parts + _marks(picture, across, value, area, width, at_ends=at_ends)


def _marks(
    picture: Picture, across: Place, value: Place, area: Area, width: int, *, at_ends: bool
) -> list[str]:
    match picture.kind:
        case "bar" | "hist":
            return bars(picture, across, value, lying=False)
        case "scatter":
            return dots(picture, across, value)
        case "cells":
            return density(picture, across, value, area, width)
        case "box":
            return boxes(picture, across, value)
        case "area":
            return areas(picture, across, value)
        case _:
            return lines(picture, across, value, area, at_ends=at_ends)


def _lying(
    picture: Picture, marks: Marks, reach: tuple[float, float], width: int, height: int, top: float
) -> list[str]:
    """Bars from left to right, under each other."""
    names = picture.x.values
    left = 20 + min(max((text_width(text) for text in names), default=0), width * 0.35) + ROOM
    area = Area(left, width - 24, top + 26, height - 46)
    value = linear(*reach, area.left, area.right)
    across = linear(-0.5, len(names) - 0.5, area.top, area.bottom)
    parts = _value_grid(marks, value, area, upright=False)
    parts.append(text_at(20, area.top - 10, picture.x.label, fill=theme.QUIET))
    for index, name in enumerate(names):
        shown = cut(name, area.left - 24)
        parts.append(text_at(left - ROOM, across(index) + 4, shown, anchor="end", fill=theme.QUIET))
    parts.append(text_at(area.right, height - 10, picture.y.label, anchor="end", fill=theme.QUIET))
    return parts + bars(picture, across, value, lying=True)


def _value_marks(picture: Picture, reach: tuple[float, float]) -> Marks:
    """The marks of the value axis with their texts."""
    low, high = reach
    return ticks.numbered([mark for mark in ticks.numbers(low, high, 6) if low <= mark <= high])


def _reach(picture: Picture) -> tuple[float, float]:
    """The least and the greatest value on the value axis, with room for marks."""
    if picture.y_edges is not None:
        return float(picture.y_edges[0]), float(picture.y_edges[-1])
    values = _values(picture)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if picture.kind in _FROM_ZERO:
        low, high = min(low, 0.0), max(high, 0.0)
        low, high = (low, high) if high - low > 1e-250 else (0.0, 1.0)
        found = ticks.numbers(low, high, 6)
        return min(low, found[0]), max(high, found[-1])
    low, high = ticks.widened(low, high)
    pad = (high - low) * 0.05
    return (0.0 if 0 <= low < 0.3 * high and picture.aspect is None else low - pad), high + pad


def _values(picture: Picture) -> np.ndarray:
    """Every value that the value axis has to reach."""
    if picture.boxes:
        return np.concatenate([[box.low, box.q1, box.q3, box.high, *box.outliers] for box in picture.boxes])
    if not picture.series:
        return np.empty(0)
    if not picture.stacked:
        return np.concatenate([series.y for series in picture.series])
    places = np.concatenate([series.x for series in picture.series])
    values = np.concatenate([series.y for series in picture.series])
    _, place = np.unique(places, return_inverse=True)
    return np.concatenate(
        [np.bincount(place, np.where(sign * values > 0, values, 0.0)) for sign in (1, -1)]
        if len(values)
        else [values]
    )


def _span(picture: Picture) -> tuple[float, float]:
    """The least and the greatest position on the x axis."""
    if picture.edges is not None:
        return float(picture.edges[0]), float(picture.edges[-1])
    if picture.x.scale == "category":
        return -0.5, max(len(picture.x.values), 1) - 0.5
    places = np.concatenate([series.x for series in picture.series]) if picture.series else np.empty(0)
    if not len(places):
        return 0.0, 1.0
    low, high = float(places.min()), float(places.max())
    return ticks.widened(low, high)


def _to_scale(
    span: tuple[float, float], reach: tuple[float, float], area: Area, aspect: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Both ranges of a map, the shorter one widened until a unit of y is `aspect` times as long as one of x."""
    wide, tall = area.right - area.left, area.bottom - area.top
    across, up = span[1] - span[0], reach[1] - reach[0]
    more_x = max(0.0, wide * up * aspect / tall - across) / 2
    more_y = max(0.0, across * tall / (wide * aspect) - up) / 2
    return (span[0] - more_x, span[1] + more_x), (reach[0] - more_y, reach[1] + more_y)


def _bottom(
    axis: Axis,
    across: Place,
    area: Area,
    span: tuple[float, float],
    height: int,
    *,
    turned: bool,
    drawn: bool,
) -> list[str]:
    """The x axis: its line, its name, and where anything is drawn, ticks with labels."""
    parts = [line(area.left, area.bottom, area.right, area.bottom, theme.AXIS)]
    if axis.scale == "category":
        parts += categories_below(axis.values, across, area, turned=turned)
    elif drawn:
        low, high = span
        found = (
            ticks.times(low, high, axis.zone)
            if axis.scale == "time"
            else ticks.numbered(
                [mark for mark in ticks.numbers(low, high, 9, whole=axis.whole) if low <= mark <= high]
            )
        )
        for at, text in found:
            parts.append(line(across(at), area.bottom, across(at), area.bottom + 5, theme.AXIS))
            parts.append(text_at(across(at), area.bottom + 20, text, anchor="middle", fill=theme.QUIET))
    below = height - 8 if turned else area.bottom + 38
    parts.append(text_at(area.right, below, axis.named, anchor="end", fill=theme.QUIET))
    return parts


def _value_grid(marks: Marks, value: Place, area: Area, *, upright: bool) -> list[str]:
    parts: list[str] = []
    for mark, text in marks:
        colour = theme.AXIS if mark == 0 else theme.GRID
        at = value(mark)
        if upright:
            parts.append(line(area.left, at, area.right, at, colour))
            parts.append(text_at(area.left - ROOM, at + 4, text, anchor="end", fill=theme.QUIET))
        else:
            parts.append(line(at, area.top, at, area.bottom, colour))
            parts.append(text_at(at, area.bottom + 18, text, anchor="middle", fill=theme.QUIET))
    return parts
