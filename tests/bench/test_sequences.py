"""Sequences: values in queries, statements and defaults, given once, whatever becomes of who asked."""

from __future__ import annotations

import threading

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn

import luma_bench as lb
from luma_bench.errors import CatalogError, ConstraintError, KadeQLBindError, KadeQLConstraintError, LumaError
from luma_bench.types.sequence import LARGEST, Sequence


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma") as opened:
        yield opened


def values(bench, text):
    return [next(iter(row.values())) for row in bench.kadeql(text).to_arrow().to_pylist()]


SCRIPTS = [
    ["CREATE SEQUENCE s", "SELECT nextval('s') FROM range(3)", "SELECT currval('s')", "SELECT nextval('S') + nextval('s')", "CREATE SEQUENCE s",
     "CREATE OR REPLACE SEQUENCE s", "SELECT nextval('s')", "DROP SEQUENCE s", "SELECT nextval('s')", "DROP SEQUENCE s"],
    ["CREATE SEQUENCE s START 10 INCREMENT BY -2 MINVALUE 1 MAXVALUE 100 CYCLE", "SELECT nextval('s') FROM range(7)", "SELECT nextval('s')"],
    ["CREATE SEQUENCE s START 5 MAXVALUE 6", "SELECT nextval('s') FROM range(2)", "SELECT nextval('s')", "SELECT nextval('s')", "SELECT currval('s')"],
    ["CREATE SEQUENCE s INCREMENT BY -3", "SELECT nextval('s') FROM range(3)"],
    ["CREATE SEQUENCE s MINVALUE -5", "SELECT nextval('s') FROM range(3)"],
    ["CREATE SEQUENCE s INCREMENT 0", "CREATE SEQUENCE s START 0", "CREATE SEQUENCE s MINVALUE 9 MAXVALUE 5", "CREATE SEQUENCE s MAXVALUE 5 START 6"],
    ["SELECT currval('s')", "CREATE SEQUENCE s", "SELECT currval('s')", "SELECT nextval('s') FROM range(0)", "SELECT currval('s')"],
    ["CREATE SEQUENCE s", "CREATE TABLE t (a INTEGER DEFAULT nextval('s') + 100, b INTEGER)", "INSERT INTO t (b) SELECT * FROM range(3)",
     "SELECT a FROM t ORDER BY a", "INSERT INTO t VALUES (nextval('s'), 1)", "SELECT a FROM t ORDER BY a", "DROP SEQUENCE s",
     "UPDATE t SET a = nextval('s')", "SELECT a FROM t ORDER BY a", "CREATE TABLE u AS SELECT nextval('s') AS n FROM range(2)", "SELECT n FROM u ORDER BY n"],
]  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_same_as_duckdb(bench, script):
    twin = duckdb.connect()
    for text in script:
        try:
            want = [row[0] for row in twin.execute(text).fetchall()]
        except duckdb.Error:
            want = None
        if want is None:
            with pytest.raises(LumaError):
                bench.kadeql(text)
        elif text.startswith("SELECT"):
            assert values(bench, text) == want, text
        else:
            bench.kadeql(text)
    twin.close()


def test_a_value_is_never_taken_back(bench):
    bench.kadeql("CREATE SEQUENCE s; CREATE TABLE t (a BIGINT DEFAULT nextval('s'), b INTEGER CHECK (b > 0))")
    with pytest.raises(ConstraintError):
        bench.kadeql("INSERT INTO t (b) VALUES (-1)")
    inside = bench.transaction().begin()
    inside.kadeql("INSERT INTO t (b) VALUES (1)")
    inside.rollback()
    bench.kadeql("INSERT INTO t (b) VALUES (1)")
    assert values(bench, "SELECT a FROM t") == [3]
    assert values(bench, "SELECT nextval('s')") == [4]


def test_another_handle_goes_on_where_the_values_stand(bench, tmp_path):
    bench.kadeql("CREATE SEQUENCE s")
    assert values(bench, "SELECT nextval('s') FROM range(5)") == [1, 2, 3, 4, 5]
    with lb.open(tmp_path / "b.luma") as other:
        with pytest.raises(KadeQLConstraintError, match="not yet defined"):
            other.kadeql("SELECT currval('s')")
        assert values(other, "SELECT nextval('s')") == [6]
        assert values(bench, "SELECT currval('s')") == [5]
        assert values(bench, "SELECT nextval('s')") == [7]
    with lb.open(tmp_path / "b.luma", mode="r") as reader, pytest.raises(LumaError):
        reader.kadeql("SELECT nextval('s')")


def test_defaults_of_a_bulk_write(bench):
    bench.kadeql("CREATE SEQUENCE s START 100 INCREMENT 5")
    bench.kadeql(
        "CREATE TABLE t (id BIGINT DEFAULT nextval('s') PRIMARY KEY, code VARCHAR DEFAULT 'c' || nextval('s'), x INTEGER)"
    )
    bench.write("t", {"x": np.arange(300_000)}, "append")
    bench.write("t", {"x": [1], "id": [7], "code": ["own"]}, "append")
    found = (
        bench.kadeql("SELECT count(*) AS n, count(DISTINCT id) AS ids, count(DISTINCT code) AS codes FROM t")
        .to_arrow()
        .to_pylist()
    )
    assert found == [{"n": 300_001, "ids": 300_001, "codes": 300_001}]
    assert values(bench, "SELECT nextval('s')") == [100 + 5 * 600_000]


def test_threads_take_different_values(bench):
    bench.kadeql("CREATE SEQUENCE s")
    taken: list[int] = []

    def take():
        mine = [value for _ in range(8) for value in values(bench, "SELECT nextval('s') FROM range(3)")]
        taken.extend(mine)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(1, 97))


def test_a_sequence_that_a_default_uses_stays(bench):
    bench.kadeql("CREATE SEQUENCE s; CREATE TABLE t (a INTEGER DEFAULT nextval('s'), b INTEGER)")
    for text in ("DROP SEQUENCE s", "CREATE OR REPLACE SEQUENCE s"):
        with pytest.raises(KadeQLConstraintError, match="default of column 'a'"):
            bench.kadeql(text)
    assert values(bench, "SELECT column_default FROM information_schema.columns WHERE column_name = 'a'") == [
        "nextval('s')"
    ]
    bench.kadeql("ALTER TABLE t ALTER a DROP DEFAULT; DROP SEQUENCE s; INSERT INTO t (b) VALUES (1)")
    assert values(bench, "SELECT a FROM t") == [None]


def test_in_one_transaction_with_its_table(bench):
    with bench.transaction() as inside:
        inside.kadeql("CREATE SEQUENCE s START 7; CREATE TABLE t (a INTEGER DEFAULT nextval('s'), b INTEGER)")
        inside.kadeql("INSERT INTO t (b) VALUES (1), (2)")
    bench.kadeql("INSERT INTO t (b) VALUES (3)")
    assert values(bench, "SELECT a FROM t ORDER BY b") == [7, 8, 9]


def test_names_that_need_quotes_and_schemas(bench):
    bench.kadeql('CREATE SEQUENCE "My Seq"; CREATE SCHEMA sales; CREATE SEQUENCE sales.q START 5')
    assert values(bench, "SELECT nextval('\"My Seq\"')") == [1]
    assert values(bench, "SELECT nextval('sales.q') FROM range(2)") == [5, 6]
    assert values(bench, "SELECT nextval('main.\"My Seq\"')") == [2]
    with pytest.raises(KadeQLBindError, match="no sequence 'My Sec'") as caught:
        bench.kadeql("SELECT nextval('My Sec')")
    assert "My Seq" in str(caught.value)


def test_explain_takes_no_value_and_a_stream_does(bench):
    bench.kadeql("CREATE SEQUENCE s")
    bench.kadeql("EXPLAIN SELECT nextval('s')")
    assert values(bench, "SELECT nextval('s')") == [1]
    assert values(bench, "SELECT nextval('s') FROM range(2)") == [2, 3]


@settings(deadline=None, max_examples=drawn(100))
@given(
    st.integers(-20, 20),
    st.integers(-7, 7).filter(bool),
    st.integers(1, 30),
    st.booleans(),
    st.lists(st.integers(1, 40), max_size=4),
)
def test_values_follow_as_in_duckdb(smallest, increment, width, cycle, counts):
    largest = smallest + width
    start = smallest + width // 2
    made = Sequence("s", "t", start, increment, smallest, largest, cycle)
    twin = duckdb.connect()
    twin.execute(
        f"CREATE SEQUENCE s START {start} INCREMENT BY {increment} MINVALUE {smallest} MAXVALUE {largest} {'CYCLE' if cycle else ''}"
    )
    last = None
    for count in counts:
        try:
            want = [row[0] for row in twin.execute(f"SELECT nextval('s') FROM range({count})").fetchall()]
        except duckdb.Error:
            with pytest.raises(ConstraintError):
                made.following(last, count)
            break
        assert made.following(last, count).tolist() == want
        last = want[-1]
    twin.close()


def test_the_ends_of_64_bits():
    made = Sequence("s", "t", LARGEST - 1, 1, 1, LARGEST)
    assert made.following(None, 2).tolist() == [LARGEST - 1, LARGEST]
    with pytest.raises(ConstraintError, match="maximum"):
        made.following(LARGEST, 1)
    assert Sequence.of("s", made.definition) == made


def test_a_dropped_sequence_is_told(bench):
    with pytest.raises(KadeQLBindError):
        bench.kadeql("CREATE TABLE t (a INTEGER DEFAULT nextval('nope'))")
    with pytest.raises((KadeQLBindError, CatalogError)):
        bench.kadeql("DROP SEQUENCE nope")
