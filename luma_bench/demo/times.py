"""From clock readings to instants: when a flight was due, left and landed.

The source gives `sched_dep_time` and `arr_time` as the digits a clock showed (517 is 5:17, 2400 is midnight at the
end of the day): departures on New York's clock, arrivals on the destination's, with no date for the arrival.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

# pyarrow makes its compute functions at run time, so a type checker sees none of them.
pc: Any = compute

ORIGIN_ZONE = "America/New_York"
"""The zone of all three origins, and the label of every instant column in the demo."""

INSTANT = pa.timestamp("us", tz=ORIGIN_ZONE)
"""The type of `sched`, `dep`, `arr` and `time_hour`: an instant, shown on New York's clock."""

_DAY = 86_400_000_000
_MINUTE = 60_000_000

Micros = np.ndarray
"""int64 microseconds since the epoch (UTC), or, where said so, of a clock without a zone."""


def scheduled(year: pa.Array, month: pa.Array, day: pa.Array, clock: pa.Array) -> pa.Array:
    """The instant a flight was due to leave: a New York date and a clock reading such as 1405.

    No flight is due in the hour that spring skips or autumn repeats; pyarrow would raise if one were.
    """
    local = _dates(year, month, day) + _minutes(clock) * _MINUTE
    return _instants(local, ORIGIN_ZONE).cast(INSTANT)


def departed(sched: pa.Array, delay: pa.Array) -> pa.Array:
    """The instant a flight left: due time plus delay in minutes of elapsed time; NULL where it never left.

    Adding to the instant, not to the clock, keeps a departure right when the clocks change in between.
    """
    moved = pc.add(
        sched.cast(pa.timestamp("us")).cast(pa.int64()), pc.multiply(delay.cast(pa.int64()), _MINUTE)
    )
    return moved.cast(pa.timestamp("us", tz="UTC")).cast(INSTANT)


def arrived(dep: pa.Array, clock: pa.Array, zone: pa.Array, air_minutes: pa.Array) -> pa.Array:
    """The instant a flight landed: the first time after `dep` that the destination's clock showed `clock`.

    Parameters
    ----------
    dep
        Departure instants.
    clock
        Clock readings at the destination, such as 830 or 2400; NULL where the flight never arrived.
    zone
        The destination's IANA zone of each row.
    air_minutes
        Minutes in the air: they decide which of the two readings is meant in the hour that autumn repeats.

    Returns
    -------
    pyarrow.Array
        Instants of type `INSTANT`; NULL where `dep` or `clock` is. No flight here takes a day, so the first
        occurrence is the only possible one.
    """
    known = np.asarray(pc.and_(dep.is_valid(), clock.is_valid()))
    start = dep.cast(pa.timestamp("us")).cast(pa.int64()).fill_null(0).to_numpy()
    minutes = _minutes(clock.fill_null(0))
    air = air_minutes.cast(pa.int64()).fill_null(0).to_numpy() * _MINUTE
    landed = np.zeros(len(dep), np.int64)
    encoded = zone.dictionary_encode()
    codes = encoded.indices.to_numpy()
    for code, name in enumerate(encoded.dictionary.to_pylist()):
        rows = np.flatnonzero(known & (codes == code))
        landed[rows] = _next_reading(start[rows], minutes[rows], air[rows], name)
    return pa.array(landed, pa.int64(), mask=~known).cast(pa.timestamp("us", tz="UTC")).cast(INSTANT)


def _next_reading(start: Micros, minutes: np.ndarray, air: Micros, zone: str) -> Micros:
    """The first instants after `start` at which the clock of `zone` shows `minutes` past midnight."""
    local = _clock(start, zone)
    midnight = local - local % _DAY
    reading = midnight + minutes * _MINUTE
    first = _micros(reading, zone, "earliest")
    reading = np.where(first <= start, reading + _DAY, reading)
    early, late = _micros(reading, zone, "earliest"), _micros(reading, zone, "latest")
    return np.where(early - start < air, late, early)


def _minutes(clock: pa.Array) -> np.ndarray:
    """Minutes past midnight of clock digits: 517 is 317, 2400 is 1440."""
    digits = clock.cast(pa.int64()).to_numpy()
    return digits // 100 * 60 + digits % 100


def _dates(year: pa.Array, month: pa.Array, day: pa.Array) -> Micros:
    """Midnights of a clock without a zone, in microseconds."""
    months = (year.to_numpy().astype(np.int64) - 1970) * 12 + month.to_numpy() - 1
    starts = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return (starts + day.to_numpy() - 1) * _DAY


def _instants(local: Micros, zone: str) -> pa.Array:
    return pc.assume_timezone(pa.array(local).cast(pa.timestamp("us")), zone)


def _micros(local: Micros, zone: str, choice: str) -> Micros:
    """Instants of local readings; `choice` is taken where the clock shows the reading twice.

    A reading in the hour that spring skips is from a clock not yet moved, and counts on from the change: the
    source has one, 2:03 at Palm Beach on 10 March, and its delay of 89 minutes agrees.
    """
    naive = pa.array(local).cast(pa.timestamp("us"))
    found = pc.assume_timezone(naive, zone, ambiguous=choice, nonexistent="latest")
    instants = found.cast(pa.int64()).to_numpy().copy()
    skipped = np.flatnonzero(_clock(instants, zone) != local)
    before = _clock(instants[skipped] - 1, zone) + 1
    instants[skipped] += local[skipped] - before
    return instants


def _clock(instants: Micros, zone: str) -> Micros:
    """What the clock of `zone` shows at instants, in microseconds without a zone."""
    return (
        pc.local_timestamp(pa.array(instants).cast(pa.timestamp("us", tz=zone))).cast(pa.int64()).to_numpy()
    )
