"""What is not worked out row by row: windows over other rows, and the place that a row came from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Literal as OneOf

from luma_bench.errors import UnsupportedError
from luma_bench.plan.functions import AGGREGATES, WINDOWS

if TYPE_CHECKING:
    from luma_bench.plan.expressions import Expression

Bound = int | float | dt.timedelta | None
"""An end of a window: that many rows (or that much of the key) before (negative), at (0) or after the row; None is no end."""


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an order inside a window or an aggregate. NULLs stand where `nulls_last` says."""

    key: Expression
    descending: bool = False
    nulls_last: bool = True

    @property
    def reversed(self) -> Order:
        """The key of the opposite order."""
        return Order(self.key, not self.descending, not self.nulls_last)


@dataclass(frozen=True, slots=True)
class Between:
    """Which rows around a row its window holds: `ROWS BETWEEN start AND end`, or RANGE over the one key of the order."""

    start: Bound = None
    end: Bound = 0
    unit: OneOf["rows", "range"] = "rows"


@dataclass(frozen=True, slots=True)
class Window:
    """`function(args) OVER (PARTITION BY … ORDER BY … frame)`: an aggregate, or a function of `plan.functions.WINDOWS`.

    It may stand anywhere in a projection, a filter or an operand of a grouping; what cannot be written in one SELECT
    is lifted into a step below when the plan is written (`plan.rules.lift_windows`).

    Attributes
    ----------
    function, args
        What is computed of the window's rows.
    partition
        Rows with equal values of these have windows of their own.
    order
        The order of rows inside a partition; make it total (end it with `Origin()`) where ties would make a difference.
    frame
        Which rows; without one, SQL's default: all up to the row and its ties, or the whole partition without an order.
    ignore_nulls
        For `first_value`, `last_value`, `nth_value`, `lag` and `lead`: NULLs are passed over.

    Raises
    ------
    UnsupportedError
        There is no such function.
    """

    function: str
    args: tuple[Expression, ...] = ()
    partition: tuple[Expression, ...] = ()
    order: tuple[Order, ...] = ()
    frame: Between | None = None
    ignore_nulls: bool = False

    def __post_init__(self) -> None:
        if self.function not in WINDOWS and self.function not in AGGREGATES:
            raise UnsupportedError(
                f"There is no window function {self.function!r}.",
                hint=f"It is an aggregate or one of {', '.join(WINDOWS)}.",
            )

    @property
    def children(self) -> tuple[Expression, ...]:
        """Arguments, partition, keys of the order."""
        return (*self.args, *self.partition, *(key.key for key in self.order))

    def with_children(self, children: Sequence[Expression]) -> Expression:
        """The same window over other operands."""
        first, second = len(self.args), len(self.args) + len(self.partition)
        order = tuple(
            Order(child, key.descending, key.nulls_last)
            for child, key in zip(children[second:], self.order, strict=True)
        )
        return Window(
            self.function,
            tuple(children[:first]),
            tuple(children[first:second]),
            order,
            self.frame,
            self.ignore_nulls,
        )


@dataclass(frozen=True, slots=True)
class Origin:
    """The row id of the stored or in-memory row that a row came from; or a column of it, though it was dropped since.

    It holds through filters, projections, sorts and limits; below anything else there is no such row.
    """

    column: str | None = None

    @property
    def children(self) -> tuple[Expression, ...]:
        """No operands."""
        return ()

    def with_children(self, children: Sequence[Expression]) -> Expression:
        """Itself: it has none."""
        return self
