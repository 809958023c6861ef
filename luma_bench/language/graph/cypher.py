"""What to write instead of what other graph languages have: for hints."""

from __future__ import annotations

from typing import Final

from luma_bench.language.tokens import NUMBER, QUOTED, STRING, Tokens

ELEMENT_FUNCTIONS: Final = {
    "labels": "Write label({0}).",
    "type": "Write label({0}).",
    "id": "The key stands for an element: RETURN {0}.",
    "elementid": "The key stands for an element: RETURN {0}.",
    "properties": "Write RETURN {0}.*, or name the properties.",
    "keys": "DESCRIBE shows the columns of the element's table.",
    "startnode": "Name the node in the pattern: (a)-[{0}]->(b).",
    "endnode": "Name the node in the pattern: (a)-[{0}]->(b).",
}
"""Functions of a node or an edge, in lower case, and what to write with its variable."""
PATH_FUNCTIONS: Final = {
    "length": "Write path_length({0}).",
    "relationships": "Write edges({0}).",
    "rels": "Write edges({0}).",
}
"""Functions of a path."""
FUNCTIONS: Final = {"collect": "Write list({0})."}
"""Functions of any value."""
CLAUSES: Final = {
    "WITH": "Give the pattern a name: WITH m AS (MATCH … RETURN …) SELECT … FROM m.",
    "UNWIND": "Unfold a list in SQL: SELECT unnest(xs) FROM (MATCH … RETURN … AS xs).",
    "CREATE": "Vertices and edges are rows of tables: INSERT INTO the table MATCH … RETURN …",
    "MERGE": "Vertices and edges are rows of tables: INSERT INTO the table MATCH … RETURN … ON CONFLICT DO NOTHING.",
    "SET": "Vertices and edges are rows of tables: UPDATE the table SET … WHERE key IN (MATCH … RETURN …).",
    "REMOVE": "Vertices and edges are rows of tables: UPDATE the table SET column = NULL WHERE key IN (MATCH … RETURN …).",
    "DELETE": "Vertices and edges are rows of tables: DELETE FROM the table WHERE key IN (MATCH … RETURN …).",
    "DETACH": "Vertices and edges are rows of tables: DELETE FROM the table WHERE key IN (MATCH … RETURN …).",
}
"""Clauses that change data or hand rows on, and how SQL says it."""
SEARCHES: Final = {
    "SHORTESTPATH": "Write MATCH p = ANY SHORTEST (a)-[e]->+(b).",
    "ALLSHORTESTPATHS": "Write MATCH p = ALL SHORTEST (a)-[e]->+(b).",
}
"""Functions that find paths."""
_VALUES: Final = frozenset({")", "]", "}", STRING, NUMBER, QUOTED, "NULL", "TRUE", "FALSE", "END"})


def begins_clause(tokens: Tokens, first: int, index: int, last: int) -> bool:
    """Whether a clause of `CLAUSES` begins at a token of an expression that began at `first`."""
    if tokens.words[index] not in CLAUSES or index == first or index + 1 >= last:
        return False
    before, behind = tokens.words[index - 1], tokens.words[index + 1]
    if behind == "TIME":
        # TIMESTAMP(3) WITH TIME ZONE is a type.
        return False
    ended = before in _VALUES or (tokens.is_name(index - 1) and tokens.words[index - 2] == ".")
    return ended and (tokens.is_name(index + 1) or behind in ("(", "*", "["))


def label_test(tokens: Tokens, first: int, last: int, names: frozenset[str]) -> int | None:
    """The variable of the first `v:label` in a condition; `names` are the variables, casefolded."""
    for index in range(first, last - 2):
        if (
            tokens.words[index + 1] == ":"
            and tokens.names[index].casefold() in names
            and tokens.is_name(index)
            and tokens.is_name(index + 2)
            and (index == first or tokens.words[index - 1] in ("AND", "OR", "NOT", "("))
        ):
            return index
    return None
