"""A small bench with something of everything that an editor may name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import luma_bench as lb


@pytest.fixture(scope="session")
def shop_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("assist") / "shop.luma"
    with lb.open(path) as bench:
        bench.write(
            "flights",
            pa.table(
                {
                    "id": pa.array([1, 2, 3], pa.int64()),
                    "carrier": ["UA", "B6", "UA"],
                    "dep_delay": pa.array([5, None, 70], pa.int32()),
                    "arr_delay": pa.array([1, 2, 3], pa.int32()),
                    "origin": ["JFK", "EWR", "JFK"],
                    "dest": ["EWR", "JFK", "LGA"],
                    "sched": pa.array([dt.datetime(2013, 1, day) for day in (1, 2, 3)], pa.timestamp("us")),
                    "place": pa.array([{"lat": 1.0, "at": {"gate": "A1"}}] * 3),
                    "tail number": ["N1", "N2", "N3"],
                }
            ),
            mode="create",
            primary_key="id",
        )
        bench.write(
            "airports",
            {"iata": ["JFK", "EWR", "LGA"], "city": ["New York", "Newark", "New York"]},
            mode="create",
            primary_key="iata",
        )
        bench.write(
            "routes", {"src": ["JFK", "EWR"], "dst": ["EWR", "LGA"], "km": [33.0, 27.0]}, mode="create"
        )
        bench.write(
            "weather",
            {
                "time_hour": [dt.datetime(2013, 1, 1, hour) for hour in range(4)],
                "origin": ["JFK"] * 4,
                "temp": [1.0, 2.0, None, 4.0],
            },
            mode="create",
            time_column="time_hour",
            series_key="origin",
        )
        bench.kadeql("CREATE SCHEMA sales; CREATE TABLE sales.orders (number INTEGER, total DOUBLE)")
        bench.kadeql(
            "CREATE VIEW late AS SELECT carrier, dep_delay AS minutes FROM flights WHERE dep_delay > 60"
        )
        bench.kadeql(
            "CREATE PROPERTY GRAPH air VERTEX TABLES (airports KEY (iata)) EDGE TABLES (routes SOURCE KEY (src) "
            "REFERENCES airports (iata) DESTINATION KEY (dst) REFERENCES airports (iata) LABEL route)"
        )
        bench.kadeql(
            "COMMENT ON TABLE flights IS 'one row a *departure* <b>'; COMMENT ON COLUMN flights.dep_delay IS 'minutes'"
        )
        bench.tag("first")
        bench.kadeql("DELETE FROM flights WHERE id = 3")
        bench.write(
            "flights",
            bench.table("flights").to_arrow().slice(0, 1).set_column(0, "id", pa.array([9], pa.int64())),
            mode="append",
        )
        bench.kadeql("ALTER TABLE routes ADD COLUMN stops INTEGER DEFAULT 0")
    return path


@pytest.fixture(scope="session")
def shop(shop_path: Path) -> Iterator[lb.Bench]:
    with lb.open(shop_path, mode="r") as bench:
        yield bench
