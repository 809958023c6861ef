"""ULIDs: 26 characters that sort by the time they were made, and never repeat (github.com/ulid/spec)."""

from __future__ import annotations

import secrets
import threading
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BITS = 80


def encode(value: int) -> str:
    """A 128-bit number as 26 Crockford base32 characters, most significant first."""
    return "".join(ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))


class UlidSource:
    """Makes ULIDs: 48 bits of milliseconds since the epoch, then 80 random bits.

    Strictly increasing for one source, also when the clock stands still or goes back: the last number is counted up
    then. Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def __call__(self) -> str:
        """The next ULID."""
        fresh = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        with self._lock:
            if fresh >> _RANDOM_BITS <= self._last >> _RANDOM_BITS:
                fresh = self._last + 1
            self._last = fresh
        return encode(fresh)
