"""Windows as expressions: what a value has of the values around it, over one order and inside partitions.

Every function takes an expression and an `Over`, and gives an expression over the same rows. Columns, frames and groups share
them: a group is a partition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.expr import binary, literal
from luma_bench.frame.order import order_for
from luma_bench.plan.expressions import Call, Case, Cast, ColumnRef, Expression, IsNull
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.functions import Kind
from luma_bench.plan.kinds import kind_of, kind_of_value
from luma_bench.plan.nodes import Filter, Limit, Node, Project, Sort
from luma_bench.plan.walk import kinds_of
from luma_bench.plan.window import Between, Order, Window

if TYPE_CHECKING:
    from luma_bench.frame.base import Frame

NULL = Constant(None)
UP_TO_HERE = Between(None, 0)
"""The row and all before it."""
FROM_HERE = Between(0, None)
"""The row and all after it."""

NUMBERS: frozenset[Kind] = frozenset(("bool", "int", "real", "decimal", "other"))
"""Kinds that arithmetic takes; what cannot be told is left to the engine."""

Method = Literal["average", "min", "max", "first", "dense"]
NaOption = Literal["keep", "top", "bottom"]
Area = Literal["inside", "outside"]
Keep = Literal["first", "last", "all"]
Direction = Literal["forward", "backward", "both"]


@dataclass(frozen=True, slots=True)
class Over:
    """Where windows stand.

    Attributes
    ----------
    frame
        The frame whose columns the expressions read.
    partition
        Rows with equal values of these have windows of their own.
    order
        The order of rows inside a partition; it should be total.
    """

    frame: Frame
    partition: tuple[Expression, ...] = ()
    order: tuple[Order, ...] = ()

    def kind(self, value: Expression) -> Kind:
        """The kind of an expression over the frame."""
        return kind_of(value, kinds_of(self.frame.plan))

    def window(
        self, function: str, *args: Expression, rows: Between | None = None, ignore_nulls: bool = False
    ) -> Window:
        """A function over the rows of the partition, in its order."""
        return Window(function, args, self.partition, self.order, rows, ignore_nulls)

    def whole(self, function: str, *args: Expression) -> Window:
        """A function over all rows of the partition."""
        return Window(function, args, self.partition)

    def ordered(self, *order: Order) -> Over:
        """The same partitions in another order."""
        return Over(self.frame, self.partition, order)


def over(
    frame: Frame,
    by: str | Sequence[str] | None = None,
    partition: tuple[Expression, ...] = (),
    *,
    what: str,
) -> Over:
    """Windows over a frame in the order of `by`, or else in the order of its rows.

    Raises
    ------
    UnsupportedError
        The rows are in no known order; `what` is the method that the message names.
    """
    return Over(frame, partition, order_for(frame, by, what=what))


def shifted(value: Expression, over: Over, periods: int = 1, fill: object = None) -> Expression:
    """The value `periods` rows before (after, when negative); `fill` where there is no such row."""
    if periods == 0:
        return value
    if fill is not None:
        _check_fill(fill, over.kind(value))
    more = () if fill is None else (literal(fill),)
    return over.window("lag" if periods > 0 else "lead", value, Constant(abs(periods)), *more)


def _check_fill(fill: object, kind: Kind) -> None:
    given = kind_of_value(fill)
    fits = given == kind or "other" in (given, kind) or (given == "int" and kind in ("real", "decimal"))
    if not fits:
        raise SchemaError(
            f"fill_value={fill!r} is of kind {given}, and the column holds {kind}.",
            hint="Give a value of the column's type, or change the type first with astype().",
        )


def differences(value: Expression, over: Over, periods: int = 1) -> Expression:
    """The value less the one `periods` rows before; spans of time for dates and times."""
    kind = over.kind(value)
    if kind not in ("int", "real", "decimal", "date", "timestamp", "interval", "other"):
        raise SchemaError(
            f"diff needs numbers or times, and the column holds {kind}.",
            hint='Choose columns: frame[["a", "b"]].diff(); for truth values, astype("int").',
        )
    if kind == "date":
        value = Cast(value, "TIMESTAMP")
    elif kind == "int" and stored_type(over.frame.plan, value) != pa.int64():
        # Small and unsigned integers would overflow.
        value = Cast(value, "BIGINT")
    return Call("sub", (value, shifted(value, over, periods)))


def changes(value: Expression, over: Over, periods: int = 1) -> Expression:
    """The relative change since `periods` rows before, as a float."""
    check_numbers(over.kind(value), "pct_change")
    value = as_double(value, over.kind(value))
    return Call("sub", (Call("div", (value, shifted(value, over, periods))), Constant(1)))


def running(
    value: Expression, over: Over, function: Literal["sum", "prod", "max", "min"], *, skipna: bool = True
) -> Expression:
    """The sum, product, maximum or minimum up to the row; NULL stays NULL, and the sum goes on after it.

    With `skipna=False` everything from the first NULL on is NULL. Whole numbers stay whole and are an error past 64 bits.
    """
    kind = over.kind(value)
    if function in ("sum", "prod"):
        check_numbers(kind, f"cum{function}", spans=function == "sum")
    made = summed(value, kind, over, UP_TO_HERE) if function == "sum" else _extreme(value, over, function)
    if skipna:
        return Case(((IsNull(value), NULL),), made)
    whole = Call("eq", (over.window("size", rows=UP_TO_HERE), over.window("count", value, rows=UP_TO_HERE)))
    return Case(((whole, made),), NULL)


def _extreme(value: Expression, over: Over, function: str) -> Expression:
    if function == "prod":
        value = as_double(value, over.kind(value))
    return over.window(function, value, rows=UP_TO_HERE)


def summed(value: Expression, kind: Kind, over: Over, rows: Between | None) -> Expression:
    """The sum over a window: whole numbers as 64 bits, decimals exact."""
    if kind == "bool":
        value = Cast(value, "INTEGER")
    made = over.window("sum", value, rows=rows)
    return Cast(made, "BIGINT") if kind in ("bool", "int") else made


def counted(over: Over, *, ascending: bool = True) -> Expression:
    """The number of rows of the partition before the row, or after it."""
    if ascending:
        return Call("sub", (over.window("row_number"), Constant(1)))
    return Call("sub", (over.whole("size"), over.window("row_number")))


def ranked(
    value: Expression,
    over: Over,
    *,
    method: Method = "average",
    ascending: bool = True,
    na_option: NaOption = "keep",
    pct: bool = False,
) -> Expression:
    """The place of the value among the partition's, from 1, as a float; `over.order` counts for `method='first'` alone."""
    one_of("method", method, ("average", "min", "max", "first", "dense"))
    one_of("na_option", na_option, ("keep", "top", "bottom"))
    missing, keep = IsNull(value), na_option == "keep"
    key = Order(value, not ascending, na_option != "top")
    peers = over.ordered(key)
    low, high = peers.window("rank"), peers.window("size")
    match method:
        case "first":
            place: Expression = Cast(over.ordered(key, *over.order).window("row_number"), "DOUBLE")
        case "dense":
            place = Cast(peers.window("dense_rank"), "DOUBLE")
        case "min":
            place = Cast(low, "DOUBLE")
        case "max":
            place = Cast(high, "DOUBLE")
        case "average":
            place = Call("div", (Call("add", (low, high)), Constant(2)))
    if pct:
        known = Case(((missing, NULL),), place) if keep else place
        rows = over.whole("count", value) if keep else over.whole("size")
        place = Call("div", (place, over.whole("max", known) if method == "dense" else rows))
    return Case(((missing, NULL),), place) if keep else place


def filled(
    value: Expression, over: Over, *, forward: bool, limit: int | None = None, limit_area: Area | None = None
) -> Expression:
    """The value, or where it is NULL, the last one before it (the next one after it), at most `limit` rows away."""
    check_limit(limit)
    one_of("limit_area", limit_area, (None, "inside", "outside"))
    made = _last(value, over, limit) if forward else _next(value, over, limit)
    if limit_area is None:
        return made
    other = _next(value, over, None) if forward else _last(value, over, None)
    fits = Call("or", (IsNull(value, negated=True), IsNull(other, negated=limit_area == "inside")))
    return Case(((fits, made),), NULL)


def _last(value: Expression, over: Over, limit: int | None) -> Expression:
    return over.window(
        "last_value", value, rows=Between(None if limit is None else -limit, 0), ignore_nulls=True
    )


def _next(value: Expression, over: Over, limit: int | None) -> Expression:
    return over.window("first_value", value, rows=Between(0, limit), ignore_nulls=True)


def interpolated(
    value: Expression,
    over: Over,
    *,
    at: Expression | None = None,
    limit: int | None = None,
    direction: Direction = "forward",
    area: Area | None = None,
) -> Expression:
    """The value, or where it is NULL, the point on the line between its neighbours, as a float.

    `at` is where the rows stand on that line; by default they are evenly apart. Before the first and after the last value
    there is no line: `direction` says which side takes the nearest value.
    """
    check_limit(limit)
    kind = over.kind(value)
    check_numbers(kind, "interpolate")
    place = over.window("row_number")
    value = as_double(value, kind)
    known = IsNull(value, negated=True)
    at = place if at is None else at
    a, b = _last(value, over, None), _next(value, over, None)
    seen = Case(((known, at),), NULL)
    start, end = _last(seen, over, None), _next(seen, over, None)
    share = Call("div", (Call("sub", (at, start)), Call("sub", (end, start))))
    line = Call("add", (a, Call("mul", (Call("sub", (b, a)), share))))
    sides = [side for side in (a, b) if direction == "both" or (side is a) == (direction == "forward")]
    before, after = IsNull(a), IsNull(b)
    inside: Expression = NULL if area == "outside" else line
    outer: Expression = NULL if area == "inside" else Call("coalesce", tuple(sides))
    made: Expression = Case(((Call("or", (before, after)), outer),), inside)
    if limit is not None:
        counted = Case(((known, place),), NULL)
        gaps = {
            "forward": Call("sub", (place, _last(counted, over, None))),
            "backward": Call("sub", (_next(counted, over, None), place)),
        }
        near = [
            Call("le", (gap, Constant(limit))) for name, gap in gaps.items() if direction in (name, "both")
        ]
        made = Case(((Call("or", tuple(near)), made),), NULL)
    return Case(((known, value),), made)


# What the functions need to know of values


def as_double(value: Expression, kind: Kind) -> Expression:
    """The value as a float."""
    return value if kind == "real" else Cast(value, "DOUBLE")


def times(left: Expression, right: Expression) -> Expression:
    """A product of floats."""
    return binary("mul", (left, "real"), (right, "real"))[0]


def check_numbers(kind: Kind, what: str, *, spans: bool = False) -> None:
    """Refuse what is no number (nor, with `spans`, a span of time).

    Raises
    ------
    SchemaError
        With the kind.
    """
    if kind not in NUMBERS and not (spans and kind == "interval"):
        raise SchemaError(
            f"{what} needs numbers, and the column holds {kind}.",
            hint='Choose columns, frame[["a", "b"]], or give numeric_only=True where the method takes it.',
        )


def check_limit(limit: int | None) -> None:
    """Refuse a limit of less than one row."""
    if limit is not None and limit < 1:
        raise UnsupportedError(f"limit={limit} fills nothing.", hint="Give a limit of at least 1, or none.")


def one_of(name: str, given: object, known: Sequence[object]) -> None:
    """Refuse an argument that is not one of the known values.

    Raises
    ------
    UnsupportedError
        With the values.
    """
    if given not in known:
        *first, last = (repr(item) for item in known if item is not None)
        shown = f"{', '.join(first)} or {last}" if first else last
        raise UnsupportedError(f"{name}={given!r} is not known.", hint=f"It is {shown}.")


def whole_number(name: str, given: object) -> None:
    """Refuse an argument that is no whole number.

    Raises
    ------
    UnsupportedError
        With what was given.
    """
    if not isinstance(given, Integral):
        raise UnsupportedError(f"{name}={given!r} is no number of rows.", hint="Give a whole number.")


def is_null(plan: Node, value: Expression) -> bool:
    """Whether an expression is a column of a leaf that has no type, as it has no values."""
    return stored_type(plan, value) == pa.null()


def stored_type(plan: Node, value: Expression) -> pa.DataType | None:
    """The Arrow type of an expression that is a column of a leaf, handed on unchanged; None for all others."""
    node = plan
    name = value.name if isinstance(value, ColumnRef) else None
    while name is not None and isinstance(node, Filter | Project | Sort | Limit):
        if isinstance(node, Project):
            name = node.passed.get(name)
        node = node.child
    arrow: pa.Schema | None = getattr(node, "arrow", None)
    return None if arrow is None or name not in arrow.names else arrow.field(name).type
