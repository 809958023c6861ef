"""Rule 6: TIME RESPECTING is held while edges are walked, so that no journey is made that would be thrown away.

Before: every path of `{1,4}` edges, then a filter on their times. After: an edge is taken only after the one before it.
"""

from __future__ import annotations

from luma_bench.plan.graph.bound import BoundPath


def timed(path: BoundPath) -> bool:
    """Whether a searched path carries times."""
    return path.times is not None
