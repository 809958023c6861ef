"""`lb.GroupBy`: groups of a frame's rows, put together from one class a theme."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from luma_bench.errors import SchemaError, UnsupportedError, nearest
from luma_bench.frame.absent import INSTEAD, note
from luma_bench.frame.expr import MissingAttributeError
from luma_bench.frame.groupby_aggregate import Aggregating
from luma_bench.frame.groupby_plan import Column
from luma_bench.frame.groupby_rows import Choosing
from luma_bench.frame.groupby_running import Running
from luma_bench.frame.groupby_tables import bars, counted, described, extreme_at, related, related_pair
from luma_bench.frame.groupby_windows import MovingFrame
from luma_bench.frame.series import Series
from luma_bench.plan.nodes import Project

if TYPE_CHECKING:
    from luma_bench.frame.dataframe import DataFrame


class GroupBy(Aggregating, Running["DataFrame"], Choosing["DataFrame"], MovingFrame):
    """`frame.groupby(keys)`: keys come out as columns (there is no index), sorted unless `sort=False`.

    Groups whose key is NULL are left out, as in pandas; `dropna=False` keeps them as one group. A NaN key is a value
    and a group. `groups["x"]` and `groups.x` are the groups of one column, `groups[["x", "y"]]` of several.
    """

    __slots__ = ()

    def __getitem__(self, columns: str | Sequence[str]) -> Any:
        from luma_bench.frame.groupby_series import SeriesGroupBy

        if isinstance(columns, str):
            return SeriesGroupBy(self._frame, self._keys, (self._column(columns),))
        chosen = tuple(self._column(name) for name in columns)
        return GroupBy(self._frame, self._keys, chosen)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._frame.plan.names:
            return self[name]
        raise missing(self, name, "A grouped frame", "DataFrameGroupBy")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(name for name in self._frame.plan.names if name.isidentifier())]

    def _ipython_key_completions_(self) -> list[str]:
        return self._frame.columns

    def _rows(self, columns: Sequence[Column]) -> DataFrame:
        return self._row_frame(columns)

    def _taken(self, frame: DataFrame) -> DataFrame:
        if self._chosen is None:
            return frame
        keys = [item for item in self._keys.columns if item[0] in self._keys.plain]
        names = {name for name, _ in keys}
        shown = (*keys, *(item for item in self._chosen if item[0] not in names))
        return frame.with_plan(Project(frame.plan, shown))

    def describe(
        self, percentiles: Sequence[float] | None = None, include: None = None, exclude: None = None
    ) -> DataFrame:
        """Count, mean, standard deviation, least, greatest value and percentiles of columns of numbers and times.

        The columns are named `column_count`, `column_mean`, …, `column_25%`, ….

        Raises
        ------
        SchemaError
            No column holds numbers or times.

        Examples
        --------
        >>> flights.groupby("origin")[["dep_delay"]].describe().columns
        ['origin', 'dep_delay_count', 'dep_delay_mean', 'dep_delay_std', 'dep_delay_min', 'dep_delay_25%', ...]
        """
        check_no_types(include, exclude)
        tables = described(self, self._values, percentiles)
        return self._one_each([(f"{name}_{label}", made) for name, label, made in tables])

    def value_counts(
        self,
        subset: Sequence[str] | None = None,
        normalize: bool = False,
        sort: bool = True,
        ascending: bool = False,
        dropna: bool = True,
    ) -> DataFrame:
        """How often each combination of values occurs in each group, most frequent first, in a column `count`.

        Examples
        --------
        >>> flights.groupby("origin").value_counts(["carrier"]).columns
        ['origin', 'carrier', 'count']
        """
        columns = self._values if subset is None else [self._column(name) for name in subset]
        return counted(self, columns, normalize=normalize, sort=sort, ascending=ascending, dropna=dropna)

    def corr(self, method: str = "pearson", min_periods: int = 1, numeric_only: bool = False) -> DataFrame:
        """The correlation of each pair of columns: a row for each group and `column`.

        Examples
        --------
        >>> flights.groupby("origin")[["dep_delay", "arr_delay"]].corr().columns
        ['origin', 'column', 'dep_delay', 'arr_delay']
        """
        check_method(method)
        return related(self, "corr", self._related(numeric_only, "corr"), least=min_periods)

    def cov(self, min_periods: int | None = None, ddof: int = 1, numeric_only: bool = False) -> DataFrame:
        """The covariance of each pair of columns: a row for each group and `column`.

        Examples
        --------
        >>> flights.groupby("origin")[["dep_delay", "arr_delay"]].cov().columns
        ['origin', 'column', 'dep_delay', 'arr_delay']
        """
        columns = self._related(numeric_only, "cov")
        return related(self, "covar", columns, ddof=ddof, least=min_periods or 1)

    def corrwith(
        self, other: Series, drop: bool = False, method: str = "pearson", numeric_only: bool = False
    ) -> DataFrame:
        """The correlation of each column with a column of the same frame.

        Examples
        --------
        >>> flights.groupby("origin")[["arr_delay", "distance"]].corrwith(flights.dep_delay).columns
        ['origin', 'arr_delay', 'distance']
        """
        check_method(method)
        beside = other.over(self._frame)
        columns = self._related(numeric_only, "corrwith")
        return self._one_each([(item[0], related_pair(self, "corr", item, beside)) for item in columns])

    def _related(self, numeric_only: bool, what: str) -> tuple[Column, ...]:
        numbers = self._numbers()
        if not numeric_only and len(numbers) < len(self._values):
            wrong = next(item[0] for item in self._values if item not in numbers)
            raise SchemaError(
                f"{what} needs numbers, and {wrong!r} holds {self._kind(dict(self._values)[wrong])}.",
                hint="Choose columns, or give numeric_only=True.",
            )
        return numbers

    def ohlc(self, *, by: str | Sequence[str] | None = None) -> DataFrame:
        """The first, greatest, least and last value of each column: `column_open`, `column_high`, ….

        Examples
        --------
        >>> flights.groupby("origin")[["dep_delay"]].ohlc().columns
        ['origin', 'dep_delay_open', 'dep_delay_high', 'dep_delay_low', 'dep_delay_close']
        """
        return self._one_each(
            [(f"{item[0]}_{label}", made) for item in self._values for label, made in bars(self, item, by)]
        )

    def apply(self, func: Callable[..., Any] | str, *args: Any, **kwargs: Any) -> Any:
        """What a function says of each group: one value, a dictionary of values, or a value for each row.

        It is called once, with a frame that stands for every group; see `filter`. One value comes out as a column
        `value` beside the keys, a dictionary as a column each, and a value for each row as a Series of the frame.

        Raises
        ------
        UnsupportedError
            The function asks for rows: it is to run in the engine.

        Examples
        --------
        >>> flights.groupby("origin").apply(lambda g: g.arr_delay.mean() - g.dep_delay.mean()).columns
        ['origin', 'value']
        >>> flights.groupby("origin").apply(lambda g: {"n": len(g), "late": g.dep_delay.max()}).columns
        ['origin', 'n', 'late']
        """
        from luma_bench.frame.groupby_stand_in import Group

        if isinstance(func, str):
            return self.agg(func, *args, **kwargs)
        return self._applied(func, Group.of(self._scope), args, kwargs)

    def idxmax(self, skipna: bool = True, numeric_only: bool = False, *, on: str | None = None) -> DataFrame:
        """The value of the column `on` where each column is greatest; of several such rows, the first.

        Raises
        ------
        UnsupportedError
            Without `on`: rows have no labels.

        Examples
        --------
        >>> flights.groupby("origin")[["dep_delay"]].idxmax(on="flight").columns
        ['origin', 'dep_delay']
        """
        columns = self._numbers() if numeric_only else self._values
        return self._one_each([(item[0], extreme_at(self, item, on, greatest=True)) for item in columns])

    def idxmin(self, skipna: bool = True, numeric_only: bool = False, *, on: str | None = None) -> DataFrame:
        """The value of the column `on` where each column is least; of several such rows, the first.

        Examples
        --------
        >>> flights.groupby("origin")[["dep_delay"]].idxmin(on="flight").columns
        ['origin', 'dep_delay']
        """
        columns = self._numbers() if numeric_only else self._values
        return self._one_each([(item[0], extreme_at(self, item, on, greatest=False)) for item in columns])


def missing(groups: object, name: str, what: str, kind: str) -> MissingAttributeError:
    """The error for an attribute that groups do not have, naming the nearest."""
    known = [item for item in dir(groups) if not item.startswith("_")]
    near = nearest(name, known)
    instead = note(INSTEAD, kind, name)
    return MissingAttributeError(
        f"{what} has no column or method {name!r}.",
        hint=instead
        or (f"Did you mean {' or '.join(near)}? " if near else "") + "All of pandas is behind .to_pandas().",
    )


def check_method(method: str) -> None:
    """Refuse correlations of ranks."""
    if method != "pearson":
        raise UnsupportedError(
            f"method={method!r} is not known.", hint="It is 'pearson'; correlate rank() for Spearman's."
        )


def check_no_types(include: object, exclude: object) -> None:
    """Refuse choices of columns by type in `describe`."""
    if include is not None or exclude is not None:
        raise UnsupportedError(
            "describe() of groups takes no include= and exclude=.",
            hint="Choose columns: groupby(…)[[…]].describe().",
        )
