"""Conditions of joins by time: pairs of columns that have to be equal, and the pair of times that is compared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from luma_bench.language.graph.conditions import conjuncts
from luma_bench.language.keywords import RESERVED, TYPE_FUNCTION, split
from luma_bench.language.part_queries import Range
from luma_bench.language.series.pattern import Asof, Name
from luma_bench.language.tokens import NUMBER, QUOTED, STRING, Tokens

Operator = Literal[">=", ">", "<=", "<"]
_OPERATORS: Final[dict[str, Operator]] = {">=": ">=", ">": ">", "<=": "<=", "<": "<"}
_TURNED: Final[dict[Operator, Operator]] = {">=": "<=", ">": "<", "<=": ">=", "<": ">"}
_EQUAL: Final = ("=", "==")
_COMPARISONS: Final = frozenset(
    {*_OPERATORS, *_EQUAL, "<>", "!=", "IS", "IN", "LIKE", "BETWEEN", "OR", "NOT"}
)
_JOINS: Final = frozenset(split("JOIN ASOF LEFT RIGHT FULL INNER CROSS NATURAL POSITIONAL SEMI ANTI WINDOW"))
_VALUE_ENDS: Final = frozenset({")", "]", "}", "END", STRING, NUMBER, QUOTED})


@dataclass(frozen=True, slots=True)
class Half:
    """One half of a comparison: an expression, and the column that it is, if it is one.

    Attributes
    ----------
    side
        `left` or `right` where the column's table says so, empty where nothing does.
    """

    part: Range
    column: Name | None
    side: Literal["left", "right", ""]


@dataclass(frozen=True, slots=True)
class Pair:
    """A comparison: the left side's half, the right side's, and the operator between them, None for equality."""

    left: Half
    right: Half
    operator: Operator | None

    @property
    def sure(self) -> bool:
        """Whether the text says which half is whose."""
        return self.left.side == "left" or self.right.side == "right"


def pairs(tokens: Tokens, part: Range, left: str, right: str) -> list[Pair] | None:
    """The comparisons that a condition is made of, each turned so that the left relation's half comes first.

    None where a part of it is anything but an equality or inequality with a column alone on at least one side. Of two
    columns without a table's name the first is taken to be the left relation's.

    Parameters
    ----------
    left, right
        The names that the relations go by; that of the left one is empty where it is a join of several.
    """
    found = [_pair(tokens, one, left.casefold(), right.casefold()) for one in conjuncts(tokens, part)]
    known = [pair for pair in found if pair is not None]
    return known if len(known) == len(found) else None


def _pair(tokens: Tokens, part: Range, left: str, right: str) -> Pair | None:
    first, last = _bare(tokens, part)
    signs = [place for place in flat(tokens, first, last) if tokens.words[place] in _COMPARISONS]
    if len(signs) != 1 or tokens.words[signs[0]] not in {*_EQUAL, *_OPERATORS}:
        return None
    operator = _OPERATORS.get(tokens.words[signs[0]])
    one = _half(tokens, (first, signs[0]), left, right)
    other = _half(tokens, (signs[0] + 1, last), left, right)
    if one is None or other is None:
        return None
    turned = one.side == "right" or (other.side == "left" and not one.side)
    if turned:
        one, other = other, one
        operator = None if operator is None else _TURNED[operator]
    if one.side == "right" or other.side == "left":
        return None
    return Pair(one, other, operator)


def _half(tokens: Tokens, part: Range, left: str, right: str) -> Half | None:
    first, last = part = _bare(tokens, part)
    if last <= first:
        return None
    column, path = _column(tokens, part)
    if column is None:
        named = {
            tokens.names[place].casefold()
            for place in range(first, last - 1)
            if tokens.words[place + 1] == "." and tokens.is_name(place)
        }
        others = named - {right}
        if right in named and others:
            return None
        return Half(part, None, "right" if right in named else "left" if others else "")
    table = path[-2].casefold() if len(path) > 1 else ""
    if table and left and table not in (left, right):
        return None
    return Half(part, column, "right" if table == right else "left" if table else "")


def _bare(tokens: Tokens, part: Range) -> Range:
    """A part without brackets around the whole of it."""
    first, last = part
    while last - first > 2 and tokens.words[first] == "(" and tokens.closing(first, last) == last - 1:
        first, last = first + 1, last - 1
    return first, last


def _column(tokens: Tokens, part: Range) -> tuple[Name | None, Sequence[str]]:
    """The column that an expression is, and the parts of its name."""
    first, last = part
    path = tokens.names[first:last:2]
    plain = (
        (last - first) % 2 == 1
        and last - first <= 5
        and all(tokens.is_name(place) for place in range(first, last, 2))
        and all(word == "." for word in tokens.words[first + 1 : last : 2])
        and (tokens.words[first] == QUOTED or tokens.words[first] not in RESERVED)
    )
    return (Name(path[-1], tokens.span(first, last)), path) if plain else (None, ())


def turned(island: Asof, left: Collection[str], right: Collection[str]) -> Asof:
    """An as-of join that is not `sure`, once the columns of both sides are known: pairs stand the way that they fit.

    Parameters
    ----------
    left, right
        The columns of the two sides.
    """
    mine, other = ({name.casefold() for name in names} for names in (left, right))

    def wrong(one: Name, two: Name) -> bool:
        fits = one.name.casefold() in mine and two.name.casefold() in other
        return not fits and one.name.casefold() in other and two.name.casefold() in mine

    keys = [
        (two, one) if wrong(one, two) else (one, two)
        for one, two in zip(island.left.keys, island.right.keys, strict=True)
    ]
    times, operator, direction = (island.left.time, island.right.time), island.operator, island.direction
    if times[0] is not None and times[1] is not None and wrong(times[0], times[1]):
        times, operator = (times[1], times[0]), _TURNED[operator]
        if direction != "nearest":
            direction = natural(operator)
    return replace(
        island,
        left=replace(island.left, keys=tuple(one for one, _ in keys), time=times[0]),
        right=replace(island.right, keys=tuple(two for _, two in keys), time=times[1]),
        operator=operator,
        direction=direction,
        sure=True,
    )


def natural(operator: Operator) -> Literal["backward", "forward"]:
    """Where an operator between the left time and the right one looks for a match."""
    return "backward" if operator[0] == ">" else "forward"


def flat(tokens: Tokens, first: int, last: int) -> Iterator[int]:
    """The tokens of a range outside of brackets that open in it."""
    index = first
    while index < last:
        word = tokens.words[index]
        if word in ("(", "[", "{"):
            index = tokens.closing(index, last)
        else:
            yield index
        index += 1


def bracket_around(tokens: Tokens, region: Range, index: int) -> Range | None:
    """What the innermost bracket around a token holds that opens in a region; None where none does."""
    depth = 0
    for place in range(index - 1, region[0] - 1, -1):
        word = tokens.words[place]
        depth += (word in (")", "]", "}")) - (word in ("(", "[", "{"))
        if depth < 0:
            return place + 1, tokens.closing(place, region[1])
    return None


def joins_at(tokens: Tokens, index: int, last: int) -> bool:
    """Whether a word of a join stands at a token; left(x, 3) is a function, and a.left a column."""
    return (
        tokens.words[index] in _JOINS
        and tokens.words[index - 1] not in (".", "AS")
        and not tokens.follows(index + 1, last, "(")
    )


def element_begin(tokens: Tokens, region: Range, index: int) -> int:
    """Where the joined relations begin that a token is part of: behind the last comma before it, outside of brackets."""
    commas = [place for place in flat(tokens, region[0], index) if tokens.words[place] == ","]
    return commas[-1] + 1 if commas else region[0]


def ends_value(tokens: Tokens, index: int) -> bool:
    """Whether a token ends a value, so that a bare word behind it is no part of the expression."""
    word = tokens.words[index]
    if word in _VALUE_ENDS:
        return True
    dotted = index > 0 and tokens.words[index - 1] == "."
    return tokens.is_name(index) and (dotted or (word not in RESERVED and word not in TYPE_FUNCTION))
