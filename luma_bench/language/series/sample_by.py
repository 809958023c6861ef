"""SAMPLE BY: a block that is grouped by buckets of time, with what stands in empty ones.

`SELECT ts, origin, avg(temp) FROM weather WHERE temp > 0 SAMPLE BY 1h FILL(LINEAR)` becomes
`SELECT "@k0" AS "ts", "@k1" AS "origin", "@a0" AS "avg(temp)" FROM "@series 9c0d"`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from luma_bench.errors import KadeQLBindError, KadeQLSyntaxError, nearest
from luma_bench.language.compose import composed, own
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.functions import VOLATILE_WORDS
from luma_bench.language.rewrite import Edit, rewritten
from luma_bench.language.series.blocks import Clause, Range, block_at
from luma_bench.language.series.columns import UNITS, type_end
from luma_bench.language.series.fills import read_fills
from luma_bench.language.series.gapfill import refuse_gapfill
from luma_bench.language.series.grouped import Regrouped
from luma_bench.language.series.grouping import (
    filtered,
    finish,
    group_by,
    group_keys,
    one_relation,
    place_item,
    read_items,
)
from luma_bench.language.series.inputs import constant_of
from luma_bench.language.series.items import Result, Source
from luma_bench.language.series.pattern import START, Constant, Fill, Grouped, Name, Windows
from luma_bench.language.series.times import SHAPES, bare_length
from luma_bench.language.tokens import STRING
from luma_bench.types.sql_text import quoted, string_literal

SHAPE: Final = (
    "Write SELECT ts, key, avg(x) FROM t [WHERE …] SAMPLE BY 1h [FROM moment TO moment] [FILL(PREV)] "
    "[ALIGN TO CALENDAR | FIRST OBSERVATION | moment] [ZONE 'tz']."
)
_JOIN: Final = (
    "Put the join into a subquery: FROM (SELECT a.ts, b.x FROM a JOIN b ON a.k = b.k) SAMPLE BY 1h."
)
_CLOCK: Final = re.compile(r"\s*([+-]?)(\d{1,2}):(\d\d)(?::(\d\d))?\s*")
_PARTS: Final = ("FROM", "TO", "FILL", "ALIGN", "ZONE")
_ALIGNED: Final = "ALIGN TO CALENDAR, ALIGN TO FIRST OBSERVATION or ALIGN TO a moment"


@dataclass(slots=True)
class _Clauses:
    """What stands behind SAMPLE BY."""

    size: Constant
    start: Constant | None = None
    stop: Constant | None = None
    fills: tuple[Fill, ...] = ()
    align: Constant | Literal["calendar", "first observation"] | None = None
    zone: Constant | None = None
    offset: Constant | None = None


def parse_sample_by(draft: Draft, index: int, end: int) -> None:
    """The SAMPLE BY at a token, whose words end at `end`; the draft gets its island and edits.

    Raises
    ------
    KadeQLSyntaxError
        It has another shape, or something is neither a key nor in an aggregate.
    KadeQLUnsupportedError
        It reads a join.
    """
    tokens, block = draft.tokens, block_at(draft, index)
    clause = next((item for item in block.clauses if item.first == index), None)
    if clause is None:
        raise draft.wrong("SAMPLE BY stands behind the FROM and WHERE of a SELECT.", index, SHAPE)
    if block.items is None:
        raise draft.wrong("SAMPLE BY needs a SELECT that says what to give of each bucket.", index, SHAPE)
    item = one_relation(draft, block, index, "SAMPLE BY", SHAPE, _JOIN)
    refuse_gapfill(draft, block)
    given = _Reader(draft, clause).read()
    regrouped = Regrouped(draft, block, Source.of(item), "SAMPLE BY", SHAPE, strict=False)
    regrouped.timed = True
    items = read_items(regrouped)
    fills = _each(regrouped, items, given.fills)
    _keys(regrouped, items)
    for one, fill in zip(items, fills, strict=True):
        place_item(regrouped, one, fill)
    if not regrouped.aggregates:
        raise draft.wrong("SAMPLE BY needs an aggregate: what to make of the rows of a bucket.", index, SHAPE)
    windows = Windows(
        text=tokens.slice(clause.first, clause.last),
        span=tokens.span(clause.first, clause.last),
        kind="tumble",
        input=filtered(draft, block),
        keys=(),
        time=None,
        sizes=(given.size,),
        offset=given.offset,
        zone=given.zone,
        align=given.align,
    )
    filled = any(fill.kind != "none" for fill in given.fills)
    finish(regrouped, windows, sampled=True, filled=filled, bounds=(given.start, given.stop))


def settled(grouped: Grouped, time: str) -> Grouped:
    """The block once its time column is known: its keys name the bucket's start where they name that column.

    Aggregates still see each row's own time, and first(x) and last(x) go by it.

    Raises
    ------
    KadeQLBindError
        A column stands outside of aggregates that is no key and not the time.
    """
    folded = time.casefold()
    other = next((name for name in grouped.times if name.name.casefold() != folded), None)
    if other is not None:
        raise KadeQLBindError(
            f"{other.name} is neither grouped by nor in an aggregate here.",
            text=grouped.sql.whole,
            span=other.span,
            hint=f"Add {other.name} to the items, or put it into an aggregate; the time of this block is {time}.",
        )
    edits = [Edit(start, end, START) for name, start, end in grouped.places if name == folded]
    edits += [
        Edit(start, end, f" ORDER BY {quoted(time)}") for name, start, end in grouped.places if not name
    ]
    if not edits:
        return grouped
    sql = grouped.sql
    text, later = rewritten(sql.sql, 0, len(sql.sql), edits)
    keys = tuple(
        replace(key, name=Name(START, key.span), sql=START)
        if key.name is not None and key.name.name.casefold() == folded
        else key
        for key in grouped.keys
    )
    return replace(
        grouped, sql=replace(sql, sql=text, offsets=sql.offsets.behind(later)), keys=keys, places=()
    )


def _keys(regrouped: Regrouped, items: list[Result]) -> None:
    """Everything that GROUP BY names is a key too; all but the time has to be in it where there is one."""
    explicit = group_by(regrouped, items) or []
    told = {regrouped.words.said(*place) for place in explicit}
    missing = [
        item for item in items if item.is_key and regrouped.words.said(item.first, item.last) not in told
    ]
    if explicit and len(missing) > 1:
        late = missing[-1]
        shown = regrouped.draft.tokens.slice(late.first, late.last)
        raise regrouped.wrong(
            f"{shown} is neither grouped by nor in an aggregate.",
            late.first,
            late.last,
            "Leave GROUP BY out: every item without an aggregate is grouped by.",
        )
    keys = [(item.first, item.last) for item in items if item.is_key]
    group_keys(regrouped, [*keys, *explicit])


def _each(regrouped: Regrouped, items: list[Result], fills: tuple[Fill, ...]) -> list[Fill | None]:
    """The fill of every item, None for those that are no aggregate or where nothing is filled."""
    filled = [item for item in items if item.calls]
    if not fills or all(fill.kind == "none" for fill in fills):
        return [None] * len(items)
    if len(fills) not in (1, len(filled)):
        raise KadeQLSyntaxError(
            f"FILL has {len(fills)} values for {len(filled)} aggregate{'s' if len(filled) > 1 else ''}.",
            text=regrouped.draft.tokens.text,
            span=(fills[0].span[0], fills[-1].span[1]),
            hint="Give one for all, or one for each aggregate of the list, in order.",
        )
    each = iter(fills * len(filled) if len(fills) == 1 else fills)
    return [next(each) if item.calls else None for item in items]


class _Reader:
    """Reads what stands behind SAMPLE BY, each part once and in any order."""

    __slots__ = ("_cursor", "_draft", "_seen")

    def __init__(self, draft: Draft, clause: Clause) -> None:
        self._draft = draft
        self._cursor = Cursor(draft.tokens, clause.body, clause.last, draft.scope.last)
        self._seen: set[str] = set()

    def read(self) -> _Clauses:
        """All of it."""
        given = _Clauses(constant_of(self._draft, *self._length()))
        while not self._cursor.done:
            self._option(given)
        if given.align == "first observation" and (given.start is not None or given.stop is not None):
            raise self._draft.wrong(
                "FROM and TO say which buckets there are, and FIRST OBSERVATION moves them.",
                self._cursor.first - 2,
                "Leave one of them out, or write ALIGN TO the moment that a bucket begins at.",
            )
        return given

    def _option(self, given: _Clauses) -> None:
        cursor, draft = self._cursor, self._draft
        if self._once("FROM", "FROM"):
            given.start = constant_of(draft, *self._expression("the moment that the buckets begin at", SHAPE))
        elif self._once("TO", "TO"):
            given.stop = constant_of(draft, *self._expression("the moment that the buckets end at", SHAPE))
        elif cursor.tokens.follows(cursor.index, cursor.end, "FILL", "("):
            self._mark("FILL")
            given.fills = read_fills(draft, cursor)
        elif self._once("ALIGN TO", "ALIGN", "TO"):
            self._align(given)
        elif self._once("ZONE", "TIME", "ZONE") or self._once("ZONE", "ZONE"):
            given.zone = constant_of(
                draft, *self._expression("the name of a time zone", "Write ZONE 'Europe/Berlin'.")
            )
        elif self._once("WITH OFFSET", "WITH", "OFFSET"):
            first, last = self._expression("an offset", "Write WITH OFFSET '00:15', or an interval.")
            given.offset = self._offset(first, last)
        else:
            near = nearest(cursor.word, _PARTS, 1) if cursor.value else []
            hint = f"Did you mean {near[0]}? {SHAPE}" if near else SHAPE
            raise cursor.expected("FROM, TO, FILL, ALIGN TO or ZONE behind the length", hint)

    def _align(self, given: _Clauses) -> None:
        cursor = self._cursor
        if cursor.accept("CALENDAR"):
            given.align = "calendar"
        elif cursor.accept("FIRST", "OBSERVATION"):
            given.align = "first observation"
        else:
            if cursor.word == "FIRST":
                cursor.index += 1
                raise cursor.expected("OBSERVATION after FIRST", SHAPE)
            place = self._expression(_ALIGNED, SHAPE)
            self._refuse_words(*place)
            given.align = constant_of(self._draft, *place)

    def _refuse_words(self, first: int, last: int) -> None:
        """Names alone are no moment, unless they say the present one."""
        tokens = self._draft.tokens
        bare = all(tokens.is_name(at) and tokens.words[at] not in VOLATILE_WORDS for at in range(first, last))
        if not bare:
            return
        near = nearest(tokens.words[last - 1], ("CALENDAR", "OBSERVATION"), 1)
        meant = {"CALENDAR": "CALENDAR", "OBSERVATION": "FIRST OBSERVATION"}
        raise KadeQLSyntaxError(
            f"{tokens.slice(first, last)} is nothing that buckets align to.",
            text=tokens.text,
            span=tokens.span(first, last),
            hint=f"Did you mean {meant[near[0]]}?"
            if near
            else "Write CALENDAR, FIRST OBSERVATION or a moment, as in ALIGN TO '2026-01-05'.",
        )

    def _offset(self, first: int, last: int) -> Constant:
        """A clock's `'01:30'` is an hour and a half; anything else is an interval."""
        tokens = self._draft.tokens
        clock = None
        if last - first == 1 and tokens.words[first] == STRING:
            clock = _CLOCK.fullmatch(tokens.names[first])
        if clock is None:
            return constant_of(self._draft, first, last)
        seconds = int(clock[2]) * 3600 + int(clock[3]) * 60 + int(clock[4] or 0)
        place, value = tokens.span(first, last), f"{clock[1].replace('+', '')}{seconds}s"
        constant = constant_of(self._draft, first, last)
        sql, offsets = composed((own(f"SELECT ({string_literal(value)}) AS value", place),))
        return replace(constant, literal=value, query=replace(constant.query, sql=sql, offsets=offsets))

    def _length(self) -> Range:
        """The length of a bucket: `1h`, a string, an INTERVAL, a parameter, or an expression in brackets or of a function."""
        cursor, tokens = self._cursor, self._draft.tokens
        first, word = cursor.index, cursor.word
        named = tokens.is_name(first) if not cursor.done else False
        last = first + 1
        if bare_length(tokens, first, cursor.end):
            last = first + 2
        elif word == "INTERVAL":
            opens = tokens.words[first + 1 : first + 2] == ["("]
            last = tokens.closing(first + 1, cursor.end) + 1 if opens else first + 2
            last += tokens.words[first + 1 : first + 2] == ["$"]
            last += last < cursor.end and tokens.words[last] in UNITS
        elif word == "(" or (named and tokens.follows(first + 1, cursor.end, "(")):
            last = tokens.closing(first + named, cursor.end) + 1
        elif word == "$":
            last = first + 2
        elif word != STRING:
            raise cursor.expected("the length of a bucket", f"Write {SHAPES}.")
        last = min(last, cursor.end)
        while tokens.follows(last, cursor.end, "::"):
            last = type_end(tokens, last + 1, cursor.end)
        cursor.index = last
        return first, last

    def _once(self, name: str, *words: str) -> bool:
        if not self._draft.tokens.follows(self._cursor.index, self._cursor.end, *words):
            return False
        self._mark(name)
        self._cursor.index += len(words)
        return True

    def _mark(self, name: str) -> None:
        if name in self._seen:
            raise self._draft.wrong(
                f"{name} stands twice behind SAMPLE BY.", self._cursor.index, "Give each part once."
            )
        self._seen.add(name)

    def _expression(self, what: str, hint: str) -> Range:
        """The tokens up to where another part begins."""
        cursor, words = self._cursor, self._draft.tokens.words
        first = cursor.index
        while not cursor.done and not self._begins():
            if words[cursor.index] in ("(", "[", "{"):
                cursor.index = cursor.tokens.closing(cursor.index, cursor.end)
            # A parameter may be called like one of the parts.
            cursor.index = min(cursor.index + 1 + (words[cursor.index] == "$"), cursor.end)
        if cursor.index == first:
            raise cursor.expected(what, hint)
        return first, cursor.index

    def _begins(self) -> bool:
        cursor = self._cursor
        word, before = cursor.word, cursor.tokens.words[cursor.index - 1]
        follows = cursor.tokens.follows
        if word in ("FROM", "TO"):
            return True
        if word == "ZONE":
            return before != "TIME"
        if word == "TIME":
            return before not in ("AT", "WITH") and follows(cursor.index + 1, cursor.end, "ZONE")
        return (
            follows(cursor.index, cursor.end, "FILL", "(")
            or follows(cursor.index, cursor.end, "ALIGN", "TO")
            or follows(cursor.index, cursor.end, "WITH", "OFFSET")
        )
