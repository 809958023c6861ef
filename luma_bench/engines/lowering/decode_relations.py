"""Substrait's relations as nodes of the relational plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from luma_bench.engines.lowering.decode_calls import measure_of, sort_key, window_of
from luma_bench.engines.lowering.decode_expressions import NEVER, ExpressionDecoder, Printed, number_of
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.select import BARRIER
from luma_bench.engines.lowering.statement import Inline, Part, Statement, Stored
from luma_bench.engines.lowering.templates import SetsShape
from luma_bench.engines.lowering.tidy import TRUE, filtered, grouped, projected, united
from luma_bench.plan.relational.expressions import (
    And,
    Column,
    Compare,
    Expression,
    columns_of,
    conjuncts,
    moved,
)
from luma_bench.plan.relational.nodes import (
    Aggregate,
    Filter,
    Join,
    JoinKind,
    Limit,
    Node,
    Scan,
    Sort,
    Values,
    Window,
)

if TYPE_CHECKING:
    from substrait import algebra_pb2 as sub
    from substrait.plan_pb2 import Plan

_JOINS: Final[Mapping[str, JoinKind]] = {
    "INNER": "inner",
    "OUTER": "full",
    "LEFT": "left",
    "RIGHT": "right",
    "LEFT_SEMI": "semi",
    "LEFT_ANTI": "anti",
    "LEFT_MARK": "mark",
    "RIGHT_SEMI": "semi",
    "RIGHT_ANTI": "anti",
    "RIGHT_MARK": "mark",
}


class RelationDecoder:
    """Decodes one plan."""

    def __init__(
        self, statement: Statement, printed: Printed, plan: Plan, inline: Mapping[str, Node]
    ) -> None:
        self._inline = inline
        self._statement = statement
        self._printed = printed
        self._plan = plan
        self._functions = {
            item.extension_function.function_anchor: item.extension_function.name for item in plan.extensions
        }

    def node(self) -> Node:
        """The plan's root.

        Raises
        ------
        NotLowered
            The plan holds what no node expresses.
        """
        relation = self._plan.relations[0]
        root = relation.root.input if relation.WhichOneof("rel_type") == "root" else relation.rel
        return self._node(root)

    def _node(self, rel: sub.Rel) -> Node:
        kind = rel.WhichOneof("rel_type")
        found: Any = getattr(rel, str(kind))
        match kind:
            case "read":
                node = self._read(found)
            case "filter":
                node = self._filter(found)
            case "project":
                return self._project(found)
            case "aggregate":
                node = self._aggregate(found)
            case "join":
                node = self._join(found)
            case "cross":
                node = Join(self._node(found.left), self._node(found.right), "cross")
            case "sort":
                node = self._sort(found)
            case "fetch":
                node = self._fetch(found)
            case "set":
                if found.op != found.SET_OP_UNION_ALL:
                    raise NotLowered("a set operation of the planner's own")
                node = united([self._node(part) for part in found.inputs])
            case _:
                raise NotLowered(f"a relation of the kind {kind}")
        return _emitted(node, found.common)

    def _read(self, read: sub.ReadRel) -> Node:
        if read.WhichOneof("read_type") == "virtual_table":
            return _one_row(read)
        name = read.named_table.names[-1]
        source = self._statement.tables[name]
        places = [int(title.removeprefix("c")) for title in read.base_schema.names]
        if read.HasField("projection"):
            places = [places[item.field] for item in read.projection.select.struct_items]
        node: Node
        if isinstance(source, Stored):
            node = Scan(source.name, tuple(source.columns[place] for place in places))
        elif isinstance(source, Part):
            node = Scan(source.name, tuple(f"c{place}" for place in places), shared=True)
        elif isinstance(source, Inline):
            node = projected(self._inline[name], [Column(place) for place in places])
        else:
            rows = tuple(
                tuple(self._printed.filled(row[place], ()) for place in range(len(row))) for row in source
            )
            node = projected(Values(rows, len(source[0])), [Column(place) for place in places])
        for condition in (read.filter, read.best_effort_filter):
            if condition.WhichOneof("rex_type") is not None:
                node = Filter(node, self._over(node).expression(condition))
        return node

    def _filter(self, found: sub.FilterRel) -> Node:
        child = self._node(found.input)
        holder = _Scalars(self, child)
        condition = self._over(child, holder).expression(found.condition)
        _require_open(condition)
        node: Node = filtered(holder.node, condition)
        return projected(node, [Column(place) for place in range(child.width)]) if holder.added else node

    def _project(self, found: sub.ProjectRel) -> Node:
        child = self._node(found.input)
        holder = _Scalars(self, child)
        width = child.width
        windows = [
            item.window_function
            for item in found.expressions
            if item.WhichOneof("rex_type") == "window_function"
        ]
        if windows:
            decoder = self._over(child)
            child = Window(
                child, tuple(window_of(decoder, self._statement, self._printed, item) for item in windows)
            )
            holder = _Scalars(self, child)
        decoder = self._over(child, holder)
        given: list[Expression] = [Column(place) for place in range(width)]
        at = width
        for item in found.expressions:
            if item.WhichOneof("rex_type") == "window_function":
                given.append(Column(at))
                at += 1
            else:
                given.append(decoder.expression(item))
        if found.common.WhichOneof("emit_kind") == "emit":
            given = [given[place] for place in found.common.emit.output_mapping]
        return projected(holder.node, given)

    def _aggregate(self, found: sub.AggregateRel) -> Node:
        child = self._node(found.input)
        decoder = self._over(child)
        keys = [decoder.expression(item) for item in found.grouping_expressions]
        if len(found.groupings) > 1:
            raise NotLowered("grouping sets of the planner's own")
        used = [keys[place] for group in found.groupings for place in group.expression_references] or keys
        measures = list(found.measures)
        marks = [
            self._statement.templates.shapes[number_of(item.measure.arguments[0].value)]
            if decoder.name(item.measure.function_reference).startswith("a")
            and decoder.name(item.measure.function_reference)[1:].isdigit()
            else None
            for item in measures
        ]
        kept = tuple(
            measure_of(decoder, self._statement, item)
            for item, mark in zip(measures, marks, strict=True)
            if not isinstance(mark, SetsShape)
        )
        several = next((mark for mark in marks if isinstance(mark, SetsShape)), None)
        if several is None:
            return grouped(child, used, kept)
        sets = several.sets
        if several.keys != len(used):
            raise NotLowered("grouping sets with a key that is not their own")
        node = Aggregate(child, tuple(used), kept, sets)
        width, place = len(used), len(used)
        given: list[Expression] = [Column(at) for at in range(width)]
        for mark in marks:
            if isinstance(mark, SetsShape):
                given.append(Column(node.width - 1))
            else:
                given.append(Column(place))
                place += 1
        return projected(node, given)

    def _join(self, found: sub.JoinRel) -> Node:
        left, right = self._node(found.left), self._node(found.right)
        name = found.JoinType.Name(found.type).removeprefix("JOIN_TYPE_")
        kind = _JOINS.get(name)
        if kind is None:
            raise NotLowered(f"a join of the kind {name.lower()}")
        both = self._columns(left.width + right.width)
        parts: list[Expression] = []
        for item in (found.expression, found.post_join_filter):
            if item.WhichOneof("rex_type") is not None:
                parts += conjuncts(both.expression(item))
        for part in parts:
            _require_open(part)
        if name.startswith("RIGHT_"):
            places = {place: place + right.width for place in range(left.width)}
            places |= {left.width + place: place for place in range(right.width)}
            parts = [moved(part, places) for part in parts]
            left, right = right, left
        return _joined(left, right, kind, parts)

    def _sort(self, found: sub.SortRel) -> Node:
        child = self._node(found.input)
        decoder = self._over(child)
        keys = [sort_key(decoder, item) for item in found.sorts]
        return Sort(child, tuple(key for key in keys if columns_of(key.expression)))

    def _fetch(self, found: sub.FetchRel) -> Node:
        child = self._node(found.input)
        count = _whole(found.count_expr)
        offset = _whole(found.offset_expr) or 0
        if count is not None and count > BARRIER >> 1:
            count = None
            if not offset:
                return child
        return Limit(child, None if count is not None and count < 0 else count, offset)

    def _over(self, child: Node, holder: _Scalars | None = None) -> ExpressionDecoder:
        return self._columns(child.width, holder.column if holder is not None else None)

    def _columns(
        self, width: int, scalar: Callable[[sub.Rel], Expression] | None = None
    ) -> ExpressionDecoder:
        columns = [Column(place) for place in range(width)]
        return ExpressionDecoder(self._functions, self._printed, columns, scalar or _no_scalar)

    def decoded(self, rel: sub.Rel) -> Node:
        """A relation of a subquery."""
        return self._node(rel)


class _Scalars:
    """Subqueries that give one value, joined to the relation whose expressions hold them."""

    def __init__(self, relations: RelationDecoder, child: Node) -> None:
        self._relations = relations
        self._seen: list[tuple[bytes, Expression]] = []
        self.node = child
        self.added = False

    def column(self, rel: sub.Rel) -> Expression:
        """The value as a column of the relation."""
        key = rel.SerializeToString(deterministic=True)
        for known, column in self._seen:
            if known == key:
                return column
        place = self.node.width
        self.node = Join(self.node, self._relations.decoded(rel), "left")
        self.added = True
        self._seen.append((key, Column(place)))
        return Column(place)


def _require_open(condition: Expression) -> None:
    """Refuse a condition that the planner found to be never TRUE: it moves such a one below aggregates over all rows."""
    if any(part in NEVER for part in conjuncts(condition)):
        raise NotLowered("a condition that never holds")


def _no_scalar(rel: sub.Rel) -> Expression:
    raise NotLowered("a subquery inside of a join, a group or an order")


def _joined(left: Node, right: Node, kind: JoinKind, parts: Sequence[Expression]) -> Node:
    """A join by its keys, as far as the conditions are equalities of both sides."""
    width = left.width
    down = {place: place - width for place in range(width, width + right.width)}
    pairs: list[tuple[str, Expression, Expression, Expression]] = []
    rest: list[Expression] = []
    for part in parts:
        sides = _sides(part, width)
        if sides is None:
            if part != TRUE:
                rest.append(part)
        else:
            assert isinstance(part, Compare)
            pairs.append((part.operator, sides[0], moved(sides[1], down), part))
    plain = [pair for pair in pairs if pair[0] == "="]
    null_safe = bool(pairs) and not plain
    used = pairs if null_safe else plain
    rest += [pair[3] for pair in pairs if pair not in used]
    on = tuple((mine, theirs) for _, mine, theirs, _ in used)
    condition = None if not rest else rest[0] if len(rest) == 1 else And(tuple(rest))
    if kind == "inner" and not on and condition is None:
        return Join(left, right, "cross")
    return Join(left, right, kind, on, condition, null_safe)


def _sides(part: Expression, width: int) -> tuple[Expression, Expression] | None:
    """The sides of an equality that reads the left row on one and the right row on the other."""
    if not isinstance(part, Compare) or part.operator not in ("=", "is not distinct from"):
        return None
    one, other = columns_of(part.left), columns_of(part.right)
    if not one or not other:
        return None
    if max(one) < width <= min(other):
        return part.left, part.right
    if max(other) < width <= min(one):
        return part.right, part.left
    return None


def _emitted(node: Node, common: sub.RelCommon) -> Node:
    if common.WhichOneof("emit_kind") != "emit":
        return node
    return projected(node, [Column(place) for place in common.emit.output_mapping])


def _one_row(read: sub.ReadRel) -> Node:
    if len(read.virtual_table.expressions) != 1 or read.base_schema.names:
        raise NotLowered("rows of the planner's own")
    return Values(((),), 0)


def _whole(literal: sub.Expression) -> int | None:
    """A count of rows; None where none is given."""
    kind = literal.literal.WhichOneof("literal_type")
    if literal.WhichOneof("rex_type") is None or kind == "null":
        return None
    return int(getattr(literal.literal, str(kind)))
