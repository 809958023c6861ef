"""Names of the relations that stand for graph queries: `@match` or `@graph` and a checksum of the user's text."""

from __future__ import annotations

import zlib
from dataclasses import replace

from luma_bench.language.draft import Draft
from luma_bench.language.graph.pattern import Algorithm, GraphIsland, Match
from luma_bench.language.island_kinds import AnyIsland
from luma_bench.language.placed import Query


def keep[IslandT: (Match, Algorithm)](draft: Draft, island: IslandT, *, contextual: bool) -> IslandT:
    """The island under its name, with what its queries need of a run; the draft keeps it, equal ones once.

    Parameters
    ----------
    contextual
        Whether the same text could mean something else elsewhere in the query.
    """
    queries = island.queries
    text = island.text
    if contextual:
        text += "".join(f"\0{query.sql}" for query in queries)
    kind = "@match" if isinstance(island, Match) else "@graph"
    named = replace(
        island,
        params=frozenset(name for query in queries for name in all_params(query)),
        volatile=any(query.volatile or query.sequences for query in queries),
    )
    number = zlib.crc32(text.encode())
    alias = f"{kind} {number:08x}"
    while (known := _known(draft, alias)) is not None and not _same(known, island):
        number += 1
        alias = f"{kind} {number & 0xFFFFFFFF:08x}"
    named = replace(named, alias=alias)
    if known is None:
        draft.islands.append(named)
    draft.volatile = draft.volatile or named.volatile
    return named


def all_params(query: Query) -> frozenset[str]:
    """Every `$name` that a query needs a value for: of its text, its pins and its graph queries."""
    return query.params | query.pin_params | query.island_params


def _known(draft: Draft, alias: str) -> AnyIsland | None:
    return next((item for item in draft.islands if item.alias == alias), None)


def _same(known: AnyIsland, island: GraphIsland) -> bool:
    """Whether two islands ask the same."""
    if known.text != island.text or type(known) is not type(island):
        return False
    return [query.sql for query in known.queries] == [query.sql for query in island.queries]
