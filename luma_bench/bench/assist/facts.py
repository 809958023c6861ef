"""What the catalog of a bench holds, as values for showing: tables, graphs, series, tags, columns, snapshots."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table or view in a list.

    Attributes
    ----------
    kind
        `table` or `view`.
    rows, bytes
        None where the identity may not see all of them, and for views. Bytes are as stored.
    columns
        How many; None for a view that does not bind, or was not asked.
    key
        The columns of the primary key.
    """

    name: str
    kind: str
    rows: int | None
    bytes: int | None
    columns: int | None
    key: tuple[str, ...] = ()
    comment: str | None = None
    schema: str = "main"
    time: str | None = None
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ElementEntry:
    """A vertex or edge table of a graph: its name in it, the stored table, what patterns call it, and its properties."""

    name: str
    table: str
    labels: tuple[str, ...]
    properties: tuple[str, ...]
    source: str | None = None
    destination: str | None = None


@dataclass(frozen=True, slots=True)
class GraphEntry:
    """A property graph."""

    name: str
    vertices: tuple[ElementEntry, ...]
    edges: tuple[ElementEntry, ...]
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class SeriesEntry:
    """A table that holds time series: the column of its times, and what tells series apart."""

    table: str
    time: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TagEntry:
    """A named snapshot."""

    name: str
    snapshot: int
    time: dt.datetime


@dataclass(frozen=True, slots=True)
class CatalogFacts:
    """A bench at one snapshot; `bench` is its path or URL."""

    bench: str
    snapshot: int
    tables: tuple[TableEntry, ...]
    graphs: tuple[GraphEntry, ...]
    series: tuple[SeriesEntry, ...]
    tags: tuple[TagEntry, ...]

    def to_json(self) -> dict[str, Any]:
        """The facts as plain values; times are ISO 8601 in UTC."""
        return _plain(asdict(self))


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column.

    Attributes
    ----------
    type
        As SQL names it.
    key
        `PRI`, `UNI`, `TIME`, `SERIES`, or None.
    min, max
        As text; None where the values have no order, or nobody asked.
    nulls
        How many values are NULL.
    distinct
        How many different values, about; None where nobody asked.
    """

    name: str
    type: str
    nullable: bool = True
    key: str | None = None
    comment: str | None = None
    default: str | None = None
    generated: str | None = None
    min: str | None = None
    max: str | None = None
    nulls: int | None = None
    distinct: int | None = None


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table or view at a snapshot.

    Attributes
    ----------
    statistics
        `exact` where `min`, `max` and `nulls` are those of the rows, `part` where some columns lack them, `none` where
        all do: of views, of what policies hide, and where nobody asked.
    sql
        The statements that make it again.
    """

    name: str
    kind: str
    snapshot: int
    rows: int | None
    bytes: int | None
    columns: tuple[ColumnFacts, ...]
    key: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = ()
    time: str | None = None
    by: tuple[str, ...] = ()
    comment: str | None = None
    statistics: str = "none"
    sql: str = ""

    def to_json(self) -> dict[str, Any]:
        """The facts as plain values."""
        return _plain(asdict(self))


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """What a snapshot did to one table or object; see `storage.catalog.timeline.TableChange`."""

    table: str
    operation: str
    rows_added: int | None
    rows_deleted: int | None
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SnapshotEntry:
    """One snapshot of the timeline."""

    id: int
    time: dt.datetime
    operation: str
    author: str
    message: str
    tags: tuple[str, ...]
    tables: tuple[str, ...]
    changes: tuple[ChangeFacts, ...]


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """A page of the timeline, newest first; `more` says whether there are older ones."""

    snapshots: tuple[SnapshotEntry, ...]
    more: bool

    def to_json(self) -> dict[str, Any]:
        """The facts as plain values; a changed column is `{"name", "change"}`, where the change is added, dropped or changed."""
        plain = _plain(asdict(self))
        for snapshot in plain["snapshots"]:
            for change in snapshot["changes"]:
                change["columns"] = [{"name": name, "change": done} for name, done in change["columns"]]
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return value
