"""Conditions of WHERE that only ask of the left side of a join by time: its rows can be told apart before the join."""

from __future__ import annotations

from typing import Final

from luma_bench.language.draft import Draft
from luma_bench.language.functions import VOLATILE_FUNCTIONS, VOLATILE_WORDS
from luma_bench.language.graph.conditions import conjuncts
from luma_bench.language.keywords import QUERY_STARTS
from luma_bench.language.part_queries import Range
from luma_bench.language.sequences import SEQUENCE_FUNCTIONS
from luma_bench.language.series.aggregates import AGGREGATES
from luma_bench.language.series.blocks import Block
from luma_bench.language.series.columns import mentions
from luma_bench.language.series.conditions import flat
from luma_bench.language.series.items import Source
from luma_bench.language.series.recognise import Item
from luma_bench.language.tokens import Tokens

_NULLING: Final = frozenset({"RIGHT", "FULL"})
_QUERIES: Final = QUERY_STARTS - {"("}
_TAKING: Final = frozenset({*VOLATILE_FUNCTIONS, *SEQUENCE_FUNCTIONS, *AGGREGATES})


def left_conditions(draft: Draft, block: Block, left: Item, last: int) -> list[Range]:
    """The conditions of a block's WHERE that name columns of the left relation alone, all by its name.

    They stay in WHERE too: what it says is judged there.

    Parameters
    ----------
    last
        The token behind the join. A RIGHT or FULL join further on would keep rows that have no left side.
    """
    tokens = draft.tokens
    clause, where = block.get("FROM"), block.get("WHERE")
    if clause is None or where is None or where.last <= where.body:
        return []
    if any(tokens.words[place] in _NULLING for place in flat(tokens, last, clause.last)):
        return []
    source = Source.of(left)
    return [part for part in conjuncts(tokens, (where.body, where.last)) if _asks(tokens, part, source)]


def _asks(tokens: Tokens, part: Range, source: Source) -> bool:
    first, last = part
    words = tokens.words[first:last]
    if not _QUERIES.isdisjoint(words) or not VOLATILE_WORDS.isdisjoint(words) or "OVER" in words:
        return False
    if any(tokens.names[place].casefold() in _TAKING and tokens.follows(place + 1, last, "(") for place in range(first, last)):  # fmt: skip
        return False
    found = mentions(tokens, first, last)
    return bool(found) and all(source.qualifier(mention) for mention in found)
