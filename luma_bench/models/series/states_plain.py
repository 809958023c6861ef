"""States that come out the same in whatever order rows are taken: counts, sums, extremes, moments, products, slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from luma_bench.models.series.runs import Array, Ints, Values
from luma_bench.models.series.states import Flat, Rows, seconds

_LIMB = np.int64(32)
_MASK = np.int64(0xFFFFFFFF)


@dataclass(frozen=True, slots=True)
class Count:
    """How many values a column has (`n`), or how many rows there are, without a column."""

    column: str | None = None
    ordered: ClassVar[bool] = False

    def partial(self, rows: Rows) -> Flat:
        """Count."""
        return Flat({"n": rows.sizes if self.column is None else rows.counts(self.column)})

    def join(self, left: Flat, right: Flat, *, checked: bool) -> Flat:
        """Add."""
        return Flat({"n": left["n"] + right["n"]})

    def reduced(self, states: Flat, begins: Ints) -> Flat:
        """Add."""
        return _added(states, begins)


@dataclass(frozen=True, slots=True)
class FloatSum:
    """The sum of floats (`sum`), float64."""

    column: str
    ordered: ClassVar[bool] = False

    def partial(self, rows: Rows) -> Flat:
        """Sum each group on its own: a spike elsewhere leaves no error here."""
        return Flat({"sum": rows.sums(self.column)})

    def join(self, left: Flat, right: Flat, *, checked: bool) -> Flat:
        """Add."""
        return Flat({"sum": left["sum"] + right["sum"]})

    def reduced(self, states: Flat, begins: Ints) -> Flat:
        """Add."""
        return _added(states, begins)


@dataclass(frozen=True, slots=True)
class WholeSum:
    """The exact sum of whole numbers: `high` * 2**32 + `low`, 0 <= low < 2**32."""

    column: str
    ordered: ClassVar[bool] = False

    def partial(self, rows: Rows) -> Flat:
        """In int64 where nothing can overflow, else in two limbs."""
        values = rows.columns[self.column]
        data = _whole(values)
        small = data.dtype.itemsize <= 4
        if not small and len(data):
            most = int(rows.sizes.max())
            low, high = int(data.min()), int(data.max())
            small = max(high, -low) * most < 1 << 63
        if small:
            total = np.add.reduceat(data, rows.begins, dtype=np.int64)
            return Flat({"high": total >> _LIMB, "low": total & _MASK})
        shift, mask = data.dtype.type(32), data.dtype.type(0xFFFFFFFF)
        high = np.add.reduceat((data >> shift).astype(np.int64), rows.begins)
        low = np.add.reduceat((data & mask).astype(np.int64), rows.begins)
        return Flat({"high": high + (low >> _LIMB), "low": low & _MASK})

    def join(self, left: Flat, right: Flat, *, checked: bool) -> Flat:
        """Add, carrying."""
        low = left["low"] + right["low"]
        return Flat({"high": left["high"] + right["high"] + (low >> _LIMB), "low": low & _MASK})

    def reduced(self, states: Flat, begins: Ints) -> Flat:
        """Add, carrying: the low limbs of 2**31 states fit an int64."""
        total = _added(states, begins)
        return Flat({"high": total["high"] + (total["low"] >> _LIMB), "low": total["low"] & _MASK})


@dataclass(frozen=True, slots=True)
class Extreme:
    """The least or the greatest value (`value`), of the column's own type; NaN is above every number.

    A group without values has one that loses against all others; `Count` says where.
    """

    column: str
    greatest: bool
    ordered: ClassVar[bool] = False

    def partial(self, rows: Rows) -> Flat:
        """Reduce."""
        values = rows.columns[self.column]
        data = values.data.view(np.uint8) if values.data.dtype == np.bool_ else values.data
        if values.valid is not None:
            data = np.where(values.valid, data, self._loser(data.dtype))
        return Flat({"value": self._ufunc(data.dtype).reduceat(data, rows.begins)})

    def join(self, left: Flat, right: Flat, *, checked: bool) -> Flat:
        """The better of both."""
        return Flat({"value": self._ufunc(left["value"].dtype)(left["value"], right["value"])})

    def reduced(self, states: Flat, begins: Ints) -> Flat:
        """The best of each."""
        value = states["value"]
        return Flat({"value": self._ufunc(value.dtype).reduceat(value, begins)})

    def _loser(self, dtype: np.dtype) -> Array:
        if dtype.kind == "f":
            return np.asarray(-np.inf if self.greatest else np.nan, dtype)
        return np.asarray(np.iinfo(dtype).min if self.greatest else np.iinfo(dtype).max, dtype)

    def _ufunc(self, dtype: np.dtype) -> np.ufunc:
        if self.greatest:
            return np.maximum
        return np.fmin if dtype.kind == "f" else np.minimum


@dataclass(frozen=True, slots=True)
class Moments:
    """`n`, the `mean` and the sum of squared deviations `m2` (Chan, Golub, LeVeque 1979)."""

    column: str
    ordered: ClassVar[bool] = False

    def partial(self, rows: Rows) -> Flat:
        """Two passes over each group."""
        count = rows.counts(self.column)
        mean = rows.sums(self.column) / np.maximum(count, 1)
        data = rows.floats(self.column) - np.repeat(mean, rows.sizes)
        valid = rows.columns[self.column].valid
        if valid is not None:
            data[~valid] = 0.0
        return Flat({"n": count, "mean": mean, "m2": np.add.reduceat(data * data, rows.begins)})

    def join(self, left: Flat, right: Flat, *, checked: bool) -> Flat:
        """Combine."""
        count = left["n"] + right["n"]
        share = right["n"] / np.maximum(count, 1)
        apart = right["mean"] - left["mean"]
        mean = np.where(left["n"] == 0, right["mean"], left["mean"] + apart * share)
        spread = np.where((left["n"] == 0) | (right["n"] == 0), 0.0, apart * apart * left["n"] * share)
        return Flat({"n": count, "mean": mean, "m2": left["m2"] + right["m2"] + spread})

    def reduced(self, states: Flat, begins: Ints) -> Flat:
        """Combine, around the first mean of each: what the means differ by keeps its digits."""
        n, sizes = states["n"], np.diff(np.append(begins, len(states["n"])))
        base = states["mean"][begins]
        count = np.add.reduceat(n, begins)
        apart = np.where(n == 0, 0.0, states["mean"] - np.repeat(base, sizes))
        moved = np.add.reduceat(n * apart, begins) / np.maximum(count, 1)
        rest = apart - np.repeat(moved, sizes)
        spread = states["m2"] + np.where(n == 0, 0.0, n * rest * rest)
        return Flat({"n": count, "mean": base + moved, "m2": np.add.reduceat(spread, begins)})


@dataclass(frozen=True, slots=True)
class Products:
    """`both`, the sum of products of two columns, and `second`, the sum of the second, over rows that have both; `n` rows."""

    columns: tuple[str, str]
    ordered: ClassVar[bool] = False

    def partial(self, rows: Rows) -> Flat:
        """Multiply and sum."""
        first, second = (rows.floats(name) for name in self.columns)
        valid = rows.valid(self.columns)
        if valid is None:
            count = rows.sizes
        else:
            first, second = np.where(valid, first, 0.0), np.where(valid, second, 0.0)
            count = np.add.reduceat(valid.view(np.uint8), rows.begins, dtype=np.int64)
        return Flat(
            {
                "n": count,
                "both": np.add.reduceat(first * second, rows.begins),
                "second": np.add.reduceat(second, rows.begins),
            }
        )

    def join(self, left: Flat, right: Flat, *, checked: bool) -> Flat:
        """Add."""
        return Flat({name: left[name] + right[name] for name in ("n", "both", "second")})

    def reduced(self, states: Flat, begins: Ints) -> Flat:
        """Add."""
        return _added(states, begins)


@dataclass(frozen=True, slots=True)
class Slope:
    """What a straight line through (seconds, value) needs: means, and deviations about them; seconds count from `anchor`."""

    column: str
    unit: int
    ordered: ClassVar[bool] = False

    def partial(self, rows: Rows) -> Flat:
        """Two passes over each group's samples."""
        kept = rows.kept((self.column,))
        data = kept.of(rows.columns[self.column].data).astype(np.float64, copy=False)
        time = kept.of(rows.runs.time)
        anchor = time[kept.begins]
        at = rows.seconds(np.repeat(anchor, kept.sizes), time)
        found: dict[str, Array] = {"n": kept.sizes, "anchor": anchor}
        if len(kept.begins):
            t = np.add.reduceat(at, kept.begins) / kept.sizes
            v = np.add.reduceat(data, kept.begins) / kept.sizes
            dt, dv = at - np.repeat(t, kept.sizes), data - np.repeat(v, kept.sizes)
            found |= {"t": t, "v": v}
            found |= {
                "tt": np.add.reduceat(dt * dt, kept.begins),
                "tv": np.add.reduceat(dt * dv, kept.begins),
            }
        else:
            found |= dict.fromkeys(("t", "v", "tt", "tv"), np.zeros(0))
        groups = len(rows.begins)
        return Flat({name: kept.spread(array, groups) for name, array in found.items()})

    def join(self, left: Flat, right: Flat, *, checked: bool) -> Flat:
        """Combine, both counted from the earlier anchor."""
        nothing, other = left["n"] == 0, right["n"] == 0
        anchor = np.where(
            nothing,
            right["anchor"],
            np.where(other, left["anchor"], np.minimum(left["anchor"], right["anchor"])),
        )
        t = [
            side["t"] + seconds(anchor, np.maximum(side["anchor"], anchor), self.unit)
            for side in (left, right)
        ]
        count = left["n"] + right["n"]
        share = right["n"] / np.maximum(count, 1)
        apart, over = t[1] - t[0], right["v"] - left["v"]
        weight = np.where(nothing | other, 0.0, left["n"] * share)
        return Flat(
            {
                "n": count,
                "anchor": anchor,
                "t": np.where(nothing, t[1], np.where(other, t[0], t[0] + apart * share)),
                "v": np.where(nothing, right["v"], np.where(other, left["v"], left["v"] + over * share)),
                "tt": left["tt"] + right["tt"] + np.where(weight == 0, 0.0, apart * apart * weight),
                "tv": left["tv"] + right["tv"] + np.where(weight == 0, 0.0, apart * over * weight),
            }
        )


def _added(states: Flat, begins: Ints) -> Flat:
    return Flat({name: np.add.reduceat(array, begins) for name, array in states.arrays.items()})


def _whole(values: Values) -> Array:
    data = values.data.view(np.uint8) if values.data.dtype == np.bool_ else values.data
    return data if values.valid is None else np.where(values.valid, data, data.dtype.type(0))
