"""Transactions over the cells of a notebook: what is open stays open, and is seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from luma_bench.errors import KadeQLBindError

Cell = Callable[[str], tuple[Any, Any]]
Failing = Callable[[str], tuple[BaseException, str]]


@pytest.fixture
def opened(cell: Cell, bench_path: Path) -> Path:
    cell(f'%luma open "{bench_path}"')
    return bench_path


def _count(cell: Cell) -> int:
    result, _ = cell("%kadeql SELECT count(*) AS n FROM flights")
    return result.to_arrow()["n"][0].as_py()


def test_begin_lasts_over_cells_and_python(cell: Cell, opened: Path):
    cell("%kadeql BEGIN")
    changed, _ = cell("%%kadeql\nDELETE FROM flights WHERE n < 3")
    assert "in transaction" in changed.run.badge
    assert "in transaction" in changed._repr_html_()
    cell("bench.write('flights', {'carrier': ['XX'], 'n': [9]}, mode='append')")
    assert _count(cell) == 3
    assert "in a transaction: COMMIT or ROLLBACK ends it" in repr(cell("%luma")[0])
    cell("%kadeql COMMIT")
    assert "in a transaction" not in repr(cell("%luma")[0])
    assert _count(cell) == 3


def test_a_cell_that_fails_leaves_the_transaction_open(cell: Cell, failing: Failing, opened: Path):
    error, said = failing("%%kadeql\nBEGIN;\nTRUNCATE flights;\nSELECT nope FROM flights")
    assert isinstance(error, KadeQLBindError)
    assert "line 4" in said
    assert "in a transaction" in repr(cell("%luma")[0])
    assert _count(cell) == 0
    cell("%kadeql ROLLBACK")
    assert _count(cell) == 4


def test_a_variable_is_not_changed(cell: Cell, failing: Failing, opened: Path):
    cell("import pandas as pd; frame = pd.DataFrame({'a': [1]})")
    error, said = failing("%kadeql DELETE FROM frame")
    assert isinstance(error, KadeQLBindError)
    assert "bench.write('frame', …)" in said
