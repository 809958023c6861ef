"""Connecting to a cluster: what is started, what is checked, what is closed, and how it is refused."""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import luma_bench.errors as errors_module
from luma_bench.config import Settings
from luma_bench.engines.cluster import cluster
from luma_bench.engines.cluster.cluster import ClusterHandle
from luma_bench.engines.cluster.failures import RowsLost, Unreachable, told
from luma_bench.engines.cluster.versions import Versions, require_all_same
from luma_bench.errors import ConfigError, CorruptionError, EngineError, KadeQLError, LumaError, ResourceError
from luma_bench.plan.cluster.stages import Stage

if TYPE_CHECKING:
    from distributed import Client


def test_the_cluster_has_two_workers(cluster_client: Client, cluster_handle: ClusterHandle) -> None:
    assert cluster_client.submit(int, "7", pure=False).result() == 7
    assert len(cluster_handle.workers()) == 2
    assert cluster_handle.slots() == 2
    figures = cluster_handle.known_figures
    assert (figures.workers, figures.threads) == (2, 2)
    assert 0 < figures.latency < 60
    assert figures.bandwidth > 0


def test_nothing_is_started_before_it_is_used() -> None:
    handle = ClusterHandle("local", Settings(threads=3))
    assert handle.problem is None
    assert not handle.connected
    assert handle.dashboard_link is None
    assert handle.known_figures.workers == 3
    handle.close()


def test_a_local_cluster_needs_no_main_guard_and_ends_with_the_program() -> None:
    program = (
        "from luma_bench.config import Settings\n"
        "from luma_bench.engines.cluster.cluster import ClusterHandle\n"
        "handle = ClusterHandle('local', Settings(), workers=1, dashboard=False)\n"
        "print(len(handle.workers()))\n"
    )
    ended = subprocess.run([sys.executable, "-"], input=program, capture_output=True, text=True, timeout=120)
    assert (ended.stdout, ended.stderr) == ("1\n", "")


def test_what_is_no_cluster_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_CONNECT", 0.2)
    with pytest.raises(ConfigError, match="'somewhere' is no cluster"):
        ClusterHandle("somewhere", Settings())
    nothing = ClusterHandle(None, Settings())
    assert "no cluster is named" in (nothing.problem or "")
    with pytest.raises(EngineError, match="no cluster is named"):
        nothing.client()
    gone = ClusterHandle("tcp://127.0.0.1:1", Settings())
    with pytest.raises(Unreachable, match=r"The cluster \(tcp://127\.0\.0\.1:1\) does not answer"):
        gone.client()


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    handle = ClusterHandle("local", Settings())
    assert "pip install 'luma-bench[scale]'" in (handle.problem or "")
    with pytest.raises(EngineError, match="pip install"):
        handle.client()


def test_workers_with_other_versions_are_refused() -> None:
    own = Versions("1.0", "2.0.0", "26.0.1", "3.12")
    require_all_same(own, {"tcp://a": own})
    with pytest.raises(
        EngineError,
        match=r"tcp://b .*: duckdb 1\.4 there and 2\.0\.0 here, python 3\.13 there and 3\.12 here",
    ):
        require_all_same(own, {"tcp://a": own, "tcp://b": Versions("1.0", "1.4", "26.0.1", "3.13")})
    with pytest.raises(EngineError, match="cannot run fragments: No module named 'luma_bench'"):
        require_all_same(own, {"tcp://c": ModuleNotFoundError("No module named 'luma_bench'")})


def _examples() -> list[LumaError]:
    found: list[LumaError] = []
    kinds: list[Any] = [LumaError]
    while kinds:
        kind = kinds.pop()
        kinds.extend(kind.__subclasses__())
        if kind.__module__ != errors_module.__name__:
            continue
        if issubclass(kind, KadeQLError):
            found.append(kind("It is wrong.", text="SELECT x FROM t", span=(7, 8), hint="Do it."))
        elif issubclass(kind, CorruptionError):
            found.append(kind("It is torn.", segment="01S", column="c", chunk=3))
        else:
            found.append(kind("It failed.", hint="Try again."))
    return [*found, RowsLost(1, 2, 3, "gone"), Unreachable("there", "no")]


@pytest.mark.parametrize("error", _examples(), ids=lambda error: type(error).__name__)
def test_errors_travel_with_all_that_they_say(error: LumaError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def test_workers_that_die_are_said_to() -> None:
    class KilledWorker(Exception):
        pass

    stage = Stage(0, "SELECT 1", (), 1, purpose="scan t")
    assert isinstance(told(KilledWorker(), stage, ""), ResourceError)
    assert "scan t" in str(told(KilledWorker(), stage, ""))
    assert isinstance(told(MemoryError(), stage, "tcp://a"), ResourceError)
    assert "tcp://a: ValueError: no" in str(told(ValueError("no"), stage, "tcp://a"))
