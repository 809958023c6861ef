"""What ran, why, and what did not stand in the record, the badge and the plan; strict makes a fallback an error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import luma_bench as lb
from luma_bench.plan.engine import Engine, Estimate, Inputs, SqlFragment
from luma_bench.plan.profile import PlanTree
from luma_bench.types.record import NodeRecord

sys.path.insert(0, str(Path(__file__).parents[1] / "engines"))
from router_cases import Told, given_back

QUERY = "SELECT g, sum(x) AS s FROM t GROUP BY g ORDER BY g"
WANTED = [{"g": "a", "s": 4}, {"g": "b", "s": 2}]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[lb.Bench]:
    with lb.open(tmp_path / "b.luma") as bench:
        bench.write("t", pa.table({"g": ["a", "b", "a"], "x": pa.array([1, 2, 3], pa.int32())}))
        yield bench


def engines(bench: lb.Bench) -> dict[str, Engine]:
    held: Any = bench._machinery.statements.runner.engines
    return held


def placed(bench: lb.Bench, kind: type[Told] = Told, name: str = "helper", **told: Any) -> Told:
    """An engine beside the bench's own; it runs what it is given on the embedded one."""
    here = engines(bench)
    here[name] = engine = kind(name, here["duckdb"], **told)
    return engine


def test_an_engine_by_name_runs_and_is_named(bench: lb.Bench) -> None:
    placed(bench, estimate=Estimate(0.5, 100))
    answer = bench.kadeql(QUERY, engine="helper", strict=True)
    assert answer.to_arrow().to_pylist() == WANTED
    assert (answer.run.engine, answer.run.reason, answer.run.fallbacks) == ("helper", "as asked", ())
    assert answer.run.estimates["helper"] == 0.5
    assert answer.run.badge.startswith("helper (as asked) · snapshot 2 · 3 rows read")


def test_a_run_that_is_given_back_is_run_again_and_said(bench: lb.Bench) -> None:
    helper = placed(bench, raises=given_back)
    answer = bench.kadeql(QUERY, engine="helper")
    assert answer.to_arrow().to_pylist() == WANTED
    run = answer.run
    assert (run.engine, run.reason) == (
        "duckdb",
        "instead of helper, which gave it up: the scheduler went away",
    )
    assert run.fallbacks == ("helper gave it up while it ran: the scheduler went away; duckdb ran it again",)
    assert run.fallbacks[0] in run.warnings
    assert run.badge.startswith("duckdb (instead of helper, which gave it up: the scheduler went away) · ")
    assert run.badge.endswith(" · 1 fallback")
    assert {node.engine for node in run.nodes} == {"duckdb"}
    assert helper.asked == ["supports", "estimate", "run"]
    told = answer.explain()
    assert told.startswith("engine     duckdb: instead of helper, which gave it up: the scheduler went away")
    assert "fallback   helper gave it up while it ran" in told


def test_an_answer_after_a_fallback_is_not_kept(bench: lb.Bench) -> None:
    placed(bench, raises=given_back)
    assert bench.kadeql(QUERY, engine="helper").run.fallbacks
    placed(bench)
    again = bench.kadeql(QUERY, engine="helper").run
    assert (again.engine, again.cached, again.fallbacks) == ("helper", False, ())
    assert bench.kadeql(QUERY, engine="helper").run.cached


def test_a_fallback_is_shown_once(bench: lb.Bench) -> None:
    text = repr(bench.kadeql(QUERY, engine="gpu"))
    assert text.count("was asked for and not used") == 1


def test_strict_makes_it_an_error(bench: lb.Bench) -> None:
    placed(bench, raises=given_back)
    with pytest.raises(
        lb.errors.UnsupportedError, match="engine='helper' gave this up while it ran"
    ) as caught:
        bench.kadeql(QUERY, engine="helper", strict=True)
    assert "Leave out strict" in str(caught.value)


def test_nothing_else_is_swallowed(bench: lb.Bench) -> None:
    for error in (
        lb.errors.EngineError("The worker died."),
        lb.errors.CancelledError("Cancelled."),
        ZeroDivisionError(),
    ):
        placed(bench, raises=lambda error=error: error)
        with pytest.raises(type(error)):
            bench.kadeql(QUERY, engine="helper", cache=False)


def test_errors_of_the_rerun_point_into_the_users_text(bench: lb.Bench) -> None:
    placed(bench, raises=given_back)
    with pytest.raises(lb.errors.KadeQLError) as caught:
        bench.kadeql("-- a comment\nSELECT nope FROM t", engine="helper")
    assert (caught.value.line, caught.value.column) == (2, 8)


def test_a_stream_is_given_back(bench: lb.Bench) -> None:
    placed(bench, raises=given_back, after=0)
    assert bench.stream(QUERY, engine="helper").read_all().to_pylist() == WANTED
    with pytest.raises(lb.errors.UnsupportedError, match="gave this up"):
        bench.stream(QUERY, engine="helper", strict=True).read_all()
    placed(bench, raises=given_back, after=1)
    with pytest.raises(lb.errors.EngineError, match="gave up after 1 rows"):
        bench.stream(QUERY, engine="helper").read_all()


def test_frames_fall_back_too(bench: lb.Bench) -> None:
    placed(bench, name="polars", raises=given_back)
    frame = bench.table("t")
    answer = frame._executor.execute("SELECT count(*) AS n FROM t", engine="polars")
    assert answer.to_arrow().to_pylist() == [{"n": 3}]
    assert answer.run.badge.endswith("· 1 fallback")


def test_auto_gives_a_long_query_to_a_better_engine(bench: lb.Bench) -> None:
    helper = placed(bench, automatic=True, estimate=Estimate(0.0001, 100))
    assert bench.kadeql(QUERY, cache=False).run.engine == "duckdb"
    assert helper.asked == []
    own = engines(bench)["duckdb"]
    engines(bench)["duckdb"] = slow = Told(
        "duckdb", own, automatic=True, complete=True, estimate=Estimate(3.0, 100)
    )
    run = bench.kadeql(QUERY, cache=False).run
    assert (run.engine, run.reason) == ("helper", "about 0.1 ms, duckdb 3.0 s")
    assert run.estimates == {"duckdb": 3.0, "helper": 0.0001}
    assert slow.asked == ["estimate"]


def test_an_engines_own_report_is_in_the_record(bench: lb.Bench) -> None:
    class Reporting(Told):
        def run(self, fragment: SqlFragment, inputs: Inputs) -> pa.Table:
            inputs.report.nodes.append(NodeRecord("stage 0", self.name, 10, 3, 99, 0.5, "2 tasks"))
            inputs.report.warnings.append("a worker came back")
            return super().run(fragment, inputs)

    placed(bench, Reporting)
    answer = bench.kadeql(QUERY, engine="helper", strict=True)
    assert answer.run.nodes[-1].name == "stage 0"
    assert "a worker came back" in answer.run.warnings
    told = bench.kadeql(f"EXPLAIN ANALYZE {QUERY}", engine="helper").to_arrow()["explain_value"].to_pylist()
    assert told[0].startswith("engine     helper: as asked")
    assert "ANSWER" in told[1]
    assert "stage 0" in told[1]
    assert "2 tasks" in told[1]


def test_explain_shows_every_engine(bench: lb.Bench) -> None:
    placed(bench, estimate=Estimate(0.5, 2_000_000, "", "3 tasks"))
    placed(bench, name="dask", problem="it has a PIVOT")
    head = bench.kadeql(f"EXPLAIN {QUERY}").to_arrow()["explain_value"][0].as_py().splitlines()
    assert head[0] == "engine     duckdb: embedded"
    assert any(line.startswith("estimate   duckdb 1.0 ms") for line in head)
    assert "estimate   helper 500 ms, holds 2.0 MB: 3 tasks; only when asked for" in head
    assert "why not    dask: it has a PIVOT" in head
    assert any(line.startswith("why not    gpu: ") for line in head)
    assert any(line.startswith("why not    point: ") for line in head)
    assert any(line.startswith("machine    memory ") for line in head)
    shown = json.loads(bench.kadeql(f"EXPLAIN (FORMAT JSON) {QUERY}").to_arrow()["explain_value"][0].as_py())
    by_name = {item["engine"]: item for item in shown["engines"]}
    assert by_name["dask"] == {"engine": "dask", "why_not": "it has a PIVOT"}
    assert by_name["helper"]["seconds"] == 0.5
    assert shown["estimates"].keys() == {"duckdb"}


def test_after_a_run_the_estimate_stands_beside_the_truth(bench: lb.Bench) -> None:
    head = bench.kadeql(f"EXPLAIN ANALYZE {QUERY}").to_arrow()["explain_value"][0].as_py()
    assert any(
        line.startswith("estimate   duckdb 1.0 ms") and ", took " in line for line in head.splitlines()
    )
    assert ", took " in bench.kadeql(QUERY, cache=False).explain()


def test_whose_plan_is_shown(bench: lb.Bench) -> None:
    class Planning(Told):
        def plan(self, fragment: SqlFragment, inputs: Inputs) -> PlanTree:
            if self._raises is not None:
                raise self._raises()
            return PlanTree("STAGES", (("Rounds", "2"),), 7)

    placed(bench)
    bare = bench.kadeql(f"EXPLAIN {QUERY}", engine="helper").to_arrow()["explain_value"].to_pylist()
    assert "plan       as duckdb would run it: helper shows none of its own" in bare[0]
    assert "TABLE_SCAN t" in bare[1]
    placed(bench, Planning)
    own = bench.kadeql(f"EXPLAIN {QUERY}", engine="helper").to_arrow()["explain_value"].to_pylist()
    assert "plan       " not in own[0]
    assert "STAGES" in own[1]
    placed(bench, Planning, raises=given_back)
    other = bench.kadeql(f"EXPLAIN {QUERY}", engine="helper").to_arrow()["explain_value"].to_pylist()
    assert "TABLE_SCAN t" in other[1]


def test_a_gpu_that_is_not_there(bench: lb.Bench) -> None:
    run = bench.kadeql(QUERY, engine="gpu").run
    assert run.engine == "duckdb"
    assert run.reason.startswith("instead of gpu: ")
    assert run.badge.endswith(" · 1 fallback")
    with pytest.raises(lb.errors.UnsupportedError, match="engine='gpu' cannot run this: "):
        bench.kadeql(QUERY, engine="gpu", strict=True)
