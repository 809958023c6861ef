"""The cells of VALUES, each cast by itself: SQL gives a row's value the type of its column, whatever stands in other rows.

Without this a list has one type for each column before the table is asked: `VALUES (1), (1.5)` into text would be '1.0'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from luma_bench.language.insert import values_items
from luma_bench.language.placed import Query
from luma_bench.language.rewrite import Edit, rewritten
from luma_bench.language.tokens import NUMBER, STRING, Tokens, tokenize


def cast_cells(query: Query, count: int, types: Callable[[], Sequence[str]]) -> Query:
    """The query of a VALUES list with each of the first `count` cells of its rows cast to its column's type.

    A list whose rows are alike stays as it is, and `types` is not asked: the casts would say nothing new.
    """
    tokens = tokenize(query.sql)
    rows = values_items(tokens, 0, len(tokens.words))
    columns = ([row[place] for row in rows if place < len(row)] for place in range(count))
    if not any(_differ(tokens, cells) for cells in columns):
        return query
    wanted = types()
    edits: list[Edit] = []
    for row in rows:
        for (first, last), kind in zip(row, wanted, strict=False):
            start, end = tokens.span(first, last)
            edits += [Edit(start, start, "CAST("), Edit(end, end, f" AS {kind})")]
    sql, later = rewritten(query.sql, 0, len(query.sql), edits)
    return replace(query, sql=sql, offsets=query.offsets.behind(later), edits=())


def _differ(tokens: Tokens, cells: Sequence[tuple[int, int]]) -> bool:
    """Whether the cells of one column could have more than one type."""
    kinds = {_literal(tokens, first, last) for first, last in cells} - {"NULL"}
    return len(cells) > 1 and (len(kinds) > 1 or "other" in kinds)


def _literal(tokens: Tokens, first: int, last: int) -> str:
    """What a cell is at a glance: a text, a whole number, a truth value, NULL, or anything else."""
    if tokens.words[first] == "-" and last == first + 2:
        first += 1
    if last != first + 1:
        return "other"
    word = tokens.words[first]
    if word == STRING:
        return "text"
    if word == NUMBER:
        return "whole" if tokens.slice(first, last).isdigit() else "other"
    return {"TRUE": "truth", "FALSE": "truth", "NULL": "NULL"}.get(word, "other")
