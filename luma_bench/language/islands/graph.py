"""Graphs in a query: GRAPH_TABLE, MATCH … RETURN and the algorithms."""

from __future__ import annotations

from typing import Final

from luma_bench.language.draft import Draft
from luma_bench.language.graph.read_algorithm import ALGORITHMS, read_algorithm
from luma_bench.language.graph.read_match import read_match, read_table
from luma_bench.language.islands.island import Island


def table_call(draft: Draft, index: int) -> int | None:
    """A name and a bracket where a table stands."""
    called = index in draft.scope.starts and draft.tokens.follows(index + 1, draft.scope.last, "(")
    return index + 1 if called else None


def algorithm(draft: Draft, index: int) -> int | None:
    """NAME ( GRAPH g where a table stands."""
    tokens, last = draft.tokens, draft.scope.last
    named = tokens.follows(index + 1, last, "(", "GRAPH") and index + 3 < last and tokens.is_name(index + 3)
    return index + 1 if named and index in draft.scope.starts else None


def match(draft: Draft, index: int) -> int | None:
    """The first MATCH of a graph query."""
    return index + 1 if index in draft.scope.matches else None


GRAPH_ISLANDS: Final[tuple[Island, ...]] = (
    Island(
        "GRAPH_TABLE",
        frozenset({"GRAPH_TABLE"}),
        table_call,
        lambda draft, index, _: read_table(draft, index),
    ),
    Island("MATCH … RETURN", frozenset({"MATCH"}), match, lambda draft, index, _: read_match(draft, index)),
    Island("A graph algorithm", ALGORITHMS, algorithm, lambda draft, index, _: read_algorithm(draft, index)),
)
"""The graph constructs."""
