"""One chart of a result of any size: plotly's JSON, an SVG, and the code that draws it again."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from luma_bench.plot.charts.bins import histogram
from luma_bench.plot.charts.cells import cell_rows
from luma_bench.plot.charts.code import code_of
from luma_bench.plot.charts.columns import SOURCE, Ask
from luma_bench.plot.charts.queries import Reduced, bar_rows, counted, line_rows, point_rows
from luma_bench.plot.figure import Chart
from luma_bench.plot.picture import PlotError
from luma_bench.plot.rows import KINDS, picture

WIDTH, HEIGHT = 880, 440


@dataclass(frozen=True, slots=True)
class ChartFigure:
    """A chart that was drawn.

    Attributes
    ----------
    chart
        The picture, as `luma_bench.plot.chart` makes it.
    code
        Python that draws it again: the question and the picture. It reads the variables `bench` and, for the rows,
        the name that `figure` was given as `source`.
    """

    chart: Chart
    code: str

    @property
    def figure(self) -> dict[str, Any]:
        """The figure as plotly's JSON: `data` and `layout`."""
        return json.loads(str(self.chart.figure.to_json()))

    @property
    def svg(self) -> str:
        """The static picture."""
        return self.chart.svg

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader has to know: rows left out, rows summed up."""
        return self.chart.picture.notes


def figure(
    ask: Ask,
    schema: pa.Schema,
    rows: int,
    *,
    kind: str,
    x: str,
    y: str | None = None,
    color: str | None = None,
    title: str = "",
    source: str = SOURCE,
) -> ChartFigure:
    """Draw one chart of a result; the engine groups, bins or samples its rows, so that at most 2,000 marks come back.

    Parameters
    ----------
    ask
        Runs a KadeQL text over the table `result`.
    schema, rows
        The columns of that table, and how many rows it has.
    kind
        `line`, `bar`, `barh`, `scatter`, `hist` or `heatmap`.
    x, y, color
        Column names. Without y, a line, bars and a heatmap's colour count rows. Where several rows share a place, their
        mean is drawn, and the axis says so.
    source
        What the code calls the result.

    Raises
    ------
    PlotError
        The kind is unknown, or a column has no place on its axis.
    SchemaError
        There is no such column.
    """
    if kind not in KINDS:
        raise PlotError(f"kind={kind!r} is no kind of picture.", hint=f"The kinds are: {', '.join(KINDS)}.")
    if kind == "hist":
        made = histogram(ask, schema, rows, x, y, color)
        chart = Chart(replace(made, title=title), WIDTH, HEIGHT)
        return ChartFigure(
            chart, code_of(None, source, {"x": x, "color": color, "kind": kind, "title": title})
        )
    reduced = _reduced(ask, schema, rows, kind, x, y, color)
    marks = ask(reduced.text)
    zones = _zones(schema, marks)
    for name, zone in zones.items():
        place = marks.schema.get_field_index(name)
        marks = marks.set_column(place, name, marks.column(place).cast(pa.timestamp("us", zone), safe=False))
    drawn = picture(marks, x=reduced.x, y=reduced.y, color=reduced.color, kind=kind, title=title)
    notes = tuple(dict.fromkeys((*reduced.notes, *drawn.notes))) if rows else ("no rows",)
    options = {"x": reduced.x, "y": reduced.y, "color": reduced.color, "kind": kind, "title": title}
    tall = max(HEIGHT, 24 * marks.num_rows + 120) if kind == "barh" and color is None else HEIGHT
    return ChartFigure(
        Chart(replace(drawn, notes=notes), WIDTH, tall),
        code_of(reduced.text, source, options | ({"height": tall} if tall != HEIGHT else {}), zones),
    )


def _zones(schema: pa.Schema, marks: pa.Table) -> dict[str, str]:
    """The zones of columns that were computed of moments: the engine gives those in its own."""
    found: dict[str, str] = {}
    for field in marks.schema:
        place = schema.get_field_index(field.name)
        zone = getattr(schema.field(place).type, "tz", None) if place >= 0 else None
        if zone is not None and pa.types.is_timestamp(field.type) and field.type.tz != zone:
            found[str(field.name)] = str(zone)
    return found


def _reduced(
    ask: Ask, schema: pa.Schema, rows: int, kind: str, x: str, y: str | None, color: str | None
) -> Reduced:
    """The rows that a kind of chart draws."""
    if kind in ("scatter", "heatmap"):
        if y is None:
            raise PlotError(f"A {kind} needs y.", hint=f"Name one of: {', '.join(schema.names)}.")
        return (point_rows if kind == "scatter" else cell_rows)(ask, schema, rows, x, y, color)
    columns = counted(ask, schema, rows, x, y, color)
    return line_rows(columns) if kind == "line" else bar_rows(columns)
