"""The tour's two property graphs: airports with the routes between them, and flights with the planes that link them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench

AIR: Final = """\
CREATE PROPERTY GRAPH air
  VERTEX TABLES (airports KEY (iata))
  EDGE TABLES (routes SOURCE KEY (src) REFERENCES airports (iata)
                      DESTINATION KEY (dst) REFERENCES airports (iata) LABEL route)"""
"""Airports and routes, one edge an airline."""

TRIPS: Final = """\
CREATE PROPERTY GRAPH trips
  VERTEX TABLES (airports KEY (iata), flights KEY (flight_id))
  EDGE TABLES (flights AS trips SOURCE KEY (origin) REFERENCES airports (iata)
                                DESTINATION KEY (dest) REFERENCES airports (iata) LABEL flight,
               rotations SOURCE KEY (flight_id) REFERENCES flights (flight_id)
                         DESTINATION KEY (next_id) REFERENCES flights (flight_id) LABEL next)"""
"""Flights twice: as edges between airports, and as vertices that the same plane links."""

GRAPHS: Final = {"air": AIR, "trips": TRIPS}
"""The statements that make them, by name."""

_REST: Final = np.timedelta64(12, "h")


def rotations(flights: pa.Table) -> pa.Table:
    """Each departure of a plane from New York with its next one, when both were due within twelve hours.

    Columns
    -------
    flight_id, next_id
        int64, the two flights.
    tailnum
        The plane.
    minutes
        int32 between the times at which they were due.
    """
    flown = flights.select(["flight_id", "tailnum", "sched", "dep"])
    flown = flown.filter(pa.compute.and_(flown["tailnum"].is_valid(), flown["dep"].is_valid()))
    flown = flown.sort_by([("tailnum", "ascending"), ("dep", "ascending"), ("flight_id", "ascending")])
    plane = flown["tailnum"].combine_chunks().dictionary_encode().indices.to_numpy()
    due = flown["sched"].cast(pa.timestamp("us")).to_numpy()
    apart = due[1:] - due[:-1]
    rows = np.flatnonzero((plane[1:] == plane[:-1]) & (apart <= _REST))
    made = pa.table(
        {
            "flight_id": flown["flight_id"].take(pa.array(rows)),
            "next_id": flown["flight_id"].take(pa.array(rows + 1)),
            "tailnum": flown["tailnum"].take(pa.array(rows)),
            "minutes": pa.array((apart[rows] // np.timedelta64(1, "m")).astype(np.int32)),
        }
    )
    return made.sort_by("flight_id").combine_chunks()


def make(bench: Bench) -> list[str]:
    """Make the graphs that the bench does not have yet; their names."""
    made = [name for name in GRAPHS if name not in bench.graphs()]
    for name in made:
        bench.kadeql(GRAPHS[name])
    return made
