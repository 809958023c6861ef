"""The catalog of a bench as facts: read once a snapshot, whatever asks for them and however often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luma_bench.bench.assist.columns import keys_of
from luma_bench.bench.assist.facts import (
    CatalogFacts,
    ChangeFacts,
    ColumnFacts,
    ElementEntry,
    GraphEntry,
    SeriesEntry,
    SnapshotEntry,
    SnapshotFacts,
    TableEntry,
    TableFacts,
    TagEntry,
)
from luma_bench.bench.assist.summaries import distincts, summaries
from luma_bench.bench.catalog_text import create_view_text, schema_and_name
from luma_bench.bench.information import ShownColumn
from luma_bench.errors import CatalogError, UnsupportedError
from luma_bench.storage.store import ResolvedSnapshot
from luma_bench.types.graph import GRAPH, EdgeTable, ElementTable, PropertyGraph

if TYPE_CHECKING:
    from luma_bench.bench.bench import Bench
    from luma_bench.bench.information import Information

MOST_SNAPSHOTS = 500
"""Snapshots that one page of the timeline may have."""


def catalog_facts(bench: Bench) -> CatalogFacts:
    """What a bench holds at the snapshot that it reads, or in its open transaction.

    Kept by snapshot and identity, so that asking again costs microseconds; tags are always the present ones.

    Raises
    ------
    ClosedError
        The bench is closed.
    SnapshotExpired
        It reads a snapshot that was collected meanwhile.
    """
    pinned = bench._pinned()
    machinery = bench._machinery
    tags = tuple(
        TagEntry(tag, found.id, found.time)
        for found in bench.snapshots()
        for tag in found.tags
        if found.id <= pinned.id
    )
    guarded = _guarded(bench, pinned)

    def make(_: str) -> CatalogFacts:
        return _catalog(bench, pinned, guarded, tags)

    if pinned.draft or pinned.staged:
        return make("")
    key = f"{pinned.id} {' '.join(sorted(guarded))}"
    held = machinery.facts.catalogs.get(key, make)
    if held.tags == tags:
        return held
    return CatalogFacts(held.bench, held.snapshot, held.tables, held.graphs, held.series, tags)


def _catalog(
    bench: Bench, pinned: ResolvedSnapshot, guarded: frozenset[str], tags: tuple[TagEntry, ...]
) -> CatalogFacts:
    sizes = bench._store.sizes(pinned.id)
    tables: list[TableEntry] = []
    series: list[SeriesEntry] = []
    for table in pinned.tables.values():
        held, staged = sizes.get(table.id), pinned.staged.get(table.id)
        rows = (0 if held is None else held.rows) + (0 if staged is None else staged.rows)
        hidden = table.name in guarded
        settings = table.settings
        tables.append(
            TableEntry(
                table.name,
                "table",
                None if hidden else rows,
                None if hidden else (0 if held is None else held.nbytes),
                len(table.columns),
                settings.primary_key,
                table.comment,
                schema_and_name(table.name, pinned)[0],
                settings.time_column,
                settings.series_key,
            )
        )
        if settings.time_column is not None:
            series.append(SeriesEntry(table.name, settings.time_column, settings.series_key))
    tables += [
        TableEntry(
            item.name, "view", None, None, None, (), item.comment, schema_and_name(item.name, pinned)[0]
        )
        for item in pinned.objects_of("view")
    ]
    return CatalogFacts(
        bench._store.shown,
        pinned.id,
        tuple(sorted(tables, key=lambda item: item.name.casefold())),
        tuple(
            graph_entry(PropertyGraph.of(item.name, item.definition), pinned, item.comment)
            for item in pinned.objects_of(GRAPH)
        ),
        tuple(sorted(series, key=lambda item: item.table.casefold())),
        tags,
    )


def _guarded(bench: Bench, pinned: ResolvedSnapshot) -> frozenset[str]:
    """The tables of which the identity may not see every row and value: their counts would tell what is hidden."""
    book = bench._machinery.book
    if bench.identity.is_owner or not book.policies():
        return frozenset()
    return frozenset(
        table.name for table in pinned.tables.values() if book.rules(table, bench.identity) is not None
    )


def graph_entry(graph: PropertyGraph, pinned: ResolvedSnapshot, comment: str | None = None) -> GraphEntry:
    """A property graph as an entry of the catalog."""

    def entry(item: ElementTable) -> ElementEntry:
        table = pinned.named(item.table)
        properties = tuple(item.columns(() if table is None else table.names))
        if isinstance(item, EdgeTable):
            return ElementEntry(
                item.name, item.table, item.labels, properties, item.source.vertex, item.destination.vertex
            )
        return ElementEntry(item.name, item.table, item.labels, properties)

    return GraphEntry(graph.name, tuple(map(entry, graph.vertices)), tuple(map(entry, graph.edges)), comment)


def table_facts(bench: Bench, name: str, *, statistics: bool = True, distinct: bool = False) -> TableFacts:
    """The columns of a table or view, with their types, keys, comments and bounds.

    Parameters
    ----------
    name
        A table's or view's name in the catalog; case does not matter.
    statistics
        Whether bounds and counts of NULL are wanted: of tables, from statistics and the few rows that these leave open.
    distinct
        Whether distinct values are counted, about: that reads the whole table.

    Raises
    ------
    CatalogError
        There is no such table; the hint lists the nearest.
    KadeQLError
        The view does not bind.
    """
    pinned = bench._pinned()
    information = bench._machinery.statements.runner.binder.information
    table = pinned.named(name)
    if table is None:
        return _view_facts(bench, name, pinned, information)
    shown = information.table_columns(table, pinned, bench.identity)
    hidden = table.name in _guarded(bench, pinned)
    found = summaries(bench, pinned, table) if statistics and not hidden else {}
    keys = keys_of(table)
    counts = distincts(bench, table.name, table.names) if distinct else {}
    columns = tuple(
        _column(column, keys.get(column.name), found.get(column.name), counts.get(column.name))
        for column in shown
    )
    known = sum(column.nulls is not None for column in columns)
    entry = next(
        item for item in catalog_facts(bench).tables if item.name == table.name and item.kind == "table"
    )
    settings = table.settings
    return TableFacts(
        table.name,
        "table",
        pinned.id,
        entry.rows,
        entry.bytes,
        columns,
        settings.primary_key,
        settings.sort_by,
        settings.time_column,
        settings.series_key,
        table.comment,
        "none" if not known else "exact" if known == len(columns) else "part",
        information.create_text(table, pinned, bench.identity),
    )


def _view_facts(bench: Bench, name: str, pinned: ResolvedSnapshot, information: Information) -> TableFacts:
    item = pinned.object("view", name)
    if item is None:
        known = [*pinned.tables, *(view.name for view in pinned.objects_of("view"))]
        raise CatalogError.unknown_table(name, known)
    columns = information.view_columns(item, pinned, bench.identity)
    return TableFacts(
        item.name,
        "view",
        pinned.id,
        None,
        None,
        tuple(ColumnFacts(column.name, column.type, comment=column.comment) for column in columns),
        comment=item.comment,
        sql=create_view_text(item, pinned),
    )


def _column(
    column: ShownColumn,
    key: str | None,
    found: tuple[int, str | None, str | None] | None,
    distinct: int | None,
) -> ColumnFacts:
    nulls, low, high = (None, None, None) if found is None else found
    return ColumnFacts(
        column.name,
        column.type,
        column.nullable,
        key,
        column.comment,
        column.default,
        column.generated,
        low,
        high,
        nulls,
        distinct,
    )


def snapshot_facts(bench: Bench, before: int | None = None, limit: int = 50) -> SnapshotFacts:
    """A page of the bench's snapshots, newest first, with what each changed.

    Parameters
    ----------
    before
        Only snapshots with a smaller id; None begins at the newest one that the bench reads.
    limit
        How many, from 1 to 500.

    Raises
    ------
    UnsupportedError
        The limit is out of its range.
    """
    if not 1 <= limit <= MOST_SNAPSHOTS:
        raise UnsupportedError(
            f"limit={limit} is out of range.", hint=f"Give a number from 1 to {MOST_SNAPSHOTS}."
        )
    newest = bench._pinned().id + 1
    entries, more = bench._store.timeline(newest if before is None else min(before, newest), limit)
    guarded = _guarded(bench, bench._pinned())
    return SnapshotFacts(
        tuple(
            SnapshotEntry(
                entry.snapshot.id,
                entry.snapshot.time,
                entry.snapshot.operation,
                entry.snapshot.author,
                entry.snapshot.message,
                entry.snapshot.tags,
                entry.snapshot.tables,
                tuple(
                    ChangeFacts(
                        change.table,
                        change.operation,
                        None if change.table in guarded else change.rows_added,
                        None if change.table in guarded else change.rows_deleted,
                        tuple((column.name, column.change) for column in change.columns),
                    )
                    for change in entry.changes
                ),
            )
            for entry in entries
        ),
        more,
    )
