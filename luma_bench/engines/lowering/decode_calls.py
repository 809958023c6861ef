"""Substrait's aggregates, window functions and sort keys as those of the relational plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luma_bench.engines.lowering.decode_expressions import ExpressionDecoder, Printed, number_of
from luma_bench.engines.lowering.refused import NotLowered
from luma_bench.engines.lowering.statement import Statement
from luma_bench.engines.lowering.templates import AggregateShape, BoundKind, FrameShape, WindowShape
from luma_bench.plan.relational.expressions import Expression, Sql
from luma_bench.plan.relational.nodes import Bound, Frame, Measure, SortKey, WindowCall

if TYPE_CHECKING:
    from substrait import algebra_pb2 as sub


def measure_of(decoder: ExpressionDecoder, statement: Statement, found: sub.AggregateRel.Measure) -> Measure:
    """An aggregate.

    Raises
    ------
    NotLowered
        It is one of the planner's own.
    """
    call = found.measure
    name = decoder.name(call.function_reference)
    args = [decoder.expression(arg.value) for arg in call.arguments]
    if name == "count":
        where = decoder.expression(found.filter) if found.filter.WhichOneof("rex_type") else None
        given = tuple(arg for arg in args if not (isinstance(arg, Sql) and arg.parts == ("1",)))
        return Measure("count", given, call.invocation == call.AGGREGATION_INVOCATION_DISTINCT, where)
    if not (name.startswith("a") and name[1:].isdigit()):
        raise NotLowered(f"{name}() of the planner's own")
    shape = statement.templates.shapes[number_of(call.arguments[0].value)]
    if not isinstance(shape, AggregateShape):
        raise NotLowered("a window function among aggregates")
    values = args[1:]
    plain, values = values[: shape.args], values[shape.args :]
    keys = tuple(
        SortKey(value, descending, nulls_first)
        for value, (descending, nulls_first) in zip(values, shape.order, strict=False)
    )
    where = values[-1] if shape.filtered else None
    return Measure(shape.function, tuple(plain), shape.distinct, where, keys)


def window_of(
    decoder: ExpressionDecoder, statement: Statement, printed: Printed, found: sub.Expression.WindowFunction
) -> WindowCall:
    """A window function.

    Raises
    ------
    NotLowered
        It is one of the planner's own.
    """
    name = decoder.name(found.function_reference)
    if not (name.startswith("a") and name[1:].isdigit()):
        raise NotLowered(f"{name}() OVER of the planner's own")
    shape = statement.templates.shapes[number_of(found.arguments[0].value)]
    if not isinstance(shape, WindowShape):
        raise NotLowered("an aggregate among window functions")
    args = [decoder.expression(arg.value) for arg in found.arguments[1:]]
    return WindowCall(
        shape.function,
        tuple(args[: shape.args]),
        tuple(decoder.expression(part) for part in found.partitions),
        tuple(sort_key(decoder, key) for key in found.sorts),
        None if shape.frame is None else _frame(shape.frame, printed),
        shape.distinct,
        shape.ignore_nulls,
        args[-1] if shape.filtered else None,
    )


def sort_key(decoder: ExpressionDecoder, found: sub.SortField) -> SortKey:
    """A key of an order."""
    expression: Expression = decoder.expression(found.expr)
    kind = found.SortDirection.Name(found.direction)
    return SortKey(expression, "_DESC_" in kind, kind.endswith("NULLS_FIRST"))


def _frame(shape: FrameShape, printed: Printed) -> Frame:
    return Frame(
        shape.unit,
        _bound(shape.start, shape.start_offset, printed),
        _bound(shape.end, shape.end_offset, printed),
    )


def _bound(kind: BoundKind, offset: int | None, printed: Printed) -> Bound:
    return Bound(kind, "" if offset is None else printed.text(offset))
