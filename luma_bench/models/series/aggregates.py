"""Aggregates over groups of rows in order of time: what each is called, what it takes and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from luma_bench.errors import KadeQLBindError
from luma_bench.models.series.counters import Between, Samples
from luma_bench.models.series.finishing import Answering, Finished, Form
from luma_bench.models.series.sketch import Sketch
from luma_bench.models.series.states import Kind
from luma_bench.models.series.states_picked import Picked
from luma_bench.models.series.states_plain import Count, Extreme, FloatSum, Moments, Products, Slope, WholeSum

_ERROR = 0.01

Dtypes = Sequence[np.dtype[Any]]
AnyKind = Kind[Any]


@dataclass(frozen=True, slots=True)
class Spec:
    """One aggregate.

    Attributes
    ----------
    function
        Casefolded: count_star, count, sum, avg (mean), min, max, stddev (stddev_samp), stddev_pop, variance (var_samp), var_pop,
        first, last (by time; NULL is a value), any_value, arg_min, arg_max (NULL arguments are skipped), increase, delta, rate,
        prom_rate, prom_increase, derivative, integral, time_weight, twap, vwap, ohlc, dd_quantile.
    columns
        Names in `Stretch.columns`. arg_min and arg_max with one column go by the time of the series, with two by the second.
    options
        Constants: the quantile of dd_quantile, and its relative error (0.01).
    places
        first, last, any_value, arg_min, arg_max: give stored row numbers instead of values (for columns that are not
        numbers: their `Values.data` may be anything of the right length, only `valid` is read).
    carried
        time_weight, twap: the last value lasts to the end of the group's window; else the last sample weighs nothing.
    """

    function: str
    columns: tuple[str, ...] = ()
    options: tuple[float, ...] = ()
    places: bool = False
    carried: bool = False


@dataclass(frozen=True, slots=True)
class _Function:
    """How many columns it takes, the states it needs, how they are answered from, and its form where that is always one."""

    takes: tuple[int, ...]
    kinds: Callable[[Spec, Dtypes, int], tuple[AnyKind, ...]]
    answer: Callable[[Answering], Finished]
    gives: Form
    numbers: bool = True


def known(function: str, columns: int) -> bool:
    """Whether there is a kernel of this name for so many columns (constants are not counted)."""
    found = FUNCTIONS.get(function)
    return found is not None and columns in found.takes


def accepts(spec: Spec, dtypes: Dtypes) -> bool:
    """Whether it takes columns of these dtypes; `count` takes any, as do those that pick a row when they give places."""
    found = FUNCTIONS.get(spec.function)
    if found is None or len(dtypes) not in found.takes:
        return False
    if spec.function == "count":
        return True
    checked = dtypes[1:] if spec.places and _picks(spec) else dtypes
    return all(dtype.kind in ("iufb" if _any_number(spec) else "iuf") for dtype in checked)


def form(spec: Spec, dtypes: Dtypes) -> Form:
    """What it gives: sum is int128 of whole numbers and bool, float64 of floats."""
    if spec.function == "sum":
        return "float64" if dtypes[0].kind == "f" else "int128"
    if spec.places and _picks(spec):
        return "place"
    return FUNCTIONS[spec.function].gives


def kinds(spec: Spec, dtypes: Dtypes, unit: int) -> tuple[AnyKind, ...]:
    """The states that it needs, in the order in which its answer reads them.

    Raises
    ------
    KadeQLBindError
        A constant of it is out of its range; without a place.
    """
    return FUNCTIONS[spec.function].kinds(spec, dtypes, unit)


def answered(spec: Spec, answering: Answering) -> Finished:
    """Its answer from its states."""
    return FUNCTIONS[spec.function].answer(answering)


def _picks(spec: Spec) -> bool:
    return FUNCTIONS[spec.function].answer is Answering.picked


def _any_number(spec: Spec) -> bool:
    return _picks(spec) or spec.function in {"min", "max", "sum"}


def _counted(spec: Spec, dtypes: Dtypes, unit: int) -> tuple[AnyKind, ...]:
    return (Count(spec.columns[0] if spec.columns else None),)


def _summed(spec: Spec, dtypes: Dtypes, unit: int) -> tuple[AnyKind, ...]:
    (column,) = spec.columns
    return (Count(column), FloatSum(column) if dtypes[0].kind == "f" else WholeSum(column))


def _least(spec: Spec, dtypes: Dtypes, unit: int) -> tuple[AnyKind, ...]:
    return (Count(spec.columns[0]), Extreme(spec.columns[0], greatest=False))


def _most(spec: Spec, dtypes: Dtypes, unit: int) -> tuple[AnyKind, ...]:
    return (Count(spec.columns[0]), Extreme(spec.columns[0], greatest=True))


def _spread(spec: Spec, dtypes: Dtypes, unit: int) -> tuple[AnyKind, ...]:
    return (Moments(spec.columns[0]),)


def _picked(
    greatest: bool, tie: Literal["first", "last"], *, nulls: bool = False
) -> Callable[[Spec, Dtypes, int], tuple[AnyKind, ...]]:
    def made(spec: Spec, dtypes: Dtypes, unit: int) -> tuple[AnyKind, ...]:
        by = spec.columns[1] if len(spec.columns) == 2 else None
        return (Picked(spec.columns[0], by, greatest, tie, nulls, keep=not spec.places),)

    return made


def _bars(spec: Spec, dtypes: Dtypes, unit: int) -> tuple[AnyKind, ...]:
    (price,) = spec.columns
    return (
        Picked(price, None, greatest=False, tie="first", nulls=False, keep=True),
        Extreme(price, greatest=True),
        Extreme(price, greatest=False),
        Picked(price, None, greatest=True, tie="last", nulls=False, keep=True),
    )


def _samples(between: Between) -> Callable[[Spec, Dtypes, int], tuple[AnyKind, ...]]:
    return lambda spec, dtypes, unit: (Samples(spec.columns[0], between, unit),)


def _sloped(spec: Spec, dtypes: Dtypes, unit: int) -> tuple[AnyKind, ...]:
    return (Slope(spec.columns[0], unit),)


def _multiplied(spec: Spec, dtypes: Dtypes, unit: int) -> tuple[AnyKind, ...]:
    return (Products((spec.columns[0], spec.columns[1])),)


def _sketched(spec: Spec, dtypes: Dtypes, unit: int) -> tuple[AnyKind, ...]:
    if not spec.options or not 0 <= spec.options[0] <= 1:
        raise KadeQLBindError(
            "dd_quantile needs a quantile from 0 to 1.", hint="For the median: dd_quantile(x, 0.5)."
        )
    error = spec.options[1] if len(spec.options) > 1 else _ERROR
    if not 1e-6 <= error < 1:
        raise KadeQLBindError(
            f"dd_quantile cannot keep a relative error of {error:g}.",
            hint="Give one from 0.000001 to below 1; 0.01 is usual.",
        )
    return (Sketch(spec.columns[0], error),)


FUNCTIONS: Mapping[str, _Function] = MappingProxyType(
    {
        "count_star": _Function((0,), _counted, Answering.count, "int64"),
        "count": _Function((1,), _counted, Answering.count, "int64"),
        "sum": _Function((1,), _summed, Answering.sum, "float64"),
        **dict.fromkeys(("avg", "mean"), _Function((1,), _summed, Answering.mean, "float64")),
        "min": _Function((1,), _least, Answering.extreme, "same"),
        "max": _Function((1,), _most, Answering.extreme, "same"),
        **dict.fromkeys(
            ("stddev", "stddev_samp"), _Function((1,), _spread, Answering.stddev_samp, "float64")
        ),
        "stddev_pop": _Function((1,), _spread, Answering.stddev_pop, "float64"),
        **dict.fromkeys(("variance", "var_samp"), _Function((1,), _spread, Answering.var_samp, "float64")),
        "var_pop": _Function((1,), _spread, Answering.var_pop, "float64"),
        "first": _Function((1,), _picked(False, "first", nulls=True), Answering.picked, "same"),
        "last": _Function((1,), _picked(True, "last", nulls=True), Answering.picked, "same"),
        "any_value": _Function((1,), _picked(False, "first"), Answering.picked, "same"),
        "arg_min": _Function((1, 2), _picked(False, "first"), Answering.picked, "same"),
        "arg_max": _Function((1, 2), _picked(True, "first"), Answering.picked, "same"),
        "increase": _Function((1,), _samples("gain"), Answering.increase, "float64"),
        "delta": _Function((1,), _samples("gain"), Answering.delta, "float64"),
        "rate": _Function((1,), _samples("gain"), Answering.rate, "float64"),
        "prom_rate": _Function((1,), _samples("gain"), Answering.prom_rate, "float64"),
        "prom_increase": _Function((1,), _samples("gain"), Answering.prom_increase, "float64"),
        "derivative": _Function((1,), _sloped, Answering.derivative, "float64"),
        "integral": _Function((1,), _samples("line"), Answering.integral, "float64"),
        **dict.fromkeys(
            ("time_weight", "twap"), _Function((1,), _samples("steps"), Answering.time_weight, "float64")
        ),
        "vwap": _Function((2,), _multiplied, Answering.vwap, "float64"),
        "ohlc": _Function((1,), _bars, Answering.ohlc, "ohlc"),
        "dd_quantile": _Function((1,), _sketched, Answering.quantile, "float64"),
    }
)
"""Every aggregate that has a kernel, by its casefolded name."""
