"""A bench with a dozen random graphs, for tests that ask the whole product."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from random_graphs import Samples, sample

import luma_bench as lb

GRAPHS = 12


@pytest.fixture(scope="session")
def random_samples() -> Samples:
    """Graphs with keys of all kinds, self-loops, parallel edges, isolated vertices, and edges that lead nowhere."""
    return Samples([sample(Random(seed), f"g{seed}") for seed in range(GRAPHS)])


@pytest.fixture(scope="session")
def random_bench(tmp_path_factory: pytest.TempPathFactory, random_samples: Samples) -> Iterator[lb.Bench]:
    """A bench that holds them; nobody writes to it."""
    with lb.open(tmp_path_factory.mktemp("graphs") / "random.luma", threads=1) as bench:
        for item in (random_samples[place] for place in range(GRAPHS)):
            for name, table in item.tables.items():
                bench.write(name, table)
            bench.kadeql(item.text)
        yield bench
