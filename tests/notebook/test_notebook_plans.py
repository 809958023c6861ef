"""Cells that show plans: `--explain`, `--profile` and EXPLAIN."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from IPython.utils.capture import CapturedIO

from luma_bench.errors import KadeQLSyntaxError

Cell = Callable[[str], tuple[Any, CapturedIO]]
Failing = Callable[[str], tuple[BaseException, str]]


@pytest.fixture
def opened(cell: Cell, bench_path: Path) -> Path:
    cell(f"%luma open {bench_path}")
    return bench_path


def test_explain_shows_the_plan(cell: Cell, opened: Path):
    result, captured = cell("%%kadeql --explain\nSELECT count(*) FROM flights")
    assert result.schema.names == ["explain_key", "explain_value"]
    assert "duckdb" in captured.stdout


def test_a_plan_is_a_drawing_and_its_text(cell: Cell, opened: Path, shell: Any):
    for source in (
        "%%kadeql --explain\nSELECT carrier FROM flights",
        "%kadeql EXPLAIN SELECT carrier FROM flights",
    ):
        data, _ = shell.display_formatter.format(cell(source)[0])
        assert "TABLE_SCAN flights" in data["text/plain"]
        assert "<svg" in data["text/html"]
        assert data["application/vnd.luma-bench.plan+json"]["steps"][0]["operator"] == "TABLE_SCAN"
    json, _ = shell.display_formatter.format(
        cell("%kadeql EXPLAIN (FORMAT json) SELECT carrier FROM flights")[0]
    )
    assert "<svg" not in json["text/html"]


def test_explain_runs_nothing(cell: Cell, failing: Failing, opened: Path, shell: Any):
    before = shell.user_ns["bench"].snapshot
    error, said = failing("%%kadeql --explain\nSELECT 1; INSERT INTO flights VALUES ('EV', 9)")
    assert isinstance(error, KadeQLSyntaxError)
    assert "one statement" in said
    assert shell.user_ns["bench"].snapshot == before


def test_profile_shows_the_measured_plan_and_the_rows(cell: Cell, opened: Path, shell: Any):
    result, captured = cell("%%kadeql --profile\nSELECT carrier, count(*) AS n FROM flights GROUP BY 1")
    plan = captured.outputs[0].data
    assert "TABLE_SCAN flights" in plan["text/plain"]
    assert "<svg" in plan["text/html"]
    scan = plan["application/vnd.luma-bench.plan+json"]["steps"][-1]
    assert (scan["operator"], scan["rows"], scan["scan"]["rows_read"]) == ("TABLE_SCAN", 4, 4)
    assert scan["seconds"] >= 0
    data, _ = shell.display_formatter.format(result)
    assert "TABLE_SCAN" not in data["text/plain"]
    assert "<svg" not in data["text/html"]


def test_a_named_profile_shows_its_plan_under_the_line(cell: Cell, opened: Path, shell: Any):
    nothing, captured = cell("%%kadeql late << --profile\nSELECT count(*) AS n FROM flights WHERE n > 1")
    assert nothing is None
    line, plan = captured.outputs
    assert "late = 1 row" in line.data["text/plain"]
    assert "application/vnd.luma-bench.plan+json" in plan.data


def test_what_has_no_plan_shows_its_record(cell: Cell, opened: Path):
    _, captured = cell("%%kadeql --profile\nINSERT INTO flights VALUES ('EV', 9)")
    assert "elapsed" in captured.outputs[0].data["text/plain"]
