"""Groups of one column: `frame.groupby(keys)["x"]`, or `series.groupby(keys)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from luma_bench.errors import UnsupportedError
from luma_bench.frame.groupby import check_method, check_no_types, missing
from luma_bench.frame.groupby_aggregate import labels, named_functions
from luma_bench.frame.groupby_measures import named_measure
from luma_bench.frame.groupby_plan import Column
from luma_bench.frame.groupby_reduce import Reducing
from luma_bench.frame.groupby_rows import Choosing
from luma_bench.frame.groupby_running import Running
from luma_bench.frame.groupby_tables import bars, counted, described, extreme_at, related_pair
from luma_bench.frame.groupby_windows import MovingColumn
from luma_bench.frame.series import Series
from luma_bench.frame.windows_over import one_of
from luma_bench.plan.expressions import Call, Expression, IsNull, all_of, has
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.nodes import Filter, Project, Sort, SortKey
from luma_bench.plan.window import Order, Window

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


class SeriesGroupBy(Reducing, Running[Series], Choosing[Series], MovingColumn):
    """Groups of a column. Reductions give a frame of keys and the column; values for each row, a Series of the frame."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise missing(self, name, "A grouped column", "SeriesGroupBy")

    @property
    def ndim(self) -> int:
        """1.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].ndim
        1
        """
        return 1

    @property
    def dtype(self) -> pa.DataType:
        """The Arrow type of the column.

        Examples
        --------
        >>> flights.groupby("origin")["dest"].dtype == flights.dest.dtype
        True
        """
        return self._own.dtype

    @property
    def _own(self) -> Series:
        name, expression = self._values[0]
        return Series(self._frame, expression, name)

    @property
    def _subject(self) -> tuple[str, Expression] | None:
        return self._values[0]

    def _rows(self, columns: Sequence[Column]) -> Any:
        if len(columns) > 1:
            return self._row_frame(columns)
        return self._row_series(self._values[0][0], columns[0][1])

    def _taken(self, frame: DataFrame) -> Series:
        return Series(frame, self._own.over(frame), self._values[0][0])

    def agg(self, func: Any = None, *args: Any, **kwargs: Any) -> DataFrame:
        """One aggregate, a list of them (columns named by them), or several by name: `agg(low="min", high="max")`.

        An aggregate is a name, a well-known callable, or a function of the group's values, as in `DataFrameGroupBy.agg`.

        Raises
        ------
        UnsupportedError
            An aggregate does not exist, depends on an order that is not known, or has a value for each row.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].agg(["min", "max"]).columns
        ['origin', 'min', 'max']
        >>> flights.groupby("origin")["dep_delay"].agg(span=lambda s: s.max() - s.min()).columns
        ['origin', 'span']
        """
        column = self._values[0]
        if isinstance(func, list | tuple):
            named = list(zip(labels(func), func, strict=True))
            return self._one_each([(label, self._measure(column, one)) for label, one in named])
        if isinstance(func, dict):
            raise UnsupportedError(
                "agg() of one column takes no dictionary.", hint="Write agg(low='min', high='max')."
            )
        if func is None:
            named = named_functions(kwargs)
            if not named:
                raise UnsupportedError("agg() got no aggregates.", hint='Write agg("mean").')
            return self._one_each([(name, self._measure(column, one)) for name, one in named])
        if args and func == "quantile":
            kwargs, args = {"q": args[0], **kwargs}, args[1:]
        if func == "quantile":
            return self.quantile(**kwargs)
        options = {**kwargs, "args": args} if args else kwargs
        if func in ("size", len):
            return self.size()
        return self._one_each([(column[0], self._measure(column, func, **options))])

    aggregate = agg

    def unique(self) -> DataFrame:
        """The distinct values of each group as a list, in ascending order, NULL last.

        Examples
        --------
        >>> flights.groupby("origin")["carrier"].unique().columns
        ['origin', 'carrier']
        """
        return self._reduced("unique")

    def value_counts(
        self,
        normalize: bool = False,
        sort: bool = True,
        ascending: bool = False,
        bins: None = None,
        dropna: bool = True,
    ) -> DataFrame:
        """How often each value occurs in each group, most frequent first, in a column `count`.

        Examples
        --------
        >>> flights.groupby("origin")["carrier"].value_counts().columns
        ['origin', 'carrier', 'count']
        """
        if bins is not None:
            raise UnsupportedError(
                "value_counts(bins=…) of groups is not known.", hint="Count lb.cut(series, bins) instead."
            )
        return counted(self, self._values, normalize=normalize, sort=sort, ascending=ascending, dropna=dropna)

    def describe(
        self, percentiles: Sequence[float] | None = None, include: None = None, exclude: None = None
    ) -> DataFrame:
        """Count, mean, standard deviation, least, greatest value and percentiles, for numbers and times.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].describe().columns
        ['origin', 'count', 'mean', 'std', 'min', '25%', '50%', '75%', 'max']
        """
        check_no_types(include, exclude)
        return self._one_each(
            [(label, made) for _, label, made in described(self, self._values, percentiles)]
        )

    def ohlc(self, *, by: str | Sequence[str] | None = None) -> DataFrame:
        """The first, greatest, least and last value: columns `open`, `high`, `low`, `close`.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].ohlc(by="time_hour").columns
        ['origin', 'open', 'high', 'low', 'close']
        """
        return self._one_each(bars(self, self._values[0], by))

    def corr(self, other: Series, method: str = "pearson", min_periods: int | None = None) -> DataFrame:
        """The correlation with a column of the same frame.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].corr(flights.arr_delay).columns
        ['origin', 'dep_delay']
        """
        check_method(method)
        column = self._values[0]
        value = related_pair(self, "corr", column, other.over(self._frame), least=min_periods or 1)
        return self._one_each([(column[0], value)])

    def cov(self, other: Series, min_periods: int | None = None, ddof: int = 1) -> DataFrame:
        """The covariance with a column of the same frame.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].cov(flights.arr_delay).columns
        ['origin', 'dep_delay']
        """
        column, beside = self._values[0], other.over(self._frame)
        value = related_pair(self, "covar", column, beside, ddof=ddof, least=min_periods or 1)
        return self._one_each([(column[0], value)])

    def idxmax(self, skipna: bool = True, *, on: str | None = None) -> DataFrame:
        """The value of the column `on` where the column is greatest; of several such rows, the first.

        Raises
        ------
        UnsupportedError
            Without `on`: rows have no labels.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].idxmax(on="flight").columns
        ['origin', 'dep_delay']
        """
        column = self._values[0]
        return self._one_each([(column[0], extreme_at(self, column, on, greatest=True))])

    def idxmin(self, skipna: bool = True, *, on: str | None = None) -> DataFrame:
        """The value of the column `on` where the column is least; of several such rows, the first.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].idxmin(on="flight").columns
        ['origin', 'dep_delay']
        """
        column = self._values[0]
        return self._one_each([(column[0], extreme_at(self, column, on, greatest=False))])

    def nlargest(self, n: int = 5, keep: Literal["first", "last", "all"] = "first") -> DataFrame:
        """The keys and the `n` largest values of each group, largest first; NULL is none of them.

        Parameters
        ----------
        keep
            Which of equal values stay: the 'first' or 'last' in the frame's order, or 'all', which may be more than `n`.

        Examples
        --------
        >>> len(flights.groupby("origin")["dep_delay"].nlargest(3))
        9
        """
        return self._extremes(n, keep, greatest=True)

    def nsmallest(self, n: int = 5, keep: Literal["first", "last", "all"] = "first") -> DataFrame:
        """The keys and the `n` smallest values of each group, smallest first; NULL is none of them.

        Examples
        --------
        >>> len(flights.groupby("origin")["dep_delay"].nsmallest(3))
        9
        """
        return self._extremes(n, keep, greatest=False)

    def _extremes(self, n: int, keep: str, *, greatest: bool) -> DataFrame:
        one_of("keep", keep, ("first", "last", "all"))
        name, value = self._values[0]
        key = Order(value, greatest)
        # Equal values are alike but for their row: which of them stays shows in nothing.
        function = "rank" if keep == "all" else "row_number"
        place = Window(function, (), self._keys.expressions, (key,))
        known = [value, *(self._keys.expressions if self._keys.dropna else ())]
        tests: list[Expression] = [IsNull(item, negated=True) for item in known]
        plan, first = self._frame.plan, Call("le", (place, Constant(n)))
        if any(has(item, Window) for item in (value, *self._keys.expressions)):
            kept = Filter(plan, all_of([*tests, first]))
        else:
            # NULLs go below the window: they are last in it, and alone its test is an engine's first rows of a group.
            kept = Filter(Filter(plan, all_of(tests)), first)
        made = Project(kept, (*self._keys.columns, (name, value)))
        order = (*(SortKey(item) for item in self._keys.names), SortKey(name, descending=greatest))
        return self._frame.with_plan(Sort(made, order))

    @property
    def is_monotonic_increasing(self) -> DataFrame:
        """Whether the values of each group never fall, in the frame's order: a frame of keys and truth.

        Examples
        --------
        >>> flights.groupby("origin")["time_hour"].is_monotonic_increasing.columns
        ['origin', 'time_hour']
        """
        return self._monotonic("ge")

    @property
    def is_monotonic_decreasing(self) -> DataFrame:
        """Whether the values of each group never rise, in the frame's order: a frame of keys and truth.

        Examples
        --------
        >>> flights.groupby("origin")["time_hour"].is_monotonic_decreasing.columns
        ['origin', 'time_hour']
        """
        return self._monotonic("le")

    def _monotonic(self, comparison: str) -> DataFrame:
        name, value = self._values[0]
        order = self._scope.order("is_monotonic")
        before = Window("lag", (value,), self._keys.expressions, order)
        first = Call("eq", (Window("row_number", (), self._keys.expressions, order), Constant(1)))
        # As in pandas, a NULL is in no order.
        goes = Call("coalesce", (Call(comparison, (value, before)), Constant(False)))
        known = Call("or", (first, goes))
        alone = Call(
            "or", (IsNull(value, negated=True), Call("eq", (self._scope.window("size"), Constant(1))))
        )
        made = self._scope.window("all", all_of([alone, known]))
        return self._one_each([(name, made)])

    def apply(self, func: Callable[..., Any] | str, *args: Any, **kwargs: Any) -> Any:
        """What a function says of each group: one value, a dictionary of values, or a value for each row.

        It is called once, with a column that stands for every group; see `agg`.

        Raises
        ------
        UnsupportedError
            The function asks for rows: it is to run in the engine.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].apply(lambda s: s.max() - s.min()).columns
        ['origin', 'dep_delay']
        """
        from luma_bench.frame.groupby_stand_in import Group

        if isinstance(func, str) or named_measure(func) is not None:
            return self.agg(func, *args, **kwargs)
        subject = Group.of(self._scope).column(*self._values[0])
        return self._applied(func, subject, args, kwargs)
