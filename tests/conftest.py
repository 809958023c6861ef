"""Fixtures that every room's tests may use."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from luma_bench.demo.tables import DemoTable

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # `benchmarks` and `scripts` belong to the repository, not to the wheel
    sys.path.insert(0, str(ROOT))

# Property tests draw the same examples in every run, so that a green suite stays green; `make test-all` draws others.
settings.register_profile("steady", derandomize=True, database=None, print_blob=True)
settings.register_profile("random", print_blob=True)
settings.load_profile(os.environ.get("LUMA_EXAMPLES", "steady"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def tpch_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The Parquet file of every TPC-H table at scale factor 0.01 (60,175 rows of lineitem)."""
    from benchmarks import tpch_data

    return tpch_data.generate(0.01, tmp_path_factory.mktemp("tpch"))


@pytest.fixture(scope="session")
def small_tour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bench with the tour's tables, flights cut to every eighth and the whole of the blizzard; copy it to write."""
    import luma_bench as lb
    from luma_bench.demo import build

    path = tmp_path_factory.mktemp("tour") / "tour.luma"
    with pytest.MonkeyPatch.context() as patch, lb.open(path) as bench:
        patch.setattr(build, "tables", _cut_tables)
        build.build(bench)
    return path


def _cut_tables(progress: Callable[[str], None]) -> Iterator[DemoTable]:
    import pyarrow as pa
    import pyarrow.compute as pc

    from luma_bench.demo import graphs, tables

    cut = pa.table({})
    for table in tables.tables(progress):
        if table.name == "rotations":
            yield dataclasses.replace(table, data=graphs.rotations(cut))
            continue
        if table.name != "flights":
            yield table
            continue
        blizzard = pc.and_(
            pc.equal(table.data["month"], 2), pc.is_in(table.data["day"], pa.array([7, 8, 9], pa.int32()))
        )
        eighth = pc.equal(pc.bit_wise_and(table.data["flight_id"], 7), 0)
        cut = table.data.filter(pc.or_(blizzard, eighth))
        yield dataclasses.replace(table, data=cut)
