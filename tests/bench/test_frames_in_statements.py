"""A lazy frame among the tables of a statement: one plan, the frame's own snapshot, and the same rows as when it is run first."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_cases import ADA, fill
from thorough import drawn

import luma_bench as lb
from luma_bench.errors import (
    KadeQLBindError,
    KadeQLError,
    KadeQLTransactionError,
    KadeQLUnsupportedError,
)
from luma_bench.frame.base import Frame
from luma_bench.frame.mapping import mapped
from luma_bench.plan.nodes import Files

ROWS = 300_000
CARRIERS = ["AA", "UA", "DL"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    """A bench that no test changes."""
    with lb.open(tmp_path_factory.mktemp("frames") / "b.luma") as bench:
        ids = np.arange(ROWS)
        bench.write("flights", {"id": ids, "carrier": np.array(CARRIERS)[ids % 3], "delay": ids % 100})
        bench.write("airlines", {"carrier": CARRIERS, "name": ["American", "United", None]})
        bench.kadeql("CREATE SCHEMA old; CREATE TABLE old.flights AS SELECT 7 AS id")
        bench.kadeql("CREATE VIEW early AS SELECT id, carrier FROM flights WHERE id < 50")
        yield bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma") as opened:
        opened.write("t", {"a": [1, 2, 3], "s": ["x", "y", "x"]})
        yield opened


def ask(bench: Any, text: str, **given: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in bench.kadeql(text, **given).to_arrow().to_pylist()]


def forbid_running(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> None:
        raise AssertionError("the frame was run by itself")

    monkeypatch.setattr(Frame, "collect", run)


# --- one plan ---


def test_conditions_reach_the_scan(shared: lb.Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    flights = shared.table("flights")
    late = flights[flights["delay"] > 50]
    forbid_running(monkeypatch)
    text = "SELECT id, delay FROM late WHERE id BETWEEN 60 AND 70"
    found = shared.kadeql(text, tables={"late": late})
    plain = shared.kadeql("SELECT id, delay FROM flights WHERE delay > 50 AND id BETWEEN 60 AND 70")
    assert found.to_arrow().equals(plain.to_arrow())
    assert found.run.rows_read == plain.run.rows_read < ROWS
    assert found.run.chunks_pruned == plain.run.chunks_pruned > 0
    assert found.run.warnings == ()
    plan = shared.kadeql(f"EXPLAIN {text}", tables={"late": late}).to_arrow()["explain_value"][1].as_py()
    assert "TABLE_SCAN flights" in plan
    assert "id" in plan.partition("TABLE_SCAN")[2].partition("Filters")[2]
    assert "carrier" not in plan


def test_names_that_meet(shared: lb.Bench) -> None:
    flights = shared.table("flights")
    few = flights[flights["id"] < 6]
    # The frame's own table is called as the frame is.
    assert ask(shared, "SELECT count(*) FROM flights", tables={"flights": few}) == [(6,)]
    assert ask(shared, "SELECT count(*) FROM FLIGHTS", tables={"Flights": few}) == [(6,)]
    assert ask(shared, 'SELECT count(*) FROM "a b"', tables={"a b": few}) == [(6,)]
    # Two frames, each over a table in memory, and the caller's own table with the name that one of them has in the text.
    one = shared.kadeql("SELECT 1 AS id, 'p' AS p").frame()
    two = shared.kadeql("SELECT 1 AS id, 'q' AS q").frame()
    mine = pa.table({"id": [1], "m": ["mine"]})
    text = "SELECT p, q, m, carrier FROM one JOIN two USING (id) JOIN memory_1 USING (id) JOIN few USING (id)"
    both = {"one": one, "two": two, "memory_1": mine, "few": few.merge(one, on="id")[["id", "carrier"]]}
    assert ask(shared, text, tables=both) == [("p", "q", "mine", "UA")]
    # A frame twice, beside the table, and below WITH.
    text = "WITH few AS (SELECT id + 1 AS id FROM few) SELECT count(*) FROM few JOIN flights USING (id)"
    assert ask(shared, text, tables={"few": few}) == [(6,)]
    assert ask(shared, "SELECT count(*) FROM f a, f b WHERE a.id < b.id", tables={"f": few}) == [(15,)]
    assert ask(shared, "SELECT f.id, f.carrier FROM f WHERE f.id = 1", tables={"f": few}) == [(1, "UA")]


def test_frames_over_views_and_schemas(shared: lb.Bench) -> None:
    early = shared.table("early")
    assert ask(shared, "SELECT count(*) FROM early", tables={"early": early[early["id"] > 10]}) == [(39,)]
    old = shared.table("old.flights")
    assert ask(
        shared, "SELECT f.id, count(*) AS n FROM f JOIN flights USING (id) GROUP BY 1", tables={"f": old}
    ) == [(7, 1)]
    assert ask(
        shared, "SELECT a.id + b.id FROM a, b", tables={"a": old, "b": shared.table("flights").head(1)}
    ) == [(7,)]


def test_a_series_and_a_result(shared: lb.Bench) -> None:
    flights = shared.table("flights")
    double = (flights["delay"] * 2).rename("double")
    assert ask(shared, "SELECT max(double) FROM s", tables={"s": double}) == [(198,)]
    result = shared.kadeql("SELECT carrier, count(*) AS n FROM flights GROUP BY ALL")
    assert ask(shared, "SELECT count(*) FROM r", tables={"r": result}) == [(3,)]


def test_everything_else_that_takes_tables(shared: lb.Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    flights = shared.table("flights")
    few = {"few": flights[flights["id"] < 6]}
    forbid_running(monkeypatch)
    text = "SELECT carrier, id * 2 AS twice FROM few WHERE id > $lo"
    assert shared.stream(text, {"lo": 3}, tables=few).read_all().num_rows == 2
    held = shared.prepare(text, tables=few)
    assert held.schema == held(lo=3).schema
    assert [len(held(lo=lo)) for lo in (0, 3)] == [5, 2]
    told = shared.lineage("SELECT carrier, id * 2 AS twice FROM few", tables=few)
    assert (told["carrier"].sources, told["twice"].sources) == (("flights.carrier",), ("flights.id",))
    told = shared.lineage("SELECT id FROM flights", tables={"flights": few["few"]})
    assert told["id"].sources == ("flights.id",)
    described = shared.kadeql("DESCRIBE few", tables=few).to_arrow()
    assert described["column_name"].to_pylist() == ["id", "carrier", "delay"]
    assert len(shared.kadeql("SUMMARIZE few", tables=few)) == 3


def test_errors_say_where(shared: lb.Bench) -> None:
    flights = shared.table("flights")
    wrong = flights.assign(n=flights["carrier"].astype(pa.int64()))
    with pytest.raises(
        KadeQLError, match=r"In frame 'wrong', line \d+, column \d+: Could not convert"
    ) as caught:
        shared.kadeql("SELECT\n sum(n) FROM wrong", tables={"wrong": wrong})
    assert (caught.value.line, caught.value.column) == (2, 14)
    with pytest.raises(KadeQLBindError, match="no column 'nope'") as caught:
        shared.kadeql("SELECT nope FROM few", tables={"few": flights})
    assert caught.value.column == 8
    with pytest.raises(KadeQLBindError, match="no table 'fews'") as caught:
        shared.kadeql("FROM fews", tables={"few": flights})
    assert "'few'" in (caught.value.hint or "")
    with pytest.raises(KadeQLUnsupportedError, match="no row ids"):
        shared.kadeql("FROM with_rowid(few)", tables={"few": flights})


CONDITIONS = st.sampled_from(
    ["id < 40", "delay = 3", "carrier <> 'AA'", "id IS NULL", "name IS NULL", "name > 'B'"]
)


@given(
    st.integers(0, 60), st.sampled_from([*CARRIERS, "ZZ"]), st.booleans(), st.booleans(), st.lists(CONDITIONS, max_size=2),
    st.sampled_from(["count(*), sum(id), min(name)", "carrier, count(*), max(delay)"]),
)  # fmt: skip
@settings(deadline=None, max_examples=40)
def test_the_rows_are_those_of_the_frame(
    shared: lb.Bench, below: int, carrier: str, joined: bool, limited: bool, where: list[str], select: str
) -> None:
    frame = shared.table("flights")
    frame = frame[(frame["id"] < below) | (frame["id"] > ROWS - 5)]
    frame = frame[frame["carrier"] != carrier].sort_values("id")
    if limited:
        frame = frame.head(7)
    names = shared.table("airlines") if joined else shared.kadeql("FROM airlines LIMIT 2").frame()
    frame = frame.merge(names, on="carrier", how="left")
    text = f"SELECT {select} FROM f {'WHERE ' + ' AND '.join(where) if where else ''}"
    text += " GROUP BY carrier ORDER BY carrier" if select.startswith("carrier") else ""
    lazily = shared.kadeql(text, tables={"f": frame}).to_arrow()
    assert lazily.equals(shared.kadeql(text, tables={"f": frame.to_arrow()}).to_arrow())


# --- snapshots, transactions, changes ---


def test_a_frame_keeps_its_snapshot(bench: lb.Bench) -> None:
    made = bench.snapshot
    frame = bench.table("t")
    x = frame[frame["s"] == "x"]
    text = "SELECT (SELECT sum(a) FROM x) AS then, (SELECT sum(a) FROM t WHERE s = 'x') AS now"
    held = bench.prepare(text, tables={"x": x})
    bench.kadeql("PREPARE p AS SELECT sum(a) FROM x", tables={"x": x})
    assert ask(bench, text, tables={"x": x}) == [(4, 4)]
    bench.write("t", {"a": [10], "s": ["x"]}, mode="append")
    found = bench.kadeql(text, tables={"x": x})
    assert found.to_arrow().to_pylist() == [{"then": 4, "now": 14}]
    assert found.run.warnings == (f"'x' is read as it was when the frame was made, at snapshot {made}.",)
    assert held.run().to_arrow().to_pylist() == found.to_arrow().to_pylist()
    assert ask(bench, "EXECUTE p") == [(4,)]
    assert ask(bench.at(made), "SELECT sum(a) FROM x", tables={"x": x}) == [(4,)]
    assert ask(bench, "SELECT sum(a) FROM x", tables={"x": bench.table("t")}, at=made) == [(16,)]
    bench.kadeql("DROP TABLE t")
    assert ask(bench, "SELECT sum(a) FROM x", tables={"x": x}) == [(4,)]


def test_answers_are_not_kept_for_another_frame(bench: lb.Bench) -> None:
    frame = bench.table("t")
    text = "SELECT sum(a) FROM t"
    assert ask(bench, text) == [(6,)]
    for limit in (1, 2, 3):
        assert ask(bench, text, tables={"t": frame[frame["a"] <= limit]}) == [(sum(range(limit + 1)),)]
    assert bench.kadeql(text).run.cached
    assert ask(bench, text) == [(6,)]


def test_changes_take_frames(bench: lb.Bench) -> None:
    frame = bench.table("t")
    x = {"x": frame[frame["s"] == "x"]}
    bench.kadeql("INSERT INTO t SELECT a + 100, 'new' FROM x", tables=x)
    bench.kadeql("UPDATE t SET s = 'was ' || x.s FROM x WHERE x.a = t.a", tables=x)
    bench.kadeql("DELETE FROM t USING x WHERE t.a = x.a + 100 AND x.a = 1", tables=x)
    bench.kadeql("MERGE INTO t USING x ON t.a = x.a WHEN MATCHED THEN UPDATE SET a = t.a * 10", tables=x)
    assert ask(bench, "SELECT * FROM t ORDER BY a") == [(2, "y"), (10, "was x"), (30, "was x"), (103, "new")]
    bench.kadeql("CREATE TABLE kept AS FROM x", tables=x)
    assert ask(bench, "SELECT sum(a) FROM kept") == [(4,)]
    with pytest.raises(KadeQLUnsupportedError, match="A view cannot read 'x'"):
        bench.kadeql("CREATE VIEW v AS FROM x", tables=x)


def test_frames_of_a_transaction(bench: lb.Bench) -> None:
    with bench.transaction() as tx:
        tx.kadeql("INSERT INTO t VALUES (9, 'x')")
        frame = tx.table("t")
        x = {"x": frame[frame["s"] == "x"]}
        assert ask(tx, "SELECT sum(a) FROM x", tables=x) == [(13,)]
        tx.kadeql("DELETE FROM t")
        found = tx.kadeql("SELECT sum(a) AS a, (SELECT count(*) FROM t) AS n FROM x", tables=x)
        assert found.to_arrow().to_pylist() == [{"a": 13, "n": 0}]
        assert any("when the frame was made" in note for note in found.run.warnings)
        tx.kadeql("INSERT INTO t FROM x", tables=x)
    assert ask(bench, "SELECT sum(a) FROM t") == [(13,)]
    with pytest.raises(KadeQLTransactionError, match="uncommitted rows"):
        bench.kadeql("FROM x", tables=x)


# --- what is run first ---


def test_a_frame_of_another_bench_is_run_once_where_it_is_named(
    bench: lb.Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lb.open(tmp_path / "other.luma") as other:
        other.write("u", {"a": [1, 2], "z": ["p", "q"]})
        ran: list[Frame] = []
        collect = Frame.collect
        monkeypatch.setattr(
            Frame, "collect", lambda self, **given: ran.append(self) or collect(self, **given)
        )
        far = {"far": other.table("u")[["a", "z"]]}
        found = bench.kadeql("SELECT z FROM t JOIN far USING (a) ORDER BY z", tables=far)
        assert found.to_arrow()["z"].to_pylist() == ["p", "q"]
        assert found.run.warnings == (
            "'far' is no frame of this bench and identity: it ran by itself first, and handed over 2 rows.",
        )
        assert len(ran) == 1
        changed = bench.kadeql("UPDATE t SET s = z FROM far WHERE far.a = t.a", tables=far)
        assert len(ran) == 2
        assert any("no frame of this bench" in note for note in changed.run.warnings)
        assert ask(bench, "SELECT count(*) FROM t", tables=far) == [(3,)]
        assert len(ran) == 2
        bench.kadeql("PREPARE p AS UPDATE t SET s = z FROM far WHERE far.a = t.a", tables=far)
        bench.kadeql("EXECUTE p")
        assert len(ran) == 3
        kept = bench._session.shelf.get("p")
        assert kept is not None
        assert kept.tables["far"] is far["far"]
        # Rows in memory belong to no bench: what is made of them joins the plan.
        local = other.kadeql("SELECT 2 AS a").frame()
        assert (
            bench.kadeql("SELECT s FROM t JOIN local USING (a)", tables={"local": local}).run.warnings == ()
        )


def test_what_another_identity_may_see_stays_its_own(tmp_path: Path) -> None:
    with lb.open(tmp_path / "b.luma") as bench:
        fill(bench)
        ada = bench.acting_as(ADA)
        text = "SELECT count(*), count(salary) FROM f"
        own = ada.table("pay")
        assert (
            ask(ada, text, tables={"f": own})
            == ask(ada, "SELECT count(*), count(salary) FROM pay")
            == [(2, 0)]
        )
        assert ada.kadeql(text, tables={"f": own}).run.warnings == ()
        assert ask(ada, "SELECT id FROM f WHERE salary > 0 OR who = 'ada'", tables={"f": own}) == []
        # Whoever has the frame of another hands over what that one sees; the plan of a statement is its asker's alone.
        handed = bench.kadeql(text, tables={"f": own})
        assert handed.to_arrow().to_pylist() == [{"count_star()": 2, "count(salary)": 0}]
        assert "identity" in handed.run.warnings[0]
        joined = ada.kadeql(
            "SELECT count(*) AS n, (SELECT count(*) FROM pay) AS mine FROM f",
            tables={"f": bench.table("pay")},
        )
        assert joined.to_arrow().to_pylist() == [{"n": 4, "mine": 2}]


def test_python_steps_run_first(bench: lb.Bench) -> None:
    frame = bench.table("t")
    seen: list[int] = []

    def doubled(batch: pa.RecordBatch) -> pa.RecordBatch:
        seen.append(batch.num_rows)
        return pa.record_batch({"a": [value * 2 for value in batch.column("a").to_pylist()]})

    made = frame.with_plan(mapped(frame.plan, doubled, pa.schema([("a", pa.int64())])))
    found = bench.kadeql("SELECT sum(a) AS s FROM m WHERE a > 2", tables={"m": made[made["a"] < 6]})
    assert found.to_arrow().to_pylist() == [{"s": 4}]
    assert sum(seen) == 3
    assert found.run.warnings == ("The Python steps of 'm' ran before the statement.",)


# --- one cursor, many frames ---


def _answers(bench: lb.Bench, text: str, tables: dict[str, Any]) -> pa.Table:
    return bench.kadeql(text, tables=tables).to_arrow()


@given(
    st.lists(
        st.tuples(st.sampled_from("fgt"), st.sampled_from("fgt"), st.integers(0, 5), st.integers(0, 5)),
        min_size=2,
        max_size=8,
    )
)
@settings(deadline=None, max_examples=drawn(25))
def test_names_mean_what_each_call_says(
    tmp_path_factory: pytest.TempPathFactory, calls: list[tuple[str, str, int, int]]
) -> None:
    with lb.open(tmp_path_factory.mktemp("calls") / "b.luma") as bench:
        bench.write("t", {"a": [1, 2, 3], "s": ["x", "y", "x"]})
        old = bench.table("t")
        bench.write("t", {"a": [4], "s": ["z"]}, mode="append")
        now = bench.table("t")
        frames = [
            old,
            now[now["a"] > 1],
            bench.kadeql("SELECT 2 AS a, 'memory' AS s").frame(),
            bench.kadeql("SELECT 9 AS b, 'other' AS s, 3 AS a").frame(),
            old.merge(bench.kadeql("SELECT 3 AS a, true AS there", at=old.executor.snapshot).frame(), on="a"),
            now.assign(a=now["a"] * 2),
        ]
        for one, other, first, second in calls:
            tables = {one: frames[first], other: frames[second]}
            text = f"SELECT * FROM {one} ORDER BY ALL"
            assert _answers(bench, text, tables).equals(
                _answers(bench, text, {name: frame.to_arrow() for name, frame in tables.items()})
            )
            text = (
                f"SELECT (SELECT sum(a) FROM {one}), (SELECT count(s) FROM {other}), (SELECT count(*) FROM t)"
            )
            assert _answers(bench, text, tables).equals(
                _answers(bench, text, {name: frame.to_arrow() for name, frame in tables.items()})
            )
        assert ask(bench, "SELECT count(*) FROM t") == [(4,)]


def test_threads_share_a_frame(shared: lb.Bench) -> None:
    flights = shared.table("flights")
    frames = [flights[flights["id"] < limit] for limit in (10, 20, 30, 40)]

    def counted(number: int) -> bool:
        limit = 10 * (number % 4 + 1)
        return ask(shared, "SELECT count(*) FROM f", tables={"f": frames[number % 4]}) == [(limit,)]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(counted, range(40)))


def test_a_frame_over_files_of_the_bench(tmp_path: Path) -> None:
    rows = pa.table({"a": pa.array([1, 2, 3]), "z": pa.array(["p", "q", "r"])})
    pq.write_table(rows, tmp_path / "p.parquet")
    with lb.open(tmp_path / "b.luma", files=[str(tmp_path)]) as bench:
        bench.write("t", {"a": [2, 3, 4]})
        leaf = Files("read_parquet", (str(tmp_path / "p.parquet"),), (), rows.schema)
        frame = bench.table("t").with_plan(leaf)
        text = "SELECT z FROM p JOIN t USING (a) ORDER BY z"
        found = bench.kadeql(text, tables={"p": frame[frame["a"] < 3]})
        assert found.to_arrow()["z"].to_pylist() == ["q"]
        assert found.run.warnings == ()
        assert "file" in found.run.reason
