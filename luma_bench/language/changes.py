"""Statements that change the bench, as values: tables, rows, and the transactions around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from luma_bench.language.placed import Kind, Placed, Query


def new_value(index: int) -> str:
    """The name under which an UPDATE's query gives the value of its assignment `index`."""
    return f"__luma_set_{index}"


@dataclass(frozen=True, slots=True)
class ColumnDef:
    """A column of CREATE TABLE or ADD COLUMN.

    Attributes
    ----------
    type_sql
        Its type as written.
    span
        Its place in the whole text.
    default
        A query of one row and column that gives its DEFAULT; None without one.
    """

    name: str
    type_sql: str
    nullable: bool
    primary_key: bool
    span: tuple[int, int]
    default: Query | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTable(Placed):
    """CREATE TABLE with columns; `probe` selects one typed NULL per column, so that describing it gives the schema."""

    kind: ClassVar[Kind] = Kind.CREATE_TABLE
    name: str
    columns: tuple[ColumnDef, ...]
    primary_key: tuple[str, ...]
    probe: Query = field(repr=False)
    if_not_exists: bool = False
    or_replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTableAs(Placed):
    """CREATE TABLE … AS query."""

    kind: ClassVar[Kind] = Kind.CREATE_TABLE_AS
    name: str
    query: Query
    if_not_exists: bool = False
    or_replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert(Placed):
    """INSERT INTO a table the rows of a query; `columns` is None when the table's own order is meant."""

    kind: ClassVar[Kind] = Kind.INSERT
    table: str
    columns: tuple[str, ...] | None
    query: Query
    by_name: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Placed):
    """DELETE FROM a table.

    Attributes
    ----------
    query
        Selects `_rowid` of the rows to delete, from the table's raw rows.
    everything
        Whether there is no WHERE, so that no query needs to run.
    """

    kind: ClassVar[Kind] = Kind.DELETE
    table: str
    table_span: tuple[int, int]
    query: Query
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """`column = value` of an UPDATE; `span` is the column's name, `value` the expression, both in the whole text."""

    column: str
    span: tuple[int, int]
    value: tuple[int, int]
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Placed):
    """UPDATE of a table.

    Attributes
    ----------
    query
        Selects `_rowid` and each new value, under the names `new_value(i)`, from the table's raw rows. The
        casts to the columns' types are added where the types are known: see `plan.dml`.
    """

    kind: ClassVar[Kind] = Kind.UPDATE
    table: str
    table_span: tuple[int, int]
    assignments: tuple[Assignment, ...]
    query: Query


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncate(Placed):
    """TRUNCATE of a table: every row goes, the table stays."""

    kind: ClassVar[Kind] = Kind.TRUNCATE
    table: str
    table_span: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DropTable(Placed):
    """DROP TABLE."""

    kind: ClassVar[Kind] = Kind.DROP_TABLE
    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class AddColumn:
    """ADD COLUMN; `probe` selects one typed NULL, so that describing it gives the column's type."""

    column: ColumnDef
    probe: Query = field(repr=False)
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropColumn:
    """DROP COLUMN; `span` is the column's name in the whole text, here and below."""

    name: str
    span: tuple[int, int]
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class RenameColumn:
    """RENAME COLUMN a TO b."""

    name: str
    span: tuple[int, int]
    to: str


@dataclass(frozen=True, slots=True)
class RenameTable:
    """RENAME TO name."""

    to: str


@dataclass(frozen=True, slots=True)
class SetType:
    """ALTER COLUMN c SET DATA TYPE t; `probe` selects one NULL of the type."""

    name: str
    span: tuple[int, int]
    probe: Query = field(repr=False)


@dataclass(frozen=True, slots=True)
class SetDefault:
    """ALTER COLUMN c SET DEFAULT value, or DROP DEFAULT without one; `value` is a query of one row and column."""

    name: str
    span: tuple[int, int]
    value: Query | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class SetNullable:
    """ALTER COLUMN c SET NOT NULL or DROP NOT NULL."""

    name: str
    span: tuple[int, int]
    nullable: bool


@dataclass(frozen=True, slots=True)
class SetOptions:
    """SET (sort_by = (a, b), codec = …); each option with its values and its place in the whole text."""

    options: tuple[tuple[str, tuple[str, ...], tuple[int, int]], ...]


Alteration = (
    AddColumn | DropColumn | RenameColumn | RenameTable | SetType | SetDefault | SetNullable | SetOptions
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlterTable(Placed):
    """ALTER TABLE with one alteration."""

    kind: ClassVar[Kind] = Kind.ALTER_TABLE
    table: str
    table_span: tuple[int, int]
    action: Alteration
    if_exists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentOn(Placed):
    """COMMENT ON TABLE t or COLUMN t.c; `column` is None for the table, `comment` None to take it away."""

    kind: ClassVar[Kind] = Kind.COMMENT_ON
    table: str
    table_span: tuple[int, int]
    column: str | None
    column_span: tuple[int, int] | None
    comment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin(Placed):
    """BEGIN: the statements after it, up to COMMIT, are one commit."""

    kind: ClassVar[Kind] = Kind.BEGIN
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit(Placed):
    """COMMIT of the open transaction."""

    kind: ClassVar[Kind] = Kind.COMMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback(Placed):
    """ROLLBACK of the open transaction."""

    kind: ClassVar[Kind] = Kind.ROLLBACK
