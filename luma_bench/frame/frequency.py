"""Lengths of time as pandas writes them: `15min`, `2h`, `D`."""

from __future__ import annotations

import datetime as dt
import re

from luma_bench.errors import UnsupportedError

_LENGTHS = {
    "us": 1,
    "ms": 1_000,
    "s": 1_000_000,
    "min": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
}


def step_of(freq: object) -> int:
    """A fixed length of time in microseconds: a text such as '15min', or a timedelta.

    Raises
    ------
    UnsupportedError
        It is no length, not above zero, or one that months make longer or shorter.
    """
    if isinstance(freq, dt.timedelta):
        length = freq // dt.timedelta(microseconds=1)
    else:
        found = re.fullmatch(r"(\d*)\s*([A-Za-zµ]+)", str(freq))
        unit = None if found is None else _LENGTHS.get(found[2].replace("µs", "us").lower())
        if found is None or unit is None:
            raise UnsupportedError(
                f"{freq!r} is no fixed length of time.",
                hint="Write 'D', 'h', '15min', 's', 'ms' or 'us', with a number before it.",
            )
        length = int(found[1] or 1) * unit
    if length <= 0:
        raise UnsupportedError(f"The length {freq!r} is not above zero.", hint="Give a positive one.")
    return length
