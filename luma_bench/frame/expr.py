"""From Python values and Series to plan expressions: constants, alignment of frames, arithmetic by kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from luma_bench.errors import SchemaError, UnsupportedError
from luma_bench.plan.expressions import (
    Call,
    Cast,
    ColumnRef,
    Expression,
    Literal,
    SqlCondition,
    columns_of,
    conjuncts,
    has,
    substitute,
)
from luma_bench.plan.functions import Kind
from luma_bench.plan.kinds import kind_of_call
from luma_bench.plan.literals import constant
from luma_bench.plan.nodes import Filter, Limit, Node, Project, Sort, Table
from luma_bench.plan.rules.likeness import Likeness
from luma_bench.plan.window import Window

COMPARISONS = frozenset(("eq", "ne", "lt", "le", "gt", "ge"))


class MissingAttributeError(UnsupportedError, AttributeError):
    """A frame or Series has neither a column nor a method of this name."""


def literal(value: object) -> Literal:
    """A constant, checked now so that the error stands where the value was given.

    Raises
    ------
    UnsupportedError
        The value has no SQL constant.
    """
    constant(value)
    return Literal(value)


def is_missing(value: object) -> bool:
    """Whether a constant is one of Python's or pandas' missing values (NaN is a value here)."""
    return constant(value) == "NULL"


def constants(values: Iterable[object]) -> tuple[tuple[Literal, ...], bool]:
    """The values of a list as constants, each once, and whether a missing value is among them.

    Raises
    ------
    UnsupportedError
        It is a string, no list, or holds a value without a SQL constant.
    """
    if isinstance(values, str | bytes) or not isinstance(cast("object", values), Iterable):
        raise UnsupportedError(f"isin() takes a list of values, not {values!r}.", hint="Write isin([…]).")
    shown: dict[str, Literal] = {}
    null = False
    for value in values:
        text = constant(value)
        if text == "NULL":
            null = True
        else:
            shown.setdefault(text, Literal(value))
    return tuple(shown.values()), null


def binary(
    function: str, left: tuple[Expression, Kind], right: tuple[Expression, Kind]
) -> tuple[Expression, Kind]:
    """`left function right`, with what SQL needs to be told: text is joined by `||`, truth counts as 0 and 1."""
    kinds = (left[1], right[1])
    if function in COMPARISONS or function in ("and", "or"):
        return Call(function, (left[0], right[0])), "bool"
    if function == "mul" and set(kinds) == {"text", "int"}:
        text, times = (left[0], right[0]) if kinds[0] == "text" else (right[0], left[0])
        return Call("repeat", (text, times)), "text"
    if "text" in kinds and kinds[kinds[0] == "text"] in ("bool", "int", "real", "decimal"):
        raise SchemaError(
            f"{function} takes two texts or two numbers, and not {kinds[0]} and {kinds[1]}.",
            hint="Make both one type first: astype(str), or astype(float).",
        )
    if function == "add" and "text" in kinds:
        return Call("concat", (left[0], right[0])), "text"
    if function == "floordiv":
        function = "floordiv_int" if set(kinds) <= {"bool", "int"} else "floordiv_real"
    (a, a_kind), (b, b_kind) = _number(*left), _number(*right)
    return Call(function, (a, b)), kind_of_call(function, (a_kind, b_kind))


def _number(expression: Expression, kind: Kind) -> tuple[Expression, Kind]:
    return (Cast(expression, "INTEGER"), "int") if kind == "bool" else (expression, kind)


def rebased(expression: Expression, origin: Node, target: Node) -> Expression | None:
    """The expression over `origin`, over `target`: one of them was made from the other, or both from a third.

    `target` may have been made by filters, sorts, limits and projections, `origin` by projections. None when a column
    that is read was dropped or recomputed on the way. The values are worked out row by row, so those of the rows that are
    left are the same; those of windows are not, so none of these moves to where rows are missing.
    """
    moved = _rebased(expression, origin, target, _same)
    if moved is not None or target is origin:
        return moved
    # The frame may have been written twice, `f[f.x > 0].assign(y=f[f.x > 0].z)`: then the plans are alike.
    likeness = Likeness()
    numbers = likeness.plan(origin) | likeness.plan(target)
    return _rebased(expression, origin, target, lambda node, other: numbers[id(node)] == numbers[id(other)])


def _rebased(
    expression: Expression, origin: Node, target: Node, same: Callable[[Node, Node], bool]
) -> Expression | None:
    for own, node in _down(expression, origin):
        moved = _moved(own, node, target, same)
        if moved is not None:
            return moved
    return None


def common(
    left: tuple[Expression, Node], right: tuple[Expression, Node]
) -> tuple[Expression, Expression, Node] | None:
    """Both expressions over the plan that both were made from by projections; None when there is none."""
    for own, node in _down(*left):
        for other, place in _down(*right):
            if _same(node, place):
                return own, other, node
    return None


def _down(expression: Expression, node: Node) -> Iterator[tuple[Expression, Node]]:
    """The expression over its plan, and over what lies below each projection."""
    yield expression, node
    while isinstance(node, Project):
        made = dict(node.columns)
        written = any(isinstance(made[name], SqlCondition) for name in columns_of(expression))
        if _is_written(expression) or (written and not isinstance(expression, ColumnRef)):
            return
        expression, node = substitute(expression, made), node.child
        yield expression, node


def _is_written(expression: Expression) -> bool:
    return any(isinstance(part, SqlCondition) for part in conjuncts(expression))


def _moved(
    expression: Expression, origin: Node, target: Node, same: Callable[[Node, Node], bool]
) -> Expression | None:
    if target is origin:
        return expression
    renames: list[dict[str, str]] = []
    node = target
    cut = False
    while not same(node, origin):
        if isinstance(node, Project):
            renames.append(node.passed)
        elif not isinstance(node, Filter | Sort | Limit):
            return None
        cut = cut or isinstance(node, Filter | Limit)
        node = node.child
    if cut and has(expression, Window):
        return None
    names = {name: name for name in origin.names}
    for passed in reversed(renames):
        back = {old: new for new, old in reversed(passed.items())}
        names = {first: back[name] for first, name in names.items() if name in back}
    return _renamed(expression, names)


def _renamed(expression: Expression, names: Mapping[str, str]) -> Expression | None:
    read = columns_of(expression)
    if not read <= names.keys():
        return None
    moved: dict[str, Expression] = {name: ColumnRef(names[name]) for name in read if names[name] != name}
    if moved and _is_written(expression):
        return None
    return substitute(expression, moved) if moved else expression


def _same(node: Node, other: Node) -> bool:
    return node is other or (isinstance(node, Table) and isinstance(other, Table) and node == other)


_SQL_TYPES = {
    "bool": "BOOLEAN",
    "boolean": "BOOLEAN",
    "int": "BIGINT",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "float": "DOUBLE",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "double": "DOUBLE",
    "str": "VARCHAR",
    "string": "VARCHAR",
    "large_string": "VARCHAR",
    "object": "VARCHAR",
    "bytes": "BLOB",
    "binary": "BLOB",
    "date": "DATE",
    "date32[day]": "DATE",
    "datetime": "TIMESTAMP",
    "timestamp": "TIMESTAMP",
    "datetime64": "TIMESTAMP",
    "datetime64[s]": "TIMESTAMP_S",
    "datetime64[ms]": "TIMESTAMP_MS",
    "datetime64[us]": "TIMESTAMP",
    "datetime64[ns]": "TIMESTAMP_NS",
    "timestamp[s]": "TIMESTAMP_S",
    "timestamp[ms]": "TIMESTAMP_MS",
    "timestamp[us]": "TIMESTAMP",
    "timestamp[ns]": "TIMESTAMP_NS",
    "time": "TIME",
}


def sql_type(type_: Any) -> str:
    """The SQL type that `astype` means: a pandas, NumPy, Arrow or Python type, or its name.

    Raises
    ------
    UnsupportedError
        It has no SQL type here.
    """
    name = type_.__name__ if isinstance(type_, type) else str(type_)
    plain = name.removesuffix("[pyarrow]").lower().removesuffix("_")
    known = _SQL_TYPES.get(plain)
    if known is not None:
        return known
    decimal = re.fullmatch(r"decimal(?:128)?\((\d+), ?(\d+)\)", plain)
    if decimal:
        return f"DECIMAL({decimal[1]},{decimal[2]})"
    if plain.startswith("timestamp[us, tz="):
        return "TIMESTAMPTZ"
    raise UnsupportedError(
        f"astype({name!r}) is not known.", hint=f"The types are: {', '.join(_SQL_TYPES)} and decimal(p, s)."
    )
