"""ON CONFLICT over many rows and keys of several columns: what meets what, and what is written."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import drawn

import luma_bench as lb
from luma_bench.storage.keys import KeySet
from luma_bench.types.schema import Column, TableSchema, TableSettings

ROWS = st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["p", "q", "ü"]), st.integers(0, 9)), max_size=8)
ACTIONS = st.sampled_from(
    [
        "ON CONFLICT DO NOTHING",
        "ON CONFLICT (k, w) DO UPDATE SET v = excluded.v",
        "ON CONFLICT (w, k) DO UPDATE SET v = t.v + excluded.v WHERE excluded.v > t.v",
        "ON CONFLICT DO UPDATE SET v = v + 100, w = w || excluded.w || '!'",
    ]
)


def literal(rows: list[tuple[int, str, int]]) -> str:
    return ", ".join(f"({k}, '{w}', {v})" for k, w, v in rows)


@settings(deadline=None, max_examples=drawn(40))
@given(first=ROWS, second=ROWS, action=ACTIONS)
def test_a_key_of_two_columns_meets_what_duckdbs_meets(tmp_path_factory, first, second, action) -> None:
    there = list({(k, w): (k, w, v) for k, w, v in first}.values())
    if not second:
        return
    with (
        lb.open(tmp_path_factory.mktemp("conflict") / "b.luma", threads=1) as bench,
        duckdb.connect() as twin,
    ):
        for ask in (bench.kadeql, twin.execute):
            ask("CREATE TABLE t (k INTEGER, w VARCHAR, v INTEGER, PRIMARY KEY (k, w))")
            if there:
                ask(f"INSERT INTO t VALUES {literal(there)}")
        text = f"INSERT INTO t VALUES {literal(second)} {action}"
        expected = twin.execute(text).fetchall()
        found = bench.kadeql(text).to_arrow()
        assert found["rows"].to_pylist() == [expected[0][0]]
        after = bench.kadeql("FROM t ORDER BY k, w").to_arrow().to_pylist()
        assert [tuple(row.values()) for row in after] == twin.execute("FROM t ORDER BY k, w").fetchall()


@settings(deadline=None, max_examples=60)
@given(keys=st.lists(st.tuples(st.integers(0, 3), st.text("ab", max_size=2)), max_size=12))
def test_the_first_row_of_each_key_counts(keys) -> None:
    columns = (Column(1, "k", pa.int32(), nullable=False), Column(2, "w", pa.string(), nullable=False))
    schema = TableSchema(1, "t", columns, TableSettings(primary_key=("k", "w")))
    data = pa.table(
        {"k": pa.array([k for k, _ in keys], pa.int32()), "w": pa.array([w for _, w in keys], pa.string())},
        schema=schema.arrow,
    )
    expected = [key not in keys[:row] for row, key in enumerate(keys)]
    assert KeySet(schema, [data]).firsts().tolist() == expected


def test_many_rows_meet_rows_of_segments_and_of_the_tail(tmp_path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write(
            "t", pa.table({"id": np.arange(40_000), "a": np.zeros(40_000, np.int64)}), primary_key="id"
        )
        bench.kadeql("INSERT INTO t VALUES (50000, 1)")
        done = bench.kadeql(
            "INSERT INTO t SELECT i * 10, 1 FROM range(5001) r(i) ON CONFLICT (id) DO UPDATE SET a = t.a + excluded.a + 1"
        )
        assert done.to_arrow()["rows"].to_pylist() == [5001]
        found = bench.kadeql(
            "SELECT count(*) AS n, sum(a) AS a, max(a) FILTER (id = 50000) AS last FROM t"
        ).to_arrow()
        assert found.to_pylist() == [{"n": 41_001, "a": 4000 * 2 + 1000 + 3, "last": 3}]
        bench.kadeql("INSERT OR REPLACE INTO t SELECT id, -1 FROM t WHERE id % 2 = 0")
        assert bench.check().ok
        assert bench.kadeql("SELECT count(*) AS n FROM t WHERE a = -1").to_arrow()["n"].to_pylist() == [
            20_501 + 500
        ]


def test_rows_staged_in_the_same_transaction_are_met(tmp_path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.kadeql("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)")
        with bench.transaction() as tx:
            for value in (1, 2, 3):
                tx.kadeql(
                    "INSERT INTO t VALUES (1, $v) ON CONFLICT (id) DO UPDATE SET a = t.a * 10 + excluded.a",
                    params={"v": value},
                )
        assert bench.get("t", 1) == {"id": 1, "a": 123}


def test_what_cannot_be_a_key_is_told_before_the_rows_are_made(tmp_path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.kadeql("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)")
        with pytest.raises(lb.errors.KadeQLBindError) as caught:
            bench.kadeql("INSERT INTO t SELECT 1, error('the query ran') ON CONFLICT (a) DO NOTHING")
        assert caught.value.hint is not None
        assert "id" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO pay VALUES (1, 0) ON CONFLICT DO NOTHING",
        "INSERT INTO pay VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET salary = 0 WHERE pay.salary > 10",
        "MERGE INTO pay USING (VALUES (1)) s(id) USING (id) WHEN MATCHED AND salary > 10 THEN DO NOTHING",
        "DELETE FROM pay USING (VALUES (1)) s(id) WHERE s.id = pay.id AND false RETURNING salary",
        "EXPLAIN ANALYZE UPDATE pay SET salary = 0 WHERE false",
    ],
)
def test_who_may_not_change_a_table_learns_nothing_of_its_keys(tmp_path, text: str) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.kadeql(
            "CREATE TABLE pay (id INTEGER PRIMARY KEY, salary INTEGER); INSERT INTO pay VALUES (1, 100)"
        )
        bench.kadeql("CREATE MASKING POLICY hide ON pay UPDATE salary = NULL TO ALL")
        with pytest.raises(lb.errors.ForbiddenError):
            bench.acting_as(lb.Identity("eve", roles=("staff",))).kadeql(text)
        assert bench.get("pay", 1) == {"id": 1, "salary": 100}


@pytest.mark.parametrize("rows", ["VALUES (1, 'a', 2)", "SELECT 1, 'a', 2", "SELECT 1, 'a', 2 WHERE false"])
@pytest.mark.parametrize(
    "clause", ["SET v = nope", "SET v = excluded.nope", "SET nope = 1", "SET v = 1 WHERE nope > 1"]
)
def test_a_wrong_update_is_refused_without_a_conflict_too(tmp_path, rows: str, clause: str) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.kadeql("CREATE TABLE t (id INTEGER PRIMARY KEY, s VARCHAR, v INTEGER)")
        for _ in range(2):
            with pytest.raises(lb.errors.KadeQLBindError, match=r"no (column|field) 'nope'"):
                bench.kadeql(f"INSERT INTO t {rows} ON CONFLICT (id) DO UPDATE {clause}")
        good = clause.replace("nope", "v")
        bench.kadeql(f"INSERT INTO t {rows} ON CONFLICT (id) DO UPDATE {good}")
        bench.kadeql("ALTER TABLE t RENAME COLUMN v TO w; DELETE FROM t")
        with pytest.raises(lb.errors.KadeQLBindError, match="no column 'v'"):
            bench.kadeql(f"INSERT INTO t {rows} ON CONFLICT (id) DO UPDATE {good}")
