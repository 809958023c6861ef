"""`with_rowid(t)` over a bench: the ids are stable, policies hold, the past and uncommitted rows are there, rules keep off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_cases import ADA, LEAD, NOBODY, fill
from thorough import drawn

import luma_bench as lb
from luma_bench.errors import (
    KadeQLBindError,
    KadeQLForbiddenError,
    KadeQLSchemaError,
    KadeQLUnsupportedError,
    LumaError,
)

OSLO = pa.timestamp("us", "Europe/Oslo")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma", timezone="UTC") as opened:
        opened.write("t", {"a": pa.array([3, 1, 2]), "at": pa.array([0, 1, None], OSLO)})
        yield opened


def ask(bench: Any, text: str, **given: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in bench.kadeql(text, **given).to_arrow().to_pylist()]


def test_rows_with_their_ids(bench: lb.Bench) -> None:
    assert ask(bench, "SELECT _rowid, a FROM with_rowid(t) ORDER BY _rowid") == [(0, 3), (1, 1), (2, 2)]
    assert ask(bench, "SELECT a, lag(a) OVER (ORDER BY _rowid) FROM with_rowid(T) ORDER BY _rowid") == [
        (3, None), (1, 3), (2, 1),
    ]  # fmt: skip
    found = bench.kadeql("FROM with_rowid(t)").to_arrow()
    assert found.schema.names == ["_rowid", "a", "at"]
    assert found.schema.types == [pa.int64(), pa.int64(), OSLO]
    bench.kadeql("DELETE FROM t WHERE a = 1")
    bench.kadeql("INSERT INTO t VALUES (9, NULL)")
    assert ask(bench, "SELECT _rowid, a FROM with_rowid(t) ORDER BY _rowid") == [(0, 3), (2, 2), (3, 9)]


def test_the_schema_is_known_without_running(bench: lb.Bench) -> None:
    for text in ("FROM with_rowid(t)", "SELECT max(_rowid) AS m, a FROM with_rowid(t) AS r GROUP BY a"):
        assert bench.prepare(text).schema == bench.kadeql(text).schema
    told = bench.kadeql("DESCRIBE with_rowid(t)").to_arrow().to_pylist()
    assert (told[0]["column_name"], told[0]["column_type"]) == ("_rowid", "BIGINT")
    own = pa.table({"_rowid": pa.array([7]), "b": pa.array(["x"])})
    held = bench.prepare("SELECT * FROM own", tables={"own": own})
    assert held.schema.names == held.run().schema.names == ["_rowid", "b"]


def test_types_that_arrow_does_not_have(bench: lb.Bench) -> None:
    bench.kadeql("CREATE TABLE k (u UUID, m ENUM('x', 'y')); INSERT INTO k VALUES (uuid(), 'y'), (NULL, 'x')")
    assert ask(bench, "SELECT _rowid, typeof(u), m < 'y' FROM with_rowid(k) ORDER BY 1") == [
        (0, "UUID", False), (1, "UUID", True),
    ]  # fmt: skip


def test_names_in_schemas_and_odd_ones(bench: lb.Bench) -> None:
    bench.kadeql("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 5 AS a")
    bench.write('my "t', {"a": [8]})
    assert ask(bench, "SELECT s.t._rowid, s.t.a FROM with_rowid(s.t)") == [(0, 5)]
    assert ask(
        bench, "SELECT r.a, t.a AS b FROM with_rowid(s.t) r, with_rowid(main.t) WHERE t._rowid = 2"
    ) == [(5, 2)]
    assert ask(bench, 'SELECT _rowid, a FROM with_rowid("my ""t")') == [(0, 8)]


def test_the_past(bench: lb.Bench) -> None:
    before = bench.snapshot
    bench.kadeql("UPDATE t SET a = a * 10 WHERE a = 1")
    bench.kadeql("DELETE FROM t WHERE a = 3")
    text = f"SELECT _rowid, a FROM with_rowid(t) AT (VERSION => {before}) ORDER BY _rowid"
    assert ask(bench, text) == ask(bench.at(before), "SELECT _rowid, a FROM with_rowid(t) ORDER BY _rowid")
    assert ask(bench, text) == [(0, 3), (1, 1), (2, 2)]
    gone = f"SELECT old.a FROM with_rowid(t) AT (VERSION => {before}) AS old ANTI JOIN with_rowid(t) AS new USING (_rowid)"
    assert (3,) in ask(bench, gone)
    assert ask(bench, f"SELECT t.a, p.a AS b FROM t AT (VERSION => {before}), with_rowid(t) AT (VERSION => {before}) p WHERE t.a = 1 AND p._rowid = 0") == [(1, 3)]  # fmt: skip
    with pytest.raises(KadeQLBindError, match="no table 't'"):
        bench.kadeql(f"FROM with_rowid(t) AT (VERSION => {before - 1})")


def test_uncommitted_rows_stand_behind_the_others(bench: lb.Bench) -> None:
    with bench.transaction() as tx:
        tx.kadeql("INSERT INTO t (a) VALUES (7)")
        inside = ask(tx, "SELECT a FROM with_rowid(t) ORDER BY _rowid")
        assert inside == [(3,), (1,), (2,), (7,)]
        tx.kadeql("DELETE FROM t WHERE a IN (SELECT a FROM with_rowid(t) WHERE _rowid = 0)")
        assert ask(tx, "SELECT a FROM with_rowid(t) ORDER BY _rowid") == inside[1:]
    assert ask(bench, "SELECT a FROM with_rowid(t) ORDER BY _rowid") == inside[1:]
    assert ask(bench, "SELECT max(_rowid) < 10 FROM with_rowid(t)") == [(True,)]


def test_views_hold_it_and_are_none(bench: lb.Bench) -> None:
    bench.kadeql("CREATE VIEW v AS SELECT _rowid, a FROM with_rowid(t)")
    bench.kadeql(f"CREATE VIEW old AS SELECT _rowid AS r FROM with_rowid(t) AT (VERSION => {bench.snapshot})")
    text = "SELECT a FROM v ORDER BY _rowid"
    assert ask(bench, text) == [(3,), (1,), (2,)]
    at = bench.snapshot
    bench.kadeql("DELETE FROM t WHERE a = 3")
    assert ask(bench, text) == [(1,), (2,)]
    assert ask(bench, f"SELECT a FROM v AT (VERSION => {at}) ORDER BY _rowid") == [(3,), (1,), (2,)]
    assert ask(bench, "SELECT count(*) FROM old") == [(3,)]
    # The caller's relation hides a table, and not from a view.
    assert ask(bench, text, tables={"t": {"a": [0]}}) == [(1,), (2,)]
    assert bench.prepare("FROM v").schema.names == ["_rowid", "a"]
    with pytest.raises(KadeQLUnsupportedError, match="'v' is a view") as caught:
        bench.kadeql("SELECT 1 FROM with_rowid(v)")
    assert caught.value.column == 15
    with pytest.raises(KadeQLUnsupportedError, match="'v' is a view"):
        bench.kadeql(f"FROM with_rowid(v) AT (VERSION => {at})")
    bench.kadeql("DROP TABLE t; CREATE VIEW t AS SELECT 1 AS a")
    with pytest.raises(KadeQLUnsupportedError, match=r"In view 'v'.*'t' is a view"):
        bench.kadeql("FROM v")


def test_what_has_no_ids(bench: lb.Bench) -> None:
    with pytest.raises(KadeQLUnsupportedError, match="'df' is a relation of this call"):
        bench.kadeql("FROM with_rowid(df)", tables={"df": {"a": [1]}})
    with pytest.raises(KadeQLUnsupportedError, match="'t' is a relation of this call"):
        bench.kadeql("FROM with_rowid(t)", tables={"T": {"a": [1]}})
    with pytest.raises(KadeQLBindError, match="There is no table 'tt'") as caught:
        bench.kadeql("FROM with_rowid(tt)")
    assert "'t'" in (caught.value.hint or "")
    with pytest.raises(KadeQLBindError) as caught:
        bench.kadeql("SELECT _rowid FROM t")
    assert "with_rowid(t)" in (caught.value.hint or "")
    with pytest.raises(KadeQLSchemaError, match="_rowid"):
        bench.kadeql("CREATE TABLE u AS FROM with_rowid(t)")
    with pytest.raises(KadeQLBindError, match="no column 'nope'") as caught:
        bench.kadeql("SELECT a, nope FROM with_rowid(t)")
    assert caught.value.column == 11


def test_prepared_explained_and_traced(bench: lb.Bench) -> None:
    late = bench.prepare("SELECT a FROM with_rowid(t) WHERE _rowid >= $lo ORDER BY _rowid")
    assert late(lo=1).to_arrow()["a"].to_pylist() == [1, 2]
    bench.kadeql("PREPARE p AS SELECT count(*) FROM with_rowid(t) WHERE _rowid < $hi")
    assert ask(bench, "EXECUTE p(hi := 2)") == [(2,)]
    plan = str(bench.kadeql("EXPLAIN SELECT a FROM with_rowid(t) WHERE a > 1").to_arrow().to_pylist())
    assert "__luma" not in plan
    found = bench.lineage("SELECT a, lag(a) OVER (ORDER BY _rowid) AS before FROM with_rowid(t)")
    assert found["a"].sources == ("t.a",)
    assert found["before"].sources == ("t.a", "t._rowid")


def test_answers_are_kept_for_their_snapshot(bench: lb.Bench) -> None:
    text = "SELECT sum(_rowid) FROM with_rowid(t)"
    assert ask(bench, text) == [(3,)]
    assert bench.kadeql(text).run.cached
    bench.kadeql("DELETE FROM t WHERE a = 1")
    assert ask(bench, text) == [(2,)]
    with bench.transaction() as tx:
        tx.kadeql("DELETE FROM t WHERE a = 3")
        assert not tx.kadeql(text).run.cached


WAYS = [
    "SELECT * EXCLUDE (_rowid) FROM with_rowid(pay) ORDER BY id",
    "SELECT p.* EXCLUDE (_rowid) FROM with_rowid(TABLE pay) AS p ORDER BY id",
    "WITH c AS (FROM with_rowid(pay)) SELECT * EXCLUDE (_rowid) FROM c ORDER BY id",
    "SELECT pay.* FROM pay JOIN with_rowid(pay) AS r ON r.id = pay.id ORDER BY id",
    "SELECT * EXCLUDE (_rowid) FROM with_rowid(pay) AT (TAG => 'before') ORDER BY id",
    "SELECT * EXCLUDE (_rowid) FROM v ORDER BY id",
]


@pytest.mark.parametrize("text", WAYS)
def test_policies_hold_as_in_a_plain_select(tmp_path: Path, text: str) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        fill(bench)
        bench.kadeql("CREATE VIEW v AS FROM with_rowid(pay)")
        plain = "SELECT * FROM pay ORDER BY id"
        for who in (ADA, LEAD, NOBODY):
            acting = bench.acting_as(who)
            assert ask(acting, text) == ask(acting, plain)
            assert ask(acting, "SELECT count(*), count(salary) FROM with_rowid(pay)") == ask(
                acting, "SELECT count(*), count(salary) FROM pay"
            )
            for at in range(4):
                assert len(ask(acting, f"FROM with_rowid(pay) WHERE _rowid = {at}")) <= len(
                    ask(acting, plain)
                )
        assert (
            ask(bench.acting_as(ADA), "SELECT id FROM with_rowid(pay) WHERE salary > 0 OR who = 'ada'") == []
        )
        assert ask(bench.acting_as(ADA), "SELECT _rowid FROM with_rowid(pay) ORDER BY 1") == [(0,), (2,)]
        with pytest.raises(LumaError) as caught:
            bench.acting_as(ADA).kadeql("DELETE FROM pay WHERE id IN (SELECT id FROM with_rowid(pay))")
        assert isinstance(caught.value, KadeQLForbiddenError)


def test_rules_and_shortcuts_do_not_take_it_for_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lb.open(tmp_path / "b.luma", chunk_rows=64, shard_rows=512, inline_bytes=1_000) as bench:
        ids = np.arange(3_000)
        bench.write("big", {"id": ids, "n": ids // 7}, primary_key="id")
        bench.write("small", {"n": [3, 4]})
        runner = bench._machinery.statements.runner
        monkeypatch.setattr(runner.binder.reducer, "least_rows", 0)
        monkeypatch.setattr(runner.binder.reducer, "least_chunks", 0)
        monkeypatch.setattr(runner.engines["statistics"], "least_rows", 0)
        assert ask(bench, "SELECT max(_rowid), count(*) FROM with_rowid(big)") == [(2_999, 3_000)]
        assert ask(bench, "SELECT count(*) FROM with_rowid(big) WHERE id < 10") == [(10,)]
        assert ask(bench, "SELECT _rowid FROM with_rowid(big) WHERE id = 70") == [(70,)]
        assert ask(bench, "SELECT id FROM with_rowid(big) ORDER BY _rowid DESC LIMIT 2") == [
            (2_999,),
            (2_998,),
        ]
        # The first relation may be narrowed to the keys of the small one; the second reads the same scan.
        text = "SELECT count(DISTINCT b.id), max(r.id), count(*) FROM big b JOIN small USING (n), with_rowid(big) r WHERE r._rowid > 2990"
        assert ask(bench, text) == [(14, 2_999, 14 * 9)]
        text = "SELECT (SELECT max(id) FROM with_rowid(big)) AS m, id FROM big ORDER BY id LIMIT 1"
        assert ask(bench, text) == [(2_999, 0)]


def test_conditions_prune_as_in_a_plain_select(bench: lb.Bench) -> None:
    bench.write("log", {"n": np.arange(300_000)})
    run = bench.kadeql("SELECT _rowid, n FROM with_rowid(log) WHERE n BETWEEN 640 AND 650").run
    plain = bench.kadeql("SELECT n FROM log WHERE n BETWEEN 640 AND 650").run
    assert run.rows_out == 11
    assert (run.rows_read, run.chunks_pruned) == (plain.rows_read, plain.chunks_pruned)
    assert run.rows_read < 200_000


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.lists(st.integers(0, 9), min_size=1, max_size=4)),
            st.tuples(st.just("drop"), st.integers(0, 9)),
            st.tuples(st.just("set"), st.integers(0, 9)),
            st.tuples(st.just("compact"), st.none()),
        ),
        max_size=8,
    )
)
@settings(deadline=None, max_examples=drawn(25))
def test_ids_are_unique_and_stay(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]]
) -> None:
    with lb.open(tmp_path_factory.mktemp("ids") / "b.luma") as bench:
        bench.write("t", {"a": [1, 2, 3], "n": [0, 1, 2]})
        known: dict[int, int] = {}
        number = 3
        for step, value in steps:
            if step == "add":
                bench.write("t", {"a": value, "n": list(range(number, number + len(value)))}, mode="append")
                number += len(value)
            elif step == "drop":
                bench.kadeql("DELETE FROM t WHERE a = $a", {"a": value})
            elif step == "set":
                bench.kadeql("UPDATE t SET a = a + 1 WHERE a = $a", {"a": value})
            else:
                bench.compact()
            found = dict(ask(bench, "SELECT _rowid, n FROM with_rowid(t)"))
            assert [(len(found),)] == ask(bench, "SELECT count(*) FROM t")
            # An id that is there again is the same row.
            assert all(known.get(row, n) == n for row, n in found.items())
            known.update(found)
