"""Reading WINDOW JOIN: each row of the left relation with aggregates over the right rows around its time.

The join and every aggregate over the right side become columns of one relation that stands for the left one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from luma_bench.errors import KadeQLSyntaxError, KadeQLUnsupportedError, nearest
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.part_queries import Range
from luma_bench.language.rewrite import Edit
from luma_bench.language.series.blocks import block_at
from luma_bench.language.series.conditions import (
    bracket_around,
    element_begin,
    ends_value,
    flat,
    joins_at,
    pairs,
)
from luma_bench.language.series.inputs import column_name, constant_of, input_of, negated
from luma_bench.language.series.join_aggregates import Collected, collected
from luma_bench.language.series.naming import keep_series
from luma_bench.language.series.pattern import Constant, Input, Name, Side, WindowJoin
from luma_bench.language.series.pushed import left_conditions
from luma_bench.language.series.recognise import Item, item_at
from luma_bench.language.series.times import SHAPES
from luma_bench.language.series.windows import qualify
from luma_bench.types.sql_text import quoted

SHAPE: Final = (
    "Write FROM t WINDOW JOIN q ON t.k = q.k RANGE BETWEEN INTERVAL '1' SECOND PRECEDING AND"
    " INTERVAL '0' SECOND FOLLOWING [USING TIME (t.ts, q.ts)]."
)
_BOUND: Final = "a length and PRECEDING or FOLLOWING, or CURRENT ROW"
_GROUPED: Final = (
    "Group its rows outside: SELECT … FROM (SELECT t.*, avg(q.x) AS x FROM t WINDOW JOIN q …) GROUP BY …"
)


@dataclass(frozen=True, slots=True)
class _Range:
    """RANGE BETWEEN … with USING TIME behind it; `last` is the token behind it."""

    preceding: Constant | None
    following: Constant | None
    times: tuple[Name | None, Name | None]
    last: int


def window_join(draft: Draft, index: int) -> int | None:
    """WINDOW JOIN."""
    return index + 2 if draft.tokens.follows(index + 1, draft.scope.last, "JOIN") else None


def read_window_join(draft: Draft, index: int, end: int) -> None:
    """The join whose WINDOW stands at `index` and whose JOIN ends at `end`; the draft gets its island and edits.

    Raises
    ------
    KadeQLSyntaxError
        It has another shape, or a column of the right side stands outside of an aggregate.
    KadeQLUnsupportedError
        Its left side is a join itself, or it stands in a SELECT with GROUP BY.
    """
    tokens = draft.tokens
    block = block_at(draft, index)
    clause = block.get("FROM")
    if clause is None or bracket_around(tokens, (clause.body, clause.last), index) is not None:
        raise draft.wrong("WINDOW JOIN stands in the FROM of a SELECT, outside of brackets.", index, SHAPE)
    grouped = next((one for one in block.clauses if one.word in ("GROUP", "HAVING")), None)
    if grouped is not None:
        raise KadeQLUnsupportedError(
            f"{grouped.word}{' BY' * (grouped.word == 'GROUP')} cannot stand beside WINDOW JOIN, whose aggregates are of one row each.",
            text=tokens.text,
            span=tokens.span(grouped.first, grouped.body),
            hint=_GROUPED,
        )
    begin = element_begin(tokens, (clause.body, clause.last), index)
    before = index - 1 if tokens.words[index - 1] == "LEFT" else index
    left, right = item_at(tokens, begin, before), item_at(tokens, end, _ranges(draft, end, clause.last))
    if left is None or left.last != before:
        raise KadeQLUnsupportedError(
            "The left side of a WINDOW JOIN is one relation.",
            text=tokens.text,
            span=tokens.span(begin, before),
            hint="Put the left side into a subquery: FROM (SELECT … FROM a JOIN b …) l WINDOW JOIN q ON …",
        )
    cursor = Cursor(tokens, end if right is None else right.last, clause.last, draft.scope.last)
    if right is None:
        raise cursor.expected("the right relation", SHAPE)
    keys = _keys(draft, cursor, left, right)
    reach = _range(draft, cursor, left, right)
    found = collected(draft, block, left, right, (begin, reach.last))
    if not found.aggregates:
        raise KadeQLSyntaxError(
            f"Nothing asks for an aggregate of {right.name}.",
            text=tokens.text,
            span=tokens.span(right.first, right.last),
            hint=f"Select one: SELECT {left.name}.*, avg({right.name}.x) FROM … Or write ASOF JOIN for one row of {right.name}.",
        )
    where = left_conditions(draft, block, left, reach.last)
    rows = input_of(draft, begin, left.last, where, kept=True)
    _put(draft, (begin, reach.last), left, right, rows, keys, reach, found)


def _ranges(draft: Draft, first: int, last: int) -> int:
    """Where RANGE BETWEEN stands, which is no alias of the relation before it; `last` for nowhere."""
    tokens = draft.tokens
    return next(
        (at for at in flat(tokens, first, last) if tokens.follows(at, last, "RANGE", "BETWEEN")), last
    )


def _put(
    draft: Draft,
    place: Range,
    left: Item,
    right: Item,
    rows: Input,
    keys: Sequence[tuple[Name, Name]],
    reach: _Range,
    found: Collected,
) -> None:
    tokens = draft.tokens
    given = input_of(draft, right.first, right.last, computed=found.computed)
    island = keep_series(
        draft,
        WindowJoin(
            # The aggregates are part of what it is, wherever they stand.
            text="\0".join((tokens.slice(*place), *(one.sql for one in found.aggregates))),
            span=tokens.span(*place),
            left=Side(rows, tuple(one for one, _ in keys), reach.times[0]),
            right=Side(given, tuple(other for _, other in keys), reach.times[1]),
            aggregates=found.aggregates,
            preceding=reach.preceding,
            following=reach.following,
        ),
    )
    draft.replace(*place, f"{quoted(island.alias)} AS {quoted(left.name)}")
    draft.taken.update(range(*place))
    for first, last, text in found.edits:
        draft.replace(first, last, text)
        draft.taken.update(range(first, last))
    for index, text in found.inserts:
        draft.edits.append(Edit(tokens.ends[index], tokens.ends[index], text))
    qualify(draft, left, written=False)


def _keys(draft: Draft, cursor: Cursor, left: Item, right: Item) -> list[tuple[Name, Name]]:
    """Step over ON and equalities of columns."""
    tokens = draft.tokens
    if not cursor.accept("ON"):
        if cursor.word == "RANGE":
            return []
        raise cursor.expected("ON and the columns that have to be equal, or RANGE", SHAPE)
    first = cursor.index
    stop = _stop(cursor, lambda place: tokens.words[place] == "RANGE" and ends_value(tokens, place - 1))
    if stop == first:
        raise cursor.expected("a condition behind ON", SHAPE)
    found = pairs(tokens, (first, stop), left.name, right.name)
    keys = [
        (pair.left.column, pair.right.column)
        for pair in found or ()
        if pair.operator is None and pair.left.column is not None and pair.right.column is not None
    ]
    if found is None or len(keys) < len(found):
        raise KadeQLSyntaxError(
            "The condition of a WINDOW JOIN is made of columns that have to be equal.",
            text=tokens.text,
            span=tokens.span(first, stop),
            hint=f"Write ON {left.name}.k = {right.name}.k; RANGE says which times go together.",
        )
    cursor.index = stop
    return keys


def _range(draft: Draft, cursor: Cursor, left: Item, right: Item) -> _Range:
    """Step over RANGE BETWEEN … AND … and what may follow it."""
    tokens = draft.tokens
    cursor.expect("RANGE BETWEEN and how far the times may lie apart", "RANGE", "BETWEEN", hint=SHAPE)
    preceding = _bound(draft, cursor, begins=True)
    cursor.expect("AND and the other end of the range", "AND", hint=SHAPE)
    following = _bound(draft, cursor, begins=False)
    if cursor.word == "INCLUDE":
        raise KadeQLUnsupportedError(
            "INCLUDE PREVAILING is not served: a window holds the rows of its range.",
            text=tokens.text,
            span=tokens.span(cursor.index),
            hint=f"Take the row before it with ASOF JOIN {right.name} ON … as well.",
        )
    cursor.accept("EXCLUDE", "PREVAILING")
    times: tuple[Name | None, Name | None] = (None, None)
    if cursor.accept("USING", "TIME"):
        cursor.expect("( and the two times", "(", hint=SHAPE)
        one = column_name(cursor, f"the time of {left.name}", SHAPE)
        cursor.expect(f"a comma and the time of {right.name}", ",", hint=SHAPE)
        other = column_name(cursor, f"the time of {right.name}", SHAPE)
        cursor.expect(") behind the two times", ")", hint=SHAPE)
        times = one, other
    if not cursor.done and cursor.word != "," and not joins_at(tokens, cursor.index, cursor.end):
        raise cursor.expected("USING TIME or the next clause", SHAPE)
    return _Range(preceding, following, times, cursor.index)


def _bound(draft: Draft, cursor: Cursor, *, begins: bool) -> Constant | None:
    """Step over one end of a range: how far it reaches to its own direction, None for not at all."""
    tokens = draft.tokens
    if cursor.accept("CURRENT", "ROW"):
        return None
    if cursor.word == "UNBOUNDED":
        raise KadeQLUnsupportedError(
            "A WINDOW JOIN without bounds is not served.",
            text=tokens.text,
            span=tokens.span(cursor.index),
            hint="Say how far it reaches, such as INTERVAL '100' YEAR PRECEDING.",
        )
    first = cursor.index
    stop = _stop(cursor, lambda place: tokens.words[place] in ("PRECEDING", "FOLLOWING", "AND"))
    if stop == first:
        raise cursor.expected(f"{_BOUND}, such as {SHAPES}", SHAPE)
    cursor.index = stop
    if cursor.word not in ("PRECEDING", "FOLLOWING"):
        near = nearest(tokens.words[stop - 1], ("PRECEDING", "FOLLOWING"), 1)
        cursor.index -= bool(near)
        what = "PRECEDING or FOLLOWING behind the length"
        raise cursor.expected(what, f"Did you mean {near[0]}?" if near else SHAPE)
    length = constant_of(draft, first, stop)
    turned = cursor.word == ("FOLLOWING" if begins else "PRECEDING")
    cursor.index += 1
    return negated(length) if turned else length


def _stop(cursor: Cursor, ends: Callable[[int], bool]) -> int:
    """The first token from the cursor on, outside of brackets, at which something ends, a join begins or a comma stands."""
    tokens = cursor.tokens
    return next(
        (
            place
            for place in flat(tokens, cursor.index, cursor.end)
            if ends(place) or tokens.words[place] == "," or joins_at(tokens, place, cursor.end)
        ),
        cursor.end,
    )
