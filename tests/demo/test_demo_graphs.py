"""The tour's graphs: the nine questions against networkx and pandas over the same tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import networkx as nx
import pandas as pd
import pytest

import luma_bench as lb
from luma_bench.demo import build as building
from luma_bench.demo import notebook_graphs
from luma_bench.demo.graph_questions import GRAPH_QUESTIONS


@pytest.fixture(scope="module")
def bench(small_tour: Path) -> Iterator[lb.Bench]:
    with lb.open(small_tour, mode="r") as opened:
        yield opened


@pytest.fixture(scope="module")
def routes(bench: lb.Bench) -> pd.DataFrame:
    return bench.table("routes").to_pandas()


@pytest.fixture(scope="module")
def air(routes: pd.DataFrame) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph()
    graph.add_edges_from((row.src, row.dst, {"km": row.km}) for row in routes.itertuples())
    return graph


def answer(bench: lb.Bench, number: int) -> list[dict[str, Any]]:
    question = GRAPH_QUESTIONS[number - 1]
    return bench.kadeql(question.text, params=dict(question.params)).to_arrow().to_pylist()


def test_one_flight(bench: lb.Bench, routes: pd.DataFrame) -> None:
    from_here = routes[routes.src == "JFK"].groupby("dst").agg(airlines=("airline", "size"), km=("km", "min"))
    from_here = from_here.reset_index().sort_values(["airlines", "dst"], ascending=[False, True]).head(10)
    found = answer(bench, 1)
    assert [(row["airport"], row["airlines"]) for row in found] == list(
        zip(from_here.dst, from_here.airlines, strict=True)
    )


def test_two_flights(bench: lb.Bench, air: nx.MultiDiGraph) -> None:
    near = set(air.successors("JFK"))
    assert {row["iata"] for row in answer(bench, 2)} == near | {
        far for one in near for far in air.successors(one)
    }


def test_fewest_flights(bench: lb.Bench, air: nx.MultiDiGraph) -> None:
    (row,) = answer(bench, 3)
    assert row["flights"] == nx.shortest_path_length(air, "BTV", "GUM")
    assert row["airports"] == min(nx.all_shortest_paths(nx.DiGraph(air), "BTV", "GUM"))


def test_fewest_kilometres(bench: lb.Bench, air: nx.MultiDiGraph) -> None:
    (row,) = answer(bench, 4)
    assert row["km"] == round(nx.dijkstra_path_length(air, "BTV", "GUM", weight="km"))
    assert row["airports"][0] == "BTV"
    assert row["airports"][-1] == "GUM"


def test_ways_with_one_change(bench: lb.Bench, routes: pd.DataFrame) -> None:
    pairs = routes[routes.src == "BTV"].merge(routes, left_on="dst", right_on="src", suffixes=("", "_2"))
    pairs = pairs[pairs.dst_2 != "BTV"].groupby("dst_2").agg(ways=("src", "size"), changes=("dst", "nunique"))
    expected = pairs.reset_index().sort_values(["ways", "dst_2"], ascending=[False, True]).head(10)
    assert [tuple(row.values()) for row in answer(bench, 5)] == list(
        expected[["dst_2", "ways", "changes"]].itertuples(index=False, name=None)
    )


def test_hubs(bench: lb.Bench, air: nx.MultiDiGraph) -> None:
    whole = nx.MultiDiGraph(air)
    whole.add_nodes_from(bench.table("airports").to_pandas().iata)
    ranks = nx.pagerank(whole, alpha=0.85, tol=1e-10)
    best = sorted(ranks, key=lambda name: -ranks[name])[:10]
    found = answer(bench, 6)
    assert [row["iata"] for row in found] == best
    assert [row["percent"] for row in found] == pytest.approx([100 * ranks[name] for name in best], abs=0.006)
    assert [row["routes"] for row in found] == [whole.degree(name) for name in best]


def test_components(bench: lb.Bench, air: nx.MultiDiGraph) -> None:
    sizes = sorted((len(part) for part in nx.weakly_connected_components(air)), reverse=True)
    found = {row["size"]: row["airports"] for row in answer(bench, 7)}
    assert found[sizes[0]] == sizes[0]
    assert sum(found.values()) == len(bench.table("airports"))


def test_journeys(bench: lb.Bench) -> None:
    flights = bench.table("flights").to_pandas()
    day = flights[(flights.month == 7) & (flights.day == 4) & flights.arr.notna() & flights.dep.notna()]
    legs = [(leg.origin, leg.dest, leg.dep, leg.arr) for leg in day.itertuples()]
    journeys: dict[str, list[pd.Timestamp]] = {}
    waiting = [(leg, leg[2], 1) for leg in legs if leg[0] == "EWR"]
    while waiting:
        (_, at, _, arrived), began, count = waiting.pop()
        if arrived - began > pd.Timedelta(hours=12):
            continue
        journeys.setdefault(at, []).append(arrived)
        if count < 4:
            waiting += [(leg, began, count + 1) for leg in legs if leg[0] == at and leg[2] >= arrived]
    expected = sorted((min(times), name, len(times)) for name, times in journeys.items())[:10]
    assert [(row["airport"], row["journeys"]) for row in answer(bench, 8)] == [
        (name, count) for _, name, count in expected
    ]


def test_delays_that_travel(bench: lb.Bench) -> None:
    flights = bench.table("flights").to_pandas().set_index("flight_id")
    after = bench.table("rotations").to_pandas().set_index("flight_id").next_id
    begun = flights[(flights.month == 7) & (flights.dep_delay > 60)].index
    expected: list[tuple[int, int]] = []
    for leg in range(1, 5):
        begun = after[after.index.isin(begun)].to_numpy()
        if len(begun):
            expected.append((leg, len(begun)))
    assert [(row["flights_later"], row["pairs"]) for row in answer(bench, 9)] == expected


def test_a_tour_from_before_gets_its_graphs(small_tour: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(small_tour, tmp_path / "old.luma")
    with lb.open(tmp_path / "old.luma") as bench:
        for name in ("air", "trips"):
            bench.kadeql(f"DROP PROPERTY GRAPH {name}")
        bench.kadeql("DROP TABLE rotations")
        building.build(bench)
        assert bench.graphs() == ["air", "trips"]
        assert "rotations" in bench.tables()


def test_the_notebook_of_the_repository_is_the_composed_one() -> None:
    kept = nbformat.read(notebook_graphs.FILE, as_version=4)
    assert kept == notebook_graphs.compose(), "run: python -m luma_bench.demo.notebook_graphs"
