"""Generated columns and computed defaults: filled on every way into a table, recomputed, and never given."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.errors import KadeQLBindError, KadeQLConstraintError, SchemaError, UnsupportedError


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma") as opened:
        yield opened


def rows(bench, text):
    return [tuple(row.values()) for row in bench.kadeql(text, cache=False).to_arrow().to_pylist()]


TABLE = """CREATE TABLE t (
    id INTEGER PRIMARY KEY, a INTEGER, double INTEGER GENERATED ALWAYS AS (a * 2) STORED,
    label AS (double || '!'), CHECK (double < 100))"""


def test_computed_on_every_way_in(bench):
    bench.kadeql(TABLE)
    bench.kadeql("INSERT INTO t VALUES (1, 10)")
    bench.kadeql("INSERT INTO t (a, id) SELECT 20, 2")
    bench.kadeql("INSERT INTO t BY NAME SELECT 3 AS id, NULL AS a")
    bench.write("t", {"a": [40], "id": [4]}, "append")
    bench.write("t", pa.table({"id": [1], "a": [11]}), "upsert")
    bench.kadeql("INSERT INTO t VALUES (2, 11) ON CONFLICT DO UPDATE SET a = excluded.a + excluded.double")
    bench.kadeql(
        "MERGE INTO t USING (SELECT 5 AS id, 5 AS a) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.a)"
    )
    with bench.transaction() as inside:
        inside.write("t", {"id": [6], "a": [6]}, "append")
    with pytest.raises(KadeQLConstraintError, match=r"double < 100.*double=126"):
        bench.kadeql("INSERT INTO t VALUES (7, 63)")
    assert rows(bench, "FROM t ORDER BY id") == [
        (1, 11, 22, "22!"), (2, 33, 66, "66!"), (3, None, None, None), (4, 40, 80, "80!"), (5, 5, 10, "10!"), (6, 6, 12, "12!"),
    ]  # fmt: skip


def test_recomputed_by_update(bench):
    bench.kadeql(TABLE)
    bench.kadeql("INSERT INTO t VALUES (1, 1), (2, 2)")
    bench.kadeql("UPDATE t SET a = a + 10 WHERE double = 4")
    assert rows(bench, "FROM t ORDER BY id") == [(1, 1, 2, "2!"), (2, 12, 24, "24!")]
    assert rows(bench, "UPDATE t SET a = 0 RETURNING id, double, label") == [(1, 0, "0!"), (2, 0, "0!")]


def test_never_given(bench):
    bench.kadeql(TABLE)
    for text in (
        "INSERT INTO t (id, a, double) VALUES (1, 2, 4)",
        "INSERT INTO t BY NAME SELECT 1 AS id, 4 AS double",
        "INSERT INTO t VALUES (1, 2, 4, 'x')",
        "UPDATE t SET double = 4",
    ):
        with pytest.raises(KadeQLBindError):
            bench.kadeql(text)
    with pytest.raises(SchemaError, match="generated"):
        bench.write("t", {"id": [1], "a": [2], "double": [4]}, "append")


def test_a_value_that_does_not_fit_is_told(bench):
    bench.kadeql("CREATE TABLE t (a INTEGER, g TINYINT AS (a + 1))")
    with pytest.raises(KadeQLConstraintError, match="cannot be computed"):
        bench.kadeql("INSERT INTO t VALUES (500)")
    bench.kadeql("CREATE TABLE n (a INTEGER, g INTEGER AS (a + 1) NOT NULL)")
    with pytest.raises(KadeQLConstraintError, match="must not be NULL"):
        bench.kadeql("INSERT INTO n VALUES (NULL)")


def test_a_key_may_be_generated(bench):
    bench.kadeql(
        "CREATE TABLE t (a INTEGER, k INTEGER AS (a % 10) PRIMARY KEY, u INTEGER AS (a // 10) UNIQUE)"
    )
    bench.kadeql("INSERT INTO t VALUES (11), (22)")
    for value in (31, 23):
        with pytest.raises(KadeQLConstraintError):
            bench.kadeql(f"INSERT INTO t VALUES ({value})")
    assert bench.get("t", 1) == {"a": 11, "k": 1, "u": 1}


def test_names_change_and_what_is_read_stays(bench):
    bench.kadeql(TABLE)
    bench.kadeql('ALTER TABLE t RENAME COLUMN a TO "A x"; ALTER TABLE t RENAME COLUMN double TO twice')
    bench.kadeql("INSERT INTO t VALUES (1, 3)")
    assert rows(bench, "FROM t") == [(1, 3, 6, "6!")]
    for text in (
        'ALTER TABLE t DROP COLUMN "A x"',
        "ALTER TABLE t DROP COLUMN twice",
        "ALTER TABLE t ALTER label SET DEFAULT 'x'",
        "ALTER TABLE t ALTER label SET DATA TYPE VARCHAR",
    ):
        if "TYPE" in text:
            bench.kadeql(text)
            continue
        with pytest.raises(KadeQLBindError):
            bench.kadeql(text)
    bench.kadeql("ALTER TABLE t DROP COLUMN label")


def test_added_while_the_table_is_empty(bench):
    bench.kadeql("CREATE TABLE t (a INTEGER); ALTER TABLE t ADD COLUMN g AS (a + 1)")
    bench.kadeql("INSERT INTO t VALUES (1)")
    assert rows(bench, "FROM t") == [(1, 2)]
    with pytest.raises(UnsupportedError, match="generated column"):
        bench.kadeql("ALTER TABLE t ADD COLUMN h INTEGER AS (a + 2)")


@pytest.mark.parametrize(
    "columns",
    [
        "a INTEGER AS (b), b INTEGER AS (a)",
        "a AS (b), b AS (a)",
        "a INTEGER AS (a + 1), b INTEGER",
        "a INTEGER AS (nope), b INTEGER",
    ],
)
def test_circles_and_unknown_names_are_refused(bench, columns):
    with pytest.raises(KadeQLBindError):
        bench.kadeql(f"CREATE TABLE t ({columns})")
    assert bench.tables() == []


def test_defaults_that_are_computed(bench):
    bench.kadeql(
        "CREATE TABLE t (a INTEGER, made TIMESTAMPTZ DEFAULT now(), id UUID DEFAULT uuid() UNIQUE, day DATE NOT NULL DEFAULT current_date)"
    )
    before = dt.datetime.now(dt.UTC)
    bench.kadeql("INSERT INTO t (a) SELECT * FROM range(200000)")
    after = dt.datetime.now(dt.UTC)
    assert rows(bench, "SELECT count(DISTINCT made), count(DISTINCT id), count(day) FROM t") == [
        (1, 200_000, 200_000)
    ]
    ((moment,),) = rows(bench, "SELECT min(made) FROM t")
    assert before - dt.timedelta(seconds=1) <= moment <= after
    bench.kadeql("INSERT INTO t VALUES (1, DEFAULT, DEFAULT, DEFAULT), (2, NULL, DEFAULT, DATE '2020-01-01')")
    assert rows(
        bench,
        "SELECT a, made IS NULL FROM t WHERE made IS NULL OR made > (SELECT min(made) FROM t) ORDER BY a",
    ) == [(1, False), (2, True)]
    bench.kadeql("UPDATE t SET made = DEFAULT WHERE a = 2")
    assert rows(bench, "SELECT count(*) FROM t WHERE made IS NULL") == [(0,)]


def test_a_default_added_later(bench):
    bench.kadeql("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)")
    bench.kadeql("ALTER TABLE t ADD COLUMN made TIMESTAMP DEFAULT now() CHECK (made IS NOT NULL)")
    bench.kadeql("INSERT INTO t (a) VALUES (2)")
    assert rows(bench, "SELECT count(DISTINCT made), count(made) FROM t") == [(2, 2)]
    with pytest.raises(UnsupportedError, match="differs from row to row"):
        bench.kadeql("ALTER TABLE t ADD COLUMN id UUID DEFAULT uuid()")
    bench.kadeql("ALTER TABLE t ALTER made SET DEFAULT '2020-01-01'; INSERT INTO t (a) VALUES (3)")
    assert rows(bench, "SELECT made FROM t WHERE a = 3") == [(dt.datetime(2020, 1, 1),)]


def test_exact_types_are_kept_beside_what_is_computed(bench):
    bench.kadeql("CREATE TABLE t (a INTEGER, g INTEGER AS (a + 1))")
    bench.write("e", {"x": pa.array(["p", "q"]).dictionary_encode()})
    before = bench.table("t").schema
    bench.write("t", {"a": pa.array([1], pa.int8())}, "append")
    assert bench.table("t").schema == before
    assert bench.table("t").to_arrow().to_pylist() == [{"a": 1, "g": 2}]
