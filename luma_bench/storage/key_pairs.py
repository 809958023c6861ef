"""Joining two sorted lists of codes."""

from __future__ import annotations

import numpy as np


def pairs(codes: np.ndarray, rows: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of equal codes in two sorted arrays: places in `wanted`, and the `rows` that belong to `codes`."""
    if not len(codes) or not len(wanted):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    left = np.searchsorted(codes, wanted, "left")
    found = np.flatnonzero(codes[np.minimum(left, len(codes) - 1)] == wanted)
    left = left[found]
    following = np.minimum(left + 1, len(codes) - 1)
    if np.any((codes[following] == codes[left]) & (following > left)):
        # A code that is there more than once: a key's older rows, or different keys with one hash.
        counts = np.searchsorted(codes, wanted[found], "right") - left
        if not np.all(counts == 1):
            found = np.repeat(found, counts)
            runs = np.arange(len(found)) - np.repeat(np.cumsum(counts) - counts, counts)
            left = np.repeat(left, counts) + runs
    return found, rows[left].astype(np.int64, copy=False)
