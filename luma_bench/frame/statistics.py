"""Numbers that describe a whole frame: every column reduced, and tables of statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.frame.groupby_core import Groups
from luma_bench.frame.groupby_measures import named_measure
from luma_bench.frame.groupby_plan import Keys
from luma_bench.frame.measuring import Wanted, chosen, finished, fractions, measures
from luma_bench.frame.reductions import reduced_by
from luma_bench.frame.rowwise import across
from luma_bench.frame.selecting import Selecting
from luma_bench.plan.expressions import ColumnRef
from luma_bench.plan.functions import SUMMED
from luma_bench.plan.walk import kinds_of

if TYPE_CHECKING:
    import pandas as pd

    from luma_bench.frame.dataframe import DataFrame
    from luma_bench.frame.series import Series


def method(name: str, doc: str, options: str) -> Any:
    """A reduction of every column, by its pandas name."""
    parameters = [part.partition("=")[0] for part in options.split(",") if part]

    def of(self: Statistics, *, axis: int | str = 0, numeric_only: bool = False, **given: Any) -> Any:
        unknown = given.keys() - set(parameters)
        if unknown:
            raise TypeError(f"{name}() got an unexpected keyword argument {min(unknown)!r}")
        if axis in (1, "columns"):
            return across(cast("DataFrame", self), name, numeric_only=numeric_only, **given)
        if axis not in (0, "index"):
            raise UnsupportedError(
                f"axis={axis!r} is not known.", hint="It is 0 (down columns) or 1 (across them)."
            )
        return self._reduced(name, numeric_only=numeric_only, **given)

    of.__name__ = name
    of.__doc__ = f"""{doc} A pandas Series indexed by column; with `axis=1`, a Series of a value for each row.

        Examples
        --------
        >>> flights[["month", "day"]].{name}().index.tolist()
        ['month', 'day']
        """
    return of


def _spearman(numbers: DataFrame, least: int) -> pd.DataFrame:
    """Pearson's of the ranks; rows where one of two columns is NULL are not ranked, so such pairs are asked alone."""
    ranked = numbers.assign(**{name: numbers[name].rank() for name in numbers.columns})
    found = ranked.corr(min_periods=least)
    gaps = set(numbers.isna().any().loc[lambda one: one == True].index)  # noqa: E712 (None over no rows)
    for place, one in enumerate(numbers.columns):
        for other in numbers.columns[place + 1 :]:
            if one in gaps or other in gaps:
                value = numbers[one].corr(numbers[other], method="spearman", min_periods=least)
                found.loc[one, other] = found.loc[other, one] = float("nan") if value is None else value
    return found


class Statistics(Selecting):
    """Reductions of every column, and tables of statistics; each runs one query and gives a finished pandas object."""

    __slots__ = ()

    sum = method("sum", "The sum of every column.", "skipna,min_count")
    mean = method("mean", "The mean of every column.", "skipna")
    median = method("median", "The median of every column.", "skipna")
    min = method("min", "The least value of every column.", "skipna")
    max = method("max", "The greatest value of every column.", "skipna")
    std = method("std", "The standard deviation of every column.", "skipna,ddof")
    var = method("var", "The variance of every column.", "skipna,ddof")
    sem = method("sem", "The standard error of every column's mean.", "skipna,ddof")
    prod = method("prod", "The product of every column.", "skipna,min_count")
    skew = method("skew", "The skewness of every column.", "skipna")
    kurt = method("kurt", "The excess kurtosis of every column.", "skipna")
    count = method("count", "The number of values in every column that are not NULL.", "")
    any = method("any", "Whether a value of every column is TRUE.", "skipna")
    all = method("all", "Whether every value of every column is TRUE.", "skipna")
    product = prod
    kurtosis = kurt

    def nunique(self, axis: int | str = 0, dropna: bool = True) -> Any:
        """The number of distinct values of every column: a pandas Series indexed by column; with `axis=1`, of every row.

        Examples
        --------
        >>> flights[["origin", "month"]].nunique().tolist()
        [3, 12]
        """
        if axis in (1, "columns"):
            return across(cast("DataFrame", self), "nunique", dropna=dropna)
        return self._reduced("nunique", dropna=dropna)

    def _reduced(self, name: str, *, numeric_only: bool = False, **options: Any) -> pd.Series:
        frame = cast("DataFrame", self)
        names = chosen(frame, numeric_only=numeric_only)
        found = measures(frame, {column: (name, ColumnRef(column), options) for column in names})
        return finished(found, kinds_of(self._plan))

    def agg(self, func: Any = None, axis: int | str = 0, **named: Any) -> Any:
        """Reductions of the whole frame.

        Parameters
        ----------
        func
            A name gives a pandas Series indexed by column; a list of names, or a dictionary of column to name or list, a
            pandas frame with a row for each name (a Series for a dictionary of single names).
        named
            `n=("column", "mean")`: a lazy frame of one row with these columns.

        Examples
        --------
        >>> print(flights[["month", "day"]].agg(["min", "max"]).loc["max", "month"])
        12
        >>> flights.agg(n=("origin", "count")).columns
        ['n']
        """
        import pandas as pd

        if axis not in (0, "index"):
            raise UnsupportedError(
                "agg() goes down columns.", hint="Across them: frame.sum(axis=1) and its like."
            )
        if named:
            from luma_bench.frame.groupby import GroupBy

            return GroupBy(cast("DataFrame", self), Keys(())).agg(func, **named)
        by_column: dict[str, list[Any]] = {}
        single = True
        given = func if isinstance(func, Mapping) else dict.fromkeys(self._plan.names, func)
        for column, one in given.items():
            self.check_column(column)
            single = single and not isinstance(one, list | tuple)
            by_column[column] = list(one) if isinstance(one, list | tuple) else [one]
        wanted: dict[tuple[str, str], Wanted] = {}
        called: dict[tuple[str, str], Any] = {}
        rows: list[str] = []
        for column, functions in by_column.items():
            for one in functions:
                if one is None:
                    raise UnsupportedError("agg() got no reduction.", hint="Name some: agg(['min', 'max']).")
                known = named_measure(one)
                label = one if isinstance(one, str) else getattr(one, "__name__", str(one))
                rows += [] if label in rows else [label]
                if known is None:
                    called[column, label] = reduced_by(self[column], one)
                else:
                    wanted[column, label] = (known.name, ColumnRef(column), known.options)
        found = {**measures(cast("DataFrame", self), wanted), **called}
        kinds = kinds_of(self._plan)
        if single:
            by_name = {column: value for (column, _), value in found.items()}
            return finished({column: by_name[column] for column in by_column}, kinds)
        table = {
            column: finished(
                {row: found.get((column, row)) for row in rows}, dict.fromkeys(rows, kinds[column])
            )
            for column in by_column
        }
        return pd.DataFrame(table, index=pd.Index(rows))

    aggregate = agg

    def quantile(
        self,
        q: float | Sequence[float] = 0.5,
        *,
        numeric_only: bool = False,
        interpolation: Literal["linear", "lower", "higher", "midpoint", "nearest"] = "linear",
    ) -> Any:
        """The quantile of every column: a pandas Series, or a pandas frame with a row for each of several fractions.

        Examples
        --------
        >>> flights[["month"]].quantile([0.0, 1.0]).month.tolist()
        [1.0, 12.0]
        """
        import pandas as pd

        frame = cast("DataFrame", self)
        kinds = kinds_of(self._plan)
        asked = fractions(q)
        names = chosen(frame, numeric_only=numeric_only)
        found = measures(
            frame,
            {
                (column, one): ("quantile", ColumnRef(column), {"q": one, "interpolation": interpolation})
                for column in names
                for one in asked
            },
        )
        if isinstance(q, int | float):
            return finished({column: found[column, asked[0]] for column in names}, kinds, asked[0])
        columns = {
            column: finished({one: found[column, one] for one in asked}, dict.fromkeys(asked, kinds[column]))
            for column in names
        }
        return pd.DataFrame(columns, index=asked)

    def describe(
        self, percentiles: Sequence[float] | None = None, include: Any = None, exclude: Any = None
    ) -> pd.DataFrame:
        """Count, mean, std, min, quantiles and max of every number and time; of texts count, unique, top and freq.

        A pandas frame with a row for each statistic; one query for it (and one a text column for its most frequent value).

        Parameters
        ----------
        include
            'all', or types as of `select_dtypes`; by default numbers and times, or everything where there are none.

        Examples
        --------
        >>> print(flights[["month"]].describe().loc["max", "month"])
        12.0
        """
        from luma_bench.frame.describing import described

        return described(cast("DataFrame", self), percentiles, include, exclude)

    def corr(
        self,
        method: Literal["pearson", "spearman"] = "pearson",
        min_periods: int = 1,
        numeric_only: bool = False,
    ) -> pd.DataFrame:
        """The correlation of every two columns of numbers: a pandas frame, in one query.

        Examples
        --------
        >>> print(flights[["distance", "air_time"]].corr().loc["distance", "air_time"])
        0.99...
        """
        frame = cast("DataFrame", self)
        if method not in ("pearson", "spearman"):
            raise UnsupportedError(f"method={method!r} is not served.", hint="It is 'pearson' or 'spearman'.")
        if method == "spearman":
            return _spearman(frame[self._related_columns(numeric_only)], min_periods)
        return self._related("corr", numeric_only, least=min_periods)

    def cov(self, min_periods: int | None = None, ddof: int = 1, numeric_only: bool = False) -> pd.DataFrame:
        """The covariance of every two columns of numbers: a pandas frame, in one query.

        Examples
        --------
        >>> flights[["distance", "air_time"]].cov().columns.tolist()
        ['distance', 'air_time']
        """
        return self._related("covar", numeric_only, ddof=ddof, least=min_periods or 1)

    def corrwith(self, other: Series, numeric_only: bool = False) -> pd.Series:
        """The correlation of every column of numbers with a Series of the frame: a pandas Series.

        Examples
        --------
        >>> print(flights[["distance"]].corrwith(flights.air_time)["distance"])
        0.99...
        """
        import pandas as pd

        names = self._related_columns(numeric_only)
        return pd.Series({name: self[name].corr(other) for name in names})

    def _related_columns(self, numeric_only: bool) -> list[str]:
        kinds = kinds_of(self._plan)
        names = [name for name in self._plan.names if kinds[name] in SUMMED]
        if len(names) < len(self._plan.names) and not numeric_only:
            other = next(name for name in self._plan.names if name not in names)
            raise SchemaError(
                f"Correlations are of numbers, and {other!r} holds {kinds[other]}.",
                hint="Give numeric_only=True.",
            )
        return names

    def _related(self, function: str, numeric_only: bool, *, ddof: int = 1, least: int = 1) -> pd.DataFrame:
        from luma_bench.frame.groupby_tables import related

        names = self._related_columns(numeric_only)
        groups = Groups(cast("DataFrame", self), Keys(()), tuple((name, ColumnRef(name)) for name in names))
        table = related(groups, function, groups._values, ddof=ddof, least=least).to_pandas()
        return table.set_index("column")[names].astype(float).rename_axis(None)

    def mode(self, numeric_only: bool = False, dropna: bool = True) -> pd.DataFrame:
        """The most frequent values of every column, in ascending order: a pandas frame.

        Examples
        --------
        >>> len(flights[["origin"]].mode())
        1
        """
        import pandas as pd

        names = chosen(cast("DataFrame", self), numeric_only=numeric_only)
        return pd.DataFrame({name: self[name].mode(dropna=dropna) for name in names})
