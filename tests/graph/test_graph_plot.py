"""Drawings of graphs: where vertices stand, what is said of them, and what happens to graphs that are too large."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.errors import SchemaError
from luma_bench.plot import PlotError, graph_layout
from luma_bench.plot.graph import Drawn, GraphChart, graph_chart
from luma_bench.plot.graph_part import connected_part


def ends(graph: nx.Graph) -> tuple[np.ndarray, np.ndarray]:
    numbered = nx.convert_node_labels_to_integers(graph)
    pairs = np.array([edge[:2] for edge in numbered.edges], np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def drawn(graph: nx.Graph, **columns: Any) -> Drawn:
    names = [str(node) for node in graph]
    return Drawn(pa.table({"id": names, **columns}), names, *ends(graph), directed=graph.is_directed())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "g.luma") as opened:
        yield opened


GRAPHS = {
    "grid": nx.grid_2d_graph(12, 12),
    "large": nx.barabasi_albert_graph(700, 2, seed=1),
    "parts": nx.gnm_random_graph(120, 60, seed=2),
    "one": nx.empty_graph(1),
    "two": nx.path_graph(2),
    "none": nx.empty_graph(0),
    "loops": nx.Graph([(0, 0), (1, 1)]),
    "complete": nx.complete_graph(40),
}


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("layout", ["spring", "circle", "tree"])
def test_every_vertex_has_a_place_of_its_own(name: str, layout: str) -> None:
    graph = GRAPHS[name]
    lay = getattr(graph_layout, layout)
    at = lay(len(graph), *ends(graph))
    assert at.shape == (len(graph), 2)
    assert np.isfinite(at).all()
    assert len(np.unique(at.round(6), axis=0)) == len(graph)
    assert np.array_equal(at, lay(len(graph), *ends(graph)))


def test_forces_bring_neighbours_together() -> None:
    graph = nx.connected_caveman_graph(8, 7)
    at = graph_layout.spring(len(graph), *ends(graph))
    source, target = ends(graph)
    near = np.linalg.norm(at[source] - at[target], axis=1).mean()
    chance = np.random.default_rng(1).permutation(len(graph))
    assert near < np.linalg.norm(at - at[chance], axis=1).mean() / 4


def test_components_do_not_overlap() -> None:
    graph = nx.disjoint_union(nx.complete_graph(9), nx.cycle_graph(9))
    at = graph_layout.spring(18, *ends(graph))
    one, other = at[:9], at[9:]
    apart = (one.max(axis=0) < other.min(axis=0)) | (other.max(axis=0) < one.min(axis=0))
    assert apart.any()


def test_a_tree_has_its_root_on_top_and_a_layer_for_each_depth() -> None:
    graph = nx.balanced_tree(2, 3, create_using=nx.DiGraph)
    at = graph_layout.tree(15, *ends(graph))
    heights = np.unique(at[:, 1].round(6))
    assert len(heights) == 4
    assert at[0, 1] == at[:, 1].max()
    assert at[0, 0] == pytest.approx((at[1, 0] + at[2, 0]) / 2)


def test_auto_chooses() -> None:
    assert graph_chart(drawn(nx.balanced_tree(2, 3))).picture.axes is None
    placed = drawn(nx.cycle_graph(4), Longitude=[0.0, 10.0, 10.0, 0.0], lat=[60.0, 60.0, 50.0, 50.0])
    made = graph_chart(placed).picture
    assert made.axes == ("longitude", "latitude")
    assert made.at.tolist() == [[0, 60], [10, 60], [10, 50], [0, 50]]
    assert made.aspect == pytest.approx(1 / np.cos(np.radians(55)))


def test_vertices_without_coordinates_are_left_out_and_told() -> None:
    placed = drawn(nx.path_graph(3), lon=[1.0, None, 3.0], lat=[1.0, 2.0, 3.0])
    made = graph_chart(placed)
    assert len(made.picture.at) == 2
    assert len(made.picture.source) == 0
    assert "1 vertices without coordinates left out" in made.picture.notes
    with pytest.raises(PlotError, match="longitude and latitude"):
        graph_chart(drawn(nx.path_graph(3)), layout="geo")


def test_parallel_edges_are_one_line_and_told() -> None:
    many = nx.MultiDiGraph([(0, 1), (0, 1), (1, 0), (1, 1)])
    made = graph_chart(drawn(many)).picture
    assert sorted(zip(made.source.tolist(), made.target.tolist(), made.times.tolist(), strict=True)) == [
        (0, 1, 2), (1, 0, 1), (1, 1, 1),
    ]  # fmt: skip
    assert made.notes == ("4 edges as 3 lines: parallel ones are one",)
    both = graph_chart(drawn(nx.MultiGraph([(0, 1), (1, 0)]))).picture
    assert both.times.tolist() == [2]
    assert not both.arrows


def test_colours_sizes_and_labels() -> None:
    graph = nx.star_graph(3)
    made = graph_chart(
        drawn(graph, kind=["x", "y", "x", None], n=[1, 2, 3, None], said=["a", "b", "c", None]),
        color="kind",
        size="n",
        label="said",
    ).picture
    assert [name for name, _ in made.fill.legend] == ["x", "NULL", "y"]
    assert made.fill.values[0] == made.fill.values[2] != made.fill.values[1]
    assert made.shown == ("a", "b", "c", "")
    assert made.radius[2] == made.radius.max()
    assert "1 vertices without n drawn smallest" in made.notes
    shaded = graph_chart(drawn(graph, n=[0, 5, 10, None]), color="n").picture
    assert shaded.fill.reach == (0, 10)
    with pytest.raises(SchemaError, match="no column 'z'"):
        graph_chart(drawn(graph), color="z")
    with pytest.raises(PlotError, match="colours can be told apart"):
        graph_chart(drawn(nx.path_graph(9), c=list("abcdefghi")), color="c")
    with pytest.raises(PlotError, match="not a number"):
        graph_chart(drawn(graph), size="id")
    with pytest.raises(PlotError, match="layout"):
        graph_chart(drawn(graph), layout="square")


def test_edges_of_several_labels_have_colours() -> None:
    many = Drawn(
        pa.table({"id": ["a", "b"]}), ["a", "b"], np.array([0, 0, 1]), np.array([1, 1, 0]), ["x", "y", "y"]
    )
    made = graph_chart(many).picture
    assert [name for name, _ in made.lines.legend] == ["y", "x"]
    assert len(made.source) == 3


def test_what_would_show_nothing_is_refused() -> None:
    pairs = np.random.default_rng(0).integers(0, 1000, (2, 30_000))
    with pytest.raises(PlotError, match="20,000 marks"):
        graph_chart(Drawn(pa.table({"id": range(1000)}), [str(i) for i in range(1000)], *pairs))


def test_the_most_connected_part() -> None:
    clique = nx.disjoint_union(nx.star_graph(200), nx.complete_graph(20))
    assert connected_part(len(clique), *ends(clique), 300).all()
    chosen = connected_part(len(clique), *ends(clique), 20)
    assert np.flatnonzero(chosen).tolist() == list(range(201, 221))
    dense = np.array([(i, j) for i in range(400) for j in range(i)])
    part = connected_part(400, dense[:, 0], dense[:, 1], 2000)
    assert 130 <= part.sum() <= 145  # 2 · n(n-1)/2 + n of them are 20,000


def test_svg_and_plotly_say_the_same_and_escape() -> None:
    graph = nx.DiGraph([("<b>&", "two"), ("two", "two"), ("two", "<b>&")])
    made = graph_chart(drawn(graph, kind=["<i>", "k"]), color="kind", title="T <x>")
    root = ET.fromstring(made.svg)
    texts = [item.text for item in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"T <x>", "<b>&", "two", "<i>", "k"} <= set(texts)
    figure = json.loads(str(made.figure.to_json()))
    points = [trace for trace in figure["data"] if trace.get("mode") == "markers+text"]
    assert sorted(text for trace in points for text in trace["text"]) == ["&lt;b&gt;&amp;", "two"]
    arrows = [trace for trace in figure["data"] if trace.get("marker", {}).get("symbol") == "arrow"]
    assert len(arrows) == 1
    bundle = made._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml", "application/vnd.plotly.v1+json"}
    assert repr(made) == "GraphChart(2 vertices, 3 lines)"


def test_an_empty_drawing_is_one() -> None:
    made = graph_chart(drawn(nx.empty_graph(0)))
    assert ET.fromstring(made.svg) is not None
    assert made.figure is not None


# --- of a bench ---


def test_a_graph_draws_itself(bench: lb.Bench) -> None:
    club = lb.Graph.from_networkx(bench, "club", nx.karate_club_graph())
    made = club.plot(color="club", directed=False)
    assert isinstance(made, GraphChart)
    assert (len(made.picture.at), len(made.picture.source)) == (34, 78)
    assert [name for name, _ in made.picture.fill.legend] == ["Mr. Hi", "Officer"]
    assert "club: Mr. Hi" in made.picture.details[0]
    assert re.search(r"<title>0 · 16 edges", made.svg)


def test_a_large_graph_is_drawn_in_part_and_says_so(bench: lb.Bench) -> None:
    graph = lb.Graph.from_networkx(bench, "g", nx.disjoint_union(nx.star_graph(60), nx.complete_graph(10)))
    made = graph.plot(limit=10)
    assert sorted(map(int, made.picture.names)) == list(range(61, 71))
    assert made.picture.notes[0].startswith("the 10 most connected of 71 vertices")
    assert len(graph.subgraph([0, 1, 2]).plot().picture.source) == 2


def test_several_tables_are_coloured_by_label(bench: lb.Bench) -> None:
    bench.write("people", {"id": [1, 2]}, primary_key="id")
    bench.write("posts", {"id": [1]}, primary_key="id")
    bench.write("likes", {"who": [2], "what": [1]})
    bench.kadeql(
        "CREATE PROPERTY GRAPH social VERTEX TABLES (people LABEL person, posts LABEL post) EDGE TABLES "
        "(likes SOURCE KEY (who) REFERENCES people (id) DESTINATION KEY (what) REFERENCES posts (id))"
    )
    made = bench.graph("social").plot().picture
    assert [name for name, _ in made.fill.legend] == ["person", "post"]
    assert made.names == ("1", "2", "1")
