"""What DuckDB's own tests taught of COPY, MERGE, text and the catalog, restated over our own tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import luma_bench as lb
from luma_bench.errors import KadeQLBindError, KadeQLError, KadeQLUnsupportedError


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[lb.Bench]:
    monkeypatch.chdir(tmp_path)
    with lb.open(
        tmp_path / "b.luma", threads=2, files=(str(tmp_path),), files_write=(str(tmp_path),)
    ) as opened:
        yield opened


def rows(bench: lb.Bench, text: str) -> list[tuple[object, ...]]:
    found = bench.kadeql(text).to_arrow()
    return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


@pytest.mark.parametrize(
    "options",
    [
        "DELIMITER '|' HEADER",
        "WITH HEADER",
        "CSV HEADER",
        "CSV",
        "WITH CSV HEADER DELIMITER AS ';' NULL AS 'none'",
        "FORCE QUOTE port, berths HEADER",
        "FORCE QUOTE * , HEADER",
        "DELIMITERS ';' HEADER QUOTE '''' ESCAPE ''''",
        "USING DELIMITERS '~'",
    ],
)
def test_options_of_copy_stand_without_brackets(bench: lb.Bench, tmp_path: Path, options: str) -> None:
    with duckdb.connect() as twin:
        for run in (twin.execute, bench.kadeql):
            run("CREATE TABLE quays (port VARCHAR, berths INTEGER)")
            run("INSERT INTO quays VALUES ('Rosario', 4), ('San; Juan', NULL), (NULL, 7)")
        twin.execute(f"COPY quays TO '{tmp_path}/theirs.csv' {options}")
        bench.kadeql(f"COPY quays TO 'ours.csv' {options}")
        assert (tmp_path / "ours.csv").read_bytes() == (tmp_path / "theirs.csv").read_bytes()
        if "FORCE" not in options:
            bench.kadeql(f"COPY quays FROM 'ours.csv' {options}")
            twin.execute(f"COPY quays FROM '{tmp_path}/theirs.csv' {options}")
        assert rows(bench, "FROM quays ORDER BY ALL") == twin.sql("FROM quays ORDER BY ALL").fetchall()


def test_partition_by_without_brackets_is_refused_by_name(bench: lb.Bench) -> None:
    with pytest.raises(KadeQLUnsupportedError, match="PARTITION_BY"):
        bench.kadeql("COPY (SELECT 1 AS a, 2 AS b) TO 'parts' PARTITION BY a, HEADER")


def test_nothing_is_guessed_of_a_file_and_quotes_are_null_where_no_text_is(
    bench: lb.Bench, tmp_path: Path
) -> None:
    (tmp_path / "late.csv").write_text('train,delay,note\n"A1","",""\n"B2","","x"\n')
    bench.kadeql("CREATE TABLE late (train VARCHAR, delay DECIMAL(6, 1), note VARCHAR)")
    bench.kadeql("COPY late FROM 'late.csv' (HEADER 1, AUTO_DETECT 0)")
    bench.kadeql("COPY late FROM 'late.csv' (HEADER)")
    assert rows(bench, "SELECT DISTINCT train, delay FROM late ORDER BY train") == [
        ("A1", None),
        ("B2", None),
    ]
    with pytest.raises(KadeQLUnsupportedError, match="DATEFORMAT takes one value"):
        bench.kadeql("COPY late FROM 'late.csv' (DATEFORMAT)")


def test_a_reader_stands_apart_from_its_bracket(bench: lb.Bench, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("a,b\n1,x\n")
    assert rows(bench, "SELECT * FROM read_csv_auto ('p.csv')") == [(1, "x")]
    assert rows(bench, "SELECT a FROM read_csv /* here */ ('p.csv') AS f") == [(1,)]
    assert rows(bench, "SELECT count(*) FROM glob('nothing*.csv')") == [(0,)]


def test_conditions_of_merge_hold_subqueries_and_errors(bench: lb.Bench) -> None:
    bench.kadeql(
        "CREATE TABLE stock (id INTEGER, n INTEGER, top BOOLEAN); INSERT INTO stock VALUES (1, 5, false)"
    )
    bench.kadeql("CREATE TABLE came AS SELECT * FROM (VALUES (1, 3), (2, 9), (3, 4)) c(id, n)")
    bench.kadeql("""
        MERGE INTO stock USING came USING (id)
        WHEN MATCHED AND came.n < (SELECT max(n) FROM came) THEN UPDATE SET n = stock.n + came.n
        WHEN NOT MATCHED AND came.n = (SELECT max(n) FROM came) THEN INSERT VALUES (came.id, came.n, true)
        WHEN NOT MATCHED THEN INSERT VALUES (came.id, came.n, false)
    """)
    assert rows(bench, "FROM stock ORDER BY id") == [(1, 8, False), (2, 9, True), (3, 4, False)]
    text = "MERGE INTO stock USING (SELECT 9 AS id, 1 AS n, true AS top) s USING (id) "
    first, second = "WHEN NOT MATCHED AND {} THEN INSERT ", "WHEN NOT MATCHED AND error('stop') THEN INSERT"
    bench.kadeql(text + first.format("true") + second)
    with pytest.raises(KadeQLError, match="stop"):
        bench.kadeql(text.replace("9", "10") + first.format("false") + second)
    assert rows(bench, "SELECT count(*) FROM stock") == [(4,)]


def test_a_check_goes_with_the_only_column_that_it_reads(bench: lb.Bench) -> None:
    bench.kadeql(
        "CREATE TABLE cars (seats INTEGER CHECK (seats > 0), doors INTEGER CHECK (doors < seats), id INTEGER)"
    )
    bench.kadeql("ALTER TABLE cars ADD COLUMN wheels INTEGER; ALTER TABLE cars ADD CHECK (wheels > 2)")
    bench.kadeql("ALTER TABLE cars DROP COLUMN wheels")
    with pytest.raises(KadeQLBindError, match="uses it"):
        bench.kadeql("ALTER TABLE cars DROP COLUMN doors")
    assert len(bench.kadeql("FROM duckdb_constraints()")) == 2


def test_constraints_are_named_and_written_as_duckdb_does(bench: lb.Bench) -> None:
    made = (
        'CREATE TABLE "Line" ("No" INTEGER PRIMARY KEY, city VARCHAR UNIQUE)',
        'CREATE TABLE run (line INTEGER REFERENCES "Line"("No"), "Days" INTEGER UNIQUE, CHECK ("Days" > 0))',
        "CREATE TABLE stop (run INTEGER, place VARCHAR, PRIMARY KEY (run, place), UNIQUE (place, run))",
        "CREATE TABLE late (r INTEGER, p VARCHAR, FOREIGN KEY (r, p) REFERENCES stop (run, place))",
    )
    asked = """SELECT constraint_name, constraint_type,
        CASE WHEN table_name IN ('stop', 'late') THEN constraint_text END FROM duckdb_constraints() ORDER BY ALL"""
    with duckdb.connect() as twin:
        for text in made:
            bench.kadeql(text)
            twin.execute(text)
        assert rows(bench, asked) == twin.sql(asked).fetchall()


def test_the_last_value_of_a_sequence_is_told(bench: lb.Bench) -> None:
    bench.kadeql("CREATE SEQUENCE tickets START 40")
    told = "SELECT last_value FROM duckdb_sequences()"
    assert rows(bench, told) == [(None,)]
    bench.kadeql("SELECT nextval('tickets'), nextval('tickets')")
    assert rows(bench, told) == [(41,)]
    bench.kadeql("SELECT nextval('tickets')")
    assert rows(bench, told.replace("()", "")) == [(42,)]


def test_signs_beyond_ascii_in_tags_and_between_words(bench: lb.Bench) -> None:
    for text in (
        "SELECT $🚋$a b$🚋$ AS x, $ü$ $q$ $ü$ AS y",
        "SELECT\u200b42 AS x",
        "SELECT '\u200b' AS x, 1\u2060AS y",
        "SELECT\ufeff1 AS x -- \u200b; 2",
    ):
        with duckdb.connect() as twin:
            assert rows(bench, text) == twin.sql(text).fetchall(), text
    with pytest.raises(KadeQLError):
        bench.kadeql("SELECT $" + "ü" * 40_000)


def test_whole_rows_of_tables_in_schemas(bench: lb.Bench) -> None:
    bench.kadeql("CREATE SCHEMA north; CREATE TABLE north.line AS SELECT 1 AS a; CREATE SCHEMA south")
    bench.kadeql("CREATE TABLE south.line AS SELECT 2 AS b")
    assert rows(bench, "SELECT north.line, south.line FROM north.line, south.line") == [({"a": 1}, {"b": 2})]
    assert rows(bench, "SELECT north.line, south.line.b FROM north.line, south.line") == [({"a": 1}, 2)]


def test_a_comma_behind_the_last_assignment(bench: lb.Bench) -> None:
    bench.kadeql(
        "CREATE TABLE trip AS SELECT 1 AS a, 2 AS b; UPDATE trip SET a = 3, b = 4,; UPDATE trip SET a = 5, WHERE b = 4"
    )
    assert rows(bench, "FROM trip") == [(5, 4)]


@pytest.mark.parametrize(
    ("text", "message", "shown"),
    [
        ("INSERT INTO t AS excluded VALUES (1, 'x', {'K': 1}) ON CONFLICT (id) DO UPDATE SET s = excluded.s", "both called excluded", "t AS"),
        ("INSERT OR REPLACE INTO t (id) VALUES (1)", "must not be NULL", "t (id)"),
        ("INSERT INTO t VALUES (1, 'x', {'k': 1})", "another case", "VALUES"),
        ("INSERT INTO t VALUES (1, 'x', {'K': 1}) RETURNING * EXCLUDE (id, s, f)", "gives no column", "* EXCLUDE"),
        ("INSERT INTO t VALUES (1, 'x', {'K': 1}) RETURNING COLUMNS('i|s')", "COLUMNS", "COLUMNS"),
        ("SELECT json_serialize_plan('SELECT 1')", "engine's own state", "json_serialize_plan"),
        ("SELECT * FROM glob('*.csv') WITH ORDINALITY AS g(f, n)", "WITH ORDINALITY", "WITH"),
        ("""SELECT nextval('"a')""", "does not close", "'\"a'"),
        ("ALTER TABLE g DROP COLUMN a CASCADE", "CASCADE", "a CASCADE"),
    ],
)  # fmt: skip
def test_what_is_not_taken_is_refused_at_its_place(
    bench: lb.Bench, text: str, message: str, shown: str
) -> None:
    bench.kadeql("CREATE TABLE t (id INTEGER PRIMARY KEY, s VARCHAR NOT NULL, f STRUCT(K INTEGER))")
    bench.kadeql("CREATE TABLE g (a INTEGER, b INTEGER AS (a + 1)); CREATE SEQUENCE a")
    with pytest.raises(KadeQLError, match=re.escape(message)) as caught:
        bench.kadeql(text)
    assert caught.value.hint
    assert caught.value.span is not None
    assert caught.value.span[0] == text.index(shown)
    assert len(bench.kadeql("FROM t")) == 0


def test_describe_alone_shows_every_table(bench: lb.Bench) -> None:
    bench.kadeql("CREATE TABLE ferry (a INTEGER, b VARCHAR)")
    for text in ("DESCRIBE", "DESC", "SHOW ALL TABLES"):
        assert rows(bench, text)[0][2:5] == ("ferry", ["a", "b"], ["INTEGER", "VARCHAR"])
    assert "Total" in str(rows(bench, "EXPLAIN (ANALYSE) FROM ferry")) or rows(
        bench, "EXPLAIN (ANALYSE) FROM ferry"
    )
