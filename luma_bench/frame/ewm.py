"""Exponentially weighted windows, worked out by the engine's own running sums.

A value has the weight `exp(L[t] - L[s])` at row `t`, where `L` falls from row to row by the logarithm of the factor. The sum of
all weighted values up to a row is a running sum of `value * exp(-L)`, times `exp(L)`. So that `exp` stays in range, rows are in
stretches over which `L` falls by at most 300: a running sum begins anew in each, and what the stretch before ended with is
added. What lies two stretches back has weights below 1e-130, less than a float can show beside the row's own.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass

from luma_bench.errors import UnsupportedError
from luma_bench.frame.moments import moments
from luma_bench.frame.unchanging import Named
from luma_bench.frame.window_bounds import Source
from luma_bench.frame.windows_over import (
    NULL,
    UP_TO_HERE,
    Over,
    as_double,
    check_numbers,
)
from luma_bench.plan.expressions import Call, Case, ColumnRef, Expression, IsNull
from luma_bench.plan.expressions import Literal as Constant
from luma_bench.plan.window import Between

_STRETCH = 300.0
_ONE, _ZERO, _NONE_BEFORE = Constant(1.0), Constant(0.0), Constant(1)
_BEFORE = Between(None, -1)


@dataclass(frozen=True, slots=True)
class Weights:
    """How weights fall: `fall` is the logarithm of the factor, a row or a unit of `place`."""

    alpha: float
    fall: float
    least: int
    adjust: bool
    ignore_na: bool
    place: Expression | None = None


def weights(
    over: Over,
    *,
    com: float | None,
    span: float | None,
    halflife: float | str | dt.timedelta | None,
    alpha: float | None,
    min_periods: int | None,
    adjust: bool,
    ignore_na: bool,
    times: str | None,
) -> Weights:
    """What the arguments of `ewm` mean.

    Raises
    ------
    UnsupportedError
        Not exactly one of the four is given, or it is out of its range.
    """
    given = {"com": com, "span": span, "halflife": halflife, "alpha": alpha}
    names = [name for name, value in given.items() if value is not None]
    if len(names) != 1:
        raise UnsupportedError(
            f"ewm() got {' and '.join(names) or 'none of its factors'}.",
            hint="Give one of com, span, halflife and alpha.",
        )
    least = max(min_periods or 0, 1)
    if times is not None:
        if halflife is None or isinstance(halflife, int | float):
            raise UnsupportedError(
                "With times, weights fall by time.", hint="Give halflife as a span of time: '7D'."
            )
        if not adjust:
            raise UnsupportedError("times goes with adjust=True alone.", hint="Leave adjust out.")
        line = moments(over.frame, ColumnRef(times), times, "times")
        units = line.units(halflife, "halflife")
        _check("halflife", float(units), units > 0, "above zero")
        return Weights(0.5, -math.log(2) / units, least, adjust=True, ignore_na=ignore_na, place=line.place)
    if isinstance(halflife, str | dt.timedelta):
        raise UnsupportedError(
            f"halflife={halflife!r} is a span of time.", hint="Name the column of moments: times='day'."
        )
    if com is not None:
        _check("com", com, com >= 0, "at least 0")
        alpha = 1 / (1 + com)
    elif span is not None:
        _check("span", span, span >= 1, "at least 1")
        alpha = 2 / (span + 1)
    elif halflife is not None:
        _check("halflife", halflife, halflife > 0, "above 0")
        alpha = 1 - math.exp(-math.log(2) / halflife)
    assert alpha is not None
    _check("alpha", alpha, 0 < alpha <= 1, "above 0 and at most 1")
    # With alpha = 1 nothing is left of the rows before; the smallest weight that stands for none.
    fall = math.log1p(-alpha) if alpha < 1 else -_STRETCH
    return Weights(alpha, fall, least, adjust, ignore_na)


def _check(name: str, value: float, fits: bool, range_: str) -> None:
    if not fits:
        raise UnsupportedError(f"{name}={value} is out of range.", hint=f"It is {range_}.")


class ExponentialMovingWindow[T](Named):
    """`ewm(…)`: means, sums and spreads with weights that fall from row to row.

    NULL stays out, and the last result stands there again. NaN and infinity stay in every result after them.
    """

    __slots__ = ("_source", "_weights")

    def __init__(self, source: Source[T], weights: Weights) -> None:
        self._source = source
        self._weights = weights

    def mean(self, numeric_only: bool = False) -> T:
        """The weighted mean.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 4]})).x.ewm(alpha=0.5).mean().to_list()
        [1.0, 3.0]
        """
        return self._each(lambda kernel: kernel.mean, "mean", numeric_only)

    def sum(self, numeric_only: bool = False) -> T:
        """The weighted sum.

        Raises
        ------
        UnsupportedError
            With `adjust=False`, as in pandas.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 4]})).x.ewm(alpha=0.5).sum().to_list()
        [1.0, 4.5]
        """
        if not self._weights.adjust:
            raise UnsupportedError("ewm(adjust=False) has no sum.", hint="Leave adjust out.")
        return self._each(lambda kernel: kernel.sum, "sum", numeric_only)

    def var(self, bias: bool = False, numeric_only: bool = False) -> T:
        """The weighted variance; with `bias`, of a whole population.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [1, 4]})).x.ewm(alpha=0.5).var().to_list()
        [None, 4.5]
        """
        return self._each(lambda kernel: kernel.variance(bias), "var", numeric_only)

    def std(self, bias: bool = False, numeric_only: bool = False) -> T:
        """The weighted standard deviation; see `var`.

        Examples
        --------
        >>> lb.from_arrow(pa.table({"x": [0, 2]})).x.ewm(alpha=0.5).std(bias=True).to_list()[-1] ** 2
        0.88...
        """
        return self._each(lambda kernel: Call("sqrt", (kernel.variance(bias),)), "std", numeric_only)

    def _each(self, change: Callable[[_Kernel], Expression], what: str, numeric_only: bool) -> T:
        over = self._source.over

        def made(value: Expression) -> Expression:
            kind = over.kind(value)
            check_numbers(kind, what)
            kernel = _Kernel(as_double(value, kind), kind == "real", over, self._weights)
            return kernel.finished(change(kernel))

        return self._source.each(made, numeric_only=numeric_only)


def _add(a: Expression, b: Expression) -> Expression:
    return Call("add", (a, b))


def _sub(a: Expression, b: Expression) -> Expression:
    return Call("sub", (a, b))


def _mul(a: Expression, b: Expression) -> Expression:
    return Call("mul", (a, b))


def _div(a: Expression, b: Expression) -> Expression:
    return Call("div", (a, b))


def _where(test: Expression, value: Expression, otherwise: Expression = NULL) -> Expression:
    return Case(((test, value),), otherwise)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A stretch of rows in which running sums begin anew.

    Attributes
    ----------
    over
        Windows inside it.
    inside
        How far weights have fallen since it began, as a logarithm.
    rows
        The row's number in it.
    carried
        What is left of the end of the stretch before.
    """

    over: Over
    inside: Expression
    rows: Expression
    carried: Expression


class _Kernel:
    """The weighted sums of one column. Parts are made once, so that the engine computes each of them once."""

    def __init__(self, value: Expression, real: bool, over: Over, how: Weights) -> None:
        self._over = over
        self._how = how
        self._given, self._real = value, real
        # What is not finite would spoil the sums of its stretch alone: it is taken out here and put back at the end.
        self._value = _where(Call("isfinite", (value,)), value) if real else value
        self._known = IsNull(value, negated=True)
        self._count = over.window("count", value, rows=UP_TO_HERE)
        self._row = over.window("row_number")
        self._stretches: dict[int, _Stretch] = {}
        later = Call("and", (self._known, Call("gt", (self._count, _NONE_BEFORE))))
        if how.adjust:
            self._level, self._fall = self._levels(), how.fall
            self._weight: Expression = _where(self._known, _ONE)
            # What the values before weigh at the row, and what all weigh; the row's own weight is exactly one.
            self._old, self._total = self._weighted(self._weight)
            self.sum = self._weighted(self._value)[1]
            self.mean = _div(self.sum, self._total)
        else:
            kept = self._kept(later)
            self._level, self._fall = over.window("sum", kept, rows=UP_TO_HERE), -1.0
            self._old = _where(later, Call("exp", (_sub(_ZERO, kept),)), _ZERO)
            self._weight = _where(self._known, _sub(_ONE, self._old))
            self._total = _ONE
            self.mean = self.sum = self._weighted(_mul(self._weight, self._value))[1]

    def _levels(self) -> Expression:
        """How many rows, or how much time, weights have fallen for: a whole number that grows from row to row."""
        how, over = self._how, self._over
        if how.place is None:
            return self._count if how.ignore_na else self._row
        if not how.ignore_na:
            return _sub(how.place, over.whole("min", how.place))
        # Time that passed up to a NULL does not count: only the steps that end in a value.
        step = _sub(how.place, over.window("lag", how.place))
        passed = over.window("sum", _where(self._known, step, Constant(0)), rows=UP_TO_HERE)
        return Call("coalesce", (passed, Constant(0)))

    def _kept(self, later: Expression) -> Expression:
        """Without adjusting: how far the weight of the last mean falls at a row with a value, as a logarithm above zero."""
        how, over = self._how, self._over
        if how.ignore_na:
            return _where(later, Constant(-how.fall), _ZERO)
        seen = _where(self._known, self._row)
        before = over.window("last_value", seen, rows=_BEFORE, ignore_nulls=True)
        left = Call("exp", (_mul(_sub(self._row, before), Constant(how.fall)),))
        share = _div(left, _add(left, Constant(how.alpha)))
        fallen = Call("at_most", (_sub(_ZERO, Call("log", (share,))), Constant(_STRETCH)))
        return _where(later, fallen, _ZERO)

    def _stretch(self, power: int) -> _Stretch:
        known = self._stretches.get(power)
        if known is None:
            fall = self._fall * power
            length = Constant(max(1.0, math.floor(_STRETCH / -fall)))
            over = self._over
            number = Call("floor", (_div(self._level, length),))
            own = Over(over.frame, (*over.partition, number), over.order)
            inside = _mul(_sub(self._level, _mul(number, length)), Constant(fall))
            rows = own.window("row_number")
            passed = _sub(self._level, over.window("lag", self._level, rows))
            known = _Stretch(own, inside, rows, Call("exp", (_mul(passed, Constant(fall)),)))
            self._stretches[power] = known
        return known

    def _weighted(self, value: Expression, power: int = 1) -> tuple[Expression, Expression]:
        """The sum of `value` over all rows before the row, each with its weight to the `power`; and with the row's own."""
        stretch = self._stretch(power)
        raised = _mul(value, Call("exp", (_sub(_ZERO, stretch.inside),)))
        summed = Call("coalesce", (stretch.over.window("sum", raised, rows=_BEFORE), _ZERO))
        own = Call("coalesce", (value, _ZERO))
        before = _mul(Call("exp", (stretch.inside,)), summed)
        ended = self._over.window("lag", _add(before, own), stretch.rows)
        before = _add(before, Call("coalesce", (_mul(ended, stretch.carried), _ZERO)))
        return before, _add(before, own)

    def variance(self, bias: bool) -> Expression:
        """The weighted variance, by what each row adds to it: never a difference of large numbers."""
        last = self._over.window(
            "last_value", _where(self._known, self.mean), rows=_BEFORE, ignore_nulls=True
        )
        apart = _sub(self._value, last)
        # Twice the product of the old weights and the new one is what a row adds to the square of all weights less the
        # sum of their squares.
        both = _mul(self._old, self._weight)
        grown = self._weighted(_mul(_div(both, self._total), _mul(apart, apart)))[1]
        biased = _div(grown, self._total)
        if bias:
            return biased
        if self._how.alpha == 1:
            return NULL  # one value alone has weight
        rest = self._weighted(_mul(both, Constant(2.0)), power=2)[1]
        whole = _mul(self._total, self._total)
        return _where(Call("gt", (rest, _ZERO)), _div(_mul(biased, whole), rest))

    def finished(self, made: Expression) -> Expression:
        """The result at rows with a value, the last one at the others; NULL where too few have been seen."""
        over = self._over
        if self._real:
            odd = _where(Call("isfinite", (self._given,)), NULL, self._given)
            made = Call("coalesce", (over.window("sum", odd, rows=UP_TO_HERE), made))
        filled = over.window("last_value", _where(self._known, made), rows=UP_TO_HERE, ignore_nulls=True)
        return _where(Call("ge", (self._count, Constant(self._how.least))), filled)
