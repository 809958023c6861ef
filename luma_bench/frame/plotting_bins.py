"""Bins worked out in the engine, by the rules of `numpy.histogram`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from luma_bench.plan.expressions import Call, Case, Cast, ColumnRef, Expression, IsNull, Literal
from luma_bench.plan.nodes import Node, Project
from luma_bench.plot.picture import PlotError
from luma_bench.plot.ticks import widened


def even_edges(low: float, high: float, count: int) -> np.ndarray:
    """Edges of `count` bins of one width from the least to the greatest value, as `numpy.histogram` has them."""
    if low == high:
        low, high = (low - 0.5, high + 0.5) if abs(low) < 1e12 else widened(low, high)
    return np.linspace(low, high, count + 1)


def whole_edges(low: float, high: float, most: int) -> np.ndarray:
    """Edges of at most `most` bins of a whole width, each about whole numbers, so that none catches more than another."""
    width = max(1, int(np.ceil((high - low + 1) / most)))
    count = int((high - low) // width) + 1
    return low - 0.5 + width * np.arange(count + 1)


def edges_for(low: float, high: float, most: int, *, whole: bool) -> np.ndarray:
    """Edges of a grid's columns or rows."""
    return whole_edges(low, high, most) if whole and high < 2**52 > -low else even_edges(low, high, most)


def given_edges(bins: Sequence[float]) -> np.ndarray:
    """Edges that the user gave.

    Raises
    ------
    PlotError
        They do not grow, or there are fewer than two.
    """
    edges = np.asarray(bins, float)
    if edges.ndim != 1 or len(edges) < 2 or not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
        raise PlotError(
            "The edges of bins have to be two or more finite numbers that grow.",
            hint="Give bins=20, or edges such as bins=[0, 15, 60, 600].",
        )
    return edges


def with_even_bins(plan: Node, name: str, edges: np.ndarray, out: str) -> Node:
    """The plan with a column `out`: the bin of `name` from 0, NULL outside. The last bin has both its ends.

    The quotient is corrected against the edges themselves, as NumPy does, since it may be off by a rounding error.
    """
    low, high, count = float(edges[0]), float(edges[-1]), len(edges) - 1
    at, found = ColumnRef(name), ColumnRef(out)
    step = (high - low) / count
    part = _call("div", _call("sub", at, Literal(low)), Literal(high - low))
    share = _call("mul", part, Literal(float(count)))
    last = Literal(count - 1)
    inside = _call("and", _call("ge", at, Literal(low)), _call("le", at, Literal(high)))
    over = _call("ge", share, Literal(float(count)))
    guess = Case(((over, last),), Cast(_call("floor", share), "INTEGER"))
    here = _edge(found, low, step)
    after = _edge(_call("add", found, Literal(1)), low, step)
    corrected = Case(
        (
            (
                _call("and", _call("gt", found, Literal(0)), _call("lt", at, here)),
                _call("sub", found, Literal(1)),
            ),
            (_call("and", _call("lt", found, last), _call("ge", at, after)), _call("add", found, Literal(1))),
        ),
        found,
    )
    clipped = Case(((inside, guess),), Literal(None))
    guessed = Project(plan, (*_kept(plan, out), (out, clipped)))
    return Project(guessed, (*_kept(guessed, out), (out, corrected)))


def with_given_bins(plan: Node, name: str, edges: np.ndarray, out: str) -> Node:
    """The plan with a column `out`: the bin of `name` between edges of any distance, NULL outside."""
    at = ColumnRef(name)
    bounds = [float(edge) for edge in edges]

    def choose(first: int, last: int) -> Expression:
        if first == last:
            return Literal(first)
        middle = (first + last + 1) // 2
        return Case(
            ((_call("ge", at, Literal(bounds[middle])), choose(middle, last)),), choose(first, middle - 1)
        )

    outside = _call("or", _call("lt", at, Literal(bounds[0])), _call("gt", at, Literal(bounds[-1])))
    none = _call("or", IsNull(at), outside)
    found = Case(((none, Literal(None)),), choose(0, len(bounds) - 2))
    return Project(plan, (*_kept(plan, out), (out, found)))


def _kept(plan: Node, out: str) -> tuple[tuple[str, Expression], ...]:
    return tuple((name, ColumnRef(name)) for name in plan.names if name != out)


def _edge(place: Expression, low: float, step: float) -> Expression:
    return _call("add", _call("mul", place, Literal(step)), Literal(low))


def _call(function: str, *args: Expression) -> Expression:
    return Call(function, args)
