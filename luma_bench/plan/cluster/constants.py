"""Conditions as predicates that zone maps understand: comparisons of a column with a constant that is written out."""

from __future__ import annotations

import datetime as dt
import decimal
import re
from collections.abc import Mapping, Sequence

from luma_bench.plan.relational.expressions import Column, Compare, Expression, Sql, conjuncts
from luma_bench.types.predicate import Comparison, Operator, Predicate

_WHOLE = frozenset(
    ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT")
)
_NUMBER = re.compile(r"\(?([+-]?\d+(?:\.\d+)?)\)?")
_CAST = re.compile(r"CAST\((.+) AS ([A-Z_]+(?:\(\d+, ?\d+\))?)\)", re.DOTALL | re.IGNORECASE)
_DATE = re.compile(r"(?:DATE|TIMESTAMP)\s*('[^']*')", re.IGNORECASE)
_STRING = re.compile(r"'((?:[^']|'')*)'", re.DOTALL)
_DECIMAL = re.compile(r"DECIMAL\((\d+), ?(\d+)\)")
_TURNED: dict[str, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_PLAIN: dict[str, Operator] = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "=": "="}


def predicates_of(
    conditions: Sequence[Expression], columns: Sequence[str], types: Mapping[str, str]
) -> list[Predicate]:
    """What of the conditions can be told by zone maps; the conditions themselves stay with the fragment.

    Parameters
    ----------
    columns
        The names of the columns by position.
    types
        Their SQL types by name.
    """
    folded = {name.casefold(): kind for name, kind in types.items()}
    found: list[Predicate] = []
    for condition in conditions:
        for part in conjuncts(condition):
            made = _comparison(part, columns, folded)
            if made is not None:
                found.append(made)
    return found


def _comparison(part: Expression, columns: Sequence[str], types: Mapping[str, str]) -> Predicate | None:
    if not isinstance(part, Compare) or part.operator not in _PLAIN:
        return None
    match part.left, part.right:
        case Column() as column, Sql(args=()) as text:
            operator = _PLAIN[part.operator]
        case Sql(args=()) as text, Column() as column:
            operator = _TURNED[part.operator]
        case _:
            return None
    name = columns[column.index]
    kind = types.get(name.casefold(), "")
    value = _value("".join(text.parts).strip(), kind)
    return None if value is None else Comparison(name, operator, value, kind)


def _value(text: str, kind: str) -> object:
    """The constant as a value of exactly the column's type; None where that is not plain to see."""
    cast = _CAST.fullmatch(text)
    if cast is not None and cast[2].upper() in ("DATE", "TIMESTAMP", "VARCHAR", kind):
        inner, stated = cast[1].strip(), cast[2].upper()
        return _value(inner if stated == "VARCHAR" or stated in _WHOLE else f"{stated} {inner}", kind)
    if kind in _WHOLE:
        number = _NUMBER.fullmatch(text)
        return int(number[1]) if number is not None and "." not in number[1] else None
    if kind == "VARCHAR":
        string = _STRING.fullmatch(text)
        return string[1].replace("''", "'") if string is not None else None
    if kind in ("DATE", "TIMESTAMP"):
        return _moment(text, kind)
    scale = _DECIMAL.fullmatch(kind)
    if scale is not None:
        return _decimal(text, int(scale[1]), int(scale[2]))
    return None


def _moment(text: str, kind: str) -> object:
    dated = _DATE.fullmatch(text)
    string = _STRING.fullmatch(dated[1] if dated is not None else text)
    if string is None:
        return None
    try:
        if kind == "DATE":
            return dt.date.fromisoformat(string[1]) if len(string[1]) == 10 else None
        return dt.datetime.fromisoformat(string[1]) if len(string[1]) >= 10 and "+" not in string[1] else None
    except ValueError:
        return None


def _decimal(text: str, precision: int, scale: int) -> object:
    number = _NUMBER.fullmatch(text)
    if number is None:
        return None
    value = decimal.Decimal(number[1])
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent > scale or len(value.as_tuple().digits) > precision:
        return None
    return value.quantize(decimal.Decimal(1).scaleb(-scale))
