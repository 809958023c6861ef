"""How a function of plans is described: its text, its kind, what precedence asks of its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

Kind = OneOf[
    "bool", "int", "real", "decimal", "text", "bytes", "date", "timestamp", "time", "interval", "other"
]
"""What an operator needs to know of a type."""

NUMBERS: frozenset[Kind] = frozenset(("int", "real", "decimal"))
"""Kinds of numbers."""

SUMMED: frozenset[Kind] = NUMBERS | frozenset[Kind](("bool",))
"""Kinds that sums take: numbers, and truth as 0 and 1."""

Yields = Kind | OneOf["first", "widest", "difference"]
"""A fixed kind; or that of the first argument, of the widest number, or of an addition or subtraction."""

ATOM, POSTFIX, NEGATION, PRODUCT, SUM, CONCAT, COMPARISON, NOT, AND, OR = range(10, 0, -1)
"""Precedence, tightest first."""


@dataclass(frozen=True, slots=True)
class Function:
    """One scalar function.

    Attributes
    ----------
    form
        The text, with places for the arguments.
    yields
        The kind of the result.
    least, most
        How many arguments it takes.
    precedence
        Of the whole text.
    inside
        The least precedence of each argument that needs no parentheses; the last one holds for the rest. Zero in a
        function call's parentheses.
    repeats
        The form writes an argument more than once, so arguments have to be columns or constants when it is written.
    joiner
        For operators of any number of arguments, what stands between them.
    """

    form: str
    yields: Yields
    least: int = 1
    most: int = 1
    precedence: int = ATOM
    inside: tuple[int, ...] = (0,)
    repeats: bool = False
    joiner: str = ""


def infix(symbol: str, yields: Yields, precedence: int, *, left: int | None = None) -> Function:
    """An operator between two arguments."""
    return Function(
        f"{{0}} {symbol} {{1}}",
        yields,
        2,
        2,
        precedence,
        (precedence if left is None else left, precedence + 1),
    )


def compare(symbol: str) -> Function:
    """A comparison of two arguments."""
    return infix(symbol, "bool", COMPARISON, left=COMPARISON + 1)


def call(name: str, yields: Yields, least: int = 1, most: int | None = None) -> Function:
    """A function call; `most` arguments, or exactly `least`."""
    return Function(f"{name}({{*}})", yields, least, least if most is None else most)


def repeating(form: str, yields: Yields, count: int) -> Function:
    """A text that writes an argument more than once, of `count` arguments."""
    return Function(form, yields, count, count, ATOM, (ATOM,), repeats=True)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate: its text with `{0}` for the operand, `{1}` for the parameter, `{2}` for a second operand.

    The text of one that may have an order ends with `)`.
    """

    form: str
    yields: Yields
    operand: bool = True
    pair: bool = False
