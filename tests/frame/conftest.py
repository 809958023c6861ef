"""Frames over tables in memory."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from duck_executor import DuckExecutor

from luma_bench.frame import DataFrame


@pytest.fixture
def frames():
    """Make frames over tables given by name: `frames(t=…, u=…)` gives one for each."""

    def make(**tables: Any) -> Any:
        made = {name: data if isinstance(data, pa.Table) else pa.table(data) for name, data in tables.items()}
        executor = DuckExecutor(made)
        scans = [DataFrame.scan(executor, name) for name in made]
        return scans[0] if len(scans) == 1 else scans

    return make
