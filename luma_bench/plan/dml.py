"""Statements that change rows, as a query that finds them: row ids, and for an UPDATE the new values beside them.

`DELETE FROM t WHERE c` finds `_rowid`. `UPDATE t SET a = x WHERE c` finds `_rowid` and `CAST(x AS <type of a>)`. The
columns that an UPDATE leaves alone are never read by SQL, so that they keep their exact Arrow values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from luma_bench.errors import KadeQLBindError, SchemaError
from luma_bench.language import Delete, Edit, Query, Truncate, Update, rewritten
from luma_bench.types.schema import Column, TableSchema


@dataclass(frozen=True, slots=True)
class RowChange:
    """What a statement does to the rows of one table.

    Attributes
    ----------
    query
        Finds the rows: `_rowid`, then a value for each of `columns`. None means every row of the table.
    columns
        The columns that get a new value, in the order of the query.
    values
        Where the value of each stands in the user's whole text.
    defaults
        Whether each value is the column's DEFAULT, which only the catalog knows.
    """

    operation: Literal["delete", "update"]
    table: TableSchema
    query: Query | None
    columns: tuple[Column, ...] = ()
    values: tuple[tuple[int, int], ...] = ()
    defaults: tuple[bool, ...] = ()

    @property
    def span(self) -> tuple[int, int] | None:
        """From the first new value to the last."""
        return (self.values[0][0], self.values[-1][1]) if self.values else None


def delete_change(statement: Delete | Truncate, table: TableSchema) -> RowChange:
    """The rows that a DELETE or TRUNCATE takes away."""
    if isinstance(statement, Truncate) or statement.everything:
        return RowChange("delete", table, None)
    return RowChange("delete", table, statement.query)


def update_change(
    statement: Update, table: TableSchema, types_of: Callable[[Sequence[str]], Sequence[str]]
) -> RowChange:
    """The rows that an UPDATE changes, with their new values in the columns' SQL types.

    Parameters
    ----------
    types_of
        Gives the SQL types of columns of the table, by name.

    Raises
    ------
    KadeQLBindError
        SET names no column of the table; it points at the name.
    """
    columns = tuple(_column(statement, table, item.column, item.span) for item in statement.assignments)
    types = types_of([column.name for column in columns])
    query = statement.query
    casts: list[Edit] = []
    for item, kind in zip(statement.assignments, types, strict=True):
        start, end = item.value
        # Right behind the value, inside of the bracket that the statement's own edit closes.
        casts += [Edit(start, start, "CAST("), Edit(end, end, f" AS {kind})")]
    sql, offsets = rewritten(query.whole, query.start, query.end, (*query.edits, *casts))
    return RowChange(
        "update",
        table,
        replace(query, sql=sql, offsets=offsets),
        columns,
        tuple(item.value for item in statement.assignments),
        tuple(item.default for item in statement.assignments),
    )


def _column(statement: Update, table: TableSchema, name: str, span: tuple[int, int]) -> Column:
    try:
        return table.column(name)
    except SchemaError as error:
        raise KadeQLBindError(error.message, text=statement.whole, span=span, hint=error.hint) from error
