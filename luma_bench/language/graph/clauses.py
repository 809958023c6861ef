"""From raw clauses to patterns: each condition goes to the element that it is about, or stays in the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from luma_bench.errors import KadeQLError, KadeQLSyntaxError, KadeQLUnsupportedError
from luma_bench.language.draft import Draft
from luma_bench.language.functions import PER_ROW
from luma_bench.language.graph.conditions import (
    comparison,
    conjuncts,
    equals,
    property_alone,
    require_whole,
)
from luma_bench.language.graph.cypher import label_test
from luma_bench.language.graph.mentions import Mention, mentions
from luma_bench.language.graph.pattern import (
    Clause,
    Comparison,
    Condition,
    EdgePattern,
    Expression,
    NodePattern,
    PathPattern,
    Span,
    TimeRespecting,
    Value,
)
from luma_bench.language.graph.queries import PatternQueries
from luma_bench.language.graph.raw import Range, RawClause, RawElement, RawPath, RawTimes
from luma_bench.language.graph.rewriting import Columns
from luma_bench.language.graph.variables import Variables
from luma_bench.language.tokens import STRING
from luma_bench.types.sql_text import quoted

_REPEATED: Final = (
    "A condition inside a quantified edge is about each edge by itself: properties of its variable alone. "
    "Compare the whole path in WHERE, where the variable is a list: list_max(r.x) < b.y."
)
_OPTIONAL: Final = (
    "A condition of OPTIONAL MATCH is about one node or edge of its pattern. "
    "Match the pattern in a query of its own, and join it: FROM (MATCH …) m LEFT JOIN (MATCH …) n ON …"
)
_COST: Final = "COST is an expression over the edge's own properties. Write -[r COST r.km]->."
_EDGE_TIMES: Final = (
    "TIME RESPECTING takes two expressions over one edge. Write TIME RESPECTING (f.dep, f.arr)."
)


@dataclass(slots=True)
class Text:
    """Tokens of a condition that stay in the query, framed by text of our own."""

    first: int
    last: int
    found: list[Mention]
    before: str = ""
    after: str = ""


class ClauseBuilder:
    """Makes the clauses of one pattern.

    Attributes
    ----------
    columns
        What the text reads of the match's relation.
    parts
        Makes the queries of conditions and values.
    removed
        Tokens of conditions that left the text.
    steady
        Whether the text that stays is the same for equal matches.
    """

    __slots__ = ("_draft", "_texts", "_variables", "columns", "parts", "removed", "steady")

    def __init__(self, draft: Draft, variables: Variables, index: int) -> None:
        self._draft = draft
        self._variables = variables
        self._texts: list[Text] = []
        self.columns = Columns(draft)
        self.parts = PatternQueries(draft, index)
        self.removed: set[int] = set()
        self.steady = True

    def texts(self) -> list[Text]:
        """What stays in the query, in the order of the text, with columns in the places of variables."""
        tokens = self._draft.tokens
        self._texts.sort(key=lambda item: item.first)
        for item in self._texts:
            self.columns.rewrite(item.found)
            names = (tokens.names[index].casefold() for index in range(item.first, item.last) if index not in self.removed)  # fmt: skip
            self.steady = self.steady and PER_ROW.isdisjoint(names)
        return self._texts

    def clause(self, raw: RawClause) -> Clause:
        """The clause of a raw one.

        Raises
        ------
        KadeQLError
            A condition or value names what it cannot, or does not parse.
        """
        time = None if raw.times is None else self._times(raw, raw.times)
        elements = [element for path in raw.paths for element in path.elements]
        conditions: dict[int, list[Condition]] = {id(element): [] for element in elements}
        for part in (*(part for element in elements for part in element.wheres), raw.where):
            if part is not None:
                require_whole(self._draft.tokens, part, self._draft.scope.last)
        for element in elements:
            conditions[id(element)] += self._inline(raw, element)
        if raw.where is not None:
            self._where(raw, raw.where, elements, conditions)
        return Clause(
            paths=tuple(self._path(path, conditions) for path in raw.paths),
            optional=raw.optional,
            valid_at=None if raw.valid_at is None else self._value(raw.valid_at, "VALID AT takes a moment"),
            time=time,
            span=self._span(raw.tokens),
        )

    def _inline(self, raw: RawClause, element: RawElement) -> list[Condition]:
        """The conditions in an element's bracket; what they say about other variables stays in the text."""
        tokens, found = self._draft.tokens, list[Condition]()
        for key, value in element.entries:
            named = self._mentions(value)
            condition = None
            if self._own(named, element.variable):
                condition = self._entry(element, key, value, named)
            if condition is not None:
                found.append(condition)
                continue
            self._movable(raw, element, value)
            # Anonymous elements have no column of the user's, but the relation has one.
            column = self.columns.named(
                element.variable, f".{tokens.names[key]}", tokens.names[key], tokens.span(key)
            )
            self._texts.append(Text(*value, named, f"{column} = (", ")"))
        for part in (conjunct for where in element.wheres for conjunct in conjuncts(tokens, where)):
            named = self._mentions(part)
            condition = (
                self._condition(element.variable, part, named) if self._own(named, element.variable) else None
            )
            if condition is not None and not (condition.query.volatile and self._can_move(raw, element)):
                found.append(condition)
                continue
            self._movable(raw, element, part)
            self._texts.append(Text(*part, named))
        return found

    def _where(
        self,
        raw: RawClause,
        where: Range,
        elements: Sequence[RawElement],
        conditions: dict[int, list[Condition]],
    ) -> None:
        """Give the parts of WHERE to the elements that they are about."""
        kept: list[Mention] = []
        self._refuse_label_test(where)
        for part in conjuncts(self._draft.tokens, where):
            named = self._mentions(part)
            element = self._about(raw, named, elements)
            condition = None if element is None else self._condition(element.variable, part, named)
            volatile = condition is not None and condition.query.volatile and not raw.optional
            if element is not None and condition is not None and not volatile:
                conditions[id(element)].append(condition)
                if not raw.optional:
                    self._draft.replace(*part, "TRUE")
                    self.removed.update(range(*part))
            elif raw.optional:
                raise self._refused(_OPTIONAL, part)
            else:
                kept += named
        if not raw.optional:
            self._texts.append(Text(*where, kept))

    def _refuse_label_test(self, where: Range) -> None:
        """`v:label`, which SQL reads as anything but a condition."""
        tokens = self._draft.tokens
        index = label_test(tokens, *where, frozenset(self._variables.by_name))
        if index is None:
            return
        variable, label = tokens.slice(index, index + 1), tokens.slice(index + 2, index + 3)
        raise KadeQLSyntaxError(
            f"{variable}:{label} is no condition.",
            text=tokens.text,
            span=tokens.span(index, index + 3),
            hint=f"Say the label in the pattern: ({variable}:{label}); or write label({variable}) = '{label}'.",
        )

    def _about(
        self, raw: RawClause, named: Sequence[Mention], elements: Sequence[RawElement]
    ) -> RawElement | None:
        """The element of the clause that a condition is about, if it is about one outside of quantifiers."""
        if not named:
            return elements[0] if raw.optional else None
        variable = self._variables.by_name[named[0].variable]
        if variable.kind == "path" or variable.grouped or not self._own(named, variable.name):
            return None
        return next((element for element in elements if element.variable == variable.name), None)

    def _path(self, raw: RawPath, conditions: dict[int, list[Condition]]) -> PathPattern:
        elements: list[NodePattern | EdgePattern] = []
        for element in raw.elements:
            given, span = tuple(conditions[id(element)]), self._span(element.tokens)
            if element.edge is None:
                elements.append(NodePattern(element.variable, element.labels, given, span))
                continue
            cost = None if element.edge.cost is None else self._cost(element, element.edge.cost)
            edge = element.edge
            pattern = EdgePattern(
                element.variable,
                element.labels,
                edge.direction,
                given,
                edge.quantifier,
                cost,
                span,
            )
            elements.append(pattern)
        return PathPattern(raw.variable, raw.selector, raw.mode, tuple(elements), self._span(raw.tokens))

    def _entry(
        self, element: RawElement, key: int, value: Range, named: Sequence[Mention]
    ) -> Condition | None:
        """`{key: value}` as a condition; None where its value may differ from row to row."""
        tokens = self._draft.tokens
        alias = self._alias(element.variable, named)
        name = quoted(tokens.names[key]) if tokens.words[key] == STRING else tokens.slice(key, key + 1)
        head = self.parts.own(f"{quoted(alias)}.{name} = (", (key, key + 1))
        simple = equals(tokens, key, value)
        query = self.parts.rows(alias, value, (head,), ")", plain=simple is not None)
        properties = ((tokens.names[key], tokens.span(key)), *self._properties(named))
        span = tokens.starts[key], tokens.ends[value[1] - 1]
        return Condition(query, properties, span, simple)

    def _condition(self, variable: str, part: Range, named: Sequence[Mention]) -> Condition:
        simple: Comparison | None = comparison(self._draft.tokens, part, variable)
        query = self.parts.rows(self._alias(variable, named), part, plain=simple is not None)
        return Condition(query, self._properties(named), self._span(part), simple)

    def _cost(self, element: RawElement, part: Range) -> Expression:
        return self._expression(element.variable, part, _COST)

    def _expression(self, variable: str, part: Range, wrong: str) -> Expression:
        named = self._mentions(part)
        if not self._own(named, variable):
            raise self._refused(wrong, part)
        simple = property_alone(self._draft.tokens, part, variable)
        query = self.parts.values(self._alias(variable, named), part, plain=simple is not None)
        return Expression(query, self._properties(named), self._span(part), simple)

    def _times(self, raw: RawClause, times: RawTimes) -> TimeRespecting:
        """TIME RESPECTING, whose variable is the edge that both expressions are about."""
        named = [*self._mentions(times.depart), *self._mentions(times.arrive)]
        edges = {element.variable: path for path in raw.paths for element in path.elements if element.edge is not None}  # fmt: skip
        variable = named[0].variable if named else ""
        if variable not in edges:
            raise self._refused(_EDGE_TIMES, (times.depart[0], times.arrive[1]))
        path = edges[variable].variable
        if path is not None:
            self._variables.by_name[path].timed = True
        within, starting = times.within, times.starting_at
        return TimeRespecting(
            variable=variable,
            depart=self._expression(variable, times.depart, _EDGE_TIMES),
            arrive=self._expression(variable, times.arrive, _EDGE_TIMES),
            strict=times.strict,
            within=None if within is None else self._value(within, "WITHIN takes an interval"),
            starting_at=None if starting is None else self._value(starting, "STARTING AT takes a moment"),
            span=self._span(times.tokens),
        )

    def _value(self, part: Range, what: str) -> Value:
        """A value that no variable has a part in."""
        named = self._mentions(part)
        if named:
            raise self._refused(f"{what} that is the same for every match. Write a constant or a parameter.", (named[0].first, named[0].last))  # fmt: skip
        return Value(self.parts.constant(part), self._span(part))

    def _mentions(self, part: Range) -> list[Mention]:
        found = mentions(self._draft.tokens, self._variables, *part)
        star = next((mention for mention in found if mention.kind == "star"), None)
        if star is not None:
            raise KadeQLSyntaxError(
                "All properties of a variable are no value.",
                text=self._draft.tokens.text,
                span=self._span((star.first, star.last)),
                hint="Name the property.",
            )
        return found

    def _own(self, named: Sequence[Mention], variable: str) -> bool:
        """Whether all that is named are properties of one variable."""
        return all(mention.kind == "property" and mention.variable == variable for mention in named)

    def _alias(self, variable: str, named: Sequence[Mention]) -> str:
        """The variable as the user spelt it there."""
        return self._draft.tokens.names[named[0].first] if named else variable

    def _properties(self, named: Sequence[Mention]) -> tuple[tuple[str, Span], ...]:
        return tuple((mention.what, self._span((mention.first, mention.last))) for mention in named)

    def _can_move(self, raw: RawClause, element: RawElement) -> bool:
        repeats = element.edge is not None and element.edge.quantifier is not None
        return not (raw.optional or repeats)

    def _movable(self, raw: RawClause, element: RawElement, part: Range) -> None:
        """Refuse a condition that only the element could answer, and that is about more."""
        if not self._can_move(raw, element):
            raise self._refused(_OPTIONAL if raw.optional else _REPEATED, part)

    def _refused(self, told: str, part: Range) -> KadeQLError:
        message, _, hint = told.partition(". ")
        return KadeQLUnsupportedError(
            f"{message}.", text=self._draft.tokens.text, span=self._span(part), hint=hint
        )

    def _span(self, part: Range) -> Span:
        return self._draft.tokens.span(*part)
