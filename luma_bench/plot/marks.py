"""The marks of a chart as SVG: lines, bars and dots."""

from __future__ import annotations

import numpy as np

from luma_bench.plot import theme, ticks
from luma_bench.plot.pieces import ROOM, Area, Place, box, dot, text_at, tip
from luma_bench.plot.rows import Picture, Series


def lines(picture: Picture, across: Place, value: Place, area: Area, *, at_ends: bool) -> list[str]:
    """A line a series, broken where a value is missing; its points too when they are few."""
    parts: list[str] = []
    ends: list[tuple[float, str, str]] = []
    for number, series in enumerate(picture.series):
        colour = theme.PALETTE[number]
        known = np.isfinite(series.y)
        path: list[str] = []
        pen = "M"
        for x, y, there in zip(series.x, series.y, known, strict=True):
            if not there:
                pen = "M"
                continue
            path.append(f"{pen}{across(x):.1f} {value(y):.1f}")
            pen = "L"
        parts.append(
            f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="2.2" stroke-linejoin="round" '
            f'stroke-linecap="round">{tip(series.name)}</path>'
        )
        if known.sum() <= 60:
            parts += [
                dot(across(x), value(y), 2.6, colour)
                for x, y in zip(series.x[known], series.y[known], strict=True)
            ]
        if at_ends and known.any():
            ends.append((value(float(series.y[known][-1])), series.name, colour))
    for at, name, colour in _apart(ends, area):
        parts.append(text_at(area.right + ROOM, at + 4, name, fill=colour, weight=600))
    return parts


def _apart(ends: list[tuple[float, str, str]], area: Area, room: float = 15) -> list[tuple[float, str, str]]:
    """Labels moved up and down until none covers another."""
    placed: list[tuple[float, str, str]] = []
    at = area.top - room
    for height, name, colour in sorted(ends):
        at = max(height, at + room)
        placed.append((at, name, colour))
    limit = area.bottom
    for index in range(len(placed) - 1, -1, -1):
        height, name, colour = placed[index]
        placed[index] = (min(height, limit), name, colour)
        limit = placed[index][0] - room
    return placed


def bars(picture: Picture, across: Place, value: Place, *, lying: bool) -> list[str]:
    """Bars beside each other, or on top of each other for a histogram, each with a tooltip."""
    parts: list[str] = []
    stacked = picture.kind == "hist"
    slot = abs(across(1) - across(0))
    if stacked and picture.edges is not None:
        slot = abs(across(float(picture.edges[1])) - across(float(picture.edges[0])))
    wide = slot if stacked else slot * 0.76 / max(len(picture.series), 1)
    floor = np.zeros(len(picture.series[0].x)) if stacked and picture.series else None
    for number, series in enumerate(picture.series):
        colour = theme.PALETTE[number]
        for index, (x, y) in enumerate(zip(series.x, series.y, strict=True)):
            below = float(floor[index]) if floor is not None else 0.0
            start, stop = sorted((value(below), value(below + y)))
            if stacked:
                near = across(x) - wide / 2 + 0.5
                size = max(wide - 1, 0.6)
            else:
                near = across(x) - slot * 0.38 + wide * number
                size = max(wide - 1, 0.6)
            place = (start, near, stop - start, size) if lying else (near, start, size, stop - start)
            parts.append(box(place, colour, tip(f"{_at(picture, series, index)}: {y:,g}")))
        if floor is not None:
            floor = floor + series.y
    return parts


def _at(picture: Picture, series: Series, index: int) -> str:
    place = float(series.x[index])
    if picture.x.scale == "category":
        text = picture.x.values[int(place)]
    elif picture.edges is not None:
        text = "to ".join(
            f"{label} " for label in ticks.labels(picture.x, picture.edges[index : index + 2])
        ).strip()
    else:
        text = ticks.labels(picture.x, [place])[0]
    return f"{series.name}, {text}" if series.name else text


def dots(picture: Picture, across: Place, value: Place) -> list[str]:
    """A dot a row; the more there are, the smaller and clearer."""
    count = sum(len(series.x) for series in picture.series)
    radius, clear = (3.6, 0.75) if count <= 500 else (2.4, 0.5) if count <= 4000 else (1.6, 0.3)
    return [
        f'<g fill-opacity="{clear}">'
        + "".join(
            dot(across(x), value(y), radius, theme.PALETTE[number])
            for x, y in zip(series.x, series.y, strict=True)
        )
        + "</g>"
        for number, series in enumerate(picture.series)
    ]
