"""Windows inside groups: `groupby(…).rolling(7).mean()`, `expanding()`, `ewm()`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from luma_bench.errors import UnsupportedError
from luma_bench.frame.ewm import ExponentialMovingWindow, weights
from luma_bench.frame.groupby_core import Groups
from luma_bench.frame.groupby_measures import present
from luma_bench.frame.groupby_plan import Column
from luma_bench.frame.groupby_resample import GroupResampler, resampled
from luma_bench.frame.resample_rules import Origin, Side, rule_of
from luma_bench.frame.rolling import Expanding, Rolling
from luma_bench.frame.window_bounds import Bounds, Closed, Source, rolling_bounds
from luma_bench.frame.windows_over import UP_TO_HERE, Over, over
from luma_bench.plan.expressions import ColumnRef, all_of
from luma_bench.plan.nodes import Filter

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame
    from luma_bench.frame.series import Series

By = str | Sequence[str] | None


class Moving[R](Groups):
    """Windows over the rows around each row of a group.

    Of a column they give a Series of the frame's rows, which can be assigned; of several, a frame of the keys and the
    columns. The rows stay in the frame's order, where pandas puts them group by group.
    """

    __slots__ = ()

    def _source(self, place: Over, on: str | None) -> Source[R]:
        """What windows of these groups read and give."""
        raise NotImplementedError

    def _moving_place(self, by: By, on: str | None, what: str) -> Over:
        if on is not None:
            self._frame.check_column(on)
        return over(self._grouped_frame, on if by is None else by, self._keys.expressions, what=what)

    @property
    def _grouped_frame(self) -> DataFrame:
        """The frame whose rows come out."""
        return self._frame

    def rolling(
        self,
        window: int | str | dt.timedelta,
        min_periods: int | None = None,
        center: bool = False,
        *,
        on: str | None = None,
        closed: Closed | None = None,
        by: By = None,
    ) -> Rolling[R]:
        """Windows of so many rows of the group, or of so much time up to the row by the column `on`.

        Parameters
        ----------
        window
            A number of rows, or a span of time such as '7D'.
        min_periods
            How many values a window needs; else its result is NULL. By default all its rows, and with a span of time one.
        center
            The row in the middle of its window, and not at its end.
        on
            A column of moments.
        closed
            Which ends the window has: 'right', 'left', 'both' or 'neither'.
        by
            Columns to go by; by default `on`, else the order of the frame.

        Examples
        --------
        >>> flights.assign(mean=flights.groupby("tailnum")["dep_delay"].rolling(3).mean()).columns[-1]
        'mean'
        """
        place = self._moving_place(by, on, "rolling")
        bounds = rolling_bounds(place, window, min_periods=min_periods, center=center, on=on, closed=closed)
        return Rolling(self._source(place, on), bounds)

    def expanding(self, min_periods: int = 1, *, by: By = None) -> Expanding[R]:
        """Each row of the group and all before it.

        Examples
        --------
        >>> flights.groupby("tailnum")["dep_delay"].expanding().max().name
        'dep_delay'
        """
        place = self._moving_place(by, None, "expanding")
        return Expanding(self._source(place, None), Bounds(place, UP_TO_HERE, min_periods))

    def ewm(
        self,
        com: float | None = None,
        span: float | None = None,
        halflife: float | str | dt.timedelta | None = None,
        alpha: float | None = None,
        min_periods: int | None = 0,
        adjust: bool = True,
        ignore_na: bool = False,
        times: str | None = None,
        *,
        by: By = None,
    ) -> ExponentialMovingWindow[R]:
        """Exponentially falling weights over the rows of the group before each row.

        Parameters
        ----------
        com, span, halflife, alpha
            One of the four says how fast weights fall.
        times
            A column of moments, when they fall by time; `halflife` is then a span of time.

        Examples
        --------
        >>> flights.groupby("tailnum")["dep_delay"].ewm(span=3).mean().name
        'dep_delay'
        """
        place = self._moving_place(by, times, "ewm")
        how = weights(
            place,
            com=com,
            span=span,
            halflife=halflife,
            alpha=alpha,
            min_periods=min_periods,
            adjust=adjust,
            ignore_na=ignore_na,
            times=times,
        )
        return ExponentialMovingWindow(self._source(place, times), how)

    def resample(
        self,
        rule: str | dt.timedelta,
        closed: Side | None = None,
        label: Side | None = None,
        *,
        on: str,
        origin: Origin = "start_day",
        offset: str | dt.timedelta | None = None,
    ) -> GroupResampler:
        """Spans of time in each group, without gaps from its first row to its last; parameters as of `DataFrame.resample`.

        The keys come out first, then the labels under the name of `on`.

        Raises
        ------
        SchemaError
            `on` holds no moments.
        UnsupportedError
            The rule is not known, or the groups are made with `dropna=False`.

        Examples
        --------
        >>> bench.table("weather").groupby("origin")["temp"].resample("YS", on="time_hour").mean().columns
        ['origin', 'time_hour', 'temp']
        """
        made = rule_of(self._frame, rule, closed, label, on, origin, offset)
        names = [name for name, _ in self._values if name != on]
        for name, value in self._values:
            if value != ColumnRef(name):
                raise UnsupportedError(
                    "resample() of groups reads columns of the frame, and this one is computed.",
                    hint="Assign it first: frame.assign(name=…).groupby(…)['name'].resample(…).",
                )
        return resampled(self._frame, self._keys, made, names)


class MovingFrame(Moving["DataFrame"]):
    """Windows of several columns."""

    __slots__ = ()

    @property
    def _grouped_frame(self) -> DataFrame:
        if not self._keys.dropna:
            return self._frame
        kept = Filter(self._frame.plan, all_of(present(self._keys.expressions)))
        return self._frame.with_plan(kept)

    def _source(self, place: Over, on: str | None) -> Source[DataFrame]:
        columns = tuple(item for item in self._values if item[0] != on)
        kept: tuple[Column, ...] = self._keys.columns
        if on is not None and on not in self._keys.names:
            kept = (*kept, (on, ColumnRef(on)))

        def frame(made: tuple[Column, ...]) -> DataFrame:
            return source.frame(made)

        source: Source[DataFrame] = Source(place, columns, frame, kept)
        return source


class MovingColumn(Moving["Series"]):
    """Windows of one column."""

    __slots__ = ()

    def _source(self, place: Over, on: str | None) -> Source[Series]:
        name, value = self._values[0]

        def series(made: tuple[Column, ...]) -> Series:
            return self._row_series(name, made[-1][1])

        return Source(place, ((name, self._present(value)),), series)
