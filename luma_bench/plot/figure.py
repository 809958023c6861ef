"""`figure`, `svg` and `chart`: one picture, as plotly, as SVG text, or as both for a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from luma_bench.plot import theme, ticks
from luma_bench.plot.draw import draw
from luma_bench.plot.rows import Axis, Picture, picture

if TYPE_CHECKING:
    import plotly.graph_objects as go


def figure(
    data: Any, *, x: str, y: str | None = None, color: str | None = None, kind: str = "line", title: str = ""
) -> go.Figure:
    """Rows as a plotly Figure in the house theme.

    Parameters
    ----------
    data
        A result, an Arrow table, a pandas or Polars frame, anything with `__arrow_c_stream__`, or a dict of columns.
    x, y
        Column names; y is a number, except for a heatmap. A `hist` counts rows and takes no y.
    color
        A column that tells series apart, of at most 8 values; for a `heatmap`, the number that each cell shows
        (without it, rows are counted).
    kind
        `line`, `bar`, `barh`, `scatter`, `hist` or `heatmap`. Instants are shown on the clock of their column's zone.
    title
        Stands above the picture.

    Raises
    ------
    PlotError
        More than 20,000 marks, two rows for one place of a line, bar or heatmap, or a type that cannot be drawn.
    SchemaError
        There is no such column.
    """
    return _figure(picture(data, x=x, y=y, color=color, kind=kind, title=title))


def svg(
    data: Any,
    *,
    x: str,
    y: str | None = None,
    color: str | None = None,
    kind: str = "line",
    title: str = "",
    width: int = 880,
    height: int = 440,
) -> str:
    """Rows as the text of a static SVG of a width and height in pixels; parameters and errors are those of `figure`."""
    return draw(picture(data, x=x, y=y, color=color, kind=kind, title=title), width, height)


def chart(
    data: Any,
    *,
    x: str,
    y: str | None = None,
    color: str | None = None,
    kind: str = "line",
    title: str = "",
    width: int = 880,
    height: int = 440,
) -> Chart:
    """Rows as a Chart, which a notebook shows with plotly where it can and as SVG where it cannot."""
    return Chart(picture(data, x=x, y=y, color=color, kind=kind, title=title), width, height)


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture that can be looked at.

    A saved notebook or an HTML export shows the SVG and needs no network; JupyterLab with plotly's extension shows the
    interactive figure.
    """

    picture: Picture
    width: int
    height: int

    @property
    def figure(self) -> go.Figure:
        """The plotly Figure."""
        return _figure(self.picture)

    @property
    def svg(self) -> str:
        """The SVG text."""
        return draw(self.picture, self.width, self.height)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """The three forms that a front end may choose from."""
        import json

        figure = self.figure
        figure.update_layout(height=self.height)
        return {
            "text/plain": repr(self),
            "image/svg+xml": self.svg,
            "application/vnd.plotly.v1+json": json.loads(str(figure.to_json())),
        }

    def __repr__(self) -> str:
        return f"Chart({self.picture.kind}, {self.picture.y.label!r} by {self.picture.x.label!r})"


def _figure(picture: Picture) -> go.Figure:
    import plotly.graph_objects as go

    made = go.Figure(layout={"template": theme.template()})
    if picture.title:
        made.update_layout(title={"text": escaped(picture.title)})
    made.update_xaxes(title={"text": escaped(_label(picture.x))})
    made.update_yaxes(title={"text": escaped(_label(picture.y))})
    if picture.kind == "heatmap":
        _add_cells(made, picture)
    elif picture.kind == "hist":
        _add_bins(made, picture)
    else:
        _add_marks(made, picture)
    if picture.notes:
        note = escaped("; ".join(picture.notes))
        place = {"x": 1, "y": -0.18, "xref": "paper", "yref": "paper", "xanchor": "right", "showarrow": False}
        made.add_annotation(text=note, font={"size": 11, "color": theme.QUIET}, **place)
    return made


def _add_marks(made: go.Figure, picture: Picture) -> None:
    import plotly.graph_objects as go

    lying = picture.kind == "barh"
    for number, series in enumerate(picture.series):
        places = _places(picture.x, series.x)
        colour = theme.PALETTE[number]
        common: dict[str, Any] = {"name": escaped(series.name), "showlegend": bool(series.name)}
        if picture.kind in ("bar", "barh"):
            x, y = (series.y, places) if lying else (places, series.y)
            made.add_bar(x=x, y=y, orientation="h" if lying else "v", marker={"color": colour}, **common)
            continue
        line = picture.kind == "line"
        mode = "lines" if line and len(series.x) > 60 else "lines+markers" if line else "markers"
        marker = {
            "color": colour,
            "size": 6 if line else 7,
            "opacity": 1 if line or len(series.x) <= 500 else 0.5,
        }
        # Scattergl draws thousands of points; the plain one is kept for what fits, since it prints better.
        trace = go.Scattergl if len(series.x) > 2000 else go.Scatter
        made.add_trace(
            trace(
                x=places, y=series.y, mode=mode, marker=marker, line={"color": colour, "width": 2.2}, **common
            )
        )
    if picture.x.scale == "category":
        order = {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": [escaped(value) for value in picture.x.values],
        }
        if lying:
            made.update_yaxes({**order, "autorange": "reversed", "title": {"text": ""}})
            made.update_xaxes({"title": {"text": escaped(picture.y.label)}})
        else:
            made.update_xaxes(order)


def _add_bins(made: go.Figure, picture: Picture) -> None:
    edges = picture.edges if picture.edges is not None else np.array([0.0, 1.0])
    for number, series in enumerate(picture.series):
        name = {"name": escaped(series.name), "showlegend": bool(series.name)}
        marker = {"color": theme.PALETTE[number]}
        width: Any = np.diff(edges) / (
            1000 if picture.x.scale == "time" else 1
        )  # plotly counts time in milliseconds
        made.add_bar(x=_places(picture.x, series.x), y=series.y, width=width, marker=marker, **name)
    made.update_layout(barmode="stack", bargap=0)


def _add_cells(made: go.Figure, picture: Picture) -> None:
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


def _places(axis: Axis, at: np.ndarray) -> Any:
    """Positions as plotly takes them: plotly knows no zones, so instants become readings of their zone's clock."""
    if axis.scale == "category":
        return [escaped(axis.values[int(place)]) for place in at]
    if axis.scale == "time":
        return [ticks.local(place, axis.zone).isoformat() for place in at]
    return at


def _label(axis: Axis) -> str:
    return f"{axis.label} ({axis.zone})" if axis.scale == "time" and axis.zone else axis.label


def escaped(text: str) -> str:
    """A text that plotly shows as it is, where it would read HTML tags and entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
