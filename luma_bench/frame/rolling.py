"""Rolling and expanding windows: aggregates over the rows around a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.unchanging import Named
from luma_bench.frame.window_bounds import Bounds, Column, Source
from luma_bench.frame.windows_over import NULL, as_double, check_numbers, one_of, summed
from luma_bench.plan.expressions import Call, Case, Cast, Expression, IsNull
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.nodes import Project

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


class Windowed[T](Named):
    """`rolling(…)` and `expanding(…)`: an aggregate of the rows around each row, NULL where too few have values.

    NaN and infinity are values: they are in the results of the windows that hold them, and in no others.
    """

    __slots__ = ("_bounds", "_source")

    def __init__(self, source: Source[T], bounds: Bounds) -> None:
        self._source = source
        self._bounds = bounds

    def sum(self, numeric_only: bool = False) -> T:
        """The sum; whole numbers stay whole.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 4]})).x.rolling(2).sum().to_list()
        [None, 3, 6]
        """
        return self._each(self._sum, "sum", numeric_only)

    def mean(self, numeric_only: bool = False) -> T:
        """The arithmetic mean.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 4]})).x.rolling(2).mean().to_list()
        [None, 1.5, 3.0]
        """
        return self._each(lambda value: self._window("mean", self._double(value)), "mean", numeric_only)

    def min(self, numeric_only: bool = False) -> T:
        """The least value.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 4]})).x.rolling(2).min().to_list()
        [None, 1, 2]
        """
        return self._each(lambda value: self._window("min", value), "", numeric_only)

    def max(self, numeric_only: bool = False) -> T:
        """The greatest value.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 4]})).x.rolling(2).max().to_list()
        [None, 2, 4]
        """
        return self._each(lambda value: self._window("max", value), "", numeric_only)

    def count(self, numeric_only: bool = False) -> T:
        """The number of values; NULL where the window has fewer than `min_periods` rows.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, None, 4]})).x.rolling(2).count().to_list()
        [None, 1, 1]
        """
        rows = self._window("size")
        return self._source.each(
            lambda value: self._enough(rows, self._window("count", value)), numeric_only=numeric_only
        )

    def std(self, ddof: int = 1, numeric_only: bool = False) -> T:
        """The standard deviation of a sample; divided by the number of values less `ddof`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 3, 5]})).x.rolling(3).std().to_list()
        [None, None, 2.0]
        """
        return self._each(lambda value: Call("sqrt", (self._var(value, ddof),)), "std", numeric_only)

    def var(self, ddof: int = 1, numeric_only: bool = False) -> T:
        """The variance of a sample; see `std`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 3, 5]})).x.rolling(3).var().to_list()
        [None, None, 4.0]
        """
        return self._each(lambda value: self._var(value, ddof), "var", numeric_only)

    def sem(self, ddof: int = 1, numeric_only: bool = False) -> T:
        """The standard error of the mean.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 3]})).x.rolling(2).sem().to_list()
        [None, 1.0]
        """

        def error(value: Expression) -> Expression:
            count = self._window("count", value)
            return Call("div", (Call("sqrt", (self._var(value, ddof),)), Call("sqrt", (count,))))

        return self._each(error, "sem", numeric_only)

    def median(self, numeric_only: bool = False) -> T:
        """The middle value.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 5, 2]})).x.rolling(3).median().to_list()
        [None, None, 2.0]
        """
        return self._each(lambda value: self._window("median", self._double(value)), "median", numeric_only)

    def quantile(
        self, q: float, interpolation: Literal["linear"] = "linear", numeric_only: bool = False
    ) -> T:
        """The value below which a share `q` of the values lies, on a line between its neighbours.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 3]})).x.rolling(3).quantile(0.25).to_list()
        [None, None, 1.5]
        """
        one_of("interpolation", interpolation, ("linear",))
        if not 0 <= q <= 1:
            raise UnsupportedError(f"quantile({q}) is no share.", hint="Give a number from 0 to 1.")
        share = Constant(float(q))
        return self._each(
            lambda value: self._window("quantile", self._double(value), share), "quantile", numeric_only
        )

    def skew(self, numeric_only: bool = False) -> T:
        """The skewness, of windows of at least three values.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 3]})).x.rolling(3).skew().to_list()
        [None, None, 0.0]
        """
        return self._each(lambda value: self._moment("skew", value, 3), "skew", numeric_only)

    def kurt(self, numeric_only: bool = False) -> T:
        """The excess kurtosis, of windows of at least four values.

        Examples
        --------
        >>> round(lb.from_arrow(pa.table({"x": [1, 2, 3, 4]})).x.expanding().kurt().to_list()[-1], 9)
        -1.2
        """
        return self._each(lambda value: self._moment("kurt", value, 4), "kurt", numeric_only)

    def first(self, numeric_only: bool = False) -> T:
        """The first value that is not NULL.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 4]})).x.rolling(2).first().to_list()
        [None, 1, 2]
        """
        return self._each(lambda value: self._edge("first_value", value), "", numeric_only)

    def last(self, numeric_only: bool = False) -> T:
        """The last value that is not NULL.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 4]})).x.rolling(2).last().to_list()
        [None, 2, 4]
        """
        return self._each(lambda value: self._edge("last_value", value), "", numeric_only)

    def nunique(self, numeric_only: bool = False) -> T:
        """The number of distinct values.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 1, 4]})).x.rolling(2).nunique().to_list()
        [None, 1, 2]
        """
        return self._each(lambda value: self._window("nunique", value), "", numeric_only)

    def corr(self, other: Any = None, *, numeric_only: bool = False) -> T:
        """The correlation with another column of the same frame, over the rows where both have values.

        Raises
        ------
        UnsupportedError
            Without `other`: pandas makes a matrix for every row of it.

        Examples
        --------
        >>> t = lb.from_arrow(pa.table({"x": [1, 2, 3], "y": [2, 4, 6]}))
        >>> t.x.rolling(3).corr(t.y).to_list()[-1]
        1.0
        """
        return self._paired("corr", other, 1, numeric_only)

    def cov(self, other: Any = None, ddof: int = 1, *, numeric_only: bool = False) -> T:
        """The covariance with another column of the same frame; see `corr`.

        Examples
        --------
        >>> t = lb.from_arrow(pa.table({"x": [1, 2, 3], "y": [2, 4, 6]}))
        >>> t.x.rolling(3).cov(t.y).to_list()[-1]
        2.0
        """
        return self._paired("covar", other, ddof, numeric_only)

    def agg(self, func: str | Sequence[str] | Mapping[str, str | Sequence[str]]) -> T | DataFrame:
        """One or several of these functions by name: `agg("mean")`, `agg(["min", "max"])`, `agg({"x": "sum"})`.

        Several functions of a column give columns named `column_function`; of a Series, named by the function.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 2, 4]})).x.rolling(2).agg(["min", "max"]).columns
        ['min', 'max']
        """
        source = self._source
        if isinstance(func, str):
            return self._named(func)
        names = [name for name, _ in source.columns]
        wanted = func if isinstance(func, Mapping) else dict.fromkeys(names, func)
        values = dict(source.columns)
        columns: list[Column] = []
        for name, functions in wanted.items():
            if name not in values:
                raise SchemaError.unknown_column(name, names, "the window")
            several = not isinstance(functions, str)
            for one in functions if several else [functions]:
                shown = (
                    (f"{name}_{one}" if isinstance(func, Mapping) or len(names) > 1 else one)
                    if several
                    else name
                )
                alone: Windowed[DataFrame] = Windowed(
                    Source(source.over, ((name, values[name]),), source.frame), self._bounds
                )
                part = alone._named(one)
                plan = part.plan
                assert isinstance(plan, Project)
                columns.append((shown, plan.columns[-1][1]))
        return source.frame((*source.kept, *columns))

    aggregate = agg

    def apply(self, func: object, *args: object, **kwargs: object) -> T:
        """Refused: Python functions do not run inside an engine's windows.

        Raises
        ------
        UnsupportedError
            Always, with what to write instead.

        Examples
        --------
        >>> flights.distance.rolling(3).apply(max)
        Traceback (most recent call last):
        ...
        luma_bench.errors.UnsupportedError: apply(max) would run Python for every row. ...
        """
        raise UnsupportedError(
            f"apply({getattr(func, '__name__', func)}) would run Python for every row.",
            hint="Use the named functions (mean, quantile, agg(…)), or map_batches on the sorted frame.",
        )

    # How a window is made

    def _named(self, name: str) -> Any:
        if name.startswith("_") or name not in _FUNCTIONS:
            raise UnsupportedError(
                f"agg({name!r}) is not known.", hint=f"The functions are {', '.join(_FUNCTIONS)}."
            )
        return getattr(self, name)()

    def _each(self, change: Callable[[Expression], Expression], what: str, numeric_only: bool) -> T:
        def checked(value: Expression) -> Expression:
            if what:
                check_numbers(self._bounds.over.kind(value), what)
            return self._enough(self._window("count", value), change(value))

        return self._source.each(checked, numeric_only=numeric_only)

    def _window(self, function: str, *args: Expression) -> Expression:
        rows = self._bounds.rows
        if rows is None:
            return Constant(0) if function in ("size", "count", "nunique") else NULL
        return self._bounds.over.window(function, *args, rows=rows)

    def _edge(self, function: str, value: Expression) -> Expression:
        rows = self._bounds.rows
        return (
            NULL if rows is None else self._bounds.over.window(function, value, rows=rows, ignore_nulls=True)
        )

    def _enough(self, count: Expression, made: Expression) -> Expression:
        """The result where the window has as many values as it needs, and the row a place in time."""
        least, place = self._bounds.least or 0, self._bounds.place
        tests: list[Expression] = []
        if least > 0:
            tests.append(Call("ge", (count, Constant(least))))
        if place is not None:
            tests.append(IsNull(place, negated=True))
        if not tests:
            return made
        return Case(((tests[0] if len(tests) == 1 else Call("and", tuple(tests)), made),), NULL)

    def _double(self, value: Expression) -> Expression:
        return as_double(value, self._bounds.over.kind(value))

    def _sum(self, value: Expression) -> Expression:
        bounds = self._bounds
        if bounds.rows is None:
            return Constant(0)
        made = summed(value, bounds.over.kind(value), bounds.over, bounds.rows)
        return Call("coalesce", (made, Constant(0))) if not bounds.least else made

    def _var(self, value: Expression, ddof: int) -> Expression:
        value = self._double(value)
        if ddof == 1:
            return self._window("var", value)
        count = self._window("count", value)
        spread = Call("mul", (self._window("var_pop", value), count))
        rest = Call("sub", (count, Constant(ddof)))
        return Case(((Call("gt", (count, Constant(ddof))), Call("div", (spread, rest))),), NULL)

    def _moment(self, function: str, value: Expression, least: int) -> Expression:
        """Skewness or kurtosis; there is none of a window of equal values."""
        value = self._double(value)
        count = self._window("count", value)
        equal = Call("eq", (self._window("min", value), self._window("max", value)))
        made = Case(((equal, NULL),), self._window(function, value))
        return Case(((Call("ge", (count, Constant(least))), made),), NULL)

    def _paired(self, function: str, other: Any, ddof: int, numeric_only: bool) -> T:
        over = self._bounds.over
        if other is None:
            raise UnsupportedError(
                "The correlations of all columns would be a matrix for every row.",
                hint="Name the other column: frame.a.rolling(7).corr(frame.b).",
            )
        second = Cast(other.over(over.frame), "DOUBLE")

        def pair(value: Expression) -> Expression:
            check_numbers(over.kind(value), function)
            first = self._double(value)
            both = Case(((IsNull(Call("add", (first, second)), negated=True), Constant(1)),), NULL)
            count = self._window("count", both)
            made = self._window(function, first, second)
            if ddof != 1:
                ratio = Call(
                    "div",
                    (Call("sub", (count, Constant(1))), Call("sub", (count, Constant(ddof)))),
                )
                made = Call("mul", (made, ratio))
            return self._enough(count, made)

        return self._source.each(pair, numeric_only=numeric_only)


_FUNCTIONS = (
    "sum", "mean", "min", "max", "count", "std", "var", "sem", "median", "skew", "kurt", "first", "last", "nunique"
)  # fmt: skip


class Rolling[T](Windowed[T]):
    """`rolling(window)`: the rows around each row, so many of them or so much time."""

    __slots__ = ()


class Expanding[T](Windowed[T]):
    """`expanding()`: each row and all before it."""

    __slots__ = ()
