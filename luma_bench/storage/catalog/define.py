"""Writing a table's definition: its row, its columns, and what an alteration changes of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select, update

from luma_bench.storage.catalog.schema import column_values, encode_settings
from luma_bench.storage.catalog.tables import COLUMN, TABLE, TABLE_COUNTER
from luma_bench.types.schema import TableSchema

_INSERT_TABLE = sa.insert(TABLE)
_INSERT_COLUMN = sa.insert(COLUMN)
_END_TABLE = (
    update(TABLE)
    .where((TABLE.c.table_id == bindparam("t")) & TABLE.c.end_snapshot.is_(None))
    .values(end_snapshot=bindparam("s"))
)
_END_COLUMN = (
    update(COLUMN)
    .where(
        (COLUMN.c.table_id == bindparam("t"))
        & (COLUMN.c.column_id == bindparam("c"))
        & COLUMN.c.end_snapshot.is_(None)
    )
    .values(end_snapshot=bindparam("s"))
)
_COLUMNS = (
    select(COLUMN)
    .where((COLUMN.c.table_id == bindparam("t")) & COLUMN.c.end_snapshot.is_(None))
    .order_by(COLUMN.c.position)
)
_TAKE_COLUMNS = (
    update(TABLE_COUNTER)
    .where(
        (TABLE_COUNTER.c.table_id == bindparam("t")) & (TABLE_COUNTER.c.next_column_id < bindparam("next"))
    )
    .values(next_column_id=bindparam("next"))
)


def define(connection: sa.Connection, schema: TableSchema, snapshot: int) -> None:
    """Write the rows of a table that has none alive."""
    _write_table(connection, schema, snapshot)
    rows = [
        {**column_values(column), "table_id": schema.id, "begin_snapshot": snapshot, "position": position}
        for position, column in enumerate(schema.columns)
    ]
    connection.execute(_INSERT_COLUMN, rows)
    _count_columns(connection, schema)


def redefine(connection: sa.Connection, schema: TableSchema, snapshot: int) -> None:
    """Write what is new about a table: only the columns that changed end and begin anew, in their old places."""
    connection.execute(_END_TABLE, {"t": schema.id, "s": snapshot})
    _write_table(connection, schema, snapshot)
    present = {row.column_id: row for row in connection.execute(_COLUMNS, {"t": schema.id})}
    wanted = {column.id: column_values(column) for column in schema.columns}
    following = max((row.position for row in present.values()), default=-1) + 1
    added: list[dict[str, Any]] = []
    for column_id, row in present.items():
        if column_id in wanted and _same(row, wanted[column_id]):
            continue
        connection.execute(_END_COLUMN, {"t": schema.id, "c": column_id, "s": snapshot})
        if column_id in wanted:
            added.append({**wanted[column_id], "position": row.position})
    for column_id, values in wanted.items():
        if column_id not in present:
            added.append({**values, "position": following})
            following += 1
    if added:
        rows = [{**values, "table_id": schema.id, "begin_snapshot": snapshot} for values in added]
        connection.execute(_INSERT_COLUMN, rows)
    _count_columns(connection, schema)


def _same(row: Any, values: dict[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in values.items())


def _write_table(connection: sa.Connection, schema: TableSchema, snapshot: int) -> None:
    row = {
        "table_id": schema.id,
        "namespace": schema.namespace,
        "name": schema.name,
        "comment": schema.comment,
        "settings": encode_settings(schema.settings, schema.columns, schema.rules),
        "begin_snapshot": snapshot,
    }
    connection.execute(_INSERT_TABLE, row)


def _count_columns(connection: sa.Connection, schema: TableSchema) -> None:
    take_columns(connection, schema.id, max(column.id for column in schema.columns) + 1)


def take_columns(connection: sa.Connection, table_id: int, following: int) -> None:
    """Count the column ids before `following` as given out: files may hold columns that no snapshot ever showed."""
    connection.execute(_TAKE_COLUMNS, {"t": table_id, "next": following})
