"""Join conditions to offer: those of foreign keys and of graphs' edges, else of columns with the same name."""

from __future__ import annotations

from collections.abc import Iterator

from luma_bench.bench.assist.columns import Col
from luma_bench.bench.assist.moment import Moment
from luma_bench.bench.assist.offer_items import column_item
from luma_bench.bench.assist.outline import Source
from luma_bench.bench.assist.spelling import spelled
from luma_bench.bench.assist.values import Item
from luma_bench.types.constraints import ITSELF


def join_conditions(moment: Moment) -> Iterator[Item]:
    """Whole conditions behind `JOIN t ON`, for the table that was named last and each before it, keys first."""
    if moment.clause != "ON" or moment.word() != "ON" or moment.member is None:
        return
    words = [word for at, word in moment.member.clauses if at < moment.index][-2:-1]
    if words not in (["JOIN"], ["USING"]):
        return
    read = [source for source in moment.member.sources if source.last < moment.index and source.alias]
    if len(read) < 2:
        return
    *others, joined = read
    found = False
    for other in others:
        for pairs, told in _keys(moment, joined, other):
            found = True
            text = " AND ".join(
                f"{spelled(joined.alias)}.{spelled(own)} = {spelled(other.alias)}.{spelled(its)}"
                for own, its in pairs
            )
            yield Item(text, "condition", told)
    if found:
        return
    for other in others:
        for column in shared(moment, joined, other):
            name = spelled(column.name)
            text = f"{spelled(joined.alias)}.{name} = {spelled(other.alias)}.{name}"
            yield Item(text, "condition", "the same name")


def shared_columns(moment: Moment) -> list[Item] | None:
    """The columns that both sides of a join have, in the brackets of `JOIN t USING (`; None elsewhere."""
    if moment.owner != "USING" or moment.clause != "USING" or moment.member is None:
        return None
    read = [source for source in moment.member.sources if source.last < moment.opener]
    if moment.word() not in ("(", ",") or len(read) < 2:
        return None
    *others, joined = read
    columns = (column for other in others for column in shared(moment, joined, other))
    return [column_item(column) for column in columns]


def shared(moment: Moment, left: Source, right: Source) -> list[Col]:
    """The columns of one relation whose names another one has too, keys first."""
    names = {column.name.casefold() for column in moment.scope.columns(right, moment.query)}
    found = [column for column in moment.scope.columns(left, moment.query) if column.name.casefold() in names]
    return sorted(found, key=lambda column: column.key is None)


def _keys(moment: Moment, left: Source, right: Source) -> Iterator[tuple[list[tuple[str, str]], str]]:
    """Pairs of columns, the left relation's first, that a foreign key or an edge of a graph compares, and whose they are."""
    for child, parent in ((left, right), (right, left)):
        for columns, keys, told in _references(moment, child.name, parent.name):
            pairs = list(zip(columns, keys, strict=False))
            yield (pairs if child is left else [(key, column) for column, key in pairs]), told


def _references(
    moment: Moment, child: str, parent: str
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """What of a table refers to another one: its columns, the other's, and where that is said."""
    known = moment.known
    held, other = known.table(child), known.table(parent)
    if held is None or other is None:
        return
    for key in held.rules.foreign:
        if (held.id if key.table == ITSELF else key.table) == other.id:
            own, its = held.by_id, other.by_id
            yield (
                tuple(own[item] for item in key.columns),
                tuple(its[item] for item in key.referenced),
                "foreign key",
            )
    for name in known.graphs():
        graph = known.graph(name)
        for edge in graph.edges if graph is not None else ():
            if known.table(edge.table) is not held:
                continue
            tables = {vertex.name: vertex.table for vertex in graph.vertices} if graph is not None else {}
            for end in (edge.source, edge.destination):
                if known.table(tables.get(end.vertex, "")) is other:
                    yield end.columns, end.keys, f"{edge.name} of {name}"
