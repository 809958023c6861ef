"""A picture as a plotly Figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from luma_bench.plot import theme, ticks
from luma_bench.plot.cells import key_marks, visible
from luma_bench.plot.marks import dot_sizes, line_look
from luma_bench.plot.picture import Axis, Picture, Series
from luma_bench.plot.pieces import wrapped

if TYPE_CHECKING:
    import plotly.graph_objects as go


def build(picture: Picture) -> go.Figure:
    """The Figure in the house theme, with the picture's notes under its title."""
    import plotly.graph_objects as go

    made = go.Figure(layout={"template": theme.template()})
    if picture.title:
        made.update_layout(title={"text": escaped(picture.title)})
    made.update_xaxes(title={"text": escaped(picture.x.named)})
    made.update_yaxes(title={"text": escaped(picture.y.named)})
    match picture.kind:
        case "heatmap":
            _add_heatmap(made, picture)
        case "cells":
            _add_cells(made, picture)
        case "hist":
            _add_bins(made, picture)
        case "box":
            _add_boxes(made, picture)
        case "bar" | "barh":
            _add_bars(made, picture)
        case _:
            _add_points(made, picture)
    if picture.aspect is not None:
        made.update_yaxes(scaleanchor="x", scaleratio=picture.aspect)
    if picture.notes:
        note = "<br>".join(escaped(part) for part in wrapped("; ".join(picture.notes), 760, 11))
        place = {"x": 0, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
        font = {"size": 11, "color": theme.QUIET}
        made.add_annotation(text=note, font=font, align="left", showarrow=False, yshift=4, **place)
    return made


def _add_points(made: go.Figure, picture: Picture) -> None:
    import plotly.graph_objects as go

    for number, series in enumerate(picture.series):
        colour = theme.PALETTE[number]
        look: dict[str, Any] = {"x": _places(picture.x, series.x), "y": series.y, **_name(series)}
        if picture.kind == "area":
            fill = {"stackgroup": "all"} if picture.stacked else {"fill": "tozeroy"}
            made.add_trace(go.Scatter(mode="lines", line={"color": colour, "width": 1.4}, **fill, **look))
            continue
        line = picture.kind == "line"
        look["mode"] = "lines" if line and len(series.x) > 60 else "lines+markers" if line else "markers"
        look["marker"] = {
            "color": colour,
            "size": 6 if line else 7,
            "opacity": 1 if line or len(series.x) <= 500 else 0.5,
        }
        if series.rows is not None:
            look["marker"] |= {"size": [2 * size for size in dot_sizes(series.rows)], "opacity": 0.6}
            look["customdata"] = series.rows
            made.update_layout(legend={"itemsizing": "constant"})
            look["hovertemplate"] = "%{x}, %{y}: %{customdata:,} rows<extra></extra>"
        # Scattergl draws thousands of points; the plain one is kept for what fits, since it prints better.
        trace = go.Scattergl if len(series.x) > 2000 else go.Scatter
        wide, clear = line_look(picture, series)
        look |= {"opacity": clear} if line else {}
        made.add_trace(trace(line={"color": colour, "width": wide}, **look))
    if picture.x.scale == "category":
        made.update_xaxes(_categories(picture.x))


def _add_bars(made: go.Figure, picture: Picture) -> None:
    lying = picture.kind == "barh"
    for number, series in enumerate(picture.series):
        places = _places(picture.x, series.x)
        x, y = (series.y, places) if lying else (places, series.y)
        marker = {"color": theme.PALETTE[number]}
        made.add_bar(x=x, y=y, orientation="h" if lying else "v", marker=marker, **_name(series))
    if picture.stacked:
        made.update_layout(barmode="relative")
    if lying:
        down = {"autorange": "reversed", "title": {"text": escaped(picture.x.named)}}
        made.update_yaxes({**_categories(picture.x), **down})
        made.update_xaxes({"title": {"text": escaped(picture.y.label)}})
    else:
        made.update_xaxes(_categories(picture.x))


def _add_bins(made: go.Figure, picture: Picture) -> None:
    edges = picture.edges if picture.edges is not None else np.array([0.0, 1.0])
    # plotly counts time in milliseconds
    width: Any = np.diff(edges) / (1000 if picture.x.scale == "time" else 1)
    before = not picture.stacked and len(picture.series) > 1
    for number, series in enumerate(picture.series):
        marker = {"color": theme.PALETTE[number], "opacity": 0.55 if before else 1}
        made.add_bar(x=_places(picture.x, series.x), y=series.y, width=width, marker=marker, **_name(series))
    made.update_layout(barmode="overlay" if before else "stack", bargap=0)


def _add_boxes(made: go.Figure, picture: Picture) -> None:
    # Numbers as places: plotly would draw two boxes of one name as one.
    places = list(range(len(picture.boxes)))
    made.add_box(
        x=places,
        q1=[box.q1 for box in picture.boxes],
        median=[box.median for box in picture.boxes],
        q3=[box.q3 for box in picture.boxes],
        lowerfence=[box.low for box in picture.boxes],
        upperfence=[box.high for box in picture.boxes],
        marker={"color": theme.PALETTE[0]},
        showlegend=False,
    )
    made.add_scatter(
        x=[place for place, box in enumerate(picture.boxes) for _ in box.outliers],
        y=[float(value) for box in picture.boxes for value in box.outliers],
        mode="markers",
        marker={"color": theme.PALETTE[0], "size": 4, "opacity": 0.45},
        showlegend=False,
    )
    names = [escaped(value) for value in picture.x.values]
    made.update_xaxes(type="linear", tickmode="array", tickvals=places, ticktext=names)


def _add_heatmap(made: go.Figure, picture: Picture) -> None:
    x, y = ([escaped(value) for value in axis.values] for axis in (picture.x, picture.y))
    made.add_heatmap(
        x=x,
        y=y,
        z=picture.cells,
        colorscale=theme.scale(),
        hoverongaps=False,
        colorbar={"title": escaped(picture.value)},
        xgap=1,
        ygap=1,
    )
    made.update_xaxes(type="category")
    made.update_yaxes(type="category", autorange="reversed")


def _add_cells(made: go.Figure, picture: Picture) -> None:
    if picture.cells is None or picture.edges is None or picture.y_edges is None:
        return
    known = picture.cells[np.isfinite(picture.cells)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    marks = key_marks(low, high, log=picture.log)
    shown = np.log10(np.maximum(picture.cells, 1.0)) if picture.log else picture.cells
    keyed = [float(np.log10(max(at, 1.0))) if picture.log else at for at, _ in marks]
    texts = [text for _, text in marks]
    made.add_heatmap(
        x=_places(picture.x, picture.edges),
        y=_places(picture.y, picture.y_edges),
        z=shown,
        customdata=picture.cells,
        hovertemplate="%{x}, %{y}: %{customdata:,}<extra></extra>",
        colorscale=[(share, theme.shade(visible(share))) for share in np.linspace(0, 1, 16)],
        hoverongaps=False,
        colorbar={"title": escaped(picture.value), "tickvals": keyed, "ticktext": texts},
    )


def _name(series: Series) -> dict[str, Any]:
    return {"name": escaped(series.name), "showlegend": bool(series.name)}


def _categories(axis: Axis) -> dict[str, Any]:
    """A category axis; one that names several places alike has numbers for places, since plotly would join them."""
    names = [escaped(value) for value in axis.values]
    if len(set(names)) < len(names):
        return {"type": "linear", "tickmode": "array", "tickvals": list(range(len(names))), "ticktext": names}
    return {"type": "category", "categoryorder": "array", "categoryarray": names}


def _places(axis: Axis, at: np.ndarray) -> Any:
    """Positions as plotly takes them: plotly knows no zones, so instants become readings of their zone's clock."""
    if axis.scale == "category":
        if len(set(axis.values)) < len(axis.values):
            return at
        return [escaped(axis.values[int(place)]) for place in at]
    if axis.scale == "time":
        return [ticks.local(place, axis.zone).isoformat() for place in at]
    return at


def escaped(text: str) -> str:
    """A text that plotly shows as it is, where it would read HTML tags and entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
