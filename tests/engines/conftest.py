"""One test body runs on both scan paths: the private hook and the public dataset."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from luma_bench.config import Settings
from luma_bench.engines.duck import DuckEngine


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
