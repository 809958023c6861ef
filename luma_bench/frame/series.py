"""One column of a frame, or an expression over its columns: lazy, with pandas' operators and SQL's NULL rules."""

from __future__ import annotations

import builtins
from typing import Any

import pyarrow as pa

from luma_bench.errors import SchemaError
from luma_bench.frame.locating import Cell
from luma_bench.frame.missing import missing
from luma_bench.frame.nested import Lists, Structs
from luma_bench.frame.plotting import SeriesPlotting
from luma_bench.frame.series_applying import SeriesApplying
from luma_bench.frame.series_grouping import Grouped
from luma_bench.frame.series_leaving import Handing
from luma_bench.frame.series_moving import MovingValues
from luma_bench.frame.series_ordering import Places
from luma_bench.frame.series_statistics import SeriesStatistics
from luma_bench.frame.series_values import Values
from luma_bench.frame.series_windows import Windows
from luma_bench.frame.text import Strings
from luma_bench.frame.times import Dates
from luma_bench.plan.expressions import ColumnRef, has
from luma_bench.plan.nodes import Filter, Project
from luma_bench.plan.window import Window


class Series(
    Values, Windows, MovingValues, Grouped, Places, Handing, SeriesPlotting, SeriesApplying, SeriesStatistics
):
    """A lazy column: `frame["x"]`, or what operators and methods make of such columns.

    Nothing runs until values are asked for (`to_arrow`, `to_pandas`, `to_list`, iteration) or reduced (`sum()`, …).
    NULL follows SQL: an operator on NULL gives NULL, `&` and `|` are three-valued, and a filter keeps TRUE rows only.
    NaN is a value above every number and equal to itself, not a missing one.
    """

    __slots__ = ()

    # What it is

    @property
    def dtype(self) -> pa.DataType:
        """The exact Arrow type; asked of the catalog for a stored column, else of the engine's binder.

        Examples
        --------
        >>> flights.origin.dtype
        DataType(string)
        """
        if isinstance(self.expression, ColumnRef):
            return self._frame.schema.field(self.expression.name).type
        return self.to_frame().schema.field(0).type

    def rename(self, name: builtins.str) -> Series:
        """The same values under another name.

        Examples
        --------
        >>> flights.origin.rename("start").name
        'start'
        """
        return Series(self._frame, self.expression, name)

    @property
    def iloc(self) -> Cell:
        """Values by their place in the frame's order: `iloc[0]`, `iloc[10:20]`.

        Examples
        --------
        >>> len(flights.origin.iloc[10:20])
        10
        """
        return Cell(self)

    @property
    def loc(self) -> Cell:
        """Values by condition: `loc[condition]`.

        Examples
        --------
        >>> flights.dep_delay.loc[flights.origin == "JFK"].name
        'dep_delay'
        """
        return Cell(self, labels=True)

    def dropna(self) -> Series:
        """The values that are not NULL.

        Examples
        --------
        >>> flights.dep_delay.dropna().isna().any()
        False
        """
        return self[self.notna()]

    # Accessors

    @property
    def str(self) -> Strings:
        """Methods on text.

        Examples
        --------
        >>> flights.origin.str.lower().min()
        'ewr'
        """
        return Strings(self)

    @property
    def dt(self) -> Dates:
        """Parts of dates, times and intervals.

        Examples
        --------
        >>> flights.sched.dt.month.max()
        12
        """
        return Dates(self)

    @property
    def list(self) -> Lists:
        """Elements of lists.

        Examples
        --------
        >>> flights.origin.str.split("F").list[0].nunique()
        3
        """
        return Lists(self)

    @property
    def struct(self) -> Structs:
        """Fields of structs.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"s": [{"a": 1}]})).s.struct.field("a").name
        'a'
        """
        return Structs(self)

    def __getattr__(self, name: builtins.str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise missing(self, name, what="A Series has no attribute", kind="Series")

    def __getitem__(self, key: object) -> Series:
        if isinstance(key, Series):
            return self._kept(key)
        raise SchemaError(
            f"A Series has no index, so [{key!r}] means nothing.",
            hint="Filter with a condition (s[s > 0]), take s.head(n), or s.to_list()[i].",
        )

    def _kept(self, condition: Series) -> Series:
        """The values where a condition is TRUE."""
        frame, own, test = self._pair(condition)
        if not has(own, Window):
            return Series(frame.with_plan(Filter(frame.plan, test)), own, self.name)
        # The window's rows are those of the whole frame: it is worked out before the filter.
        name = next(f"_{n}" for n in range(len(frame.columns) + 1) if f"_{n}" not in frame.columns)
        made = (*((one, ColumnRef(one)) for one in frame.columns), (name, own))
        kept = frame.with_plan(Filter(Project(frame.plan, made), test))
        return Series(kept, ColumnRef(name), self.name)
