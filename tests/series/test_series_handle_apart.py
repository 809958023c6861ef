"""What `bench.series` gives of benches of its own: many series, policies, transactions, and its pages."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa

import luma_bench as lb
from luma_bench.bench.series.handle import TimeSeries

START = dt.datetime(2026, 1, 1)


def test_of_many_series_some_are_drawn_and_a_note_says_so(tmp_path: Path) -> None:
    with lb.open(tmp_path / "m.luma") as bench:
        n = 3_000
        data = {
            "ts": pa.array(np.arange(n), pa.timestamp("s")),
            "k": np.arange(n) % 30,
            "x": np.arange(n) * 0.5,
        }
        bench.write("t", data, time_column="ts", series_key="k")
        held = bench.series("t")
        chart = held.plot("x")
        assert [line.name for line in chart.picture.series] == [str(i) for i in range(8)]
        assert chart.picture.notes == ("8 of 30 series; name others with series=[…]",)
        assert [line.name for line in held.plot("x", series=[29, 3]).picture.series] == ["3", "29"]
        assert (
            held.plot("x", series=2, points=100_000).picture.notes[-1]
            == "10,000 points a line: a picture draws 20,000"
        )
        whole = bench.series("t", by=()).plot("x", points=200)
        assert len(whole.picture.series) == 1
        assert len(whole.picture.series[0].x) <= 200


def test_hidden_rows_are_in_no_answer(tmp_path: Path) -> None:
    with lb.open(tmp_path / "v.luma") as bench:
        data = {"ts": pa.array([1, 2, 3], pa.timestamp("s")), "k": ["a", "a", "b"], "x": [1.0, 2.0, 9.0]}
        bench.write("t", data, time_column="ts", series_key="k")
        bench.kadeql("CREATE ROW POLICY only_a ON t USING (k = 'a')")
        guest = bench.acting_as(lb.Identity("guest"))
        held = guest.series("t")
        assert (len(held), held.series) == (2, 1)
        assert held.span[1] == dt.datetime(1970, 1, 1, 0, 0, 2)
        assert held.latest().to_arrow()["x"].to_pylist() == [2.0]
        assert held.resample("1m", {"x": "max"}).to_arrow()["x"].to_pylist() == [2.0]
        assert [line.name for line in held.plot("x").picture.series] == ["a"]


def test_inside_a_transaction_it_reads_what_is_staged(tmp_path: Path) -> None:
    with lb.open(tmp_path / "x.luma") as bench:
        bench.write("t", {"ts": pa.array([1], pa.timestamp("s")), "x": [1.0]}, time_column="ts")
        with bench.transaction():
            bench.write("t", {"ts": pa.array([2], pa.timestamp("s")), "x": [2.0]}, mode="append")
            held = bench.series("t")
            assert len(held) == 2
            assert held.latest().to_arrow()["x"].to_pylist() == [2.0]
            assert held.resample("1s").to_arrow()["x"].to_pylist() == [1.0, 2.0]


def test_every_method_is_in_an_example_of_the_pages(repository: Path) -> None:
    text = "".join(page.read_text("utf-8") for page in (repository / "docs" / "series").glob("*.md"))
    public = {
        name
        for name in dir(TimeSeries)
        if not name.startswith("_") and name not in ("snapshot", "name", "time", "by")
    }
    assert len(public) > 14
    assert sorted(name for name in public if f".{name}" not in text) == []
