"""What DuckDB's classifier calls a SELECT although it writes, or shows the engine's own state: refused."""

from __future__ import annotations

from typing import Final

from luma_bench.language.draft import Draft
from luma_bench.language.functions import CATALOG
from luma_bench.language.islands.island import Island, refused
from luma_bench.language.refusals import Refusal


def writes(draft: Draft, index: int) -> int | None:
    """A writing word at the start of a bracket or behind an inner WITH list: WITH x AS (DELETE FROM t RETURNING *)."""
    words, first, last = draft.tokens.words, draft.scope.first, draft.scope.last
    if index <= first or index + 1 >= last:
        return None
    if words[index - 1] != "(":
        return index + 1 if index in draft.scope.bodies and _depth(draft, index) else None
    in_with = index - 2 >= first and words[index - 2] in ("AS", "MATERIALIZED")
    return index + 1 if in_with or words[index + 1] in ("INTO", "FROM") else None


def _depth(draft: Draft, index: int) -> int:
    """How many brackets of the query are open at a token; outside all of them DuckDB's classifier sees the statement."""
    before = draft.tokens.words[draft.scope.first : index]
    return before.count("(") - before.count(")")


def shows(draft: Draft, index: int) -> int | None:
    """SHOW anywhere but at the start: a relation of the engine's own tables."""
    return index + 1 if index > draft.scope.first else None


def describes_nothing(draft: Draft, index: int) -> int | None:
    """DESCRIBE without a table, which lists the engine's own."""
    words, first, last = draft.tokens.words, draft.scope.first, draft.scope.last
    begins = index == first or words[index - 1] in ("(", "SUMMARIZE", "DESCRIBE")
    return index + 1 if begins and (index + 1 == last or words[index + 1] == ")") else None


GUARD_ISLANDS: Final[tuple[Island, ...]] = (
    refused(
        "INSERT UPDATE DELETE MERGE TRUNCATE COPY",
        writes,
        Refusal(
            "A statement that writes, inside a query,",
            "is refused: a query reads one snapshot",
            "Write first, in a statement of its own: INSERT INTO t SELECT …; SELECT … FROM t",
        ),
    ),
    refused(
        "SHOW",
        shows,
        Refusal("SHOW inside a query", CATALOG.why, "Write SHOW TABLES as a statement, or DESCRIBE t."),
    ),
    refused(
        "DESCRIBE DESC",
        describes_nothing,
        Refusal("DESCRIBE without a table", CATALOG.why, "Write DESCRIBE t, or SHOW TABLES as a statement."),
    ),
)
"""The constructs that a query may not hold."""
