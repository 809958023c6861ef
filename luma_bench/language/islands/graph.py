"""Graphs in a query: GRAPH_TABLE, MATCH … RETURN and the algorithms, recognised and refused."""

from __future__ import annotations

from typing import Final

from luma_bench.language.draft import Draft
from luma_bench.language.islands.island import Island, refused
from luma_bench.language.refusals import NOT_YET, Refusal

_JOIN: Final = "Join the edge table once for each hop: FROM edges e1 JOIN edges e2 ON e2.src = e1.dst"
_RECURSE: Final = "Walk the edges with WITH RECURSIVE … USING KEY (node), or take the table to networkx: bench.table('edges').to_pandas()."


def graph_table(draft: Draft, index: int) -> int | None:
    """GRAPH_TABLE ( where a table stands."""
    return (
        index + 1
        if index in draft.scope.starts and draft.tokens.follows(index + 1, draft.scope.last, "(")
        else None
    )


def algorithm(draft: Draft, index: int) -> int | None:
    """NAME ( GRAPH g where a table stands."""
    tokens, last = draft.tokens, draft.scope.last
    named = tokens.follows(index + 1, last, "(", "GRAPH") and index + 3 < last and tokens.is_name(index + 3)
    return index + 1 if named and index in draft.scope.starts else None


def match(draft: Draft, index: int) -> int | None:
    """[OPTIONAL] MATCH that begins a query: at its start, or after a bracket that also holds RETURN."""
    words, scope = draft.tokens.words, draft.scope
    begin = index - 1 if index > scope.first and words[index - 1] == "OPTIONAL" else index
    if begin == scope.first:
        return index + 1
    if words[begin - 1] != "(":
        return None
    return index + 1 if "RETURN" in words[index : draft.tokens.closing(begin - 1, scope.last)] else None


GRAPH_ISLANDS: Final[tuple[Island, ...]] = (
    refused("GRAPH_TABLE", graph_table, Refusal("GRAPH_TABLE", NOT_YET, _JOIN)),
    refused("MATCH", match, Refusal("MATCH … RETURN", NOT_YET, _JOIN)),
    refused(
        "PAGERANK BFS SHORTEST_PATHS WEAKLY_CONNECTED_COMPONENTS STRONGLY_CONNECTED_COMPONENTS TRIANGLES COMMUNITIES"
        " BETWEENNESS DEGREES K_CORE",
        algorithm,
        Refusal("A graph algorithm", NOT_YET, _RECURSE),
    ),
)
"""The graph constructs."""
