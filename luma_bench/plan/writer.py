"""Writes a lowered plan: SELECT blocks from the bottom up, and the named steps that were closed on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from luma_bench.errors import UnsupportedError
from luma_bench.plan.expressions import AggregateCall, Call, ColumnRef, Expression, conjuncts, depth_of, has
from luma_bench.plan.literals import constant, identifier
from luma_bench.plan.nodes import (
    Aggregate,
    Asof,
    Distinct,
    Explode,
    Files,
    Filter,
    Join,
    JoinColumn,
    Limit,
    Mapped,
    Node,
    Project,
    Relation,
    Sort,
    SortKey,
    Table,
    Union,
)
from luma_bench.plan.select import Block, OrderKey
from luma_bench.plan.walk import bottom_up
from luma_bench.plan.window import Window

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


class Writer:
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
                name = identifier(node.name)
                return Block.over(name if node.row_id is None else f"with_rowid({name})", node.names)
            case Relation():
                return self._memory(node.data, node.row_id)
            case Files():
                return Block.over(_files(node), node.names)
            case Mapped():
                raise AssertionError("what Python functions make is in memory before a plan is written")
            case Asof():
                return self._asof(node)
            case Union():
                return self._union(node)
            case Explode():
                return self._explode(node)
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

    def _memory(self, data: pa.Table, row_id: str | None) -> Block:
        name = self._fresh("memory")
        if row_id is not None:
            data = data.add_column(0, row_id, pa.array(np.arange(data.num_rows)))
        self._tables[name] = data
        return Block.over(name, tuple(data.column_names))

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
        if self._readers.get(id(node), 0) < 2 or isinstance(node, Table | Relation | Files):
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
        if closed or block.windowed or not block.reads_plainly(node.condition):
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
        # A limit comes after the windows of its SELECT.
        cut = block.limit is not None and any(has(expression, Window) for _, expression in node.columns)
        if (
            items is None
            or floating
            or cut
            or block.distinct is not None
            or (block.opaque and block.hides(items))
        ):
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
        operands = [operand for _, call in node.measures for operand in call.operands]
        closed = block.group is not None or block.distinct is not None or block.limit is not None
        parts: list[Expression] = [*(ColumnRef(key) for key in node.keys), *operands]
        if closed or block.opaque or not all(block.reads_plainly(part) for part in parts):
            block.order = () if block.limit is None else block.order
            block = self._close(block)
        items: dict[str, Expression | AggregateCall] = {key: block.items[key] for key in node.keys}
        for name, call in node.measures:
            items[name] = call.over(block.at_source)
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
        conditions = tuple((left, "=", right) for left, right in node.on)
        return self._beside(node.left, node.right, _JOINS[node.how], conditions, node.columns)

    def _asof(self, node: Asof) -> Block:
        comparison = ("<" if node.forward else ">") + ("=" if node.exact else "")
        conditions = tuple((left, "=", right) for left, right in node.by)
        last = (node.on[0], comparison, node.on[1])
        return self._beside(node.left, node.right, "ASOF LEFT JOIN", (*conditions, last), node.columns)

    def _beside(
        self,
        left_node: Node,
        right_node: Node,
        words: str,
        conditions: tuple[tuple[str, str, str], ...],
        columns: tuple[JoinColumn, ...],
    ) -> Block:
        taken = {name.casefold() for name in (*left_node.names, *right_node.names)}
        left, right = self._side(left_node), self._side(right_node)
        left_alias, right_alias = _alias("l", taken), _alias("r", taken)

        def side(block: Block, alias: str, name: str) -> str:
            return f"{alias}.{identifier(block.source_of(name) or name)}"

        def text(column: JoinColumn) -> str:
            parts = [side(left, left_alias, column.left)] if column.left is not None else []
            parts += [side(right, right_alias, column.right)] if column.right is not None else []
            return parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})"

        origin = [f"{left.origin[0]} AS {left_alias}", f"{words} {right.origin[0]} AS {right_alias}"]
        for place, (a, comparison, b) in enumerate(conditions):
            test = f"{side(left, left_alias, a)} {comparison} {side(right, right_alias, b)}"
            origin.append(f"  {'AND' if place else 'ON'} {test}")
        shown = {column.name: text(column) for column in columns}
        items: dict[str, Expression | AggregateCall] = {name: ColumnRef(name) for name in shown}
        return Block(tuple(origin), left_alias, shown, shown, joined=True, items=items)

    def _side(self, node: Node) -> Block:
        block = self._below(node)
        if not block.bare or block.joined:
            block.order = () if block.limit is None else block.order
            block = self._close(block)
        return block

    def _union(self, node: Union) -> Block:
        lines: list[str] = []
        for part in node.parts:
            block = self._below(part)
            if block.limit is None:
                block.order = ()
            if block.limit is not None or block.distinct is not None or tuple(block.items) != node.names:
                block = self._close(block)
                block.order = ()
            lines += ["UNION ALL", *block.lines()] if lines else block.lines()
        return self._step(lines, node.names)

    def _explode(self, node: Explode) -> Block:
        block = self._below(node.child)
        if not block.bare:
            block = self._close(block)
        order = block.order
        block.order = ()
        for name in node.columns:
            source = block.source_of(name)
            block.items[name] = Call("unnest_outer", (ColumnRef(name if source is None else source),))
        above = self._step(block.lines(), node.names)
        kept = [key for key in order if key.output is not None and key.output not in node.columns]
        above.order = (
            tuple(OrderKey(key.key, key.output, key.output) for key in kept)
            if len(kept) == len(order)
            else ()
        )
        return above

    def _step(self, lines: list[str], names: tuple[str, ...]) -> Block:
        """Lines as a step of their own, and a block over it."""
        name = self._fresh("step")
        self._steps.append((name, lines))
        return Block.over(name, names)


def _files(node: Files) -> str:
    paths = ", ".join(constant(path) for path in node.paths)
    options = "".join(f", {name} = {constant(value)}" for name, value in node.options)
    return f"{node.function}({paths if len(node.paths) == 1 else f'[{paths}]'}{options})"


def _expressions(node: Node) -> list[Expression]:
    match node:
        case Filter():
            return conjuncts(node.condition)
        case Project():
            return [expression for _, expression in node.columns]
        case Aggregate():
            return [operand for _, call in node.measures for operand in call.operands]
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
