"""DOWNSAMPLE: the rows that a line of a series is drawn by, through tsdownsample (MIT)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.series.functions.spec import Answer, Batch, Floats, FunctionSpec, Option, Values
from luma_bench.models.series.runs import Ints

_METHODS: Final = {
    "minmaxlttb": "MinMaxLTTBDownsampler",
    "lttb": "LTTBDownsampler",
    "m4": "M4Downsampler",
    "minmax": "MinMaxDownsampler",
}
_MULTIPLES: Final = {"m4": 4, "minmax": 2}
_EXACT: Final = 1 << 53
"""Whole numbers up to here are exact as float64."""


def _downsample(batch: Batch, options: Values, control: Control) -> Answer:
    method, points = options["method"], int(options["points"])
    kept: list[Ints] = []
    for _, rows in batch.each(control):
        time, values = batch.time[rows], batch.values[rows]
        missing = np.isnan(values)
        places = np.flatnonzero(~missing) if missing.any() else None
        if places is not None:
            time, values = time[places], values[places]
        if len(values) > points:
            found = chosen(time, values, points, method)
            kept.append((found if places is None else places[found]) + rows.start)
        else:
            kept.append((np.arange(len(values)) if places is None else places) + rows.start)
    offsets = np.cumsum([0, *map(len, kept)])
    return Answer(offsets, {}, rows=np.concatenate([np.empty(0, np.int64), *kept]))


def chosen(time: Ints, values: Floats, points: int, method: str) -> Ints:
    """The places of the rows that draw a line, ascending: `points` at most, the first and last row among them for LTTB.

    Parameters
    ----------
    time
        int64, ascending.
    values
        float64 without NaN.
    method
        `minmaxlttb`, `lttb`, `m4` or `minmax`.
    """
    import tsdownsample

    points -= points % _MULTIPLES.get(method, 1)
    first, last = int(time[0]), int(time[-1])
    given: tuple[Any, ...] = (np.ascontiguousarray(values),)
    if last > first:
        # Nanoseconds since 1970 are too many for a float64, which areas are computed with.
        places = time - first if max(abs(first), abs(last)) >= _EXACT else time
        given = (np.ascontiguousarray(places), *given)
    rows = getattr(tsdownsample, _METHODS[method])().downsample(*given, n_out=points)
    return np.unique(rows.astype(np.int64))


DOWNSAMPLE: Final = FunctionSpec(
    name="DOWNSAMPLE",
    help=(
        "The rows of each series that its line is drawn by, so that it looks the same on a screen: `points` at most. Rows without a value are left out. "
        "Further columns behind the value stay with their rows. LTTB keeps the points that span the largest triangles (Steinarsson, 2013), M4 the first, "
        "last, least and greatest of each pixel's rows (Jugel and others, 2014)."
    ),
    options=(
        Option(
            name="points",
            kind="int",
            default=2000,
            least=4,
            most=10_000_000,
            help="the most rows of a series (2000)",
        ),
        Option(
            name="method",
            kind="choice",
            default="minmaxlttb",
            among=tuple(_METHODS),
            help="`minmaxlttb` picks by LTTB among extremes, `lttb` among all rows, `m4`, or `minmax` ('minmaxlttb')",
        ),
    ),
    columns=(),
    run=_downsample,
    rows="some",
    further=True,
)
