"""One row of each group, picked by its time or by another column: first, last, arg_min, arg_max."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from luma_bench.models.series.runs import Array, Bools, Ints
from luma_bench.models.series.states import Flat, Kept, Rows

_SIGN = np.int64(-(1 << 63))


@dataclass(frozen=True, slots=True)
class Picked:
    """The row with the least or the greatest key: its `key`, its stored `place`, whether there is one (`has`), its `value`.

    Attributes
    ----------
    value
        The column whose value is kept.
    by
        The column that decides; None: the time.
    greatest
        The greatest key, not the least one.
    tie
        Of rows of equal keys: which one, as they are stored.
    nulls
        Rows without a value count too; then `valid` is kept.
    keep
        Keep the value; else only the place.
    """

    value: str
    by: str | None
    greatest: bool
    tie: Literal["first", "last"]
    nulls: bool
    keep: bool
    ordered: ClassVar[bool] = False

    def partial(self, rows: Rows) -> Flat:
        """Pick."""
        asked = () if self.nulls else (self.value,)
        kept = rows.kept(asked if self.by is None else (*asked, self.by))
        groups = len(rows.begins)
        if self.by is None:
            time = kept.of(rows.runs.time)
            picked = self._by_time(kept, time)
            key = time[picked]
        else:
            keys = order_keys(kept.of(rows.columns[self.by].data))
            picked, key = self._by_key(kept, keys, rows)
        row = picked if kept.rows is None else kept.rows[picked]
        values = rows.columns[self.value]
        found: dict[str, Array] = {"key": key, "place": rows.places(row)}
        found["has"] = np.ones(len(key), bool) if values.valid is None else values.valid[row]
        if self.keep:
            found["value"] = values.data[row]
        found["row"] = np.ones(len(key), bool)
        return Flat({name: kept.spread(array, groups) for name, array in found.items()})

    def join(self, left: Flat, right: Flat, *, checked: bool) -> Flat:
        """The better row; rows of equal keys by the places where they are stored."""
        a, b = left["key"], right["key"]
        better = b > a if self.greatest else b < a
        tied = right["place"] > left["place"] if self.tie == "last" else right["place"] < left["place"]
        right_wins: Bools = right["row"] & (~left["row"] | better | ((a == b) & tied))
        return Flat({name: np.where(right_wins, right[name], left[name]) for name in left.arrays})

    def _by_time(self, kept: Kept, time: Ints) -> Ints:
        if not self.greatest:
            picked, step, stop = kept.begins, 1, kept.ends
            moves = self.tie == "last"
        else:
            picked, step, stop = kept.ends, -1, kept.begins
            moves = self.tie == "first"
        if not moves or not len(picked):
            return picked
        picked = picked.copy()
        places = np.arange(len(picked))
        while len(places):
            here = picked[places]
            more = here != stop[places]
            places, here = places[more], here[more]
            same = time[here + step] == time[here]
            places = places[same]
            picked[places] += step
        return picked

    def _by_key(self, kept: Kept, keys: Ints, rows: Rows) -> tuple[Ints, Ints]:
        if not len(kept.begins):
            return kept.begins, kept.begins
        best = (np.maximum if self.greatest else np.minimum).reduceat(keys, kept.begins)
        hit = np.flatnonzero(keys == np.repeat(best, kept.sizes))
        place = rows.places(hit if kept.rows is None else kept.rows[hit])
        group = np.searchsorted(kept.begins, hit, "right") - 1
        order = np.lexsort((place if self.tie == "first" else -place, group))
        firsts = np.searchsorted(group[order], np.arange(len(kept.begins)))
        return hit[order][firsts], best


def order_keys(data: Array) -> Ints:
    """int64 in the order of the values: NaN is above every number, and both zeros are one."""
    if data.dtype.kind == "f":
        bits = (data.astype(np.float64) + 0.0).view(np.int64)
        keys = bits ^ ((bits >> np.int64(63)) & np.int64((1 << 63) - 1))
        return np.where(np.isnan(data), np.int64((1 << 63) - 1), keys)
    if data.dtype == np.uint64:
        return data.view(np.int64) ^ _SIGN
    return data.astype(np.int64)
