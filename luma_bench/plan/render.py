"""A plan as KadeQL text: one SELECT for as many steps as fit, the others as named steps before it."""

from __future__ import annotations

from luma_bench.plan.nodes import Mapped, Node, Relation
from luma_bench.plan.rules.carry_keys import carry_keys
from luma_bench.plan.rules.carry_origins import carry_origins
from luma_bench.plan.rules.keep_order import keep_order
from luma_bench.plan.rules.lift_repeated import lift_repeated
from luma_bench.plan.rules.lift_windows import lift_windows
from luma_bench.plan.rules.prune_columns import prune_columns
from luma_bench.plan.walk import bottom_up, transform
from luma_bench.plan.writer import KadeQL, Writer

__all__ = ["LOWERING", "KadeQL", "render"]


def render(plan: Node, *, sketch: bool = False) -> KadeQL:
    """The plan as one SELECT statement.

    Constants are written into the text, exactly and escaped; names are quoted where they have to be. The text asks for
    the order of rows that the plan knows, and for no other.

    Parameters
    ----------
    sketch
        Rows that Python functions make are not there yet: empty tables stand for them. For types and for showing, never
        for running.
    """
    lowered = transform(plan, _empty) if sketch else plan
    for rule in LOWERING:
        lowered = rule(lowered)
    if lowered is not plan:
        lowered = prune_columns(lowered)
    writer = Writer(lowered)
    for node in bottom_up(lowered):
        writer.add(node)
    return writer.finish()


def _empty(node: Node) -> Node:
    return Relation(node.arrow.empty_table()) if isinstance(node, Mapped) else node


LOWERING = (carry_keys, keep_order, lift_windows, carry_origins, lift_repeated)
"""What has to be done to a plan before it can be written, in this order."""
