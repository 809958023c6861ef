"""Constructs about series as the formatter reads them: which of their words are keywords, where they are names elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from luma_bench.language.keywords import split
from luma_bench.language.series.blocks import is_latest
from luma_bench.language.series.columns import UNITS
from luma_bench.language.tokens import NUMBER, STRING, Tokens

_LENGTHS: Final = frozenset({"INTERVAL", STRING, NUMBER, "$"})
_DIRECTIONS: Final = frozenset(split("BACKWARD FORWARD NEAREST"))
_BOUNDS: Final = frozenset(split("PRECEDING FOLLOWING CURRENT ROW UNBOUNDED EXCLUDE INCLUDE PREVAILING"))
_STOPS: Final = frozenset(split("SELECT FROM WHERE GROUP HAVING ORDER LIMIT UNION INTERSECT EXCEPT JOIN"))
_FILLS: Final = frozenset(split("PREV LINEAR NONE IGNORE NULLS"))
_FAR: Final = 40
"""How many tokens a construct's words may stand apart."""


def series_keyword(
    tokens: Tokens, index: int, keywords: Sequence[bool], opened: Sequence[int], *, operand: bool
) -> bool | None:
    """Whether a word is a keyword of a construct about series; None where it belongs to something else.

    Parameters
    ----------
    keywords
        What was said of the words before.
    opened
        The brackets that are open.
    operand
        Whether a value or name ends right before the word.
    """
    words, last = tokens.words, len(tokens)
    word = words[index]
    before = words[index - 1] if index else ""
    behind = words[index + 1] if index + 1 < last else ""
    operand = operand or (before in UNITS and keywords[index - 1]) or before in _DIRECTIONS
    match word:
        case "LATEST":
            return True if operand and is_latest(tokens, index, last) else (False if behind == "ON" else None)
        case "TOLERANCE":
            return True if operand and behind in _LENGTHS else None
        case "DIRECTION":
            return True if operand and behind in _DIRECTIONS else None
        case "BACKWARD" | "FORWARD" | "NEAREST":
            return True if before == "DIRECTION" and keywords[index - 1] else None
        case "LEFT" | "JOIN" if "WINDOW" in (before, behind):
            return True if behind == "WINDOW" or words[index - 2] not in ("AS", ".") else None
        case "RANGE":
            return True if operand and behind == "BETWEEN" and not opened else None
        case "BETWEEN":
            return True if before == "RANGE" and keywords[index - 1] else None
        case "TIME":
            return True if before == "USING" and behind == "(" else None
        case "FILL" | "ALIGN" | "ZONE":
            return _sampled(tokens, index, keywords) if operand or before == "CALENDAR" else None
        case "CALENDAR" | "OBSERVATION":
            return _sampled(tokens, index, keywords) if before in ("TO", "FIRST") else None
        case "FIRST":
            return _sampled(tokens, index, keywords) if behind == "OBSERVATION" else None
        case _ if word in _FILLS:
            filled = bool(opened) and opened[-1] > 0 and words[opened[-1] - 1] == "FILL"
            return True if filled and keywords[opened[-1] - 1] else None
        case _ if word in _BOUNDS:
            return _ranged(tokens, index, keywords)
        case _:
            return None


def _sampled(tokens: Tokens, index: int, keywords: Sequence[bool]) -> bool | None:
    """Whether SAMPLE BY stands before a token in the same query."""
    for place in range(index - 1, max(index - _FAR, 0), -1):
        if tokens.words[place] == "BY":
            return True if tokens.words[place - 1] == "SAMPLE" and keywords[place - 1] else None
    return None


def _ranged(tokens: Tokens, index: int, keywords: Sequence[bool]) -> bool | None:
    """Whether the RANGE BETWEEN of a join stands before a token."""
    for place in range(index - 1, max(index - _FAR, 0), -1):
        word = tokens.words[place]
        if word in _STOPS:
            return None
        if word == "RANGE" and keywords[place]:
            return True if tokens.follows(place + 1, index, "BETWEEN") else None
    return None
