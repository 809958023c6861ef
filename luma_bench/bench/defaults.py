"""DEFAULT where a statement writes it for some rows and not for others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.schema import Column, TableSchema


def writable(table: TableSchema) -> tuple[Column, ...]:
    """The columns that take values: all but generated ones."""
    computed = table.rules.computed
    return tuple(column for column in table.columns if column.id not in computed)


def without_computed(rows: pa.Table, table: TableSchema) -> pa.Table:
    """The rows without generated columns, which a write computes."""
    names = {column.name for column in writable(table)}
    return (
        rows
        if len(names) == len(table.columns)
        else rows.select([n for n in rows.column_names if n in names])
    )


def is_expression(table: TableSchema, column: Column) -> bool:
    """Whether a column's DEFAULT is an expression, which only a write evaluates."""
    return table.rules.default(column.id) is not None


def constant_default(column: Column, count: int) -> pa.ChunkedArray:
    """The constant DEFAULT of a column, NULL without one, for `count` rows."""
    if column.default is None:
        return pa.chunked_array([pa.nulls(count, column.type)])
    return pa.chunked_array([pa.repeat(column.default, count)])


def with_defaults(
    inside: StoreTransaction, table: TableSchema, rows: pa.Table, masks: Mapping[str, np.ndarray]
) -> pa.Table:
    """The rows with DEFAULT in place, in their order.

    Parameters
    ----------
    masks
        For some columns, a boolean for each row: whether it gets the column's DEFAULT.
    """
    computed: dict[str, np.ndarray] = {}
    for name, mask in masks.items():
        column = table.column(name)
        if not mask.any():
            continue
        if is_expression(table, column):
            computed[name] = mask
            continue
        index = rows.schema.get_field_index(name)
        if column.default is None:
            filled = pc.if_else(pa.array(~mask), rows.column(index), None)
        else:
            filled = pc.if_else(
                pa.array(mask), column.default.cast(rows.field(index).type), rows.column(index)
            )
        rows = rows.set_column(index, rows.field(index), filled)
    if not computed:
        return rows
    # Rows that leave the same columns to their expressions are computed together.
    codes = sum(mask.astype(np.int64) << bit for bit, mask in enumerate(computed.values()))
    parts: list[pa.Table] = []
    places: list[np.ndarray] = []
    for code in np.unique(codes):
        chosen = np.flatnonzero(codes == code)
        left = [name for bit, name in enumerate(computed) if int(code) >> bit & 1]
        part = rows.take(pa.array(chosen)).drop_columns(left)
        parts.append(without_computed(inside.prepared(table.name, part), table))
        places.append(chosen)
    order = np.argsort(np.concatenate(places), kind="stable")
    return pa.concat_tables(parts).take(pa.array(order))
