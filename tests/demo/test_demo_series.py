"""The tour's series: the nine questions against pandas over the same tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest

import luma_bench as lb
from luma_bench.demo import notebook_series
from luma_bench.demo.series_questions import SERIES_QUESTIONS

NEW_YORK = "America/New_York"


@pytest.fixture(scope="module")
def bench(small_tour: Path) -> Iterator[lb.Bench]:
    with lb.open(small_tour, mode="r") as opened:
        yield opened


@pytest.fixture(scope="module")
def weather(bench: lb.Bench) -> pd.DataFrame:
    found = bench.table("weather").to_pandas()
    found["time_hour"] = found.time_hour.dt.tz_convert(NEW_YORK)
    return found


@pytest.fixture(scope="module")
def flights(bench: lb.Bench) -> pd.DataFrame:
    found = bench.table("flights").to_pandas()
    found["dep"] = found.dep.dt.tz_convert(NEW_YORK)
    return found


def answer(bench: lb.Bench, number: int) -> list[dict[str, Any]]:
    question = SERIES_QUESTIONS[number - 1]
    return bench.kadeql(question.text, params=dict(question.params)).to_arrow().to_pylist()


def test_six_hours_follow_the_clock_on_the_wall(bench: lb.Bench, weather: pd.DataFrame) -> None:
    rows = weather[
        (weather.origin == "JFK")
        & (weather.time_hour >= pd.Timestamp("2013-11-02", tz=NEW_YORK))
        & (weather.time_hour < pd.Timestamp("2013-11-05", tz=NEW_YORK))
    ]
    wall = rows.time_hour.dt.tz_localize(None).dt.floor("6h")
    expected = rows.groupby(wall).agg(readings=("temp", "size"), temp=("temp", "mean"))
    found = answer(bench, 1)
    starts = [
        pd.Timestamp(row["window_start"]).tz_convert(NEW_YORK).tz_localize(None).to_pydatetime()
        for row in found
    ]
    assert starts == [start.to_pydatetime() for start in expected.index]
    assert [row["readings"] for row in found] == expected.readings.to_list()
    assert [row["temp"] for row in found] == pytest.approx(expected.temp.to_list(), abs=0.051)
    # Python subtracts two moments of one zone by their clocks.
    hours = [
        (pd.Timestamp(row["window_end"]) - pd.Timestamp(row["window_start"])) / pd.Timedelta(hours=1)
        for row in found
    ]
    changed = pd.Timestamp("2013-11-03").to_pydatetime()
    assert all(length == (7 if start == changed else 6) for start, length in zip(starts, hours, strict=True))


def test_the_coldest_day_of_any_24_hours(bench: lb.Bench, weather: pd.DataFrame) -> None:
    rows = weather[weather.origin == "JFK"].sort_values("time_hour")
    starts = pd.Series(rows.time_hour.unique())
    first = {
        start - pd.Timedelta(hours=back) for start in starts.head(200).tolist() for back in range(24)
    } | set(starts.tolist())
    means: list[tuple[float, pd.Timestamp]] = []
    times, temps = rows.time_hour.astype("int64").to_numpy(), rows.temp.to_numpy()
    unit = pd.Timedelta(hours=24).value // (1000 if rows.time_hour.dtype.unit == "us" else 1)
    for start in first:
        begin = int(pd.Series([start]).astype(rows.time_hour.dtype).astype("int64").iloc[0])
        low, high = np.searchsorted(times, [begin, begin + unit])
        values = temps[low:high]
        if len(values) and not np.isnan(values).all():
            means.append((round(float(np.nanmean(values)), 1), start))
    expected = sorted(means)[:5]
    found = answer(bench, 2)
    assert [row["temp"] for row in found] == pytest.approx([mean for mean, _ in expected], abs=0.051)


def test_sessions_of_planes(bench: lb.Bench, flights: pd.DataFrame) -> None:
    rows = flights[flights.tailnum.notna() & flights.dep.notna()].sort_values(["tailnum", "dep"])
    new = rows.groupby("tailnum").dep.diff() > pd.Timedelta(hours=4)
    number = new.groupby(rows.tailnum).cumsum()
    sessions = (
        rows.groupby([rows.tailnum, number.rename("session")])
        .agg(
            first=("dep", "min"),
            last=("dep", "max"),
            flights=("dep", "size"),
            airports=("origin", "nunique"),
            worst=("dep_delay", "max"),
        )
        .reset_index()
        .sort_values(["flights", "tailnum", "first"], ascending=[False, True, True])
        .head(10)
    )
    found = answer(bench, 3)
    assert [row["tailnum"] for row in found] == sessions.tailnum.to_list()
    assert [pd.Timestamp(row["last_departure"]).tz_localize(NEW_YORK) for row in found] == sessions[
        "last"
    ].to_list()
    assert [(row["flights"], row["airports"], row["worst_delay"]) for row in found] == list(
        zip(sessions.flights, sessions.airports, sessions.worst, strict=True)
    )


def test_gaps_are_lines_between_their_neighbours(bench: lb.Bench, weather: pd.DataFrame) -> None:
    low, high = pd.Timestamp("2013-10-25 18:00", tz=NEW_YORK), pd.Timestamp("2013-10-26 03:00", tz=NEW_YORK)
    rows = weather[(weather.time_hour >= low) & (weather.time_hour < high)]
    grid = pd.date_range(low, high, freq="1h", inclusive="left")
    expected: list[tuple[Any, ...]] = []
    for origin in sorted(rows.origin.unique()):
        mine = rows[rows.origin == origin].set_index("time_hour").temp.reindex(grid)
        counts = rows[rows.origin == origin].groupby("time_hour").size().reindex(grid, fill_value=0)
        line = mine.interpolate(method="time", limit_area="inside")
        expected += [
            (at, origin, None if np.isnan(value) else value, int(counts[at])) for at, value in line.items()
        ]
    found = answer(bench, 4)
    assert [(pd.Timestamp(row["time_hour"]), row["origin"], row["readings"]) for row in found] == [
        (at, origin, count) for at, origin, _, count in expected
    ]
    for row, (_, _, value, _) in zip(found, expected, strict=True):
        assert row["temp"] == (None if value is None else pytest.approx(value))


def test_flights_meet_the_newest_reading(
    bench: lb.Bench, flights: pd.DataFrame, weather: pd.DataFrame
) -> None:
    left = flights[flights.dep.notna()].sort_values("dep")
    right = weather[["origin", "time_hour", "visib"]].sort_values("time_hour", kind="stable")
    met = pd.merge_asof(
        left, right, left_on="dep", right_on="time_hour", by="origin", tolerance=pd.Timedelta(hours=2)
    )
    met = met[met.time_hour_y.notna()] if "time_hour_y" in met else met[met.visib.notna()]
    found = {row["visibility"]: row["flights"] for row in answer(bench, 5)}
    assert found.get("under 1 mile", 0) == int((met.visib < 1).sum())
    assert found.get("1 to 5 miles", 0) == int(((met.visib >= 1) & (met.visib < 5)).sum())
    assert sum(found.values()) == len(met)


def test_the_newest_reading_of_each_airport(bench: lb.Bench, weather: pd.DataFrame) -> None:
    newest = weather.sort_values("time_hour", kind="stable").groupby("origin").tail(1).sort_values("origin")
    found = answer(bench, 6)
    assert [(row["origin"], pd.Timestamp(row["time_hour"])) for row in found] == list(
        zip(newest.origin, newest.time_hour, strict=True)
    )


def test_the_weather_before_long_delays(
    bench: lb.Bench, flights: pd.DataFrame, weather: pd.DataFrame
) -> None:
    late = flights[flights.dep_delay > 600].sort_values("dep")
    found = answer(bench, 7)
    assert len(found) == len(late)
    for row, flight in zip(found, late.itertuples(), strict=True):
        near = weather[
            (weather.origin == flight.origin)
            & (weather.time_hour <= flight.dep)
            & (weather.time_hour >= flight.dep - pd.Timedelta(hours=3))
        ]
        assert row["visibility"] == (None if near.empty else near.visib.min())
        assert row["rain"] == (None if near.empty else pytest.approx(near.precip.sum()))


def test_unusual_readings_are_far_from_the_median(bench: lb.Bench) -> None:
    found = answer(bench, 8)
    scores = [abs(row["zscore"]) for row in found]
    assert scores == sorted(scores, reverse=True)
    assert all(score >= 4.5 for score in scores)


def test_months_and_their_averages(bench: lb.Bench, weather: pd.DataFrame) -> None:
    rows = weather[(weather.origin == "LGA") & weather.pressure.notna()].sort_values("time_hour")
    month = rows.time_hour.dt.tz_localize(None).dt.to_period("M")
    expected = rows.groupby(month).agg(
        plain=("temp", "mean"),
        first=("pressure", "first"),
        high=("pressure", "max"),
        last=("pressure", "last"),
    )
    found = answer(bench, 9)
    assert [row["plain"] for row in found] == pytest.approx(expected.plain.to_list())
    assert [
        (row["pressure"]["open"], row["pressure"]["high"], row["pressure"]["close"]) for row in found
    ] == list(expected[["first", "high", "last"]].itertuples(index=False, name=None))


def test_the_notebook_of_the_repository_is_the_composed_one() -> None:
    kept = nbformat.read(notebook_series.FILE, as_version=4)
    assert kept == notebook_series.compose(), "run: python -m luma_bench.demo.notebook_series"
