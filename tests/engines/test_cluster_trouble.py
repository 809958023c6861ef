"""What goes wrong on a cluster: workers that die, statements that hang, queries that are given up."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from cluster_parts import HungryPart

import luma_bench as lb
from luma_bench.config import Settings
from luma_bench.engines.cluster.cluster import ClusterHandle
from luma_bench.engines.cluster.runner import DaskRunner
from luma_bench.engines.duck import DuckEngine
from luma_bench.errors import CancelledError, EngineError, ResourceError
from luma_bench.plan.cluster.stages import Hashed, Stage, StageFeed, TableFeed
from luma_bench.types.limits import Limits

if TYPE_CHECKING:
    from distributed import Client

ENDLESS = (
    "SELECT count(*) AS c0 FROM range(1_000_000_000) a, range(1_000_000) b WHERE hash(a.range, b.range) = 7"
)


@pytest.fixture
def embedded() -> Iterator[DuckEngine]:
    made = DuckEngine(Settings(threads=1, timezone="UTC"))
    yield made
    made.close()


@pytest.fixture
def runner_with(cluster_handle: ClusterHandle, embedded: DuckEngine) -> Iterator[Callable[..., DaskRunner]]:
    made: list[DaskRunner] = []

    def make(limits: Limits | None = None) -> DaskRunner:
        made.append(DaskRunner(cluster_handle, cluster_handle.desk(), embedded, "UTC", limits))
        return made[-1]

    yield make
    for runner in made:
        runner.close()


def statements(dask_worker: Any) -> int:
    """How many statements run on a worker."""
    from luma_bench.engines.cluster.room import room_of

    return sum(len(engine.running()) for engine in room_of(dask_worker)._engines.values())


def idle(client: Client, seconds: float) -> bool:
    """Whether every worker is without a statement within so many seconds."""
    deadline = time.perf_counter() + seconds
    while sum(client.run(statements).values()):
        if time.perf_counter() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_cancelled_query_ends_at_once_on_the_workers_too(
    cluster_client: Client, runner_with: Callable[..., DaskRunner]
) -> None:
    runner = runner_with()
    handle = runner.submit(Stage(0, ENDLESS, (), 4))

    def stop() -> None:
        while not sum(cluster_client.run(statements).values()):
            time.sleep(0.02)
        runner.stop()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(CancelledError, match="Cancelled after"):
        list(runner.fetch(handle))
    stopper.join()
    assert idle(cluster_client, 5)


def test_a_statement_that_hangs_is_stopped_by_the_timeout(
    cluster_client: Client, runner_with: Callable[..., DaskRunner]
) -> None:
    runner = runner_with(Limits(timeout=0.5).started())
    with pytest.raises(CancelledError, match=r"Stopped by the timeout of 0\.5 s"):
        runner.submit(Stage(0, ENDLESS, (), 2)).reports()
    assert idle(cluster_client, 5)


def test_a_stream_that_is_given_up_frees_the_workers(
    cluster_client: Client, runner_with: Callable[..., DaskRunner]
) -> None:
    runner = runner_with()
    handle = runner.submit(Stage(0, "SELECT range AS c0 FROM range(100_000)", (), 20))
    tables = runner.fetch(handle)
    assert next(tables).num_rows == 100_000
    runner.close()
    deadline = time.perf_counter() + 5
    while any(keys for keys in cluster_client.has_what().values()) and time.perf_counter() < deadline:
        time.sleep(0.05)
    assert not [key for keys in cluster_client.has_what().values() for key in keys if "luma" in str(key)]


def test_a_query_goes_on_when_a_worker_dies(
    cluster_client: Client, runner_with: Callable[..., DaskRunner]
) -> None:
    runner = runner_with()
    slowly = (
        "SELECT range % 7 AS c0, range AS c1 FROM range(200_000) WHERE length(md5(md5(range::VARCHAR))) = 32"
    )
    split = Stage(0, slowly, (), 6, Hashed(("c0",), 3))
    read = Stage(
        1,
        "SELECT c0, count(*) AS c1, sum(c1)::BIGINT AS c2 FROM p GROUP BY c0",
        (StageFeed("p", 0, "bucket"),),
        3,
    )
    handles = [runner.submit(split), runner.submit(read)]
    victim = next(iter(cluster_client.run(os.getpid).values()))
    killer = threading.Timer(0.15, os.kill, (victim, signal.SIGKILL))
    killer.start()
    handles[0].reports()
    runner.release(handles[0])
    found = pa.concat_tables(runner.fetch(handles[1])).sort_by("c0").to_pydict()
    killer.join()
    assert found["c0"] == list(range(7))
    assert sum(found["c1"]) == 1_200_000
    assert sum(found["c2"]) == 6 * sum(range(200_000))
    cluster_client.wait_for_workers(2, timeout=30)


def test_two_clients_use_one_cluster(cluster_client: Client, embedded: DuckEngine) -> None:
    import distributed

    address = cluster_client.scheduler.address
    handles = [
        ClusterHandle(address, Settings()),
        ClusterHandle(distributed.Client(address, set_as_default=False), Settings()),
    ]
    found: list[list[int]] = [[], []]

    def ask(at: int) -> None:
        runner = DaskRunner(handles[at], handles[at].desk(), embedded, "UTC")
        stages = [
            Stage(0, f"SELECT {at} AS c0, range AS c1 FROM range(1000)", (), 4, Hashed(("c1",), 3)),
            Stage(1, "SELECT sum(c0)::BIGINT AS c0 FROM p", (StageFeed("p", 0, "bucket"),), 3),
        ]
        made = [runner.submit(stage) for stage in stages]
        found[at] = pa.concat_tables(runner.fetch(made[1]))["c0"].to_pylist()
        runner.close()

    threads = [threading.Thread(target=ask, args=(at,)) for at in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sum(rows) for rows in found] == [0, 4000]
    given = handles[1].client()
    for handle in handles:
        assert handle.exchange.path is not None
        handle.close()
    assert given.status == "running"
    given.close()


def test_a_restart_of_the_workers_is_an_error_and_the_next_query_works(
    cluster_client: Client, runner_with: Callable[..., DaskRunner]
) -> None:
    runner = runner_with(Limits(timeout=60).started())
    handle = runner.submit(Stage(0, ENDLESS, (), 2))

    def restarted() -> None:
        while not sum(cluster_client.run(statements).values()):
            time.sleep(0.02)
        cluster_client.restart()

    restart = threading.Thread(target=restarted)
    restart.start()
    with pytest.raises(EngineError, match="The query was lost with its cluster"):
        handle.reports()
    restart.join()
    again = runner_with()
    assert again.submit(Stage(0, "SELECT 1 AS c0", (), 2)).reports()[0].rows == (1,)


@pytest.mark.slow
def test_memory_that_runs_out_is_told_of(embedded: DuckEngine) -> None:
    handle = ClusterHandle("local", Settings(memory_limit=900 << 20), workers=2, dashboard=False)
    try:
        runner = DaskRunner(handle, handle.desk(), embedded, "UTC", Limits(timeout=200).started())
        many = "SELECT list(range) AS c0 FROM range(1_000_000_000)"
        with pytest.raises(ResourceError, match="DuckDB ran out of memory"):
            runner.submit(Stage(0, many, (), 2)).reports()
        runner.close()
        runner = DaskRunner(handle, handle.desk(), embedded, "UTC", Limits(timeout=200).started())
        feed = TableFeed("t", (HungryPart(4 << 30),))
        with pytest.raises(ResourceError, match="Worker processes died while they ran a task of 'scan t'"):
            runner.submit(Stage(0, "SELECT * FROM t", (feed,), 1, purpose="scan t")).reports()
        runner.close()
        runner = DaskRunner(handle, handle.desk(), embedded, "UTC", Limits(timeout=200).started())
        assert runner.submit(Stage(0, "SELECT 1 AS c0", (), 2)).reports()[1].rows == (1,)
        runner.close()
    finally:
        handle.close()


@pytest.mark.slow
def test_a_scheduler_that_dies_is_told_of_and_one_in_its_place_serves(embedded: DuckEngine) -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    quiet = {**os.environ, "DASK_LOGGING__DISTRIBUTED": "critical"}
    cli = [sys.executable, "-m"]

    def start(*command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*cli, *command], env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def both() -> list[subprocess.Popen[bytes]]:
        scheduler = start(
            "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"
        )
        worker = start(
            "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1"
        )
        return [scheduler, worker]

    processes = both()
    handle = ClusterHandle(address, Settings())
    try:
        while not handle.workers():
            time.sleep(0.1)
        runner = DaskRunner(handle, handle.desk(), embedded, "UTC", Limits(timeout=200).started())
        waiting = runner.submit(Stage(0, ENDLESS, (), 1))
        threading.Timer(2, processes[0].kill).start()
        with pytest.raises(EngineError, match="The query was lost with its cluster"):
            waiting.reports()
        runner.close()
        for process in processes:
            process.kill()
            process.wait()
        processes = both()
        deadline = time.perf_counter() + 60
        while time.perf_counter() < deadline:
            try:
                runner = DaskRunner(handle, handle.desk(), embedded, "UTC", Limits(timeout=60).started())
                assert runner.submit(Stage(0, "SELECT 1 AS c0", (), 2)).reports()[1].rows == (1,)
                break
            except EngineError:
                time.sleep(0.5)
        else:
            pytest.fail("the next scheduler was not found")
        runner.close()
    finally:
        handle.close()
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_worker_that_stands_still_is_given_up_and_the_query_goes_on(embedded: DuckEngine) -> None:
    import dask

    with dask.config.set({"distributed.scheduler.worker-ttl": "1s"}):
        handle = ClusterHandle("local", Settings(timezone="UTC"), workers=2, dashboard=False)
        client = handle.client()
    try:
        victim = next(iter(client.run(os.getpid).values()))
        runner = DaskRunner(handle, handle.desk(), embedded, "UTC")
        counted = "SELECT count(*) AS c0 FROM range(3_000_000) WHERE md5(range::VARCHAR) <> ''"
        stage = runner.submit(Stage(0, counted, (), 8))
        os.kill(victim, signal.SIGSTOP)
        try:
            found = pa.concat_tables(runner.fetch(stage))
        finally:
            with contextlib.suppress(ProcessLookupError):  # its nanny ended it
                os.kill(victim, signal.SIGCONT)
        assert found.column("c0").to_pylist() == [3_000_000] * 8
        runner.close()
    finally:
        handle.close()


@pytest.mark.slow
def test_a_cluster_that_grows_from_no_worker_answers(tmp_path: Path) -> None:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        cluster.adapt(minimum=0, maximum=2, interval="200ms")
        with lb.open(tmp_path / "t.luma", cluster=client) as bench:
            bench.write("t", {"k": [1, 2, 1, 2], "v": [1, 2, 3, 4]}, mode="create")
            asked = "SELECT k, sum(v) AS s FROM t GROUP BY k ORDER BY k"
            for _ in range(2):
                found = bench.kadeql(asked, engine="dask", strict=True, cache=False)
                assert found.run.engine == "dask"
                assert found.to_pandas().to_dict("list") == {"k": [1, 2], "s": [4, 6]}
                deadline = time.monotonic() + 30
                while client.nthreads() and time.monotonic() < deadline:
                    time.sleep(0.1)  # it shrinks to none again
