"""RETURNING: a query over the rows that a statement wrote or took away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from luma_bench.errors import KadeQLBindError
from luma_bench.language.compose import Composer, Excerpt, excerpt
from luma_bench.language.draft import Draft
from luma_bench.language.graph.recognise import opens_query
from luma_bench.language.placed import Query
from luma_bench.language.query import found_query
from luma_bench.language.refusals import Refusal
from luma_bench.language.tokens import Tokens, listed
from luma_bench.types.inspector import SqlInspector

RETURNED: Final = "__luma_returned"
"""The relation of the rows, with every column of the table."""
MARKS: Final = "__luma_marks"
"""The relation beside it, row by row: `MARK`, and behind MERGE `merge_action`."""
MARK: Final = "__luma_mark"
"""A column that is always the last of the query: an aggregate beside it is an error."""
MERGE_ACTION: Final = "merge_action"

_NO_SUBQUERY: Final = Refusal(
    "A subquery in RETURNING",
    "is refused: it would leave open whether it reads the rows before or after the change",
    "Read in a statement of its own, with both inside BEGIN … COMMIT.",
)
_NO_COLUMNS: Final = Refusal(
    "COLUMNS(…) in RETURNING",
    "is not served: it would match columns that are the bench's own",
    "Name the columns: RETURNING a, b, or RETURNING * EXCLUDE (c).",
)
_NO_WINDOW: Final = Refusal(
    "A window function",
    "is refused here",
    "Compute it in a query first: UPDATE t SET a = n FROM (SELECT id, row_number() OVER () AS n FROM t) s WHERE s.id = t.id.",
)


@dataclass(frozen=True, slots=True)
class Returning:
    """The list behind RETURNING.

    Attributes
    ----------
    query
        Selects the list and, last, `MARK`, from `RETURNED` under the table's name beside `MARKS`.
    span
        The list, in the whole text.
    """

    query: Query
    span: tuple[int, int]


def returning_at(tokens: Tokens, first: int, last: int) -> int:
    """The token RETURNING of a statement, outside of every bracket; `last` when it has none."""
    depth = 0
    for index in range(first, last):
        word = tokens.words[index]
        depth += (word in ("(", "[", "{")) - (word in (")", "]", "}"))
        if depth == 0 and word == "RETURNING" and tokens.words[index - 1] not in ("AS", "."):
            return index
    return last


def returning(draft: Draft, at: int, last: int, shown: str, inspector: SqlInspector) -> Returning | None:
    """The RETURNING clause at token `at`, None at the end of the statement; the rows' table is called `shown` in it.

    Raises
    ------
    KadeQLUnsupportedError
        The list holds a subquery or a window function.
    """
    if at >= last:
        return None
    tokens = draft.tokens
    refuse_windows(draft, at + 1, last)
    for index in range(at + 1, last - 1):
        if tokens.words[index] == "(" and opens_query(tokens, index + 1, last):
            raise _NO_SUBQUERY.error(tokens.text, tokens.span(index, tokens.closing(index, last) + 1))
        if tokens.words[index] == "COLUMNS" and tokens.words[index + 1] == "(":
            raise _NO_COLUMNS.error(tokens.text, tokens.span(index, tokens.closing(index + 1, last) + 1))
    composer = Composer(tokens.span(at)).own("SELECT ")
    for number, (start, stop) in enumerate(listed(tokens, at + 1, last)):
        if number:
            composer.own(", ")
        if tokens.words[start] == "*":
            # The marks beside the rows are none of the user's columns.
            composer.own(f"{shown}.", tokens.span(start))
        composer.add(excerpt(draft, start, stop))
    end = tokens.span(last - 1)
    composer.own(f', "{MARK}" FROM "{RETURNED}" AS {shown} POSITIONAL JOIN "{MARKS}"', (end[1], end[1]))
    query = found_query(draft, composer.pieces, composer.params, inspector, names=frozenset())
    return Returning(query, tokens.span(at + 1, last))


def refuse_windows(draft: Draft, first: int, last: int) -> None:
    """Refuse a window function at tokens `first` to `last`, but for those inside of a subquery.

    Raises
    ------
    KadeQLUnsupportedError
        There is one; it points at OVER.
    """
    tokens = draft.tokens
    index = first
    while index < last:
        word = tokens.words[index]
        if word == "(" and opens_query(tokens, index + 1, last):
            index = tokens.closing(index, last)
        elif word == "OVER" and index > first and tokens.words[index - 1] == ")":
            raise _NO_WINDOW.error(tokens.text, tokens.span(index))
        index += 1


def aggregate_error(query: Query, span: tuple[int, int]) -> KadeQLBindError:
    """An aggregate where each changed row gives a row of its own."""
    return KadeQLBindError(
        "An aggregate cannot stand in RETURNING.",
        text=query.whole,
        span=span,
        hint="RETURNING gives one row for each changed row; count or sum them in what you receive.",
    )


def behind_with(draft: Draft, verb: int) -> Excerpt | None:
    """The WITH list in front of the statement's verb."""
    return excerpt(draft, draft.scope.first, verb) if verb > draft.scope.first else None
