"""gapfill(interval, ts[, start, finish]) as an item: buckets that no row falls into are given too, with locf and interpolate.

TimescaleDB's names: `SELECT time_bucket_gapfill('1 hour', ts) AS hour, origin, locf(avg(temp)) FROM weather GROUP BY ALL`.
"""

from __future__ import annotations

from typing import Final

from luma_bench.errors import KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.part_queries import Range
from luma_bench.language.series.aggregates import call_at
from luma_bench.language.series.blocks import Block, block_at
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
from luma_bench.language.series.inputs import column_name, constant_of
from luma_bench.language.series.items import Result, Source
from luma_bench.language.series.pattern import Constant, Fill, Name, Windows
from luma_bench.language.tokens import STRING, Tokens, listed

GAPFILL: Final = frozenset({"gapfill", "time_bucket_gapfill"})
"""The functions that give the buckets, casefolded."""
FILLERS: Final = {"locf": "prev", "interpolate": "linear"}
"""The functions that fill an aggregate's gaps."""
TRIGGERS: Final = frozenset(name.upper() for name in (*GAPFILL, *FILLERS))
"""The words that may begin any of them."""
SHAPE: Final = (
    "Write SELECT gapfill('1h', ts) AS bucket, key, locf(avg(x)) FROM t [WHERE …] GROUP BY ALL; "
    "bounds stand behind the time: gapfill('1h', ts, start, finish)."
)
_JOIN: Final = "Put the join into a subquery: FROM (SELECT a.ts, b.x FROM a JOIN b ON a.k = b.k)."
_NAMES: Final = {
    "start": "start",
    "finish": "finish",
    "timezone": "zone",
    "zone": "zone",
    "bucket_width": "size",
    "time": "time",
    "ts": "time",
}
_PLACES: Final = ("size", "time", "start", "finish")


def find_gapfill(draft: Draft, index: int) -> int | None:
    """GAPFILL ( … ), LOCF ( … ) or INTERPOLATE ( … ) where a function is called."""
    called = draft.tokens.follows(index + 1, draft.scope.last, "(") and index not in draft.scope.starts
    # A part of a SELECT that is read by itself has none around it.
    return index + 1 if called and draft.is_call(index) and block_at(draft, index).items is not None else None


def parse_gapfill(draft: Draft, index: int, end: int) -> None:
    """The block around the gapfill, locf or interpolate at a token; the draft gets its island and edits.

    Raises
    ------
    KadeQLSyntaxError
        There is no gapfill or no GROUP BY, there are two different ones, or something is neither grouped nor in an aggregate.
    KadeQLUnsupportedError
        It reads a join.
    """
    tokens, block = draft.tokens, block_at(draft, index)
    found = [] if block.items is None else _called(tokens, *block.items, GAPFILL)
    if not found:
        name = tokens.slice(index, index + 1)
        if tokens.names[index].casefold() in GAPFILL:
            raise draft.wrong(
                f"{name} is an item of a SELECT, and what its rows are grouped by.", index, SHAPE
            )
        raise draft.wrong(
            f"{name} fills the gaps that gapfill gives, and there is none in this SELECT.", index, SHAPE
        )
    item = one_relation(draft, block, index, tokens.slice(found[0], found[0] + 1), SHAPE, _JOIN)
    clause = block.get("GROUP")
    if clause is None:
        raise draft.wrong(
            f"{tokens.slice(found[0], found[0] + 1)} needs a GROUP BY.", found[0], "Add GROUP BY ALL."
        )
    regrouped = Regrouped(draft, block, Source.of(item), "A SELECT with gapfill", SHAPE, strict=False)
    regrouped.default = Fill("null")
    call = _Call(draft, found[0])
    calls = {regrouped.words.said(*_whole(tokens, first, block.last)) for first in found}
    if len(calls) > 1:
        raise draft.wrong("A SELECT has one gapfill.", found[1], "Write the same one in every place.")
    for first in found:
        regrouped.bucket(*_whole(tokens, first, block.last))
    _fills(regrouped, block)
    items = read_items(regrouped)
    _keys(regrouped, items)
    for one in items:
        place_item(regrouped, one)
    windows = Windows(
        text=tokens.slice(*call.place),
        span=tokens.span(*call.place),
        kind="tumble",
        input=filtered(draft, block),
        keys=(),
        time=call.time,
        sizes=(call.size,),
        zone=call.zone,
    )
    finish(regrouped, windows, sampled=True, filled=True, bounds=(call.start, call.finish))


def refuse_gapfill(draft: Draft, block: Block) -> None:
    """Neither gapfill nor what fills its gaps stands beside SAMPLE BY.

    Raises
    ------
    KadeQLSyntaxError
        One does.
    """
    for clause in block.clauses:
        for index in _called(draft.tokens, clause.body, clause.last, GAPFILL | FILLERS.keys()):
            if clause.word not in ("FROM", "WHERE"):
                raise draft.wrong(
                    f"{draft.tokens.slice(index, index + 1)} cannot stand beside SAMPLE BY, which cuts the buckets itself.",
                    index,
                    "Write SELECT ts, avg(x) FROM t SAMPLE BY 1h FILL(PREV), or FILL(LINEAR), one for each aggregate.",
                )


def _called(tokens: Tokens, first: int, last: int, names: frozenset[str]) -> list[int]:
    """Where functions of some names are called."""
    return [
        index
        for index in range(first, last - 1)
        if tokens.words[index + 1] == "("
        and tokens.words[index] != STRING
        and tokens.names[index].casefold() in names
    ]


def _whole(tokens: Tokens, index: int, last: int) -> Range:
    return index, tokens.closing(index + 1, last) + 1


def _keys(regrouped: Regrouped, items: list[Result]) -> None:
    """What GROUP BY names, or every item without an aggregate."""
    explicit = group_by(regrouped, items)
    places = [(item.first, item.last) for item in items if item.is_key] if explicit is None else explicit
    tokens = regrouped.draft.tokens
    keys: list[Range] = []
    for first, last in places:
        inner = _called(tokens, first, last, GAPFILL)
        # What is made of the bucket is made of a key.
        keys.append(_whole(tokens, inner[0], last) if inner else (first, last))
    group_keys(regrouped, keys)


def _fills(regrouped: Regrouped, block: Block) -> None:
    """Every locf(…) and interpolate(…) of the block becomes an aggregate with a fill."""
    tokens, draft = regrouped.draft.tokens, regrouped.draft
    for clause in block.clauses:
        if clause.word in ("FROM", "WHERE"):
            continue
        for index in _called(tokens, clause.body, clause.last, frozenset(FILLERS)):
            whole = _whole(tokens, index, clause.last)
            parts = listed(tokens, index + 2, whole[1] - 1)
            shown = tokens.slice(index, index + 1)
            if not parts or not any(call_at(tokens, at, parts[0][1]) for at in range(*parts[0])):
                raise draft.wrong(
                    f"{shown} fills the gaps of an aggregate.", index, f"Write {shown}(avg(x))."
                )
            ignoring = False
            for first, last in parts[1:]:
                ignoring = _option(draft, tokens.names[index].casefold(), first, last)
            kind = "prev" if tokens.names[index].casefold() == "locf" else "linear"
            regrouped.filled(whole, parts[0], Fill(kind, ignore_nulls=ignoring, span=tokens.span(*whole)))


def _option(draft: Draft, name: str, first: int, last: int) -> bool:
    """`treat_null_as_missing => true` of locf."""
    tokens = draft.tokens
    named = tokens.names[first].casefold() == "treat_null_as_missing"
    if name == "locf" and named and tokens.words[first + 1] in ("=>", ":=") and last == first + 3:
        if tokens.words[first + 2] in ("TRUE", "FALSE"):
            return tokens.words[first + 2] == "TRUE"
        raise draft.wrong("treat_null_as_missing is true or false.", first + 2)
    raise KadeQLUnsupportedError(
        f"{name} takes one aggregate: what lies outside of the buckets is not looked up.",
        text=tokens.text,
        span=tokens.span(first, last),
        hint="Give gapfill a start early enough, or coalesce the first values with what you know."
        if name == "interpolate"
        else "Its one option is treat_null_as_missing => true.",
    )


class _Call:
    """One gapfill as it is written."""

    __slots__ = ("finish", "place", "size", "start", "time", "zone")

    def __init__(self, draft: Draft, index: int) -> None:
        tokens = draft.tokens
        self.place = _whole(tokens, index, draft.scope.last)
        close = self.place[1] - 1
        given: dict[str, Range] = {}
        order = iter(_PLACES)
        for first, last in listed(tokens, index + 2, close):
            cursor = Cursor(tokens, first, last, draft.scope.last)
            if tokens.follows(first + 1, last, "=>") or tokens.follows(first + 1, last, ":="):
                name = _NAMES.get(tokens.names[first].casefold())
                if name is None:
                    raise cursor.expected("start, finish or timezone", SHAPE)
                first += 2
            else:
                name = next(order, None)
                # TimescaleDB's fourth form: the zone stands behind the time.
                zoned = name == "start" and self._is_zone(tokens, first, last)
                if zoned:
                    name, order = "zone", iter(("start", "finish"))
            if name is None or name in given:
                raise draft.wrong("gapfill takes a length, a time, and two bounds.", first, SHAPE)
            given[name] = (first, last)
        for name, what in (("size", "the length of a bucket"), ("time", "a comma and the time column")):
            if name not in given:
                raise Cursor(tokens, close, close + 1, draft.scope.last).expected(what, SHAPE)
        self.size = constant_of(draft, *given["size"])
        named = Cursor(tokens, *given["time"], draft.scope.last)
        self.time: Name = column_name(named, "the time column", SHAPE)
        if not named.done:
            raise KadeQLSyntaxError(
                "gapfill takes a column as its time, no expression.",
                text=tokens.text,
                span=tokens.span(*given["time"]),
                hint="Compute it in a subquery: FROM (SELECT …::TIMESTAMP AS ts, * FROM t).",
            )
        self.start = self._constant(draft, given, "start")
        self.finish = self._constant(draft, given, "finish")
        self.zone = self._constant(draft, given, "zone")

    @staticmethod
    def _constant(draft: Draft, given: dict[str, Range], name: str) -> Constant | None:
        place = given.get(name)
        if place is None or draft.tokens.words[place[0] : place[1]] == ["NULL"]:
            return None
        return constant_of(draft, *place)

    @staticmethod
    def _is_zone(tokens: Tokens, first: int, last: int) -> bool:
        """A text that begins with a letter is no moment."""
        return last - first == 1 and tokens.words[first] == STRING and tokens.names[first][:1].isalpha()
