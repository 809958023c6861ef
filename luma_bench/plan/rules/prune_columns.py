"""Columns that nothing above reads are dropped where they come from."""

from __future__ import annotations

from luma_bench.plan.expressions import AggregateCall, ColumnRef, Expression, columns_of
from luma_bench.plan.nodes import (
    Aggregate,
    Asof,
    Distinct,
    Explode,
    Files,
    Filter,
    Join,
    Mapped,
    Node,
    Project,
    Relation,
    Sort,
    Table,
    Union,
)
from luma_bench.plan.walk import bottom_up


def prune_columns(plan: Node) -> Node:
    """Projections, groupings and joins keep only what is read above them, and scans get a projection of what is.

    What is read is found top-down over the whole plan, so an input with several readers keeps what any of them reads.
    """
    order = bottom_up(plan)
    needed: dict[int, set[str]] = {id(node): set() for node in order}
    needed[id(plan)] = set(plan.names)
    chosen: dict[int, bool] = {}
    for node in reversed(order):
        for child, names in zip(node.children, _reads(node, needed[id(node)]), strict=True):
            needed[id(child)] |= names
            picks = isinstance(node, Project | Aggregate | Join)
            chosen[id(child)] = chosen.get(id(child), True) and picks
    done: dict[int, Node] = {}
    for node in order:
        inputs = [done[id(child)] for child in node.children]
        done[id(node)] = _pruned(node, inputs, needed[id(node)], chosen.get(id(node), True))
    return done[id(plan)]


def _reads(node: Node, needed: set[str]) -> list[set[str]]:
    """The columns of each input that the node reads to give the needed ones."""
    match node:
        case Filter():
            return [needed | columns_of(node.condition)]
        case Project():
            return [{name for _, expression in _kept(node, needed) for name in columns_of(expression)}]
        case Aggregate():
            read = [operand for _, call in _measures(node, needed) for operand in call.operands]
            return [set(node.keys).union(*(columns_of(operand) for operand in read))]
        case Join():
            kept = [column for column in node.columns if column.name in needed] or list(node.columns[:1])
            left = {key for key, _ in node.on} | {column.left for column in kept if column.left is not None}
            right = {key for _, key in node.on} | {
                column.right for column in kept if column.right is not None
            }
            return [left, right]
        case Asof():
            return [
                {pair[side] for pair in (node.on, *node.by)}
                | {name for column in node.columns if (name := (column.left, column.right)[side]) is not None}
                for side in (0, 1)
            ]
        case Explode():
            return [needed | set(node.columns)]
        case Union() | Mapped():
            return [set(child.names) for child in node.children]
        case Sort():
            return [needed | {key.name for key in node.keys}]
        case Distinct():
            return [needed | set(node.on) | {key.name for key in node.keys} if node.on else set(node.names)]
        case _:
            return [needed for _ in node.children]


def _kept(node: Project, needed: set[str]) -> list[tuple[str, Expression]]:
    return [pair for pair in node.columns if pair[0] in needed] or [node.columns[0]]


def _measures(node: Aggregate, needed: set[str]) -> list[tuple[str, AggregateCall]]:
    kept = [pair for pair in node.measures if pair[0] in needed]
    return kept if kept or node.keys else [node.measures[0]]


def _pruned(node: Node, inputs: list[Node], needed: set[str], chosen: bool) -> Node:
    match node:
        case Table() | Relation() | Files():
            # A reader that picks columns itself needs no projection below it.
            if chosen or not needed or len(needed) == len(node.names):
                return node
            return Project(node, tuple((name, ColumnRef(name)) for name in node.names if name in needed))
        case Project():
            kept = tuple(_kept(node, needed))
            return _same(node, inputs) if kept == node.columns else Project(inputs[0], kept)
        case Aggregate():
            measures = tuple(_measures(node, needed))
            same = len(measures) == len(node.measures)
            return _same(node, inputs) if same else Aggregate(inputs[0], node.keys, measures)
        case Join():
            columns = tuple(column for column in node.columns if column.name in needed) or node.columns[:1]
            same = len(columns) == len(node.columns)
            return _same(node, inputs) if same else Join(inputs[0], inputs[1], node.how, node.on, columns)
        case _:
            return _same(node, inputs)


def _same(node: Node, inputs: list[Node]) -> Node:
    changed = any(new is not old for new, old in zip(inputs, node.children, strict=True))
    return node.with_children(inputs) if changed else node
