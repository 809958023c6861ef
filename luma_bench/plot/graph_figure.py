"""A drawing of a graph as a plotly Figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from luma_bench.plot import theme
from luma_bench.plot.graph_picture import GraphPicture
from luma_bench.plot.pieces import wrapped
from luma_bench.plot.traces import escaped

if TYPE_CHECKING:
    import plotly.graph_objects as go

LOOP = np.stack([np.sin(np.linspace(0, 2 * np.pi, 17)), 1 - np.cos(np.linspace(0, 2 * np.pi, 17))], axis=1)
"""A self-loop: a circle that stands on its vertex."""


def build(picture: GraphPicture, height: int) -> go.Figure:
    """The Figure in the house theme: lines, arrowheads of small directed graphs, vertices with what they say."""
    import plotly.graph_objects as go

    made = go.Figure(layout={"template": theme.template(), "height": height, "hovermode": "closest"})
    if picture.title:
        made.update_layout(title={"text": escaped(picture.title)})
    hidden: dict[str, Any] = {"visible": False}
    if picture.axes is None:
        made.update_xaxes(hidden)
        made.update_yaxes(hidden)
    else:
        made.update_xaxes(title={"text": picture.axes[0]})
        made.update_yaxes(title={"text": picture.axes[1]}, zeroline=False)
    made.update_yaxes(scaleanchor="x", scaleratio=picture.aspect)
    colours = picture.lines.legend or (("", theme.QUIET),)
    for name, colour in colours:
        rows = np.array([value == colour for value in picture.lines.values], bool)
        _add_lines(made, picture, name, colour, rows if len(rows) else np.ones(len(picture.source), bool))
    _add_vertices(made, picture)
    if picture.notes:
        note = "<br>".join(escaped(part) for part in wrapped("; ".join(picture.notes), 760, 11))
        font = {"size": 11, "color": theme.QUIET}
        place = {"x": 0, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
        made.add_annotation(text=note, font=font, align="left", showarrow=False, yshift=4, **place)
    return made


def _add_lines(made: go.Figure, picture: GraphPicture, name: str, colour: str, rows: np.ndarray) -> None:
    """One trace for all lines of a colour and width: plotly draws thousands of traces badly."""
    import plotly.graph_objects as go

    loops = picture.source == picture.target
    widths = np.round(picture.widths())
    for place, width in enumerate(np.unique(widths[rows])):
        these = np.flatnonzero(rows & ~loops & (widths == width))
        ends = np.full((len(these), 3, 2), np.nan)
        ends[:, 0], ends[:, 1] = picture.at[picture.source[these]], picture.at[picture.target[these]]
        flat = ends.reshape(-1, 2)
        look: dict[str, Any] = {
            "mode": "lines",
            "line": {"color": colour, "width": float(width)},
            "opacity": picture.clear,
            "hoverinfo": "skip",
            "name": escaped(name),
            "legendgroup": f"line {name}",
            "showlegend": bool(name) and place == 0,
        }
        if picture.arrows:
            sizes = np.tile([0.0, 8.0, 0.0], len(these))
            stand = np.tile([0.0, 1.0, 0.0], len(these)) * np.repeat(picture.radius[picture.target[these]], 3)
            look["mode"] = "lines+markers"
            look["marker"] = {
                "symbol": "arrow", "angleref": "previous", "size": sizes, "standoff": stand,
                "color": colour, "opacity": 1, "line": {"width": 0},
            }  # fmt: skip
        made.add_trace(go.Scatter(x=flat[:, 0], y=flat[:, 1], **look))
    round_ones = np.flatnonzero(rows & loops)
    if len(round_ones):
        size = loop_size(picture)
        around = np.concatenate([LOOP * size, np.full((1, 2), np.nan)])
        around = around / np.array([1.0, picture.aspect])
        flat = (picture.at[picture.source[round_ones]][:, None, :] + around).reshape(-1, 2)
        made.add_trace(
            go.Scatter(
                x=flat[:, 0], y=flat[:, 1], mode="lines", line={"color": colour, "width": 1.0},
                opacity=picture.clear, hoverinfo="skip", legendgroup=f"line {name}", showlegend=False,
            )
        )  # fmt: skip


def loop_size(picture: GraphPicture) -> float:
    """The radius of a self-loop, in units of x."""
    span = np.ptp(picture.at, axis=0) * np.array([1.0, picture.aspect]) if len(picture.at) else np.ones(2)
    return float(max(span.max(), 1e-9)) * (0.03 if len(picture.at) <= 100 else 0.012)


def _add_vertices(made: go.Figure, picture: GraphPicture) -> None:
    import plotly.graph_objects as go

    fill = picture.fill
    groups = fill.legend or (("", ""),)
    # The largest first, so that small ones are not hidden.
    order = np.argsort(-picture.radius, kind="stable")
    for name, colour in groups:
        rows = [place for place in order.tolist() if not colour or fill.values[place] == colour]
        made.add_trace(
            go.Scatter(
                x=picture.at[rows, 0],
                y=picture.at[rows, 1],
                mode="markers+text",
                text=[escaped(picture.shown[place]) for place in rows],
                textposition="top center",
                textfont={"size": 11, "color": theme.INK},
                marker={
                    "size": 2 * picture.radius[rows],
                    "color": [fill.values[place] for place in rows],
                    "line": {"color": theme.PAPER, "width": 1},
                    "opacity": 1,
                },
                customdata=[_said(picture, place) for place in rows],
                hovertemplate="%{customdata}<extra></extra>",
                name=escaped(name),
                showlegend=bool(name),
            )
        )
    if fill.reach is not None:
        # A marker that is not drawn carries the scale of the shades.
        low, high = fill.reach
        bar = {"title": {"text": escaped(fill.name)}, "thickness": 14, "len": 0.6}
        shades = [(share, theme.shade(0.15 + 0.85 * share)) for share in np.linspace(0, 1, 16)]
        marker = {
            "color": [low],
            "cmin": low,
            "cmax": high,
            "colorscale": shades,
            "showscale": True,
            "colorbar": bar,
        }
        made.add_trace(
            go.Scatter(x=[None], y=[None], mode="markers", marker=marker, showlegend=False, hoverinfo="skip")
        )
    made.update_layout(legend={"itemsizing": "constant"})


def _said(picture: GraphPicture, place: int) -> str:
    lines = [escaped(line) for line in picture.details[place].split("\n")]
    return f"<b>{escaped(picture.names[place])}</b><br>" + "<br>".join(lines)
