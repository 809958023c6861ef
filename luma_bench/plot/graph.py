"""Vertices and edges to a drawing of a graph: `graph_chart`, as plotly and as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from luma_bench.models.graph.topology import Bools, Floats, Ints
from luma_bench.plot import theme
from luma_bench.plot.graph_layout import LAYOUTS, circle, geo, is_forest, simple_edges, spring, tree
from luma_bench.plot.graph_picture import Colours, GraphPicture
from luma_bench.plot.picture import MARKS, PlotError
from luma_bench.plot.rows import _column, _number, text_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

_LONGITUDES = ("longitude", "lon", "lng", "long")
_LATITUDES = ("latitude", "lat")
_NAMED = 60
"""Up to this many vertices, each has its name beside it; of more, the largest."""
_LARGEST = 25


@dataclass(frozen=True, slots=True, eq=False)
class GraphChart:
    """A drawing of a graph that can be looked at: interactive with plotly, else as SVG."""

    picture: GraphPicture
    width: int = 880
    height: int = 620

    @property
    def figure(self) -> go.Figure:
        """The plotly Figure."""
        from luma_bench.plot.graph_figure import build

        return build(self.picture, self.height)

    @property
    def svg(self) -> str:
        """The SVG text."""
        from luma_bench.plot.graph_svg import draw

        return draw(self.picture, self.width, self.height)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """The three forms that a front end may choose from."""
        import json

        return {
            "text/plain": repr(self),
            "image/svg+xml": self.svg,
            "application/vnd.plotly.v1+json": json.loads(str(self.figure.to_json())),
        }

    def __repr__(self) -> str:
        said = "".join(f"; {note}" for note in self.picture.notes)
        return f"GraphChart({len(self.picture.at):,} vertices, {len(self.picture.source):,} lines{said})"


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What is to be drawn.

    Attributes
    ----------
    vertices
        One row for each vertex, its properties as columns.
    names
        What each vertex is called.
    source, target
        int64: the ends of every edge, as rows of `vertices`.
    kinds
        What each edge is: the label of its table; empty where all are alike.
    """

    vertices: pa.Table
    names: Sequence[str]
    source: Ints
    target: Ints
    kinds: Sequence[str] = ()
    directed: bool = True


def graph_chart(
    drawn: Drawn,
    *,
    layout: str = "auto",
    label: str | None = None,
    color: str | None = None,
    size: str | None = None,
    title: str = "",
    notes: Sequence[str] = (),
    width: int = 880,
    height: int = 620,
) -> GraphChart:
    """A graph as a drawing in the house theme.

    Parameters
    ----------
    layout
        `spring` (forces), `geo` (the columns longitude and latitude, or lon and lat), `circle`, `tree` (layers below a
        root); `auto` takes `geo` where the columns are, `tree` for a graph without cycles, else `spring`.
    label
        A column whose text stands beside vertices; the key when it is left out. Of more than 60 vertices only the 25
        largest are named in the drawing, and the others when they are pointed at.
    color
        A column: text of at most 8 values, or a number as a shade.
    size
        A numeric column; `degree` is the number of edges, and what is taken when it is left out.
    notes
        What the reader has to know besides.

    Raises
    ------
    PlotError
        More than 20,000 vertices and lines, an unknown layout, too many colours, or a column that is no number.
    SchemaError
        There is no such column.
    """
    if layout not in LAYOUTS:
        raise PlotError(
            f"layout={layout!r} is no layout of a graph.", hint=f"The layouts are: {', '.join(LAYOUTS)}."
        )
    said = list(notes)
    chosen = _chosen(drawn, layout)
    if chosen == "geo":
        drawn, missing = _placed(drawn)
        said += [f"{missing:,} vertices without coordinates left out"] if missing else []
    source, target, kinds, times = _lines(drawn)
    if len(drawn.names) + len(source) > MARKS:
        raise PlotError(
            f"A drawing of {len(drawn.names):,} vertices and {len(source):,} lines would show nothing; "
            f"{MARKS:,} marks are drawn at most.",
            hint="Draw a part of it: a lower limit=…, or subgraph(…) around the vertices that matter.",
        )
    if len(source) < len(drawn.source):
        said.append(f"{len(drawn.source):,} edges as {len(source):,} lines: parallel ones are one")
    names = tuple(drawn.names) if label is None else tuple(_texts(drawn.vertices, label))
    degree = np.bincount(np.concatenate([drawn.source, drawn.target]), minlength=len(names)).astype(float)
    radius, absent = _radii(drawn.vertices, size, degree)
    said += [f"{absent:,} vertices without {size} drawn smallest"] if absent else []
    at, aspect = _at(drawn, chosen)
    picture = GraphPicture(
        title, at, names, _shown(names, radius), _details(drawn.vertices, degree), radius, _fill(drawn.vertices, color, len(names)),
        source, target, times, _line_colours(kinds), drawn.directed, aspect,
        ("longitude", "latitude") if chosen == "geo" else None, tuple(said),
    )  # fmt: skip
    return GraphChart(picture, width, height)


def coordinates(names: Sequence[str]) -> tuple[str, str] | None:
    """The columns of longitude and latitude among some, None when they are not there."""
    by_fold = {name.casefold(): name for name in names}
    east = next((by_fold[name] for name in _LONGITUDES if name in by_fold), None)
    north = next((by_fold[name] for name in _LATITUDES if name in by_fold), None)
    return None if east is None or north is None else (east, north)


def _chosen(drawn: Drawn, layout: str) -> str:
    found = coordinates(drawn.vertices.column_names)
    if layout == "geo" and found is None:
        raise PlotError(
            "A geo layout needs the columns longitude and latitude (or lon and lat).",
            hint=f"The vertices have: {', '.join(drawn.vertices.column_names) or 'no properties'}. Use layout='spring'.",
        )
    if layout != "auto":
        return layout
    if found is not None:
        return "geo"
    forest = is_forest(len(drawn.names), simple_edges(drawn.source, drawn.target))
    return "tree" if forest else "spring"


def _at(drawn: Drawn, layout: str) -> tuple[Floats, float]:
    count, found = len(drawn.names), coordinates(drawn.vertices.column_names)
    if layout == "geo" and found is not None:
        at = geo(*(_number(drawn.vertices, name) for name in found))
        middle = float(at[:, 1].min() + at[:, 1].max()) / 2 if count else 0.0
        return at, 1 / max(math.cos(math.radians(middle)), 0.1)
    lay = {"spring": spring, "circle": circle, "tree": tree}[layout]
    return lay(count, drawn.source, drawn.target), 1.0


def _placed(drawn: Drawn) -> tuple[Drawn, int]:
    """The vertices that have coordinates, with the edges among them; and how many have none."""
    found = coordinates(drawn.vertices.column_names) or ("", "")
    known = np.logical_and(*(np.isfinite(_number(drawn.vertices, name)) for name in found))
    return part_of(drawn, known), int((~known).sum())


def part_of(drawn: Drawn, kept: Bools) -> Drawn:
    """The vertices that are kept, with the edges among them."""
    if kept.all():
        return drawn
    number = np.cumsum(kept) - 1
    edges = kept[drawn.source] & kept[drawn.target]
    return replace(
        drawn,
        vertices=drawn.vertices.filter(pa.array(kept)),
        names=[name for name, keep in zip(drawn.names, kept.tolist(), strict=True) if keep],
        source=number[drawn.source[edges]],
        target=number[drawn.target[edges]],
        kinds=[kind for kind, keep in zip(drawn.kinds, edges.tolist(), strict=True) if keep]
        if drawn.kinds
        else (),
    )


def _lines(drawn: Drawn) -> tuple[Ints, Ints, list[str], Ints]:
    """The edges with parallel ones as one, and how many each stands for; without direction both ways are one."""
    source, target = drawn.source, drawn.target
    if not drawn.directed:
        source, target = np.minimum(source, target), np.maximum(source, target)
    known = sorted(set(drawn.kinds))
    code = np.zeros(len(source), np.int64)
    if known:
        code = np.searchsorted(np.array(known), np.array(list(drawn.kinds)))
    if not len(source):
        return source, target, [], np.zeros(0, np.int64)
    rows, times = np.unique(np.stack([code, source, target]), axis=1, return_counts=True)
    return rows[1], rows[2], [known[item] for item in rows[0]] if known else [], times


def _shown(names: tuple[str, ...], radius: Floats) -> tuple[str, ...]:
    if len(names) <= _NAMED:
        return names
    largest = set(np.argsort(-radius, kind="stable")[:_LARGEST].tolist())
    return tuple(name if place in largest else "" for place, name in enumerate(names))


def _details(vertices: pa.Table, degree: Floats) -> tuple[str, ...]:
    said = vertices.select(vertices.column_names[:8]).to_pylist()
    lines = (
        [f"{name}: {_cut(text_of(value))}" for name, value in row.items() if value is not None]
        for row in said or [{}] * len(degree)
    )
    return tuple(
        "\n".join([f"{int(count):,} edges", *line]) for count, line in zip(degree, lines, strict=True)
    )


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _texts(vertices: pa.Table, name: str) -> list[str]:
    return ["" if value is None else text_of(value) for value in _column(vertices, name).to_pylist()]


def _radii(vertices: pa.Table, size: str | None, degree: Floats) -> tuple[Floats, int]:
    """Radii in pixels, whose areas go with the number; and how many vertices have none."""
    counted = size is None or (size == "degree" and size not in vertices.column_names)
    values = degree if counted else _number(vertices, size or "")
    known = np.isfinite(values)
    low = min(float(values[known].min(initial=0.0)), 0.0)
    share = np.sqrt(np.where(known, values - low, 0.0))
    share = share / max(float(share.max(initial=0.0)), 1e-12)
    least, most = (4.0, 13.0) if len(values) <= 100 else (2.5, 11.0) if len(values) <= 600 else (1.6, 9.0)
    return least + (most - least) * share, int((~known).sum())


def _fill(vertices: pa.Table, color: str | None, count: int) -> Colours:
    if color is None:
        return Colours("", (theme.PALETTE[0],) * count)
    column = _column(vertices, color)
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = _number(vertices, color)
        known = values[np.isfinite(values)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        # The palest shade stands out on white only just: numbers begin a little above it.
        shades = 0.15 + 0.85 * (values - low) / ((high - low) or 1.0)
        filled = tuple(theme.shade(float(at)) if np.isfinite(at) else theme.AXIS for at in shades)
        return Colours(color, filled, (), (low, high))
    texts = ["NULL" if value is None else text_of(value) for value in column.to_pylist()]
    return _categories(color, texts, hint="Filter to the ones that matter, or colour by a number.")


def _line_colours(kinds: list[str]) -> Colours:
    if len(set(kinds)) < 2:
        return Colours("", ())
    return _categories("", kinds, hint="Draw a subgraph of fewer labels.", first=1)


def _categories(name: str, texts: Sequence[str], *, hint: str, first: int = 0) -> Colours:
    # The most frequent one first, and of equal ones the first in order, so that colours do not change with the rows' order.
    counts = {text: texts.count(text) for text in set(texts)} if len(set(texts)) <= 8 else {}
    if not counts and texts:
        raise PlotError(
            f"{name or 'The edges'!r} has {len(set(texts)):,} values, and {len(theme.PALETTE)} colours can be told apart.",
            hint=hint,
        )
    ranked = sorted(counts, key=lambda text: (-counts[text], text))
    colours = {text: theme.PALETTE[(place + first) % len(theme.PALETTE)] for place, text in enumerate(ranked)}
    return Colours(name, tuple(colours[text] for text in texts), tuple(colours.items()))
