"""Airports of the world and the routes between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from luma_bench.demo.sources import DemoDataError, read_csv

# pyarrow makes its compute functions at run time, so a type checker sees none of them.
pc: Any = compute

EARTH_KM = 6371.0088
"""Mean radius of the Earth (IUGG)."""


_PACKAGE, _FILE = "bokeh_sampledata", "_data/routes.csv.gz"
_RENAMED = {"DJT": "PBI"}
"""Codes of the routes' source that the rest of the world, and `airports`, knows by another name (Palm Beach)."""


def airports() -> pa.Table:
    """Every airport with an IATA code: 7,884 rows; degrees, feet above the sea, IANA zones."""
    text, number = pa.string(), pa.float64()
    types = {
        "iata": text,
        "icao": text,
        "name": text,
        "city": text,
        "country": text,
        "lat": number,
        "lon": number,
        "elevation": number,
        "tz": text,
    }
    # 'NA' is Namibia here, so only the empty field is NULL.
    table = read_csv("airportsdata", "airportsdata/airports.csv", types, null_values=("",))
    coded = table.filter(pc.is_valid(table["iata"]))
    return coded.take(pc.sort_indices(coded["iata"])).combine_chunks()


def routes(airports: pa.Table) -> pa.Table:
    """Observed routes of July 2026 in the United States: one row an airline, source and destination (9,161 rows).

    `km` is the great-circle distance; `equipment` is not published for this sample and is NULL.
    """
    names = {
        "Source": "src",
        "Destination": "dst",
        "Airline": "airline",
        "Stops": "stops",
        "Equipment": "equipment",
    }
    text = pa.string()
    types = {"Source": text, "Destination": text, "Airline": text, "Stops": pa.int32(), "Equipment": text}
    table = read_csv(_PACKAGE, _FILE, types).rename_columns(list(names.values()))
    for place, name in enumerate(("src", "dst")):
        table = table.set_column(place, name, _known(table[name].combine_chunks(), airports))
    km = great_circle(*_place(airports, table["src"]), *_place(airports, table["dst"]))
    order = [("src", "ascending"), ("dst", "ascending"), ("airline", "ascending")]
    measured = table.append_column("km", pa.array(np.round(km, 1)))
    return measured.take(pc.sort_indices(measured, sort_keys=order))


def great_circle(lat1: np.ndarray, lon1: np.ndarray, lat2: np.ndarray, lon2: np.ndarray) -> np.ndarray:
    """Distances in kilometres between points in degrees, on a sphere (haversine formula, float64)."""
    phi1, phi2 = np.radians(lat1), np.radians(lat2)
    half = (
        np.sin((phi2 - phi1) / 2) ** 2
        + np.cos(phi1) * np.cos(phi2) * np.sin(np.radians(lon2 - lon1) / 2) ** 2
    )
    return 2 * EARTH_KM * np.arcsin(np.sqrt(half))


def _known(codes: pa.Array, airports: pa.Table) -> pa.Array:
    """The codes as `airports` spells them."""
    for old, new in _RENAMED.items():
        codes = pc.replace_with_mask(codes, pc.equal(codes, old), pa.scalar(new))
    unknown = pc.unique(
        pc.filter(codes, pc.invert(pc.is_in(codes, value_set=airports["iata"].combine_chunks())))
    )
    if len(unknown):
        raise DemoDataError.changed(_PACKAGE, _FILE, f"there is no airport {unknown[0].as_py()!r}")
    return codes


def _place(airports: pa.Table, codes: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude of IATA codes that `airports` has."""
    rows = pc.index_in(codes, airports["iata"].combine_chunks())
    return airports["lat"].take(rows).to_numpy(), airports["lon"].take(rows).to_numpy()
