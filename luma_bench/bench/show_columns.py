"""The columns of every SHOW, and of DESCRIBE of a property graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa

_KINDS: Final[Mapping[str, pa.DataType]] = {
    "": pa.string(),
    "l": pa.int64(),
    "b": pa.bool_(),
    "t": pa.list_(pa.string()),
    "z": pa.timestamp("us", "UTC"),
}
_CREATED: Final = "name sql"
# A column is a name, and behind `:` its type where that is not VARCHAR.
_SHOWN: Final[Mapping[str, str]] = {
    "tables": "name rows:l columns:l primary_key comment kind",
    "all tables": "database schema name column_names:t column_types:t temporary:b",
    "views": "name columns:l sql comment",
    "schemas": "name tables:l comment",
    "sequences": "name start:l increment:l minimum:l maximum:l cycle:b comment",
    "snapshots": "snapshot:l time:z operation author message tags:t tables:t",
    "tags": "name snapshot:l time:z",
    "columns": "column_name column_type null key default extra",
    "constraints": "table name type constraint columns:t",
    "create table": _CREATED,
    "create view": _CREATED,
    "create property graph": _CREATED,
    "property graphs": "name vertex_tables:t edge_tables:t comment",
    "property graph": "kind name table key:t labels:t source destination properties:t valid",
    "functions": "name type parameters returns description",
    "policies": "table name type policy roles",
    "settings": "name value default",
}


def shown_columns(what: str) -> pa.Schema:
    """The columns that SHOW of something answers with; `what` is that of `language.Show`."""
    parts = (column.partition(":") for column in _SHOWN[what].split())
    return pa.schema([pa.field(name, _KINDS[kind]) for name, _, kind in parts])
