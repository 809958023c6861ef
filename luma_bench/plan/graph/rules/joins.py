"""Rule 3: where no side is bound and every row is asked for, joins in SQL serve better.

Before: all pairs `(a)-[]->(b)-[]->(c)` are made here and handed over. After: the engine joins the tables itself, with its
own filters and spilling.
"""

from __future__ import annotations

from collections.abc import Sequence

from luma_bench.language.graph.pattern import Duplicates
from luma_bench.plan.graph.atoms import Kind
from luma_bench.plan.graph.bound import BoundMatch
from luma_bench.plan.graph.steps import ClausePlan, Cross, PlanStep, Start, Walk

MANY_ROWS = 2e6
"""Rows from which on the engine's joins are worth their set-up."""
SELECTIVE = 0.05
"""A start of at most this share of its tables' vertices is bound."""


def joins_better(match: BoundMatch, clauses: Sequence[ClausePlan], rows: float, share: float) -> bool:
    """Whether a plan is better as joins: unbound (the start has this share of its vertices), all rows, no cycle, no search."""
    if match.duplicates is not Duplicates.NEEDED or rows < MANY_ROWS or share <= SELECTIVE:
        return False
    steps = [step for clause in clauses for step in every(clause.steps)]
    walks = [step for step in steps if isinstance(step, Walk)]
    plain = all(len(step.ways) == 1 and step.ways[0].atom.kind is Kind.EDGE for step in walks)
    return plain and len(walks) >= 2 and all(isinstance(step, Start | Walk) for step in steps)


def every(steps: Sequence[PlanStep]) -> list[PlanStep]:
    """Steps, with those inside of others."""
    found: list[PlanStep] = []
    for step in steps:
        found.append(step)
        if isinstance(step, Cross):
            found += every(step.steps)
    return found
