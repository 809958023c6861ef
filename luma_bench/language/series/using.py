"""USING in a join whose two sides go together row by row: the right side's columns of it have names with a leading `@`.

What names them says so, and a star leaves them out, so that each column of USING stands once, as USING has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from luma_bench.language.draft import Draft
from luma_bench.language.graph.shadows import is_subquery, table_names
from luma_bench.language.part_queries import Range
from luma_bench.language.result_names import labelled
from luma_bench.language.rewrite import Edit
from luma_bench.language.series.aggregates import labels, result_name
from luma_bench.language.series.blocks import Block
from luma_bench.language.series.columns import is_column, mentions
from luma_bench.language.series.items import Source
from luma_bench.language.series.pattern import Name
from luma_bench.language.series.recognise import Item
from luma_bench.language.tokens import Tokens, listed
from luma_bench.types.sql_text import quoted

_PATTERNS: Final = frozenset({"LIKE", "ILIKE", "SIMILAR", "GLOB", "NOT", "EXCEPT"})
_BEHIND_STAR: Final = frozenset({"EXCLUDE", "EXCEPT", "REPLACE", "RENAME", *_PATTERNS})
_AROUND: Final = frozenset({"UPDATE", "DELETE", "MERGE"})


def merge_columns(
    draft: Draft, block: Block, right: Item, columns: tuple[Name, ...], first: int, last: int
) -> bool:
    """Name the right side's columns of USING in the SELECT around a join; False, with nothing done, where that cannot be.

    Parameters
    ----------
    right
        The right relation.
    first, last
        The tokens of the join.
    """
    tokens = draft.tokens
    clause = block.get("FROM")
    around = tokens.words[draft.scope.first]
    if clause is None or around in _AROUND or "COLUMNS" in tokens.words[block.first : block.last]:
        return False
    names = {name.name.casefold(): f"@{name.name}" for name in columns}
    hidden = ", ".join(quoted(name) for name in names.values())
    edits: list[tuple[int, int, str]] = []
    inserts: list[Edit] = []
    source = Source.of(right)
    for part in (block.first, first), (last, block.last):
        for begin, end in visible(tokens, *part, right.name):
            found = _mentioned(tokens, begin, end, source, names)
            if found is None:
                return False
            edits += found
    if block.items is None:
        # A query that begins with FROM gives every column.
        place = tokens.ends[clause.last - 1]
        draft.edits.append(Edit(place, place, f" SELECT * EXCLUDE ({hidden})"))
    else:
        for item in listed(tokens, *listed_items(tokens, block.items)):
            if tokens.words[item[0]] != "*":
                inserts += _named(draft, item, edits)
                continue
            if item[1] > item[0] + 1 and tokens.words[item[0] + 1] in _PATTERNS:
                return False
            edits.append(excluded(tokens, item, hidden))
    draft.edits += inserts
    for begin, end, text in edits:
        draft.replace(begin, end, text)
    return True


def _named(draft: Draft, item: Range, edits: list[tuple[int, int, str]]) -> list[Edit]:
    """The label that gives a result the name which it would have with the columns' own names."""
    tokens = draft.tokens
    first, last, label = labelled(tokens, *item)
    inside = [place for place, _, text in edits if first <= place < last and not text.startswith("*")]
    # first(x, ts) has its label already.
    if label is not None or not inside or labels(draft, tokens.ends[last - 1]):
        return []
    column = is_column(tokens, first, last) is not None
    name = tokens.names[last - 1] if column else result_name(draft, first, last)
    return [Edit(tokens.ends[last - 1], tokens.ends[last - 1], f" AS {quoted(name)}")]


def excluded(tokens: Tokens, item: Range, hidden: str) -> tuple[int, int, str]:
    """What makes a star leave some columns out, besides those that it leaves out already."""
    star, last = item
    if not tokens.follows(star + 1, last, "EXCLUDE"):
        return star, star + 1, f"* EXCLUDE ({hidden})"
    if tokens.follows(star + 2, last, "("):
        return star, star + 3, f"* EXCLUDE ({hidden}, "
    return star, star + 3, f"* EXCLUDE ({hidden}, {tokens.slice(star + 2, star + 3)})"


def listed_items(tokens: Tokens, items: Range) -> Range:
    """The select list behind DISTINCT."""
    first, last = items
    if tokens.follows(first, last, "DISTINCT", "ON", "("):
        return tokens.closing(first + 2, last) + 1, last
    return (first + 1, last) if tokens.follows(first, last, "DISTINCT") else items


def _mentioned(
    tokens: Tokens, first: int, last: int, source: Source, names: dict[str, str]
) -> list[tuple[int, int, str]] | None:
    """The edits that name some columns of a relation as they now are; None where it is named as a whole."""
    edits: list[tuple[int, int, str]] = []
    for mention in mentions(tokens, first, last):
        own = source.qualifier(mention)
        if not own and mention.path[0].casefold() == source.alias and len(mention.path) == 1:
            if not tokens.follows(mention.last, last, ".", "*"):
                return None
            if mention.last + 2 < last and tokens.words[mention.last + 2] in _BEHIND_STAR:
                return None
            renamed = ", ".join(f"{quoted(now)} AS {quoted(now[1:])}" for now in names.values())
            edits.append((mention.last + 1, mention.last + 2, f"* RENAME ({renamed})"))
        elif own and (now := names.get(mention.path[own].casefold())) is not None:
            place = mention.first + 2 * own
            edits.append((place, place + 1, quoted(now)))
    return edits


def visible(tokens: Tokens, first: int, last: int, alias: str) -> Iterator[Range]:
    """The stretches of a range in which a name is that of a relation around: queries in brackets may have their own."""
    begin = index = first
    while index < last:
        if tokens.words[index] == "(" and is_subquery(tokens, index, last):
            close = tokens.closing(index, last)
            if alias.casefold() in table_names(tokens, index + 1, close):
                if begin < index:
                    yield begin, index
                begin = index = close + 1
                continue
        index += 1
    if begin < last:
        yield begin, last
