"""Heatmaps as SVG: cells shaded from little to much, with a key beside them."""

from __future__ import annotations

import math

import numpy as np

from luma_bench.plot import theme, ticks
from luma_bench.plot.pieces import ROOM, Area, Place, box, crowded, cut, linear, text_at, text_width, tip
from luma_bench.plot.rows import Picture


def heatmap(picture: Picture, width: int, height: int) -> list[str]:
    """The cells, their axes and the key; small matrices have their values written into the cells."""
    cells = picture.cells if picture.cells is not None else np.empty((0, 0))
    down, across = picture.y.values, picture.x.values
    left = 20 + min(max((text_width(text) for text in down), default=0), width * 0.3) + ROOM
    # Bins may leave labels out, categories may not: those are turned where they would run into one another.
    turned = picture.x.scale == "category" and not picture.binned and crowded(across, width - left - 110)
    area = Area(left, width - 110, 74, height - 46 - (36 if turned else 0))
    known = cells[np.isfinite(cells)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    column_at = linear(0, max(len(across), 1), area.left, area.right)
    row_at = linear(0, max(len(down), 1), area.top, area.bottom)
    parts = [text_at(20, area.top - 14, picture.y.label, fill=theme.QUIET)]
    parts += _boxes(picture, cells, (low, high), column_at, row_at)
    every = max(1, math.ceil(15 / (row_at(1) - row_at(0))))
    for index in range(0, len(down), every):
        shown = cut(down[index], area.left - 24)
        parts.append(
            text_at(area.left - ROOM, row_at(index + 0.5) + 4, shown, anchor="end", fill=theme.QUIET)
        )
    parts += categories_below(across, lambda index: column_at(index + 0.5), area, turned=turned)
    parts.append(text_at(area.right, height - 8, picture.x.label, anchor="end", fill=theme.QUIET))
    return parts + _key(picture.value, low, high, area, width)


def categories_below(names: tuple[str, ...], across: Place, area: Area, *, turned: bool) -> list[str]:
    """The names under the places of an axis: turned, or as many of them as do not run into one another."""
    parts: list[str] = []
    gap = across(1) - across(0)
    widest = max((text_width(name) for name in names), default=0)
    every = max(1, math.ceil((14 if turned else widest + 10) / gap)) if names else 1
    for index in range(0, len(names), every):
        x, y = across(index), area.bottom + (14 if turned else 18)
        if not turned:
            parts.append(text_at(x, y, names[index], anchor="middle", fill=theme.QUIET))
            continue
        x += 4
        shown = cut(names[index], min(130, (x - 8) / 0.77))
        more = f'transform="rotate(-40 {x:.1f} {y:.1f})"'
        parts.append(text_at(x, y, shown, anchor="end", fill=theme.QUIET, more=more))
    return parts


def _boxes(
    picture: Picture, cells: np.ndarray, reach: tuple[float, float], column_at: Place, row_at: Place
) -> list[str]:
    low, high = reach
    wide, tall = column_at(1) - column_at(0), row_at(1) - row_at(0)
    gap = 1.0 if min(wide, tall) > 6 else 0.0
    written = cells.size <= 200 and wide > 34 and tall > 15
    decimals = max(0, 1 - math.floor(math.log10((high - low) / 3))) if high > low else 0
    parts: list[str] = []
    for row, column in np.argwhere(np.isfinite(cells)):
        value = float(cells[row, column])
        share = (value - low) / (high - low) if high > low else 0.5
        x, y = column_at(column), row_at(row)
        said = tip(f"{picture.x.values[column]}, {picture.y.values[row]}: {value:,g}")
        parts.append(box((x, y, wide - gap, tall - gap), theme.shade(share), said))
        if written:
            ink = theme.PAPER if share > 0.5 else theme.INK
            text = f"{value:,.{min(decimals, 3)}f}"
            parts.append(text_at(x + wide / 2, y + tall / 2 + 4, text, anchor="middle", fill=ink))
    return parts


def _key(name: str, low: float, high: float, area: Area, width: int) -> list[str]:
    """What the shades mean: a bar from little to much beside the cells."""
    left, count = area.right + 24, 48
    tall = (area.bottom - area.top) / count
    parts = [text_at(width - 16, area.top - 14, name, anchor="end", fill=theme.QUIET)]
    for index in range(count):
        y = area.bottom - (index + 1) * tall
        parts.append(box((left, y, 12, tall + 0.6), theme.shade(index / (count - 1)), ""))
    inner = [mark for mark in ticks.numbers(low, high, 6) if low <= mark <= high] if high > low else [low]
    for at, text in ticks.numbered(inner):
        share = (at - low) / (high - low) if high > low else 0.5
        parts.append(
            text_at(left + 18, area.bottom - share * (area.bottom - area.top) + 4, text, fill=theme.QUIET)
        )
    return parts
