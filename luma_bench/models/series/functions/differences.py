"""DERIVATIVE and DIFFERENCES: each row beside the row before it that has a value."""

from __future__ import annotations

from typing import Final

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


def _steps(batch: Batch, of: Floats | Ints, rows: Ints | None) -> Floats:
    """What each row that has a value has more than the one before it; NaN in the first of each series."""
    kept = of if rows is None else of[rows]
    made = np.empty(len(kept))
    with np.errstate(invalid="ignore"):
        np.subtract(kept[1:], kept[:-1], out=made[1:])
    firsts = batch.offsets[:-1] if rows is None else np.searchsorted(rows, batch.offsets[:-1])
    made[firsts[firsts < len(made)]] = np.nan
    return made


def _present(batch: Batch) -> Ints | None:
    """The rows that have a value; None for all of them."""
    return batch.present() if np.isnan(batch.values).any() else None


def _laid(batch: Batch, rows: Ints | None, made: Floats) -> Floats:
    """A value for each row of the batch."""
    if rows is None:
        return made
    whole = np.full(len(batch.values), np.nan)
    whole[rows] = made
    return whole


def _differences(batch: Batch, options: Values, control: Control) -> Answer:
    control.check()
    rows = _present(batch)
    step = _steps(batch, batch.values, rows)
    if options["counter"]:
        np.copyto(step, batch.values if rows is None else batch.values[rows], where=step < 0)
    return Answer(batch.offsets, {"difference": _laid(batch, rows, step)})


def _derivative(batch: Batch, options: Values, control: Control) -> Answer:
    control.check()
    rows = _present(batch)
    elapsed = _steps(batch, batch.time, rows)
    elapsed *= batch.unit / options["unit"].fixed
    step = _steps(batch, batch.values, rows)
    with np.errstate(invalid="ignore", divide="ignore"):
        step /= elapsed
    step[~(elapsed > 0)] = np.nan
    return Answer(batch.offsets, {"derivative": _laid(batch, rows, step)})


DIFFERENCES: Final = FunctionSpec(
    name="DIFFERENCES",
    help="How much each value differs from the value before it. NULL in the first row and where there is no value; a missing value is passed over.",
    options=(
        Option(
            name="counter",
            kind="bool",
            default=False,
            help="true reads a counter: a value below the one before it has begun again at zero, and counts whole (false)",
        ),
    ),
    columns=(OutputColumn("difference", pa.float64(), "the value less the one before it"),),
    run=_differences,
)

DERIVATIVE: Final = FunctionSpec(
    name="DERIVATIVE",
    help="How fast each value changed since the value before it. NULL in the first row, where there is no value, and where no time has passed.",
    options=(
        Option(
            name="unit",
            kind="length",
            default="1s",
            help="the length of time that the change is counted in ('1s')",
        ),
    ),
    columns=(OutputColumn("derivative", pa.float64(), "the change in a unit of time"),),
    run=_derivative,
)
