"""AUTOCORRELATION: how alike a series is to itself some rows later."""

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


def _autocorrelation(batch: Batch, options: Values, control: Control) -> Answer:
    lags: list[Ints] = []
    found: list[Floats] = []
    for _, rows in batch.each(control):
        made = autocorrelation(batch.values[rows], int(options["lags"]), control)
        lags.append(np.arange(len(made)))
        found.append(made)
    offsets = np.cumsum([0, *map(len, found)])
    return Answer(
        offsets,
        {
            "lag": np.concatenate([np.empty(0, np.int64), *lags]),
            "autocorrelation": np.concatenate([np.empty(0), *found]),
        },
    )


def autocorrelation(values: Floats, lags: int, control: Control) -> Floats:
    """The autocorrelation at lags 0 to `lags`, or as many as there are; NaN for a series that does not vary.

    Missing values stand at the mean, so pairs with one add nothing, as statsmodels' `acf(missing='conservative')`.
    """
    missing = np.isnan(values)
    count = len(values) - int(missing.sum())
    lags = min(lags, len(values) - 1)
    if not count:
        return np.full(max(lags + 1, 0), np.nan)
    control.check()
    with np.errstate(invalid="ignore", over="ignore"):
        centred = np.where(missing, 0.0, values - values[~missing].mean())
        # Behind as many zeros as there are lags no pair wraps round.
        size = 1 << (len(centred) + lags).bit_length()
        power = np.abs(np.fft.rfft(centred, size)) ** 2
        sums = np.fft.irfft(power, size)[: lags + 1]
        return sums / sums[0] if sums[0] > 0 else np.full(lags + 1, np.nan)


AUTOCORRELATION: Final = FunctionSpec(
    name="AUTOCORRELATION",
    help=(
        "The correlation of each series with itself some rows later: 1 at lag 0, and the sum of products of deviations from the mean over the sum of their "
        "squares at others. Lags count rows: bring a series with gaps to even steps first (SAMPLE BY … FILL). NULL for a series that does not vary."
    ),
    options=(
        Option(
            name="lags",
            kind="int",
            default=48,
            least=0,
            most=10_000_000,
            help="the greatest lag, in rows (48)",
        ),
    ),
    columns=(
        OutputColumn("lag", pa.int64(), "rows between the values of a pair"),
        OutputColumn("autocorrelation", pa.float64(), "from -1 to 1"),
    ),
    run=_autocorrelation,
    rows="new",
    timed=False,
)
