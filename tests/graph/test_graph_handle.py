"""`bench.graph(…)`: patterns, neighbours, paths and algorithms from Python, against networkx."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from thorough import drawn

import luma_bench as lb
from luma_bench.bench.graph.pattern_text import on_graph
from luma_bench.errors import (
    CatalogError,
    KadeQLBindError,
    KadeQLError,
    KadeQLSyntaxError,
    SchemaError,
    UnsupportedError,
)

Bench = lb.Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with lb.open(tmp_path / "g.luma") as opened:
        yield opened


@pytest.fixture
def air(bench: Bench) -> lb.Graph:
    """Four cities and a lone one, with a loop and parallel flights."""
    bench.write(
        "cities", {"code": ["a", "b", "c", "d", "e"], "people": [1, 2, 3, 4, None]}, primary_key="code"
    )
    bench.write(
        "flights",
        {
            "number": [1, 2, 3, 4, 5, 6, 7],
            "s": ["a", "b", "a", "c", "d", "e", "a"],
            "d": ["b", "c", "c", "d", "a", "e", "b"],
            "km": [1.0, 2.0, 5.0, 1.0, 1.0, 1.0, 9.0],
        },
    )
    bench.kadeql(
        "CREATE PROPERTY GRAPH air VERTEX TABLES (cities KEY (code) LABEL city) EDGE TABLES (flights KEY (number) "
        "SOURCE KEY (s) REFERENCES cities (code) DESTINATION KEY (d) REFERENCES cities (code) LABEL flight)"
    )
    return bench.graph("air")


def rows(result: lb.Result) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in result.to_arrow().to_pylist()]


# --- what it is ---


def test_what_a_graph_says_of_itself(bench: Bench, air: lb.Graph) -> None:
    assert (air.name, air.vertex_tables, air.edge_tables) == ("air", ("cities",), ("flights",))
    assert (air.vertices, air.edges) == (5, 7)
    assert air.schema["cities"].field("people").type == pa.int64()
    assert air.schema["flights"].names == ["number", "s", "d", "km"]
    assert air.snapshot == bench.snapshot
    shown = repr(air).splitlines()
    assert shown[0] == f"Graph('air', snapshot {bench.snapshot})"
    assert shown[1].split() == ["(:city)", "5", "rows", "of", "cities", "by", "code:", "code,", "people"]
    assert shown[2].split() == [
        "(:city)-[:flight]->(:city)",
        "7",
        "rows",
        "of",
        "flights",
        "by",
        "number:",
        "number,",
        "s,",
        "d,",
        "km",
    ]
    assert "7 rows of flights by number" in air._repr_html_()


def test_which_graphs_there_are(bench: Bench) -> None:
    assert bench.graphs() == []
    with pytest.raises(CatalogError, match="no property graph"):
        bench.graph()
    lb.Graph.from_networkx(bench, "one", nx.path_graph(2))
    assert bench.graph().name == bench.graph("ONE").name == "one"
    lb.Graph.from_networkx(bench, "two", nx.path_graph(2))
    assert bench.graphs() == ["one", "two"]
    with pytest.raises(CatalogError, match="2 property graphs"):
        bench.graph()
    with pytest.raises(CatalogError, match="Did you mean 'two'"):
        bench.graph("tow")
    with pytest.raises(CatalogError, match="is a table"):
        bench.graph("one_edges")


def test_markup_in_names_is_escaped(bench: Bench) -> None:
    graph = lb.Graph.from_networkx(bench, "<i>", nx.path_graph(2), vertex_label="<b>")
    assert "<i>" not in graph._repr_html_()
    assert "<b>" not in graph._repr_html_()
    assert graph.vertices == 2


def test_a_graph_is_pinned(bench: Bench, air: lb.Graph) -> None:
    bench.kadeql("DELETE FROM flights WHERE number = 3")
    assert air.edges == 7
    assert air.shortest_path("a", "c").nodes == ("a", "c")
    assert bench.graph("air").shortest_path("a", "c").nodes == ("a", "b", "c")
    assert bench.graph("air", at=air.snapshot).edges == 7


def test_an_open_transaction_is_read(bench: Bench, air: lb.Graph) -> None:
    with bench.transaction() as tx:
        tx.kadeql("INSERT INTO flights VALUES (8, 'd', 'e', 1.0)")
        assert bench.graph("air").shortest_path("a", "e").length == 3
        assert air.shortest_path("a", "e") is None
        tx.rollback()
    assert bench.graph("air").shortest_path("a", "e") is None


def test_policies_hold(bench: Bench, air: lb.Graph) -> None:
    bench.kadeql("CREATE ROW POLICY few ON flights USING number <> 3 TO guest")
    bench.kadeql("CREATE ROW POLICY whole ON cities USING TRUE TO guest")
    guest = bench.acting_as(lb.Identity("ada", roles=("guest",)))
    assert guest.graph("air").shortest_path("a", "c").nodes == ("a", "b", "c")
    assert guest.graph("air").edges == 6


# --- match ---


def test_match_adds_what_is_left_out(air: lb.Graph, bench: Bench) -> None:
    lb.Graph.from_networkx(bench, "other", nx.path_graph(3))
    text = "(a:city)-[f]->(b) WHERE a.code = $from RETURN b.code, f.km ORDER BY 2"
    expected = [("b", 1.0), ("c", 5.0), ("b", 9.0)]
    assert rows(air.match(text, {"from": "a"})) == expected
    assert rows(air.match(f"MATCH {text}", {"from": "a"})) == expected
    assert rows(air.match("MATCH (a)-[f]->(b) ON GRAPH air WHERE f.km > 4 RETURN f.number ORDER BY 1")) == [
        (3,),
        (7,),
    ]
    assert rows(air.match("MATCH (a) OPTIONAL MATCH (a)-[f WHERE f.km > 8]->(b) RETURN a.code AS a, b.code AS b ORDER BY 1")) == [
        ("a", "b"), ("b", None), ("c", None), ("d", None), ("e", None),
    ]  # fmt: skip


def test_carets_point_into_the_text_as_it_was_written(air: lb.Graph) -> None:
    for text, wrong in [
        ("(a)-[f]->(b) WHERE a.codex = 'a' RETURN b", "codex"),
        ("(a)-[f]->(b) RETURN b.cod", "cod"),
        ("MATCH (a:town)-[f]->(b) RETURN b", "town"),
        ("(a)-[f]->(b) RETURN a.code, nothing(b)", "nothing"),
    ]:
        with pytest.raises(KadeQLError) as caught:
            air.match(text)
        assert caught.value.text == text
        assert caught.value.span is not None
        assert wrong in text[slice(*caught.value.span)]
    with pytest.raises(KadeQLSyntaxError):
        air.match("")


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.sampled_from(
            ["(a)", "-[e]->", " ", "RETURN a", "WHERE a.x = ')'", "/* ( */", "'RETURN'", "\n", ","]
        ),
        max_size=9,
    )
)
def test_every_place_has_its_way_back(parts: list[str]) -> None:
    text = "(x)" + "".join(parts)
    made = on_graph(text, 'g"g')
    assert made.text.count('ON GRAPH "g""g"') == 1
    added = sum(len(inserted) for _, inserted in made.cuts)
    assert len(made.text) == len(text) + added
    back = [made.back((at, at + 1))[0] for at in range(len(made.text))]
    assert back == sorted(back)
    assert {
        made.text[at] == text[place]
        for at, place in enumerate(back)
        if place < len(text) and back.count(place) == 1
    } <= {True}


# --- neighbours and paths ---


def test_neighbors(air: lb.Graph) -> None:
    assert rows(air.neighbors("a")) == [("b", 1), ("c", 1)]
    assert rows(air.neighbors("a", direction="in")) == [("d", 1)]
    assert rows(air.neighbors("c", direction="both")) == [("a", 1), ("b", 1), ("d", 1)]
    assert rows(air.neighbors("a", k=5)) == [("b", 1), ("c", 1), ("d", 2)]
    assert rows(air.neighbors("a", label="flight")) == [("b", 1), ("c", 1)]
    assert rows(air.neighbors("e")) == []
    assert air.neighbors("a").frame().to_pandas().id.tolist() == ["b", "c"]
    with pytest.raises(CatalogError, match="no vertex 'z'"):
        air.neighbors("z")
    with pytest.raises(KadeQLBindError, match="train"):
        air.neighbors("a", label="train")
    for wrong in ({"k": 0}, {"direction": "up"}, {"table": "towns"}):
        with pytest.raises((SchemaError, CatalogError)):
            air.neighbors("a", **wrong)
    with pytest.raises(SchemaError, match="no key"):
        air.neighbors(("a", "b"))


def test_shortest_path(air: lb.Graph) -> None:
    found = air.shortest_path("a", "d")
    assert (found.nodes, found.edges, found.length, found.cost) == (("a", "c", "d"), (3, 4), 2, 2.0)
    cheap = air.shortest_path("a", "d", weight="km")
    assert (cheap.nodes, cheap.edges, cheap.length, cheap.cost) == (("a", "b", "c", "d"), (1, 2, 4), 3, 4.0)
    assert air.shortest_path("d", "b", direction="in").nodes == ("d", "c", "b")
    assert air.shortest_path("a", "d", direction="both").nodes == ("a", "d")
    assert air.shortest_path("a", "e") is None
    assert air.shortest_path("a", "a").nodes == ("a",)
    for ends in (("a", "z"), ("z", "a")):
        with pytest.raises(CatalogError, match="'z'"):
            air.shortest_path(*ends)


def test_keys_that_are_no_property(bench: Bench, air: lb.Graph) -> None:
    bench.kadeql(
        "CREATE PROPERTY GRAPH shy VERTEX TABLES (cities KEY (code) PROPERTIES (people)) EDGE TABLES (flights "
        "SOURCE KEY (s) REFERENCES cities (code) DESTINATION KEY (d) REFERENCES cities (code))"
    )
    with pytest.raises(UnsupportedError, match="'code'"):
        bench.graph("shy").neighbors("a")
    assert sorted(bench.graph("shy").to_networkx()) == ["a", "b", "c", "d", "e"]


def test_several_tables(bench: Bench) -> None:
    bench.write("people", {"id": [1, 2, 3]}, primary_key="id")
    bench.write("posts", {"id": [10, 11]}, primary_key="id")
    bench.write("wrote", {"who": [1, 2], "what": [10, 11]})
    bench.write("answers", {"a": [11], "b": [10]})
    bench.kadeql(
        "CREATE PROPERTY GRAPH social VERTEX TABLES (people LABEL person, posts LABEL post) EDGE TABLES ("
        "wrote SOURCE KEY (who) REFERENCES people (id) DESTINATION KEY (what) REFERENCES posts (id), "
        "answers SOURCE KEY (a) REFERENCES posts (id) DESTINATION KEY (b) REFERENCES posts (id))"
    )
    social = bench.graph("social")
    assert (social.vertices, social.edges) == (5, 3)
    assert rows(social.neighbors(2, k=2, table="people")) == [(11, "post", 1), (10, "post", 2)]
    assert rows(social.neighbors(10, k=2, table="posts", direction="in")) == [
        (1, "person", 1),
        (11, "post", 1),
        (2, "person", 2),
    ]
    assert rows(social.neighbors(2, k=2, table="people", label=["wrote"])) == [(11, "post", 1)]
    with pytest.raises(SchemaError, match="table='people'"):
        social.neighbors(2)


# --- against networkx ---


@st.composite
def worlds(draw: st.DrawFn) -> nx.MultiDiGraph:
    """Multigraphs with loops, parallel edges and lone nodes, under keys of every kind."""
    name = {"int": int, "str": lambda i: f"k{i}'", "tuple": lambda i: (i // 3, f"t{i}")}[
        draw(st.sampled_from(["int", "str", "tuple"]))
    ]
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(map(name, range(8)))
    pairs = draw(
        st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 9)), min_size=1, max_size=18)
    )
    graph.add_weighted_edges_from((name(a), name(b), w) for a, b, w in pairs)
    return graph


def by_key(result: lb.Result, value: str) -> dict[Any, Any]:
    listed = result.to_arrow().to_pylist()
    return {
        tuple(row["id"].values()) if isinstance(row["id"], dict) else row["id"]: row[value] for row in listed
    }


@settings(deadline=None, max_examples=drawn(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds())
def test_paths_are_those_of_networkx(bench: Bench, world: nx.MultiDiGraph) -> None:
    graph = lb.Graph.from_networkx(bench, "g", world, mode="replace")
    nodes = list(world)
    start = nodes[0]
    assert (graph.vertices, graph.edges) == (len(world), world.number_of_edges())
    for direction, seen in (("out", world), ("in", world.reverse()), ("both", world.to_undirected())):
        for k in (1, 3):
            expected = nx.single_source_shortest_path_length(seen, start, cutoff=k)
            del expected[start]
            assert by_key(graph.neighbors(start, direction=direction, k=k), "depth") == expected
    for stop in nodes[:4]:
        hops, cheap = graph.shortest_path(start, stop), graph.shortest_path(start, stop, weight="weight")
        if not nx.has_path(world, start, stop):
            assert hops is cheap is None
            continue
        assert hops.length == len(hops.edges) == nx.shortest_path_length(world, start, stop)
        assert cheap.cost == nx.dijkstra_path_length(world, start, stop)
        for path in (hops, cheap):
            assert (path.nodes[0], path.nodes[-1]) == (start, stop)
            assert nx.is_path(world, path.nodes)
        if start != stop:
            assert hops.nodes == min(map(tuple, nx.all_shortest_paths(world, start, stop)))


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds())
def test_algorithms_are_those_of_networkx(bench: Bench, world: nx.MultiDiGraph) -> None:
    graph = lb.Graph.from_networkx(bench, "g", world, mode="replace")
    start = next(iter(world))
    simple = nx.Graph(world)
    simple.remove_edges_from(list(nx.selfloop_edges(simple)))
    assert by_key(graph.degrees(), "in_degree") == dict(world.in_degree())
    assert by_key(graph.degrees(), "out_degree") == dict(world.out_degree())
    assert by_key(graph.bfs(start), "depth") == nx.single_source_shortest_path_length(world, start)
    assert by_key(graph.bfs(start, limit=1, directed=False), "depth") == (
        nx.single_source_shortest_path_length(world.to_undirected(), start, cutoff=1)
    )
    assert by_key(graph.shortest_paths(start, weight="weight"), "distance") == (
        nx.single_source_dijkstra_path_length(world, start)
    )
    assert by_key(graph.triangles(), "triangles") == nx.triangles(simple)
    assert by_key(graph.k_core(), "core") == nx.core_number(simple)
    assert by_key(graph.pagerank(tolerance=1e-12, iterations=500), "score") == pytest.approx(
        nx.pagerank(world, weight=None, tol=1e-12, max_iter=500)
    )
    assert by_key(graph.betweenness(), "score") == pytest.approx(nx.betweenness_centrality(nx.DiGraph(world)))
    for found, expected in (
        (graph.weakly_connected_components(), nx.weakly_connected_components(world)),
        (graph.strongly_connected_components(), nx.strongly_connected_components(world)),
    ):
        parts: dict[int, set[Any]] = {}
        for key, part in by_key(found, "component").items():
            parts.setdefault(part, set()).add(key)
        assert sorted(map(sorted, parts.values())) == sorted(map(sorted, expected))
    assert by_key(graph.communities(), "community").keys() == set(world)


def test_algorithms_take_what_they_say(air: lb.Graph) -> None:
    assert rows(air.shortest_paths("a", target="d", weight="km")) == [
        ("a", 0.0, 0),
        ("b", 1.0, 1),
        ("c", 3.0, 2),
        ("d", 4.0, 3),
    ]
    sampled = air.betweenness(k=2, seed=3)
    assert rows(sampled) == rows(air.betweenness(k=2, seed=3))
    assert air.pagerank(damping=0.5).frame().score.sum() == pytest.approx(1)
    with pytest.raises(KadeQLBindError, match="weight"):
        air.pagerank(weight="miles")
    with pytest.raises(KadeQLBindError, match="'z'"):
        air.bfs("z")
    with pytest.raises(SchemaError, match="no key"):
        air.bfs(("a", "b"))
