"""The algorithms on random multigraphs with dead rows, against networkx."""

from __future__ import annotations

import itertools
import threading
from decimal import Decimal

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from algorithm_worlds import World, source_of, worlds
from graph_arrays import Edges, topology
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import CancelledError, ResourceError, UnsupportedError
from luma_bench.models.control import Control
from luma_bench.models.graph.algorithms import ALGORITHMS
from luma_bench.models.graph.engine import GraphEngine
from luma_bench.models.graph.engines.choose import engine as chosen
from luma_bench.models.graph.engines.choose import warm
from luma_bench.models.graph.merged import merged

EXAMPLES = settings(deadline=None, max_examples=40)


@pytest.fixture(scope="module", params=["numpy", "numba"])
def engine(request: pytest.FixtureRequest) -> GraphEngine:
    if request.param == "numba":
        pytest.importorskip("numba")
        warm(wait=True)
    return chosen(request.param)


@EXAMPLES
@given(world=worlds(), weighted=st.booleans())
def test_pagerank(engine: GraphEngine, world: World, weighted: bool):
    found = world.by_vertex(
        engine,
        "PAGERANK",
        tolerance=1e-13,
        iterations=400,
        damping=Decimal("0.8"),
        weight=world.weights if weighted else None,
    )
    plain = nx.DiGraph()
    plain.add_nodes_from(world.graph)
    for a, b, weight in world.graph.edges(data="weight"):
        held = plain.get_edge_data(a, b, {"weight": 0.0})["weight"]
        plain.add_edge(a, b, weight=held + (weight if weighted else 1.0))
    plain.remove_edges_from([(a, b) for a, b, weight in plain.edges(data="weight") if weight == 0.0])

    assert found == pytest.approx(nx.pagerank(plain, 0.8, tol=1e-14, max_iter=500), abs=1e-9)
    assert sum(found.values()) == pytest.approx(1.0)


@EXAMPLES
@given(world=worlds(), data=st.data(), directed=st.booleans())
def test_bfs(engine: GraphEngine, world: World, data: st.DataObject, directed: bool):
    source, limit = source_of(world, data), data.draw(st.none() | st.integers(0, 3))
    graph = world.seen(directed)

    found = world.by_vertex(engine, "BFS", source=source, limit=limit, directed=directed)

    assert found == dict(nx.single_source_shortest_path_length(graph, source, cutoff=limit))


@EXAMPLES
@given(world=worlds(), data=st.data(), directed=st.booleans(), weighted=st.booleans())
def test_shortest_paths(
    engine: GraphEngine, world: World, data: st.DataObject, directed: bool, weighted: bool
):
    source, target = source_of(world, data), source_of(world, data)
    graph = world.seen(directed)
    weight = world.weights if weighted else None
    spots = data.draw(st.none() | st.lists(st.integers(0, 4), min_size=22, max_size=22))
    x, y = (None, None) if spots is None else (np.array(spots[:11], float), pa.array(spots[11:]))
    size = world.topology.vertex_count
    x, y = (None if spots is None else item[:size] for item in (x, y))
    expected = nx.single_source_dijkstra_path_length(graph, source, weight="weight" if weighted else None)

    found = world.by_vertex(engine, "SHORTEST_PATHS", source=source, weight=weight, directed=directed)
    path, columns = world.run(
        engine, "SHORTEST_PATHS", source=source, target=target, weight=weight, directed=directed, x=x, y=y
    )

    assert found == expected
    assert columns["step"] == list(range(len(path)))
    if target not in expected:
        assert path == []
        return
    assert (path[0], path[-1]) == (source, target)
    assert columns["distance"][-1] == expected[target]
    assert columns["distance"] == [expected[vertex] for vertex in path]
    for a, b in itertools.pairwise(path):
        steps = [edge["weight"] if weighted else 1.0 for edge in graph[a][b].values()]
        assert expected[b] - expected[a] == min(steps)


@EXAMPLES
@given(world=worlds())
def test_components(engine: GraphEngine, world: World):
    for name, expected in (
        ("WEAKLY_CONNECTED_COMPONENTS", nx.weakly_connected_components(world.graph)),
        ("STRONGLY_CONNECTED_COMPONENTS", nx.strongly_connected_components(world.graph)),
    ):
        found = world.by_vertex(engine, name)
        ordered = sorted(sorted(group) for group in expected)
        assert found == {vertex: place for place, group in enumerate(ordered) for vertex in group}


@EXAMPLES
@given(world=worlds())
def test_triangles_and_cores_of_the_simple_graph(engine: GraphEngine, world: World):
    assert world.by_vertex(engine, "TRIANGLES") == nx.triangles(world.simple())
    assert world.by_vertex(engine, "K_CORE") == nx.core_number(world.simple())


@EXAMPLES
@given(world=worlds())
def test_degrees(engine: GraphEngine, world: World):
    vertices, columns = world.run(engine, "DEGREES")

    assert dict(zip(vertices, columns["in_degree"], strict=True)) == dict(world.graph.in_degree())
    assert dict(zip(vertices, columns["out_degree"], strict=True)) == dict(world.graph.out_degree())


@EXAMPLES
@given(
    world=worlds(weights=(0.5, 1.0, 2.0)),
    weighted=st.booleans(),
    directed=st.booleans(),
    normalized=st.booleans(),
)
def test_betweenness(engine: GraphEngine, world: World, weighted: bool, directed: bool, normalized: bool):
    found = world.by_vertex(
        engine,
        "BETWEENNESS",
        weight=world.weights if weighted else None,
        directed=directed,
        normalized=normalized,
    )
    graph = world.seen(directed)

    expected = nx.betweenness_centrality(graph, normalized=normalized, weight="weight" if weighted else None)

    assert found == pytest.approx(expected, abs=1e-9)


class Sample:
    """Stands for a random generator that picks these vertices."""

    def __init__(self, picked):
        self.picked = picked

    def sample(self, nodes, k):
        assert len(self.picked) == k
        return self.picked


@EXAMPLES
@given(world=worlds(), k=st.integers(1, 5), seed=st.integers(0, 9), normalized=st.booleans())
def test_sampled_betweenness(engine: GraphEngine, world: World, k: int, seed: int, normalized: bool):
    live = sorted(world.graph)
    found = world.by_vertex(engine, "BETWEENNESS", k=k, seed=seed, normalized=normalized)
    if k >= len(live):
        assert found == world.by_vertex(engine, "BETWEENNESS", normalized=normalized)
        return
    picked = np.random.default_rng(seed).choice(np.array(live, np.int32), k, replace=False).tolist()

    expected = nx.betweenness_centrality.orig_func(
        world.graph, k=k, normalized=normalized, seed=Sample(picked)
    )

    assert found == pytest.approx(expected, abs=1e-9, nan_ok=True)


FIXED = {
    "karate": lambda: nx.karate_club_graph(),
    "miserables": lambda: nx.les_miserables_graph(),
    "caves": lambda: nx.connected_caveman_graph(12, 6),
    "planted": lambda: nx.planted_partition_graph(5, 20, 0.5, 0.03, seed=4),
    "scale free": lambda: nx.barabasi_albert_graph(200, 3, seed=2),
}


@pytest.mark.parametrize("name", FIXED)
def test_communities_are_about_as_good_as_those_of_networkx(engine: GraphEngine, name: str):
    graph = nx.convert_node_labels_to_integers(FIXED[name]())
    ends = np.array(graph.edges())
    weights = np.array([weight for _, _, weight in graph.edges(data="weight", default=1.0)], np.float64)
    held = topology([len(graph)], [Edges(0, 0, ends[:, 0], ends[:, 1])])

    def run(**values):
        result = ALGORITHMS["COMMUNITIES"].run(held, merged, engine, values, Control())
        return result.columns["community"]

    best = nx.community.modularity(graph, nx.community.louvain_communities(graph, weight="weight", seed=1))
    for seed in (0, 1, 2):
        found = run(weight=weights, seed=seed)
        groups = [set(np.flatnonzero(found == number).tolist()) for number in range(found.max() + 1)]
        assert nx.community.modularity(graph, groups) >= 0.95 * best
        assert np.array_equal(found, run(weight=weights, seed=seed))
        sizes = [len(group) for group in groups]
        assert sizes == sorted(sizes, reverse=True)
    assert run(weight=weights, resolution=8.0).max() > run(weight=weights, resolution=0.05).max()


@EXAMPLES
@given(world=worlds(), weighted=st.booleans())
def test_communities_stay_inside_components(engine: GraphEngine, world: World, weighted: bool):
    found = world.by_vertex(engine, "COMMUNITIES", weight=world.weights if weighted else None)
    component = world.by_vertex(engine, "WEAKLY_CONNECTED_COMPONENTS")

    assert set(found) == set(world.graph)
    assert set(found.values()) == set(range(max(found.values()) + 1))
    for number in set(found.values()):
        assert len({component[vertex] for vertex, held in found.items() if held == number}) == 1


@EXAMPLES
@given(world=worlds(), data=st.data(), strict=st.booleans())
def test_earliest_arrival(engine: GraphEngine, world: World, data: st.DataObject, strict: bool):
    source, start = source_of(world, data), data.draw(st.none() | st.integers(0, 4))
    count = len(world.weights)
    depart = data.draw(st.lists(st.none() | st.integers(0, 6), min_size=count, max_size=count))
    ride = data.draw(st.lists(st.none() | st.integers(0, 2), min_size=count, max_size=count))
    arrive = [None if a is None or b is None else a + b for a, b in zip(depart, ride, strict=True)]
    best = {source: -1 if start is None else start}
    while True:
        before = dict(best)
        for rows in world.topology.edges:
            for slot in range(rows.count):
                a, b = int(rows.source[slot]), int(rows.destination[slot])
                times = depart[rows.first + slot], arrive[rows.first + slot]
                alive = rows.out.dead is None or not rows.out.dead[slot]
                if not alive or None in times or a not in best:
                    continue
                if times[0] >= best[a] + (strict and a != source) and times[1] < best.get(b, 99):
                    best[b] = times[1]
        if best == before:
            break

    vertices, columns = world.run(
        engine,
        "EARLIEST_ARRIVAL",
        source=source,
        depart=pa.chunked_array([pa.array(depart, pa.int64())]),
        arrive=np.array(
            [np.datetime64("NaT", "s") if a is None else np.datetime64(a, "s") for a in arrive], "M8[s]"
        ),
        start=start,
        strict=strict,
    )

    arrival = dict(zip(vertices, columns["arrival"], strict=True))
    hops = dict(zip(vertices, columns["hops"], strict=True))
    assert hops.pop(source) == 0
    assert all(value > 0 for value in hops.values())
    if start is None:
        assert np.isnan(arrival.pop(source))
        del best[source]
    assert arrival == best


def test_a_row_without_a_usable_weight_is_named(engine: GraphEngine):
    held = topology([3], [Edges(0, 0, [0, 1], [1, 2]), Edges(0, 0, [2, 0], [0, 2], dead=[1])])
    world = World([3], [Edges(0, 0, [0, 1], [1, 2]), Edges(0, 0, [2, 0], [0, 2], dead=[1])], [], [1.0] * 4)
    assert held.edge_count == 4
    dead_null = pa.array([1.0, 2.0, 3.0, None])
    assert world.by_vertex(engine, "SHORTEST_PATHS", source=0, weight=dead_null) == {0: 0.0, 1: 1.0, 2: 3.0}
    for bad, words in (
        (pa.array([1.0, 2.0, None, 1.0]), "row 0 of 'e1' is NULL or not a number"),
        (np.array([1.0, -2.5, 1.0, 1.0]), "row 1 of 'e0' is -2.5"),
        (np.array([1.0, 1.0, np.inf, 1.0]), "row 0 of 'e1' is inf"),
    ):
        with pytest.raises(UnsupportedError, match=words):
            world.run(engine, "SHORTEST_PATHS", source=0, weight=bad)
        with pytest.raises(UnsupportedError, match=words):
            world.run(engine, "PAGERANK", weight=bad)
    with pytest.raises(UnsupportedError, match=r"row 0 of 'e0' is 0.*\n.*above 0"):
        world.run(engine, "BETWEENNESS", weight=np.array([0.0, 1.0, 1.0, 1.0]))
    times = np.array([5, 5, 5, 5])
    with pytest.raises(UnsupportedError, match="row 1 of 'e0' arrives before it departs"):
        world.run(engine, "EARLIEST_ARRIVAL", source=0, depart=times, arrive=times - [0, 1, 0, 0])
    spots = np.array([0.0, np.nan, 1.0])
    with pytest.raises(UnsupportedError, match="x or y of row 1 of 'v0'"):
        world.run(engine, "SHORTEST_PATHS", source=0, target=2, x=spots, y=np.zeros(3))
    with pytest.raises(UnsupportedError, match="given together"):
        world.run(engine, "SHORTEST_PATHS", source=0, x=np.zeros(3), y=np.zeros(3))


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("PAGERANK", {"dampnig": 0.5}, "no argument 'dampnig'.\nDid you mean 'damping'"),
        ("PAGERANK", {"damping": 1.5}, "damping is from 0 to 1, not 1.5"),
        ("PAGERANK", {"damping": float("nan")}, "damping is from 0 to 1"),
        ("PAGERANK", {"damping": "a"}, "damping is a number, not 'a'"),
        ("PAGERANK", {"iterations": 1.5}, "iterations is a whole number"),
        ("PAGERANK", {"iterations": True}, "iterations is a whole number"),
        ("BFS", {}, "BFS needs the argument source"),
        ("BFS", {"source": 0, "directed": 1}, "directed is true or false"),
        ("BFS", {"source": 0, "limit": -1}, "limit is 0 or more, not -1"),
        ("TRIANGLES", {"k": 1}, "no argument 'k'.\nIt takes the graph alone"),
    ],
)
def test_wrong_arguments_are_refused(name: str, values: dict, words: str):
    world = World([2], [Edges(0, 0, [0], [1])], [], [1.0])
    with pytest.raises(UnsupportedError, match=words):
        world.run(chosen("numpy"), name, **values)


def test_every_algorithm_runs_on_a_graph_without_edges_or_live_vertices(engine: GraphEngine):
    for sizes, dead in (([0], []), ([3], [[0, 1, 2]]), ([2], [])):
        world = World([*sizes, 0], [Edges(0, 0, [], [])], dead, [])
        for name, spec in ALGORITHMS.items():
            needs = {item.name for item in spec.arguments if item.required}
            if "source" in needs and not len(world.graph):
                continue
            values = {item: 0 if item == "source" else np.empty(0, np.int64) for item in needs}
            vertices, _ = world.run(engine, name, **values)
            assert vertices == ([0] if "source" in needs else sorted(world.graph))


def test_runs_end_when_stopped_and_keep_to_their_memory(engine: GraphEngine):
    world = World([40], [Edges(0, 0, list(range(39)), list(range(1, 40)))], [], [1.0] * 39)
    stopped = Control(stop=threading.Event())
    stopped.stop.set()
    for name in (
        "PAGERANK",
        "TRIANGLES",
        "K_CORE",
        "COMMUNITIES",
        "BETWEENNESS",
        "WEAKLY_CONNECTED_COMPONENTS",
    ):
        with pytest.raises(CancelledError):
            world.run(engine, name, stopped)
        if name != "WEAKLY_CONNECTED_COMPONENTS":
            with pytest.raises(ResourceError, match=name):
                world.run(engine, name, Control(memory=100))


GRAPHALYTICS = [
    (1, 3, 0.5), (1, 5, 0.3), (2, 4, 0.1), (2, 5, 0.3), (2, 10, 0.12), (3, 1, 0.53), (3, 5, 0.62), (3, 8, 0.21),
    (3, 10, 0.52), (5, 3, 0.69), (5, 4, 0.53), (5, 8, 0.1), (6, 3, 0.23), (6, 4, 0.39), (7, 4, 0.83), (8, 1, 0.39),
    (9, 4, 0.69),
]  # fmt: skip
"""A directed, weighted graph of ten vertices in the manner of LDBC Graphalytics' example; 8 → 1 closes a cycle."""


def test_a_small_graph_worked_out_by_hand(engine: GraphEngine):
    begins, ends = ([item[place] for item in GRAPHALYTICS] for place in (0, 1))
    world = World([11], [Edges(0, 0, begins, ends)], [[0]], [item[2] for item in GRAPHALYTICS])

    assert world.by_vertex(engine, "BFS", source=1) == {1: 0, 3: 1, 5: 1, 4: 2, 8: 2, 10: 2}
    distances = world.by_vertex(engine, "SHORTEST_PATHS", source=1, weight=world.weights)
    assert distances == pytest.approx({1: 0.0, 3: 0.5, 5: 0.3, 4: 0.83, 8: 0.4, 10: 1.02})
    weak = world.by_vertex(engine, "WEAKLY_CONNECTED_COMPONENTS")
    assert set(weak.values()) == {0}
    strong = world.by_vertex(engine, "STRONGLY_CONNECTED_COMPONENTS")
    assert strong == {1: 0, 2: 1, 3: 0, 4: 2, 5: 0, 6: 3, 7: 4, 8: 0, 9: 5, 10: 6}
