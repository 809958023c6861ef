"""The backend of networkx: the same answers as networkx itself, and its own suite."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import os
import random
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.connect.networkx import backend, get_info
from luma_bench.connect.networkx_graph import LumaGraph, converted
from luma_bench.connect.networkx_offer import OFFERED

KINDS = [nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]

edges = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(1, 9)), max_size=30)


def made(kind: type, pairs: list[tuple[int, int, int]], *, floats: bool = False) -> nx.Graph:
    graph = kind()
    graph.add_nodes_from(f"n{i}" for i in range(9))
    graph.add_weighted_edges_from((f"n{a}", f"n{b}", w / 4 if floats else w) for a, b, w in pairs)
    return graph


def asked(name: str, graph: nx.Graph, *args: Any, **kwargs: Any) -> Any:
    """What the backend answers; generators as lists."""
    named = inspect.signature(getattr(backend, name)).parameters.get("weight")
    weight = kwargs.get("weight", None if named is None else named.default)
    given_graph = backend.convert_from_nx(graph, edge_attrs={weight: 1} if weight else None)
    found = getattr(backend, name)(given_graph, *args, **kwargs)
    return list(found) if inspect.isgenerator(found) else found


def close(one: Any, other: Any) -> None:
    assert one.keys() == other.keys()
    assert list(one.values()) == pytest.approx(list(other.values()), abs=1e-9, nan_ok=True)


@settings(deadline=None, max_examples=60)
@given(kind=st.sampled_from(KINDS), pairs=edges, floats=st.booleans())
def test_distances(kind: type, pairs: list[Any], floats: bool) -> None:
    graph = made(kind, pairs, floats=floats)
    for cutoff in (None, 0, 2):
        one = asked("single_source_shortest_path_length", graph, "n0", cutoff=cutoff)
        assert one == nx.single_source_shortest_path_length(graph, "n0", cutoff=cutoff)
        assert asked("single_target_shortest_path_length", graph, "n0", cutoff=cutoff) == (
            nx.single_target_shortest_path_length(graph, "n0", cutoff=cutoff)
        )
        weighed = asked("single_source_dijkstra_path_length", graph, "n0", cutoff=cutoff)
        expected = nx.single_source_dijkstra_path_length(graph, "n0", cutoff=cutoff)
        assert weighed == expected
        assert {type(value) for value in weighed.values()} <= {int} if not floats else True
    assert dict(asked("all_pairs_shortest_path_length", graph)) == dict(
        nx.all_pairs_shortest_path_length(graph)
    )
    for weight in (None, "weight"):
        assert dict(asked("shortest_path_length", graph, weight=weight)) == dict(
            nx.shortest_path_length(graph, weight=weight)
        )
        to = asked("shortest_path_length", graph, target="n1", weight=weight)
        assert to == dict(nx.shortest_path_length(graph, target="n1", weight=weight))
    for target in ("n0", "n3", "n8"):
        try:
            expected = nx.dijkstra_path_length(graph, "n0", target)
        except nx.NetworkXNoPath:
            with pytest.raises(nx.NetworkXNoPath):
                asked("dijkstra_path_length", graph, "n0", target)
            assert not asked("has_path", graph, "n0", target)
        else:
            assert asked("dijkstra_path_length", graph, "n0", target) == expected
            assert asked("has_path", graph, "n0", target)
    assert asked("descendants", graph, "n0") == nx.descendants(graph, "n0")
    assert asked("ancestors", graph, "n0") == nx.ancestors(graph, "n0")


@settings(deadline=None, max_examples=60)
@given(kind=st.sampled_from(KINDS), pairs=edges)
def test_shape(kind: type, pairs: list[Any]) -> None:
    graph = made(kind, pairs)

    def parts(found: Any) -> list[list[str]]:
        return sorted(sorted(part) for part in found)

    if graph.is_directed():
        names = ("weakly_connected_components", "strongly_connected_components")
        assert asked("is_strongly_connected", graph) == nx.is_strongly_connected(graph)
        assert asked("is_weakly_connected", graph) == nx.is_weakly_connected(graph)
    else:
        names = ("connected_components",)
        assert asked("is_connected", graph) == nx.is_connected(graph)
        assert asked("node_connected_component", graph, "n0") == nx.node_connected_component(graph, "n0")
        assert asked("triangles", graph) == nx.triangles(graph)
        if not graph.is_multigraph():
            assert asked("triangles", graph, "n1") == nx.triangles(graph, "n1")
            close(asked("clustering", graph), nx.clustering(graph))
            assert asked("clustering", graph, ["n1", "n2"]).keys() == {"n1", "n2"}
            assert asked("transitivity", graph) == pytest.approx(nx.transitivity(graph))
            for zeros in (True, False):
                try:
                    expected = nx.average_clustering(graph, count_zeros=zeros)
                except ZeroDivisionError:
                    with pytest.raises(ZeroDivisionError):
                        asked("average_clustering", graph, count_zeros=zeros)
                else:
                    assert asked("average_clustering", graph, count_zeros=zeros) == pytest.approx(expected)
            graph.remove_edges_from(list(nx.selfloop_edges(graph)))
            assert asked("core_number", graph) == nx.core_number(graph)
    for name in names:
        expected = getattr(nx, name)(graph)
        found = asked(name, graph)
        assert parts(found) == parts(expected)
        assert asked(f"number_{name}", graph) == len(found)


@settings(deadline=None, max_examples=60)
@given(kind=st.sampled_from(KINDS), pairs=edges, floats=st.booleans(), k=st.integers(1, 9))
def test_ranks(kind: type, pairs: list[Any], floats: bool, k: int) -> None:
    graph = made(kind, pairs, floats=floats)
    for weight in (None, "weight"):
        close(
            asked("pagerank", graph, weight=weight, tol=1e-10, max_iter=500),
            nx.pagerank(graph, weight=weight, tol=1e-10, max_iter=500),
        )
        for normalized in (True, False):
            close(
                asked("betweenness_centrality", graph, weight=weight, normalized=normalized),
                nx.betweenness_centrality(graph, weight=weight, normalized=normalized),
            )
    drawn = random.Random(5)
    close(
        asked("betweenness_centrality", graph, k=k, seed=drawn), nx.betweenness_centrality(graph, k=k, seed=5)
    )
    names = ["degree_centrality"]
    if graph.is_directed():
        names += ["in_degree_centrality", "out_degree_centrality"]
    for name in names:
        close(asked(name, graph), getattr(nx, name)(graph))
    if not graph.is_directed():
        found = asked("louvain_communities", graph, seed=drawn)
        assert nx.community.is_partition(graph, found)
        if graph.number_of_edges():
            alone = nx.community.modularity(graph, [{node} for node in graph])
            assert nx.community.modularity(graph, found) >= alone - 1e-9


def test_communities_are_as_good_as_those_of_networkx() -> None:
    graph = nx.LFR_benchmark_graph(250, 3, 1.5, 0.009, average_degree=5, min_community=20, seed=10)
    ours, theirs = (
        np.mean([nx.community.modularity(graph, found(seed)) for seed in range(5)])
        for found in (
            lambda seed: asked("louvain_communities", graph, seed=random.Random(seed)),
            lambda seed: nx.community.louvain_communities(graph, seed=seed),
        )
    )
    assert ours > theirs - 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_a_graph_there_and_back(kind: type) -> None:
    graph = made(kind, [(0, 1, 2), (1, 1, 3), (1, 2, 1), (1, 2, 5), (2, 0, 4)])
    back = converted(graph, {"weight": 1, "none": 7}).to_networkx()
    assert type(back) is kind
    assert list(back) == list(graph)
    assert sorted(back.edges(data="weight")) == sorted(graph.edges(data="weight"))
    assert {held["none"] for _, _, held in back.edges(data=True)} == {7}
    held = backend.convert_from_nx(graph)
    assert isinstance(held, LumaGraph)
    assert backend.convert_from_nx(held) is held
    assert (len(held), held.number_of_edges()) == (9, graph.number_of_edges())
    assert "n1" in held
    assert [] not in held


@pytest.mark.parametrize(
    ("name", "arguments", "reason"),
    [
        ("pagerank", {"personalization": {0: 1}}, "personalization"),
        ("pagerank", {"weight": lambda *_: 1}, "attribute"),
        ("betweenness_centrality", {"endpoints": True}, "endpoints"),
        ("shortest_path_length", {"method": "bellman-ford"}, "bellman-ford"),
        ("clustering", {"weight": "weight"}, "weighted"),
        ("louvain_communities", {"max_level": 2}, "max_level"),
    ],
)
def test_what_is_left_to_networkx(name: str, arguments: dict[str, Any], reason: str) -> None:
    assert reason in str(backend.can_run(name, (nx.path_graph(3),), arguments))
    assert backend.can_run(name, (nx.path_graph(3),), {}) is True


def test_directed_clusters_cores_and_communities_are_left_to_networkx() -> None:
    graph = nx.DiGraph([(0, 1)])
    for name in ("clustering", "transitivity", "core_number", "louvain_communities"):
        assert "directed" in str(backend.can_run(name, (graph,), {}))


def test_multigraphs_have_no_clusters() -> None:
    graph = nx.MultiGraph([(0, 1)])
    for name in ("clustering", "average_clustering", "transitivity"):
        assert "multigraph" in str(backend.can_run(name, (graph,), {}))
    assert "multigraph" in str(backend.can_run("triangles", (graph, 0), {}))


@pytest.mark.parametrize("weight", [-1, float("nan"), "x", 2**60])
def test_weights_that_kernels_do_not_take(weight: object) -> None:
    graph = nx.Graph([(0, 1, {"weight": weight})])
    with pytest.raises(NotImplementedError):
        asked("single_source_dijkstra_path_length", graph, 0)


def test_small_graphs_are_not_taken_unasked() -> None:
    assert "small" in str(backend.should_run("pagerank", (nx.path_graph(3),), {}))
    assert backend.should_run("pagerank", (nx.path_graph(2000),), {}) is True


def test_what_is_said_is_offered_and_takes_the_same_arguments() -> None:
    assert set(get_info()["functions"]) == set(OFFERED)
    registered = nx.utils.backends._registered_algorithms
    for name in OFFERED:
        theirs = inspect.signature(registered[name].orig_func).parameters
        ours = inspect.signature(getattr(backend, name)).parameters
        assert [(item.name, item.default) for item in ours.values()] == [
            (item.name, item.default) for item in theirs.values()
        ], name
    assert not hasattr(backend, "no_such_function")


ENTRY_POINTS = {
    "networkx.backends": "luma_bench.connect.networkx:backend",
    "networkx.backend_info": "luma_bench.connect.networkx_info:get_info",
}


def test_the_package_says_so_to_networkx(repository: Path) -> None:
    told = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    for group, target in ENTRY_POINTS.items():
        assert told[group] == {"luma": target}
        module, _, name = target.partition(":")
        assert hasattr(importlib.import_module(module), name)


def environment(folder: Path) -> dict[str, str]:
    """An environment where networkx finds the backend, in a checkout that is installed from before it, too."""
    held = dict(os.environ)
    if not importlib.metadata.entry_points(group="networkx.backends", name="luma"):
        told = folder / "told-0.0.0.dist-info"
        told.mkdir(exist_ok=True)
        (told / "METADATA").write_text("Metadata-Version: 2.1\nName: told\nVersion: 0.0.0\n")
        lines = [f"[{group}]\nluma = {target}\n" for group, target in ENTRY_POINTS.items()]
        (told / "entry_points.txt").write_text("\n".join(lines))
        held["PYTHONPATH"] = os.pathsep.join([str(folder), held.get("PYTHONPATH", "")])
    return held


def test_networkx_hands_over_and_takes_back(tmp_path: Path) -> None:
    script = """
import networkx as nx
graph = nx.gnm_random_graph(50, 120, seed=1)
nx.config.warnings_to_ignore.add("cache")
assert nx.triangles(graph, backend="luma") == nx.triangles(graph, backend="networkx")
assert nx.number_connected_components(graph, backend="luma") == nx.number_connected_components(graph, backend="networkx")
held = nx.utils.backends._load_backend("luma").convert_from_nx(graph)
assert nx.core_number(held) == nx.core_number(graph, backend="networkx")
with nx.config(fallback_to_nx=True):
    assert nx.is_tree(nx.utils.backends._load_backend("luma").convert_from_nx(nx.path_graph(4)))
assert "luma_bench.bench" not in __import__("sys").modules
print("ok")
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(tmp_path), check=False
    )
    assert ran.stdout.strip() == "ok", ran.stderr


MODULES = {
    "link_analysis.tests.test_pagerank": (50, ()),
    "shortest_paths.tests.test_unweighted": (17, ()),
    "shortest_paths.tests.test_generic": (29, ()),
    "shortest_paths.tests.test_weighted": (57, ()),
    "components.tests.test_connected": (9, ()),
    "components.tests.test_weakly_connected": (7, ()),
    # It takes the order of components for granted.
    "components.tests.test_strongly_connected": (12, ("test_condensation_mapping_and_members",)),
    "tests.test_cluster": (56, ()),
    "tests.test_core": (25, ()),
    "tests.test_dag": (77, ()),
    "centrality.tests.test_betweenness_centrality": (75, ()),
    "centrality.tests.test_degree_centrality": (7, ()),
    # They take for granted which of several good partitions a seed of networkx leads to.
    "community.tests.test_louvain": (
        12,
        (
            "test_karate_club_partition",
            "test_undirected_selfloops",
            "test_none_weight_param",
            "test_petersen",
        ),
    ),
}
"""Modules of networkx's suite that use what is offered: how many pass, and the names of those that do not."""


@pytest.mark.slow
@pytest.mark.parametrize("module", MODULES)
def test_the_suite_of_networkx_through_the_backend(module: str, tmp_path: Path) -> None:
    least, known = MODULES[module]
    held = environment(tmp_path) | {"NETWORKX_TEST_BACKEND": "luma", "NETWORKX_FALLBACK_TO_NX": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts="]
    command += ["--pyargs", f"networkx.algorithms.{module}"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=held, check=False)
    failed = set(re.findall(r"^FAILED \S*::(\w+)", ran.stdout, re.MULTILINE))
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert failed <= set(known), ran.stdout[-4000:]
    assert passed is not None, ran.stdout + ran.stderr
    assert int(passed[1]) >= least
