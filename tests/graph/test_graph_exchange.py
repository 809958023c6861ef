"""Graphs from networkx, edge lists and GraphML, and back: every node, edge and attribute, in one snapshot."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import luma_bench as lb
from luma_bench.bench.graph import exchange
from luma_bench.errors import CatalogError, LumaError, SchemaError, UnsupportedError


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "g.luma") as opened:
        yield opened


def same(one: nx.Graph, other: nx.Graph) -> bool:
    """Nodes, edges and attributes, in any order; an attribute that is None counts as missing, and 1 is 1.0."""

    def plain(held: dict[str, Any]) -> list[tuple[str, Any]]:
        return sorted(
            (name, float(value) if type(value) is int else value)
            for name, value in held.items()
            if value is not None
        )

    def edges(graph: nx.Graph) -> list[str]:
        listed = graph.edges(keys=True, data=True) if graph.is_multigraph() else graph.edges(data=True)
        ends = tuple if graph.is_directed() else sorted
        return sorted(repr((tuple(ends(edge[:2])), edge[2:-1], plain(edge[-1]))) for edge in listed)

    nodes = [{node: plain(held) for node, held in graph.nodes(data=True)} for graph in (one, other)]
    return nodes[0] == nodes[1] and edges(one) == edges(other)


def test_a_graph_of_networkx_becomes_two_tables_and_a_graph_in_one_snapshot(bench: lb.Bench) -> None:
    before = len(bench.snapshots())
    club = nx.karate_club_graph()
    graph = lb.Graph.from_networkx(bench, "club", club)
    assert len(bench.snapshots()) == before + 1
    assert bench.tables() == ["club_edges", "club_vertices"]
    assert bench.graphs() == ["club"]
    back = graph.to_networkx(directed=False, multigraph=False)
    assert same(club, back)
    assert bench.kadeql("SELECT club FROM club_vertices WHERE id = 0").to_arrow().to_pylist() == [
        {"club": "Mr. Hi"}
    ]


def test_keys_of_several_columns_parallel_edges_loops_and_lone_nodes(bench: lb.Bench) -> None:
    given_graph = nx.MultiDiGraph()
    given_graph.add_edge((1, "a"), (2, "b"), key="k", w=1)
    given_graph.add_edge((1, "a"), (2, "b"), key="l", w=2.5)
    given_graph.add_edge((2, "b"), (2, "b"), key="k")
    given_graph.add_node((9, "z"), since=dt.date(2020, 2, 29), tags=["x", "y"])
    graph = lb.Graph.from_networkx(bench, "m", given_graph)
    assert graph.definition.vertices[0].key == ("id_1", "id_2")
    assert same(given_graph, graph.to_networkx())
    simple = graph.to_networkx(multigraph=False)
    assert sorted(simple.edges) == [((1, "a"), (2, "b")), ((2, "b"), (2, "b"))]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.sampled_from(["int", "str", "tuple"]),
    kind=st.sampled_from([nx.Graph, nx.DiGraph, nx.MultiGraph, nx.MultiDiGraph]),
    pairs=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=15),
    values=st.lists(
        st.one_of(st.none(), st.integers(-5, 5), st.floats(allow_nan=False, width=32)), max_size=15
    ),
)
def test_any_graph_comes_back(
    bench: lb.Bench, keys: str, kind: type, pairs: list[Any], values: list[Any]
) -> None:
    name = {"int": int, "str": lambda i: f"n'{i}\"", "tuple": lambda i: (i, f"t{i}")}[keys]
    given_graph = kind()
    given_graph.add_nodes_from((name(i), {"v": values[i]} if i < len(values) else {}) for i in range(8))
    for (one, other), value in zip(pairs, [*values, *[None] * 15], strict=False):
        given_graph.add_edge(name(one), name(other), value=value)
    graph = lb.Graph.from_networkx(bench, "g", given_graph, mode="replace")
    back = graph.to_networkx(directed=given_graph.is_directed(), multigraph=given_graph.is_multigraph())
    assert same(given_graph, back)


def test_an_empty_graph(bench: lb.Bench) -> None:
    assert len(lb.Graph.from_networkx(bench, "none", nx.Graph()).to_networkx()) == 0
    assert len(lb.Graph.from_networkx(bench, "multi", nx.MultiGraph()).to_networkx()) == 0


def test_properties_are_chosen(bench: lb.Bench) -> None:
    given_graph = nx.DiGraph([(1, 2, {"w": 3, "note": "x"})])
    given_graph.nodes[1].update(a=1, b=2)
    graph = lb.Graph.from_networkx(bench, "g", given_graph)
    chosen = graph.to_networkx(properties=["a"], edge_properties=["w"])
    assert (chosen.nodes[1], chosen.nodes[2]) == ({"a": 1}, {})
    assert list(chosen.edges(data=True)) == [(1, 2, {"w": 3})]
    bare = graph.to_networkx(properties=False)
    assert list(bare.edges(data=True)) == [(1, 2, {})]
    with pytest.raises(SchemaError, match="no property 'c'"):
        graph.to_networkx(properties=["c"])


def test_null_and_unknown_ends_are_no_edges(bench: lb.Bench) -> None:
    bench.write("places", {"id": ["a", "b"], "n": [1, 2]}, primary_key="id")
    bench.write("ways", {"s": ["a", None, "b", "x", "a"], "d": ["b", "a", None, "a", "a"]})
    bench.kadeql(
        "CREATE PROPERTY GRAPH g VERTEX TABLES (places KEY (id)) EDGE TABLES (ways SOURCE KEY (s) REFERENCES places (id) "
        "DESTINATION KEY (d) REFERENCES places (id))"
    )
    assert sorted(bench.graph("g").to_networkx().edges()) == [("a", "a"), ("a", "b")]
    assert sorted(bench.graph().subgraph(["a"]).to_networkx().edges()) == [("a", "a")]


def test_several_tables(bench: lb.Bench) -> None:
    bench.write("people", {"id": [1, 2], "name": ["Ada", "Ben"]}, primary_key="id")
    bench.write("posts", {"id": [1], "text": ["hello"]}, primary_key="id")
    bench.write("knows", {"a": [1], "b": [2]})
    bench.write("likes", {"who": [2], "what": [1], "since": [2020]})
    bench.kadeql(
        "CREATE PROPERTY GRAPH social VERTEX TABLES (people LABEL person, posts LABEL post) EDGE TABLES ("
        "knows SOURCE KEY (a) REFERENCES people (id) DESTINATION KEY (b) REFERENCES people (id), "
        "likes SOURCE KEY (who) REFERENCES people (id) DESTINATION KEY (what) REFERENCES posts (id) LABEL likes)"
    )
    graph = bench.graph("social")
    made = graph.to_networkx()
    assert made.nodes[("people", 1)] == {"name": "Ada"}
    assert list(made.edges(data=True)) == [
        (("people", 1), ("people", 2), {"label": "knows"}),
        (("people", 2), ("posts", 1), {"since": 2020, "label": "likes"}),
    ]
    part = graph.subgraph({"people": [2], "posts": [1]})
    assert (part.vertices, part.edges) == (2, 1)
    with pytest.raises(SchemaError, match="2 vertex tables"):
        graph.subgraph([1])
    assert graph.subgraph([1, 2], table="people").edges == 1


def test_policies_hold(bench: lb.Bench) -> None:
    lb.Graph.from_networkx(bench, "g", nx.path_graph(4, create_using=nx.DiGraph))
    bench.kadeql("CREATE ROW POLICY low ON g_vertices USING id < 2 TO analyst")
    bench.kadeql("CREATE ROW POLICY whole ON g_edges USING TRUE TO analyst")
    guest = bench.acting_as(lb.Identity("ada", roles=("analyst",)))
    assert sorted(guest.graph("g").to_networkx().edges()) == [(0, 1)]


def test_a_graph_reads_its_snapshot(bench: lb.Bench) -> None:
    graph = lb.Graph.from_networkx(bench, "g", nx.path_graph(3))
    bench.kadeql("DELETE FROM g_edges")
    assert graph.to_networkx().number_of_edges() == 2
    assert bench.graph("g").to_networkx().number_of_edges() == 0
    assert bench.graph("g", at=graph.snapshot).to_networkx().number_of_edges() == 2


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (nx.Graph([(1, "a")]), "int, str"),
        (nx.Graph([((1, 2), (1, 2, 3))]), "another length"),
        (nx.Graph([(1, 2, {"x": 1}), (2, 3, {"x": "y"})]), "attribute 'x' of the edges"),
        (nx.Graph([(1, 2, {"source": 1})]), "key column"),
        (nx.Graph([(1, 2, {7: 1})]), "named 7"),
        (nx.Graph([(frozenset([1]), frozenset([2]))]), "no key column"),
    ],
)
def test_what_makes_no_column_is_said(bench: lb.Bench, made: nx.Graph, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        lb.Graph.from_networkx(bench, "g", made)
    assert bench.tables() == []


def test_create_refuses_and_replace_replaces(bench: lb.Bench) -> None:
    lb.Graph.from_networkx(bench, "g", nx.path_graph(3))
    with pytest.raises(CatalogError):
        lb.Graph.from_networkx(bench, "g", nx.path_graph(4))
    assert len(lb.Graph.from_networkx(bench, "g", nx.path_graph(4), mode="replace").to_networkx()) == 4
    with pytest.raises(SchemaError, match="append"):
        lb.Graph.from_networkx(bench, "g", nx.path_graph(4), mode="append")  # pyright: ignore[reportArgumentType]


def test_inside_a_transaction_everything_or_nothing(bench: lb.Bench) -> None:
    with bench.transaction() as tx:
        lb.Graph.from_networkx(bench, "g", nx.path_graph(3))
        assert bench.graph("g").to_networkx().number_of_edges() == 2
        tx.rollback()
    assert bench.tables() == bench.graphs() == []


# --- edge lists ---


def edge_files(folder: Path) -> dict[str, tuple[Any, dict[str, Any]]]:
    """The same two edges in every form."""
    rows = pa.table({"source": [1, 2], "destination": [2, 3], "weight": [0.5, 1.0]})
    (folder / "a.csv").write_text("source,destination,weight\n1,2,0.5\n2,3,1.0\n")
    (folder / "b.tsv").write_text("1\t2\t0.5\n2\t3\t1.0\n")
    (folder / "c.txt").write_text("# a comment\n1  2 0.5\n 2\t3   1.0\n")
    with gzip.open(folder / "d.edges.gz", "wt") as file:
        file.write("% another\n1 2 0.5\n2 3 1\n")
    pq.write_table(rows, folder / "e.parquet")
    return {
        "csv": (folder / "a.csv", {}),
        "tsv": (
            folder / "b.tsv",
            {"options": {"header": False, "names": ["source", "destination", "weight"]}},
        ),
        "blanks": (folder / "c.txt", {}),
        "compressed": (folder / "d.edges.gz", {}),
        "parquet": (str(folder / "e.parquet"), {}),
        "arrow": (rows, {}),
        "pandas": (rows.to_pandas(), {}),
        "columns": (rows.to_pydict(), {}),
    }


@pytest.mark.parametrize(
    "form", ["csv", "tsv", "blanks", "compressed", "parquet", "arrow", "pandas", "columns"]
)
def test_edges_of_every_form(bench: lb.Bench, tmp_path: Path, form: str) -> None:
    data, more = edge_files(tmp_path)[form]
    made = lb.Graph.from_edges(bench, "g", data, **more).to_networkx()
    assert sorted(made.edges(data="weight")) == [(1, 2, 0.5), (2, 3, 1.0)]
    assert bench.kadeql("FROM g_vertices").to_arrow().to_pydict() == {"id": [1, 2, 3]}


def test_edges_over_stored_tables_stay_there(bench: lb.Bench) -> None:
    bench.write("ways", {"to": ["b", "c"], "from": ["a", "b"], "n": [1, 2]})
    bench.write("places", {"name": ["a", "b", "c", "d"]}, primary_key="name")
    graph = lb.Graph.from_edges(
        bench, "g", "ways", source="from", destination="to", vertices="places", edge_label="way"
    )
    assert bench.tables() == ["places", "ways"]
    assert sorted(graph.to_networkx().edges()) == [("a", "b"), ("b", "c")]
    assert len(graph.to_networkx()) == 4
    assert graph.definition.edge_labels == ("way",)


def test_vertices_beside_the_edges(bench: lb.Bench) -> None:
    people = pd.DataFrame({"name": ["Ada", "Ben"], "id": [1, 2]})
    graph = lb.Graph.from_edges(bench, "g", {"a": [1], "b": [2]}, vertices=people, vertex_key="id")
    assert graph.to_networkx().nodes(data=True)[1] == {"name": "Ada"}
    keyed = lb.Graph.from_edges(
        bench, "k", {"a": [1, 2], "b": ["x", "y"], "c": [2, 2], "d": ["y", "y"]},
        source=["a", "b"], destination=["c", "d"],
    )  # fmt: skip
    assert sorted(keyed.to_networkx().edges()) == [((1, "x"), (2, "y")), ((2, "y"), (2, "y"))]


def test_edges_that_cannot_be_read(bench: lb.Bench, tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("1 2\n3 4 5 6\n")
    (tmp_path / "one.csv").write_text("a\n1\n")
    for data, more, message in [
        (tmp_path / "none.txt", {}, "no file"),
        (tmp_path / "none.csv", {}, "no file"),
        (tmp_path / "one.csv", {}, "need two"),
        ({"a": [1], "b": [2]}, {"source": "a"}, "one of them is named"),
        ({"a": [1], "b": [2]}, {"source": "a", "destination": "z"}, "no column 'z'"),
        ({"a": [1], "b": [2]}, {"source": ["a", "b"], "destination": "a"}, "2 and 1 columns"),
        ({"a": [1], "b": [2]}, {"vertices": "nowhere"}, "nowhere"),
    ]:
        with pytest.raises(LumaError, match=message):
            lb.Graph.from_edges(bench, "g", data, **more)
    assert bench.tables() == bench.graphs() == []


# --- GraphML ---


def test_graphml_there_and_back(bench: lb.Bench, tmp_path: Path) -> None:
    given_graph = nx.DiGraph()
    given_graph.add_node("a", n=1, x=0.5, ok=True, said="<&\"'>é")
    given_graph.add_edge("a", "b", w=2)
    given_graph.add_edge("b", "b", w=3)
    graph = lb.Graph.from_networkx(bench, "g", given_graph)
    graph.to_graphml(tmp_path / "g.graphml")
    assert same(
        given_graph, lb.Graph.from_graphml(bench, "h", tmp_path / "g.graphml").to_networkx(multigraph=False)
    )
    assert [path.name for path in tmp_path.glob("*.part")] == []


def test_graphml_of_values_that_it_does_not_know(bench: lb.Bench, tmp_path: Path) -> None:
    given_graph = nx.MultiDiGraph()
    given_graph.add_node((1, "a"), day=dt.date(2020, 1, 2), d=decimal.Decimal("1.5"), tags=["x"], raw=b"\x01")
    given_graph.add_edge((1, "a"), (1, "a"))
    lb.Graph.from_networkx(bench, "g", given_graph).to_graphml(tmp_path / "g.graphml")
    read = nx.read_graphml(tmp_path / "g.graphml")
    assert list(read.nodes(data=True)) == [
        ('[1, "a"]', {"day": "2020-01-02", "d": 1.5, "tags": '["x"]', "raw": "01"})
    ]


def test_parallel_edges_without_a_key_have_ids_of_their_own(bench: lb.Bench, tmp_path: Path) -> None:
    graph = lb.Graph.from_edges(bench, "g", {"a": [1, 1, 2], "b": [2, 2, 3]})
    graph.to_graphml(tmp_path / "g.graphml")
    text = (tmp_path / "g.graphml").read_text()
    assert [text.count(f'id="{number}"') for number in range(3)] == [
        1,
        2,
        2,
    ]  # nodes 1, 2 and 3 have those, too


def test_control_characters_have_no_place_in_graphml(bench: lb.Bench, tmp_path: Path) -> None:
    graph = lb.Graph.from_networkx(bench, "g", nx.Graph([("a", "b", {"t": "\x01"})]))
    with pytest.raises(SchemaError, match="control"):
        graph.to_graphml(tmp_path / "g.graphml")
    assert list(tmp_path.glob("*.graphml*")) == list(tmp_path.glob(".*.part")) == []


BOMB = "<!DOCTYPE g [<!ENTITY a 'xxxxxxxxxx'><!ENTITY b '&a;&a;&a;&a;'>]>"
OUTSIDE = "<!DOCTYPE g [<!ENTITY a SYSTEM 'file:///etc/hostname'>]>"
PARAMETER = "<!DOCTYPE g [<!ENTITY % a SYSTEM 'file:///etc/hostname'>]>"


@pytest.mark.parametrize("declared", [BOMB, OUTSIDE, PARAMETER])
def test_entities_are_refused(bench: lb.Bench, tmp_path: Path, declared: str) -> None:
    file = tmp_path / "bad.graphml"
    file.write_text(f"<?xml version='1.0'?>{declared}<graphml><graph><node id='&a;'/></graph></graphml>")
    with pytest.raises(SchemaError, match="entity"):
        lb.Graph.from_graphml(bench, "g", file)
    assert bench.tables() == []


def test_what_is_no_graphml(bench: lb.Bench, tmp_path: Path) -> None:
    (tmp_path / "a.graphml").write_text("<graphml><graph>")
    (tmp_path / "b.graphml").write_text("<html></html>")
    with pytest.raises(SchemaError, match="no XML"):
        lb.Graph.from_graphml(bench, "g", tmp_path / "a.graphml")
    with pytest.raises(SchemaError, match="no GraphML"):
        lb.Graph.from_graphml(bench, "g", tmp_path / "b.graphml")
    with pytest.raises(CatalogError, match="no file"):
        lb.Graph.from_graphml(bench, "g", tmp_path / "c.graphml")


def test_without_networkx_the_extra_is_named(bench: lb.Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = lb.Graph.from_edges(bench, "g", {"a": [1], "b": [2]})
    monkeypatch.setitem(__import__("sys").modules, "networkx", None)
    with pytest.raises(UnsupportedError, match=r"luma-bench\[graph\]"):
        exchange.networkx_module()
    with pytest.raises(UnsupportedError):
        graph.to_networkx()
