"""Heatmaps and densities as SVG: cells shaded from little to much, with a key beside them."""

from __future__ import annotations

import math

import numpy as np

from luma_bench.plot import theme, ticks
from luma_bench.plot.picture import Picture
from luma_bench.plot.pieces import ROOM, Area, Place, box, crowded, cut, linear, text_at, text_width, tip

_SHADES = 32
"""Shades that cells are drawn in."""


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
    return parts + _key(picture.value, (low, high), area, width)


def density(picture: Picture, across: Place, value: Place, area: Area, width: int) -> list[str]:
    """Cells between two axes of numbers: one path for each of 32 shades, since there may be thousands of cells."""
    if picture.cells is None or picture.edges is None or picture.y_edges is None:
        return []
    known = np.isfinite(picture.cells)
    if not known.any():
        return []
    low, high = float(picture.cells[known].min()), float(picture.cells[known].max())
    levels = np.round(shares(picture.cells, low, high, log=picture.log) * (_SHADES - 1))
    lefts = [across(float(edge)) for edge in picture.edges]
    tops = [value(float(edge)) for edge in picture.y_edges]
    parts: list[str] = []
    for level in range(_SHADES):
        shape = "".join(
            f"M{lefts[column]:.1f} {tops[row]:.1f}H{lefts[column + 1]:.1f}V{tops[row + 1]:.1f}H{lefts[column]:.1f}Z"
            for row, column in np.argwhere(known & (levels == level))
        )
        if shape:
            colour = theme.shade(visible(level / (_SHADES - 1)))
            # Without smoothed edges, or hairlines of the paper would show between cells.
            parts.append(f'<path d="{shape}" fill="{colour}" shape-rendering="crispEdges"/>')
    return parts + _key(picture.value, (low, high), area, width, log=picture.log, cells=True)


def shares(cells: np.ndarray, low: float, high: float, *, log: bool) -> np.ndarray:
    """Where each cell stands between the least and the greatest, from 0 to 1."""
    if log:
        cells, low, high = np.log10(np.maximum(cells, 1.0)), math.log10(max(low, 1)), math.log10(max(high, 1))
    if high > low:
        return (cells - low) / (high - low)
    return np.where(np.isfinite(cells), 0.5, np.nan)


def visible(share: float) -> float:
    """A share of the scale of shades without its lightest part, which would be lost on white."""
    return 0.15 + 0.85 * share


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


def _key(
    name: str,
    reach: tuple[float, float],
    area: Area,
    width: int,
    *,
    log: bool = False,
    cells: bool = False,
) -> list[str]:
    """What the shades mean: a bar from little to much beside the cells."""
    low, high = reach
    left, count = area.right + 24, 48
    tall = (area.bottom - area.top) / count
    parts = [text_at(width - 16, area.top - 14, name, anchor="end", fill=theme.QUIET)]
    for index in range(count):
        y = area.bottom - (index + 1) * tall
        share = index / (count - 1)
        parts.append(box((left, y, 12, tall + 0.6), theme.shade(visible(share) if cells else share), ""))
    for at, text in key_marks(low, high, log=log):
        share = float(shares(np.array([at]), low, high, log=log)[0])
        place = area.bottom - share * (area.bottom - area.top) + 4
        parts.append(text_at(left + 18, place, text, fill=theme.QUIET))
    return parts


def key_marks(low: float, high: float, *, log: bool) -> list[tuple[float, str]]:
    """Round values between the least and the greatest, for the key of shades."""
    if log and high > low:
        powers = [10.0**power for power in range(math.floor(math.log10(max(low, 1))), 19)]
        inner = [mark for mark in powers if low <= mark <= high]
        return [(mark, ticks.number_text(mark)) for mark in (inner if len(inner) > 1 else [low, high])]
    inner = [mark for mark in ticks.numbers(low, high, 6) if low <= mark <= high] if high > low else [low]
    return ticks.numbered(inner)
