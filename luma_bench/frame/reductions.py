"""The methods that reduce a Series to one value: each runs a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from typing import Literal as OneOf

from luma_bench.errors import UnsupportedError
from luma_bench.frame.groupby_measures import named_measure
from luma_bench.frame.measuring import finished, fractions, measures
from luma_bench.frame.series_applying import applied
from luma_bench.frame.unchanging import Named
from luma_bench.plan.expressions import ColumnRef
from luma_bench.plan.nodes import Project

if TYPE_CHECKING:
    from luma_bench.frame.series import Series

_Interpolation = OneOf["linear", "lower", "higher", "midpoint", "nearest"]


def reduced_by(series: Series, func: Any) -> Any:
    """What a function of the whole Series gives, which is to be a value.

    Raises
    ------
    UnsupportedError
        It is no function, or gives a Series.
    """
    made = applied(series, func, (), {}, scalar=True)
    if hasattr(made, "expression"):
        raise UnsupportedError(
            "agg() calls the function with the whole Series, and it gave one.",
            hint="Reduce it, as in lambda s: s.max() - s.min(); for a column use apply() or transform().",
        )
    return made


class Reductions(Named):
    """Reductions; NULLs are left out, and over no values each but the counts gives None."""

    __slots__ = ()

    def _reduce(self, function: str, **options: Any) -> Any:
        """A reduction by its pandas name."""
        return self._answer({"value": (function, options)})["value"]

    def _answer(self, wanted: Mapping[Any, tuple[str, Mapping[str, Any]]]) -> dict[Any, Any]:
        """Some reductions by key, in one query."""
        series = cast("Series", self)
        frame, operand = series.frame, series.expression
        if not isinstance(operand, ColumnRef):
            frame = frame.with_plan(Project(frame.plan, ((series.name, operand),)))
        one = ColumnRef(series.name) if frame is not series.frame else operand
        return measures(frame, {key: (name, one, options) for key, (name, options) in wanted.items()})

    def agg(self, func: Any) -> Any:
        """One aggregate by its name, such as 'median', or a function of the whole Series; a dictionary of a list of them.

        Examples
        --------
        >>> sorted(flights.distance.agg(["min", "max"]))
        ['max', 'min']
        """
        if isinstance(func, list | tuple):
            return {str(getattr(one, "__name__", one)): self.agg(one) for one in func}
        if isinstance(func, Mapping):
            return {name: self.agg(one) for name, one in func.items()}
        known = named_measure(func)
        if known is None:
            return reduced_by(cast("Series", self), func)
        if known.name == "size":
            return len(cast("Series", self))
        return self._reduce(known.name, **known.options)

    aggregate = agg

    def sum(self, skipna: bool = True, min_count: int = 1) -> Any:
        """The sum: int for integers (exact), float for floats; None over fewer than `min_count` values.

        pandas' `min_count` is 0: it gives 0 over no values, and so does `min_count=0` here.

        Examples
        --------
        >>> flights.distance.sum() > 0
        True
        """
        return self._reduce("sum", skipna=skipna, min_count=min_count)

    def mean(self, skipna: bool = True) -> Any:
        """The arithmetic mean.

        Examples
        --------
        >>> flights.distance.mean() > 0
        True
        """
        return self._reduce("mean", skipna=skipna)

    def min(self, skipna: bool = True) -> Any:
        """The least value.

        Examples
        --------
        >>> flights.month.min()
        1
        """
        return self._reduce("min", skipna=skipna)

    def max(self, skipna: bool = True) -> Any:
        """The greatest value; NaN is above every number.

        Examples
        --------
        >>> flights.month.max()
        12
        """
        return self._reduce("max", skipna=skipna)

    def median(self, skipna: bool = True) -> Any:
        """The middle value, or the mean of the middle two.

        Examples
        --------
        >>> flights.month.median() > 0
        True
        """
        return self._reduce("median", skipna=skipna)

    def quantile(self, q: float | Sequence[float] = 0.5, interpolation: _Interpolation = "linear") -> Any:
        """The value at the fraction `q` of the order; of a list of fractions, a pandas Series indexed by them.

        Examples
        --------
        >>> flights.month.quantile(1)
        12.0
        >>> flights.month.quantile([0, 1]).tolist()
        [1.0, 12.0]
        """
        if isinstance(q, int | float):
            return self._reduce("quantile", q=float(q), interpolation=interpolation)
        found = self._answer(
            {one: ("quantile", {"q": one, "interpolation": interpolation}) for one in fractions(q)}
        )
        return finished(found, dict.fromkeys(found, "real"), cast("Series", self).name)

    def std(self, skipna: bool = True, ddof: int = 1) -> Any:
        """The standard deviation, divided by n - `ddof`.

        Examples
        --------
        >>> flights.month.std() > 0
        True
        """
        return self._reduce("std", skipna=skipna, ddof=ddof)

    def var(self, skipna: bool = True, ddof: int = 1) -> Any:
        """The variance, divided by n - `ddof`.

        Examples
        --------
        >>> flights.month.var() > 0
        True
        """
        return self._reduce("var", skipna=skipna, ddof=ddof)

    def sem(self, skipna: bool = True, ddof: int = 1) -> Any:
        """The standard error of the mean.

        Examples
        --------
        >>> flights.month.sem() > 0
        True
        """
        return self._reduce("sem", skipna=skipna, ddof=ddof)

    def skew(self, skipna: bool = True) -> Any:
        """The skewness, without bias.

        Examples
        --------
        >>> flights.distance.skew() > 0
        True
        """
        return self._reduce("skew", skipna=skipna)

    def kurt(self, skipna: bool = True) -> Any:
        """The excess kurtosis, without bias.

        Examples
        --------
        >>> flights.month.kurt() < 0
        True
        """
        return self._reduce("kurt", skipna=skipna)

    def prod(self, skipna: bool = True, min_count: int = 1) -> Any:
        """The product, as a float.

        Examples
        --------
        >>> flights.head(3).month.prod() > 0
        True
        """
        return self._reduce("prod", skipna=skipna, min_count=min_count)

    product = prod
    kurtosis = kurt

    def count(self) -> int:
        """The number of values that are not NULL.

        Examples
        --------
        >>> flights.origin.count() == len(flights)
        True
        """
        return self._reduce("count")

    def nunique(self, dropna: bool = True) -> int:
        """The number of distinct values; with `dropna=False`, NULL is one.

        Examples
        --------
        >>> flights.origin.nunique()
        3
        """
        return self._reduce("nunique", dropna=dropna)

    def any(self, skipna: bool = True) -> Any:
        """Whether a value is TRUE (a number: other than 0; a text: not empty).

        Examples
        --------
        >>> (flights.month == 2).any()
        True
        """
        return self._reduce("any", skipna=skipna)

    def all(self, skipna: bool = True) -> Any:
        """Whether every value is TRUE.

        Examples
        --------
        >>> (flights.month < 13).all()
        True
        """
        return self._reduce("all", skipna=skipna)
