"""Rules: pure functions from plan to plan, one a file, each keeping columns and rows as they were.

`optimize` runs the moving rules until none fires, then makes one of equal parts and prunes columns, and says which rules
changed the plan. What an engine does as well as we do (join order) is left to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from luma_bench.plan.nodes import Aggregate, Distinct, Filter, Limit, Node, Project, Sort
from luma_bench.plan.rules.drop_orders import drop_orders
from luma_bench.plan.rules.drop_repeated import drop_repeated
from luma_bench.plan.rules.fold_constants import fold_constants
from luma_bench.plan.rules.merge_filters import merge_filters
from luma_bench.plan.rules.merge_limits import merge_limits
from luma_bench.plan.rules.merge_projections import merge_projections
from luma_bench.plan.rules.prune_columns import prune_columns
from luma_bench.plan.rules.push_filters import push_filters
from luma_bench.plan.rules.push_limits import push_limits
from luma_bench.plan.rules.push_topk import push_topk
from luma_bench.plan.rules.share_subplans import share_subplans
from luma_bench.plan.walk import bottom_up

__all__ = ["LAST", "MOVING", "RULES", "Optimized", "Rule", "optimize"]

Rule = Callable[[Node], Node]
"""A plan in, an equivalent plan out; the same object when the rule finds nothing to do."""

MOVING: tuple[Rule, ...] = (
    fold_constants,
    merge_projections,
    drop_orders,
    push_filters,
    merge_filters,
    drop_repeated,
    merge_limits,
    push_limits,
    push_topk,
)
LAST: tuple[Rule, ...] = (share_subplans, prune_columns)
RULES: tuple[Rule, ...] = (*MOVING, *LAST)

_READS: Mapping[Rule, tuple[type[Node], ...]] = {
    fold_constants: (Filter, Project, Aggregate),
    merge_projections: (Project,),
    drop_orders: (Sort,),
    push_filters: (Filter,),
    merge_filters: (Filter,),
    drop_repeated: (Filter, Sort, Distinct),
    merge_limits: (Limit,),
    push_limits: (Limit,),
    push_topk: (Limit,),
}
"""The nodes that a rule starts from: a plan without any is left as it is."""

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

    found = {type(node) for node in bottom_up(plan)}
    settled: set[Rule] = set()
    for _ in range(_PASSES):
        for rule in MOVING:
            if rule in settled or found.isdisjoint(_READS[rule]):
                continue
            after = apply(rule, plan)
            if after is plan:
                settled.add(rule)
            else:
                plan = after
                found = {type(node) for node in bottom_up(plan)}
                settled.clear()
        if all(rule in settled or found.isdisjoint(_READS[rule]) for rule in MOVING):
            break
    for rule in LAST:
        plan = apply(rule, plan)
    return Optimized(plan, tuple(fired))
