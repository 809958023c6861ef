"""`lb.date_range` gives pandas' moments."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.errors import UnsupportedError


@pytest.mark.parametrize(
    "given",
    [
        {"start": "2024-01-30", "periods": 3},
        {"start": "2024-01-01", "end": "2024-03-01", "freq": "MS", "inclusive": "left"},
        {"start": "2024-03-09", "end": "2024-03-11", "freq": "7h", "tz": "America/New_York"},
        {"end": "2024-01-01 05:30", "periods": 4, "freq": "W-MON", "normalize": True},
        {"start": "2024-01-02", "end": "2024-01-01"},
    ],
)
def test_moments_are_those_of_pandas(given: dict[str, Any]) -> None:
    moments = lb.date_range(**given)

    assert moments.name == "date"
    assert moments.to_list() == [moment.to_pydatetime() for moment in pd.date_range(**given)]


def test_name_and_unit_are_taken() -> None:
    moments = lb.date_range("2024-01-01", periods=2, name="day", unit="s", tz="Europe/Berlin")

    assert (moments.name, moments.dtype) == ("day", pa.timestamp("s", "Europe/Berlin"))


def test_a_calendar_fills_the_days_that_a_table_lacks() -> None:
    sold = lb.DataFrame({"day": pd.to_datetime(["2024-01-01", "2024-01-03"]), "n": [2, 5]})

    days = lb.date_range("2024-01-01", "2024-01-03", name="day").to_frame()
    every = days.merge(sold, on="day", how="left").fillna({"n": 0}).sort_values("day")

    assert every.n.to_list() == [2, 0, 5]


@pytest.mark.parametrize(
    "given", [{"start": "2024-01-01"}, {"start": "2024-01-01", "periods": 2, "freq": "no step"}]
)
def test_what_names_no_moments_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError, match="cannot tell the moments"):
        lb.date_range(**given)
