"""Policies and graphs: vertices and edges that an identity does not see are in no walk, no count and no plan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest
from graph_statement_cases import STEP, STEP_SQL, TWO, bag, filled, rows, walks
from oracle_cases import planned

import luma_bench as lb
from luma_bench.errors import ForbiddenError, KadeQLBindError, KadeQLError

ADA = lb.Identity("ada", roles=("staff",))
BOSS = lb.Identity("bob", roles=("boss",))
NOBODY = lb.Identity("nobody")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    """ADA sees a, b, c and the edges under 5 km, sizes and kinds masked; BOSS everything, but where edges begin."""
    with lb.open(tmp_path_factory.mktemp("policies") / "b.luma") as opened:
        filled(opened)
        opened.tag("before")
        for text in (
            "CREATE ROW POLICY near ON places USING region = 'n' OR id = 'c' TO staff",
            "CREATE ROW POLICY short ON roads USING km < 5 TO staff",
            "CREATE MASKING POLICY sizes ON places UPDATE size = NULL TO staff",
            "CREATE MASKING POLICY kinds ON roads UPDATE kind = '*' TO staff",
            "CREATE ROW POLICY all_places ON places USING true TO boss",
            "CREATE ROW POLICY all_roads ON roads USING true TO boss",
            "CREATE MASKING POLICY begins ON roads UPDATE src = 'a' TO boss",
        ):
            opened.kadeql(text)
        opened.kadeql(f"CREATE VIEW steps AS {STEP}")
        yield opened


@pytest.fixture
def alike(tmp_path: Path) -> Iterator[lb.Bench]:
    """A bench without policies that holds exactly what ADA sees."""
    with lb.open(tmp_path / "alike.luma") as opened:
        filled(opened)
        opened.kadeql(
            "DELETE FROM places WHERE region <> 'n' AND id <> 'c'; DELETE FROM roads WHERE km >= 5; "
            "UPDATE places SET size = NULL; UPDATE roads SET kind = '*'"
        )
        yield opened


WAYS = {
    "vertices": "MATCH (x) RETURN x.*",
    "edges": "MATCH (x)-[r]->(y) RETURN x.id, y.id AS d, r.*",
    "two steps": TWO,
    "a count": "MATCH (x)-[]->(y)-[]->(z) RETURN count(*)",
    "a count of vertices": "MATCH (x) RETURN count(*)",
    "isolated ones": "MATCH (x) OPTIONAL MATCH (x)-[]->(y) RETURN x.id, y.id AS d",
    "repeats": "MATCH (x)-[r]->{1,3}(y) RETURN x.id, y.id AS d, r.km",
    "shortest": "MATCH p = ANY SHORTEST (x {id: 'a'})-[]->+(y) RETURN nodes(p), path_length(p)",
    "hidden goal": "MATCH p = ANY SHORTEST (x {id: 'a'})-[]->+(y {id: 'd'}) RETURN nodes(p)",
    "cheapest": "MATCH p = ANY CHEAPEST (x {id: 'a'})-[r COST r.km]->+(y) RETURN y.id, path_cost(p)",
    "trails": "MATCH p = TRAIL (x)-[]->+(y) RETURN nodes(p)",
    "a masked property": "MATCH (x WHERE x.size = 1) RETURN x.id",
    "a masked property outside": "SELECT n FROM (MATCH (x)-[]->(y) RETURN x.id AS n, x.size AS s) WHERE s = 1",
    "an edge's masked property": "MATCH (x)-[r WHERE r.kind = 'x']->(y) RETURN x.id",
    "the mask itself": "MATCH (x)-[r {kind: '*'}]->(y) WHERE x.size IS NULL RETURN x.id",
    "an aggregate": "MATCH (x)-[r]->(y) RETURN sum(x.size), max(r.kind), avg(r.km)",
    "a condition that fails elsewhere": "MATCH (x WHERE CASE x.id WHEN 'd' THEN error('seen') ELSE 'true' END = 'true') RETURN x.id",
    "a failing condition across": "MATCH (x)-[]->(y) WHERE CASE y.id WHEN 'd' THEN error('seen') ELSE 'true' END = 'true' RETURN x.id",
    "degrees": "FROM DEGREES(GRAPH g)",
    "ranks": "SELECT id, round(score, 9) FROM PAGERANK(GRAPH g)",
    "distances": "FROM SHORTEST_PATHS(GRAPH g, source => 'a', weight => km)",
    "components": "FROM WEAKLY_CONNECTED_COMPONENTS(GRAPH g)",
    "between": "FROM BETWEENNESS(GRAPH g)",
    "the past": f"SELECT * FROM ({STEP}) EXCEPT SELECT * FROM (SELECT * FROM ({STEP}) LIMIT 0)",
}


@pytest.mark.parametrize("plan", ["csr", "sql"])
def test_who_sees_less_walks_a_smaller_graph(bench: lb.Bench, alike: lb.Bench, plan: str) -> None:
    ada = bench.acting_as(ADA)
    for text in WAYS.values():
        expected = bag(alike, text)
        with planned(bench, plan):  # pyright: ignore[reportArgumentType]
            assert bag(ada, text, cache=False) == expected, text
            assert bag(ada, text, at="before") == expected, text
    walks(ada)
    assert bag(ada, "FROM steps") == bag(alike, STEP)


def test_the_owner_and_who_may_see_nothing(bench: lb.Bench) -> None:
    walks(bench)
    assert len(bag(bench, STEP)) == 7
    nobody = bench.acting_as(NOBODY)
    for name in ("vertices", "edges", "two steps", "repeats", "degrees", "ranks", "isolated ones"):
        assert bag(nobody, WAYS[name]) == []
    assert rows(nobody, WAYS["a count"]) == [(0,)]
    with pytest.raises(KadeQLBindError, match="no vertex with the key 'a'"):
        nobody.kadeql("FROM BFS(GRAPH g, source => 'a')")


def test_plans_count_only_what_is_seen(bench: lb.Bench) -> None:
    ada = bench.acting_as(ADA)
    seen = rows(ada, f"EXPLAIN {STEP}")[0][1]
    assert "3 vertices" in seen
    assert "refer to no vertex" not in seen
    assert "5 vertices" not in rows(ada, "EXPLAIN ANALYZE MATCH (x)-[]->(y) RETURN x.id, y.id AS d")[0][1]
    estimate = rows(ada, "EXPLAIN FROM DEGREES(GRAPH g)")[1][1]
    assert "~3" in estimate
    assert "~5" not in estimate


def test_a_key_that_is_masked_is_refused_whichever_way(bench: lb.Bench) -> None:
    boss = bench.acting_as(BOSS)
    asked = [
        STEP,
        "MATCH (x) RETURN x.id",
        "FROM steps",
        "FROM PAGERANK(GRAPH g)",
        f"EXPLAIN {STEP}",
        f"CREATE TABLE t AS {STEP}",
    ]
    for plan in ("auto", "csr", "sql"):
        with planned(bench, plan):
            for text in asked:
                with pytest.raises(
                    (ForbiddenError, KadeQLError), match=r"'bob' may not .*(roads\.src|create)"
                ) as caught:
                    boss.kadeql(text, cache=False)
                assert "'d'" not in str(caught.value)
    assert len(bag(bench, STEP)) == 7


def test_the_handle_of_a_graph_sees_the_same(bench: lb.Bench, alike: lb.Bench) -> None:
    seen, other = bench.acting_as(ADA).graph("g").to_networkx(), alike.graph("g").to_networkx()
    assert nx.utils.graphs_equal(seen, other)


def test_a_policy_that_reads_a_table_is_as_new_as_the_table(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        filled(bench)
        bench.kadeql(
            "CREATE TABLE grants (usr VARCHAR, region VARCHAR); INSERT INTO grants VALUES ('ada', 'n'); "
            "CREATE ROW POLICY p ON places USING region IN (SELECT region FROM grants WHERE usr = $user) TO staff"
        )
        ada = bench.acting_as(ADA)
        assert bag(ada, "MATCH (x WHERE x.size > 0) RETURN x.id") == [("a",), ("b",)]
        walks(ada)
        bench.kadeql("INSERT INTO grants VALUES ('ada', 's')")
        walks(ada)
        assert len(bag(ada, STEP)) == 7
        bench.kadeql("DELETE FROM grants WHERE region = 'n'")
        walks(ada)
        assert bag(ada, STEP_SQL) == [("c", "d", 3.0)]
        bench.kadeql("DROP ROW POLICY p ON places")
        assert len(bag(ada, STEP)) == 7
