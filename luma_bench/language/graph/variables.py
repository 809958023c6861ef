"""The variables of a pattern: what each names, and the errors of names that fit nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from luma_bench.errors import KadeQLSyntaxError, nearest
from luma_bench.language.graph.pattern import Span
from luma_bench.language.tokens import QUOTED, Tokens
from luma_bench.types.sql_text import string_literal

Kind = Literal["node", "edge", "path"]
_A: Final = {"node": "a node", "edge": "an edge", "path": "a path"}
_UNFIT: Final = frozenset('.@"')


@dataclass(slots=True)
class Variable:
    """A variable of a pattern.

    Attributes
    ----------
    name
        Casefolded.
    written
        As the user wrote it first, quotes and all.
    grouped
        Whether it stands inside a quantifier, so that it is a list outside.
    optional
        Whether the clause that first has it is an optional one.
    clauses
        The places of the clauses that have it.
    cheapest, timed
        Of a path: whether it has a cost, and a departure and arrival.
    """

    name: str
    written: str
    kind: Kind
    span: Span
    grouped: bool = False
    optional: bool = False
    clauses: tuple[int, ...] = ()
    cheapest: bool = False
    timed: bool = False

    @property
    def told(self) -> str:
        """What it is, for messages: `a node`."""
        return _A[self.kind]


class Variables:
    """The variables of one pattern, in the order in which they appear."""

    __slots__ = ("_anonymous", "_tokens", "by_name")

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._anonymous = 0
        self.by_name: dict[str, Variable] = {}

    def anonymous(self) -> str:
        """The name of an element that the user gave none."""
        self._anonymous += 1
        return f"@{self._anonymous}"

    def declare(self, index: int, kind: Kind, clause: int, *, optional: bool, grouped: bool = False) -> str:
        """The variable that the name at a token is; nodes may share one.

        Raises
        ------
        KadeQLSyntaxError
            It names something else already, or holds a character that no variable has.
        """
        name = self._tokens.names[index].casefold()
        known = self.by_name.get(name)
        if known is None:
            if not _UNFIT.isdisjoint(name):
                raise self._wrong(
                    index,
                    f"{self._tokens.slice(index, index + 1)} is no name for a variable.",
                    "Leave dots, @ and double quotes out of it.",
                )
            span, written = self._tokens.span(index), self._tokens.slice(index, index + 1)
            self.by_name[name] = Variable(name, written, kind, span, grouped, optional, (clause,))
            return name
        if known.kind != kind:
            raise self._wrong(
                index,
                f"{known.written} is {known.told} already, and cannot be {_A[kind]} too.",
                f"Give {_A[kind]} a variable of its own.",
            )
        if kind != "node":
            raise self._wrong(
                index,
                f"{known.written} names {known.told} already.",
                "Name each path and edge once; compare two edges with r = s."
                if kind == "edge"
                else "Name each path once.",
            )
        if clause not in known.clauses:
            known.clauses = (*known.clauses, clause)
        return name

    def unknown(self, first: int, last: int) -> KadeQLSyntaxError:
        """The error of a name that is no variable."""
        written = self._tokens.slice(first, first + 1)
        names = [item.written for item in self.by_name.values()]
        near = nearest(written, names, 1)
        listed = ", ".join(names)
        return KadeQLSyntaxError(
            f"No variable {written} in the pattern; there {'are' if len(names) > 1 else 'is'} {listed}."
            if names
            else f"No variable {written} in the pattern, which names none.",
            text=self._tokens.text,
            span=self._tokens.span(first, last),
            hint=f"Text goes in single quotes: {string_literal(self._tokens.names[first])}."
            if self._tokens.words[first] == QUOTED and not near
            else f"Did you mean {near[0]}?"
            if near
            else f"Name it in the pattern: ({written}), or -[{written}]->.",
        )

    def _wrong(self, index: int, message: str, hint: str) -> KadeQLSyntaxError:
        return KadeQLSyntaxError(message, text=self._tokens.text, span=self._tokens.span(index), hint=hint)
