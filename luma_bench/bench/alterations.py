"""ALTER TABLE and COMMENT ON as the store's own actions, with errors that point into the user's text."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.binding import located
from luma_bench.bench.casts import column_types, constant
from luma_bench.bench.row_changes import target
from luma_bench.bench.runner import Runner
from luma_bench.errors import (
    CatalogError,
    ConstraintError,
    KadeQLBindError,
    KadeQLConstraintError,
    KadeQLError,
    SchemaError,
)
from luma_bench.language import (
    AddColumn,
    Alteration,
    AlterTable,
    ColumnDef,
    CommentOn,
    DropColumn,
    Query,
    RenameColumn,
    RenameTable,
    SetDefault,
    SetNullable,
    SetOptions,
    SetType,
)
from luma_bench.storage import evolve
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.schema import TableSchema


class Alterer:
    """Runs the statements that change a table's definition."""

    def __init__(self, runner: Runner, inspector: SqlInspector) -> None:
        self._runner = runner
        self._inspector = inspector

    def alter(self, statement: AlterTable, ask: Ask, inside: StoreTransaction) -> bool:
        """Change the table; whether there was anything to change.

        Raises
        ------
        KadeQLBindError
            There is no such table or column, or it cannot be changed so.
        """
        view = inside.view()
        if statement.if_exists and view.named(statement.table) is None:
            return False
        table = target(view, statement.table, statement.table_span, statement.whole, ask)
        action = self._action(statement.action, table, ask, inside)
        if action is None:
            return False
        _apply(inside, table, action, statement.whole, _span(statement))
        return True

    def comment(self, statement: CommentOn, ask: Ask, inside: StoreTransaction) -> None:
        """Set or take away a comment."""
        table = target(inside.view(), statement.table, statement.table_span, statement.whole, ask)
        action = (
            evolve.CommentTable(statement.comment)
            if statement.column is None
            else evolve.CommentColumn(statement.column, statement.comment)
        )
        _apply(inside, table, action, statement.whole, statement.column_span or statement.table_span)

    def default(self, column: ColumnDef, ask: Ask) -> pa.Scalar | None:
        """The DEFAULT of a column that is being defined; None without one and for NULL."""
        if column.default is None:
            return None
        value = constant(self._runner, column.default, column.type_sql, ask)
        return value if value.is_valid else None

    def column_type(self, probe: Query) -> pa.DataType:
        """The Arrow type that a definition's type stands for."""
        try:
            return self._inspector.describe(probe.sql, {}).field(0).type
        except KadeQLError as error:
            raise located(error, probe) from error

    def _action(
        self, action: Alteration, table: TableSchema, ask: Ask, inside: StoreTransaction
    ) -> evolve.Action | None:
        names = {name.casefold() for name in table.names}
        match action:
            case AddColumn(column, probe, if_not_exists):
                if if_not_exists and column.name.casefold() in names:
                    return None
                kind = self.column_type(probe)
                return evolve.AddColumn(column.name, kind, column.nullable, self.default(column, ask))
            case DropColumn(name, _, if_exists):
                return None if if_exists and name.casefold() not in names else evolve.DropColumn(name)
            case RenameColumn(name, _, to):
                return evolve.RenameColumn(name, to)
            case RenameTable(to):
                return evolve.RenameTable(to)
            case SetType(name, _, probe):
                return evolve.WidenColumn(name, self.column_type(probe))
            case SetDefault(name, _, value):
                if value is None or name.casefold() not in names:
                    return evolve.SetDefault(name)
                column = table.column(name).name
                (kind,) = column_types(self._runner, table, [column], ask, inside.view())
                return evolve.SetDefault(column, constant(self._runner, value, kind, ask))
            case SetNullable(name, _, nullable):
                return evolve.SetNullable(name, nullable)
            case SetOptions(options):
                given: dict[str, Any] = {name: values for name, values, _ in options}
                for name in ("time_column", "codec"):
                    if name in given:
                        given[name] = given[name][0] if given[name] else None
                return evolve.SetSettings(**given)


def _apply(
    inside: StoreTransaction, table: TableSchema, action: evolve.Action, whole: str, span: tuple[int, int]
) -> None:
    try:
        inside.alter(table.name, action)
    except ConstraintError as error:
        raise KadeQLConstraintError(error.message, text=whole, span=span, hint=error.hint) from error
    except (CatalogError, SchemaError) as error:
        raise KadeQLBindError(error.message, text=whole, span=span, hint=error.hint) from error


def _span(statement: AlterTable) -> tuple[int, int]:
    """Where an error of the change points: at the column or the options, else at the table."""
    match statement.action:
        case AddColumn(column):
            return column.span
        case SetOptions(options):
            return options[0][2][0], options[-1][2][1]
        case RenameTable():
            return statement.table_span
        case action:
            return action.span
