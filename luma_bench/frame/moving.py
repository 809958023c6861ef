"""Windows that move over the rows of a frame: `rolling`, `expanding`, `ewm`, `resample`; and Python over its batches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from luma_bench.errors import UnsupportedError
from luma_bench.frame.ewm import ExponentialMovingWindow, weights
from luma_bench.frame.mapping import mapped
from luma_bench.frame.resample import Resampler
from luma_bench.frame.resample_rules import Origin, Side, rule_of
from luma_bench.frame.rolling import Expanding, Rolling
from luma_bench.frame.schemas import as_schema
from luma_bench.frame.selecting import Selecting
from luma_bench.frame.window_bounds import Bounds, Closed, Column, Source, rolling_bounds
from luma_bench.frame.windowing import By
from luma_bench.frame.windows_over import over
from luma_bench.plan.expressions import ColumnRef
from luma_bench.plan.nodes import Project
from luma_bench.plan.window import Between

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


class Moving(Selecting):
    """Windows that move, times that are gathered, and functions over batches."""

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
    ) -> Rolling[DataFrame]:
        """Windows of so many rows up to each row, or of so much time: `rolling(7).mean()`, `rolling("7D", on="day").sum()`.

        Parameters
        ----------
        window
            A number of rows, or a span of time (a timedelta, or text such as '7D' or '90min').
        min_periods
            How many values a window needs for a result; by default all its rows, and one for a span of time.
        center
            The row stands in the middle of its window, not at the end.
        on
            The column of moments that a span of time goes by; it comes out as it is. Rows of one moment see each other; a row
            without a moment has NULL.
        closed
            Which ends of the window count: 'right' (the default), 'left', 'both' or 'neither'.
        by
            The order of rows, as in `shift`.

        Raises
        ------
        UnsupportedError
            The rows are in no known order, or a span of time has no `on`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 4]})).rolling(2).sum().x.to_list()
        [None, 3, 6]
        """
        order = on if by is None and not isinstance(window, int) else by
        source = self._source(order, "rolling", () if isinstance(window, int) and on is None else (on,))
        bounds = rolling_bounds(
            source.over, window, min_periods=min_periods, center=center, on=on, closed=closed
        )
        return Rolling(source, bounds)

    def expanding(self, min_periods: int = 1, *, by: By = None) -> Expanding[DataFrame]:
        """Windows of each row and all before it; the parameters are those of `rolling`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 6]})).expanding().mean().x.to_list()
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
    ) -> ExponentialMovingWindow[DataFrame]:
        """Windows of each row and all before it, with weights that fall by a constant factor from row to row.

        Parameters
        ----------
        com, span, halflife, alpha
            The factor, by one of these: `alpha = 1 / (1 + com) = 2 / (span + 1) = 1 - exp(-ln(2) / halflife)`.
        min_periods
            How many values a result needs.
        adjust
            Divide by the sum of the weights; without it, each value is `(1 - alpha)` of the last and `alpha` of the new.
        ignore_na
            Weights fall from value to value; by default they fall over NULLs, too.
        times
            The column of moments that `halflife`, then a span of time, goes by; by it the rows are in order.
        by
            The order of rows, as in `shift`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 4]})).ewm(alpha=0.5).mean().x.to_list()
        [1.0, 3.0]
        """
        source = self._source(by if times is None else times, "ewm", (times,))
        return ExponentialMovingWindow(
            source,
            weights(
                source.over,
                com=com,
                span=span,
                halflife=halflife,
                alpha=alpha,
                min_periods=min_periods,
                adjust=adjust,
                ignore_na=ignore_na,
                times=times,
            ),
        )

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
        """Groups of rows by spans of time, without gaps: `resample("h", on="time").mean()`.

        Parameters
        ----------
        rule
            The length of a span: 'h', '15min', 'D', '7D', 'W', 'W-MON', 'ME', 'MS', 'QS', 'QE', 'YS', 'YE', '2h30min', …
        closed, label
            Which end of a span belongs to it, and which one names it; 'right' for spans that end on their last day ('W', 'ME',
            'QE', 'YE'), else 'left'.
        on
            The column of moments; it comes out first, as the labels. Rows without a moment are left out.
        origin
            What spans of a fixed length are counted from: 'start_day' (the first row's midnight), 'start', 'end', 'end_day',
            'epoch', or a moment.
        offset
            Added to the origin.

        Raises
        ------
        SchemaError
            `on` holds no moments.
        UnsupportedError
            The rule is not known.

        Examples
        --------
        >>> t = lb.from_arrow(pa.table({"t": pd.to_datetime(["2024-01-01", "2024-01-03"]), "x": [1, 2]}))
        >>> t.resample("D", on="t").sum().x.to_list()
        [1, 0, 2]
        """
        frame = cast("DataFrame", self)
        names = tuple(name for name in self._plan.names if name != on)
        return Resampler(frame, rule_of(frame, rule, closed, label, on, origin, offset), names)

    def map_batches(
        self,
        fn: Callable[[pa.RecordBatch], Any],
        schema: pa.Schema | Mapping[str, Any],
        *,
        batch_rows: int | None = None,
    ) -> DataFrame:
        """The rows that a Python function makes of the frame's rows, batch by batch, in the frame's order.

        It runs in this process when rows are asked for, and its rows are then in memory.

        Parameters
        ----------
        fn
            Gets a `pyarrow.RecordBatch`, and gives a RecordBatch, an Arrow table, a pandas or Polars frame, or a dict of columns.
        schema
            What it gives: an Arrow schema, or a dict of name to type ('int64', 'string', `pa.date32()`, …).
        batch_rows
            So many rows a batch; as they come by default.

        Raises
        ------
        LumaError
            The function failed; with its message.
        SchemaError
            It gave other columns or types than `schema` says.

        Examples
        --------
        >>> t = lb.from_arrow(pa.table({"x": [1, 2]}))
        >>> t.map_batches(lambda batch: {"y": [v.as_py() ** 2 for v in batch["x"]]}, {"y": "int64"}).y.to_list()
        [1, 4]
        """
        if batch_rows is not None and batch_rows < 1:
            raise UnsupportedError(f"batch_rows={batch_rows} is no number of rows.", hint="Give at least 1.")
        return cast("DataFrame", self.with_plan(mapped(self._plan, fn, as_schema(schema), batch_rows)))

    def _source(self, by: By, what: str, kept: tuple[str | None, ...] = ()) -> Source[DataFrame]:
        """Every column, those of `kept` aside, and a frame of them where they stood."""
        names = self._plan.names
        known = [name for name in kept if name is not None]
        for name in known:
            self.check_column(name)

        def made(columns: tuple[Column, ...]) -> DataFrame:
            found = dict(columns)
            ordered = tuple((name, found[name]) for name in names if name in found)
            return cast("DataFrame", self.with_plan(Project(self._plan, ordered)))

        return Source(
            over(self, by, what=what),
            tuple((name, ColumnRef(name)) for name in names if name not in known),
            made,
            tuple((name, ColumnRef(name)) for name in known),
        )
