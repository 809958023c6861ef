"""Columns whose SQL type Arrow does not have: kept in a plain form with the type's name beside it, read back as the type.

UUID, ENUM, BIT, BIGNUM, TIME WITH TIME ZONE and JSON are kept as text, HUGEINT as a decimal, GEOMETRY as its WKB, rows
without names as structs. A view over the scan gives each its type, so that comparisons, order, functions and DESCRIBE
are those of the type. Text that a column keeps was made by a cast from the type, so that casting it back never fails.
"""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

from luma_bench.types.schema import SQL_TYPE
from luma_bench.types.sql_text import quoted

SCAN_PREFIX = "__luma_scan_"
"""What stands before a table's name in the name of its scan, where a view above it gives columns their types."""

_JSON = {b"ARROW:extension:name": b"arrow.json", b"ARROW:extension:metadata": b""}


def sql_type(field: pa.Field) -> str | None:
    """The SQL type beside a field; None where its Arrow type says it."""
    found = (field.metadata or {}).get(SQL_TYPE)
    return None if found is None else found.decode()


def as_scanned(schema: pa.Schema) -> pa.Schema:
    """The schema that DuckDB is told: text that is JSON is marked as Arrow marks it, which costs no cast."""
    for index, field in enumerate(schema):
        if sql_type(field) == "JSON" and pa.types.is_string(field.type):
            schema = schema.set(index, field.with_metadata({**field.metadata, **_JSON}))
    return schema


def as_told(table: pa.Table) -> pa.Table:
    """The same rows under `as_scanned`."""
    told = as_scanned(table.schema)
    return table if told is table.schema else pa.Table.from_arrays(table.columns, schema=told)


def typed_columns(schema: pa.Schema) -> list[str]:
    """What a view replaces so that columns have their SQL types: `CAST("id" AS UUID) AS "id"`."""
    found: list[str] = []
    names = Counter(name.casefold() for name in schema.names)
    for field in schema:
        kind = sql_type(field)
        if kind is None or (kind == "JSON" and pa.types.is_string(field.type)):
            continue
        if names[field.name.casefold()] > 1:
            continue  # of a relation that is no table; REPLACE could not tell them apart
        name = value = quoted(field.name)
        if pa.types.is_dictionary(field.type):
            # A dictionary is an enum to DuckDB, and an enum's cast to JSON is a JSON text.
            value = f"CAST({name} AS VARCHAR)"
        found.append(f"CAST({value} AS {kind}) AS {name}")
    return found


def typed_relation(schema: pa.Schema, relation: str) -> str:
    """A query over `relation`, of this schema, whose columns have their SQL types."""
    replaced = typed_columns(schema)
    return f"SELECT * {f'REPLACE ({", ".join(replaced)}) ' if replaced else ''}FROM {quoted(relation)}"
