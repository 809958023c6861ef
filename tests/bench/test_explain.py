"""EXPLAIN and EXPLAIN ANALYZE: one tree of operators and scans, whose figures are those of the run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import luma_bench as lb

ROWS = 400


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lb.Bench]:
    with lb.open(
        tmp_path_factory.mktemp("explain") / "b.luma", inline_bytes=0, chunk_rows=50, shard_rows=100
    ) as bench:
        for i in range(2):
            part = range(i * ROWS // 2, (i + 1) * ROWS // 2)
            bench.write(
                "t",
                pa.table({"k": list(part), "g": [n % 4 for n in part], "s": [f"s{n}" for n in part]}),
                mode="append" if i else "create",
            )
        bench.write("u", {"k": [5, 390], "name": ["a", "b"]}, primary_key="k")
        yield bench


def analyzed(bench: lb.Bench, query: str, params: Any = None) -> dict[str, Any]:
    told = bench.kadeql(f"EXPLAIN ANALYZE (FORMAT json) {query}", params).to_arrow()
    assert told["explain_key"].to_pylist() == ["plan"]
    return json.loads(told["explain_value"][0].as_py())


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan["children"]:
        yield from nodes(child)


def test_analyze_counts_what_was_read(bench: lb.Bench) -> None:
    for query in (
        "SELECT count(*), sum(k) FROM t",
        "SELECT g, count(*) FROM t WHERE k >= 350 GROUP BY g",
        "SELECT t.s, u.name FROM t JOIN u USING (k)",
        "SELECT a.k FROM t a JOIN t b ON a.k = b.k + 1 WHERE a.k < 5",
        "WITH c AS (SELECT g, sum(k) AS n FROM t GROUP BY g) SELECT * FROM c a JOIN c b USING (g)",
    ):
        ran = bench.kadeql(query, cache=False)
        plan = analyzed(bench, query)
        answer = plan["plan"]["children"][-1] if plan["plan"]["operator"] == "CTE" else plan["plan"]
        assert answer["rows"] == len(ran)
        scans = [node["scan"] for node in nodes(plan["plan"]) if "scan" in node]
        assert sum(scan["rows_read"] for scan in scans) == plan["ran"]["rows_read"] == ran.run.rows_read
        for key in ("segments_read", "segments_pruned", "chunks_read", "chunks_pruned"):
            assert sum(scan[key] for scan in scans) == plan["ran"][key] == getattr(ran.run, key)
        assert all(node["seconds"] >= 0 for node in nodes(plan["plan"]))
        assert plan["engine"] == "duckdb"
        assert plan["snapshot"] == bench.snapshot


def test_scans_are_named(bench: lb.Bench) -> None:
    plan = analyzed(bench, "SELECT x.k FROM u x JOIN u y USING (k)")
    assert [node["scan"]["table"] for node in nodes(plan["plan"]) if node["operator"] == "TABLE_SCAN"] == [
        "u",
        "u",
    ]
    told = bench.kadeql("EXPLAIN SELECT t.s FROM t JOIN u USING (k)").to_arrow()["explain_value"].to_pylist()
    assert "TABLE_SCAN t" in told[1]
    assert "TABLE_SCAN u" in told[1]
    mine = {"mine": pa.table({"k": [5]})}
    text = bench.kadeql("EXPLAIN SELECT t.s FROM t JOIN mine USING (k)", tables=mine).to_arrow()[
        "explain_value"
    ]
    assert text.to_pylist()[1].count("TABLE_SCAN") == 2


def test_what_two_tables_could_be_has_no_name(bench: lb.Bench) -> None:
    bench.write("v", {"k": [1, 2], "other": [1, 2]})
    told = bench.kadeql("EXPLAIN SELECT * FROM (SELECT k FROM u UNION ALL SELECT k FROM v)").to_arrow()
    assert "TABLE_SCAN u" not in told["explain_value"][1].as_py()
    ran = (
        bench.kadeql("EXPLAIN ANALYZE SELECT u.name, v.other FROM u, v")
        .to_arrow()["explain_value"][1]
        .as_py()
    )
    assert "TABLE_SCAN u" in ran
    assert "TABLE_SCAN v" in ran


def test_the_head_says_engine_snapshot_and_cache(bench: lb.Bench) -> None:
    query = "SELECT max(s) FROM t WHERE g = 3"
    before = bench.kadeql(f"EXPLAIN {query}").to_arrow()["explain_value"][0].as_py()
    assert before.startswith("engine     duckdb:")
    assert f"snapshot   {bench.snapshot}" in before
    assert "cache      does not hold this answer" in before
    assert "ran " not in before
    bench.kadeql(query)
    assert "cache      holds" in bench.kadeql(f"EXPLAIN {query}").to_arrow()["explain_value"][0].as_py()
    assert json.loads(bench.kadeql(f"EXPLAIN (FORMAT json) {query}").to_arrow()["explain_value"][0].as_py())[
        "cached"
    ]


def test_explain_runs_nothing(bench: lb.Bench) -> None:
    told = bench.kadeql("EXPLAIN SELECT t.s FROM t JOIN u USING (k) ORDER BY t.k LIMIT 3")
    assert (told.run.rows_read, told.run.segments_read) == (0, 0)


def test_results_explain_themselves(bench: lb.Bench) -> None:
    result = bench.kadeql("SELECT s FROM t WHERE k >= 399", cache=False)
    text = result.explain()
    assert "TABLE_SCAN t" in text
    assert "rows read" in text
    assert "scan t" in text
    assert result.run.nodes[0].name == "scan t"


def test_the_other_engines_explain_too(bench: lb.Bench) -> None:
    plan = analyzed(bench, "SELECT name FROM u WHERE k = $k", {"k": 5})
    assert (plan["engine"], plan["plan"]["operator"], plan["plan"]["rows"]) == ("point", "KEY_LOOKUP", 1)
    assert plan["ran"]["rows_read"] == 1
    engines = bench._machinery.statements.runner.engines
    engines["statistics"].least_rows = 0  # type: ignore[attr-defined]
    try:
        plan = analyzed(bench, "SELECT count(*), max(k) FROM t WHERE k < 120")
    finally:
        engines["statistics"].least_rows = 1 << 17  # type: ignore[attr-defined]
    assert (plan["engine"], plan["plan"]["operator"]) == ("statistics", "STATISTICS_LOOKUP")
    assert plan["ran"]["chunks_read"] == 1
    assert plan["plan"]["detail"]["Chunks Read"] == "1"


def test_rules_are_shown_where_they_fire(bench: lb.Bench) -> None:
    reducer = bench._machinery.statements.runner.binder.reducer
    held = (reducer.least_rows, reducer.least_chunks)
    reducer.least_rows, reducer.least_chunks = 0, 0
    try:
        plan = analyzed(bench, "SELECT s FROM t ORDER BY k DESC LIMIT 2")
        ran = bench.kadeql("SELECT s FROM t ORDER BY k DESC LIMIT 2", cache=False)
    finally:
        reducer.least_rows, reducer.least_chunks = held
    assert [rule["rule"] for rule in plan["rules"]] == ["top-k"]
    scan = next(node["scan"] for node in nodes(plan["plan"]) if "scan" in node)
    assert scan["rules"] == ["top-k: the first 2 by k DESC; 7 of 8 chunks cannot matter"]
    assert (scan["rows_read"], scan["table_rows"]) == (50, 400)
    assert ran.run.nodes[-1].name == "rule top-k t"


def test_plans_of_descriptions_and_errors(bench: lb.Bench, tmp_path: Path) -> None:
    with pytest.raises(lb.errors.KadeQLError) as caught:
        bench.kadeql("EXPLAIN ANALYZE SELECT nothing FROM t")
    assert caught.value.span == (23, 30)
    assert "UNNEST" in bench.kadeql("EXPLAIN ANALYZE SUMMARIZE u").to_arrow()["explain_value"][1].as_py()
