"""`.dt` reads a moment by the clock of its column's zone, as pandas does, whatever the session's zone is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from luma_bench.errors import UnsupportedError

ZONES = ["America/New_York", "Asia/Kolkata", "UTC", "+05:30", "-03:00"]
MOMENTS = [
    dt.datetime(2024, 1, 1, 2, 30, 15, 123456, dt.UTC),
    dt.datetime(2024, 3, 10, 6, 59, 59, tzinfo=dt.UTC),
    dt.datetime(2024, 3, 10, 7, 0, tzinfo=dt.UTC),
    dt.datetime(2024, 6, 30, 22, 45, tzinfo=dt.UTC),
    None,
    dt.datetime(1969, 12, 31, 23, 59, 59, 999999, dt.UTC),
    dt.datetime(2023, 12, 31, 18, 30, tzinfo=dt.UTC),
]
PARTS = [
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "microsecond",
    "day_of_year",
    "day_of_week",
    "quarter",
    "date",
    "time",
    "days_in_month",
]
TESTS = [
    "is_month_start",
    "is_month_end",
    "is_quarter_start",
    "is_quarter_end",
    "is_year_start",
    "is_year_end",
    "is_leap_year",
]
CALLS: list[Callable[[Any], Any]] = [
    lambda t: t.dt.day_name(),
    lambda t: t.dt.month_name(),
    lambda t: t.dt.strftime("%Y-%m-%d %H:%M:%S"),
    lambda t: t.dt.isocalendar().week,
    lambda t: t.dt.tz_localize(None),
    lambda t: t.dt.normalize().dt.hour,
]
MOVED = [("floor", "D"), ("floor", "h"), ("ceil", "6h"), ("ceil", "D"), ("round", "30min")]


def flat(values: Any) -> list[Any]:
    return [None if pd.isna(value) else value for value in values]


def moments(values: Any) -> list[Any]:
    return [None if pd.isna(value) else pd.Timestamp(value).tz_convert("UTC") for value in values]


def of(zone: str) -> pa.Table:
    return pa.table({"t": pa.array(MOMENTS, pa.timestamp("us", zone)), "n": range(len(MOMENTS))})


@pytest.mark.parametrize("zone", ZONES)
def test_parts(frames: Any, zone: str) -> None:
    frame = frames(t=of(zone))
    theirs = of(zone).to_pandas().t
    for part in PARTS:
        assert flat(getattr(frame.t.dt, part).to_list()) == flat(getattr(theirs.dt, part)), part
    for test in TESTS:  # of a missing moment pandas says False, and SQL NULL
        known = theirs.notna()
        assert getattr(frame.t.dropna().dt, test).to_list() == list(getattr(theirs.dt, test)[known]), test
    for call in CALLS:
        assert flat(call(frame.t).to_list()) == flat(call(theirs))
    assert moments(frame.t.dt.normalize().to_list()) == moments(theirs.dt.normalize())
    for name, freq in MOVED:
        moved = getattr(theirs.dt, name)(freq, nonexistent="shift_forward", ambiguous=True)
        assert moments(getattr(frame.t.dt, name)(freq).to_list()) == moments(moved), (name, freq)


@pytest.mark.parametrize("session", ["UTC", "Asia/Tokyo"])
def test_the_session_has_no_say(frames: Any, session: str) -> None:
    frame = frames(t=of("America/New_York"))
    frame.executor.connection.execute(f"SET TimeZone = '{session}'")
    hours = flat(of("America/New_York").to_pandas().t.dt.hour)
    assert flat(frame.t.dt.hour.to_list()) == hours
    kept = frame[frame.n >= 0].sort_values("n").rename(columns={"t": "at"}).head(7)
    assert flat(kept["at"].dt.hour.to_list()) == hours


def test_the_zone_goes_along(frames: Any) -> None:
    table = of("America/New_York")
    left, right = frames(t=table, u=pa.table({"n": range(7), "k": [0, 0, 0, 1, 1, 1, 1]}))
    theirs = table.to_pandas()
    hours = flat(theirs.t.dt.hour)
    joined = left.merge(right, on="n", how="left").sort_values("n")
    assert flat(joined.t.dt.hour.to_list()) == hours
    first = joined.groupby("k").agg(t=("t", "min")).sort_values("k")
    both = theirs.assign(k=[0, 0, 0, 1, 1, 1, 1]).groupby("k").t.min()
    assert first.t.dt.hour.to_list() == list(both.dt.hour)
    assert flat(left.t.shift(1, by="n").dt.hour.to_list())[1:] == hours[:-1]
    filled = left.t.fillna(left.t.shift(1, by="n")).dt.hour
    assert flat(filled.to_list()) == flat(theirs.t.ffill().dt.hour)
    later = left.assign(later=left.t + pd.Timedelta(hours=2)).later.dt.hour
    assert flat(later.to_list()) == flat((theirs.t + pd.Timedelta(hours=2)).dt.hour)
    by_day = joined.dropna(subset=["t"]).resample("D", on="t").agg(n=("n", "count"))
    expected = theirs.dropna(subset=["t"]).resample("D", on="t").n.count()
    assert by_day.n.sum() == expected.sum()
    assert len(by_day) == len(expected)


def test_texts_with_zones_are_refused(frames: Any) -> None:
    frame = frames(t=of("America/New_York"))
    with pytest.raises(UnsupportedError, match="zone"):
        frame.t.dt.strftime("%H:%M %z")
    assert frame.t.dt.strftime("%%z").to_list()[0] == "%z"


def test_an_hour_that_comes_twice(frames: Any) -> None:
    twice = [dt.datetime(2024, 11, 3, hour, 45, tzinfo=dt.UTC) for hour in (4, 5, 6, 7)]
    frame = frames(t=pa.table({"t": pa.array(twice, pa.timestamp("us", "America/New_York"))}))
    assert moments(frame.t.dt.floor("h").to_list()) == [pd.Timestamp(one).floor("h") for one in twice]
    # As in pandas, the clock's next full hour after the first 01:45 is 02:00, and that it shows once.
    assert [one.hour for one in moments(frame.t.dt.ceil("h").to_list())] == [5, 7, 7, 8]
    assert frame.t.dt.floor("15min").dt.hour.to_list() == [0, 1, 1, 2]
