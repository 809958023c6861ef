"""Random statements: an engine gives DuckDB's answer over the same Arrow data, types included, or refuses."""

from __future__ import annotations

import os
from collections.abc import Callable

import duckdb
import pyarrow as pa
import pytest
from conformance_cases import SUMS, Question
from conformance_grammar import statements
from conformance_run import Asker, Failed, Refused
from conformance_same import table_differences
from conformance_support import recorded
from hypothesis import given, settings

ENGINES = [engine for engine in recorded() if engine not in ("point", "statistics")]
FEW = {"duckdb": 8, "dask": 12}
"""Statements of an ordinary run; 20 where nothing is said."""
MANY = int(os.environ.get("LUMA_CONFORMANCE_STATEMENTS", "600"))


def compare(asker: Asker, text: str) -> bool:
    """Whether the engine answered; raises where its answer, or its error, is not DuckDB's."""
    found = asker.ask(text)
    if isinstance(found, Refused):
        return False
    try:
        wanted: pa.Table | None = asker.peer(Question("", text))
    except duckdb.Error:
        wanted = None
    if isinstance(found, Failed):
        assert wanted is None, f"{text}\n{found.error}"
        return True
    assert wanted is not None, f"{text}\nan answer where DuckDB has none"
    problem = table_differences(found, wanted, ordered="LIMIT 7" in text or "OFFSET" in text, tolerance=SUMS)
    assert problem == "", text
    return True


def run(asker: Asker, examples: int) -> float:
    """Compare so many statements; the share that was answered."""
    answered: list[bool] = []

    @settings(max_examples=examples, deadline=None)
    @given(statements())
    def check(text: str) -> None:
        answered.append(compare(asker, text))

    check()
    return sum(answered) / len(answered)


# Dask's own threads draw from Python's `random` now and then, which Hypothesis takes for a strategy that does.
@pytest.mark.filterwarnings("ignore:Do not use the .random. module inside strategies")
@pytest.mark.parametrize("engine", ENGINES)
def test_random_statements_of_an_engine(asker: Callable[[str], Asker], engine: str) -> None:
    # Were most refused, this test would compare nothing.
    assert run(asker(engine), FEW.get(engine, 20)) >= 0.5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Do not use the .random. module inside strategies")
@pytest.mark.parametrize("engine", ENGINES)
def test_many_random_statements_of_an_engine(asker: Callable[[str], Asker], engine: str) -> None:
    assert run(asker(engine), MANY) >= 0.5
