"""One vector for the weather of one airport on one day: 24 hours of 7 measurements."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa

FEATURES = ("temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib")
"""What a shape holds for every hour, in this order; hour 0 comes first."""

WIDTH = 24 * len(FEATURES)
"""Numbers in a shape: position `7 * h + f` is feature `f` of hour `h`."""

FEWEST_HOURS = 22
"""A day is kept when every airport reported at least this many different hours of it."""

FASTEST_WIND = 200.0
"""Miles an hour above which a reading is a broken sensor (Newark, 12 February: 1,048 mph) and counts as missing."""


def weather_days(weather: pa.Table) -> pa.Table:
    """The shapes of all airports on all days with enough readings: 360 days of 3 airports, 1,080 rows.

    Parameters
    ----------
    weather
        The demo's weather table: `origin`, the clock's `year`, `month`, `day`, `hour`, and `FEATURES`.

    Returns
    -------
    pyarrow.Table
        `origin` string, `day` date32 (New York's), `shape` fixed_size_list<float32>[168]: every feature has mean 0
        and standard deviation 1 over all kept hours. A missing reading is interpolated between its neighbours of
        that day (the nearest one at an edge); a day without any reading of a feature gets the mean, 0. Of the hour
        that autumn repeats, the first reading counts.
    """
    origins = sorted(set(weather["origin"].to_pylist()))
    cube, first = _cube(weather, origins)
    hours = np.isfinite(cube).any(axis=3).sum(axis=2)
    kept = np.flatnonzero((hours >= FEWEST_HOURS).all(axis=0))
    cube = cube[:, kept]
    _interpolate(cube)
    mean, deviation = np.nanmean(cube, axis=(0, 1, 2)), np.nanstd(cube, axis=(0, 1, 2))
    scaled = np.nan_to_num((cube - mean) / deviation, nan=0.0).astype(np.float32)
    days = [first + datetime.timedelta(days=int(day)) for day in kept]
    return pa.table(
        {
            "origin": pa.array(np.repeat(origins, len(days)), pa.string()),
            "day": pa.array(days * len(origins), pa.date32()),
            "shape": pa.FixedSizeListArray.from_arrays(pa.array(scaled.reshape(-1)), WIDTH),
        }
    )


def _cube(weather: pa.Table, origins: list[str]) -> tuple[np.ndarray, datetime.date]:
    """Readings as float64 [airport, day, hour, feature], NaN where there is none, and the date of day 0."""
    months = (weather["year"].to_numpy().astype(np.int64) - 1970) * 12 + weather["month"].to_numpy() - 1
    days = (
        months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        + weather["day"].to_numpy()
        - 1
    )
    start = int(days.min())
    place = np.searchsorted(origins, weather["origin"].to_numpy(zero_copy_only=False).astype(str))
    cube = np.full((len(origins), int(days.max()) - start + 1, 24, len(FEATURES)), np.nan)
    values = np.column_stack([weather[name].to_numpy() for name in FEATURES])
    wind = values[:, FEATURES.index("wind_speed")]
    wind[wind > FASTEST_WIND] = np.nan
    # Backwards, so that the first of two readings of one clock hour is the one that stays.
    cube[place[::-1], (days - start)[::-1], weather["hour"].to_numpy()[::-1]] = values[::-1]
    return cube, datetime.date(1970, 1, 1) + datetime.timedelta(days=start)


def _interpolate(cube: np.ndarray) -> None:
    """Fill gaps of a day between its readings, in place."""
    hours = np.arange(24)
    for airport, day, feature in np.argwhere(np.isnan(cube).any(axis=2) & ~np.isnan(cube).all(axis=2)):
        line = cube[airport, day, :, feature]
        known = np.isfinite(line)
        line[~known] = np.interp(hours[~known], hours[known], line[known])
