"""Every engine gives the answer that an oracle gives which shares no code with it, types included, or refuses and says why.

What each engine answers and refuses is recorded in `support.json`: an engine that learns something, or forgets it, is recorded
anew with `python tests/engines/conformance/conformance_main.py`, and `make docs` writes the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from conformance_engines import LOOKING_UP
from conformance_run import Asker, names
from conformance_support import FAMILIES, known_wrong, recorded, refusals

import luma_bench as lb

RECORDED = recorded()
AGAIN = "record it: python tests/engines/conformance/conformance_main.py, then make docs"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("engine", RECORDED)
def test_an_engine_answers_as_the_oracle_or_refuses(
    asker: Callable[[str], Asker], engine: str, family: str
) -> None:
    expected = refusals(FAMILIES[family], RECORDED[engine][family])
    outcome = asker(engine).family(FAMILIES[family], expected)
    assert outcome.wrong == {}
    assert outcome.refused == expected, AGAIN
    assert len(outcome.passed) + len(outcome.skipped) == RECORDED[engine][family]["passed"], AGAIN
    assert outcome.known == RECORDED[engine][family].get("wrong", {}), AGAIN


@pytest.mark.slow
@pytest.mark.parametrize("engine", [engine for engine in RECORDED if engine not in LOOKING_UP])
def test_every_case_by_itself(asker: Callable[..., Asker], engine: str) -> None:
    one_by_one = asker(engine, thorough=True)
    for name, family in FAMILIES.items():
        expected = refusals(family, RECORDED[engine][name])
        outcome = one_by_one.family(family, expected)
        assert outcome.wrong == {}
        assert outcome.refused == expected, AGAIN
        assert outcome.skipped == []


@pytest.mark.parametrize(
    ("engine", "family", "case"),
    [
        pytest.param(engine, family, case, marks=pytest.mark.xfail(reason=reason, strict=True))
        for engine, family, case, reason in known_wrong()
    ],
)
def test_an_answer_that_is_known_to_be_wrong(
    asker: Callable[[str], Asker], engine: str, family: str, case: str
) -> None:
    assert asker(engine).family(FAMILIES[family], only=case).wrong == {}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_embedded_engine_refuses_nothing_and_cases_have_names_of_their_own(family: str) -> None:
    listed = list(names(FAMILIES[family]))
    assert len(set(listed)) == len(listed)
    kept = RECORDED["duckdb"][family]
    assert kept["passed"] + len(kept.get("wrong", {})) == len(listed)
    assert refusals(FAMILIES[family], kept) == {}


def test_every_case_of_every_engine_is_accounted_for() -> None:
    for engine, families in RECORDED.items():
        assert families.keys() == FAMILIES.keys(), engine
        for name, kept in families.items():
            counted = kept["passed"] + len(refusals(FAMILIES[name], kept)) + len(kept.get("wrong", {}))
            assert counted == len(list(names(FAMILIES[name]))), (engine, name)


def test_a_clusters_answers_are_put_together_of_parts(
    opened: Callable[[str], tuple[lb.Bench, lb.Bench]],
) -> None:
    if "dask" not in RECORDED:
        pytest.skip("the engine is not recorded")
    bench, _ = opened("dask")
    for text, stages in [
        ("SELECT g, sum(x) AS s FROM facts GROUP BY g", 2),
        ("SELECT a.id, b.w FROM facts a JOIN dims b ON a.g = b.g", 3),
        ("SELECT id, sum(k) OVER (PARTITION BY g ORDER BY id) AS s FROM facts", 2),
    ]:
        run = bench.kadeql(text, engine="dask", strict=True, cache=False).run
        moved = [
            node
            for node in run.nodes
            if node.name.startswith("stage") and re.match(r"[2-9] tasks", node.detail)
        ]
        assert len(moved) >= stages, run.nodes
