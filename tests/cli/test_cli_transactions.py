"""Transactions in `luma-bench query`: a text is whole, or nothing of it stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import luma_bench as lb

Program = Callable[..., Any]


def _sum(path: Path) -> int:
    with lb.open(path, mode="r") as bench:
        return int(bench.kadeql("SELECT sum(n) FROM flights").to_arrow().column(0)[0].as_py())


def test_begin_and_commit_are_one_snapshot(program: Program, bench_path: Path) -> None:
    run = program(
        "query", "BEGIN; UPDATE flights SET n = 0; DELETE FROM flights WHERE carrier IS NULL; COMMIT"
    )
    assert run.returncode == 0
    assert "commit" in run.stdout
    assert _sum(bench_path) == 0
    with lb.open(bench_path, mode="r") as bench:
        assert [len(bench.at(s.id).tables()) for s in bench.snapshots()][-2:] == [1, 1]
        assert len(bench.snapshots()) == 3


def test_a_text_that_does_not_commit_is_rolled_back(program: Program, bench_path: Path) -> None:
    run = program("query", "BEGIN; UPDATE flights SET n = 0")
    assert run.returncode == 1
    assert run.stdout == ""
    assert "were rolled back" in run.stderr
    assert "COMMIT" in run.stderr
    assert _sum(bench_path) == 58674


def test_a_text_that_fails_inside_is_rolled_back(program: Program, bench_path: Path) -> None:
    run = program("query", "BEGIN; UPDATE flights SET n = 0;\nDELETE FROM flights WHERE nope; COMMIT")
    assert run.returncode == 1
    assert "was rolled back" in run.stderr
    assert "line 2: DELETE FROM flights WHERE nope; COMMIT" in run.stderr
    assert _sum(bench_path) == 58674
