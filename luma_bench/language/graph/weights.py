"""Averages over matches that are no numbers: they are taken over every match, and not over how often each stands for itself."""

from __future__ import annotations

from dataclasses import replace

from luma_bench.language.graph.pattern import Duplicates, Match
from luma_bench.language.placed import Query
from luma_bench.language.rewrite import Edit, rewritten


def unweighed(query: Query, match: Match) -> tuple[Query, Match]:
    """The query with DuckDB's own averages over one of its matches, which it needs each of then.

    Counts and sums stay as they are: each match stands for itself once.

    Parameters
    ----------
    match
        One of `query.islands` that has `averages`.
    """
    edits: list[Edit] = []
    for average in set(match.averages):
        at = query.sql.find(average.weighed)
        while at >= 0:
            edits.append(Edit(at, at + len(average.weighed), average.plain))
            at = query.sql.find(average.weighed, at + len(average.weighed))
    sql, later = rewritten(query.sql, 0, len(query.sql), edits)
    needed = replace(match, duplicates=Duplicates.NEEDED, averages=())
    islands = tuple(needed if island is match else island for island in query.islands)
    offsets = query.offsets.behind(later)
    return replace(query, sql=sql, offsets=offsets, edits=(), islands=islands), needed
