"""What a graph pattern says, as values: paths of nodes and edges with their conditions, and what the query reads of them.

Variables are casefolded; one that the user did not write is `@` and a number. A condition or expression about one element
is a query of its own over the relation `ELEMENT`, which stands for the rows of the element's table with their row ids.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from luma_bench.language.placed import Query

ELEMENT: Final = "@element"
"""The relation that conditions about one element read; `rows_relation(ELEMENT)` has the row ids too."""
WEIGHT: Final = "@n"
"""The column of a match's relation that says how many equal matches a row stands for."""


class Direction(StrEnum):
    """Which way an edge is walked, seen from the element on its left."""

    RIGHT = "->"
    LEFT = "<-"
    ANY = "-"

    @property
    def reversed(self) -> Direction:
        """The same edge seen from the other end."""
        return {Direction.RIGHT: Direction.LEFT, Direction.LEFT: Direction.RIGHT}.get(self, self)


class Mode(StrEnum):
    """What a path may repeat: WALK anything, TRAIL no edge, ACYCLIC no node, SIMPLE no node but the first as the last."""

    WALK = "WALK"
    TRAIL = "TRAIL"
    ACYCLIC = "ACYCLIC"
    SIMPLE = "SIMPLE"


class Duplicates(StrEnum):
    """What the query does with equal matches: needs each, counts them by `WEIGHT`, or ignores them."""

    NEEDED = "needed"
    COUNTED = "counted"
    IGNORED = "ignored"


Span = tuple[int, int]
"""Half-open offsets in the user's whole text."""


class Quantifier(NamedTuple):
    """How often an edge repeats: `{least, most}`; `most` is None for no bound."""

    least: int
    most: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Selector:
    """Which of the paths between each pair of ends count.

    Attributes
    ----------
    kind
        `any` and `all` shortest, the `count` `shortest`, or any `cheapest`.
    """

    kind: Literal["any", "all", "shortest", "cheapest"]
    count: int
    span: Span


class Comparison(NamedTuple):
    """A condition `v.prop op value` that needs no engine: the value is a literal of Python or the name of a parameter.

    `op` is one of `= <> < <= > >=`; `parameter` is None for a literal.
    """

    property: str
    op: str
    value: object
    parameter: str | None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition about one element.

    Attributes
    ----------
    query
        `SELECT v._rowid FROM "__luma_rows_@element" AS v WHERE (…)`: the rows that fulfil it; behind the WITH list of the
        queries around the pattern where it reads one of theirs.
    properties
        What it reads of the element, with their places.
    simple
        The same as a comparison, where it is one; several for a conjunction (`{a: 1, b: 2}` gives two conditions).
    """

    query: Query
    properties: tuple[tuple[str, Span], ...]
    span: Span
    simple: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Expression:
    """A value of each row of one element: `SELECT v._rowid, (…) AS value FROM "__luma_rows_@element" AS v`."""

    query: Query
    properties: tuple[tuple[str, Span], ...]
    span: Span
    simple: str | None = None
    """The property itself, where the expression is one."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value that no element has a part in: `SELECT (…) AS value`."""

    query: Query
    span: Span


@dataclass(frozen=True, slots=True)
class Label:
    """A label, and where it stands."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class NodePattern:
    """`(v:label|label WHERE …)`; nodes with the same variable are one, and each says its own share."""

    variable: str
    labels: tuple[Label, ...]
    conditions: tuple[Condition, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class EdgePattern:
    """`-[e:label|label WHERE … COST …]->{m,n}`; conditions hold for each edge of a quantified one."""

    variable: str
    labels: tuple[Label, ...]
    direction: Direction
    conditions: tuple[Condition, ...]
    quantifier: Quantifier | None
    cost: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class PathPattern:
    """`p = ANY SHORTEST TRAIL (a)-[e]->(b)…`: nodes and edges in turn, a node first and last."""

    variable: str | None
    selector: Selector | None
    mode: Mode
    elements: tuple[NodePattern | EdgePattern, ...]
    span: Span

    @property
    def nodes(self) -> tuple[NodePattern, ...]:
        """Its nodes, in order."""
        return tuple(item for item in self.elements if isinstance(item, NodePattern))

    @property
    def edges(self) -> tuple[EdgePattern, ...]:
        """Its edges, in order."""
        return tuple(item for item in self.elements if isinstance(item, EdgePattern))


@dataclass(frozen=True, slots=True)
class TimeRespecting:
    """`TIME RESPECTING (depart, arrive) STRICT WITHIN … STARTING AT …`, about the edges `variable`."""

    variable: str
    depart: Expression
    arrive: Expression
    strict: bool
    within: Value | None
    starting_at: Value | None
    span: Span


@dataclass(frozen=True, slots=True)
class Clause:
    """One MATCH of a query: its paths hold together; of an `optional` one, rows without a match keep NULLs.

    Conditions of an optional clause's WHERE that are about several variables are refused; those about one stand with it.
    """

    paths: tuple[PathPattern, ...]
    optional: bool
    valid_at: Value | None
    time: TimeRespecting | None
    span: Span


class Use(NamedTuple):
    """A column that the query reads of a match's relation.

    Attributes
    ----------
    column
        Its name there: `v.prop`, `v` for the key of an element, `v.@id` for what tells elements apart, `v.@label`, or
        of a path `p.@nodes`, `p.@edges`, `p.@length`, `p.@cost`, `p.@departure`, `p.@arrival`; a variable inside a
        quantifier gives lists.
    property
        As the user wrote it; None where `column` is no property.
    """

    column: str
    variable: str
    property: str | None
    span: Span


class Average(NamedTuple):
    """An average that the text computes of values and how often each stands, which only numbers allow.

    Attributes
    ----------
    weighed
        What stands in the query's SQL.
    plain
        What takes its place where one of the properties holds moments or intervals; see `language.graph.weights`.
    columns
        The columns that it is made of.
    """

    weighed: str
    plain: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A graph pattern that stands in a query as the relation `alias`.

    Attributes
    ----------
    alias
        `@match ` and a checksum of the island's text.
    graph
        The name behind ON GRAPH or in GRAPH_TABLE; None where the bench has one graph.
    uses
        The columns that the query reads; `star` are variables whose every property it reads (`a.*`).
    params
        The `$names` of conditions and values.
    volatile
        Whether a condition may differ between two runs.
    averages
        The averages of a query that counts equal matches.
    """

    alias: str
    graph: str | None
    graph_span: Span
    clauses: tuple[Clause, ...]
    uses: tuple[Use, ...]
    star: tuple[str, ...]
    duplicates: Duplicates
    params: frozenset[str]
    volatile: bool
    span: Span
    text: str = field(repr=False)
    averages: tuple[Average, ...] = ()

    @property
    def queries(self) -> tuple[Query, ...]:
        """Every query in it: of conditions, expressions and values."""
        found: list[Query] = []
        for clause in self.clauses:
            for path in clause.paths:
                for item in path.elements:
                    found += [condition.query for condition in item.conditions]
                    if isinstance(item, EdgePattern) and item.cost is not None:
                        found.append(item.cost.query)
            values = [clause.valid_at]
            if clause.time is not None:
                found += [clause.time.depart.query, clause.time.arrive.query]
                values += [clause.time.within, clause.time.starting_at]
            found += [value.query for value in values if value is not None]
        return tuple(found)


class Argument(NamedTuple):
    """`name => value` of an algorithm: a constant expression as a query, `SELECT (…) AS value`."""

    name: str
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Algorithm:
    """`PAGERANK(GRAPH g, damping => 0.85)` that stands in a query as the relation `alias`.

    `name` is in upper case, arguments' names are casefolded.
    """

    alias: str
    name: str
    graph: str
    graph_span: Span
    arguments: tuple[Argument, ...]
    params: frozenset[str]
    volatile: bool
    span: Span
    text: str = field(repr=False)

    @property
    def queries(self) -> tuple[Query, ...]:
        """The queries of its arguments."""
        return tuple(item.value.query for item in self.arguments)


GraphIsland = Match | Algorithm
"""What stands in a query's text as a relation that graphs answer."""
