"""What a write defines: the operation, and the schema of the table that it creates, replaces or adds to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from luma_bench.errors import CatalogError, SchemaError
from luma_bench.storage.catalog.objects import RELATIONS
from luma_bench.storage.catalog.resolved import ResolvedSnapshot
from luma_bench.storage.catalog.schema import check_series, checked_settings
from luma_bench.storage.fit import check_schema, check_table_name
from luma_bench.storage.graph_rules import carried
from luma_bench.storage.rules_between import check_unreferenced
from luma_bench.types.constraints import TableRules
from luma_bench.types.retention import Retention
from luma_bench.types.schema import Column, TableSchema, TableSettings

MODES = ("create", "append", "replace", "upsert")


@dataclass(frozen=True, slots=True)
class Request:
    """One write as the caller asked for it; `settings` hold only what was given."""

    table: str
    mode: str
    settings: TableSettings = field(default_factory=TableSettings)


def told(
    primary_key: Sequence[str],
    sort_by: Sequence[str],
    time_column: str | None,
    series_key: Sequence[str],
    codec: str | None,
    retention: Retention | str | None,
) -> TableSettings:
    """The settings that a write was given; a retention that is text is a length on the time column.

    Raises
    ------
    SchemaError
        The retention is no length of time, or there is no time column that it could be on.
    """
    if isinstance(retention, str):
        if time_column is None:
            hint = "Give time_column too, or ALTER TABLE t SET (retention = '30 days' ON column) afterwards."
            raise SchemaError("retention is given without a time column.", hint=hint)
        retention = Retention.parse(retention, time_column)
    keys = tuple(primary_key), tuple(sort_by), time_column, tuple(series_key)
    return TableSettings(*keys, codec or "auto", retention)


def planned(
    next_column_id: Callable[[TableSchema], int], base: ResolvedSnapshot, request: Request, data: pa.Schema
) -> tuple[str, TableSchema]:
    """What the write will do: the operation and the table's schema, with permanent column ids (its own is 0 when new).

    Parameters
    ----------
    next_column_id
        The first column id that a table never gave out.

    Raises
    ------
    CatalogError
        `create` meets a table, `append` meets none.
    SchemaError
        The data or the settings do not fit; `upsert` into a table without a primary key.
    ConstraintError
        `replace` takes away what a foreign key or a property graph needs.
    """
    if request.mode not in MODES:
        raise CatalogError(
            f"There is no write mode {request.mode!r}.", hint=f"The modes are: {', '.join(MODES)}."
        )
    if request.mode in ("append", "upsert"):
        schema = base.find(request.table)
        _check_unchanged(schema, request.settings)
        if request.mode == "upsert" and not schema.settings.primary_key:
            hint = "Write it once with mode='replace' and primary_key=…; then rows are matched by that key."
            raise SchemaError(f"Table {schema.name!r} has no primary key to upsert by.", hint=hint)
        return request.mode, schema
    check_table_name(request.table)
    check_schema(request.table, data)
    present = base.named(request.table)
    if present is None:
        check_free(base, request.table)
        first = tuple(_column(position + 1, item) for position, item in enumerate(data))
        settings = checked_settings(request.table, data, request.settings)
        check_series(request.table, data, settings)
        return "create", _keyed(TableSchema(0, request.table, first, settings))
    if request.mode == "create":
        raise CatalogError.table_exists(present.name)
    settings = checked_settings(present.name, data, request.settings)
    check_series(present.name, data, settings)
    following = next_column_id(present)
    columns: list[Column] = []
    for item in data:
        same = next((old for old in present.columns if old.name == item.name and old.type == item.type), None)
        columns.append(_column(following if same is None else same.id, item))
        following += same is None
    check_unreferenced(base, present, "replaced")
    changed = _keyed(replace(present, columns=tuple(columns), settings=settings, rules=TableRules()))
    carried(base, present, changed)
    return "replace", changed


def check_free(base: ResolvedSnapshot, name: str, kind: str = "table") -> None:
    """Refuse a name for a table, or an object of a kind, that one of another kind has which stands in the same places.

    Raises
    ------
    CatalogError
        There is such a one.
    """
    if kind != "table" and (table := base.named(name)) is not None:
        raise CatalogError.table_exists(table.name)
    for other in RELATIONS - {kind}:
        item = base.object(other, name)
        if item is not None:
            raise CatalogError.object_exists(other, item.name)


def _column(column_id: int, item: pa.Field) -> Column:
    return Column(column_id, item.name, item.type, item.nullable, None, tuple((item.metadata or {}).items()))


def _keyed(schema: TableSchema) -> TableSchema:
    """A primary key's columns are NOT NULL."""
    key = schema.settings.primary_key
    columns = tuple(
        replace(column, nullable=False) if column.name in key else column for column in schema.columns
    )
    return replace(schema, columns=columns)


def _check_unchanged(schema: TableSchema, asked: TableSettings) -> None:
    for name in ("primary_key", "sort_by", "time_column", "series_key", "retention"):
        wanted, present = getattr(asked, name), getattr(schema.settings, name)
        if wanted and wanted != present:
            hint = "Leave the argument out, or write the table anew with mode='replace'."
            raise CatalogError(f"Table {schema.name!r} has {name}={present!r}, not {wanted!r}.", hint=hint)
