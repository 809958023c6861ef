"""One test body runs on both scan paths: the private hook and the public dataset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine

if TYPE_CHECKING:
    from distributed import Client

    from luma_bench.engines.cluster.cluster import ClusterHandle


@pytest.fixture(params=["source", "dataset"])
def engine(request: pytest.FixtureRequest) -> Iterator[DuckEngine]:
    made = DuckEngine(Settings(threads=2, timezone="UTC"), scan_path=request.param)
    yield made
    made.close()


@pytest.fixture
def hook_engine() -> Iterator[DuckEngine]:
    made = DuckEngine(Settings(threads=2, timezone="UTC"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def cluster_handle() -> Iterator[ClusterHandle]:
    """A Dask cluster of two worker processes with one thread each, started with the first test that uses its client."""
    from luma_bench.engines.cluster.cluster import ClusterHandle

    handle = ClusterHandle("local", Settings(timezone="UTC"), workers=2, dashboard=False)
    yield handle
    handle.close()


@pytest.fixture(scope="session")
def cluster_client(cluster_handle: ClusterHandle) -> Client:
    """A client of that cluster, connected."""
    return cluster_handle.client()
