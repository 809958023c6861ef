"""The registry: every construct that KadeQL adds to a query, by the word that may begin it.

An island is recognised by its trigger word and by what stands around it, because extension words are contextual: a
column named `match` or a table named `sample` is not an island. A refused island becomes a real one by giving its
entry a parser in place of the refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from luma_bench.language.islands.graph import GRAPH_ISLANDS
from luma_bench.language.islands.guard import GUARD_ISLANDS
from luma_bench.language.islands.island import Island
from luma_bench.language.islands.search import SEARCH_ISLANDS
from luma_bench.language.islands.series import SERIES_ISLANDS
from luma_bench.language.islands.snapshot import SNAPSHOT

ISLANDS: Final[tuple[Island, ...]] = (
    SNAPSHOT,
    *GRAPH_ISLANDS,
    *SERIES_ISLANDS,
    *SEARCH_ISLANDS,
    *GUARD_ISLANDS,
)
"""Every island, in the order in which they are tried."""


def _by_trigger() -> dict[str, tuple[Island, ...]]:
    words = {word for island in ISLANDS for word in island.triggers}
    return {word: tuple(island for island in ISLANDS if word in island.triggers) for word in words}


BY_TRIGGER: Final[Mapping[str, tuple[Island, ...]]] = _by_trigger()
"""The islands that a word may begin."""

EARLY: Final = frozenset(word for island in ISLANDS if island.early for word in island.triggers)
"""The words that may begin an island which changes the SELECT around it."""
