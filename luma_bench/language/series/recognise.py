"""What stands where a table may: a name, a query in brackets or a call, with the alias that it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from luma_bench.language.keywords import RESERVED, TYPE_FUNCTION
from luma_bench.language.tokens import QUOTED, STRING, Tokens

UNNAMED: Final = "unnamed_subquery"
"""What the engine calls a query in brackets without an alias."""
_PREFIXES: Final = frozenset({"TABLE", "ONLY"})


@dataclass(frozen=True, slots=True)
class Item:
    """One relation of a FROM.

    Attributes
    ----------
    first, stop, last
        Its tokens: `first` up to, not with, `stop` without an alias behind it, and up to `last` with it. A leading TABLE
        is none of them.
    name
        Its alias, or the name that it goes by without one.
    aliased
        Whether an alias is written.
    path
        The parts of a plain name, schema first; empty for anything else.
    """

    first: int
    stop: int
    last: int
    name: str
    aliased: bool
    path: tuple[str, ...]

    @property
    def bracketed(self) -> bool:
        """Whether it is a query or join in brackets."""
        return not self.path and self.name == UNNAMED


def item_at(tokens: Tokens, index: int, last: int) -> Item | None:
    """The relation that begins at a token, as far as it goes before `last`; None when nothing does.

    LATERAL, VALUES lists and PIVOT are none.
    """
    while index < last and tokens.words[index] in _PREFIXES:
        index += 1
    first, before = index, ""
    if index + 2 < last and tokens.words[index + 1] == ":" and tokens.is_name(index):
        before, index = tokens.names[index], index + 2
    if index >= last:
        return None
    path: tuple[str, ...] = ()
    if tokens.words[index] == "(":
        stop, name = tokens.closing(index, last) + 1, UNNAMED
    elif tokens.words[index] == STRING:
        stop, name = index + 1, tokens.names[index]
    elif _is_table(tokens, index):
        stop = index + 1
        while tokens.follows(stop, last, ".") and stop + 1 < last and tokens.is_name(stop + 1):
            stop += 2
        path = tuple(tokens.names[index:stop:2])
        name = path[-1]
        if tokens.follows(stop, last, "("):
            path, stop = (), tokens.closing(stop, last) + 1
            if tokens.follows(stop, last, "WITH", "ORDINALITY"):
                stop += 2
    else:
        return None
    if tokens.follows(stop, last, "AT", "("):
        path, stop = (), tokens.closing(stop + 1, last) + 1
    if before:
        return Item(first, stop, stop, before, True, path)
    alias = _alias(tokens, stop, last)
    if alias is None:
        return Item(first, stop, stop, name, False, path)
    end = alias + 1
    if tokens.follows(end, last, "("):
        end = tokens.closing(end, last) + 1
    return Item(first, stop, end, tokens.names[alias], True, path)


def _is_table(tokens: Tokens, index: int) -> bool:
    word = tokens.words[index]
    return tokens.is_name(index) and (word == QUOTED or word not in RESERVED)


def _alias(tokens: Tokens, index: int, last: int) -> int | None:
    """The token of the alias that stands at a token."""
    if index >= last:
        return None
    if tokens.words[index] == "AS":
        return index + 1 if index + 1 < last and tokens.names[index + 1] else None
    word = tokens.words[index]
    if word == QUOTED:
        return index
    if word == STRING or not tokens.names[index] or word in RESERVED or word in TYPE_FUNCTION:
        return None
    # Words of KadeQL's own, which are names anywhere else.
    if tokens.follows(index, last, "SAMPLE", "BY") or tokens.follows(index, last, "LATEST", "ON"):
        return None
    return index
