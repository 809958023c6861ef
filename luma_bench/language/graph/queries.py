"""Queries made of a part of a pattern: a condition or expression about one element, or a value that none has a part in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from luma_bench.language.compose import Piece, composed, own
from luma_bench.language.draft import Draft
from luma_bench.language.graph.conditions import constant
from luma_bench.language.graph.pattern import ELEMENT
from luma_bench.language.graph.raw import Range
from luma_bench.language.part_queries import PartQueries
from luma_bench.language.placed import Query
from luma_bench.language.refusals import Refusal
from luma_bench.types.schema import rows_relation
from luma_bench.types.sql_text import quoted, string_literal

_ROWS: Final = quoted(rows_relation(ELEMENT))
_CIRCLE: Final = Refusal(
    "A condition of a pattern",
    "cannot read the query that holds the pattern",
    "Join the pattern's rows with that query: FROM r JOIN (MATCH … RETURN …) m ON …",
)


class PatternQueries(PartQueries):
    """Makes the queries of one pattern's parts.

    A `plain` part is a comparison or a property alone: no other grammar has to judge it.
    """

    __slots__ = ()

    def __init__(self, draft: Draft, index: int) -> None:
        super().__init__(draft, index, _CIRCLE)

    def rows(
        self, alias: str, part: Range, before: Sequence[Piece] = (), behind: str = "", *, plain: bool
    ) -> Query:
        """`SELECT alias._rowid FROM "__luma_rows_@element" AS alias WHERE (…)`; `before` and `behind` frame the part."""
        head = f"SELECT {quoted(alias)}._rowid FROM {_ROWS} AS {quoted(alias)} WHERE ("
        place = before[0].start if before else self.draft.tokens.span(*part)[0]
        return self.expression(part, (own(head, (place, place)), *before), f"{behind})", plain=plain)

    def values(self, alias: str, part: Range, *, plain: bool) -> Query:
        """`SELECT alias._rowid, (…) AS value FROM "__luma_rows_@element" AS alias`."""
        head = f"SELECT {quoted(alias)}._rowid, ("
        tail = f") AS value FROM {_ROWS} AS {quoted(alias)}"
        return self.expression(part, (self.before(head, part),), tail, plain=plain)

    def constant(self, part: Range) -> Query:
        """`SELECT (…) AS value`."""
        plain = constant(self.draft.tokens, *part) is not None
        return self.expression(part, (self.before("SELECT (", part),), ") AS value", plain=plain)

    def word(self, index: int) -> Query:
        """`SELECT ('name') AS value` of a name that stands for itself, such as that of a column."""
        tokens = self.draft.tokens
        start, end = tokens.span(index)
        sql, offsets = composed(
            (own(f"SELECT ({string_literal(tokens.names[index])}) AS value", (start, end)),)
        )
        return Query(
            source=tokens.text[start:end], start=start, end=end, whole=tokens.text, sql=sql, offsets=offsets
        )

    def own(self, text: str, part: Range) -> Piece:
        """Text of our own that stands for some tokens."""
        return own(text, self.draft.tokens.span(*part))
