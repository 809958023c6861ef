"""What a value has of the values around it: shifts, running values, ranks, gaps filled from neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Self, cast

from luma_bench.frame.moments import interpolation
from luma_bench.frame.operators import Operand
from luma_bench.frame.windows_over import (
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

if TYPE_CHECKING:
    from luma_bench.frame.series import Series

By = str | Sequence[str] | None


class Windows(Operand):
    """Windows over a column's rows."""

    __slots__ = ()

    def shift(self, periods: int = 1, *, fill_value: object = None, by: By = None) -> Self:
        """The value of the row `periods` before (after, when negative).

        Parameters
        ----------
        periods
            How many rows.
        fill_value
            What stands where there is no such row; NULL by default.
        by
            The columns of the frame to go by, ascending; by default the order of its rows.

        Raises
        ------
        UnsupportedError
            The rows are in no known order.

        Examples
        --------
        >>> flights.dep_delay.shift(by="flight_id").isna().sum() > 0
        True
        """
        return self._new(shifted(self.expression, self._over(by, "shift"), periods, fill_value))

    def diff(self, periods: int = 1, *, by: By = None) -> Self:
        """The value less that of the row `periods` before: a number, or a span of time for dates and times.

        Examples
        --------
        >>> flights.flight_id.diff(by="flight_id").min() > 0
        True
        """
        return self._new(differences(self.expression, self._over(by, "diff"), periods))

    def pct_change(self, periods: int = 1, *, by: By = None) -> Self:
        """The relative change since the row `periods` before, as a float: 0.5 is half as much again.

        Examples
        --------
        >>> flights.distance.pct_change().min() >= -1
        True
        """
        return self._new(changes(self.expression, self._over(by, "pct_change"), periods))

    def rank(
        self,
        *,
        method: Method = "average",
        na_option: NaOption = "keep",
        ascending: bool = True,
        pct: bool = False,
        by: By = None,
    ) -> Self:
        """The place of the value among all, from 1, as a float; the parameters are those of `DataFrame.rank`.

        Examples
        --------
        >>> flights.distance.rank(method="dense").max() == flights.distance.nunique()
        True
        """
        within = self._over(by, "rank(method='first')") if method == "first" else Over(self._frame)
        made = ranked(
            self.expression, within, method=method, ascending=ascending, na_option=na_option, pct=pct
        )
        return self._new(made)

    def cumsum(self, *, skipna: bool = True, by: By = None) -> Self:
        """The sum of the values up to the row. NULL stays NULL, and the sum goes on after it.

        Whole numbers stay whole, and are an error past 64 bits. NaN and infinity stay in every sum after them.

        Parameters
        ----------
        skipna
            False makes everything from the first NULL on NULL.
        by
            The order, as in `shift`.

        Examples
        --------
        >>> flights.distance.cumsum().max() == flights.distance.sum()
        True
        """
        return self._running("sum", skipna, by)

    def cumprod(self, *, skipna: bool = True, by: By = None) -> Self:
        """The product of the values up to the row, as a float; see `cumsum`.

        Examples
        --------
        >>> (flights.distance / flights.distance).cumprod().max()
        1.0
        """
        return self._running("prod", skipna, by)

    def cummax(self, *, skipna: bool = True, by: By = None) -> Self:
        """The greatest value up to the row, of numbers, times and text; see `cumsum`.

        Examples
        --------
        >>> flights.distance.cummax().max() == flights.distance.max()
        True
        """
        return self._running("max", skipna, by)

    def cummin(self, *, skipna: bool = True, by: By = None) -> Self:
        """The least value up to the row, of numbers, times and text; see `cumsum`.

        Examples
        --------
        >>> flights.distance.cummin().min() == flights.distance.min()
        True
        """
        return self._running("min", skipna, by)

    def ffill(self, *, limit: int | None = None, limit_area: Area | None = None, by: By = None) -> Self:
        """NULL replaced by the last value before it; the parameters are those of `DataFrame.ffill`.

        Examples
        --------
        >>> flights.dep_delay.ffill().bfill().isna().any()
        False
        """
        made = filled(
            self.expression, self._over(by, "ffill"), forward=True, limit=limit, limit_area=limit_area
        )
        return self._new(made)

    def bfill(self, *, limit: int | None = None, limit_area: Area | None = None, by: By = None) -> Self:
        """NULL replaced by the next value after it; the parameters are those of `DataFrame.ffill`.

        Examples
        --------
        >>> flights.dep_delay.bfill(limit=2).count() > flights.dep_delay.count()
        True
        """
        made = filled(
            self.expression, self._over(by, "bfill"), forward=False, limit=limit, limit_area=limit_area
        )
        return self._new(made)

    def interpolate(
        self,
        method: Literal["linear"] = "linear",
        *,
        limit: int | None = None,
        limit_direction: Direction | None = None,
        limit_area: Area | None = None,
        on: str | None = None,
        by: By = None,
    ) -> Self:
        """NULL replaced by the point on the line between its neighbours, as a float.

        The parameters are those of `DataFrame.interpolate`.

        Examples
        --------
        >>> flights.dep_delay.interpolate(limit_direction="both").isna().any()
        False
        """
        within, at = interpolation(self._frame, method, on, by)
        made = interpolated(
            self.expression,
            within,
            at=at,
            limit=limit,
            direction=limit_direction or "forward",
            area=limit_area,
        )
        return self._new(made)

    def _running(self, function: Literal["sum", "prod", "max", "min"], skipna: bool, by: By) -> Self:
        within = self._over(by, f"cum{function}")
        return self._new(running(self.expression, within, function, skipna=skipna))

    def _over(self, by: By, what: str) -> Over:
        return over(self._frame, by, what=what)

    @property
    def _series(self) -> Series:
        return cast("Series", self)
