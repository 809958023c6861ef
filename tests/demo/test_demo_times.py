"""Clock readings become instants: against the standard library, the source's other columns, and the changes of clocks."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.demo.times import INSTANT, arrived, departed, scheduled

NEW_YORK = ZoneInfo("America/New_York")
ZONES = ("America/New_York", "America/Chicago", "America/Phoenix", "Pacific/Honolulu", "America/Puerto_Rico")


def ints(*values: int | None) -> pa.Array:
    return pa.array(values, pa.int32())


def clock(moment: dt.datetime, zone: str) -> int:
    local = moment.astimezone(ZoneInfo(zone))
    return local.hour * 100 + local.minute


def test_scheduled_reads_new_yorks_clock() -> None:
    made = scheduled(ints(2013, 2013), ints(1, 7), ints(31, 1), ints(515, 2359)).to_pylist()
    assert made == [
        dt.datetime(2013, 1, 31, 5, 15, tzinfo=NEW_YORK),
        dt.datetime(2013, 7, 1, 23, 59, tzinfo=NEW_YORK),
    ]


def test_departed_adds_elapsed_minutes_over_a_change_of_clocks() -> None:
    sched = scheduled(ints(2013), ints(11), ints(2), ints(2330))
    assert departed(sched, ints(180)).to_pylist()[0].astimezone(dt.UTC) == dt.datetime(
        2013, 11, 3, 6, 30, tzinfo=dt.UTC
    )
    assert departed(sched, ints(None)).to_pylist() == [None]


@settings(deadline=None, max_examples=100)
@given(
    st.datetimes(dt.datetime(2013, 1, 1), dt.datetime(2013, 12, 31)),
    st.integers(1, 23 * 60 - 1),
    st.sampled_from(ZONES),
)
def test_arrival_is_found_from_the_reading_alone(start: dt.datetime, minutes: int, zone: str) -> None:
    """Whatever landed within 23 hours is found again from its clock reading, its zone and its time in the air."""
    dep = start.replace(second=0, microsecond=0, tzinfo=dt.UTC)
    arr = dep + dt.timedelta(minutes=minutes)
    reading = clock(arr, zone)
    found = arrived(
        pa.array([dep], pa.timestamp("us", "UTC")).cast(INSTANT),
        ints(reading),
        pa.array([zone]),
        ints(minutes),
    ).to_pylist()[0]
    assert clock(found, zone) == reading
    assert found == arr or abs(found - arr) == dt.timedelta(hours=1)  # the hour that is read twice
    if abs(found - arr) == dt.timedelta(hours=1):
        assert found > dep + dt.timedelta(minutes=minutes - 1)


def test_midnight_is_2400_and_the_next_day() -> None:
    dep = scheduled(ints(2013), ints(5), ints(6), ints(2100))
    found = arrived(dep, ints(2400), pa.array(["America/New_York"]), ints(150)).to_pylist()[0]
    assert found == dt.datetime(2013, 5, 7, tzinfo=NEW_YORK)


def test_a_red_eye_lands_on_the_next_day_and_a_flight_west_on_the_same() -> None:
    dep = scheduled(ints(2013, 2013), ints(8, 8), ints(1, 1), ints(2359, 2359))
    zones = pa.array(["America/Puerto_Rico", "Pacific/Honolulu"])
    east, west = arrived(dep, ints(345, 530), zones, ints(200, 660)).to_pylist()
    assert east == dt.datetime(2013, 8, 2, 3, 45, tzinfo=ZoneInfo("America/Puerto_Rico"))
    assert west == dt.datetime(2013, 8, 2, 5, 30, tzinfo=ZoneInfo("Pacific/Honolulu"))


def test_the_hour_that_spring_skips_counts_on_from_the_change() -> None:
    dep = scheduled(ints(2013), ints(3), ints(9), ints(2306))
    found = arrived(dep, ints(203), pa.array(["America/New_York"]), ints(141)).to_pylist()[0]
    assert found.astimezone(dt.UTC) == dt.datetime(2013, 3, 10, 7, 3, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def flown(tour) -> pd.DataFrame:
    zones = dict(zip(tour["airports"]["iata"].to_pylist(), tour["airports"]["tz"].to_pylist(), strict=True))
    flights = tour["flights"].to_pandas()
    flights["zone"] = flights["dest"].map(zones)
    return flights


def test_departures_show_the_clock_of_the_source(flown: pd.DataFrame) -> None:
    left = flown[flown["dep"].notna()]
    assert (left["dep"].dt.hour * 100 + left["dep"].dt.minute == left["dep_time"] % 2400).all()
    assert (flown["sched"].dt.floor("h") == flown["time_hour"]).all()
    assert ((left["dep"] - left["sched"]).dt.total_seconds() / 60 == left["dep_delay"]).all()


def test_time_on_the_ground_is_always_some_minutes(flown: pd.DataFrame) -> None:
    landed = flown[flown["air_time"].notna()]
    ground = (landed["arr"] - landed["dep"]).dt.total_seconds() / 60 - landed["air_time"]
    assert len(landed) == 327346
    assert ground.min() >= 5
    assert ground.max() <= 240


def test_arrivals_and_their_delays_show_the_clock_of_the_source(flown: pd.DataFrame) -> None:
    """Two columns that the computation never saw: arrival minus delay must be the scheduled arrival's reading."""
    landed = flown[flown["arr_delay"].notna()]
    odd = 0
    for zone, group in landed.groupby("zone"):
        shown = group["arr"].dt.tz_convert(zone)
        odd += (shown.dt.hour * 100 + shown.dt.minute != group["arr_time"] % 2400).sum()
        due = (group["arr"] - pd.to_timedelta(group["arr_delay"], unit="m")).dt.tz_convert(zone)
        assert (due.dt.hour * 100 + due.dt.minute == group["sched_arr_time"] % 2400).all()
    assert odd == 1  # the reading of 2:03 in the hour that 10 March skips
