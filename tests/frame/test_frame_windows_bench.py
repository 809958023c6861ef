"""Windows, places and resampling over a bench's stored tables: row ids, snapshots, sort orders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import luma_bench as lb


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma") as opened:
        yield opened


def test_windows_go_by_row_ids(bench: lb.Bench) -> None:
    bench.write("t", pa.table({"x": [3, 1, 2], "k": ["a", "b", "a"]}))
    df = bench.table("t")
    made = df.assign(
        before=df.x.shift(),
        total=df.x.cumsum(),
        mean=df.x.rolling(2).mean(),
        smooth=df.x.ewm(alpha=0.5).mean(),
    )
    plain = pd.Series([3, 1, 2])
    assert made.to_arrow().drop_columns(["smooth"]).to_pydict() == {
        "x": [3, 1, 2],
        "k": ["a", "b", "a"],
        "before": [None, 3, 1],
        "total": [3, 4, 6],
        "mean": [None, 2.0, 1.5],
    }
    assert made.smooth.to_list() == pytest.approx(plain.ewm(alpha=0.5).mean().tolist())
    assert made[made.before > 1].x.to_list() == [1]
    assert bench.kadeql(made.kadeql).to_arrow().equals(made.to_arrow())


def test_a_frame_keeps_to_its_snapshot(bench: lb.Bench) -> None:
    bench.write("t", pa.table({"x": list(range(100))}))
    df = bench.table("t")
    drawn = df.sample(10, random_state=7)
    first = drawn.x.to_list()
    bench.kadeql("INSERT INTO t VALUES (1000)")
    assert drawn.x.to_list() == first
    assert df.x.cumsum().max() == 4950
    assert bench.table("t").tail(1).x.to_list() == [1000]
    assert df.tail(1).x.to_list() == [99]
    assert df[df.x > 50].take([0]).x.to_list() == [51]


def test_times_of_a_stored_zone(bench: lb.Bench) -> None:
    type_ = pa.timestamp("us", "Europe/Berlin")
    hours = [dt.datetime(2024, 3, 30, 22, tzinfo=dt.UTC) + dt.timedelta(hours=hour) for hour in (0, 1, 30)]
    bench.write("t", pa.table({"t": pa.array(hours, type_), "x": [1, 2, 4]}))
    df = bench.table("t")
    plain = df.to_pandas()
    plain["t"] = plain["t"].astype("datetime64[us, Europe/Berlin]")
    theirs = plain.resample("D", on="t").x.sum()
    ours = df.resample("D", on="t").sum().to_arrow()
    assert ours["x"].to_pylist() == theirs.tolist()
    assert [moment.timestamp() for moment in ours["t"].to_pylist()] == [
        label.timestamp() for label in theirs.index
    ]
    assert df.x.rolling("2h", on="t").sum().to_list() == [1, 3, 4]


def test_a_function_over_batches_of_a_stored_table(bench: lb.Bench) -> None:
    bench.write("t", pa.table({"x": [1, 2, 3]}))
    made = bench.table("t").map_batches(
        lambda batch: {"y": [v.as_py() * 2 for v in batch["x"]]}, {"y": "int64"}
    )
    assert made[made.y > 2].y.cumsum().to_list() == [4, 10]
