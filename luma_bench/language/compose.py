"""Composing a query of pieces of the user's text in another order: an UPDATE's values before its tables, say.

Every piece remembers where it stands in the user's text, and text of our own stands for a place there too, so that
every caret points into what the user wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from luma_bench.language.draft import Draft
from luma_bench.language.placed import Query
from luma_bench.language.rewrite import OffsetMap, Segment, rewritten
from luma_bench.language.tokens import STRING


class Piece(NamedTuple):
    """Some text of a composed query, and what it stands for in the whole text.

    `cast` numbers the column whose type the piece casts to: such a piece is left out until the types are known, and
    `{}` in it becomes the type.
    """

    text: str
    start: int
    end: int
    verbatim: bool
    cast: int = -1


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of the user's text with its islands rewritten, and the `$names` in it."""

    pieces: tuple[Piece, ...]
    params: frozenset[str]
    span: tuple[int, int]


def excerpt(draft: Draft, first: int, last: int) -> Excerpt:
    """The tokens `first` up to, not with, `last` of a statement that was read."""
    tokens = draft.tokens
    start, end = tokens.span(first, last)
    edits = [edit for edit in draft.edits if start <= edit.start and edit.end <= end]
    sql, offsets = rewritten(tokens.text, start, end, edits)
    pieces = tuple(
        Piece(sql[item.new_start : item.new_end], item.old_start, item.old_end, item.verbatim)
        for item in offsets.segments
    )
    params = frozenset(
        tokens.names[index + 1]
        for index in range(first, last - 1)
        if tokens.words[index] == "$" and index not in draft.cut and tokens.words[index + 1] != STRING
    )
    return Excerpt(pieces, params, (start, end))


def own(text: str, place: tuple[int, int]) -> Piece:
    """Text of our own that stands for a place in the user's text."""
    return Piece(text, *place, False)


class Composer:
    """Collects the pieces of a query in the order in which it reads them."""

    __slots__ = ("_params", "_pieces", "_place")

    def __init__(self, place: tuple[int, int]) -> None:
        self._place = place
        self._pieces: list[Piece] = []
        self._params: set[str] = set()

    def own(self, text: str, place: tuple[int, int] | None = None, cast: int = -1) -> Composer:
        """Add text of our own, which stands for a place in the user's text, by default for where the last piece ends."""
        start, end = self._place if place is None else place
        self._pieces.append(Piece(text, start, end, False, cast))
        return self

    def add(self, taken: Excerpt) -> Composer:
        """Add a stretch of the user's text."""
        self._pieces += taken.pieces
        self._params |= taken.params
        self._place = (taken.span[1], taken.span[1])
        return self

    def value(self, taken: Excerpt, index: int) -> Composer:
        """Add an expression in brackets, to be cast to the type of column `index` once it is known."""
        self.own("CAST(", taken.span, index).own("(", taken.span).add(taken).own(")", taken.span)
        return self.own(" AS {})", taken.span, index)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """What was collected."""
        return tuple(self._pieces)

    @property
    def params(self) -> frozenset[str]:
        """The `$names` of everything that was collected."""
        return frozenset(self._params)

    def query(self, like: Query, types: Sequence[str] | None = None) -> Query:
        """The collected text as a query that reads what `like` reads; without `types` the casts are left out."""
        sql, offsets = composed(self._pieces, types)
        return replace(like, sql=sql, offsets=offsets, params=self.params, edits=())


def composed(pieces: Sequence[Piece], types: Sequence[str] | None = None) -> tuple[str, OffsetMap]:
    """The text of pieces, and the map from offsets in it to offsets in the user's whole text."""
    texts: list[str] = []
    segments: list[Segment] = []
    position = 0
    for piece in pieces:
        text = piece.text
        if piece.cast >= 0:
            if types is None:
                continue
            text = text.replace("{}", types[piece.cast])
        if not text:
            continue
        texts.append(text)
        segments.append(Segment(position, position + len(text), piece.start, piece.end, piece.verbatim))
        position += len(text)
    return "".join(texts), OffsetMap(tuple(segments))
