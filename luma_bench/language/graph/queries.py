"""Queries made of a part of a pattern: a condition or expression about one element, or a value that none has a part in.

A part that reads a query of an enclosing WITH gets that WITH list in front, so that it means the same by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from luma_bench.errors import KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language.compose import Excerpt, Piece, composed, excerpt, own
from luma_bench.language.diagnostics import expected, judged
from luma_bench.language.draft import Draft
from luma_bench.language.graph.conditions import constant
from luma_bench.language.graph.pattern import ELEMENT
from luma_bench.language.graph.raw import Range
from luma_bench.language.placed import Query
from luma_bench.language.references import frame_end, with_entries
from luma_bench.language.tokens import Tokens
from luma_bench.types.schema import rows_relation
from luma_bench.types.sql_text import quoted, string_literal

_ROWS: Final = quoted(rows_relation(ELEMENT))


@dataclass(frozen=True, slots=True)
class _WithList:
    """A WITH list around a pattern: its tokens, of those entries that stand before the pattern, and the names they give.

    `later` are names that its other entries give, which hold or follow the pattern.
    """

    tokens: Range
    names: frozenset[str]
    later: frozenset[str]


class PartQueries:
    """Makes the queries of one pattern's parts.

    A `plain` part is a comparison or a property alone: no other grammar has to judge it.
    """

    __slots__ = ("_around", "_draft", "_lists", "contextual")

    def __init__(self, draft: Draft, index: int) -> None:
        self._draft = draft
        self._around = index
        self._lists: list[_WithList] | None = None
        # Whether a part reads a query of a WITH list around, so that equal texts may mean different things.
        self.contextual = False

    def rows(
        self, alias: str, part: Range, before: Sequence[Piece] = (), behind: str = "", *, plain: bool
    ) -> Query:
        """`SELECT alias._rowid FROM "__luma_rows_@element" AS alias WHERE (…)`; `before` and `behind` frame the part."""
        head = f"SELECT {quoted(alias)}._rowid FROM {_ROWS} AS {quoted(alias)} WHERE ("
        place = before[0].start if before else self._draft.tokens.span(*part)[0]
        return self._query(part, (own(head, (place, place)), *before), f"{behind})", place, plain=plain)

    def values(self, alias: str, part: Range, *, plain: bool) -> Query:
        """`SELECT alias._rowid, (…) AS value FROM "__luma_rows_@element" AS alias`."""
        head = f"SELECT {quoted(alias)}._rowid, ("
        tail = f") AS value FROM {_ROWS} AS {quoted(alias)}"
        return self._query(part, self._own(head, part), tail, plain=plain)

    def constant(self, part: Range) -> Query:
        """`SELECT (…) AS value`."""
        plain = constant(self._draft.tokens, *part) is not None
        return self._query(part, self._own("SELECT (", part), ") AS value", plain=plain)

    def word(self, index: int) -> Query:
        """`SELECT ('name') AS value` of a name that stands for itself, such as that of a column."""
        tokens = self._draft.tokens
        start, end = tokens.span(index)
        sql, offsets = composed(
            (own(f"SELECT ({string_literal(tokens.names[index])}) AS value", (start, end)),)
        )
        return Query(
            source=tokens.text[start:end], start=start, end=end, whole=tokens.text, sql=sql, offsets=offsets
        )

    def own(self, text: str, part: Range) -> Piece:
        """Text of our own that stands for some tokens."""
        return own(text, self._draft.tokens.span(*part))

    def _own(self, text: str, part: Range) -> tuple[Piece, ...]:
        start, _ = self._draft.tokens.span(*part)
        return (own(text, (start, start)),)

    def _query(
        self, part: Range, head: Sequence[Piece], tail: str, begin: int | None = None, *, plain: bool
    ) -> Query:
        tokens = self._draft.tokens
        start, end = tokens.span(*part)
        start = start if begin is None else begin
        inside = self._draft.inside(*part)
        taken = excerpt(inside, *part)
        drafts, lists = [inside], self._needed(inside, part)
        pieces: list[Piece] = []
        params = set(taken.params)
        for depth, item in enumerate(lists):
            around = self._draft.inside(*item.tokens)
            listed: Excerpt = excerpt(around, *item.tokens)
            drafts.append(around)
            if depth:
                pieces.append(own("SELECT * FROM (", (start, start)))
            pieces += (*listed.pieces, own(" ", (start, start)))
            params |= listed.params
        pieces += (*head, *taken.pieces, own(tail + ")" * max(len(lists) - 1, 0), (end, end)))
        sql, offsets = composed(pieces)
        try:
            if not plain:
                judged(sql, offsets, tokens.text, self._draft.inspector)
        except KadeQLSyntaxError as error:
            if error.span is None or error.span[0] < end:
                raise
            what = f"the rest of {tokens.slice(*part)}"
            raise expected(tokens, part[1], self._draft.scope.last, what, error.hint) from error
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

    def _needed(self, inside: Draft, part: Range) -> list[_WithList]:
        """The lists that a part reads, the outermost first."""
        wanted = {read.name.casefold() for read in inside.reads}
        if not wanted:
            return []
        if self._lists is None:
            self._lists = list(with_lists(self._draft.tokens, self._around))
        found: list[_WithList] = []
        for item in self._lists:
            if not wanted.isdisjoint(item.later - item.names):
                raise KadeQLUnsupportedError(
                    "A condition of a pattern cannot read the query that holds the pattern.",
                    text=self._draft.tokens.text,
                    span=self._draft.tokens.span(*part),
                    hint="Join the pattern's rows with that query: FROM r JOIN (MATCH … RETURN …) m ON …",
                )
            if wanted.isdisjoint(item.names):
                continue
            found.append(item)
            wanted -= item.names
            wanted |= {read.name.casefold() for read in self._draft.inside(*item.tokens).reads}
        self.contextual = self.contextual or bool(found)
        return found[::-1]


def with_lists(tokens: Tokens, index: int) -> Iterator[_WithList]:
    """The WITH lists whose queries a token can read, the innermost first."""
    first = index
    while first > 0 and tokens.words[first - 1] != ";":
        first -= 1
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
            yield _WithList((place, end), frozenset(names), frozenset(later))
