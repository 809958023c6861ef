"""States over samples that follow one another in time: growth of counters, areas under lines and under steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from luma_bench.models.series.runs import Array, Ints
from luma_bench.models.series.states import Flat, Interleaved, Kept, Rows, seconds

Between = Literal["gain", "line", "steps"]


@dataclass(frozen=True, slots=True)
class Samples:
    """`n` samples, the first (`t0`, `v0`, `p0`: time, value, stored place), the last (`t1`, `v1`, `p1`), a `total` between neighbours.

    Samples of equal times follow one another as they are stored. Rows without a value are no samples. NaN is a value.

    Attributes
    ----------
    between
        `gain`: how much a counter grew; a drop is a restart from zero (Prometheus). `line`: the area under the straight line
        between two samples, in value times seconds. `steps`: the area where each value lasts until the next sample.
    unit
        Nanoseconds of one unit of time.
    """

    column: str
    between: Between
    unit: int
    ordered: ClassVar[bool] = True

    def partial(self, rows: Rows) -> Flat:
        """Neighbours in the same group."""
        kept = rows.kept((self.column,))
        data = _exact(kept.of(rows.columns[self.column].data))
        time = kept.of(rows.runs.time)
        groups = len(rows.begins)
        total = np.zeros(len(kept.begins))
        if len(kept.begins):
            pieces = np.empty(len(data))
            pieces[1:] = self._piece(time[:-1], time[1:], data[:-1], data[1:], across=kept.begins[1:] - 1)
            pieces[kept.begins] = 0.0
            total = np.add.reduceat(pieces, kept.begins)
        found: dict[str, Array] = {
            "n": kept.sizes,
            "t0": time[kept.begins],
            "t1": time[kept.ends],
            "v0": data[kept.begins],
            "v1": data[kept.ends],
            "p0": self._places(rows, kept, kept.begins),
            "p1": self._places(rows, kept, kept.ends),
            "total": total,
        }
        return Flat({name: kept.spread(array, groups) for name, array in found.items()})

    def join(self, left: Flat, right: Flat, *, checked: bool) -> Flat:
        """Put the piece between the last sample of the left and the first of the right to theirs."""
        none, other = left["n"] == 0, right["n"] == 0
        both = ~(none | other)
        if checked:
            early = (left["t1"] == right["t0"]) & (left["p1"] > right["p0"])
            if bool(np.any(both & (early | (left["t1"] > right["t0"])))):
                raise Interleaved
        piece = np.zeros(len(none))
        at = np.flatnonzero(both)
        piece[at] = self._piece(left["t1"][at], right["t0"][at], left["v1"][at], right["v0"][at])
        return Flat(
            {
                "n": left["n"] + right["n"],
                "t0": np.where(none, right["t0"], left["t0"]),
                "t1": np.where(other, left["t1"], right["t1"]),
                "v0": np.where(none, right["v0"], left["v0"]),
                "v1": np.where(other, left["v1"], right["v1"]),
                "p0": np.where(none, right["p0"], left["p0"]),
                "p1": np.where(other, left["p1"], right["p1"]),
                "total": left["total"] + right["total"] + piece,
            }
        )

    @staticmethod
    def _places(rows: Rows, kept: Kept, which: Ints) -> Ints:
        return rows.places(which if kept.rows is None else kept.rows[which])

    def _piece(self, before: Ints, after: Ints, low: Array, high: Array, across: Ints | None = None) -> Array:
        if self.between == "gain":
            grown = high - low
            fallen = np.flatnonzero(grown < 0)
            grown[fallen] = high[fallen]
            return grown
        lasted = seconds(before, after, self.unit)
        if across is not None:
            # Between two groups time may run backwards; what stands there is thrown away.
            lasted[across] = 0.0
        if self.between == "steps":
            return low * lasted
        return (low.astype(np.float64) + high) * (0.5 * lasted)


def _exact(data: Array) -> Array:
    """Whole numbers as int64 where their differences fit, so that large counters keep every digit; else float64."""
    if data.dtype.kind == "f":
        return data.astype(np.float64, copy=False)
    if data.dtype.itemsize <= 4:
        return data.astype(np.int64)
    return data.astype(np.float64) if not _fits(data) else data.astype(np.int64)


def _fits(data: Array) -> bool:
    if not len(data):
        return data.dtype != np.uint64
    low, high = int(data.min()), int(data.max())
    return low > -(1 << 62) and high < 1 << 62
