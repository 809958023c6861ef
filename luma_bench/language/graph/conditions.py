"""Conditions of a pattern: told apart by AND, given to the element that each is about, and compared with plain constants."""

from __future__ import annotations

import decimal
import re
from typing import Final

from luma_bench.language.diagnostics import expected
from luma_bench.language.graph.pattern import Comparison
from luma_bench.language.graph.raw import Range
from luma_bench.language.graph.shadows import is_subquery
from luma_bench.language.tokens import NUMBER, STRING, Tokens

_OPERATORS: Final = {"=": "=", "==": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_TURNED: Final = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_DANGLING: Final = frozenset({*_OPERATORS, "AND", "OR", "NOT", "+", "-", "/", "||", "IN", "LIKE", "BETWEEN"})
_WHOLE: Final = re.compile(r"\d+")
_FRACTION: Final = re.compile(r"\d+\.\d+")
_DIGITS: Final = 18
"""Below this many digits a number has the same type in SQL and in Python."""


def require_whole(tokens: Tokens, part: Range, stop: int) -> None:
    """Refuse an expression that ends with an operator; `stop` is the end of the statement.

    Raises
    ------
    KadeQLSyntaxError
        It points behind the operator.
    """
    first, last = part
    if last > first and tokens.words[last - 1] in _DANGLING and last - first > 1:
        raise expected(tokens, last, stop, f"a value behind {tokens.slice(last - 1, last)}")


def conjuncts(tokens: Tokens, part: Range) -> list[Range]:
    """The parts of a condition between the ANDs outside of brackets; one part where an OR stands beside them."""
    first, last = part
    while (
        last - first > 2
        and tokens.words[first] == "("
        and tokens.closing(first, last) == last - 1
        and not is_subquery(tokens, first, last)
    ):
        first, last = first + 1, last - 1
    found: list[Range] = []
    start = index = first
    ranges = cases = 0
    while index < last:
        word = tokens.words[index]
        if tokens.words[index - 1] in (".", "AS") and index > first:
            word = ""
        if word in ("(", "[", "{"):
            index = tokens.closing(index, last)
        elif word == "CASE":
            cases += 1
        elif word == "END" and cases:
            cases -= 1
        elif word == "BETWEEN" and not cases:
            ranges += 1
        elif word == "OR" and not cases:
            return [(first, last)]
        elif word == "AND" and not cases:
            if ranges:
                ranges -= 1
            else:
                found.append((start, index))
                start = index + 1
        index += 1
    found.append((start, last))
    if len(found) == 1:
        return found
    # Nothing between two ANDs is an error of the whole condition.
    if any(one >= other for one, other in found):
        return [(first, last)]
    return [inner for one in found for inner in conjuncts(tokens, one)]


def comparison(tokens: Tokens, part: Range, variable: str) -> Comparison | None:
    """`v.prop op constant`, or the other way round, where a part is exactly that."""
    first, last = part
    if last - first < 5:
        return None
    if _is_property(tokens, first, variable):
        name, place, op_at, turned = tokens.names[first + 2], first + 4, first + 3, False
        end = last
    elif _is_property(tokens, last - 3, variable):
        name, place, op_at, turned = tokens.names[last - 1], first, last - 4, True
        end = last - 4
    else:
        return None
    op = _OPERATORS.get(tokens.words[op_at])
    value = constant(tokens, place, end)
    if op is None or value is None:
        return None
    return Comparison(name, _TURNED[op] if turned else op, *value)


def equals(tokens: Tokens, key: int, value: Range) -> Comparison | None:
    """`key: constant` of a property map, where its value is one."""
    found = constant(tokens, *value)
    return None if found is None else Comparison(tokens.names[key], "=", *found)


def constant(tokens: Tokens, first: int, last: int) -> tuple[object, str | None] | None:
    """The value of a constant that SQL and Python read alike, or a parameter's name behind it; else None."""
    words = tokens.words
    if last - first == 2 and words[first] == "$" and tokens.names[first + 1]:
        return None, tokens.names[first + 1]
    negative = words[first] == "-"
    index = first + negative
    if last - index != 1:
        return None
    raw = tokens.slice(index, index + 1)
    if words[index] == NUMBER and len(raw) < _DIGITS:
        sign = "-" if negative else ""
        if _WHOLE.fullmatch(raw):
            return int(sign + raw), None
        if _FRACTION.fullmatch(raw):
            return decimal.Decimal(sign + raw), None
    if negative:
        return None
    if words[index] == STRING and raw[0] == "'":
        return tokens.names[index], None
    return {"TRUE": (True, None), "FALSE": (False, None)}.get(words[index])


def property_alone(tokens: Tokens, part: Range, variable: str) -> str | None:
    """The property, where an expression is `v.prop` and nothing else."""
    first, last = part
    return tokens.names[first + 2] if last - first == 3 and _is_property(tokens, first, variable) else None


def _is_property(tokens: Tokens, index: int, variable: str) -> bool:
    return (
        tokens.is_name(index)
        and tokens.names[index].casefold() == variable
        and tokens.words[index + 1] == "."
        and tokens.is_name(index + 2)
    )
