"""How pictures look: a quiet light theme and colours that stay apart for colour-blind readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#b5539a", "#e69f00", "#3fa7dc", "#4d4d4d", "#8c6d1f")
"""Eight colours after Okabe and Ito (2008), the light ones darkened to be readable on white."""

SEQUENCE = ("#f4f7fb", "#d3e3f1", "#a3c8e2", "#6aa6cf", "#3680b5", "#155a93", "#0a3563")
"""From little to much, in even steps of lightness: readable in grey, too."""

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"
INK = "#1f2933"
QUIET = "#5f6b76"
GRID = "#e4e8ec"
AXIS = "#a9b3bc"
PAPER = "#ffffff"


def shade(fraction: float) -> str:
    """The colour of `SEQUENCE` at a fraction from 0 to 1, as `#rrggbb`."""
    place = min(max(fraction, 0.0), 1.0) * (len(SEQUENCE) - 1)
    index = min(int(place), len(SEQUENCE) - 2)
    low, high = _rgb(SEQUENCE[index]), _rgb(SEQUENCE[index + 1])
    mixed = (round(a + (b - a) * (place - index)) for a, b in zip(low, high, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def template() -> go.layout.Template:
    """The theme as a plotly template."""
    import plotly.graph_objects as go

    axis = {
        "gridcolor": GRID,
        "linecolor": AXIS,
        "tickcolor": AXIS,
        "zerolinecolor": AXIS,
        "zerolinewidth": 1,
        "title": {"font": {"size": 13, "color": QUIET}, "standoff": 14},
        "tickfont": {"size": 12, "color": QUIET},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "colorway": list(PALETTE),
            "font": {"family": FONT, "color": INK, "size": 13},
            "title": {"x": 0.01, "xanchor": "left", "font": {"size": 17}},
            "paper_bgcolor": PAPER,
            "plot_bgcolor": PAPER,
            "xaxis": {**axis, "showgrid": False, "showline": True, "ticks": "outside", "nticks": 10},
            "yaxis": axis,
            "legend": {"title": {"text": ""}},
            "margin": {"l": 56, "r": 24, "t": 60, "b": 52},
            "hoverlabel": {"font": {"family": FONT}},
            "colorscale": {"sequential": scale()},
        }
    )


def scale() -> list[tuple[float, str]]:
    """`SEQUENCE` as a plotly colour scale."""
    return [(index / (len(SEQUENCE) - 1), colour) for index, colour in enumerate(SEQUENCE)]


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
