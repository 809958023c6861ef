"""One bench for the whole suite, and an asker for each engine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

if str(Path(__file__).parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).parent))

from conformance_engines import ENGINES, taking_small_tables
from conformance_run import Asker
from conformance_worlds import SETTINGS, make_bench, make_peer

import luma_bench as lb


@pytest.fixture(scope="session")
def conformance_bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bench with the suite's tables; nobody changes it."""
    path = tmp_path_factory.mktemp("conformance") / "c.luma"
    make_bench(path)
    return path


@pytest.fixture(scope="session")
def opened(
    conformance_bench: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], tuple[lb.Bench, lb.Bench]]]:
    """The bench for an engine, and as an analyst sees it; that of the cluster's engine with a cluster."""
    with ExitStack() as stack:
        benches: dict[str, lb.Bench] = {}

        def opened(engine: str) -> tuple[lb.Bench, lb.Bench]:
            if ENGINES[engine]:
                pytest.importorskip(ENGINES[engine])
            where = "cluster" if engine == "dask" else "here"
            if where not in benches:
                given: dict[str, Any] = (
                    {"cluster": request.getfixturevalue("cluster_client")} if where == "cluster" else {}
                )
                benches[where] = stack.enter_context(lb.open(conformance_bench, "r", **SETTINGS, **given))
            bench = taking_small_tables(benches[where], engine)
            return bench, bench.acting_as(lb.Identity("eve", roles=("analyst",)))

        yield opened


@pytest.fixture(scope="session")
def asker(opened: Callable[[str], tuple[lb.Bench, lb.Bench]]) -> Iterator[Callable[..., Asker]]:
    """The asker of an engine; with `thorough` a new one."""
    peer = make_peer()
    made: dict[str, Asker] = {}

    def asker(engine: str, *, thorough: bool = False) -> Asker:
        if thorough:
            return Asker(engine, *opened(engine), peer, thorough=True)
        if engine not in made:
            made[engine] = Asker(engine, *opened(engine), peer)
        return made[engine]

    yield asker
    peer.close()
