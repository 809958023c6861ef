"""Results of a SELECT or RETURN: where the label of one stands, and the name that the engine gives one without a label."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from luma_bench.language.keywords import KEYWORDS, ORDINARY, RESERVED, TYPE_FUNCTION, split
from luma_bench.language.tokens import NUMBER, QUOTED, STRING, Tokens
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.sql_text import quoted

_OPERAND_ENDS: Final = frozenset({")", "]", "}", "END", "NULL", "TRUE", "FALSE", STRING, NUMBER, QUOTED})
_NO_LABEL: Final = RESERVED | TYPE_FUNCTION
_UNITS: Final = frozenset(
    split("""
    YEAR YEARS QUARTER QUARTERS MONTH MONTHS WEEK WEEKS DAY DAYS HOUR HOURS MINUTE MINUTES SECOND SECONDS MILLISECOND
    MILLISECONDS MICROSECOND MICROSECONDS DECADE DECADES CENTURY CENTURIES MILLENNIUM MILLENNIA
    """)
)
_TYPE_ENDS: Final = frozenset(split("PRECISION VARYING ZONE"))
_BEFORE_OPERAND: Final = frozenset(split("OVER ZONE ESCAPE INTERVAL BETWEEN NULLS"))
_COLUMN: Final = r"(?:[A-Za-z_]\w*\.)?[A-Za-z_]\w*"
_SIMPLE: Final = re.compile(rf"([A-Za-z_]\w*)\(\s*({_COLUMN})\s*(?:,\s*({_COLUMN})\s*)?\)", re.ASCII)
_COUNTS: Final = re.compile(r"count\(\s*\*?\s*\)", re.IGNORECASE)
COUNT_STAR: Final = "count_star()"
"""What the engine calls count(*)."""


class Labelled(NamedTuple):
    """A result: the tokens of its expression, half-open, and its label; None without one."""

    first: int
    last: int
    label: str | None


def labelled(tokens: Tokens, first: int, last: int) -> Labelled:
    """The result that stands at tokens `first` up to, not with, `last`, with the label before it or behind."""
    if last - first > 2 and tokens.is_name(first) and tokens.words[first + 1] == ":":
        return Labelled(first + 2, last, tokens.names[first])
    bare = Labelled(first, last, None)
    if last - first < 2 or not (tokens.is_name(last - 1) or tokens.words[last - 1] == STRING):
        return bare
    before, word = tokens.words[last - 2], tokens.words[last - 1]
    if before == "AS":
        return Labelled(first, last - 2, tokens.names[last - 1])
    if word != QUOTED and (word in _NO_LABEL or word in _TYPE_ENDS or word == STRING):
        return bare
    if word in _UNITS and "INTERVAL" in tokens.words[first : last - 1]:
        return bare
    names = tokens.is_name(last - 2) and (
        before not in KEYWORDS
        or (before in ORDINARY and before not in _BEFORE_OPERAND)
        or tokens.words[max(last - 3, first) : last - 2] in (["."], ["::"])
        or tokens.words[max(last - 5, first) : last - 1] == ["TIMESTAMP", "WITH", "TIME", "ZONE"]
    )
    if before in _OPERAND_ENDS or names:
        return Labelled(first, last - 1, tokens.names[last - 1])
    return bare


def engine_name(expression: str, inspector: SqlInspector) -> str:
    """What the engine calls the result of an expression that is no column and has no label."""
    if _COUNTS.fullmatch(expression):
        return COUNT_STAR
    plain = _SIMPLE.fullmatch(expression)
    if plain is not None and plain[1].upper() not in KEYWORDS:
        listed = [_written(column) for column in plain.groups()[1:] if column]
        if all(listed):
            return f"{plain[1].lower()}({', '.join(listed)})"
    return inspector.printed(expression)


def _written(column: str) -> str:
    """A column with its table as the engine writes it: keywords in quotes; empty for a word that is none."""
    parts = column.split(".")
    if any(part.upper() in _NO_LABEL for part in parts):
        return ""
    return ".".join(quoted(part) if part.upper() in ORDINARY else part for part in parts)
