"""Columns that are no times, in order all the same: as whole numbers that compare as the values do."""

from __future__ import annotations

from typing import Any

import numpy as np

from luma_bench.models.series.runs import Array, Ints

_BELOW_SIGN = (1 << 63) - 1


def of_reals(values: Array) -> Ints:
    """Floats as int64 in the same order: -0 is 0, and NaN, which equals itself, stands above every number."""
    held = values.astype(np.float64) + 0.0
    held[np.isnan(held)] = np.nan
    bits = held.view(np.int64)
    # The bits of negative floats count down.
    bits ^= (bits >> 63) & _BELOW_SIGN
    return bits


def to_reals(ordinals: Ints) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The floats of `of_reals`."""
    return (ordinals ^ ((ordinals >> 63) & _BELOW_SIGN)).view(np.float64)


def scaled(values: Ints, factor: int) -> Ints:
    """Times in a finer unit; what would leave int64 stops at its ends."""
    if factor == 1:
        return values
    least, most = -((1 << 63) // factor), ((1 << 63) - 1) // factor
    made = np.clip(values, least, most) * factor
    made[values > most] = (1 << 63) - 1
    made[values < least] = -(1 << 63)
    return made
