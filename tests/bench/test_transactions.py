"""Transactions as a user meets them: `bench.transaction`, BEGIN, COMMIT and ROLLBACK on one thread."""

import pytest
from transaction_cases import ROWS, ids, in_thread, rows

import luma_bench as lb
from luma_bench.errors import KadeQLError, TransactionError, UnsupportedError


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma", threads=2) as opened:
        opened.write("t", ROWS, mode="create")
        yield opened


# --- the block ---


def test_a_block_is_one_snapshot_of_several_tables(bench):
    before = bench.snapshot
    with bench.transaction(message="both", author="ann") as tx:
        assert tx.snapshot == before
        assert tx.write("u", {"id": [9]}, mode="create") == 1
        assert tx.kadeql("INSERT INTO t SELECT id, 'u' FROM u").to_arrow()["rows"].to_pylist() == [1]
        tx.kadeql("DELETE FROM t WHERE id = 1")
    made = bench.snapshots()[-1]
    assert (bench.snapshot, made.id) == (before + 1, before + 1)
    assert (made.operation, made.message, made.author) == ("transaction", "both", "ann")
    assert sorted(made.tables) == ["t", "u"]
    assert tx.committed == made
    assert (ids(bench), ids(bench, "u")) == ([2, 3, 4, 9], [9])


def test_an_exception_leaves_nothing(bench):
    before = bench.snapshots()
    tx = bench.transaction()

    def fail():
        with tx:
            tx.write("gone", {"a": [1]}, mode="create")
            tx.kadeql("DELETE FROM t")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert bench.snapshots() == before
    assert bench.tables() == ["t"]
    assert ids(bench) == [1, 2, 3, 4]
    assert tx.committed is None
    assert not bench.in_transaction


def test_rollback_inside_the_block(bench):
    with bench.transaction() as tx:
        tx.kadeql("DELETE FROM t")
        tx.rollback()
        with pytest.raises(TransactionError, match="was rolled back"):
            tx.kadeql("FROM t")
        assert ids(bench) == [1, 2, 3, 4]
        bench.kadeql("INSERT INTO t VALUES (5, 'own')")
    assert ids(bench) == [1, 2, 3, 4, 5]
    assert tx.committed is None


def test_without_changes_there_is_no_snapshot(bench):
    before = bench.snapshot
    with bench.transaction() as tx:
        tx.kadeql("FROM t")
        tx.kadeql("DELETE FROM t WHERE id > 99; ALTER TABLE t ADD COLUMN IF NOT EXISTS k INT")
    assert tx.committed is None
    assert bench.snapshot == before


def test_after_the_end_it_says_so(bench):
    tx = bench.transaction()
    with pytest.raises(TransactionError, match=r"with bench\.transaction"):
        tx.kadeql("FROM t")
    with tx:
        frame = tx.table("t")
        tx.kadeql("DELETE FROM t WHERE id = 1")
        later = tx.table("t")
    for use in (
        lambda: tx.kadeql("FROM t"),
        lambda: tx.write("t", ROWS, mode="append"),
        lambda: tx.table("t"),
        tx.tables,
        tx.rollback,
        tx.__enter__,
        later.to_arrow,
    ):
        with pytest.raises(TransactionError, match="was committed"):
            use()
    # A frame that was made before any change reads the snapshot itself, which stays.
    assert len(frame.to_arrow()) == 4
    assert "was committed" in repr(tx)


def test_a_read_your_writes_view_of_everything(bench):
    with bench.transaction() as tx:
        tx.kadeql("UPDATE t SET k = 'z' WHERE id = 1")
        tx.write("u", {"a": [1, 2]}, mode="create")
        tx.kadeql("ALTER TABLE t ADD COLUMN n INT DEFAULT 7")
        assert tx.tables() == bench.tables() == ["t", "u"]
        assert rows(tx.kadeql("FROM t WHERE id < 3")) == [(1, "z", 7), (2, "b", 7)]
        assert rows(bench.kadeql("SELECT n, count(*) FROM t GROUP BY n")) == [(7, 4)]
        assert bench.table("u").to_arrow()["a"].to_pylist() == [1, 2]
        assert tx.table("t")["n"].sum() == 28
        joined = tx.table("t").merge(tx.table("u"), left_on="id", right_on="a")
        assert sorted(joined.to_arrow()["id"].to_pylist()) == [1, 2]
        shown = {row["name"]: row["rows"] for row in tx.kadeql("SHOW TABLES").to_arrow().to_pylist()}
        assert shown == {"t": 4, "u": 2}
        assert [row[0] for row in rows(tx.kadeql("SELECT column_name FROM (DESCRIBE t)"))] == ["id", "k", "n"]
        assert rows(tx.kadeql("SELECT k FROM t AT (VERSION => $v) WHERE id = 1", {"v": tx.snapshot})) == [
            ("a",)
        ]
        assert rows(bench.kadeql("SELECT count(*) FROM t", at=tx.snapshot)) == [(4,)]
        tx.kadeql("DROP TABLE u")
        assert tx.tables() == ["t"]
    assert bench.tables() == ["t"]


def test_the_run_record_says_that_rows_are_uncommitted(bench):
    with bench.transaction() as tx:
        clean = tx.kadeql("SELECT count(*) FROM t")
        assert (clean.run.snapshot, clean.run.in_transaction, clean.run.warnings) == (tx.snapshot, True, ())
        changed = tx.kadeql("DELETE FROM t WHERE id = 1")
        assert changed.to_arrow().to_pylist() == [{"operation": "delete", "rows": 1, "snapshot": None}]
        assert changed.run.snapshot == tx.snapshot
        read = tx.kadeql("SELECT count(*) FROM t")
        assert (read.run.snapshot, read.run.in_transaction) == (tx.snapshot, True)
        assert "not committed" in read.run.warnings[0]
        assert "in transaction" in read.run.badge
        assert "scan" in read.explain()
    after = bench.kadeql("SELECT count(*) FROM t")
    assert (after.run.in_transaction, after.run.warnings) == (False, ())
    assert "was committed" in read.explain()


def test_uncommitted_answers_are_never_cached(bench):
    ask = "SELECT count(*) AS n FROM t"
    with bench.transaction() as tx:
        assert not tx.kadeql(ask).run.cached
        assert tx.kadeql(ask).run.cached
        tx.kadeql("DELETE FROM t WHERE id = 1")
        for _ in range(2):
            answer = tx.kadeql(ask)
            assert (rows(answer), answer.run.cached) == ([(3,)], False)
        tx.kadeql("INSERT INTO t SELECT id + 10, k FROM t")
        assert rows(tx.kadeql(ask)) == [(6,)]
        tx.rollback()
    assert rows(bench.kadeql(ask)) == [(4,)]


def test_a_statement_that_fails_is_undone_alone(bench):
    with bench.transaction() as tx:
        tx.kadeql("INSERT INTO t VALUES (5, 'kept')")
        for text in (
            "UPDATE t SET id = k",
            "INSERT INTO t SELECT 'x', 'y'",
            "SELECT nope FROM t",
            "CREATE TABLE t (a INT)",
            "INSERT INTO t VALUES (6, 'kept too'); DELETE FROM nope",
        ):
            with pytest.raises(lb.errors.LumaError):
                tx.kadeql(text)
        with pytest.raises(lb.errors.SchemaError):
            tx.write("t", {"nope": [1]}, mode="append")
    assert ids(bench) == [1, 2, 3, 4, 5, 6]


def test_a_token_makes_one_commit_of_two_tries(bench):
    for _ in range(2):
        with bench.transaction(token="once") as tx:
            tx.kadeql("INSERT INTO t VALUES (5, 'x')")
    assert ids(bench) == [1, 2, 3, 4, 5]
    assert tx.committed.token == "once"


def test_rows_by_key_inside(bench):
    bench.write("kv", {"k": [1, 2], "v": ["a", "b"]}, mode="create", primary_key="k")
    with bench.transaction() as tx:
        tx.kadeql("UPDATE kv SET v = 'A' WHERE k = 1; DELETE FROM kv WHERE k = 2")
        tx.write("kv", {"k": [3], "v": ["c"]}, mode="append")
        for handle in (tx, bench):
            assert [handle.get("kv", key) for key in (1, 2, 3)] == [
                {"k": 1, "v": "A"},
                None,
                {"k": 3, "v": "c"},
            ]
            assert handle.get_many("kv", [3, 2, 1])["v"].to_pylist() == ["c", "A"]
        assert rows(tx.kadeql("SELECT v FROM kv WHERE k = 3")) == [("c",)]
        assert in_thread(lambda: bench.get("kv", 2)) == {"k": 2, "v": "b"}
        tx.rollback()
    assert bench.get("kv", 1) == {"k": 1, "v": "a"}


# --- BEGIN, COMMIT, ROLLBACK as text ---


def test_begin_commit_is_one_snapshot(bench):
    before = bench.snapshot
    result = bench.kadeql(
        "BEGIN; INSERT INTO t VALUES (5, 'x'); CREATE TABLE u AS FROM t; SELECT count(*) FROM u; COMMIT"
    )
    assert [r.to_arrow().column(0)[0].as_py() for r in result.results] == [
        "begin",
        "append",
        "create",
        5,
        "commit",
    ]
    assert bench.snapshot == before + 1
    assert result.run.snapshot == before + 1
    assert bench.snapshots()[-1].message == "INSERT INTO t VALUES (5, 'x'); CREATE TABLE u AS FROM t"


def test_begin_lasts_over_calls_and_python_takes_part(bench):
    with lb.open(bench.path) as other:
        bench.kadeql("BEGIN")
        bench.kadeql("DELETE FROM t WHERE id = 1")
        base = bench.write("t", {"id": [7], "k": ["w"]}, mode="append")
        assert base.id == bench.snapshot == other.snapshot
        assert ids(bench) == [2, 3, 4, 7]
        assert sorted(bench.table("t").to_arrow()["id"].to_pylist()) == [2, 3, 4, 7]
        assert ids(other) == [1, 2, 3, 4]
        assert "in transaction" in repr(bench)
        bench.kadeql("COMMIT")
        assert ids(other) == [2, 3, 4, 7]


def test_rollback_as_text(bench):
    before = bench.snapshot
    bench.kadeql("BEGIN; TRUNCATE t; DROP TABLE t")
    assert bench.tables() == []
    result = bench.kadeql("ROLLBACK")
    assert result.to_arrow().to_pylist() == [{"operation": "rollback", "rows": 0, "snapshot": before}]
    assert ids(bench) == [1, 2, 3, 4]


def test_what_has_no_place(bench):
    for text in ("COMMIT", "ROLLBACK", "END"):
        with pytest.raises(TransactionError, match="no transaction is open"):
            bench.kadeql(text)
    bench.kadeql("BEGIN")
    with pytest.raises(TransactionError, match="begun by BEGIN"):
        bench.kadeql("BEGIN")
    with pytest.raises(TransactionError, match="begun by BEGIN"), bench.transaction():
        pass
    with pytest.raises(TransactionError, match="tag"):
        bench.kadeql("TAG SNAPSHOT 'x'")
    with pytest.raises(UnsupportedError, match="at="):
        bench.kadeql("ROLLBACK", at=1)
    with pytest.raises(UnsupportedError, match="transaction"):
        bench.write("t", ROWS, mode="append", token="x")
    bench.kadeql("ROLLBACK")
    with bench.transaction() as tx:
        for handle in (tx, bench):
            with pytest.raises(TransactionError, match=r"begun by bench\.transaction\(\)"):
                handle.kadeql("BEGIN")
            for text in ("COMMIT", "ROLLBACK"):
                with pytest.raises(TransactionError, match="with block"):
                    handle.kadeql(text)
        with pytest.raises(TransactionError, match="open already"), bench.transaction():
            pass
        assert tx.kadeql("SELECT 1").run.in_transaction


def test_a_failing_text_leaves_begin_open(bench):
    with pytest.raises(KadeQLError):
        bench.kadeql("BEGIN; DELETE FROM t WHERE id = 1; SELECT nope FROM t; COMMIT")
    assert bench.in_transaction
    assert ids(bench) == [2, 3, 4]
    bench.kadeql("ROLLBACK")
    assert ids(bench) == [1, 2, 3, 4]


def test_closing_rolls_back_and_warns(tmp_path):
    bench = lb.open(tmp_path / "c.luma")
    bench.write("t", ROWS, mode="create")
    bench.kadeql("BEGIN; DELETE FROM t")
    with pytest.warns(UserWarning, match="rolled back"):
        bench.close()
    with lb.open(tmp_path / "c.luma") as again:
        assert ids(again) == [1, 2, 3, 4]
        again.kadeql("BEGIN; FROM t")  # nothing is lost, so nobody is warned
