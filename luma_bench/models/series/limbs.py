"""Whole numbers of 128 bits: int64 of shape (n, 2), low limb first, which is the buffer of a decimal128."""

from __future__ import annotations

from typing import Any

import numpy as np

from luma_bench.models.series.runs import Array, Ints


def of_halves(high: Ints, low: Ints) -> Ints:
    """`high` * 2**32 + `low`, with 0 <= low < 2**32."""
    limbs = np.empty((len(high), 2), np.int64)
    limbs[:, 0] = (high << np.int64(32)) | low
    limbs[:, 1] = high >> np.int64(32)
    return limbs


def reals(limbs: Array) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The nearest floats, but for the last bit of what is beyond 64 bits."""
    low, high = np.ascontiguousarray(limbs[:, 0]), limbs[:, 1]
    # Of a small negative number both limbs are huge as floats, and nothing of it would be left in their sum.
    wide = high.astype(np.float64) * 2.0**64 + low.view(np.uint64).astype(np.float64)
    return np.where(high == low >> 63, low.astype(np.float64), wide)
