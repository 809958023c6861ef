"""Table schemas as catalog rows, and back."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pyarrow as pa

from luma_bench.errors import CorruptionError, SchemaError
from luma_bench.storage.codecs_choose import TABLE_CODECS
from luma_bench.storage.evolve_values import decode_value, encode_value
from luma_bench.types.constraints import TableRules
from luma_bench.types.retention import Retention
from luma_bench.types.schema import Column, TableSchema, TableSettings


class StoredRetention(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A `Retention` with the column's id in place of its name."""

    column: int
    months: int = 0
    days: int = 0
    micros: int = 0


class StoredSettings(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """`TableSettings` with column ids in place of names."""

    primary_key: tuple[int, ...] = ()
    sort_by: tuple[int, ...] = ()
    time_column: int | None = None
    series_key: tuple[int, ...] = ()
    codec: str = "auto"
    retention: StoredRetention | None = None
    rules: TableRules | None = None


def encode_settings(
    settings: TableSettings, columns: Sequence[Column], rules: TableRules | None = None
) -> str:
    """The settings, and the rules, as JSON over column ids."""
    ids = {column.name: column.id for column in columns}
    kept = settings.retention
    stored = StoredSettings(
        primary_key=tuple(ids[name] for name in settings.primary_key),
        sort_by=tuple(ids[name] for name in settings.sort_by),
        time_column=None if settings.time_column is None else ids[settings.time_column],
        series_key=tuple(ids[name] for name in settings.series_key),
        codec=settings.codec,
        retention=None
        if kept is None
        else StoredRetention(ids[kept.column], kept.months, kept.days, kept.micros),
        rules=rules or None,
    )
    return msgspec.json.encode(stored).decode()


def decode_settings(text: str, columns: Sequence[Column]) -> TableSettings:
    """The settings with the names that the columns have now.

    Raises
    ------
    CorruptionError
        The text is not what was written.
    """
    names = {column.id: column.name for column in columns}
    with _readable("a table's settings"):
        return _settings(msgspec.json.decode(text, type=StoredSettings), names)


def decode_rules(text: str, columns: Sequence[Column]) -> TableRules:
    """The rules that stand beside the settings.

    Raises
    ------
    CorruptionError
        The text is not what was written, or a rule names a column that is not there.
    """
    with _readable("a table's rules"):
        found = msgspec.json.decode(text, type=StoredSettings).rules or TableRules()
        known = {column.id for column in columns}
        if not found.reads <= known:
            raise KeyError(f"column {min(found.reads - known)}")
        return found


def _settings(stored: StoredSettings, names: Mapping[int, str]) -> TableSettings:
    kept = stored.retention
    return TableSettings(
        primary_key=tuple(names[item] for item in stored.primary_key),
        sort_by=tuple(names[item] for item in stored.sort_by),
        time_column=None if stored.time_column is None else names[stored.time_column],
        series_key=tuple(names[item] for item in stored.series_key),
        codec=stored.codec,
        retention=None
        if kept is None
        else Retention(names[kept.column], kept.months, kept.days, kept.micros),
    )


def encode_field(column: Column) -> bytes:
    """An Arrow IPC schema message of this one field."""
    return pa.schema([column.field]).serialize().to_pybytes()


def column_values(column: Column) -> dict[str, Any]:
    """What `bench_column` holds of a column, but for its table, life and position."""
    return {
        "column_id": column.id,
        "name": column.name,
        "arrow": encode_field(column),
        "comment": column.comment,
        "initial": None if column.initial is None else encode_value(column.initial),
        "default": None if column.default is None else encode_value(column.default),
    }


@functools.lru_cache(maxsize=4096)
def _field(data: bytes) -> pa.Field:
    return pa.ipc.read_schema(pa.py_buffer(data)).field(0)


def field_name(arrow: bytes) -> str:
    """The name that a column's own bytes give it, which is the one in its row."""
    return _field(arrow).name


def decode_column(
    column_id: int,
    name: str,
    arrow: bytes,
    comment: str | None,
    initial: bytes | None = None,
    default: bytes | None = None,
) -> Column:
    """A column from its row.

    Raises
    ------
    CorruptionError
        The bytes are not those that were written.
    """
    with _readable(f"column {name!r}"):
        field = _field(arrow)
        metadata = tuple((field.metadata or {}).items())
        return Column(
            column_id,
            name,
            field.type,
            field.nullable,
            comment,
            metadata,
            None if initial is None else decode_value(initial),
            None if default is None else decode_value(default),
        )


@contextlib.contextmanager
def _readable(what: str) -> Generator[None]:
    """Within the block bytes of the catalog are decoded; what they are not is damage."""
    try:
        yield
    except (
        msgspec.MsgspecError,
        pa.ArrowException,
        IndexError,
        KeyError,
        OSError,
        StopIteration,
        ValueError,
    ) as error:
        told = str(error).partition("\n")[0] or type(error).__name__
        raise CorruptionError(
            f"The catalog is damaged: {what} cannot be read: {told}.", segment="catalog"
        ) from error


def table_schemas(tables: Iterable[Any], columns: Iterable[Any]) -> Mapping[str, TableSchema]:
    """Every table by name, in the order of their ids, from rows of `bench_table` and `bench_column`.

    The latter are in the order of their positions, each a table id and what `decode_column` takes.
    """
    by_table: dict[int, list[Column]] = {}
    for row in columns:
        by_table.setdefault(row.table_id, []).append(decode_column(*row[1:]))
    found: dict[str, TableSchema] = {}
    for row in tables:
        own = tuple(by_table.get(row.table_id, ()))
        if not own:
            raise CorruptionError(
                f"The catalog is damaged: table {row.name!r} has no columns.", segment="catalog"
            )
        settings = decode_settings(row.settings, own)
        rules = decode_rules(row.settings, own)
        found[row.name] = TableSchema(
            row.table_id, row.name, own, settings, row.namespace, row.comment, rules
        )
    return found


def checked_settings(table: str, schema: pa.Schema, settings: TableSettings) -> TableSettings:
    """The settings with every name in the spelling of the schema.

    Raises
    ------
    SchemaError
        A name is not a column, is named twice, its type cannot be a key, a sort key or a time, or rows cannot be kept by it.
    """
    folded = {name.casefold(): name for name in schema.names}

    def resolved(names: Sequence[str], what: str) -> tuple[str, ...]:
        found: list[str] = []
        for name in names:
            spelled = name if name in schema.names else folded.get(name.casefold())
            if spelled is None:
                raise SchemaError.unknown_column(name, schema.names, f"the {what} of table {table!r}")
            if spelled in found:
                raise SchemaError.column(table, name, f"named twice in the {what}")
            if pa.types.is_nested(schema.field(spelled).type) or pa.types.is_null(schema.field(spelled).type):
                kind = schema.field(spelled).type
                raise SchemaError.column(table, spelled, f"a column of type {kind} cannot be in the {what}")
            found.append(spelled)
        return tuple(found)

    time = None
    if settings.time_column is not None:
        time = resolved([settings.time_column], "time column")[0]
        kind = schema.field(time).type
        if not (pa.types.is_temporal(kind) or pa.types.is_integer(kind)) or pa.types.is_interval(kind):
            hint = "A time column is a timestamp, date, time, duration or whole number."
            raise SchemaError.column(table, time, f"type {kind} is no time", hint)
    retention = settings.retention
    if retention is not None:
        retention = replace(retention, column=resolved([retention.column], "retention")[0])
        kind = schema.field(retention.column).type
        if not (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
            problem = f"rows cannot be kept by it: type {kind} says no moment"
            hint = "Retention is on a date or timestamp: retention = '30 days' ON ts."
            raise SchemaError.column(table, retention.column, problem, hint)
    if settings.codec not in TABLE_CODECS:
        hint = f"The codecs are: {', '.join(TABLE_CODECS)}."
        raise SchemaError(f"Table {table!r}: there is no codec {settings.codec!r}.", hint=hint)
    return TableSettings(
        primary_key=resolved(settings.primary_key, "primary key"),
        sort_by=resolved(settings.sort_by, "sort_by"),
        time_column=time,
        series_key=resolved(settings.series_key, "series key"),
        codec=settings.codec,
        retention=retention,
    )


def check_series(table: str, schema: pa.Schema, settings: TableSettings) -> None:
    """Refuse a series key without a time, and a time that is none; of checked settings that are new to the table.

    Raises
    ------
    SchemaError
        What is missing, and how to say it.
    """
    if settings.series_key and settings.time_column is None:
        times = [field.name for field in schema if is_time(field.type)]
        named = f" Its columns of times: {', '.join(times)}." if times else ""
        raise SchemaError(
            f"Table {table!r}: the series key ({', '.join(settings.series_key)}) needs a time column, and there is none.",
            hint=f"Name the column that orders a series: time_column='ts', SET (time_column = ts).{named}",
        )
    if settings.time_column is not None and not is_time(kind := schema.field(settings.time_column).type):
        hint = "A time column is a timestamp, a date or a whole number."
        raise SchemaError.column(table, settings.time_column, f"type {kind} is no time", hint)
    if settings.time_column in settings.series_key:
        problem = "it cannot be both the time column and in the series key"
        raise SchemaError.column(table, str(settings.time_column), problem, "Leave it out of the series key.")


def is_time(kind: pa.DataType) -> bool:
    """Whether a column of a type can be the time column of a table."""
    return pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_integer(kind)
