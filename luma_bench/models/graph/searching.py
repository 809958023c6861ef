"""Searched paths among the other steps: their rows joined with what is bound."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from luma_bench.language.graph.pattern import Duplicates
from luma_bench.models.graph.bindings import Bindings
from luma_bench.models.graph.combine import beside, joined
from luma_bench.models.graph.expand import projected
from luma_bench.models.graph.running import Run
from luma_bench.models.graph.topology import Ids
from luma_bench.plan.graph.bound import BoundMatch
from luma_bench.plan.graph.steps import Search


def search_step(
    run: Run, match: BoundMatch, rows: Iterator[Bindings], step: Search, live: frozenset[str]
) -> Iterator[Bindings]:
    """Rows joined with the rows of a searched path, which is searched from (and to) what they have bound."""
    from luma_bench.models.graph.paths.search import search

    path = step.path
    first, last = path.nodes[0].variable, path.nodes[-1].variable
    names = {item.variable for item in path.elements} | (
        {path.variable} if path.variable is not None else set()
    )
    needed = frozenset(name for name in names if name is not None and (name in live or name in step.joined))
    # Joined on more than its ends, equal rows of a path are not equal rows of the pattern.
    alone = step.joined <= {first, last}
    duplicates = match.duplicates if alone else Duplicates.NEEDED
    on = sorted(step.joined)
    for batch in rows:
        if batch.rows == 0:
            continue
        sources = _distinct(batch, first) if first in step.joined else None
        targets = _distinct(batch, last) if last in step.joined else None
        found = search(
            run.topology, path, run.engine, run.control, sources, targets, match.ranks, needed, duplicates
        )
        for piece in found:
            if piece.rows == 0:
                continue
            if on:
                for pair in joined(run, batch, piece, on):
                    yield projected(pair, live)
            else:
                yield projected(beside(run, batch, piece), live)


def _distinct(batch: Bindings, name: str) -> Ids:
    ids = batch.nodes[name]
    if len(ids) < 2 or bool((ids[1:] > ids[:-1]).all()):
        return ids
    return np.unique(ids)
