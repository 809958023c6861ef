"""Where a graph query begins: MATCH and RETURN are words of a pattern only between the neighbours that make them so."""

from __future__ import annotations

from typing import Final

from luma_bench.language.keywords import QUERY_STARTS, split
from luma_bench.language.tokens import Tokens

SELECTORS: Final = frozenset(split("ANY ALL SHORTEST"))
"""Words that begin a path's selector."""
MODES: Final = frozenset(split("WALK TRAIL ACYCLIC SIMPLE"))
"""Words that say what a path may repeat."""
SETS: Final = frozenset(split("UNION INTERSECT EXCEPT"))
"""Words that put two queries together."""
_BEHIND_SETS: Final = frozenset(split("ALL DISTINCT NAME"))


def match_at(tokens: Tokens, index: int, last: int) -> int | None:
    """The MATCH of `[OPTIONAL] MATCH` at a token, with what can begin a path behind it; else None."""
    words = tokens.words
    if tokens.follows(index, last, "OPTIONAL", "MATCH"):
        index += 1
    if not tokens.follows(index, last, "MATCH") or index + 1 >= last:
        return None
    behind = words[index + 1]
    named = tokens.is_name(index + 1) and tokens.follows(index + 2, last, "=")
    return index if named or behind == "(" or behind in SELECTORS or behind in MODES else None


def returns(tokens: Tokens, index: int, last: int) -> bool:
    """Whether RETURN stands behind a token, outside of brackets and before the one around closes."""
    depth = 0
    for place in range(index, last):
        word = tokens.words[place]
        depth += (word in ("(", "[", "{")) - (word in (")", "]", "}"))
        if depth < 0:
            return False
        if depth == 0 and word == "RETURN" and tokens.words[place - 1] not in ("AS", "."):
            return True
    return False


def is_match_query(tokens: Tokens, index: int, last: int) -> bool:
    """Whether `[OPTIONAL] MATCH … RETURN` begins at a token at which a query may begin."""
    return match_at(tokens, index, last) is not None and returns(tokens, index, last)


def opens_query(tokens: Tokens, index: int, last: int) -> bool:
    """Whether a query of any kind begins at a token at which nothing else may: MATCH is one even without RETURN."""
    return index < last and (tokens.words[index] in QUERY_STARTS or match_at(tokens, index, last) is not None)


def behind_set(tokens: Tokens, index: int, first: int) -> bool:
    """Whether UNION, INTERSECT or EXCEPT, with what may follow it, stands right before a token."""
    words, place = tokens.words, index - 1
    while place > first and words[place] in _BEHIND_SETS:
        place -= 2 if words[place] == "NAME" else 1
    return place >= first and words[place] in SETS
