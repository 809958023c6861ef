"""The outline of a statement that is being typed: its queries, what they read, and what they give.

It is a reading, not a parse: it never fails, and takes an unfinished text for what it is so far. DuckDB's parser judges the
grammar elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

SourceKind = Literal["table", "query", "call", "rows", "file"]


@dataclass(slots=True)
class Output:
    """One column that a query gives, or a star.

    Attributes
    ----------
    name
        The column's name; empty where only the engine knows it.
    path
        The parts of a plain name, `a.b.c`; empty for another expression.
    star
        None, or what stands before the point of a star, empty for `*` alone.
    excluded
        The names behind EXCLUDE, casefolded.
    first, last
        Its tokens, half-open.
    """

    name: str
    path: tuple[str, ...]
    star: str | None
    excluded: frozenset[str]
    first: int
    last: int


@dataclass(slots=True)
class Source:
    """One relation that a query reads.

    Attributes
    ----------
    name
        The catalog's name as it is written, `sales.orders`; of a call its function, in upper case.
    alias
        What its columns are called by; empty for a query without an alias.
    first, last
        The tokens of the name, half-open.
    query
        What stands in its brackets.
    inner
        What `TABLE …` names in the brackets of a window or series function, and `with_rowid(…)`.
    outputs
        The columns that GRAPH_TABLE gives.
    graph
        The graph of GRAPH_TABLE or of an algorithm.
    columns
        The names that an alias gives to the first columns.
    """

    kind: SourceKind
    name: str
    alias: str
    first: int
    last: int
    query: Query | None = None
    inner: Source | None = None
    outputs: list[Output] = field(default_factory=list[Output])
    graph: str = ""
    columns: tuple[str, ...] = ()
    aliased: bool = False


@dataclass(slots=True)
class Variable:
    """A variable of a graph pattern; `part` is `vertex`, `edge` or `path`."""

    name: str
    part: str
    labels: tuple[str, ...]
    first: int


@dataclass(slots=True)
class Pattern:
    """A graph pattern: from its MATCH up to RETURN or COLUMNS; `graph` is empty where it is not named."""

    first: int
    last: int
    graph: str
    variables: list[Variable] = field(default_factory=list[Variable])


@dataclass(slots=True)
class Cte:
    """An entry of a WITH list."""

    name: str
    first: int
    query: Query | None
    columns: tuple[str, ...] = ()
    used: bool = False


@dataclass(slots=True)
class Member:
    """One SELECT, MATCH, VALUES or change of rows; `clauses` are the words that begin its clauses, by token."""

    first: int
    last: int
    kind: str = "select"
    sources: list[Source] = field(default_factory=list[Source])
    outputs: list[Output] = field(default_factory=list[Output])
    clauses: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    pattern: Pattern | None = None


@dataclass(slots=True)
class Query:
    """A query, or a statement around one; tokens `first` up to, not with, `last`."""

    first: int
    last: int
    parent: Query | None = None
    ctes: list[Cte] = field(default_factory=list[Cte])
    members: list[Member] = field(default_factory=list[Member])
    children: list[Query] = field(default_factory=list["Query"])
    patterns: list[Pattern] = field(default_factory=list[Pattern])
    target: Source | None = None

    def member_at(self, index: int) -> Member | None:
        """The member that the place before token `index` is in."""
        found = [member for member in self.members if member.first <= index]
        return found[-1] if found else (self.members[0] if self.members else None)

    def within(self, index: int) -> Query:
        """The innermost query around the place before token `index`."""
        for child in self.children:
            if child.first <= index <= child.last:
                return child.within(index)
        return self

    def every(self) -> Iterator[Query]:
        """The query itself and all that stand in it."""
        yield self
        for child in self.children:
            yield from child.every()
