"""How many examples the longest property tests draw: a share of them each time, all of them in `make test-all`."""

from __future__ import annotations

import os

ALL = os.environ.get("LUMA_EXAMPLES") == "random"


def drawn(most: int) -> int:
    """Of `most` examples, how many this run draws: two in five, but eight at least."""
    return most if ALL else min(most, max(8, most * 2 // 5))
