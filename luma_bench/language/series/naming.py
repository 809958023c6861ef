"""Names of the relations that stand for constructs about series: `@window` and a checksum of the user's text."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Final, cast

from luma_bench.language.draft import Draft
from luma_bench.language.placed import Query
from luma_bench.language.series.pattern import (
    Aggregate,
    AnySeries,
    Applied,
    Asof,
    Constant,
    Fill,
    Grouped,
    Input,
    Key,
    Latest,
    Name,
    SeriesIsland,
    Side,
    TiedRight,
    WindowJoin,
    Windows,
)

_KINDS: Final[dict[type[SeriesIsland], str]] = {
    Windows: "@window",
    Grouped: "@series",
    Latest: "@latest",
    Asof: "@asof",
    TiedRight: "@tied",
    WindowJoin: "@wjoin",
    Applied: "@applied",
}


_WITHOUT: Final = frozenset({Name, str, int, float, bool, type(None), frozenset})
"""Types of values below which no query stands."""
_PLACES: Final = frozenset({"queries", "span", "params", "text", "alias", "places"})
_HOLDING: Final[dict[type[object], tuple[str, ...]]] = {
    kind: tuple(field.name for field in fields(kind) if field.name not in _PLACES)
    for kind in (*_KINDS, Input, Side, Constant, Aggregate, Key, Fill)
}
"""The fields of an island's parts that may hold queries."""


def keep_series[IslandT: (Windows, Grouped, Latest, Asof, TiedRight, WindowJoin, Applied)](
    draft: Draft, island: IslandT
) -> IslandT:
    """The island under its name, with what its queries need of a run; the draft keeps it, equal ones once."""
    named = name_series(draft, island)
    if all(known.alias != named.alias for known in draft.islands):
        draft.islands.append(named)
    draft.volatile = draft.volatile or named.volatile
    return named


def name_series[IslandT: (Windows, Grouped, Latest, Asof, TiedRight, WindowJoin, Applied)](
    draft: Draft, island: IslandT
) -> IslandT:
    """The island under its name, with what its queries need of a run, for a construct inside of another one."""
    queries = tuple({query.sql: query for query in _queries(island)}.values())
    named = replace(
        island,
        queries=queries,
        params=frozenset(
            name for query in queries for name in (*query.params, *query.pin_params, *query.island_params)
        ),
        volatile=any(query.volatile or query.sequences for query in queries),
    )
    kind = _KINDS[type(island)]
    number = zlib.crc32("\0".join((island.text, *(query.sql for query in queries))).encode())
    while True:
        alias = f"{kind} {number & 0xFFFFFFFF:08x}"
        known = next((item for item in draft.islands if item.alias == alias), None)
        if known is None or _same(known, named):
            return replace(named, alias=alias)
        number += 1


def _same(known: object, island: AnySeries) -> bool:
    """Whether two islands ask the same."""
    if not isinstance(known, SeriesIsland) or type(known) is not type(island) or known.text != island.text:
        return False
    return [query.sql for query in known.queries] == [query.sql for query in island.queries]


def _queries(value: object) -> Iterator[Query]:
    """Every query below a value, in the order of its fields."""
    kind = type(value)
    if kind in _WITHOUT:
        return
    if kind is Query:
        yield cast("Query", value)
    elif kind is tuple:
        for item in cast("tuple[object, ...]", value):
            yield from _queries(item)
    elif kind is dict:
        for item in cast("dict[str, object]", value).values():
            yield from _queries(item)
    else:
        for name in _HOLDING[kind]:
            yield from _queries(getattr(value, name))
