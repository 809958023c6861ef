"""OPTIONAL clauses: rows without a match stay, and their new variables are NULL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from luma_bench.models.graph.bindings import Bindings, Lists, PathBindings
from luma_bench.models.graph.expand import projected
from luma_bench.models.graph.running import Run
from luma_bench.models.graph.topology import Ints
from luma_bench.plan.graph.steps import ClausePlan

ROW: Final = "@row"
"""The column that says which row of the batch before the clause a match belongs to."""


def optional(
    run: Run,
    rows: Iterator[Bindings],
    clause: ClausePlan,
    matched: Callable[[Iterator[Bindings]], Iterator[Bindings]],
) -> Iterator[Bindings]:
    """Each row with its matches, or once with NULLs; `matched` runs the clause's steps."""
    for batch in rows:
        given = Bindings(
            batch.rows,
            dict(batch.nodes),
            dict(batch.edges),
            dict(batch.groups),
            dict(batch.paths),
            batch.weights,
        )
        given.edges[ROW] = np.arange(batch.rows, dtype=np.int64)
        met = np.zeros(batch.rows, np.bool_)
        for found in matched(iter((given,))):
            met[found.edges[ROW]] = True
            yield projected(found, clause.live)
        left = np.flatnonzero(~met)
        if len(left):
            yield _without(batch.take(left), clause)


def _without(batch: Bindings, clause: ClausePlan) -> Bindings:
    """Rows without a match."""
    kept = projected(batch, clause.live)
    binds = clause.binds & clause.live
    for path in clause.clause.paths:
        for node in path.nodes:
            if node.variable in binds:
                kept.nodes[node.variable] = np.full(batch.rows, -1, np.int32)
        for edge in path.edges:
            if edge.variable not in binds:
                continue
            if edge.quantifier is None:
                kept.edges[edge.variable] = np.full(batch.rows, -1, np.int64)
            else:
                kept.groups[edge.variable] = _no_lists(batch.rows)
        if path.variable is not None and path.variable in binds:
            real = np.full(batch.rows, np.nan)
            time = np.full(batch.rows, -1, np.int64)
            priced = any(edge.cost is not None for edge in path.edges)
            kept.paths[path.variable] = PathBindings(
                _no_lists(batch.rows),
                _no_lists(batch.rows),
                real if priced else None,
                time if path.times is not None else None,
                time if path.times is not None else None,
            )
    return kept


def _no_lists(rows: int) -> Lists:
    """NULL lists."""
    offsets: Ints = np.zeros(rows + 1, np.int64)
    return Lists(offsets, np.empty(0, np.int64), np.zeros(rows, np.bool_))
