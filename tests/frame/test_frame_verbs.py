"""Verbs of frames: what they give, what they run, and what they refuse."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from duck_executor import DuckExecutor

from luma_bench.errors import KadeQLError, UnsupportedError
from luma_bench.frame import DataFrame, GroupBy, Series


def airports_of(frame: DataFrame) -> DataFrame:
    return DataFrame.scan(frame.executor, "airports")


def executor_of(frame: DataFrame) -> DuckExecutor:
    assert isinstance(frame.executor, DuckExecutor)
    return frame.executor


# What runs


def test_nothing_runs_until_rows_are_asked_for(flights: DataFrame) -> None:
    frame = (
        flights[flights.delay > 0]
        .assign(late=lambda df: df.delay // 15)
        .groupby("origin")
        .agg(n=("late", "sum"))
    )
    assert frame.columns == ["origin", "n"]
    executor = executor_of(flights)
    assert (executor.texts, executor.reads, executor.described) == ([], [], [])


def test_a_stored_table_is_read_as_it_was_written(flights: DataFrame) -> None:
    assert flights.to_arrow().schema.field("origin").type == pa.dictionary(pa.int32(), pa.string())
    assert flights[["day", "origin"]].to_arrow().column_names == ["day", "origin"]
    executor = executor_of(flights)
    assert executor.reads == [("flights", None), ("flights", ["day", "origin"])]
    assert executor.texts == []


def test_a_chosen_engine_gets_a_text(flights: DataFrame) -> None:
    assert len(flights.collect(engine="duckdb")) == 6
    assert executor_of(flights).texts == ["SELECT *\nFROM flights"]


def test_rows_of_a_stored_table_are_known(flights: DataFrame) -> None:
    assert (len(flights), flights.shape, flights.assign(x=1).shape) == (6, (6, 6), (6, 7))
    assert executor_of(flights).texts == []
    assert len(flights[flights.delay > 0]) == 3
    assert executor_of(flights).texts == [
        "SELECT count(*) AS rows\nFROM flights\nWHERE delay > 0"
    ] or executor_of(flights).texts == ['SELECT count(*) AS "rows"\nFROM flights\nWHERE delay > 0']


def test_types_come_from_the_catalog_or_the_binder(flights: DataFrame) -> None:
    assert flights.dtypes["id"] == pa.int32()
    assert flights.delay.dtype == pa.int64()
    assert executor_of(flights).described == []
    frame = flights.assign(half=flights.delay / 2)
    assert frame.dtypes["half"] == pa.float64()
    assert frame.dtypes["origin"] == pa.string()
    assert len(executor_of(flights).described) == 1


def test_ways_out(flights: DataFrame) -> None:
    frame = flights[flights.delay > 5][["id", "delay"]]
    rows = [(1, 10), (4, 70), (6, 33)]
    assert [tuple(row.values()) for row in frame.to_arrow().to_pylist()] == rows
    assert list(frame.to_pandas().itertuples(index=False, name=None)) == rows
    assert frame.to_polars().rows() == rows
    assert pl.DataFrame(frame).rows() == rows
    assert pa.table(frame).num_rows == 3
    assert frame.to_reader().read_all().num_rows == 3
    assert frame.collect().run.engine == "duckdb"
    assert frame.delay.to_list() == list(frame.delay) == [10, 70, 33]
    assert frame.delay.to_numpy().tolist() == [10, 70, 33]
    assert frame.delay.to_pandas().tolist() == frame.delay.to_polars().to_list() == [10, 70, 33]


# Columns


def test_columns_by_key_and_by_attribute(flights: DataFrame) -> None:
    assert isinstance(flights.delay, Series)
    assert isinstance(flights["count"], Series)
    assert callable(flights.drop)
    assert list(flights) == flights.columns == flights.keys()
    assert "delay" in flights
    assert "dalay" not in flights
    assert {"delay", "groupby"} <= set(dir(flights))
    assert flights._ipython_key_completions_() == flights.columns


def test_rename_and_drop(flights: DataFrame) -> None:
    swapped = flights.rename({"delay": "id", "id": "delay"})
    assert swapped.columns == ["delay", "origin", "id", "km", "day", "count"]
    assert swapped["id"].to_list() == flights.delay.to_list()
    assert flights.rename(str.upper).columns[0] == "ID"
    assert flights.drop(["km", "day"]).columns == ["id", "origin", "delay", "count"]
    assert flights.drop("km").columns == ["id", "origin", "delay", "day", "count"]


def test_assign_reads_what_it_just_made(flights: DataFrame) -> None:
    frame = flights.assign(a=flights.delay + 1, b=lambda df: df.a * 2, delay=0, c=lambda df: df.delay)
    row = frame.head(1).to_arrow().to_pylist()[0]
    swapped = flights.assign(id=flights.delay, delay=flights.id).head(1).to_arrow().to_pylist()[0]
    assert (swapped["id"], swapped["delay"]) == (10, 1)
    assert (row["a"], row["b"], row["delay"], row["c"]) == (11, 22, 0, 0)


def test_a_series_follows_its_rows(flights: DataFrame) -> None:
    """A condition on a frame is also one on what filters, sorts and assignments made of it."""
    made = flights.assign(x=1).sort_values("id", ascending=False).rename({"delay": "late"})
    assert made[flights.delay > 5].id.to_list() == [6, 4, 1]
    assert (made.late + flights.id).to_list() == [39, 5, 74, None, -3, 11]
    assert (flights.id + made.late).to_list() == [39, 5, 74, None, -3, 11]
    assert len(made[flights.assign(late=3).late > 2]) == len(flights)
    pair = flights[["delay", "km"]]
    assert pair.where(pair > 5).delay.to_list() == [None if x is None or x <= 5 else x for x in flights.delay]
    with pytest.raises(UnsupportedError, match="other rows"):
        flights.assign(delay=flights.delay + 1)[flights.delay > 2]
    with pytest.raises(UnsupportedError, match="other rows"):
        flights[flights[flights.km > 5].delay > 2]


def test_a_frame_that_is_written_twice_is_one(flights: DataFrame) -> None:
    late = flights[flights.delay > 5].assign(twice=flights[flights.delay > 5].delay * 2)
    assert late.twice.to_list() == [2 * delay for delay in late.delay]
    ordered = flights.sort_values("km").assign(before=flights.sort_values("km").id.shift())
    assert ordered.before.to_list() == [None, *ordered.id.to_list()[:-1]]
    with pytest.raises(UnsupportedError, match="other rows"):
        flights[flights.delay > 5].assign(twice=flights[flights.delay > 6].delay)


def test_a_series_under_a_condition(flights: DataFrame) -> None:
    assert flights.id[flights.origin == "JFK"].to_list() == [1, 4]
    assert flights.id.shift()[flights.id > 1].to_list() == [1, 2, 3, 4, 5]
    assert flights.assign(late=flights.delay).id[flights.delay > 5].to_list() == [1, 4, 6]


# Rows


def test_query(flights: DataFrame) -> None:
    frame = flights.query("delay > $low AND Origin IN ($a, 'LGA')", {"low": -9, "a": "JFK"})
    assert frame.id.to_list() == [1, 4, 5]
    assert flights.rename({"delay": "late"}).query("late > 9").query("km < 5").id.to_list() == [1]
    with pytest.raises(KadeQLError, match="Did you mean 'delay'"):
        flights.query("dalay > 1")


def test_head_tail_and_extremes(flights: DataFrame) -> None:
    assert flights.head(2).id.to_list() == [1, 2]
    assert flights.tail(2).id.to_list() == [5, 6]
    assert flights.sort_values("delay").tail(2).id.to_list() == [4, 3]
    assert flights.sort_values("delay").head(4).tail(2).id.to_list() == [1, 6]
    assert flights.nlargest(2, "delay").id.to_list() == [4, 6]
    assert flights.nsmallest(2, "delay").id.to_list() == [2, 5]
    assert flights.sort_values("delay", na_position="first").head(2).id.to_list() == [3, 2]
    assert flights.sort_values("delay").head(4)[["id"]].to_arrow().column(0).to_pylist() == [2, 5, 1, 6]
    with pytest.raises(UnsupportedError, match="no known order"):
        flights.drop_duplicates().tail()
    assert flights.head(-1).id.to_list() == [1, 2, 3, 4, 5]
    assert flights.tail(-4).id.to_list() == [5, 6]


def test_nan_is_the_greatest_value_and_null_is_none(flights: DataFrame) -> None:
    assert flights.sort_values("km").id.to_list() == [5, 1, 2, 6, 3, 4]
    assert flights[flights.km > 100].id.to_list() == [3]
    assert flights[flights.km.isna()].id.to_list() == [4]
    assert flights[flights.km.isnan()].id.to_list() == [3]
    assert flights.km.clip(upper=2).to_list()[:2] == [1.5, 2.0]
    assert str(flights.km.clip(upper=2).to_list()[2]) == "nan"


def test_duplicates(flights: DataFrame) -> None:
    assert flights.drop_duplicates("origin", by="id").sort_values("id").id.to_list() == [1, 2, 3, 5]
    latest = flights.sort_values("id", ascending=False).drop_duplicates("origin")
    assert latest.sort_values("id").id.to_list() == [3, 4, 5, 6]
    assert len(flights[["count"]].drop_duplicates()) == 2
    assert flights.drop_duplicates("origin").id.to_list() == [1, 2, 3, 5]
    with pytest.raises(UnsupportedError, match="in none"):
        flights.merge(flights, on="id").drop_duplicates("origin_x")


def test_fill_and_drop_nulls(flights: DataFrame) -> None:
    assert flights.fillna(0).to_arrow().column("delay").to_pylist() == [10, -5, 0, 70, 0, 33]
    assert flights.fillna({"origin": "?"}).origin.to_list()[2] == "?"
    assert flights.dropna().id.to_list() == [1, 2, 5, 6]
    assert flights.dropna(subset="km").id.to_list() == [1, 2, 3, 5, 6]


def test_astype(flights: DataFrame) -> None:
    assert flights.km.fillna(0).clip(upper=9).head(2).astype(int).to_list() == [1, 2]
    assert flights.astype({"id": "string"}).dtypes["id"] == pa.string()
    assert flights.delay.astype("float32").dtype == pa.float32()
    assert flights.delay.astype("decimal(8, 2)").dtype == pa.decimal128(8, 2)
    assert flights.id.astype(pa.int8()).dtype == pa.int8()
    assert flights.id.astype(pd.Int64Dtype()).dtype == pa.int64()
    assert flights.day.astype("datetime64[us]").dtype == pa.timestamp("us")
    with pytest.raises(UnsupportedError, match="not known"):
        flights.id.astype("colour")


def test_map(flights: DataFrame) -> None:
    assert flights.origin.map({"JFK": 1, "EWR": 2}).to_list() == [1, 2, None, 1, None, 2]
    with pytest.raises(UnsupportedError, match="whole Series"):
        flights.origin.map(str.lower)  # type: ignore[arg-type]


# Groups


def test_groupby_gives_frames_with_key_columns(flights: DataFrame) -> None:
    assert isinstance(flights.groupby("origin"), GroupBy)
    means = flights.groupby("origin")["delay"].mean()
    assert flights.groupby("origin").delay.mean().kadeql == means.kadeql
    assert means.to_arrow().to_pydict() == {"origin": ["EWR", "JFK", "LGA"], "delay": [14.0, 40.0, 0.0]}
    assert flights.groupby("origin", dropna=False).size().to_arrow().to_pydict() == {
        "origin": ["EWR", "JFK", "LGA", None],
        "size": [2, 2, 1, 1],
    }
    assert flights.groupby("origin")[["delay", "id"]].max().columns == ["origin", "delay", "id"]
    named = flights.groupby(["count", "origin"]).agg({"delay": ["min", "max"], "id": "count"})
    assert named.columns == ["count", "origin", "delay_min", "delay_max", "id"]
    hours = flights.groupby(flights.day.dt.day.rename("number")).agg(n=("id", "count"))
    assert hours.columns == ["number", "n"]
    assert flights.agg(n=("id", "count"), m=("delay", "median")).to_arrow().to_pylist() == [
        {"n": 6, "m": 10.0}
    ]
    assert flights.groupby("origin").agg(n=("id", len), m=("delay", max)).columns == ["origin", "n", "m"]


def test_scalars(flights: DataFrame) -> None:
    assert flights.delay.sum() == 108
    assert type(flights.delay.sum()) is int
    assert (flights.delay > 5).sum() == 3
    assert (flights.delay > 5).mean() == 0.6
    assert (flights.delay > 50).any() is True
    assert (flights.delay > 50).all() is False
    assert flights.delay.isna().sum() == 1
    assert flights.delay.quantile(0.25) == 0.0
    assert flights.origin.nunique() == 3
    assert flights.origin.min() == "EWR"
    assert flights.day.max() == dt.date(2024, 1, 6)
    assert flights.delay.agg("count") == flights.delay.count() == 5
    nothing = flights[flights.delay > 1000].delay
    assert (nothing.sum(), nothing.mean(), nothing.count(), nothing.any()) == (None, None, 0, None)
    assert str(flights.km.sum()) == "nan"


def test_counts_of_values(flights: DataFrame) -> None:
    assert flights.origin.value_counts().to_arrow().to_pydict() == {
        "origin": ["EWR", "JFK", "LGA"],
        "count": [2, 2, 1],
    }
    assert flights["count"].value_counts().to_arrow().to_pydict() == {"value": [1, 2], "count": [3, 3]}
    assert flights.origin.unique().to_pylist() == ["EWR", "JFK", "LGA", None]
    assert flights[flights.id > 100].origin.unique().to_pylist() == []
    pairs = flights.drop("count").value_counts("origin", dropna=False)
    assert pairs.to_arrow().to_pydict() == {"origin": ["EWR", "JFK", "LGA", None], "count": [2, 2, 1, 1]}


# Joins


def test_merge_columns(flights: DataFrame) -> None:
    airports = airports_of(flights)
    made = flights.merge(airports, left_on="origin", right_on="iata", how="left")
    assert made.columns == ["id", "origin", "delay", "km_x", "day", "count", "iata", "km_y", "name"]
    assert made.sort_values("id").name.to_list() == ["Kennedy", "Newark", None, "Kennedy", None, "Newark"]
    assert (
        flights.merge(airports, "inner", left_on="origin", right_on="iata", suffixes=("", "_a")).columns[3]
        == "km"
    )
    late = made[made.delay > 9].groupby("name").agg(n=("id", "count"))
    assert late.to_arrow().to_pydict() == {"name": ["Kennedy", "Newark"], "n": [2, 1]}


def test_merge_with_itself(flights: DataFrame) -> None:
    jfk = flights.groupby("origin").agg(n=("id", "count"))
    made = jfk.merge(jfk, on="origin").sort_values("origin")
    assert made.to_arrow().to_pydict() == {
        "origin": ["EWR", "JFK", "LGA"],
        "n_x": [2, 2, 1],
        "n_y": [2, 2, 1],
    }
    pairs = flights.merge(flights, on="origin")
    assert len(pairs) == 9  # NULL keys match nothing


@pytest.mark.parametrize("make", [pa.table, pd.DataFrame, pl.DataFrame, dict])
def test_merge_with_data_in_memory(flights: DataFrame, make: Any) -> None:
    data = make({"origin": ["JFK", "LGA"], "city": ["Queens", "Flushing"]})
    made = flights.merge(data, on="origin")[["id", "city"]].sort_values("id")
    assert made.to_arrow().to_pydict() == {"id": [1, 4, 5], "city": ["Queens", "Queens", "Flushing"]}
    assert made.dtypes["city"] == pa.string()


def test_two_sets_of_data_in_one_plan(flights: DataFrame) -> None:
    one, two = {"origin": ["JFK"], "x": [1]}, {"origin": ["JFK"], "y": [2]}
    made = flights.merge(one, on="origin").merge(two, on="origin")
    assert made[["id", "x", "y"]].sort_values("id").to_arrow().to_pylist()[0] == {"id": 1, "x": 1, "y": 2}


def test_frames_of_two_benches_do_not_mix(flights: DataFrame) -> None:
    executor = executor_of(flights)
    elsewhere = DataFrame.scan(DuckExecutor(executor.stored), "flights")
    with pytest.raises(UnsupportedError, match="different benches"):
        flights.merge(elsewhere, on="id")
    with pytest.raises(UnsupportedError, match="different benches"):
        flights[elsewhere.delay > 1]
    later = DataFrame.scan(DuckExecutor(executor.stored, snapshot=2), "flights")
    with pytest.raises(UnsupportedError, match="snapshots 1 and 2"):
        flights.merge(later, on="id")
    with pytest.raises(UnsupportedError, match=r"different benches|another frame"):
        flights.delay + elsewhere.delay
