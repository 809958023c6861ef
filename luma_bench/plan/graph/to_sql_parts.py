"""The named queries that a pattern's SQL is made of, and what is read of its variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from luma_bench.language.graph.pattern import Match
from luma_bench.plan.graph.to_sql_elements import Output, Sources
from luma_bench.types.sql_text import quoted


@dataclass(slots=True)
class Parts:
    """What the clauses of one pattern share while they are written.

    Attributes
    ----------
    types
        The SQL types that columns of the relation are cast to.
    outputs
        What the query reads of nodes and edges, by variable.
    of_paths
        What it reads of paths (`nodes`, `length`, …) and under which name, by variable.
    named
        The variables that it reads, or that several paths share.
    held
        Named queries, in the order in which they read one another.
    """

    match: Match
    sources: Sources
    types: Mapping[str, str]
    outputs: dict[str, list[Output]] = field(default_factory=dict[str, list[Output]])
    of_paths: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    named: set[str] = field(default_factory=set[str])
    held: dict[str, str] = field(default_factory=dict[str, str])

    def part(self, name: str, sql: str) -> str:
        """Add a named query once; what reads it writes this."""
        self.held.setdefault(name, sql)
        return quoted(name)

    def vertices(self, place: int) -> str:
        """The query of every vertex of a table."""
        return self.part(f"@all {place}", self.sources.vertices(place))

    def ranks(self) -> str:
        """The query of the rank of every vertex."""
        every = [
            f'SELECT "@id", "@rank" FROM {self.vertices(i)}' for i in range(len(self.sources.graph.vertices))
        ]
        return self.part("@ranks", " UNION ALL ".join(every))
