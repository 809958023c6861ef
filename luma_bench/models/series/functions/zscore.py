"""ROBUST_ZSCORE: how far each value is from the median, in deviations that outliers do not widen."""

from __future__ import annotations

from itertools import pairwise
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
_CELLS: Final = 1 << 19
"""Values of windows that are laid out at once."""


def _zscore(batch: Batch, options: Values, control: Control) -> Answer:
    median = np.full(len(batch.values), np.nan)
    deviation = np.full(len(batch.values), np.nan)
    window = options["window"]
    for _, rows in batch.each(control):
        values = batch.values[rows]
        here = np.flatnonzero(~np.isnan(values))
        if not len(here):
            continue
        known = values[here]
        if window is None:
            with np.errstate(invalid="ignore"):
                median[rows] = np.median(known)
                deviation[rows] = np.median(np.abs(known - np.median(known)))
            continue
        time = batch.time[rows]
        # The rows of a window: later than the row's time less the window, up to the row itself.
        last = np.searchsorted(here, np.arange(len(values)), side="right")
        first = np.searchsorted(time[here], time - window.fixed // batch.unit, side="right")
        middle, spread = rolling(known, np.minimum(first, last), last, control)
        median[rows], deviation[rows] = middle, spread
    deviation *= _NORMAL
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.where(deviation > 0, (batch.values - median) / deviation, np.nan)
    return Answer(batch.offsets, {"median": median, "deviation": deviation, "zscore": score})


def rolling(values: Floats, first: Ints, last: Ints, control: Control) -> tuple[Floats, Floats]:
    """Median and median absolute deviation of `values[first[i]:last[i]]` for each i; NaN for an empty window.

    Windows of one length are laid out beside each other, as many at once as fit, and partitioned.
    """
    median, deviation = np.full(len(first), np.nan), np.full(len(first), np.nan)
    lengths = last - first
    order = np.argsort(lengths, kind="stable")
    ends = np.flatnonzero(np.diff(lengths[order], append=-1)) + 1
    for begin, end in pairwise([0, *ends.tolist()]):
        length = int(lengths[order[begin]])
        step = max(1, _CELLS // max(length, 1))
        for at in range(begin, end if length else begin, step):
            control.check()
            rows = order[at : min(at + step, end)]
            cells = values[first[rows, None] + np.arange(length)]
            median[rows] = middle = _middles(cells)
            with np.errstate(invalid="ignore"):
                cells -= middle[:, None]
            deviation[rows] = _middles(np.abs(cells, out=cells))
    return median, deviation


def _middles(cells: Floats) -> Floats:
    """The median of each line."""
    low, high = (cells.shape[1] - 1) // 2, cells.shape[1] // 2
    ordered = np.partition(cells, (low, high), axis=1)
    with np.errstate(invalid="ignore"):
        return (ordered[:, low] + ordered[:, high]) / 2


ROBUST_ZSCORE: Final = FunctionSpec(
    name="ROBUST_ZSCORE",
    help=(
        "How many robust standard deviations (1.4826 times the median absolute deviation from the median) each value is from the median of its series, or of "
        "the rows of a window of time up to its own. Values beyond 3.5 are commonly called outliers (Iglewicz and Hoaglin, 1993). NULL where the deviation is 0."
    ),
    options=(
        Option(
            name="window",
            kind="length",
            help="how far back the rows that count reach: '1h'; without it the whole series counts",
        ),
    ),
    columns=(
        OutputColumn("median", pa.float64(), "of the series or window"),
        OutputColumn("deviation", pa.float64(), "1.4826 times the median absolute deviation"),
        OutputColumn("zscore", pa.float64(), "the value less the median, over the deviation"),
    ),
    run=_zscore,
)
