"""A blocked Bloom filter over key codes: one 64-bit word a key, in which five bits are set.

After Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007), with a block of one word, so that
asking costs one memory access. At ten bits a key about two in a hundred absent keys are taken for present; a present key
is never taken for absent.
"""

from __future__ import annotations

import numpy as np

from luma_bench.storage.key_hash import mixed, mixed_one

BITS_PER_KEY = 10
_BITS = 5
_SIX = (1 << 6) - 1
_MASK = (1 << 64) - 1


def build(codes: np.ndarray) -> np.ndarray:
    """The filter's words, uint64, for int64 codes."""
    hashes = probes(codes)
    words = np.zeros(max(1, -(-len(codes) * BITS_PER_KEY // 64)), np.uint64)
    np.bitwise_or.at(words, places(hashes, len(words)), patterns(hashes))
    return words


def probes(codes: np.ndarray) -> np.ndarray:
    """What is asked for each int64 code, whatever the filter's size."""
    return mixed(codes.view(np.uint64))


def places(hashes: np.ndarray, words: int) -> np.ndarray:
    """The word of each probe in a filter of so many words."""
    return (((hashes >> np.uint64(32)) * np.uint64(words)) >> np.uint64(32)).view(np.int64)


def patterns(hashes: np.ndarray) -> np.ndarray:
    """The bits of each probe in its word."""
    one, six = np.uint64(1), np.uint64(_SIX)
    found = one << (hashes & six)
    for i in range(1, _BITS):
        found |= one << ((hashes >> np.uint64(6 * i)) & six)
    return found


def probe_one(code: int) -> tuple[int, int]:
    """One code's probe: 32 bits that choose the word, and the bits in it."""
    found = mixed_one(code & _MASK)
    pattern = 0
    for i in range(_BITS):
        pattern |= 1 << ((found >> (6 * i)) & _SIX)
    return found >> 32, pattern
