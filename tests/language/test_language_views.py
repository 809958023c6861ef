"""Names in FROM, views, schemas and SHOW as the language reads them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luma_bench.errors import KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language import (
    AlterTable,
    AlterView,
    CommentOn,
    CommentOnObject,
    CreateSchema,
    CreateTable,
    CreateView,
    DropSchema,
    DropTable,
    DropView,
    Query,
    RenameTable,
    Show,
    renamed,
    stored_query,
)


def names(query: Query) -> list[str]:
    return [read.name for read in query.reads]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("SELECT * FROM t", ["t"]),
        ("FROM t JOIN u USING (a), LATERAL (SELECT * FROM w)", ["t", "u", "w"]),
        ("SELECT (SELECT max(a) FROM u), a IN (FROM w) FROM t", ["u", "w", "t"]),
        ("FROM x: t", ["t"]),
        ("FROM 't'", ["t"]),
        ("TABLE t", ["t"]),
        ("PIVOT t ON a IN (1)", ["t"]),
        ("FROM range(3), t", ["t"]),
        ("SELECT extract(year FROM d), trim(both 'x' FROM s), a IS DISTINCT FROM b FROM t", ["t"]),
        ("WITH t AS (SELECT 1) FROM t", []),
        ("WITH t AS (FROM t) FROM t", ["t"]),
        ("WITH RECURSIVE t AS (SELECT 1 UNION ALL FROM t) FROM t", []),
        ("WITH a AS (FROM t), b AS (FROM a) FROM a, b", ["t"]),
        ("WITH b AS (FROM a), a AS (FROM t) FROM a, b", ["a", "t"]),
        ("SELECT * FROM (WITH t AS (SELECT 1) FROM t), t", ["t"]),
        ("WITH t AS MATERIALIZED (SELECT 1) SELECT (SELECT * FROM t)", []),
        ("WITH t(x) AS NOT MATERIALIZED (FROM u) FROM t", ["u"]),
        ("WITH RECURSIVE r(a) USING KEY (a) AS (FROM u UNION FROM r, recurring.r) FROM r", ["u"]),
        ("SELECT a::TIMESTAMP WITH TIME ZONE FROM t", ["t"]),
        ("FROM t AT (VERSION => 3)", []),
        ("FROM main.t, sales.t", ["t", "sales.t"]),
        ("FROM information_schema.TABLES, duckdb_views(), Duckdb_tables", ["information_schema.tables", "duckdb_views()", "duckdb_tables()"]),
    ],
)  # fmt: skip
def test_the_stored_relations_of_a_query(one, text, read):
    assert names(one(text)) == read


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("FROM sales.o", 'FROM "sales.o" AS o'),
        ("FROM sales.o x", 'FROM "sales.o" x'),
        ("FROM sales.o AS x", 'FROM "sales.o" AS x'),
        ("FROM x: sales.o", 'FROM x: "sales.o"'),
        ('FROM "S 1"."O 2"', 'FROM "S 1.O 2" AS "O 2"'),
        ("SELECT sales.o.a, o.b FROM sales.o", 'SELECT o.a, o.b FROM "sales.o" AS o'),
        ("SELECT SALES.o.* FROM sales.O", 'SELECT O.* FROM "sales.O" AS O'),
        (
            "FROM a.t JOIN b.t ON a.t.x = b.t.x",
            'FROM "a.t" AS "a.t" JOIN "b.t" AS "b.t" ON "a.t".x = "b.t".x',
        ),
        ("TABLE sales.o", 'TABLE "sales.o"'),
        ("FROM main.o", "FROM main.o"),
        (
            "SELECT sales.o.a FROM sales.o AT (VERSION => 3)",
            'SELECT o.a FROM "sales.o @VERSION 3" AS o',
        ),
        ("FROM information_schema.tables t", 'FROM "information_schema.tables" t'),
        ("SELECT duckdb_tables.sql FROM duckdb_tables()", 'SELECT duckdb_tables.sql FROM "duckdb_tables()" AS duckdb_tables'),
        ("SELECT s.a.b FROM t", "SELECT s.a.b FROM t"),
    ],
)  # fmt: skip
def test_a_name_in_a_schema_is_one_relation(one, text, sql):
    assert one(text).sql.rstrip() == sql


def test_an_error_behind_a_rewritten_name_keeps_its_place(one):
    text = "SELECT * FROM sales.o WHERE nope"
    query = one(text)
    at = query.sql.index("nope")
    assert query.offsets.span(at, at + 4) == (text.index("nope"), len(text))


@given(
    st.lists(st.sampled_from(["t", "u", "sales.o", "main.t", "x.y"]), min_size=1, max_size=4),
    st.sampled_from(["FROM {}", "SELECT 1 FROM {} WHERE true", "WITH q AS (FROM {}) FROM q"]),
)
@settings(deadline=None, max_examples=60)
def test_every_reference_is_where_it_says(inspector, tables, shape):
    text = shape.format(", ".join(f"{name} AS a{index}" for index, name in enumerate(tables)))
    query = stored_query(text, inspector)
    assert [text[slice(*read.span)] for read in query.reads] == tables
    sql, _ = renamed(query, [(index, f"r{index}") for index in range(len(tables))])
    assert [read.name for read in stored_query(sql, inspector).reads] == [f"r{i}" for i in range(len(tables))]


def test_renaming_keeps_the_names_of_columns(inspector):
    query = stored_query("SELECT o.a, sales.o.b, t.c FROM sales.o, t x, t", inspector)
    sql, offsets = renamed(query, [(0, 'o "1"'), (2, "t @2")])
    assert sql == 'SELECT o.a, o.b, t.c FROM "o ""1""" AS o, t x, "t @2" AS t'
    at = sql.index('"t @2"')
    assert offsets.span(at, at + 6) == query.reads[2].span


@pytest.mark.parametrize(
    ("text", "kind", "known"),
    [
        ("CREATE VIEW v AS SELECT 1", CreateView, {"name": "v", "columns": (), "body": "SELECT 1"}),
        (
            "CREATE OR REPLACE VIEW sales.v (a, \"B c\") AS FROM t AT (TAG => 'x') -- why",
            CreateView,
            {
                "name": "sales.v",
                "columns": ("a", "B c"),
                "body": "FROM t AT (TAG => 'x')",
                "or_replace": True,
            },
        ),
        ("CREATE VIEW IF NOT EXISTS v AS (SELECT 1)", CreateView, {"if_not_exists": True}),
        (
            "CREATE RECURSIVE VIEW r(n) AS SELECT 1 UNION ALL SELECT n + 1 FROM r",
            CreateView,
            {"body": 'WITH RECURSIVE "r" ("n") AS (SELECT 1 UNION ALL SELECT n + 1 FROM r\n) FROM "r"'},
        ),
        ("DROP VIEW IF EXISTS sales.v CASCADE", DropView, {"name": "sales.v", "if_exists": True}),
        ("ALTER VIEW v RENAME TO w", AlterView, {"name": "v", "to": "w"}),
        ("CREATE SCHEMA IF NOT EXISTS s", CreateSchema, {"name": "s", "if_not_exists": True}),
        ("DROP SCHEMA s CASCADE", DropSchema, {"name": "s", "cascade": True}),
        ("DROP SCHEMA s RESTRICT", DropSchema, {"cascade": False}),
        ("COMMENT ON VIEW s.v IS 'x'", CommentOnObject, {"of": "view", "name": "s.v", "comment": "x"}),
        ("COMMENT ON SCHEMA s IS NULL", CommentOnObject, {"of": "schema", "comment": None}),
        ("COMMENT ON SEQUENCE q IS 'x'", CommentOnObject, {"of": "sequence", "name": "q"}),
        ("COMMENT ON COLUMN s.t.c IS 'x'", CommentOn, {"table": "s.t", "column": "c"}),
        ("CREATE TABLE s.t (a INT)", CreateTable, {"name": "s.t"}),
        ("DROP TABLE s.t", DropTable, {"name": "s.t"}),
    ],
)
def test_statements_about_views_and_schemas(one, text, kind, known):
    found = one(text)
    assert isinstance(found, kind)
    assert {name: getattr(found, name) for name in known} == known


@pytest.mark.parametrize(
    ("text", "to"),
    [
        ("ALTER TABLE t RENAME TO u", "u"),
        ("ALTER TABLE s.t RENAME TO u", "s.u"),
        ('ALTER TABLE "s.t" RENAME TO u', "u"),
        ("ALTER TABLE s.t SET SCHEMA r", "r.t"),
        ("ALTER TABLE s.t SET SCHEMA main", "t"),
        ("ALTER TABLE t SET SCHEMA r", "r.t"),
    ],
)
def test_a_table_stays_in_its_schema_or_moves(one, text, to):
    found = one(text)
    assert isinstance(found, AlterTable)
    assert found.action == RenameTable(to)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("SHOW TABLES", {"what": "tables", "of": None, "like": None}),
        ("show all tables", {"what": "all tables"}),
        ("SHOW TABLES FROM sales LIKE 'a%'", {"what": "tables", "of": "sales", "like": "a%"}),
        ("SHOW VIEWS NOT ILIKE 'A%'", {"what": "views", "like": "A%", "any_case": True, "negated": True}),
        ("SHOW COLUMNS FROM s.t", {"what": "columns", "of": "s.t"}),
        ("SHOW CONSTRAINTS IN t", {"what": "constraints", "of": "t"}),
        ("SHOW CREATE TABLE s.t", {"what": "create table", "of": "s.t"}),
        ("SHOW CREATE VIEW v", {"what": "create view", "of": "v"}),
        *((f"SHOW {what}", {"what": what.lower()}) for what in ("SCHEMAS", "SEQUENCES", "SNAPSHOTS", "TAGS", "FUNCTIONS", "SETTINGS")),
    ],
)  # fmt: skip
def test_show(one, text, known):
    found = one(text)
    assert isinstance(found, Show)
    assert {name: getattr(found, name) for name in known} == known


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("CREATE OR REPLACE VIEW IF NOT EXISTS v AS SELECT 1", KadeQLSyntaxError, "contradict"),
        ("CREATE VIEW v (a, A) AS SELECT 1, 2", KadeQLSyntaxError, "stands twice"),
        ("CREATE VIEW v AS INSERT INTO t VALUES (1)", KadeQLSyntaxError, "a query after AS"),
        ("CREATE VIEW v AS SELEC 1", KadeQLSyntaxError, "a query after AS"),
        ("CREATE VIEW v", KadeQLSyntaxError, "AS and a query"),
        ("CREATE VIEW v AS PIVOT t ON a", KadeQLSyntaxError, "PIVOT"),
        ("CREATE VIEW v AS SELECT $a", KadeQLUnsupportedError, "parameter in a view"),
        ("CREATE VIEW v AS FROM t AT (VERSION => $a)", KadeQLUnsupportedError, "parameter in a view"),
        ("CREATE RECURSIVE VIEW r AS SELECT 1", KadeQLSyntaxError, "columns of the recursive view"),
        ("CREATE VIEW information_schema.v AS SELECT 1", KadeQLUnsupportedError, "engine's own"),
        ("CREATE SCHEMA a.b", KadeQLUnsupportedError, "in no other schema"),
        ("DROP SCHEMA s NOW", KadeQLSyntaxError, "CASCADE, RESTRICT"),
        ("FROM a.b.c", KadeQLUnsupportedError, "a schema at most"),
        ("FROM a.b.c AT (VERSION => 1)", KadeQLSyntaxError, "a schema at most"),
        ("FROM duckdb_tables(1)", KadeQLUnsupportedError, "engine's own state"),
        ("SHOW COLUMNS", KadeQLSyntaxError, "FROM and a table"),
        ("SHOW TABLES LIKE x", KadeQLSyntaxError, "a pattern in single quotes"),
        ("SHOW CREATE TABLE t LIKE 'x'", KadeQLSyntaxError, "LIKE and a pattern"),
        ("SHOW TAGS FROM s", KadeQLSyntaxError, "the end of the statement"),
    ],
)
def test_what_cannot_be_read_says_so(one, text, error, message):
    with pytest.raises(error, match=message) as caught:
        one(text)
    assert caught.value.line == 1
