"""Statements that change the bench, as values: tables, rows, and the transactions around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal

from luma_bench.language.compose import Piece
from luma_bench.language.constraints import ConstraintDef
from luma_bench.language.expressions import ExpressionDef
from luma_bench.language.placed import Kind, Placed, Query
from luma_bench.language.returning import Returning


def new_value(index: int) -> str:
    """The name under which an UPDATE's query gives the value of its assignment `index`."""
    return f"__luma_set_{index}"


@dataclass(frozen=True, slots=True)
class ColumnDef:
    """A column of CREATE TABLE or ADD COLUMN.

    Attributes
    ----------
    type_sql
        Its type as written; empty for a generated column without one.
    span
        Its place in the whole text.
    default
        A query of one row and column that gives its DEFAULT; None without one, and for one that is no constant.
    computed_default
        The DEFAULT that is computed whenever rows are written.
    generated
        The expression of a generated column.
    """

    name: str
    type_sql: str
    nullable: bool
    primary_key: bool
    span: tuple[int, int]
    default: Query | None = None
    computed_default: ExpressionDef | None = None
    generated: ExpressionDef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTable(Placed):
    """CREATE TABLE with columns; `probe` selects one typed NULL per column, so that describing it gives the schema.

    `constraints` are those of columns and of the table in the order of the text, but for NOT NULL and the primary key.
    """

    kind: ClassVar[Kind] = Kind.CREATE_TABLE
    name: str
    columns: tuple[ColumnDef, ...]
    primary_key: tuple[str, ...]
    probe: Query = field(repr=False)
    constraints: tuple[ConstraintDef, ...] = ()
    if_not_exists: bool = False
    or_replace: bool = False
    options: SetOptions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTableAs(Placed):
    """CREATE TABLE … AS query; `columns` are the names of the first of its columns, where they stand before AS."""

    kind: ClassVar[Kind] = Kind.CREATE_TABLE_AS
    name: str
    query: Query
    columns: tuple[str, ...] = ()
    if_not_exists: bool = False
    or_replace: bool = False
    options: SetOptions | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """`column = value`; `span` is the column's name, `value` the expression, both in the whole text."""

    column: str
    span: tuple[int, int]
    value: tuple[int, int]
    default: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """What an INSERT does with a row whose key is there: ON CONFLICT, OR REPLACE, OR IGNORE.

    Attributes
    ----------
    columns, column_spans
        The key that is meant; empty for the only one that the table has.
    action
        `replace` writes the columns that the INSERT names, and no others.
    pieces
        For `update`, a query of `__luma_n` and each new value from `OLD` under the table's name beside `NEW`, whose
        column `excluded` is a STRUCT of the row that could not be inserted. `query` is the same without casts.
    """

    action: Literal["nothing", "update", "replace"]
    span: tuple[int, int]
    columns: tuple[str, ...] = ()
    column_spans: tuple[tuple[int, int], ...] = ()
    assignments: tuple[Assignment, ...] = ()
    pieces: tuple[Piece, ...] = field(default=(), repr=False)
    query: Query | None = None


OLD: Final = "__luma_old"
NEW: Final = "__luma_new"
NUMBER: Final = "__luma_n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Insert(Placed):
    """INSERT INTO a table the rows of a query.

    Attributes
    ----------
    columns, column_spans
        The columns that are named; None when the table's own order is meant.
    query
        Gives the rows; None for DEFAULT VALUES. For each of `defaulted` it gives a BOOLEAN more, behind the others.
    defaulted
        Places in the row where some VALUES hold DEFAULT: such a row's BOOLEAN is TRUE.
    rows
        Where the rows stand in the whole text.
    in_memory
        Whether the rows are VALUES, which are in memory with the text.
    """

    kind: ClassVar[Kind] = Kind.INSERT
    table: str
    table_span: tuple[int, int]
    columns: tuple[str, ...] | None
    query: Query | None
    rows: tuple[int, int]
    column_spans: tuple[tuple[int, int], ...] = ()
    by_name: bool = False
    in_memory: bool = False
    defaulted: tuple[int, ...] = ()
    conflict: Conflict | None = None
    returning: Returning | None = None


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
    returning: Returning | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Placed):
    """UPDATE of a table.

    Attributes
    ----------
    query
        Selects `_rowid` and each new value, under the names `new_value(i)`, from the table's raw rows.
    pieces
        What `query` is composed of, with the casts to the columns' types, which are known at a snapshot.
    """

    kind: ClassVar[Kind] = Kind.UPDATE
    table: str
    table_span: tuple[int, int]
    assignments: tuple[Assignment, ...]
    query: Query
    pieces: tuple[Piece, ...] = field(default=(), repr=False)
    returning: Returning | None = None


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
    constraints: tuple[ConstraintDef, ...] = ()
    if_not_exists: bool = False

    @property
    def ruled(self) -> bool:
        """Whether it comes with constraints, or with a value that is computed."""
        column = self.column
        return bool(self.constraints or column.computed_default or column.generated)


@dataclass(frozen=True, slots=True)
class DropColumn:
    """DROP COLUMN; `span` is the column's name in the whole text, here and below."""

    name: str
    span: tuple[int, int]
    if_exists: bool = False
    cascade: bool = False


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
    """ALTER COLUMN c SET DEFAULT value, or DROP DEFAULT without one; `value` is a query of one row and column.

    `computed` is the expression of a default that is computed whenever rows are written.
    """

    name: str
    span: tuple[int, int]
    value: Query | None = field(repr=False, default=None)
    computed: ExpressionDef | None = None


@dataclass(frozen=True, slots=True)
class AddConstraint:
    """ADD [CONSTRAINT name] CHECK, UNIQUE, PRIMARY KEY or FOREIGN KEY."""

    constraint: ConstraintDef

    @property
    def span(self) -> tuple[int, int]:
        """Its place in the whole text."""
        return self.constraint.span


@dataclass(frozen=True, slots=True)
class DropConstraint:
    """DROP CONSTRAINT name."""

    name: str
    span: tuple[int, int]
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class SetNullable:
    """ALTER COLUMN c SET NOT NULL or DROP NOT NULL."""

    name: str
    span: tuple[int, int]
    nullable: bool


@dataclass(frozen=True, slots=True)
class SetOptions:
    """SET (sort_by = (a, b), codec = …), RESET (…) or WITH (…); each option with its values and its place in the whole text.

    An option without values is what it is in a table that was told nothing; `retention` has its length, and the column
    where one is named.
    """

    options: tuple[tuple[str, tuple[str, ...], tuple[int, int]], ...]


Alteration = (
    AddColumn
    | DropColumn
    | RenameColumn
    | RenameTable
    | SetType
    | SetDefault
    | SetNullable
    | SetOptions
    | AddConstraint
    | DropConstraint
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
