"""What SAMPLE BY, gapfill and fused windows share: the relation that they read, what they group by, and how a block ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from luma_bench.errors import KadeQLUnsupportedError
from luma_bench.language.cursor import Cursor
from luma_bench.language.draft import Draft
from luma_bench.language.functions import VOLATILE_FUNCTIONS, VOLATILE_WORDS
from luma_bench.language.graph.shadows import is_subquery
from luma_bench.language.series.blocks import Block, Range
from luma_bench.language.series.grouped import Regrouped
from luma_bench.language.series.grouped_relation import relation
from luma_bench.language.series.inputs import input_of
from luma_bench.language.series.items import Result, refuse_stars, result, results
from luma_bench.language.series.naming import keep_series, name_series
from luma_bench.language.series.pattern import END, START, TIME, Constant, Fill, Grouped, Input, Windows
from luma_bench.language.series.recognise import Item, item_at
from luma_bench.language.tokens import NUMBER, listed
from luma_bench.types.sql_text import quoted

_SETS: Final = frozenset({"ROLLUP", "CUBE", "GROUPING"})


def one_relation(draft: Draft, block: Block, index: int, what: str, shape: str, join: str) -> Item:
    """The one relation that stands in the FROM of a block.

    Parameters
    ----------
    index
        Where the construct stands, for messages.
    join
        What to write in place of a join.

    Raises
    ------
    KadeQLSyntaxError
        There is no FROM.
    KadeQLUnsupportedError
        It joins several relations, samples one, or turns one round with PIVOT.
    """
    tokens, clause = draft.tokens, block.get("FROM")
    both = [found for found in block.clauses if found.word in ("SAMPLE", "LATEST")]
    other = next((found for found in both if not found.first <= index < found.last), None)
    if other is not None:
        raise draft.wrong(
            f"{what} and another SAMPLE BY or LATEST ON cannot stand in one SELECT.",
            max(other.first, index),
            "Put one of them into a subquery: SELECT … FROM (SELECT … FROM t SAMPLE BY 1h) …",
        )
    if clause is None or clause.body == clause.last:
        raise draft.wrong(f"{what} needs a FROM with the rows before it.", index, shape)
    item = item_at(tokens, clause.body, clause.last)
    if item is None or item.last < clause.last:
        place = clause.body if item is None else item.last
        words = tokens.words[clause.body : clause.last]
        raise KadeQLUnsupportedError(
            f"{what} reads one relation: a table, a view, a query of WITH, or one in brackets.",
            text=tokens.text,
            span=tokens.span(place, clause.last),
            hint=join
            if "JOIN" in words or "," in words
            else "Put it into a subquery: FROM (SELECT * FROM …).",
        )
    return item


def filtered(draft: Draft, block: Block) -> Input:
    """The rows of a block's FROM that fulfil its WHERE.

    Raises
    ------
    KadeQLSyntaxError
        Nothing stands behind FROM or WHERE.
    """
    source, where = block.get("FROM"), block.get("WHERE")
    first, last = (block.first, block.first) if source is None else (source.body, source.last)
    if where is None:
        return input_of(draft, first, last)
    if where.body == where.last:
        raise Cursor(draft.tokens, where.body, where.last, draft.scope.last).expected(
            "a condition after WHERE"
        )
    return input_of(draft, first, last, ((where.body, where.last),))


def read_items(regrouped: Regrouped) -> list[Result]:
    """The items of a block.

    Raises
    ------
    KadeQLSyntaxError
        There is none, or it asks for columns by a pattern.
    """
    _, ranges = results(regrouped.draft, regrouped.block, regrouped.shape)
    refuse_stars(regrouped.draft, ranges, regrouped.what, regrouped.shape)
    return [result(regrouped.words, first, last) for first, last in ranges]


def distinct_on(regrouped: Regrouped) -> None:
    """Rewrite the brackets of DISTINCT ON."""
    on, _ = results(regrouped.draft, regrouped.block, regrouped.shape)
    if on is not None:
        for first, last in listed(regrouped.draft.tokens, *on):
            regrouped.rewrite(first, last, aliases=True, aliases_first=True)


def group_by(regrouped: Regrouped, items: Sequence[Result]) -> list[Range] | None:
    """What GROUP BY names, as the expressions that its ordinals and names of results stand for; None for ALL or without one.

    Raises
    ------
    KadeQLSyntaxError
        It asks for several groupings at once, or an ordinal has no item.
    """
    tokens, clause = regrouped.draft.tokens, regrouped.block.get("GROUP")
    if clause is None or tokens.words[clause.body : clause.last] in (["ALL"], ["*"]):
        return None
    found: list[Range] = []
    for first, last in listed(tokens, clause.body, clause.last):
        word = tokens.words[first] if first < last else ""
        if word in _SETS or tokens.words[first:last] == ["(", ")"] or first == last:
            raise regrouped.wrong(
                f"{regrouped.what} groups its rows once.",
                first if first < last else clause.first,
                last if first < last else clause.body,
                "Write GROUP BY ALL, or the columns.",
            )
        found.append(_stood_for(regrouped, items, first, last))
    return found


def _stood_for(regrouped: Regrouped, items: Sequence[Result], first: int, last: int) -> Range:
    tokens = regrouped.draft.tokens
    if last - first == 1 and tokens.words[first] == NUMBER:
        number = tokens.slice(first, last)
        if not number.isdecimal() or not 1 <= int(number) <= len(items):
            raise regrouped.wrong(f"There is no item {number} to group by.", first, last)
        item = items[int(number) - 1]
        return item.first, item.last
    if last - first == 1 and tokens.is_name(first):
        name = tokens.names[first].casefold()
        for item in items:
            if item.label is None or item.label.casefold() != name:
                continue
            # `upper(origin) AS origin … GROUP BY origin` groups by the column.
            named = regrouped.words.within(item.first, item.last)
            if all(mention.path[-1].casefold() != name for mention in named):
                return item.first, item.last
    return first, last


def group_keys(regrouped: Regrouped, places: Sequence[Range], windows: Windows | None = None) -> None:
    """Make expressions keys; one that is computed of columns that are keys themselves is no key of its own.

    Parameters
    ----------
    windows
        What the columns of windows are of, where rows have some.
    """
    words = regrouped.words
    plain = {column.casefold() for place in places if (column := words.column(*place)) is not None}
    known = plain | (set() if windows is None else _determined(windows, plain))
    for place in places:
        if words.column(*place) is None and _computed(regrouped, place, known):
            for mention in words.within(*place):
                regrouped.key(mention.first, mention.last)
        else:
            regrouped.key(*place)


def _computed(regrouped: Regrouped, place: Range, known: Collection[str]) -> bool:
    """Whether an expression is computed of known columns, always the same of the same."""
    tokens = regrouped.draft.tokens
    found = [regrouped.words.source.column(mention) for mention in regrouped.words.within(*place)]
    if not found or any(column is None or column.casefold() not in known for column in found):
        return False
    return not any(
        is_subquery(tokens, index, place[1])
        or tokens.words[index] in VOLATILE_WORDS
        or tokens.names[index].casefold() in VOLATILE_FUNCTIONS
        for index in range(*place)
    )


def _determined(windows: Windows, keys: Collection[str]) -> set[str]:
    """The columns of a window that some keys leave no choice of."""
    whole = {START, END, TIME}
    match windows.kind:
        case "tumble":
            told = not whole.isdisjoint(keys)
        case "hop":
            told = START in keys
        case "cumulate":
            told = END in keys or TIME in keys
        case "session":
            told = START in keys and {key.name.casefold() for key in windows.keys} <= set(keys)
    return whole if told else set()


def place_item(regrouped: Regrouped, item: Result, fill: Fill | None = None) -> None:
    """Put columns of the relation in the place of an item, once the keys are known.

    Raises
    ------
    KadeQLSyntaxError
        Something in it is neither a key nor in an aggregate.
    """
    if item.constant:
        if item.label is not None:
            regrouped.names.add(item.label.casefold())
        return
    label = regrouped.label(item)
    whole = len(item.calls) == 1 and (item.calls[0].first, item.calls[0].last) == (item.first, item.last)
    if fill is not None and not whole and not item.window:
        column = regrouped.aggregate((item.first, item.last), None, fill)
        regrouped.put(item.first, item.last, quoted(column) + label)
    else:
        regrouped.rewrite(item.first, item.last, fill=fill)
        if label:
            regrouped.insert(item.last - 1, label, behind=True)


def finish(
    regrouped: Regrouped,
    windows: Windows,
    *,
    sampled: bool,
    filled: bool = False,
    bounds: tuple[Constant | None, Constant | None] = (None, None),
    condition: str = "WHERE",
) -> Grouped:
    """Make the relation, put it into FROM, and make all edits; under SAMPLE BY and gapfill the WHERE goes with the rows.

    Parameters
    ----------
    windows
        The rows with their windows, without a name yet.
    filled
        Whether empty buckets are given.
    condition
        What HAVING becomes.
    """
    distinct_on(regrouped)
    regrouped.tail(condition)
    draft = regrouped.draft
    fills = [item.fill or Fill("null") for item in regrouped.aggregates] if filled else None
    grouped = keep_series(
        draft, relation(regrouped, name_series(draft, windows), fills, bounds, sampled=sampled)
    )
    source = regrouped.block.get("FROM")
    if source is not None:
        regrouped.put(source.body, source.last, quoted(grouped.alias))
    regrouped.remove("GROUP", "SAMPLE", *(("WHERE",) if sampled else ()))
    regrouped.apply()
    return grouped
