"""The benchmark of graphs: its data, that operators, statements and joins answer alike, and that another answer is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

from benchmarks import graph_data, graph_duckdb
from benchmarks.graph_build import BUILT, FIRST, LOADED
from benchmarks.graph_build import run as run_build
from benchmarks.graph_data import Graph
from benchmarks.graph_hops import World, ours, world
from benchmarks.graph_ladybug import LadybugError
from benchmarks.graph_ours import NUMPY, asking, chain, counted, engine, one, planned, sums, total
from benchmarks.graph_patterns import social
from benchmarks.graph_statements import COUNTED_TEXT, GROUPED_TEXT, REACHED_TEXT, TAGS_TEXT
from benchmarks.graph_turns import once, turns
from benchmarks.harness import Case, Contender, DisagreementError, measure
from benchmarks.suite import Request

SCALE = 1 / 512


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> Request:
    return Request(SCALE, 1, True, tmp_path_factory.mktemp("graphs"), Console(quiet=True), 1)


@pytest.fixture(scope="module")
def held(request_: Request) -> Iterator[World]:
    with world(request_, peers=False) as made:
        yield made


def ends(graph: Graph) -> tuple[np.ndarray, np.ndarray]:
    table = graph.table("e")
    return table.column("s").to_numpy(), table.column("d").to_numpy()


def test_the_graphs_have_their_shapes_and_are_made_once(tmp_path: Path) -> None:
    rmat = graph_data.rmat_of(9, tmp_path)
    source, destination = ends(rmat)
    assert rmat.table("v").num_rows == 512
    assert 4_000 < len(source) <= 8_192
    assert not (source == destination).any()
    assert len(np.unique(source * 512 + destination)) == len(source)
    assert not (np.diff(source) >= 0).all()
    assert np.bincount(source).max() > 10 * np.bincount(source).mean()

    grid = graph_data.grid_of(20, tmp_path)
    source, destination = ends(grid)
    places = np.stack([grid.table("v").column(name).to_numpy() for name in ("x", "y")], axis=1)
    line = np.hypot(*(places[source] - places[destination]).T)
    assert (grid.table("e").column("w").to_numpy() >= line).all()
    assert set(zip(source, destination, strict=True)) == set(zip(destination, source, strict=True))

    before = {file: file.stat().st_mtime_ns for file in rmat.files.values()}
    assert graph_data.rmat_of(9, tmp_path).table("e").num_rows == rmat.table("e").num_rows
    assert before == {file: file.stat().st_mtime_ns for file in rmat.files.values()}
    assert graph_data.sizes(1) == (18, 700)


def test_hops_are_counted_alike(held: World) -> None:
    source, destination = ends(held.graph)
    for start in held.starts[:6]:
        known, level = {start}, {start}
        for hops in (1, 2, 3):
            level = set(destination[np.isin(source, list(level))].tolist()) - known
            known |= level
            assert ours(held.topology, NUMPY, hops)(start) == len(known) - 1
            assert graph_duckdb.number(held.duckdb, graph_duckdb.reached(start, hops)) == len(known) - 1


def test_patterns_are_answered_alike_as_operators_and_as_statements(held: World) -> None:
    running = engine(NUMPY)
    ages = held.graph.table("v").column("age").to_numpy()
    old = np.flatnonzero(ages > 40).astype(np.int32)
    with asking(held.path, NUMPY, 1) as bench:
        for start in held.starts[:6]:
            joined = sums(graph_duckdb.rows(held.duckdb, graph_duckdb.TWO_HOPS, start=start))
            bound = chain(held.topology, (0, 0), (one(start), old, None), (2,))
            assert sums(counted(held.topology, planned(held.topology, bound), running)) == joined
            assert sums(bench.kadeql(GROUPED_TEXT, {"start": start}).to_arrow()) == joined
            text = graph_duckdb.reached(start, 2, itself=True)
            said = bench.kadeql(REACHED_TEXT.format(hops=2), {"start": start}).to_arrow()
            assert said.column(0).to_pylist() == [graph_duckdb.number(held.duckdb, text)]
        whole = graph_duckdb.number(held.duckdb, graph_duckdb.ALL_TWO_HOPS)
        bound = chain(held.topology, (0, 0), (None, old, None))
        assert total(held.topology, planned(held.topology, bound), running) == whole
        assert bench.kadeql(COUNTED_TEXT).to_arrow().column(0).to_pylist() == [whole]


def test_triangles_are_counted_alike(held: World) -> None:
    from luma_bench.models.graph.merged import merged

    graph_duckdb.orient(held.duckdb)
    found = int(engine(NUMPY).triangles(merged(held.topology)).sum()) // 3
    assert found == graph_duckdb.number(held.duckdb, graph_duckdb.TRIANGLES) > 0


def test_tags_are_counted_alike(request_: Request) -> None:
    with social(request_) as friends, asking(friends.path, NUMPY, 1) as bench:
        ask = friends.asks((NUMPY,))
        for start in friends.starts[:6]:
            joined = sums(ask["duckdb joins"](start))
            assert sums(ask[NUMPY](start)) == joined
            assert sums(bench.kadeql(TAGS_TEXT, {"start": start}).to_arrow()) == joined


def test_what_a_graph_costs_before_it_is_asked_is_measured(request_: Request) -> None:
    made = run_build(request_)
    assert {BUILT, LOADED, FIRST} <= set(made.cases)
    assert {target.name for target in made.targets} == {BUILT, LOADED, "bytes an edge", FIRST}


def test_starts_take_turns_and_other_answers_are_noticed() -> None:
    asked: list[int] = []
    case = turns("c", {"a": lambda start: start, "b": lambda start: asked.append(start) or start}, [1, 2, 3])
    timings = measure([case], rounds=3)
    assert [(timing.contender, len(timing.seconds)) for timing in timings] == [("a", 3), ("b", 3)]
    assert asked == [1, 2, 3, 1, 2, 3, 1]

    with pytest.raises(DisagreementError, match="c from 2: a says 2, and b 3"):
        turns("c", {"a": lambda start: start, "b": lambda start: start + (start == 2)}, [1, 2])


def test_a_contender_whose_process_ends_is_left_out() -> None:
    def gone(start: int) -> int:
        raise LadybugError("Its process ended, with status -11.")

    notes: list[str] = []
    case = turns("c", {"a": lambda start: start, "b": gone}, [1, 2], notes=notes)
    assert [contender.name for contender in case.contenders] == ["a"]
    assert notes == ["b has no answer to 'c' from 1: Its process ended, with status -11."]


def test_groupings_are_compared_in_three_numbers() -> None:
    table = pa.table({"c": [3, 5], "k": [2, 1]})
    assert (
        sums(table) == sums((np.array([3, 5], np.int32), np.array([2, 1]))) == sums([2, 3, 11]) == (2, 3, 11)
    )
    assert sums([0, None, None]) == (0, 0, 0)


def test_long_work_is_called_once_and_compared_afterwards() -> None:
    calls: list[str] = []

    def case(other: int) -> Case:
        return Case(
            "c",
            (
                Contender("a", lambda: calls.append("a") or 3),
                Contender("b", lambda: calls.append("b") or other),
            ),
        )

    assert [(timing.contender, len(timing.seconds)) for timing in once(case(3))] == [("a", 1), ("b", 1)]
    assert calls == ["a", "b"]
    with pytest.raises(DisagreementError, match="c: a says 3, and b 4"):
        once(case(4))
