"""Files behind URLs in queries: fetched whole into the cache, asked for anew by each query, and never beyond the list."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import luma_bench as lb
from luma_bench.errors import KadeQLBindError, KadeQLError, KadeQLUnsupportedError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "storage"))

from range_server import RangeServer, serving

pytest.importorskip("obstore")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RangeServer]:
    served = tmp_path / "served"
    (served / "data" / "k=7").mkdir(parents=True)
    pq.write_table(pa.table({"a": [1, 2, 3]}), served / "data" / "k=7" / "x.parquet")
    (served / "data" / "x.csv").write_text("a\n5\n")
    (served / "secret.csv").write_text("password\nhunter2\n")
    with serving(served) as state:
        yield state


@pytest.fixture
def bench(tmp_path: Path, server: RangeServer) -> Iterator[lb.Bench]:
    with lb.open(
        tmp_path / "b.luma", files=[f"{server.url}/data"], cache_dir=str(tmp_path / "cache")
    ) as opened:
        yield opened


def test_a_file_is_fetched_once_and_read(bench: lb.Bench, server: RangeServer):
    text = f"SELECT sum(a) AS s, max(k) AS k FROM '{server.url}/data/k=7/x.parquet'"
    for _ in range(3):
        assert bench.kadeql(text).to_arrow().to_pylist() == [{"s": 6, "k": 7}]
    assert (
        sum(name.endswith("x.parquet") for name, _ in server.requests) == 4
    )  # three questions of the size, one fetch


def test_a_new_version_is_fetched(bench: lb.Bench, server: RangeServer):
    text = f"SELECT sum(a) AS s FROM '{server.url}/data/x.csv'"
    assert bench.kadeql(text).to_arrow()["s"].to_pylist() == [5]
    (server.folder / "data" / "x.csv").write_text("a\n5\n37\n")
    assert bench.kadeql(text).to_arrow()["s"].to_pylist() == [42]


def test_what_is_outside_or_absent_is_refused(bench: lb.Bench, server: RangeServer):
    for url in (
        f"{server.url}/secret.csv",
        f"{server.url}/data/../secret.csv",
        "http://127.0.0.1:9/data/x.csv",
    ):
        with pytest.raises(KadeQLUnsupportedError) as caught:
            bench.kadeql(f"FROM '{url}'")
        assert "hunter2" not in str(caught.value)
    assert server.requests == []
    with pytest.raises(KadeQLBindError, match="is not there"):
        bench.kadeql(f"FROM '{server.url}/data/none.csv'")
    with pytest.raises(KadeQLUnsupportedError, match="does not list"):
        bench.kadeql(f"FROM '{server.url}/data/*.csv'")


def test_a_file_larger_than_the_cache_is_refused(tmp_path: Path, server: RangeServer):
    with (
        lb.open(
            tmp_path / "b.luma",
            files=[f"{server.url}/data"],
            cache_dir=str(tmp_path / "cache"),
            cache_bytes=3,
        ) as bench,
        pytest.raises(KadeQLError, match="cache may hold 3"),
    ):
        bench.kadeql(f"FROM '{server.url}/data/x.csv'")
    assert not list((tmp_path / "cache").rglob("*.csv"))


def test_without_the_package_the_extra_is_named(
    bench: lb.Bench, server: RangeServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(KadeQLUnsupportedError, match=r"luma-bench\[connect\]"):
        bench.kadeql(f"FROM '{server.url}/data/x.csv'")
