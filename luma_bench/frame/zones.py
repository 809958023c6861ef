"""The time zone of a column of moments: what its clock shows, and the moment that its clock shows."""

from __future__ import annotations

import re

import pyarrow as pa

from luma_bench.plan.expressions import Call, Case, Cast, ColumnRef, Expression, Literal
from luma_bench.plan.kinds import kind_of
from luma_bench.plan.nodes import (
    Aggregate,
    Asof,
    Distinct,
    Explode,
    Filter,
    Join,
    Limit,
    Node,
    Project,
    Sort,
    Union,
)
from luma_bench.plan.walk import kinds_of
from luma_bench.plan.window import Window

_PICKING = frozenset(("min", "max", "first", "last", "mode", "median", "any_value"))
_WINDOWS = frozenset(("lag", "lead", "first_value", "last_value", "min", "max", "nth_value"))
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


def zone_of(plan: Node, value: Expression) -> str | None:
    """The time zone of the moments that an expression over a plan gives, without asking an engine.

    That of the column that they come from, handed on by filters, sorts, joins, groupings and what only chooses or moves
    moments; '' for times without a zone, and None where it cannot be told.
    """
    match value:
        case ColumnRef():
            return _of_column(plan, value.name)
        case Call("at_zone", (inner, Literal(str() as zone))):
            known = zone_of(plan, inner)
            match inner:  # what `moment` makes for a zone without a name
                case Call("sub", (_, Call("to_microseconds", (Literal(int() as offset),)))) if known == "":
                    return _named(offset)
                case _:
                    pass
            return None if known is None else "" if known else zone
        case Call("date_trunc", (_, inner)):
            return zone_of(plan, inner)
        case Call("add" | "sub", (inner, other)) if kind_of(other, kinds_of(plan)) == "interval":
            return zone_of(plan, inner)
        case Call("coalesce" | "at_least" | "at_most", parts):
            return _agreed(plan, parts)
        case Case():
            return _agreed(plan, (*(made for _, made in value.branches), value.otherwise))
        case Window() if value.function in _WINDOWS and value.args:
            return zone_of(plan, value.args[0])
        case Cast(_, "TIMESTAMP" | "TIMESTAMP_S" | "TIMESTAMP_MS" | "TIMESTAMP_NS"):
            return ""
        case _:
            return None


def _of_column(plan: Node, name: str) -> str | None:
    node = plan
    while isinstance(node, Filter | Sort | Limit | Distinct | Project):
        if isinstance(node, Project):
            made = next(made for own, made in node.columns if own == name)
            if not isinstance(made, ColumnRef):
                return zone_of(node.child, made)
            name = made.name
        node = node.child
    match node:
        case Join() | Asof():
            column = next(one for one in node.columns if one.name == name)
            sides = ((node.left, column.left), (node.right, column.right))
            return _one([_of_column(side, own) for side, own in sides if own is not None])
        case Union():
            return _one([_of_column(part, name) for part in node.parts])
        case Aggregate() if name in node.keys:
            return _of_column(node.child, name)
        case Aggregate():
            call = next(call for own, call in node.measures if own == name)
            if call.operand is None or call.function not in _PICKING:
                return None
            return zone_of(node.child, call.operand)
        case Explode() if name in node.child.names and name not in node.columns:
            return _of_column(node.child, name)
        case _:
            schema: pa.Schema | None = getattr(node, "arrow", None)
            type_ = None if schema is None or name not in schema.names else schema.field(name).type
            return (type_.tz or "") if type_ is not None and pa.types.is_timestamp(type_) else None


def _agreed(plan: Node, parts: tuple[Expression, ...]) -> str | None:
    return _one([zone_of(plan, part) for part in parts if part != Literal(None)])


def _one(zones: list[str | None]) -> str | None:
    return zones[0] if zones and all(zone == zones[0] for zone in zones) else None


def clock(moment: Expression, zone: str) -> Expression:
    """What the clock of a zone shows at a moment, as a time without a zone."""
    offset = _offset(zone)
    if offset is None:
        return Call("at_zone", (moment, Literal(zone)))
    return Call(
        "add", (Call("at_zone", (moment, Literal("UTC"))), Call("to_microseconds", (Literal(offset),)))
    )


def moment(shown: Expression, zone: str) -> Expression:
    """The moment at which the clock of a zone shows a time."""
    offset = _offset(zone)
    if offset is None:
        return Call("at_zone", (shown, Literal(zone)))
    return Call(
        "at_zone", (Call("sub", (shown, Call("to_microseconds", (Literal(offset),)))), Literal("UTC"))
    )


def _named(offset: int) -> str:
    minutes = abs(offset) // 60_000_000
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"


def _offset(zone: str) -> int | None:
    """The microseconds of a zone such as '+02:00', that engines have no name for."""
    found = _OFFSET.fullmatch(zone)
    if found is None:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    return (minutes if found[1] == "+" else -minutes) * 60_000_000
