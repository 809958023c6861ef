"""DELETE, UPDATE, TRUNCATE, ALTER, COMMENT and DEFAULT through a bench; DuckDB's own tables are the oracle."""

import datetime as dt
import decimal
import math

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luma_bench as lb

ROWS = pa.table(
    {
        "id": pa.array([1, 2, 3, 4, 5, 6], pa.int32()),
        "k": ["a", "b", "a", None, "c", "b"],
        "x": [1.5, 2.5, None, 4.0, math.nan, -0.0],
        "d": pa.array([dt.date(2024, 1, day) for day in range(1, 7)], pa.date32()),
    }
)


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma", threads=2) as opened:
        opened.write("t", ROWS, mode="create")
        yield opened


def rows(result):
    table = result.to_arrow() if hasattr(result, "to_arrow") else result
    return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True), key=repr)


def answer(bench, text):
    return bench.kadeql(text).to_arrow().to_pylist()[0]


def oracle(*texts):
    """The rows of `t` after the texts ran in DuckDB's own tables."""
    connection = duckdb.connect()
    connection.register("given", ROWS)
    connection.execute("CREATE TABLE t AS FROM given")
    for text in texts:
        connection.execute(text)
    return rows(connection.sql("FROM t").to_arrow_table())


CHANGES = [
    "DELETE FROM t WHERE id = 1",
    "DELETE FROM t WHERE k = 'a' OR x > 3",
    "DELETE FROM t WHERE k IS NULL",
    "DELETE FROM t WHERE x = 'nan'::DOUBLE",
    "DELETE FROM t WHERE NULL",
    "DELETE FROM t",
    "DELETE FROM t AS v WHERE v.id IN (SELECT id + 1 FROM t AS v2 WHERE v2.k = v.k OR v.k = 'b')",
    "DELETE FROM t WHERE EXISTS (SELECT 1 FROM t u WHERE u.k = t.k AND u.id < t.id)",
    "WITH low AS (SELECT min(id) AS i FROM t) DELETE FROM t WHERE id = (SELECT i FROM low)",
    "UPDATE t SET k = 'z'",
    "UPDATE t SET k = k || '!' WHERE x IS NOT NULL",
    "UPDATE t SET x = id, id = x WHERE x BETWEEN 1 AND 5",
    "UPDATE t SET id = 2.7 WHERE k = 'a'",
    "UPDATE t SET id = '42', d = '2026-02-28' WHERE k = 'c'",
    "UPDATE t SET d = d + INTERVAL 1 MONTH, x = NULL",
    "UPDATE t SET k = DEFAULT WHERE id < 4",
    "UPDATE t v SET k = (SELECT max(k) FROM t u WHERE u.id <> v.id)",
    "UPDATE t SET x = (SELECT sum(x) FROM t WHERE x < 3) + id WHERE id % 2 = 0",
    "WITH s AS (SELECT id, row_number() OVER (ORDER BY id DESC) AS n FROM t) UPDATE t SET id = (SELECT n FROM s WHERE s.id = t.id)",
    "UPDATE t SET k = CASE WHEN x IS DISTINCT FROM 2.5 THEN 'p' ELSE k END, id = id",
]


@pytest.mark.parametrize("text", CHANGES)
def test_the_same_rows_as_duckdb(bench, text):
    done = bench.kadeql(text)
    # DuckDB's NaN is another object each time, so texts are compared.
    assert repr(rows(bench.kadeql("FROM t"))) == repr(oracle(text))
    assert done.run.engine == "catalog"
    assert done.run.snapshot == bench.snapshot
    assert bench.check().ok


def test_the_result_says_operation_rows_and_snapshot(bench):
    assert answer(bench, "DELETE FROM t WHERE id < 3") == {"operation": "delete", "rows": 2, "snapshot": 3}
    assert answer(bench, "UPDATE t SET k = 'q' WHERE id > 4") == {
        "operation": "update",
        "rows": 2,
        "snapshot": 4,
    }
    assert answer(bench, "TRUNCATE t") == {"operation": "delete", "rows": 4, "snapshot": 5}
    made = bench.snapshots()[2:]
    assert [(snapshot.operation, snapshot.message) for snapshot in made] == [
        ("delete", "DELETE FROM t WHERE id < 3"),
        ("update", "UPDATE t SET k = 'q' WHERE id > 4"),
        ("delete", "TRUNCATE t"),
    ]


@pytest.mark.parametrize("text", ["DELETE FROM t WHERE id > 99", "UPDATE t SET k = 'q' WHERE false"])
def test_no_rows_are_no_commit(bench, text):
    before = bench.snapshot
    assert answer(bench, text)["rows"] == 0
    assert answer(bench, text)["snapshot"] == bench.snapshot == before


def test_the_past_stays(bench):
    before = bench.snapshot
    bench.kadeql("UPDATE t SET k = 'z'; DELETE FROM t WHERE id = 1; TRUNCATE t")
    assert repr(rows(bench.kadeql("FROM t", at=before))) == repr(rows(ROWS))
    assert len(bench.kadeql("FROM t")) == 0
    bench.kadeql("INSERT INTO t (id) SELECT id FROM t AT (VERSION => $v) WHERE k = 'a'", {"v": before})
    assert rows(bench.kadeql("SELECT id FROM t")) == [(1,), (3,)]


def test_parameters_and_tables_of_the_call(bench):
    bench.kadeql("DELETE FROM t WHERE id = $id", {"id": 2})
    bench.kadeql(
        "UPDATE t SET k = (SELECT name FROM names WHERE names.id = t.id) WHERE id IN (SELECT id FROM names)",
        tables={"names": pa.table({"id": [1, 3], "name": ["one", "three"]})},
    )
    assert rows(bench.kadeql("SELECT id, k FROM t WHERE id < 4")) == [(1, "one"), (3, "three")]
    with pytest.raises(lb.errors.KadeQLBindError, match="a table of this call"):
        bench.kadeql("DELETE FROM t", tables={"T": pa.table({"a": [1]})})


def test_columns_that_are_not_set_keep_their_exact_values(tmp_path):
    kinds = {
        "large": pa.array(["a", None, "ccc"], pa.large_string()),
        "coded": pa.array(["x", "y", "x"]).dictionary_encode(),
        "fixed": pa.array([b"12", None, b"34"], pa.binary(2)),
        "span": pa.array([1, None, -5], pa.duration("ms")),
        "tz": pa.array([0, 1, None], pa.timestamp("ms", "Europe/Berlin")),
        "half": pa.array([[1.0, 2.0], [0.5, 3.0], None], pa.list_(pa.float16(), 2)),
        "money": pa.array([decimal.Decimal("1.10"), None, decimal.Decimal("-9.99")], pa.decimal128(20, 2)),
        "nested": pa.array([{"a": [1, None]}, {"a": None}, None]),
        "big": pa.array([2**64 - 1, 0, None], pa.uint64()),
    }
    table = pa.table({"id": [1, 2, 3], **kinds})
    with lb.open(tmp_path / "exact.luma") as bench:
        bench.write("e", table, mode="create")
        bench.kadeql("UPDATE e SET id = id + 10 WHERE id > 1")
        after = bench.table("e").to_arrow().sort_by("id")
        assert after.schema == table.schema
        assert after["id"].to_pylist() == [1, 12, 13]
        for name in kinds:
            assert after[name].to_pylist() == table[name].to_pylist(), name


def test_many_segments_many_rows(tmp_path):
    with lb.open(tmp_path / "big.luma", inline_bytes=0, shard_rows=20_000, chunk_rows=4_096) as bench:
        bench.write("n", {"i": np.arange(100_000), "v": np.zeros(100_000)}, mode="create")
        one = bench.kadeql("UPDATE n SET v = 1 WHERE i = 77777")
        assert one.run.segments_pruned >= 4
        assert one.run.rows_read < 20_000
        bench.kadeql("UPDATE n SET v = v + 2 WHERE i % 3 = 0")
        bench.kadeql("DELETE FROM n WHERE i % 2 = 1 OR i BETWEEN 40000 AND 59999")
        i = np.arange(100_000)
        v = (i == 77_777) + 2.0 * (i % 3 == 0)
        keep = (i % 2 == 0) & ~((i >= 40_000) & (i < 60_000))
        found = bench.kadeql("SELECT count(*), sum(i), sum(v), min(v), max(v) FROM n").to_arrow()
        assert [float(column[0].as_py()) for column in found.columns] == [
            keep.sum(), i[keep].sum(), v[keep].sum(), v[keep].min(), v[keep].max(),
        ]  # fmt: skip
        assert bench.check().ok


ERRORS = [
    ("DELETE FROM «nope» WHERE id = 1", lb.errors.KadeQLBindError, "There is no table", "t"),
    ("DELETE FROM t WHERE «idd» = 1", lb.errors.KadeQLBindError, "idd", "id"),
    ("DELETE FROM t WHERE id = 1 AND\n  k IN (SELECT «kk» FROM t)", lb.errors.KadeQLBindError, "kk", "k"),
    ("UPDATE t SET k = 'a',\n «nope» = 1", lb.errors.KadeQLBindError, "no column 'nope'", "id"),
    ("UPDATE t SET k = 'a', id = «'abc'»", lb.errors.KadeQLError, "Could not convert", None),
    ("UPDATE t SET k = 'a', id = «k»", lb.errors.KadeQLError, "Could not convert", None),
    ("UPDATE t SET x = «upperr»(k)", lb.errors.KadeQLError, "upperr", None),
    ("UPDATE t SET id = 1 WHERE «nope» > 1", lb.errors.KadeQLBindError, "nope", None),
    ("SELECT 1;\nALTER TABLE t DROP COLUMN «nope»", lb.errors.KadeQLBindError, "no column 'nope'", "id"),
    ("ALTER TABLE «nope» DROP COLUMN id", lb.errors.KadeQLBindError, "There is no table", "t"),
    ("ALTER TABLE t ALTER «id» TYPE VARCHAR", lb.errors.KadeQLBindError, "does not widen", "longer"),
    ("ALTER TABLE t ADD COLUMN «ID INT»", lb.errors.KadeQLBindError, "case", "Choose"),
    ("ALTER TABLE t ADD COLUMN y INT DEFAULT «'abc'»", lb.errors.KadeQLError, "Could not convert", None),
    ("ALTER TABLE t ADD COLUMN «y NOPE»", lb.errors.KadeQLBindError, "NOPE", None),
    ("ALTER TABLE t ALTER «k» SET NOT NULL", lb.errors.KadeQLConstraintError, "NULL", None),
    ("ALTER TABLE t SET («sort_by = (id, nope)»)", lb.errors.KadeQLBindError, "nope", "id"),
    ("COMMENT ON COLUMN t.«nope» IS 'x'", lb.errors.KadeQLBindError, "no column 'nope'", "id"),
    ("CREATE TABLE u (a INT DEFAULT «b»)", lb.errors.KadeQLBindError, "b", None),
]


@pytest.mark.parametrize("wrapped", [False, True], ids=["alone", "in a transaction"])
@pytest.mark.parametrize(("marked", "kind", "message", "hint"), ERRORS)
def test_errors_point_into_the_users_text_and_change_nothing(bench, wrapped, marked, kind, message, hint):
    text = marked.replace("«", "").replace("»", "")
    before = bench.snapshot
    if wrapped:
        bench.kadeql("BEGIN")
    with pytest.raises(kind, match=message) as caught:
        bench.kadeql(text)
    error = caught.value
    assert error.span is not None
    assert error.span[0] == marked.index("«"), str(error)
    assert "^" in str(error)
    if hint is not None:
        assert hint in (error.hint or "")
    assert repr(rows(bench.kadeql("FROM t"))) == repr(rows(ROWS))
    if wrapped:
        assert bench.in_transaction
        bench.kadeql("COMMIT")
    assert bench.snapshot == before


def test_not_null_and_keys_hold(bench):
    bench.kadeql("CREATE TABLE k (id BIGINT PRIMARY KEY, n INT NOT NULL)")
    bench.kadeql("INSERT INTO k VALUES (1, 10), (2, 20), (3, 30)")
    for text, place in [
        ("UPDATE k SET n = NULL WHERE id = 1", "NULL WHERE"),
        ("UPDATE k SET id = 2 WHERE id = 1", "2 WHERE"),
        ("UPDATE k SET id = 7", "7"),
        ("INSERT INTO k VALUES (1, 5)", "VALUES"),
        ("INSERT INTO k VALUES (9, NULL)", "VALUES"),
    ]:
        with pytest.raises(lb.errors.ConstraintError) as caught:
            bench.kadeql(text)
        assert isinstance(caught.value, lb.errors.KadeQLError)
        assert caught.value.span[0] == text.index(place)
    assert rows(bench.kadeql("FROM k")) == [(1, 10), (2, 20), (3, 30)]
    # Keys are compared after the whole statement, so rows may pass theirs on.
    bench.kadeql("UPDATE k SET id = id + 1")
    assert rows(bench.kadeql("SELECT id FROM k")) == [(2,), (3,), (4,)]


def test_definitions_change_without_touching_rows(bench):
    bench.kadeql("ALTER TABLE t ADD COLUMN y DECIMAL(10, 2) DEFAULT 1.5")
    bench.kadeql("ALTER TABLE t ALTER id TYPE BIGINT")
    bench.kadeql("ALTER TABLE t RENAME COLUMN k TO kind")
    bench.kadeql("ALTER TABLE t DROP COLUMN d")
    bench.kadeql("INSERT INTO t (id, kind) VALUES (9, 'new')")
    bench.kadeql("ALTER TABLE t ALTER y SET DEFAULT 2")
    bench.kadeql("INSERT INTO t (id, kind) VALUES (10, 'new')")
    assert bench.table("t").schema.names == ["id", "kind", "x", "y"]
    assert rows(bench.kadeql("SELECT id, y FROM t WHERE id IN (1, 9, 10)")) == [
        (1, decimal.Decimal("1.50")),
        (10, decimal.Decimal("2.00")),
        (9, decimal.Decimal("1.50")),
    ]
    assert [s.operation for s in bench.snapshots()[2:6]] == ["alter"] * 4
    bench.kadeql("ALTER TABLE t RENAME TO u; ALTER TABLE u SET (sort_by = (id))")
    assert bench.tables() == ["u"]
    assert "k" in bench.at(2).table("t").columns
    assert bench.check().ok


def test_if_exists_and_if_not_exists_change_nothing(bench):
    before = bench.snapshot
    for text in (
        "ALTER TABLE IF EXISTS nope DROP COLUMN a",
        "ALTER TABLE t DROP COLUMN IF EXISTS nope",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS ID VARCHAR",
        "CREATE TABLE IF NOT EXISTS t (a INT)",
        "CREATE TABLE IF NOT EXISTS T AS SELECT 1",
        "DROP TABLE IF EXISTS nope",
    ):
        assert answer(bench, text) == {"operation": "unchanged", "rows": 0, "snapshot": before}


def test_defaults_and_comments_are_described(bench):
    bench.kadeql("CREATE TABLE c (a INT DEFAULT 3 NOT NULL, b VARCHAR DEFAULT 'x', d DATE)")
    bench.kadeql("COMMENT ON COLUMN c.b IS 'what it is'; COMMENT ON TABLE c IS 'all of it'")
    found = {row["column_name"]: row for row in bench.kadeql("DESCRIBE c").to_arrow().to_pylist()}
    assert [(row["default"], row["extra"]) for row in found.values()] == [
        ("3", None),
        ("'x'", "what it is"),
        (None, None),
    ]
    shown = {row["name"]: row["comment"] for row in bench.kadeql("SHOW TABLES").to_arrow().to_pylist()}
    assert shown == {"c": "all of it", "t": None}
    bench.kadeql("INSERT INTO c (d) VALUES ('2024-01-01'); INSERT INTO c (a) VALUES (7)")
    assert rows(bench.kadeql("FROM c")) == [(3, "x", dt.date(2024, 1, 1)), (7, "x", None)]
    bench.kadeql("UPDATE c SET a = 9, b = 'q'; UPDATE c SET a = DEFAULT, d = DEFAULT")
    assert rows(bench.kadeql("FROM c")) == [(3, "q", None)] * 2
    bench.kadeql("ALTER TABLE c ALTER b DROP DEFAULT; INSERT INTO c (a) VALUES (1)")
    assert rows(bench.kadeql("SELECT b FROM c WHERE a = 1")) == [(None,)]


def test_explain_shows_the_plan_and_changes_nothing(bench):
    for text in ("EXPLAIN DELETE FROM t WHERE id = 1", "EXPLAIN UPDATE t SET k = 'a' WHERE id = 1"):
        shown = "\n".join(bench.kadeql(text).to_arrow()["explain_value"].to_pylist())
        assert text.split()[1] in shown
        assert "id = 1" in shown
    assert bench.snapshot == 2


def test_readers_refuse_changes(bench, tmp_path):
    for reader in (lb.open(tmp_path / "b.luma", mode="r"), bench.at(2)):
        for text in ("DELETE FROM t", "UPDATE t SET k = 'a'", "TRUNCATE t", "ALTER TABLE t DROP COLUMN k"):
            with pytest.raises(lb.errors.ReadOnlyError):
                reader.kadeql(text)
        reader.close()
    with pytest.raises(lb.errors.ReadOnlyError):
        bench.kadeql("DELETE FROM t", at=2)


CONDITIONS = st.sampled_from(
    ["", " WHERE id > 2", " WHERE k = 'a'", " WHERE x IS NULL", " WHERE id % 2 = 0 AND k <> 'b'"]
)
SETS = st.sampled_from(
    [
        "k = 'n'",
        "id = id + 1",
        "x = id * 0.5",
        "k = NULL, x = NULL",
        "d = d + 1, id = -id",
        "k = coalesce(k, 'w') || id",
    ]
)


@st.composite
def statements(draw):
    kind = draw(st.sampled_from(["insert", "delete", "update", "update", "truncate", "copy"]))
    if kind == "insert":
        return f"INSERT INTO t (id, k) VALUES ({draw(st.integers(-9, 99))}, 'i'), (0, NULL)"
    if kind == "delete":
        return f"DELETE FROM t{draw(CONDITIONS)}"
    if kind == "update":
        return f"UPDATE t SET {draw(SETS)}{draw(CONDITIONS)}"
    return "TRUNCATE t" if kind == "truncate" else f"INSERT INTO t SELECT * FROM t{draw(CONDITIONS)}"


@settings(deadline=None, max_examples=10)
@given(texts=st.lists(statements(), min_size=1, max_size=8), small=st.booleans())
def test_any_sequence_of_changes_is_duckdbs(tmp_path_factory, texts, small):
    folder = tmp_path_factory.mktemp("any") / "b.luma"
    with lb.open(folder, threads=2, inline_bytes=256_000 if small else 0) as bench:
        bench.write("t", ROWS, mode="create")
        for done, text in enumerate(texts, 1):
            bench.kadeql(text)
            assert repr(rows(bench.kadeql("FROM t"))) == repr(oracle(*texts[:done])), text
