"""Equal parts of a plan become one, so that the text computes them once."""

from __future__ import annotations

from luma_bench.plan.nodes import Aggregate, Asof, Distinct, Explode, Join, Limit, Node, Project, Sort
from luma_bench.plan.rules.likeness import Likeness
from luma_bench.plan.rules.rowwise import is_rowwise
from luma_bench.plan.walk import bottom_up


def share_subplans(plan: Node) -> Node:
    """Two equal sub-plans that cost something become one object, which is written as one step that both readers read.

    A scan with conditions and columns alone is read again instead: each reader's own columns and conditions then reach
    the scan, and nothing has to be kept between them.
    """
    order = bottom_up(plan)
    if all(len(node.children) < 2 for node in order):
        return plan  # each step of a chain holds the ones below it, so no two of them are equal
    likeness = Likeness()
    numbers: dict[int, int] = {}
    first: dict[int, Node] = {}
    costly: dict[int, bool] = {}
    done: dict[int, Node] = {}
    for node in order:
        number = likeness.of_node(node, tuple(numbers[id(child)] for child in node.children))
        numbers[id(node)] = number
        inputs = [done[id(child)] for child in node.children]
        same = all(new is old for new, old in zip(inputs, node.children, strict=True))
        made = node if same else node.with_children(inputs)
        costly[number] = costly.get(number, False) or _costs(
            node, [costly[numbers[id(c)]] for c in node.children]
        )
        done[id(node)] = first.setdefault(number, made) if costly[number] else made
    return done[id(plan)]


def _costs(node: Node, inputs: list[bool]) -> bool:
    """Whether the node, or something below it, is worth keeping rather than doing twice."""
    match node:
        case Aggregate() | Join() | Asof() | Distinct() | Sort() | Limit() | Explode():
            return True
        case Project():
            return any(inputs) or not is_rowwise(node)
        case _:
            return any(inputs)
