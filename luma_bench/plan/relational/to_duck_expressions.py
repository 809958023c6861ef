"""Scalar expressions of the relational plan in DuckDB's SQL; what stands around them is `to_duck`'s."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from luma_bench.plan.relational.expressions import And, Column, Compare, Expression, Not, Or, Sql
from luma_bench.plan.relational.nodes import Bound, Measure, SortKey, WindowCall

_WHOLE = re.compile(
    r"""[\w.]+|"(?:[^"]|"")*"|[\w.]+\."(?:[^"]|"")*"|'(?:[^']|'')*'|\w+ '[^']*'|\((?:[^()'"])*\)"""
)
"""Texts that no operator beside them can take apart."""


def expression_sql(expression: Expression, columns: Sequence[str]) -> str:
    """An expression as SQL.

    Parameters
    ----------
    columns
        The SQL of each column of the input, by position.
    """
    match expression:
        case Column():
            return columns[expression.index]
        case Sql():
            return _filled(expression, columns)
        case And():
            return _chained(expression.args, " AND ", "true", columns)
        case Or():
            return _chained(expression.args, " OR ", "false", columns)
        case Not():
            return f"NOT {operand_sql(expression.arg, columns)}"
        case Compare():
            left = operand_sql(expression.left, columns)
            return f"{left} {expression.operator.upper()} {operand_sql(expression.right, columns)}"


def operand_sql(expression: Expression, columns: Sequence[str]) -> str:
    """An expression as SQL that may stand beside any operator."""
    text = expression_sql(expression, columns)
    return text if _WHOLE.fullmatch(text) else f"({text})"


def measure_sql(measure: Measure, columns: Sequence[str]) -> str:
    """An aggregate as SQL."""
    if measure.function == "count" and not measure.args:
        inner = "*"
    else:
        inner = ("DISTINCT " if measure.distinct else "") + _listed(measure.args, columns)
    if measure.order:
        inner += f" ORDER BY {order_sql(measure.order, columns)}"
    return f"{measure.function}({inner}){_filter(measure.filter, columns)}"


def order_sql(keys: Iterable[SortKey], columns: Sequence[str]) -> str:
    """The keys of an ORDER BY, which never stand for positions."""
    return ", ".join(
        f"{_key(key.expression, columns)} {'DESC' if key.descending else 'ASC'} NULLS {'FIRST' if key.nulls_first else 'LAST'}"
        for key in keys
    )


def window_sql(call: WindowCall, columns: Sequence[str]) -> str:
    """A window function as SQL."""
    if call.function == "count" and not call.args:
        inner = "*"
    else:
        inner = ("DISTINCT " if call.distinct else "") + _listed(call.args, columns)
    inner += " IGNORE NULLS" if call.ignore_nulls else ""
    over: list[str] = []
    if call.partition:
        over.append(f"PARTITION BY {_listed(call.partition, columns)}")
    if call.order:
        over.append(f"ORDER BY {order_sql(call.order, columns)}")
    if call.frame is not None:
        frame = call.frame
        over.append(f"{frame.unit.upper()} BETWEEN {_bound(frame.start)} AND {_bound(frame.end)}")
    return f"{call.function}({inner}){_filter(call.filter, columns)} OVER ({' '.join(over)})"


def _bound(bound: Bound) -> str:
    return f"{bound.offset} {bound.kind.upper()}" if bound.offset else bound.kind.upper()


def _filter(condition: Expression | None, columns: Sequence[str]) -> str:
    return "" if condition is None else f" FILTER (WHERE {expression_sql(condition, columns)})"


def _key(expression: Expression, columns: Sequence[str]) -> str:
    """A key in parentheses where it might be read as a position or a name of the answer."""
    text = operand_sql(expression, columns)
    return f"({text} + 0)" if text.isdigit() else text


def _listed(expressions: Iterable[Expression], columns: Sequence[str]) -> str:
    return ", ".join(expression_sql(part, columns) for part in expressions)


def _chained(parts: Sequence[Expression], word: str, empty: str, columns: Sequence[str]) -> str:
    return word.join(operand_sql(part, columns) for part in parts) or empty


def _filled(expression: Sql, columns: Sequence[str]) -> str:
    texts = [expression.parts[0]]
    for arg, part in zip(expression.args, expression.parts[1:], strict=True):
        texts += (operand_sql(arg, columns), part)
    return "".join(texts)
