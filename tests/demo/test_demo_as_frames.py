"""The ten questions as frames give what their texts give."""

from __future__ import annotations

import decimal
import math
from pathlib import Path
from typing import Any

import nbformat
import pytest

import luma_bench as lb
from luma_bench.demo import notebook_frames
from luma_bench.demo.as_frames import ANSWERS
from luma_bench.demo.questions import QUESTIONS


def plain(value: Any) -> Any:
    return float(value) if isinstance(value, int | decimal.Decimal) and not isinstance(value, bool) else value


@pytest.mark.parametrize("number", range(1, 11))
def test_the_same_rows(small_tour: Path, number: int) -> None:
    question, answer = QUESTIONS[number - 1], ANSWERS[number - 1]
    with lb.open(small_tour, mode="r") as bench:
        expected = bench.kadeql(question.text, params=dict(question.params)).to_arrow()
        found = answer(bench).to_arrow()
    assert found.column_names == expected.column_names
    assert found.num_rows == expected.num_rows
    for mine, theirs in zip(found.to_pylist(), expected.to_pylist(), strict=True):
        for name, value in theirs.items():
            a, b = plain(mine[name]), plain(value)
            # Halves are rounded to the even neighbour by frames, and away from zero by SQL.
            same = (
                math.isclose(a, b, abs_tol=0.11) if isinstance(b, float) and isinstance(a, float) else a == b
            )
            assert same, (name, mine, theirs)


def test_the_notebook_of_the_repository_is_the_composed_one() -> None:
    kept = nbformat.read(notebook_frames.FILE, as_version=4)
    assert kept == notebook_frames.compose(), "run: python -m luma_bench.demo.notebook_frames"


def test_the_notebooks_cells_agree_with_the_texts(small_tour: Path) -> None:
    cells = {cell.id: cell.source for cell in notebook_frames.compose().cells if cell.cell_type == "code"}
    with lb.open(small_tour, mode="r") as bench:
        names: dict[str, Any] = {"bench": bench}
        exec(cells["imports"], names)
        for number in range(1, 11):
            exec(cells[f"answer-{number}"], names)
            assert eval(cells[f"agrees-{number}"], names).endswith(f"question {number}")
        assert eval(cells["text-run"], names) is True
