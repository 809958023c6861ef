"""Plans of the engine as one typed tree: every operator keeps its name, its details and its figures."""

from __future__ import annotations

import json

import duckdb
import pytest

from luma_bench.engines.duck_profile import plan_tree
from luma_bench.errors import EngineError
from luma_bench.plan.explain_tree import head_text, tree_text
from luma_bench.plan.profile import SCAN, FiredRule, PlanTree, Profile, ScanFigures

ANALYZED = {
    "operator": [{
        "type": "RESULT_COLLECTOR", "extra_info": {}, "children": [{
            "type": "EXPLAIN_ANALYZE", "extra_info": {}, "children": [{
                "type": "HASH_JOIN", "timing": 0.5, "intermediate_rows": 3, "intermediate_size_bytes": 24,
                "extra_info": {"Join Type": "INNER", "Conditions": ["a = b", "c = d"], "Estimated Cardinality": "12"},
                "children": [
                    {"type": "TABLE_SCAN", "intermediate_rows": 9, "extra_info": {"Projections": "__luma_rows_t.a"}, "children": []},
                    {"type": "CTE_SCAN", "extra_info": {"CTE Index": "0"}},
                ],
            }],
        }],
    }],
}  # fmt: skip


def test_an_analyzed_plan() -> None:
    tree = plan_tree(json.dumps(ANALYZED))
    assert tree is not None
    assert (tree.operator, tree.rows_estimated, tree.rows, tree.seconds, tree.nbytes) == (
        "HASH_JOIN",
        12,
        3,
        0.5,
        24,
    )
    assert tree.detail == (("Join Type", "INNER"), ("Conditions", ("a = b", "c = d")))
    scan, cte = tree.children
    assert scan.is_scan
    assert scan.about("Projections") == "t.a"
    assert (cte.operator, cte.rows, cte.about("CTE Index"), cte.about("none")) == (
        "CTE_SCAN",
        None,
        "0",
        None,
    )
    assert [node.operator for node in tree.walk()] == ["HASH_JOIN", SCAN, "CTE_SCAN"]


@pytest.mark.parametrize("text", ["", "plan", "[1]", '{"x": 1}', "[]"])
def test_what_is_no_plan_is_an_error(text: str) -> None:
    with pytest.raises(EngineError, match="could not be read"):
        plan_tree(text)


SHAPES = {
    "WITH c AS MATERIALIZED (SELECT g, sum(k) s FROM t GROUP BY g) SELECT * FROM c a JOIN c b USING (g)": {"CTE", "CTE_SCAN", "HASH_JOIN"},
    "SELECT k, (SELECT max(k) FROM t u WHERE u.g = t.g AND u.k <> t.k) FROM t": {"HASH_JOIN"},
    "SELECT * FROM t ASOF JOIN u ON t.k >= u.k": {"ASOF_JOIN"},
    "SELECT k, lag(k) OVER (PARTITION BY g ORDER BY k) FROM t": {"WINDOW"},
    "SELECT first_value(k) OVER () FROM t": {"STREAMING_WINDOW"},
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r": {"DUMMY_SCAN"},
    "SELECT g, count(*) FROM t GROUP BY CUBE (g)": {"CTE", "UNION"},
    "SELECT k FROM t EXCEPT SELECT k FROM u": set(),
    "SELECT unnest([k, g]) FROM t": {"UNNEST"},
    "SELECT * FROM t, u": {"CROSS_PRODUCT"},
    "SELECT DISTINCT ON (g) * FROM t ORDER BY g, k": set(),
}  # fmt: skip


@pytest.mark.parametrize("text", SHAPES)
def test_every_operator_keeps_its_name(text: str) -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS SELECT range AS k, range % 7 AS g FROM range(100)")
        con.execute("CREATE TABLE u AS SELECT range * 3 AS k FROM range(40)")
        rows = len(con.execute(text).fetchall())
        for options in ("FORMAT JSON", "ANALYZE, FORMAT JSON"):
            told = con.execute(f"EXPLAIN ({options}) {text}").fetchall()[0][1]
            tree = plan_tree(told)
            assert tree is not None
            operators = {node.operator for node in tree.walk()}
            assert SHAPES[text] <= {
                name.removeprefix("LEFT_DELIM_").removeprefix("RIGHT_DELIM_") for name in operators
            }
            assert all(operators)
            assert "RESULT_COLLECTOR" not in operators
            assert tree_text(tree)
            named = {item for item in told.split('"') if item.isupper() and "_" in item and len(item) > 4}
            assert operators - named <= {
                SCAN,
                "UNNEST",
                "CTE",
                "FILTER",
                "WINDOW",
                "UNION",
                "PROJECTION",
                "LIMIT",
            }
        assert tree.answer_rows == rows


def test_text_and_json_show_everything() -> None:
    scan = ScanFigures("t", 1_000, ("k > 3",), ("top-k: the first 3 by k",), 100, 2_000, 1, 7, 1, 4)
    tree = PlanTree(
        "TOP_N",
        (("Order By", "k"), ("Top", "3")),
        3,
        3,
        0.0012,
        24,
        (
            PlanTree(
                SCAN, (("Filters", '"k" > 3'), ("Projections", ("k", "g"))), 1_000, 100, 0.5, 800, (), scan
            ),
        ),
    )
    rule = FiredRule("top-k", "t", "the first 3 by k; 4 of 5 chunks cannot matter")
    totals = {"rows_read": 100, "bytes_read": 2_000, "segments_read": 1, "segments_pruned": 7, "chunks_read": 1,
              "chunks_pruned": 4, "seconds": 0.002}  # fmt: skip
    profile = Profile(
        "duckdb", "embedded", 5, tree, {"duckdb": 0.001}, ("gpu: none",), (rule,), True, "", totals
    )
    assert head_text(profile).splitlines() == [
        "engine     duckdb: embedded",
        "snapshot   5",
        "estimate   duckdb 1.0 ms",
        "fallback   gpu: none",
        "cache      holds this answer",
        "rule       top-k on t: the first 3 by k; 4 of 5 chunks cannot matter",
        "ran        100 rows read, 2.0 kB; segments 1 read, 7 pruned; chunks 1 read, 4 pruned; 2.0 ms",
    ]
    assert tree_text(tree).splitlines() == [
        "operator         est. rows  rows    time  bytes",
        "TOP_N                   ~3     3  1.2 ms   24 B",
        "│   Order By: k",
        "│   Top: 3",
        "└─ TABLE_SCAN t     ~1,000   100  500 ms  800 B",
        "       Projections: k, g",
        "       applied: k > 3",
        "       rule: top-k: the first 3 by k",
        "       read 100 of 1,000 rows, 2.0 kB; segments 1 read, 7 pruned; chunks 1 read, 4 pruned",
    ]
    shown = profile.as_dict()
    assert json.loads(json.dumps(shown)) == shown
    assert shown["rules"] == [{"rule": "top-k", "table": "t", "detail": rule.detail}]
    assert shown["plan"]["children"][0]["scan"]["chunks_pruned"] == 4
    assert shown["plan"]["children"][0]["detail"] == {"Filters": '"k" > 3', "Projections": ["k", "g"]}
