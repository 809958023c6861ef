"""A finished result as a lazy frame: its rows, at its snapshot, beside the tables of its bench."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import luma_bench as lb
from luma_bench.errors import SchemaError, UnsupportedError


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma") as opened:
        opened.write("t", {"a": [1, 2, 3], "s": ["x", "y", "x"]})
        yield opened


def test_a_result_as_a_frame(bench: lb.Bench) -> None:
    result = bench.kadeql("SELECT s, count(*) AS n FROM t GROUP BY ALL ORDER BY s")
    frame = result.frame()
    assert isinstance(frame, lb.DataFrame)
    assert frame.schema.names == result.schema.names
    assert frame.to_arrow().to_pylist() == result.to_arrow().to_pylist()
    assert frame[frame["n"] > 1].to_arrow().to_pylist() == [{"s": "x", "n": 2}]
    assert len(frame.merge(bench.table("t"), on="s")) == 3
    bench.write("t", {"a": [4], "s": ["z"]}, mode="append")
    assert len(result.frame().merge(bench.table("t", at=result.run.snapshot), on="s")) == 3
    again = bench.kadeql("SELECT s, count(*) AS n FROM t GROUP BY ALL ORDER BY s")
    assert (
        len(bench.kadeql("SELECT s, count(*) AS n FROM t GROUP BY ALL ORDER BY s").frame()) == len(again) == 3
    )
    assert len(bench.table("t").collect().frame().merge(again.frame(), on="s")) == 4
    several = bench.kadeql("SELECT 1 AS a; SELECT 2 AS b")
    assert [one.frame().columns for one in several.results] == [["a"], ["b"]]
    assert several.frame().columns == ["b"]
    assert bench.prepare("SELECT a FROM t").run().frame().columns == ["a"]
    assert bench.kadeql("EXPLAIN SELECT 1").frame().columns == ["explain_key", "explain_value"]


def test_results_of_a_transaction_and_of_none(bench: lb.Bench) -> None:
    with bench.transaction() as tx:
        tx.kadeql("INSERT INTO t VALUES (9, 'z')")
        result = tx.kadeql("FROM t")
        assert len(result.frame().merge(tx.table("t"), on="a")) == 4
    assert result.frame()["a"].sum() == 15
    with pytest.raises(SchemaError, match="'a' and 'a'"):
        bench.kadeql("SELECT a, a FROM t").frame()
    loose = lb.Result(result.to_arrow(), result.run, "FROM t")
    with pytest.raises(UnsupportedError, match="no bench"):
        loose.frame()
