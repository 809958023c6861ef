"""Naming the columns of a match's relation where the user names variables: `b.iata` becomes `"b.iata"`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from luma_bench.language.draft import Draft
from luma_bench.language.graph.mentions import LABEL, PATH_FUNCTIONS, Mention
from luma_bench.language.graph.pattern import Use
from luma_bench.language.keywords import split
from luma_bench.language.tokens import Tokens, listed
from luma_bench.types.sql_text import quoted

_EQUALITIES: Final = (("=",), ("==",), ("<>",), ("!=",), ("IS", "DISTINCT", "FROM"), ("IS", "NOT", "DISTINCT", "FROM"))  # fmt: skip
_BINDING: Final = frozenset(
    split("IS IN LIKE ILIKE GLOB SIMILAR BETWEEN NOT COLLATE AT ISNULL NOTNULL . [ ( :: OVERLAPS")
)
_SYMBOLS: Final = frozenset("+-*/%<>=|&^!~@#:.")


class Columns:
    """The columns of one match's relation that its query reads, in the order in which they are first named."""

    __slots__ = ("_draft", "_used", "stars")

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._used: dict[str, Use] = {}
        self.stars: list[str] = []

    @property
    def uses(self) -> tuple[Use, ...]:
        """Each column once; names that differ only in case are one."""
        return tuple(self._used.values())

    def rewrite(self, found: Sequence[Mention]) -> None:
        """Put columns in the places of mentions.

        Elements that are compared with each other are told apart by what tells them apart in the graph, not by their keys.
        """
        elements = {mention.first for mention in found if mention.kind == "element"}
        told_apart = _compared(self._draft.tokens, elements)
        for mention in found:
            if mention.kind == "star":
                continue
            identity = mention.first in told_apart
            self._draft.replace(mention.first, mention.last, self.column(mention, identity=identity))

    def column(self, mention: Mention, *, identity: bool = False) -> str:
        """The quoted name of the column that a mention stands for, which becomes one that is read."""
        suffix = {
            "property": f".{mention.what}",
            "element": ".@id" if identity else "",
            "label": f".@{LABEL}",
            "path": f".{PATH_FUNCTIONS.get(mention.what, '')}",
        }[mention.kind]
        span = self._draft.tokens.span(mention.first, mention.last)
        return self.named(
            mention.variable, suffix, mention.what if mention.kind == "property" else None, span
        )

    def named(self, variable: str, suffix: str, what: str | None, span: tuple[int, int]) -> str:
        """The quoted name of a variable's column, which becomes one that is read."""
        name = variable + suffix
        self._used.setdefault(name.casefold(), Use(name, variable, what, span))
        return quoted(self._used[name.casefold()].column)

    def star(self, variable: str) -> None:
        """Every property of a variable is read."""
        if variable not in self.stars:
            self.stars.append(variable)


def _compared(tokens: Tokens, elements: set[int]) -> set[int]:
    """The bare elements that are compared with bare elements, and those that are counted."""
    found: set[int] = set()
    for index in elements:
        if _counted(tokens, index):
            found.add(index)
        if not _begins(tokens, index):
            continue
        for words in _EQUALITIES:
            other = index + 1 + len(words)
            if tokens.follows(index + 1, len(tokens), *words) and other in elements and _ends(tokens, other):
                found |= {index, other}
        place = index + 2 if tokens.follows(index + 1, len(tokens), "NOT") else index + 1
        if tokens.follows(place, len(tokens), "IN", "("):
            items = listed(tokens, place + 2, tokens.closing(place + 1, len(tokens)))
            if items and all(last == first + 1 and first in elements for first, last in items):
                found |= {index, *(first for first, _ in items)}
    return found


def _counted(tokens: Tokens, index: int) -> bool:
    """`count(v)` or `count(DISTINCT v)`."""
    place = index - 1 if tokens.words[index - 1] == "DISTINCT" else index
    counts = tokens.words[place - 1] == "(" and tokens.words[place - 2] == "COUNT"
    return counts and tokens.follows(index + 1, len(tokens), ")")


def _begins(tokens: Tokens, index: int) -> bool:
    """Whether nothing binds a value to what stands before it."""
    before = tokens.words[index - 1] if index else ""
    return not before or before[0] not in _SYMBOLS


def _ends(tokens: Tokens, index: int) -> bool:
    """Whether nothing binds a value to what stands behind it."""
    behind = tokens.words[index + 1] if index + 1 < len(tokens) else ""
    return not behind or (behind not in _BINDING and behind[0] not in _SYMBOLS)
