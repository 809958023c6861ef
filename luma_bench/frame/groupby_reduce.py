"""One row a group: pandas' reductions of groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from luma_bench.frame.groupby_core import Groups

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


class Reducing(Groups):
    """Reductions: the keys come out as columns, then one column for each that was reduced.

    NULL is left out of every reduction, and a group without values gives NULL; NaN is a value.
    """

    __slots__ = ()

    def _reduced(self, function: str, *, numeric_only: bool = False, **options: Any) -> DataFrame:
        columns = self._numbers() if numeric_only else self._values
        return self._one_each([(column[0], self._measure(column, function, **options)) for column in columns])

    def size(self, name: str = "size") -> DataFrame:
        """The number of rows of each group, in a column `name`.

        Examples
        --------
        >>> flights.groupby("origin").size().columns
        ['origin', 'size']
        """
        return self._one_each([(name, self._scope.window("size"))])

    def count(self) -> DataFrame:
        """The number of values that are not NULL.

        Examples
        --------
        >>> flights.groupby("origin")[["dep_delay", "arr_delay"]].count().columns
        ['origin', 'dep_delay', 'arr_delay']
        """
        return self._reduced("count")

    def nunique(self, dropna: bool = True) -> DataFrame:
        """The number of distinct values; with `dropna=False`, NULL is one of them.

        Examples
        --------
        >>> flights.groupby("origin")["dest"].nunique().columns
        ['origin', 'dest']
        """
        return self._reduced("nunique", dropna=dropna)

    def sum(self, numeric_only: bool = False, min_count: int = 1, skipna: bool = True) -> DataFrame:
        """The sum, exact for whole numbers and decimals.

        Parameters
        ----------
        numeric_only
            Leave out columns without numbers; else one is an error.
        min_count
            NULL for a group of fewer values; with 0, a group without values has the sum 0, as in pandas.
        skipna
            With False, NULL for a group that holds a NULL.

        Raises
        ------
        SchemaError
            A column holds no numbers.

        Examples
        --------
        >>> flights.groupby("origin")["distance"].sum().columns
        ['origin', 'distance']
        """
        return self._reduced("sum", numeric_only=numeric_only, min_count=min_count, skipna=skipna)

    def prod(self, numeric_only: bool = False, min_count: int = 1, skipna: bool = True) -> DataFrame:
        """The product, as a float; parameters as of `sum`.

        Examples
        --------
        >>> flights.groupby("origin")["month"].prod().columns
        ['origin', 'month']
        """
        return self._reduced("prod", numeric_only=numeric_only, min_count=min_count, skipna=skipna)

    def mean(self, numeric_only: bool = False, skipna: bool = True) -> DataFrame:
        """The arithmetic mean, of dates and times too.

        Examples
        --------
        >>> flights.groupby("origin").mean(numeric_only=True).columns[:3]
        ['origin', ...]
        """
        return self._reduced("mean", numeric_only=numeric_only, skipna=skipna)

    def median(self, numeric_only: bool = False, skipna: bool = True) -> DataFrame:
        """The middle value, or the mean of the middle two.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].median().columns
        ['origin', 'dep_delay']
        """
        return self._reduced("median", numeric_only=numeric_only, skipna=skipna)

    def quantile(
        self, q: float | Sequence[float] = 0.5, interpolation: str = "linear", numeric_only: bool = False
    ) -> DataFrame:
        """The value at the fraction `q` of the order, linear between neighbours.

        A list of fractions gives a row for each of them and each group, with the fraction in a column `quantile`.

        Raises
        ------
        UnsupportedError
            A fraction is not from 0 to 1.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].quantile(0.9).columns
        ['origin', 'dep_delay']
        >>> len(flights.groupby("origin")["dep_delay"].quantile([0.5, 0.9]))
        6
        """
        if isinstance(q, int | float):
            return self._reduced(
                "quantile", numeric_only=numeric_only, q=float(q), interpolation=interpolation
            )
        from luma_bench.frame.groupby_tables import quantiles

        columns = self._numbers() if numeric_only else self._values
        return quantiles(self, columns, [float(one) for one in q], interpolation)

    def min(self, numeric_only: bool = False, min_count: int = -1, skipna: bool = True) -> DataFrame:
        """The least value.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].min().columns
        ['origin', 'dep_delay']
        """
        return self._reduced("min", numeric_only=numeric_only, min_count=min_count, skipna=skipna)

    def max(self, numeric_only: bool = False, min_count: int = -1, skipna: bool = True) -> DataFrame:
        """The greatest value; NaN is above every number.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].max().columns
        ['origin', 'dep_delay']
        """
        return self._reduced("max", numeric_only=numeric_only, min_count=min_count, skipna=skipna)

    def std(self, ddof: int = 1, numeric_only: bool = False, skipna: bool = True) -> DataFrame:
        """The standard deviation, with `n - ddof` as divisor.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].std().columns
        ['origin', 'dep_delay']
        """
        return self._reduced("std", numeric_only=numeric_only, ddof=ddof, skipna=skipna)

    def var(self, ddof: int = 1, numeric_only: bool = False, skipna: bool = True) -> DataFrame:
        """The variance, with `n - ddof` as divisor.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].var().columns
        ['origin', 'dep_delay']
        """
        return self._reduced("var", numeric_only=numeric_only, ddof=ddof, skipna=skipna)

    def sem(self, ddof: int = 1, numeric_only: bool = False, skipna: bool = True) -> DataFrame:
        """The standard error of the mean: the standard deviation over the root of the number of values.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].sem().columns
        ['origin', 'dep_delay']
        """
        return self._reduced("sem", numeric_only=numeric_only, ddof=ddof, skipna=skipna)

    def skew(self, skipna: bool = True, numeric_only: bool = False) -> DataFrame:
        """The skewness of a sample; NULL for fewer than three values.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].skew().columns
        ['origin', 'dep_delay']
        """
        return self._reduced("skew", numeric_only=numeric_only, skipna=skipna)

    def kurt(self, skipna: bool = True, numeric_only: bool = False) -> DataFrame:
        """The excess kurtosis of a sample; NULL for fewer than four values.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].kurt().columns
        ['origin', 'dep_delay']
        """
        return self._reduced("kurt", numeric_only=numeric_only, skipna=skipna)

    def any(self, skipna: bool = True) -> DataFrame:
        """Whether a value is TRUE; a number is unless it is 0, a text unless it is empty.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].any().columns
        ['origin', 'dep_delay']
        """
        return self._reduced("any", skipna=skipna)

    def all(self, skipna: bool = True) -> DataFrame:
        """Whether every value that is not NULL is TRUE.

        Examples
        --------
        >>> flights.groupby("origin")["dep_delay"].all().columns
        ['origin', 'dep_delay']
        """
        return self._reduced("all", skipna=skipna)

    def first(
        self,
        numeric_only: bool = False,
        min_count: int = -1,
        skipna: bool = True,
        *,
        by: str | Sequence[str] | None = None,
    ) -> DataFrame:
        """The first value of each column that is not NULL, in the frame's order or that of `by`.

        Raises
        ------
        UnsupportedError
            The rows are in no known order.

        Examples
        --------
        >>> flights.groupby("origin")["carrier"].first(by="dep_delay").columns
        ['origin', 'carrier']
        """
        return self._reduced("first", numeric_only=numeric_only, min_count=min_count, skipna=skipna, by=by)

    def last(
        self,
        numeric_only: bool = False,
        min_count: int = -1,
        skipna: bool = True,
        *,
        by: str | Sequence[str] | None = None,
    ) -> DataFrame:
        """The last value of each column that is not NULL, in the frame's order or that of `by`.

        Raises
        ------
        UnsupportedError
            The rows are in no known order.

        Examples
        --------
        >>> flights.groupby("origin")["carrier"].last().columns
        ['origin', 'carrier']
        """
        return self._reduced("last", numeric_only=numeric_only, min_count=min_count, skipna=skipna, by=by)
