"""A block whose whole FROM is one window function, grouped by plain columns: it becomes one relation, which need not hold rows.

`SELECT window_start, avg(temp) AS t FROM TUMBLE(…) w WHERE temp > 0 GROUP BY ALL HAVING count(*) > 3 ORDER BY t` becomes
`SELECT "@k0" AS "window_start", "@a0" AS t FROM "@series 9c0d" WHERE "@a1" > 3 ORDER BY t`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from luma_bench.errors import KadeQLSyntaxError
from luma_bench.language.draft import Draft
from luma_bench.language.graph.shadows import is_subquery
from luma_bench.language.series.blocks import Block, Range, block_at, conjuncts
from luma_bench.language.series.columns import mentions
from luma_bench.language.series.grouped import Regrouped
from luma_bench.language.series.grouping import finish, group_by, group_keys, place_item, read_items
from luma_bench.language.series.items import Source
from luma_bench.language.series.pattern import END, START, TIME, Windows

_WINDOW: Final = frozenset({START, END, TIME})
_READS: Final = frozenset({"SELECT", "WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER"})


def fuse(draft: Draft, first: int, last: int, windows: Callable[[Sequence[Range]], Windows]) -> bool:
    """Whether the block around a window function has become one relation; if not, nothing has changed.

    Parameters
    ----------
    first, last
        The tokens of the function with its alias, half-open.
    windows
        Makes the windows of the rows that fulfil some conditions, given as tokens.
    """
    block = block_at(draft, first)
    source = block.get("FROM")
    if source is None or (source.body, source.last) != (first, last) or block.items is None:
        return False
    if block.get("USING") is not None or block.get("SAMPLE") is not None or block.get("LATEST") is not None:
        return False
    tokens = draft.tokens
    reads = [clause for clause in block.clauses if clause.word in _READS]
    if any(
        is_subquery(tokens, index, clause.last)
        for clause in reads
        for index in range(clause.body, clause.last)
    ):
        return False
    try:
        return _fused(draft, block, windows)
    except KadeQLSyntaxError:
        # Whatever is wrong, or only too much for one relation, is told of the rows with their windows.
        return False


def _fused(draft: Draft, block: Block, windows: Callable[[Sequence[Range]], Windows]) -> bool:
    plain = windows(())
    regrouped = Regrouped(draft, block, _source(plain), "A block over windows", "", strict=True)
    items = read_items(regrouped)
    explicit = group_by(regrouped, items)
    if explicit is None and block.get("GROUP") is None:
        return False
    places = [(item.first, item.last) for item in items if item.is_key] if explicit is None else explicit
    group_keys(regrouped, places, plain)
    if not regrouped.keys:
        return False
    labels = {item.label.casefold() for item in items if item.label is not None}
    for item in items:
        place_item(regrouped, item)
    inner, outer = _conditions(regrouped, plain, labels)
    _place_conditions(regrouped, inner, outer)
    finish(
        regrouped, windows(inner) if inner else plain, sampled=False, condition="AND" if outer else "WHERE"
    )
    return True


def _source(windows: Windows) -> Source:
    """What names columns of the windows: the block's alias, and schema and table where that is the table's own name."""
    alias = windows.input.alias.casefold()
    schema, _, table = (windows.input.table or "").casefold().rpartition(".")
    return Source(alias, (schema, table) if schema and table == alias else ())


def _conditions(regrouped: Regrouped, windows: Windows, labels: set[str]) -> tuple[list[Range], list[Range]]:
    """The parts of WHERE that pick rows of the input, and those that pick groups by their windows.

    Raises
    ------
    KadeQLSyntaxError
        One may name a result instead of a column.
    """
    clause = regrouped.block.get("WHERE")
    if clause is None:
        return [], []
    tokens = regrouped.draft.tokens
    inner: list[Range] = []
    outer: list[Range] = []
    keys = {key.name.casefold() for key in windows.keys}
    for first, last in conjuncts(tokens, clause.body, clause.last):
        named = {mention.path[-1].casefold() for mention in mentions(tokens, first, last)}
        if not named.isdisjoint(labels):
            raise regrouped.wrong("A name of a result may stand here.", first, last)
        plain = named.isdisjoint(_WINDOW)
        if windows.kind == "session":
            # What is left out of a session would part it.
            plain = plain and named <= keys
        (inner if plain else outer).append((first, last))
    return inner, outer


def _place_conditions(regrouped: Regrouped, inner: Sequence[Range], outer: Sequence[Range]) -> None:
    """Leave in WHERE what picks groups, and take out what picks rows."""
    if not outer:
        regrouped.remove("WHERE")
        return
    for first, last in inner:
        regrouped.put(first, last, "TRUE")
    for first, last in outer:
        regrouped.insert(first, "(")
        regrouped.rewrite(first, last)
        regrouped.insert(last - 1, ")", behind=True)
