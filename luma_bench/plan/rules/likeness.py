"""Which expressions and plans are alike: equal in all that they say, told without recursion."""

from __future__ import annotations

from collections.abc import Hashable

from luma_bench.plan.expressions import (
    AggregateCall,
    Between,
    Call,
    Case,
    Cast,
    ColumnRef,
    Expression,
    IsIn,
    IsNull,
    Literal,
    SqlCondition,
    fold,
)
from luma_bench.plan.literals import constant
from luma_bench.plan.nodes import (
    Aggregate,
    Asof,
    Distinct,
    Explode,
    Files,
    Filter,
    Join,
    Limit,
    Mapped,
    Node,
    Project,
    Relation,
    Sort,
    Table,
    Union,
)
from luma_bench.plan.walk import bottom_up
from luma_bench.plan.window import Origin, Window


class Likeness:
    """Numbers for expressions and nodes: two have the same number when they are alike.

    Python's `==` will not do: it descends by recursion, and it takes the constants 1, 1.0 and True for one.
    """

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._kept: list[Expression] = []
        self._known: dict[int, int] = {}

    def of(self, expression: Expression) -> int:
        """The number of an expression."""
        known = self._known.get(id(expression))
        if known is None:
            known = fold(expression, lambda part, below: self._number((_says(part), below)))
            self._kept.append(expression)  # its id is a key for as long as it lives
            self._known[id(expression)] = known
        return known

    def of_node(self, node: Node, inputs: tuple[int, ...]) -> int:
        """The number of a node whose inputs have these numbers."""
        return self._number((type(node), self._node_says(node), inputs))

    def plan(self, plan: Node) -> dict[int, int]:
        """The number of every node of a plan, by its identity."""
        numbers: dict[int, int] = {}
        for node in bottom_up(plan):
            numbers[id(node)] = self.of_node(node, tuple(numbers[id(child)] for child in node.children))
        return numbers

    def _number(self, key: Hashable) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def _node_says(self, node: Node) -> Hashable:
        match node:
            case Table():
                return (node.name, node.snapshot, node.row_id)
            case Relation() | Mapped():
                return id(node)  # rows in memory and functions are alike when they are the same
            case Files():
                options = tuple((name, constant(value)) for name, value in node.options)
                return (node.function, node.paths, options)
            case Filter():
                return self.of(node.condition)
            case Project():
                return tuple((name, self.of(expression)) for name, expression in node.columns)
            case Aggregate():
                return (node.keys, tuple((name, self._call(call)) for name, call in node.measures))
            case Join():
                return (node.how, node.on, node.columns)
            case Asof():
                return (node.on, node.by, node.columns, node.forward, node.exact)
            case Sort():
                return node.keys
            case Limit():
                return (node.count, node.offset)
            case Distinct():
                return (node.on, node.keys)
            case Explode():
                return (node.columns, tuple(map(str, node.types)))
            case Union():
                return None

    def _call(self, call: AggregateCall) -> Hashable:
        places = tuple(part is None for part in (call.operand, call.other, call.where))
        order = tuple((key.descending, key.nulls_last) for key in call.order)
        parameter = (type(call.parameter), repr(call.parameter))
        return (call.function, parameter, places, order, tuple(self.of(part) for part in call.operands))


def _says(node: Expression) -> Hashable:
    """All that a node says beside its operands."""
    match node:
        case ColumnRef():
            return ("column", node.name)
        case Literal():
            return ("constant", _value(node))
        case Call():
            return ("call", node.function)
        case Cast():
            return ("cast", node.type)
        case Case():
            return "case"
        case IsIn():
            return ("in", tuple(map(_value, node.values)), node.null)
        case Between():
            return "between"
        case IsNull():
            return ("null", node.negated)
        case SqlCondition():
            return ("text", node.text, node.columns)
        case Window():
            order = tuple((key.descending, key.nulls_last) for key in node.order)
            shape = (len(node.args), len(node.partition), order, repr(node.frame), node.ignore_nulls)
            return ("window", node.function, shape)
        case Origin():
            return ("origin", node.column)


def _value(literal: Literal) -> Hashable:
    return (type(literal.value), constant(literal.value))
