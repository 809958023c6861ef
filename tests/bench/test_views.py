"""Views: what they mean beside DuckDB's own, at which snapshot they read, and what they say when they cannot."""

import threading

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luma_bench as lb
from luma_bench.errors import (
    CatalogError,
    ConflictError,
    KadeQLBindError,
    KadeQLError,
    ReadOnlyError,
)

ROWS = pa.table({"a": [1, 2, 3, 4], "s": ["x", "7", "9", None]})


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma") as opened:
        opened.write("t", ROWS)
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with lb.open(tmp_path_factory.mktemp("shared") / "b.luma") as opened:
        opened.write("t", {"a": [1, 2, 3]})
        yield opened


def rows(result):
    return list(zip(*(column.to_pylist() for column in result.to_arrow().columns), strict=True))


def ask(bench, text, **arguments):
    return rows(bench.kadeql(text, **arguments))


# --- what a view means ---

DEFINITIONS = (
    "CREATE VIEW v AS SELECT a, a * 2 AS d FROM t WHERE a > 1",
    "CREATE VIEW w (q) AS SELECT d + 1, a FROM v",
    'CREATE VIEW "My v" AS (SELECT s AS "A b" FROM t) -- why',
    "CREATE VIEW u AS FROM v UNION ALL VALUES (9, 9)",
    "CREATE VIEW n AS WITH t AS (SELECT 100 AS a) SELECT t.a, v.a AS b FROM t, v",
    "CREATE VIEW p AS PIVOT t ON a IN (1, 2) USING count(*) GROUP BY s",
    "CREATE RECURSIVE VIEW r(n) AS SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 4",
    "CREATE VIEW c AS SELECT count(*) AS n, (SELECT max(d) FROM v) AS m FROM w JOIN t USING (a)",
)
QUESTIONS = (
    "FROM v",
    "SELECT sum(q), max(a) FROM w",
    'SELECT "A b" FROM "My v" WHERE "A b" > \'1\'',
    "FROM u ORDER BY ALL",
    "FROM n ORDER BY ALL",
    "FROM p ORDER BY ALL",
    "SELECT sum(n) FROM r",
    "FROM c",
    "WITH t AS (SELECT 50 AS a) SELECT v.a FROM v, t ORDER BY 1",
    "WITH v AS (SELECT 1 AS x) FROM v",
    "SELECT x.d FROM V AS x WHERE x.a IN (SELECT a FROM w) ORDER BY 1",
    "SELECT v.d FROM v JOIN v o ON v.a < o.a ORDER BY 1",
    "FROM (SELECT * FROM v) q SELECT max(q.d)",
    "SELECT a FROM t WHERE EXISTS (FROM v WHERE v.a = t.a) ORDER BY 1",
    "SELECT (SELECT d FROM v WHERE v.a = t.a) FROM t ORDER BY a",
    "SUMMARIZE v",
    "TABLE v",
)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A bench and a DuckDB with the same table and views."""
    with lb.open(tmp_path_factory.mktemp("both") / "b.luma") as bench, duckdb.connect() as twin:
        bench.write("t", ROWS)
        twin.register("given", ROWS)
        twin.execute("CREATE TABLE t AS FROM given")
        twin.unregister("given")
        for text in DEFINITIONS:
            twin.execute(text)
            bench.kadeql(text)
        yield bench, twin


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_view_means_what_it_means_to_duckdb(both, text):
    bench, twin = both
    expected = [tuple(row) for row in twin.execute(text).fetchall()]
    assert [tuple(map(str, row)) for row in ask(bench, text)] == [tuple(map(str, row)) for row in expected]


def test_a_view_is_described_as_duckdb_does(both):
    bench, twin = both
    for name in ("v", "w", '"My v"', "u", "n", "p", "r", "c"):
        expected = twin.execute(f"DESCRIBE {name}").fetchall()
        assert [row[:3] for row in ask(bench, f"DESCRIBE {name}")] == [tuple(row[:3]) for row in expected]


def test_explain_shows_what_is_below_a_view(both):
    bench, _ = both
    plan = bench.kadeql("EXPLAIN FROM w").to_arrow().column("explain_value").to_pylist()
    assert any("TABLE_SCAN t" in text for text in plan)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a + 1", "a * b", "b - a", "a"]), st.sampled_from(["a > 1", "b < 20", "true"])
        ),
        min_size=1,
        max_size=5,
    ),
    st.booleans(),
)
@settings(deadline=None, max_examples=25)
def test_views_over_views_are_the_query_written_out(shared, layers, shadowed):
    nested = "(SELECT a, a * 10 AS b FROM t)"
    with shared.transaction() as tx:
        tx.kadeql("CREATE VIEW v0 AS SELECT a, a * 10 AS b FROM t")
        for index, (expression, condition) in enumerate(layers):
            body = f"SELECT {expression} AS a, b FROM %s x WHERE {condition}"
            tx.kadeql(f"CREATE VIEW v{index + 1} AS {body % f'v{index}'}")
            nested = f"({body % nested})"
        # No CTE of the question hides what a view reads.
        shade = "WITH t AS (SELECT 0 AS a, 0 AS b), v0 AS (FROM t) " if shadowed else ""
        top = f"SELECT a, b FROM v{len(layers)} ORDER BY ALL"
        assert ask(tx, shade + top) == ask(tx, f"SELECT a, b FROM {nested} ORDER BY ALL")
        tx.rollback()


# --- snapshots ---


def test_a_view_reads_at_the_snapshot_of_the_statement(bench):
    bench.kadeql("CREATE VIEW v AS SELECT a FROM t")
    bench.kadeql("CREATE VIEW w AS SELECT a AS n FROM v")
    before = bench.snapshot
    bench.kadeql("INSERT INTO t VALUES (5, 'new')")
    assert ask(bench, "SELECT count(*) FROM w") == [(5,)]
    assert ask(bench, "SELECT count(*) FROM w AT (VERSION => $s)", params={"s": before}) == [(4,)]
    assert ask(bench, f"SELECT count(*) FROM v AT (VERSION => {before}), v") == [(20,)]
    assert ask(bench.at(before), "SELECT count(*) FROM w") == [(4,)]
    assert ask(bench, "SELECT count(*) FROM w", at=before) == [(4,)]
    with pytest.raises(KadeQLBindError, match="At snapshot 1: There is no table 'w'"):
        bench.kadeql("FROM w AT (VERSION => 1)")


def test_a_view_at_a_snapshot_is_the_view_of_that_snapshot(bench):
    bench.kadeql("CREATE VIEW v AS SELECT 1 AS x")
    first = bench.tag("first").id
    bench.kadeql("CREATE OR REPLACE VIEW v AS SELECT 2 AS x")
    bench.kadeql("DROP TABLE t")
    assert ask(bench, "FROM v, v AT (TAG => 'first') AS old") == [(2, 1)]
    bench.kadeql("DROP VIEW v")
    assert ask(bench, f"FROM v AT (VERSION => {first})") == [(1,)]
    with pytest.raises(KadeQLBindError, match="There is no table 'v'"):
        bench.kadeql("FROM v")


def test_a_view_may_hold_pins_of_its_own(bench):
    old = bench.snapshot
    bench.kadeql("INSERT INTO t VALUES (5, 'new')")
    bench.kadeql(
        f"CREATE VIEW added AS SELECT a FROM t WHERE a NOT IN (SELECT a FROM t AT (VERSION => {old}))"
    )
    assert ask(bench, "FROM added") == [(5,)]
    assert ask(bench, f"SELECT n.a, count(*) FROM added n, t AT (VERSION => {old}) GROUP BY 1") == [(5, 4)]
    assert bench.kadeql("FROM added").run.cached


def test_the_cache_knows_views(bench):
    bench.kadeql("CREATE VIEW v AS SELECT a FROM t")
    assert not bench.kadeql("FROM v").run.cached
    assert bench.kadeql("FROM v").run.cached
    bench.kadeql("CREATE OR REPLACE VIEW v AS SELECT a + 1 AS a FROM t")
    changed = bench.kadeql("FROM v")
    assert not changed.run.cached
    assert rows(changed) == [(2,), (3,), (4,), (5,)]
    bench.kadeql("CREATE VIEW chance AS SELECT random() AS x FROM v")
    bench.kadeql("CREATE VIEW more AS FROM chance")
    assert ask(bench, "FROM more") != ask(bench, "FROM more")


def test_a_view_follows_the_tables_that_it_reads(bench):
    bench.kadeql("CREATE VIEW every AS SELECT * FROM t")
    bench.kadeql("CREATE VIEW one AS SELECT a FROM every")
    assert ask(bench, "FROM one LIMIT 1") == [(1,)]
    bench.kadeql("ALTER TABLE t ADD COLUMN b INTEGER DEFAULT 8")
    assert ask(bench, "SELECT * FROM every LIMIT 1") == [(1, "x", 8)]
    assert ask(bench, "FROM one LIMIT 1") == [(1,)]
    bench.kadeql("DROP TABLE t")
    bench.kadeql("CREATE TABLE t AS SELECT 'text' AS a")
    assert ask(bench, "FROM one") == [("text",)]


# --- hygiene ---


def test_the_callers_relations_hide_no_table_of_a_view(bench):
    bench.kadeql("CREATE VIEW v AS SELECT t.a FROM t WHERE t.a < 3")
    bench.kadeql("CREATE VIEW w AS SELECT v.a FROM v")
    mine = {"t": {"z": ["mine"]}, "v": {"z": ["too"]}}
    assert ask(bench, "SELECT w.a, t.z, v.z FROM w, t, v ORDER BY 1", tables=mine) == [
        (1, "mine", "too"),
        (2, "mine", "too"),
    ]
    assert ask(bench, "FROM w") == [(1,), (2,)]
    assert ask(bench, "FROM v", tables={"t": {"a": [7]}}) == [(1,), (2,)]


def test_a_relation_with_the_name_of_a_view_hides_it(bench):
    bench.kadeql("CREATE VIEW v AS SELECT a FROM t")
    assert ask(bench, "FROM v", tables={"v": {"z": [1]}}) == [(1,)]
    assert ask(bench, "SELECT count(*) FROM v") == [(4,)]


def test_a_dropped_view_leaves_nothing_behind(bench):
    bench.kadeql("CREATE VIEW v AS SELECT a FROM t")
    ask(bench, "FROM v")
    bench.kadeql("DROP VIEW v")
    with pytest.raises(KadeQLBindError, match="There is no table 'v'"):
        bench.kadeql("FROM v")
    bench.kadeql("CREATE TABLE v AS SELECT 'table' AS kind")
    assert ask(bench, "FROM v") == [("table",)]
    bench.kadeql("DROP TABLE v")
    bench.kadeql("CREATE VIEW v AS SELECT 'view' AS kind")
    assert ask(bench, "FROM v") == [("view",)]


def test_many_views_share_a_connection(bench):
    for index in range(40):
        below = "t" if index == 0 else f"v{index - 1}"
        bench.kadeql(f"CREATE VIEW v{index} AS SELECT a FROM {below} -- {'long ' * 200}")
    assert ask(bench, "SELECT max(a) FROM v39") == [(4,)]
    assert ask(bench, "SELECT max(v3.a), max(t.a) FROM v3, t") == [(4, 4)]
    with pytest.raises(KadeQLError, match="In view 'bad', line 1, column 9"):
        bench.kadeql("CREATE VIEW bad AS SELECT s::INT AS n FROM t; SELECT max(a) FROM v39; FROM bad")


def test_threads_share_views(bench):
    bench.kadeql("CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT sum(a) AS s FROM v")
    found = []

    def work():
        found.extend(ask(bench, "FROM w", cache=False) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[(10,)]] * 20


# --- statements ---


def test_if_exists_and_if_not_exists_change_nothing(bench):
    bench.kadeql("CREATE VIEW v AS SELECT 1 AS x")
    head = bench.snapshot
    for text in (
        "CREATE VIEW IF NOT EXISTS v AS SELECT 2 AS x",
        "CREATE VIEW IF NOT EXISTS t AS SELECT 2 AS x",
        "CREATE TABLE IF NOT EXISTS v (a INT)",
        "CREATE TABLE IF NOT EXISTS v AS SELECT 3 AS x",
        "DROP VIEW IF EXISTS nope",
        "ALTER VIEW IF EXISTS nope RENAME TO x",
    ):
        assert ask(bench, text)[0][0] == "unchanged", text
    assert bench.snapshot == head
    assert ask(bench, "FROM v") == [(1,)]


def test_renaming_and_comments(bench):
    bench.kadeql(
        "CREATE VIEW v AS SELECT a, s FROM t; COMMENT ON VIEW v IS 'what'; COMMENT ON COLUMN v.S IS 'why'"
    )
    bench.kadeql("ALTER VIEW v RENAME TO w")
    assert ask(bench, "SHOW VIEWS") == [("w", 2, "SELECT a, s FROM t", "what")]
    assert [row[5] for row in ask(bench, "DESCRIBE w")] == [None, "why"]
    bench.kadeql("COMMENT ON VIEW w IS NULL; COMMENT ON COLUMN w.s IS NULL")
    assert ask(bench, "SHOW VIEWS")[0][3] is None
    assert [row[5] for row in ask(bench, "DESCRIBE w")] == [None, None]


def test_a_view_belongs_to_its_transaction(bench):
    head = bench.snapshot
    with bench.transaction() as tx:
        tx.kadeql("CREATE VIEW v AS SELECT a FROM t WHERE a > 2")
        tx.kadeql("INSERT INTO t VALUES (9, 'in')")
        assert rows(tx.kadeql("FROM v")) == [(3,), (4,), (9,)]
        assert tx.table("v").to_arrow().column("a").to_pylist() == [3, 4, 9]
        tx.rollback()
    assert bench.snapshot == head
    with pytest.raises(KadeQLBindError):
        bench.kadeql("FROM v")
    bench.kadeql("BEGIN; CREATE VIEW v AS FROM t; CREATE TABLE u AS FROM v; COMMIT")
    assert bench.snapshot == head + 1
    assert ask(bench, "SELECT count(*) FROM u JOIN v USING (a)") == [(4,)]


def test_two_that_take_one_name_conflict(bench, tmp_path):
    with lb.open(bench.path) as other:
        bench.kadeql("BEGIN; CREATE VIEW v AS SELECT 1 AS x")
        other.kadeql("CREATE TABLE v (a INT)")
        with pytest.raises((ConflictError, CatalogError), match="'v'"):
            bench.kadeql("COMMIT")
    assert ask(bench, "SELECT count(*) FROM v") == [(0,)]


def test_a_read_only_bench_makes_no_view(bench):
    bench.kadeql("CREATE VIEW v AS SELECT a FROM t")
    with pytest.raises(ReadOnlyError):
        bench.at(bench.snapshot).kadeql("CREATE VIEW w AS SELECT 1")
    with lb.open(bench.path, mode="r") as reader:
        assert ask(reader, "SELECT count(*) FROM v") == [(4,)]


def test_a_view_survives_a_new_start(tmp_path):
    with lb.open(tmp_path / "b.luma") as bench:
        bench.kadeql("CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW v AS SELECT a + 1 AS b FROM t")
    with lb.open(tmp_path / "b.luma") as bench:
        assert ask(bench, "FROM v") == [(2,)]


# --- beside SQL ---


def test_a_frame_over_a_view(bench):
    bench.kadeql("CREATE VIEW v AS SELECT a, a * 2 AS d FROM t WHERE a > 1")
    frame = bench.table("V")
    assert (len(frame), frame.columns) == (3, ["a", "d"])
    bench.kadeql("INSERT INTO t VALUES (5, 'late')")
    assert frame[frame["d"] > 4].to_arrow().to_pydict() == {"a": [3, 4], "d": [6, 8]}
    assert frame.to_arrow().num_rows == 3
    assert frame["d"].sum() == 18


def test_a_view_is_exported(bench, tmp_path):
    bench.kadeql("CREATE VIEW v AS SELECT a, a * 2 AS d FROM t WHERE a > 1")
    assert bench.export("v", tmp_path / "v.parquet") == 3
    assert pq.read_table(tmp_path / "v.parquet").column("d").to_pylist() == [4, 6, 8]


@pytest.mark.parametrize("call", [lambda b: b.write("v", {"a": [1]}, mode="append"), lambda b: b.get("v", 1), lambda b: b.write("v", {"a": [1]})])  # fmt: skip
def test_a_view_takes_no_rows(bench, call):
    bench.kadeql("CREATE VIEW v AS SELECT a FROM t")
    with pytest.raises(CatalogError, match="view"):
        call(bench)


def test_statements_that_change_rows_read_views(bench):
    bench.kadeql("CREATE VIEW v AS SELECT a, s FROM t WHERE a < 3; CREATE TABLE u AS FROM v")
    bench.kadeql("INSERT INTO u SELECT a + 10, s FROM v")
    bench.kadeql("UPDATE u SET s = v.s || '!' FROM v WHERE v.a = u.a")
    bench.kadeql("MERGE INTO u USING v ON u.a = v.a + 10 WHEN MATCHED THEN UPDATE SET s = 'merged'")
    bench.kadeql("DELETE FROM u WHERE a IN (SELECT a FROM v WHERE s = 'x')")
    assert ask(bench, "FROM u ORDER BY a") == [(2, "7!"), (11, "merged"), (12, "merged")]


def test_files_in_views_are_read_when_the_view_is(tmp_path):
    with lb.open(tmp_path / "b.luma", files=[str(tmp_path)], files_write=[str(tmp_path)]) as bench:
        (tmp_path / "x.csv").write_text("a,b\n1,2\n")
        bench.kadeql(f"CREATE VIEW f AS FROM '{tmp_path}/x.csv'; CREATE VIEW g AS SELECT a FROM f")
        assert ask(bench, f"FROM g, '{tmp_path}/x.csv' AS y") == [(1, 1, 2)]
        (tmp_path / "x.csv").write_text("a,b\n3,4\n")
        assert ask(bench, "FROM g") == [(3,)]
        bench.kadeql(f"COPY g TO '{tmp_path}/y.csv'")
        assert (tmp_path / "y.csv").read_text() == "a\n3\n"
        (tmp_path / "x.csv").unlink()
        with pytest.raises(
            KadeQLError, match="In view 'f', line 1, column 6, which view 'g' reads: There is no file"
        ):
            bench.kadeql("FROM g")


def test_a_prepared_query_reads_the_view_of_its_moment(bench):
    bench.kadeql("CREATE VIEW v AS SELECT 1 AS x; PREPARE p AS SELECT x + $n AS y FROM v")
    assert ask(bench, "EXECUTE p(n := 1)") == [(2,)]
    bench.kadeql("CREATE OR REPLACE VIEW v AS SELECT 10 AS x")
    assert ask(bench, "EXECUTE p(n := 1)") == [(11,)]
