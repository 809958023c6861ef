"""Graph queries as SQL: each construct's text, what stands in its place, and the names of the results."""

from __future__ import annotations

import re

import pytest

from luma_bench.language import Query, renamed
from luma_bench.language.graph.pattern import Duplicates, Match
from luma_bench.language.graph.short_edges import masked_edges
from luma_bench.language.graph.weights import unweighed

# text, and the SQL without the checksums of relations
REWRITTEN = [
    ("MATCH (a)-[r:route]->(b) WHERE a.x > b.y AND b.z = 1 RETURN b.iata, count(*) ORDER BY 2 LIMIT 5",
     'FROM (SELECT * FROM "@match" WHERE "a.x" > "b.y" AND TRUE ) SELECT "b.iata" AS "iata", coalesce(sum("@n"), 0)::BIGINT AS "count_star()" GROUP BY ALL ORDER BY 2 LIMIT 5'),
    ("MATCH (a) RETURN a.x", 'FROM "@match" SELECT "a.x" AS "x"'),
    ("MATCH (A) RETURN a.X, A", 'FROM "@match" SELECT "a.X" AS "X", "a" AS "A"'),
    ("MATCH (a) RETURN a.s.city, a.l[1], a.s.city AS c, a.x y, a.x \"z z\", q: a.x",
     'FROM "@match" SELECT "a.s".city AS "city", "a.l"[1] AS "a.l[1]", "a.s".city AS c, "a.x" y, "a.x" "z z", q: "a.x"'),
    ("MATCH (a) RETURN 1, upper('x'), a.x::DOUBLE PRECISION, CASE WHEN a.x THEN 1 END, a.t + INTERVAL 3 DAY, a.x IS NULL",
     'FROM "@match" SELECT 1, upper(\'x\'), "a.x"::DOUBLE PRECISION AS "a.x::DOUBLE PRECISION", CASE WHEN "a.x" THEN 1 END AS "CASE WHEN a.x THEN 1 END", "a.t" + INTERVAL 3 DAY AS "a.t + INTERVAL 3 DAY", "a.x" IS NULL AS "a.x IS NULL"'),
    ("MATCH (a)-[r]->(b) RETURN *", 'FROM "@match" SELECT "a" AS a, "r" AS r, "b" AS b'),
    ("MATCH (a)-[r]->(b) RETURN DISTINCT a.*, b.k", 'FROM "@match" SELECT DISTINCT COLUMNS(\'^a\\.([^@].*)$\') AS \'\\1\', "b.k" AS "k"'),
    ("MATCH p = (a)-[r]->{1,3}(b) RETURN path_length(p), nodes(p) AS n, list_sum(r.km), label(a)",
     'FROM "@match" SELECT "p.@length" AS "path_length(p)", "p.@nodes" AS n, list_sum("r.km") AS "list_sum(r.km)", "a.@label" AS "label(a)"'),
    ("MATCH (a)-[r]->(b) WHERE a = b AND a <> 'JFK' RETURN count(DISTINCT a), count(b)",
     'FROM (SELECT * FROM "@match" WHERE "a.@id" = "b.@id" AND "a" <> \'JFK\' ) SELECT count(DISTINCT "a.@id") AS "count(DISTINCT a)", coalesce(sum(CASE WHEN ("b.@id") IS NOT NULL THEN "@n" END), 0)::BIGINT AS "count(b)" GROUP BY ALL'),
    ("MATCH (a), (b) WHERE a IS NOT DISTINCT FROM b OR a NOT IN (b) OR a + b = b RETURN 1",
     'FROM (SELECT * FROM "@match" WHERE "a.@id" IS NOT DISTINCT FROM "b.@id" OR "a.@id" NOT IN ("b.@id") OR "a" + "b" = "b" ) SELECT 1'),
    ("MATCH (a)-[r WHERE r.x > a.y AND r.z = 2]->(b {k: a.k}) WHERE b.x = 1 RETURN b.x",
     'FROM (SELECT * FROM "@match" WHERE ( "r.x" > "a.y" ) AND ("b.k" = ( "a.k")) AND ( TRUE )) SELECT "b.x" AS "x"'),
    ("MATCH (a), (b) WHERE a.x = b.x OR b.y MATCH (b)-[]->(c) WHERE c.y > a.y RETURN a.x",
     'FROM (SELECT * FROM "@match" WHERE ( "a.x" = "b.x" OR "b.y" ) AND ( "c.y" > "a.y" )) SELECT "a.x" AS "x"'),
    ("MATCH (a) OPTIONAL MATCH (a)-[r]->(b) WHERE b.x = 1 RETURN a.x", 'FROM "@match" SELECT "a.x" AS "x"'),
    ("MATCH (a) WHERE (a.x = 1 AND (a.y = 2 AND a.z IS NULL)) RETURN a.x", 'FROM (SELECT * FROM "@match" WHERE (TRUE AND (TRUE AND TRUE)) ) SELECT "a.x" AS "x"'),
    ("MATCH (a) WHERE random() < a.x AND a.y BETWEEN 1 AND 2 RETURN a.x", 'FROM (SELECT * FROM "@match" WHERE random() < "a.x" AND TRUE ) SELECT "a.x" AS "x"'),
    ("MATCH (a) RETURN sum(a.x) FILTER (WHERE a.y), avg(a.x + 1) FILTER (WHERE a.y), count(*) FILTER (WHERE a.y) AS n",
     'FROM "@match" SELECT sum(list_sum(["a.x"]) * "@n") FILTER (WHERE "a.y") AS "sum(a.x) FILTER (WHERE a.y)", (sum(list_sum(["a.x" + 1]) * "@n") FILTER (WHERE "a.y")::DOUBLE / sum(CASE WHEN ("a.x" + 1) IS NOT NULL THEN "@n" END) FILTER (WHERE "a.y")) AS "avg(a.x + 1) FILTER (WHERE a.y)", coalesce(sum("@n") FILTER (WHERE "a.y"), 0)::BIGINT AS n GROUP BY ALL'),
    ("MATCH (a) RETURN a.x ORDER BY count(*) DESC, x SKIP 3", 'FROM "@match" SELECT "a.x" AS "x" GROUP BY ALL ORDER BY coalesce(sum("@n"), 0)::BIGINT DESC, x OFFSET 3'),
    ("MATCH (a) RETURN a.x, count(*), ORDER BY 1", 'FROM "@match" SELECT "a.x" AS "x", coalesce(sum("@n"), 0)::BIGINT AS "count_star()" GROUP BY ALL ORDER BY 1'),
    ("MATCH (a) RETURN a.x, count(*) GROUP BY a.x HAVING count(*) > 3", 'FROM "@match" SELECT "a.x" AS "x", coalesce(sum("@n"), 0)::BIGINT AS "count_star()" GROUP BY "a.x" HAVING coalesce(sum("@n"), 0)::BIGINT > 3'),
    ("MATCH (a) RETURN a.x UNION ALL MATCH (b) RETURN b.x ORDER BY 1", 'FROM "@match" SELECT "a.x" AS "x" UNION ALL FROM "@match" SELECT "b.x" AS "x" ORDER BY 1'),
    ("SELECT * FROM GRAPH_TABLE (air, MATCH (a)-[r]->(b) WHERE a.x = 1 COLUMNS (b.iata, r.*)) g WHERE g.iata",
     'SELECT * FROM (FROM (SELECT * FROM "@match" WHERE TRUE ) SELECT "b.iata" AS "iata", COLUMNS(\'^r\\.([^@].*)$\') AS \'\\1\') g WHERE g.iata'),
    ("SELECT * FROM t, (MATCH (a), (b) RETURN a.x, b.y) m JOIN u USING (x)", 'SELECT * FROM t, (FROM "@match" SELECT "a.x" AS "x", "b.y" AS "y") m JOIN u USING (x)'),
    ("SELECT EXISTS (MATCH (a) RETURN 1), x IN (MATCH (a) RETURN a.x) FROM t", 'SELECT EXISTS (FROM "@match" SELECT 1), x IN (FROM "@match" SELECT "a.x" AS "x") FROM t'),
    ("WITH r AS (MATCH (a) RETURN a.x) MATCH (b) RETURN b.y, (FROM r)", 'WITH r AS (FROM "@match" SELECT "a.x" AS "x") FROM "@match" SELECT "b.y" AS "y", (FROM r)'),
    ("SELECT * FROM PageRank(GRAPH air, damping => 0.85), bfs(GRAPH air) b", 'SELECT * FROM "@graph" AS PageRank, "@graph" b'),
    # names that hide variables
    ("MATCH (a), (b) RETURN (SELECT max(a.k) FROM t a WHERE a.j = b.j), list_filter(b.l, lambda b: b > a.x), list_reduce(b.l, (a, b) -> a + b), [a FOR a IN b.l IF a > b.x]",
     'FROM "@match" SELECT (SELECT max(a.k) FROM t a WHERE a.j = "b.j") AS "(SELECT max(a.k) FROM t a WHERE a.j = b.j)", list_filter("b.l", lambda b: b > "a.x") AS "list_filter(b.l, lambda b: b > a.x)", list_reduce("b.l", (a, b) -> a + b) AS "list_reduce(b.l, (a, b) -> a + b)", [a FOR a IN "b.l" IF a > "b.x"] AS "[a FOR a IN b.l IF a > b.x]"'),
    ("MATCH (a), (b) WHERE EXISTS (SELECT 1 FROM s JOIN t AS a USING (k) WHERE a.x = b.x AND s.b) AND a.x = b.x RETURN 1",
     'FROM (SELECT * FROM "@match" WHERE TRUE AND "a.x" = "b.x" ) SELECT 1'),
    ("MATCH (day), (a) RETURN 'day.x', $a, a.t + INTERVAL 3 day, f(a := 1), {a: a.x}",
     'FROM "@match" SELECT \'day.x\', $a, "a.t" + INTERVAL 3 day AS "a.t + INTERVAL 3 day", f(a := 1), {a: "a.x"} AS "{a: a.x}"'),
]  # fmt: skip


def without_checksums(sql: str) -> str:
    return re.sub(r'"@(match|graph) [0-9a-f]{8}"', r'"@\1"', re.sub(r"(?<=WHERE)  ", " ", sql))


@pytest.mark.parametrize(("text", "sql"), REWRITTEN)
def test_a_graph_query_becomes_sql_over_one_relation(one, text, sql):
    query = one(text)
    assert isinstance(query, Query)
    assert without_checksums(query.sql) == sql
    assert query.islands
    for island in query.islands:
        assert f'"{island.alias}"' in query.sql


DUPLICATES = [
    ("a.x", Duplicates.NEEDED),
    ("DISTINCT a.x", Duplicates.IGNORED),
    ("DISTINCT random(), a.x", Duplicates.NEEDED),
    ("DISTINCT row_number() OVER ()", Duplicates.NEEDED),
    ("min(a.x), max(a.y), count(DISTINCT a.z), bool_or(a.b), bool_and(a.b)", Duplicates.IGNORED),
    ("a.x, list(DISTINCT a.x)", Duplicates.IGNORED),
    ("min(a.x, 3)", Duplicates.NEEDED),
    ("count(*)", Duplicates.COUNTED),
    ("count()", Duplicates.COUNTED),
    ("a.k, count(a.x), sum(a.y), avg(a.z * 2), max(a.x)", Duplicates.COUNTED),
    ("avg(abs(a.z))", Duplicates.NEEDED),
    ("sum(a.x) OVER ()", Duplicates.NEEDED),
    ("list(a.x)", Duplicates.NEEDED),
    ("count(*), string_agg(a.x, ',')", Duplicates.NEEDED),
    ("count(*) + sum(a.x)", Duplicates.COUNTED),
    ("(SELECT count(*) FROM t)", Duplicates.NEEDED),
]


@pytest.mark.parametrize(("results", "expected"), DUPLICATES)
def test_what_becomes_of_equal_matches(one, results, expected):
    (match,) = one(f"MATCH (a)-[r]->(b) RETURN {results}").islands
    assert match.duplicates is expected


def test_aggregates_are_the_engines_own(inspector):
    from luma_bench.language.graph.aggregates import AGGREGATES

    rows = inspector.connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'"
    ).fetchall()
    assert {name for (name,) in rows} <= AGGREGATES


def test_weighed_results_are_those_of_every_match(inspector):
    """The rewritten aggregates over distinct rows with weights equal DuckDB's over all rows, in value and type."""
    connection = inspector.connection.cursor()
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE plain (k INT, x INT, y DECIMAL(9,2), z DOUBLE, f BOOLEAN)"
    )
    connection.execute(
        "INSERT INTO plain SELECT i % 3, CASE WHEN i % 7 = 0 THEN NULL ELSE i % 5 END, i % 4 + 0.25, i % 2 + 0.5, i % 5 = 1 FROM range(200) r(i)"
    )
    results = "a.k, count(*), count(a.x), sum(a.x), sum(a.y), sum(a.z), sum(a.f), avg(a.x), avg(a.y * 2), sum(a.x) FILTER (WHERE a.f), avg(a.x) FILTER (WHERE a.x > 2), count(a.x) FILTER (WHERE a.f), count(*) FILTER (WHERE a.f), min(a.x), count(DISTINCT a.y)"
    from luma_bench.language import parse

    for where, tail in (("", " ORDER BY 1"), ("WHERE a.k > 7 OR b.k", "")):
        listed = results if not where else results.removeprefix("a.k, ")
        text = f"MATCH (a), (b) {where} RETURN {listed}{tail}"
        (query,) = parse(text, inspector)
        assert isinstance(query, Query)
        (match,) = query.islands
        assert match.duplicates is Duplicates.COUNTED
        relation = '(SELECT k AS "a.k", x AS "a.x", y AS "a.y", z AS "a.z", f AS "a.f", FALSE AS "b.k", count(*) AS "@n" FROM plain GROUP BY ALL)'
        got = connection.sql(query.sql.replace(f'"{match.alias}"', relation))
        oracle = connection.sql(
            f"SELECT {listed} FROM plain a, (SELECT FALSE AS k) b {where} GROUP BY ALL{tail}"
        )
        assert got.types == oracle.types
        assert got.columns[1] in ("count(a.x)", "count_star()")
        for mine, theirs in zip(got.fetchall(), oracle.fetchall(), strict=True):
            assert mine == pytest.approx(theirs)


def test_averages_of_moments_are_taken_over_every_match(one, inspector):
    text = "MATCH (a)-[r]->(b) RETURN a.x, avg(r.ts) FILTER (WHERE r.ok) AS mean, count(*) AS n"
    query = one(text)
    (match,) = query.islands
    (average,) = match.averages
    assert average.columns == ("r.ts",)
    plain, needed = unweighed(query, match)
    assert needed.duplicates is Duplicates.NEEDED
    assert plain.islands == (needed,)
    assert 'avg("r.ts") FILTER (WHERE "r.ok") AS mean' in plain.sql
    inspector.classify(plain.sql)
    query = one("MATCH (a)-[r]->(b) RETURN sum(r.x), avg(r.ts)")
    plain, _ = unweighed(query, query.islands[0])
    assert plain.sql.endswith('avg("r.ts") AS "avg(r.ts)" GROUP BY ALL')
    plain, needed = unweighed(one(text), match)
    at = plain.sql.index("avg(")
    assert text[plain.offsets.to_source(at) :].startswith("avg(r.ts)")


def test_an_island_of_a_view_gets_another_name(one):
    view = one("CREATE VIEW v AS MATCH (a) RETURN a.x, (SELECT max(k) FROM t)")
    (match,) = view.query.islands
    sql, _ = renamed(view.query, [(0, "t @VERSION 3")], {match.alias: "@match other"})
    assert '"@match other"' in sql
    assert '"t @VERSION 3" AS t' in sql
    assert match.alias not in sql


def test_equal_texts_share_a_relation_unless_they_read_other_queries(one):
    query = one("SELECT * FROM (MATCH (a) RETURN a.x), (MATCH (a) RETURN a.x), (MATCH (b) RETURN b.x)")
    assert len(query.islands) == 2
    inner = "SELECT * FROM (WITH c AS (SELECT {} AS k) MATCH (a WHERE a.x IN (FROM c)) RETURN a.x)"
    query = one(f"{inner.format(1)} UNION ALL {inner.format(2)}")
    assert len(query.islands) == 2


def test_statements_carry_islands(one):
    match = "MATCH (a {k: $k})-[r]->(b) RETURN a.x"
    for text in (
        f"INSERT INTO t {match}",
        f"INSERT INTO t (x) {match} ON CONFLICT DO NOTHING RETURNING x",
        f"WITH c AS (SELECT 1) INSERT INTO t {match}",
        f"DELETE FROM t WHERE x IN ({match})",
        f"UPDATE t SET x = ({match})",
        f"CREATE TABLE t AS {match}",
        f"COPY ({match}) TO 'x.parquet'",
        f"EXPLAIN ANALYZE {match}",
        f"DESCRIBE {match}",
        f"DESCRIBE ({match})",
        f"SUMMARIZE {match}",
    ):
        statement = one(text)
        (island,) = statement.query.islands
        assert isinstance(island, Match)
        assert island.params == {"k"}
        assert statement.query.params == frozenset()
        assert statement.query.island_params == {"k"}
    (island,) = one(f"MERGE INTO t USING ({match}) s ON t.x = s.x WHEN MATCHED THEN DELETE").sources.islands
    assert island.params == {"k"}
    prepared = one(f"PREPARE q AS {match} LIMIT $n")
    assert prepared.params == ("k", "n")
    (returned,) = [one(f"INSERT INTO t {match} RETURNING x").returning]
    assert returned.query.islands == ()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT match, graph, path, cost, optional, strict FROM match AS graph, t optional",
        "FROM match",
        "SELECT (match) FROM t match",
        "WITH match (a) AS (SELECT 1) FROM match",
        "SELECT graph_table, pagerank, bfs FROM pagerank",
        "INSERT INTO match (a) VALUES (1)",
        "SELECT a AS match FROM t ORDER BY match",
    ],
)
def test_words_of_patterns_stay_names(one, text):
    statement = one(text)
    query = statement if isinstance(statement, Query) else statement.query
    assert query.islands == ()


SHORT = [
    ("MATCH (a)-->(b)<--(c)--(d) --> (e)<-->(f) RETURN a.x -- (a)--(b)", "-> <- - -> -"),
    ("MATCH (a)-->{1,2}(b)--{2}(c) RETURN a.x", "-> -"),
    ("MATCH (a) -- (x)\n-[r]->(b) RETURN a.x", "- ->"),
    ("MATCH (a)\n  --(b)\n  --\n(c)\nON GRAPH air RETURN a.x", "- -"),
    ("MATCH (a) --{1,2} (b)\n -->\n (c) RETURN a.x", "- ->"),
    ("MATCH (a) /* (x) */ -- (b) -- the end (of it)\n --(c) RETURN a.x", "- -"),
    ("MATCH (a) -- the start\n-[r]->(b) -------- (x)\nRETURN a.x", "->"),
    ("MATCH (a)--(b) ON GRAPH air -- (x)\nWHERE (a.x > b.x) -- (x)\nRETURN a.x -- (x)", "-"),
    ("MATCH (a)->(b)<-(c)-(d)-[]-(e)<-[]->(f) RETURN a.x", "-> <- - - -"),
]


@pytest.mark.parametrize(("text", "directions"), SHORT)
def test_short_edges_are_no_comments(one, text, directions):
    (match,) = one(text).islands
    (path,) = match.clauses[0].paths
    assert " ".join(edge.direction for edge in path.edges) == directions
    assert one("SELECT (1)--(b)\n + 2 AS match").sql == "SELECT (1)--(b)\n + 2 AS match"


def test_a_word_alone_begins_no_pattern(one):
    for text in (
        "SELECT match(a) -- (x)\n AS return FROM t",
        "INSERT INTO match (a) -- (x)\nVALUES (1) RETURNING a",
    ):
        assert masked_edges(text) == text


@pytest.mark.parametrize("result", ["a.name n", "a.age n", "a.x + 1 n", "count(*) n", "a.end n", "a n"])
def test_a_result_takes_a_name_without_as(one, result):
    made = one(f"MATCH (a) RETURN {result} ORDER BY n")
    assert re.search(r" n(?: GROUP BY ALL)? ORDER BY n$", made.sql)
    assert all(use.variable == "a" for use in made.islands[0].uses)


def test_zones_are_types_behind_a_value(one):
    (match,) = one("MATCH (a) WHERE a.x = '2026-01-01'::TIMESTAMP WITH TIME ZONE RETURN a.x").islands
    assert len(match.clauses) == 1
