"""Rules: pure functions from plan to plan, one a file, each keeping columns and rows as they were.

`optimize` runs the moving rules until none fires, then the pruning of columns, and says which ones changed the plan.
What an engine does as well as we do (join order, constant folding) is left to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from luma_bench.plan.nodes import Node
from luma_bench.plan.rules.drop_orders import drop_orders
from luma_bench.plan.rules.merge_filters import merge_filters
from luma_bench.plan.rules.merge_limits import merge_limits
from luma_bench.plan.rules.merge_projections import merge_projections
from luma_bench.plan.rules.prune_columns import prune_columns
from luma_bench.plan.rules.push_filters import push_filters

__all__ = ["MOVING", "RULES", "Optimized", "Rule", "optimize"]

Rule = Callable[[Node], Node]
"""A plan in, an equivalent plan out; the same object when the rule finds nothing to do."""

MOVING: tuple[Rule, ...] = (merge_projections, drop_orders, push_filters, merge_filters, merge_limits)
RULES: tuple[Rule, ...] = (*MOVING, prune_columns)

_PASSES = 20


@dataclass(frozen=True, slots=True)
class Optimized:
    """A plan after the rules, and the names of those that changed it, in the order they first did."""

    plan: Node
    fired: tuple[str, ...]


def optimize(plan: Node) -> Optimized:
    """The plan after every rule; its columns are the same, in the same order."""
    fired: dict[str, None] = {}

    def apply(rule: Rule, before: Node) -> Node:
        after = rule(before)
        if after is not before:
            fired[rule.__name__] = None
        assert after.names == before.names, f"{rule.__name__} changed the columns"
        return after

    for _ in range(_PASSES):
        before = plan
        for rule in MOVING:
            plan = apply(rule, plan)
        if plan is before:
            break
    plan = apply(prune_columns, plan)
    return Optimized(plan, tuple(fired))
