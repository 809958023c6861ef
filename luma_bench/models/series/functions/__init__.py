"""Series functions in FROM: one file for each kind, and all of them by name.

A caller gives whole series as a `Batch`, and runs `FUNCTIONS[name].run(batch, spec.settled(options), control)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from luma_bench.models.series.functions.autocorrelation import AUTOCORRELATION
from luma_bench.models.series.functions.change_points import CHANGE_POINTS
from luma_bench.models.series.functions.differences import DERIVATIVE, DIFFERENCES
from luma_bench.models.series.functions.downsample import DOWNSAMPLE
from luma_bench.models.series.functions.ewma import EWMA
from luma_bench.models.series.functions.forecast import FORECAST
from luma_bench.models.series.functions.matrix_profile import MATRIX_PROFILE
from luma_bench.models.series.functions.seasonal import SEASONAL_RESIDUALS
from luma_bench.models.series.functions.spec import Answer, Batch, FunctionSpec, Option, OutputColumn
from luma_bench.models.series.functions.zscore import ROBUST_ZSCORE

FUNCTIONS: Mapping[str, FunctionSpec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            EWMA,
            DOWNSAMPLE,
            DERIVATIVE,
            DIFFERENCES,
            AUTOCORRELATION,
            SEASONAL_RESIDUALS,
            ROBUST_ZSCORE,
            CHANGE_POINTS,
            MATRIX_PROFILE,
            FORECAST,
        )
    }
)
"""Every function, by its name in upper case."""

__all__ = ["FUNCTIONS", "Answer", "Batch", "FunctionSpec", "Option", "OutputColumn"]
