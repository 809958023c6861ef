"""Semi and anti joins moved to where they save most: into a set of inner joins, and below the groups of an aggregate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from luma_bench.plan.cluster.join_set import JoinSet, flattened
from luma_bench.plan.relational.expressions import Column, Expression, columns_of, moved
from luma_bench.plan.relational.nodes import Aggregate, Filter, Join, Node, Project


def pushed(node: Join) -> JoinSet | None:
    """A semi or anti join of inner joins as inner joins of which one relation is reduced; None where several are asked.

    A row of the join has a partner exactly when the row has that it comes from in the one relation that the keys read.
    """
    if node.kind not in ("semi", "anti") or not node.on:
        return None
    joins = flattened(node.left)
    if len(joins.relations) < 2:
        return None
    places = dict(enumerate(joins.outputs))
    width = node.left.width
    keys = [moved(mine, places) for mine, _ in node.on]
    read = frozenset[int]().union(*(columns_of(key) for key in keys))
    conditions = frozenset[int]() if node.condition is None else columns_of(node.condition)
    read |= {places[at] for at in conditions if at < width}
    start = 0
    for place, relation in enumerate(joins.relations):
        columns = range(start, start + relation.width)
        start = columns.stop
        if not read or not all(at in columns for at in read):
            continue
        inside = {at: at - columns.start for at in columns}
        condition = None
        if node.condition is not None:
            both = {at: inside[places[at]] for at in conditions if at < width}
            both |= {at: at - width + relation.width for at in conditions if at >= width}
            condition = moved(node.condition, both)
        on = tuple((moved(key, inside), theirs) for key, (_, theirs) in zip(keys, node.on, strict=True))
        less = Join(relation, node.right, node.kind, on, condition, node.null_safe)
        relations = (*joins.relations[:place], less, *joins.relations[place + 1 :])
        return replace(joins, relations=relations)
    return None


def with_partners(
    node: Node, keys: Sequence[Expression], partners: Node, *, null_safe: bool = False
) -> Node | None:
    """The groups of an aggregate that have a partner, computed from the rows that have one; None for another node.

    Parameters
    ----------
    keys
        Over the node's columns; each has to be a key of the groups.
    partners
        A relation with one column for each key.
    """
    match node:
        case Project():
            below: list[Expression] = []
            for key in keys:
                if not isinstance(key, Column):
                    return None
                below.append(node.expressions[key.index])
            child = with_partners(node.child, below, partners, null_safe=null_safe)
            return None if child is None else Project(child, node.expressions)
        case Filter():
            child = with_partners(node.child, keys, partners, null_safe=null_safe)
            return None if child is None else Filter(child, node.condition)
        case Aggregate(sets=None):
            on: list[tuple[Expression, Expression]] = []
            for place, key in enumerate(keys):
                if not isinstance(key, Column) or key.index >= len(node.keys):
                    return None
                on.append((node.keys[key.index], Column(place)))
            child = Join(node.child, partners, "semi", tuple(on), None, null_safe)
            return replace(node, child=child)
        case _:
            return None


def grouped(node: Node) -> bool:
    """Whether a node is groups of an aggregate, filtered or projected."""
    while isinstance(node, Project | Filter):
        node = node.child
    return isinstance(node, Aggregate) and bool(node.keys) and node.sets is None
