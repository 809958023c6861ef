"""The relation of a grouped block: its keys and aggregates, and the SQL that gives them over the rows with their windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from luma_bench.language.compose import Piece, composed, excerpt, own
from luma_bench.language.part_queries import PartQueries, Taken
from luma_bench.language.placed import Query
from luma_bench.language.refusals import Refusal
from luma_bench.language.rewrite import OffsetMap
from luma_bench.language.series.aggregates import ORDERED, arguments, calls
from luma_bench.language.series.grouped import BUCKET, Column, Regrouped
from luma_bench.language.series.pattern import START, Aggregate, Constant, Fill, Grouped, Key, Name, Windows
from luma_bench.language.tokens import listed
from luma_bench.types.sql_text import quoted

_CIRCLE: Final = Refusal(
    "A block over windows",
    "cannot read the recursive query that holds it",
    "Read the rows in a WITH query of their own, without RECURSIVE, and use that one here.",
)


def relation(
    regrouped: Regrouped,
    windows: Windows,
    fills: Sequence[Fill] | None,
    bounds: tuple[Constant | None, Constant | None],
    *,
    sampled: bool,
) -> Grouped:
    """The block as a relation over `windows`, which has its name; it has none yet itself."""
    tokens = regrouped.draft.tokens
    sql = _sql(regrouped, windows, sampled=sampled)
    keys = [
        Key(
            item.column,
            _name(regrouped, item),
            tokens.slice(*item.place),
            tokens.span(*item.place),
        )
        for item in regrouped.keys
    ]
    span = tokens.span(regrouped.block.first, regrouped.block.last)
    if sampled:
        place = windows.span
        keys.append(Key(BUCKET, Name(START, place), START, place))
    return Grouped(
        text=tokens.text[slice(*span)],
        span=span,
        windows=windows,
        keys=tuple(keys),
        aggregates=tuple(_aggregate(regrouped, item) for item in regrouped.aggregates),
        sql=sql,
        fills=() if fills is None else tuple(fills),
        bounds=bounds,
        times=tuple(regrouped.times),
        sampled=sampled,
        places=_places(regrouped, sql.offsets, named=windows.time is None) if sampled else (),
    )


def _name(regrouped: Regrouped, item: Column) -> Name | None:
    place = regrouped.draft.tokens.span(*item.place)
    if item.told == regrouped.bucket_says:
        return Name(START, place)
    column = regrouped.words.column(*item.place)
    return None if column is None else Name(column, place)


def _aggregate(regrouped: Regrouped, item: Column) -> Aggregate:
    span = regrouped.draft.tokens.span(*item.place)
    text = composed(excerpt(regrouped.inside(item.place[0]), *item.place).pieces)[0]
    if item.call is None:
        return Aggregate(item.column, "", None, text, span)
    function, given = arguments(regrouped.draft, item.call, regrouped.words.source.column)
    return Aggregate(item.column, function, given, text, span)


def _sql(regrouped: Regrouped, windows: Windows, *, sampled: bool) -> Query:
    """`SELECT ts AS "@k0", avg(temp) AS "@a0" FROM "@window …" AS w GROUP BY 1`."""
    tokens = regrouped.draft.tokens
    start, end = tokens.span(regrouped.block.first, regrouped.block.last)
    pieces: list[Piece | Taken] = [own("SELECT ", (start, start))]
    plain = True
    for index, item in enumerate((*regrouped.keys, *regrouped.aggregates)):
        if index:
            pieces.append(own(", ", (end, end)))
        place = tokens.span(*item.place)
        if item.told == regrouped.bucket_says:
            pieces.append(own(START, place))
        else:
            pieces.append(Taken(regrouped.inside(item.place[0]), *item.place))
            plain = plain and _is_plain(regrouped, item)
        pieces.append(own(f" AS {quoted(item.column)}", (place[1], place[1])))
        if sampled and index == len(regrouped.keys) - 1:
            pieces.append(own(f", {START} AS {quoted(BUCKET)}", (end, end)))
    if sampled and not regrouped.keys:
        pieces.insert(1, own(f"{START} AS {quoted(BUCKET)}, ", (start, start)))
    count = len(regrouped.keys) + sampled
    grouping = ", ".join(str(number + 1) for number in range(count))
    pieces.append(own(f" FROM {quoted(windows.alias)} AS {quoted(windows.input.alias)} GROUP BY {grouping}", (end, end)))  # fmt: skip
    parts = PartQueries(regrouped.draft, regrouped.block.first, _CIRCLE)
    query = parts.made(pieces, (regrouped.block.first, regrouped.block.last), plain=plain)
    return replace(query, islands=(*query.islands, windows))


def _is_plain(regrouped: Regrouped, item: Column) -> bool:
    """Whether it is a column, or an aggregate of one: no other grammar has to judge it."""
    first, last = item.place
    if item.call is not None:
        first, last = first + 2, item.call.closing
        if item.call.modified or regrouped.draft.tokens.words[first:last] == ["*"]:
            return not item.call.modified
    return regrouped.words.column(first, last) is not None


def _places(regrouped: Regrouped, offsets: OffsetMap, *, named: bool) -> tuple[tuple[str, int, int], ...]:
    """Where the SQL names columns outside of aggregates, and, without a name, where first and last take their order."""
    tokens = regrouped.draft.tokens
    found: list[tuple[str, int, int]] = []
    for item in regrouped.aggregates:
        for call in calls(tokens, *item.place):
            given = listed(tokens, call.first + 2, call.closing)
            if call.name in ORDERED and not call.modified and len(given) == 1:
                place = _moved(offsets, tokens.span(call.closing))[0]
                found.append(("", place, place))
    if not named:
        return tuple(found)
    for item in (*regrouped.keys, *(item for item in regrouped.aggregates if item.call is None)):
        if item.told == regrouped.bucket_says:
            continue
        inner = {index for call in calls(tokens, *item.place) for index in range(call.first, call.last)}
        for mention in regrouped.words.within(*item.place):
            skipped = regrouped.words.source.qualifier(mention)
            if mention.first in inner or len(mention.path) - skipped != 1:
                continue
            first = mention.first + 2 if skipped == 2 else mention.first
            found.append((mention.path[-1].casefold(), *_moved(offsets, tokens.span(first, mention.last))))
    return tuple(found)


def _moved(offsets: OffsetMap, span: tuple[int, int]) -> tuple[int, int]:
    """Where a stretch of the user's text stands in the SQL."""
    for segment in offsets.segments:
        if segment.verbatim and segment.old_start <= span[0] and span[1] <= segment.old_end:
            start = segment.new_start + span[0] - segment.old_start
            return start, start + span[1] - span[0]
    raise AssertionError(span)
