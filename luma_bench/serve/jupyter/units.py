"""Places in a text as browsers count them (UTF-16 code units) and as Python does (code points)."""

from __future__ import annotations

import re
from bisect import bisect_left

_HALF = re.compile("[\ud800-\udfff]")


class Units:
    """Converts offsets of one text, both ways; below the astral planes they are the same.

    Parameters
    ----------
    text
        The text that the offsets point into.
    """

    __slots__ = ("_astral", "_first_units", "_length")

    def __init__(self, text: str) -> None:
        self._length = len(text)
        wide = not text.isascii() and max(text) > "\uffff"
        # The code points that take two units, and where each of them begins in units.
        self._astral = [at for at, char in enumerate(text) if char > "\uffff"] if wide else []
        self._first_units = [at + before for before, at in enumerate(self._astral)]

    def point(self, units: int) -> int:
        """The code point at an offset in units, within the text; for one inside of a pair, the pair's own."""
        return max(0, min(units - bisect_left(self._first_units, units), self._length))

    def units(self, point: int) -> int:
        """The offset in units of a code point."""
        return point + bisect_left(self._astral, point)


def whole(text: str) -> str:
    """The text with halves of surrogate pairs, which UTF-8 cannot hold, as U+FFFD; offsets stay as they are."""
    return text if text.isascii() else _HALF.sub("\ufffd", text)
