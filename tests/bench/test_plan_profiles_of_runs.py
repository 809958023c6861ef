"""Profiles of results: measured in the very run, told of earlier runs, at the snapshot that was read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.errors import TransactionError, UnsupportedError

ROWS = 40_000


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma", inline_bytes=0, chunk_rows=5000, shard_rows=10_000) as bench:
        bench.write("t", pa.table({"k": range(ROWS), "g": [n % 4 for n in range(ROWS)]}), mode="create")
        bench.write("u", {"k": [5, 39_000], "name": ["a", "b"]}, primary_key="k")
        yield bench


def test_a_measured_run_gives_the_rows_and_their_plan(bench: lb.Bench) -> None:
    text = "SELECT g, count(*) AS n FROM t JOIN u USING (k) WHERE t.k = 39000 GROUP BY g ORDER BY g"
    ran = bench.kadeql(text, profile=True)
    assert ran.to_arrow().equals(bench.kadeql(text).to_arrow())
    profile = ran.profile()
    assert profile.tree.answer_rows == len(ran) == 1
    nodes = list(profile.tree.walk())
    assert all(node.rows is not None and node.seconds is not None for node in nodes)
    scans = {node.scan.table: node.scan for node in nodes if node.scan is not None}
    assert set(scans) == {"t", "u"}
    assert (
        sum(scan.rows_read or 0 for scan in scans.values())
        == ran.run.rows_read
        == profile.totals["rows_read"]
    )
    assert scans["t"].chunks_pruned == ran.run.chunks_pruned == 1
    assert scans["t"].segments_pruned == 3


def test_a_measured_run_is_no_cached_one(bench: lb.Bench) -> None:
    text = "SELECT count(*) AS n FROM t WHERE k > 7"
    bench.kadeql(text)
    assert bench.kadeql(text).run.cached
    assert not bench.kadeql(text, profile=True).run.cached
    assert bench.kadeql(text).run.cached


def test_what_follows_a_measured_run_is_not_measured(bench: lb.Bench) -> None:
    bench.kadeql("SELECT sum(k) FROM t", profile=True)
    later = bench.kadeql("SELECT max(g) FROM t WHERE k < 9").profile()
    assert later.tree.rows == 1
    assert all(node.seconds is None for node in later.tree.walk())


def test_a_measured_run_with_a_cap_on_its_rows(bench: lb.Bench) -> None:
    profile = bench.kadeql("SELECT g FROM t WHERE k < 9", profile=True, max_rows=20).profile()
    assert profile.tree.answer_rows == 9
    assert profile.tree.seconds is not None


def test_an_engine_that_looks_up_tells_its_own_plan(bench: lb.Bench) -> None:
    for measured in (True, False):
        profile = bench.kadeql("SELECT * FROM u WHERE k = 5", profile=measured, cache=False).profile()
        assert (profile.engine, profile.tree.operator, profile.tree.rows) == ("point", "KEY_LOOKUP", 1)


def test_a_measured_run_inside_a_transaction(bench: lb.Bench) -> None:
    with bench.transaction() as tx:
        tx.kadeql("DELETE FROM t WHERE k < 1000")
        ran = tx.kadeql("SELECT count(*) FROM t WHERE g = 1", profile=True)
        assert any(node.rows == 9750 for node in ran.profile().tree.walk())
    with pytest.raises(TransactionError):
        ran.profile()


def test_the_plan_of_a_run_knows_what_its_scans_took(bench: lb.Bench) -> None:
    ran = bench.kadeql("SELECT g FROM t WHERE k = 35500 ORDER BY g")
    profile = ran.profile()
    (scan,) = [node.scan for node in profile.tree.walk() if node.scan is not None]
    assert (scan.rows_read, scan.chunks_read, scan.segments_pruned) == (5000, 1, 3)
    assert scan.applied == ("k = 35500",)
    assert profile.tree.rows == 1
    assert profile.totals["rows_read"] == 5000


def test_two_scans_of_a_table_share_no_figures(bench: lb.Bench) -> None:
    profile = bench.kadeql("SELECT a.k FROM t a JOIN t b ON a.k = b.k + 1 WHERE a.g = 2").profile()
    assert all(node.scan is None or node.scan.rows_read is None for node in profile.tree.walk())


def test_the_plan_is_that_of_the_snapshot_that_was_read(bench: lb.Bench) -> None:
    ran = bench.kadeql("SELECT count(*) AS n FROM t WHERE g = 1")
    bench.kadeql("DELETE FROM t WHERE k >= 20000")
    again = ran.profile(analyze=True)
    assert again.snapshot == ran.run.snapshot
    assert any(node.rows == 10_000 for node in again.tree.walk())


def test_analyze_of_an_answer_from_the_cache(bench: lb.Bench) -> None:
    text = "SELECT g, count(*) AS n FROM t GROUP BY g"
    bench.kadeql(text)
    cached = bench.kadeql(text)
    assert cached.run.cached
    assert cached.profile(analyze=True).totals["rows_read"] == ROWS


def test_explain_and_analyze_are_plans_themselves(bench: lb.Bench) -> None:
    planned = bench.kadeql("EXPLAIN SELECT g FROM t WHERE k < 60")
    assert planned.profile().totals == {}
    assert planned.profile(analyze=True).totals["rows_read"] == 5000
    ran = bench.kadeql("EXPLAIN ANALYZE SELECT g FROM t WHERE k < 60")
    assert ran.profile() is ran.profile(analyze=True)
    deleted = bench.kadeql("EXPLAIN DELETE FROM t WHERE k < 60")
    assert deleted.profile().change == "DELETE FROM t: the rows that this query finds"
    assert bench.kadeql("SELECT count(*) AS n FROM t").to_arrow()["n"][0].as_py() == ROWS


def test_what_is_no_query_has_no_plan(bench: lb.Bench) -> None:
    for text in ("SHOW TABLES", "INSERT INTO u VALUES (7, 'c')"):
        result = bench.kadeql(text)
        assert not result.has_plan
        with pytest.raises(UnsupportedError, match="no plan"):
            result.plan_view()


def test_a_fallback_stands_in_the_plan(bench: lb.Bench) -> None:
    profile = bench.kadeql("SELECT sum(k) AS s FROM t WHERE g = 3", engine="gpu").profile()
    assert profile.engine == "duckdb"
    assert "gpu" in profile.fallbacks[0]


def test_several_statements_are_measured_each(bench: lb.Bench) -> None:
    last = bench.kadeql("SELECT 1 AS a FROM t WHERE k < 3; SELECT 2 AS b FROM t WHERE k < 5", profile=True)
    assert [result.profile().tree.answer_rows for result in last.results] == [3, 5]


def test_nothing_else_of_the_configuration_can_be_set(bench: lb.Bench) -> None:
    for text in ("SET enable_profiling = 'json'", "PRAGMA enable_profiling", "SET threads = 1"):
        with pytest.raises(UnsupportedError):
            bench.kadeql(text)
