"""What a drawing of a graph is before it is drawn: places, sizes and colours of vertices, and lines between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from luma_bench.models.graph.topology import Floats, Ints

ARROWS = 1_500
"""Directed graphs of more lines than this are drawn without arrowheads, which would hide everything."""


@dataclass(frozen=True, slots=True, eq=False)
class Colours:
    """What colours say: a category of a few values, or a number from low to high.

    Attributes
    ----------
    name
        The column.
    values
        One `#rrggbb` for each vertex, or line.
    legend
        Names and their colours, of categories.
    reach
        The least and the greatest number, where it is one.
    """

    name: str
    values: tuple[str, ...]
    legend: tuple[tuple[str, str], ...] = ()
    reach: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class GraphPicture:
    """A graph to draw.

    Attributes
    ----------
    at
        float64, one row `(x, y)` for each vertex; y grows upwards.
    names
        What each vertex is called when it is pointed at.
    shown
        What stands beside it in the drawing; empty for nothing.
    details
        What else is said when it is pointed at.
    radius
        In pixels.
    fill
        The colours of vertices.
    source, target
        The ends of each line, places of vertices; parallel edges are one line.
    times
        How many edges each line stands for.
    lines
        The colours of lines.
    aspect
        How many times longer a unit of y is drawn than one of x.
    axes
        Labels of the axes, where places mean something.
    notes
        What the reader has to know.
    """

    title: str
    at: Floats
    names: tuple[str, ...]
    shown: tuple[str, ...]
    details: tuple[str, ...]
    radius: Floats
    fill: Colours
    source: Ints
    target: Ints
    times: Ints
    lines: Colours
    directed: bool
    aspect: float = 1.0
    axes: tuple[str, str] | None = None
    notes: tuple[str, ...] = ()

    @property
    def arrows(self) -> bool:
        """Whether lines have arrowheads."""
        return self.directed and len(self.source) <= ARROWS

    @property
    def clear(self) -> float:
        """The opacity of lines: the more there are, the clearer."""
        count = len(self.source)
        return 0.7 if count <= 100 else 0.5 if count <= 500 else 0.3 if count <= 3000 else 0.15

    def widths(self) -> Floats:
        """The widths of lines in pixels: 1, and a little more for many edges."""
        return 1.0 + np.log2(np.maximum(self.times, 1)) * 0.5
