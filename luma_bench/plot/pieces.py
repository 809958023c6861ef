"""The pieces of a drawing: text, lines, boxes, dots and legends as SVG elements, every text escaped."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass

from luma_bench.plot import theme

Place = Callable[[float], float]
"""From a value on an axis to a coordinate in the drawing."""

ROOM = 8
"""Pixels between a label and what it belongs to."""

_NARROW, _WIDE = set("ijlt.,:;'|!()[]I1 rf-"), set("mwMWQO%@—")


@dataclass(frozen=True, slots=True)
class Area:
    """Where the marks stand: a box in pixels."""

    left: float
    right: float
    top: float
    bottom: float


def text_width(text: str, size: float = 12) -> float:
    """About how many pixels a text takes in a sans-serif font."""
    units = sum(0.3 if char in _NARROW else 0.9 if char in _WIDE else 0.6 for char in text)
    return units * size


def legend(names: list[str], width: int, top: float) -> tuple[list[str], float]:
    """Squares with names, in as many rows as they need; and where it ends."""
    if len(names) < 2:
        return [], top - 8
    parts: list[str] = []
    x, y = 20.0, top
    for number, name in enumerate(names):
        text = cut(name, 260)
        needed = 16 + text_width(text) + 20
        if x + needed > width - 16 and x > 20:
            x, y = 20.0, y + 20
        parts.append(box((x, y - 9, 10, 10), theme.PALETTE[number], ""))
        parts.append(text_at(x + 16, y, text, fill=theme.INK))
        x += needed
    return parts, y + 4


def linear(low: float, high: float, start: float, stop: float) -> Place:
    """The straight map that takes `low` to `start` and `high` to `stop`."""
    # Divided first: a span of the smallest float has no finite inverse.
    span = (high - low) or 1.0
    return lambda at: start + (at - low) / span * (stop - start)


def crowded(values: tuple[str, ...], room: float) -> bool:
    """Whether labels beside each other would run into one another."""
    return bool(values) and max(text_width(text) for text in values) + 8 > room / len(values)


def cut(text: str, room: float) -> str:
    """A text shortened to a width, with an ellipsis."""
    if text_width(text) <= room:
        return text
    while text and text_width(text + "…") > room:
        text = text[:-1]
    return text + "…"


def wrapped(text: str, room: float, size: float) -> list[str]:
    """A text as lines that fit a width, broken at blanks."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(cut(word, room * 12 / size))
    return lines


def text_at(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: int = 12,
    fill: str = theme.INK,
    weight: int = 400,
    more: str = "",
) -> str:
    """A line of text; `x` is its start, middle or end by `anchor`, `more` are further attributes."""
    heavy = f' font-weight="{weight}"' if weight != 400 else ""
    place = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}"{place}{heavy} {more}>{html.escape(printable(text))}</text>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str, wide: float = 1) -> str:
    """A straight line, thin by default."""
    thick = f' stroke-width="{wide:g}"' if wide != 1 else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{thick}/>'


def box(place: tuple[float, float, float, float], colour: str, inside: str, more: str = "") -> str:
    """A filled rectangle at x, y of a width and height; `inside` is its tooltip, `more` are further attributes."""
    x, y, wide, tall = place
    size = f'width="{max(wide, 0):.1f}" height="{max(tall, 0):.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{colour}"{more}>{inside}</rect>'


def dot(x: float, y: float, radius: float, colour: str) -> str:
    """A filled circle."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>'


def tip(text: str) -> str:
    """A tooltip."""
    return f"<title>{html.escape(printable(text))}</title>" if text else ""


def printable(text: str) -> str:
    """A text without the control characters that XML forbids."""
    return "".join(char if char.isprintable() else "\ufffd" if char not in "\t\n\r" else " " for char in text)
