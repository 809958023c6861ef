"""The pieces of a plan's drawing as SVG elements; every text of the plan is escaped."""

from __future__ import annotations

import html

from luma_bench.plot.pieces import cut, printable, text_width
from luma_bench.plot.plan.style import INK, QUIET


def words(
    x: float,
    y: float,
    text: str,
    *,
    size: int = 12,
    room: float = 0,
    anchor: str = "start",
    fill: str = INK,
    clear: float = 1,
    weight: int = 400,
) -> str:
    """A line of text, cut to `room` pixels where that is not 0."""
    text = shortened(text, room, size) if room else text
    if not text:
        return ""
    place = f' text-anchor="{anchor}"' if anchor != "start" else ""
    heavy = f' font-weight="{weight}"' if weight != 400 else ""
    faint = f' fill-opacity="{clear:g}"' if clear < 1 else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}"{faint}{place}{heavy}>'
        f"{html.escape(printable(text))}</text>"
    )


def quiet(x: float, y: float, text: str, *, room: float = 0, anchor: str = "start", size: int = 11) -> str:
    """A line of text that is not read first."""
    return words(x, y, text, size=size, room=room, anchor=anchor, clear=QUIET)


def heading(x: float, y: float, kind: str, name: str, colour: str, *, room: float) -> str:
    """What an operator is, and beside it in a colour what it is about."""
    lead = shortened(kind, room, 12)
    rest = shortened(name, max(room - width(lead) - 8, 12), 12) if name else ""
    beside = f'<tspan dx="7" fill="{colour}">{html.escape(printable(rest))}</tspan>' if rest else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" font-weight="600" fill="{INK}">'
        f"{html.escape(printable(lead))}{beside}</text>"
    )


def shortened(text: str, room: float, size: float) -> str:
    """A text cut to a width at a font size."""
    # Longer texts than any line are cut before they are measured letter by letter.
    return cut(text[:400], room * 12 / size)


def width(text: str, size: float = 12) -> float:
    """About how many pixels a text takes."""
    return text_width(text, size)


def bar(x: float, y: float, long: float, tall: float, colour: str, clear: float = 1) -> str:
    """A filled bar."""
    faint = f' fill-opacity="{clear:g}"' if clear < 1 else ""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(long, 0):.1f}" height="{tall:.1f}" rx="2" fill="{colour}"{faint}/>'


def rail(x: float, y: float, long: float, tall: float) -> str:
    """The outline of what a bar could fill."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{long:.1f}" height="{tall:.1f}" rx="2" fill="{INK}" '
        f'fill-opacity="0.08"/>'
    )


def chip(x: float, y: float, text: str, colour: str) -> tuple[str, float]:
    """A name in a rounded frame on the line `y`, and where it ends."""
    long = width(text) * 1.08 + 18
    return (
        f'<rect x="{x:.1f}" y="{y - 14:.1f}" width="{long:.1f}" height="19" rx="9.5" fill="none" stroke="{colour}" '
        f'stroke-width="1.4"/>' + words(x + long / 2, y, text, anchor="middle", fill=colour, weight=600)
    ), x + long


def tip(text: str) -> str:
    """A tooltip, which a screen reader reads too."""
    return f"<title>{html.escape(printable(text))}</title>" if text else ""
