"""A drawing of a graph as SVG text: drawn here, without a browser, a font file or a script."""

from __future__ import annotations

import html

import numpy as np

from luma_bench.models.graph.topology import Floats
from luma_bench.plot import theme, ticks
from luma_bench.plot.graph_picture import GraphPicture
from luma_bench.plot.pieces import box, cut, printable, text_at, text_width, tip, wrapped

_HEAD = 7.0
"""The length of an arrowhead in pixels."""


def draw(picture: GraphPicture, width: int, height: int) -> str:
    """The drawing as one `<svg>` element of a width and height in pixels; every text of the data is escaped."""
    notes = wrapped("; ".join(picture.notes), (width - 40) * 0.9, 11) if picture.notes else []
    inside = height - 16 * len(notes)
    top = 44.0 if picture.title else 20.0
    key, top = _keys(picture, width, top)
    right = 110 if picture.fill.reach is not None else 30
    at = _pixels(picture, (30, width - right, top + 14, inside - 24))
    name = html.escape(printable(picture.title or "graph"))
    title = text_at(20, 30, cut(picture.title, (width - 40) / 1.5), size=17, weight=600)
    foot = [
        text_at(20, inside + 8 + 16 * row, note, size=11, fill=theme.QUIET) for row, note in enumerate(notes)
    ]
    body = [
        *key,
        *_lines(picture, at),
        *_vertices(picture, at),
        *_names(picture, at, width),
        *_scale(picture, width, top),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-label="{name}" style="max-width:100%;height:auto" font-family="{html.escape(theme.FONT)}">'
        f'<rect width="{width}" height="{height}" rx="6" fill="{theme.PAPER}"/>{title if picture.title else ""}'
        f"{''.join(body)}{''.join(foot)}</svg>"
    )


def _pixels(picture: GraphPicture, area: tuple[float, float, float, float]) -> Floats:
    """Places in pixels: both axes to one scale, in the middle of the area."""
    left, right, top, bottom = area
    at = picture.at * np.array([1.0, picture.aspect])
    if not len(at):
        return at
    low, high = at.min(axis=0), at.max(axis=0)
    span = high - low
    room = np.array([right - left, bottom - top])
    with np.errstate(divide="ignore"):
        scale = float(np.min(np.where(span > 0, room / span, np.inf)))
    scale = scale if np.isfinite(scale) else 1.0
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    return middle + (at - (low + high) / 2) * scale * np.array([1.0, -1.0])


def _lines(picture: GraphPicture, at: Floats) -> list[str]:
    parts: list[str] = []
    widths = picture.widths()
    heads: list[str] = []
    for place, (one, other) in enumerate(zip(picture.source.tolist(), picture.target.tolist(), strict=True)):
        colour = picture.lines.values[place] if picture.lines.values else theme.QUIET
        thick = "" if widths[place] == 1 else f' stroke-width="{widths[place]:.1f}"'
        stroke = f' stroke="{colour}"' if picture.lines.values else ""
        (x, y), (to_x, to_y) = at[one], at[other]
        if one == other:
            size = max(float(picture.radius[one]), 5.0)
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y - size:.1f}" r="{size:.1f}" fill="none"{stroke}{thick}/>'
            )
            continue
        parts.append(f'<path d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}"{stroke}{thick}/>')
        if picture.arrows:
            heads.append(_head(at[one], at[other], float(picture.radius[other]), colour))
    lead = f'<g stroke="{theme.QUIET}" fill="none" stroke-opacity="{picture.clear:g}">'
    closed = f'<g fill-opacity="{min(picture.clear + 0.2, 1):g}">{"".join(heads)}</g>' if heads else ""
    return [f"{lead}{''.join(parts)}</g>{closed}"]


def _head(start: Floats, stop: Floats, radius: float, colour: str) -> str:
    """An arrowhead whose tip touches the vertex."""
    way = stop - start
    long = float(np.hypot(*way))
    if long < radius + 2:
        return ""
    along = way / long
    across = np.array([-along[1], along[0]]) * _HEAD * 0.38
    tip_at = stop - along * (radius + 1)
    back = tip_at - along * _HEAD
    (x, y), (ax, ay), (bx, by) = tip_at, back + across, back - across
    return f'<path d="M{x:.1f} {y:.1f}L{ax:.1f} {ay:.1f}L{bx:.1f} {by:.1f}Z" fill="{colour}"/>'


def _vertices(picture: GraphPicture, at: Floats) -> list[str]:
    parts = [f'<g stroke="{theme.PAPER}">']
    for place in np.argsort(-picture.radius, kind="stable").tolist():
        x, y = at[place]
        said = tip(f"{picture.names[place]}\n{picture.details[place]}".replace("\n", " · "))
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{picture.radius[place]:.1f}" fill="{picture.fill.values[place]}">{said}</circle>'
        )
    return [*parts, "</g>"]


def _names(picture: GraphPicture, at: Floats, width: int) -> list[str]:
    """Names above vertices, the largest first; one that would run into another is left to the pointer."""
    parts: list[str] = []
    taken: list[tuple[float, float, float, float]] = []
    for place in np.argsort(-picture.radius, kind="stable").tolist():
        if not picture.shown[place]:
            continue
        text = cut(picture.shown[place], 140)
        half = text_width(text, 11) / 2
        x = min(max(float(at[place][0]), half + 4), width - half - 4)
        y = float(at[place][1] - picture.radius[place]) - 3
        edges = (x - half, x + half, y - 10, y + 1)
        if any(edges[0] < b and a < edges[1] and edges[2] < d and c < edges[3] for a, b, c, d in taken):
            continue
        taken.append(edges)
        halo = f'paint-order="stroke" stroke="{theme.PAPER}" stroke-width="3" stroke-linejoin="round"'
        parts.append(text_at(x, y, text, anchor="middle", size=11, more=halo))
    return parts


def _keys(picture: GraphPicture, width: int, top: float) -> tuple[list[str], float]:
    """The legends of vertices and of lines, one above the other; and where they end."""
    parts: list[str] = []
    for name, pairs in ((picture.fill.name, picture.fill.legend), ("edges", picture.lines.legend)):
        if not pairs:
            continue
        parts.append(f"<g><title>{html.escape(printable(name))}</title>")
        x = 20.0
        for said, colour in pairs:
            text = cut(said, 260)
            if x > 20 and x + 36 + text_width(text) > width - 16:
                x, top = 20.0, top + 20
            parts += [box((x, top - 9, 10, 10), colour, ""), text_at(x + 16, top, text)]
            x += 36 + text_width(text)
        parts.append("</g>")
        top += 20
    return parts, top


def _scale(picture: GraphPicture, width: int, top: float) -> list[str]:
    """The shades of a number, from high to low."""
    if picture.fill.reach is None:
        return []
    low, high = picture.fill.reach
    left, tall = width - 96, 140.0
    parts = [text_at(left, top + 12, cut(picture.fill.name, 90), fill=theme.QUIET)]
    for step in range(20):
        share = 1 - step / 19
        parts.append(
            box(
                (left, top + 20 + step * tall / 20, 14, tall / 20 + 0.5), theme.shade(0.15 + 0.85 * share), ""
            )
        )
    for value, share in ((high, 1.0), (low, 0.0)):
        text = ticks.number_text(value, (high - low) / 10 or 1.0)
        parts.append(text_at(left + 20, top + 28 + (1 - share) * (tall - 8), text, fill=theme.QUIET))
    return parts
