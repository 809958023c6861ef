"""Answers of aggregates from their states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from luma_bench.errors import EngineError
from luma_bench.models.series.limbs import of_halves, reals
from luma_bench.models.series.runs import Array, Bools, Ints, Values
from luma_bench.models.series.sketch import Bins, Sketch
from luma_bench.models.series.states import Flat, seconds
from luma_bench.models.series.states_plain import WholeSum

Form = Literal["int64", "int128", "float64", "same", "place", "ohlc"]
"""What an aggregate gives.

`int128`: data is int64 of shape (n, 2), low limb first, which is the buffer of a decimal128. `same`: the type of the first
argument. `place`: stored row numbers, from which the caller takes values of any type. `ohlc`: four columns as `same`.
"""


@dataclass(frozen=True, slots=True)
class Finished:
    """An aggregate's answer: one `Values` with one row a group; four for ohlc (open, high, low, close)."""

    form: Form
    values: tuple[Values, ...]


@dataclass(frozen=True, slots=True)
class Answering:
    """The states of one aggregate, and what its answer needs besides.

    Attributes
    ----------
    kinds, states
        In the order in which the aggregate asked for them.
    options, places, carried
        Of its `Spec`.
    dtype
        Of its first column.
    unit
        Nanoseconds of one unit of time.
    starts, ends
        The window of each group; `ends` is None where the groups are no windows.
    """

    kinds: tuple[Any, ...]
    states: tuple[Any, ...]
    options: tuple[float, ...]
    places: bool
    carried: bool
    dtype: np.dtype[Any] | None
    unit: int
    starts: Ints
    ends: Ints | None

    @property
    def _state(self) -> Flat:
        return self.states[0]

    def count(self) -> Finished:
        """How many."""
        return Finished("int64", (Values(self._state["n"]),))

    def sum(self) -> Finished:
        """NULL where there is no value."""
        valid = _mask(self._state["n"] > 0)
        if not isinstance(self.kinds[1], WholeSum):
            return Finished("float64", (Values(self.states[1]["sum"], valid),))
        return Finished("int128", (Values(self._limbs(), valid),))

    def _limbs(self) -> Ints:
        """The exact sum of whole numbers."""
        return of_halves(self.states[1]["high"], self.states[1]["low"])

    def mean(self) -> Finished:
        """The sum over the count; exact for whole numbers as far as float64 holds them."""
        count = self._state["n"]
        total = reals(self._limbs()) if isinstance(self.kinds[1], WholeSum) else self.states[1]["sum"]
        return _float(total / np.maximum(count, 1), count > 0)

    def extreme(self) -> Finished:
        """NULL where there is no value."""
        value = self.states[1]["value"]
        return Finished("same", (Values(_as(value, self.dtype), _mask(self._state["n"] > 0)),))

    def var_pop(self) -> Finished:
        """By the count."""
        return self._spread(0, root=False)

    def var_samp(self) -> Finished:
        """By the count less one; NULL for fewer than two values."""
        return self._spread(1, root=False)

    def stddev_pop(self) -> Finished:
        """By the count."""
        return self._spread(0, root=True)

    def stddev_samp(self) -> Finished:
        """By the count less one; NULL for fewer than two values."""
        return self._spread(1, root=True)

    def _spread(self, less: int, *, root: bool) -> Finished:
        count = self._state["n"]
        value = self._state["m2"] / np.maximum(count - less, 1)
        return _float(np.sqrt(value) if root else value, count > less)

    def picked(self) -> Finished:
        """The value or the place of the row that was picked."""
        state = self._state
        if self.places:
            return Finished("place", (Values(state["place"], _mask(state["row"])),))
        return Finished("same", (Values(state["value"], _mask(state["row"] & state["has"])),))

    def ohlc(self) -> Finished:
        """Open, high, low and close; NULL without a price."""
        opened, highest, lowest, closed = self.states
        valid = _mask(opened["row"])
        columns = (opened["value"], highest["value"], lowest["value"], closed["value"])
        return Finished("ohlc", tuple(Values(_as(column, self.dtype), valid) for column in columns))

    @property
    def _lasted(self) -> Array:
        return seconds(self._state["t0"], self._state["t1"], self.unit)

    def increase(self) -> Finished:
        """How much a counter grew; NULL for fewer than two samples."""
        return _float(self._state["total"], self._state["n"] > 1)

    def delta(self) -> Finished:
        """The last less the first; NULL for fewer than two samples."""
        last, first = self._state["v1"], self._state["v0"]
        return _float((last - first).astype(np.float64, copy=False), self._state["n"] > 1)

    def rate(self) -> Finished:
        """The increase by second between the first and the last sample; NULL where no time lies between them."""
        lasted = self._lasted
        return _float(self._state["total"] / np.where(lasted > 0, lasted, 1.0), lasted > 0)

    def integral(self) -> Finished:
        """Value times seconds under straight lines; NULL for fewer than two samples."""
        return _float(self._state["total"], self._state["n"] > 1)

    def time_weight(self) -> Finished:
        """The mean over time, each value lasting until the next; NULL where no time lies between first and end."""
        state = self._state
        area, lasted = state["total"], self._lasted
        if self.carried:
            ends = self._windows("time_weight")
            rest = seconds(state["t1"], np.maximum(ends, state["t1"]), self.unit)
            area, lasted = area + np.where(rest > 0, state["v1"] * rest, 0.0), lasted + rest
        return _float(area / np.where(lasted > 0, lasted, 1.0), (lasted > 0) & (state["n"] > 0))

    def prom_rate(self) -> Finished:
        """The increase by second of the window, extrapolated to its edges as Prometheus 3 does."""
        value, valid = self._extrapolated()
        window = seconds(self.starts, self._windows("prom_rate"), self.unit)
        return _float(value / np.where(window > 0, window, 1.0), valid & (window > 0))

    def prom_increase(self) -> Finished:
        """The increase of the window, extrapolated to its edges as Prometheus 3 does."""
        return _float(*self._extrapolated())

    def _extrapolated(self) -> tuple[Array, Bools]:
        """Prometheus 3, promql/functions.go, extrapolatedRate of a counter; NULL for fewer than two samples."""
        state, ends = self._state, self._windows("prom_rate")
        lasted = self._lasted
        valid = (state["n"] > 1) & (lasted > 0)
        lasted = np.where(lasted > 0, lasted, 1.0)
        between = lasted / np.maximum(state["n"] - 1, 1)
        far = between * 1.1
        before = seconds(np.minimum(self.starts, state["t0"]), state["t0"], self.unit)
        after = seconds(state["t1"], np.maximum(ends, state["t1"]), self.unit)
        before = np.where(before >= far, between / 2, before)
        grown, first = state["total"], state["v0"]
        from_zero = np.where(
            (grown > 0) & (first >= 0), lasted * (first / np.where(grown > 0, grown, 1.0)), np.inf
        )
        before = np.minimum(before, from_zero)
        after = np.where(after >= far, between / 2, after)
        return grown * ((lasted + before + after) / lasted), valid

    def _windows(self, function: str) -> Ints:
        if self.ends is None:
            raise EngineError(
                f"{function} needs windows, and these groups are none.",
                hint="Group by a window or a bucket of time.",
            )
        return self.ends

    def derivative(self) -> Finished:
        """The slope of the least-squares line, by second; NULL where no time lies between the samples."""
        over = self._state["tt"]
        return _float(self._state["tv"] / np.where(over > 0, over, 1.0), (over > 0) & (self._state["n"] > 1))

    def vwap(self) -> Finished:
        """NULL where the weights are zero together."""
        state = self._state
        weight = state["second"]
        return _float(state["both"] / np.where(weight == 0, 1.0, weight), (state["n"] > 0) & (weight != 0))

    def quantile(self) -> Finished:
        """NULL where there is no value."""
        sketch, bins = self.kinds[0], self.states[0]
        assert isinstance(sketch, Sketch)
        assert isinstance(bins, Bins)
        return _float(*sketch.quantile(bins, self.options[0]))


def _float(data: Array, valid: Bools) -> Finished:
    return Finished("float64", (Values(data, _mask(valid)),))


def _mask(valid: Bools) -> Bools | None:
    return None if bool(valid.all()) else valid


def _as(data: Array, dtype: np.dtype[Any] | None) -> Array:
    return data.view(np.bool_) if dtype == np.bool_ else data
