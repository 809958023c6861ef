"""A heap of four children a node, of keys and vertices in two arrays that their owner makes larger."""

from __future__ import annotations

from typing import Any

import numpy as np

from luma_bench.models.graph.engines.numba_compile import inner

FIRST = 1024
"""Entries that a new heap has room for."""


@inner
def push(keys: Any, values: Any, size: Any, key: Any, value: Any) -> Any:
    """Put an entry in; there is room for it."""
    place = size
    while place > 0:
        above = (place - 1) >> 2
        if keys[above] <= key:
            break
        keys[place] = keys[above]
        values[place] = values[above]
        place = above
    keys[place] = key
    values[place] = value
    return size + 1


@inner
def pop(keys: Any, values: Any, size: Any) -> Any:
    """Take the first entry, which the caller has read, out."""
    size -= 1
    key = keys[size]
    value = values[size]
    place = 0
    while True:
        child = 4 * place + 1
        if child + 3 >= size:
            break
        # The least of four without a branch: which it is cannot be foreseen.
        one = child + (keys[child + 1] < keys[child])
        other = child + 2 + (keys[child + 3] < keys[child + 2])
        least = one + (keys[other] < keys[one]) * (other - one)
        if keys[least] >= key:
            break
        keys[place] = keys[least]
        values[place] = values[least]
        place = least
    child = 4 * place + 1
    if child < size:
        least = child
        for other in range(child + 1, min(child + 4, size)):
            if keys[other] < keys[least]:
                least = other
        if keys[least] < key:
            keys[place] = keys[least]
            values[place] = values[least]
            place = least
    keys[place] = key
    values[place] = value
    return size


@inner
def roomy(array: Any, size: Any) -> Any:
    """The array, or one of twice its length with the same entries when it is full."""
    if size < len(array):
        return array
    larger = np.empty(2 * len(array), array.dtype)
    larger[:size] = array
    return larger
