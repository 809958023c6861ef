"""`lb.cut` and `lb.qcut`: numbers into intervals, named as pandas names them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.unchanging import checking_keywords
from luma_bench.plan.expressions import AggregateCall, Call, Case, Expression
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.nodes import Aggregate

if TYPE_CHECKING:
    from luma_bench.frame.series import Series


@checking_keywords
def cut(
    x: Series,
    bins: int | Sequence[float],
    right: bool = True,
    labels: Sequence[Any] | Literal[False] | None = None,
    *,
    precision: int = 3,
    include_lowest: bool = False,
) -> Series:
    """The interval that each value is in: its name as text, `labels[i]`, or its number with `labels=False`.

    Parameters
    ----------
    x
        A Series of numbers or times.
    bins
        The edges in ascending order; or how many intervals of equal width, which asks the engine for the least and the
        greatest value at once.
    right
        Whether intervals hold their right edge, and not their left one.
    include_lowest
        Whether the first interval holds its left edge too.

    Returns
    -------
    Series
        NULL for values in no interval. pandas gives a categorical; here it is text, whose order is that of texts.

    Examples
    --------
    >>> kind = lb.cut(flights.distance, [0, 500, 1500, 6000], labels=["short", "medium", "long"])
    >>> sorted(kind.unique().to_pylist())
    ['long', 'medium', 'short']
    """
    import pandas as pd

    _check(x, "cut")
    if isinstance(bins, int):
        low, high = _asked(x, (AggregateCall("min", x.expression), AggregateCall("max", x.expression)))
        if low is None:
            return x._new(Constant(None))
        _, edges = cast("Any", pd.cut([low, high], bins, right=right, retbins=True, precision=precision))
        edges = list(edges)
    else:
        edges = list(bins)
        if any(a >= b for a, b in itertools.pairwise(edges)) or len(edges) < 2:
            raise UnsupportedError(
                f"The edges {edges} do not ascend.", hint="Give at least two, each above the last."
            )
    return _cut(x, edges, labels, right=right, lowest=include_lowest, precision=precision)


@checking_keywords
def qcut(
    x: Series,
    q: int | Sequence[float],
    labels: Sequence[Any] | Literal[False] | None = None,
    *,
    precision: int = 3,
    duplicates: Literal["raise", "drop"] = "raise",
) -> Series:
    """The interval that each value is in, of intervals that hold equally many; the quantiles are asked for at once.

    Parameters
    ----------
    q
        How many intervals, or the fractions at which they end: `[0, 0.25, 0.5, 1]`.
    duplicates
        What happens when two edges are equal: 'raise', or 'drop' one.

    Examples
    --------
    >>> quarter = lb.qcut(flights.distance, 4, labels=False)
    >>> sorted(quarter.unique().to_pylist())
    [0, 1, 2, 3]
    """
    _check(x, "qcut")
    fractions = [n / q for n in range(q + 1)] if isinstance(q, int) else [float(part) for part in q]
    calls = tuple(AggregateCall("quantile", x.expression, fraction) for fraction in fractions)
    edges = list(_asked(x, calls))
    if edges and edges[0] is None:
        return x._new(Constant(None))
    distinct = sorted(set(edges))
    if len(distinct) < len(edges) and duplicates == "raise":
        raise SchemaError(
            f"Several quantiles of {x.name!r} are equal: {edges}.",
            hint="Give duplicates='drop', or fewer intervals.",
        )
    return _cut(x, distinct, labels, right=True, lowest=True, precision=precision)


def _check(x: Series, what: str) -> None:
    if not hasattr(x, "expression"):
        raise UnsupportedError(
            f"lb.{what}() takes a Series of a frame, not a {type(x).__name__}.",
            hint=f"Use pandas.{what} for data in memory.",
        )
    if x.kind in ("text", "bool", "bytes"):
        raise SchemaError(
            f"{x.name!r} holds {x.kind}, and {what}() needs numbers or times.",
            hint="Convert it: astype(float).",
        )


def _asked(x: Series, calls: Sequence[AggregateCall]) -> list[Any]:
    """The values of some aggregates of the Series."""
    measures = tuple((f"m{place}", call) for place, call in enumerate(calls))
    row = x.frame.with_plan(Aggregate(x.frame.plan, (), measures)).to_arrow().to_pylist()[0]
    return list(row.values())


def _cut(
    x: Series,
    edges: list[Any],
    labels: Sequence[Any] | Literal[False] | None,
    *,
    right: bool,
    lowest: bool,
    precision: int,
) -> Series:
    names = _names(edges, labels, right=right, lowest=lowest, precision=precision)
    over, under = ("gt", "le") if right else ("ge", "lt")
    branches: list[tuple[Expression, Expression]] = []
    for place, name in enumerate(names):
        first, last = place == 0, place == len(names) - 1
        low = "ge" if right and lowest and first else over
        high = "le" if not right and lowest and last else under
        inside = (
            Call(low, (x.expression, Constant(edges[place]))),
            Call(high, (x.expression, Constant(edges[place + 1]))),
        )
        branches.append((Call("and", inside), Constant(name)))
    return x._new(Case(tuple(branches), Constant(None)))


def _names(
    edges: list[Any],
    labels: Sequence[Any] | Literal[False] | None,
    *,
    right: bool,
    lowest: bool,
    precision: int,
) -> list[Any]:
    if labels is False:
        return list(range(len(edges) - 1))
    if labels is not None:
        if len(labels) != len(edges) - 1:
            raise UnsupportedError(
                f"There are {len(labels)} labels for {len(edges) - 1} intervals.",
                hint="Give one for each interval.",
            )
        return list(labels)
    import pandas as pd

    probe = pd.Series(edges[:1])
    shown = cast("Any", pd.cut(probe, edges, right=right, include_lowest=lowest, precision=precision))
    return [str(interval) for interval in shown.cat.categories]
