"""Asking a bench random questions about graphs, and the shapes of statements that the questions may stand in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, Literal

import brute
from random_graphs import Sample
from random_patterns import Asked, asked, expected, item_text, pattern_text

import luma_bench as lb


@contextmanager
def planned(bench: lb.Bench, plan: Literal["auto", "csr", "sql"]) -> Iterator[None]:
    """Within it every match runs over adjacency, or as joins, where `auto` leaves it to the planner."""
    graphs = bench._machinery.statements.runner.binder.graphs
    before, graphs.plan = graphs.plan, plan
    try:
        yield
    finally:
        graphs.plan = before


def rows(bench: lb.Bench, text: str, **given: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in bench.kadeql(text, cache=False, **given).to_arrow().to_pylist()]


def same(one: list[tuple[Any, ...]], other: list[tuple[Any, ...]]) -> None:
    """Assert that two answers are equal as multisets; the message shows what only one of them has."""
    left, right = Counter(map(repr, one)), Counter(map(repr, other))
    assert left == right, (
        f"only the first {list((left - right).items())[:3]}, only the other {list((right - left).items())[:3]}"
    )


def question(random: Random, sample: Sample) -> tuple[Asked, list[tuple[Any, ...]]] | None:
    """A random pattern and its rows; None for one that has no answer to check: no column, or too many rows."""
    made = asked(random, sample.graph)
    if not made.columns or not _possible(made, sample):
        return None
    try:
        return made, expected(brute.Matcher(sample.graph, most=1_500), made)
    except OverflowError:
        return None


def _possible(question: Asked, sample: Sample) -> bool:
    """Whether some table has what all places say of a node's label: a bench refuses to read properties of no table."""
    labels: dict[str, list[tuple[str, ...]]] = {}
    for clause in question.clauses:
        for path in clause.paths:
            for node in path.nodes:
                labels.setdefault(node.variable, []).append(node.labels)
    return all(
        any(
            all(not each or any(label in table.labels for label in each) for each in wanted)
            for table in sample.graph.vertices
        )
        for wanted in labels.values()
    )


def returned(question: Asked, sample: Sample, items: str | None = None) -> str:
    """The statement that asks for a pattern's columns, as c0, c1, …, or for other items."""
    listed = ", ".join(f"{item_text(column)} AS c{at}" for at, column in enumerate(question.columns))
    return f"{pattern_text(question, on=sample.name)} RETURN {items or listed}"


def names(question: Asked) -> str:
    return ", ".join(f"c{at}" for at in range(len(question.columns)))
