"""What a row has of the rows around it: shifts, running values, ranks, gaps filled from neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, cast

from luma_bench.frame.moments import interpolation
from luma_bench.frame.selecting import Selecting
from luma_bench.frame.windows_over import (
    NUMBERS,
    Area,
    Direction,
    Method,
    NaOption,
    Over,
    changes,
    differences,
    filled,
    interpolated,
    over,
    ranked,
    running,
    shifted,
)
from luma_bench.plan.expressions import ColumnRef, Expression
from luma_bench.plan.nodes import Project
from luma_bench.plan.walk import kinds_of

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame

By = str | Sequence[str] | None


class Windowing(Selecting):
    """Windows over the rows of a frame, in every column."""

    __slots__ = ()

    def shift(
        self, periods: int | Sequence[int] = 1, *, fill_value: object = None, by: By = None
    ) -> DataFrame:
        """The values of the row `periods` before (after, when negative).

        Parameters
        ----------
        periods
            How many rows; several give each column as `name_periods`.
        fill_value
            What stands where there is no such row; NULL by default.
        by
            The columns to go by, ascending; by default the order of the frame's rows.

        Raises
        ------
        UnsupportedError
            The rows are in no known order.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 4]})).shift(fill_value=0).x.to_list()
        [0, 1, 2]
        """
        within = self._over(by, "shift")
        if isinstance(periods, int):
            return self._windowed(lambda value: shifted(value, within, periods, fill_value))
        columns = tuple(
            (f"{name}_{count}", shifted(ColumnRef(name), within, count, fill_value))
            for count in periods
            for name in self._plan.names
        )
        return cast("DataFrame", self.with_plan(Project(self._plan, columns)))

    def diff(self, periods: int = 1, *, by: By = None) -> DataFrame:
        """The values less those of the row `periods` before: numbers, or spans of time for dates and times.

        Whole numbers stay whole. `by` is the order, as in `shift`.

        Raises
        ------
        SchemaError
            A column holds neither numbers nor times.
        UnsupportedError
            The rows are in no known order.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 4]})).diff().x.to_list()
        [None, 1, 2]
        """
        within = self._over(by, "diff")
        return self._windowed(lambda value: differences(value, within, periods))

    def pct_change(self, periods: int = 1, *, by: By = None) -> DataFrame:
        """The relative change since the row `periods` before, as a float: 0.5 is half as much again.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 3]})).pct_change().x.to_list()
        [None, 1.0, 0.5]
        """
        within = self._over(by, "pct_change")
        return self._windowed(lambda value: changes(value, within, periods))

    def rank(
        self,
        *,
        method: Method = "average",
        numeric_only: bool = False,
        na_option: NaOption = "keep",
        ascending: bool = True,
        pct: bool = False,
        by: By = None,
    ) -> DataFrame:
        """The place of every value in its column, from 1, as a float; NaN is above every number.

        Parameters
        ----------
        method
            What equal values get: the 'average', 'min' or 'max' of their places, places in the order of rows ('first'), or
            'dense': places without gaps.
        na_option
            NULL stays NULL ('keep'), or has the first ('top') or last ('bottom') places.
        pct
            Places as a share of the number of values.
        by
            For `method='first'`: the order, as in `shift`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [30, 10, 30]})).rank().x.to_list()
        [2.5, 1.0, 2.5]
        """
        within = self._over(by, "rank(method='first')") if method == "first" else Over(self)
        return self._windowed(
            lambda value: ranked(
                value, within, method=method, ascending=ascending, na_option=na_option, pct=pct
            ),
            numeric_only=numeric_only,
        )

    def cumsum(self, *, skipna: bool = True, numeric_only: bool = False, by: By = None) -> DataFrame:
        """The sum of the values up to the row. NULL stays NULL, and the sum goes on after it.

        Whole numbers stay whole, and are an error past 64 bits. NaN and infinity stay in every sum after them.

        Parameters
        ----------
        skipna
            False makes everything from the first NULL on NULL.
        numeric_only
            Leave out columns that are no numbers.
        by
            The order, as in `shift`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, None, 4]})).cumsum().x.to_list()
        [1, None, 5]
        """
        return self._running("sum", skipna, numeric_only, by)

    def cumprod(self, *, skipna: bool = True, numeric_only: bool = False, by: By = None) -> DataFrame:
        """The product of the values up to the row, as a float; see `cumsum`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 4]})).cumprod().x.to_list()
        [1.0, 2.0, 8.0]
        """
        return self._running("prod", skipna, numeric_only, by)

    def cummax(self, *, skipna: bool = True, numeric_only: bool = False, by: By = None) -> DataFrame:
        """The greatest value up to the row, of numbers, times and text; see `cumsum`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 3, 2]})).cummax().x.to_list()
        [1, 3, 3]
        """
        return self._running("max", skipna, numeric_only, by)

    def cummin(self, *, skipna: bool = True, numeric_only: bool = False, by: By = None) -> DataFrame:
        """The least value up to the row, of numbers, times and text; see `cumsum`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [3, 1, 2]})).cummin().x.to_list()
        [3, 1, 1]
        """
        return self._running("min", skipna, numeric_only, by)

    def ffill(self, *, limit: int | None = None, limit_area: Area | None = None, by: By = None) -> DataFrame:
        """Every NULL replaced by the last value before it. NaN stays.

        Parameters
        ----------
        limit
            At most so many NULLs in a row.
        limit_area
            'inside': only NULLs with values before and after them; 'outside': only the others.
        by
            The order, as in `shift`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, None, None, 4]})).ffill(limit=1).x.to_list()
        [1, 1, None, 4]
        """
        within = self._over(by, "ffill")
        return self._windowed(
            lambda value: filled(value, within, forward=True, limit=limit, limit_area=limit_area)
        )

    def bfill(self, *, limit: int | None = None, limit_area: Area | None = None, by: By = None) -> DataFrame:
        """Every NULL replaced by the next value after it; see `ffill`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, None, None, 4]})).bfill().x.to_list()
        [1, 4, 4, 4]
        """
        within = self._over(by, "bfill")
        return self._windowed(
            lambda value: filled(value, within, forward=False, limit=limit, limit_area=limit_area)
        )

    def interpolate(
        self,
        method: Literal["linear"] = "linear",
        *,
        limit: int | None = None,
        limit_direction: Direction | None = None,
        limit_area: Area | None = None,
        on: str | None = None,
        by: By = None,
    ) -> DataFrame:
        """Every NULL of a number column replaced by the point on the line between its neighbours, as a float.

        Parameters
        ----------
        method
            Only 'linear': rows are evenly apart, unless `on` says where they stand.
        limit
            At most so many NULLs in a row, counted from the side that `limit_direction` names.
        limit_direction
            Whether NULLs after the last value take it ('forward', the default), those before the first ('backward'), or both.
        limit_area
            'inside': only between values; 'outside': only before the first and after the last.
        on
            A column of numbers or times that says where rows stand (pandas: `method='index'` or `'time'`); it is the order, too.
        by
            The order, as in `shift`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, None, None, 4]})).interpolate().x.to_list()
        [1.0, 2.0, 3.0, 4.0]
        """
        within, at = interpolation(self, method, on, by)
        kinds = kinds_of(self._plan)
        return self._windowed(
            lambda value: interpolated(
                value, within, at=at, limit=limit, direction=limit_direction or "forward", area=limit_area
            ),
            names=[name for name in self._plan.names if kinds[name] in ("int", "real", "decimal")],
        )

    def _over(self, by: By, what: str) -> Over:
        return over(self, by, what=what)

    def _running(
        self, function: Literal["sum", "prod", "max", "min"], skipna: bool, numeric_only: bool, by: By
    ) -> DataFrame:
        within = self._over(by, f"cum{function}")
        return self._windowed(
            lambda value: running(value, within, function, skipna=skipna), numeric_only=numeric_only
        )

    def _windowed(
        self,
        change: Callable[[Expression], Expression],
        *,
        numeric_only: bool = False,
        names: Sequence[str] | None = None,
    ) -> DataFrame:
        """The frame with `change` in every column, or in those of `names`; without what is no number, if asked."""
        chosen = self._plan.names
        if numeric_only:
            kinds = kinds_of(self._plan)
            chosen = tuple(name for name in chosen if kinds[name] in NUMBERS)
        columns = tuple(
            (name, change(ColumnRef(name)) if names is None or name in names else ColumnRef(name))
            for name in chosen
        )
        return cast("DataFrame", self.with_plan(Project(self._plan, columns)))
