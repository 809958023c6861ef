"""CHANGE_POINTS: where the mean of a series changes, by an exact search (PELT)."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from luma_bench.models.control import Control
from luma_bench.models.series.functions.spec import (
    Answer,
    Batch,
    Floats,
    FunctionSpec,
    Option,
    OutputColumn,
    Values,
)
from luma_bench.models.series.runs import Ints

_NORMAL: Final = 1.482602218505602
"""The standard deviation of a normal distribution over its median absolute deviation."""
_CHECKED: Final = 512
"""Rows between two looks at whether to stop."""


def _change_points(batch: Batch, options: Values, control: Control) -> Answer:
    places: list[Ints] = []
    before: list[Floats] = []
    after: list[Floats] = []
    for _, rows in batch.each(control):
        values = batch.values[rows]
        here = np.flatnonzero(np.isfinite(values))
        known = values[here]
        cuts = changes(known, float(options["penalty"]), int(options["min_size"]), control)
        means = np.array([part.mean() for part in np.split(known, cuts)] if len(known) else [])
        places.append(here[cuts] + rows.start)
        before.append(means[:-1])
        after.append(means[1:])
    return Answer(
        np.cumsum([0, *map(len, places)]),
        {
            "mean_before": np.concatenate([np.empty(0), *before]),
            "mean_after": np.concatenate([np.empty(0), *after]),
        },
        rows=np.concatenate([np.empty(0, np.int64), *places]),
    )


def changes(values: Floats, penalty: float, least: int, control: Control) -> Ints:
    """The places where segments of another mean begin, ascending.

    Of all segmentations the one with the least sum of squared distances from the means over the noise's variance, plus
    `penalty · ln(n)` for each change. Killick, Fearnhead, Eckley: Optimal detection of changepoints with a linear
    computational cost (JASA 2012): all places where the last segment may begin are carried along, each with the mean
    and the squared distances of what came since; one that a later place beats for good is dropped.

    Parameters
    ----------
    values
        float64, finite.
    least
        Rows that a segment has at least.
    """
    none = np.empty(0, np.int64)
    if len(values) < 2 * least or values.min() == values.max():
        return none
    # Differences of neighbours tell the noise whatever the means do; without noise, the spread is what there is.
    noise = _NORMAL * float(np.median(np.abs(np.diff(values)))) / np.sqrt(2)
    scaled = (values - np.median(values)) / (noise if noise > 0 else float(values.std()))
    cost = penalty * float(np.log(len(values)))
    best = np.full(len(values) + 1, np.inf)
    best[0] = -cost
    last = np.zeros(len(values) + 1, np.int64)
    # Of each candidate: where its segment begins, the best before it, and rows, mean and squares since; when it ends.
    begin, until = np.empty(0, np.int64), np.empty(0, np.int64)
    base, count, mean, squares = (np.empty(0) for _ in range(4))
    for row, value in enumerate(scaled.tolist(), 1):
        if row % _CHECKED == 0:
            control.check()
        if best[row - 1] < np.inf:
            begin, until = np.append(begin, row - 1), np.append(until, len(values) + 1)
            base = np.append(base, best[row - 1])
            count, mean, squares = np.append(count, 0.0), np.append(mean, 0.0), np.append(squares, 0.0)
        count += 1
        apart = value - mean
        mean += apart / count
        squares += apart * (value - mean)
        ready = int(begin.searchsorted(row - least, side="right"))
        if not ready:
            continue
        totals = base[:ready] + squares[:ready]
        found = int(totals.argmin())
        best[row], last[row] = totals[found] + cost, begin[found]
        # Beaten from where the segment that begins behind this row may end.
        np.minimum(until[:ready], row + least, out=until[:ready], where=totals > best[row])
        if row % 16 == 0:
            kept = until > row
            if not kept.all():
                begin, until, base, count, mean, squares = (
                    part[kept] for part in (begin, until, base, count, mean, squares)
                )
    places: list[int] = []
    place = int(last[-1])
    while place > 0:
        places.append(place)
        place = int(last[place])
    return np.array(places[::-1], np.int64) if places else none


CHANGE_POINTS: Final = FunctionSpec(
    name="CHANGE_POINTS",
    help=(
        "The rows where the mean of a series changes: of all ways to cut it into pieces the one with the least squared distances from their means and the "
        "fewest pieces, weighed by a penalty in units of the noise. A row is the first one of a new piece. Rows without a finite value are passed over."
    ),
    options=(
        Option(
            name="penalty",
            kind="float",
            default=3.0,
            above=0,
            help="what each change costs, times ln(n): 2 is BIC, 3 finds fewer (3)",
        ),
        Option(
            name="min_size",
            kind="int",
            default=2,
            least=1,
            most=1_000_000,
            help="rows between changes, at least (2)",
        ),
    ),
    columns=(
        OutputColumn("mean_before", pa.float64(), "the mean of the piece that ends before the row"),
        OutputColumn("mean_after", pa.float64(), "the mean of the piece that begins with it"),
    ),
    run=_change_points,
    rows="some",
)
