"""What DuckDB's classifier calls a SELECT although it writes, or shows the engine's own state: refused."""

from __future__ import annotations

from typing import Final

from luma_bench.language.draft import Draft
from luma_bench.language.functions import CATALOG
from luma_bench.language.islands.island import Island, refused
from luma_bench.language.refusals import Refusal


def writes(draft: Draft, index: int) -> int | None:
    """INSERT, UPDATE, DELETE or MERGE at the start of a bracket, as in WITH x AS (DELETE FROM t RETURNING *)."""
    words, first, last = draft.tokens.words, draft.scope.first, draft.scope.last
    if index <= first or words[index - 1] != "(" or index + 1 >= last:
        return None
    in_with = index - 2 >= first and words[index - 2] in ("AS", "MATERIALIZED")
    return index + 1 if in_with or words[index + 1] in ("INTO", "FROM") else None


def shows(draft: Draft, index: int) -> int | None:
    """SHOW at the start of a bracket: a relation of the engine's own tables."""
    return index + 1 if index > draft.scope.first and draft.tokens.words[index - 1] == "(" else None


GUARD_ISLANDS: Final[tuple[Island, ...]] = (
    refused(
        "INSERT UPDATE DELETE MERGE COPY",
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
)
"""The constructs that a query may not hold."""
