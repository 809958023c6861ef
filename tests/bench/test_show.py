"""What tells of a bench: SHOW, DESCRIBE, SUMMARIZE, and the catalog as relations beside DuckDB's own."""

import duckdb
import pytest

import luma_bench as lb
from luma_bench.errors import KadeQLBindError, KadeQLUnsupportedError

TABLES = """
CREATE SCHEMA sales; CREATE SEQUENCE numbers START 5 INCREMENT BY 2;
CREATE TABLE p (id INTEGER PRIMARY KEY, u INTEGER UNIQUE, b INTEGER NOT NULL CHECK (b > 0), c VARCHAR DEFAULT 'x''y', CHECK (b < u));
CREATE TABLE sales.q (a INTEGER, b BIGINT, n DECIMAL(10, 2) DEFAULT 1.5, l INTEGER[], st STRUCT(a INTEGER, b VARCHAR),
    d DATE DEFAULT DATE '2026-01-31', PRIMARY KEY (a, b));
CREATE TABLE r (pid INTEGER REFERENCES p (id));
COMMENT ON TABLE p IS 'it''s p'; COMMENT ON COLUMN p.b IS 'b > 0';
CREATE VIEW v AS SELECT id, b + 1 AS more FROM p;
"""


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma") as opened:
        yield opened


@pytest.fixture
def filled(bench):
    bench.kadeql(TABLES)
    return bench


@pytest.fixture
def twin():
    with duckdb.connect() as con:
        con.execute(TABLES)
        yield con


def ask(bench, text, **arguments):
    result = bench.kadeql(text, **arguments).to_arrow()
    return list(zip(*(column.to_pylist() for column in result.columns), strict=True))


def names(bench, text):
    return [row[0] for row in ask(bench, text)]


# --- SHOW ---


def test_show_tables(filled):
    filled.kadeql("INSERT INTO p VALUES (1, 9, 2, 'c')")
    assert ask(filled, "SHOW TABLES") == [
        ("p", 1, 4, "id", "it's p", "table"),
        ("r", 0, 1, None, None, "table"),
        ("sales.q", 0, 6, "a, b", None, "table"),
        ("v", None, 2, None, None, "view"),
    ]
    assert names(filled, "SHOW TABLES FROM sales") == ["sales.q"]
    assert names(filled, "SHOW TABLES FROM main") == ["p", "r", "v"]
    assert names(filled, "SHOW TABLES LIKE 'P'") == []
    assert names(filled, "SHOW TABLES ILIKE 'P'") == ["p"]
    assert names(filled, "SHOW TABLES NOT LIKE '_'") == ["sales.q"]
    assert names(filled, "SHOW TABLES LIKE 'sales.%'") == ["sales.q"]
    before = filled.snapshot
    filled.kadeql("DROP TABLE sales.q")
    assert names(filled, "SHOW TABLES") == ["p", "r", "v"]
    assert names(filled.at(before), "SHOW TABLES") == ["p", "r", "sales.q", "v"]


def test_show_all_tables_is_duckdbs(filled, twin):
    expected = {(row[1], row[2]): row[3:5] for row in twin.execute("SHOW ALL TABLES").fetchall()}
    shown = {(row[1], row[2]): (row[3], row[4]) for row in ask(filled, "SHOW ALL TABLES")}
    assert shown == expected


def test_show_what_a_bench_holds(filled):
    filled.tag("paper")
    assert ask(filled, "SHOW VIEWS") == [("v", 2, "SELECT id, b + 1 AS more FROM p", None)]
    assert ask(filled, "SHOW SCHEMAS") == [("main", 3, None), ("sales", 1, None)]
    assert ask(filled, "SHOW SEQUENCES") == [("numbers", 5, 2, 1, 2**63 - 1, False, None)]
    assert [row[:2] for row in ask(filled, "SHOW TAGS")] == [("paper", filled.snapshot)]
    assert names(filled, "SHOW SNAPSHOTS") == [snapshot.id for snapshot in filled.snapshots()]
    assert "sum" in names(filled, "SHOW FUNCTIONS LIKE 'sum%'")
    settings = dict(row[:2] for row in ask(filled, "SHOW SETTINGS"))
    assert settings["timezone"] == filled.settings.timezone
    assert [row[:3] for row in ask(filled, "SHOW COLUMNS FROM v")] == [
        ("id", "INTEGER", "YES"),
        ("more", "INTEGER", "YES"),
    ]


def test_show_constraints(filled):
    shown = [(row[0], row[2], row[3]) for row in ask(filled, "SHOW CONSTRAINTS")]
    assert ("p", "PRIMARY KEY", "PRIMARY KEY (id)") in shown
    assert ("p", "UNIQUE", "UNIQUE (u)") in shown
    assert ("p", "NOT NULL", "NOT NULL") in shown
    assert ("r", "FOREIGN KEY", "FOREIGN KEY (pid) REFERENCES p (id)") in shown
    assert {row[0] for row in ask(filled, "SHOW CONSTRAINTS FROM sales.q")} == {"sales.q"}


CREATED = (
    "CREATE TABLE t (a INTEGER)",
    "CREATE TABLE t (id BIGINT PRIMARY KEY, \"A b\" VARCHAR NOT NULL DEFAULT 'it''s', c DOUBLE DEFAULT 1.5)",
    "CREATE TABLE t (a TINYINT, b UBIGINT, c DECIMAL(7, 3), d DATE, e TIME, f TIMESTAMP, g TIMESTAMPTZ, h BLOB, i BOOLEAN, j FLOAT, k HUGEINT, l UUID, m INTERVAL, n TIMESTAMP_NS)",
    "CREATE TABLE t (a INTEGER[], b STRUCT(x INTEGER, \"y z\" VARCHAR[]), c MAP(VARCHAR, INTEGER), d INTEGER[3], PRIMARY KEY (e, f), e INTEGER, f VARCHAR)",
    "CREATE TABLE t (a INTEGER, b INTEGER, CONSTRAINT positive CHECK (a > 0 AND b IS NOT NULL), UNIQUE (a, b), CHECK (a < b))",
    "CREATE TABLE o (id INTEGER PRIMARY KEY); CREATE TABLE t (a INTEGER REFERENCES o (id), up INTEGER, id INTEGER PRIMARY KEY, FOREIGN KEY (up) REFERENCES t (id))",
    "CREATE TABLE t (a INTEGER, b INTEGER GENERATED ALWAYS AS (a * 2 + 1), c VARCHAR DEFAULT 'x' || 'y')",
    "CREATE SEQUENCE s; CREATE TABLE t (a BIGINT DEFAULT nextval('s'), b TIMESTAMPTZ DEFAULT now())",
    "CREATE TABLE t (a INTEGER, ts TIMESTAMP); ALTER TABLE t SET (sort_by = (a, ts), codec = 'zstd', time_column = ts); COMMENT ON TABLE t IS 'x'; COMMENT ON COLUMN t.ts IS 'it''s'",
)  # fmt: skip


@pytest.mark.parametrize("text", CREATED)
def test_show_create_table_makes_the_same_table(bench, text):
    bench.kadeql(text)
    (created,) = [row[1] for row in ask(bench, "SHOW CREATE TABLE t")]
    described = ask(bench, "DESCRIBE t")
    bench.kadeql("DROP TABLE t")
    bench.kadeql(created)
    assert ask(bench, "SHOW CREATE TABLE t") == [("t", created)]
    assert ask(bench, "DESCRIBE t") == described


def test_show_create_view_makes_the_same_view(bench):
    bench.kadeql(
        "CREATE SCHEMA s; CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW s.v (\"A b\") AS SELECT a /* why */ FROM t -- end\n; COMMENT ON VIEW s.v IS 'x'"
    )
    (created,) = [row[1] for row in ask(bench, "SHOW CREATE VIEW s.v")]
    bench.kadeql("DROP VIEW s.v")
    bench.kadeql(created)
    assert ask(bench, "SHOW CREATE VIEW s.v") == [("s.v", created)]
    assert ask(bench, 'SELECT "A b" FROM s.v') == [(1,)]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("SHOW COLUMNS FROM nope", "There is no table 'nope'", "p"),
        ("SHOW CREATE TABLE v", "'v' is a view", "SHOW CREATE VIEW v"),
        ("SHOW CREATE VIEW p", "'p' is a table", "SHOW CREATE TABLE p"),
        ("SHOW CONSTRAINTS FROM sales.nope", "There is no table 'sales.nope'", "sales.q"),
    ],
)
def test_showing_what_is_not_there(filled, text, message, hint):
    with pytest.raises(KadeQLBindError, match=message) as caught:
        filled.kadeql(text)
    assert hint in caught.value.hint
    assert caught.value.column is not None


# --- DESCRIBE and SUMMARIZE ---


@pytest.mark.parametrize("name", ["p", "sales.q", "v"])
def test_describe_is_duckdbs(filled, twin, name):
    # Of a view DuckDB tells keys and NOT NULL of the columns below it; these are none of the view's.
    width = 2 if name == "v" else 4
    assert [row[:width] for row in ask(filled, f"DESCRIBE {name}")] == [
        tuple(row[:width]) for row in twin.execute(f"DESCRIBE {name}").fetchall()
    ]


def test_describe_at_a_snapshot_knows_keys_and_defaults(filled):
    before = filled.snapshot
    now = ask(filled, "DESCRIBE p")
    filled.kadeql("ALTER TABLE p ADD COLUMN z INTEGER")
    assert ask(filled, f"DESCRIBE p AT (VERSION => {before})") == now
    assert [row[3] for row in now] == ["PRI", "UNI", None, None]
    assert [row[4] for row in now] == [None, None, None, "'x''y'"]
    assert [row[5] for row in now] == [None, None, "b > 0", None]


def test_a_relation_of_the_caller_is_described_as_it_is(filled):
    assert [row[:4] for row in ask(filled, "DESCRIBE p", tables={"p": {"id": [1]}})] == [
        ("id", "BIGINT", "YES", None)
    ]


def test_summarize_of_everything(filled):
    filled.kadeql("INSERT INTO p VALUES (1, 9, 2, 'c'), (2, 8, 3, 'd')")
    for text in (
        "SUMMARIZE p",
        "SUMMARIZE v",
        "SUMMARIZE sales.q",
        "SUMMARIZE SELECT b FROM p",
        f"SUMMARIZE p AT (VERSION => {filled.snapshot - 1})",
    ):
        assert filled.kadeql(text).schema.names[:2] == ["column_name", "column_type"], text
    assert [row[:4] for row in ask(filled, "SUMMARIZE v")] == [
        ("id", "INTEGER", "1", "2"),
        ("more", "INTEGER", "3", "4"),
    ]


# --- the catalog as relations ---

SAME = {
    "information_schema.schemata": "SELECT schema_name FROM information_schema.schemata WHERE catalog_name IN ('bench', 'memory')",
    "information_schema.tables": "SELECT table_schema, table_name, table_type, is_insertable_into, is_typed, TABLE_COMMENT FROM information_schema.tables",
    "information_schema.columns": "SELECT * EXCLUDE (table_catalog, column_default) FROM information_schema.columns",
    "information_schema.views": "SELECT table_name, check_option, is_updatable FROM information_schema.views WHERE table_name = 'v'",
    "information_schema.table_constraints": "SELECT table_name, constraint_type, enforced, nulls_distinct FROM information_schema.table_constraints",
    "information_schema.key_column_usage": "SELECT table_schema, table_name, column_name, ordinal_position FROM information_schema.key_column_usage",
    "information_schema.referential_constraints": "SELECT constraint_schema, unique_constraint_schema, match_option, update_rule, delete_rule FROM information_schema.referential_constraints",
    "duckdb_tables()": "SELECT schema_name, table_name, comment, internal, temporary, has_primary_key, estimated_size, column_count, check_constraint_count FROM duckdb_tables()",
    "duckdb_columns()": "SELECT schema_name, table_name, column_name, column_index, comment, is_nullable, data_type, numeric_precision, numeric_scale FROM duckdb_columns() WHERE NOT internal",
    "duckdb_views()": "SELECT schema_name, view_name, temporary, column_count FROM duckdb_views() WHERE NOT internal",
    "duckdb_constraints()": "SELECT schema_name, table_name, constraint_type, list_sort(constraint_column_names), referenced_table FROM duckdb_constraints()",
    "duckdb_schemas()": "SELECT schema_name FROM duckdb_schemas() WHERE schema_name = 'sales'",
    "duckdb_sequences()": "SELECT schema_name, sequence_name, start_value, min_value, max_value, increment_by, cycle, temporary FROM duckdb_sequences()",
}  # fmt: skip


@pytest.mark.parametrize("relation", SAME)
def test_the_catalog_reads_as_duckdbs_does(filled, twin, relation):
    described = [tuple(row[:2]) for row in twin.execute(f"DESCRIBE FROM {relation}").fetchall()]
    assert [row[:2] for row in ask(filled, f"DESCRIBE FROM {relation}")] == described
    expected = sorted(map(str, twin.execute(SAME[relation]).fetchall()))
    assert sorted(str(tuple(row)) for row in ask(filled, SAME[relation])) == expected


def test_sequences_of_the_standard(filled):
    text = "SELECT sequence_name, start_value, increment, cycle_option FROM information_schema.sequences"
    assert ask(filled, text) == [("numbers", 5, 2, "NO")]


def test_the_catalog_is_that_of_the_snapshot(filled):
    before = filled.snapshot
    filled.kadeql("CREATE TABLE late (a INT)")
    count = "SELECT count(*) FROM information_schema.tables"
    assert ask(filled, count) == [(5,)]
    assert ask(filled, count, at=before) == [(4,)]
    assert ask(filled, f"{count} AT (VERSION => {before})") == [(4,)]
    assert filled.kadeql(count).run.cached
    with filled.transaction() as tx:
        tx.kadeql("CREATE TABLE later (a INT)")
        assert tx.kadeql(count).to_arrow().to_pydict() == {"count_star()": [6]}
        tx.rollback()


def test_the_catalog_joins_and_stands_in_views(filled):
    filled.kadeql("CREATE VIEW held AS SELECT table_name, duckdb_tables.column_count FROM information_schema.tables "
                  "LEFT JOIN duckdb_tables() USING (table_name) ORDER BY 1")  # fmt: skip
    assert ask(filled, "FROM held") == [("held", None), ("p", 4), ("q", 6), ("r", 1), ("v", None)]
    assert ask(filled, "SELECT count(*) FROM information_schema.columns WHERE table_name = 'held'") == [(2,)]
    text = (
        "WITH tables AS (SELECT 'mine' AS table_name) SELECT count(*) FROM information_schema.tables, tables"
    )
    assert ask(filled, text) == [(5,)]
    assert ask(
        filled,
        "SELECT information_schema.tables.table_name FROM information_schema.tables WHERE tables.table_type = 'VIEW' ORDER BY 1",
    ) == [("held",), ("v",)]


@pytest.mark.parametrize(
    "text",
    ["FROM pg_catalog.pg_tables", "FROM pg_tables", "FROM duckdb_settings()", "FROM duckdb_secrets()", "FROM sqlite_master", "FROM information_schema.character_sets", "FROM duckdb_databases()"],
)  # fmt: skip
def test_what_shows_the_engine_is_refused_by_name(filled, text):
    with pytest.raises(KadeQLUnsupportedError) as caught:
        filled.kadeql(text)
    assert caught.value.hint
    assert caught.value.column == 6
