"""What the grid says of a result's columns: name, SQL type, kind of values, time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from luma_bench.bench.catalog_text import type_name
from luma_bench.bench.cells import cut, plain_type, type_text
from luma_bench.types.schema import SQL_TYPE

LONGEST_TYPE = 200
"""Characters of a type's text: a struct of 5,000 fields need not be spelled out in a header."""

FIXED_ZONE = re.compile(r"([+-])(\d\d):?(\d\d)")
"""A zone of Arrow's that has no name, and that engines take for none."""

_EXTENSIONS = {"arrow.json": "JSON", "arrow.uuid": "UUID"}
"""Arrow's extension types that are SQL types."""
_ENGINE_TYPES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_string_view, "VARCHAR"),
    (pa.types.is_binary_view, "BLOB"),
    (pa.types.is_date64, "DATE"),
    (pa.types.is_float16, "FLOAT"),
)
"""What the engine reads Arrow types as that no bench stores as they are."""
_SQL_KINDS = (
    (re.compile(r"JSON|VARIANT"), "json"),
    (re.compile(r"U?HUGEINT|BIGNUM"), "decimal"),
    (re.compile(r"TIME WITH TIME ZONE"), "time"),
)
"""Kinds of columns that Arrow holds as something else, by the SQL type beside their field."""


@dataclass(frozen=True, slots=True)
class GridColumn:
    """One column of a result.

    Attributes
    ----------
    index
        Its position, which is its name in messages: names of a result may repeat.
    type
        Its SQL type.
    sql
        The type to cast a filter's value to; None where only text can be compared.
    kind
        `int`, `float`, `decimal`, `text`, `bool`, `date`, `time`, `timestamp`, `interval`, `binary`, `list`, `struct`, `map`,
        `vector`, `json` or `other`.
    zone
        The time zone that its values are shown in.
    bits
        Of floating-point numbers; None for all other values.
    """

    index: int
    name: str
    type: str
    sql: str | None
    kind: str
    nullable: bool
    zone: str | None = None
    bits: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """As messages carry it."""
        told: dict[str, Any] = {
            "index": self.index,
            "name": self.name,
            "type": self.type,
            "kind": self.kind,
            "nullable": self.nullable,
        }
        return told if self.zone is None else {**told, "zone": self.zone}


def grid_columns(schema: pa.Schema) -> tuple[GridColumn, ...]:
    """The columns of a result."""
    return tuple(_column(index, field) for index, field in enumerate(schema))


def _column(index: int, field: pa.Field) -> GridColumn:
    given = (field.metadata or {}).get(SQL_TYPE, b"").decode() or None
    if given is None and isinstance(field.type, pa.BaseExtensionType):
        given = _EXTENSIONS.get(field.type.extension_name)
    kind = plain_type(field.type)
    sql = given or _sql_type(kind)
    return GridColumn(
        index=index,
        name=field.name,
        type=cut(sql or type_text(field.type), LONGEST_TYPE),
        sql=sql or _compared_type(kind),
        kind=_kind(kind, given),
        nullable=field.nullable,
        zone=kind.tz if pa.types.is_timestamp(kind) else None,
        bits=kind.bit_width if pa.types.is_floating(kind) else None,
    )


def _sql_type(kind: pa.DataType) -> str | None:
    if pa.types.is_duration(kind) or pa.types.is_interval(kind):
        return "INTERVAL"
    if pa.types.is_timestamp(kind) and kind.tz is not None and kind.unit == "ns":
        return "TIMESTAMPTZ_NS"
    if pa.types.is_time64(kind) and kind.unit == "ns":
        return "TIME_NS"
    return next((name for test, name in _ENGINE_TYPES if test(kind)), None) or type_name(kind)


def _compared_type(kind: pa.DataType) -> str | None:
    """What long decimals are read as, to be compared: see `rows.relation`."""
    return f"DECIMAL(38,{kind.scale})" if pa.types.is_decimal256(kind) and 0 <= kind.scale <= 38 else None


def _kind(kind: pa.DataType, given: str | None) -> str:
    if given == "UUID":
        return "text"
    if given is not None:
        for pattern, name in _SQL_KINDS:
            if pattern.fullmatch(given):
                return name
    if pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type):
        return "vector"
    return next((name for test, name in _KINDS if test(kind)), "other")


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    )


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _is_list(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
        or pa.types.is_list_view(kind)
        or pa.types.is_large_list_view(kind)
    )


_KINDS: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_integer, "int"),
    (pa.types.is_floating, "float"),
    (pa.types.is_decimal, "decimal"),
    (pa.types.is_boolean, "bool"),
    (_is_text, "text"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time"),
    (pa.types.is_timestamp, "timestamp"),
    (pa.types.is_duration, "interval"),
    (pa.types.is_interval, "interval"),
    (_is_binary, "binary"),
    (pa.types.is_map, "map"),
    (_is_list, "list"),
    (pa.types.is_struct, "struct"),
)
