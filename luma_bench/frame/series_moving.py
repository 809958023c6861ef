"""Windows that move over the values of a column: `rolling`, `expanding`, `ewm`, `resample`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, cast

from luma_bench.errors import SchemaError
from luma_bench.frame.ewm import ExponentialMovingWindow, weights
from luma_bench.frame.operators import Operand
from luma_bench.frame.resample import Resampler
from luma_bench.frame.resample_rules import Origin, Side, rule_of
from luma_bench.frame.rolling import Expanding, Rolling
from luma_bench.frame.window_bounds import Bounds, Closed, Column, Source, rolling_bounds
from luma_bench.frame.windows_over import over
from luma_bench.plan.expressions import ColumnRef
from luma_bench.plan.nodes import Project
from luma_bench.plan.window import Between

if TYPE_CHECKING:
    from luma_bench.frame.series import Series
    from luma_bench.frame.windowing import By


class MovingValues(Operand):
    """Windows that move over a column's rows, and its values gathered by time."""

    __slots__ = ()

    def rolling(
        self,
        window: int | str | dt.timedelta,
        min_periods: int | None = None,
        center: bool = False,
        *,
        on: str | None = None,
        closed: Closed | None = None,
        by: By = None,
    ) -> Rolling[Series]:
        """Windows of so many rows up to each row, or of so much time by the frame's column `on`.

        The parameters are those of `DataFrame.rolling`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 4]})).x.rolling(2).mean().to_list()
        [None, 1.5, 3.0]
        """
        source = self._source(on if by is None and not isinstance(window, int) else by, "rolling")
        bounds = rolling_bounds(
            source.over, window, min_periods=min_periods, center=center, on=on, closed=closed
        )
        return Rolling(source, bounds)

    def expanding(self, min_periods: int = 1, *, by: By = None) -> Expanding[Series]:
        """Windows of each row and all before it; the parameters are those of `DataFrame.expanding`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 6]})).x.expanding().mean().to_list()
        [1.0, 1.5, 3.0]
        """
        source = self._source(by, "expanding")
        return Expanding(source, Bounds(source.over, Between(None, 0), min_periods))

    def ewm(
        self,
        com: float | None = None,
        span: float | None = None,
        halflife: float | str | dt.timedelta | None = None,
        alpha: float | None = None,
        min_periods: int | None = 0,
        adjust: bool = True,
        ignore_na: bool = False,
        *,
        times: str | None = None,
        by: By = None,
    ) -> ExponentialMovingWindow[Series]:
        """Windows with weights that fall by a constant factor from row to row; the parameters are those of `DataFrame.ewm`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 4]})).x.ewm(alpha=0.5).mean().to_list()
        [1.0, 3.0]
        """
        source = self._source(by if times is None else times, "ewm")
        how = weights(
            source.over,
            com=com,
            span=span,
            halflife=halflife,
            alpha=alpha,
            min_periods=min_periods,
            adjust=adjust,
            ignore_na=ignore_na,
            times=times,
        )
        return ExponentialMovingWindow(source, how)

    def resample(
        self,
        rule: str | dt.timedelta,
        closed: Side | None = None,
        label: Side | None = None,
        *,
        on: str,
        origin: Origin = "start_day",
        offset: str | dt.timedelta | None = None,
    ) -> Resampler:
        """The values gathered by spans of time, as a frame of labels and values; see `DataFrame.resample`.

        Examples
        --------
        >>> t = lb.from_arrow(pa.table({"t": pd.to_datetime(["2024-01-01", "2024-01-03"]), "x": [1, 2]}))
        >>> t.x.resample("D", on="t").sum().x.to_list()
        [1, 0, 2]
        """
        frame, name = self._frame, self.name
        frame.check_column(on)
        if name == on:
            raise SchemaError(
                f"The values and their times are one column, {on!r}.", hint="Name another on=…."
            )
        both = frame.with_plan(Project(frame.plan, ((on, ColumnRef(on)), (name, self.expression))))
        return Resampler(both, rule_of(both, rule, closed, label, on, origin, offset), (name,))

    def _source(self, by: By, what: str) -> Source[Series]:
        series = cast("Series", self)

        def made(columns: tuple[Column, ...]) -> Series:
            return type(series)(series.frame, columns[-1][1], series.name)

        return Source(over(self._frame, by, what=what), ((self.name, self.expression),), made)
