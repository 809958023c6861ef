"""DuckDB's filter trees as the bench's own predicates, translated only where both mean exactly the same.

A source that accepts a predicate is the only one to apply it, so whatever is not provably equal is refused here
and DuckDB keeps it: an unknown node, a path into a struct, a constant that is not exactly a value of its type, or
a column whose Arrow type DuckDB reads through a conversion (nanosecond zones, `date64`, extension types).
"""

from __future__ import annotations

import pyarrow as pa
from duckdb._sources import nodes

from luma_bench.types.predicate import And, Comparison, In, IsNull, Not, Or, Predicate
from luma_bench.types.sql_types import engine_type

_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
_MAX_DEPTH = 100


class Untranslatable(ValueError):
    """The filter has no exact counterpart; DuckDB applies it itself."""


def translate(node: nodes.Node, schema: pa.Schema) -> Predicate:
    """The predicate that `node` means over a source of this schema.

    Raises
    ------
    Untranslatable
        Some part has no exact counterpart.
    """
    return _translate(node, schema, 0)


def _translate(node: nodes.Node, schema: pa.Schema, depth: int) -> Predicate:
    if depth > _MAX_DEPTH:
        raise Untranslatable(f"deeper than {_MAX_DEPTH}")
    match node:
        case nodes.Binary(op="AND" | "OR" as op):
            return _balanced(op, [_translate(part, schema, depth + 1) for part in _chain(op, node)])
        case nodes.Unary(op="NOT", operand=operand):
            return Not(_translate(operand, schema, depth + 1))
        case nodes.Postfix(op="IS NULL" | "IS NOT NULL" as op, operand=nodes.Col(parts=(name,))):
            kind = _field(schema, name).type
            if pa.types.is_union(kind) or pa.types.is_run_end_encoded(kind):
                raise Untranslatable(f"validity of {kind}")
            return IsNull(name, negated=op == "IS NOT NULL")
        case nodes.Binary(op=op, left=nodes.Col(parts=(name,)), right=nodes.Lit() as constant):
            return _comparison(name, op, constant, schema)
        case nodes.In(operand=nodes.Col(parts=(name,)), values=values) if values:
            constants = [_constant(name, value, schema) for value in values]
            return In(name, tuple(value for value, _ in constants), constants[0][1])
        case _:
            raise Untranslatable(type(node).__name__)


def _comparison(name: str, op: str, constant: nodes.Lit, schema: pa.Schema) -> Comparison:
    for known in _OPERATORS:
        if op == known:
            value, kind = _constant(name, constant, schema)
            return Comparison(name, known, value, kind)
    raise Untranslatable(op)


def _constant(name: str, constant: nodes.Node, schema: pa.Schema) -> tuple[object, str]:
    """The constant's value and type, once both are exactly the column's."""
    if not isinstance(constant, nodes.Lit):
        raise Untranslatable(type(constant).__name__)
    if engine_type(_field(schema, name).type) != constant.type or not nodes.exact_value(constant):
        raise Untranslatable(f"{constant.type} {constant.value!r}")
    return constant.value, constant.type


def _field(schema: pa.Schema, name: str) -> pa.Field:
    index = schema.get_field_index(name)
    if index < 0:
        raise Untranslatable(f"column {name!r}")
    return schema.field(index)


def _chain(op: str, node: nodes.Node) -> list[nodes.Node]:
    """The operands of a run of one associative operator, however deep it leans to one side."""
    operands: list[nodes.Node] = []
    pending: list[nodes.Node] = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, nodes.Binary) and current.op == op:
            pending += [current.right, current.left]
        else:
            operands.append(current)
    return operands


def _balanced(op: str, parts: list[Predicate]) -> Predicate:
    """A tree of logarithmic depth, so that a thousand OR-ed terms do not exhaust a recursive evaluator."""
    while len(parts) > 1:
        pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
        parts = [pair[0] if len(pair) == 1 else _joined(op, pair[0], pair[1]) for pair in pairs]
    return parts[0]


def _joined(op: str, left: Predicate, right: Predicate) -> Predicate:
    return And(left, right) if op == "AND" else Or(left, right)
