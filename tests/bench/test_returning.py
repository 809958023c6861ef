"""RETURNING and rows on their way in: what comes back, in which order and types, and how much memory rows take."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

import luma_bench as lb


@pytest.fixture
def bench(tmp_path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma", threads=2) as opened:
        opened.kadeql("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER DEFAULT 7, b VARCHAR)")
        yield opened


def rows(result) -> list[tuple[object, ...]]:
    table = result.to_arrow()
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_inserted_rows_come_back_in_their_order_whatever_the_table_sorts_by(tmp_path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("s", pa.table({"k": [5, 1], "v": ["a", "b"]}), sort_by="k")
        found = bench.kadeql("INSERT INTO s VALUES (9, 'x'), (2, 'y'), (4, 'z') RETURNING v, k * 10 AS tens")
        assert rows(found) == [("x", 90), ("y", 20), ("z", 40)]
        assert found.run.engine == "catalog"
        assert found.run.snapshot == bench.snapshots()[-1].id
        assert found.run.rows_out == 3


def test_a_result_of_no_rows_has_its_columns(bench: lb.Bench) -> None:
    found = bench.kadeql("DELETE FROM t WHERE id > 5 RETURNING id, b || '!' AS c, *")
    assert found.schema.names == ["id", "c", "id_1", "a", "b"]
    assert len(found) == 0
    assert len(bench.kadeql("INSERT INTO t SELECT 1, 2, 'x' WHERE false RETURNING *")) == 0


def test_returning_reads_no_statement_twice(bench: lb.Bench) -> None:
    found = bench.kadeql(
        "INSERT INTO t SELECT i, (random() * 1e6)::INTEGER, 'r' FROM range(50) r(i) RETURNING id, a"
    )
    assert rows(found) == sorted(rows(bench.kadeql("SELECT id, a FROM t")))


def test_old_rows_come_back_from_delete_and_new_ones_from_update(bench: lb.Bench) -> None:
    bench.kadeql("INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y')")
    assert rows(bench.kadeql("UPDATE t SET a = a * 10, b = upper(b) WHERE id = 2 RETURNING *")) == [
        (2, 20, "Y")
    ]
    with bench.transaction() as tx:
        assert rows(tx.kadeql("DELETE FROM t WHERE id = 2 RETURNING t.a AS was")) == [(20,)]
        assert tx.kadeql("INSERT INTO t VALUES (3, 3, NULL) RETURNING id").run.in_transaction
        tx.rollback()
    assert rows(bench.kadeql("SELECT count(*) FROM t")) == [(2,)]


def test_several_statements_keep_what_each_returned(bench: lb.Bench) -> None:
    last = bench.kadeql(
        "INSERT INTO t VALUES (1, 1, 'x') RETURNING id; UPDATE t SET a = 2; DELETE FROM t RETURNING a"
    )
    assert [rows(item) for item in last.results[::2]] == [[(1,)], [(2,)]]
    assert last.results[1].to_arrow()["rows"].to_pylist() == [1]


def test_types_without_an_arrow_type_keep_theirs(bench: lb.Bench) -> None:
    bench.kadeql("CREATE TABLE k (id INTEGER PRIMARY KEY, u UUID, j JSON, e ENUM('a', 'b'), h HUGEINT)")
    found = bench.kadeql(
        "INSERT INTO k VALUES (1, '00000000-0000-0000-0000-000000000001', '{\"a\": 1}', 'a', 5) "
        "RETURNING typeof(u) AS u, typeof(j) AS j, j->>'a' AS a, e < 'b'::ENUM('a', 'b') AS e, typeof(h) AS h"
    )
    assert rows(found) == [("UUID", "JSON", "1", True, "HUGEINT")]
    found = bench.kadeql(
        "INSERT INTO k VALUES (1, '00000000-0000-0000-0000-000000000002', '[3]', 'b', 6) ON CONFLICT (id) DO UPDATE "
        "SET h = k.h + excluded.h, j = excluded.j, u = excluded.u WHERE excluded.j->>0 = '3' AND typeof(excluded.u) = 'UUID' RETURNING h, j->>0 AS j, e, u::VARCHAR AS u"
    )
    assert [(int(h), j, e, u[-1]) for h, j, e, u in rows(found)] == [(11, "3", "a", "2")]


def test_what_the_table_computes_comes_back(bench: lb.Bench) -> None:
    bench.kadeql(
        "CREATE TABLE g (id INTEGER PRIMARY KEY, u UUID DEFAULT uuid(), n INTEGER, m INTEGER GENERATED ALWAYS AS (n * 2))"
    )
    one, two = rows(
        bench.kadeql("INSERT INTO g (id, n, u) VALUES (1, 5, DEFAULT), (2, 6, DEFAULT) RETURNING u, m")
    )
    assert (one[1], two[1]) == (10, 12)
    assert one[0] != two[0]
    assert rows(bench.kadeql("SELECT u, m FROM g ORDER BY id")) == [one, two]
    mixed = bench.kadeql(
        "INSERT INTO g (id, n, u) VALUES (3, 1, NULL), (4, 2, DEFAULT), (5, 3, NULL) RETURNING id, u IS NULL AS none, m"
    )
    assert rows(mixed) == [(3, True, 2), (4, False, 4), (5, True, 6)]
    changed = bench.kadeql("UPDATE g SET n = n + 1, u = DEFAULT WHERE id = 3 RETURNING m, u IS NULL AS none")
    assert rows(changed) == [(4, False)]
    merged = bench.kadeql(
        "MERGE INTO g USING (VALUES (4, 9), (8, 1)) s(id, n) USING (id) WHEN MATCHED THEN UPDATE SET n = s.n, u = DEFAULT "
        "WHEN NOT MATCHED THEN INSERT (id, n, u) VALUES (id, n, DEFAULT) RETURNING merge_action, id, m, u IS NULL AS none"
    )
    assert rows(merged) == [("UPDATE", 4, 18, False), ("INSERT", 8, 2, False)]
    with pytest.raises(lb.errors.KadeQLBindError, match="generated"):
        bench.kadeql("MERGE INTO g USING (VALUES (4)) s(id) USING (id) WHEN MATCHED THEN UPDATE SET m = 1")


def test_rows_are_cast_in_pieces_and_never_all_in_memory(bench: lb.Bench) -> None:
    bench.kadeql("CREATE TABLE big (i INTEGER, x DOUBLE)")
    before = pa.total_allocated_bytes()
    done = bench.kadeql("INSERT INTO big SELECT i, i FROM range(3000000) r(i)")
    assert done.to_arrow()["rows"].to_pylist() == [3_000_000]
    assert pa.total_allocated_bytes() - before < 200_000_000
    assert rows(bench.kadeql("SELECT count(*), sum(i) FROM big")) == [(3_000_000, 4_499_998_500_000)]
    with pytest.raises(lb.errors.KadeQLError, match="999") as caught:
        bench.kadeql(
            "INSERT INTO big SELECT CASE WHEN i = 2500000 THEN 'x999' ELSE i::VARCHAR END, 1 FROM range(2600000) r(i)"
        )
    assert caught.value.span is not None
    assert rows(bench.kadeql("SELECT count(*) FROM big")) == [(3_000_000,)]


def test_queries_with_two_columns_of_one_name_go_by_position(bench: lb.Bench) -> None:
    bench.kadeql("INSERT INTO t SELECT i, i, 'x' FROM range(3) r(i)")
    assert rows(bench.kadeql("SELECT id, a FROM t ORDER BY id")) == [(0, 0), (1, 1), (2, 2)]
