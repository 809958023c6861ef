"""Window functions over several tasks: each partition with one task; without partitions one task for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from luma_bench.plan.cluster.exchange import met
from luma_bench.plan.cluster.pending import Pending
from luma_bench.plan.cluster.work import Work
from luma_bench.plan.relational.expressions import Column, Expression
from luma_bench.plan.relational.nodes import Window, WindowCall


def windowed(work: Work, child: Pending, calls: Sequence[WindowCall]) -> Pending:
    """The rows with one more column for each call; calls that share partition keys are computed together."""
    if child.tasks == 1:
        return _computed(child, calls)
    groups: list[tuple[list[int], tuple[Expression, ...]]] = []
    for at, call in enumerate(calls):
        for place, (members, keys) in enumerate(groups):
            shared = tuple(key for key in keys if key in call.partition)
            if shared or not (keys or call.partition):
                groups[place] = ([*members, at], shared)
                break
        else:
            groups.append(([at], call.partition))
    width = child.width
    order: list[int] = []
    found = child
    for members, keys in sorted(groups, key=lambda group: not group[1]):
        chosen = [calls[at] for at in members]
        if keys:
            rows = met(work, found.doing("move by partition"), keys)
        else:
            rows = work.gathered(found, "a window over all rows")
        found = _computed(rows, chosen)
        order += members
    shown: list[Expression] = [Column(at) for at in range(width)]
    shown += [Column(width + order.index(at)) for at in range(len(calls))]
    return found.projected(shown)


def _computed(rows: Pending, calls: Sequence[WindowCall]) -> Pending:
    return replace(rows, body=Window(rows.body, tuple(calls)), rowwise=False).doing("window")
