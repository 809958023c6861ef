"""Things of the catalog and the text as items: relations, graphs, columns, snapshots, parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from luma_bench.bench.assist.columns import Col
from luma_bench.bench.assist.moment import Moment
from luma_bench.bench.assist.spelling import spelled, string
from luma_bench.bench.assist.values import Item
from luma_bench.errors import LumaError

MOST_SNAPSHOTS: Final = 50
"""Snapshots that are offered, the newest first."""


def relation_items(moment: Moment, *, stored: bool = False) -> list[Item]:
    """Relations that may be read, or only stored tables."""
    found: list[Item] = []
    if not stored:
        found += [
            Item(spelled(entry.name), "cte", "of WITH")
            for entry in moment.scope.ctes(moment.query, moment.index)
            if entry.first != moment.index
        ]
    pinned = moment.known.pinned
    for name, kind in moment.known.relations():
        if stored and kind != "table":
            continue
        table = pinned.tables.get(name) if pinned is not None and kind == "table" else None
        detail = f"{len(table.columns)} columns" if table is not None else kind.replace("-", " ")
        found.append(Item(_path(name), kind, detail, (table.comment if table is not None else "") or ""))
    return found


def _path(name: str) -> str:
    schema, dot, rest = name.partition(".")
    return f"{spelled(schema)}.{spelled(rest)}" if dot else spelled(name)


def graph_items(moment: Moment) -> list[Item]:
    """The property graphs."""
    return [Item(spelled(name), "graph", "property graph") for name in moment.known.graphs()]


def snapshot_items(moment: Moment) -> list[Item]:
    """Snapshots by id, newest first, and tags as strings."""
    bench = moment.known.bench
    if bench is None:
        return []
    try:
        entries, _ = bench._store.timeline(None, MOST_SNAPSHOTS)
    except LumaError:
        # It was closed meanwhile: completion never interrupts typing.
        return []
    found: list[Item] = []
    for entry in entries:
        shot = entry.snapshot
        when = f"{shot.time.astimezone():%Y-%m-%d %H:%M}"
        found.append(Item(str(shot.id), "snapshot", f"{when} · {shot.operation}", shot.message))
        found += [Item(string(tag), "tag", f"snapshot {shot.id} · {when}", shot.message) for tag in shot.tags]
    return found


def parameter_items(moment: Moment, params: Iterable[str]) -> list[Item]:
    """The parameters of the text, then the names that have values."""
    tokens = moment.tokens
    here = [
        tokens.names[place + 1]
        for place in range(len(tokens) - 1)
        if tokens.words[place] == "$"
        and tokens.names[place + 1]
        and tokens.ends[place] == tokens.starts[place + 1]
        and tokens.starts[place] != moment.fragment.start
    ]
    return [Item(f"${name}", "parameter") for name in dict.fromkeys((*here, *params))]


def times_first(columns: Sequence[Col]) -> list[Item]:
    """Columns with those of times before the others, a table's own time first."""
    timed = [column for column in columns if column.type.startswith(("TIMESTAMP", "DATE"))]
    rest = [column for column in columns if column not in timed]
    timed.sort(key=lambda column: column.key != "TIME")
    return [column_item(column) for column in (*timed, *rest)]


def column_item(column: Col, kind: str = "column", behind: str = "", *, label: bool = False) -> Item:
    """A column, with `behind` written behind its name; a `label` stands behind a point."""
    return Item(
        spelled(column.name, label=label) + behind, kind, detail(column, column.table), column.comment or ""
    )


def detail(column: Col, table: str) -> str:
    """A column's type and table in a line."""
    return " · ".join(part for part in (column.type, table) if part)
