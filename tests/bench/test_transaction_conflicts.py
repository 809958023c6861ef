"""Who sees what of a transaction, and which of two writers wins."""

import threading

import pytest
from transaction_cases import ROWS, ids, in_thread, rows

import luma_bench as lb
from luma_bench.errors import ConflictError, ReadOnlyError, TransactionError


@pytest.fixture
def bench(tmp_path):
    with lb.open(tmp_path / "b.luma", threads=2) as opened:
        opened.write("t", ROWS, mode="create")
        yield opened


# --- who sees what ---


def test_another_thread_of_the_handle_is_outside(bench):
    with bench.transaction() as tx:
        tx.kadeql("DELETE FROM t")
        assert in_thread(lambda: ids(bench)) == [1, 2, 3, 4]
        assert in_thread(lambda: bench.in_transaction) is False
        # The object itself may be handed on: whoever holds it is inside.
        assert in_thread(lambda: rows(tx.kadeql("SELECT count(*) FROM t"))) == [(0,)]
        made = in_thread(lambda: bench.kadeql("CREATE TABLE side AS SELECT 1 AS a"))
        assert made.run.snapshot == tx.snapshot + 1
        assert tx.tables() == ["t"]
    assert bench.tables() == ["side", "t"]


def test_two_threads_have_a_transaction_each(bench):
    bench.kadeql("CREATE TABLE u (id BIGINT)")
    begun, done = threading.Barrier(2), []

    def run(table):
        bench.kadeql("BEGIN")
        begun.wait(30)
        bench.kadeql(f"INSERT INTO {table} (id) VALUES (100)")
        begun.wait(30)
        seen = {name: len(bench.kadeql(f"FROM {name}")) for name in ("t", "u")}
        begun.wait(30)
        bench.kadeql("COMMIT")
        done.append((table, seen))

    threads = [threading.Thread(target=run, args=(table,)) for table in ("t", "u")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == [("t", {"t": 5, "u": 0}), ("u", {"t": 4, "u": 1})]
    assert (len(ids(bench)), len(ids(bench, "u"))) == (5, 1)


def test_it_reads_one_snapshot_from_beginning_to_end(bench):
    with lb.open(bench.path) as other, bench.transaction() as tx:
        other.kadeql("INSERT INTO t VALUES (5, 'x'); CREATE TABLE u AS SELECT 1 AS a")
        assert ids(tx) == [1, 2, 3, 4]
        assert tx.tables() == ["t"]
        other.kadeql("DELETE FROM t WHERE id < 3")
        assert ids(tx) == [1, 2, 3, 4]


def test_read_only_transactions(bench):
    with lb.open(bench.path) as other:
        bench.kadeql("BEGIN READ ONLY")
        other.kadeql("DELETE FROM t")
        assert ids(bench) == [1, 2, 3, 4]
        for change in (
            lambda: bench.kadeql("DELETE FROM t"),
            lambda: bench.write("t", ROWS, mode="append"),
        ):
            with pytest.raises(ReadOnlyError, match="read-only"):
                change()
        bench.kadeql("COMMIT")
        assert ids(bench) == []


def test_a_reader_has_transactions_that_only_read(bench):
    with lb.open(bench.path, mode="r") as reader, reader.transaction() as tx:
        assert ids(tx) == [1, 2, 3, 4]
        bench.kadeql("DELETE FROM t")
        assert ids(tx) == [1, 2, 3, 4]
        with pytest.raises(ReadOnlyError, match="read-only"):
            tx.write("t", ROWS, mode="append")
    past = bench.at(2)
    with past.transaction() as tx:
        assert (tx.snapshot, ids(past)) == (2, [1, 2, 3, 4])
        with pytest.raises(ReadOnlyError):
            tx.kadeql("TRUNCATE t")
    past.kadeql("BEGIN; FROM t; ROLLBACK")


# --- conflicts ---


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("DELETE FROM t WHERE id = 1", "DELETE FROM t WHERE id = 1"),
        ("UPDATE t SET k = 'm' WHERE id < 3", "UPDATE t SET k = 'o' WHERE id > 1"),
        ("DELETE FROM t WHERE id = 1", "UPDATE t SET k = 'o' WHERE id = 1"),
        ("DELETE FROM t WHERE id = 1", "DROP TABLE t"),
        ("INSERT INTO t VALUES (5, 'x')", "ALTER TABLE t DROP COLUMN k"),
        ("ALTER TABLE t RENAME k TO kk", "INSERT INTO t VALUES (5, 'x')"),
        ("DROP TABLE t", "DELETE FROM t WHERE id = 1"),
    ],
)
def test_the_second_to_commit_loses_and_nothing_of_it_is_applied(bench, mine, theirs):
    with lb.open(bench.path) as other:
        bench.kadeql("CREATE TABLE side (a INT)")
        tx = bench.transaction()

        def lose():
            with tx:
                tx.kadeql("INSERT INTO side VALUES (1)")
                tx.kadeql(mine)
                other.kadeql(theirs)

        with pytest.raises(ConflictError) as caught:
            lose()
        won = other.snapshots()[-1].id
        assert str(won) in caught.value.message
        assert "'t'" in caught.value.message
        assert bench.snapshot == won
        assert rows(bench.kadeql("SELECT count(*) FROM side")) == [(0,)]
        assert "failed" in repr(tx)
        with pytest.raises(TransactionError):
            tx.kadeql("FROM side")
        assert not bench.in_transaction
        assert bench.check().ok


@pytest.mark.parametrize(
    ("mine", "theirs", "left"),
    [
        ("DELETE FROM t WHERE id = 1", "DELETE FROM t WHERE id = 2", [3, 4]),
        ("UPDATE t SET id = 11 WHERE id = 1", "UPDATE t SET id = 12 WHERE id = 2", [11, 12, 3, 4]),
        ("INSERT INTO t VALUES (5, 'x')", "INSERT INTO t VALUES (6, 'y')", [1, 2, 3, 4, 5, 6]),
        ("DELETE FROM t WHERE id = 1", "INSERT INTO t VALUES (6, 'y')", [2, 3, 4, 6]),
        ("UPDATE t SET k = 'm'", "CREATE TABLE u (a INT)", [1, 2, 3, 4]),
    ],
)
def test_changes_that_do_not_touch_are_merged(bench, mine, theirs, left):
    with lb.open(bench.path) as other, bench.transaction() as tx:
        tx.kadeql(mine)
        other.kadeql(theirs)
    assert ids(bench) == left


def test_commit_as_text_loses_too(bench):
    with lb.open(bench.path) as other:
        bench.kadeql("BEGIN; DELETE FROM t WHERE id = 1")
        other.kadeql("DELETE FROM t WHERE id = 1")
        with pytest.raises(ConflictError, match="'t'"):
            bench.kadeql("COMMIT")
        assert not bench.in_transaction
        bench.kadeql("BEGIN; DELETE FROM t WHERE id = 2; COMMIT")
        assert ids(bench) == [3, 4]


def test_many_writers_lose_no_update(tmp_path):
    """Counters that several threads raise in transactions, trying again after a conflict, end exactly right."""
    with lb.open(tmp_path / "n.luma") as bench:
        bench.kadeql("CREATE TABLE n AS SELECT range AS id, 0 AS v FROM range(3)")

        def raise_all(times=4):
            for turn in range(times):
                while True:
                    try:
                        with bench.transaction() as tx:
                            tx.kadeql(f"UPDATE n SET v = v + 1 WHERE id = {turn % 3}")
                        break
                    except ConflictError:
                        continue

        threads = [threading.Thread(target=raise_all) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert rows(bench.kadeql("SELECT id, v FROM n")) == [(0, 6), (1, 3), (2, 3)]
