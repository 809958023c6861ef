"""What is wrong in a graph statement is shown where it stands in the user's own text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from graph_statement_cases import filled

import luma_bench as lb
from luma_bench.errors import KadeQLError


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(tmp_path_factory.mktemp("errors") / "b.luma") as opened:
        filled(opened)
        opened.kadeql("CREATE VIEW broken AS MATCH (x)-[]->(y) RETURN x.id::INTEGER AS n")
        opened.kadeql("CREATE VIEW picky AS MATCH (x\n  WHERE x.id::INTEGER > 0)\nRETURN x.id")
        opened.kadeql("CREATE VIEW over AS SELECT * FROM picky")
        yield opened


CASES = {
    "MATCH (x) ON GRAPH «h» RETURN x.id": "no property graph 'h'",
    "SELECT * FROM GRAPH_TABLE («gg» MATCH (x) COLUMNS (x.id))": "no property graph 'gg'",
    "SELECT * FROM PAGERANK(GRAPH «gg»)": "no property graph 'gg'",
    "MATCH (x)-[r:«rode»]->(y) RETURN x.id": "no edge label 'rode'",
    "MATCH (x:«plaec») RETURN x.id": "no vertex label 'plaec'",
    "MATCH (x)-[:road|«rood»]->(y) RETURN 1": "no edge label 'rood'",
    "MATCH (x) RETURN «x.nope»": "no property 'nope'",
    "MATCH (x {«nope»: 1}) RETURN x.id": "no property 'nope'",
    "MATCH (x)-[r]->(y WHERE «y.nope» = 1) RETURN x.id": "no property 'nope'",
    "MATCH (x)-[r]->(y) WHERE «r.nope» > y.size RETURN x.id": "no property 'nope'",
    "MATCH (x)-[r]->(y) RETURN x.id ORDER BY «y.nope»": "no property 'nope'",
    "MATCH p = ANY CHEAPEST (x)-[r COST «r.nope»]->+(y) RETURN 1": "no property 'nope'",
    "MATCH (x)-[]->(y) OPTIONAL MATCH (y)-[]->(z WHERE «z.nope» = 1) RETURN 1": "no property 'nope'",
    "MATCH (x) RETURN «z».id": "No variable z",
    "MATCH (x WHERE «z».id = 1) RETURN 1": "No variable z",
    "SELECT id, (SELECT max(k) FROM (MATCH (x) WHERE x.id = «p».id RETURN x.size AS k)) FROM places p": "No variable p",
    "MATCH (x WHERE x.size «+» 'q' > 1) RETURN x.id": "Could not choose",
    "MATCH (x WHERE «sum(x.size)» > 1) RETURN x.id": "aggregates",
    "MATCH (x)-[r]->(y) WHERE «x.size > y.region» RETURN 1": "Cannot compare",
    "MATCH (x)-[r]->(y) RETURN «nofunc(x.id)»": "no function 'nofunc'",
    "MATCH (x)\n -[r]->(y WHERE y.size > «'abc'»)\nRETURN x.id": "Could not convert string 'abc'",
    "MATCH (x WHERE x.id«::INTEGER» > 0) RETURN x.id": "Could not convert string 'a'",
    "MATCH (x)-[r]->(y) RETURN x.id, «$zz»": r"\$zz has no value",
    "MATCH (x WHERE x.size = «$zz») RETURN x.id": r"\$zz has no value",
    "SELECT * FROM BFS(GRAPH g, source => «$zz»)": r"\$zz has no value",
    "MATCH p = ANY CHEAPEST (x)-[r COST «r.kind»]->+(y) RETURN 1": "COST is a number",
    "MATCH p = ANY CHEAPEST (x)-[r COST «-r.km»]->+(y) RETURN 1": "COST is negative",
    "MATCH (x)-[r]->{1,2}(y) TIME RESPECTING («r.kind», r.km) RETURN 1": "compares times",
    "MATCH (x)-[]->«*»(y) RETURN x.id": "unbounded quantifier",
    "MATCH (x)-[«x»]->(y) RETURN 1": "a node already",
    "SELECT * FROM PAGERANK(GRAPH g, «dampin => 1»)": "no argument 'dampin'",
    "SELECT * FROM PAGERANK(GRAPH g, damping => «'x'»)": "damping is a number",
    "SELECT * FROM BFS(GRAPH g, source => «'zz'»)": "no vertex with the key 'zz'",
    "SELECT * FROM SHORTEST_PATHS(GRAPH g, source => 'a', weight => «kmm»)": "no property|has a property 'kmm'",
    "SELECT * FROM «BFS(GRAPH g)»": "needs the argument source",
    "FROM «broken»": "In view 'broken', line 1, column 30: Could not convert",
    "FROM «picky»": "In view 'picky', line 2, column 13: Could not convert",
    "SELECT 1;\nSELECT count(*) FROM places, «over»": "In view 'picky', line 2, column 13, which view 'over' reads",
    "SELECT 1;\n\nMATCH (x)\n  -[r]->(y)\nRETURN x.id, «y.nope»": "no property 'nope'",
    "WITH m AS (MATCH (x) RETURN x.id) SELECT «nope» FROM m": "nope",
    "EXPLAIN MATCH (x) RETURN «x.nope»": "no property 'nope'",
    "DESCRIBE MATCH (x) RETURN «x.nope»": "no property 'nope'",
    "CREATE VIEW v AS MATCH (x) RETURN «x.nope»": "no property 'nope'",
    "CREATE TABLE t AS MATCH (x) RETURN «x.nope»": "no property 'nope'",
    "INSERT INTO places MATCH (x) RETURN «x.nope», 1, 'a'": "no property 'nope'",
    "UPDATE places SET size = 1 WHERE id IN (MATCH (x) RETURN «x.nope»)": "no property 'nope'",
    "DELETE FROM places WHERE id IN (MATCH (x WHERE «x.nope» = 1) RETURN x.id)": "no property 'nope'",
    "MERGE INTO places p USING (MATCH (x) RETURN «x.nope») m ON p.id = m.nope WHEN MATCHED THEN DELETE": "no property",
    "COPY (MATCH (x) RETURN «x.nope») TO 'never.csv'": "no property 'nope'",
    "MATCH (x WHERE x.id IN (MATCH (y) RETURN «y.nope»)) RETURN 1": "no property 'nope'",
    "WITH a AS (SELECT 1 AS one) MATCH (x WHERE x.size > (SELECT «nope» FROM a)) RETURN 1": "no column 'nope'",
    "FROM «g»": "property graph",
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_error_points_into_the_users_text(bench: lb.Bench, case: str) -> None:
    before, what, _ = (case.partition("«")[0], case.partition("«")[2].partition("»")[0], "")
    text = case.replace("«", "").replace("»", "")
    with pytest.raises(KadeQLError, match=CASES[case]) as caught:
        bench.kadeql(text)
    error = caught.value
    assert error.text == text
    assert error.span is not None
    assert text[slice(*error.span)] == what
    assert (error.line, error.column) == (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert error.hint
