"""Rewriting with memory: edits of a stretch of the user's text, and the map from the new text's offsets back to it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Edit(NamedTuple):
    """Replace `text[start:end]` (offsets in the whole text) by `replacement`."""

    start: int
    end: int
    replacement: str


class Segment(NamedTuple):
    """A stretch of the rewritten text: `new` and `old` are half-open; a verbatim one maps offset by offset."""

    new_start: int
    new_end: int
    old_start: int
    old_end: int
    verbatim: bool


@dataclass(frozen=True, slots=True)
class OffsetMap:
    """From offsets in a rewritten text to offsets in the user's whole text.

    An offset inside a replacement maps to the start of what was replaced; a span that touches one covers all of it.
    """

    segments: tuple[Segment, ...]

    @classmethod
    def verbatim(cls, start: int, end: int) -> OffsetMap:
        """The map of a text that is `whole[start:end]` unchanged."""
        return cls((Segment(0, end - start, start, end, True),))

    def to_source(self, offset: int) -> int:
        """The place in the whole text of one offset in the rewritten text; offsets outside are clamped."""
        segment = self._at(offset)
        if segment.verbatim:
            return min(
                max(segment.old_start + offset - segment.new_start, segment.old_start), segment.old_end
            )
        return segment.old_end if offset >= segment.new_end else segment.old_start

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The half-open place in the whole text of a half-open place in the rewritten text, never inside out."""
        begin = self.to_source(start)
        last = self._at(max(end - 1, start))
        if last.verbatim:
            stop = min(last.old_start + max(end, start) - last.new_start, last.old_end)
        else:
            stop = last.old_end
        return begin, max(begin, stop)

    def shifted(self, count: int, origin: int) -> OffsetMap:
        """The map of the same text behind `count` new characters, which stand for the user's text from `origin` on."""
        moved = [Segment(a + count, b + count, c, d, same) for a, b, c, d, same in self.segments]
        prefix = Segment(0, count, origin, max(origin, self.segments[0].old_start), False)
        return OffsetMap((prefix, *moved))

    def behind(self, later: OffsetMap) -> OffsetMap:
        """The map of a text that was made of this map's text, where `later` is the map from the one to the other."""
        segments: list[Segment] = []
        for segment in later.segments:
            if not segment.verbatim:
                old = self.span(segment.old_start, segment.old_end)
                segments.append(Segment(segment.new_start, segment.new_end, *old, False))
                continue
            for own in self.segments:
                first, last = max(own.new_start, segment.old_start), min(own.new_end, segment.old_end)
                if first >= last:
                    continue
                new = segment.new_start + first - segment.old_start
                old = (own.old_start, own.old_end)
                if own.verbatim:
                    old = (own.old_start + first - own.new_start, own.old_start + last - own.new_start)
                segments.append(Segment(new, new + last - first, *old, own.verbatim))
        return OffsetMap(tuple(segments))

    def _at(self, offset: int) -> Segment:
        index = bisect_right(self.segments, offset, key=_new_start) - 1
        return self.segments[max(index, 0)]


def _new_start(segment: Segment) -> int:
    return segment.new_start


def rewritten(text: str, start: int, end: int, edits: Iterable[Edit]) -> tuple[str, OffsetMap]:
    """`text[start:end]` with the edits made, which do not overlap, and the map back to `text`."""
    pieces: list[str] = []
    segments: list[Segment] = []
    old = start
    new = 0

    def add(piece: str, old_end: int, verbatim: bool) -> None:
        nonlocal old, new
        if piece:
            pieces.append(piece)
            segments.append(Segment(new, new + len(piece), old, old_end, verbatim))
            new += len(piece)
        old = old_end

    for edit in sorted(edits):
        add(text[old : edit.start], edit.start, True)
        add(edit.replacement, edit.end, False)
    add(text[old:end], end, True)
    return "".join(pieces), OffsetMap(tuple(segments) or OffsetMap.verbatim(start, end).segments)
