"""The methods that reduce a Series to one value: each runs a query."""

from __future__ import annotations

import decimal
from typing import TYPE_CHECKING, Any, cast

from luma_bench.errors import UnsupportedError
from luma_bench.plan.expressions import AggregateCall, Call, Cast, Expression, Literal
from luma_bench.plan.functions import AGGREGATES, Kind
from luma_bench.plan.nodes import Aggregate

if TYPE_CHECKING:
    from luma_bench.frame.series import Series

_NUMERIC = frozenset(("sum", "mean", "median", "quantile", "std", "var", "prod"))
_ALIASES = {"avg": "mean", "average": "mean", "len": "size", "amin": "min", "amax": "max"}
_ORDERED = frozenset(("first", "last", "nth", "cumsum"))


def aggregate_name(function: object) -> str:
    """The aggregate that a name or a well-known callable (`sum`, `numpy.mean`) means.

    Raises
    ------
    UnsupportedError
        It is none, or one that depends on an order that a group does not have.
    """
    name = function if isinstance(function, str) else getattr(function, "__name__", repr(function))
    name = _ALIASES.get(name, name)
    if name in _ORDERED:
        raise UnsupportedError(
            f"{name!r} depends on the order of rows inside a group, and a group has none.",
            hint="Use 'min' or 'max', or sort_values(…).drop_duplicates(keys).",
        )
    if name not in AGGREGATES:
        raise UnsupportedError(
            f"There is no aggregate {name!r}.", hint=f"The aggregates are: {', '.join(sorted(AGGREGATES))}."
        )
    return name


def aggregate(
    function: object, operand: Expression, kind: Kind, parameter: float | None = None
) -> AggregateCall:
    """The aggregate of an operand; truth counts as 0 and 1 in numeric ones, and a number is true unless it is 0."""
    name = aggregate_name(function)
    if name == "size":
        return AggregateCall("size")
    if name in _NUMERIC and kind == "bool":
        operand = Cast(operand, "INTEGER")
    if name in ("any", "all") and kind in ("int", "real", "decimal"):
        operand = Call("ne", (operand, Literal(0)))
    return AggregateCall(name, operand, parameter)


class Reductions:
    """Reductions; NULLs are left out, and over no values each but the counts gives None."""

    __slots__ = ()

    def _reduce(self, function: str, parameter: float | None = None) -> Any:
        series = cast("Series", self)
        call = aggregate(function, series.expression, series.kind, parameter)
        plan = Aggregate(series.frame.plan, (), (("value", call),))
        value = series.frame.with_plan(plan).to_arrow().column(0)[0].as_py()
        whole = isinstance(value, decimal.Decimal) and series.kind in ("int", "bool")
        return int(value) if whole else value

    def agg(self, function: object) -> Any:
        """One aggregate by its name, such as 'median'."""
        return self._reduce(aggregate_name(function))

    def sum(self) -> Any:
        """The sum: int for integers (exact), float for floats; None over no values, where pandas gives 0."""
        return self._reduce("sum")

    def mean(self) -> float | None:
        """The arithmetic mean."""
        return self._reduce("mean")

    def min(self) -> Any:
        """The least value."""
        return self._reduce("min")

    def max(self) -> Any:
        """The greatest value; NaN is above every number."""
        return self._reduce("max")

    def median(self) -> Any:
        """The middle value, or the mean of the middle two."""
        return self._reduce("median")

    def quantile(self, q: float = 0.5) -> Any:
        """The value at the fraction `q` of the order, linear between neighbours."""
        if not 0 <= q <= 1:
            raise UnsupportedError(f"A quantile of {q} does not exist.", hint="Give a fraction from 0 to 1.")
        return self._reduce("quantile", float(q))

    def std(self) -> float | None:
        """The standard deviation of a sample (n - 1)."""
        return self._reduce("std")

    def var(self) -> float | None:
        """The variance of a sample (n - 1)."""
        return self._reduce("var")

    def prod(self) -> float | None:
        """The product, as a float."""
        return self._reduce("prod")

    def count(self) -> int:
        """The number of values that are not NULL."""
        return self._reduce("count")

    def nunique(self) -> int:
        """The number of distinct values that are not NULL."""
        return self._reduce("nunique")

    def any(self) -> bool | None:
        """Whether a value is TRUE."""
        return self._reduce("any")

    def all(self) -> bool | None:
        """Whether every value that is not NULL is TRUE."""
        return self._reduce("all")
