"""Queries made of parts of a text: a condition of a pattern, the rows that a construct about series reads, an interval.

A part that reads a query of an enclosing WITH gets that WITH list in front, so that it means the same by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from luma_bench.errors import KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language.compose import Piece, composed, excerpt, own
from luma_bench.language.diagnostics import expected, judged
from luma_bench.language.draft import Draft
from luma_bench.language.placed import Query
from luma_bench.language.references import frame_end, with_entries
from luma_bench.language.refusals import Refusal
from luma_bench.language.tokens import Tokens

Range = tuple[int, int]
"""Half-open tokens."""


@dataclass(frozen=True, slots=True)
class WithList:
    """A WITH list around a part: its tokens, of those entries that stand before the part, and the names they give.

    `later` are names that its other entries give, which hold or follow the part.
    """

    tokens: Range
    names: frozenset[str]
    later: frozenset[str]


class Taken(NamedTuple):
    """Tokens `first` up to, not with, `last` of the text, as `draft` has read them."""

    draft: Draft
    first: int
    last: int


class PartQueries:
    """Makes the queries of the parts of one construct.

    Parameters
    ----------
    around
        A token of the construct: the WITH lists that it can read are those of the parts.
    circle
        What is said of a part that reads the query that holds it.
    """

    __slots__ = ("_around", "_circle", "_lists", "contextual", "draft")

    def __init__(self, draft: Draft, around: int, circle: Refusal) -> None:
        self.draft = draft
        self._around = around
        self._circle = circle
        self._lists: list[WithList] | None = None
        # Whether a part reads a query of a WITH list around, so that equal texts may mean different things.
        self.contextual = False

    def made(self, pieces: Iterable[Piece | Taken], place: Range, *, plain: bool) -> Query:
        """The query of some pieces, with the WITH lists that they read before it.

        Parameters
        ----------
        place
            The tokens that it is the query of.
        plain
            Nothing but names and constants: no other grammar has to judge it.

        Raises
        ------
        KadeQLSyntaxError
            It does not parse.
        KadeQLUnsupportedError
            It reads the query that it stands in.
        """
        tokens = self.draft.tokens
        start, end = tokens.span(*place)
        drafts: list[Draft] = []
        body: list[Piece] = []
        params: set[str] = set()
        for piece in pieces:
            if isinstance(piece, Taken):
                taken = excerpt(*piece)
                drafts.append(piece.draft)
                body += taken.pieces
                params |= taken.params
            else:
                body.append(piece)
        start = min(start, body[0].start)
        lists = self._needed(drafts, place)
        opening: list[Piece] = []
        for depth, item in enumerate(lists):
            around = self.draft.listed(*item.tokens)
            listed = excerpt(around, *item.tokens)
            drafts.append(around)
            if depth:
                opening.append(own("SELECT * FROM (", (start, start)))
            opening += (*listed.pieces, own(" ", (start, start)))
            params |= listed.params
        closing = own(")" * max(len(lists) - 1, 0), (end, end))
        sql, offsets = composed((*opening, *body, closing))
        try:
            if not plain:
                judged(sql, offsets, tokens.text, self.draft.inspector)
        except KadeQLSyntaxError as error:
            if error.span is None or error.span[0] < end:
                raise
            what = f"the rest of {tokens.slice(*place)}"
            raise expected(tokens, place[1], self.draft.scope.last, what, error.hint) from error
        given = frozenset(name for item in lists for name in item.names)
        return Query(
            source=tokens.text[start:end],
            start=start,
            end=end,
            whole=tokens.text,
            sql=sql,
            offsets=offsets,
            params=frozenset(params),
            names=frozenset(name for draft in drafts for name in draft.names()),
            reads=tuple(
                read for draft in drafts for read in draft.reads if read.name.casefold() not in given
            ),
            pins=tuple({pin.alias: pin for draft in drafts for pin in draft.pins}.values()),
            volatile=any(draft.volatile for draft in drafts),
            sequences=tuple(use for draft in drafts for use in draft.sequences),
            islands=tuple({item.alias: item for draft in drafts for item in draft.islands}.values()),
        )

    def expression(self, part: Range, head: Sequence[Piece], tail: str, *, plain: bool) -> Query:
        """`head`, the expression that stands at some tokens, and `tail`."""
        place = self.draft.tokens.span(*part)[1]
        inside = self.draft.inside(*part)
        return self.made((*head, Taken(inside, *part), own(tail, (place, place))), part, plain=plain)

    def before(self, text: str, part: Range) -> Piece:
        """Text of our own before some tokens."""
        start, _ = self.draft.tokens.span(*part)
        return own(text, (start, start))

    def gives(self, name: str) -> bool:
        """Whether a WITH list around gives a name, casefolded."""
        return any(name in item.names or name in item.later for item in self._around_lists())

    def _around_lists(self) -> list[WithList]:
        if self._lists is None:
            self._lists = list(with_lists(self.draft.tokens, self._around))
        return self._lists

    def _needed(self, drafts: Iterable[Draft], place: Range) -> list[WithList]:
        """The lists that a part reads, the outermost first."""
        wanted = {read.name.casefold() for draft in drafts for read in draft.reads}
        if not wanted:
            return []
        found: list[WithList] = []
        for item in self._around_lists():
            if not wanted.isdisjoint(item.later - item.names):
                tokens = self.draft.tokens
                raise KadeQLUnsupportedError(
                    f"{self._circle.what} {self._circle.why}.",
                    text=tokens.text,
                    span=tokens.span(*place),
                    hint=self._circle.instead,
                )
            if wanted.isdisjoint(item.names):
                continue
            found.append(item)
            wanted -= item.names
            wanted |= {read.name.casefold() for read in self.draft.listed(*item.tokens).reads}
        self.contextual = self.contextual or bool(found)
        return found[::-1]


def with_lists(tokens: Tokens, index: int) -> Iterator[WithList]:
    """The WITH lists whose queries a token can read, the innermost first."""
    first = index
    while first > 0 and tokens.words[first - 1] != ";":
        first -= 1
    if "WITH" not in tokens.words[first:index]:
        return
    for place in range(index - 1, first - 1, -1):
        if tokens.words[place] != "WITH" or frame_end(tokens, place, len(tokens)) <= index:
            continue
        recursive = tokens.follows(place + 1, len(tokens), "RECURSIVE")
        names: set[str] = set()
        later: set[str] = set()
        end = place
        for name, body, close in with_entries(tokens, place, len(tokens)):
            if close < index:
                names.add(name)
                end = close + 1
            elif recursive and body < index:
                later.add(name)
        if names or later:
            yield WithList((place, end), frozenset(names), frozenset(later))
