"""`lb.merge_asof`: the nearest row before, after, or on either side; and `lb.merge` beside it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any, cast

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.dataframe import DataFrame
from luma_bench.frame.joining import frame_of
from luma_bench.frame.meeting import meeting
from luma_bench.frame.merge import as_names, check_kinds, side_columns
from luma_bench.frame.order import row_order
from luma_bench.frame.unchanging import checking_keywords
from luma_bench.plan.expressions import Call, Case, Cast, ColumnRef, Expression, IsNull, Literal
from luma_bench.plan.nodes import Asof, Distinct, JoinColumn, Node, Project, SortKey
from luma_bench.plan.walk import kinds_of
from luma_bench.plan.window import Origin, Window

_SHIFT = 1 << 63
_LAST = _SHIFT - 1
_DIRECTIONS = ("backward", "forward", "nearest")


@checking_keywords
def merge(
    left: Any, right: Any, how: str = "inner", on: str | Sequence[str] | None = None, **options: Any
) -> DataFrame:
    """Rows of both frames whose keys are equal: `left.merge(right, …)`, where `left` may be data too.

    Examples
    --------
    >>> lb.merge({"k": [1, 2], "a": ["x", "y"]}, {"k": [2], "b": ["z"]}, on="k").to_dict("records")
    [{'k': 2, 'a': 'y', 'b': 'z'}]
    """
    return cast("DataFrame", frame_of(left)).merge(right, how, on, **options)


@checking_keywords
def merge_asof(
    left: Any,
    right: Any,
    on: str | None = None,
    left_on: str | None = None,
    right_on: str | None = None,
    *,
    by: str | Sequence[str] | None = None,
    left_by: str | Sequence[str] | None = None,
    right_by: str | Sequence[str] | None = None,
    suffixes: tuple[str | None, str | None] = ("_x", "_y"),
    tolerance: float | str | dt.timedelta | None = None,
    allow_exact_matches: bool = True,
    direction: str = "backward",
) -> DataFrame:
    """Each row of `left` beside the row of `right` whose `on` is nearest; NULLs where there is none.

    Neither frame has to be sorted. Of several rows of `right` with that `on`, 'backward' takes the last in the order of its
    rows and 'forward' the first, as pandas does; where these are in no known order (after a grouping), any of them. A row of
    `left` whose `on` is NULL has no match. The rows are in no order until sorted.

    Parameters
    ----------
    left, right
        Frames of one bench and snapshot, or data.
    on, left_on, right_on
        The column to go by: numbers, dates or timestamps.
    by, left_by, right_by
        Columns that have to be equal.
    suffixes
        Added to other columns that both frames have.
    tolerance
        How far apart the two may be: a number; for times a `timedelta`, or a text such as '5min'.
    allow_exact_matches
        Whether an equal `on` is a match.
    direction
        'backward', 'forward', or 'nearest' (of two as near, the one before).

    Raises
    ------
    SchemaError
        A column does not exist, or the two cannot be compared.
    UnsupportedError
        An argument has no meaning, or the frames are of different benches or snapshots.

    Examples
    --------
    >>> prices = lb.from_dict({"t": [1, 4, 6], "price": [10, 40, 60]})
    >>> lb.merge_asof({"t": [2, 5]}, prices, on="t", direction="forward").sort_values("t").price.to_list()
    [40, 60]
    """
    if direction not in _DIRECTIONS:
        raise UnsupportedError(
            f"merge_asof(direction={direction!r}) is not known.",
            hint=f"It is one of {', '.join(map(repr, _DIRECTIONS))}.",
        )
    one, two = frame_of(left), frame_of(right)
    executor = meeting(one, two)
    pair = _key(on, left_on, right_on)
    pairs = _by(by, left_by, right_by)
    one.check_column(pair[0])
    two.check_column(pair[1])
    check_kinds(one.plan, two.plan, (pair, *pairs), "merge_asof")
    kind = _kind(one.plan, pair[0])
    _kind(two.plan, pair[1])
    left_type = one.schema.field(pair[0]).type
    right_type = two.schema.field(pair[1]).type
    _check_zones(pair, left_type, right_type)
    asked = _Asked(pair, pairs, suffixes, allow_exact_matches, left_type, right_type)
    ways = ("backward", "forward") if direction == "nearest" else (direction,)
    plan = asked.plan(one.plan, two.plan, ways, _distance(kind, tolerance))
    return DataFrame(executor, plan)


def _key(on: str | None, left_on: str | None, right_on: str | None) -> tuple[str, str]:
    if on is not None and left_on is None and right_on is None:
        return on, on
    if on is None and left_on is not None and right_on is not None:
        return left_on, right_on
    raise UnsupportedError(
        "merge_asof() goes by one column of each frame.", hint="Give on=, or both left_on= and right_on=."
    )


def _by(
    by: str | Sequence[str] | None,
    left_by: str | Sequence[str] | None,
    right_by: str | Sequence[str] | None,
) -> tuple[tuple[str, str], ...]:
    if by is not None and (left_by is not None or right_by is not None):
        raise UnsupportedError("merge_asof() got by= beside left_by= or right_by=.", hint="Give one way.")
    if by is not None:
        return tuple((name, name) for name in as_names(by))
    if (left_by is None) != (right_by is None):
        raise UnsupportedError("merge_asof() got one of left_by= and right_by=.", hint="Give both.")
    lefts, rights = as_names(left_by or ()), as_names(right_by or ())
    if len(lefts) != len(rights):
        raise UnsupportedError("left_by and right_by differ in length.", hint="Give as many on both sides.")
    return tuple(zip(lefts, rights, strict=True))


def _kind(plan: Node, name: str) -> str:
    kind = kinds_of(plan)[name]
    if kind in ("int", "real", "decimal", "date", "timestamp", "other"):
        return kind
    raise SchemaError(
        f"merge_asof: {name!r} is of kind {kind!r}, which has no distances.",
        hint="Go by numbers, dates or timestamps; columns that have to be equal are by=.",
    )


def _check_zones(pair: tuple[str, str], left: pa.DataType, right: pa.DataType) -> None:
    if (getattr(left, "tz", None) is None) != (getattr(right, "tz", None) is None):
        raise SchemaError(
            f"merge_asof: {pair[0]!r} is {left} and {pair[1]!r} is {right}: one has a time zone, the other has none.",
            hint="Give both a zone, or none: .dt.tz_localize(…).",
        )


def _distance(kind: str, tolerance: Any) -> object:
    """The tolerance as a constant to compare a difference with."""
    if tolerance is None:
        return None
    if kind in ("date", "timestamp"):
        distance: Any = _span(tolerance)
        zero: Any = dt.timedelta(0)
    elif isinstance(tolerance, bool) or not isinstance(tolerance, int | float):
        raise UnsupportedError(
            f"tolerance={tolerance!r} is no number.", hint="The key is a number, and so is the tolerance."
        )
    else:
        distance, zero = tolerance, 0
    if distance < zero:
        raise UnsupportedError("tolerance is negative.", hint="Give a distance of at least 0.")
    return distance


def _span(tolerance: Any) -> dt.timedelta:
    import pandas as pd

    # pandas' own names of units, in which a day is no longer 'd'.
    text = re.sub(r"d\b", "D", tolerance) if isinstance(tolerance, str) else tolerance
    hint = "Give a timedelta, or a text such as '5min'."
    if isinstance(tolerance, int | float):
        raise UnsupportedError(f"tolerance={tolerance!r} has no unit.", hint=hint)
    try:
        return cast("Any", pd.Timedelta(text)).to_pytimedelta()
    except (ValueError, TypeError) as error:
        raise UnsupportedError(f"tolerance={tolerance!r} is no span of time: {error}.", hint=hint) from error


class _Asked:
    """What is merged how, and the plans of it."""

    def __init__(
        self,
        on: tuple[str, str],
        by: tuple[tuple[str, str], ...],
        suffixes: tuple[str | None, str | None],
        exact: bool,
        left_type: pa.DataType,
        right_type: pa.DataType,
    ) -> None:
        self._on, self._by, self._suffixes, self._exact = on, by, suffixes, exact
        self._types = (left_type, right_type)

    def plan(self, left: Node, right: Node, ways: Sequence[str], distance: object) -> Node:
        """The rows of `left` with what was found, each once for a way, then the nearer one chosen."""
        shared = {a: b for a, b in (self._on, *self._by) if a == b}
        columns = side_columns(left, right, "left", shared, self._suffixes)
        taken = {name.casefold() for name in (*left.names, *right.names, *(item.name for item in columns))}
        theirs = [column for column in columns if column.left is None]
        node = _also(left, {})
        found: list[tuple[str, dict[str, str]]] = []
        for way in ways:
            hit = _fresh(f"found_{way}", taken)
            names = {column.name: _fresh(f"{column.name}_{way}", taken) for column in theirs}
            node = self._one(node, right, way, hit, names, theirs, taken)
            found.append((hit, names))
        items: list[tuple[str, Expression]] = []
        for column in columns:
            if column.left is not None:
                items.append((column.name, ColumnRef(column.left)))
            else:
                items.append((column.name, self._chosen(column.name, found, ways, distance)))
        return Project(node, tuple(items))

    def _one(
        self,
        left: Node,
        right: Node,
        way: str,
        hit: str,
        names: dict[str, str],
        theirs: list[JoinColumn],
        taken: set[str],
    ) -> Node:
        forward = way == "forward"
        mine, other = self._on
        exact = self._exact
        place = self._place(right)
        ranked = place is not None and self._instants_of() is not None
        if place is not None and not ranked:
            right = self._without_ties(right, place, _fresh("place", taken), last=not forward)
        if place is not None and ranked:
            start, end = self._instants()
            key_left, key_right = _fresh("from", taken), _fresh("to", taken)
            after = forward != exact  # where a row of one instant counts as the last of it
            offset = _LAST if after else (0 if forward else -1)
            left = _also(left, {key_left: _ranked(start(ColumnRef(mine)), Literal(offset))})
            right = _also(right, {key_right: _ranked(end(ColumnRef(other)), place)})
            mine_key, other_key, exact = key_left, key_right, True
        else:
            mine_key, other_key = mine, other
        kept = [JoinColumn(name, name, None) for name in left.names if name != mine_key or not ranked]
        kept += [JoinColumn(names[column.name], None, column.right) for column in theirs]
        kept.append(JoinColumn(hit, None, other))
        return Asof(left, right, (mine_key, other_key), self._by, tuple(kept), forward, exact)

    def _without_ties(self, right: Node, place: Expression, name: str, *, last: bool) -> Node:
        """One row for each `on` and `by`: the last in the order of rows, or the first."""
        keys = tuple(dict.fromkeys((self._on[1], *(key for _, key in self._by))))
        return Distinct(_also(right, {name: place}), keys, (SortKey(name, descending=last),))

    def _place(self, right: Node) -> Expression | None:
        """What tells rows of `right` with one `on` apart, ascending in the order of rows; None where there is none."""
        order = row_order(right)
        if order is None:
            return None
        ties = {self._on[1], *(name for _, name in self._by)}
        if isinstance(order[-1].key, Origin):
            if all(isinstance(key.key, ColumnRef) and key.key.name in ties for key in order[:-1]):
                return Origin()
        elif all(isinstance(key.key, ColumnRef) and key.key.name in ties for key in order):
            return None
        return Window("row_number", order=order)

    def _instants_of(self) -> str | None:
        left, right = self._types
        if pa.types.is_integer(left) and pa.types.is_integer(right):
            return None if pa.uint64() in (left, right) else "int"
        times = [pa.types.is_timestamp(item) or pa.types.is_date(item) for item in (left, right)]
        if not all(times):
            return None
        return "epoch_ns" if any(getattr(item, "unit", "") == "ns" for item in (left, right)) else "epoch_us"

    def _instants(self) -> tuple[Any, Any]:
        way = self._instants_of()

        def of(type_: pa.DataType) -> Any:
            def made(column: Expression) -> Expression:
                if way == "int":
                    return Cast(column, "HUGEINT")
                instant = Cast(column, "TIMESTAMP") if pa.types.is_date(type_) else column
                return Cast(Call(way or "epoch_us", (instant,)), "HUGEINT")

            return made

        return of(self._types[0]), of(self._types[1])

    def _chosen(
        self,
        name: str,
        found: list[tuple[str, dict[str, str]]],
        ways: Sequence[str],
        distance: object,
    ) -> Expression:
        """The value of a column of `right`: of the one way, or of the nearer one, within the tolerance."""
        mine = ColumnRef(self._on[0])

        def away(hit: str, way: str) -> Expression:
            there = ColumnRef(hit)
            a, b = (mine, there) if way == "backward" else (there, mine)
            if any(pa.types.is_date(item) for item in self._types):
                a, b = Cast(a, "TIMESTAMP"), Cast(b, "TIMESTAMP")
            return Call("sub", (a, b))

        def near(index: int) -> Expression | None:
            if distance is None:
                return None
            return Call("le", (away(found[index][0], ways[index]), Literal(distance)))

        value: Expression = ColumnRef(found[0][1][name])
        if len(found) == 1:
            inside = near(0)
            return value if inside is None else Case(((inside, value),), Literal(None))
        back, ahead = found[0][0], found[1][0]
        other: Expression = ColumnRef(found[1][1][name])
        first = Case(
            (
                (IsNull(ColumnRef(back)), Literal(False)),
                (IsNull(ColumnRef(ahead)), Literal(True)),
            ),
            Call("le", (away(back, "backward"), away(ahead, "forward"))),
        )
        inside_back, inside_ahead = near(0), near(1)
        if inside_back is None or inside_ahead is None:
            return Case(((first, value),), other)
        return Case(
            (
                (Call("and", (first, inside_back)), value),
                (Call("and", (Call("not", (first,)), inside_ahead)), other),
            ),
            Literal(None),
        )


def _ranked(instant: Expression, place: Expression) -> Expression:
    """One number that orders by an instant first and by a place second."""
    return Call("add", (Call("mul", (instant, Cast(Literal(_SHIFT), "HUGEINT"))), Cast(place, "HUGEINT")))


def _also(node: Node, more: dict[str, Expression]) -> Node:
    if not more:
        return node
    return Project(node, (*((name, ColumnRef(name)) for name in node.names), *more.items()))


def _fresh(stem: str, taken: set[str]) -> str:
    name, number = stem, 1
    while name.casefold() in taken:
        number += 1
        name = f"{stem}_{number}"
    taken.add(name.casefold())
    return name
