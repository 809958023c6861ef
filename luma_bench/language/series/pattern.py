"""What a text says about series, before any name is looked up: each construct as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from luma_bench.language.placed import Query

Span = tuple[int, int]

START, END, TIME = "window_start", "window_end", "window_time"
"""The columns that a window adds to rows."""


class Name(NamedTuple):
    """A column as it is written, without its table's alias, and where it stands in the whole text."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Constant:
    """An expression over constants and parameters: an interval, a moment, a number, a text.

    Attributes
    ----------
    text
        As it is written.
    literal
        Its value where it is a plain string or number.
    query
        `SELECT (text) AS value`.
    """

    text: str
    span: Span
    query: Query
    literal: str | int | float | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """The rows that a construct reads.

    Attributes
    ----------
    query
        `SELECT * FROM item AS alias`, with the WITH lists that it needs before it: every row, unfiltered.
    table
        The name in the catalog where the item is a plain name that no WITH gives (a table, a view or the caller's own
        relation); None for anything else.
    where
        The condition that the rows must fulfil, as `SELECT * FROM item AS alias WHERE (condition)`; None without one.
    """

    query: Query
    table: str | None
    alias: str
    where: Query | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesIsland:
    """What all constructs share.

    Attributes
    ----------
    alias
        The name of its relation in the rewritten text; equal constructs share it.
    text
        As it is written, for messages and for telling equal ones.
    params
        The `$names` that its own queries need.
    """

    alias: str = ""
    text: str
    span: Span
    params: frozenset[str] = frozenset()
    volatile: bool = False
    queries: tuple[Query, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows(SeriesIsland):
    """TUMBLE, HOP, CUMULATE or SESSION in FROM, or the buckets under a SAMPLE BY: the rows of the input, each with its windows.

    Its relation has the columns of the input, then `window_start`, `window_end` and `window_time`.

    Attributes
    ----------
    keys
        PARTITION BY: what tells series apart; only sessions depend on it.
    time
        DESCRIPTOR(…), or the column of SAMPLE BY; None: the table's time column, or its only timestamp.
    sizes
        TUMBLE: (size). HOP: (slide, size). CUMULATE: (step, size). SESSION: (gap).
    align
        ALIGN TO: a moment that a bucket begins at, or CALENDAR or FIRST OBSERVATION as words.
    """

    kind: Literal["tumble", "hop", "cumulate", "session"]
    input: Input
    keys: tuple[Name, ...]
    time: Name | None
    sizes: tuple[Constant, ...]
    offset: Constant | None = None
    zone: Constant | None = None
    align: Constant | Literal["calendar", "first observation"] | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate call of a grouped construct.

    Attributes
    ----------
    column
        Its column in the relation.
    function
        Casefolded; `count_star` for count(*).
    arguments
        Plain columns, or constants such as a quantile; None where an argument is any other expression, or the call has
        DISTINCT, FILTER, ORDER BY or OVER: only SQL computes it.
    sql
        The whole call, as it stands in the SQL plan.
    """

    column: str
    function: str
    arguments: tuple[Name | Constant, ...] | None
    sql: str
    span: Span


@dataclass(frozen=True, slots=True)
class Key:
    """A grouping column of a grouped construct.

    Attributes
    ----------
    column
        Its column in the relation.
    name
        The input's column; None for another expression; `window_start` and its like for those.
    """

    column: str
    name: Name | None
    sql: str
    span: Span


@dataclass(frozen=True, slots=True)
class Fill:
    """What stands in an empty bucket of one aggregate column.

    Attributes
    ----------
    kind
        `none`: no such bucket; `value`: the constant.
    ignore_nulls
        PREV carries the last value that is not NULL.
    """

    kind: Literal["null", "prev", "linear", "none", "value"]
    constant: Constant | None = None
    ignore_nulls: bool = False
    span: Span = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped(SeriesIsland):
    """A whole block `SELECT keys, aggregates FROM windows WHERE … GROUP BY …`, SAMPLE BY or gapfill.

    Its relation has one column a key and one an aggregate. Two plans give it: the sorted-run kernel, or `sql`.

    Attributes
    ----------
    windows
        The rows with their windows; the relation of `windows.alias` stands in `sql`.
    sql
        The block as SQL over `windows.alias`, giving exactly `keys` then `aggregates` in order.
    fills
        One an aggregate, in order; empty where nothing is filled.
    bounds
        FROM and TO, or the bounds of gapfill; either may be None.
    sampled
        SAMPLE BY or gapfill: the last key is `@t`, the start of the row's bucket.
    places
        Where `sql` names columns outside of aggregates, casefolded, with half-open offsets in it: under SAMPLE BY the one of
        the time stands for the bucket's start there; without a name, where first and last take their order. See
        `sample_by.settled`.
    times
        Columns that stand for the bucket's start although no item gives it: each has to be the time column.
    """

    windows: Windows
    keys: tuple[Key, ...]
    aggregates: tuple[Aggregate, ...]
    sql: Query
    fills: tuple[Fill, ...] = ()
    bounds: tuple[Constant | None, Constant | None] = (None, None)
    sampled: bool = False
    places: tuple[tuple[str, int, int], ...] = field(default=(), repr=False)
    times: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest(SeriesIsland):
    """LATEST ON time PARTITION BY keys: the newest row of each series, with the columns of the input."""

    input: Input
    keys: tuple[Name, ...]
    time: Name


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a join: its rows, its alias, and its columns that have to be equal, in order.

    Attributes
    ----------
    time
        Only of a WINDOW JOIN it may be None: the table's time column, or its only timestamp.
    """

    input: Input
    keys: tuple[Name, ...]
    time: Name | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asof(SeriesIsland):
    """ASOF JOIN of two relations. Its two sides become two relations that go together row by row: `alias` + ` left`, ` right`.

    Attributes
    ----------
    operator
        Between the left time and the right one: `>=`, `>`, `<=` or `<`; DIRECTION FORWARD turns it round.
    outer
        LEFT: rows of the left side without a match stay.
    using
        USING instead of ON: the right relation gives its keys and time under names with a leading `@`.
    sure
        Whether the text says of each pair of columns which one is whose; else `conditions.turned` tells once the columns
        are known.
    """

    left: Side
    right: Side
    operator: Literal[">=", ">", "<=", "<"]
    direction: Literal["backward", "forward", "nearest"]
    outer: bool
    tolerance: Constant | None = None
    using: bool = False
    sure: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TiedRight(SeriesIsland):
    """The right side of an as-of join that stays DuckDB's: its rows without those that a later one of equal time hides."""

    side: Side
    operator: Literal[">=", ">", "<=", "<"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowJoin(SeriesIsland):
    """WINDOW JOIN: the rows of the left side, each with aggregates over the right rows in a range of time around its own.

    Its relation has the left side's columns, then one column an aggregate.

    Attributes
    ----------
    preceding, following
        How far the range reaches before and behind the left time, both ends included; None for zero. Negative turns round.
    """

    left: Side
    right: Side
    aggregates: tuple[Aggregate, ...]
    preceding: Constant | None = None
    following: Constant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied(SeriesIsland):
    """A series function in FROM: `EWMA(TABLE t PARTITION BY k, DESCRIPTOR(ts), x, alpha => 0.1)`.

    Attributes
    ----------
    values
        The columns behind DESCRIPTOR.
    options
        By casefolded names.
    """

    function: str
    input: Input
    keys: tuple[Name, ...]
    time: Name
    values: tuple[Name, ...]
    options: dict[str, Constant] = field(default_factory=dict[str, Constant])


AnySeries = Windows | Grouped | Latest | Asof | TiedRight | WindowJoin | Applied
"""Every construct about series."""
