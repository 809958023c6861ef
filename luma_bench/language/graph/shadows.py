"""Names that hide a pattern's variables: tables of subqueries, and the parameters of lambdas and list comprehensions."""

from __future__ import annotations

from typing import Final

from luma_bench.language.keywords import QUERY_STARTS, RESERVED, TYPE_FUNCTION, split
from luma_bench.language.tokens import Tokens

_ENDS_FROM: Final = frozenset(
    split("WHERE GROUP HAVING QUALIFY WINDOW ORDER LIMIT OFFSET UNION INTERSECT EXCEPT SELECT")
)
_BEFORE_TABLE: Final = frozenset(split("LATERAL ONLY TABLE"))


def is_subquery(tokens: Tokens, index: int, last: int) -> bool:
    """Whether the bracket at a token opens a query; `trim(FROM x)` does not."""
    if tokens.words[index] != "(" or index + 1 >= last:
        return False
    word = tokens.words[index + 1]
    return word in QUERY_STARTS and word != "(" and not (word == "FROM" and tokens.words[index - 1] == "TRIM")


def table_names(tokens: Tokens, first: int, last: int) -> frozenset[str]:
    """The names, casefolded, under which a query that stands between two tokens knows its tables."""
    found: set[str] = set()
    index, expect = first, False
    while index < last:
        word = tokens.words[index]
        if word == "JOIN" or (word == "FROM" and tokens.words[index - 1] != "DISTINCT"):
            expect, index = True, index + 1
        elif word in _ENDS_FROM:
            expect, index = False, index + 1
            while index < last and tokens.words[index] not in ("FROM", "JOIN"):
                index = _behind(tokens, index, last)
        elif expect and word not in _BEFORE_TABLE:
            index = _table(tokens, index, last, found)
            expect = tokens.follows(index, last, ",")
            index += expect
        else:
            expect = expect or word == ","
            index = _behind(tokens, index, last)
    return frozenset(found)


def _table(tokens: Tokens, index: int, last: int, found: set[str]) -> int:
    """Add the name of the table at a token; the token behind it and its alias."""
    if index + 1 < last and tokens.words[index + 1] == ":":
        found.add(tokens.names[index].casefold())
        _table(tokens, index + 2, last, set())
    name = ""
    if tokens.words[index] == "(":
        close = tokens.closing(index, last)
        if not is_subquery(tokens, index, last):
            found |= table_names(tokens, index, close) | _joined(tokens, index + 1, close)
        index = close + 1
    else:
        name, index = tokens.names[index], index + 1
        while tokens.follows(index, last, ".") and index + 1 < last:
            name, index = tokens.names[index + 1], index + 2
        if tokens.follows(index, last, "("):
            index = tokens.closing(index, last) + 1
    if tokens.follows(index, last, "AT", "("):
        index = tokens.closing(index + 1, last) + 1
    if tokens.follows(index, last, "AS") and index + 1 < last:
        name, index = tokens.names[index + 1], index + 2
    elif index < last and _may_be_alias(tokens, index):
        name, index = tokens.names[index], index + 1
    if name:
        found.add(name.casefold())
    return index


def _joined(tokens: Tokens, first: int, last: int) -> frozenset[str]:
    """The first table of a join in brackets, which no FROM precedes."""
    found: set[str] = set()
    _table(tokens, first, last, found)
    return frozenset(found)


def _may_be_alias(tokens: Tokens, index: int) -> bool:
    word = tokens.words[index]
    return tokens.is_name(index) and word not in RESERVED and word not in TYPE_FUNCTION


def _behind(tokens: Tokens, index: int, last: int) -> int:
    """The token behind one, or behind the bracket that it opens."""
    return tokens.closing(index, last) + 1 if tokens.words[index] in ("(", "[", "{") else index + 1


def lambda_names(tokens: Tokens, index: int, last: int) -> frozenset[str]:
    """The parameters, casefolded, of a lambda that begins at a token: `x -> …`, `(x, i) -> …`, `lambda x, i: …`."""
    words = tokens.words
    if words[index] == "LAMBDA":
        found: set[str] = set()
        place = index + 1
        while place < last and words[place] != ":":
            found.add(tokens.names[place].casefold())
            place += 1
        return frozenset(found - {""}) if place < last else frozenset()
    if words[index] == "(":
        close = tokens.closing(index, last)
        if not tokens.follows(close + 1, last, "->"):
            return frozenset()
        names = (tokens.names[place].casefold() for place in range(index + 1, close))
        return frozenset(names) - {""}
    if tokens.is_name(index) and tokens.follows(index + 1, last, "->") and words[index - 1] in ("(", ","):
        return frozenset({tokens.names[index].casefold()})
    return frozenset()


def comprehension_names(tokens: Tokens, index: int, last: int) -> frozenset[str]:
    """The variables, casefolded, of a list comprehension in the bracket at a token: `[x FOR x, i IN list]`."""
    if tokens.words[index] != "[":
        return frozenset()
    close, place = tokens.closing(index, last), index + 1
    while place < close and tokens.words[place] != "FOR":
        place = _behind(tokens, place, close)
    found: set[str] = set()
    while place + 1 < close and tokens.words[place + 1] != "IN":
        place += 1
        found.add(tokens.names[place].casefold())
    return frozenset(found - {""})
