"""EWMA: means whose weights fall off, by rows or by time, as pandas' `ewm(adjust=False)` has them.

The mean is a linear recurrence `y = a·y₋₁ + b`. With one weight for all rows Polars runs it; else many stretches of it are
walked side by side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from luma_bench.models.control import Control
from luma_bench.models.series.functions.spec import (
    Answer,
    Batch,
    Floats,
    FunctionSpec,
    Option,
    OutputColumn,
    Values,
)
from luma_bench.models.series.runs import Ints

_WIDTH: Final = 256
"""Rows of a line, at most."""
_CHECKED: Final = 32
_FILTERED: Final = 256
"""Rows of a series, on average, from which on a call of Polars for each is worth it."""
_DECAYS: Final = ("alpha", "span", "com", "halflife", "half_life")


def _weight(options: Values) -> float:
    """The weight of a new value."""
    if options["alpha"] is not None:
        return options["alpha"]
    if options["span"] is not None:
        return 2 / (options["span"] + 1)
    if options["com"] is not None:
        return 1 / (1 + options["com"])
    return -np.expm1(-np.log(2) / options["halflife"])


def _ewma(batch: Batch, options: Values, control: Control) -> Answer:
    rows = batch.present()
    if (
        options["half_life"] is None
        and len(rows) == len(batch.values)
        and len(rows) >= _FILTERED * batch.series
    ):
        return Answer(batch.offsets, {"ewma": _filtered(batch, _weight(options), control)})
    if not len(rows):
        return Answer(batch.offsets, {"ewma": np.full(len(batch.values), np.nan)})
    dense = len(rows) == len(batch.values)
    numbers = batch.numbers()
    series = numbers if dense else numbers[rows]
    begins = np.concatenate([[True], series[1:] != series[:-1]])
    decay, share = _factors(batch, rows, options)
    # The first value of a series is its first mean; nothing before it reaches over.
    decay[begins], share[begins] = 0.0, 1.0
    made = means = scanned(decay, share * batch.values[rows], control)
    if not dense:
        # Rows without a value carry the mean on.
        made = np.full(len(batch.values), np.nan)
        last = np.cumsum(~np.isnan(batch.values)) - 1
        held = (last >= 0) & (rows[np.maximum(last, 0)] >= batch.offsets[numbers])
        made[held] = means[last[held]]
    return Answer(batch.offsets, {"ewma": made})


def _factors(batch: Batch, rows: Ints, options: Values) -> tuple[Floats, Floats]:
    """What is left of the mean before each value, and the value's share; of the first of a series anything."""
    half = options["half_life"]
    if half is not None:
        elapsed = np.diff(batch.time[rows], prepend=batch.time[rows[:1]])
        lives = elapsed * (batch.unit / half.fixed) * -np.log(2)
        lives = np.minimum(lives, 0.0)
        return np.exp(lives), -np.expm1(lives)
    weight = _weight(options)
    if options["ignore_na"]:
        return np.full(len(rows), 1 - weight), np.full(len(rows), weight)
    gaps = np.maximum(np.diff(rows, prepend=rows[:1] - 1), 1)
    old = (1 - weight) ** gaps
    return old / (old + weight), weight / (old + weight)


def _filtered(batch: Batch, weight: float, control: Control) -> Floats:
    import polars as pl

    made = np.empty(len(batch.values))
    for _, rows in batch.each(control):
        found = pl.Series(batch.values[rows]).ewm_mean(alpha=weight, adjust=False, min_samples=1)
        made[rows] = found.to_numpy()
    return made


def scanned(factors: Floats, terms: Floats, control: Control) -> Floats:
    """`y[k] = factors[k] * y[k - 1] + terms[k]` for all k, from zero; a factor of exactly zero cuts off what is before it.

    The rows are laid out in lines of equal length, which are walked side by side, each from zero; then what a line
    ends with is carried into the next one.

    Parameters
    ----------
    factors
        float64 from 0 to 1.
    terms
        float64, of the same length.
    """
    width = min(_WIDTH, math.isqrt(len(terms)) + 1)
    lines = -(-len(terms) // width)
    left, made = np.zeros((width, lines)), np.zeros((width, lines))
    for laid, given in ((left, factors), (made, terms)):
        padded = np.zeros(width * lines)
        padded[: len(given)] = given
        laid[:] = padded.reshape(lines, width).T
    clean = bool(np.isfinite(terms).all())
    for step in range(1, width):
        if step % _CHECKED == 0:
            control.check()
        made[step] += _products(left[step], made[step - 1], clean=clean)
        left[step] *= left[step - 1]
    carried: list[float] = []
    carry = 0.0
    for factor, last in zip(left[-1].tolist(), made[-1].tolist(), strict=True):
        carried.append(carry)
        carry = last + (factor * carry if factor else 0.0)
    made += _products(left, np.array(carried), clean=clean)
    return made.T.reshape(-1)[: len(terms)]


def _products(factors: Floats, values: Floats, *, clean: bool) -> Floats:
    """The products; zero where the factor is, also of infinity."""
    if clean:
        return factors * values
    with np.errstate(invalid="ignore"):
        return np.where(factors == 0, 0.0, factors * values)


def _check(given: Mapping[str, Any]) -> str | None:
    named = [name for name in _DECAYS if name in given]
    if len(named) == 1:
        return None
    return f"give one of {', '.join(_DECAYS)}" + (f", not {' and '.join(named)}" if named else "")


EWMA: Final = FunctionSpec(
    name="EWMA",
    help=(
        "The exponentially weighted moving mean, as pandas' `ewm(adjust=False).mean()`: the first value is the first mean, and each later mean is "
        "`(1 - alpha) · mean + alpha · value`. Rows without a value carry the mean on. With `half_life` weights fall with time instead of rows. One of the first five options is needed."
    ),
    options=(
        Option(
            name="alpha", kind="float", above=0, most=1, help="the weight of a new value, above 0 and up to 1"
        ),
        Option(name="span", kind="float", least=1, help="a span of rows: alpha = 2 / (span + 1)"),
        Option(name="com", kind="float", least=0, help="a centre of mass in rows: alpha = 1 / (1 + com)"),
        Option(name="halflife", kind="float", above=0, help="rows in which a weight halves"),
        Option(name="half_life", kind="length", help="time in which a weight halves: `'5m'`"),
        Option(
            name="ignore_na",
            kind="bool",
            default=False,
            help="true lets weights fall only over rows that have a value (false); nothing to `half_life`",
        ),
    ),
    columns=(OutputColumn("ewma", pa.float64(), "the mean"),),
    run=_ewma,
    check=_check,
)
