"""SEASONAL_RESIDUALS: what of each value its place in the day, week or year does not explain."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from luma_bench.errors import UnsupportedError
from luma_bench.models.control import Control
from luma_bench.models.series.buckets import Buckets
from luma_bench.models.series.functions.extras import extra
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

_SPARSE: Final = 4
"""Slots a row, beyond which they are numbered by sorting instead of by place."""


def _residuals(batch: Batch, options: Values, control: Control) -> Answer:
    control.check()
    seasonal = _decomposed(batch, options, control) if options["method"] == "stl" else None
    if seasonal is None:
        slots = _slots(batch, options)
        means = _means(batch, slots, control)
        seasonal = means, batch.values - means
    return Answer(batch.offsets, {"seasonal": seasonal[0], "residual": seasonal[1]})


def _slots(batch: Batch, options: Values) -> Ints:
    """The place of each row in its period, in buckets or in units of the time column."""
    period, bucket = options["period"], options["bucket"]
    within = batch.time - Buckets.of(period, batch.unit, batch.zone).starts(batch.time)
    if bucket is None:
        return within
    return within // max(bucket.fixed // batch.unit, 1)


def _means(batch: Batch, slots: Ints, control: Control) -> Floats:
    """The mean of the values that share a series and a slot, for each row."""
    width = int(slots.max()) + 1 if len(slots) else 1
    if width * batch.series <= max(_SPARSE * len(slots), 1 << 16):
        places, count = batch.numbers() * width + slots, width * batch.series
    else:
        pairs = np.rec.fromarrays([batch.numbers(), slots])
        known, places = np.unique(pairs, return_inverse=True)
        count = len(known)
    control.check()
    here = ~np.isnan(batch.values)
    rows = np.bincount(places[here], minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = np.bincount(places[here], weights=batch.values[here], minlength=count)
        return (sums / rows)[places]


def _decomposed(batch: Batch, options: Values, control: Control) -> tuple[Floats, Floats]:
    """STL of each series; NaN all over one that has a missing value or fewer than two periods.

    Cleveland, Cleveland, McRae, Terpenning: STL, a seasonal-trend decomposition procedure based on loess (1990).
    """
    stl = extra("statsmodels.tsa.seasonal", "SEASONAL_RESIDUALS with method => 'stl'").STL
    seasonal = np.full(len(batch.values), np.nan)
    residual = np.full(len(batch.values), np.nan)
    nanos = options["period"].fixed
    if nanos is None:
        raise UnsupportedError(
            "SEASONAL_RESIDUALS with method => 'stl' needs a period of fixed length.",
            hint="Give it in days or less.",
        )
    for _, rows in batch.each(control):
        values = batch.values[rows]
        period = rows_of(batch.time[rows], nanos / batch.unit)
        if period < 2 or len(values) < 2 * period or not np.isfinite(values).all():
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = stl(values, period=period, robust=True).fit()
        seasonal[rows], residual[rows] = found.seasonal, found.resid
    return seasonal, residual


def rows_of(time: Ints, length: float) -> int:
    """How many rows a length of time holds, by the median step; 0 where there is none."""
    steps = np.diff(time)
    step = float(np.median(steps)) if len(steps) else 0.0
    return round(length / step) if step > 0 else 0


def _check(given: Mapping[str, Any]) -> str | None:
    if "bucket" in given and str(given.get("method", "")).casefold() == "stl":
        return "bucket goes with method => 'mean' alone"
    return None


SEASONAL_RESIDUALS: Final = FunctionSpec(
    name="SEASONAL_RESIDUALS",
    help=(
        "What is left of each value when the mean of its place in the period (its hour of the day, its day of the week) is taken off. Periods and days "
        "follow the calendar of the column's time zone. With `method => 'stl'` season and trend are told apart by loess; rows have to come at even steps then."
    ),
    options=(
        Option(
            name="period",
            kind="length",
            default="1d",
            fixed=False,
            help="what repeats: '1d', '1w', '1y' ('1d')",
        ),
        Option(
            name="bucket",
            kind="length",
            help="how finely places in a period are told apart: '1h'; without it each time in the period is a place of its own",
        ),
        Option(
            name="method",
            kind="choice",
            default="mean",
            among=("mean", "stl"),
            help="`mean` of the place, or `stl` by statsmodels ('mean')",
        ),
    ),
    columns=(
        OutputColumn(
            "seasonal", pa.float64(), "what its place explains: the mean of the place, or the season of STL"
        ),
        OutputColumn("residual", pa.float64(), "the value less that, and for STL less the trend"),
    ),
    run=_residuals,
    together=False,
    check=_check,
)
