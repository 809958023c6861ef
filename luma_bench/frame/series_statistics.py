"""What else can be said of a column: correlations, the most frequent values, where extremes are, whether it ascends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from luma_bench.errors import UnsupportedError
from luma_bench.frame.groupby_core import Groups
from luma_bench.frame.groupby_plan import Keys, one_row_each
from luma_bench.frame.groupby_tables import related_pair
from luma_bench.frame.order import order_for
from luma_bench.frame.reductions import Reductions
from luma_bench.plan.expressions import Call, ColumnRef
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.nodes import Project
from luma_bench.plan.window import Window

if TYPE_CHECKING:
    from luma_bench.frame.series import Series


class SeriesStatistics(Reductions):
    """Statistics of a column; each runs a query."""

    __slots__ = ()

    def corr(
        self, other: Any, method: Literal["pearson", "spearman"] = "pearson", min_periods: int | None = None
    ) -> Any:
        """Pearson's correlation with another Series of the frame, or Spearman's, of the ranks.

        Examples
        --------
        >>> flights.distance.corr(flights.distance) > 0.99
        True
        """
        if method == "pearson":
            return self._related("corr", other, least=min_periods or 1)
        if method != "spearman":
            raise UnsupportedError(f"method={method!r} is not served.", hint="It is 'pearson' or 'spearman'.")
        frame, own, given = cast("Series", self)._pair(other)
        both = frame.with_plan(Project(frame.plan, (("a", own), ("b", given)))).dropna()
        return both.a.rank().corr(both.b.rank(), min_periods=min_periods)

    def cov(self, other: Any, min_periods: int | None = None, ddof: int = 1) -> Any:
        """The covariance with another Series of the frame.

        Examples
        --------
        >>> flights.distance.cov(flights.distance) > 0
        True
        """
        return self._related("covar", other, ddof=ddof, least=min_periods or 1)

    def autocorr(self, lag: int = 1) -> Any:
        """The correlation with the values `lag` rows before.

        Examples
        --------
        >>> round(lb.DataFrame({"x": [1, 2, 3, 5]}).x.autocorr(), 2)
        0.98
        """
        series = cast("Series", self)
        return series.corr(series.shift(lag))

    def dot(self, other: Any) -> Any:
        """The sum of the products with another Series of the frame.

        Examples
        --------
        >>> flights.month.dot(flights.month) > 0
        True
        """
        return (cast("Any", self) * other).sum()

    def mode(self, dropna: bool = True) -> Any:
        """The most frequent values in ascending order, as a pandas Series.

        Examples
        --------
        >>> len(flights.origin.mode())
        1
        """
        import pandas as pd

        series = cast("Series", self)
        counted = series.value_counts(dropna=dropna)
        name = counted.columns[0]
        most = counted["count"].max()
        found = counted[counted["count"] == (most or 0)][[name]].sort_values(name).to_pandas()[name]
        return pd.Series(found.array, name=series.name)

    def describe(self, percentiles: Sequence[float] | None = None) -> Any:
        """Count, mean, std, min, quantiles and max of numbers; count, unique, top and freq of others: a pandas Series.

        Examples
        --------
        >>> print(flights.month.describe()["max"])
        12.0
        """
        series = cast("Series", self)
        found: Any = series.to_frame("value").describe(percentiles, include="all")["value"]
        return found.dropna().rename(series.name)

    def argmax(self) -> Any:
        """The place of the first greatest value in the order of the rows, counted from 0; None over no values.

        Examples
        --------
        >>> flights.head(5).month.argmax()
        0
        """
        series = cast("Series", self)
        place = Window("row_number", (), (), order_for(series.frame, None, what="argmax"))
        frame = series.frame.with_plan(
            Project(series.frame.plan, (("value", series.expression), ("place", place)))
        )
        first = frame[frame.value.notna()].sort_values(["value", "place"], ascending=[False, True]).head(1)
        found = first.place.to_list()
        return found[0] - 1 if found else None

    def argmin(self) -> Any:
        """The place of the first least value in the order of the rows, counted from 0; None over no values.

        Examples
        --------
        >>> flights.head(5).month.argmin()
        0
        """
        series = cast("Series", self)
        place = Window("row_number", (), (), order_for(series.frame, None, what="argmin"))
        frame = series.frame.with_plan(
            Project(series.frame.plan, (("value", series.expression), ("place", place)))
        )
        first = frame[frame.value.notna()].sort_values(["value", "place"], ascending=[True, True]).head(1)
        found = first.place.to_list()
        return found[0] - 1 if found else None

    @property
    def is_unique(self) -> bool:
        """Whether no value occurs twice, NULL included.

        Examples
        --------
        >>> flights.origin.is_unique
        False
        """
        return self.nunique(dropna=False) == len(cast("Series", self))

    @property
    def hasnans(self) -> bool:
        """Whether a value is NULL.

        Examples
        --------
        >>> flights.origin.hasnans
        False
        """
        return bool(cast("Series", self).isna().any())

    @property
    def is_monotonic_increasing(self) -> bool:
        """Whether no value is below the one before it in the order of the rows.

        Examples
        --------
        >>> flights.head(1).month.is_monotonic_increasing
        True
        """
        return self._monotonic("ge")

    @property
    def is_monotonic_decreasing(self) -> bool:
        """Whether no value is above the one before it in the order of the rows.

        Examples
        --------
        >>> flights.head(1).month.is_monotonic_decreasing
        True
        """
        return self._monotonic("le")

    def _monotonic(self, function: str) -> bool:
        series = cast("Series", self)
        before = series.shift(1)
        place = Window("row_number", (), (), order_for(series.frame, None, what="is_monotonic"))
        kept = Call(
            "or", (Call("eq", (place, Constant(1))), Call(function, (series.expression, before.expression)))
        )
        return bool(series._new(Call("coalesce", (kept, Constant(value=False)))).all() is not False)

    def _related(self, function: str, other: Any, *, ddof: int = 1, least: int = 1) -> Any:
        series = cast("Series", self)
        frame, own, given = series._pair(other)
        frame = frame.with_plan(Project(frame.plan, (("a", own), ("b", given))))
        own, given = ColumnRef("a"), ColumnRef("b")
        groups = Groups(frame, Keys(()), ((series.name, own),))
        value = related_pair(groups, function, (series.name, own), given, ddof=ddof, least=least)
        return (
            frame.with_plan(one_row_each(frame.plan, Keys(()), [("value", value)]))
            .to_arrow()
            .column(0)[0]
            .as_py()
        )
