"""Columns as editors name them: of stored tables, of Arrow schemas, of structs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from luma_bench.bench.catalog_text import type_name
from luma_bench.bench.cells import type_text
from luma_bench.types.schema import TableSchema

_STRUCT: Final = re.compile(r"STRUCT\((.*)\)", re.DOTALL)
_MARK: Final = re.compile(r""""(?:[^"]|"")*"|'(?:[^']|'')*'|[(),]""")
_FIELD: Final = re.compile(r"""("(?:[^"]|"")*"|\S+)\s+(.+)""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Col:
    """A column that may be named.

    Attributes
    ----------
    type
        As SQL names it; empty where only the engine can tell.
    arrow
        Its Arrow type, where that is known: structs have fields.
    table
        The stored table that it comes from, where it is one of its columns.
    """

    name: str
    type: str = ""
    arrow: pa.DataType | None = None
    table: str = ""
    comment: str | None = None
    key: str | None = None

    def named(self, name: str) -> Col:
        """The same column by another name."""
        return Col(name, self.type, self.arrow, self.table, self.comment, self.key)


def keys_of(table: TableSchema) -> dict[str, str]:
    """What columns are to their table, by name: `PRI`, `UNI`, `TIME` or `SERIES`; others are not there."""
    settings, names = table.settings, table.by_id
    found = dict.fromkeys(settings.series_key, "SERIES")
    if settings.time_column is not None:
        found[settings.time_column] = "TIME"
    for item in table.rules.unique:
        if len(item.columns) == 1:
            found[names[item.columns[0]]] = "UNI"
    return found | dict.fromkeys(settings.primary_key, "PRI")


def stored_columns(table: TableSchema) -> tuple[Col, ...]:
    """The columns of a stored table."""
    keys = keys_of(table)
    return tuple(
        Col(
            column.name,
            type_name(column.type, column.sql_type) or type_text(column.type),
            column.type,
            table.name,
            column.comment,
            keys.get(column.name),
        )
        for column in table.columns
    )


def columns_of(schema: pa.Schema, table: str = "") -> tuple[Col, ...]:
    """The columns of an Arrow schema."""
    return tuple(
        Col(field.name, type_name(field.type) or type_text(field.type), field.type, table) for field in schema
    )


def fields_of(column: Col) -> tuple[Col, ...]:
    """The fields of a struct; none of any other type."""
    kind: Any = column.arrow
    if kind is None:
        # Of a view's columns only the engine's name of the type is known.
        found = _STRUCT.fullmatch(column.type)
        return () if found is None else tuple(_named_fields(found[1]))
    if not pa.types.is_struct(kind):
        return ()
    return tuple(
        Col(field.name, type_name(field.type) or type_text(field.type), field.type) for field in kind
    )


def _named_fields(listed: str) -> Iterator[Col]:
    """The fields in the brackets of `STRUCT(…)`: a comma outside of brackets and quotes ends each."""
    depth = start = 0
    for found in _MARK.finditer(listed + ","):
        mark = found[0]
        if mark in "()":
            depth += 1 if mark == "(" else -1
        elif mark == "," and depth == 0:
            field = _FIELD.match(listed[start : found.start()].strip())
            if field is not None:
                name = field[1][1:-1].replace('""', '"') if field[1].startswith('"') else field[1]
                yield Col(name, field[2])
            start = found.end()
