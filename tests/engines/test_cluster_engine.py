"""The engine `dask` behind a bench: what it takes, what it refuses, what the run record says, how it is stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.engines.cluster import cluster
from luma_bench.errors import CancelledError, KadeQLError, ResourceError, UnsupportedError
from luma_bench.plan.cluster.settings import ClusterSettings

if TYPE_CHECKING:
    from pathlib import Path

    from distributed import Client

ENDLESS = "SELECT count(*) AS n FROM t a, t b, t c, t d WHERE hash(a.k, b.k, c.k, d.k) = 7"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cluster") / "bench.luma"
    with lb.open(path, shard_rows=4096, chunk_rows=1024, inline_bytes=0) as bench:
        rows = {
            "k": list(range(9000)),
            "g": [i % 7 for i in range(9000)],
            "s": [f"name {i % 50}" for i in range(9000)],
        }
        bench.write("t", rows, mode="create")
        bench.write("names", {"g": list(range(7)), "name": [f"group {i}" for i in range(7)]}, mode="create")
    return path


@pytest.fixture
def bench(stored: Path, cluster_client: Client) -> Iterator[lb.Bench]:
    with lb.open(stored, mode="r", cluster=cluster_client, timezone="UTC") as bench:
        # Tables this small would have one task; here they have some, and rows move.
        engine = bench._machinery.statements.runner.engines["dask"]
        engine.planning = ClusterSettings(
            least_part_bytes=1, inline_bytes=0, broadcast_bytes=0, single_bytes=0
        )
        yield bench


def test_the_answer_and_the_record(bench: lb.Bench) -> None:
    text = (
        "SELECT name, count(*) AS n, sum(k) AS total, max(s) AS s FROM t JOIN names USING (g) WHERE k >= 100 "
        "GROUP BY name ORDER BY name"
    )
    found = bench.kadeql(text, engine="dask", strict=True)
    assert found.to_arrow().equals(bench.kadeql(text, engine="duckdb").to_arrow(), check_metadata=True)
    run = found.run
    assert (run.engine, run.fallbacks) == ("dask", ())
    assert run.rows_read >= 8900
    assert run.bytes_read > 0
    assert run.segments_read >= 2
    stages = [node for node in run.nodes if node.name.startswith("stage ")]
    assert any("tasks on 2 workers" in node.detail for node in stages)
    assert {node.engine for node in stages} == {"dask"}


def test_one_task_over_a_stored_table_runs_on_a_worker(bench: lb.Bench) -> None:
    found = bench.kadeql("SELECT max(g) AS g FROM names", engine="dask", strict=True)
    assert found.to_arrow().to_pydict() == {"g": [6]}
    assert "on 1 worker" in next(node.detail for node in found.run.nodes if node.name.startswith("stage 0"))


def test_tables_of_the_caller_take_part(bench: lb.Bench) -> None:
    mine = pa.table({"k": [1, 2, 8999, 10_000], "w": [1.5, 2.5, 3.5, 4.5]})
    found = bench.kadeql(
        "SELECT sum(w) AS w, count(*) AS n FROM t JOIN mine USING (k)",
        tables={"mine": mine},
        engine="dask",
        strict=True,
    )
    assert found.to_arrow().to_pydict() == {"w": [7.5], "n": [3]}


def test_a_stream_gives_all_rows_in_order(bench: lb.Bench) -> None:
    reader = bench.stream("SELECT k, s FROM t ORDER BY k DESC", engine="dask")
    assert reader.read_all()["k"].to_pylist() == list(range(8999, -1, -1))


def test_a_stream_that_is_dropped_ends(bench: lb.Bench) -> None:
    engine = bench._machinery.statements.runner.engines["dask"]
    reader = bench.stream("SELECT k, s FROM t", engine="dask")
    assert reader.read_next_batch().num_rows
    assert len(engine.running()) == 1
    del reader
    assert not engine.running()


def test_what_cannot_run_there_runs_here_and_is_told(bench: lb.Bench) -> None:
    found = bench.kadeql("SELECT random() AS x FROM names", engine="dask")
    assert found.run.engine == "duckdb"
    assert found.run.fallbacks[0].startswith("dask was asked for and not used: ")
    with pytest.raises(UnsupportedError, match="engine='dask' cannot run this"):
        bench.kadeql("SELECT random() AS x FROM names", engine="dask", strict=True)


def test_a_cluster_that_does_not_answer_is_told(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_CONNECT", 0.5)
    with lb.open(stored, mode="r", cluster="tcp://127.0.0.1:1") as bench:
        found = bench.kadeql("SELECT count(*) AS n FROM t", engine="dask")
        assert found.to_arrow().to_pydict() == {"n": [9000]}
        assert "the cluster (tcp://127.0.0.1:1) does not answer" in found.run.fallbacks[0]
        monkeypatch.setattr(cluster.ClusterHandle, "_connected", None)  # it is not tried again at once
        bench.kadeql("SELECT count(*) + 1 AS n FROM t", engine="dask")


def test_rows_that_make_a_statement_fail(bench: lb.Bench) -> None:
    text = "SELECT sum(s::INTEGER) AS n FROM t"
    with pytest.raises(KadeQLError) as embedded:
        bench.kadeql(text, engine="duckdb")
    with pytest.raises(KadeQLError, match="Could not convert string 'name") as caught:
        bench.kadeql(text, engine="dask", strict=True)
    assert type(caught.value) is type(embedded.value)


def test_limits_hold(bench: lb.Bench) -> None:
    with pytest.raises(ResourceError, match="more than 100 rows"):
        bench.kadeql("SELECT k FROM t", engine="dask", max_rows=100)
    with pytest.raises(CancelledError, match=r"Stopped by the timeout of 0\.4 s"):
        bench.kadeql(ENDLESS, engine="dask", timeout=0.4, strict=True)


def test_cancelling_and_progress(bench: lb.Bench) -> None:
    engine = bench._machinery.statements.runner.engines["dask"]
    caught: list[BaseException] = []

    def ask() -> None:
        try:
            bench.kadeql(ENDLESS, engine="dask", strict=True)
        except CancelledError as error:
            caught.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    while not engine.running() or engine.progress() is None:
        time.sleep(0.01)
    (query,) = engine.running()
    assert query.text.startswith("SELECT count(*)")
    assert 0 <= (query.progress or 0) < 1
    assert engine.cancel() == 1
    asking.join()
    assert "Cancelled after" in str(caught[0])
    assert not engine.running()
