"""A plan as KadeQL text: one SELECT for as many steps as fit, the others as named steps before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from luma_bench.errors import UnsupportedError
from luma_bench.plan.expressions import AggregateCall, ColumnRef, Expression, conjuncts, depth_of
from luma_bench.plan.literals import identifier
from luma_bench.plan.nodes import (
    Aggregate,
    Distinct,
    Filter,
    Join,
    JoinColumn,
    Limit,
    Node,
    Project,
    Relation,
    Sort,
    SortKey,
    Table,
)
from luma_bench.plan.rules.lift_repeated import lift_repeated
from luma_bench.plan.rules.prune_columns import prune_columns
from luma_bench.plan.select import Block, OrderKey
from luma_bench.plan.walk import bottom_up

_DEEPEST = 900

_JOINS = {
    "inner": "JOIN",
    "left": "LEFT JOIN",
    "right": "RIGHT JOIN",
    "outer": "FULL JOIN",
    "semi": "SEMI JOIN",
    "anti": "ANTI JOIN",
    "cross": "CROSS JOIN",
}


@dataclass(frozen=True, slots=True)
class KadeQL:
    """A text and the tables in memory that it names."""

    text: str
    tables: Mapping[str, pa.Table] = field(default_factory=dict[str, pa.Table])


def render(plan: Node) -> KadeQL:
    """The plan as one SELECT statement.

    Constants are written into the text, exactly and escaped; names are quoted where they have to be. The text asks for
    the order of rows that the plan knows, and for no other.
    """
    lowered = lift_repeated(plan)
    if lowered is not plan:
        lowered = prune_columns(lowered)
    writer = _Writer(lowered)
    for node in bottom_up(lowered):
        writer.add(node)
    return writer.finish()


class _Writer:
    """Blocks by node, bottom-up, and the steps that were closed on the way."""

    def __init__(self, plan: Node) -> None:
        nodes = bottom_up(plan)
        self._plan = plan
        self._deepest = 0
        self._readers: dict[int, int] = {}
        for node in nodes:
            for child in node.children:
                self._readers[id(child)] = self._readers.get(id(child), 0) + 1
        self._taken = {node.name.casefold() for node in nodes if isinstance(node, Table)}
        self._taken |= {name.casefold() for node in nodes for name in node.names}
        self._tables: dict[str, pa.Table] = {}
        self._steps: list[tuple[str, list[str]]] = []
        self._blocks: dict[int, Block] = {}
        self._shared: dict[int, Block] = {}

    def add(self, node: Node) -> None:
        """Make the block of a node whose inputs have theirs."""
        self._blocks[id(node)] = self._block(node)
        self._deepest = max([self._deepest, *(depth_of(part) for part in _expressions(node))])

    def finish(self) -> KadeQL:
        """The whole text."""
        body = self._blocks[id(self._plan)].lines()
        depth = len(self._steps) + self._deepest
        if depth > _DEEPEST:
            raise UnsupportedError(
                f"The frame is a chain of {depth} nested operations; an engine takes {_DEEPEST}.",
                hint="Store the frame half-way: bench.write(name, frame), then go on from bench.table(name).",
            )
        lines: list[str] = []
        for name, step in self._steps:
            lines += [f"{'), ' if lines else 'WITH '}{name} AS (", *(f"  {line}" for line in step)]
        return KadeQL("\n".join([*lines, ")", *body] if lines else body), self._tables)

    def _block(self, node: Node) -> Block:
        match node:
            case Table():
                return Block.over(identifier(node.name), node.names)
            case Relation():
                name = self._fresh("memory")
                self._tables[name] = node.data
                return Block.over(name, node.names)
            case Filter():
                return self._filter(node)
            case Project():
                return self._project(node)
            case Aggregate():
                return self._aggregate(node)
            case Join():
                return self._join(node)
            case Sort():
                return self._sort(node)
            case Limit():
                return self._limit(node)
            case Distinct():
                return self._distinct(node)

    def _fresh(self, stem: str) -> str:
        number = 1
        while f"{stem}_{number}" in self._taken:
            number += 1
        name = f"{stem}_{number}"
        self._taken.add(name)
        return name

    def _below(self, node: Node) -> Block:
        """The block of an input, to be built upon: closed first when several nodes read it."""
        block = self._blocks[id(node)]
        if self._readers.get(id(node), 0) < 2 or isinstance(node, Table | Relation):
            return _copy(block)
        if id(node) not in self._shared:
            self._shared[id(node)] = self._close(_copy(block))
        return _copy(self._shared[id(node)])

    def _close(self, block: Block) -> Block:
        """The block as a step of its own, and a new block over it that keeps its order."""
        names = tuple(block.items)
        keys = block.order
        kept = all(key.output is not None for key in keys)
        if kept and block.limit is None and block.distinct is None:
            block.order = ()
        name = self._fresh("step")
        self._steps.append((name, block.lines()))
        above = Block.over(name, names)
        if kept:
            above.order = tuple(OrderKey(key.key, key.output, key.output) for key in keys)
        return above

    def _filter(self, node: Filter) -> Block:
        block = self._below(node.child)
        closed = block.group is not None or block.distinct is not None or block.limit is not None
        if closed or not block.reads_plainly(node.condition):
            block = self._close(block)
        block.where.append(block.at_source(node.condition))
        return block

    def _project(self, node: Project) -> Block:
        block = self._below(node.child)
        items = _items(block, node)
        renamed = node.passed
        # A key of ORDER BY that is not a column of the source is found by its output name, which has to stay.
        floating = any(
            key.source is None and (key.output is None or renamed.get(key.output) != key.output)
            for key in block.order
        )
        if items is None or floating or block.distinct is not None or (block.opaque and block.hides(items)):
            block = self._close(block)
            items = _items(block, node) or {}
        back = {old: new for new, old in renamed.items()}
        block.order = tuple(
            OrderKey(key.key, key.source, None if key.output is None else back.get(key.output))
            for key in block.order
        )
        block.items = items
        return block

    def _aggregate(self, node: Aggregate) -> Block:
        block = self._below(node.child)
        operands = [call.operand for _, call in node.measures if call.operand is not None]
        closed = block.group is not None or block.distinct is not None or block.limit is not None
        parts: list[Expression] = [*(ColumnRef(key) for key in node.keys), *operands]
        if closed or block.opaque or not all(block.reads_plainly(part) for part in parts):
            block.order = () if block.limit is None else block.order
            block = self._close(block)
        items: dict[str, Expression | AggregateCall] = {key: block.items[key] for key in node.keys}
        for name, call in node.measures:
            operand = None if call.operand is None else block.at_source(call.operand)
            items[name] = AggregateCall(call.function, operand, call.parameter)
        block.group = tuple(source for key in node.keys if (source := block.source_of(key)) is not None)
        block.items = items
        block.order = ()
        return block

    def _sort(self, node: Sort) -> Block:
        block = self._below(node.child)
        if block.limit is not None or block.distinct:
            block = self._close(block)
        block.order = tuple(_order_key(block, key) for key in node.keys)
        return block

    def _limit(self, node: Limit) -> Block:
        block = self._below(node.child)
        if block.limit is None:
            block.limit, block.offset = node.count, node.offset
        else:
            block.limit = max(0, min(node.count, block.limit - node.offset))
            block.offset += node.offset
        return block

    def _distinct(self, node: Distinct) -> Block:
        block = self._below(node.child)
        if node.on:
            if not block.bare:
                block.order = () if block.limit is None else block.order
                block = self._close(block)
            block.order = tuple(_order_key(block, key) for key in node.keys)
        else:
            if block.group is not None or block.distinct is not None or block.limit is not None:
                block = self._close(block)
            block.order = ()
        block.distinct = node.on
        if node.on:
            # The order chose the rows; it is no order of what comes out.
            block = self._close(block)
            block.order = ()
        return block

    def _join(self, node: Join) -> Block:
        taken = {name.casefold() for name in (*node.left.names, *node.right.names)}
        left, right = self._side(node.left), self._side(node.right)
        left_alias, right_alias = _alias("l", taken), _alias("r", taken)

        def side(block: Block, alias: str, name: str) -> str:
            return f"{alias}.{identifier(block.source_of(name) or name)}"

        def text(column: JoinColumn) -> str:
            parts = [side(left, left_alias, column.left)] if column.left is not None else []
            parts += [side(right, right_alias, column.right)] if column.right is not None else []
            return parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"

        conditions = [f"{side(left, left_alias, a)} = {side(right, right_alias, b)}" for a, b in node.on]
        origin = [
            f"{left.origin[0]} AS {left_alias}",
            f"{_JOINS[node.how]} {right.origin[0]} AS {right_alias}",
        ]
        origin += [f"  {'AND' if place else 'ON'} {text}" for place, text in enumerate(conditions)]
        columns = {column.name: text(column) for column in node.columns}
        items: dict[str, Expression | AggregateCall] = {name: ColumnRef(name) for name in columns}
        return Block(tuple(origin), left_alias, columns, columns, joined=True, items=items)

    def _side(self, node: Node) -> Block:
        block = self._below(node)
        if not block.bare or block.joined:
            block.order = () if block.limit is None else block.order
            block = self._close(block)
        return block


def _expressions(node: Node) -> list[Expression]:
    match node:
        case Filter():
            return conjuncts(node.condition)
        case Project():
            return [expression for _, expression in node.columns]
        case Aggregate():
            return [call.operand for _, call in node.measures if call.operand is not None]
        case _:
            return []


def _copy(block: Block) -> Block:
    return Block(
        block.origin,
        block.alias,
        block.columns,
        block.qualified,
        block.joined,
        dict(block.items),
        list(block.where),
        block.group,
        block.distinct,
        block.order,
        block.limit,
        block.offset,
    )


def _items(block: Block, node: Project) -> dict[str, Expression | AggregateCall] | None:
    """The select list of a projection of the block's outputs, or None when the block has to be closed first."""
    items: dict[str, Expression | AggregateCall] = {}
    for name, expression in node.columns:
        if isinstance(expression, ColumnRef):
            items[name] = block.items[expression.name]
        elif block.group is None and block.reads_plainly(expression):
            items[name] = block.at_source(expression)
        else:
            return None
    return items


def _order_key(block: Block, key: SortKey) -> OrderKey:
    # Over a grouping, ORDER BY sees groups and not rows: the output name is what it can read.
    source = block.source_of(key.name) if block.group is None and block.distinct is None else None
    return OrderKey(key, source, key.name)


def _alias(stem: str, taken: set[str]) -> str:
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}{number}"
    return name
