"""As-of matches by looking at every right row: what the kernel and whole statements are held against."""

from __future__ import annotations

from typing import Any

from luma_bench.models.series.asof import Way


def one_by_one(left: list[Any], right: list[Any], way: Way) -> list[int]:
    """The match of each (series, time), by looking at every right row."""
    found: list[int] = []
    for series, moment in left:
        best: tuple[Any, ...] | None = None
        for place, (other, there) in enumerate(right):
            fits = {
                "backward": there <= moment,
                "forward": there >= moment,
                "nearest": True,
            }[way.direction]
            if other != series or not fits or (way.strict and there == moment):
                continue
            rank = (abs(moment - there), there > moment, place if way.first else -place)
            if best is None or rank < best[0]:
                best = (rank, place)
        far = best is not None and way.tolerance is not None and best[0][0] > way.tolerance
        found.append(-1 if best is None or far else best[1])
    return found
