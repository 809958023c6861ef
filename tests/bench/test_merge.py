"""MERGE INTO and UPDATE … FROM: random ones beside DuckDB, exact values, pins and parameters, one piece or nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn

import luma_bench as lb

KEYS = st.integers(0, 6)
SMALL = st.one_of(st.none(), st.integers(-3, 9))


@pytest.fixture
def bench(tmp_path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma", threads=2) as opened:
        opened.kadeql("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b VARCHAR)")
        opened.kadeql("INSERT INTO t VALUES (1, 10, 'x'), (2, 20, 'y'), (3, 30, 'z')")
        opened.kadeql("CREATE TABLE s (id INTEGER, v INTEGER)")
        opened.kadeql("INSERT INTO s VALUES (2, 200), (3, 300), (4, 400)")
        yield opened


def rows(result) -> list[tuple[object, ...]]:
    table = result.to_arrow()
    return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True), key=repr)


@st.composite
def merges(draw) -> str:
    condition = st.sampled_from(["", " AND t.a > 2", " AND s.v IS NOT NULL", " AND s.v < t.a"])
    source_only = st.sampled_from(["", " AND v > 3", " AND s.v IS NULL"])
    target_only = st.sampled_from(["", " AND a > 3", " AND t.id % 2 = 0"])
    update = st.sampled_from(
        ["UPDATE SET a = s.v", "UPDATE SET a = t.a + 1, b = s.v", "UPDATE SET (a, b) = (v, DEFAULT)"]
    )
    own = st.sampled_from(["UPDATE SET a = a - 1", "UPDATE SET b = id", "DELETE", "DO NOTHING"])
    insert = st.sampled_from(
        [
            "INSERT (id, a) VALUES (id, v)",
            "INSERT VALUES (s.id, s.v, 'new')",
            "INSERT (id) VALUES (s.id)",
            "DO NOTHING",
        ]
    )
    clauses = [
        f"WHEN MATCHED{draw(condition)} THEN {draw(st.one_of(update, st.just('DELETE'), st.just('DO NOTHING')))}"
    ]
    clauses += [f"WHEN NOT MATCHED{draw(source_only)} THEN {draw(insert)}"]
    clauses += [f"WHEN NOT MATCHED BY SOURCE{draw(target_only)} THEN {draw(own)}"]
    chosen = draw(st.lists(st.sampled_from(clauses), min_size=1, max_size=3, unique=True))
    on = draw(st.sampled_from(["t.id = s.id", "t.id = s.id AND t.a IS NOT NULL", "t.id = s.id - 1"]))
    return f"MERGE INTO t USING s ON {on} {' '.join(chosen)} RETURNING merge_action, t.*"


@settings(deadline=None, max_examples=drawn(60))
@given(
    text=merges(),
    target=st.dictionaries(KEYS, st.tuples(SMALL, st.sampled_from(["p", None])), max_size=6),
    source=st.lists(st.tuples(KEYS, SMALL), max_size=6),
)
def test_a_random_merge_does_what_duckdb_does(tmp_path_factory, text, target, source) -> None:
    with (
        lb.open(tmp_path_factory.mktemp("merge") / "b.luma", threads=1) as bench,
        duckdb.connect() as twin,
    ):
        for ask in (bench.kadeql, twin.execute):
            ask("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b VARCHAR DEFAULT 'd')")
            ask("CREATE TABLE s (id INTEGER, v INTEGER)")
        for values, table in (([(key, *rest) for key, rest in target.items()], "t"), (source, "s")):
            if values:
                shown = ", ".join(
                    f"({', '.join('NULL' if item is None else repr(item) for item in row)})" for row in values
                )
                for ask in (bench.kadeql, twin.execute):
                    ask(f"INSERT INTO {table} VALUES {shown}")
        try:
            expected = twin.execute(text).fetchall()
        except duckdb.Error as error:
            if "Duplicate key" in str(error) and "DELETE" in text and "INSERT" in text:
                return  # DuckDB's index still holds a row that the statement itself deletes
            with pytest.raises(lb.errors.KadeQLError):
                bench.kadeql(text)
            return
        assert rows(bench.kadeql(text)) == sorted(expected, key=repr)
        assert rows(bench.kadeql("FROM t")) == sorted(twin.table("t").fetchall(), key=repr)


def test_columns_that_do_not_change_keep_their_exact_values(tmp_path) -> None:
    data = pa.table(
        {
            "id": pa.array([1, 2, 3], pa.int16()),
            "at": pa.array(
                [dt.datetime(2024, 1, 1, second=n) for n in range(3)], pa.timestamp("s", "Europe/Vienna")
            ),
            "word": pa.array(["a", "b", "a"]).dictionary_encode(),
            "v": pa.array([[1.0, 2.0]] * 3, pa.list_(pa.float32(), 2)),
            "n": pa.array([1, 2, 3], pa.uint8()),
        }
    )
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", data, primary_key="id")
        bench.kadeql(
            "MERGE INTO t USING (VALUES (2, 7)) s(id, n) USING (id) WHEN MATCHED THEN UPDATE SET n = s.n"
        )
        bench.kadeql("UPDATE t SET n = s.n FROM (VALUES (3, 8)) s(id, n) WHERE s.id = t.id")
        bench.kadeql(
            "INSERT INTO t (id, n) VALUES (1, 9) ON CONFLICT (id) DO UPDATE SET n = excluded.n + t.n"
        )
        found = bench.table("t").to_arrow().sort_by("id")
        assert found.schema.field("at").type == data.schema.field("at").type
        assert found.drop_columns("n").equals(data.drop_columns("n").cast(found.drop_columns("n").schema))
        assert found["n"].to_pylist() == [10, 7, 8]


def test_a_merge_is_one_snapshot_and_none_when_nothing_changes(bench: lb.Bench) -> None:
    before = len(bench.snapshots())
    done = bench.kadeql(
        "MERGE INTO t USING s USING (id) WHEN MATCHED THEN UPDATE SET a = v WHEN NOT MATCHED THEN INSERT (id, a) VALUES (id, v) "
        "WHEN NOT MATCHED BY SOURCE THEN DELETE"
    )
    assert done.to_arrow().to_pylist() == [
        {"operation": "merge", "rows": 4, "snapshot": bench.snapshots()[-1].id}
    ]
    assert len(bench.snapshots()) == before + 1
    assert rows(bench.kadeql("FROM t")) == [(2, 200, "y"), (3, 300, "z"), (4, 400, None)]
    assert done.run.rows_read >= 6
    bench.kadeql("MERGE INTO t USING s USING (id) WHEN MATCHED THEN DO NOTHING")
    bench.kadeql("INSERT INTO t SELECT * FROM t WHERE false")
    bench.kadeql("INSERT INTO t VALUES (2, 1, 'k') ON CONFLICT DO NOTHING")
    assert len(bench.snapshots()) == before + 1


def test_a_statement_that_fails_late_leaves_the_transaction_as_it_was(bench: lb.Bench) -> None:
    with bench.transaction() as tx:
        tx.kadeql("UPDATE t SET a = 11 WHERE id = 1")
        with pytest.raises(lb.errors.KadeQLConstraintError, match="primary key"):
            tx.kadeql(
                "MERGE INTO t USING s USING (id) WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1, 1, 'again')"
            )
        with pytest.raises(lb.errors.KadeQLError, match="date"):
            tx.kadeql("DELETE FROM t RETURNING b::DATE")
        assert rows(tx.kadeql("FROM t")) == [(1, 11, "x"), (2, 20, "y"), (3, 30, "z")]
    assert rows(bench.kadeql("FROM t")) == [(1, 11, "x"), (2, 20, "y"), (3, 30, "z")]


def test_sources_may_be_pinned_handed_in_and_asked_with_parameters(bench: lb.Bench) -> None:
    before = bench.snapshots()[-1].id
    bench.kadeql("UPDATE s SET v = 0")
    found = bench.kadeql(
        "MERGE INTO t USING s AT (VERSION => $then) AS o ON o.id = t.id AND o.v > $least WHEN MATCHED THEN UPDATE SET a = o.v + $more "
        "RETURNING id, a, $mark AS mark",
        params={"then": before, "least": 250, "more": 1, "mark": "m"},
    )
    assert rows(found) == [(3, 301, "m")]
    given_rows = pa.table({"id": [1, 9], "v": [5, 6]})
    bench.kadeql(
        "MERGE INTO t USING given ON t.id = given.id WHEN MATCHED THEN UPDATE SET a = v WHEN NOT MATCHED THEN INSERT (id, a) VALUES (id, v)",
        tables={"given": given_rows},
    )
    bench.kadeql("DELETE FROM t USING given WHERE given.id = t.id AND v = 6", tables={"given": given_rows})
    assert rows(bench.kadeql("SELECT id, a FROM t")) == [(1, 5), (2, 20), (3, 301)]
    with pytest.raises(lb.errors.KadeQLBindError, match="table of this call"):
        bench.kadeql(
            "MERGE INTO given USING s USING (id) WHEN MATCHED THEN DELETE", tables={"given": given_rows}
        )


def test_explain_shows_the_query_and_analyze_runs_the_merge(bench: lb.Bench) -> None:
    text = "MERGE INTO t USING s USING (id) WHEN MATCHED THEN UPDATE SET a = v WHEN NOT MATCHED THEN INSERT (id) VALUES (id)"
    before = rows(bench.kadeql("FROM t"))
    plan = "\n".join(bench.kadeql(f"EXPLAIN {text}").to_arrow().column(1).to_pylist())
    assert "MERGE INTO t" in plan
    assert "JOIN" in plan
    assert rows(bench.kadeql("FROM t")) == before
    ran = bench.kadeql(f"EXPLAIN ANALYZE {text}")
    assert "3 rows, undone again" in ran.to_arrow().column(1)[0].as_py()
    snapshot = bench.snapshots()[-1].id
    assert (ran.run.snapshot, rows(bench.kadeql("FROM t"))) == (snapshot, before)
    with bench.transaction() as tx:
        tx.kadeql("UPDATE t SET a = 7")
        inside = tx.kadeql("EXPLAIN ANALYZE DELETE FROM t USING s WHERE s.id = t.id")
        assert inside.run.in_transaction
        assert set(tx.kadeql("SELECT a FROM t").to_arrow()["a"].to_pylist()) == {7}
        tx.rollback()
    assert rows(bench.kadeql("FROM t")) == before
    assert bench.snapshots()[-1].id == snapshot
    with lb.open(bench.path, mode="r") as reader, pytest.raises(lb.errors.ReadOnlyError):
        reader.kadeql("EXPLAIN ANALYZE DELETE FROM t")


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("MERGE INTO t USING «s» ON true WHEN MATCHED THEN DELETE", "twice"),
        (
            "MERGE INTO t USING s USING (id) «WHEN MATCHED THEN ERROR 'no ' || v» WHEN NOT MATCHED THEN DO NOTHING",
            "no 2",
        ),
        ("MERGE INTO t USING s USING (id) WHEN MATCHED THEN UPDATE SET «zz» = 1", "zz"),
        ("MERGE INTO t USING s USING (id) WHEN NOT MATCHED THEN INSERT (id, «zz») VALUES (1, 2)", "zz"),
        (
            "MERGE INTO t USING s USING (id) «WHEN NOT MATCHED THEN INSERT (id) VALUES (1, 2)»",
            "2 values for 1",
        ),
        ("MERGE INTO t USING s USING (id) WHEN NOT MATCHED THEN INSERT (id) VALUES («t.a»)", "'t'"),
        ("MERGE INTO t USING s USING (id) WHEN MATCHED THEN UPDATE SET a = «'abc'»", "abc"),
        ("MERGE INTO t USING s USING (id) WHEN NOT MATCHED THEN INSERT (id, a) VALUES («NULL», 1)", "NULL"),
        ("WITH q AS (FROM s) MERGE INTO t USING q USING (id) WHEN MATCHED AND «q.w» > 1 THEN DELETE", "w"),
        ("MERGE INTO «nope» USING s USING (id) WHEN MATCHED THEN DELETE", "nope"),
        ("MERGE INTO t USING «nope» USING (id) WHEN MATCHED THEN DELETE", "nope"),
        ("UPDATE t SET a = «q.v» FROM s WHERE s.id = t.id", "q"),
        ("UPDATE t SET (a, b) = «(SELECT v, 'q', 3 FROM s WHERE s.id = t.id)»", "2 columns are set to 3"),
    ],
)
def test_an_error_points_into_the_users_text(bench: lb.Bench, marked: str, said: str) -> None:
    text = "SELECT 1; -- ü\n" + marked.replace("«", "").replace("»", "")
    start = marked.index("«") + len("SELECT 1; -- ü\n")
    stop = marked.index("»") - 1 + len("SELECT 1; -- ü\n")
    with pytest.raises(lb.errors.KadeQLError, match=said) as caught:
        bench.kadeql(text)
    assert caught.value.text == text
    assert caught.value.span is not None
    assert start <= caught.value.span[0] <= caught.value.span[1] <= stop
    assert caught.value.hint


def test_a_list_of_columns_takes_a_subquery_of_several(bench: lb.Bench) -> None:
    found = bench.kadeql(
        "UPDATE t SET (a, b) = (SELECT v, v::VARCHAR || '!' FROM s WHERE s.id = t.id) RETURNING *"
    )
    assert rows(found) == [(1, None, None), (2, 200, "200!"), (3, 300, "300!")]


def test_a_merge_reads_views_and_schemas(bench: lb.Bench) -> None:
    bench.kadeql(
        "CREATE SCHEMA other; CREATE TABLE other.t AS FROM t; CREATE VIEW w AS SELECT id, v / 100 AS c FROM s"
    )
    bench.kadeql(
        "MERGE INTO other.t USING w ON other.t.id = w.id WHEN MATCHED THEN UPDATE SET a = c WHEN NOT MATCHED THEN INSERT (id, a) VALUES (id, c)"
    )
    assert rows(bench.kadeql("SELECT id, a FROM other.t")) == [(1, 10), (2, 2), (3, 3), (4, 4)]
