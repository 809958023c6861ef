"""What the ORDER BY of a statement says about the order of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from luma_bench.errors import LumaError
from luma_bench.language.tokens import NUMBER, STRING, Tokens, tokenize

_AFTER = frozenset({"LIMIT", "OFFSET", "FETCH", "EXACT", "USING", ";", ")"})
_WAYS = frozenset({"ASC", "DESC", "NULLS", "FIRST", "LAST"})
_BEFORE = frozenset(
    {
        "SELECT",
        "DISTINCT",
        "ALL",
        "BY",
        "WHERE",
        "AND",
        "OR",
        "NOT",
        "ON",
        "HAVING",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
    }
)
"""What stands before a column, where a name behind anything else may be one that is given."""
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


@dataclass(frozen=True, slots=True)
class Order:
    """The order that an answer has: by the columns of these indexes; every column where no index says it."""

    keys: tuple[int, ...] = ()


def order_of(text: str, columns: Sequence[str]) -> Order | None:
    """The order of a statement's answer, None when the statement gives it none.

    Rows that are equal in what they are ordered by may come in any order, so the columns matter; where they cannot be told
    from the text (`ORDER BY a + b`), it is the order of whole rows that counts.

    Parameters
    ----------
    text
        One statement, or several, of which the last gives the answer.
    columns
        The answer's column names.
    """
    try:
        tokens = tokenize(text)
    except LumaError:
        # What ran has been read already: only a text that is not the whole statement comes here.
        return None
    begin = _last_order(tokens)
    if begin is None:
        return None
    folded = [name.casefold() for name in columns]
    keys: list[int] = []
    for item in _items(tokens, begin):
        index = _column(tokens, item, folded)
        if index is None:
            return Order()
        keys.append(index)
    return Order(tuple(keys))


def _last_order(tokens: Tokens) -> int | None:
    """The token behind the last statement's own ORDER BY: not that of a subquery, an aggregate or a window."""
    depth, found = 0, None
    for index, word in enumerate(tokens.words):
        depth += (word in _OPEN) - (word in _CLOSE)
        if depth == 0 and word == ";" and index + 1 < len(tokens):
            found = None
        elif depth == 0 and word == "ORDER" and tokens.follows(index, len(tokens), "ORDER", "BY"):
            found = index + 2
    return found


def _items(tokens: Tokens, begin: int) -> list[list[int]]:
    """The tokens of each thing that is ordered by."""
    depth = 0
    items: list[list[int]] = [[]]
    for index in range(begin, len(tokens)):
        word = tokens.words[index]
        if depth == 0 and word in _AFTER:
            break
        depth += (word in _OPEN) - (word in _CLOSE)
        if depth == 0 and word == ",":
            items.append([])
        else:
            items[-1].append(index)
    return items


def _column(tokens: Tokens, item: Sequence[int], folded: Sequence[str]) -> int | None:
    """The index of the one column that an item names, None when it is anything else."""
    plain = [index for index in item if tokens.words[index] not in _WAYS]
    if len(plain) == 3 and tokens.words[plain[1]] == ".":
        # It is the table's column, which the answer has under this name only if nothing else is called so.
        if _is_given(tokens, tokens.names[plain[2]].casefold()):
            return None
        plain = plain[2:]
    if len(plain) != 1:
        return None
    index = plain[0]
    if tokens.words[index] == NUMBER:
        spelled = tokens.slice(index, index + 1)
        place = int(spelled) - 1 if spelled.isdigit() else -1
        return place if 0 <= place < len(folded) else None
    name = tokens.names[index].casefold()
    if tokens.words[index] == STRING or folded.count(name) != 1:
        return None
    return folded.index(name)


def _is_given(tokens: Tokens, name: str) -> bool:
    """Whether a text may give this name to something: behind AS, right behind what it stands for, or before a colon."""

    def ends_something(index: int) -> bool:
        word = tokens.words[index]
        return word not in _BEFORE and (tokens.is_name(index) or word in _CLOSE or word in (NUMBER, STRING))

    places = [
        index
        for index in range(len(tokens))
        if tokens.is_name(index) and tokens.names[index].casefold() == name
    ]
    return any(
        (index > 0 and ends_something(index - 1)) or tokens.follows(index + 1, len(tokens), ":")
        for index in places
    )
