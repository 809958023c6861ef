"""Where an expression names variables of a pattern, with what it asks of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.graph import cypher
from luma_bench.language.graph.recognise import is_match_query
from luma_bench.language.graph.shadows import comprehension_names, is_subquery, lambda_names, table_names
from luma_bench.language.graph.variables import Variable, Variables
from luma_bench.language.keywords import KEYWORDS
from luma_bench.language.tokens import NUMBER, QUOTED, STRING, Tokens

PATH_FUNCTIONS: Final = {
    "nodes": "@nodes",
    "edges": "@edges",
    "path_length": "@length",
    "path_cost": "@cost",
    "path_departure": "@departure",
    "path_arrival": "@arrival",
}
"""Functions of a path, and the columns that hold what they give."""
LABEL: Final = "label"
"""The function that gives an element's label."""
_PATH_HINT: Final = "Ask for a part of it: nodes(p), edges(p), path_length(p), path_cost(p), path_departure(p) or path_arrival(p)."
_VALUE_ENDS: Final = frozenset({")", "]", "}", "END", STRING, NUMBER, QUOTED})
_NAMED: Final = frozenset({":", ":=", "=>"})
_BEFORE_VALUE: Final = frozenset(
    {"", "RETURN", "DISTINCT", "WHERE", "AND", "OR", "NOT", "(", ",", "=", "<", ">", "<=", ">=", "<>", "!=", "+", "-", "*", "/", "BY"}
)  # fmt: skip
_BEHIND_VALUE: Final = frozenset(
    {"", ")", ",", "=", "<", ">", "<=", ">=", "<>", "!=", "+", "-", "*", "/", "AND", "OR", "AS", "ORDER", "LIMIT", "IS", "IN", "DESC", "ASC"}
)  # fmt: skip


class Mention(NamedTuple):
    """A place that names a variable.

    Attributes
    ----------
    kind
        A `property` of it, the `element` itself, its `label`, a part of a `path`, or all its properties (`star`).
    what
        The property as written, or the function; empty for the others.
    first, last
        Its tokens, half-open.
    """

    kind: Literal["property", "element", "label", "path", "star"]
    variable: str
    what: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Around:
    """What holds where an expression is read: names that hide variables, and whether a bare name can be one."""

    hidden: frozenset[str] = frozenset()
    bare: bool = True
    aliases: frozenset[str] = frozenset()


def mentions(
    tokens: Tokens, variables: Variables, first: int, last: int, aliases: frozenset[str] = frozenset()
) -> list[Mention]:
    """Every mention between two tokens, in order; graph queries inside have variables of their own.

    Parameters
    ----------
    aliases
        Names of the result, casefolded, which stand for themselves where no dot follows.

    Raises
    ------
    KadeQLSyntaxError
        A name is no variable, or a function takes another kind of variable.
    """
    reader = _Reader(tokens, variables)
    reader.read(first, last, _Around(aliases=aliases))
    return reader.found


class _Reader:
    """Walks over expressions, and collects what it finds."""

    __slots__ = ("_tokens", "_variables", "found")

    def __init__(self, tokens: Tokens, variables: Variables) -> None:
        self._tokens = tokens
        self._variables = variables
        self.found: list[Mention] = []

    def read(self, first: int, last: int, around: _Around) -> None:
        tokens, index = self._tokens, first
        until, outer = -1, around
        while index < last:
            word = tokens.words[index]
            if index >= until:
                around = outer
            if until <= index and (names := lambda_names(tokens, index, last)):
                until = self._argument_end(index, last)
                around = _Around(outer.hidden | names, outer.bare, outer.aliases)
            if word in ("(", "[", "{"):
                index = self._bracket(index, last, around)
            elif word == STRING or not tokens.names[index]:
                index += 1
            else:
                index = self._name(index, first, last, around)

    def _argument_end(self, index: int, last: int) -> int:
        """Where the argument that begins at a token ends: at a comma behind the lambda's parameters, or with the bracket."""
        tokens = self._tokens
        seen = False
        while index < last:
            word = tokens.words[index]
            seen = seen or word in ("->", ":")
            if seen and word == ",":
                return index
            index = tokens.closing(index, last) + 1 if word in ("(", "[", "{") else index + 1
        return last

    def _bracket(self, index: int, last: int, around: _Around) -> int:
        """Read what a bracket holds; the token behind it."""
        tokens = self._tokens
        close = tokens.closing(index, last)
        behind = tokens.words[index - 1] if index else ""
        if tokens.words[index] == "(" and (
            behind == "GRAPH_TABLE" or is_match_query(tokens, index + 1, close)
        ):
            return close + 1
        inner = around
        if is_subquery(tokens, index, last):
            names = table_names(tokens, index + 1, close)
            reads = not {"FROM", "TABLE"}.isdisjoint(tokens.words[index + 1 : close])
            inner = _Around(around.hidden | names, around.bare and not reads, around.aliases)
        elif names := comprehension_names(tokens, index, last):
            inner = _Around(around.hidden | names, around.bare, around.aliases)
        self.read(index + 1, close, inner)
        return close + 1

    def _name(self, index: int, first: int, last: int, around: _Around) -> int:
        """Read the name at a token; the token behind what was read."""
        tokens = self._tokens
        before = tokens.words[index - 1] if index > first else ""
        behind = tokens.words[index + 1] if index + 1 < last else ""
        if before in (".", "$", "::", "AS") or behind in _NAMED or (index > first and self._ends(index - 1)):
            return index + 1
        name = tokens.names[index].casefold()
        dotted = behind == "." and index + 2 < last
        if name in around.hidden:
            return index + 3 if dotted else index + 1
        if behind == "(":
            return self._function(index, last, name, around)
        known = self._variables.by_name.get(name)
        if known is None:
            return self._unknown(index, last, around, before, behind)
        if dotted:
            return self._part(index, last, known, around)
        if not around.bare or name in around.aliases:
            return index + 1
        if known.kind == "path":
            raise self._wrong(index, index + 1, f"{known.written} is a path, which is no value.", _PATH_HINT)
        self._add("element", known, "", index, index + 1)
        return index + 1

    def _part(self, index: int, last: int, known: Variable, around: _Around) -> int:
        """`v.prop`, `v.*`, or a function called on `v`."""
        tokens = self._tokens
        called = tokens.follows(index + 3, last, "(")
        if known.kind == "path" and not called:
            raise self._wrong(
                index, index + 3, f"{known.written} is a path, which has no properties.", _PATH_HINT
            )
        if tokens.words[index + 2] == "*":
            self._add("star", known, "", index, index + 3)
            return index + 3
        if called and around.bare and known.kind != "path":
            self._add("element", known, "", index, index + 1)
            return index + 3
        self._add("property", known, tokens.names[index + 2], index, index + 3)
        return index + 3

    def _function(self, index: int, last: int, name: str, around: _Around) -> int:
        """A function; those of paths and elements take one variable."""
        tokens = self._tokens
        if name != LABEL and name not in PATH_FUNCTIONS:
            self._refuse_elsewhere(index, last, name, around)
            return index + 1
        argument, close = index + 2, tokens.closing(index + 1, last)
        alone = close == argument + 1 and tokens.is_name(argument)
        known = self._variables.by_name.get(tokens.names[argument].casefold()) if alone else None
        if alone and tokens.names[argument].casefold() in around.hidden:
            return index + 1
        written = tokens.names[index]
        wanted = "a node or an edge" if name == LABEL else "a path"
        if known is None and alone:
            raise self._variables.unknown(argument, argument + 1)
        if known is None:
            raise self._wrong(index, close + 1, f"{written} takes {wanted}.", f"Write {written}(v) with the variable of {wanted}.")  # fmt: skip
        if (known.kind == "path") == (name == LABEL):
            hint = (
                f"Name the path: MATCH p = …, and write {written}(p)."
                if name != LABEL
                else "Give it a node or an edge."
            )
            raise self._wrong(
                argument,
                argument + 1,
                f"{written} takes {wanted}, and {known.written} is {known.told}.",
                hint,
            )
        if name == "path_cost" and not known.cheapest:
            raise self._wrong(
                argument,
                argument + 1,
                f"The path {known.written} has no cost.",
                f"Write MATCH {known.written} = ANY CHEAPEST … with COST in an edge: -[r COST r.km]->.",
            )
        if name in ("path_departure", "path_arrival") and not known.timed:
            raise self._wrong(
                argument,
                argument + 1,
                f"The path {known.written} has no times.",
                "Say which edges' times count: TIME RESPECTING (f.dep, f.arr).",
            )
        self._add("label" if name == LABEL else "path", known, name, index, close + 1)
        return close + 1

    def _refuse_elsewhere(self, index: int, last: int, name: str, around: _Around) -> None:
        """A function of another graph language, which no engine knows."""
        tokens, close = self._tokens, self._tokens.closing(index + 1, last)
        hint = cypher.FUNCTIONS.get(name)
        if hint is None and close == index + 3 and tokens.names[index + 2].casefold() not in around.hidden:
            known = self._variables.by_name.get(tokens.names[index + 2].casefold())
            if known is not None:
                hint = (cypher.PATH_FUNCTIONS if known.kind == "path" else cypher.ELEMENT_FUNCTIONS).get(name)
        if hint is not None:
            given = tokens.slice(index + 2, close)
            raise self._wrong(
                index, close + 1, f"There is no function {name!r} of {given}.", hint.format(given)
            )

    def _unknown(self, index: int, last: int, around: _Around, before: str, behind: str) -> int:
        """A name that is no variable: an error where only a variable can be meant."""
        tokens = self._tokens
        if behind == ".":
            place = index
            while tokens.follows(place + 1, last, ".") and place + 2 < last:
                place += 2
            if around.bare and not tokens.follows(place + 1, last, "("):
                raise self._variables.unknown(index, index + 1)
            return place + 1
        bare = tokens.words[index] == QUOTED or tokens.words[index] not in KEYWORDS
        if not bare or not around.bare or tokens.names[index].casefold() in around.aliases:
            return index + 1
        if before in _BEFORE_VALUE and behind in _BEHIND_VALUE:
            raise self._variables.unknown(index, index + 1)
        return index + 1

    def _ends(self, index: int) -> bool:
        """Whether a token ends a value, so that a name behind it is an alias or a unit."""
        word = self._tokens.words[index]
        if word in _VALUE_ENDS:
            return True
        # Behind a dot any word is a property: `x.name n`.
        dotted = index > 0 and self._tokens.words[index - 1] == "."
        return self._tokens.is_name(index) and (dotted or word not in KEYWORDS)

    def _add(
        self,
        kind: Literal["property", "element", "label", "path", "star"],
        known: Variable,
        what: str,
        first: int,
        last: int,
    ) -> None:
        self.found.append(Mention(kind, known.name, what, first, last))

    def _wrong(self, first: int, last: int, message: str, hint: str) -> KadeQLSyntaxError:
        return KadeQLSyntaxError(
            message, text=self._tokens.text, span=self._tokens.span(first, last), hint=hint
        )
