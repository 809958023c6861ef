"""MATCH, GRAPH_TABLE and algorithms wherever a statement may hold a table, against plain SQL over the same tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from graph_statement_cases import STEP, STEP_SQL, TWO, TWO_SQL, bag, filled, rows

import luma_bench as lb


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    """Nobody changes the tables of the graph."""
    with lb.open(tmp_path_factory.mktemp("statements") / "b.luma") as opened:
        yield filled(opened)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[lb.Bench]:
    here = [str(tmp_path)]
    with lb.open(tmp_path / "own.luma", files=here, files_write=here) as opened:
        yield filled(opened)


PLACES = {
    "a query": (STEP, STEP_SQL),
    "in brackets": (f"({STEP})", STEP_SQL),
    "from brackets": (f"SELECT s FROM ({STEP}) WHERE km > 1", f"SELECT s FROM ({STEP_SQL}) WHERE km > 1"),
    "a table expression": (
        f"WITH m AS ({STEP}) SELECT s, sum(km) FROM m GROUP BY s",
        f"WITH m AS ({STEP_SQL}) SELECT s, sum(km) FROM m GROUP BY s",
    ),
    "a table expression twice": (
        f"WITH m AS MATERIALIZED ({STEP}) SELECT a.s, b.d FROM m a JOIN m b ON a.d = b.s",
        f"WITH m AS ({STEP_SQL}) SELECT a.s, b.d FROM m a JOIN m b ON a.d = b.s",
    ),
    "a recursive one beside": (
        f"WITH RECURSIVE r(s) AS (SELECT 'c' UNION SELECT d FROM r JOIN ({STEP}) USING (s)) FROM r",
        f"WITH RECURSIVE r(s) AS (SELECT 'c' UNION SELECT d FROM r JOIN ({STEP_SQL}) USING (s)) FROM r",
    ),
    "joined with a table": (
        f"SELECT p.size, m.d FROM places p JOIN ({STEP}) m ON m.s = p.id",
        f"SELECT p.size, m.d FROM places p JOIN ({STEP_SQL}) m ON m.s = p.id",
    ),
    "outer joined": (
        f"SELECT p.id, m.d FROM places p LEFT JOIN ({STEP}) m ON m.s = p.id AND m.km > 3",
        f"SELECT p.id, m.d FROM places p LEFT JOIN ({STEP_SQL}) m ON m.s = p.id AND m.km > 3",
    ),
    "the same twice": (
        f"SELECT count(*) FROM ({STEP}) m JOIN ({STEP}) n USING (s)",
        f"SELECT count(*) FROM ({STEP_SQL}) m JOIN ({STEP_SQL}) n USING (s)",
    ),
    "two of them": (
        f"SELECT m.s, n.n FROM ({STEP}) m JOIN ({TWO}) n ON n.s = m.d",
        f"SELECT m.s, n.n FROM ({STEP_SQL}) m JOIN ({TWO_SQL}) n ON n.s = m.d",
    ),
    "a union": (f"{STEP} UNION ALL {STEP}", f"{STEP_SQL} UNION ALL {STEP_SQL}"),
    "a sub-query in WHERE": (
        "FROM places WHERE id NOT IN (MATCH ()-[]->(y) RETURN y.id)",
        f"FROM places WHERE id NOT IN (SELECT d FROM ({STEP_SQL}))",
    ),
    "EXISTS": (
        f"SELECT id FROM places p WHERE EXISTS (SELECT 1 FROM ({STEP}) WHERE d = p.id AND s = d)",
        f"SELECT id FROM places p WHERE EXISTS (SELECT 1 FROM ({STEP_SQL}) WHERE d = p.id AND s = d)",
    ),
    "a scalar": (
        f"SELECT id, (SELECT max(km) FROM ({STEP}) WHERE s = p.id) FROM places p",
        f"SELECT id, (SELECT max(km) FROM ({STEP_SQL}) WHERE s = p.id) FROM places p",
    ),
    "a match in a condition": (
        "MATCH (a WHERE a.id IN (MATCH (x)-[e]->(x) WHERE e.km < 5 RETURN x.id))-[]->(b) RETURN a.id, b.id AS d",
        f"SELECT s, d FROM ({STEP_SQL}) WHERE s IN (SELECT s FROM ({STEP_SQL}) WHERE s = d AND km < 5)",
    ),
    "a match in a condition across": (
        "MATCH (a)-[]->(b) WHERE a.size < b.size AND b.id IN (MATCH (x)-[]->(x) RETURN x.id) RETURN a.id, b.id AS d",
        """SELECT src, dst FROM roads JOIN places a ON a.id = src JOIN places b ON b.id = dst
            WHERE a.size < b.size AND dst IN (SELECT src FROM roads WHERE src = dst)""",
    ),
    "the query's table expression": (
        "WITH big AS (SELECT id FROM places WHERE size > 2) MATCH (a)-[]->(b WHERE b.id IN (FROM big)) RETURN a.id",
        f"SELECT s FROM ({STEP_SQL}) WHERE d IN (SELECT id FROM places WHERE size > 2)",
    ),
    "its own match": (
        """WITH big AS (MATCH (x WHERE x.size > 2) RETURN x.id)
            SELECT * FROM (MATCH (a)-[]->(b) WHERE b.id IN (FROM big) RETURN a.id)""",
        f"SELECT s FROM ({STEP_SQL}) WHERE d IN (SELECT id FROM places WHERE size > 2)",
    ),
    "a sub-query about both": (
        "MATCH (a)-[]->(b) WHERE EXISTS (FROM roads WHERE src = a.id AND dst = b.id AND km > 4) RETURN a.id, b.id AS d",
        f"SELECT s, d FROM ({STEP_SQL}) m WHERE EXISTS (FROM roads WHERE src = m.s AND dst = m.d AND km > 4)",
    ),
    "GRAPH_TABLE": (
        "SELECT x, sum(k) FROM GRAPH_TABLE (g MATCH (a)-[e]->(b) COLUMNS (a.id AS x, e.km AS k)) GROUP BY x",
        f"SELECT s, sum(km) FROM ({STEP_SQL}) GROUP BY s",
    ),
    "GRAPH_TABLE beside MATCH": (
        f"SELECT t.x, m.d FROM GRAPH_TABLE (g MATCH (a)-[]->(a) COLUMNS (a.id AS x)) t JOIN ({STEP}) m ON m.s = t.x",
        f"SELECT t.s, m.d FROM ({STEP_SQL}) t JOIN ({STEP_SQL}) m ON m.s = t.s WHERE t.s = t.d",
    ),
    "an algorithm beside MATCH": (
        f"SELECT p.id, m.d FROM DEGREES(GRAPH g) p JOIN ({STEP}) m ON m.s = p.id WHERE p.out_degree > 1",
        f"WITH m AS ({STEP_SQL}) SELECT s, d FROM m WHERE s IN (SELECT s FROM m GROUP BY s HAVING count(*) > 1)",
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_match_stands_where_a_table_does(bench: lb.Bench, place: str) -> None:
    text, sql = PLACES[place]
    expected = bag(bench, sql)
    assert expected, "a test that cannot fail is none"
    assert bag(bench, text) == expected
    assert bench.stream(text).read_all().num_rows == len(expected)


def test_order_limit_and_distinct(bench: lb.Bench) -> None:
    assert rows(bench, f"{STEP} ORDER BY km DESC, s, d LIMIT 3") == rows(
        bench, f"{STEP_SQL} ORDER BY km DESC, s, d LIMIT 3"
    )
    text = "MATCH (a)-[]->(b) RETURN DISTINCT a.region AS o, b.region AS t ORDER BY 1, 2"
    assert rows(bench, text) == [("n", "n"), ("n", "s"), ("s", "n"), ("s", "s")]


def test_a_star_lists_the_columns_of_the_table_in_its_order(bench: lb.Bench) -> None:
    found = bench.kadeql("MATCH (x)-[r]->(y) WHERE y.region = 's' AND y.size + x.size > 0 RETURN y.*, r.*")
    assert found.to_arrow().column_names == ["id", "size", "region", "src", "dst", "km", "kind"]
    assert bag(bench, "MATCH (x) WHERE x.region >= 'n' AND x.size < 100 RETURN x.*") == bag(
        bench, "FROM places"
    )


def test_views_and_views_over_views(own: lb.Bench) -> None:
    own.kadeql(f"CREATE VIEW steps AS {STEP}")
    own.kadeql("CREATE VIEW sums (place, far) AS SELECT s, sum(km) FROM steps GROUP BY s")
    own.kadeql(f"CREATE VIEW pairs AS SELECT * FROM steps JOIN ({TWO}) t USING (s, d)")
    assert bag(own, "FROM steps") == bag(own, STEP_SQL)
    assert bag(own, "FROM sums") == bag(own, f"SELECT s, sum(km) FROM ({STEP_SQL}) GROUP BY s")
    assert bag(own, "FROM pairs") == bag(own, f"SELECT * FROM ({STEP_SQL}) JOIN ({TWO_SQL}) USING (s, d)")
    joined = f"SELECT * FROM steps JOIN sums ON s = place JOIN ({STEP}) m ON m.s = place"
    assert len(rows(own, joined)) == len(
        rows(own, f"SELECT 1 FROM ({STEP_SQL}) a JOIN ({STEP_SQL}) b USING (s)")
    )


def test_statements_that_write_what_a_match_finds(own: lb.Bench, tmp_path: Path) -> None:
    expected = bag(own, STEP_SQL)
    own.kadeql(f"CREATE TABLE copied AS {STEP}")
    assert bag(own, "FROM copied") == expected
    own.kadeql(f"INSERT INTO copied {STEP}")
    own.kadeql(f"INSERT INTO copied SELECT s, d, -km FROM ({STEP}) WHERE km > 4")
    assert rows(own, "SELECT count(*), count(*) FILTER (km < 0) FROM copied") == [(2 * len(expected) + 2, 2)]
    own.kadeql(f"COPY ({STEP}) TO '{tmp_path / 'steps.parquet'}'")
    assert bag(own, f"FROM '{tmp_path / 'steps.parquet'}'") == expected
    count = f"SELECT s AS id, count(*) AS n FROM ({STEP_SQL}) GROUP BY s"
    wanted = bag(own, f"SELECT id, coalesce(n, size) FROM places LEFT JOIN ({count}) USING (id)")
    own.kadeql(
        "UPDATE places SET size = m.n FROM (MATCH (x)-[]->() RETURN x.id, count(*) AS n) m WHERE m.id = places.id"
    )
    assert bag(own, "SELECT id, size FROM places") == wanted
    own.kadeql(
        "MERGE INTO places p USING (MATCH (x)-[]->(y) RETURN y.id || 'z' AS id, count(*) AS n) m ON p.id = m.id "
        "WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (m.id, m.n, 'new')"
    )
    assert bag(own, "SELECT id, size FROM places WHERE region = 'new'") == [
        ("az", 1), ("bz", 3), ("cz", 2), ("dz", 1),
    ]  # fmt: skip
    own.kadeql("DELETE FROM roads WHERE src IN (MATCH (x)-[]->(x) RETURN x.id)")
    assert bag(own, STEP) == [row for row in expected if row[0] != "b"]


def test_parameters_stand_in_conditions_and_around(bench: lb.Bench) -> None:
    text = "MATCH (x {id: $k})-[r WHERE r.km < $far]->(y) WHERE x.size + y.size > $least RETURN y.id AS d, $k AS k"
    given = {"k": "a", "far": 9, "least": 3}
    assert bag(bench, text, params=given) == []
    assert bag(bench, text, params={**given, "least": 2}) == [("b", "a"), ("b", "a")]
    bench.kadeql(f"PREPARE steps AS {text}")
    assert bag(bench, "EXECUTE steps(k := 'a', far := 99, least := 3)") == [("c", "a")]
    prepared = bench.prepare(text)
    assert prepared(k="a", far=99, least=0).to_arrow().num_rows == 3
    assert prepared(k="c", far=99, least=0).to_arrow().num_rows == 1
    bench.kadeql("DEALLOCATE steps")
    ranks = "SELECT id FROM BFS(GRAPH g, source => $k) WHERE depth = $n"
    assert bag(bench, ranks, params={"k": "b", "n": 1}) == [("c",)]


def test_tables_of_the_call_and_frames(bench: lb.Bench) -> None:
    own = {"d": ["b", "c", "z"]}
    text = "FROM f JOIN (MATCH (a {id: 'a'})-[]->(b) RETURN DISTINCT b.id AS d) USING (d)"
    assert bag(bench, text, tables={"f": own}) == [("b",), ("c",)]
    text = "MATCH (a WHERE a.id IN (FROM f))-[]->(b) RETURN DISTINCT a.id"
    assert bag(bench, text, tables={"f": own}) == [("b",), ("c",)]
    frame = bench.kadeql(STEP).frame()
    assert sorted(frame[frame["km"] > 4]["s"].to_arrow().to_pylist()) == ["a", "a"]
    for held in (frame, bench.kadeql(STEP), bench.kadeql(STEP).to_arrow()):
        joined = f"SELECT count(*) FROM f JOIN ({STEP}) m USING (s, d, km)"
        assert rows(bench, joined, tables={"f": held}) == [(7,)]


def test_describe_and_summarize(bench: lb.Bench) -> None:
    described = [("s", "VARCHAR"), ("d", "VARCHAR"), ("km", "DOUBLE")]
    for text in (f"DESCRIBE {STEP}", f"DESCRIBE ({STEP})", f"SELECT * FROM (DESCRIBE {STEP})"):
        assert [row[:2] for row in rows(bench, text)] == described
    for text in (f"SUMMARIZE {STEP}", f"SUMMARIZE ({STEP})"):
        assert bag(bench, text) == bag(bench, f"SUMMARIZE {STEP_SQL}")
    assert [row[:2] for row in rows(bench, "DESCRIBE SELECT * FROM PAGERANK(GRAPH g)")] == [
        ("id", "VARCHAR"), ("score", "DOUBLE"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", [STEP, f"WITH m AS ({STEP}) SELECT s FROM m", "FROM PAGERANK(GRAPH g)"])
def test_explain_shows_how_the_graph_is_walked(bench: lb.Bench, text: str) -> None:
    answer = bench.kadeql(text, cache=False)
    planned, ran = rows(bench, f"EXPLAIN {text}"), rows(bench, f"EXPLAIN ANALYZE {text}")
    assert "graph      @" in planned[0][1]
    assert "TABLE_SCAN" in planned[1][1]
    shown = "5 rows" if "PAGERANK" in text else "rows (estimated"
    assert shown not in planned[0][1]
    assert shown in ran[0][1]
    told = json.loads(rows(bench, f"EXPLAIN (ANALYZE, FORMAT JSON) {text}")[0][1])
    (lines,) = told["graphs"].values()
    assert any(shown in line for line in lines)
    assert told["plan"]["rows"] == len(answer)
    assert "graph" in answer.explain()


def test_lineage_leads_to_the_columns_of_the_tables(bench: lb.Bench) -> None:
    told = bench.lineage(
        "MATCH p = (x)-[r]->{1,2}(y) RETURN x.id AS s, x.size + y.size AS n, r.km, nodes(p) AS at, count(*) AS many, y"
    )
    assert not told.unknown
    assert {column.name: sorted(column.sources) for column in told.columns} == {
        "s": ["places.id"], "n": ["places.size"], "km": ["roads.km"], "at": ["places.id"], "many": [], "y": ["places.id"],
    }  # fmt: skip
    key, score = bench.lineage("SELECT id, score FROM PAGERANK(GRAPH g)").columns
    assert key.sources == ("places.id",)
    assert score.sources == ()
    assert "algorithm" in score.unknown
