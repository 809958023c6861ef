"""FILL ( … ): what stands in empty buckets, one for all aggregates or one for each."""

from __future__ import annotations

from typing import Final

from luma_bench.errors import KadeQLUnsupportedError, nearest
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.series.columns import is_column
from luma_bench.language.series.inputs import constant_of
from luma_bench.language.series.pattern import Fill
from luma_bench.language.tokens import listed

SHAPE: Final = "Write FILL(NULL | PREV [IGNORE NULLS] | LINEAR | NONE | a value), one for all aggregates or one for each, with commas."
_KINDS: Final = ("NULL", "PREV", "LINEAR", "NONE")


def read_fills(draft: Draft, cursor: Cursor) -> tuple[Fill, ...]:
    """Step over FILL ( … ), whose FILL stands at the cursor.

    Raises
    ------
    KadeQLSyntaxError
        It is empty or misspelt.
    KadeQLUnsupportedError
        It fills from another column.
    """
    tokens, opening = cursor.tokens, cursor.index + 1
    close = tokens.closing(opening, cursor.end)
    ranges = listed(tokens, opening + 1, close)
    if not ranges or any(first == last for first, last in ranges):
        cursor.index = next((first for first, last in ranges if first == last), close)
        raise cursor.expected("what to fill with", SHAPE)
    cursor.index = close + 1
    return tuple(_fill(draft, first, last, cursor.stop) for first, last in ranges)


def _fill(draft: Draft, first: int, last: int, stop: int) -> Fill:
    tokens = draft.tokens
    span = tokens.span(first, last)
    given = Cursor(tokens, first, last, stop)
    if tokens.follows(first, last, "PREV", "("):
        raise KadeQLUnsupportedError(
            "A column is filled with its own last value, not with that of another one.",
            text=tokens.text,
            span=span,
            hint="Write PREV, and coalesce the two columns in a SELECT around: coalesce(a, b).",
        )
    if given.accept("PREV"):
        ignoring = given.accept("IGNORE", "NULLS")
        if not given.done:
            raise given.expected("IGNORE NULLS, a comma or ) behind PREV", SHAPE)
        return Fill("prev", ignore_nulls=ignoring, span=span)
    if last - first == 1:
        if given.word == "NULL":
            return Fill("null", span=span)
        if given.word == "LINEAR":
            return Fill("linear", span=span)
        if given.word == "NONE":
            return Fill("none", span=span)
        if is_column(tokens, first, last):
            near = nearest(given.word, _KINDS, 1)
            hint = f"Did you mean {near[0]}? {SHAPE}" if near else SHAPE
            raise given.expected("NULL, PREV, LINEAR, NONE or a value", hint)
    return Fill("value", constant_of(draft, first, last), span=span)
