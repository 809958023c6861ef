"""ALTER TABLE and COMMENT ON as the store's own actions, with errors that point into the user's text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from luma_bench.bench.ask import Ask
from luma_bench.bench.casts import column_types, constant
from luma_bench.bench.kept import require_kept, require_same_form
from luma_bench.bench.locating import located
from luma_bench.bench.row_changes import target
from luma_bench.bench.rule_changes import RuleChanger
from luma_bench.bench.runner import Runner
from luma_bench.bench.table_options import place_of, settings_action
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
    AddConstraint,
    Alteration,
    AlterTable,
    ColumnDef,
    CommentOn,
    DropColumn,
    DropConstraint,
    Edit,
    ExpressionDef,
    Query,
    RenameColumn,
    RenameTable,
    SetDefault,
    SetNullable,
    SetOptions,
    SetType,
    rewritten,
)
from luma_bench.language.refusals import CASCADE
from luma_bench.storage import evolve
from luma_bench.storage.transaction import Transaction as StoreTransaction
from luma_bench.types.inspector import SqlInspector
from luma_bench.types.schema import TableSchema


class Alterer:
    """Runs the statements that change a table's definition."""

    def __init__(self, runner: Runner, inspector: SqlInspector) -> None:
        self._runner = runner
        self._inspector = inspector
        self._rules = RuleChanger(runner, inspector)

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
        whole, change = statement.whole, statement.action
        if isinstance(change, AddColumn) and change.ruled:
            return self._add_ruled(change, table, ask, inside, whole)
        action = self._action(change, table, ask, inside, whole)
        if action is None:
            return False
        apply_actions(inside, table, [action], whole, _span(statement))
        return True

    def _add_ruled(
        self, change: AddColumn, table: TableSchema, ask: Ask, inside: StoreTransaction, whole: str
    ) -> bool:
        """ADD COLUMN with constraints, or with a value that is computed: the column first, then its rules."""
        self._rules.check_fillable(change, table, inside, whole)
        given, span = change.column, change.column.span
        with inside.statement():
            if not given.type_sql and given.generated is not None:
                found = self._rules.field_of(table, given, inside, whole)
                action = evolve.AddColumn(
                    found.name, found.type, metadata=tuple((found.metadata or {}).items())
                )
            else:
                action = self._action(change, table, ask, inside, whole)
            if action is None:
                return False
            once = given.computed_default
            if once is not None and not once.per_row and isinstance(action, evolve.AddColumn):
                # Rows that are there get the one value of now; later ones what the expression gives then.
                action = replace(action, default=self._now(once, given, ask))
            apply_actions(inside, table, [action], whole, span)
            if once is not None:
                apply_actions(inside, table, [evolve.SetDefault(given.name)], whole, span)
            made = inside.view().find(table.name)
            rules = self._rules.with_column(change, made, inside, whole)
            if rules is not None:
                apply_actions(inside, made, [rules], whole, span)
        return True

    def _now(self, given: ExpressionDef, column: ColumnDef, ask: Ask) -> pa.Scalar | None:
        """The present value of a default that is computed once a write."""
        edits = (Edit(given.span[0], given.span[0], "SELECT ("), Edit(given.span[1], given.span[1], ")"))
        sql, offsets = rewritten(given.whole, *given.span, edits)
        start, end = given.span
        query = Query(source=given.text, start=start, end=end, whole=given.whole, sql=sql, offsets=offsets)
        value = constant(self._runner, query, column.type_sql, ask)
        return value if value.is_valid else None

    def comment(self, statement: CommentOn, ask: Ask, inside: StoreTransaction) -> None:
        """Set or take away a comment."""
        table = target(inside.view(), statement.table, statement.table_span, statement.whole, ask)
        action = (
            evolve.CommentTable(statement.comment)
            if statement.column is None
            else evolve.CommentColumn(statement.column, statement.comment)
        )
        apply_actions(inside, table, [action], statement.whole, statement.column_span or statement.table_span)

    def default(self, column: ColumnDef, ask: Ask) -> pa.Scalar | None:
        """The DEFAULT of a column that is being defined; None without one and for NULL."""
        if column.default is None:
            return None
        value = constant(self._runner, column.default, column.type_sql, ask)
        return value if value.is_valid else None

    def column_type(self, probe: Query) -> pa.Field:
        """The Arrow type that a definition's type stands for, with the SQL type where Arrow does not have it."""
        try:
            field = self._inspector.describe(probe.sql, {}).field(0)
        except KadeQLError as error:
            raise located(error, probe) from error
        require_kept(pa.schema([field]), probe.whole, (probe.start, probe.end))
        return field

    def _action(
        self, action: Alteration, table: TableSchema, ask: Ask, inside: StoreTransaction, whole: str
    ) -> evolve.Action | None:
        names = {name.casefold() for name in table.names}
        match action:
            case AddColumn(column, probe, _, if_not_exists):
                if if_not_exists and column.name.casefold() in names:
                    return None
                kind = self.column_type(probe)
                beside = tuple((kind.metadata or {}).items())
                default = self.default(column, ask)
                return evolve.AddColumn(column.name, kind.type, column.nullable, default, metadata=beside)
            case DropColumn(name, span, if_exists, cascade):
                known = name.casefold() in names
                if cascade and known and table.rules.users_of(table.column(name).id, alone=False):
                    raise CASCADE.error(whole, span)
                return None if if_exists and not known else evolve.DropColumn(name)
            case RenameColumn(name, _, to):
                return evolve.RenameColumn(name, to)
            case RenameTable(to):
                return evolve.RenameTable(to)
            case SetType(name, span, probe):
                wanted = self.column_type(probe)
                if name.casefold() in names:
                    require_same_form(table.column(name), wanted, probe.whole, span)
                return evolve.WidenColumn(name, wanted.type)
            case SetDefault() | AddConstraint() | DropConstraint():
                return self._rule_action(action, table, ask, inside, whole)
            case SetNullable(name, _, nullable):
                return evolve.SetNullable(name, nullable)
            case SetOptions():
                return settings_action(action, table.arrow, table.settings, whole)

    def _rule_action(
        self,
        action: SetDefault | AddConstraint | DropConstraint,
        table: TableSchema,
        ask: Ask,
        inside: StoreTransaction,
        whole: str,
    ) -> evolve.Action | None:
        if isinstance(action, AddConstraint):
            return self._rules.added(action, table, inside, whole)
        if isinstance(action, DropConstraint):
            return self._rules.dropped(action, table, whole)
        known = action.name.casefold() in {name.casefold() for name in table.names}
        if action.computed is not None and known:
            return self._rules.computed_default(table, action.name, action.computed, ask, inside, whole)
        if action.value is None or not known:
            return evolve.SetDefault(action.name)
        column = table.column(action.name).name
        (kind,) = column_types(self._runner, table, [column], ask, inside.view())
        return evolve.SetDefault(column, constant(self._runner, action.value, kind, ask))


def apply_actions(
    inside: StoreTransaction,
    table: TableSchema,
    actions: Sequence[evolve.Action],
    whole: str,
    span: tuple[int, int],
) -> None:
    """Change a table; what cannot be, or does not hold for its rows, is said of `span`."""
    try:
        inside.alter(table.name, *actions)
    except ConstraintError as error:
        raise KadeQLConstraintError(error.message, text=whole, span=span, hint=error.hint) from error
    except (CatalogError, SchemaError) as error:
        raise KadeQLBindError(error.message, text=whole, span=span, hint=error.hint) from error


def _span(statement: AlterTable) -> tuple[int, int]:
    """Where an error of the change points: at the column or the options, else at the table."""
    match statement.action:
        case AddColumn(column):
            return column.span
        case SetOptions() as options:
            return place_of(options)
        case RenameTable():
            return statement.table_span
        case action:
            return action.span
