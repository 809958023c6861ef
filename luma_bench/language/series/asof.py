"""Reading ASOF JOIN, with TOLERANCE and DIRECTION behind its condition.

A join of two relations becomes two relations that go together row by row. Where the left side is a join itself, or a
condition is more than columns, the engine joins, over a right side whose ties are settled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from luma_bench.errors import KadeQLUnsupportedError
from luma_bench.language.draft import Draft
from luma_bench.language.part_queries import Range
from luma_bench.language.series.blocks import Block, block_at
from luma_bench.language.series.conditions import (
    Operator,
    bracket_around,
    element_begin,
    flat,
    joins_at,
    pairs,
)
from luma_bench.language.series.inputs import input_of
from luma_bench.language.series.join_options import JoinOptions, read_options
from luma_bench.language.series.naming import keep_series
from luma_bench.language.series.pattern import Asof, Name, Side, TiedRight
from luma_bench.language.series.pushed import left_conditions
from luma_bench.language.series.recognise import Item, item_at
from luma_bench.language.series.using import merge_columns
from luma_bench.language.series.windows import qualify
from luma_bench.types.sql_text import quoted

_KINDS: Final = frozenset({"LEFT", "RIGHT", "FULL", "INNER", "SEMI", "ANTI", "OUTER"})
_TREE: Final = "Put the left side into a subquery: FROM (SELECT … FROM a JOIN b …) l ASOF JOIN c ON …"
_COLUMNS: Final = (
    "Compare columns alone, keys with = and one pair of times with >= or <=; compute others in a subquery: "
    "FROM (SELECT *, k + 1 AS k1 FROM a) l ASOF JOIN …"
)
_KIND: Final = "Write ASOF JOIN or ASOF LEFT JOIN, of two relations."
_ON: Final = "Write the condition with ON: a.k = b.k AND a.ts >= b.ts."


@dataclass(frozen=True, slots=True)
class _Join:
    """An as-of join as it is read.

    Attributes
    ----------
    begin
        The token at which the joined relations begin.
    last
        The token behind its condition and options.
    left
        The left relation; None where it is a join.
    kind
        LEFT, INNER and so on, empty for none.
    on, using
        Its condition, one of the two.
    bracketed
        Whether it stands in brackets of its own.
    """

    begin: int
    last: int
    left: Item | None
    kind: str
    right: Item
    on: Range | None
    using: tuple[Name, ...]
    options: JoinOptions
    bracketed: bool


@dataclass(frozen=True, slots=True)
class _Columns:
    """What a condition compares; a left column is None where it is another expression.

    `sure`: the text says whose the columns are, `timed` of the times.
    """

    left: tuple[Name | None, ...]
    right: tuple[Name, ...]
    left_time: Name | None
    right_time: Name
    operator: Operator
    sure: bool = True
    timed: bool = True


def asof(draft: Draft, index: int) -> int | None:
    """ASOF [LEFT | …] JOIN."""
    tokens, last = draft.tokens, draft.scope.last
    place = index + 1
    while place < last and tokens.words[place] in _KINDS:
        place += 1
    return place + 1 if tokens.follows(place, last, "JOIN") else None


def read_asof(draft: Draft, index: int, end: int) -> None:
    """The as-of join whose ASOF stands at `index` and whose JOIN ends at `end`; the draft gets its island and edits.

    What neither side's columns settle stays the engine's own join.

    Raises
    ------
    KadeQLSyntaxError
        An option is misspelt, stands twice, or has another value.
    KadeQLUnsupportedError
        The join is of a shape that its options cannot go with.
    """
    block = block_at(draft, index)
    join = _read(draft, index, end, block)
    if join is None:
        return
    if join.kind not in ("", "LEFT", "INNER"):
        # SEMI and ANTI ask for no row of the right side; RIGHT and FULL give all of them.
        _require_none(draft, join, f"ASOF {join.kind} JOIN", _KIND)
        return
    columns = _columns(draft, join)
    if columns is None:
        _require_none(draft, join, "an ASOF JOIN with this condition", _COLUMNS)
        return
    left = join.left
    left_keys = tuple(name for name in columns.left if name is not None)
    if left is None:
        _require_none(draft, join, "an ASOF JOIN whose left side is a join itself", _TREE)
    elif columns.left_time is None or len(left_keys) < len(columns.left):
        _require_none(draft, join, "an ASOF JOIN with this condition", _COLUMNS)
    elif join.using and (join.bracketed or not merge_columns(draft, block, join.right, join.using, join.begin, join.last)):  # fmt: skip
        _require_none(draft, join, "an ASOF JOIN … USING in a SELECT of this shape", _ON)
    else:
        where = [] if join.bracketed else left_conditions(draft, block, left, join.last)
        one = Side(input_of(draft, join.begin, left.last, where, kept=True), left_keys, columns.left_time)
        _paired(draft, join, left, one, columns)
        return
    _tied(draft, join, columns)


def _read(draft: Draft, index: int, end: int, block: Block) -> _Join | None:
    """The join with its condition and options; None where the engine has to judge it."""
    tokens = draft.tokens
    clause = block.get("FROM")
    around = (block.first, block.last) if clause is None else (clause.body, clause.last)
    bracket = bracket_around(tokens, around, index)
    region = around if bracket is None else bracket
    begin = element_begin(tokens, region, index)
    left = item_at(tokens, begin, index)
    right = item_at(tokens, end, region[1])
    # A stored pair of words before the relation, such as LATERAL, belongs to the engine's grammar.
    if right is None or right.last >= region[1]:
        return None
    kind = tokens.words[index + 1] if end - index > 2 else ""
    word, place = tokens.words[right.last], right.last + 1
    on: Range | None = None
    using: tuple[Name, ...] = ()
    if word == "USING" and tokens.follows(place, region[1], "("):
        place = tokens.closing(place, region[1]) + 1
        using = tuple(Name(tokens.names[at], tokens.span(at)) for at in range(right.last + 2, place - 1, 2))
        if not all(name.name for name in using):
            return None
    elif word != "ON":
        return None
    stop = next(
        (at for at in flat(tokens, place, region[1]) if tokens.words[at] == "," or joins_at(tokens, at, region[1])),
        region[1],
    )  # fmt: skip
    options = read_options(draft, place, stop)
    if word == "ON":
        on = (place, options.first)
        if options.first == place:
            return None
    alone = left if left is not None and left.last == index else None
    return _Join(begin, stop, alone, kind, right, on, using, options, bracketed=bracket is not None)


def _columns(draft: Draft, join: _Join) -> _Columns | None:
    """What the condition compares; None where the engine alone can tell."""
    if join.using:
        *keys, time = join.using
        return _Columns(tuple(keys), tuple(keys), time, time, ">=")
    left = "" if join.left is None else join.left.name
    if join.on is None or left.casefold() == join.right.name.casefold():
        return None
    found = pairs(draft.tokens, join.on, left, join.right.name)
    if found is None:
        return None
    times = [pair for pair in found if pair.operator is not None]
    if len(times) != 1:
        return None
    (time,) = times
    keys = [pair for pair in found if pair.operator is None]
    # Where the engine joins, the right columns have to be known here.
    plain = join.left is not None and all(pair.left.column is not None for pair in found)
    if not plain and any(pair.right.side != "right" for pair in found):
        return None
    right = tuple(pair.right.column for pair in keys if pair.right.column is not None)
    if time.operator is None or time.right.column is None or len(right) < len(keys):
        return None
    return _Columns(
        tuple(pair.left.column for pair in keys),
        right,
        time.left.column,
        time.right.column,
        time.operator,
        sure=all(pair.sure for pair in found),
        timed=time.sure,
    )


def _paired(draft: Draft, join: _Join, left: Item, one: Side, columns: _Columns) -> None:
    """Put two relations in the place of the join, which go together row by row."""
    tokens, right = draft.tokens, join.right
    island = keep_series(
        draft,
        Asof(
            text=tokens.slice(join.begin, join.last),
            span=tokens.span(join.begin, join.last),
            left=one,
            right=Side(input_of(draft, right.first, right.last), columns.right, columns.right_time),
            operator=columns.operator,
            direction=join.options.toward(draft, columns.operator, sure=columns.timed),
            outer=join.kind == "LEFT",
            tolerance=join.options.tolerance,
            using=bool(join.using),
            sure=columns.sure,
        ),
    )
    sides = (
        f"{quoted(f'{island.alias} {side}')} AS {quoted(item.name)}"
        for side, item in (("left", left), ("right", right))
    )
    draft.replace(join.begin, join.last, " POSITIONAL JOIN ".join(sides))
    draft.taken.update(range(join.begin, join.last))
    qualify(draft, left, written=False)
    qualify(draft, right, written=False)


def _tied(draft: Draft, join: _Join, columns: _Columns) -> None:
    """Put a relation without ties in the place of the right side, and leave the join to the engine."""
    tokens, right = draft.tokens, join.right
    side = Side(input_of(draft, right.first, right.last), columns.right, columns.right_time)
    names = ", ".join(name.name for name in (*side.keys, columns.right_time))
    island = keep_series(
        draft,
        TiedRight(
            text=f"{tokens.slice(right.first, right.last)} {names} {columns.operator}",
            span=tokens.span(right.first, right.last),
            side=side,
            operator=columns.operator,
        ),
    )
    draft.replace(right.first, right.last, f"{quoted(island.alias)} AS {quoted(right.name)}")
    draft.taken.update(range(right.first, right.last))
    qualify(draft, right, written=False)


def _require_none(draft: Draft, join: _Join, what: str, hint: str) -> None:
    """Refuse options of a join that they cannot go with."""
    if join.options.place is not None:
        _refuse(draft, join.options.place, what, hint)


def _refuse(draft: Draft, place: int, what: str, hint: str) -> NoReturn:
    tokens = draft.tokens
    raise KadeQLUnsupportedError(
        f"{tokens.words[place]} cannot go with {what}.",
        text=tokens.text,
        span=tokens.span(place),
        hint=hint,
    )
