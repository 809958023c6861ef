"""A pattern as it is read, before its conditions are told apart: elements with the tokens of what they say."""

from __future__ import annotations

from dataclasses import dataclass, field

from luma_bench.language.graph.pattern import Direction, Label, Mode, Quantifier, Selector

Range = tuple[int, int]
"""Half-open tokens."""


@dataclass(slots=True)
class RawElement:
    """A node or an edge.

    Attributes
    ----------
    wheres
        The expression behind WHERE, if there is one.
    entries
        Of `{k: value, …}` the token of each name, and its value.
    edge
        What only edges have.
    """

    variable: str
    labels: tuple[Label, ...]
    wheres: list[Range]
    entries: list[tuple[int, Range]]
    tokens: Range
    edge: RawEdge | None = None


@dataclass(slots=True)
class RawEdge:
    """What an edge has besides."""

    direction: Direction
    quantifier: Quantifier | None = None
    cost: Range | None = None
    cost_at: int = 0


@dataclass(slots=True)
class RawPath:
    """A path: nodes and edges in turn."""

    variable: str | None
    selector: Selector | None
    mode: Mode
    elements: list[RawElement]
    tokens: Range


@dataclass(slots=True)
class RawTimes:
    """TIME RESPECTING (depart, arrive) and what follows."""

    depart: Range
    arrive: Range
    strict: bool
    within: Range | None
    starting_at: Range | None
    tokens: Range


@dataclass(slots=True)
class RawClause:
    """One MATCH with what follows it."""

    optional: bool
    place: int
    paths: list[RawPath] = field(default_factory=list[RawPath])
    where: Range | None = None
    valid_at: Range | None = None
    times: RawTimes | None = None
    tokens: Range = (0, 0)
