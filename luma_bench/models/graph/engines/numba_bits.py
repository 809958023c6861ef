"""Sets of vertices as bits, 64 to a word, with a bit for each word that may have any: marked, listed in order, cleared."""

from __future__ import annotations

from typing import Any

import numpy as np

from luma_bench.models.graph.engines.numba_compile import IDS, INT, WORDS, inner, kernel

_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_PLACES = np.zeros(64, np.int64)
for _place in range(64):
    _PLACES[(int(_DE_BRUIJN) << _place & 0xFFFFFFFFFFFFFFFF) >> 58] = _place


@inner
def lowest(bits: Any) -> Any:
    """The place of the lowest bit that is set (Leiserson, Prokop and Randall 1998)."""
    alone = bits & (~bits + np.uint64(1))
    return _PLACES[(alone * _DE_BRUIJN) >> np.uint64(58)]


@inner
def bit(place: Any) -> Any:
    """The bit of a place in its word."""
    return np.uint64(1) << np.uint64(place & 63)


@inner
def drain(words: Any, summary: Any, out: Any, end: Any) -> Any:
    """Put the members of a set behind `out[:end]`, ascending, and clear it; how many there are then."""
    for group in range(len(summary)):
        left = summary[group]
        if left:
            summary[group] = 0
            while left:
                word = (group << 6) + lowest(left)
                left &= left - np.uint64(1)
                held = words[word]
                words[word] = 0
                while held:
                    out[end] = (word << 6) + lowest(held)
                    end += 1
                    held &= held - np.uint64(1)
    return end


@inner
def listed(queue: Any, low: Any, high: Any, words: Any, summary: Any) -> None:
    """Sort `queue[low:high]`, which hold no vertex twice, by way of an empty set; for many of all vertices."""
    for place in range(low, high):
        word = queue[place] >> 6
        words[word] |= bit(queue[place])
        summary[word >> 6] |= bit(word)
    drain(words, summary, queue, low)


@inner
def ascending(queue: Any, low: Any, high: Any, words: Any, summary: Any) -> None:
    """Sort `queue[low:high]`, which hold no vertex twice; `words` and `summary` are an empty set before and after."""
    left = high - low + 64
    for number in range(low + 1, high):
        vertex = queue[number]
        place = number
        while place > low and queue[place - 1] > vertex:
            queue[place] = queue[place - 1]
            place -= 1
        queue[place] = vertex
        left -= number - place
        if left < 0:
            listed(queue, low, high, words, summary)
            return


@kernel(IDS, INT, WORDS)
def mark(vertices: Any, count: Any, words: Any) -> None:
    """Put the first vertices into a set without a summary."""
    for number in range(count):
        words[vertices[number] >> 6] |= bit(vertices[number])


@kernel(IDS, INT, WORDS)
def unmark(vertices: Any, count: Any, words: Any) -> None:
    """Clear a set without a summary whose members these vertices are."""
    for number in range(count):
        words[vertices[number] >> 6] = 0


@kernel(IDS, WORDS)
def members(out: Any, words: Any) -> None:
    """List a set without a summary, ascending, and clear it."""
    end = 0
    for word in range(len(words)):
        held = words[word]
        if held:
            words[word] = 0
            while held:
                out[end] = (word << 6) + lowest(held)
                end += 1
                held &= held - np.uint64(1)


@kernel(IDS, INT, INT, WORDS, WORDS)
def sort(queue: Any, low: Any, high: Any, words: Any, summary: Any) -> None:
    """`listed` as a call of its own."""
    listed(queue, low, high, words, summary)
