"""CHECK, UNIQUE, PRIMARY KEY and FOREIGN KEY on every way into a table."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.errors import (
    ConflictError,
    ConstraintError,
    KadeQLBindError,
    KadeQLConstraintError,
    KadeQLUnsupportedError,
    SchemaError,
    UnsupportedError,
)
from luma_bench.storage.store import Store


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma") as opened:
        yield opened


def rows(bench: lb.Bench, text: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in bench.kadeql(text, cache=False).to_arrow().to_pylist()]


CHECKED = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER CHECK (a > 0), b INTEGER, CONSTRAINT pair CHECK (b < a))"


def _merge(bench: lb.Bench, values: str) -> None:
    bench.kadeql(
        f"MERGE INTO t USING (SELECT * FROM (VALUES {values}) v(id, a, b)) s ON t.id = s.id "
        "WHEN MATCHED THEN UPDATE SET a = s.a, b = s.b WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.a, s.b)"
    )


def _in_transaction(bench: lb.Bench, data: dict[str, list[int]]) -> None:
    with bench.transaction() as inside:
        inside.write("t", data, "append")


WAYS: list[Callable[[lb.Bench], object]] = [
    lambda bench: bench.kadeql("INSERT INTO t VALUES (2, -5, NULL)"),
    lambda bench: bench.kadeql("INSERT INTO t SELECT 2, 3, 7"),
    lambda bench: bench.kadeql("INSERT INTO t VALUES (1, -5, NULL) ON CONFLICT DO UPDATE SET a = excluded.a"),
    lambda bench: bench.kadeql("INSERT OR REPLACE INTO t VALUES (1, 5, 6)"),
    lambda bench: bench.kadeql("UPDATE t SET a = 0"),
    lambda bench: bench.kadeql("UPDATE t SET b = 100 WHERE id = 1"),
    lambda bench: _merge(bench, "(1, 5, 50)"),
    lambda bench: _merge(bench, "(9, -5, NULL)"),
    lambda bench: bench.write("t", {"id": [2], "a": [-5], "b": [None]}, "append"),
    lambda bench: bench.write("t", pa.table({"id": [1], "a": [5], "b": [50]}), "upsert"),
    lambda bench: _in_transaction(bench, {"id": [2], "a": [-5], "b": [1]}),
]


@pytest.mark.parametrize("way", WAYS)
def test_a_check_holds_on_every_way(bench, way):
    bench.kadeql(CHECKED)
    bench.kadeql("INSERT INTO t VALUES (1, 5, 3)")
    with pytest.raises(ConstraintError, match=r"t_a_check|pair"):
        way(bench)
    assert rows(bench, "FROM t") == [(1, 5, 3)]


def test_null_passes_and_the_message_shows_the_row(bench):
    bench.kadeql(CHECKED)
    bench.kadeql("INSERT INTO t VALUES (1, NULL, 3), (2, 4, NULL)")
    text = "INSERT INTO t VALUES (3, 4, 1), (4, 4, 9)"
    with pytest.raises(KadeQLConstraintError, match=r"'pair'.*CHECK \(b < a\).*row 1, a=4, b=9") as caught:
        bench.kadeql(text)
    assert caught.value.span == (text.index("VALUES"), len(text))


def test_copy_from_a_file_is_checked(tmp_path):
    (tmp_path / "x.csv").write_text("id,a,b\n1,5,3\n2,-1,\n")
    with lb.open(tmp_path / "b.luma", files=[str(tmp_path)]) as bench:
        bench.kadeql(CHECKED)
        with pytest.raises(ConstraintError, match="t_a_check"):
            bench.kadeql(f"COPY t FROM '{tmp_path}/x.csv'")
        assert rows(bench, "FROM t") == []


def test_rows_that_break_a_rule_go_to_the_reject_table(bench):
    bench.kadeql(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1), (2);"
        "CREATE TABLE t (a INTEGER CHECK (a > 0), u VARCHAR UNIQUE, r INTEGER REFERENCES p, g INTEGER AS (a * 2))"
    )
    bench.write("t", {"a": [8], "u": ["held"], "r": [1]}, "append")
    data = {
        "a": [1, -3, 4, 5, 6, 7, -1, 9],
        "u": ["x", "z", "x", None, "k", "held", "late", "late"],
        "r": [1, 1, 1, None, 7, 1, 1, 2],
    }
    bench.write("t", data, "append", rejects="bad")
    assert rows(bench, "SELECT a, u, g FROM t ORDER BY a") == [
        (1, "x", 2), (5, None, 10), (8, "held", 16), (9, "late", 18),
    ]  # fmt: skip
    told = dict(rows(bench, "SELECT row, reason FROM bad"))
    assert sorted(told) == [2, 3, 5, 6, 7]
    for row, word in ((2, "t_a_check"), (3, "earlier row"), (5, "t_r_id_fkey"), (6, "holds")):
        assert word in str(told[row])


def test_unique_columns(bench):
    bench.kadeql("CREATE TABLE t (a INTEGER UNIQUE, b INTEGER, c INTEGER, UNIQUE (b, c))")
    bench.kadeql("INSERT INTO t VALUES (1, 1, 1), (NULL, 1, 2), (NULL, 1, NULL), (NULL, 1, NULL)")
    for text, name in (
        ("INSERT INTO t VALUES (1, 5, 5)", "t_a_key"),
        ("INSERT INTO t VALUES (9, 7, 7), (9, 8, 8)", "t_a_key"),
        ("INSERT INTO t VALUES (9, 1, 2)", "t_b_c_key"),
        ("UPDATE t SET a = 4", "t_a_key"),
    ):
        with pytest.raises(KadeQLConstraintError, match=name):
            bench.kadeql(text)
    bench.kadeql("INSERT INTO t VALUES (2, 5, 5)")
    bench.kadeql("UPDATE t SET a = 3 - a WHERE a IS NOT NULL")
    assert rows(bench, "SELECT a FROM t WHERE a IS NOT NULL ORDER BY b") == [(2,), (1,)]


def test_conflicts_are_found_by_unique_columns(bench):
    bench.kadeql("CREATE TABLE t (id INTEGER PRIMARY KEY, e VARCHAR UNIQUE, x INTEGER)")
    bench.kadeql("INSERT INTO t VALUES (1, 'a', 0), (2, NULL, 0)")
    bench.kadeql(
        "INSERT INTO t VALUES (7, 'a', 5), (8, NULL, 5) ON CONFLICT (e) DO UPDATE SET x = excluded.x"
    )
    assert rows(bench, "FROM t ORDER BY id") == [(1, "a", 5), (2, None, 0), (8, None, 5)]
    bench.kadeql("INSERT INTO t VALUES (1, 'z', 9), (9, 'z', 9), (10, 'z', 9) ON CONFLICT DO NOTHING")
    assert rows(bench, "SELECT id FROM t WHERE e = 'z'") == [(9,)]
    with pytest.raises(KadeQLBindError, match="several keys"):
        bench.kadeql("INSERT INTO t VALUES (1, 'z', 9) ON CONFLICT DO UPDATE SET x = 1")


def test_foreign_keys_both_ways(bench):
    bench.kadeql("CREATE TABLE p (id INTEGER PRIMARY KEY, x INTEGER UNIQUE)")
    bench.kadeql("CREATE TABLE c (i INTEGER REFERENCES p, j INTEGER, FOREIGN KEY (j) REFERENCES p (x))")
    with pytest.raises(KadeQLConstraintError, match="no row of table 'p' has"):
        bench.kadeql("INSERT INTO c VALUES (1, NULL)")
    bench.kadeql("INSERT INTO p VALUES (1, 10), (2, 20), (3, 30); INSERT INTO c VALUES (1, 20), (NULL, NULL)")
    for text in (
        "DELETE FROM p WHERE id = 1",
        "DELETE FROM p",
        "TRUNCATE p",
        "UPDATE p SET x = 21 WHERE id = 2",
        "UPDATE p SET id = 9 WHERE id = 1",
        "DROP TABLE p",
        "CREATE OR REPLACE TABLE p (id INTEGER)",
        "CREATE OR REPLACE TABLE p AS SELECT 1 AS id",
        "MERGE INTO p USING (SELECT 1 AS k) s ON p.id = s.k WHEN MATCHED THEN DELETE",
    ):
        with pytest.raises(ConstraintError, match=r"c_i_id_fkey|c_j_\w+_fkey"):
            bench.kadeql(text)
    with pytest.raises(ConstraintError):
        bench.write("p", {"id": [1]}, "replace")
    with pytest.raises(ConstraintError):
        bench.write("p", {"id": [2], "x": [22]}, "upsert")
    bench.kadeql("DELETE FROM p WHERE id = 3; UPDATE p SET id = 3 - id, x = x; UPDATE p SET id = 3 - id")
    bench.kadeql("DROP TABLE c; DROP TABLE p")


def test_a_table_may_refer_to_itself_within_one_statement(bench):
    bench.kadeql("CREATE TABLE t (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES t (id))")
    bench.kadeql("INSERT INTO t VALUES (1, 1), (2, 1), (3, 2)")
    with pytest.raises(KadeQLConstraintError):
        bench.kadeql("DELETE FROM t WHERE id = 2")
    bench.kadeql("DELETE FROM t WHERE id >= 2; TRUNCATE t")


def test_a_transaction_checks_at_the_end_of_each_statement(bench):
    bench.kadeql("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (i INTEGER REFERENCES p)")
    with bench.transaction() as inside:
        inside.kadeql("INSERT INTO p VALUES (1)")
        inside.kadeql("INSERT INTO c VALUES (1)")
        with pytest.raises(ConstraintError):
            inside.kadeql("DELETE FROM p")
        with pytest.raises(ConstraintError):
            inside.write("c", {"i": [5]}, "append")
        inside.kadeql("DELETE FROM c; DELETE FROM p; INSERT INTO p VALUES (2)")
    assert rows(bench, "FROM p") == [(2,)]
    assert rows(bench, "FROM c") == []


def test_tables_and_their_keys_in_one_transaction(bench):
    with bench.transaction() as inside:
        inside.kadeql("CREATE TABLE p (id INTEGER PRIMARY KEY)")
        inside.kadeql("CREATE TABLE c (i INTEGER REFERENCES p)")
        inside.kadeql("INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)")
    with pytest.raises(ConstraintError):
        bench.kadeql("DELETE FROM p")


def test_of_two_transactions_that_break_a_rule_together_one_loses(bench, tmp_path):
    bench.kadeql(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (i INTEGER REFERENCES p, u INTEGER UNIQUE)"
    )
    bench.kadeql("INSERT INTO p VALUES (1), (2)")
    with lb.open(tmp_path / "b.luma") as other:
        for mine, theirs in (
            ("INSERT INTO c VALUES (1, 1)", "DELETE FROM p WHERE id = 1"),
            ("DELETE FROM p WHERE id = 2", "INSERT INTO c VALUES (2, 2)"),
            ("INSERT INTO c VALUES (NULL, 7)", "INSERT INTO c VALUES (NULL, 7)"),
        ):
            inside = bench.transaction().begin()
            inside.kadeql(mine)
            other.kadeql(theirs)
            with pytest.raises(ConflictError):
                inside.commit()
        inside = bench.transaction().begin()
        inside.kadeql("INSERT INTO c VALUES (NULL, 8)")
        other.kadeql("INSERT INTO c VALUES (NULL, 9)")
        inside.commit()
        assert rows(bench, "SELECT u FROM c WHERE u > 7 ORDER BY u") == [(8,), (9,)]


def test_rules_are_added_and_dropped(bench):
    bench.kadeql("CREATE TABLE p (id INTEGER PRIMARY KEY); INSERT INTO p VALUES (1), (2)")
    bench.kadeql("CREATE TABLE t (a INTEGER, b INTEGER); INSERT INTO t VALUES (1, 5), (2, 5)")
    for text, match in (
        ("ALTER TABLE t ADD CHECK (a > 1)", "does not hold"),
        ("ALTER TABLE t ADD UNIQUE (b)", "two rows"),
        ("ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES p", "no row"),
        ("ALTER TABLE t ADD PRIMARY KEY (b)", "twice"),
    ):
        with pytest.raises(KadeQLConstraintError, match=match):
            bench.kadeql(text)
    bench.kadeql(
        "ALTER TABLE t ADD CONSTRAINT big CHECK (a < 10); ALTER TABLE t ADD CONSTRAINT one UNIQUE (a)"
    )
    bench.kadeql("ALTER TABLE t ADD CONSTRAINT up FOREIGN KEY (a) REFERENCES p")
    for text in (
        "INSERT INTO t VALUES (10, 1)",
        "INSERT INTO t VALUES (1, 1)",
        "INSERT INTO t VALUES (3, 1)",
    ):
        with pytest.raises(KadeQLConstraintError):
            bench.kadeql(text)
    with pytest.raises(KadeQLBindError, match="already"):
        bench.kadeql("ALTER TABLE t ADD CONSTRAINT BIG CHECK (a < 11)")
    with pytest.raises(KadeQLBindError, match="no constraint 'bog'"):
        bench.kadeql("ALTER TABLE t DROP CONSTRAINT bog")
    bench.kadeql(
        "ALTER TABLE t DROP CONSTRAINT up; ALTER TABLE t DROP CONSTRAINT Big; ALTER TABLE t DROP CONSTRAINT one"
    )
    bench.kadeql("ALTER TABLE t DROP CONSTRAINT IF EXISTS one; INSERT INTO t VALUES (10, 1), (10, 1)")


def test_a_primary_key_is_added_to_rows_that_are_there(bench):
    bench.write("t", {"a": list(range(20_000)), "b": [1] * 20_000})
    bench.kadeql("INSERT INTO t VALUES (-1, 1); ALTER TABLE t ADD PRIMARY KEY (a)")
    assert bench.get("t", 77) == {"a": 77, "b": 1}
    assert bench.get("t", -1) == {"a": -1, "b": 1}
    with pytest.raises(KadeQLConstraintError, match="primary key"):
        bench.kadeql("INSERT INTO t VALUES (77, 1)")
    assert bench.check().ok
    bench.compact()
    assert bench.check().ok
    assert bench.get("t", 19_999) == {"a": 19_999, "b": 1}


def test_columns_of_rules_are_renamed_and_not_dropped(bench):
    bench.kadeql("CREATE TABLE t (a INTEGER CHECK (t.a > 0), b INTEGER UNIQUE, c INTEGER)")
    with pytest.raises(KadeQLUnsupportedError, match="CASCADE"):
        bench.kadeql("ALTER TABLE t DROP COLUMN b CASCADE")
    for text in ("ALTER TABLE t DROP COLUMN b", "ALTER TABLE t ALTER a SET DATA TYPE BIGINT"):
        with pytest.raises(KadeQLBindError, match="uses it"):
            bench.kadeql(text)
    bench.kadeql('ALTER TABLE t RENAME COLUMN a TO "the order"; ALTER TABLE t RENAME TO u')
    with pytest.raises(KadeQLConstraintError, match='"the order" > 0'):
        bench.kadeql("INSERT INTO u VALUES (0, 1, 1)")
    bench.kadeql('ALTER TABLE u DROP CONSTRAINT t_a_check; ALTER TABLE u DROP COLUMN "the order"')


def test_a_word_that_is_a_column_and_something_else(bench):
    bench.kadeql(
        "CREATE TABLE t (year INTEGER CHECK (year = extract(year FROM DATE '2024-05-01')), s STRUCT(year INTEGER),"
        " CHECK (s.year <> year), l INTEGER[], CHECK (list_sum(list_transform(l, lambda x : x + year)) < 9000))"
    )
    bench.kadeql("ALTER TABLE t RENAME COLUMN year TO y; ALTER TABLE t RENAME COLUMN s TO z")
    bench.kadeql("INSERT INTO t VALUES (2024, {'year': 1}, [1, 2])")
    for row in ("(2023, {'year': 1}, [])", "(2024, {'year': 2024}, [])", "(2024, {'year': 1}, [9000])"):
        with pytest.raises(KadeQLConstraintError):
            bench.kadeql(f"INSERT INTO t VALUES {row}")
    with pytest.raises(KadeQLBindError, match="uses the word"):
        bench.kadeql("ALTER TABLE t RENAME COLUMN y TO x")


def test_rules_are_part_of_the_snapshot(bench):
    bench.kadeql("CREATE TABLE t (a INTEGER)")
    before = bench.snapshots()[-1].id
    bench.kadeql("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)")
    assert rows(bench, "SELECT constraint_name FROM duckdb_constraints() WHERE table_name = 't'") == [("c",)]
    assert len(bench.kadeql("SELECT * FROM duckdb_constraints() WHERE table_name = 't'", at=before)) == 0


def test_replace_defines_the_table_anew(bench):
    bench.kadeql("CREATE TABLE t (a INTEGER CHECK (a > 0))")
    bench.write("t", {"a": [-1]}, "replace")
    bench.kadeql("INSERT INTO t VALUES (-2)")
    bench.kadeql("CREATE OR REPLACE TABLE t (a INTEGER CHECK (a < 0))")
    with pytest.raises(KadeQLConstraintError):
        bench.kadeql("INSERT INTO t VALUES (1)")


def test_a_failed_expression_is_an_error_of_the_constraint(bench):
    bench.kadeql("CREATE TABLE t (a VARCHAR CHECK (a::INTEGER > 0))")
    with pytest.raises(KadeQLConstraintError, match="cannot be computed"):
        bench.kadeql("INSERT INTO t VALUES ('x')")


def test_a_store_alone_does_not_write_past_rules(bench, tmp_path):
    bench.kadeql("CREATE TABLE t (a INTEGER CHECK (a > 0)); CREATE TABLE u (a INTEGER UNIQUE)")
    with Store.open(tmp_path / "b.luma") as store:
        for name in ("t", "u"):
            with pytest.raises(UnsupportedError, match="constraints"):
                store.write(name, {"a": [1]}, mode="append")


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t (a INTEGER CHECK (max(a) > 0))",
        "CREATE TABLE t (a INTEGER CHECK (row_number() OVER () > 0))",
        "CREATE TABLE t (a INTEGER CHECK (nope > 0))",
        "CREATE TABLE t (a INTEGER REFERENCES nowhere)",
        "CREATE TABLE t (a INTEGER, UNIQUE (b))",
        "CREATE TABLE t (a INTEGER, CHECK (b > a), c INTEGER)",
        "CREATE TABLE p (x INTEGER); CREATE TABLE t (a INTEGER REFERENCES p)",
        "CREATE TABLE p (x INTEGER, y INTEGER PRIMARY KEY); CREATE TABLE t (a INTEGER REFERENCES p (x))",
        "CREATE TABLE p (x VARCHAR PRIMARY KEY); CREATE TABLE t (a INTEGER REFERENCES p)",
        "CREATE TABLE t (a INTEGER CONSTRAINT c CHECK (a > 0) CONSTRAINT C CHECK (a < 9))",
    ],
)
def test_definitions_that_cannot_hold_are_refused_as_in_duckdb_or_stricter(bench, text):
    with pytest.raises((KadeQLBindError, UnsupportedError, SchemaError)):
        bench.kadeql(text)
    assert "t" not in bench.tables()
