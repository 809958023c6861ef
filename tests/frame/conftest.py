"""Frames over tables in memory."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from duck_executor import DuckExecutor

from luma_bench.frame import DataFrame


@pytest.fixture
def frames():
    """Make frames over tables given by name: `frames(t=…, u=…)` gives one for each."""

    def make(**tables: Any) -> Any:
        made = {name: data if isinstance(data, pa.Table) else pa.table(data) for name, data in tables.items()}
        executor = DuckExecutor(made)
        scans = [DataFrame.scan(executor, name) for name in made]
        return scans[0] if len(scans) == 1 else scans

    return make


@pytest.fixture
def flights() -> DataFrame:
    """Six flights, with NULL, NaN, a dictionary and a column that is called like a method; `airports` beside them."""
    table = pa.table(
        {
            "id": pa.array([1, 2, 3, 4, 5, 6], pa.int32()),
            "origin": pa.array(["JFK", "EWR", None, "JFK", "LGA", "EWR"]).dictionary_encode(),
            "delay": [10, -5, None, 70, 0, 33],
            "km": [1.5, 2.5, float("nan"), None, 0.25, 9.0],
            "day": [dt.date(2024, 1, day) for day in (1, 2, 3, 4, 5, 6)],
            "count": [1, 1, 1, 2, 2, 2],
        }
    )
    airports = pa.table({"iata": ["JFK", "EWR"], "km": [20, 25], "name": ["Kennedy", "Newark"]})
    return DataFrame.scan(DuckExecutor({"flights": table, "airports": airports}), "flights")
