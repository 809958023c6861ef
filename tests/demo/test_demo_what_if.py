"""What the tour supposes, counted by pandas from the sources; and that nothing of it stays."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

import luma_bench as lb
from luma_bench.demo import what_if

MERGED = {"US": "American Airlines Inc.", "FL": "Southwest Airlines Co.", "VX": "Alaska Airlines Inc."}


def test_the_rest_without_fog_under_the_new_names(
    tour_bench: lb.Bench, source: Callable[[str], pd.DataFrame]
) -> None:
    flights, weather, airlines = source("flights.csv.zip"), source("weather.csv"), source("airlines.csv")
    joined = flights.merge(weather[["origin", "time_hour", "visib"]], on=["origin", "time_hour"], how="left")
    rest = joined[~(joined["visib"] < 3)]
    names = dict(zip(airlines["carrier"], airlines["name"], strict=True)) | MERGED
    left = rest.assign(airline=rest["carrier"].map(names))
    before = tour_bench.snapshot

    tour_bench.kadeql("BEGIN")
    gone = tour_bench.kadeql(what_if.FOG)
    merged = tour_bench.kadeql(what_if.MERGERS).to_arrow().to_pylist()
    seen = tour_bench.kadeql(what_if.LOOK).to_arrow().to_pandas().set_index("airline")
    tour_bench.kadeql("ROLLBACK")
    after = tour_bench.kadeql(what_if.LOOK).to_arrow().to_pandas().set_index("airline")

    assert len(gone) == len(flights) - len(rest) > 10_000
    assert sorted((row["carrier"], row["merge_action"]) for row in merged) == [
        ("FL", "UPDATE"),
        ("NK", "INSERT"),
        ("US", "UPDATE"),
        ("VX", "UPDATE"),
    ]
    assert seen.loc["all of them", "what_if"] == len(rest)
    assert seen["what_if"].dropna().drop("all of them").to_dict() == left["airline"].value_counts().to_dict()
    departed = left.dropna(subset=["dep_delay"])
    late = departed["dep_delay"].gt(15).groupby(departed["airline"]).mean() * 100
    for airline, percent in late.items():
        assert seen.loc[airline, "late_what_if"] == pytest.approx(percent, abs=0.051)
    assert (after["flights"] == after["what_if"]).all()
    assert (after["percent_late"] == after["late_what_if"]).all()
    assert tour_bench.snapshot == before
