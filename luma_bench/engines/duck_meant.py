"""Which function was meant by a name that is none: abbreviations, beginnings and misspellings, what people call most first."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

from luma_bench.language.keywords import split

COMMON: Final = tuple(
    word.lower()
    for word in split("""
        COUNT SUM AVG MIN MAX MEDIAN MODE STDDEV VARIANCE QUANTILE_CONT CORR FIRST LAST ANY_VALUE ARG_MAX ARG_MIN COUNT_IF
        APPROX_COUNT_DISTINCT STRING_AGG ARRAY_AGG LIST HISTOGRAM BOOL_AND BOOL_OR
        ROW_NUMBER RANK DENSE_RANK LAG LEAD FIRST_VALUE LAST_VALUE NTILE
        ABS ROUND FLOOR CEIL SQRT POWER EXP LN LOG SIGN GREATEST LEAST RANDOM MOD TRUNC
        LENGTH LOWER UPPER TRIM LTRIM RTRIM SUBSTRING REPLACE CONCAT CONCAT_WS CONTAINS STARTS_WITH ENDS_WITH SPLIT_PART
        STRING_SPLIT REGEXP_MATCHES REGEXP_REPLACE REGEXP_EXTRACT LPAD RPAD REVERSE STRPOS FORMAT PRINTF
        DATE_TRUNC DATE_PART DATE_DIFF DATE_ADD STRFTIME STRPTIME NOW TODAY YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND EPOCH
        MAKE_DATE TIME_BUCKET AGE DAYOFWEEK UNNEST RANGE GENERATE_SERIES LEN LIST_CONTAINS LIST_SORT
    """)
)
"""Functions of expressions that people call most."""

_ALIKE: Final = 0.6
_SHORTENED: Final = 0.7
_WEIGHT: Final = 0.15
_WORSE: Final = 0.2
_MOST: Final = 3


def meant(name: str, candidates: Iterable[str], common: Iterable[str] = COMMON) -> list[str]:
    """The functions that a name was probably written for, best first: `cnt` was meant as `count`.

    Parameters
    ----------
    candidates
        The names that the engine itself finds alike.
    common
        Names that people write most, which go before others that are as like.
    """
    folded = name.casefold()
    usual = tuple(common)
    scores: dict[str, float] = {}
    for known in dict.fromkeys((*usual, *candidates)):
        score = _likeness(folded, known.casefold())
        if score:
            scores[known] = score + (_WEIGHT if known in usual else 0.0)
    best = sorted(scores, key=lambda known: -scores[known])
    return [known for known in best if scores[known] >= scores[best[0]] - _WORSE][:_MOST]


def _likeness(name: str, known: str) -> float:
    """How like two names are: 0 for not at all, 1 for the same."""
    ratio = difflib.SequenceMatcher(None, name, known).ratio()
    if len(name) > 1 and known.startswith(name):
        return max(ratio, _SHORTENED)
    if len(name) > 1 and _abbreviates(name, known):
        # The more of it is written, the likelier it is meant.
        return max(ratio, _ALIKE) + len(name) / len(known) * (1 - max(ratio, _ALIKE)) / 2
    return ratio if ratio >= _ALIKE else 0.0


def _abbreviates(name: str, known: str) -> bool:
    """Whether a name is another one with letters left out: the first letter is the same, the others stand in their order."""
    letters = iter(known)
    return name[:1] == known[:1] and all(letter in letters for letter in name)
