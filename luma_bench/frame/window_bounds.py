"""Which columns windows read, and which rows each window holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from luma_bench.errors import UnsupportedError
from luma_bench.frame.moments import moments
from luma_bench.frame.windows_over import NUMBERS, Over, one_of
from luma_bench.plan.expressions import ColumnRef, Expression
from luma_bench.plan.nodes import Project
from luma_bench.plan.window import Between, Order

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame

Closed = Literal["right", "left", "both", "neither"]
Column = tuple[str, Expression]


@dataclass(frozen=True, slots=True)
class Source[T]:
    """What windows are computed of, and what their results become.

    Attributes
    ----------
    over
        The frame, partitions and order of rows.
    columns
        The columns that the windows read.
    made
        A frame or Series of finished columns.
    kept
        Columns that come out as they are, in front: keys of groups, and `on`.
    """

    over: Over
    columns: tuple[Column, ...]
    made: Callable[[tuple[Column, ...]], T]
    kept: tuple[Column, ...] = ()

    def each(self, change: Callable[[Expression], Expression], *, numeric_only: bool = False) -> T:
        """Every column changed."""
        return self.made((*self.kept, *((name, change(value)) for name, value in self.chosen(numeric_only))))

    def chosen(self, numeric_only: bool) -> list[Column]:
        """The columns, or those of them that hold numbers."""
        return [
            (name, value)
            for name, value in self.columns
            if not numeric_only or self.over.kind(value) in NUMBERS
        ]

    def frame(self, columns: tuple[Column, ...]) -> DataFrame:
        """A frame of finished columns over the same rows."""
        plan = self.over.frame.plan
        return cast("DataFrame", self.over.frame.with_plan(Project(plan, columns)))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which rows a window holds; without `rows`, none."""

    over: Over
    rows: Between | None
    least: int | None
    """How many values a window needs, `min_periods`."""
    place: Expression | None = None
    """The moment that rows go by; rows without one have no window."""


def rolling_bounds(
    over: Over,
    window: int | str | dt.timedelta,
    *,
    min_periods: int | None = None,
    center: bool = False,
    on: str | None = None,
    closed: Closed | None = None,
) -> Bounds:
    """Windows of so many rows, or of so much time up to the row by the column `on`.

    Raises
    ------
    SchemaError
        `on` holds no moments.
    UnsupportedError
        The window is none, or time is asked for without `on`.
    """
    one_of("closed", closed, (None, "right", "left", "both", "neither"))
    closed = closed or "right"
    if isinstance(window, int) and not isinstance(window, bool):
        if window < 0:
            raise UnsupportedError(f"A window of {window} rows is none.", hint="Give 0 rows or more.")
        if min_periods is not None and min_periods > window:
            raise UnsupportedError(
                f"min_periods={min_periods} is more than the window's {window} rows.", hint="Give less."
            )
        behind, ahead = (window - 1 - (window - 1) // 2, (window - 1) // 2) if center else (window - 1, 0)
        start = -behind - (closed in ("left", "both"))
        end = ahead - (closed in ("left", "neither"))
        rows = None if start > end or not window else Between(start, end)
        return Bounds(over, rows, window if min_periods is None else min_periods)
    if on is None:
        raise UnsupportedError(
            f"A window of {window} of time needs a column of moments.", hint="Write rolling('7D', on='time')."
        )
    line = moments(over.frame, ColumnRef(on), on, "on")
    width = line.units(window, "window")
    if width <= 0:
        raise UnsupportedError(f"A window of {window!r} is none.", hint="Give a span of time above zero.")
    # The ends are whole units, so that an open end is one unit further in.
    back, ahead = (-(width // 2), width // 2) if center else (-width, 0)
    if center and width % 2:
        opened_start, opened_end = back, ahead
    else:
        opened_start = back + (closed in ("right", "neither"))
        opened_end = ahead - (closed in ("left", "neither"))
    rows = None if opened_start > opened_end else Between(opened_start, opened_end, "range")
    return Bounds(
        Over(over.frame, over.partition, (Order(line.place),)),
        rows,
        1 if min_periods is None else min_periods,
        line.place,
    )
