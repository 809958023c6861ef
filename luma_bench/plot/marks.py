"""The marks of a chart as SVG: lines, areas, bars, boxes and dots."""

from __future__ import annotations

import numpy as np

from luma_bench.plot import theme, ticks
from luma_bench.plot.picture import Picture, Series
from luma_bench.plot.pieces import ROOM, Area, Place, box, dot, line, text_at, tip


def lines(picture: Picture, across: Place, value: Place, area: Area, *, at_ends: bool) -> list[str]:
    """A line a series, broken where a value is missing; its points too when they are few."""
    parts: list[str] = []
    ends: list[tuple[float, str, str]] = []
    for number, series in enumerate(picture.series):
        colour = theme.PALETTE[number]
        known = np.isfinite(series.y)
        wide, clear = line_look(picture, series)
        veil = f'stroke-opacity="{clear:g}" ' if clear < 1 else ""
        path: list[str] = []
        pen = "M"
        for x, y, there in zip(series.x, series.y, known, strict=True):
            if not there:
                pen = "M"
                continue
            path.append(f"{pen}{across(x):.1f} {value(y):.1f}")
            pen = "L"
        parts.append(
            f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="{wide:g}" '
            f'{veil}stroke-linejoin="round" stroke-linecap="round">{tip(series.name)}</path>'
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


def line_look(picture: Picture, series: Series) -> tuple[float, float]:
    """Width in pixels and opacity of a line: one of thousands of points is thin, and lets others be seen through."""
    if len(series.x) <= 2000:
        return 2.2, 1.0
    return 1.0, 0.7 if len(picture.series) > 1 else 1.0


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


def areas(picture: Picture, across: Place, value: Place) -> list[str]:
    """An area a series, down to zero or to the series below it."""
    parts: list[str] = []
    floor: np.ndarray | None = None
    for number, series in enumerate(picture.series):
        colour = theme.PALETTE[number]
        under = np.zeros(len(series.x)) if floor is None else floor
        over = under + series.y if picture.stacked else series.y
        for stretch in _stretches(over):
            top = [
                f"{across(x):.1f} {value(y):.1f}"
                for x, y in zip(series.x[stretch], over[stretch], strict=True)
            ]
            low = [
                f"{across(x):.1f} {value(y):.1f}"
                for x, y in zip(series.x[stretch], under[stretch], strict=True)
            ]
            shape = "M" + "L".join([*top, *reversed(low)]) + "Z"
            clear = 0.75 if picture.stacked else 0.3
            parts.append(
                f'<path d="{shape}" fill="{colour}" fill-opacity="{clear}">{tip(series.name)}</path>'
            )
            parts.append(f'<path d="M{"L".join(top)}" fill="none" stroke="{colour}" stroke-width="1.4"/>')
        floor = over if picture.stacked else None
    return parts


def _stretches(values: np.ndarray) -> list[slice]:
    """The runs of values that are there."""
    known = np.concatenate([[False], np.isfinite(values), [False]])
    starts = np.flatnonzero(~known[:-1] & known[1:])
    stops = np.flatnonzero(known[:-1] & ~known[1:])
    return [slice(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


def bars(picture: Picture, across: Place, value: Place, *, lying: bool) -> list[str]:
    """Bars beside each other, on top of each other, or before each other (a histogram's), each with a tooltip."""
    parts: list[str] = []
    hist = picture.kind == "hist"
    beside = not hist and not picture.stacked
    before = hist and not picture.stacked and len(picture.series) > 1
    slot = abs(across(1) - across(0))
    floors: dict[tuple[float, bool], float] = {}
    for number, series in enumerate(picture.series):
        for index, (x, y) in enumerate(zip(series.x, series.y, strict=True)):
            below = floors.get((x, y < 0), 0.0) if picture.stacked else 0.0
            floors[x, y < 0] = below + y
            start, stop = sorted((value(below), value(below + y)))
            if hist and picture.edges is not None:
                near, far = across(float(picture.edges[index])), across(float(picture.edges[index + 1]))
                near, size = near + 0.5, max(far - near - 1, 0.6)
            else:
                wide = slot * 0.76 / (len(picture.series) if beside else 1)
                near = across(x) - slot * 0.38 + (wide * number if beside else 0)
                size = max(wide - 1, 0.6)
            place = (start, near, stop - start, size) if lying else (near, start, size, stop - start)
            said = tip(f"{_at(picture, series, index)}: {y:,g}")
            parts.append(box(place, theme.PALETTE[number], said, ' fill-opacity="0.55"' if before else ""))
    return parts


def boxes(picture: Picture, across: Place, value: Place) -> list[str]:
    """Boxes from quartile to quartile with a line at the median, whiskers, and dots beyond them."""
    parts: list[str] = []
    wide = min(abs(across(1) - across(0)) * 0.5, 90)
    for place, one in enumerate(picture.boxes):
        at, colour = across(place), theme.PALETTE[0]
        for start, end in ((one.q3, one.high), (one.q1, one.low)):
            parts.append(line(at, value(start), at, value(end), theme.INK))
            parts.append(line(at - wide / 4, value(end), at + wide / 4, value(end), theme.INK))
        said = tip(
            f"{one.name}: median {one.median:,g}, middle half {one.q1:,g} to {one.q3:,g}, "
            f"whiskers {one.low:,g} to {one.high:,g}, {one.rows:,} rows"
        )
        frame = f' fill-opacity="0.25" stroke="{colour}"'
        tall = value(one.q1) - value(one.q3)
        parts.append(box((at - wide / 2, value(one.q3), wide, tall), colour, said, frame))
        parts.append(line(at - wide / 2, value(one.median), at + wide / 2, value(one.median), colour, 2.4))
        parts.append('<g fill-opacity="0.45">')
        parts += [dot(at, value(float(outlier)), 1.8, colour) for outlier in one.outliers]
        parts.append("</g>")
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
    """A dot a row; the more there are, the smaller and clearer. One that stands for more rows is larger."""
    count = sum(len(series.x) for series in picture.series)
    radius, clear = (3.6, 0.75) if count <= 500 else (2.4, 0.5) if count <= 4000 else (1.6, 0.3)
    parts: list[str] = []
    for number, series in enumerate(picture.series):
        sizes = [radius] * len(series.x) if series.rows is None else dot_sizes(series.rows)
        parts.append(f'<g fill-opacity="{clear if series.rows is None else 0.6}">')
        parts += [
            dot(across(x), value(y), round(float(size), 1), theme.PALETTE[number])
            for x, y, size in zip(series.x, series.y, sizes, strict=True)
        ]
        parts.append("</g>")
    return parts


def dot_sizes(rows: np.ndarray) -> list[float]:
    """Radii of dots that stand for many rows, in pixels: 1 for one row, and 0.6 more for ten times as many."""
    return (1.0 + 0.6 * np.log10(np.maximum(rows, 1))).tolist()
