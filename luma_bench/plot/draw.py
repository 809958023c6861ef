"""A picture as SVG text: drawn here, without a browser, a font file or a script."""

from __future__ import annotations

import html

import numpy as np

from luma_bench.plot import theme, ticks
from luma_bench.plot.cells import categories_below, heatmap
from luma_bench.plot.marks import bars, dots, lines
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
)
from luma_bench.plot.rows import Axis, Picture

Marks = list[tuple[float, str]]
"""Places on a number axis and what is written there."""


def draw(picture: Picture, width: int, height: int) -> str:
    """The picture as one `<svg>` element of a width and height in pixels; every text of the data is escaped."""
    body = heatmap(picture, width, height) if picture.kind == "heatmap" else _chart(picture, width, height)
    name = html.escape(printable(picture.title or f"{picture.y.label} by {picture.x.label}"))
    head = text_at(20, 30, picture.title, size=17, weight=600) if picture.title else ""
    foot = text_at(20, height - 8, "; ".join(picture.notes), size=11, fill=theme.QUIET)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{name}" style="max-width:100%;height:auto" font-family="{html.escape(theme.FONT)}">'
        f'<rect width="{width}" height="{height}" rx="6" fill="{theme.PAPER}"/>{head}{"".join(body)}'
        f"{foot if picture.notes else ''}</svg>"
    )


def _chart(picture: Picture, width: int, height: int) -> list[str]:
    marks, reach = _value_marks(picture)
    names = [series.name for series in picture.series if series.name]
    # Lines carry their names at their ends, where the eye is; other kinds have a legend above.
    at_ends = picture.kind == "line" and len(names) > 1
    parts, top = legend([] if at_ends else names, width, 52.0 if picture.title else 24.0)
    right = 24 + (max(text_width(name) for name in names) + ROOM if at_ends else 0)
    if picture.kind == "barh":
        return parts + _lying(picture, marks, reach, width, height, top)
    left = 20 + max((text_width(text) for _, text in marks), default=0) + ROOM
    categories = picture.x.values if picture.x.scale == "category" else ()
    turned = crowded(categories, width - left - right)
    below = 46 + (min(max(text_width(text) for text in categories), 120) * 0.7 if turned else 0)
    area = Area(left, width - right, top + 30, height - below)
    value = linear(*reach, area.bottom, area.top)
    across = _across(picture, area)
    parts += _value_grid(marks, value, area, upright=True)
    parts.append(text_at(20, area.top - 14, picture.y.label, fill=theme.QUIET))
    parts += _bottom(picture.x, across, area, _span(picture), height, turned=turned)
    if picture.kind in ("bar", "hist"):
        parts += bars(picture, across, value, lying=False)
    elif picture.kind == "scatter":
        parts += dots(picture, across, value)
    else:
        parts += lines(picture, across, value, area, at_ends=at_ends)
    return parts


def _lying(
    picture: Picture, marks: Marks, reach: tuple[float, float], width: int, height: int, top: float
) -> list[str]:
    """Bars from left to right, under each other."""
    names = picture.x.values
    left = 20 + min(max((text_width(text) for text in names), default=0), width * 0.35) + ROOM
    area = Area(left, width - 24, top + 10, height - 46)
    value = linear(*reach, area.left, area.right)
    across = linear(-0.5, len(names) - 0.5, area.top, area.bottom)
    parts = _value_grid(marks, value, area, upright=False)
    for index, name in enumerate(names):
        shown = cut(name, area.left - 24)
        parts.append(text_at(left - ROOM, across(index) + 4, shown, anchor="end", fill=theme.QUIET))
    parts.append(text_at(area.right, height - 10, picture.y.label, anchor="end", fill=theme.QUIET))
    return parts + bars(picture, across, value, lying=True)


def _value_marks(picture: Picture) -> tuple[Marks, tuple[float, float]]:
    """The value axis: its marks with their texts, and where it begins and ends."""
    low, high = _reach(picture)
    found = ticks.numbers(low, high, 6)
    if picture.kind in ("bar", "barh", "hist"):
        low, high = min(low, found[0]), max(high, found[-1])
    return ticks.numbered([mark for mark in found if low <= mark <= high]), (low, high)


def _reach(picture: Picture) -> tuple[float, float]:
    """The least and the greatest value on the value axis, with room for marks."""
    values = np.concatenate([series.y for series in picture.series]) if picture.series else np.empty(0)
    if picture.kind == "hist":
        values = np.sum([series.y for series in picture.series], axis=0)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if picture.kind in ("bar", "barh", "hist"):
        low, high = min(low, 0.0), max(high, 0.0)
        return (low, high) if high - low > 1e-250 else (0.0, 1.0)
    low, high = ticks.widened(low, high)
    pad = (high - low) * 0.05
    return (0.0 if 0 <= low < 0.3 * high else low - pad), high + pad


def _span(picture: Picture) -> tuple[float, float]:
    """The least and the greatest position on the x axis."""
    if picture.edges is not None:
        return float(picture.edges[0]), float(picture.edges[-1])
    if picture.x.scale == "category":
        return -0.5, len(picture.x.values) - 0.5
    places = np.concatenate([series.x for series in picture.series]) if picture.series else np.empty(0)
    if not len(places):
        return 0.0, 1.0
    low, high = float(places.min()), float(places.max())
    return ticks.widened(low, high)


def _across(picture: Picture, area: Area) -> Place:
    low, high = _span(picture)
    inset = 10 if picture.kind in ("scatter", "line") and picture.x.scale != "category" else 0
    return linear(low, high, area.left + inset, area.right - inset)


def _bottom(
    axis: Axis, across: Place, area: Area, span: tuple[float, float], height: int, *, turned: bool
) -> list[str]:
    """The x axis: its line, ticks, labels and name."""
    parts = [line(area.left, area.bottom, area.right, area.bottom, theme.AXIS)]
    if axis.scale == "category":
        parts += categories_below(axis.values, across, area, turned=turned)
    else:
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
    label = f"{axis.label} ({axis.zone})" if axis.scale == "time" and axis.zone else axis.label
    parts.append(
        text_at(area.right, height - 8 if turned else area.bottom + 38, label, anchor="end", fill=theme.QUIET)
    )
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
