"""Everything that is refused: the class, the place of the caret, and a hint that says what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from luma_bench.errors import KadeQLSyntaxError, KadeQLUnsupportedError, UnsupportedError
from luma_bench.language.files import READERS
from luma_bench.language.functions import FUNCTIONS, METADATA, RELATIONS, refused_function
from luma_bench.language.islands import ISLANDS
from luma_bench.language.keywords import KEYWORDS, RESERVED, TYPE_FUNCTION
from luma_bench.language.refusals import NOT_YET, STATEMENTS

# text with the refused place in «», a word of the message, a word of the hint
STATEMENT_CASES = [
    ("«EXPORT» DATABASE 'x'", "Exporting", "luma-bench export"),
    ("«IMPORT» DATABASE 'x'", "Importing", "luma-bench import"),
    ("«ATTACH» 'x.db' AS x", "Attaching", "bench.write"),
    ("«DETACH» x", "Attaching", "bench.write"),
    ("«USE» x", "USE", "lb.open"),
    ("«SET» threads = 4", "SET", "lb.open"),
    ("«SET» VARIABLE x = 4", "SET", "luma.toml"),
    ("«RESET» threads", "RESET", "lb.open"),
    ("«PRAGMA» database_list", "PRAGMA", "luma-bench config"),
    ("«LOAD» spatial", "extensions", "built in"),
    ("«INSTALL» spatial", "extensions", "built in"),
    ("«VACUUM»", "Maintenance", "Leave it out"),
    ("«CHECKPOINT»", "Maintenance", "Leave it out"),
    ("«ANALYZE»", "Maintenance", "Leave it out"),
    ("«CALL» p(1)", "CALL", ";"),
    ("«REFRESH» MATERIALIZED VIEW v", "materialized view", "CREATE OR REPLACE TABLE v AS"),
    ("«GRANT» SELECT ON t TO x", "access", "CREATE ROW POLICY"),
    ("«ALTER PROPERTY GRAPH» g RENAME TO h", "property graph", "CREATE OR REPLACE PROPERTY GRAPH"),
    ("«CREATE VECTOR INDEX» i ON t (emb) USING hnsw", "vector index", "ORDER BY emb <-> $v"),
    ("«CREATE TEXT INDEX» i ON t (body)", "text index", "ILIKE"),
    ("«CREATE MATERIALIZED VIEW» v AS SELECT 1", "materialized view", "CREATE OR REPLACE TABLE v AS"),
    ("«CREATE PROCEDURE» p() AS BEGIN SELECT 1", "procedure", ";"),
    ("CREATE VIEW v AS SELECT «$x»", "parameter in a view", "FROM v WHERE"),
    ("DROP VIEW v«,» w", "several views", "DROP VIEW a"),
    ("«CREATE TEMP» TABLE t (a INT)", "temporary", "WITH t AS"),
    ("«CREATE OR REPLACE TEMPORARY» TABLE t AS SELECT 1", "temporary", "WITH t AS"),
    ("«CREATE SECRET» s (TYPE s3)", "secret", "setting files"),
    ("«CREATE MACRO» m(a) AS a + 1", "macro", "WITH"),
    ("«CREATE FUNCTION» m(a) AS a + 1", "macro", "WITH"),
    ("«CREATE TYPE» e AS ENUM ('a')", "type", "STRUCT"),
    ("«CREATE INDEX» i ON t (a)", "index", "PRIMARY KEY"),
    ("«CREATE UNIQUE» INDEX i ON t (a)", "index", "PRIMARY KEY"),
    ("«ALTER SCHEMA» s RENAME TO r", "schema", "SET SCHEMA"),
    ("«CREATE SECURE» VIEW v AS SELECT 1", "secure view", "CREATE ROW POLICY"),
    ("«CREATE OR REPLACE SCHEMA» s", "OR REPLACE SCHEMA", "DROP SCHEMA s CASCADE"),
    ("CREATE VIEW v «WITH (DEFER_BINDING)» AS SELECT 1", "of a view", "Leave it out"),
    ("CREATE TABLE t AS SELECT 1 «WITH NO DATA»", "WITH DATA", "LIMIT 0"),
    ('CREATE SCHEMA «"a.b"»', "dot", "without it"),
    ("EXPLAIN (FORMAT «yaml») SELECT 1", "plan in this format", "json"),
    ("«SHOW EXTERNAL» RESOURCES", "engine's own state", "SHOW TABLES"),
    ("INSERT INTO t VALUES (1) RETURNING «COLUMNS('a')»", "COLUMNS", "EXCLUDE"),
    ("SELECT «nextval»(NULL)", "not named by a constant", "nextval('s')"),
    ("CREATE SCHEMA «pg_catalog»", "engine's own", "another name"),
    ("DELETE FROM t «AT» (VERSION => 3)", "AT a snapshot", "in a subquery"),
    ("DELETE FROM t WHERE «_rowid» = 3", "_rowid", "by their columns"),
    ('UPDATE t SET a = (SELECT "«_RowId»" FROM u)', "_rowid", "by their columns"),
    ("DELETE FROM t RETURNING «(SELECT 1)»", "subquery in RETURNING", "BEGIN"),
    ("INSERT INTO t VALUES (1) RETURNING sum(a) «OVER» ()", "window function", "row_number"),
    ("UPDATE t SET a = row_number() «OVER» ()", "window function", "FROM"),
    (
        "INSERT INTO t VALUES (1) ON CONFLICT (a) «WHERE» b > 1 DO NOTHING",
        "condition on the key",
        "DO UPDATE",
    ),
    (
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND «random()» < 0.5 THEN DELETE",
        "another value",
        "USING (SELECT",
    ),
    ("UPDATE t SET «t.»a = 1", "qualified", "alone"),
    ("UPDATE t SET «a[»1] = 1", "field", "struct_update"),
    ("UPDATE «temp».t SET a = 1", "engine's own", "CREATE SCHEMA"),
    ("DELETE FROM «__luma_rows_t»", "__luma", "Choose"),
    (
        "DELETE FROM t WHERE a IN (WITH y AS (SELECT 1) «DELETE» FROM u RETURNING 1)",
        "writes",
        "statement of its own",
    ),
    ("DELETE FROM t WHERE a IN (SELECT a FROM «read_duckdb»('x.csv'))", "file", "bench.write"),
    ("«SAVEPOINT» a", "savepoint", "ROLLBACK"),
    ("«RELEASE» SAVEPOINT a", "savepoint", "ROLLBACK"),
    ("ROLLBACK «TO» a", "savepoint", "ROLLBACK"),
    ("COMMIT «AND» CHAIN", "AND CHAIN", "COMMIT; BEGIN"),
    ("BEGIN «IMMEDIATE»", "locking", "ConflictError"),
    ("BEGIN TRANSACTION «ISOLATION» LEVEL SERIALIZABLE", "isolation level", "READ ONLY"),
    ("ALTER TABLE t ADD COLUMN a INT«,» ADD COLUMN b INT", "Several changes", "BEGIN and COMMIT"),
    ("ALTER TABLE t ADD COLUMN «c INT PRIMARY KEY»", "primary key", "mode='replace'"),
    ("ALTER TABLE t ADD COLUMN «s.»x INT", "field inside a column", "struct_update"),
    ("ALTER TABLE t ALTER c SET DEFAULT «$p»", "parameter in a default", "the value itself"),
    ("ALTER TABLE t ALTER c TYPE INT «USING» c + 1", "USING", "ADD COLUMN"),
    ("ALTER TABLE t SET «SORTED» BY (a)", "SORTED BY", "sort_by"),
    ("COMMENT ON «INDEX» i IS 'x'", "comment on this", "COLUMN t.c"),
    ("CREATE TABLE t (a VARCHAR «COLLATE» nocase)", "COLLATE", "ORDER BY"),
    ("DROP TABLE a«,» b", "several tables", "DROP TABLE a; DROP TABLE b"),
    ("CREATE TABLE «system».t (a INT)", "engine's own", "CREATE SCHEMA"),
    ("DROP TABLE «__luma_x»", "__luma", "Choose"),
    ("EXPLAIN «BEGIN»", "EXPLAIN of this", "EXPLAIN SELECT"),
    ("EXPLAIN «TRUNCATE» t", "EXPLAIN of this", "EXPLAIN SELECT"),
    ("EXPLAIN ANALYZE «CREATE» TABLE t AS SELECT 1", "EXPLAIN of this", "EXPLAIN SELECT"),
    ("EXPLAIN «EXPLAIN» SELECT 1", "EXPLAIN of this", "EXPLAIN SELECT"),
    ("EXPLAIN «ATTACH» 'x'", "Attaching", "bench.write"),
    ("«SHOW DATABASES»", "engine's own state", "SHOW TABLES"),
    ("«SHOW ALL»", "engine's own state", "SHOW TABLES"),
]
QUERY_CASES = [
    ("SELECT * FROM t WHERE «SEARCH»(body, '\"engine fire\"~1')", "SEARCH", "ILIKE"),
    ("SELECT * FROM t WHERE «search»(coalesce(a, b), $q)", "SEARCH", "ILIKE"),
    ("SELECT id, «SCORE»() FROM t", "SCORE", "Order by"),
    ("SELECT id, «HIGHLIGHT»(body) FROM t", "HIGHLIGHT", "regexp_replace"),
    ("SELECT * FROM t ORDER BY «HYBRID»(SEARCH(body, 'q'), emb <=> $v) DESC", "HYBRID", "distance"),
    ("SELECT a «<#>» b FROM t", "<#>", "list_negative_inner_product"),
    ("SELECT a «<+>» b FROM t", "<+>", "list_zip"),
    ("SELECT * FROM t ORDER BY a <-> $v LIMIT 6 «EXACT»", "EXACT", "Leave EXACT out"),
    ("SELECT * FROM t ORDER BY a <-> $v LIMIT $k «EXACT»", "EXACT", "Leave EXACT out"),
    ("WITH x AS («DELETE» FROM t RETURNING *) FROM x", "writes", "statement of its own"),
    ("WITH x AS («UPDATE» t SET a = 1) SELECT 1", "writes", "statement of its own"),
    (
        "WITH x AS MATERIALIZED («INSERT» INTO t VALUES (1) RETURNING a) FROM x",
        "writes",
        "INSERT INTO t SELECT",
    ),
    ("WITH x AS («TRUNCATE» t) FROM x", "writes", "statement of its own"),
    ("WITH x AS (WITH y AS (SELECT 1) «DELETE» FROM t RETURNING a) FROM x", "writes", "statement of its own"),
    (
        "WITH x AS (WITH y(b) AS (FROM u), z AS (FROM y) «INSERT» INTO t FROM z) FROM x",
        "writes",
        "statement of its own",
    ),
    ("SUMMARIZE «SHOW» TABLES", "SHOW inside", "SHOW TABLES"),
    ("FROM («DESCRIBE»)", "DESCRIBE without a table", "SHOW TABLES"),
    ("SUMMARIZE «DESCRIBE»", "DESCRIBE without a table", "SHOW TABLES"),
    ("SELECT * FROM («SHOW» ALL TABLES)", "SHOW inside", "SHOW TABLES"),
    ("SELECT «?»", "Positional", "$name"),
    ("SELECT * FROM t WHERE a = «$1»", "Positional", "$name"),
    ("SELECT * FROM «read_duckdb»('x.csv')", "file", "bench.write"),
    ("SELECT * FROM t, «Read_Duckdb»(['x.parquet'])", "file", "bench.write"),
    ("FROM \"«read_single_json_file»\"('x')", "file", "bench.write"),
    ("FROM «parquet_anything_new»('x')", "file", "bench.write"),
    ("FROM «iceberg_scan»('x')", "file", "bench.write"),
    ("FROM «'x.xlsx'»", "names no format", "read_csv"),
    ("FROM f: «'x.xlsx'»", "names no format", "read_csv"),
    ("SELECT * FROM a JOIN b USING (x), «'x.xlsx'» AS c", "names no format", "read_csv"),
    ("SELECT * FROM (a JOIN «'x.xlsx'» ON true)", "names no format", "read_csv"),
    ("SELECT (SELECT count(*) FROM «'x.xlsx'»)", "names no format", "read_csv"),
    ("SUMMARIZE «'x.xlsx'»", "names no format", "read_csv"),
    ("DESCRIBE «'x.xlsx'»", "names no format", "read_csv"),
    ("PIVOT «'x.xlsx'» ON a", "names no format", "read_csv"),
    ("TABLE «'x.xlsx'»", "names no format", "read_csv"),
    ("CREATE TABLE t AS FROM «'x.xlsx'»", "names no format", "read_csv"),
    ("INSERT INTO t FROM «read_duckdb»('x')", "file", "bench.write"),
    ("FROM «query»('SELECT 1')", "string", "bench.kadeql"),
    ("FROM main.«query_table»('t')", "string", "bench.kadeql"),
    ("FROM «json_execute_serialized_sql»('x')", "string", "bench.kadeql"),
    ("FROM «pragma_table_info»('t')", "engine's own state", "SHOW TABLES"),
    ("FROM «duckdb_databases»()", "engine's own state", "bench.tables()"),
    ("FROM «duckdb_secrets»()", "engine's own state", "bench.tables()"),
    ("FROM «duckdb_databases»", "engine's own state", "bench.tables()"),
    ("SELECT * FROM t JOIN «sqlite_master» USING (name)", "engine's own state", "DESCRIBE"),
    ("FROM «information_schema».character_sets", "engine's own state", "SHOW TABLES"),
    ("FROM «duckdb_settings»()", "settings", "luma-bench config"),
    ("SELECT «current_setting»('threads')", "settings", "luma-bench config"),
    ("FROM «pandas_scan»(1, 2, 3)", "memory", "bench.write"),
    ("FROM «force_checkpoint»()", "changes the engine", "Leave it out"),
    ("SELECT * FROM «__luma_t»", "__luma", "Choose"),
    ('SELECT "«__Luma»" FROM t', "__luma", "Choose"),
]


def _unmark(text: str) -> tuple[str, tuple[int, int]]:
    start, end = text.index("«"), text.index("»") - 1
    return text.replace("«", "").replace("»", ""), (start, end)


@pytest.mark.parametrize("prefix", ["", "SELECT 1;\r\n\t-- a comment; ü\n"], ids=["alone", "second"])
@pytest.mark.parametrize(("marked", "word", "instead"), STATEMENT_CASES + QUERY_CASES)
def test_refused_with_the_place_and_the_way_out(read, prefix, marked, word, instead):
    text, (start, end) = _unmark(marked)
    if text[start - 1 : start] == '"':
        start, end = start - 1, end + 1
    with pytest.raises(KadeQLUnsupportedError) as caught:
        read(prefix + text)
    error = caught.value
    assert isinstance(error, UnsupportedError)
    assert word in error.plain
    assert error.hint is not None
    assert instead in error.hint
    assert error.span == (len(prefix) + start, len(prefix) + end)
    assert (error.line, error.column) == (3 if prefix else 1, start + 1)
    assert "^" * (end - start) in str(error)


def test_every_refused_statement_says_what_to_write():
    for words, refusal in STATEMENTS.items():
        assert refusal.what, words
        assert refusal.instead.endswith((".", "t", "v", "…", "10", "dst")), refusal.instead
    assert any(refusal.why == NOT_YET for refusal in STATEMENTS.values())


def test_every_table_function_of_the_engine_is_decided(inspector):
    harmless = [
        "generate_series",
        "range",
        "repeat",
        "repeat_row",
        "unnest",
        "json_each",
        "json_tree",
        "icu_calendar_names",
        "pg_timezone_names",
        "test_all_types",
        "test_vector_types",
        "histogram",
        "histogram_values",
    ]
    rows = inspector.connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ('table', 'table_macro')"
    ).fetchall()
    undecided = (
        {name for (name,) in rows if refused_function(name) is None} - set(harmless) - METADATA - READERS
    )
    assert undecided == set()
    assert set(FUNCTIONS) & set(harmless) == set()


def test_every_view_of_the_engine_is_refused(inspector):
    rows = inspector.connection.execute(
        "SELECT view_name, schema_name FROM duckdb_views() WHERE internal"
    ).fetchall()
    assert {name for name, schema in rows if schema in ("main", "pg_catalog")} <= RELATIONS


def test_keyword_classes_are_the_engines_own(inspector):
    rows = inspector.connection.execute(
        "SELECT keyword_name, keyword_category FROM duckdb_keywords()"
    ).fetchall()
    reserved = {name.upper() for name, category in rows if category == "reserved"}
    assert reserved == RESERVED
    assert {
        name.upper() for name, category in rows if category == "type_function"
    } - reserved == TYPE_FUNCTION
    assert {name.upper() for name, _ in rows} == KEYWORDS


def test_what_is_recommended_instead_runs(inspector):
    execute = inspector.connection.cursor().execute
    execute(
        "CREATE TEMP TABLE t AS SELECT range AS k, TIMESTAMP '2026-01-01' + INTERVAL (range) MINUTE AS ts, range * 1.0 AS x FROM range(180)"
    )
    for text in (
        "SELECT time_bucket(INTERVAL '1 hour', ts) AS window_start, avg(x) FROM t GROUP BY ALL",
        "SELECT * FROM t QUALIFY row_number() OVER (PARTITION BY k ORDER BY ts DESC) = 1",
        "SELECT arg_max(x, ts) FROM t GROUP BY k",
        "SELECT list_negative_inner_product([1.0, 2], [3.0, 4])",
        "SELECT list_sum(list_transform(list_zip([1, 5], [4, 1]), lambda p: abs(p[1] - p[2])))",
        r"SELECT regexp_replace('a word', '(word)', '**\1**', 'gi')",
        "SELECT len(regexp_extract_all(lower('word word'), 'word'))",
        "CREATE OR REPLACE TEMP TABLE u AS SELECT * FROM t WHERE (k < 10) IS NOT TRUE",
        "CREATE OR REPLACE TEMP TABLE u AS SELECT * REPLACE (CASE WHEN k < 10 THEN 0 ELSE x END AS x) FROM t",
        "CREATE OR REPLACE TEMP TABLE u AS FROM t LIMIT 0",
    ):
        execute(text).fetchall()
    assert execute(
        "SELECT list_sum(list_transform(list_zip([1, 5], [4, 1]), lambda p: abs(p[1] - p[2])))"
    ).fetchone() == (7,)


DOC = Path(__file__).parents[2] / "docs" / "reference" / "kadeql.md"


def test_every_example_of_the_reference_parses(read):
    blocks = DOC.read_text("utf-8").split("```sql\n")[1:]
    assert len(blocks) > 20
    for block in blocks:
        assert read(block.split("```")[0])


def test_the_reference_names_every_refusal():
    page = DOC.read_text("utf-8").replace("\\|", "|")
    for words, refusal in STATEMENTS.items():
        assert f"`{' '.join(words)}`" in page
        assert refusal.instead in page
    for island in ISLANDS:
        if island.refusal is not None:
            assert island.refusal.instead in page, island.name
    for name, refusal in FUNCTIONS.items():
        assert f"`{name}`" in page
        assert refusal.instead in page


@pytest.mark.parametrize("text", ["SELECT 1; MERGE INTO t USING u ON true", "DELETE FROM t; SELECT ("])
def test_nothing_is_returned_when_one_statement_is_wrong(read, text):
    with pytest.raises((KadeQLUnsupportedError, KadeQLSyntaxError)):
        read(text)
