"""The benchmark harness: answers before times, contenders interleaved, figures that survive JSON."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from benchmarks import environment, report
from benchmarks.agreement import same_rows
from benchmarks.harness import Case, Contender, DisagreementError, SuiteResult, Target, Timing, measure


def test_contenders_take_turns_after_their_answers_were_compared() -> None:
    calls: list[str] = []
    case = Case(
        "c",
        (
            Contender("a", lambda: calls.append("a"), lambda: calls.append("(a)")),
            Contender("b", lambda: calls.append("b")),
        ),
        lambda left, right: calls.append("compared"),
    )

    timings = measure([case], rounds=2, warmup=2)

    assert calls == ["(a)", "a", "b", "compared", "(a)", "a", "b", "(a)", "a", "b", "(a)", "a", "b"]
    assert [(t.contender, len(t.seconds)) for t in timings] == [("a", 2), ("b", 2)]


def test_answers_that_differ_are_not_timed() -> None:
    calls: list[int] = []

    def answer() -> pa.Table:
        calls.append(1)
        return pa.table({"x": [len(calls)]})

    with pytest.raises(DisagreementError, match="c: a and b answer differently: row 0, column 'x': 1 and 2"):
        measure([Case("c", (Contender("a", answer), Contender("b", answer)), same_rows)], rounds=50)
    assert len(calls) == 2


EQUAL = [
    ({"x": [1, None, 2]}, {"x": [2, 1, None]}),
    ({"x": [0.1 + 0.2]}, {"x": [0.3]}),
    ({"x": [math.nan, 1.0]}, {"x": [1.0, math.nan]}),
    ({"x": [0.0]}, {"x": [-0.0]}),
    ({"k": ["b", "a"], "x": [1.0, 2.0]}, {"k": ["a", "b"], "x": [2.0, 1.0 + 1e-12]}),
    ({"x": [[1, None], [2]]}, {"x": [[2], [1, None]]}),
    ({"x": [{"a": 1.0}]}, {"x": [{"a": 1.0 + 1e-13}]}),
    ({"x": [Decimal("1.10")]}, {"x": [Decimal("1.1")]}),
]
DIFFERENT = [
    ({"x": [1]}, {"x": [1, 1]}),
    ({"x": [1]}, {"y": [1]}),
    ({"x": [1, 1, 2]}, {"x": [1, 2, 2]}),
    ({"x": [None]}, {"x": [0.0]}),
    ({"x": [math.nan]}, {"x": [None]}),
    ({"x": [1.0]}, {"x": [1.0001]}),
    ({"x": [""]}, {"x": [None]}),
    ({"x": [[1]]}, {"x": [[1, None]]}),
]


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_the_same_rows_agree(left: dict[str, list[object]], right: dict[str, list[object]]) -> None:
    assert same_rows(pa.table(left), pa.table(right)) is None


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_other_rows_disagree(left: dict[str, list[object]], right: dict[str, list[object]]) -> None:
    with pytest.raises(DisagreementError):
        same_rows(pa.table(left), pa.table(right))


def test_order_counts_where_it_is_asked_for() -> None:
    with pytest.raises(DisagreementError, match="row 0"):
        same_rows(pa.table({"x": [1, 2]}), pa.table({"x": [2, 1]}), ordered=True)


def sample() -> SuiteResult:
    timings = (
        Timing("q1", "peer", (0.10, 0.20, 0.30), 1_000_000),
        Timing("q1", "luma", (0.40, 0.40, 0.40), 1_000_000),
        Timing("q2", "peer", (0.2, 0.2, 0.2)),
        Timing("q2", "luma", (0.1, 0.1, 0.1)),
    )
    return SuiteResult(
        "s",
        "A suite",
        "luma",
        "peer",
        timings,
        (Target("total", 1.25, 1.15, " x"),),
        ("A note.",),
        summed=True,
    )


def test_figures() -> None:
    suite = sample()
    assert suite.cases == ("q1", "q2")
    assert suite.ratio("q1", "luma") == pytest.approx(2.0)
    assert suite.total("luma") == pytest.approx(0.5)
    assert suite.total_ratio("luma") == pytest.approx(1.25)
    assert suite.geomean("luma") == pytest.approx(1.0)
    assert not suite.targets[0].met
    assert Target("speed", 0.7, 0.6, " x", at_least=True).met
    assert Timing("c", "a", tuple(float(n) for n in range(1, 101))).p99 == 99.0


def test_a_run_survives_json_and_becomes_markdown(tmp_path: Path) -> None:
    document = report.to_document(environment.describe(tmp_path), {"scale": 1}, [sample()])

    as_json, as_markdown = report.write(document, tmp_path)

    back = json.loads(as_json.read_text("utf-8"))
    assert report.from_record(back["suites"][0]) == sample()
    text = as_markdown.read_text("utf-8")
    assert "| case | peer | best | MB/s | luma | best | MB/s | ratio |" in text
    assert "| q1 | 200 ms | 100 ms | 5 | 400 ms | 400 ms | 2 | 2.00 |" in text
    assert "| total | 400 ms |" in text
    assert "**missed**: total: 1.25 x (target: at most 1.15 x)" in text
    assert "duckdb 2." in text
    assert str(tmp_path) not in text


def test_the_table_prints(capsys: pytest.CaptureFixture[str]) -> None:
    report.console(sample(), Console(width=120))
    printed = capsys.readouterr().out
    assert "A suite" in printed
    assert "geometric mean" in printed
    assert "missed" in printed


def test_cpu_seconds_are_taken_and_compared_where_both_ran() -> None:
    timings = measure(
        [
            Case(
                "c",
                (
                    Contender("peer", lambda: sum(range(20_000))),
                    Contender("other", lambda: sum(range(20_000))),
                ),
            )
        ],
        rounds=3,
    )
    result = SuiteResult("s", "t", "other", "peer", timings)
    assert all(len(timing.cpu) == 3 for timing in timings)
    ratio = result.cpu_ratio("other")
    assert ratio is not None
    assert ratio > 0

    told = SuiteResult(
        "s",
        "t",
        "other",
        "peer",
        (
            Timing("a", "peer", (1.0,), cpu=(2.0, 2.0, 9.0)),
            Timing("a", "other", (1.0,), cpu=(1.0,)),
            Timing("b", "other", (1.0,), cpu=(50.0,)),
        ),
    )
    assert told.cpu_ratio("other") == 0.5
    assert told.cpu_ratio("third") is None
