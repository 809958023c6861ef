"""What rows and bytes are expected: guesses that decide only what is cheap either way."""

from __future__ import annotations

import re
from collections.abc import Sequence

from luma_bench.plan.relational.expressions import And, Compare, Expression, Not, Or, Sql, conjuncts

_FIXED = {
    "BOOLEAN": 1,
    "TINYINT": 1,
    "UTINYINT": 1,
    "SMALLINT": 2,
    "USMALLINT": 2,
    "INTEGER": 4,
    "UINTEGER": 4,
    "FLOAT": 4,
    "DATE": 4,
    "BIGINT": 8,
    "UBIGINT": 8,
    "DOUBLE": 8,
    "TIME": 8,
    "TIMESTAMP": 8,
    "TIMESTAMP WITH TIME ZONE": 8,
    "HUGEINT": 16,
    "UHUGEINT": 16,
    "UUID": 16,
    "INTERVAL": 16,
}
_TEXT = 24
_NESTED = 64
_DECIMAL = 16  # as Arrow holds every precision

_EQUAL, _RANGE, _OTHER = 0.05, 0.35, 0.2
_NEGATED = re.compile(r"\bNOT\b|<>|!=|!~~", re.IGNORECASE)


def row_bytes(types: Sequence[str]) -> float:
    """About the bytes of a row with columns of these SQL types; at least one."""
    return max(1.0, float(sum(_column_bytes(kind) for kind in types)))


def share(condition: Expression) -> float:
    """The share of rows that a condition is guessed to keep, between 0 and 1."""
    found = 1.0
    for part in conjuncts(condition):
        found *= max(0.0, min(1.0, _share(part)))
    return found


def size_text(nbytes: float) -> str:
    """Bytes for people: `2.1 MB`."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if nbytes >= size:
            return f"{nbytes / size:.1f} {unit}"
    return f"{round(nbytes)} B"


def _column_bytes(kind: str) -> int:
    if kind in _FIXED:
        return _FIXED[kind]
    if kind.startswith("DECIMAL"):
        return _DECIMAL
    return _NESTED if kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION")) else _TEXT


def _share(condition: Expression) -> float:
    match condition:
        case Compare():
            if condition.operator in ("=", "is not distinct from"):
                return _EQUAL
            return 1 - _EQUAL if condition.operator in ("<>", "is distinct from") else _RANGE
        case And():
            return share(condition)
        case Or():
            return min(1.0, sum(_share(part) for part in condition.args))
        case Not():
            return 1 - _share(condition.arg)
        case Sql():
            return 1 - _OTHER if any(_NEGATED.search(part) for part in condition.parts) else _OTHER
        case _:
            return 0.5
