"""`with_rowid(t)`: the rows of a stored table with their row ids first, wherever a table may stand.

The call becomes the relation under which an engine offers a table's raw rows, and gets the table's own name as an alias, so
that `t.a` and `t._rowid` name its columns.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from luma_bench.errors import KadeQLUnsupportedError
from luma_bench.language.draft import Draft
from luma_bench.language.tokens import STRING, Tokens

ROWS_FUNCTION: Final = "with_rowid"
"""The function's name; case does not matter."""
PAST_SHAPE: Final = "Write the snapshot behind the brackets: FROM with_rowid(t) AT (VERSION => 3)."
_SHAPE: Final = "Write FROM with_rowid(t), where t is the name of a stored table."


class RowsCall(NamedTuple):
    """A call of `with_rowid` in tokens.

    Attributes
    ----------
    first, end
        The call, half-open.
    start, stop
        The table's name in it, with its schema, half-open.
    """

    first: int
    start: int
    stop: int
    end: int


def is_rows_call(tokens: Tokens, index: int, last: int) -> bool:
    """Whether the function's name stands at `index` with a bracket behind it."""
    named = tokens.is_name(index) and tokens.names[index].casefold() == ROWS_FUNCTION
    return named and tokens.follows(index + 1, last, "(")


def rows_call(draft: Draft, index: int) -> RowsCall | None:
    """The call at a token where a table stands; None when something else stands there.

    Raises
    ------
    KadeQLUnsupportedError
        What is in its brackets is no name of a table.
    """
    tokens, last = draft.tokens, draft.scope.last
    if index not in draft.scope.starts or not is_rows_call(tokens, index, last):
        return None
    close = tokens.closing(index + 1, last)
    start = index + 3 if tokens.follows(index + 2, close, "TABLE") else index + 2
    stop = start
    while stop < close and tokens.is_name(stop):
        stop += 1
        if stop + 1 >= close or tokens.words[stop] != ".":
            break
        stop += 1
    if stop == start or stop != close or tokens.words[stop - 1] == ".":
        raise KadeQLUnsupportedError(
            f"{ROWS_FUNCTION} takes the name of one stored table.",
            text=tokens.text,
            span=tokens.span(index + 2, close) if close > index + 2 else tokens.span(index, close + 1),
            hint=_hint(tokens, start, close),
        )
    return RowsCall(index, start, stop, close + 1)


def rows_call_before(draft: Draft, close: int) -> RowsCall | None:
    """The call that the bracket at `close` ends; None when that bracket ends something else."""
    tokens = draft.tokens
    index = close - 1
    while index > draft.scope.first and (tokens.is_name(index) or tokens.words[index] == "."):
        index -= 1
    found = rows_call(draft, index - 1) if index > draft.scope.first and tokens.words[index] == "(" else None
    return found if found is not None and found.end == close + 1 else None


def refuse_rows_value(draft: Draft, index: int) -> None:
    """Refuse a call at `index` that stands where a value does, or behind a schema."""
    tokens = draft.tokens
    if index in draft.scope.starts or (index > draft.scope.first and tokens.words[index - 1] == "INTO"):
        return
    raise KadeQLUnsupportedError(
        f"{ROWS_FUNCTION}(t) gives rows, so it stands as a table and without a schema.",
        text=tokens.text,
        span=tokens.span(index),
        hint="Write SELECT _rowid, * FROM with_rowid(t).",
    )


def no_row_ids(what: str, text: str, span: tuple[int, int]) -> KadeQLUnsupportedError:
    """The refusal of row ids of something that is no stored table."""
    return KadeQLUnsupportedError(
        f"{what}, which has no row ids.",
        text=text,
        span=span,
        hint=f"{ROWS_FUNCTION} takes a stored table; number other rows with row_number() OVER (ORDER BY …).",
    )


def _hint(tokens: Tokens, start: int, close: int) -> str:
    written = tokens.names[start] if start < close and tokens.words[start] == STRING else ""
    if written.isidentifier():
        return f"Write it without the single quotes: FROM with_rowid({written})."
    return _SHAPE
