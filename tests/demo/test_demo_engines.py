"""The tour's fifth notebook: one question, the same answer from every engine, and what each says of itself."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

import luma_bench as lb
from luma_bench.demo import notebook_engines
from luma_bench.demo.engines import QUESTION, answers, records
from luma_bench.errors import UnsupportedError


def test_the_notebook_of_the_repository_is_the_composed_one() -> None:
    kept = nbformat.read(notebook_engines.FILE, as_version=4)
    assert kept == notebook_engines.compose(), "run: python -m luma_bench.demo.notebook_engines"


def test_engines_answer_alike_and_say_who_answered(small_tour: Path) -> None:
    with lb.open(small_tour, mode="r") as bench:
        question = QUESTION.replace(">= 1000", ">= 1")
        found = answers(bench, ("duckdb", "polars"), question)
        told = records(found).to_pylist()

        assert found["duckdb"].to_arrow().num_rows > 3
        assert [row["engine"] for row in told] == ["duckdb", "polars"]
        assert all(row["reason"] == "as asked" and row["fallbacks"] == 0 for row in told)


def test_an_engine_that_is_not_here_is_an_error(small_tour: Path) -> None:
    with lb.open(small_tour, mode="r") as bench, pytest.raises(UnsupportedError, match="gpu"):
        answers(bench, ("duckdb", "gpu"))
