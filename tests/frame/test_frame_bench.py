"""Frames on a real bench: what they show of themselves, exact types, and what one query may read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.errors import CatalogError, KadeQLError, SchemaError, UnsupportedError


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("frames") / "frames.luma") as opened:
        nasty = ["<script>x</script>", None, "a\nb", "\u202ex", *"abcdefgh"]
        opened.write("t", pa.table({"<b>n</b>": range(12), "text": nasty}))
        exact = pa.table(
            {
                "name": pa.array(["a", "b", "a"]).dictionary_encode(),
                "big": pa.array(["x", "y", "z"], pa.large_string()),
                "at": pa.array([dt.datetime(2024, 1, 1, 5)] * 3, pa.timestamp("ms", "Europe/Berlin")),
                "n": pa.array([1, 2, 3], pa.int16()),
            }
        )
        opened.write("exact", exact)
        opened.write("names", pa.table({"name": ["a", "b"], "long": ["Ann", "Bob"]}))
        yield opened


def test_text(bench: lb.Bench) -> None:
    lines = repr(bench.table("t")).splitlines()
    assert lines[0] == "lb.DataFrame, 12 rows \u00d7 2 columns; the first 10:"
    assert lines[1].split() == ["<b>n</b>", "│", "text"]
    assert "NULL" in lines[5]
    assert "\u202e" not in repr(bench.table("t"))
    assert "snapshot" in lines[-1]
    assert repr(bench.table("names")).splitlines()[0] == "lb.DataFrame, 2 rows \u00d7 2 columns"
    some = bench.table("t")
    assert repr(some[some.text.notna()]).startswith(
        "lb.DataFrame, at most 12 rows \u00d7 2 columns; the first 10:"
    )


def test_html_is_escaped(bench: lb.Bench) -> None:
    for shown in (bench.table("t")._repr_html_(), bench.table("t").text._repr_html_()):
        assert "<script>" not in shown
        assert "&lt;script&gt;x&lt;/script&gt;" in shown
        assert shown.count("<tr>") == 11
    assert "&lt;b&gt;n&lt;/b&gt;" in bench.table("t")._repr_html_()


def test_a_whole_table_has_the_types_that_were_written(bench: lb.Bench) -> None:
    frame = bench.table("exact")
    assert frame.to_arrow().schema == frame.schema
    assert frame.dtypes["name"] == pa.dictionary(pa.int32(), pa.string())
    assert frame[["big", "n"]].to_arrow().schema.types == [pa.large_string(), pa.int16()]
    filtered = frame[frame.n > 1]
    assert filtered.to_arrow().schema.types == filtered.schema.types
    assert filtered.dtypes["n"] == pa.int16()


def test_whole_sums_are_ints(bench: lb.Bench) -> None:
    frame = bench.table("exact")
    assert frame.n.sum() == 6
    assert frame.groupby("name").agg(s=("n", "sum")).s.to_list() == [4, 2]


def test_frames_of_one_bench_and_snapshot_meet(bench: lb.Bench) -> None:
    made = bench.table("exact").merge(bench.table("names"), on="name").sort_values("n")
    assert made.long.to_list() == ["Ann", "Bob", "Ann"]
    with pytest.raises(UnsupportedError, match="snapshots"):
        bench.table("exact", at=bench.snapshots()[-2].id).merge(bench.table("names"), on="name")


def test_data_in_memory_meets_a_table(bench: lb.Bench) -> None:
    made = bench.table("exact").merge({"name": ["b"], "x": [1]}, on="name")
    assert made[["n", "x"]].to_arrow().to_pydict() == {"n": [2], "x": [1]}


def test_errors_of_the_engine_come_out_as_ours(bench: lb.Bench) -> None:
    with pytest.raises(CatalogError, match="no table"):
        bench.table("nothing")
    with pytest.raises(KadeQLError):
        bench.table("t").text.astype(int).to_list()
    with pytest.raises(SchemaError, match="text"):
        bench.table("t").text / 2


def test_explain_names_the_engine(bench: lb.Bench) -> None:
    frame = bench.table("exact")
    text = frame[frame.n > 1][["n"]].explain()
    assert 'Table "exact" at snapshot' in text
    assert "rules that fired" in text
    assert "duckdb" in text


def test_the_text_of_a_frame_is_a_question_to_the_bench(bench: lb.Bench) -> None:
    frame = bench.table("exact")
    late = frame.assign(m=frame.n % 2).groupby("name").agg(top=("m", "max"))
    assert bench.kadeql(late.kadeql).to_arrow() == late.to_arrow()
