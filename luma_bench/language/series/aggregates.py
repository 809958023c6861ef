"""Aggregate calls: which functions are aggregates, where they stand, and what each is called with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from luma_bench.language.draft import Draft
from luma_bench.language.graph.aggregates import AGGREGATES as ENGINE_AGGREGATES
from luma_bench.language.graph.shadows import is_subquery
from luma_bench.language.keywords import split
from luma_bench.language.result_names import engine_name
from luma_bench.language.rewrite import Edit
from luma_bench.language.series.blocks import block_at
from luma_bench.language.series.columns import Mention, mentions
from luma_bench.language.series.inputs import constant_of
from luma_bench.language.series.pattern import Constant, Name
from luma_bench.language.tokens import Tokens, listed
from luma_bench.types.sql_text import quoted

AGGREGATES: Final = ENGINE_AGGREGATES | frozenset(
    split("""
    increase rate delta prom_rate prom_increase derivative integral time_weight twap vwap ohlc dd_quantile
    """)
)
"""The engine's aggregate functions and those of series, casefolded."""
ORDERED: Final = {"first": "arg_min", "last": "arg_max"}
"""Aggregates that take a time behind their value, with the engine's names for them."""
_LEAD_TABLES: Final = frozenset({"FROM", "JOIN", "LATERAL", "TABLE", "AS", "MATERIALIZED"})
COUNT_STAR: Final = "count_star"


@dataclass(frozen=True, slots=True)
class Call:
    """An aggregate call, no window function.

    Attributes
    ----------
    name
        Casefolded.
    first, last
        Its tokens, half-open, with FILTER and WITHIN GROUP.
    closing
        Its own closing bracket.
    modified
        Whether it has DISTINCT, ORDER BY, FILTER or the like.
    """

    name: str
    first: int
    last: int
    closing: int
    modified: bool


def calls(tokens: Tokens, first: int, last: int) -> list[Call]:
    """The aggregate calls between two tokens, outside of subqueries; those inside of window functions too."""
    found: list[Call] = []
    index = first
    while index < last:
        if tokens.words[index] == "(" and is_subquery(tokens, index, last):
            index = tokens.closing(index, last) + 1
            continue
        call = call_at(tokens, index, last)
        if call is not None:
            found.append(call)
            index = call.last
        else:
            index += 1
    return found


def call_at(tokens: Tokens, index: int, last: int) -> Call | None:
    """The aggregate call that begins at a token; None for anything else, a window function too."""
    name = tokens.names[index].casefold()
    if name not in AGGREGATES or not tokens.is_name(index) or not tokens.follows(index + 1, last, "("):
        return None
    if index and tokens.words[index - 1] == ".":
        return None
    closing = tokens.closing(index + 1, last)
    modified = tokens.words[index + 2] in ("DISTINCT", "ALL") or _sorted(tokens, index + 2, closing)
    end = closing + 1
    while True:
        if tokens.follows(end, last, "WITHIN", "GROUP", "("):
            end = tokens.closing(end + 2, last) + 1
        elif tokens.follows(end, last, "FILTER", "("):
            end = tokens.closing(end + 1, last) + 1
        elif tokens.follows(end, last, "EXPORT_STATE"):
            end += 1
        else:
            break
        modified = True
    return None if tokens.follows(end, last, "OVER") else Call(name, index, end, closing, modified)


def has_window(tokens: Tokens, first: int, last: int) -> bool:
    """Whether a window function stands between two tokens."""
    return any(
        tokens.words[index] == "OVER" and tokens.words[index - 1] == ")" for index in range(first + 1, last)
    )


def arguments(
    draft: Draft, call: Call, column: Callable[[Mention], str | None]
) -> tuple[str, tuple[Name | Constant, ...] | None]:
    """The function that a call names, and its arguments: plain columns and constants; None where any is something else.

    Parameters
    ----------
    column
        The column that a mention names; None where it is a part of one.
    """
    tokens = draft.tokens
    ranges = listed(tokens, call.first + 2, call.closing)
    name = call.name
    if name in ("count", COUNT_STAR) and (not ranges or [tokens.slice(*one) for one in ranges] == ["*"]):
        return COUNT_STAR, None if call.modified else ()
    if name in ORDERED and _timed(tokens, call.first + 2, call.closing):
        name = ORDERED[name]
    if call.modified:
        return name, None
    found: list[Name | Constant] = []
    for first, last in ranges:
        argument = _argument(draft, first, last, column)
        if argument is None:
            return name, None
        found.append(argument)
    return name, tuple(found)


def _argument(
    draft: Draft, first: int, last: int, column: Callable[[Mention], str | None]
) -> Name | Constant | None:
    tokens = draft.tokens
    found = mentions(tokens, first, last)
    if len(found) == 1 and (found[0].first, found[0].last) == (first, last):
        name = column(found[0])
        return None if name is None else Name(name, tokens.span(first, last))
    words = tokens.words[first:last]
    if found or first >= last or "*" in words or "=>" in words or ":=" in words or "SELECT" in words:
        return None
    constant = constant_of(draft, first, last)
    return None if constant.query.volatile or constant.query.sequences else constant


def ordered_call(draft: Draft, index: int) -> None:
    """`first(x, ts)` and `last(x, ts)`: the value at the earliest and at the latest time, and results called so."""
    tokens, last = draft.tokens, draft.scope.last
    if index > draft.scope.first and tokens.words[index - 1] == ".":
        return
    closing = tokens.closing(index + 1, last)
    if not _timed(tokens, index + 2, closing):
        return
    function = ORDERED[tokens.names[index].casefold()]
    draft.replace(index, index + 1, function)
    place = tokens.ends[closing]
    # A join that is written with USING may have named the result.
    if _is_result(draft, index, closing + 1) and not labels(draft, place):
        name = result_name(draft, index, closing + 1)
        draft.edits.append(Edit(place, place, f" AS {quoted(name)}"))


def labels(draft: Draft, place: int) -> bool:
    """Whether an edit puts a label at a place of the text."""
    return any(
        edit.start == edit.end == place and edit.replacement.startswith(" AS ") for edit in draft.edits
    )


def result_name(draft: Draft, first: int, last: int) -> str:
    """The name of a result that has no label: the engine's, but first and last as the user wrote them."""
    tokens = draft.tokens
    call = call_at(tokens, first, last)
    if call is None or call.closing != last - 1 or not is_ordered(tokens, call):
        return engine_name(tokens.slice(first, last), draft.inspector)
    behind = tokens.text[tokens.ends[first] : tokens.ends[last - 1]]
    return own_name(engine_name(f"{ORDERED[call.name]}{behind}", draft.inspector))


def own_name(name: str) -> str:
    """What the engine calls `arg_min(x, ts)` or `arg_max(x, ts)`, as the user wrote it: first and last."""
    written = next((one for one, engine in ORDERED.items() if name.startswith(f"{engine}(")), None)
    return name if written is None else written + name.removeprefix(ORDERED[written])


def is_ordered(tokens: Tokens, call: Call) -> bool:
    """Whether a call is `first(x, ts)` or `last(x, ts)`."""
    return call.name in ORDERED and _timed(tokens, call.first + 2, call.closing)


def _is_result(draft: Draft, first: int, last: int) -> bool:
    """Whether some tokens are all of an item of a SELECT list that names columns."""
    tokens, block = draft.tokens, block_at(draft, first)
    if block.items is None or not block.items[0] <= first < block.items[1]:
        return False
    start, stop = block.items
    if tokens.words[start] in ("DISTINCT", "ALL"):
        start += 1
        if tokens.follows(start, stop, "ON", "("):
            start = tokens.closing(start + 1, stop) + 1
    if (first, last) not in listed(tokens, start, stop):
        return False
    # A subquery that is a value goes by its text.
    opening = block.first - 1
    if opening <= draft.scope.first or tokens.words[opening] != "(":
        return True
    before = tokens.words[opening - 1]
    if before == ",":
        return any(
            clause.word == "FROM" and clause.first < opening < clause.last
            for clause in block_at(draft, opening).clauses
        )
    return before in _LEAD_TABLES


def _timed(tokens: Tokens, first: int, closing: int) -> bool:
    """Whether a time stands behind the value; a comma behind ORDER BY is none of the arguments'."""
    ranges = listed(tokens, first, closing)
    return len(ranges) == 2 and not _sorted(tokens, ranges[0][0], ranges[0][1])


def _sorted(tokens: Tokens, first: int, closing: int) -> bool:
    index = first
    while index < closing:
        if tokens.follows(index, closing, "ORDER", "BY") or tokens.words[index] in ("IGNORE", "RESPECT"):
            return True
        opens = tokens.words[index] in ("(", "[", "{")
        index = tokens.closing(index, closing) + 1 if opens else index + 1
    return False
