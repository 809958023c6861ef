"""Schemas as namespaces: names with a schema mean in every statement what they mean to DuckDB."""

import duckdb
import pytest

import luma_bench as lb
from luma_bench.errors import CatalogError, KadeQLBindError, KadeQLUnsupportedError


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma") as opened:
        opened.kadeql("CREATE SCHEMA sales; CREATE TABLE sales.o (id INTEGER PRIMARY KEY, x INTEGER)")
        opened.kadeql("INSERT INTO sales.o VALUES (1, 10), (2, 20), (3, 30); CREATE TABLE o AS SELECT 7 AS x")
        yield opened


def ask(bench, text, **arguments):
    result = bench.kadeql(text, **arguments).to_arrow()
    return list(zip(*(column.to_pylist() for column in result.columns), strict=True))


SCRIPT = """
CREATE SCHEMA a; CREATE SCHEMA IF NOT EXISTS "B 2";
CREATE TABLE a.t (id INTEGER, s VARCHAR); CREATE TABLE "B 2".t AS SELECT 1 AS id, 'b' AS s;
CREATE TABLE t AS SELECT 0 AS id, 'main' AS s;
INSERT INTO a.t VALUES (1, 'one'), (2, 'two'), (3, 'three');
INSERT INTO a.t (s, id) SELECT s, id + 10 FROM "B 2".t;
UPDATE a.t SET s = upper(a.t.s) WHERE a.t.id = 2;
UPDATE a.t AS y SET s = y.s || '!' WHERE y.id IN (SELECT id FROM main.t UNION SELECT id FROM "B 2".t);
DELETE FROM a.t WHERE a.t.id = 3;
ALTER TABLE a.t ADD COLUMN n INTEGER DEFAULT 5;
ALTER TABLE a.t RENAME COLUMN s TO name;
ALTER TABLE a.t RENAME TO u;
CREATE VIEW a.v AS SELECT u.id, n FROM a.u;
CREATE OR REPLACE TABLE "B 2".t AS FROM a.v;
"""
QUESTIONS = (
    "FROM a.u ORDER BY id",
    'FROM "B 2".t ORDER BY ALL',
    "FROM a.v ORDER BY id",
    "FROM main.t",
    "SELECT a.u.name, t.s FROM a.u, t ORDER BY 1",
    "SELECT u.*, x.s FROM a.u JOIN main.t x ON x.id < u.id ORDER BY ALL",
    'SELECT a.u.id, "B 2".t.id FROM a.u JOIN "B 2".t ON a.u.id = "B 2".t.id ORDER BY 1',
    "WITH u AS (SELECT 9 AS id) SELECT u.id, v.id FROM u, a.v ORDER BY ALL",
    "SELECT (SELECT max(a.u.id) FROM a.u WHERE a.u.id > t.id) FROM t",
    "PIVOT a.u ON id IN (1, 2) USING count(*) GROUP BY name ORDER BY name",
    "SELECT count(*) FROM a.u o JOIN a.u p USING (id)",
    "SELECT count(*) FROM (FROM a.u) q",
    "DESCRIBE a.u",
)


def test_a_script_over_schemas_means_what_it_means_to_duckdb(tmp_path):
    with lb.open(tmp_path / "b.luma") as bench, duckdb.connect() as twin:
        bench.kadeql(SCRIPT)
        twin.execute(SCRIPT)
        for text in QUESTIONS:
            expected = [tuple(row) for row in twin.execute(text).fetchall()]
            assert list(map(str, ask(bench, text))) == list(map(str, expected)), text
        assert [row[0] for row in ask(bench, "SHOW SCHEMAS")] == ["main", "B 2", "a"]


def test_a_statement_with_merge_and_returning_names_a_schema(bench):
    bench.kadeql("MERGE INTO sales.o USING (VALUES (3, 33), (4, 44)) n(id, x) ON n.id = sales.o.id "
                 "WHEN MATCHED THEN UPDATE SET x = n.x WHEN NOT MATCHED THEN INSERT VALUES (n.id, n.x)")  # fmt: skip
    assert ask(bench, "SELECT id, x FROM sales.o ORDER BY id") == [(1, 10), (2, 20), (3, 33), (4, 44)]
    assert ask(bench, "DELETE FROM sales.o WHERE sales.o.id > 2 RETURNING id") == [(3,), (4,)]
    bench.kadeql("TRUNCATE sales.o")
    assert ask(bench, "SELECT count(*) FROM sales.o") == [(0,)]


def test_the_python_api_takes_the_name(bench, tmp_path):
    bench.write("sales.w", {"id": [1, 2], "x": [1.5, 2.5]}, primary_key="id")
    bench.write("sales.w", {"id": [2], "x": [9.0]}, mode="upsert")
    assert bench.get("sales.w", 2) == {"id": 2, "x": 9.0}
    assert bench.table("sales.w")["x"].sum() == 10.5
    assert bench.export("sales.w", tmp_path / "w.parquet") == 2
    assert "sales.w" in bench.tables()
    assert ask(bench, "SELECT w.x FROM sales.w WHERE sales.w.id = 1") == [(1.5,)]
    assert bench.kadeql("SELECT x FROM sales.o WHERE id = 2").to_arrow().to_pylist() == [{"x": 20}]
    assert ask(bench, "FROM sales.o", tables={"sales.o": {"mine": [1]}}) == [(1,)]


def test_schemas_travel_in_time(bench):
    before = bench.snapshot
    bench.kadeql("INSERT INTO sales.o VALUES (4, 40)")
    assert ask(bench, f"SELECT max(sales.o.x) FROM sales.o AT (VERSION => {before})") == [(30,)]
    assert ask(bench, f"SELECT n.x FROM sales.o n ANTI JOIN sales.o AT (VERSION => {before}) USING (id)") == [
        (40,)
    ]
    bench.kadeql("DROP SCHEMA sales CASCADE")
    assert ask(bench, f"SELECT count(*) FROM sales.o AT (VERSION => {before})") == [(3,)]
    assert [row[0] for row in ask(bench, "SHOW SCHEMAS", at=before)] == ["main", "sales"]
    assert [row[0] for row in ask(bench, "SHOW SCHEMAS")] == ["main"]
    assert bench.tables() == ["o"]


def test_moving_a_table(bench):
    bench.kadeql("ALTER TABLE sales.o RENAME TO p")
    assert bench.tables() == ["o", "sales.p"]
    bench.kadeql("ALTER TABLE sales.p SET SCHEMA main")
    assert bench.tables() == ["o", "p"]
    bench.kadeql("CREATE SCHEMA other; ALTER TABLE p SET SCHEMA other")
    assert ask(bench, "SELECT sum(x) FROM other.p") == [(60,)]
    bench.kadeql("CREATE VIEW other.v AS FROM other.p; ALTER VIEW other.v RENAME TO w")
    assert ask(bench, "SELECT count(*) FROM other.w") == [(3,)]


def test_dropping_a_schema(bench):
    bench.kadeql("CREATE VIEW sales.v AS FROM sales.o; CREATE SEQUENCE sales.q")
    with pytest.raises(
        KadeQLBindError, match=r"not empty: it holds table 'sales\.o', view 'sales\.v', sequence 'sales\.q'"
    ) as caught:
        bench.kadeql("DROP SCHEMA sales")
    assert "CASCADE" in caught.value.hint
    with pytest.raises(KadeQLBindError, match="not empty"):
        bench.kadeql("DROP SCHEMA sales RESTRICT")
    head = bench.snapshot
    bench.kadeql("DROP SCHEMA Sales CASCADE")
    assert bench.snapshot == head + 1
    assert bench.tables() == ["o"]
    assert ask(bench, "SHOW VIEWS") == ask(bench, "SHOW SEQUENCES") == []
    bench.kadeql("CREATE SCHEMA empty; DROP SCHEMA empty")
    assert ask(bench, "DROP SCHEMA IF EXISTS sales")[0][0] == "unchanged"
    assert ask(bench, "CREATE SCHEMA IF NOT EXISTS main")[0][0] == "unchanged"


def test_schemas_are_part_of_a_transaction(bench):
    bench.kadeql(
        "BEGIN; CREATE SCHEMA new; CREATE TABLE new.t AS SELECT 1 AS a; CREATE VIEW new.v AS FROM new.t"
    )
    assert ask(bench, "FROM new.v") == [(1,)]
    bench.kadeql("ROLLBACK")
    assert [row[0] for row in ask(bench, "SHOW SCHEMAS")] == ["main", "sales"]


@pytest.mark.parametrize(
    ("text", "message", "hint", "place"),
    [
        ("CREATE TABLE salse.t (a INT)", "There is no schema 'salse'", "'sales'", 14),
        ("CREATE VIEW nope.v AS SELECT 1", "There is no schema 'nope'", "CREATE SCHEMA nope", 13),
        ("CREATE TABLE IF NOT EXISTS nope.t AS SELECT 1 AS a", "There is no schema 'nope'", "main, sales", 28),
        ("ALTER TABLE sales.o SET SCHEMA nope", "There is no schema 'nope'", "CREATE SCHEMA nope", 32),
        ("CREATE SCHEMA SALES", "There is a schema 'SALES' already", "IF NOT EXISTS", 15),
        ("CREATE SCHEMA main", "There is a schema 'main' already", "IF NOT EXISTS", 15),
        ("DROP SCHEMA nope", "There is no schema 'nope'", "sales", 13),
        ("DROP SCHEMA main CASCADE", "The schema main", "Drop its tables", 13),
        ("SELECT * FROM sales.p", "There is no table 'sales.p'", "'sales.o'", 15),
        ("FROM nope.o", "There is no table 'nope.o'", "sales.o", 6),
        ("INSERT INTO sales.p VALUES (1)", "There is no table 'sales.p'", "sales.o", 13),
        ("COMMENT ON SCHEMA nope IS 'x'", "There is no schema 'nope'", "sales", 19),
        ("SHOW TABLES FROM nope", "There is no schema 'nope'", "sales", 18),
    ],
)  # fmt: skip
def test_a_wrong_schema_is_named_with_the_nearest(bench, text, message, hint, place):
    with pytest.raises(KadeQLBindError, match=message) as caught:
        bench.kadeql(text)
    assert hint in caught.value.hint
    assert caught.value.column == place


@pytest.mark.parametrize("text", ["USE sales", "SET search_path = 'sales'", "SET schema = 'sales'", "CREATE DATABASE d", "ATTACH 'x.db'"])  # fmt: skip
def test_what_changes_the_meaning_of_names_is_refused(bench, text):
    with pytest.raises(KadeQLUnsupportedError):
        bench.kadeql(text)


def test_a_dot_between_quotes_is_part_of_a_name(bench):
    bench.kadeql('CREATE TABLE "x.y" (a INT); INSERT INTO "x.y" VALUES (1)')
    assert ask(bench, 'FROM "x.y"') == [(1,)]
    bench.kadeql('ALTER TABLE "x.y" RENAME TO z')
    assert bench.tables() == ["o", "sales.o", "z"]


def test_names_ignore_case(bench):
    assert ask(bench, "SELECT SALES.O.X FROM Sales.O WHERE sales.o.ID = 1") == [(10,)]
    with pytest.raises((CatalogError, KadeQLBindError), match="already"):
        bench.kadeql("CREATE TABLE SALES.O (a INT)")


def test_a_table_of_a_schema_is_copied(bench, tmp_path):
    with lb.open(tmp_path / "c.luma", files=[str(tmp_path)], files_write=[str(tmp_path)]) as copying:
        copying.kadeql("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 1 AS a, 2 AS b")
        copying.kadeql(f"COPY s.t (b) TO '{tmp_path}/t.csv'; COPY s.t (b) FROM '{tmp_path}/t.csv'")
        assert ask(copying, "FROM s.t ORDER BY ALL") == [(1, 2), (None, 2)]
