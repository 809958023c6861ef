"""Conditions that let a table's scan skip what cannot hold the values that are looked for."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pyarrow.compute

from luma_bench.types.sql_text import quoted, string_literal

pc: Any = pyarrow.compute  # its functions are made at run time, where no type checker sees them

_LISTED = 256
_TEXT = 200


def lookup(column: str, values: pa.ChunkedArray) -> str:
    """` AND …`: what a row must fulfil to have one of the values in this column; empty where that cannot be said.

    It only narrows what is read: rows are still compared afterwards.
    """
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if not len(values) or not (
        pa.types.is_integer(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_date32(kind)
    ):
        return ""
    if pa.types.is_dictionary(values.type):
        values = values.cast(kind)
    values = values.drop_null()
    if not len(values):
        return " AND false"
    name = quoted(column)
    if len(values) <= _LISTED:
        listed = pc.unique(values).to_pylist()
        if any(isinstance(value, str) and len(value) > _TEXT for value in listed):
            return ""
        return f" AND {name} IN ({', '.join(map(_literal, listed))})"
    bounds = pc.min_max(values)
    low, high = bounds["min"].as_py(), bounds["max"].as_py()
    if isinstance(low, str) and max(len(low), len(high)) > _TEXT:
        return ""
    return f" AND {name} >= {_literal(low)} AND {name} <= {_literal(high)}"


def _literal(value: object) -> str:
    if isinstance(value, str):
        return string_literal(value)
    if isinstance(value, dt.date):
        return f"DATE '{value.isoformat()}'"
    return str(value)
