"""Every statement that runs: its kind, its parts, and its place in the user's text."""

from __future__ import annotations

import pytest

from luma_bench.language import (
    CreateTable,
    CreateTableAs,
    Describe,
    DropTable,
    Explain,
    Insert,
    Kind,
    Query,
    Show,
    Summarize,
    TagSnapshot,
)

VERBATIM = [
    "SELECT 1",
    "select a, b from t where a > 1",
    "FROM t",
    "FROM t SELECT a",
    "FROM f: t SELECT f.a",
    "VALUES (1, 'a'), (2, 'b')",
    "TABLE t",
    "(SELECT 1)",
    "((SELECT 1)) UNION ALL SELECT 2",
    "WITH x AS (SELECT 1 AS a) SELECT * FROM x",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9) FROM r",
    "PIVOT t ON a USING sum(b)",
    "WITH c AS (FROM t) PIVOT c ON a, d USING sum(b) GROUP BY e",
    "UNPIVOT t ON a, b",
    "SELECT * FROM t PIVOT (sum(b) FOR a IN ('x', 'y'))",
    "SELECT * FROM t ASOF FULL JOIN w ON t.k = w.k AND t.ts >= w.ts",
    "SELECT * FROM t, LATERAL (SELECT t.a + 1 AS b) u, range(3) r(i)",
    "SELECT * FROM t USING SAMPLE 10%",
    "SELECT list_transform([1, 2], lambda x: x + 1), {'a': 1}.a, [1, 2, 3][1:2], x'ff'::BLOB",
    "SELECT extract(year FROM ts), trim(BOTH ' ' FROM a), trim(FROM 'x'), a IS NOT DISTINCT FROM 'x' FROM t",
    "SELECT 1 AS from, 'x', t.from, t.select FROM t",
    "SELECT body.airport.name, body ->> '$.a', a <-> b, a <=> b FROM incidents",
    "SELECT * FROM t WHERE a IN (FROM u) AND EXISTS (FROM v WHERE v.a = t.a) AND b GLOB ('x' || '*') AND c NOT GLOB 'y'",
    "SELECT sum(x) FILTER (WHERE y) OVER (PARTITION BY a ORDER BY b ROWS 3 PRECEDING) FROM t WINDOW w AS (ORDER BY a)",
    'SELECT CASE WHEN a THEN \'x\' ELSE $lo END FROM "a ""b" -- done\n',
    "SELECT /* a /* nested */ 'x' */ $$it's; -- text$$, $q$ $$ $q$, E'it\\'s', 'a;b' FROM t",
    'SELECT a$b, `c d` FROM `e"f`',
    "SELECT größe, \"日本\", '😀' FROM tabelle",
    "SELECT\ta\r\nFROM\tt\r\nWHERE a = 'x'",
    "FROM (DESCRIBE t)",
    "SELECT (1) delete FROM t ORDER BY (a) DESC",
    "SELECT * FROM (SELECT count(*) update FROM t) truncate",
    "WITH delete AS (SELECT 1), update AS (FROM delete) SELECT (delete), update FROM delete, update",
    "SELECT * FROM duckdb_functions()",
    "SELECT * FROM generate_series(1, 3) g(i), unnest([1]) u(j)",
]


@pytest.mark.parametrize("text", VERBATIM)
def test_a_query_runs_verbatim(one, text):
    query = one(text)
    assert isinstance(query, Query)
    assert query.kind is Kind.SELECT
    assert query.sql == query.source == text[query.start : query.end]
    assert query.sql == text.split(" -- done")[0]
    assert query.pins == ()
    assert [query.offsets.to_source(at) for at in range(len(query.sql) + 1)] == list(
        range(len(query.sql) + 1)
    )


def test_names_are_a_superset_of_the_tables_read(one):
    query = one('WITH c AS (FROM Alpha) SELECT x FROM c JOIN "Be ta" b USING (x), main.gamma, (TABLE date)')
    assert {"alpha", "be ta", "gamma", "date"} <= query.names


def test_parameters_are_found_and_strings_are_not_searched(one):
    query = one(
        "SELECT $lo, '$no', \"$neither\", $$ $nor $$, $select /* $never */ FROM t WHERE a > $lo AND b = $größe"
    )
    assert query.params == {"lo", "select", "größe"}


@pytest.mark.parametrize(
    ("text", "volatile"),
    [
        ("SELECT a FROM t", False),
        ("SELECT now FROM t", False),
        ("SELECT now()", True),
        ('SELECT "now"()', True),
        ("SELECT current_date", True),
        ("SELECT CURRENT_TIMESTAMP", True),
        ("SELECT random() FROM t", True),
        ("SELECT uuid()", True),
        ("SELECT getvariable('x')", True),
        ("SELECT today() - d FROM t", True),
        ("FROM t TABLESAMPLE 10%", True),
        ("FROM t USING SAMPLE 5", True),
        ("SELECT 'now()' FROM t -- random()", False),
    ],
)
def test_volatile_texts_are_known(one, text, volatile):
    assert one(text).volatile is volatile


def test_every_volatile_function_of_the_engine_is_known(inspector):
    from luma_bench.language.functions import VOLATILE_FUNCTIONS, refused_function
    from luma_bench.language.sequences import SEQUENCE_FUNCTIONS

    rows = inspector.connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT' AND function_type = 'scalar'"
    ).fetchall()
    known = VOLATILE_FUNCTIONS | SEQUENCE_FUNCTIONS
    unknown = {name for (name,) in rows if name not in known and refused_function(name) is None}
    assert unknown == set()


@pytest.mark.parametrize(
    ("text", "analyze", "style", "sql"),
    [
        ("EXPLAIN SELECT 1", False, "text", "EXPLAIN (FORMAT text) SELECT 1"),
        ("explain analyze FROM t", True, "text", "EXPLAIN ANALYZE (FORMAT text) FROM t"),
        ("EXPLAIN (FORMAT json) FROM t", False, "json", "EXPLAIN (FORMAT json) FROM t"),
        ("EXPLAIN (FORMAT 'json', ANALYZE) FROM t", True, "json", "EXPLAIN ANALYZE (FORMAT json) FROM t"),
        (
            "EXPLAIN ANALYZE (FORMAT text) (SELECT 1)",
            True,
            "text",
            "EXPLAIN ANALYZE (FORMAT text) (SELECT 1)",
        ),
        ("EXPLAIN (SELECT ';')", False, "text", "EXPLAIN (FORMAT text) (SELECT ';')"),
        ("EXPLAIN /* ; */ VALUES (1)", False, "text", "EXPLAIN (FORMAT text) VALUES (1)"),
        ("EXPLAIN SUMMARIZE t", False, "text", "EXPLAIN (FORMAT text) SUMMARIZE t"),
    ],
)
def test_explain(one, inspector, text, analyze, style, sql):
    found = one(text)
    assert isinstance(found, Explain)
    assert (found.analyze, found.format, found.sql, found.source) == (analyze, style, sql, text)
    assert inspector.classify(found.sql)[0].kind == "EXPLAIN"
    assert found.query.sql == text[found.query.start : found.query.end]
    assert found.offsets.to_source(len(sql) - 1) == len(text) - 1


@pytest.mark.parametrize(
    ("text", "sql", "target"),
    [
        ("DESCRIBE t", "DESCRIBE t", "t"),
        ("desc main.t", "desc main.t", "t"),
        ('DESCRIBE TABLE "a b"', 'DESCRIBE TABLE "a b"', "a b"),
        ("SHOW t", "DESCRIBE t", "t"),
        ("DESCRIBE t AT (VERSION => 2)", 'DESCRIBE "t @VERSION 2" ', "t"),
    ],
)
def test_describe_table(one, text, sql, target):
    found = one(text)
    assert isinstance(found, Describe)
    assert (found.query.sql, found.target, found.source) == (sql, target, text)


@pytest.mark.parametrize(
    "text", ["DESCRIBE SELECT a FROM t", "DESCRIBE FROM t AT (TAG => 'x')", "DESCRIBE (SELECT 1)"]
)
def test_describe_query(one, text):
    found = one(text)
    assert isinstance(found, Describe)
    assert isinstance(found.target, Query)
    assert found.query.source == text
    assert found.target.source == text.removeprefix("DESCRIBE ")
    assert found.pins == found.target.pins


@pytest.mark.parametrize("text", ["SHOW TABLES", "show all tables"])
def test_show_tables(one, text):
    assert isinstance(one(text), Show)


def test_summarize(one):
    found = one("SUMMARIZE t AT (VERSION => $v)")
    assert isinstance(found, Summarize)
    assert found.query.sql == 'SUMMARIZE "t @VERSION $v" '
    assert one("SUMMARIZE SELECT a FROM t").query.sql == "SUMMARIZE SELECT a FROM t"


def test_create_table_columns_and_key(one, inspector):
    found = one(
        'create or replace table Main.Legs (\n id BIGINT not null, "x y" DECIMAL(10, 2)[] NULL,'
        " s STRUCT(a INT, b VARCHAR), tz TIMESTAMP WITH TIME ZONE, PRIMARY KEY (ID, s))"
    )
    assert isinstance(found, CreateTable)
    assert (found.name, found.or_replace, found.if_not_exists) == ("Legs", True, False)
    assert [(c.name, c.type_sql, c.nullable, c.primary_key) for c in found.columns] == [
        ("id", "BIGINT", False, True),
        ("x y", "DECIMAL(10, 2)[]", True, False),
        ("s", "STRUCT(a INT, b VARCHAR)", False, True),
        ("tz", "TIMESTAMP WITH TIME ZONE", True, False),
    ]
    assert found.primary_key == ("id", "s")
    assert found.whole[slice(*found.columns[0].span)] == "id BIGINT not null"
    schema = inspector.describe(found.probe.sql, {})
    assert schema.names == ["id", "x y", "s", "tz"]
    assert str(schema.field("x y").type).startswith("list<")
    at = found.probe.sql.index("DECIMAL")
    assert found.whole[slice(*found.probe.offsets.span(at, at + 3))] == '"x y" DECIMAL(10, 2)[] NULL'


def test_create_table_with_a_key_on_a_column(one):
    found = one("CREATE TABLE IF NOT EXISTS t (id BIGINT PRIMARY KEY, n VARCHAR)")
    assert (found.if_not_exists, found.primary_key) == (True, ("id",))
    assert not found.columns[0].nullable


def test_create_table_as(one):
    text = "CREATE OR REPLACE TABLE t AS WITH x AS (FROM u AT (VERSION => 1)) FROM x WHERE a = $a"
    found = one(text)
    assert isinstance(found, CreateTableAs)
    assert (found.name, found.or_replace) == ("t", True)
    assert found.query.params == {"a"}
    assert [pin.table for pin in found.query.pins] == ["u"]
    assert found.query.source == text[text.index("WITH") :]


@pytest.mark.parametrize(
    ("text", "columns", "by_name", "sql"),
    [
        ("INSERT INTO t VALUES (1, 'a')", None, False, "VALUES (1, 'a')"),
        ('INSERT INTO main.t (a, "b c") VALUES (1, 2)', ("a", "b c"), False, "VALUES (1, 2)"),
        ("INSERT INTO t BY NAME SELECT 1 AS a", None, True, "SELECT 1 AS a"),
        ("INSERT INTO t BY POSITION FROM u", None, False, "FROM u"),
        ("INSERT INTO t (SELECT 1)", None, False, "(SELECT 1)"),
        ("INSERT INTO t ((FROM u))", None, False, "((FROM u))"),
        (
            "INSERT INTO t (query) WITH x AS (SELECT 1) FROM x",
            ("query",),
            False,
            "WITH x AS (SELECT 1) FROM x",
        ),
        ("INSERT INTO t FROM u SELECT a AS returning", None, False, "FROM u SELECT a AS returning"),
    ],
)
def test_insert(one, text, columns, by_name, sql):
    found = one(text)
    assert isinstance(found, Insert)
    assert (found.table, found.columns, found.by_name, found.query.sql) == ("t", columns, by_name, sql)


@pytest.mark.parametrize(
    ("text", "if_exists"),
    [("DROP TABLE t", False), ("drop table if exists t cascade", True), ("DROP TABLE t RESTRICT", False)],
)
def test_drop_table(one, text, if_exists):
    found = one(text)
    assert isinstance(found, DropTable)
    assert (found.name, found.if_exists) == ("t", if_exists)


def test_tag_snapshot(one):
    found = one("TAG SNAPSHOT 'paper''s v1'")
    assert isinstance(found, TagSnapshot)
    assert (found.name, found.source) == ("paper's v1", "TAG SNAPSHOT 'paper''s v1'")


def test_several_statements_keep_their_places(read):
    text = "\ufeff ;; -- first\nSELECT ';' AS a ;\r\n/* ; */ INSERT INTO t VALUES ($$;$$);\nEXPLAIN SELECT 2 ; TAG SNAPSHOT 'x';;"
    found = read(text)
    assert [one.kind for one in found] == [Kind.SELECT, Kind.INSERT, Kind.EXPLAIN, Kind.TAG_SNAPSHOT]
    assert [one.source for one in found] == [
        "SELECT ';' AS a",
        "INSERT INTO t VALUES ($$;$$)",
        "EXPLAIN SELECT 2",
        "TAG SNAPSHOT 'x'",
    ]
    assert all(one.source == text[one.start : one.end] and one.whole == text for one in found)


CONTEXTUAL = [
    "match",
    "sample",
    "hop",
    "session",
    "tag",
    "latest",
    "search",
    "score",
    "highlight",
    "hybrid",
    "tumble",
    "cumulate",
    "exact",
    "tolerance",
    "direction",
    "graph",
    "pagerank",
    "snapshot",
    "version",
    "timestamp",
    "query",
    "glob",
]


@pytest.mark.parametrize("word", CONTEXTUAL)
def test_extension_words_stay_names(one, word):
    if word != "glob":  # a keyword of DuckDB's own
        one(
            f"SELECT {word}, t.{word}, {word}.a FROM {word} JOIN t {word} ON {word}.a = t.a WHERE {word} > 1 ORDER BY {word}"
        )
        one(f"WITH {word} AS (SELECT 1 AS a) SELECT * FROM {word} AS x")
        one(f"WITH {word}(a) AS (SELECT 1) SELECT * FROM {word}")
        one(f"SELECT * FROM range(3) {word}(a), range(2) AS {word}2(b)")
    one(f'SELECT "{word}" AS {word} FROM "{word}" AS "{word}"(a)')
    one(f'CREATE TABLE "{word}" ({word if word != "glob" else "g"} INTEGER)')


def test_search_of_two_columns_is_left_to_the_engine(one):
    assert one("SELECT search(a, b) FROM t").sql == "SELECT search(a, b) FROM t"


TPCH_LIKE = [
    """select l_returnflag, l_linestatus, sum(l_quantity) as sum_qty,
       sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) as sum_charge, count(*) as count_order
from lineitem where l_shipdate <= date '1998-12-01' - interval '90' day
group by l_returnflag, l_linestatus order by l_returnflag, l_linestatus""",
    """select s_acctbal, s_name, n_name, p_partkey from part, supplier, partsupp, nation, region
where p_partkey = ps_partkey and s_suppkey = ps_suppkey and p_type like '%BRASS'
  and ps_supplycost = (select min(ps_supplycost) from partsupp, supplier, nation, region
                       where p_partkey = ps_partkey and s_suppkey = ps_suppkey and r_name = 'EUROPE')
order by s_acctbal desc, n_name limit 100""",
    """select supp_nation, l_year, sum(volume) as revenue
from (select n1.n_name as supp_nation, extract(year from l_shipdate) as l_year, l_extendedprice as volume
      from supplier, lineitem, nation n1, nation n2
      where (n1.n_name = 'FRANCE' or n2.n_name = 'GERMANY')) as shipping
group by supp_nation, l_year""",
    """select c_count, count(*) as custdist from (select c_custkey, count(o_orderkey)
  from customer left outer join orders on c_custkey = o_custkey and o_comment not like '%special%requests%'
  group by c_custkey) as c_orders (c_custkey, c_count) group by c_count order by custdist desc, c_count desc""",
    """with revenue (supplier_no, total_revenue) as (
    select l_suppkey, sum(l_extendedprice * (1 - l_discount)) from lineitem
    where l_shipdate >= cast('1996-01-01' as date) group by l_suppkey)
select s_suppkey, total_revenue from supplier, revenue
where s_suppkey = supplier_no and total_revenue = (select max(total_revenue) from revenue)""",
    """select substring(c_phone from 1 for 2) as cntrycode, count(*) from customer
where substring(c_phone from 1 for 2) in ('13', '31') and not exists (select * from orders where o_custkey = c_custkey)
group by cntrycode""",
    """SELECT URLHash, EventDate, COUNT(*) AS PageViews FROM hits WHERE CounterID = 62 AND EventDate >= '2013-07-01'
AND TraficSourceID IN (-1, 6) GROUP BY URLHash, EventDate ORDER BY PageViews DESC LIMIT 10 OFFSET 100""",
    r"""SELECT REGEXP_REPLACE(Referer, '^https?://(?:www\.)?([^/]+)/.*$', '\1') AS k, AVG(STRLEN(Referer)) AS l
FROM hits WHERE Referer <> '' GROUP BY k HAVING COUNT(*) > 100000 ORDER BY l DESC LIMIT 25""",
]


@pytest.mark.parametrize("text", TPCH_LIKE)
def test_benchmark_texts_pass_verbatim(one, text):
    query = one(text)
    assert query.sql == text
    assert not query.volatile
    assert query.params == frozenset()
