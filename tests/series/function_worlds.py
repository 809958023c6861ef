"""Series for functions, and a function over them."""

from __future__ import annotations

from typing import Any

import numpy as np

from luma_bench.models.control import Control
from luma_bench.models.series.functions import FUNCTIONS, Answer, Batch
from luma_bench.models.series.length import Length

MICRO = 1_000
SECONDS = 1_000_000


def batch(*series: Any, step: int = SECONDS, times: Any = None, zone: str | None = None) -> Batch:
    """Series of values, a second apart, in microseconds."""
    offsets = np.cumsum([0, *map(len, series)]).astype(np.int64)
    values = np.concatenate([np.empty(0), *(np.asarray(one, np.float64) for one in series)])
    if times is None:
        times = np.concatenate([np.empty(0, np.int64), *(np.arange(len(one)) * step for one in series)])
    return Batch(offsets, np.asarray(times, np.int64), values, MICRO, zone)


def run(name: str, given: Batch, **options: Any) -> Answer:
    spec = FUNCTIONS[name]
    named = {
        key: Length.parse(value) if isinstance(value, str) and spec.option(key).kind == "length" else value
        for key, value in options.items()
    }
    return spec.run(given, spec.settled(named), Control())
