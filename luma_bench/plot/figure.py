"""`figure`, `svg` and `chart`: one picture, as plotly, as SVG text, or as both for a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from luma_bench.plot.draw import draw
from luma_bench.plot.picture import Picture
from luma_bench.plot.rows import picture
from luma_bench.plot.traces import build

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
    return build(picture(data, x=x, y=y, color=color, kind=kind, title=title))


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
        return build(self.picture)

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
