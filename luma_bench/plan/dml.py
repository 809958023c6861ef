"""Statements that change rows, as a query that finds them: row ids, and for an UPDATE the new values beside them.

`DELETE FROM t WHERE c` finds `_rowid`. `UPDATE t SET a = x WHERE c` finds `_rowid` and `CAST(x AS <type of a>)`. The
columns that an UPDATE leaves alone are never read by SQL, so that they keep their exact Arrow values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from luma_bench.errors import KadeQLBindError, SchemaError
from luma_bench.language import Assignment, Conflict, Delete, Query, Truncate, Update, composed
from luma_bench.types.schema import Column, TableSchema

TypesOf = Callable[[Sequence[str]], Sequence[str]]
"""The SQL types of columns of a table, by name."""


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
    statement: Update | Conflict, table: TableSchema, types_of: TypesOf, whole: str
) -> RowChange:
    """The rows that SET changes, with their new values in the columns' SQL types.

    Raises
    ------
    KadeQLBindError
        SET names no column of the table, or a generated one; it points at the name.
    """
    assert statement.query is not None
    items = statement.assignments
    columns = tuple(assigned_column(table, item, whole) for item in items)
    sql, offsets = composed(statement.pieces, types_of([column.name for column in columns]))
    return RowChange(
        "update",
        table,
        replace(statement.query, sql=sql, offsets=offsets),
        columns,
        tuple(item.value for item in items),
        tuple(item.default for item in items),
    )


def assigned_column(table: TableSchema, item: Assignment, whole: str) -> Column:
    """The column that an assignment names.

    Raises
    ------
    KadeQLBindError
        There is none of this name, or it is generated and the value is not its DEFAULT.
    """
    column = named_column(table, item.column, item.span, whole)
    if column.id in table.rules.computed:
        raise generated_column(table, column, item.span, whole)
    return column


def named_column(table: TableSchema, name: str, span: tuple[int, int], whole: str) -> Column:
    """A column of a table by the name that stands at `span`.

    Raises
    ------
    KadeQLBindError
        There is none; it points at the name and lists the nearest.
    """
    try:
        return table.column(name)
    except SchemaError as error:
        raise KadeQLBindError(error.message, text=whole, span=span, hint=error.hint) from error


def generated_column(
    table: TableSchema, column: Column, span: tuple[int, int], whole: str
) -> KadeQLBindError:
    """A value is written for a generated column."""
    return KadeQLBindError(
        f"Column {column.name!r} of table {table.name!r} is generated, so it takes no values.",
        text=whole,
        span=span,
        hint="Leave it out: it is computed from the other columns of its row.",
    )
